"""Which units of work run beside which."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest

from harness import parallel
from harness.parallel import Executor
from harness.results import Behavior, Deviation, Implementation, TargetRun
from harness.targets.spec import TargetSpec
from harness.work import EngineSpec, Listener, Unit


def unit(target: str, engine: str = "native", *, hangs_in: str = "", took: float = 0.0) -> Unit:
    known = [Deviation(cases=[hangs_in], behavior=Behavior.FAILED, reason="It hangs.")] if hangs_in else []
    about = TargetRun(
        target=target,
        engine=engine,
        started_as="url",
        implementation=Implementation(),
        expected=1,
        deviations=known,
    )
    return Unit(
        target=TargetSpec(given="ws://127.0.0.1:1"), engine=EngineSpec(name=engine), about=about, jobs=1,
        cases=["1.1.1", "9.1.1"], profile="quick", folder="/", log="/", took=took,
    )  # fmt: skip


class Workers:
    """Stands for processes; each goes on until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, cores: int = 2) -> None:
        self.begun: list[str] = []
        self.changed = threading.Condition()
        self.may_end: set[str] = set()
        self.cores_are_idle = False
        outer = self

        class Worker:
            def __init__(self, unit: Unit) -> None:
                self.unit = unit
                self.name = f"{unit.about.target} {unit.engine.name}"

            def carry_out(self, _listener: Listener) -> TargetRun:
                with outer.changed:
                    outer.begun.append(self.name)
                    outer.changed.notify_all()
                    outer.changed.wait_for(lambda: self.name in outer.may_end, 10)
                return self.unit.about

            def stop(self) -> None:
                outer.end(self.name)

        monkeypatch.setattr(parallel, "Worker", Worker)
        monkeypatch.setattr("os.cpu_count", lambda: cores)
        monkeypatch.setattr("harness.parallel._Cores.idle", lambda _: self.cores_are_idle)
        monkeypatch.setattr(parallel, "_LOOK_AGAIN_S", 0.05)

    def end(self, name: str) -> None:
        with self.changed:
            self.may_end.add(name)
            self.changed.notify_all()

    def wait(self, *names: str) -> None:
        """Until just these have begun, and a moment more, for there could be another one."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.begun) >= len(names), 5), self.begun
        time.sleep(0.05)
        assert sorted(self.begun) == sorted(names)


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Workers:
    return Workers(monkeypatch)


def run(several: int, *units: Unit) -> Callable[[], None]:
    """Begin; what is returned waits for the end."""
    done: list[TargetRun] = []
    executor = Executor(several, lambda _: cast("Listener", None), done.append)
    thread = threading.Thread(target=executor.run, args=(units,))
    thread.start()

    def end() -> None:
        thread.join(10)
        assert len(done) == len(units)

    return end


def test_one_is_in_its_cases_at_a_time_for_two_cores_and_probes_run_beside_it(workers: Workers):
    end = run(3, unit("a"), unit("b"), unit("a", "limits"), unit("b", "limits"), unit("c", "limits"))
    # c has no cases to come
    workers.wait("a native", "c limits", "a limits")
    workers.end("c limits")
    workers.wait("a native", "c limits", "a limits", "b limits")
    workers.end("a native")
    workers.wait("a native", "c limits", "a limits", "b limits", "b native")
    for name in ("b native", "a limits", "b limits"):
        workers.end(name)
    end()


def test_cases_go_before_the_probes_of_who_is_through(workers: Workers):
    end = run(1, unit("a"), unit("a", "limits"), unit("b"))
    for name in ("a native", "b native", "a limits"):
        workers.end(name)
    end()
    assert workers.begun == ["a native", "b native", "a limits"]


def test_what_took_long_before_goes_first_its_cases_and_its_probes(workers: Workers):
    units = [unit("a", took=4), unit("a", "limits", took=60), unit("b", took=90), unit("b", "limits", took=5)]
    end = run(1, *units)
    for name in ("a native", "b native", "a limits", "b limits"):
        workers.end(name)
    end()
    assert workers.begun == ["b native", "a native", "a limits", "b limits"]


def test_one_that_takes_long_keeps_no_other_one_waiting(workers: Workers, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(parallel, "_LONG_S", 1.0)
    end = run(3, unit("a"), unit("b"), unit("c"))
    workers.wait("a native")
    with workers.changed:
        assert workers.changed.wait_for(lambda: len(workers.begun) == 3, 5)
    for name in ("a native", "b native", "c native"):
        workers.end(name)
    end()


def test_one_that_is_known_to_hang_goes_first(workers: Workers):
    end = run(1, unit("a", hangs_in="1.1.1"), unit("b"), unit("c", hangs_in="9.*"))
    for name in ("a native", "b native", "c native"):
        workers.end(name)
    end()
    assert workers.begun == ["c native", "a native", "b native"]


def test_while_cores_are_idle_another_one_begins_whatever_it_is_up_to_as_many_as_were_asked_for(workers: Workers):
    names = [*"abcdefgh"]
    end = run(7, *map(unit, names))
    workers.wait("a native")
    workers.cores_are_idle = True
    with workers.changed:
        assert workers.changed.wait_for(lambda: len(workers.begun) == 7, 5)
    workers.wait(*(f"{name} native" for name in names[:7]))
    for name in names:
        workers.end(f"{name} native")
    end()


def test_without_idle_cores_there_are_two_for_each_and_one(workers: Workers):
    end = run(12, *(unit(name, "limits") for name in "abcdefg"))
    workers.wait(*(f"{name} limits" for name in "abcde"))
    workers.end("b limits")
    workers.wait(*(f"{name} limits" for name in "abcdef"))
    for name in "acdefg":
        workers.end(f"{name} limits")
    end()


@pytest.mark.parametrize(
    ("idle_seconds", "free", "is_idle"),
    [(0.35, 4 << 30, True), (0.25, 4 << 30, False), (1.0, 2 << 30, False)],
    ids=["a sixth of two cores", "less", "no memory"],
)
def test_cores_are_idle_when_over_fifteen_per_cent_of_their_time_and_memory_are_left(
    monkeypatch: pytest.MonkeyPatch, idle_seconds: float, free: int, is_idle: bool
):
    clock, idle = 0.0, 0.0
    monkeypatch.setattr("time.monotonic", lambda: clock)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr("psutil.cpu_times", lambda: SimpleNamespace(idle=idle))
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=free))
    cores = parallel._Cores()
    clock, idle = 0.5, 1.0
    assert not cores.idle()  # too early to tell
    cores.begun()
    clock, idle = clock + 1.0, idle + idle_seconds
    assert cores.idle() is is_idle
    assert not cores.idle()
