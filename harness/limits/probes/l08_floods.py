"""Floods: more than a server can answer, from peers that do not read what it answers."""

from __future__ import annotations

from harness.cases.model import Opcode
from harness.limits.judge import ENFORCED, NOT_ENFORCED, PATIENCE_S, refusal_in_words
from harness.limits.model import KIB, MIB, Attempt, Family, Finding
from harness.limits.peer import frame, header, masked_payload, payload

FAMILY = Family(8, "Floods")
_COUNT = 100_000
_BURST = 1000
#: What two kernels may hold of a stalled connection counts for a container; a queue of ours would be larger.
_BOUND = 16 * MIB
_STALL_S = 2.0


async def _flood(attempt: Attempt, burst: bytes, times: int, *, reads: bool) -> Finding:
    """Write bursts; where they find no room any more the server has stopped reading, which bounds what it holds."""
    peer = await attempt.open(receive_buffer=None if reads else 64 * KIB)
    attempt.shown = peer
    peer.answers_pings = False
    if not reads:
        peer.stop_reading()
    done = 0
    while done < times and await peer.write(burst, _STALL_S):
        done += 1
    attempt.figures["octets that it took"] = peer.sent
    if done < times:
        how = "stopped reading" if not peer.broken else "ended the connection"
        return Finding(ENFORCED, f"It {how} after {peer.sent:,} octets.")
    if reads:
        await peer.refusal(0.5)
        how = f", then refused {refusal_in_words(peer)}" if peer.refused else ""
        return Finding(ENFORCED, f"It took all {peer.sent:,} octets{how}.")
    return Finding(ENFORCED, f"It took all {peer.sent:,} octets.")


@FAMILY.probe(
    f"{_COUNT:,} pings of 125 octets, by a peer that reads no pong.",
    "The server stops reading, gives up the connection, or leaves pongs out (RFC 6455 5.5.3): memory does not grow by "
    "more than 16 MiB.",
    alone=True,
    memory=_BOUND,
    clauses=("RFC 6455 5.5.3", "RFC 6455 10.4"),
)
async def pings(attempt: Attempt) -> Finding:
    return await _flood(attempt, frame(Opcode.PING, b"p" * 125) * _BURST, _COUNT // _BURST, reads=False)


@FAMILY.probe(
    f"{_COUNT:,} pongs of 125 octets that nobody asked for.",
    "They are ignored or the connection is ended: memory does not grow by more than 16 MiB.",
    alone=True,
    memory=_BOUND,
    clauses=("RFC 6455 5.5.3", "RFC 6455 10.4"),
)
async def pongs(attempt: Attempt) -> Finding:
    return await _flood(attempt, frame(Opcode.PONG, b"p" * 125) * _BURST, _COUNT // _BURST, reads=True)


@FAMILY.probe(
    "96 MiB of messages of 64 KiB, by a peer that reads no echo.",
    "The server stops reading (back-pressure) or gives up the connection: memory does not grow by more than 32 MiB.",
    alone=True,
    memory=32 * MIB,
)
async def unread_echoes(attempt: Attempt) -> Finding:
    message = header(Opcode.BINARY, 64 * KIB) + masked_payload(64 * KIB)
    return await _flood(attempt, message * 16, 96, reads=False)


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
