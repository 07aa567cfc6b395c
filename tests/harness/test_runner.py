"""The runner against a scripted engine and target: whose fault it is, what is lost, and that it always ends."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Literal

import pytest

from harness.endpoint import Endpoint
from harness.engines import Batch, Job, Record
from harness.errors import CannotRunError, TargetError
from harness.results import Behavior, BehaviorClose, Evidence, Result, Suite, TargetRun
from harness.runner import MAX_RESTARTS, MAX_STUCK, CaseRunner
from tests.support import Unlimited

CASES = ["1.1.1", "1.1.2", "1.1.3", "1.1.4"]
MANY = [f"6.9.{number}" for number in range(40)]
LATER = "ends-and-kills-when-the-others-have-ended"
HANGS = "it did not answer the opening handshake within 10 s"


class FakeTarget(Unlimited):
    """A target that tests kill."""

    name = "t"
    deflates = False
    started_as: Literal["process"] = "process"

    def __init__(self, *, starts: int = 10_000) -> None:
        self.starts_left = starts
        self.starts = 0
        self.dead: str | None = "it was not started"
        self.stopped = False
        self.wrote = ""

    def start(self) -> Endpoint:
        if self.starts_left == 0:
            raise TargetError("t did not start: it ended with exit status 3")
        self.starts_left -= 1
        self.starts += 1
        self.dead = None
        return Endpoint(f"ws://127.0.0.1:{self.starts}")

    def problem(self) -> str | None:
        return self.dead

    def last_output(self) -> str:
        return self.wrote

    def stop(self) -> None:
        self.stopped = True


class FakeEngine:
    """Runs cases as scripted; a killer kills the target, and with it the rest of its share as wstest does."""

    name = "fake"
    version = "1"
    suite: Suite = "conformance"
    listen_host = "127.0.0.1"
    on_host = True

    default_jobs = 4

    def __init__(
        self, target: FakeTarget, behave: Callable[[str], str], shares: int = 1, *, side_by_side: bool = False
    ) -> None:
        self.target, self.behave, self.shares, self.side_by_side = target, behave, shares, side_by_side
        self.jobs: list[Job] = []

    def run(self, job: Job) -> Generator[Batch, None, None]:
        self.jobs.append(job)
        parts = [job.cases[number :: self.shares] for number in range(self.shares)]
        for part in filter(None, parts):
            yield self._share(part)

    def _share(self, cases: Sequence[str]) -> Batch:
        records: list[Record] = []
        kills_later = False
        for case in cases:
            if self.target.dead == HANGS:
                records.append(record(case, Behavior.FAILED))  # it connects still, and gets no answer
                continue
            if self.target.dead:
                return Batch(cases, records, "wstest could not connect")
            how = self.behave(case)
            if how == "stuck":
                return Batch(cases, [], "no progress", culprit=case)
            if how == "dies":
                self.target.dead = "it ended with exit status 3"
            if how in {"none", "dies"}:
                continue
            kills_later = kills_later or how == LATER
            if how.startswith("kills"):
                self.target.dead = "it ended with killed by SIGSEGV"
            if how == "hangs":
                self.target.dead = HANGS
            records.append(record(case, Behavior.FAILED if how in {"fails", "kills", "hangs"} else Behavior.OK))
        if kills_later:
            self.target.dead = "it ended with killed by SIGSEGV"
        return Batch(cases, records, side_by_side=self.side_by_side)


def record(case: str, behavior: Behavior) -> Record:
    result = Result(
        target="t", engine="fake", case=case, behavior=behavior, behavior_close=BehaviorClose.OK, duration_ms=1
    )
    return Record(result, Evidence(target="t", engine="fake", case=case, sent="s", expected="e", outcome="o"))


class Ran:
    """What came of a run."""

    def __init__(
        self,
        target: FakeTarget,
        behave: Callable[[str], str],
        shares: int = 1,
        cases: list[str] = CASES,
        *,
        side_by_side: bool = False,
        others: Sequence[FakeTarget] = (),
        engine: type[FakeEngine] = FakeEngine,
    ) -> None:
        self.target = target
        self.engine = engine(target, behave, shares, side_by_side=side_by_side)
        self.records: dict[str, Record] = {}
        self.journal: list[str] = []
        about = TargetRun(target="t", engine="fake", started_as="process", expected=len(cases))
        runner = CaseRunner(about, cases, self.engine, target, Path(), jobs=4, record=self._record, others=others)
        self.about = runner.run()

    def _record(self, one: Record) -> None:
        self.records[one.result.case] = one
        self.journal.append(one.result.case)

    @property
    def behaviors(self) -> dict[str, str]:
        return {case: str(one.result.behavior) for case, one in self.records.items()}

    @property
    def lost(self) -> dict[str, str]:
        return {lost.case: lost.reason for lost in self.about.lost}


def test_every_case_gets_its_verdict_once():
    ran = Ran(FakeTarget(), lambda _: "passes", shares=2)
    assert ran.behaviors == dict.fromkeys(CASES, "OK")
    assert sorted(ran.journal) == CASES
    assert (ran.about.observed, ran.about.lost, ran.about.restarts) == (4, [], 0)
    assert ran.target.stopped


def test_the_case_that_kills_the_target_has_failed_and_says_how():
    ran = Ran(FakeTarget(), lambda case: "kills" if case == "1.1.2" else "passes")
    assert ran.behaviors == {"1.1.1": "OK", "1.1.2": "FAILED", "1.1.3": "OK", "1.1.4": "OK"}
    assert ran.records["1.1.2"].evidence.outcome == (
        "The server died or stopped answering: it ended with killed by SIGSEGV. o"
    )
    assert ran.about.lost == []


def test_a_case_that_kills_the_target_after_a_verdict_of_ok_has_failed():
    ran = Ran(FakeTarget(), lambda case: "kills-after-ok" if case == "1.1.2" else "passes")
    assert ran.behaviors["1.1.2"] == "FAILED"
    assert "(Fake's own verdict: OK.)" in ran.records["1.1.2"].evidence.outcome


def test_a_case_that_failed_because_another_killed_the_target_gets_a_fair_verdict():
    target = FakeTarget()

    def behave(case: str) -> str:
        # 1.1.1 runs beside 1.1.2, which kills the target: both fail; alone 1.1.1 passes
        if case == "1.1.2" or (case == "1.1.1" and target.starts == 1):
            return "kills"
        return "passes"

    ran = Ran(target, behave, shares=2)
    assert ran.behaviors == {"1.1.1": "OK", "1.1.2": "FAILED", "1.1.3": "OK", "1.1.4": "OK"}
    assert "died" not in ran.records["1.1.1"].evidence.outcome


def test_cases_that_met_a_server_that_hung_get_a_fair_verdict():
    ran = Ran(FakeTarget(), lambda case: "hangs" if case == "1.1.2" else "passes")
    assert ran.behaviors == {"1.1.1": "OK", "1.1.2": "FAILED", "1.1.3": "OK", "1.1.4": "OK"}
    assert "The server died or stopped answering: it did not answer" in ran.records["1.1.2"].evidence.outcome


def test_a_failure_without_a_death_is_written_down_at_once():
    ran = Ran(FakeTarget(), lambda case: "fails" if case == "1.1.2" else "passes")
    assert ran.behaviors["1.1.2"] == "FAILED"
    assert len(ran.engine.jobs) == 1


def test_a_target_that_does_not_start_loses_all_and_says_why():
    ran = Ran(FakeTarget(starts=0), lambda _: "passes")
    assert ran.about.error == "t did not start: it ended with exit status 3"
    assert set(ran.lost) == set(CASES)


def test_a_target_that_does_not_come_back_loses_the_rest_and_keeps_what_was_seen():
    ran = Ran(FakeTarget(starts=1), lambda case: "kills" if case == "1.1.3" else "passes")
    assert ran.behaviors == {"1.1.1": "OK", "1.1.2": "OK"}
    assert set(ran.lost) == {"1.1.3", "1.1.4"}
    assert ran.about.error is None


def test_a_case_that_the_engine_gives_no_verdict_for_is_lost():
    ran = Ran(FakeTarget(), lambda case: "none" if case == "1.1.2" else "passes")
    assert ran.lost == {"1.1.2": "fake gave no verdict for it"}
    assert ran.about.observed == 3


def test_a_case_that_gets_the_engine_stuck_is_tried_alone_and_then_lost_and_the_rest_goes_on():
    ran = Ran(FakeTarget(), lambda case: "stuck" if case == "1.1.2" else "passes")
    assert ran.lost == {"1.1.2": "no progress"}
    assert set(ran.behaviors) == {"1.1.1", "1.1.3", "1.1.4"}


def test_an_engine_that_is_always_stuck_ends():
    ran = Ran(FakeTarget(), lambda _: "stuck", cases=MANY)
    assert set(ran.lost) == set(MANY)
    assert len(ran.engine.jobs) == MAX_STUCK + 1


def test_a_target_that_every_case_kills_is_started_anew_for_each():
    ran = Ran(FakeTarget(), lambda _: "kills", cases=MANY)
    assert (ran.behaviors, ran.lost) == (dict.fromkeys(MANY, "FAILED"), {})


def test_a_target_that_dies_all_the_time_and_gives_no_verdict_ends():
    target = FakeTarget()
    # it dies under all of them together, and then under each of them alone
    ran = Ran(target, lambda _: LATER if target.starts == 1 else "dies", cases=MANY, side_by_side=True)
    assert target.starts == MAX_RESTARTS + 1
    assert set(ran.lost) == set(MANY)


def test_the_last_that_a_dead_target_wrote_is_told():
    target = FakeTarget()
    target.wrote = "assertion failed"
    ran = Ran(target, lambda case: "kills" if case == "1.1.2" else "passes")
    assert "The last it wrote: assertion failed." in ran.records["1.1.2"].evidence.outcome


def test_where_cases_ran_at_the_same_time_each_may_have_killed_the_target():
    # that 1.1.4 came last says nothing here
    ran = Ran(FakeTarget(), lambda case: LATER if case == "1.1.1" else "passes", side_by_side=True)
    assert ran.behaviors == {"1.1.1": "FAILED", "1.1.2": "OK", "1.1.3": "OK", "1.1.4": "OK"}


def test_the_cases_may_be_spread_over_several_instances_and_all_are_stopped():
    first, second = FakeTarget(), FakeTarget()
    ran = Ran(first, lambda _: "passes", others=[second])
    assert [len(job.endpoints) for job in ran.engine.jobs] == [2]
    assert (first.stopped, second.stopped) == (True, True)


def test_an_instance_that_died_counts_as_the_target_having_died():
    first, second = FakeTarget(), FakeTarget()

    def behave(case: str) -> str:
        if case == "1.1.2":
            second.dead = "it ended with exit status 3"
            return "fails"
        return "passes"

    ran = Ran(first, behave, others=[second])
    assert "exit status 3" in ran.records["1.1.2"].evidence.outcome
    assert ran.about.restarts > 0


def test_cases_that_are_run_again_alone_run_one_at_a_time():
    ran = Ran(FakeTarget(), lambda case: "kills" if case == "1.1.2" else "passes")
    again = [job for job in ran.engine.jobs if list(job.cases) == ["1.1.2"]]
    assert [job.jobs for job in again] == [1]


def test_an_engine_that_fails_stops_the_target():
    target = FakeTarget()

    def break_down(_: str) -> str:
        raise CannotRunError("the Docker engine has gone")

    with pytest.raises(CannotRunError):
        Ran(target, break_down)
    assert target.stopped


def test_an_interruption_stops_the_target():
    target = FakeTarget()

    def interrupt(_: str) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Ran(target, interrupt)
    assert target.stopped


def test_a_death_that_no_case_alone_brings_about_is_told_and_no_case_is_blamed():
    target = FakeTarget()
    ran = Ran(target, lambda _: LATER if target.starts == 1 else "passes", side_by_side=True)
    assert (ran.behaviors, ran.lost) == (dict.fromkeys(CASES, "OK"), {})
    assert ran.about.unexplained == ["it ended with killed by SIGSEGV"]


def test_a_death_that_a_case_is_blamed_for_is_explained():
    ran = Ran(FakeTarget(), lambda case: LATER if case == "1.1.1" else "passes", side_by_side=True)
    assert ran.about.unexplained == []


class OneAtATime(FakeEngine):
    """Begins all cases, and hands them over one by one as long as nobody stops it: a case that kills comes last."""

    def run(self, job: Job) -> Generator[Batch, None, None]:
        self.jobs.append(job)
        for case in job.cases:
            job.on_case(case)
            if self.behave(case) == "kills":
                self.target.dead = "it ended with killed by SIGSEGV"
        for case in sorted(job.cases, key=self.behave, reverse=True):
            yield Batch([case], [record(case, Behavior.OK)], side_by_side=True)
            if job.stop.is_set():
                return


def test_a_case_that_was_under_way_when_the_target_died_is_tried_alone():
    # what is handed over is never the one that kills, so that it would be begun again beside others, and again
    ran = Ran(FakeTarget(), lambda case: "kills" if case == "1.1.4" else "passes", engine=OneAtATime)
    assert ran.behaviors == {"1.1.1": "OK", "1.1.2": "OK", "1.1.3": "OK", "1.1.4": "FAILED"}
    assert (ran.about.restarts, ran.about.unexplained) == (1, [])
