"""F.3: messages: their order, their kind, their fragments (RFC 6455 5.4, 5.6, 6)."""

from __future__ import annotations

from harness.cases.model import Opcode
from harness.cases.octets import fragmented, in_fragments_of
from harness.cases.talk import ANSWER_S, Family, Finding, Over, Talk, failed, informational, ok
from harness.engines.native.peer import frame

FAMILY = Family("F.3")
_ALL = "All come back, each as it was sent, in the order in which they were sent."
_MIB = 1 << 20


async def _all_back(talk: Talk, messages: list[tuple[Opcode, bytes]], *, in_one_write: bool) -> Finding:
    peer = await talk.open()
    octets = [frame(opcode, content) for opcode, content in messages]
    for piece in [b"".join(octets)] if in_one_write else octets:
        await peer.write(piece, until_refused=True)
    for opcode, content in messages:
        await talk.same(peer, content, opcode)
    await talk.close(peer)
    return ok(f"{len(messages):,} messages came back.")


@FAMILY.case("1,000 text messages without waiting for an answer.", _ALL, "RFC 6455 6.1", "RFC 6455 6.2")
async def pipelined(talk: Talk) -> Finding:
    return await _all_back(talk, [(Opcode.TEXT, f"message {n}".encode()) for n in range(1000)], in_one_write=False)


@FAMILY.case("200 messages in one write.", _ALL, "RFC 6455 6.2")
async def in_one_segment(talk: Talk) -> Finding:
    return await _all_back(talk, [(Opcode.TEXT, f"{n}".encode()) for n in range(200)], in_one_write=True)


@FAMILY.case("100 text and binary messages in turn, some empty, in one write.", _ALL, "RFC 6455 5.6")
async def both_kinds(talk: Talk) -> Finding:
    kinds = [Opcode.TEXT, Opcode.BINARY]
    return await _all_back(talk, [(kinds[n % 2], b"x" * (n % 5)) for n in range(100)], in_one_write=True)


@FAMILY.case("A message of 1 MiB, and 20 short ones behind it.", _ALL, "RFC 6455 6.1", bulk=True)
async def short_behind_long(talk: Talk) -> Finding:
    messages = [(Opcode.BINARY, talk.random.randbytes(_MIB)), *((Opcode.TEXT, f"{n}".encode()) for n in range(20))]
    return await _all_back(talk, messages, in_one_write=False)


@FAMILY.case("Octets that are no text in a binary message.", "They come back as binary.", "RFC 6455 5.6")
async def binary_is_not_text(talk: Talk) -> Finding:
    peer = await talk.open()
    await talk.echo(peer, bytes(range(256)), Opcode.BINARY)
    await talk.close(peer)
    return ok("They came back.")


def _fragments(title: str, opcode: Opcode, parts: list[bytes]) -> None:
    @FAMILY.case(title, "It comes back as one message.", "RFC 6455 5.4")
    async def case(talk: Talk) -> Finding:
        peer = await talk.open()
        await peer.write(b"".join(fragmented(opcode, parts)), until_refused=True)
        await talk.same(peer, b"".join(parts), opcode)
        await talk.close(peer)
        return ok("It came back.")


_fragments("A message whose first fragment is empty.", Opcode.TEXT, [b"", b"Hello"])
_fragments("A message whose last fragment is empty.", Opcode.BINARY, [b"Hello", b""])
_fragments("A message of empty fragments.", Opcode.TEXT, [b""] * 20)
_fragments("A message of one octet in each fragment.", Opcode.BINARY, [bytes([n]) for n in range(256)])
_fragments("Fragments of 0 to 130 octets, in turn.", Opcode.BINARY, [bytes([n]) * n for n in range(131)])
_fragments(
    "Fragments of 125, 126, 65,535 and 65,536 octets.", Opcode.BINARY, [b"x" * n for n in (125, 126, 65535, 65536)]
)


@FAMILY.case("1 MiB of random octets in fragments of 300 (3,496 of them).", "It comes back.", "RFC 6455 5.4", bulk=True)
async def many_fragments(talk: Talk) -> Finding:
    peer = await talk.open()
    content = talk.random.randbytes(_MIB)
    await peer.write(in_fragments_of(Opcode.BINARY, content, 300), until_refused=True)
    await talk.same(peer, content, Opcode.BINARY)
    await talk.close(peer)
    return ok("It came back.")


@FAMILY.case(
    "Fifty fragmented messages, a ping between all fragments.",
    "All messages come back, and a pong for the last ping at least.",
    "RFC 6455 5.4",
    "RFC 6455 5.5.2",
)
async def pings_between_fragments(talk: Talk) -> Finding:
    peer = await talk.open()
    for number in range(50):
        first, second = fragmented(Opcode.TEXT, [f"first {number}, ".encode(), b"second"])
        await peer.write(first + frame(Opcode.PING, f"ping {number}".encode()) + second, until_refused=True)
    for number in range(50):
        await talk.same(peer, f"first {number}, second".encode())
    if not await talk.waits(peer, lambda: b"ping 49" in peer.pongs or peer.refused):
        return failed("The last ping was not answered.")
    await talk.close(peer)
    return ok("All came back.")


@FAMILY.case(
    "What the server sends, for a message of 1 MiB.",
    "Its frames are right: no reserved bits, no fragment out of place, the opcode on the first one only.",
    "RFC 6455 5.2",
    "RFC 6455 5.4",
    bulk=True,
)
async def server_s_frames(talk: Talk) -> Finding:
    peer = await talk.open()
    await talk.echo(peer, talk.random.randbytes(_MIB), Opcode.BINARY)
    await talk.echo(peer, b"x" * 100_000)
    await talk.close(peer)
    return failed(f"It sends {peer.broken_rules[0]}.") if peer.broken_rules else ok("They are right.")


@FAMILY.case(
    "Two connections, a message in two fragments on each, the fragments in turn, a ping behind each.",
    "Each message comes back on its own connection, whole.",
    "RFC 6455 5.4",
)
async def on_two_connections(talk: Talk) -> Finding:
    first = await talk.open()
    try:
        peers = [first, await talk.open()]
    except Over:
        return informational("A second connection was not accepted beside the first.")
    messages = ([b"first, ", b"to the end"], [b"second, ", b"no less"])
    halves = [list(fragmented(Opcode.TEXT, parts)) for parts in messages]
    for half in range(2):
        for peer, frames in zip(peers, halves, strict=True):
            await peer.write(frames[half] + frame(Opcode.PING, b"%d" % half))
            await peer.pong(ANSWER_S, b"%d" % half)  # so that it was read before the next is sent
    for peer, parts in zip(peers, messages, strict=True):
        await talk.same(peer, b"".join(parts))
        await talk.close(peer)
    return ok("Both came back.")
