"""JUnit XML of a run: a test suite per target and engine, a test case per case.

It has a failure or an error if and only if the gate does not pass. What is no case (a target that could not be run, a
run that has not ended) is an error in a test case of its own.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from harness.results import Outcome
from reports._case import repeat_command, sentence
from reports._findings import (
    gaps_of,
    gaps_of_run,
    in_order,
    line,
    lost_of,
    shown,
    stale_of,
    unexpected_of,
    verdict_of,
    with_evidence,
)
from reports._probe import measured_rows
from reports._text import slugs
from reports._view import survey
from reports._wire import close_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from junitparser.junitparser import FinalResult

    from harness.results import Deviation, Evidence, Result
    from reports._column import Cell, Column
    from reports._findings import Gap
    from reports._load import Recorded
    from reports._view import Site

_NAME, _MESSAGE, _FIELD, _TEXT = 200, 800, 1000, 4000
#: Of the events that were received, so many are told.
_EVENTS = 20
_MILLISECONDS = 1000
#: Where a new line is added, so that a person can read it too. In text and attributes `<` and `>` are always escaped.
_BREAKS = ("<testsuite ", "<testcase ", "</testsuite>", "</testsuites>")


def junit(recorded: Recorded) -> str:
    """The text of `junit.xml`."""
    site = survey(recorded)
    document = JUnitXml(line(f"wsconform {site.run.id}", _NAME))
    engines = slugs(column.run.engine for column in site.columns)
    targets = slugs(column.run.target for column in site.columns)
    if gaps := gaps_of_run(site):
        suite = TestSuite("wsconform")
        suite.add_testcases([_error(gap, "wsconform.run") for gap in gaps])
        _add(document, suite)
    for column in site.columns:
        # CI systems take what is before the last dot for a package, so this groups by target
        class_name = f"{targets[column.run.target]}.{engines[column.run.engine]}"
        _add(document, _suite(recorded, site, column, class_name))
    document.update_statistics()  # type: ignore[no-untyped-call] # junitparser has types in part
    file = BytesIO()
    document.write(file)
    text = file.getvalue().decode()
    for tag in _BREAKS:
        text = text.replace(f">{tag}", f">\n{tag}")
    return text + "\n"


def _add(document: JUnitXml, suite: TestSuite) -> None:
    """Not its `add_testsuite`, which joins suites of the same name: names of targets may look alike."""
    document.append(suite)  # type: ignore[no-untyped-call]


def _suite(recorded: Recorded, site: Site, column: Column, class_name: str) -> TestSuite:
    run = column.run
    suite = TestSuite(line(f"{run.target} ({run.engine})", _NAME))
    suite.timestamp = line(site.run.started_at, _NAME)
    for name, value in _properties(column):
        suite.add_property(name, line(value, _NAME))
    cases = [_error(gap, class_name) for gap in gaps_of(column)]
    cases += _Cases(recorded, site, column, class_name).all()
    suite.add_testcases(cases)
    return suite


def _properties(column: Column) -> Iterator[tuple[str, str]]:
    run = column.run
    values = {
        "target": run.target,
        "engine": f"{run.engine} {run.engine_version}".strip(),
        "version": run.implementation.version,
        "language": run.implementation.language,
        "url": run.url,
        "startedAs": run.started_as,
        "expected": str(run.expected),
        "observed": str(column.observed),
        "restarts": str(run.restarts),
        "seconds": str(run.seconds),
    }
    return ((name, value) for name, value in values.items() if value)


def _error(gap: Gap, class_name: str) -> TestCase:
    case = TestCase(line(gap.name, _NAME), class_name, 0)
    case.result = Error(line(gap.words, _MESSAGE), "incomplete")
    return case


class _Cases:
    """The test cases of one target."""

    def __init__(self, recorded: Recorded, site: Site, column: Column, class_name: str) -> None:
        self._recorded = recorded
        self._survey = site.survey_of(column)
        self._column = column
        self._class_name = class_name
        self._lost = lost_of(column)
        self._unexpected = set(unexpected_of(column))
        self._stale = stale_of(column)

    def all(self) -> Iterator[TestCase]:
        """All that have a verdict or are lost."""
        cases = in_order(self._column.cells)
        told = [case for case in cases if case in self._unexpected]  # evidence is read of these alone
        found = with_evidence(self._recorded, self._column, told)
        for case in cases:
            evidence = next(found)[2] if case in self._unexpected else None
            yield self._case(case, self._column.cells[case], evidence)

    def _case(self, case: str, cell: Cell, evidence: Evidence | None) -> TestCase:
        seconds = cell.result.duration_ms / _MILLISECONDS if cell.result else 0
        told = TestCase(line(case, _NAME), self._class_name, seconds)
        result = self._result(case, cell, evidence)
        if result is not None:
            told.result = result
        elif case in self._stale:
            told.system_out = shown(_stale(self._stale[case]), _TEXT)
        elif cell.result and not cell.is_plain:
            told.system_out = _fields(cell.result)
        return told

    def _result(self, case: str, cell: Cell, evidence: Evidence | None) -> FinalResult | None:
        if case in self._lost or cell.result is None:
            return self._of_lost(case, cell)
        if case in self._unexpected:
            words = line(sentence(cell, evidence), _MESSAGE)
            failure = Failure(f"{words} [{_fields(cell.result)}]", verdict_of(cell.result))
            failure.text = "\n".join(self._told(case, cell.result, evidence))
            return failure
        if case in self._stale and not self._column.judgement.allow_stale:
            return Failure(line(_stale(self._stale[case]), _MESSAGE), "stale")
        if cell.deviation:
            skipped = Skipped(line(f"known deviation: {cell.deviation.reason}", _MESSAGE), "known deviation")
            skipped.text = shown(f"{_fields(cell.result)}\n{cell.deviation.link or ''}".strip(), _TEXT)
            return skipped
        if cell.outcome is Outcome.UNIMPLEMENTED and case not in self._stale:
            return Skipped(str(cell.verdict or Outcome.UNIMPLEMENTED.upper()), "unimplemented")
        return None

    def _of_lost(self, case: str, cell: Cell) -> Error:
        words = f"lost: {self._lost.get(case, cell.lost)}"
        if cell.result:
            words = f"recorded as lost, though it has a verdict ({_fields(cell.result)}): {self._lost[case]}"
        error = Error(line(words, _MESSAGE), "lost")
        error.text = shown(f"repeat: {repeat_command(self._survey, self._column, case)}", _TEXT)
        return error

    def _told(self, case: str, result: Result, evidence: Evidence | None) -> Iterator[str]:
        if evidence:
            yield from _rows((("sent", evidence.sent), ("expected", evidence.expected)))
            if evidence.clauses:
                yield from _rows((("see", ", ".join(evidence.clauses)),))
            yield from _rows((f"accepted as {verdict}", _joined(seen)) for verdict, seen in evidence.accepted.items())
            if evidence.accepted_close_codes:
                yield f"accepted close codes: {', '.join(str(code) for code in evidence.accepted_close_codes)}"
            if evidence.received or evidence.accepted:
                yield from _rows((("received", _joined(evidence.received)),))
        if result.measured:
            yield from _rows(measured_rows(result.measured))
        yield f"close code received: {close_code(result.remote_close_code)}"
        yield shown(f"repeat: {repeat_command(self._survey, self._column, case)}", _TEXT)


def _rows(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    return (f"{line(name, _NAME)}: {line(value, _FIELD)}" for name, value in rows)


def _joined(events: list[str]) -> str:
    more = [f"and {len(events) - _EVENTS} more"] if len(events) > _EVENTS else []
    return ", ".join(events[:_EVENTS] + more) or "nothing"


def _fields(result: Result) -> str:
    verdict = f"{result.verdict}; " if result.verdict else ""
    code = close_code(result.remote_close_code)
    return f"{verdict}behavior {result.behavior}, behaviorClose {result.behavior_close}, close code {code}"


def _stale(deviation: Deviation) -> str:
    said = (deviation.behavior, deviation.behavior_close, deviation.verdict)
    verdicts = ", ".join(str(one) for one in said if one)
    return f"This known deviation ({verdicts}) happens no more; take it out of the list: {deviation.reason}"
