"""D.2: DEFLATE in all its forms (RFC 1951 3.2, RFC 7692 7.2): what a client's compressor may send."""

from __future__ import annotations

import zlib

from harness.cases.blocks import Writer
from harness.cases.compressed import HELLO, TEXT, Compressor, Deflating, compressed_frame
from harness.cases.model import Opcode
from harness.cases.talk import Family, Finding, Over, Talk, informational, ok

FAMILY = Family("D.2")
_BACK = "It comes back, and so does a message behind it."
_NO_TAKEOVER = "permessage-deflate; client_no_context_takeover; client_max_window_bits"


def _forms(title: str, octets: bytes, payload: bytes, *clauses: str, opcode: Opcode = Opcode.TEXT) -> None:
    """A message that hangs on nothing before it."""

    @FAMILY.case(title, _BACK, *clauses)
    async def case(talk: Talk) -> Finding:
        # no client_max_window_bits, so that nobody can ask for a smaller window than the octets were made with
        connection = await Deflating.open(talk, "permessage-deflate")
        for _ in range(2):
            await connection.write(compressed_frame(octets, opcode))
            await connection.same(payload, opcode)
        await connection.close()
        return ok("It came back twice.")


def _finished(payload: bytes) -> bytes:
    compress = zlib.compressobj(9, zlib.DEFLATED, -15)
    return compress.compress(payload) + compress.flush(zlib.Z_FINISH)


