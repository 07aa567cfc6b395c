"""Where the engines disagree, with engines that say what the test wants."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Literal

import pytest
from pydantic import ValidationError

from harness import selection
from harness.crosscheck import Allowed, Comparison, Difference, Verdict, allowed, compare, save, saved
from harness.endpoint import Endpoint
from harness.engines import Batch, Job, Record
from harness.results import Behavior, BehaviorClose, Evidence, Result, Suite
from harness.settle import settle
from tests.support import Unlimited

OK: Verdict = (Behavior.OK, BehaviorClose.OK)
FAILED: Verdict = (Behavior.FAILED, BehaviorClose.OK)
UNCLEAN: Verdict = (Behavior.OK, BehaviorClose.UNCLEAN)
INFORMATIONAL: Verdict = (Behavior.INFORMATIONAL, BehaviorClose.INFORMATIONAL)
BY_CLIENT: Verdict = (Behavior.OK, BehaviorClose.FAILED_BY_CLIENT)


def result(engine: str, case: str, verdict: Verdict, target: str = "t") -> Result:
    behavior, behavior_close = verdict
    return Result(
        target=target, engine=engine, case=case, behavior=behavior, behavior_close=behavior_close, duration_ms=1
    )


def both(case: str, autobahn: Verdict, native: Verdict) -> list[Result]:
    return [result("autobahn", case, autobahn), result("native", case, native)]


def row(cases: list[str], autobahn: list[str], native: list[str]) -> Allowed:
    return Allowed(cases=cases, autobahn=autobahn, native=native, reason="on purpose")


# Comparing


def test_engines_that_say_the_same_have_no_differences():
    found = compare("t", [*both("1.1.1", OK, OK), *both("1.1.2", FAILED, FAILED)], [])
    assert (found.target, found.cases, found.differences) == ("t", 2, [])


def test_a_difference_in_either_verdict_is_a_disagreement():
    found = compare("t", [*both("1.1.1", OK, FAILED), *both("1.1.2", UNCLEAN, OK), *both("1.1.3", OK, OK)], [])
    assert found.disagreements == [
        Difference("1.1.1", (OK,), (FAILED,)),
        Difference("1.1.2", (UNCLEAN,), (OK,)),
    ]


def test_cases_without_a_verdict_from_each_and_other_targets_are_not_compared():
    results = [
        result("autobahn", "1.1.1", OK),
        result("native", "1.1.2", OK),
        result("autobahn", "1.1.3", OK, target="other"),
        result("native", "1.1.3", FAILED),
    ]
    assert compare("t", results, []) == Comparison("t", 0)


def test_a_difference_that_is_on_purpose_is_told_and_no_disagreement():
    found = compare("t", both("9.1.1", OK, FAILED), [row(["9.*"], ["OK / *"], ["FAILED / *"])])
    assert found.differences == [Difference("9.1.1", (OK,), (FAILED,), "on purpose")]
    assert found.disagreements == []


# Rows


@pytest.mark.parametrize(
    ("case", "autobahn", "native", "covered"),
    [
        ("9.1.1", OK, FAILED, True),
        ("9.1.1", UNCLEAN, FAILED, True),
        ("9.8.6", BY_CLIENT, FAILED, True),
        ("9.1.1", FAILED, OK, False),
        ("9.1.1", OK, UNCLEAN, False),
        ("10.1.1", OK, FAILED, False),
    ],
)
def test_a_row_covers_the_cases_and_verdicts_that_it_names(
    case: str, autobahn: Verdict, native: Verdict, covered: bool
):
    assert row(["9.*"], ["OK / *"], ["FAILED / *"]).covers(case, autobahn, native) is covered


def test_a_row_may_name_several_verdicts_each_to_the_word():
    both_named = row(["1.1.1"], ["OK / OK", "OK / FAILED BY CLIENT"], ["* / UNCLEAN"])
    assert both_named.covers("1.1.1", OK, UNCLEAN)
    assert both_named.covers("1.1.1", BY_CLIENT, UNCLEAN)
    assert not both_named.covers("1.1.1", FAILED, UNCLEAN)
    assert not both_named.covers("1.1.1", OK, OK)


@pytest.mark.parametrize(
    "fields",
    [
        {"cases": [], "autobahn": ["*"], "native": ["*"], "reason": "r"},
        {"cases": ["1.*"], "autobahn": ["*"], "native": ["*"], "reason": ""},
        {"cases": ["1.*"], "autobahn": ["*"], "native": ["*"]},
        {"cases": ["1.*"], "autobahn": ["*"], "native": ["*"], "reason": "r", "unknown": 1},
    ],
    ids=["no cases", "empty reason", "no reason", "unknown key"],
)
def test_a_row_without_cases_or_reason_is_refused(fields: dict[str, object]):
    with pytest.raises(ValidationError):
        Allowed.model_validate(fields)


def test_every_shipped_row_has_a_reason_that_is_a_sentence_and_names_cases_that_exist():
    rows = allowed()
    assert rows
    for one in rows:
        assert one.reason.endswith(".")
        assert len(one.reason) > 40
        assert selection.resolve(one.cases)


def test_every_verdict_in_the_shipped_rows_is_one_that_there_is():
    for one in allowed():
        for pattern in (*one.autobahn, *one.native):
            behavior, close = (part.strip() for part in pattern.split("/"))
            assert behavior == "*" or behavior in list(Behavior)
            assert close == "*" or close in list(BehaviorClose)


def test_the_shipped_rows_allow_a_stricter_section_9_and_nothing_looser():
    def reason(case: str, autobahn: Verdict, native: Verdict) -> bool:
        return any(one.covers(case, autobahn, native) for one in allowed())

    assert reason("9.1.1", OK, FAILED)
    assert not reason("9.1.1", FAILED, OK)
    assert not reason("1.1.1", OK, FAILED)
    assert reason("7.1.6", INFORMATIONAL, (Behavior.FAILED, BehaviorClose.FAILED))
    assert not reason("7.1.5", INFORMATIONAL, (Behavior.FAILED, BehaviorClose.FAILED))


# Settling


class Target(Unlimited):
    """A target that counts how often it was asked to start."""

    name = "t"
    deflates = True
    started_as: Literal["process"] = "process"

    def __init__(self) -> None:
        self.starts = 0

    def start(self) -> Endpoint:
        self.starts += 1
        return Endpoint("ws://127.0.0.1:1")

    def problem(self) -> str | None:
        return None

    def last_output(self) -> str:
        return ""

    def stop(self) -> None:
        raise AssertionError("it is another one's to stop")


class Engine:
    """Says one verdict after the other, and the last one for ever."""

    version = "1"
    suite: Suite = "conformance"
    listen_host = "127.0.0.1"
    on_host = True
    default_jobs = 32

    def __init__(self, name: str, *verdicts: Verdict) -> None:
        self.name = name
        self.jobs: list[Job] = []
        self._verdicts = list(verdicts)

    def run(self, job: Job) -> Generator[Batch, None, None]:
        self.jobs.append(job)
        records = []
        if self._verdicts:
            verdict = self._verdicts.pop(0) if len(self._verdicts) > 1 else self._verdicts[0]
            (case,) = job.cases
            evidence = Evidence(target="t", engine=self.name, case=case, sent="", expected="")
            records.append(Record(result(self.name, case, verdict), evidence))
        yield Batch(job.cases, records)


def settled(difference: Difference, *engines: Engine) -> tuple[Difference, list[str], Target]:
    comparison, said, target = Comparison("t", 1, [difference]), list[str](), Target()
    settle(comparison, engines, target, Path("run"), said.append)
    (after,) = comparison.differences
    return after, said, target


APART = Difference("1.1.1", (OK,), (FAILED,))


def test_engines_that_never_see_the_same_disagree_after_four_repetitions():
    autobahn, native = Engine("autobahn", OK), Engine("native", FAILED)
    after, said, target = settled(APART, autobahn, native)
    assert after == Difference("1.1.1", (OK,) * 5, (FAILED,) * 5)
    assert after.disagreement
    assert (len(autobahn.jobs), len(native.jobs), target.starts) == (4, 4, 8)
    assert said == ["t: runs 1.1.1 again, about which the engines disagree"]


def test_a_peer_that_wavers_is_found_out_as_soon_as_one_engine_sees_what_the_other_saw():
    autobahn, native = Engine("autobahn", OK, UNCLEAN), Engine("native", UNCLEAN, OK)
    after, _, _ = settled(APART, autobahn, native)
    assert after == Difference("1.1.1", (OK, OK, UNCLEAN), (FAILED, UNCLEAN, OK))
    assert after.varies
    assert not after.disagreement
    assert len(native.jobs) == 2


def test_each_repetition_is_the_case_alone_on_the_running_target():
    autobahn, native = Engine("autobahn", OK), Engine("native", FAILED, OK)
    settled(APART, autobahn, native)
    (job, _) = native.jobs
    assert (job.target, list(job.cases), job.jobs, job.deflates) == ("t", ["1.1.1"], 1, True)
    assert (list(job.endpoints), job.folder) == ([Endpoint("ws://127.0.0.1:1")], Path("run"))


def test_an_engine_without_a_verdict_settles_nothing():
    after, _, _ = settled(APART, Engine("autobahn"), Engine("native", FAILED))
    assert after == Difference("1.1.1", (OK,), (FAILED,) * 5)
    assert after.disagreement


def test_what_is_on_purpose_or_wavers_already_is_not_run_again():
    for difference in (Difference("9.1.1", (OK,), (FAILED,), "why"), Difference("1.1.1", (OK, FAILED), (FAILED,))):
        engines: Sequence[Engine] = (Engine("autobahn", OK), Engine("native", OK))
        after, said, target = settled(difference, *engines)
        assert (after, said, target.starts) == (difference, [], 0)


def test_a_reason_is_stronger_than_wavering():
    known = Difference("9.1.1", (OK,), (OK,), "why")
    assert not known.varies
    assert not known.disagreement


# Kept for the report


def test_what_was_found_is_kept_in_the_runs_folder(tmp_path: Path):
    found = Comparison("t", 2, [Difference("1.1.1", (OK,), (FAILED, OK)), Difference("2.1", (OK,), (UNCLEAN,), "so")])
    save(tmp_path, [found])
    assert saved(tmp_path) == [found]


def test_a_run_without_a_crosscheck_has_found_nothing(tmp_path: Path):
    assert saved(tmp_path) == []
    (tmp_path / "crosscheck.json").write_text("[{}]")
    assert saved(tmp_path) == []
