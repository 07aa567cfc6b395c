"""Columns of a report: a target under an engine, the cells of its cases, and its known deviations."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Literal

from harness.gate import failing_outcomes, judge
from harness.results import Behavior, BehaviorClose, Outcome, ProbeVerdict, TargetRun, case_order
from reports._sections import is_of_ours
from reports._text import slugs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.gate import Judgement
    from harness.results import Deviation, Result
    from reports._load import Recorded

#: The engine whose cases are limit probes; they have pages of their own.
LIMITS = "limits"

#: The class that a cell's colour hangs on; short, because a comparison has 15,000 cells. A pass has none.
OUTCOME_CSS = {
    Outcome.PASSED: "",
    Outcome.INFORMATIONAL: "i",
    Outcome.UNIMPLEMENTED: "u",
    Outcome.NON_STRICT: "n",
    Outcome.FAILED: "f",
    Outcome.LOST: "l",
}

#: The same for one field alone; what is not here is a failure.
_FIELD_CSS = {
    Behavior.OK: "p",
    Behavior.NON_STRICT: "n",
    Behavior.INFORMATIONAL: "i",
    Behavior.UNIMPLEMENTED: "u",
    BehaviorClose.FAILED_BY_CLIENT: "n",
}

#: The same for a probe's verdict. All but the first two fail; the colours tell a small fault from a grave one.
VERDICT_CSS = {
    ProbeVerdict.ENFORCED: "",
    ProbeVerdict.NOT_CONFIGURABLE: "u",
    ProbeVerdict.WRONG_CODE: "n",
    ProbeVerdict.LATE: "n",
    ProbeVerdict.NOT_ENFORCED: "f",
    ProbeVerdict.CRASHED: "c",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """What one case came to at one target; without an outcome it was not asked for."""

    outcome: Outcome | None = None
    result: Result | None = None
    deviation: Deviation | None = None  #: the known deviation that explains it, where it is no pass
    lost: str = ""  #: why there is no verdict

    @property
    def css(self) -> str:
        """The class of its colour."""
        if self.outcome is None:
            return "x"
        if self.deviation and self.outcome is Outcome.FAILED:
            return "k"
        return VERDICT_CSS[self.verdict] if self.verdict else OUTCOME_CSS[self.outcome]

    @property
    def verdict(self) -> ProbeVerdict | None:
        """What a limit probe found."""
        return self.result.verdict if self.result else None

    @property
    def has_closing(self) -> bool:
        """Whether the second field says something: Autobahn's cases judge the closing apart, those of ours do not."""
        if self.result is None:
            return False
        is_ours = is_of_ours(self.result.case)
        return not is_ours or self.result.behavior_close not in (BehaviorClose.OK, BehaviorClose.INFORMATIONAL)

    def field_css(self, field: Behavior | BehaviorClose) -> str:
        """The class of the colour of one of its two fields."""
        return _FIELD_CSS.get(field, "k" if self.deviation else "f")

    @property
    def is_plain(self) -> bool:
        """Whether both fields say OK."""
        return self.result is not None and self.result.behavior == "OK" == self.result.behavior_close

    @property
    def compared(self) -> tuple[str, str]:
        """By what it is compared with the other cells of its row."""
        if self.verdict:
            return (self.verdict, "")
        return (self.result.behavior, self.result.behavior_close) if self.result else ("LOST", "")


@dataclass(frozen=True, slots=True)
class DeviationUse:
    """A known deviation, and what became of it in this run."""

    deviation: Deviation
    explained: tuple[str, ...]
    passing: tuple[str, ...]  #: covered, but they do not fail, and not as it says: it is stale for them
    otherwise: tuple[str, ...]  #: covered, but they deviate in another way than it says

    @property
    def status(self) -> Literal["in use", "partly stale", "stale", "other verdict", "not exercised"]:
        """What a reader should make of it."""
        if self.explained:
            return "partly stale" if self.passing else "in use"
        if self.passing:
            return "stale"
        return "other verdict" if self.otherwise else "not exercised"


