"""The 1009 arrives: what is unread when a server closes its socket must not destroy its close frame by a reset."""

from __future__ import annotations

import asyncio
from collections import Counter

from harness.cases.model import Opcode
from harness.engines.native.peer import header, masked_payload
from harness.limits.judge import ENFORCED, NOT_ENFORCED, PATIENCE_S, WRONG_CODE
from harness.limits.model import KIB, MIB, ROOM, Attempt, Family, Finding
from harness.limits.settings import Settings
from harness.results import ProbeVerdict

FAMILY = Family(11, "The 1009 arrives")
_TRIES = 100
_UNREAD = 4 * MIB
#: Seconds after which there have been tries enough: a server that reads nothing while it refuses takes two for each.
_ENOUGH_S = 60.0
#: How long a reset is waited for behind a close frame: it is there at once, or the server reads what is under way.
_AFTER_S = 0.01


async def _tries(attempt: Attempt) -> Finding:
    """A hundred times: an oversized frame, megabytes behind its header, and only then a look at what came."""
    if attempt.limit >= _UNREAD:
        words = f"It has {attempt.limit:,} octets, which is more than is sent before anything is read ({_UNREAD:,})."
        return Finding(ProbeVerdict.NOT_CONFIGURABLE, words)
    answers: Counter[str] = Counter()
    octets = header(Opcode.BINARY, 8 * MIB) + masked_payload(_UNREAD)
    clock = asyncio.get_running_loop().time
    enough = clock() + _ENOUGH_S
    while (number := answers.total() + 1) <= _TRIES and clock() < enough:
        peer = await attempt.open()
        peer.stop_reading()
        attempt.shown = peer
        await peer.write(octets, 2)
        peer.start_reading()
        if not await peer.refusal(PATIENCE_S):
            return Finding(NOT_ENFORCED, f"At try {number} of {_TRIES} nothing came.", doubtful=True)
        await peer.end(_AFTER_S)
        how = peer.how_refused()
        # This client reads on behind a write that failed, and Linux keeps what came before a reset. Others do neither.
        answers[f"{how} and a reset" if peer.close_came and (peer.broken or peer.ended == "reset") else how] += 1
        peer.drop()
    attempt.figures["close frames with 1009 and no reset"] = answers["close 1009"]
    words = ", ".join(f"{count} x {how}" for how, count in sorted(answers.items()))
    if answers["close 1009"] == (tries := answers.total()):
        return Finding(ENFORCED, f"{tries} of {tries} close frames arrived, and no reset.")
    return Finding(WRONG_CODE, f"Not every client learns why: of {tries} tries {words}.")


def _probe(limit: str, other: str) -> None:
    settings: Settings = {limit: 16 * KIB, other: ROOM}

    @FAMILY.probe(
        f"{_TRIES} times, or a minute, a frame of 8 MiB, over {limit}, of which 4 MiB are sent before anyone reads.",
        "In each try the client reads a close frame with 1009, and no reset that could destroy it.",
        limit=limit,
        settings=settings,
        alone=True,
        memory=_TRIES * MIB,  # a quarter of what is sent, if it were kept
        clauses=("RFC 6455 7.1.1", "RFC 6455 7.4.1", "RFC 6455 10.4"),
    )
    async def probe(attempt: Attempt) -> Finding:
        return await _tries(attempt)


_probe("max_frame_size", "max_message_size")
_probe("max_message_size", "max_frame_size")
