"""What the pages show of a run: rows of cases in sections, and what the whole comes to.

Conformance and limits are surveyed apart: their cases have nothing in common. The banner is over both. Templates get
these values and decide nothing: whether something is green, the gate has decided.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from harness.gate import judge_run
from harness.results import Outcome, case_order
from reports._column import OUTCOME_CSS, Cell, Column, columns_of
from reports._findings import decide, gaps_of, gaps_of_run, lost_of
from reports._sections import SECTIONS, SUBSECTIONS, is_of_ours, section_of, subsection_of
from reports._text import slugs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.results import Run
    from reports._findings import Decision
    from reports._load import Recorded

#: The colour and the sign of each kind of decision.
_BANNERS = {"passed": ("p", "\u2713"), "known": ("k", "\u2713"), "failed": ("f", "\u2717"), "incomplete": ("l", "!")}


@dataclass(frozen=True, slots=True)
class Row:
    """A case and its cells, a cell a column."""

    case: str
    page: str
    cells: tuple[Cell, ...]

    @property
    def is_of_ours(self) -> bool:
        """Whether the Autobahn Testsuite has no such case."""
        return is_of_ours(self.case)

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
        return "k" if worst is Outcome.FAILED and known == counts[worst] else OUTCOME_CSS[worst], ", ".join(words)


_BY_WEIGHT = (Outcome.LOST, Outcome.NON_STRICT, Outcome.UNIMPLEMENTED, Outcome.INFORMATIONAL)


@dataclass(frozen=True, slots=True)
class Banner:
    """What the run comes to, in a line and its reasons."""

    css: str
    headline: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Survey:
    """Cases and columns that belong together: those of conformance, or the limit probes."""

    columns: tuple[Column, ...]
    sections: tuple[Group, ...]
    rows: tuple[Row, ...]
    titles: dict[str, str] = field(default_factory=dict)  #: a case's first sentence, filled in from the evidence

    @cached_property
    def engines(self) -> tuple[str, ...]:
        """The engines, in the order of the columns."""
        return tuple(dict.fromkeys(column.run.engine for column in self.columns))

    @property
    def has_many_engines(self) -> bool:
        """Whether a column has to say which engine it is of."""
        return len(self.engines) > 1

    @property
    def passed(self) -> int:
        """How many columns have nothing that fails the gate."""
        return sum(column.status[0] in ("p", "k") for column in self.columns)

    @property
    def families(self) -> tuple[Group, ...]:
        """The subsections of all sections: the families of the limit probes."""
        return tuple(part for section in self.sections for part in section.parts)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the overview: an implementation under an engine, and its limits."""

    column: Column  #: of its limit probes, where it has no other
    limits: Column | None

    @property
    def filters(self) -> str:
        """By what it can be found: f: it fails, i: it is incomplete."""
        columns = [self.column, self.limits] if self.limits else [self.column]
        fails = any(column.status[0] == "f" for column in columns)
        return ("f" if fails else "") + ("" if all(column.is_complete for column in columns) else "i")


@dataclass(frozen=True, slots=True)
class Site:
    """The whole run."""

    run: Run
    columns: tuple[Column, ...]
    conformance: Survey
    limits: Survey
    decision: Decision  #: the gate's, now: it may have been told to expect something else since the run
    unreadable: tuple[str, ...]

    @property
    def banner(self) -> Banner:
        """The decision as it stands over the pages."""
        css, sign = _BANNERS[self.decision.kind]
        reasons = [gap.words for gap in gaps_of_run(self)]
        for column in self.columns:
            words = [gap.words for gap in gaps_of(column)]
            if lost := lost_of(column):
                words.append(f"{len(lost)} of {column.run.expected} lost.")
            reasons += [f"{column.run.target} ({column.run.engine}): {word}" for word in words]
        if self.decision.kind == "known":
            reasons.append("Each has a reason; see its page.")
        return Banner(css, f"{sign} {self.decision.headline}", tuple(reasons))

    @property
    def targets(self) -> dict[str, list[Column]]:
        """The columns of each target, conformance first."""
        found: dict[str, list[Column]] = {}
        for column in sorted(self.columns, key=lambda column: column.probes):
            found.setdefault(column.run.target, []).append(column)
        return found

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines of the overview."""
        found = []
        for columns in self.targets.values():
            limits = next((column for column in columns if column.probes), None)
            found += [Line(column, limits) for column in columns if not column.probes or len(columns) == 1]
        return tuple(found)

    @property
    def duration(self) -> str:
        """How long the run took, as far as it says; several that were merged may have run side by side."""
        if self.run.finished_at is None:
            return ""
        try:
            took = datetime.fromisoformat(self.run.finished_at) - datetime.fromisoformat(self.run.started_at)
        except (ValueError, TypeError):  # no times, or one of them without a zone
            return ""
        return str(timedelta(seconds=round(took.total_seconds())))

    def survey_of(self, column: Column) -> Survey:
        """The survey that the column is in."""
        return self.limits if column.probes else self.conformance


def survey(recorded: Recorded) -> Site:
    """Put a run's records in order."""
    columns = columns_of(recorded)
    _, exit_code = judge_run(recorded.run, recorded.results.values())
    return Site(
        run=recorded.run,
        columns=columns,
        conformance=_survey(column for column in columns if not column.probes),
        limits=_survey(column for column in columns if column.probes),
        decision=decide(recorded.run, columns, int(exit_code)),
        unreadable=recorded.unreadable,
    )


def _survey(chosen: Iterable[Column]) -> Survey:
    columns = tuple(chosen)
    cases = sorted({case for column in columns for case in column.cells}, key=case_order)
    pages = slugs(cases)
    none = Cell()
    rows = tuple(
        Row(case, f"{pages[case]}.html", tuple(column.cells.get(case, none) for column in columns)) for case in cases
    )
    return Survey(columns, _sections(rows), rows)


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
