from __future__ import annotations

import pytest

from harness.results import Deviation, Lost, Measured, ProbeVerdict, WireEvent
from reports._probe import measured_rows, octets
from tests.reports.recording import FAILED, Node, Recording, row_of

NOT_ENFORCED = ProbeVerdict.NOT_ENFORCED


def headline(overview: Node) -> str:
    return overview.find("p", **{"class": "headline"})[0].text


def test_a_run_without_probes_has_no_limit_report(recording: Recording) -> None:
    recording.result("1.1.1")
    overview = recording.report()
    assert not (recording.folder / "report" / "limits.html").exists()
    assert "imits" not in overview.find("nav")[0].text


def test_the_limit_report_goes_when_its_probes_go(recording: Recording) -> None:
    recording.result("1.1.1")
    journal = (recording.folder / "results.jsonl").read_text()
    recording.probe("L.1.1")
    recording.report()
    assert (recording.folder / "report" / "limits" / "L.1.1.html").is_file()
    (recording.folder / "results.jsonl").write_text(journal)
    del recording.targets["echo", "limits"]
    recording.report()
    assert not list((recording.folder / "report").rglob("L.1.1.html"))
    assert not (recording.folder / "report" / "limits.html").exists()


def test_every_page_leads_to_the_limit_report(recording: Recording) -> None:
    recording.result("1.1.1")
    recording.probe("L.1.1")
    recording.report()
    for path, page in recording.pages().items():
        links = [link.attributes["href"] for link in page.find("nav")[0].find("a")]
        assert [link.removeprefix("../") for link in links] == [
            "index.html", "matrix.html", "clauses.html", "limits.html", "about.html",
        ], path  # fmt: skip


def test_probes_do_not_disturb_conformance(recording: Recording) -> None:
    recording.probe("L.1.1", "first", NOT_ENFORCED)
    recording.result("1.1.1", "echo", "native")
    recording.probe("L.1.1", "echo")
    overview = recording.report()
    assert [head.text for head in recording.page("matrix.html").with_id("cases").find("thead")[0].find("th")] == [
        "Case",
        "echo",
    ]
    assert row_of(recording.page("matrix.html").with_id("cases"), "1.1.1") == ["1.1.1", "OK OK 1000"]
    assert [path.name for path in (recording.folder / "report" / "cases").iterdir()] == ["1.1.1.html"]
    assert "2 implementations, of which 1 passed" in overview.text
    command = recording.page("cases/1.1.1.html").having("p", "Repeat it").text
    assert command.endswith("wsconform run echo --cases 1.1.1")


def test_a_failing_probe_is_in_the_banner(recording: Recording) -> None:
    recording.result("1.1.1")
    recording.probe("L.1.1", verdict=NOT_ENFORCED)
    assert headline(recording.report()) == "\u2717 Failed: 1 unexpected failure"
    assert headline(recording.page("limits.html")) == "\u2717 Failed: 1 unexpected failure"


def test_a_lost_probe_is_listed_and_makes_the_run_incomplete(recording: Recording) -> None:
    recording.result("1.1.1")
    recording.probe("L.1.1")
    recording.targets["echo", "limits"]["lost"] = [Lost(case="L.1.2", reason="It does not start.")]
    overview = recording.report()
    assert headline(overview) == "! Incomplete: 1 lost case"
    assert "echo (limits): 1 of 2 lost." in overview.text
    item = overview.having("li", "It does not start.")
    assert item.find("a")[0].attributes["href"] == "limits/L.1.2.html#1"
    assert row_of(recording.page("limits.html").with_id("cases"), "L.1.2")[1] == "LOST"
    assert "It does not start." in recording.page("limits/L.1.2.html").text


def test_the_overview_of_a_run_of_probes_alone_says_so(recording: Recording) -> None:
    recording.probe("L.1.1")
    overview = recording.report()
    assert headline(overview) == "\u2713 Passed"
    assert "No conformance case was asked for" in overview.text
    assert overview.find("a", href="limits.html")
    assert [head.text for head in overview.find("th", scope="col")] == [
        "Implementation", "Result", "Language", "Version", "Engine", "Lost", "Verdicts of asked", "Limits enforced",
        "Limits failing", "Seconds",
    ]  # fmt: skip
    assert not (recording.folder / "report" / "matrix.html").exists()


def test_counts_each_verdict_of_an_implementation(recording: Recording) -> None:
    recording.target("echo", "limits", seconds=2.5, lost=[Lost(case="L.9.1", reason="It died.")])
    for number, verdict in enumerate([*ProbeVerdict, ProbeVerdict.CRASHED], 1):
        recording.probe(f"L.1.{number}", verdict=verdict)
    recording.report()
    assert row_of(recording.page("limits.html").find("table")[0], "echo") == [
        "echo", "not stated", "not stated", "\u2717 failed, incomplete",
        "1", "1", "1", "1", "1", "2", "0", "1", "7 of 8", "2.5",
    ]  # fmt: skip


