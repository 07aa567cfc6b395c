from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from junitparser import JUnitXml

from harness.results import Behavior, Deviation, Implementation, Lost, ProbeVerdict, Run
from reports import render
from tests.reports.recording import FAILED, WRONG_CODE, Recording, xml


def junit(recording: Recording) -> ET.Element:
    return xml(render("junit", recording.save()))


def case(root: ET.Element, name: str) -> ET.Element:
    (found,) = (case for case in root.iter("testcase") if case.attrib["name"] == name)
    return found


def outcome(root: ET.Element, name: str) -> tuple[str, str, str]:
    """What a test case has in it, its type and message."""
    (child,) = case(root, name)
    return child.tag, child.attrib.get("type", ""), child.attrib.get("message", child.text or "")


def test_a_pass_is_a_test_case_with_its_time_grouped_by_target_and_engine(recording: Recording):
    recording.result("1.1.1", "ws://127.0.0.1:9001/chat")
    told = case(junit(recording), "1.1.1")
    assert (told.attrib["classname"], float(told.attrib["time"])) == ("ws-127.0.0.1-9001-chat.autobahn", 0.007)
    assert list(told) == []


def test_there_is_a_suite_for_each_target_and_engine(recording: Recording):
    recording.target("echo", implementation=Implementation(version="1.2", language="C"))
    recording.result("1.1.1")
    recording.result("1.1.1", engine="native")
    recording.result("2.1", "other", **FAILED)
    recording.probe("L.1.1")
    root = junit(recording)
    suites = {suite.attrib["name"]: suite for suite in root}
    assert list(suites) == ["echo (autobahn)", "echo (native)", "other (autobahn)", "echo (limits)"]
    assert (root.attrib["tests"], root.attrib["failures"], root.attrib["errors"]) == ("4", "1", "0")
    properties = {one.attrib["name"]: one.attrib["value"] for one in suites["echo (autobahn)"].iter("property")}
    assert (properties["version"], properties["language"], properties["engine"]) == ("1.2", "C", "autobahn 25.10.1")


def test_targets_whose_names_look_alike_are_not_joined(recording: Recording):
    """As they are when a control character is shown by its picture."""
    for name in ("a\x00", "a\u2400"):
        recording.target(name, expected=1)
        recording.result("1.1.1", name)
    root = junit(recording)
    assert len(root) == 2
    assert len({case.attrib["classname"] for case in root.iter("testcase")}) == 2


def test_an_unexpected_failure_says_what_went_wrong_and_how_to_repeat_it(recording: Recording):
    recording.result("6.4.1", behavior=Behavior.FAILED, remote_close_code=1002)
    recording.evidence(
        "6.4.1", sent="Sends bad UTF-8.", expected="It is refused.", outcome="It was echoed.",
        accepted={"OK": ["timeout A"]}, accepted_close_codes=[1007], received=['message "x" (text)'],
        clauses=["RFC 6455 8.1"],
    )  # fmt: skip
    kind, type_, message = outcome(junit(recording), "6.4.1")
    assert (kind, type_) == ("failure", "FAILED")
    assert message.startswith("It was echoed.")
    assert "behavior FAILED, behaviorClose OK, close code 1002 (protocol error)" in message
    text = case(junit(recording), "6.4.1")[0].text or ""
    assert text.splitlines() == [
        "sent: Sends bad UTF-8.",
        "expected: It is refused.",
        "see: RFC 6455 8.1",
        "accepted as OK: timeout A",
        "accepted close codes: 1007",
        'received: message "x" (text)',
        "close code received: 1002 (protocol error)",
        "repeat: wsconform run echo --engine autobahn --cases 6.4.1",
    ]


def test_a_wrong_close_code_is_a_failure_of_that_type(recording: Recording):
    recording.result("7.1.1", **WRONG_CODE)
    assert outcome(junit(recording), "7.1.1")[:2] == ("failure", "WRONG CODE")


def test_a_probe_that_failed_says_what_was_measured(recording: Recording):
    recording.probe("L.1.1", verdict=ProbeVerdict.LATE, limit="max_frame_size", set_to=16384.0, taken=90000)
    root = junit(recording)
    assert outcome(root, "L.1.1")[:2] == ("failure", "LATE")
    text = case(root, "L.1.1")[0].text or ""
    assert "Taken before the refusal: 90,000 octets" in text
    assert "repeat: wsconform run echo --cases L.1.1 -v" in text


def test_a_known_deviation_is_skipped_with_its_reason(recording: Recording):
    known = Deviation(cases=["1.*"], behavior=Behavior.FAILED, reason="By design.", link="https://example.org/7")
    recording.target(deviations=[known])
    recording.result("1.1.1", **FAILED)
    root = junit(recording)
    assert outcome(root, "1.1.1") == ("skipped", "known deviation", "known deviation: By design.")
    assert "https://example.org/7" in (case(root, "1.1.1")[0].text or "")
    assert root.attrib["skipped"] == "1"


def test_what_is_not_implemented_or_not_configurable_is_skipped(recording: Recording):
    recording.result("12.1.1", behavior=Behavior.UNIMPLEMENTED)
    recording.probe("L.1.1", verdict=ProbeVerdict.NOT_CONFIGURABLE)
    root = junit(recording)
    assert outcome(root, "12.1.1") == ("skipped", "unimplemented", "UNIMPLEMENTED")
    assert outcome(root, "L.1.1") == ("skipped", "unimplemented", "NOT CONFIGURABLE")


