"""A run from beginning to end: targets one after the other, verdicts into the journal, the gate, the report."""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Literal

from harness import __version__, containers, gate, processes
from harness.engines import Engine, Record
from harness.errors import CannotRunError, ExitCode, TargetError, UsageError, WsconformError
from harness.journal import Journal, new_folder, now, point_latest, read_results, read_run, seconds_before, this_machine
from harness.parallel import Executor
from harness.progress import Reporter
from harness.results import (
    Deviation,
    Implementation,
    Lost,
    Run,
    Selection,
    TargetRun,
    Unavailable,
    WireEvent,
)
from harness.runner import CaseRunner
from harness.selection import suite_of
from harness.targets import Target
from harness.targets.process import end_set_ups
from harness.targets.spec import TargetSpec
from harness.work import EngineSpec, Unit

BUILD = Path("build")
#: How often set-ups that are to end are looked for, in seconds.
_LOOK_AGAIN_S = 0.1
#: What the threads of set-ups are called.
_SET_UP = "set-up"
#: What a resumed run keeps of what its first part says of a target; the runner adds to it.
_KEPT = ("url", "restarts", "seconds", "setup_seconds", "peak_memory", "cpu_seconds", "log")


@dataclass(frozen=True)
class Planned:
    """A target that is to be run."""

    target: Target
    others: Sequence[Target] = ()  #: further instances of it
    about: Implementation = field(default_factory=Implementation)
    deviations: list[Deviation] = field(default_factory=list)
    spec: TargetSpec | None = None  #: the target as data, for who sets it up first or runs it elsewhere


@dataclass(frozen=True)
class Plan:
    """What a run is to do."""

    engines: Sequence[Engine]  #: each target is run with each of them
    make_targets: Callable[[Path], Sequence[Planned]]  #: given the run's folder, where targets keep their output
    names: Sequence[str]
    cases: list[str]
    patterns: list[str]
    exclude: list[str]
    jobs: int | None  #: None: what is usual for the engine
    profile: Literal["full", "quick"]
    output: Path | None
    resume: bool
    strict: bool
    allow_stale: bool = False
    baseline: str | None = None  #: name of the file that the known deviations are from
    shard: str | None = None  #: which part of the selection the cases are
    when_done: Callable[[Planned], None] = lambda _: None  #: told of each target when all engines have run on it
    unavailable: Sequence[Unavailable] = ()  #: who was asked for and is not among the targets
    parallel: int = 1  #: how many targets at a time; more than one: each in a process of its own
    engine_specs: Sequence[EngineSpec] = ()  #: the engines as data, for that

    def cases_of(self, engine: Engine) -> list[str]:
        """Those of its suite."""
        return [case for case in self.cases if suite_of(case) == engine.suite]


@dataclass(frozen=True)
class Finished:
    """What came of a run."""

    folder: Path
    run: Run
    judgements: list[gate.Judgement]
    exit_code: ExitCode


