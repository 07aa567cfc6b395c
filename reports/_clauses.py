"""The page of the clauses: what the RFCs ask of a server, and what its cases came to at each implementation.

A cell says no more than its cases do. Kept is what at least one of them saw, and none saw otherwise. A case often tests
several clauses at once, so all of them are broken where it fails, and its page says what it was.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.clauses import cases_of_clauses, clauses
from harness.results import Outcome
from reports._column import OUTCOME_CSS
from reports._sections import RFCS, SECTIONS_OF_RFCS
from reports._text import clause_link

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.clauses import Clause
    from reports._column import Cell, Column
    from reports._view import Line, Site

#: Which outcome of its cases decides about a clause. One that is lost might have broken it.
_BY_WEIGHT = (
    Outcome.FAILED, Outcome.NON_STRICT, Outcome.LOST, Outcome.PASSED, Outcome.INFORMATIONAL, Outcome.UNIMPLEMENTED,
)  # fmt: skip
#: What a MUST comes to. What is NON-STRICT breaks a SHOULD that the same case looks at, or keeps the MUST late.
_WORDS = {
    Outcome.FAILED: "broken",
    Outcome.NON_STRICT: "not strictly",
    Outcome.LOST: "lost",
    Outcome.PASSED: "kept",
    Outcome.INFORMATIONAL: "informational",
    Outcome.UNIMPLEMENTED: "not implemented",
}
#: Where a SHOULD or a MAY has other words: of a MAY nothing can be broken, but a case of it can fail.
_WORDS_OF_SHOULD = _WORDS | {Outcome.NON_STRICT: "not kept"}
_WORDS_OF_MAY = _WORDS | {Outcome.FAILED: "a case failed", Outcome.PASSED: "passed"}
#: Most cases that a cell names.
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Place:
    """A case at an implementation."""

    case: str
    href: str
    is_known: bool  #: whether a known deviation explains it


@dataclass(frozen=True, slots=True)
class Sum:
    """What the cases of a clause come to at one implementation."""

    outcome: Outcome | None  #: None: none of them was run
    words: str
    css: str
    counts: str  #: how many cases came to what, where not all of them passed; empty elsewhere
    passed: str  #: `4 of 5`, where a clause is kept and not all of its cases passed
    places: tuple[Place, ...]  #: of the cases that decide: up to three, of those that passed only the first
    more: int = 0  #: how many that decide are not named
    is_known: bool = False  #: whether known deviations explain all that decide

    @property
    def is_named(self) -> bool:
        """Whether the cases are named, and not linked from the word."""
        return self.outcome in (Outcome.FAILED, Outcome.NON_STRICT, Outcome.LOST)


@dataclass(frozen=True, slots=True)
class ClauseRow:
    """A clause, and a sum for each implementation if there are cases for it."""

    clause: Clause
    sums: tuple[Sum, ...]

    @property
    def filters(self) -> str:
        """By what it can be found. d: implementations differ, f: broken or not kept, u: without a case."""
        differs = len({each.words for each in self.sums if each.outcome is not None}) > 1
        fails = any(each.is_named for each in self.sums)
        return ("f" if fails else "") + ("d" if differs else "") + ("" if self.sums else "u")


@dataclass(frozen=True, slots=True)
class Section:
    """The clauses of a section of an RFC."""

    source: str  #: `RFC 6455 5.1`
    title: str
    rows: tuple[ClauseRow, ...]

    @property
    def anchor(self) -> str:
        """Its id: `6455-5.1`."""
        return _anchor(self.rows[0].clause)

    @property
    def link(self) -> str | None:
        """Where it stands at its publisher's."""
        return clause_link(self.source)


@dataclass(frozen=True, slots=True)
class Rfc:
    """The sections of an RFC that ask something of a server."""

    number: str
    title: str
    sections: tuple[Section, ...]

    @property
    def rows(self) -> tuple[ClauseRow, ...]:
        """The clauses of all its sections."""
        return tuple(row for section in self.sections for row in section.rows)


