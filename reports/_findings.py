"""What the gate decided, and on what: what every format has to tell of a run, whoever reads it.

Every run that the gate fails has at least one thing here that says why: a case that failed or is lost, a stale
deviation, or a `Gap`. One that it passes has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal

from harness.gate import failing_outcomes
from harness.results import FAILING_BEHAVIOR, case_order
from reports._text import cut, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.results import Deviation, Evidence, Result, Run
    from reports._column import Cell, Column
    from reports._load import Recorded
    from reports._view import Site

#: So much evidence is in memory at once.
_BATCH = 50
#: Newlines and tabs, where a text has to stay on its line.
_ON_ONE_LINE = str.maketrans({"\n": "\N{SYMBOL FOR NEWLINE}", "\t": "\N{SYMBOL FOR HORIZONTAL TABULATION}"})

_STATES = {
    "running": ("not ended", "The run has not ended, or was killed."),
    "interrupted": ("interrupted", "The run was interrupted."),
    "error": ("ended with an error", "The run ended with an error."),
}


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that fails the gate and that is no case."""

    name: str  #: a few words of ours
    words: str  #: a sentence, which may quote anybody


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate says of the run, in words of ours alone."""

    exit_code: int
    kind: Literal["passed", "known", "failed", "incomplete"]  #: the first two are what passes
    word: str  #: Passed, Failed, Incomplete
    counts: tuple[str, ...]  #: what of that there is: `3 unexpected failures`

    @property
    def passed(self) -> bool:
        """Whether the gate passes it."""
        return self.exit_code == 0

    @property
    def headline(self) -> str:
        """All of it on one line."""
        return f"{self.word}: {', '.join(self.counts)}" if self.counts else self.word


def shown(text: str, longest: int) -> str:
    """A text cut, and with whatever would be hidden in it shown by its name."""
    return str(visible(cut(text, longest)))


def line(text: str, longest: int) -> str:
    """The same on one line."""
    return shown(text, longest).translate(_ON_ONE_LINE)


def counted(count: int, what: str) -> str:
    """`1 failure`, `2 failures`."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def decide(run: Run, columns: Sequence[Column], exit_code: int) -> Decision:
    """The gate's exit code, and what stands behind it."""
    failing = failing_outcomes(strict=run.strict)
    cells = [cell for column in columns for cell in column.cells.values()]
    known = sum(cell.deviation is not None and cell.outcome in failing for cell in cells)
    stale = sum(column.stale for column in columns)
    if exit_code == 0:
        noted = [(known, "known deviation"), (stale, "stale known deviation")]
        counts = tuple(counted(count, what) for count, what in noted if count)
        return Decision(0, "known" if counts else "passed", "Passed", counts)
    failures = [
        (sum(column.unexplained for column in columns), "unexpected failure"),
        (0 if run.allow_stale else stale, "stale known deviation"),
        (sum(len(column.run.unexplained) for column in columns), "unexplained death"),
        (sum(len(lost_of(column)) for column in columns), "lost case"),
        (sum(column.run.error is not None for column in columns), "dead target"),
    ]
    word = {1: "Failed", 3: "Could not be run", 4: "Incomplete", 130: "Interrupted"}.get(
        exit_code, f"Ended with exit code {exit_code}"
    )
    counts = tuple(counted(count, what) for count, what in failures if count)
    return Decision(exit_code, "failed" if exit_code == 1 else "incomplete", word, counts)


def lost_of(column: Column) -> dict[str, str]:
    """The cases that are recorded as lost, and why; also one that has a verdict all the same, for the gate fails it."""
    return {lost.case: lost.reason for lost in column.run.lost}


def gaps_of(column: Column) -> tuple[Gap, ...]:
    """What fails the gate at one target and is no case."""
    run = column.run
    gaps = []
    if run.error is not None:
        gaps.append(Gap("could not be run", f"The target could not be run: {run.error}"))
    elif not column.is_recorded:
        gaps.append(Gap("not in run.json", "There are verdicts, but run.json does not say how many were asked for."))
    else:
        judged = column.judgement.counts.total()
        lost = [case for case in lost_of(column) if case not in column.cells or column.cells[case].result is None]
        if not run.expected and not judged and not lost:
            gaps.append(Gap("no case", "No case was asked for."))
        elif run.expected != judged + len(lost):
            words = (
                f"{counted(run.expected, 'case')} asked for, {judged} judged, {len(lost)} lost: the rest has no trace."
            )
            if run.expected < judged + len(lost):
                words = f"{counted(run.expected, 'case')} asked for, but {judged} judged and {len(lost)} lost."
            gaps.append(Gap("number of cases", words))
    gaps += [Gap(f"unexplained death {number}", f"It died: {death}") for number, death in enumerate(run.unexplained, 1)]
    return tuple(gaps)


def gaps_of_run(site: Site) -> tuple[Gap, ...]:
    """What fails the gate and belongs to no target."""
    gaps = [Gap(*_STATES[site.run.state])] if site.run.state in _STATES else []
    if not site.columns:
        gaps.append(Gap("no target", "No target was run."))
    if site.decision.exit_code and not gaps and not any(_fails(column) for column in site.columns):
        # such as a target that run.json lists twice
        gaps.append(
            Gap("not explained", f"The gate exits with {site.decision.exit_code}, but nothing that is shown says why.")
        )
    return tuple(gaps)


def _fails(column: Column) -> bool:
    judgement = column.judgement
    stale = judgement.stale and not judgement.allow_stale
    return bool(judgement.unexpected or stale or lost_of(column) or gaps_of(column))


def stale_of(column: Column) -> dict[str, Deviation]:
    """The cases that no longer do what a known deviation says, and that deviation."""
    stale = {stale.result.case: stale.deviation for stale in column.judgement.stale}
    return {case: stale[case] for case in in_order(stale)}


def unexpected_of(column: Column) -> list[str]:
    """The cases that fail the gate, in order."""
    return in_order(result.case for result in column.judgement.unexpected)


def known_of(column: Column) -> list[str]:
    """The cases that are no pass, as a known deviation says."""
    return in_order(case for case, cell in column.cells.items() if cell.deviation)


def in_order(cases: Iterable[str]) -> list[str]:
    """Cases in their order, each once."""
    return sorted(set(cases), key=case_order)


def with_evidence(
    recorded: Recorded, column: Column, cases: Iterable[str]
) -> Iterator[tuple[str, Cell, Evidence | None]]:
    """Cases of a target with what each came to and what that rests on, a few in memory at a time."""
    left = iter(cases)
    while some := list(islice(left, _BATCH)):
        keys = {case: (column.run.target, column.run.engine, case) for case in some}
        evidence = recorded.evidence.read(keys.values())
        for case, key in keys.items():
            yield case, column.cells[case], evidence.get(key)


def verdict_of(result: Result) -> str:
    """The worst of what a verdict says, in Autobahn's words or a probe's."""
    if result.verdict:
        return str(result.verdict)
    return str(result.behavior if result.behavior in FAILING_BEHAVIOR else result.behavior_close)
