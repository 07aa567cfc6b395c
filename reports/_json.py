"""A run as one JSON document: what the gate says of it and of each target, and all verdicts."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from harness.results import (
    Behavior,
    BehaviorClose,
    Implementation,
    Lost,
    Model,
    Outcome,
    ProbeVerdict,
    Result,
    Run,
    TargetRun,
)
from reports._case import sentence
from reports._findings import (
    gaps_of,
    gaps_of_run,
    in_order,
    known_of,
    lost_of,
    stale_of,
    unexpected_of,
    with_evidence,
)
from reports._view import survey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.results import Deviation
    from reports._column import Column
    from reports._load import Recorded

#: Of this document; a key that is added does not raise it.
SCHEMA_VERSION = 1
_PASSED, _INCOMPLETE = 0, 4  # of harness.errors, which reports do not import


class RunFacts(Run):
    """`run.json` without its targets: each has an entry of its own."""

    targets: SkipJsonSchema[list[TargetRun]] = Field(default_factory=list, exclude=True)


class Finding(Model):
    """A case that is no plain pass."""

    case: str
    behavior: Behavior
    behavior_close: BehaviorClose
    verdict: ProbeVerdict | None = None  #: of a limit probe
    remote_close_code: int | None = None
    sentence: str = ""  #: what went wrong; may quote the peer
    reason: str | None = None  #: of the known deviation that it is about
    link: str | None = None


class TargetReport(Model):
    """One target under one engine."""

    target: str
    engine: str
    engine_version: str = ""
    url: str = ""
    started_as: str
    implementation: Implementation
    exit_code: int  #: what the gate says of it alone
    expected: int  #: number of cases asked for
    observed: int  #: number of verdicts
    restarts: int = 0
    seconds: float = 0.0
    setup_seconds: float | None = None
    peak_memory: int | None = None  #: octets
    cpu_seconds: float | None = None
    error: str | None = None  #: why it could not be run at all
    problems: list[str] = Field(default_factory=list)  #: what fails the gate and is no case, in words
    counts: dict[Outcome, int]  #: number of cases of each outcome
    probe_verdicts: dict[ProbeVerdict, int] = Field(default_factory=dict)  #: likewise, of limit probes
    unexpected: list[Finding] = Field(default_factory=list)  #: fail, and no known deviation says so
    known: list[Finding] = Field(default_factory=list)  #: no pass, as a known deviation says
    stale: list[Finding] = Field(default_factory=list)  #: no longer what a known deviation says
    lost: list[Lost] = Field(default_factory=list)
    results: list[Result] = Field(default_factory=list)


class Report(Model):
    """A run: `report.json`."""

    schema_version: int = SCHEMA_VERSION
    exit_code: int  #: what the gate says: 0 passed, 1 failed, 3 could not be run, 4 incomplete, 130 interrupted
    passed: bool  #: whether that is 0
    headline: str  #: the same in words
    problems: list[str] = Field(default_factory=list)  #: what fails the gate and belongs to no target, in words
    unreadable: list[str] = Field(default_factory=list)  #: lines of the journals that are no record
    run: RunFacts
    targets: list[TargetReport]


def report(recorded: Recorded) -> Report:
    """The document as a value."""
    site = survey(recorded)
    decision = site.decision
    return Report(
        exit_code=decision.exit_code,
        passed=decision.passed,
        headline=decision.headline,
        problems=[gap.words for gap in gaps_of_run(site)],
        unreadable=list(site.unreadable),
        run=RunFacts.model_construct(
            **{name: getattr(site.run, name) for name in Run.model_fields if name != "targets"}
        ),
        targets=[_target(recorded, column) for column in site.columns],
    )


def json_report(recorded: Recorded) -> str:
    """The text of `report.json`: ASCII, so that nothing in it acts on a terminal."""
    return json.dumps(_portable(report(recorded).model_dump(by_alias=True, exclude_none=True)), indent=1) + "\n"


def _target(recorded: Recorded, column: Column) -> TargetReport:
    run = column.run
    stale = stale_of(column)

    def findings(cases: Iterable[str], explained_by: Callable[[str], Deviation | None]) -> list[Finding]:
        return [
            _finding(cell.result, explained_by(case), "" if case in stale else sentence(cell, evidence))
            for case, cell, evidence in with_evidence(recorded, column, cases)
            if cell.result
        ]

    return TargetReport(
        target=run.target,
        engine=run.engine,
        engine_version=run.engine_version,
        url=run.url,
        started_as=run.started_as,
        implementation=run.implementation,
        exit_code=int(column.judgement.exit_code) if column.is_recorded else _INCOMPLETE,
        expected=run.expected,
        observed=column.judgement.counts.total(),
        restarts=run.restarts,
        seconds=run.seconds,
        setup_seconds=run.setup_seconds,
        peak_memory=run.peak_memory,
        cpu_seconds=run.cpu_seconds,
        error=run.error,
        problems=[gap.words for gap in gaps_of(column)],
        counts={outcome: column.counts[outcome] for outcome in Outcome},
        probe_verdicts={verdict: column.verdicts[verdict] for verdict in ProbeVerdict} if column.probes else {},
        unexpected=findings(unexpected_of(column), lambda _: None),
        known=findings(known_of(column), lambda case: column.cells[case].deviation),
        stale=findings(stale, lambda case: stale[case]),
        lost=[Lost(case=case, reason=reason) for case, reason in lost_of(column).items()],
        results=[result for case in in_order(column.cells) if (result := column.cells[case].result)],
    )


def _finding(result: Result, deviation: Deviation | None, told: str) -> Finding:
    return Finding(
        case=result.case,
        behavior=result.behavior,
        behavior_close=result.behavior_close,
        verdict=result.verdict,
        remote_close_code=result.remote_close_code,
        sentence=told,
        reason=deviation.reason if deviation else None,
        link=deviation.link if deviation else None,
    )


def _portable(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same as every JSON parser reads it: without lone surrogates, and without numbers that are none."""
    match value:
        case str():
            return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        case float() if not math.isfinite(value):
            return None
        case list() | tuple():
            return [_portable(item) for item in value]
        case dict():
            return {_portable(key): _portable(item) for key, item in value.items()}
    return value