@dataclass(frozen=True, slots=True)
class Tally:
    """What the clauses that are a MUST or a SHOULD come to at one implementation."""

    column: Column
    counts: Counter[Outcome | None]
    known: int  #: of those that are broken, how many by known deviations alone

    @property
    def tested(self) -> int:
        """Of how many there is something to say: at least one case was run, found it implemented, and is not lost."""
        return sum(
            self.counts[one]
            for one in (Outcome.PASSED, Outcome.FAILED, Outcome.NON_STRICT, Outcome.INFORMATIONAL)
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ClausesPage:
    """All clauses, and all implementations."""

    columns: tuple[Column, ...]
    rfcs: tuple[Rfc, ...]
    tallies: tuple[Tally, ...]

    @property
    def rows(self) -> tuple[ClauseRow, ...]:
        """All clauses."""
        return tuple(row for rfc in self.rfcs for row in rfc.rows)

    @property
    def counted(self) -> int:
        """How many the tallies are over: what is a MUST or a SHOULD and has cases."""
        return sum(_is_asked(row.clause) and bool(row.sums) for row in self.rows)

    def of_state(self, state: str) -> int:
        """How many are tested, untested or unobservable."""
        return sum(row.clause.state == state for row in self.rows)


def clauses_of_cases() -> Mapping[str, tuple[Clause, ...]]:
    """The clauses that each case tests."""
    cases = cases_of_clauses()
    found: dict[str, list[Clause]] = {}
    for clause in clauses():
        for case in cases[clause.id]:
            found.setdefault(case, []).append(clause)
    return {case: tuple(tested) for case, tested in found.items()}


def anchors_of_sections() -> Mapping[str, str]:
    """Where each section of an RFC is on the page: `RFC 6455 5.1` is at `6455-5.1`."""
    return {clause.source: _anchor(clause) for clause in clauses()}


def clauses_page(site: Site) -> ClausesPage:
    """What the run says about each clause."""
    pages = {row.case: row.page for survey in (site.conformance, site.limits) for row in survey.rows}
    cases = cases_of_clauses()
    rows = [
        ClauseRow(
            clause,
            tuple(_sum_up(clause, cases[clause.id], line, pages) for line in site.lines)
            if clause.state == "tested"
            else (),
        )
        for clause in clauses()
    ]
    return ClausesPage(
        columns=tuple(line.column for line in site.lines),
        rfcs=tuple(_rfcs(rows)),
        tallies=tuple(_tally(line.column, number, rows) for number, line in enumerate(site.lines)),
    )


def _rfcs(rows: Iterable[ClauseRow]) -> Iterator[Rfc]:
    by_rfc: dict[str, dict[str, list[ClauseRow]]] = {}
    for row in rows:
        source = row.clause.source
        by_rfc.setdefault(source.split()[1], {}).setdefault(source, []).append(row)
    for number, by_source in by_rfc.items():
        sections = (
            Section(source, SECTIONS_OF_RFCS.get(source, ""), tuple(members)) for source, members in by_source.items()
        )
        yield Rfc(number, RFCS.get(number, ""), tuple(sections))


def _anchor(clause: Clause) -> str:
    return clause.id.rpartition("-")[0]


def _is_asked(clause: Clause) -> bool:
    return clause.level != "MAY"


def _tally(column: Column, number: int, rows: Iterable[ClauseRow]) -> Tally:
    sums = [row.sums[number] for row in rows if row.sums and _is_asked(row.clause)]
    return Tally(column, Counter(each.outcome for each in sums), sum(each.css == "k" for each in sums))


def _words(clause: Clause) -> dict[Outcome, str]:
    if clause.level == "MAY":
        return _WORDS_OF_MAY
    return _WORDS_OF_SHOULD if clause.level.startswith("SHOULD") else _WORDS


def _sum_up(clause: Clause, cases: tuple[str, ...], line: Line, pages: Mapping[str, str]) -> Sum:
    """What the cases of a clause come to in one line of the overview: an implementation, and its limits."""
    columns = [line.column]
    if line.limits and line.limits is not line.column:
        columns.append(line.limits)
    found: list[tuple[str, Cell, Column]] = [
        (case, column.cells[case], column) for case in cases for column in columns if case in column.cells
    ]
    if not found:
        return Sum(None, "not run", "x", "", "", ())
    counts = Counter(cell.outcome for _, cell, _ in found)
    worst = next(outcome for outcome in _BY_WEIGHT if counts[outcome])
    deciding = [(case, cell, column) for case, cell, column in found if cell.outcome is worst]
    is_known = worst in (Outcome.FAILED, Outcome.NON_STRICT) and all(cell.deviation for _, cell, _ in deciding)
    named = deciding[: _MOST_NAMED if worst in _BY_WEIGHT[:3] else 1]
    is_partly_kept = worst is Outcome.PASSED and counts[worst] < len(cases)
    return Sum(
        outcome=worst,
        words=_words(clause)[worst] + (" (known)" if is_known else ""),
        css="k" if is_known and worst is Outcome.FAILED else OUTCOME_CSS[worst],
        counts="" if counts[Outcome.PASSED] == len(cases) else _counts(counts, len(cases)),
        passed=f"{counts[worst]} of {len(cases)}" if is_partly_kept else "",
        places=tuple(
            Place(case, f"{column.folder}/{pages[case]}#{column.number}", bool(cell.deviation))
            for case, cell, column in named
        ),
        more=len(deciding) - len(named) if worst in _BY_WEIGHT[:3] else 0,
        is_known=is_known,
    )


def _counts(counts: Counter[Outcome | None], total: int) -> str:
    """`4 of 5 cases run: 3 passed, 1 unimplemented`; one that is lost was not run to its end."""
    run = counts.total() - counts[Outcome.LOST]
    parts = [f"{counts[outcome]} {outcome}" for outcome in reversed(_BY_WEIGHT) if counts[outcome]]
    return f"{run} of {total} case{'s' if total != 1 else ''} run: {', '.join(parts)}"
