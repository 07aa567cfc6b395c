import pytest
from pydantic import ValidationError

from harness.results import Behavior, BehaviorClose, Deviation, Outcome, Result, case_order, matches


def result(behavior: str = "OK", close: str = "OK", case: str = "7.1.5") -> Result:
    return Result(
        target="t",
        engine="autobahn",
        case=case,
        behavior=Behavior(behavior),
        behavior_close=BehaviorClose(close),
        remote_close_code=1000,
        duration_ms=3,
    )


@pytest.mark.parametrize(
    ("behavior", "close", "outcome"),
    [
        ("OK", "OK", Outcome.PASSED),
        ("OK", "INFORMATIONAL", Outcome.PASSED),
        ("OK", "WRONG CODE", Outcome.FAILED),
        ("OK", "UNCLEAN", Outcome.FAILED),
        ("OK", "FAILED", Outcome.FAILED),
        ("OK", "FAILED BY CLIENT", Outcome.NON_STRICT),
        ("NON-STRICT", "OK", Outcome.NON_STRICT),
        ("NON-STRICT", "FAILED", Outcome.FAILED),
        ("INFORMATIONAL", "INFORMATIONAL", Outcome.INFORMATIONAL),
        ("UNIMPLEMENTED", "OK", Outcome.UNIMPLEMENTED),
        ("UNIMPLEMENTED", "UNCLEAN", Outcome.FAILED),
        ("FAILED", "OK", Outcome.FAILED),
    ],
)
def test_the_worse_of_both_fields_decides(behavior: str, close: str, outcome: Outcome):
    assert result(behavior, close).outcome is outcome


def test_a_line_of_the_journal_has_the_keys_of_the_contract():
    assert result().to_json() == (
        '{"target":"t","engine":"autobahn","case":"7.1.5","behavior":"OK","behaviorClose":"OK",'
        '"remoteCloseCode":1000,"durationMs":3}'
    )


def test_an_unknown_key_is_refused():
    with pytest.raises(ValidationError):
        Result.model_validate_json('{"target":"t","surprise":1}')


@pytest.mark.parametrize(
    ("pattern", "case", "fits"),
    [
        ("6.*", "6.4.1", True),
        ("6.*", "16.4.1", False),
        ("1.*", "10.1.1", False),
        ("1*", "10.1.1", True),  # as Autobahn reads it
        ("*.1", "9.1.6", True),  # Autobahn leaves the end open
        ("6.4", "6.4.1", False),
        ("6.4.1", "6.4.1", True),
        ("*", "13.7.18", True),
    ],
)
def test_patterns_are_autobahns(pattern: str, case: str, fits: bool):
    assert matches(pattern, case) is fits


def test_cases_are_ordered_by_their_numbers():
    assert sorted(["9.1.10", "10.1.1", "9.1.2", "L.1.1"], key=case_order) == ["9.1.2", "9.1.10", "10.1.1", "L.1.1"]


def test_a_deviation_explains_the_verdict_that_it_names_and_no_other():
    deviation = Deviation(cases=["7.*"], behavior=Behavior.FAILED, behavior_close=BehaviorClose.WRONG_CODE, reason="r")
    assert deviation.explains(result("FAILED", "WRONG CODE"))
    assert not deviation.explains(result("FAILED", "FAILED"))
    assert not deviation.explains(result("FAILED", "WRONG CODE", case="6.1.1"))


def test_a_deviation_that_names_no_verdict_is_refused():
    with pytest.raises(ValidationError, match="which verdict to expect"):
        Deviation(cases=["7.*"], reason="r")
