"""What the pages show of a run: columns (a target under an engine), rows (a case), and what the whole comes to.

Templates get these values and decide nothing: whether something is green is decided here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from harness.results import Behavior, BehaviorClose, Outcome, TargetRun, case_order
from reports._sections import SECTIONS, SUBSECTIONS, section_of, subsection_of
from reports._text import slugs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.results import Deviation, Result, Run
    from reports._load import Recorded

#: The class that a cell's colour hangs on; short, because a comparison has 15,000 cells. A pass has none.
_CSS = {
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

_UNFINISHED = {
    "running": "The run has not ended, or was killed",
    "incomplete": "The run is incomplete",
    "interrupted": "The run was interrupted",
    "error": "The run ended with an error",
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
        return "k" if self.deviation and self.outcome is Outcome.FAILED else _CSS[self.outcome]

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

    number: int  #: from 1; its anchor on the case pages
    run: TargetRun
    page: str  #: file name of the implementation's page
    cells: dict[str, Cell]
    strict: bool
    is_recorded: bool = True  #: whether `run.json` knows it; a run that was killed may have results only

    @cached_property
    def counts(self) -> Counter[Outcome]:
        """How many cases there are of each outcome."""
        return Counter(cell.outcome for cell in self.cells.values() if cell.outcome is not None)

    @cached_property
    def known(self) -> int:
        """How many of the failures are known deviations."""
        return sum(1 for cell in self.cells.values() if cell.deviation and cell.outcome is Outcome.FAILED)

    @cached_property
    def unexplained(self) -> int:
        """How many cases fail the gate: failures (and with `--strict` NON-STRICT) that are not known."""
        failing = failing_outcomes(strict=self.strict)
        return sum(1 for cell in self.cells.values() if cell.outcome in failing and not cell.deviation)

    @cached_property
    def stale(self) -> int:
        """How many cases a known deviation covers that no longer deviate; they fail the gate too."""
        return len({case for use in self.deviations for case in use.passing})

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
        is_told = self.is_recorded and not self.run.error and not self.run.lost
        return is_told and self.observed == self.run.expected > 0

    @property
    def status(self) -> tuple[str, str]:
        """The class and the words that sum it up."""
        if self.run.error:
            return "f", "\u2717 could not be run"
        if not self.is_complete:
            return ("f", "\u2717 failed, incomplete") if self.unexplained else ("l", "! incomplete")
        if self.unexplained:
            return "f", "\u2717 failed"
        if self.stale:
            return "f", "\u2717 stale known deviations"
        return ("k", "\u2713 passed, known deviations") if self.known else ("p", "\u2713 passed")

    @cached_property
    def deviations(self) -> tuple[DeviationUse, ...]:
        """The known deviations, those that want attention first."""
        uses = [_use(deviation, self) for deviation in self.run.deviations]
        return tuple(sorted(uses, key=lambda use: use.status in ("in use", "not exercised")))


@dataclass(frozen=True, slots=True)
class Row:
    """A case and its cells, a cell a column."""

    case: str
    page: str
    cells: tuple[Cell, ...]

    @property
    def differs(self) -> bool:
        """Whether the targets do not all give the same two verdicts."""
        return len({cell.compared for cell in self.cells if cell.outcome is not None}) > 1

    @property
    def fails(self) -> bool:
        """Whether some target fails or loses it, known or not."""
        return any(cell.outcome in (Outcome.FAILED, Outcome.LOST) for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Group:
    """Rows under a heading: a section, which has subsections or rows, or a subsection, which has rows."""

    number: str
    title: str
    rows: tuple[Row, ...]
    parts: tuple[Group, ...] = ()

    @property
    def differing(self) -> int:
        """Number of cases in which the targets differ."""
        return sum(row.differs for row in self.rows)

    @property
    def failing(self) -> int:
        """Number of cases that some target fails or loses."""
        return sum(row.fails for row in self.rows)

    def summary(self, column: Column) -> tuple[str, str]:
        """The class and the words that sum the section up for one column."""
        index = column.number - 1
        counts = Counter(row.cells[index].outcome for row in self.rows)
        known = sum(1 for row in self.rows if row.cells[index].css == "k")
        del counts[None]
        if not counts:
            return "x", column.absent
        words = []
        if counts[Outcome.FAILED]:
            words.append(f"{counts[Outcome.FAILED]} failed" + (f" ({known} known)" if known else ""))
        words += [f"{counts[outcome]} {outcome}" for outcome in _BY_WEIGHT if counts[outcome]]
        if not words:
            return "", f"{counts[Outcome.PASSED]} passed"
        words.append(f"{counts[Outcome.PASSED]} of {counts.total()} passed")
        worst = next(outcome for outcome in (Outcome.FAILED, *_BY_WEIGHT) if counts[outcome])
        return "k" if worst is Outcome.FAILED and known == counts[worst] else _CSS[worst], ", ".join(words)


_BY_WEIGHT = (Outcome.LOST, Outcome.NON_STRICT, Outcome.UNIMPLEMENTED, Outcome.INFORMATIONAL)


@dataclass(frozen=True, slots=True)
class Banner:
    """What the run comes to, in a line and its reasons."""

    css: str
    headline: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Survey:
    """The run as the overview shows it."""

    run: Run
    columns: tuple[Column, ...]
    sections: tuple[Group, ...]
    rows: tuple[Row, ...]
    banner: Banner
    unreadable: tuple[str, ...]
    titles: dict[str, str] = field(default_factory=dict)  #: a case's first sentence, filled in from the evidence

    @property
    def engines(self) -> tuple[str, ...]:
        """The engines of the run, in the order of the columns."""
        return tuple(dict.fromkeys(column.run.engine for column in self.columns))

    @property
    def has_many_engines(self) -> bool:
        """Whether a column has to say which engine it is of."""
        return len(self.engines) > 1

    @property
    def targets(self) -> dict[str, list[Column]]:
        """The columns of each target."""
        found: dict[str, list[Column]] = {}
        for column in self.columns:
            found.setdefault(column.run.target, []).append(column)
        return found


def failing_outcomes(*, strict: bool) -> frozenset[Outcome]:
    """The outcomes that fail the gate unless they are known."""
    return frozenset({Outcome.FAILED, Outcome.NON_STRICT} if strict else {Outcome.FAILED})


def survey(recorded: Recorded) -> Survey:
    """Put a run's records in order."""
    columns = _columns(recorded)
    cases = sorted({case for column in columns for case in column.cells}, key=case_order)
    pages = slugs(cases)
    none = Cell()
    rows = tuple(
        Row(case, f"{pages[case]}.html", tuple(column.cells.get(case, none) for column in columns)) for case in cases
    )
    return Survey(
        run=recorded.run,
        columns=columns,
        sections=_sections(rows),
        rows=rows,
        banner=_banner(recorded.run, columns),
        unreadable=recorded.unreadable,
    )


