from __future__ import annotations

from pathlib import Path

import pytest

from harness.results import (
    Behavior,
    BehaviorClose,
    Closing,
    Implementation,
    WireEvent,
)
from reports._wire import close_code, opcode_name
from tests.reports.recording import FAILED, Node, Recording, parsed


def test_shows_what_was_sent_expected_and_seen(recording: Recording) -> None:
    recording.result("1.1.1", behavior_close=BehaviorClose.UNCLEAN, remote_close_code=None)
    recording.evidence(
        "1.1.1",
        sent="One frame.\nThen another.",
        accepted={"OK": ["message a"], "NON-STRICT": []},
        accepted_close_codes=[1000, 4711],
        received=["message b"],
        outcome="Events differ.",
        outcome_close="It was not clean.",
        request="GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        response="HTTP/1.1 101 Switching Protocols\r\n\r\n",
        closing=Closing(was_clean=False, reason_not_clean="dropped", dropped_by_engine=True, local_code=1000),
    )
    recording.report()
    page = recording.page("cases/1.1.1.html")
    facts: dict[str, str] = {}
    for facts_list in page.find("dl"):
        terms = [node for node in facts_list.children if isinstance(node, Node)]
        facts |= {term.text: text.text for term, text in zip(terms[::2], terms[1::2], strict=True)}
    assert facts == {
        "Sent": "One frame. Then another.",
        "Expected": "Expects an echo.",
        "OK if received": "message a",
        "NON-STRICT if received": "nothing",
        "Close codes accepted": "1000 (normal closure), 4711",
        "Came of it": "Events differ.",
        "Closing": "It was not clean.",
        "Received": "message b",
        "Closed cleanly": "no: dropped",
        "The engine": "dropped it",
        "Code sent": "1000 (normal closure)",
        "Code received": "none",
    }
    assert "OK behavior, UNCLEAN closing, close code none, 7 ms" in page.text
    assert [text.raw_text for text in page.find("pre")] == [
        "GET / HTTP/1.1\nHost: x",
        "HTTP/1.1 101 Switching Protocols",
    ]


def test_shows_the_wire_log_as_a_table(recording: Recording) -> None:
    recording.result("1.1.1")
    wire = [
        WireEvent(kind="octets", direction="sent", length=3, data="810161"),
        WireEvent(kind="frame", direction="sent", at_ms=1, length=1, opcode=1, fin=True, rsv=0, masked=True, data="a"),
        WireEvent(kind="frame", direction="received", length=2, opcode=8, fin=False, rsv=5, data="0x03e8"),
        WireEvent(kind="timer", note="waited"),
    ]
    recording.evidence("1.1.1", wire=wire, wire_omitted=3)
    recording.report()
    page = recording.page("cases/1.1.1.html")
    table = page.having("table", "What went over the wire")
    assert [[cell.text for cell in row.walk() if cell.tag in {"td", "th"}] for row in table.find("tr")] == [
        ["ms", "harness echo", "FIN", "RSV", "MASK", "Length", "Payload"],
        ["", "sent octets", "", "", "", "3", "810161"],
        ["1.0", "sent text", "1", "0", "1", "1", "a"],
        ["", "received close", "0", "RSV1+RSV3", "", "2", "0x03e8 = 1000 (normal closure)"],
        ["", "timer", "waited"],
    ]
    assert [row.attributes.get("class") for row in table.find("tr")[1:]] == ["s o", "s", "r", "t"]
    assert "3 more events were not recorded" in table.text
    assert "Wire log, 7 events" in page.text


