"""Cases that the Autobahn Testsuite has not: they have one verdict, and tell in words what was seen."""

from __future__ import annotations

import pytest

from harness.results import Behavior, BehaviorClose, WireEvent
from tests.reports.recording import Recording, row_of

INFORMATIONAL = {"behavior": Behavior.INFORMATIONAL, "behavior_close": BehaviorClose.INFORMATIONAL}


def test_the_matrix_has_one_verdict_of_them_and_two_of_autobahns(recording: Recording) -> None:
    recording.result("1.1.1", engine="native")
    recording.result("H.2.1", engine="native", remote_close_code=None)
    recording.result("F.6.2", engine="native", **INFORMATIONAL)
    # what the runner found out counts: the server died
    recording.result("D.1.1", engine="native", behavior_close=BehaviorClose.FAILED)
    cases = recording.matrix().with_id("cases")
    shown = {case: row_of(cases, case)[1] for case in ("1.1.1", "H.2.1", "F.6.2", "D.1.1")}
    assert shown == {
        "1.1.1": "OK OK 1000", "H.2.1": "OK no code", "F.6.2": "INFORMATIONAL 1000", "D.1.1": "OK FAILED 1000",
    }  # fmt: skip
    captions = [caption.text for caption in cases.find("caption")]
    assert captions == [
        "1.1 Text messages: behavior, and below it closing and close code",
        "D.1 Compressed messages and their frames: behavior, and below it close code",
        "F.6 Closing: behavior, and below it close code",
        "H.2 Requests that must not be accepted: behavior, and below it close code",
    ]


@pytest.mark.parametrize(("case", "closing"), [("H.2.1", ""), ("1.1.1", "OK closing, ")])
def test_their_pages_have_one_verdict(recording: Recording, case: str, closing: str) -> None:
    recording.result(case, engine="native", behavior=Behavior.NON_STRICT, remote_close_code=None)
    recording.evidence(case, engine="native", outcome="It was refused with HTTP 500.")
    recording.report()
    page = recording.page(f"cases/{case}.html")
    assert f"NON-STRICT behavior, {closing}close code none" in page.text
    row = row_of(recording.page("implementations/echo.html").having("table", "Every case of echo"), case)
    assert row == [case, "NON-STRICT", "OK" if closing else "", "none", "7"]


def test_nothing_is_said_to_have_been_received_where_no_list_of_it_was_kept(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = [WireEvent(kind="note", note="connection 2")]
    both: list[tuple[str, dict[str, list[str]]]] = [("H.2.1", {}), ("7.1.1", {"OK": []})]
    for case, accepted in both:
        recording.result(case, engine="native")
        recording.evidence(case, engine="native", outcome="Refused.", accepted=accepted, wire=wire)
    for most in (1_000_000, 1):  # in full, and in short
        monkeypatch.setattr("reports._wire.BUDGET", most)
        recording.report()
        assert "Received" not in recording.page("cases/H.2.1.html").text
        assert "Received" in recording.page("cases/7.1.1.html").text
