"""Runs cases against a target until each has a verdict or is lost, and says whose fault it was if the target died.

A target that dies takes other cases' connections down with it, when several run at once. So a batch's verdicts count at
once only if a fresh connection works after it. If not, its failing verdicts, its last one (the case after which
nothing worked any more) and the cases that were under way are put aside and run again alone, one after the other, on a
target started anew: who fails alone has failed, who kills the server alone has killed it, and the rest get a fair
verdict.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.endpoint import Endpoint
from harness.engines import Batch, Engine, Job, Record
from harness.errors import TargetError, WsconformError
from harness.results import Behavior, Lost, Outcome, ProbeVerdict, TargetRun, WireEvent
from harness.targets import Target
from harness.targets.guard import Usage, together

#: Bounds on what a broken target may cost: starts anew, cases that got the engine stuck, rounds without a verdict.
MAX_RESTARTS = 25
MAX_STUCK = 10
MAX_FRUITLESS = 2


@dataclass
class CaseRunner:
    """One target under one engine."""

    about: TargetRun  #: what is known of it from earlier parts of the run
    cases: Sequence[str]
    engine: Engine
    target: Target
    folder: Path
    jobs: int
    record: Callable[[Record], None]
    others: Sequence[Target] = ()  #: further instances of the same target, over which the cases may be spread
    profile: str = "full"
    on_case: Callable[[str], None] = lambda _: None
    on_wire: Callable[[str, WireEvent], None] | None = None
    say: Callable[[str], None] = lambda _: None
    _began: float = field(default_factory=time.monotonic)
    _error: str | None = None
    _pending: list[str] = field(default_factory=list)
    _alone: list[str] = field(default_factory=list)
    _lost: dict[str, str] = field(default_factory=dict)
    _observed: int = 0
    _restarts: int = 0
    _death: str | None = None  #: one that no case has been blamed for yet
    _unexplained: list[str] = field(default_factory=list)
    _in_vain: int = 0  #: starts anew since the last verdict
    _stuck: int = 0
    _endpoints: Sequence[Endpoint] = ()

    def __post_init__(self) -> None:
        self._pending = list(self.cases)

    def run(self) -> TargetRun:
        """Run the cases, and stop the target."""
        try:
            self._start()
            self._run_all()
        except TargetError as problem:
            self._lose_rest(problem.message)
            # once there were verdicts, a target that does not come back is a run that is incomplete
            self._error = problem.message if self._observed == 0 else None
            self.say(problem.message + (f"\n{problem.details}" if problem.details else ""))
        except WsconformError as problem:
            self._lose_rest(problem.message)
            raise
        finally:
            for target in self._instances:
                target.stop()
        return self.outcome

    @property
    def outcome(self) -> TargetRun:
        """What came of it by now, wherever it was interrupted: `about` with what was observed and lost."""
        about = self.about
        return about.model_copy(
            update={
                **self._used(),
                "url": self._endpoints[0].url if self._endpoints else about.url,
                "observed": about.observed + self._observed,
                "lost": [Lost(case=case, reason=reason) for case, reason in self._lost.items()]
                + [Lost(case=case, reason="the run was stopped before it") for case in self._unfinished()],
                "restarts": about.restarts + self._restarts,
                "unexplained": [*about.unexplained, *self._unexplained],
                "seconds": round(about.seconds + time.monotonic() - self._began, 3),
                "error": self._error,
            }
        )

    def _used(self) -> dict[str, object]:
        """What the instances used; probes have servers of their own, and tell it in their verdicts."""
        usages = [usage for target in self._instances if (usage := target.usage()) is not None]
        if not usages or self.engine.suite == "limits":
            return {}
        used = together([*usages, Usage(self.about.peak_memory or 0, self.about.cpu_seconds or 0.0)])
        return {"peak_memory": used.peak_memory, "cpu_seconds": round(used.cpu_seconds, 2)}

    @property
    def _instances(self) -> Sequence[Target]:
        return [self.target, *self.others]

    def _start(self) -> None:
        self._endpoints = [target.start() for target in self._instances]

    def _problem(self) -> str | None:
        """None if every instance answers, else what is wrong with the first that does not."""
        return next(filter(None, (target.problem() for target in self._instances)), None)

    def _unfinished(self) -> list[str]:
        return [*self._pending, *self._alone]

    def _lose_rest(self, reason: str) -> None:
        self._lost |= dict.fromkeys(self._unfinished(), reason)
        self._pending, self._alone = [], []

    def _run_all(self) -> None:
        fruitless = 0
        while self._unfinished():
            self._bring_back()
            alone = bool(self._alone)
            cases = self._alone[:1] if alone else list(self._pending)
            before = self._unfinished()
            reason = self._round(cases, alone=alone)
            fruitless = fruitless + 1 if self._unfinished() == before else 0
            if fruitless == MAX_FRUITLESS:
                self._lose_rest(reason)

    def _bring_back(self) -> None:
        """Have a target that answers, started anew if it does not."""
        problem = self._problem()
        if problem is None:
            return
        if self._in_vain >= MAX_RESTARTS:
            raise TargetError(
                f"{self.target.name} stopped answering more than {MAX_RESTARTS} times without a verdict: {problem}"
            )
        self.say(f"{self.target.name}: {problem}; starting it anew")
        self._restarts += 1
        self._in_vain += 1
        self._start()

    def _round(self, cases: list[str], *, alone: bool) -> str:
        """Run the cases once; returns why those without a verdict have none."""
        begun: set[str] = set()

        def on_case(case: str) -> None:
            begun.add(case)
            self.on_case(case)

        job = Job(
            target=self.target.name,
            endpoints=self._endpoints,
            cases=cases,
            jobs=1 if alone else self.jobs,
            deflates=self.target.deflates,
            instance=self.target,
            folder=self.folder,
            profile=self.profile,
            on_case=on_case,
            on_wire=self.on_wire,
            stop=threading.Event(),
        )
        died: str | None = None
        reason = ""
        with contextlib.closing(self.engine.run(job)) as batches:
            for batch in batches:
                died = died or self._problem()
                if died is not None:
                    job.stop.set()
                self._take(batch, died, alone=alone)
                reason = reason or died or batch.reason
        if died is not None and not alone:
            self._alone += [case for case in self._pending if case in begun]
            self._pending = [case for case in self._pending if case not in begun]
        return reason or f"{self.engine.name} gave no verdict for it"

    def _take(self, batch: Batch, died: str | None, *, alone: bool) -> None:
        doubtful: set[str] = set()
        if died is not None and not alone and batch.records:
            doubtful = {
                r.result.case for r in batch.records if batch.side_by_side or r.result.outcome is Outcome.FAILED
            }
            doubtful.add(batch.records[-1].result.case)
        for record in batch.records:
            if record.result.case not in doubtful:
                self._keep(self._blamed(record, died) if died is not None and alone else record)
        self._alone = [case for case in self._alone if case not in batch.cases]
        missing = set(batch.cases) - {record.result.case for record in batch.records}
        self._pending = [
            case for case in self._pending if case not in batch.cases or (case in missing and case != batch.culprit)
        ]
        # in the order of the batch: what was asked for alone and has no verdict is lost
        for case in batch.cases:
            if case in doubtful or (case == batch.culprit and not alone):
                self._alone.append(case)
            elif case in missing and alone:
                self._lost[case] = died or batch.reason or "no verdict"
        if died is not None and not alone:
            self._death = self._death or died
        elif self._death is not None and not self._alone:
            self._unexplained.append(self._death)  # those that ran when it died have each run alone by now
            self._death = None
        self._stuck += batch.culprit is not None
        if self._stuck > MAX_STUCK:
            raise TargetError(f"{self.target.name} got {self.engine.name} stuck more than {MAX_STUCK} times")

    def _keep(self, record: Record) -> None:
        self.record(record)
        self._observed += 1
        self._in_vain = 0

    def _blamed(self, record: Record, died: str) -> Record:
        """The verdict of a case that ran alone and after which nothing answered: whatever else it did, it failed."""
        self._death = None
        words = f"The server died or stopped answering: {died}."
        if output := next(filter(None, (target.last_output() for target in self._instances)), ""):
            words += f" The last it wrote: {output}."
        if record.result.behavior is not Behavior.FAILED:
            words += f" ({record.result.engine.capitalize()}'s own verdict: {record.result.behavior}.)"
        update: dict[str, object] = {"behavior": Behavior.FAILED}
        if record.result.verdict is not None:
            update["verdict"] = ProbeVerdict.CRASHED
        result = record.result.model_copy(update=update)
        evidence = record.evidence.model_copy(update={"outcome": f"{words} {record.evidence.outcome}".strip()})
        return Record(result, evidence)
