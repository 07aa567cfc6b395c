"""Runs a case that talks: gives it its connections, and makes a record of what it found."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

from harness.cases.model import Case, Opcode
from harness.cases.talk import Finding, Over, Talk, failed
from harness.endpoint import Endpoint
from harness.engines import Record
from harness.engines.native.schedule import Attempt
from harness.engines.native.wire import WireLog
from harness.results import Behavior, BehaviorClose, Evidence, Result, WireEvent
from harness.text import printable

#: No case takes half as long with a server that does not hold it up.
_AT_MOST_S = 60.0
_HEAD_KEPT = 4096
_WORDS_KEPT = 1000
_MAX_EVENTS_SHOWN = 100


async def attempt(target: str, case: Case, endpoint: Endpoint, on_event: Callable[[WireEvent], None] | None) -> Attempt:
    """Run it once. Where it could not connect, or the case itself went wrong, there is a reason and no verdict."""
    began = time.monotonic()
    talk = Talk(case.id, endpoint, WireLog(time.monotonic, on_event), bulk=case.bulk)
    try:
        finding = await _finding(case, talk)
    except OSError as error:
        return Attempt(case.id, None, f"could not connect: {_why(error)}")
    except Exception as error:  # noqa: BLE001 - our own fault, which must neither be the server's nor end the run
        return Attempt(case.id, None, f"the case itself went wrong, please report it: {_where(error)}")
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
    except OSError as error:  # TimeoutError is one
        talk.timed = True
        if limit.expired():
            return failed(f"It was not over within {_AT_MOST_S:g} s.")
        if len(talk.peers) > 1:  # the server was there, and what was sent to it may be why it is there no more
            return failed(f"Connection {len(talk.peers)} could not be made: {_why(error)}.")
        raise


def _why(error: OSError) -> str:
    return error.strerror or "no answer in time"


def _where(error: Exception) -> str:
    """`ValueError: no such header (h1_accepted.py:27)`."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"


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
    wire = talk.wire.events()
    evidence = Evidence(
        target=target,
        engine=result.engine,
        case=case.id,
        sent=case.title,
        expected=case.expects,
        clauses=list(case.clauses),
        outcome=printable(finding.words, _WORDS_KEPT),  # the server's words may be among them
        received=list(_received(wire))[:_MAX_EVENTS_SHOWN],
        request=shown.request[:_HEAD_KEPT].decode("latin-1") if shown else "",
        response=shown.head[:_HEAD_KEPT].decode("latin-1") if shown else "",
        wire=wire,
        wire_omitted=talk.wire.omitted,
    )
    return Record(result, evidence)


_KINDS: dict[int, str] = {Opcode.TEXT: "text", Opcode.BINARY: "binary", Opcode.CONTINUATION: "continuation"}


def _received(wire: Iterable[WireEvent]) -> Iterable[str]:
    """The messages (fragments, where they have any) and pongs that came, as far as the wire log has them."""
    for event in wire:
        if event.kind != "frame" or event.direction != "received":
            continue
        if event.opcode == Opcode.PONG:
            yield f'pong "{event.data}"'
        elif event.opcode in _KINDS:
            what = "message" if event.fin and event.opcode else "fragment"
            yield f'{what} "{event.data}" ({_KINDS[event.opcode]})'
