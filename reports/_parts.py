"""What the page of an implementation shows: what went wrong first, each with a sentence and how to repeat it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.results import Outcome
from reports._case import repeat_command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reports._column import Cell, Column
    from reports._load import Key
    from reports._view import Row, Survey


@dataclass(frozen=True, slots=True)
class Finding:
    """A case on an implementation's page."""

    row: Row
    cell: Cell
    sentence: str
    command: str


@dataclass(frozen=True, slots=True)
class Part:
    """What an implementation's page says about one engine."""

    column: Column
    failures: tuple[Finding, ...]
    lost: tuple[Finding, ...]
    known: tuple[Finding, ...]
    notable: tuple[Finding, ...]  #: non-strict, unimplemented, informational
    rows: tuple[tuple[Row, Cell], ...]
    log: str | None


def part(survey: Survey, column: Column, sentences: Mapping[Key, str], log: str | None) -> Part:
    """What to say about one column; `sentences` has those of all cases that did not pass."""
    rows = [(row, column.cells[row.case]) for row in survey.rows if row.case in column.cells]

    def findings(wanted: Callable[[Cell], bool]) -> tuple[Finding, ...]:
        return tuple(
            Finding(
                row=row,
                cell=cell,
                sentence=sentences.get((column.run.target, column.run.engine, row.case), ""),
                command=repeat_command(survey, column, row.case),
            )
            for row, cell in rows
            if wanted(cell)
        )

    return Part(
        column=column,
        failures=findings(lambda cell: cell.outcome is Outcome.FAILED and not cell.deviation),
        lost=findings(lambda cell: cell.outcome is Outcome.LOST),
        known=findings(lambda cell: cell.deviation is not None),
        notable=findings(
            lambda cell: (
                cell.outcome in (Outcome.NON_STRICT, Outcome.UNIMPLEMENTED, Outcome.INFORMATIONAL)
                and not cell.deviation
            )
        ),
        rows=tuple(rows),
        log=log,
    )
