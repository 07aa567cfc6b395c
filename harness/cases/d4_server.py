"""D.4: what the server compresses keeps to what was agreed (RFC 7692 7.1, 7.2.1)."""

from __future__ import annotations

import zlib

from harness.cases.blocks import distances
from harness.cases.compressed import TEXT, Deflating, compressed_frame
from harness.cases.model import Opcode
from harness.cases.talk import Family, Finding, Talk, failed, informational, ok

FAMILY = Family("D.4")


@FAMILY.case(
    "The same text three times, after the server agreed to server_no_context_takeover.",
    "Each of its compressed messages can be inflated alone.",
    "RFC 7692 7.1.1.1",
)
async def no_context_takeover(talk: Talk) -> Finding:
    connection = await Deflating.open(talk, "permessage-deflate; server_no_context_takeover; client_max_window_bits")
    if not connection.agreed.server_no_context_takeover:
        return failed("It agreed to permessage-deflate, without the server_no_context_takeover that was asked for.")
    for _ in range(3):
        await connection.echo(TEXT)  # inflated alone, as was agreed
    await connection.close()
    return ok("Each could be inflated alone.")


def _window(bits: int) -> None:
    @FAMILY.case(
        f"Text that repeats itself after 200 to 40,000 octets, with server_max_window_bits={bits}.",
        f"No match of what the server compresses goes back more than {1 << bits:,} octets.",
        "RFC 7692 7.1.2.1",
    )
    async def case(talk: Talk) -> Finding:
        connection = await Deflating.open(
            talk, f"permessage-deflate; server_max_window_bits={bits}; client_max_window_bits"
        )
        agreed = connection.agreed.server_max_window_bits
        farthest = 0
        for apart in (200, 400, 900, 1900, 3900, 7900, 15_900, 32_000, 40_000):
            piece = talk.random.randbytes(150)
            content = piece + talk.random.randbytes(apart - len(piece)) + piece
            await connection.echo(content, Opcode.BINARY)
            try:
                farthest = max([farthest, *distances(connection.last)])
            except ValueError as error:
                return failed(f"What it compressed is no DEFLATE: {error}.")
        await connection.close()
        if farthest > 1 << agreed:
            return failed(f"It agreed to 2^{agreed} octets, and went back {farthest:,}.")
        return ok(f"It agreed to 2^{agreed} octets, and went back {farthest:,} at most.")


for _bits in (8, 9, 10, 12, 15):
    _window(_bits)


@FAMILY.case(
    "What the server compresses.",
    "RSV1 is on the first fragment only, and the end of the last block (00 00 ff ff) is left away.",
    "RFC 7692 6.1",
    "RFC 7692 7.2.1",
)
async def frames(talk: Talk) -> Finding:
    connection = await Deflating.open(talk)
    compressed = 0
    for content in (TEXT, TEXT * 30, b"x" * 200_000):
        connection.last = b""
        await connection.echo(content)
        compressed += bool(connection.last)
        if connection.last.endswith(b"\0\0\xff\xff"):
            return failed("A compressed message ends with 00 00 ff ff, which has to be left away.")
    await connection.close()
    if not compressed:
        return informational("It agreed to compress, and compressed none of three messages, which it may.")
    return ok(f"{compressed} of 3 messages were compressed, and are right.")


@FAMILY.case(
    "The same text three times, with context takeover, where the server agreed to that.",
    "All can be inflated by a client that keeps its window.",
    "RFC 7692 7.1.1.1",
)
async def context_takeover(talk: Talk) -> Finding:
    connection = await Deflating.open(talk)
    for _ in range(3):
        await connection.echo(TEXT)
    await connection.close()
    return ok("All could be inflated.")


@FAMILY.case(
    "Empty messages, one of a single octet, and one that does not compress.",
    "All come back as they were sent, whether the server compresses them or not.",
    "RFC 7692 7.2.3.6",
)
async def hardly_worth_it(talk: Talk) -> Finding:
    connection = await Deflating.open(talk)
    for content in (b"", b"a", b"", talk.random.randbytes(5000), b"", b"\0"):
        await connection.echo(content, Opcode.BINARY)
    await connection.close()
    return ok("All came back.")


@FAMILY.case(
    "client_max_window_bits=9 was offered, so the client looks back 512 octets at most.",
    "Whatever window the server has for it, its messages come back.",
    "RFC 7692 7.1.2.2",
)
async def small_window_of_the_client(talk: Talk) -> Finding:
    connection = await Deflating.open(talk, "permessage-deflate; client_max_window_bits=9")
    compress = zlib.compressobj(6, zlib.DEFLATED, -9)
    for number in range(3):
        content = b"%d" % number + TEXT
        octets = (compress.compress(content) + compress.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")
        if connection.agreed.client_no_context_takeover:
            compress = zlib.compressobj(6, zlib.DEFLATED, -9)
        await connection.write(compressed_frame(octets))
        await connection.same(content)
    await connection.close()
    return ok("All came back.")
