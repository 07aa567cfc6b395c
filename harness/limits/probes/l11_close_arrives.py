"""The 1009 arrives: what is unread when a server closes its socket must not destroy its close frame by a reset."""

from __future__ import annotations

from harness.cases.model import Opcode
from harness.limits.judge import ENFORCED, NOT_ENFORCED, PATIENCE_S, WRONG_CODE
from harness.limits.model import KIB, MIB, ROOM, Attempt, Family, Finding
from harness.limits.peer import header, masked_payload
from harness.limits.settings import Settings

FAMILY = Family(11, "The 1009 arrives")
_TRIES = 100
_UNREAD = 4 * MIB


async def _tries(attempt: Attempt) -> Finding:
    """A hundred times: an oversized frame, megabytes behind its header, and only then a look at what came."""
    codes: dict[str, int] = {}
    octets = header(Opcode.BINARY, 8 * MIB) + masked_payload(_UNREAD)
    for _ in range(_TRIES):
        peer = await attempt.open()
        peer.stop_reading()
        attempt.shown = peer
        await peer.write(octets, 2)
        peer.start_reading()
        await peer.refusal(PATIENCE_S)
        how = peer.how_refused() or "nothing"
        codes[how] = codes.get(how, 0) + 1
        peer.drop()
    attempt.figures["close frames with 1009"] = codes.get("close 1009", 0)
    words = ", ".join(f"{count} x {how}" for how, count in sorted(codes.items()))
    if codes.get("close 1009") == _TRIES:
        return Finding(ENFORCED, f"{_TRIES} of {_TRIES} close frames arrived.")
    if "nothing" in codes:
        return Finding(NOT_ENFORCED, f"Of {_TRIES} tries: {words}.", doubtful=True)
    return Finding(WRONG_CODE, f"Not every client learns why: of {_TRIES} tries {words}.")


def _probe(limit: str, other: str) -> None:
    settings: Settings = {limit: 16 * KIB, other: ROOM}

    @FAMILY.probe(
        f"{_TRIES} times a frame of 8 MiB, over {limit}, of which 4 MiB are sent before anything is read.",
        f"The client reads a close frame with 1009 in {_TRIES} of {_TRIES} tries.",
        limit=limit,
        settings=settings,
        alone=True,
        clauses=("RFC 6455 7.1.1", "RFC 6455 7.4.1", "RFC 6455 10.4"),
    )
    async def probe(attempt: Attempt) -> Finding:
        return await _tries(attempt)


_probe("max_frame_size", "max_message_size")
_probe("max_message_size", "max_frame_size")
