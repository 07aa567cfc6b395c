"""D.1: compressed messages and their frames (RFC 7692 6)."""

from __future__ import annotations

from harness.cases.compressed import (
    HELLO,
    RSV1,
    TEXT,
    Compressor,
    Deflating,
    compressed_fragments,
    compressed_frame,
)
from harness.cases.model import Opcode
from harness.cases.octets import fragmented
from harness.cases.talk import Family, Finding, Talk, failed, informational, ok
from harness.engines.native.peer import close_payload, frame

FAMILY = Family("D.1")
_FAILS = "The server fails the connection (1002)."
_BACK = "It comes back, compressed or not."


@FAMILY.case("The compressed 'Hello' of RFC 7692 7.2.3.1.", _BACK, "RFC 7692 7.2.2", "RFC 7692 7.2.3.1")
async def hello(talk: Talk) -> Finding:
    connection = await Deflating.open(talk)
    await connection.write(compressed_frame(HELLO))
    await connection.same(b"Hello")
    await connection.close()
    return ok("It came back.")


@FAMILY.case(
    "The same in two fragments, cut at each octet in turn.", "Each comes back.", "RFC 7692 6.1", "RFC 7692 7.2.3.1"
)
async def cut_at_each_octet(talk: Talk) -> Finding:
    connection = await Deflating.open(talk)
    for cut in range(len(HELLO) + 1):
        await connection.write(compressed_fragments(Opcode.TEXT, [HELLO[:cut], HELLO[cut:]]))
        await connection.same(b"Hello")
    await connection.close()
    return ok(f"It came back {len(HELLO) + 1} times.")