def test_a_cell_of_the_matrix_says_the_verdict_and_leads_to_its_place(recording: Recording) -> None:
    recording.probe("L.2.1", "a", refusal="close 1009")
    recording.probe("L.2.1", "b", ProbeVerdict.CRASHED)
    recording.report()
    row = recording.page("limits.html").with_id("L.2.1")
    assert [cell.text for cell in row.find("td")] == ["ENFORCED close 1009", "CRASHED"]
    assert [cell.attributes.get("class") for cell in row.find("td")] == [None, "c"]
    assert [link.attributes["href"] for link in row.find("a")[1:]] == ["limits/L.2.1.html#1", "limits/L.2.1.html#2"]


def test_probes_stand_under_the_names_of_their_families(recording: Recording) -> None:
    for case in ("L.10.1", "L.2.10", "L.2.9", "L.11.1"):
        recording.probe(case)
    recording.report()
    cases = recording.page("limits.html").with_id("cases")
    names = [summary.find("span", **{"class": "name"})[0].text for summary in cases.find("summary")]
    assert names == ["L.2 Message size and fragments", "L.10 Garbage", "L.11 The 1009 arrives"]
    assert [row.attributes["id"] for row in cases.find("tr") if row.find("td")] == [
        "L.2.9", "L.2.10", "L.10.1", "L.11.1",
    ]  # fmt: skip


def test_verdicts_that_both_fail_differ_all_the_same(recording: Recording) -> None:
    recording.probe("L.1.1", "a", NOT_ENFORCED)
    recording.probe("L.1.1", "b", ProbeVerdict.CRASHED)
    recording.probe("L.1.2", "a", NOT_ENFORCED)
    recording.probe("L.1.2", "b", NOT_ENFORCED)
    recording.report()
    page = recording.page("limits.html")
    assert [page.with_id(case).attributes["data-f"] for case in ("L.1.1", "L.1.2")] == ["fd", "f"]


def test_a_known_deviation_of_a_probe_is_shown_with_its_reason(recording: Recording) -> None:
    known = Deviation(cases=["L.1.*"], verdict=NOT_ENFORCED, reason="By design.")
    recording.target("echo", "limits", deviations=[known, Deviation(cases=["6.*"], verdict=NOT_ENFORCED, reason="No.")])
    recording.probe("L.1.1", verdict=NOT_ENFORCED)
    assert headline(recording.report()) == "\u2713 Passed: 1 known deviation"
    assert row_of(recording.page("limits.html").with_id("cases"), "L.1.1")[1] == "NOT ENFORCED (known)"
    assert "By design." in recording.page("limits/L.1.1.html").text
    table = recording.page("implementations/echo.html").having("table", "What its manifest lists")
    assert row_of(table, "L.1.*")[1:3] == ["in use", "NOT ENFORCED"]
    assert "6.*" not in table.text


def test_an_implementations_failures_come_first_with_a_sentence_and_how_to_repeat_them(recording: Recording) -> None:
    recording.result("1.1.1", **FAILED)
    recording.probe("L.1.1")
    recording.probe("L.2.3", verdict=ProbeVerdict.WRONG_CODE)
    recording.evidence("L.2.3", engine="limits", outcome="Refused by close 1011. It is too big.")
    recording.report()
    part = recording.page("implementations/echo.html").find("section")[1]
    failures = part.find("details")[0]
    assert failures.find("summary")[0].text == "Failures: 1"
    assert "WRONG CODE" in failures.text
    assert "Refused by close 1011. It is too big." in failures.text
    assert "wsconform run echo --cases L.2.3 -v" in failures.text
    assert failures.find("a", href="../limits/L.2.3.html#1")


def test_a_command_for_a_url_tells_the_limits_that_it_has(recording: Recording) -> None:
    name = "ws://localhost:9001"
    recording.probe("L.1.1", name, limit="max_frame_size", set_to=67108864.0)
    recording.probe("L.7.1", name, limit="allowed_origin", set_to="https://a.example/'")
    recording.probe("L.4.1", name, ProbeVerdict.NOT_CONFIGURABLE, limit="ping_interval")
    recording.report()
    assert recording.page("limits/L.1.1.html").having("code", "wsconform").text == (
        "wsconform run ws://localhost:9001 --limit max_frame_size=67108864 "
        "--limit 'allowed_origin=https://a.example/'\"'\"'' --cases L.1.1 -v"
    )