def _columns(recorded: Recorded) -> tuple[Column, ...]:
    by_pair: dict[tuple[str, str], list[Result]] = {}
    for result in recorded.results.values():
        by_pair.setdefault((result.target, result.engine), []).append(result)
    runs = {(run.target, run.engine): run for run in recorded.run.targets}
    for (target, engine), results in by_pair.items():
        if (target, engine) not in runs:
            runs[target, engine] = TargetRun(target=target, engine=engine, started_as="url", expected=len(results))
    known_pairs = {(run.target, run.engine) for run in recorded.run.targets}
    pages = slugs(target for target, _ in runs)
    return tuple(
        Column(
            number=number,
            run=run,
            page=f"{pages[run.target]}.html",
            cells=_cells(run, by_pair.get(pair, [])),
            strict=recorded.run.strict,
            is_recorded=pair in known_pairs,
        )
        for number, (pair, run) in enumerate(runs.items(), 1)
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
        else:
            passing.append(case)
    return DeviationUse(deviation, tuple(explained), tuple(passing), tuple(otherwise))


def _sections(rows: Sequence[Row]) -> tuple[Group, ...]:
    by_section: dict[str, dict[str, list[Row]]] = {}
    for row in rows:
        by_section.setdefault(section_of(row.case), {}).setdefault(subsection_of(row.case), []).append(row)
    return tuple(
        Group(
            number=number,
            title=SECTIONS.get(number, ""),
            rows=tuple(row for part in parts.values() for row in part),
            parts=tuple(Group(part, SUBSECTIONS.get(part, ""), tuple(members)) for part, members in parts.items()),
        )
        for number, parts in by_section.items()
    )


def _banner(run: Run, columns: Sequence[Column]) -> Banner:
    """What the run comes to. It is green only when nothing that was asked for is missing."""
    gaps = [gap for column in columns if (gap := _gap(column))]
    if run.state in _UNFINISHED:
        gaps.insert(0, f"{_UNFINISHED[run.state]}: what is shown is what was measured until then.")
    if not columns:
        gaps.append("No target was run.")
    known = sum(column.known for column in columns)
    unexplained = sum(column.unexplained for column in columns)
    stale = sum(column.stale for column in columns)
    failures = " and ".join(
        f"{count} {what}{'' if count == 1 else 's'}"
        for count, what in ((unexplained, "failed verdict"), (stale, "stale known deviation"))
        if count
    )
    if gaps and failures:
        return Banner("f", f"\u2717 Incomplete, and {failures}", tuple(gaps))
    if gaps:
        return Banner("l", "! Incomplete", tuple(gaps))
    if failures:
        return Banner("f", f"\u2717 {failures}", (f"Besides {known} that are known.",) if known else ())
    if run.exit_code:
        return Banner("f", f"\u2717 Ended with exit code {run.exit_code}", ())
    if known:
        headline = f"\u2713 Passed, with {known} known deviation{'' if known == 1 else 's'}"
        return Banner("k", headline, ("Each has a reason; see its page.",))
    return Banner("p", "\u2713 Passed", ())


def _gap(column: Column) -> str:
    """What keeps a column from being complete, in words."""
    who = f"{column.run.target} ({column.run.engine})"
    if column.run.error:
        return f"{who} could not be run: {column.run.error}"
    if not column.is_recorded:
        return f"{who}: {column.observed} judged; run.json does not say how many were asked for."
    if column.is_complete:
        return ""
    if not column.run.expected:
        return f"{who}: no case was asked for."
    losses = ((column.lost, "lost"), (column.missing, "not reached"))
    words = [f"{count} {what}" for count, what in losses if count] or [
        "which run.json and results.jsonl do not agree on"
    ]
    return f"{who}: {column.run.expected} cases asked for, {column.observed} judged, {' and '.join(words)}."
