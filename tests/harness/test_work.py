"""A unit of work in a process of its own."""

from __future__ import annotations

import time
from pathlib import Path

import psutil

from harness.results import Implementation, TargetRun
from harness.targets.spec import TargetSpec
from harness.work import EngineSpec, Unit, Worker


class Silent:
    """A listener that nothing may be told to."""

    def record(self, *_: object) -> None:
        raise AssertionError

    case = wire = say = record


def test_a_worker_that_dies_before_it_reads_its_unit_costs_the_unit_alone(tmp_path: Path):
    about = TargetRun(
        target="t", engine="native", engine_version="1", started_as="url", implementation=Implementation(), expected=2
    )
    unit = Unit(
        target=TargetSpec(given="ws://127.0.0.1:1"), engine=EngineSpec(name="native"), about=about, jobs=1,
        cases=["1.1.1", "1.1.2"], profile="quick", folder=str(tmp_path), log=str(tmp_path / "log"),
    )  # fmt: skip
    before = set(psutil.Process().children())
    worker = Worker(unit)
    (process,) = set(psutil.Process().children()) - before
    process.kill()
    deadline = time.monotonic() + 10
    while process.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.001)
    outcome = worker.carry_out(Silent())
    assert [lost.case for lost in outcome.lost] == ["1.1.1", "1.1.2"]
    assert "killed by SIGKILL" in str(outcome.error)