def test_the_page_of_a_probe_tells_what_was_sent_expected_seen_and_measured(recording: Recording) -> None:
    recording.probe("L.1.2", limit="max_frame_size", set_to=16384.0, sent=16393, taken=8, refusal="close 1009")
    recording.evidence(
        "L.1.2", engine="limits", sent="A frame.", expected="A refusal.", outcome="Refused after 8 octets.",
        request="GET / HTTP/1.1\r\n\r\n", wire=[WireEvent(kind="frame", opcode=8, data="0x03f1")],
    )  # fmt: skip
    recording.report()
    page = recording.page("limits/L.1.2.html")
    assert page.find("dl")[0].text == "Sent A frame. Expected A refusal."
    seen = page.with_id("1").text
    assert "Refused after 8 octets." in seen
    assert "Limit max_frame_size = 16,384 octets" in seen
    assert "0x03f1 = 1009 (message too big)" in seen
    assert "GET / HTTP/1.1" in seen


def test_a_wire_log_of_octets_alone_shows_them(recording: Recording) -> None:
    octets_sent = WireEvent(kind="octets", direction="sent", length=1, data="00")
    for case, wire in (("L.8.1", [octets_sent]), ("L.8.2", [octets_sent, WireEvent(kind="note", note="The end.")])):
        recording.probe(case)
        recording.evidence(case, engine="limits", wire=wire)
    recording.report()
    boxes = [recording.page(f"limits/{case}.html").find("input")[0].attributes for case in ("L.8.1", "L.8.2")]
    assert ["checked" in box for box in boxes] == [True, False]


def test_a_probe_without_evidence_has_a_page(recording: Recording) -> None:
    recording.probe("L.1.1", verdict=NOT_ENFORCED)
    (recording.folder / "evidence.jsonl").unlink()
    recording.report()
    assert "No evidence of it was recorded." in recording.page("limits/L.1.1.html").text
    assert "No explanation of it was recorded." in recording.page("implementations/echo.html").text


def test_probes_that_run_json_does_not_know_are_shown(recording: Recording) -> None:
    recording.probe("L.1.1")
    recording.targets.clear()
    assert headline(recording.report()) == "! Incomplete"
    assert "Not in run.json" in recording.page("limits.html").find("table")[0].text


def test_all_that_was_measured_is_told_and_nothing_else() -> None:
    measured = Measured(
        limit="close_timeout", set_to=1.5, settings={"close_timeout": "1.5"}, sent=10, taken=8, refusal="HTTP 431",
        refused_after_ms=3.5, close_code=1009, http_status=431, memory_idle=20 << 20, memory_peak=21 << 20,
        cpu_seconds=0.25, alive_after=False, seconds=[1.0, 1.5], figures={"frames": 1000.0},
    )  # fmt: skip
    assert measured_rows(measured) == (
        ("Limit", "close_timeout = 1.5 s"),
        ("Settings given", "close_timeout=1.5"),
        ("Sent", "10 octets"),
        ("Taken before the refusal", "8 octets"),
        ("Refusal", "HTTP 431"),
        ("From the excess to the refusal", "3.5 ms"),
        ("Close code", "1009 (message too big)"),
        ("HTTP status", "431"),
        ("Memory when idle", "20.0 MiB"),
        ("Memory at its peak", "21.0 MiB"),
        ("Memory growth", "1.0 MiB"),
        ("CPU time", "0.25 s"),
        ("Alive afterwards", "no"),
        ("Times measured", "1, 1.5 s"),
        ("frames", "1,000"),
    )
    assert measured_rows(Measured()) == ()
    assert measured_rows(Measured(limit="max_fragments")) == (("Limit", "max_fragments, which could not be set"),)


@pytest.mark.parametrize(
    ("size", "words"), [(-3 << 20, "-3.0 MiB"), (0, "0 octets"), (1 << 10, "1.0 KiB"), (5 << 40, "5120.0 GiB")]
)
def test_memory_is_told_in_its_unit(size: int, words: str) -> None:
    assert octets(size) == words


def test_the_limit_report_of_many_implementations_stays_under_a_megabyte(recording: Recording) -> None:
    """Seventy probes would take too long here: 67 more rows are added as large as one, and as many plotted marks."""
    for name in range(30):
        for probe in range(3):
            recording.probe(
                f"L.1.{probe}", f"implementation-{name}", limit="max_frame_size", set_to=16384, taken=16384 * probe,
                refusal="close 1009",
            )  # fmt: skip
    recording.report()
    page = (recording.folder / "report" / "limits.html").read_text()
    assert len(page) + 67 * len(page.split('id="L.1.1"')[1].split("</tr>")[0]) + 67 * 30 * 150 < 1_000_000
