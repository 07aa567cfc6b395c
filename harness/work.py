"""Units of work: one target under one engine, in a process of its own.

A unit is self-contained and serialisable: what it needs goes to the process as one line of JSON on standard input, what
comes of it comes back as lines of JSON on standard output: verdicts with their evidence as they are reached, progress,
and at the end the counts. Standard input stays open for as long as somebody wants to know: when it ends, also because
whoever began the work was killed, the unit stops its target and ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import IO, Any, Literal, Protocol

from pydantic import ValidationError

from harness import processes, selection
from harness.engines import Engine, Record
from harness.engines.choose import choose
from harness.errors import WsconformError
from harness.limits.engine import LimitsEngine
from harness.results import Behavior, Evidence, Lost, Model, Result, TargetRun, WireEvent
from harness.runner import CaseRunner
from harness.targets.spec import TargetSpec


class EngineSpec(Model):
    """An engine as data."""

    name: str
    wstest: str | None = None
    image: str | None = None

    def engine(self, say: Callable[[str], None]) -> Engine:
        """The engine; CannotRunError where it is not here."""
        if self.name == LimitsEngine.name:
            return LimitsEngine()
        return choose(self.name, wstest=self.wstest, image=self.image, say=say)


class Unit(Model):
    """One target under one engine, and the cases to run."""

    target: TargetSpec
    instances: int = 1  #: over how many started servers the cases may be spread
    engine: EngineSpec
    about: TargetRun
    cases: list[str]
    jobs: int
    profile: Literal["full", "quick"]
    folder: str  #: the run's, absolute
    log: str  #: file for the target's own output, absolute
    wire: bool = False  #: whether wire logs are wanted as they come
    took: float = 0.0  #: seconds, in earlier runs, as far as there were any

    @property
    def waits(self) -> int:
        """How many of its cases move much data and are known to fail: each is waited for, a minute or longer."""
        failing = [known for known in self.about.deviations if known.behavior is Behavior.FAILED]
        if not failing:
            return 0
        deflates = self.target.deflates
        bulk = [case for case in self.cases if selection.is_bulk(case, deflates=deflates)]
        return sum(any(known.covers(case) for known in failing) for case in bulk)

    def carry_out(self, listener: Listener) -> TargetRun:
        """Run it here and now; KeyboardInterrupt ends it early, and what was measured is told all the same."""
        engine = self.engine.engine(listener.say)
        target, *others = (self.target.target(Path(self.log), listener.say) for _ in range(self.instances))
        runner = CaseRunner(
            about=self.about,
            cases=self.cases,
            engine=engine,
            target=target,
            others=others,
            folder=Path(self.folder),
            jobs=self.jobs,
            record=listener.record,
            profile=self.profile,
            on_case=listener.case,
            on_wire=listener.wire if self.wire else None,
            say=listener.say,
        )
        with contextlib.suppress(KeyboardInterrupt):
            runner.run()
        return runner.outcome

    def lost(self, reason: str, observed: Collection[str] = ()) -> TargetRun:
        """What is to be said where it ended without saying it itself, for this reason."""
        lost = [Lost(case=case, reason=reason) for case in self.cases if case not in observed]
        seen = self.about.observed + len(observed)
        return self.about.model_copy(update={"observed": seen, "lost": lost, "error": None if seen else reason})


class Listener(Protocol):
    """Who is told how a unit gets on."""

    def record(self, record: Record) -> None:
        """A verdict."""

    def case(self, case: str) -> None:
        """A case starts."""

    def wire(self, case: str, event: WireEvent) -> None:
        """A line of a wire log."""

    def say(self, text: str) -> None:
        """Something that a person wants to know."""


class _Writer:
    """Tells the process that began the work."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)  # what anything else prints is not ours

    def write(self, kind: str, value: object) -> None:
        with self._lock, contextlib.suppress(BrokenPipeError):
            self._out.write(json.dumps([kind, value]) + "\n")
            self._out.flush()

    def record(self, record: Record) -> None:
        self.write("record", [record.result.to_json(), record.evidence.to_json()])

    def case(self, case: str) -> None:
        self.write("case", case)

    def wire(self, case: str, event: WireEvent) -> None:
        self.write("wire", [case, event.to_json()])

    def say(self, text: str) -> None:
        self.write("say", text)


def main() -> int:
    """Carry out the unit on standard input."""
    writer = _Writer()
    try:
        with processes.interrupt_once([signal.SIGTERM]):
            unit = Unit.model_validate_json(sys.stdin.readline())
            threading.Thread(target=_end_with_standard_input, daemon=True).start()
            writer.write("outcome", unit.carry_out(writer).to_json())
    except WsconformError as error:
        writer.write("error", f"{error.message}\n{error.details}".strip())
    except KeyboardInterrupt:
        return 1
    return 0


def _end_with_standard_input() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


class Worker:
    """A process that carries out a unit."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._observed: set[str] = set()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "harness.work"],
            env=os.environ | {processes.OWNER_VARIABLE: processes.owner_mark(), "PYTHONPATH": _import_path()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def stop(self) -> None:
        """Have it end soon, from any thread."""
        self._process.terminate()

    def carry_out(self, listener: Listener) -> TargetRun:
        """Wait for the end of the unit, and pass on what it tells; how the process ended, where it tells no outcome."""
        process, outcome, last = self._process, None, ""
        assert process.stdin is not None  # noqa: S101 - by stdin=PIPE
        assert process.stdout is not None  # noqa: S101
        with process.stdout, contextlib.ExitStack() as stack:
            stack.callback(_close, process.stdin)
            with contextlib.suppress(BrokenPipeError):  # it is dead already, and how it ended is told below
                process.stdin.write(self._unit.to_json().encode() + b"\n")
                process.stdin.flush()
            for line in process.stdout:
                try:
                    outcome = self._hear(json.loads(line), listener) or outcome
                except (ValueError, TypeError, ValidationError):
                    last = line.decode("utf-8", "replace").strip() or last
        code = process.wait()
        if outcome is not None:
            return outcome
        processes.sweep()  # the target that it left
        reason = f"the process that tested it ended with {processes.describe_exit(code)}: {last}"
        return self._unit.lost(reason, self._observed)

    def _hear(self, told: tuple[str, Any], listener: Listener) -> TargetRun | None:
        kind, value = told
        if kind == "record":
            record = Record(Result.model_validate_json(value[0]), Evidence.model_validate_json(value[1]))
            self._observed.add(record.result.case)
            listener.record(record)
        elif kind == "case":
            listener.case(value)
        elif kind == "wire":
            listener.wire(value[0], WireEvent.model_validate_json(value[1]))
        elif kind == "say":
            listener.say(value)
        elif kind == "error":
            return self._unit.lost(value, self._observed)
        elif kind == "outcome":
            return TargetRun.model_validate_json(value)
        return None


def _close(pipe: IO[bytes]) -> None:
    """Close it, also where nobody read what was written, which is written once more then."""
    with contextlib.suppress(BrokenPipeError):
        pipe.close()


def _import_path() -> str:
    """Where this package is from, before what the environment says."""
    return os.pathsep.join(filter(None, [str(Path(__file__).resolve().parent.parent), os.environ.get("PYTHONPATH")]))


if __name__ == "__main__":
    sys.exit(main())
