"""F.1: masking (RFC 6455 5.1, 5.3)."""

from __future__ import annotations

from harness.cases.model import Opcode
from harness.cases.octets import keyed, unmasked
from harness.cases.talk import Family, Finding, Talk, failed, ok
from harness.engines.native.frames import mask
from harness.engines.native.peer import close_payload, frame

FAMILY = Family("F.1")
_FAILS = "The server closes the connection; where it sends a close frame, with 1002."
_ECHOED = "It comes back as it was sent."


def _unmasked(title: str, octets: bytes) -> None:
    @FAMILY.case(title, _FAILS, "RFC 6455 5.1")
    async def case(talk: Talk) -> Finding:
        peer = await talk.open()
        await peer.write(octets, until_refused=True)
        return await talk.fails(peer, what="It took a frame that is not masked")


_unmasked("A text frame that is not masked.", unmasked(Opcode.TEXT, b"Hello"))
_unmasked("A binary frame that is not masked.", unmasked(Opcode.BINARY, b"\x01\x02\x03"))
_unmasked("An empty text frame that is not masked.", unmasked(Opcode.TEXT))
_unmasked("A ping that is not masked.", unmasked(Opcode.PING, b"Hello") + frame(Opcode.TEXT, b"after it"))
_unmasked("A pong that is not masked.", unmasked(Opcode.PONG, b"Hello") + frame(Opcode.TEXT, b"after it"))
_unmasked(
    "The second fragment of a message is not masked.",
    frame(Opcode.TEXT, b"Hel", fin=False) + unmasked(Opcode.CONTINUATION, b"lo"),
)


@FAMILY.case("A close frame that is not masked.", _FAILS, "RFC 6455 5.1")
async def close_frame(talk: Talk) -> Finding:
    peer = await talk.open()
    await peer.write(unmasked(Opcode.CLOSE, close_payload(1000)), until_refused=True)
    # whether it was taken for a right one or failed: the connection ends, and with 1000 nobody can tell why
    return await talk.fails(peer, (1000, 1002), what="It took a close frame that is not masked")


def _echoes(title: str, keys: tuple[bytes, ...]) -> None:
    @FAMILY.case(title, _ECHOED, "RFC 6455 5.3")
    async def case(talk: Talk) -> Finding:
        peer = await talk.open()
        for number, key in enumerate(keys):
            content = f"message {number}".encode()
            await peer.write(keyed(Opcode.TEXT, content, key))
            await talk.same(peer, content)
        await talk.close(peer)
        return ok("It came back.")


_echoes("The masking key 0x00000000.", (b"\0\0\0\0",))
_echoes("The masking key 0xffffffff.", (b"\xff\xff\xff\xff",))
_echoes(
    "The same masking key three times, then others.", (b"abcd", b"abcd", b"abcd", b"dcba", b"\0\0\0\1", b"\1\0\0\0")
)


@FAMILY.case("Every fragment of a message with a key of its own.", _ECHOED, "RFC 6455 5.3", "RFC 6455 5.4")
async def key_for_each_fragment(talk: Talk) -> Finding:
    peer = await talk.open()
    parts = [talk.random.randbytes(size) for size in (3, 5, 0, 7, 4, 1, 9)]
    for number, part in enumerate(parts):
        opcode = Opcode.CONTINUATION if number else Opcode.BINARY
        await peer.write(keyed(opcode, part, talk.random.randbytes(4), fin=number == len(parts) - 1))
    await talk.same(peer, b"".join(parts), Opcode.BINARY)
    await talk.close(peer)
    return ok("It came back.")


@FAMILY.case("Messages of 0 to 130 octets, each with another key.", "Each comes back as it was sent.", "RFC 6455 5.3")
async def every_small_size(talk: Talk) -> Finding:
    peer = await talk.open()
    for size in range(131):
        content = talk.random.randbytes(size)
        await peer.write(keyed(Opcode.BINARY, content, talk.random.randbytes(4)))
        await talk.same(peer, content, Opcode.BINARY)
    await talk.close(peer)
    return ok("131 messages came back.")


@FAMILY.case(
    "A message of 40 octets that arrives in two pieces, cut at each of its octets in turn.",
    "Each comes back as it was sent.",
    "RFC 6455 5.3",
)
async def cut_at_every_octet(talk: Talk) -> Finding:
    peer = await talk.open()
    content = talk.random.randbytes(40)
    octets = frame(Opcode.BINARY, content)
    for cut in range(1, len(octets)):
        await peer.write(octets[:cut])
        await peer.drained(1.0)  # so that both are not read at once
        await peer.write(octets[cut:])
        await talk.same(peer, content, Opcode.BINARY)
    await talk.close(peer)
    return ok(f"It came back {len(octets) - 1} times.")


@FAMILY.case(
    "A payload that looks like a frame once it is masked, and one that does so before.",
    "Both come back as they were sent.",
    "RFC 6455 5.3",
)
async def payload_like_a_frame(talk: Talk) -> Finding:
    peer = await talk.open()
    for content in (unmasked(Opcode.CLOSE, close_payload(1000)), mask(frame(Opcode.CLOSE), b"\x37\xfa\x21\x3d")):
        await talk.echo(peer, content, Opcode.BINARY)
    await talk.close(peer)
    return ok("Both came back.")


@FAMILY.case("What the server sends: a message, a pong, and a close frame.", "None of it is masked.", "RFC 6455 5.1")
async def server_does_not_mask(talk: Talk) -> Finding:
    peer = await talk.open()
    await talk.echo(peer)
    await peer.write(frame(Opcode.PING, b"ping"))
    await peer.pong(5, b"ping")
    await talk.close(peer)
    masked = [rule for rule in peer.broken_rules if "masked" in rule]
    return failed("It masks what it sends.") if masked else ok("None of it was masked.")