class Session:
    """Carries out a plan."""

    def __init__(self, plan: Plan, reporter: Reporter) -> None:
        self._plan = plan
        self._reporter = reporter
        folder = plan.output or (self._latest() if plan.resume else new_folder(BUILD))
        self._journal = Journal(folder, resume=plan.resume)
        self.folder = folder
        try:
            self._earlier = self._check_resumed() if plan.resume else None
        except WsconformError:
            self._journal.close()
            raise
        self._started = self._earlier.started_at if self._earlier else now()
        self._done = read_results(folder) if plan.resume else []
        self._targets: list[TargetRun] = []
        self._lock = threading.Lock()

    @staticmethod
    def _latest() -> Path:
        folder = BUILD / "latest"
        if not folder.exists():
            raise UsageError(f"there is no run to resume: {folder} does not exist")
        return folder.resolve()

    def _check_resumed(self) -> Run:
        """A resumed run asks for what the first part asked for, or its counts would mean nothing."""
        earlier = read_run(self.folder)
        asked = [(target.target, target.engine) for target in earlier.targets]
        if asked != [(name, engine.name) for name in self._plan.names for engine in self._plan.engines]:
            words = ", ".join(f"{target} with {engine}" for target, engine in asked)
            raise UsageError(f"{self.folder} is a run of {words}; --resume goes on with the same targets and engine")
        chosen = earlier.selection
        if (chosen.cases, chosen.exclude, chosen.shard) != (self._plan.patterns, self._plan.exclude, self._plan.shard):
            part = f", shard {chosen.shard}" if chosen.shard else ""
            raise UsageError(
                f"{self.folder} asked for cases {' '.join(chosen.cases)}{part}; --resume goes on with the same"
            )
        return earlier

    def run(self) -> Finished:
        """Run everything that is planned; the journal is kept whatever happens."""
        state = "running"
        problem: WsconformError | None = None
        try:
            # SIGTERM and SIGHUP end a run as Ctrl-C does: with everything stopped and what was measured kept
            with processes.interrupt_once([signal.SIGINT, signal.SIGTERM, signal.SIGHUP]):
                planned = self._plan.make_targets(self.folder)
                pairs = [(one, engine) for one in planned for engine in self._plan.engines]
                self._targets = [self._about(one, engine) for one, engine in pairs]
                self._write("running")
                if self._plan.output is None:
                    point_latest(BUILD, self.folder)  # now, so that --resume finds a run that was killed
                self._set_up(planned)
                if self._plan.parallel > 1 and len(planned) > 1:
                    self._run_parallel(pairs)
                else:
                    self._run_in_turn(pairs)
            state = "complete"
        except KeyboardInterrupt:
            state = "interrupted"
            self._end_what_is_left()
        except WsconformError as error:
            state, problem = "error", error
        finally:
            self._reporter.end()
        return self._finish(state, problem)

    def _end_what_is_left(self) -> None:
        """Of what was being started or stopped in the moment of an interruption nobody may know any more."""
        processes.sweep(ours=True)
        with contextlib.suppress(CannotRunError):
            containers.sweep(containers.connect(), ours=True)

    def _about(self, planned: Planned, engine: Engine) -> TargetRun:
        target = planned.target
        about = TargetRun(
            target=target.name,
            engine=engine.name,
            engine_version=engine.version,
            started_as=target.started_as,
            implementation=planned.about,
            deviations=planned.deviations,
            expected=len(self._plan.cases_of(engine)),
            observed=len(self._have(target.name, engine.name)),
        )
        for earlier in self._earlier.targets if self._earlier else []:
            if (earlier.target, earlier.engine) == (target.name, engine.name):
                kept = {name: getattr(earlier, name) for name in _KEPT}
                return about.model_copy(update=kept)
        return about

    def _have(self, target: str, engine: str) -> set[str]:
        """The cases that an earlier part of the run has verdicts for."""
        return {result.case for result in self._done if (result.target, result.engine) == (target, engine)}

    def _set_up(self, planned: Sequence[Planned]) -> None:
        """Set up what is to be run, several at a time; what fails is told where its verdicts would be."""
        wanted = [
            one for one in planned if one.spec and any(self._cases_left(one, engine) for engine in self._plan.engines)
        ]
        with ThreadPoolExecutor(os.cpu_count() or 1, _SET_UP) as pool:
            try:
                futures = [pool.submit(self._set_up_one, one) for one in wanted]
                for one, future in zip(wanted, futures, strict=True):
                    outcome = future.result()
                    for number, target in enumerate(self._targets):
                        if target.target == one.target.name:
                            self._targets[number] = target.model_copy(update=outcome)
            except KeyboardInterrupt:
                pool.shutdown(wait=False, cancel_futures=True)
                # of a thread that began in this very moment the pool may not know, and a command may begin in it
                while any(thread.name.startswith(_SET_UP) for thread in threading.enumerate()):
                    end_set_ups()
                    time.sleep(_LOOK_AGAIN_S)
                raise

    def _set_up_one(self, planned: Planned) -> dict[str, object]:
        assert planned.spec is not None  # noqa: S101 - the caller has looked
        began = time.monotonic()
        try:
            did_something = planned.spec.set_up(self._reporter.step)
        except TargetError as error:
            self._reporter.say(f"{error.message}\n{error.details}".strip())
            return {"error": error.message}
        return {"setup_seconds": round(time.monotonic() - began, 2)} if did_something else {}

    def _cases_left(self, planned: Planned, engine: Engine) -> list[str]:
        """The cases that have no verdict yet."""
        have = self._have(planned.target.name, engine.name)
        return [case for case in self._plan.cases_of(engine) if case not in have]

    def _run_in_turn(self, pairs: Sequence[tuple[Planned, Engine]]) -> None:
        for number, (one, engine) in enumerate(pairs):
            self._run_one(number, one, engine)
            if engine is self._plan.engines[-1]:
                self._plan.when_done(one)

    def _run_parallel(self, pairs: Sequence[tuple[Planned, Engine]]) -> None:
        """Run units of work side by side."""
        numbers: dict[tuple[str, str], int] = {}
        units: list[Unit] = []
        engines = dict(zip((engine.name for engine in self._plan.engines), self._plan.engine_specs, strict=True))
        took = seconds_before(BUILD)
        for number, (one, engine) in enumerate(pairs):
            if not (cases := self._to_run(number, one, engine)):
                continue
            assert one.spec is not None  # noqa: S101 - who asks for several at once gives them as data
            about = self._targets[number]
            numbers[about.target, about.engine] = number
            units.append(
                Unit(
                    target=one.spec,
                    instances=1 + len(one.others),
                    engine=engines[engine.name],
                    about=about,
                    cases=cases,
                    jobs=self._plan.jobs or engine.default_jobs,
                    profile=self._plan.profile,
                    folder=str(self.folder.resolve()),
                    log=str(target_log(self.folder, about.target).resolve()),
                    wire=self._reporter.on_wire is not None,
                    took=took.get((about.target, about.engine), 0.0),
                )
            )

        def done(outcome: TargetRun) -> None:
            with self._lock:
                self._keep(numbers[outcome.target, outcome.engine], outcome)
            failed = self._reporter.failed(outcome.target, outcome.engine)
            words = outcome.error or f"{outcome.observed} of {outcome.expected} verdicts, {failed} failed"
            self._reporter.say(f"{outcome.target} ({outcome.engine}): {words}, {outcome.seconds:.0f} s")

        if not units:
            return
        self._reporter.start(f"{len(pairs)} runs", sum(len(unit.cases) for unit in units))
        Executor(self._plan.parallel, lambda unit: _Told(self._record, self._reporter, unit), done).run(units)

    def _to_run(self, number: int, planned: Planned, engine: Engine) -> list[str]:
        """The cases that are to be run; none where the set-up failed, and then they are lost."""
        cases = self._cases_left(planned, engine)
        about = self._targets[number]
        if not cases or about.error is None:
            return cases
        lost = [Lost(case=case, reason=about.error) for case in cases]
        self._targets[number] = about.model_copy(
            update={"lost": lost, "error": None if about.observed else about.error}
        )
        return []

    def _run_one(self, number: int, planned: Planned, engine: Engine) -> None:
        cases = self._to_run(number, planned, engine)
        if not cases:
            return
        about = self._targets[number]
        asked, have = self._plan.cases_of(engine), self._have(about.target, about.engine)
        self._reporter.start(about.target, len(asked), already=len(have))
        runner = CaseRunner(
            about=about,
            cases=cases,
            engine=engine,
            target=planned.target,
            folder=self.folder,
            jobs=self._plan.jobs or engine.default_jobs,
            record=self._record,
            others=planned.others,
            profile=self._plan.profile,
            on_case=self._reporter.case,
            on_wire=self._reporter.on_wire,
            say=self._reporter.say,
        )
        try:
            runner.run()
        finally:
            self._keep(number, runner.outcome)
            self._reporter.end()

    def _keep(self, number: int, outcome: TargetRun) -> None:
        """Write down what came of a target under an engine."""
        log = f"targets/{_log_name(outcome.target)}"
        shown = log if (self.folder / log).exists() else None
        self._targets[number] = outcome.model_copy(update={"log": shown})
        self._write("running")

    def _record(self, record: Record) -> None:
        with self._lock:
            self._journal.add(record)
            self._reporter.verdict(record.result)

    def _write(self, state: str, exit_code: ExitCode | None = None) -> Run:
        plan = self._plan
        run = Run.model_validate(
            {
                "id": self.folder.name,
                "state": state,
                "exit_code": None if exit_code is None else int(exit_code),
                "started_at": self._started,
                "finished_at": None if state == "running" else now(),
                "strict": plan.strict,
                "allow_stale": plan.allow_stale,
                "baseline": plan.baseline,
                "versions": versions() | {engine.name: engine.version for engine in plan.engines},
                "machine": this_machine(),
                "selection": Selection(
                    cases=plan.patterns,
                    exclude=plan.exclude,
                    count=len(plan.cases),
                    jobs=plan.jobs or max(engine.default_jobs for engine in plan.engines),
                    profile=plan.profile,
                    shard=plan.shard,
                ),
                "targets": self._targets,
                "unavailable": list(plan.unavailable),
            }
        )
        self._journal.write_run(run)
        return run

    def _finish(self, state: str, problem: WsconformError | None) -> Finished:
        results = read_results(self.folder)
        if state != "complete":
            self._lose_unseen({result.key for result in results})
        try:
            run = self._write(state)
            judgements, code = gate.judge_run(run, results)
            if state == "complete" and not all(judgement.complete for judgement in judgements):
                state = "incomplete"
            run = self._write(state, code)
        except WsconformError as error:
            raise problem or error from None
        finally:
            self._journal.close()
        if problem is not None:
            problem.details = "\n".join(filter(None, [problem.details, f"what was measured is kept in {self.folder}"]))
            raise problem
        return Finished(self.folder, run, judgements, code)

    def _lose_unseen(self, seen: set[tuple[str, str, str]]) -> None:
        """After an interruption: every case without a verdict is a lost one, also of targets that had no turn."""
        engines = {engine.name: engine for engine in self._plan.engines}
        for number, target in enumerate(self._targets):
            told = {lost.case for lost in target.lost}
            lost = target.lost + [
                Lost(case=case, reason="the run ended before it")
                for case in self._plan.cases_of(engines[target.engine])
                if case not in told and (target.target, target.engine, case) not in seen
            ]
            self._targets[number] = target.model_copy(update={"lost": lost})


class _Told:
    """Passes on what a unit of work tells."""

    def __init__(self, record: Callable[[Record], None], reporter: Reporter, unit: Unit) -> None:
        self._target = unit.about.target
        self._reporter = reporter
        self.record = record

    def case(self, case: str) -> None:
        self._reporter.case(case, self._target)

    def wire(self, case: str, event: WireEvent) -> None:
        if self._reporter.on_wire is not None:
            self._reporter.on_wire(f"{self._target}: {case}", event)

    def say(self, text: str) -> None:
        self._reporter.say(text)


def _log_name(target: str) -> str:
    return f"{target}.log"


def target_log(folder: Path, name: str) -> Path:
    """Where a target's own output goes."""
    path = folder / "targets" / _log_name(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def versions() -> dict[str, str]:
    """The versions of what takes part."""
    found = {"wsconform": __version__, "python": platform.python_version()}
    for name in ("docker", "jinja2", "pydantic"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
