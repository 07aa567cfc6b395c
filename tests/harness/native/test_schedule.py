"""Which cases run beside which, and when a verdict under load is not the last word. No clock is waited for."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import selection
from harness.cases import catalogue
from harness.engines import Record
from harness.engines.native import schedule
from harness.engines.native.schedule import Attempt, Schedule
from harness.results import Behavior, BehaviorClose, Evidence, Result

ALL = list(catalogue())
ALONE = ["3.4", "4.1.5", "4.2.5"]
WAITING = ["5.19", "5.20", "6.4.1", "6.4.2", "6.4.3", "6.4.4"]
QUIET = selection.resolve(["1.*", "2.*"])
BULK = selection.resolve(["9.*"])
DOUBTFUL = ("FAILED", True)
DEAF = ("OK UNCLEAN", True)
PASSES = ("OK", False)
#: Turns of the loop that a case takes: bulk is slow, and ends one after the other.
_TURNS, _BULK_TURNS = 3, 12


def attempt(case: str, words: str, *, timed: bool) -> Attempt:
    behavior, _, close = words.partition(" ")
    result = Result(
        target="t", engine="native", case=case, duration_ms=1,
        behavior=Behavior(behavior), behavior_close=BehaviorClose(close or "OK"),
    )  # fmt: skip
    return Attempt(
        case, Record(result, Evidence(target="t", engine="native", case=case, sent="", expected="")), "", timed
    )


class Ran:
    """What a schedule did with a runner whose verdicts are scripted: (behavior, timed) for each run of a case."""

    def __init__(
        self,
        cases: Sequence[str],
        *,
        jobs: int = 32,
        instances: int = 1,
        deflates: bool = False,
        verdicts: Mapping[str, Sequence[tuple[str, bool]]] | None = None,
        endless: str = "",
    ) -> None:
        self.begun: list[str] = []
        self.company: list[int] = []  #: how many ran when each began
        self.beside: dict[str, set[str]] = {}
        self.most: Counter[str] = Counter()  #: at a time: of all, of bulk
        self.delivered: list[Attempt] = []
        self.disturbed_by: set[str] = set()  #: what ran, or began, beside a waiting case after its pause
        self.taken_back: list[str] = []
        self._deflates, self._endless = deflates, endless
        self._verdicts = verdicts or {}
        self._running: list[str] = []
        self._schedule = Schedule(self._run, self._deliver, jobs, instances)
        asyncio.run(self._schedule.run(cases, deflates=deflates))

    def _is_bulk(self, case: str) -> bool:
        return selection.is_bulk(case, deflates=self._deflates)

    async def _deliver(self, one: Attempt) -> None:
        self.delivered.append(one)

    async def _run(self, case: str) -> Attempt:
        number = self.begun.count(case)
        self.begun.append(case)
        for other in self._running:
            self.beside.setdefault(other, set()).add(case)
            self.beside.setdefault(case, set()).add(other)
        self._running.append(case)
        self.company.append(len(self._running))
        self.most["all"] = max(self.most["all"], len(self._running))
        self.most["bulk"] = max(self.most["bulk"], sum(map(self._is_bulk, self._running)))
        try:
            await self._turns(case)
        except asyncio.CancelledError:
            self.taken_back.append(case)
            raise
        finally:
            self._running.remove(case)
        script = self._verdicts.get(case, (PASSES,))
        behavior, timed = script[min(number, len(script) - 1)]
        return attempt(case, behavior, timed=timed)

    async def _turns(self, case: str) -> None:
        if case == self._endless and self.begun.count(case) == 1:
            await asyncio.Event().wait()
        turns = _BULK_TURNS + 5 * (len(self.begun) % 3) if self._is_bulk(case) else _TURNS
        for _ in range(turns):
            await asyncio.sleep(0)
        if case in WAITING:
            calm = asyncio.Event()
            self._schedule.calm(calm.set)
            await calm.wait()
            for _ in range(_BULK_TURNS):  # long enough for bulk to get in, if it may
                self.disturbed_by |= set(filter(self._is_bulk, self._running))
                await asyncio.sleep(0)

    @property
    def verdicts(self) -> dict[str, str]:
        assert len(self.delivered) == len({one.case for one in self.delivered}), "delivered twice"
        return {one.case: str(one.record.result.behavior) for one in self.delivered if one.record}

    def beside_bulk(self) -> set[str]:
        return {case for case, others in self.beside.items() if any(map(self._is_bulk, others))}


@settings(deadline=None)  # a busy machine is no failure
@given(
    cases=st.lists(st.sampled_from(ALL), min_size=1, max_size=40, unique=True),
    jobs=st.integers(1, 8),
    instances=st.integers(1, 3),
    deflates=st.booleans(),
)
def test_every_case_is_run_and_delivered_once(cases: list[str], jobs: int, instances: int, deflates: bool):
    ran = Ran(cases, jobs=jobs, instances=instances, deflates=deflates)
    assert sorted(ran.verdicts) == sorted(cases)
    assert sorted(ran.begun) == sorted(cases)
    assert not ran.disturbed_by


def test_what_hangs_on_when_the_peer_reads_runs_first_and_beside_nothing():
    ran = Ran([*QUIET, *ALONE, *BULK, *WAITING])
    assert ran.begun[:3] == ALONE
    assert not set(ALONE) & set(ran.beside)


def test_quick_quiet_cases_run_together_up_to_the_number_of_jobs():
    ran = Ran(QUIET, jobs=5)
    assert ran.most["all"] == 5
    assert Ran(QUIET, jobs=100).most["all"] == len(QUIET)


def test_bulk_never_runs_beside_quick_quiet_cases():
    ran = Ran([*BULK, *QUIET, *WAITING])
    assert ran.beside_bulk() <= {*BULK, *WAITING}
    assert max(ran.begun.index(case) for case in QUIET) < min(ran.begun.index(case) for case in BULK)


@pytest.mark.parametrize(("jobs", "instances", "expected"), [(32, 1, 2), (32, 3, 6), (2, 3, 2), (1, 3, 1)])
def test_two_bulk_cases_run_at_a_time_for_each_instance(jobs: int, instances: int, expected: int):
    assert Ran(BULK, jobs=jobs, instances=instances).most["bulk"] == expected


def test_compression_cases_are_bulk_only_where_the_peer_compresses():
    cases = selection.resolve(["12.1.*", "1.*"])
    assert Ran(cases, deflates=False).most["all"] == 32
    assert Ran(cases, deflates=True).most["bulk"] == 2


def test_cases_of_ours_that_move_much_data_are_bulk_and_the_others_quick():
    quick, bulk = selection.resolve(["H.1.*", "F.1.*"]), ["F.2.12", "F.4.9", "F.3.4"]
    assert Ran([*bulk, *quick, *WAITING]).beside_bulk() <= {*bulk, *WAITING}
    assert Ran([*bulk, *quick]).most == {"all": 32, "bulk": 2}
    assert Ran(["D.2.21", "D.2.1", "H.1.1"], deflates=False).most["all"] == 3


def test_the_longest_cases_begin_first():
    ran = Ran(["9.1.1", "9.7.6", "9.1.3", "9.2.6"], jobs=2)
    weights = [selection.weights()[case] for case in ran.begun]
    assert weights == sorted(weights, reverse=True)


def test_bulk_runs_beside_a_pause_and_none_beside_what_comes_after_it():
    ran = Ran([*WAITING, *BULK])
    assert ran.beside_bulk() & set(WAITING) == set(WAITING)
    assert ran.disturbed_by == set()
    assert ran.taken_back == []
    assert set(ran.verdicts) == {*WAITING, *BULK}


def test_once_a_case_wants_calm_no_bulk_begins_until_all_that_wait_are_over():
    ran = Ran([*WAITING, *BULK], instances=2)
    beside_a_pause = [case for case in BULK if ran.beside.get(case, set()) & set(WAITING)]
    assert len(beside_a_pause) == 4  # those that had begun before; each takes longer than the pause


def test_bulk_that_does_not_end_is_taken_back_and_run_later(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(schedule, "_CALM_AFTER_S", 0)
    ran = Ran(["5.19", *BULK], endless=max(BULK, key=lambda case: selection.weights()[case]))
    assert len(ran.taken_back) == 2  # both that ran, the endless one and the slow one
    assert [ran.begun.count(case) for case in ran.taken_back] == [2, 2]
    assert ran.disturbed_by == set()
    assert ran.verdicts == dict.fromkeys(["5.19", *BULK], "OK")


def test_calm_is_there_at_once_where_no_bulk_runs():
    gone_on: list[bool] = []

    async def never(case: str) -> Attempt:
        raise AssertionError(case)

    async def deliver(_: Attempt) -> None:
        """Nothing comes."""

    Schedule(never, deliver, 4, 1).calm(lambda: gone_on.append(True))
    assert gone_on == [True]


@pytest.mark.parametrize("deflates", [False, True])
def test_with_one_job_cases_run_strictly_one_at_a_time(deflates: bool):
    ran = Ran([*QUIET[:3], *ALONE, *WAITING, *BULK[:3], "12.1.1"], jobs=1, deflates=deflates)
    assert ran.most["all"] == 1
    assert ran.beside == {}


# Doubtful verdicts


@pytest.mark.parametrize("case", ["1.1.1", "9.1.1"], ids=["quiet", "bulk"])
def test_a_verdict_that_comes_out_as_before_is_believed(case: str):
    ran = Ran([case], verdicts={case: (DOUBTFUL, DOUBTFUL, PASSES)})
    assert ran.verdicts == {case: "FAILED"}
    assert ran.begun == [case] * 2


@pytest.mark.parametrize("case", ["1.1.1", "9.1.1"], ids=["quiet", "bulk"])
def test_where_a_second_attempt_comes_out_otherwise_a_third_one_counts(case: str):
    ran = Ran([case], verdicts={case: (DOUBTFUL, PASSES, PASSES)})
    assert (ran.verdicts, len(ran.begun)) == ({case: "OK"}, 3)
    wavering = Ran([case], verdicts={case: (DOUBTFUL, PASSES, ("FAILED", False))})
    assert wavering.verdicts == {case: "FAILED"}


def test_the_third_attempt_is_alone():
    cases = QUIET[:6]
    ran = Ran(cases, jobs=6, verdicts=dict.fromkeys(cases, (DOUBTFUL, PASSES)))
    assert len(ran.begun) == 18
    assert ran.company[5] == ran.company[11] == 6
    assert ran.company[12:] == [1] * 6
    assert ran.verdicts == dict.fromkeys(cases, "OK")


def closes(ran: Ran) -> set[str]:
    return {str(one.record.result.behavior_close) for one in ran.delivered if one.record}


def test_bulk_that_lacks_the_answer_to_the_close_alone_runs_beside_no_other_bulk_before_that_is_believed():
    two = BULK[:2]
    ran = Ran(two, verdicts=dict.fromkeys(two, (DEAF, DEAF, PASSES)))
    assert (closes(ran), ran.company[4:]) == ({"OK"}, [1, 1])
    believed = Ran(two, verdicts=dict.fromkeys(two, (DEAF,)))
    assert (closes(believed), len(believed.begun)) == ({"UNCLEAN"}, 6)
    # one had no company the second time, and short cases keep no peer from answering
    assert len(Ran(two, verdicts={two[0]: (DEAF,)}).begun) == 3
    assert len(Ran(QUIET[:2], verdicts=dict.fromkeys(QUIET[:2], (DEAF,))).begun) == 4


def test_doubtful_cases_run_again_when_all_the_others_are_over():
    ran = Ran([*QUIET, *BULK], verdicts={QUIET[0]: (DOUBTFUL,), BULK[0]: (DOUBTFUL,)})
    again = len(ran.begun) - 1 - ran.begun[::-1].index(QUIET[0])
    assert again == len(QUIET)
    assert ran.begun[-1] == BULK[0]
    assert ran.begun.count(BULK[0]) == 2


@pytest.mark.parametrize(
    ("behavior", "timed"),
    [("FAILED", False), ("NON-STRICT", False), ("OK", True), ("INFORMATIONAL", True), ("UNIMPLEMENTED", True)],
)
def test_what_passes_or_no_clock_decided_is_believed_at_once(behavior: str, timed: bool):
    ran = Ran(["1.1.1"], verdicts={"1.1.1": ((behavior, timed), PASSES)})
    assert ran.verdicts == {"1.1.1": behavior}
    assert ran.begun == ["1.1.1"]


def test_a_non_strict_verdict_that_a_clock_decided_is_doubtful():
    assert Ran(["1.1.1"], verdicts={"1.1.1": (("NON-STRICT", True), PASSES)}).verdicts == {"1.1.1": "OK"}


def test_an_attempt_that_could_not_connect_is_not_doubtful():
    assert not Attempt("1.1.1", None, "could not connect: refused", timed=True).doubtful


def test_a_case_that_ran_alone_or_with_one_job_is_never_doubtful():
    assert Ran(["3.4"], verdicts={"3.4": (DOUBTFUL, PASSES)}).verdicts == {"3.4": "FAILED"}
    assert Ran(["1.1.1", "9.1.1"], jobs=1, verdicts={"1.1.1": (DOUBTFUL, PASSES)}).verdicts["1.1.1"] == "FAILED"


def test_if_eight_come_out_as_before_the_others_are_believed():
    cases = QUIET[:12]
    ran = Ran(cases, verdicts=dict.fromkeys(cases, (DOUBTFUL, DOUBTFUL)))
    assert ran.verdicts == dict.fromkeys(cases, "FAILED")
    assert len(ran.begun) == 12 + 8
    assert ran.most["all"] == 12


def test_if_one_of_the_eight_comes_out_otherwise_all_are_run_again():
    cases = QUIET[:12]
    first = Ran(cases, verdicts=dict.fromkeys(cases, (DOUBTFUL,))).begun[12]
    changes = {case: (DOUBTFUL, PASSES) if case == first else (DOUBTFUL,) for case in cases}
    ran = Ran(cases, verdicts=changes)
    assert len(ran.begun) == 12 + 12 + 1
    assert ran.verdicts == {case: "OK" if case == first else "FAILED" for case in cases}


def test_what_goes_wrong_in_a_case_ends_the_schedule():
    async def broken(case: str) -> Attempt:
        raise LookupError(case)

    async def deliver(_: Attempt) -> None:
        """Nothing comes."""

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(Schedule(broken, deliver, 4, 1).run(["1.1.1"], deflates=False))
    assert caught.group_contains(LookupError, match=r"^1\.1\.1$")


def test_cases_that_pause_begin_beside_the_quick_ones():
    assert set(QUIET) & Ran([*QUIET, *WAITING]).beside["6.4.1"]


def test_doubtful_bulk_is_not_run_again_beside_a_case_that_has_paused():
    ran = Ran([*WAITING, "9.1.1", "9.1.2"], verdicts={"9.1.1": [DOUBTFUL, PASSES]})
    assert not ran.disturbed_by
    assert ran.verdicts["9.1.1"] == "OK"
