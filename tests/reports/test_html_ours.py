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
        "1.1.1": "OK OK 1000", "H.2.1": "OK", "F.6.2": "INFORMATIONAL 1000", "D.1.1": "OK FAILED 1000",
    }  # fmt: skip
    captions = [caption.text for caption in cases.find("caption")]
    assert captions == [
        "1.1 Text messages: behavior, and below it closing and close code",
        "D.1 Compressed messages and their frames: the verdict, and below it the close code, where one came",
        "F.6 Closing: the verdict, and below it the close code, where one came",
        "H.2 Requests that must not be accepted: the verdict, and below it the close code, where one came",
    ]


@pytest.mark.parametrize(
    ("case", "words", "closing"),
    [("H.2.1", "NON-STRICT , 7 ms", ""), ("1.1.1", "NON-STRICT behavior, OK closing, close code none, 7 ms", "OK")],
)
def test_their_pages_have_one_verdict(recording: Recording, case: str, words: str, closing: str) -> None:
    recording.result(case, engine="native", behavior=Behavior.NON_STRICT, remote_close_code=None)
    recording.evidence(case, engine="native", outcome="It was refused with HTTP 500.")
    recording.report()
    page = recording.page(f"cases/{case}.html")
    assert words in page.text
    assert ("has no such case" in page.find("footer")[0].text) == (case == "H.2.1")
    row = row_of(recording.page("implementations/echo.html").having("table", "Every case of echo"), case)
    assert row == [case, "NON-STRICT", closing, "none", "7"]


def test_nothing_is_said_to_have_been_received_where_no_list_of_it_was_kept(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = [WireEvent(kind="note", note="connection 2")]  # no frame that would tell it as well
    told: dict[str, dict[str, list[str]]] = {"H.2.1": {}, "7.1.1": {"OK": []}}
    for case, accepted in told.items():
        recording.result(case, engine="native")
        recording.evidence(case, engine="native", outcome="Refused.", accepted=accepted, wire=wire)
    for most in (1_000_000, 1):  # in full, and in short
        monkeypatch.setattr("reports._wire.BUDGET", most)
        recording.report()
        assert "Received" not in recording.page("cases/H.2.1.html").text
        assert "Received" in recording.page("cases/7.1.1.html").text


def test_the_request_is_in_sight_where_the_opening_handshake_is_what_is_tested(recording: Recording) -> None:
    for case in ("H.2.1", "F.1.1"):
        recording.result(case, engine="native")
        recording.evidence(case, engine="native", request="GET / HTTP/1.1\r\n\r\n")
    recording.report()
    shown = recording.page("cases/H.2.1.html").having("details", "Opening handshake")
    assert "open" in shown.attributes
    assert "open" not in recording.page("cases/F.1.1.html").having("details", "Opening handshake").attributes


def test_octets_are_in_sight_where_nothing_else_tells_what_was_sent(recording: Recording) -> None:
    wire = [
        WireEvent(kind="octets", direction="sent", length=1, data="47"),
        WireEvent(kind="frame", direction="received", opcode=1, length=0),
    ]
    for case in ("F.1.1", "1.1.1"):
        recording.result(case, engine="native")
        recording.evidence(case, engine="native", wire=wire)
    recording.report()
    assert "checked" in recording.page("cases/F.1.1.html").with_id("o1").attributes
    assert "checked" not in recording.page("cases/1.1.1.html").with_id("o1").attributes
