"""Runs a case that talks: gives it its connections, and makes a record of what it found."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from harness.cases.model import Case
from harness.cases.talk import Finding, Over, Talk, failed
from harness.endpoint import Endpoint
from harness.engines import Record
from harness.engines.native.schedule import Attempt
from harness.engines.native.wire import WireLog
from harness.results import Behavior, BehaviorClose, Evidence, Result, WireEvent

#: No case takes half as long with a server that does not hold it up.
_AT_MOST_S = 60.0
_HEAD_KEPT = 4096


async def attempt(target: str, case: Case, endpoint: Endpoint, on_event: Callable[[WireEvent], None] | None) -> Attempt:
    """Run it once."""
    began = time.monotonic()
    talk = Talk(case.id, endpoint, WireLog(time.monotonic, on_event))
    try:
        finding = await _finding(case, talk)
    except OSError as error:
        words = getattr(error, "strerror", None) or "no answer in time"
        return Attempt(case.id, None, f"could not connect: {words}")
    finally:
        talk.drop_all()
    return Attempt(case.id, _record(target, case, talk, finding, time.monotonic() - began), timed=talk.timed)


async def _finding(case: Case, talk: Talk) -> Finding:
    assert case.talk is not None  # noqa: S101 - those without one are not run here
    try:
        async with asyncio.timeout(_AT_MOST_S) as limit:
            return await case.talk(talk)
    except Over as over:
        return over.finding
    except TimeoutError:
        if not limit.expired():
            raise
        talk.timed = True
        return failed(f"It was not over within {_AT_MOST_S:g} s.")


def _record(target: str, case: Case, talk: Talk, finding: Finding, seconds: float) -> Record:
    shown = talk.peers[-1] if talk.peers else None
    informational = finding.behavior is Behavior.INFORMATIONAL
    result = Result(
        target=target,
        engine="native",
        case=case.id,
        behavior=finding.behavior,
        behavior_close=BehaviorClose.INFORMATIONAL if informational else BehaviorClose.OK,
        remote_close_code=shown.close_code if shown else None,
        duration_ms=round(seconds * 1000),
    )
    evidence = Evidence(
        target=target,
        engine=result.engine,
        case=case.id,
        sent=case.title,
        expected=case.expects,
        clauses=list(case.clauses),
        outcome=finding.words,
        request=shown.request[:_HEAD_KEPT].decode("latin-1") if shown else "",
        response=shown.head[:_HEAD_KEPT].decode("latin-1") if shown else "",
        wire=talk.wire.events(),
        wire_omitted=talk.wire.omitted,
    )
    return Record(result, evidence)