@dataclass(frozen=True)
class Column:
    """A target under an engine."""

    number: int  #: from 1, among those of its survey; its anchor on the case pages
    run: TargetRun
    page: str  #: file name of the implementation's page
    cells: dict[str, Cell]
    judgement: Judgement  #: the gate's
    strict: bool
    is_recorded: bool = True  #: whether `run.json` knows it; a run that was killed may have results only

    @property
    def has_frames(self) -> bool:
        """Whether the library under test leaves fragments and UTF-8 to the application."""
        return self.run.implementation.level == "frames"

    @property
    def is_measured(self) -> bool:
        """Whether it is known what the target used."""
        return self.run.setup_seconds is not None or self.run.peak_memory is not None

    @property
    def probes(self) -> bool:
        """Whether its cases are limit probes."""
        return self.run.engine == LIMITS

    @property
    def folder(self) -> str:
        """Where the pages of its cases are."""
        return "limits" if self.probes else "cases"

    @cached_property
    def verdicts(self) -> Counter[ProbeVerdict]:
        """How many probes there are of each verdict."""
        return Counter(cell.verdict for cell in self.cells.values() if cell.verdict)

    @cached_property
    def settings(self) -> dict[str, float | str]:
        """The limits that are known to be in force: of a URL, what was declared."""
        measured = [cell.result.measured for cell in self.cells.values() if cell.result]
        return {one.limit: one.set_to for one in measured if one and one.limit and one.set_to is not None}

    @cached_property
    def counts(self) -> Counter[Outcome]:
        """How many cases there are of each outcome."""
        return Counter(cell.outcome for cell in self.cells.values() if cell.outcome is not None)

    @cached_property
    def known(self) -> int:
        """How many of the failures are known deviations."""
        return sum(1 for cell in self.cells.values() if cell.deviation and cell.outcome is Outcome.FAILED)

    @property
    def unexplained(self) -> int:
        """How many cases fail the gate: failures (and with `--strict` NON-STRICT) that are not known."""
        return len(self.judgement.unexpected)

    @property
    def stale(self) -> int:
        """How many cases a known deviation covers that no longer deviate; they fail the gate too (but see there)."""
        return len(self.judgement.stale)

    @property
    def observed(self) -> int:
        """Number of verdicts that there are, whatever `run.json` says."""
        return sum(self.counts.values()) - self.lost

    @property
    def lost(self) -> int:
        """Number of lost cases."""
        return self.counts[Outcome.LOST]

    @property
    def missing(self) -> int:
        """Number of cases that were asked for and are neither judged nor recorded as lost."""
        return max(0, self.run.expected - self.observed - self.lost)

    @property
    def absent(self) -> str:
        """What it means when the column has no cell for a case."""
        return "no verdict" if self.run.error or self.missing else "not asked"

    @property
    def is_complete(self) -> bool:
        """Whether every case that was asked for has a verdict, and one at least was, as the gate has it."""
        return self.is_recorded and not self.run.error and self.judgement.complete

    @property
    def status(self) -> tuple[str, str]:
        """The class and the words that sum it up."""
        if self.run.error:
            return "f", "\u2717 could not be run"
        if not self.is_complete:
            return ("f", "\u2717 failed, incomplete") if self.unexplained else ("l", "! incomplete")
        if self.unexplained:
            return "f", "\u2717 failed"
        if self.stale and not self.judgement.allow_stale:
            return "f", "\u2717 stale known deviations"
        if self.run.unexplained:
            return "f", "\u2717 died"
        return ("k", "\u2713 passed, known deviations") if self.known else ("p", "\u2713 passed")

    def _may_concern(self, deviation: Deviation) -> bool:
        """Whether the deviation's patterns may be meant for this column's suite."""
        return any(pattern.startswith("*") or pattern.startswith("L") == self.probes for pattern in deviation.cases)

    @cached_property
    def deviations(self) -> tuple[DeviationUse, ...]:
        """The known deviations, those that want attention first."""
        uses = [_use(deviation, self) for deviation in self.run.deviations]
        # a manifest has one list for both suites: what is there for the other one has nothing to say here
        uses = [use for use in uses if use.status != "not exercised" or self._may_concern(use.deviation)]
        return tuple(sorted(uses, key=lambda use: use.status in ("in use", "not exercised")))


def columns_of(recorded: Recorded) -> tuple[Column, ...]:
    """The columns of a run, in the order in which it recorded them; those of limit probes have their own numbers."""
    by_pair: dict[tuple[str, str], list[Result]] = {}
    for result in recorded.results.values():
        by_pair.setdefault((result.target, result.engine), []).append(result)
    runs = {(run.target, run.engine): run for run in recorded.run.targets}
    for (target, engine), results in by_pair.items():
        if (target, engine) not in runs:
            runs[target, engine] = TargetRun(target=target, engine=engine, started_as="url", expected=len(results))
    known_pairs = {(run.target, run.engine) for run in recorded.run.targets}
    pages = slugs(target for target, _ in runs)
    numbers = {LIMITS: count(1), "": count(1)}
    return tuple(
        Column(
            number=next(numbers[LIMITS if run.engine == LIMITS else ""]),
            run=run,
            page=f"{pages[run.target]}.html",
            cells=_cells(run, by_pair.get(pair, [])),
            judgement=judge(
                run, by_pair.get(pair, []), strict=recorded.run.strict, allow_stale=recorded.run.allow_stale
            ),
            strict=recorded.run.strict,
            is_recorded=pair in known_pairs,
        )
        for pair, run in runs.items()
    )


def _cells(run: TargetRun, results: Iterable[Result]) -> dict[str, Cell]:
    cells = {lost.case: Cell(outcome=Outcome.LOST, lost=lost.reason) for lost in run.lost}
    for result in results:  # a verdict that came after all is not lost
        passed = result.outcome is Outcome.PASSED
        reason = None if passed else next((known for known in run.deviations if known.explains(result)), None)
        cells[result.case] = Cell(outcome=result.outcome, result=result, deviation=reason)
    return cells


def _use(deviation: Deviation, column: Column) -> DeviationUse:
    failing = failing_outcomes(strict=column.strict)
    explained, passing, otherwise = [], [], []
    for case in sorted(column.cells, key=case_order):
        result = column.cells[case].result
        if result is None or not deviation.covers(case):
            continue
        if deviation.explains(result):
            explained.append(case)
        elif any(other.explains(result) for other in column.run.deviations):
            continue
        elif result.outcome in failing:
            otherwise.append(case)
        elif not deviation.wavers:
            passing.append(case)
    return DeviationUse(deviation, tuple(explained), tuple(passing), tuple(otherwise))
