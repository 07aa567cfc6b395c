"""What several families judge by: an echo that has to come, a refusal that has to, a cut that is due at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

from harness.cases.model import Opcode
from harness.engines.native.peer import Peer, frame, header, masked_payload, payload
from harness.limits.model import KIB, MIB, ROOM, Attempt, Finding
from harness.results import ProbeVerdict

ENFORCED, LATE, WRONG_CODE, NOT_ENFORCED = (
    ProbeVerdict.ENFORCED,
    ProbeVerdict.LATE,
    ProbeVerdict.WRONG_CODE,
    ProbeVerdict.NOT_ENFORCED,
)
#: RFC 6455 7.4.1: "too big for it to process".
TOO_BIG = frozenset({1009})
#: How long a server has for an answer that it should give at once; much, for the machine may be busy.
PATIENCE_S = 10.0
#: How long a server is waited for that may want more octets before it refuses.
HESITATION_S = 1.5
#: Processor time after which a server is sent no more than has to be, in seconds: some would work for minutes.
LONG_S = 5.0
#: A cost that is worth a verdict.
_MATTERS_S = 0.3
#: Taken in beyond the limit without being called late: what servers read at once, and what both kernels hold.
READ_AHEAD = 256 * KIB


def refusal_in_words(peer: Peer) -> str:
    """`close 1009`, and that it is no code where there is none."""
    how = peer.how_refused()
    return {"end of stream": "by ending the stream without a close frame", "reset": "by a TCP reset"}.get(
        how, f"by {how}"
    )


async def accepts(attempt: Attempt, size: int, pieces: Sequence[bytes]) -> Finding:
    """These octets are a message of `size` octets of the pattern, which the limit allows: its echo has to come."""
    peer = await attempt.open()
    for piece in pieces:
        await peer.write(piece, PATIENCE_S, until_refused=True)
    return await echoed(attempt, peer, size)


async def echoed(attempt: Attempt, peer: Peer, size: int) -> Finding:
    """The echo of a message that was sent, and that the limit allows, has to come."""
    attempt.shown = peer
    message = await peer.next_message(PATIENCE_S)
    if message is None:
        how = f"refused {refusal_in_words(peer)}" if peer.refused else f"was not echoed within {PATIENCE_S:g} s"
        return Finding(NOT_ENFORCED, f"{size:,} octets, which the limit allows: {how}.", doubtful=not peer.refused)
    if message.payload != payload(size):
        return Finding(
            NOT_ENFORCED,
            f"{size:,} octets, which the limit allows, came back changed: {len(message.payload):,} octets.",
        )
    return Finding(ENFORCED, f"{size:,} octets were echoed.")


def refused(
    attempt: Attempt, peer: Peer, *, codes: frozenset[int] = TOO_BIG, at_most: int | None = None, what: str = ""
) -> Finding:
    """Judge how the excess was refused, once that was waited for; `at_most` octets may have been taken by then."""
    attempt.shown = peer
    what = what or f"{peer.sent:,} octets"
    if peer.messages:
        return Finding(NOT_ENFORCED, f"It echoed {len(peer.messages[0].payload):,} octets, which is over the limit.")
    if not peer.refused:
        return Finding(NOT_ENFORCED, f"It took {what} and did not refuse.", doubtful=True)
    words = f"Refused {refusal_in_words(peer)}"
    if at_most is not None and peer.taken is not None and peer.taken > at_most:
        return Finding(LATE, f"{words}, but only after it had taken {peer.taken:,} octets.", doubtful=True)
    if peer.close_came and peer.close_code not in codes:
        expected = " or ".join(map(str, sorted(codes)))
        return Finding(WRONG_CODE, f"{words}, which does not say that it was too big ({expected} does).")
    return Finding(ENFORCED, f"{words} after {peer.taken or 0:,} octets.")


async def refuses_header(
    attempt: Attempt, peer: Peer, head: bytes, rest: int, *, codes: frozenset[int] = TOO_BIG
) -> Finding:
    """A frame's header says that it is too much; its payload follows only if that is not enough for a refusal."""
    before = peer.sent
    attempt.excess()
    await peer.write(head, until_refused=True)
    if await peer.refusal(HESITATION_S):
        return refused(attempt, peer, codes=codes)
    await peer.write(masked_payload(rest), PATIENCE_S, until_refused=True)
    await peer.until(lambda: peer.refused or bool(peer.messages), PATIENCE_S)
    found = refused(attempt, peer, codes=codes, what=f"all {peer.sent - before:,} octets of the frame")
    if found.verdict is ENFORCED:
        words = f"Refused {refusal_in_words(peer)}, but only when the payload had followed its header."
        return Finding(LATE, words, doubtful=True)
    return found


