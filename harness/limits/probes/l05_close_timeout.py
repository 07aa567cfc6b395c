"""Close timeout: how long a server waits for a peer that does not end its part of the closing handshake."""

from __future__ import annotations

import asyncio

from harness.cases.model import Opcode
from harness.engines.native.peer import Peer, close_payload, frame
from harness.limits.judge import ENFORCED, NOT_ENFORCED, PATIENCE_S, judge_time, latest
from harness.limits.model import Attempt, Family, Finding
from harness.limits.settings import Settings

FAMILY = Family(5, "Close timeout")
_SETTINGS: Settings = {"close_timeout": 2}
_CLAUSES = ("RFC 6455 7.1.1", "RFC 6455 7.1.7")
_AT_ONCE_S = 0.4  # two writes: the first is answered with a reset, which the second one is told of
_RESERVED = 3  # an opcode that RFC 6455 5.2 reserves


async def _make_it_close(attempt: Attempt) -> Peer | Finding:
    """Have the server begin to close: a reserved opcode fails the connection (RFC 6455 5.2, 7.1.7)."""
    peer = await attempt.open()
    attempt.shown = peer
    await peer.write(frame(_RESERVED, b"?"))
    if not await peer.refusal(PATIENCE_S):
        return Finding(NOT_ENFORCED, "A reserved opcode did not make it close, so that nothing could be timed.")
    return peer


async def _gone(peer: Peer, since: float, seconds: float) -> float | None:
    """When the server had closed its socket, which only a write can tell after the end of its stream; or None."""
    loop = asyncio.get_running_loop()
    while loop.time() - since < seconds:
        await peer.write(frame(Opcode.BINARY, b"."), 0.1)
        if peer.broken:
            return loop.time()
        await asyncio.sleep(0.05)
    return None


@FAMILY.probe(
    "A frame with a reserved opcode, and no answer to the close frame that follows; nothing else.",
    "The server ends the connection at the close timeout, or at once.",
    limit="close_timeout",
    settings=_SETTINGS,
    clauses=_CLAUSES,
)
async def no_answer(attempt: Attempt) -> Finding:
    peer = await _make_it_close(attempt)
    if isinstance(peer, Finding):
        return peer
    since = peer.refused_at or 0.0
    attempt.excess_over(attempt.limit)
    await peer.end(latest(attempt.limit))
    how = peer.ended or ""
    found = judge_time(attempt, since, peer.ended_at, what="It waited", how=how, least=0)
    if found.verdict is not ENFORCED or how == "reset":
        return found
    # the end of its stream may be half of the end only: later than the limit allows it must not take anything
    await asyncio.sleep(max(0.0, since + 1.5 * attempt.limit + 0.5 - asyncio.get_running_loop().time()))
    asked = asyncio.get_running_loop().time()
    gone = await _gone(peer, since, latest(attempt.limit))
    if gone is not None and gone - asked < _AT_ONCE_S:
        return found
    attempt.seconds.clear()
    return judge_time(attempt, since, gone, what="It ended its stream but took octets", how="its socket", least=0)


@FAMILY.probe(
    "A frame with a reserved opcode, then data frames behind the server's close frame, on and on.",
    "The server closes its socket at the close timeout, or at once, whatever comes.",
    limit="close_timeout",
    settings=_SETTINGS,
    clauses=_CLAUSES,
)
async def goes_on_sending(attempt: Attempt) -> Finding:
    peer = await _make_it_close(attempt)
    if isinstance(peer, Finding):
        return peer
    since = peer.refused_at or 0.0
    attempt.excess_over(attempt.limit)
    gone = await _gone(peer, since, latest(attempt.limit))
    return judge_time(attempt, since, gone, what="It took frames", how=peer.ended or "its socket was closed", least=0)


@FAMILY.probe(
    "A close frame; the answer comes, and TCP is left open.",
    "The server closes TCP at once or at the close timeout (it is the one who does so first).",
    limit="close_timeout",
    settings=_SETTINGS,
    clauses=_CLAUSES,
)
async def never_closes_tcp(attempt: Attempt) -> Finding:
    peer = await attempt.open()
    await peer.write(frame(Opcode.CLOSE, close_payload(1000)))
    if not await peer.refusal(PATIENCE_S):
        return Finding(NOT_ENFORCED, "Its answer to a close frame did not come.", doubtful=True)
    since = peer.refused_at or 0.0
    attempt.excess_over(attempt.limit)
    await peer.end(latest(attempt.limit))
    return judge_time(attempt, since, peer.ended_at, what="It held TCP", how=peer.ended or "", least=0)