@pytest.mark.parametrize(("strict", "kind"), [(False, "system-out"), (True, "failure")])
def test_non_strict_passes_unless_the_run_is_strict(recording: Recording, strict: bool, kind: str):
    recording.run["strict"] = strict
    recording.result("6.4.1", behavior=Behavior.NON_STRICT)
    tag, _, words = outcome(junit(recording), "6.4.1")
    assert tag == kind
    assert "behavior NON-STRICT" in words


@pytest.mark.parametrize(("allow", "kind", "type_"), [(False, "failure", "stale"), (True, "system-out", "")])
def test_a_stale_deviation_fails_unless_that_is_allowed(recording: Recording, allow: bool, kind: str, type_: str):
    recording.run["allow_stale"] = allow
    recording.target(deviations=[Deviation(cases=["1.*"], behavior=Behavior.FAILED, reason="Old bug.")])
    recording.result("1.1.1")
    tag, of_type, words = outcome(junit(recording), "1.1.1")
    assert (tag, of_type) == (kind, type_)
    assert "Old bug." in words


def test_a_stale_deviation_that_is_allowed_is_told_of_what_is_not_implemented_too(recording: Recording):
    recording.run["allow_stale"] = True
    recording.target(deviations=[Deviation(cases=["12.*"], behavior=Behavior.FAILED, reason="Old bug.")])
    recording.result("12.1.1", behavior=Behavior.UNIMPLEMENTED)
    tag, _, words = outcome(junit(recording), "12.1.1")
    assert (tag, "Old bug." in words) == ("system-out", True)


def test_a_lost_case_is_an_error_with_its_reason(recording: Recording):
    recording.target(lost=[Lost(case="6.4.1", reason="signal 11")])
    recording.result("1.1.1")
    assert outcome(junit(recording), "6.4.1") == ("error", "lost", "lost: signal 11")


def test_a_case_that_is_lost_and_judged_is_an_error_that_says_so(recording: Recording):
    recording.target(lost=[Lost(case="1.1.1", reason="signal 11")], expected=1)
    recording.result("1.1.1")
    kind, _, message = outcome(junit(recording), "1.1.1")
    assert kind == "error"
    assert message.startswith("recorded as lost, though it has a verdict (behavior OK")


def miss(recording: Recording) -> str:
    recording.targets["echo", "autobahn"]["expected"] = 2
    return "2 cases asked for, 1 judged"


def have_too_many(recording: Recording) -> str:
    recording.result("1.1.2")
    recording.targets["echo", "autobahn"]["expected"] = 1
    return "1 case asked for, but 2 judged"


def interrupt(recording: Recording) -> str:
    recording.run["state"] = "interrupted"
    return "The run was interrupted."


def go_on(recording: Recording) -> str:
    recording.run["state"] = "running"
    return "The run has not ended, or was killed."


def end_with_an_error(recording: Recording) -> str:
    recording.run["state"] = "error"
    return "The run ended with an error."


def add_one_that_never_starts(recording: Recording) -> str:
    recording.target("never", error="it exited with 127", expected=1)
    return "could not be run: it exited with 127"


def add_one_that_has_no_case(recording: Recording) -> str:
    recording.target("idle", expected=0)
    return "No case was asked for."


def die(recording: Recording) -> str:
    recording.targets["echo", "autobahn"]["unexplained"] = ["after 6.4.1 and 6.4.2"]
    return "It died: after 6.4.1 and 6.4.2"


def forget_the_target(recording: Recording) -> str:
    recording.targets.clear()
    return "run.json does not say how many were asked for"


def leave_nothing(recording: Recording) -> str:
    (recording.folder / "results.jsonl").unlink()
    recording.targets.clear()
    return "No target was run."


@pytest.mark.parametrize(
    "spoil",
    [miss, have_too_many, interrupt, go_on, end_with_an_error, add_one_that_never_starts, add_one_that_has_no_case,
     die, forget_the_target, leave_nothing],
)  # fmt: skip
def test_what_is_no_case_is_an_error_of_its_own(recording: Recording, spoil: Callable[[Recording], str]):
    recording.result("1.1.1")
    assert junit(recording).attrib["errors"] == "0"
    words = spoil(recording)
    (error,) = junit(recording).iter("error")
    assert words in error.attrib["message"]


def test_what_nothing_explains_is_an_error_all_the_same(recording: Recording):
    """Such as a target that run.json lists twice, and the first time with more cases."""
    recording.result("1.1.1")
    folder = recording.save()
    run = Run.model_validate_json((folder / "run.json").read_text())
    more = run.targets[0].model_copy(update={"expected": 2})
    twice = run.model_copy(update={"targets": [more, *run.targets]})
    (error,) = xml(render("junit", folder, run=twice)).iter("error")
    assert "exits with 4, but nothing that is shown says why" in error.attrib["message"]


def test_a_huge_text_is_cut(recording: Recording):
    huge = "A" * 1_000_000
    recording.target(lost=[Lost(case="2.1", reason=huge)], error=huge)
    recording.result("1.1.1", **FAILED)
    recording.evidence("1.1.1", sent=huge, outcome=huge, received=[huge] * 100, accepted={"OK": [huge]})
    text = render("junit", recording.save())
    assert len(text) < 15_000
    assert "more characters)" in text


def test_it_reads_back_with_the_library_for_it(recording: Recording):
    recording.result("1.1.1", **FAILED)
    recording.result("1.1.2")
    text = render("junit", recording.save())
    assert text.startswith("<?xml version='1.0' encoding='utf-8'?>\n<testsuites ")
    document = JUnitXml.fromstring(text.encode())
    assert (document.tests, document.failures, document.errors, document.skipped) == (2, 1, 0, 0)