async def refuses_flow(
    attempt: Attempt, peer: Peer, head: bytes, limit: int, *, codes: frozenset[int] = TOO_BIG, most: int = ROOM
) -> Finding:
    """A header that announces far more than the limit, then its payload, in parts that are each twice as large.

    After each the server has time to refuse, so what it took by then is known to about a factor of two.
    """
    attempt.excess()
    await peer.write(head, until_refused=True)
    part = max(KIB, min(limit, 64 * KIB))
    wait = HESITATION_S
    while not await peer.refusal(wait) and peer.sent < most:
        if not await peer.write(masked_payload(part), HESITATION_S, until_refused=True) and not peer.refused:
            break  # it takes no more: it waits, and will wait for ever
        part, wait = part * 2, 0.4
    await peer.refusal(HESITATION_S)
    return refused(attempt, peer, codes=codes, at_most=2 * limit + READ_AHEAD, what=f"{peer.sent:,} octets of it")


def over_by_one(opcode: int, limit: int) -> tuple[bytes, int]:
    """The header of a frame that is one octet too large, and how much payload would follow."""
    return header(opcode, limit + 1), limit + 1


async def accepts_frame(attempt: Attempt, size: int) -> Finding:
    """A binary message of one frame."""
    return await accepts(attempt, size, [frame(Opcode.BINARY, payload(size))])


async def cut_after(attempt: Attempt, peer: Peer, since: float, *, what: str, least: float | None = None) -> Finding:
    """The server has to give the connection up when the limit, in seconds, is over; `least`: as early as is right too.

    What counts is when it says so (a close frame, an HTTP status) or ends the stream, whichever is first: how long it
    waits for an answer to its close frame is another limit.
    """
    attempt.shown = peer
    await peer.refusal(since + latest(attempt.limit) - asyncio.get_running_loop().time())
    return judge_time(attempt, since, peer.refused_at, what=what, how=peer.how_refused(), least=least)


def latest(seconds: float) -> float:
    """How long a limit of so many seconds is waited for before it is said not to be enforced."""
    return 4 * seconds + 2


def judge_time(
    attempt: Attempt, since: float, at: float | None, *, what: str, how: str, least: float | None = None
) -> Finding:
    """Judge when the connection was cut. Half as long again and half a second are a busy machine's due."""
    limit = attempt.limit
    if at is None:
        return Finding(NOT_ENFORCED, f"{what} for {asyncio.get_running_loop().time() - since:.1f} s, and was not cut.")
    took = max(0.0, at - since)
    attempt.seconds.append(round(took, 3))
    words = f"Cut after {took:.2f} s ({how}); the limit is {limit:g} s."
    if took < 0.75 * (limit if least is None else least):
        return Finding(NOT_ENFORCED, f"Too early: {words}", doubtful=True)
    if took > 1.5 * limit + 0.5:
        return Finding(LATE, words, doubtful=True)
    return Finding(ENFORCED, words)


class Growth:
    """A server's memory after each wave of a flood, to tell whether it goes on growing with what comes.

    At first it may: a heap with a garbage collector takes what it can get (some 150 MiB of Node.js were seen, and no
    more). So who seems to keep what comes gets more of it, until it is clear. `wave`: octets that one would leave;
    `least`: waves that there are in any case.
    Servers with such a heap are quick: one that has worked for long is believed after fewer waves.
    """

    LEAST, ENOUGH, MOST = 3, 9, 63
    SURE = 256 * MIB  #: no heap takes that much more than it needs

    def __init__(self, wave: int, least: int = LEAST) -> None:
        self._wave = wave
        self._least = least
        self._memory: list[int] = []
        self._most = self.MOST

    def add(self, memory: int, cost: float = 0.0) -> None:
        """A wave has been dealt with; `cost`: processor time that all took until now, in seconds."""
        self._memory.append(memory)
        if cost > LONG_S:
            self._most = self.ENOUGH

    @property
    def is_unclear(self) -> bool:
        """Whether there should be another wave."""
        if len(self._memory) < self._least:
            return True
        return self.is_kept and len(self._memory) < self._most and self.octets < self.SURE

    @property
    def octets(self) -> int:
        """By how much it grew after the first third of the waves."""
        return self._memory[-1] - self._memory[len(self._memory) // 3 - 1]

    @property
    def is_kept(self) -> bool:
        """Whether that is more than half of what came meanwhile."""
        return self.octets > self._wave * (len(self._memory) - len(self._memory) // 3) // 2

    @property
    def words(self) -> str:
        """In a sentence."""
        return f"Its memory grew by {self.octets / MIB:.0f} MiB in the last two thirds of it."


def is_quadratic(costs: Sequence[float]) -> bool:
    """Whether one of the costs, in seconds and each for twice as much, is nearer to four times the last than two."""
    return any(cost > 3 * last and cost > _MATTERS_S for last, cost in pairwise(costs))
