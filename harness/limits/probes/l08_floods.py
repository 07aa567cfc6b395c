"""Floods: more than a server can answer, from peers that do not read what it answers."""

from __future__ import annotations

import asyncio

from harness.cases.model import Opcode
from harness.engines.native.peer import Peer, frame, header, masked_payload, payload
from harness.limits.judge import ENFORCED, NOT_ENFORCED, PATIENCE_S, Growth, refusal_in_words
from harness.limits.model import KIB, Attempt, Family, Finding

FAMILY = Family(8, "Floods")
_COUNT = 34_000
_BURST = 1000
_STALL_S = 2.0
#: How often it is looked at, in seconds; the share of them in which it is at work, on a machine where others are, too;
#: and how long that may last.
_LOOK_S = 0.5
_AT_WORK = 0.05
_MOST_S = 30.0
#: Waves that a peer sends in any case that does not read: the kernels hold some ten megabytes of the answers.
_LEAST_UNREAD = 8


async def _flood(attempt: Attempt, burst: bytes, bursts: int, *, reads: bool) -> Finding:
    """Waves of bursts; where they find no room any more the server has stopped reading, which bounds what it holds."""
    peer = await attempt.open(receive_buffer=None if reads else 64 * KIB)
    attempt.shown = peer
    peer.answers_pings = False
    if not reads:
        peer.stop_reading()
    growth, began = Growth(len(burst) * bursts, Growth.LEAST if reads else _LEAST_UNREAD), attempt.cost()
    patience = _STALL_S
    while growth.is_unclear:
        for _ in range(bursts):
            if not await _takes(attempt, peer, burst, patience):
                attempt.figures["octets that it took"] = peer.sent
                how = "stopped reading" if not peer.broken else "ended the connection"
                return Finding(ENFORCED, f"It {how} after {peer.sent:,} octets.")
        growth.add(await _memory(attempt, peer, reads=reads), attempt.cost() - began)
        if growth.is_kept:
            patience = PATIENCE_S  # it has not stopped reading for good when it is busy with what it keeps
    attempt.figures["octets that it took"] = peer.sent
    words = f"It took all {peer.sent:,} octets."
    if growth.is_kept:
        return Finding(NOT_ENFORCED, f"{words} {growth.words}")
    if reads and await peer.refusal(0.5):
        words += f" Then it refused {refusal_in_words(peer)}."
    return Finding(ENFORCED, f"{words} What came was not kept.")


async def _takes(attempt: Attempt, peer: Peer, burst: bytes, patience: float) -> bool:
    """Whether it takes a burst; not if it took nothing of it for so many seconds, in which it did nothing either.

    A server that has read all that came has not stopped reading: then the kernels have stopped talking. Linux drops
    what does not fit into our full receive buffer together with the acknowledgement in it, and we send no more until
    another comes. Some room in our buffer ends this.
    """
    writing = asyncio.create_task(peer.write(burst, _MOST_S))
    try:
        quiet = 0.0
        while quiet < patience:
            sent, worked = peer.sent, attempt.cost()
            done, _ = await asyncio.wait({writing}, timeout=_LOOK_S)
            if done:
                return writing.result()
            if peer.sent > sent or (attempt.meter is not None and attempt.cost() - worked > _AT_WORK * _LOOK_S):
                quiet = 0.0
            elif attempt.unread(peer) == 0:
                peer.skip()
            else:
                quiet += _LOOK_S
        return False
    finally:
        writing.cancel()


async def _memory(attempt: Attempt, peer: Peer, *, reads: bool) -> int:
    """The server's memory once it has dealt with what was written, as far as that can be known: an echo tells."""
    if not reads or not await peer.echo(b"done with it?"):
        await peer.drained(2)
        await asyncio.sleep(0.1)
    return attempt.memory()


_GROWTH = "memory does not go on growing with what comes."


@FAMILY.probe(
    f"Eight times {_COUNT:,} pings of 125 octets, and more where they seem to be kept, by a peer that reads no pong.",
    f"The server stops reading, gives up the connection, or leaves pongs out (RFC 6455 5.5.3): {_GROWTH}",
    alone=True,
    weighs=True,
    clauses=("RFC 6455 5.5.3", "RFC 6455 10.4"),
)
async def pings(attempt: Attempt) -> Finding:
    return await _flood(attempt, frame(Opcode.PING, b"p" * 125) * _BURST, _COUNT // _BURST, reads=False)


@FAMILY.probe(
    f"Three times {_COUNT:,} pongs of 125 octets that nobody asked for, and more where they seem to be kept.",
    f"They are ignored or the connection is ended: {_GROWTH}",
    alone=True,
    weighs=True,
    clauses=("RFC 6455 5.5.3", "RFC 6455 10.4"),
)
async def pongs(attempt: Attempt) -> Finding:
    return await _flood(attempt, frame(Opcode.PONG, b"p" * 125) * _BURST, _COUNT // _BURST, reads=True)


@FAMILY.probe(
    "Eight times 6 MiB in messages of 64 KiB, and more where they seem to be kept, by a peer that reads no echo.",
    f"The server stops reading (back-pressure) or gives up the connection: {_GROWTH}",
    alone=True,
    weighs=True,
)
async def unread_echoes(attempt: Attempt) -> Finding:
    message = header(Opcode.BINARY, 64 * KIB) + masked_payload(64 * KIB)
    return await _flood(attempt, message * 16, 6, reads=False)


@FAMILY.probe(
    "1,000 messages in one write.",
    "All are echoed, in order.",
    alone=True,
    clauses=("RFC 6455 5.4", "RFC 6455 10.4"),
)
async def pipelined(attempt: Attempt) -> Finding:
    peer = await attempt.open()
    attempt.shown = peer
    sent = [payload(20 + number % 7) + str(number).encode() for number in range(1000)]
    await peer.write(b"".join(frame(Opcode.BINARY, content) for content in sent))
    await peer.until(lambda: len(peer.messages) >= len(sent) or peer.refused, PATIENCE_S)
    came = [message.payload for message in peer.messages]
    if came == sent:
        return Finding(ENFORCED, "1,000 messages were echoed in order.")
    first = next((n for n, (a, b) in enumerate(zip(sent, came, strict=False)) if a != b), len(came))
    if len(came) < len(sent) and first == len(came):
        how = f", then it refused {refusal_in_words(peer)}" if peer.refused else ""
        return Finding(NOT_ENFORCED, f"{len(came)} of 1,000 messages were echoed{how}.", doubtful=not peer.refused)
    return Finding(NOT_ENFORCED, f"Message {first + 1} of 1,000 came back wrong or out of order.")
