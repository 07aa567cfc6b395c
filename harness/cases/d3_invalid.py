"""D.3: compressed messages that are no DEFLATE, or no text (RFC 1951 3.2, RFC 7692 7.2.2)."""

from __future__ import annotations

from harness.cases.blocks import Writer
from harness.cases.compressed import HELLO, Compressor, Deflating, compressed_frame
from harness.cases.talk import Family, Finding, Talk, ended, failed, informational, non_strict, ok, shown

FAMILY = Family("D.3")


def _invalid(title: str, octets: bytes, *clauses: str) -> None:
    """What can't be inflated has no payload, so that the connection has to be failed; no RFC says with which code."""

    @FAMILY.case(title, "The server fails the connection, and does not answer the message.", *clauses)
    async def case(talk: Talk) -> Finding:
        connection = await Deflating.open(talk)
        peer = connection.peer
        await connection.write(compressed_frame(octets))
        await talk.waits(peer, lambda: peer.refused or bool(peer.messages), 2.0)
        if peer.messages:
            return failed(f"It was answered with {shown(peer.messages[0].payload)}.")
        if not peer.refused:
            return non_strict("It was neither answered nor was the connection failed.")
        return ok(f"It failed the connection {ended(peer)}.")


_invalid(
    "A block of the reserved kind (11).", Writer().number(0, 1).number(3, 2).number(0, 13).octets(), "RFC 1951 3.2.3"
)
_invalid(
    "A match that goes back farther than there is anything.",
    Writer().fixed().literals(b"Hel").match(9, 3).end().message(),
    "RFC 1951 3.2.3",
)
_invalid("A match at the very beginning.", Writer().fixed().match(1, 3).end().message(), "RFC 1951 3.2.3")
_invalid(
    "A stored block whose length is not that of its complement.",
    bytes.fromhex("000500fafe48656c6c6f00"),
    "RFC 1951 3.2.4",
)
_invalid("Octets that are no DEFLATE at all (all 0xff).", b"\xff" * 20, "RFC 1951 3.2.3")
_invalid("A plain 'Hello, Hello', said to be compressed.", b"Hello, Hello", "RFC 7692 7.2.2")
_invalid(
    "A block with codes of its own that are too many.",
    bytes([0x04, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
    "RFC 1951 3.2.7",
)


@FAMILY.case(
    "A compressed message that ends inside a block.",
    "The server does not answer with more than was there; it fails the connection.",
    "RFC 7692 7.2.2",
)
async def truncated(talk: Talk) -> Finding:
    connection = await Deflating.open(talk)
    peer = connection.peer
    octets = Compressor()(b"The quick brown fox jumps over the lazy dog. " * 3)
    await connection.write(compressed_frame(octets[: len(octets) // 2]))
    await talk.waits(peer, lambda: peer.refused or bool(peer.messages), 2.0)
    if peer.refused:
        return ok(f"It failed the connection {ended(peer)}.")
    # zlib takes it for a message that goes on in the next one, and no RFC says that somebody has to notice
    return informational("What there was came back." if peer.messages else "It was not answered.")


@FAMILY.case(
    "Garbage behind a block with BFINAL set.",
    "The server fails the connection, or leaves the garbage away: what comes back is the block's payload at most.",
    "RFC 7692 7.2.2",
    "RFC 1951 3.2.3",
)
async def garbage_behind(talk: Talk) -> Finding:
    connection = await Deflating.open(talk)
    peer = connection.peer
    await connection.write(compressed_frame(bytes.fromhex("f348cdc9c9070000") + b"\xff\xff\xff\xff"))
    await talk.waits(peer, lambda: peer.refused or bool(peer.messages), 2.0)
    if peer.messages:
        await connection.same(b"Hello")
        return informational("The garbage was left away.")
    return ok(f"It failed the connection {ended(peer)}.") if peer.refused else non_strict("It was not answered.")


def _no_text(title: str, payload: bytes) -> None:
    @FAMILY.case(title, "The server fails the connection (1007).", "RFC 6455 8.1", "RFC 7692 6.2")
    async def case(talk: Talk) -> Finding:
        connection = await Deflating.open(talk)
        await connection.write(compressed_frame(Compressor()(payload)))
        return await talk.fails(connection.peer, (1007,))


_no_text("A compressed text message that is not UTF-8.", b"a\xffz")
_no_text("A compressed text message that ends inside a character.", b"a\xe2\x82")
_no_text("A compressed text message with a surrogate.", b"a\xed\xa0\x80z")


@FAMILY.case(
    "A good message, then one that can't be inflated, in one write.",
    "The good one may come back; nothing else does.",
    "RFC 7692 7.2.2",
)
async def good_before_bad(talk: Talk) -> Finding:
    connection = await Deflating.open(talk)
    peer = connection.peer
    await connection.write(compressed_frame(HELLO) + compressed_frame(b"\xff" * 20) + compressed_frame(HELLO))
    await talk.waits(peer, lambda: peer.refused or len(peer.messages) > 1, 2.0)
    if len(peer.messages) > 1:
        return failed("What stood behind the bad message was answered.")
    return ok(f"It failed the connection {ended(peer)}.") if peer.refused else non_strict("The connection goes on.")
