"""What differs from an earlier run: counts for each implementation, and each case with where it is shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from harness.diff import Kind, diff
from harness.results import Lost
from reports._column import LIMITS

if TYPE_CHECKING:
    from harness.diff import Change
    from harness.results import Result, Run
    from reports._load import Key
    from reports._view import Site

#: A run, and its results.
Verdicts = tuple["Run", "dict[Key, Result]"]

#: The class of each kind's colour.
_CSS = {Kind.REGRESSION: "f", Kind.FIX: "p", Kind.CHANGED: "n", Kind.APPEARED: "i", Kind.VANISHED: "u"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A change, and where its case is shown."""

    change: Change
    css: str
    page: str | None  #: none of a case that is there no more
    old: str
    new: str


@dataclass(frozen=True)
class Since:
    """All that differs from an earlier run."""

    old: Run
    changes: tuple[Shown, ...]  #: regressions first
    same: int
    versions: tuple[tuple[str, str, str], ...]  #: target, version then, version now
    counts: dict[tuple[str, str], Counter[Kind]]  #: by target and engine

    @property
    def telling(self) -> tuple[Shown, ...]:
        """Without what merely was not asked for in one of the runs."""
        return tuple(one for one in self.changes if one.change.kind not in (Kind.APPEARED, Kind.VANISHED))

    @cached_property
    def regressions(self) -> int:
        """How many there are."""
        return sum(one.change.kind is Kind.REGRESSION for one in self.changes)


def what_differs(site: Site, old: Verdicts, new: dict[Key, Result]) -> Since:
    """Compare the run of a site with an earlier one."""
    found = diff((old[0], old[1].values()), (site.run, new.values()), strict=site.run.strict)
    places = _places(site)
    kinds = list(Kind)
    changes = sorted(found.changes, key=lambda change: kinds.index(change.kind))  # stable: else as they are
    counts: dict[tuple[str, str], Counter[Kind]] = {}
    for change in changes:
        counts.setdefault((change.target, change.engine), Counter())[change.kind] += 1
    return Since(
        old=old[0],
        changes=tuple(
            Shown(
                change,
                _CSS[change.kind],
                places.get((change.target, change.engine, change.case)),
                _words(change.old),
                _words(change.new),
            )
            for change in changes
        ),
        same=found.same,
        versions=tuple(found.versions),
        counts=counts,
    )


def _places(site: Site) -> dict[Key, str]:
    return {
        (column.run.target, column.run.engine, row.case): f"{column.folder}/{row.page}#{column.number}"
        for survey in (site.conformance, site.limits)
        for column in survey.columns
        for row in survey.rows
        if row.case in column.cells
    }


def _words(said: Result | Lost | None) -> str:
    if said is None:
        return "not asked"
    if isinstance(said, Lost):
        return "LOST"
    return str(said.verdict) if said.engine == LIMITS and said.verdict else f"{said.behavior}, {said.behavior_close}"