@FAMILY.case("A compressed text in fragments of one octet, pings between them.", _BACK, "RFC 7692 6.1", "RFC 6455 5.4")
async def one_octet_each(talk: Talk) -> Finding:
    connection = await Deflating.open(talk)
    octets = connection.compress(TEXT)
    whole = compressed_fragments(Opcode.TEXT, [bytes([octet]) for octet in octets])
    middle = 7 * (len(octets) // 2)  # each of these frames has 7 octets
    await connection.write(whole[:middle] + frame(Opcode.PING, b"between") + whole[middle:])
    await connection.same(TEXT)
    peer = connection.peer
    await talk.waits(peer, lambda: b"between" in peer.pongs or peer.refused)
    if b"between" not in peer.pongs:
        return failed("The ping was not answered.")
    await connection.close()
    return ok("It came back.")


@FAMILY.case("A compressed message with empty fragments before, between and behind.", _BACK, "RFC 7692 6.1")
async def empty_fragments(talk: Talk) -> Finding:
    connection = await Deflating.open(talk)
    await connection.write(compressed_fragments(Opcode.TEXT, [b"", HELLO[:3], b"", HELLO[3:], b""]))
    await connection.same(b"Hello")
    await connection.close()
    return ok("It came back.")


@FAMILY.case(
    "Messages that are not compressed between some that are.",
    "All come back: RSV1 says of each whether it is compressed.",
    "RFC 7692 6",
)
async def not_compressed_between(talk: Talk) -> Finding:
    connection = await Deflating.open(talk)
    for number in range(6):
        content = TEXT[: 100 * (number + 1)]
        if number % 2:
            await connection.write(frame(Opcode.TEXT, content))
            await connection.same(content)
        else:
            await connection.echo(content)
    await connection.close()
    return ok("All came back.")


@FAMILY.case("A compressed empty message (0x00).", _BACK, "RFC 7692 7.2.3.6")
async def empty(talk: Talk) -> Finding:
    connection = await Deflating.open(talk)
    for opcode in (Opcode.TEXT, Opcode.BINARY):
        await connection.write(compressed_frame(b"\0", opcode))
        await connection.same(b"", opcode)
    await connection.echo(b"Hello")
    await connection.close()
    return ok("It came back, as text and as binary.")


@FAMILY.case(
    "A compressed message without an octet, which no compressor makes.",
    "It is open what it means: it is empty, or no DEFLATE.",
    "RFC 7692 7.2.2",
)
async def no_octet(talk: Talk) -> Finding:
    connection = await Deflating.open(talk)
    await connection.write(compressed_frame(b""))
    await talk.waits(connection.peer, lambda: connection.peer.refused or bool(connection.peer.messages), 1.0)
    if connection.peer.messages:
        return informational("It was taken for an empty message.")
    return informational("The connection was failed." if connection.peer.refused else "It was not answered.")


def _misplaced(title: str, octets: bytes, *clauses: str) -> None:
    @FAMILY.case(title, _FAILS, *clauses)
    async def case(talk: Talk) -> Finding:
        connection = await Deflating.open(talk)
        await connection.write(octets)
        return await talk.fails(connection.peer)


_first = frame(Opcode.TEXT, HELLO[:3], fin=False, rsv=RSV1)
_misplaced(
    "RSV1 on the second fragment of a compressed message.",
    _first + frame(Opcode.CONTINUATION, HELLO[3:], rsv=RSV1),
    "RFC 7692 6.1",
)
_misplaced(
    "RSV1 on the second fragment of a message that is not compressed.",
    frame(Opcode.TEXT, b"Hel", fin=False) + frame(Opcode.CONTINUATION, b"lo", rsv=RSV1),
    "RFC 7692 6.1",
)
_misplaced("RSV1 on a ping.", frame(Opcode.PING, HELLO, rsv=RSV1) + frame(Opcode.TEXT, b"after it"), "RFC 7692 6.1")
_misplaced("RSV1 on a pong.", frame(Opcode.PONG, HELLO, rsv=RSV1) + frame(Opcode.TEXT, b"after it"), "RFC 7692 6.1")
_misplaced("RSV1 on a close frame.", frame(Opcode.CLOSE, close_payload(1000), rsv=RSV1), "RFC 7692 6.1")
_misplaced("RSV2 on a compressed message.", frame(Opcode.TEXT, HELLO, rsv=RSV1 | 2), "RFC 6455 5.2")


@FAMILY.case("RSV1 on a message, on a connection where no extension was offered.", _FAILS, "RFC 6455 5.2", "RFC 7692 6")
async def not_negotiated(talk: Talk) -> Finding:
    peer = await talk.open()
    await peer.write(compressed_frame(HELLO), until_refused=True)
    return await talk.fails(peer)


@FAMILY.case(
    "Messages in fragments, in turn compressed and not.",
    "All come back: RSV1 of the first fragment says of each whether it is compressed.",
    "RFC 7692 6",
    "RFC 7692 6.1",
)
async def fragments_in_turn(talk: Talk) -> Finding:
    connection = await Deflating.open(talk)
    for number in range(6):
        content = TEXT[: 50 * (number + 1)]
        octets, rsv = (content, 0) if number % 2 else (connection.compress(content), RSV1)
        middle = len(octets) // 2
        await connection.write(b"".join(fragmented(Opcode.TEXT, [octets[:middle], octets[middle:]], rsv=rsv)))
        await connection.same(content)
    await connection.close()
    return ok("All came back.")


@FAMILY.case(
    "Compressed text of characters of one to four octets, in fragments of one octet, stored blocks and others.",
    _BACK,
    "RFC 7692 6.1",
    "RFC 6455 5.6",
)
async def characters_in_fragments(talk: Talk) -> Finding:
    connection = await Deflating.open(talk)
    text = "a\u00e9\u20ac\U0001f600z".encode() * 3
    for level in (0, 6):
        octets = Compressor(level=level)(text)
        await connection.write(compressed_fragments(Opcode.TEXT, [bytes([octet]) for octet in octets]))
        await connection.same(text)
    await connection.close()
    return ok("It came back twice.")
