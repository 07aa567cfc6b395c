import pytest

from harness.errors import ExitCode
from harness.gate import judge, judge_run
from harness.results import Behavior, BehaviorClose, Deviation, Lost, Machine, Result, Run, Selection, TargetRun

KNOWN = Deviation(cases=["7.*"], behavior=Behavior.FAILED, behavior_close=BehaviorClose.FAILED, reason="known")


def result(case: str, behavior: str = "OK", close: str = "OK") -> Result:
    return Result(
        target="t",
        engine="e",
        case=case,
        behavior=Behavior(behavior),
        behavior_close=BehaviorClose(close),
        duration_ms=1,
    )


def target(expected: int, *deviations: Deviation, lost: int = 0, error: str | None = None) -> TargetRun:
    return TargetRun(
        target="t",
        engine="e",
        started_as="process",
        expected=expected,
        deviations=list(deviations),
        lost=[Lost(case=str(number), reason="r") for number in range(lost)],
        error=error,
    )


def run(*targets: TargetRun, state: str = "complete") -> Run:
    return Run.model_validate(
        {
            "id": "x",
            "state": state,
            "started_at": "now",
            "machine": Machine(system="s", architecture="a", cpus=1, memory_bytes=1),
            "selection": Selection(cases=["*"], count=1, jobs=1),
            "targets": targets,
        }
    )


def test_all_passed_is_green():
    assert judge(target(2), [result("1.1.1"), result("1.1.2")]).exit_code is ExitCode.PASSED


@pytest.mark.parametrize(
    ("behavior", "close"), [("FAILED", "OK"), ("OK", "FAILED"), ("OK", "WRONG CODE"), ("OK", "UNCLEAN")]
)
def test_either_field_fails_the_gate(behavior: str, close: str):
    assert judge(target(1), [result("1.1.1", behavior, close)]).exit_code is ExitCode.FAILED


@pytest.mark.parametrize(("behavior", "close"), [("NON-STRICT", "OK"), ("OK", "FAILED BY CLIENT")])
def test_non_strict_fails_only_a_strict_gate(behavior: str, close: str):
    results = [result("1.1.1", behavior, close)]
    assert judge(target(1), results).exit_code is ExitCode.PASSED
    assert judge(target(1), results, strict=True).exit_code is ExitCode.FAILED


def test_a_known_deviation_is_no_failure():
    judged = judge(target(1, KNOWN), [result("7.1.1", "FAILED", "FAILED")])
    assert (judged.exit_code, len(judged.known)) == (ExitCode.PASSED, 1)


def test_another_failure_than_the_known_one_is_a_failure():
    judged = judge(target(1, KNOWN), [result("7.1.1", "FAILED", "WRONG CODE")])
    assert judged.exit_code is ExitCode.FAILED
    assert [r.case for r in judged.unexpected] == ["7.1.1"]


def test_a_known_deviation_that_happens_no_more_is_a_failure():
    judged = judge(target(1, KNOWN), [result("7.1.1")])
    assert judged.exit_code is ExitCode.FAILED
    assert [stale.result.case for stale in judged.stale] == ["7.1.1"]


def test_a_known_deviation_that_wavers_is_expected_and_not_missed():
    wavers = KNOWN.model_copy(update={"wavers": True})
    assert judge(target(1, wavers), [result("7.1.1")]).exit_code is ExitCode.PASSED
    assert judge(target(1, wavers), [result("7.1.1", "FAILED", "FAILED")]).exit_code is ExitCode.PASSED
    assert judge(target(1, wavers), [result("7.1.1", "FAILED", "WRONG CODE")]).exit_code is ExitCode.FAILED
    assert judge(target(1, wavers, KNOWN), [result("7.1.1")]).exit_code is ExitCode.FAILED


def test_a_known_deviation_of_a_case_that_was_not_asked_for_is_no_matter():
    assert judge(target(1, KNOWN), [result("1.1.1")]).exit_code is ExitCode.PASSED


def test_a_lost_case_is_never_green_and_outweighs_a_failure():
    results = [result("1.1.1", "FAILED", "FAILED")]
    assert judge(target(2, lost=1), results).exit_code is ExitCode.INCOMPLETE


def test_a_case_that_is_recorded_as_lost_and_has_a_verdict_is_never_green():
    assert judge(target(1, lost=1), [result("0")]).exit_code is ExitCode.INCOMPLETE


def test_a_count_that_differs_from_what_was_asked_for_is_never_green():
    assert judge(target(3), [result("1.1.1")]).exit_code is ExitCode.INCOMPLETE


def test_no_verdict_at_all_is_never_green():
    assert judge(target(0), []).exit_code is ExitCode.INCOMPLETE
    assert judge_run(run(), [])[1] is ExitCode.INCOMPLETE


def test_a_target_that_did_not_start_is_an_error_of_the_environment():
    assert judge(target(1, lost=1, error="no"), []).exit_code is ExitCode.CANNOT_RUN


@pytest.mark.parametrize(
    ("state", "code"), [("running", ExitCode.INCOMPLETE), ("interrupted", ExitCode.INTERRUPTED), ("error", 3)]
)
def test_a_run_that_did_not_end_is_never_green(state: str, code: int):
    assert judge_run(run(target(1), state=state), [result("1.1.1")])[1] == code


def test_the_worst_target_decides():
    other = target(1).model_copy(update={"target": "other"})
    results = [result("1.1.1"), result("1.1.1", "FAILED").model_copy(update={"target": "other"})]
    judgements, code = judge_run(run(target(1), other), results)
    assert [judgement.exit_code for judgement in judgements] == [ExitCode.PASSED, ExitCode.FAILED]
    assert code is ExitCode.FAILED
