"""The gate: what a run comes to. It fails on what it was not told to expect, and on what it did not get to see."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from harness.errors import ExitCode
from harness.results import Deviation, Outcome, Result, Run, TargetRun


@dataclass(frozen=True)
class Stale:
    """A known deviation that no longer happens."""

    result: Result
    deviation: Deviation


@dataclass(frozen=True)
class Judgement:
    """What one target's verdicts come to under one engine."""

    target: TargetRun
    counts: Counter[Outcome]
    unexpected: list[Result] = field(default_factory=list)  #: fail, and no known deviation says so
    known: list[Result] = field(default_factory=list)  #: not a pass, as a known deviation says
    stale: list[Stale] = field(default_factory=list)
    allow_stale: bool = False  #: whether what is stale only warns

    @property
    def complete(self) -> bool:
        """Whether every case that was asked for has a verdict, and there were any."""
        return not self.target.lost and self.target.expected == sum(self.counts.values()) > 0

    @property
    def exit_code(self) -> ExitCode:
        """Incomplete outweighs failed: nobody knows what the lost cases would have said."""
        if self.target.error is not None:
            return ExitCode.CANNOT_RUN
        if not self.complete:
            return ExitCode.INCOMPLETE
        stale = self.stale and not self.allow_stale
        failed = self.unexpected or stale or self.target.unexplained
        return ExitCode.FAILED if failed else ExitCode.PASSED


def failing_outcomes(*, strict: bool) -> frozenset[Outcome]:
    """The outcomes that fail the gate unless they are known."""
    return frozenset({Outcome.FAILED, Outcome.NON_STRICT} if strict else {Outcome.FAILED})


def judge(
    target: TargetRun, results: Iterable[Result], *, strict: bool = False, allow_stale: bool = False
) -> Judgement:
    """Judge the results of one target and engine by its known deviations."""
    failing = failing_outcomes(strict=strict)
    judgement = Judgement(target, Counter(), allow_stale=allow_stale)
    for result in results:
        if (result.target, result.engine) != (target.target, target.engine):
            continue
        outcome = result.outcome
        judgement.counts[outcome] += 1
        covering = [deviation for deviation in target.deviations if deviation.covers(result.case)]
        if any(deviation.explains(result) for deviation in covering):
            judgement.known.append(result)
        elif outcome in failing:
            judgement.unexpected.append(result)
        elif steady := [deviation for deviation in covering if not deviation.wavers]:
            judgement.stale.append(Stale(result, steady[0]))
    return judgement


#: The worst of several targets decides, in this order.
_WORST_FIRST = (ExitCode.INTERRUPTED, ExitCode.CANNOT_RUN, ExitCode.INCOMPLETE, ExitCode.FAILED, ExitCode.PASSED)


def judge_run(run: Run, results: Collection[Result]) -> tuple[list[Judgement], ExitCode]:
    """Judge every target of a run; an empty run, or one that was not finished, is never green.

    Nor is one with verdicts of a target that `run.json` does not know: nobody can say how many there should be.
    """
    of: defaultdict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        of[result.target, result.engine].append(result)
    judgements = [
        judge(target, of[target.target, target.engine], strict=run.strict, allow_stale=run.allow_stale)
        for target in run.targets
    ]
    codes = {judgement.exit_code for judgement in judgements}
    if not judgements or run.state == "running" or strangers(run, results):
        codes.add(ExitCode.INCOMPLETE)
    if run.state == "interrupted":
        codes.add(ExitCode.INTERRUPTED)
    if run.state == "error":
        codes.add(ExitCode.CANNOT_RUN)
    return judgements, min(codes, key=_WORST_FIRST.index)


def strangers(run: Run, results: Iterable[Result]) -> list[tuple[str, str]]:
    """Targets and engines that have verdicts, but that `run.json` does not know."""
    known = {(target.target, target.engine) for target in run.targets}
    return sorted({(result.target, result.engine) for result in results} - known)