def test_a_long_wire_log_of_a_pass_is_shortened_in_a_large_run_only(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording.result("1.1.1")
    recording.result("1.1.2", **FAILED)
    wire = [WireEvent(kind="note", note=f"event {number}") for number in range(100)]
    for case in ("1.1.1", "1.1.2"):
        recording.evidence(case, wire=wire)

    def rows(case: str) -> list[str]:
        recording.report()
        table = recording.page(f"cases/{case}.html").having("table", "What went over the wire")
        return [row.text for row in table.find("tr")[1:]]

    assert len(rows("1.1.1")) == 100
    monkeypatch.setattr("reports._wire.BUDGET", 1)
    assert rows("1.1.1")[6:10] == [
        "note event 6", "note event 7", "left out 88 events; all are in evidence.jsonl", "note event 96",
    ]  # fmt: skip
    assert len(rows("1.1.2")) == 100


@pytest.mark.parametrize(
    ("opcode", "name"),
    [(0, "continuation"), (9, "ping"), (3, "reserved data (opcode 3)"), (15, "reserved control (opcode 15)")],
)
def test_opcodes_are_named(opcode: int, name: str) -> None:
    assert opcode_name(opcode) == name


def test_close_codes_are_explained() -> None:
    assert [close_code(code) for code in (1009, 3000, None)] == ["1009 (message too big)", "3000", "none"]


def test_tells_what_each_engine_sends_where_they_differ(recording: Recording) -> None:
    for engine in ("autobahn", "native"):
        recording.result("1.1.1", engine=engine)
        recording.evidence("1.1.1", engine=engine, sent=f"Sent by {engine}.")
    recording.report()
    heads = [head.text for head in recording.page("cases/1.1.1.html").find("h2")]
    assert heads[:2] == ["As autobahn runs it", "As native runs it"]


def test_leads_to_its_neighbours(recording: Recording) -> None:
    for case in ("1.1.1", "1.1.2", "2.1"):
        recording.result(case)
    recording.report()
    page = recording.page("cases/1.1.2.html")
    assert page.find("a", rel="prev")[0].attributes["href"] == "1.1.1.html"
    assert page.find("a", rel="next")[0].attributes["href"] == "2.1.html"


def test_links_the_engines_own_page_only_if_it_is_in_the_run(recording: Recording, tmp_path: Path) -> None:
    (tmp_path / "secret.html").write_text("not of this run")
    (recording.folder / "own #1.html").write_text("own")
    files = ["own #1.html", "../secret.html", "gone.html", "\x00", "javascript:alert(1)"]
    for number, file in enumerate(files, 1):
        recording.result(f"1.1.{number}")
        recording.evidence(f"1.1.{number}", file=file)
    recording.report()
    links = [recording.page(f"cases/1.1.{number}.html").having("p", "Repeat it").find("a") for number in range(1, 6)]
    assert [len(found) for found in links] == [1, 0, 0, 0, 0]
    assert links[0][0].attributes["href"] == "../../own%20%231.html"


def test_failures_come_first_with_a_sentence_and_how_to_repeat_them(recording: Recording) -> None:
    name = "ws://localhost:9001/it's"
    recording.target(name, log="gone.log")
    recording.result("1.1.1", name)
    recording.result("1.1.2", name, behavior=Behavior.NON_STRICT)
    recording.result("1.1.3", name, **FAILED)
    recording.evidence("1.1.3", name, outcome="It differs. More.", accepted={"OK": ["a"]}, received=["b"])
    recording.report()
    (path,) = (recording.folder / "report" / "implementations").iterdir()
    page = parsed(path)
    first, second, third = (fold.find("summary")[0].text for fold in page.find("details"))
    assert (first, second, third) == (
        "Failures: 1", "Non-strict, unimplemented or informational: 1", "Every case: 3",
    )  # fmt: skip
    failure = page.find("details")[0].find("li")[0]
    assert "FAILED behavior, OK closing" in failure.text
    assert "It differs. Received: b; OK would be: a." in failure.text
    assert "wsconform run 'ws://localhost:9001/it'\"'\"'s' --engine autobahn --cases 1.1.3" in failure.text
    assert "gone.log (not there)" in page.text


def test_one_that_did_not_start_says_why(recording: Recording) -> None:
    recording.target("never", error="it exited with status 1", expected=5)
    overview = recording.report()
    assert "\u2717 could not be run it exited with status 1" in overview.find("table")[0].text
    page = recording.page("implementations/never.html")
    assert "It could not be run: it exited with status 1" in page.text
    assert "not every case was judged" in page.text


@pytest.mark.parametrize("homepage", ["javascript:alert(1)", "data:text/html,x", "//example.org", "http://a b/", ""])
def test_an_address_that_is_not_of_the_web_is_no_link(recording: Recording, homepage: str) -> None:
    recording.target(implementation=Implementation(homepage=homepage))
    recording.result("1.1.1")
    recording.report()
    page = recording.page("implementations/echo.html")
    assert homepage not in [link.attributes["href"] for link in page.find("a")]
    assert homepage in page.text