def _flushed(payload: bytes, size: int, flush: int) -> bytes:
    compress = zlib.compressobj(6, zlib.DEFLATED, -15)
    parts = (payload[at : at + size] for at in range(0, len(payload), size))
    octets = b"".join(compress.compress(part) + compress.flush(flush) for part in parts)
    return (octets + compress.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")


_RANDOM = bytes(n * n * 31 >> 3 & 0xFF for n in range(3000))
_forms("A stored block.", bytes.fromhex("000500faff48656c6c6f00"), b"Hello", "RFC 7692 7.2.3.3", "RFC 1951 3.2.4")
_forms("A block with fixed codes.", HELLO, b"Hello", "RFC 7692 7.2.3.1", "RFC 1951 3.2.6")
_forms("Two blocks with fixed codes.", bytes.fromhex("f24805000000ffffcac9c90700"), b"Hello", "RFC 7692 7.2.3.5")
_forms("A block with BFINAL set.", bytes.fromhex("f348cdc9c9070000"), b"Hello", "RFC 7692 7.2.3.4")
_forms(
    "A block with codes of its own, BFINAL set.", _finished(TEXT) + b"\0", TEXT, "RFC 7692 7.2.3.4", "RFC 1951 3.2.7"
)
_forms("Blocks with codes of their own.", Compressor(level=9)(TEXT), TEXT, "RFC 1951 3.2.7")
_forms("Codes alone, no matches.", Compressor(strategy=zlib.Z_HUFFMAN_ONLY)(TEXT), TEXT, "RFC 1951 3.2.7")
_forms("Matches with fixed codes.", Compressor(strategy=zlib.Z_FIXED)(TEXT), TEXT, "RFC 1951 3.2.6")
_forms("Octets that do not compress.", Compressor()(_RANDOM), _RANDOM, "RFC 1951 3.2.4", opcode=Opcode.BINARY)
_forms("Stored blocks alone.", Compressor(level=0)(_RANDOM), _RANDOM, "RFC 1951 3.2.4", opcode=Opcode.BINARY)
_forms(
    "Many blocks, an empty one after each ten octets.", _flushed(TEXT, 10, zlib.Z_SYNC_FLUSH), TEXT, "RFC 7692 7.2.1"
)
_forms(
    "Many blocks, with nothing kept from one to the next.",
    _flushed(TEXT, 99, zlib.Z_FULL_FLUSH),
    TEXT,
    "RFC 7692 7.2.1",
)
_forms(
    "Empty blocks with fixed codes around one that is not.",
    Writer().fixed().end().fixed().literals(b"Hello").end().fixed().end().message(),
    b"Hello",
    "RFC 1951 3.2.6",
)
_forms(
    "A match that repeats its own octets.",
    Writer().fixed().literals(b"ab").match(1, 10).match(12, 3).end().message(),
    b"a" + b"b" * 11 + b"abb",
    "RFC 1951 3.2.3",
)


@FAMILY.case(
    "The same message three times: the second and third refer to the one before (context takeover).",
    "All come back.",
    "RFC 7692 7.1.1",
    "RFC 7692 7.2.3.2",
)
async def takeover(talk: Talk) -> Finding:
    connection = await Deflating.open(talk)
    for _ in range(3):
        await connection.echo(TEXT)
    await connection.close()
    return ok("All came back.")


@FAMILY.case(
    "Messages of 30,000 octets that refer to one another, until the window has gone round three times.",
    "All come back.",
    "RFC 7692 7.1.1",
)
async def window_goes_round(talk: Talk) -> Finding:
    connection = await Deflating.open(talk)
    for number in range(4):
        await connection.echo((b"%d" % number + TEXT * 10)[:30_000])
    await connection.close()
    return ok("All came back.")


@FAMILY.case(
    "A message that is a match of 32,768 octets back, the farthest there is.",
    "It comes back.",
    "RFC 7692 7.1.2.2",
    "RFC 1951 2",
)
async def farthest(talk: Talk) -> Finding:
    connection = await Deflating.open(talk)
    back = 1 << connection.agreed.client_max_window_bits
    before = talk.random.randbytes(back)
    await connection.write(compressed_frame(Compressor(level=0)(before), Opcode.BINARY))
    await connection.same(before, Opcode.BINARY)
    if connection.agreed.client_no_context_takeover:
        await connection.close()
        return ok("It agreed that a message does not refer to another one.")
    await connection.write(compressed_frame(Writer().fixed().match(back, 10).end().message(), Opcode.BINARY))
    await connection.same(before[:10], Opcode.BINARY)
    await connection.close()
    return ok(f"{back:,} octets back were found.")


@FAMILY.case(
    "Each message alone, where the client said that it takes nothing over.",
    "All come back.",
    "RFC 7692 7.1.1.2",
)
async def no_takeover(talk: Talk) -> Finding:
    connection = await Deflating.open(talk, _NO_TAKEOVER)
    for number in range(3):
        octets = Compressor(connection.agreed)(b"%d" % number + TEXT)
        await connection.write(compressed_frame(octets))
        await connection.same(b"%d" % number + TEXT)
    await connection.close()
    return ok("All came back.")


def _level(level: int) -> None:
    @FAMILY.case(f"Text and random octets, compressed at level {level}.", "All come back.", "RFC 7692 7.2.1")
    async def case(talk: Talk) -> Finding:
        connection = await Deflating.open(talk)
        connection.compress = Compressor(connection.agreed, level)
        for content in (TEXT * 20, talk.random.randbytes(20_000), TEXT):
            await connection.echo(content, Opcode.BINARY)
        await connection.close()
        return ok("All came back.")


_level(1)
_level(9)


@FAMILY.case(
    "A compressed message of 1 MiB of random octets, and one of 1 MiB of zeros.",
    "Both come back.",
    "RFC 7692 7.2",
    bulk=True,
)
async def long_messages(talk: Talk) -> Finding:
    connection = await Deflating.open(talk)
    for content in (talk.random.randbytes(1 << 20), bytes(1 << 20)):
        await connection.echo(content, Opcode.BINARY)
    await connection.close()
    return ok("Both came back.")


@FAMILY.case("300 compressed messages without waiting for an answer.", "All come back, in order.", "RFC 7692 6")
async def pipelined(talk: Talk) -> Finding:
    connection = await Deflating.open(talk)
    contents = [b"message %d " % number + TEXT[: number % 97] for number in range(300)]
    await connection.write(b"".join(compressed_frame(connection.compress(content)) for content in contents))
    for content in contents:
        await connection.same(content)
    await connection.close()
    return ok("300 messages came back.")


@FAMILY.case(
    "Messages that refer to one another, where the client offered client_no_context_takeover and got no such answer.",
    "All come back: what was merely offered holds for nobody.",
    "RFC 7692 7.2.2",
    "RFC 7692 7.1.1.2",
)
async def merely_offered(talk: Talk) -> Finding:
    connection = await Deflating.open(talk, _NO_TAKEOVER)
    if connection.agreed.client_no_context_takeover:
        await connection.close()
        return ok("It agreed to it, so that they do not.")
    for _ in range(3):
        await connection.echo(TEXT)
    await connection.close()
    return ok("All came back.")


@FAMILY.case(
    "Two connections, on each three messages that refer to those before, in turn.",
    "Each message comes back on its own connection: each has a context of its own.",
    "RFC 7692 7.2.2",
    "RFC 7692 7.2.1",
)
async def on_two_connections(talk: Talk) -> Finding:
    first = await Deflating.open(talk)
    try:
        connections = [first, await Deflating.open(talk)]
    except Over:
        return informational("A second connection was not accepted beside the first.")
    for number in range(3):
        for which, connection in enumerate(connections):
            await connection.echo(b"%d.%d: " % (which, number) + TEXT[which * 700 : which * 700 + 1400])
    for connection in connections:
        await connection.close()
    return ok("All came back.")
