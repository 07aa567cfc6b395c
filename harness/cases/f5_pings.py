"""F.5: pings and pongs (RFC 6455 5.5.2, 5.5.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from harness.cases.model import Opcode
from harness.cases.talk import ANSWER_S, Family, Finding, Talk, failed, informational, non_strict, ok, shown
from harness.engines.native.peer import Peer, frame

FAMILY = Family("F.5")
#: Between octets that are not to be read at once.
_APART_S = 0.01


async def _pong(talk: Talk, peer: Peer, content: bytes) -> Finding | None:
    """A pong with that content has to come; None if it does."""
    if await talk.waits(peer, lambda: content in peer.pongs or peer.refused) and content in peer.pongs:
        return None
    if peer.pongs:
        return failed(f"The pong has another content: {shown(peer.pongs[-1])}.")
    return failed("The connection was ended." if peer.refused else f"No pong came within {ANSWER_S:g} s.")


async def _one_after_the_other(talk: Talk, sizes: Sequence[int]) -> Finding:
    """Pings of these sizes, each when the one before has been answered."""
    peer = await talk.open()
    for size in sizes:
        content = talk.random.randbytes(size)
        await peer.write(frame(Opcode.PING, content))
        if (problem := await _pong(talk, peer, content)) is not None:
            return problem
        peer.pongs.clear()
    await talk.close(peer)
    return ok(f"{len(sizes)} pings were answered.")


@FAMILY.case(
    "A ping of each size from 0 to 125.", "Each is answered with its content.", "RFC 6455 5.5.2", "RFC 6455 5.5.3"
)
async def every_size(talk: Talk) -> Finding:
    return await _one_after_the_other(talk, range(126))


@FAMILY.case(
    "Ten pings in one write.",
    "The last one is answered at least, and no pong has another content than one of the pings.",
    "RFC 6455 5.5.3",
)
async def the_latest(talk: Talk) -> Finding:
    peer = await talk.open()
    contents = [f"ping {n}".encode() for n in range(10)]
    await peer.write(b"".join(frame(Opcode.PING, content) for content in contents))
    if (problem := await _pong(talk, peer, contents[-1])) is not None:
        return problem
    if strange := [pong for pong in peer.pongs if pong not in contents]:
        return failed(f"A pong has a content that no ping had: {shown(strange[0])}.")
    order = [contents.index(pong) for pong in peer.pongs]
    if order != sorted(order):
        return informational("The pongs came in another order than the pings.")
    await talk.close(peer)
    return ok(f"{len(order)} of 10 were answered, the last one among them.")


@FAMILY.case(
    "A ping between the fragments of a message, whose rest is sent after the pong.",
    "The pong does not wait for the end of the message.",
    "RFC 6455 5.4",
    "RFC 6455 5.5.2",
)
async def inside_a_message(talk: Talk) -> Finding:
    peer = await talk.open()
    await peer.write(frame(Opcode.TEXT, b"Hel", fin=False) + frame(Opcode.PING, b"ping"))
    at_once = await talk.waits(peer, lambda: b"ping" in peer.pongs or peer.refused, 2.0)
    await peer.write(frame(Opcode.CONTINUATION, b"lo"), until_refused=True)
    await talk.same(peer, b"Hello")
    if (problem := await _pong(talk, peer, b"ping")) is not None:
        return problem
    await talk.close(peer)
    return ok("It was answered at once.") if at_once else non_strict("The pong came after the message only.")


@FAMILY.case(
    "Pongs that nobody asked for.", "They are ignored, and a message behind them comes back.", "RFC 6455 5.5.3"
)
async def unsolicited(talk: Talk) -> Finding:
    peer = await talk.open()
    await peer.write(b"".join(frame(Opcode.PONG, b"x" * n) for n in (0, 1, 125)))
    await talk.echo(peer)
    if peer.pongs:
        return non_strict("It answered a pong with a pong.")
    await talk.close(peer)
    return ok("They were ignored.")


@FAMILY.case("A ping with octets that are no text.", "It is answered with its content.", "RFC 6455 5.5.2")
async def no_text(talk: Talk) -> Finding:
    peer = await talk.open()
    content = bytes(range(0x83, 0x100))
    await peer.write(frame(Opcode.PING, content))
    if (problem := await _pong(talk, peer, content)) is not None:
        return problem
    await talk.echo(peer)
    await talk.close(peer)
    return ok("It was answered.")


@FAMILY.case("A ping, and a message behind it, octet by octet.", "Both are answered.", "RFC 6455 5.5.2")
async def octet_by_octet(talk: Talk) -> Finding:
    peer = await talk.open()
    for octet in frame(Opcode.PING, b"ping") + frame(Opcode.TEXT, b"Hello"):
        await peer.write(bytes([octet]))
        await asyncio.sleep(_APART_S)
    await talk.same(peer, b"Hello")
    if (problem := await _pong(talk, peer, b"ping")) is not None:
        return problem
    await talk.close(peer)
    return ok("Both were answered.")


@FAMILY.case(
    "Pings of which each is shorter than the one before: 125, 60, 5 and 0 octets.",
    "Each is answered with its content, and with nothing of the one before.",
    "RFC 6455 5.5.3",
)
async def ever_shorter(talk: Talk) -> Finding:
    return await _one_after_the_other(talk, (125, 60, 5, 0))
