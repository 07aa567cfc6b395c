from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from harness.results import Behavior, BehaviorClose, Deviation, Implementation, Lost, ProbeVerdict
from reports import render
from tests.reports.recording import FAILED, Recording


class Tables(HTMLParser):
    """The texts of the cells of all tables, by the heading above."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._in_cell = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag == "tr":
            self.rows.append([])
        elif tag in {"th", "td"}:
            self._in_cell = True
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = self._in_cell and tag not in {"th", "td"}

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[-1][-1] += data


def summary(recording: Recording) -> str:
    return render("markdown", recording.save())


def html(markdown: str) -> str:
    return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown))


def rows(recording: Recording) -> list[dict[str, str]]:
    """The rows of the first table by its heads."""
    heads, *found = Tables(html(summary(recording))).rows
    return [dict(zip(heads, row, strict=True)) for row in found]


def plain(recording: Recording) -> str:
    """The text that a reader sees."""
    return unescape(re.sub(r"<[^>]*>", "", html(summary(recording))))


def test_the_headline_says_what_the_gate_says(recording: Recording):
    recording.result("1.1.1")
    assert summary(recording).startswith("## \u2705 WebSocket conformance: Passed\n")
    recording.result("1.1.2", **FAILED)
    assert summary(recording).startswith("## \u274c WebSocket conformance: Failed: 1 unexpected failure\n")
    recording.run["state"] = "interrupted"
    head = "## \u26a0\ufe0f WebSocket conformance: Interrupted: 1 unexpected failure\n"
    assert summary(recording).startswith(head)


def test_the_headline_counts_what_is_no_verdict(recording: Recording):
    recording.target(unexplained=["after 1.1.1", "after 1.1.2"])
    recording.result("1.1.1")
    assert summary(recording).startswith("## \u274c WebSocket conformance: Failed: 2 unexplained deaths\n")
    recording.target("never", lost=[Lost(case="2.1", reason="It died.")], error="It exited.")
    words = "Could not be run: 2 unexplained deaths, 1 lost case, 1 dead target"
    assert summary(recording).startswith(f"## \u26a0\ufe0f WebSocket conformance: {words}\n")


def test_the_table_has_the_numbers_of_each_target(recording: Recording):
    recording.target(
        implementation=Implementation(version="1.2.3"), seconds=12.34,
        deviations=[Deviation(cases=["1.1.2"], behavior=Behavior.FAILED, reason="So be it.")],
        lost=[Lost(case="9.1.1", reason="It died.")],
    )  # fmt: skip
    recording.result("1.1.1")
    recording.result("1.1.2", **FAILED)
    recording.result("1.1.3", **FAILED)
    recording.result("1.1.4", behavior_close=BehaviorClose.FAILED_BY_CLIENT)
    recording.result("12.1.1", behavior=Behavior.UNIMPLEMENTED)
    recording.result("9.9.9", behavior=Behavior.INFORMATIONAL)
    (row,) = rows(recording)
    assert row == {
        "": "\u26a0\ufe0f", "Implementation": "echo", "Version": "1.2.3", "Engine": "autobahn 25.10.1", "Passed": "1",
        "Non-strict": "1", "Failed": "2", "of which known": "1", "Unimplemented": "1", "Informational": "1",
        "Lost": "1", "Verdicts": "6 of 7", "Seconds": "12.3",
    }  # fmt: skip


def test_limits_have_a_table_of_their_own(recording: Recording):
    for number, verdict in enumerate(ProbeVerdict, 1):
        recording.probe(f"L.1.{number}", verdict=verdict)
    recording.probe("L.2.1", verdict=ProbeVerdict.LATE)
    (row,) = rows(recording)
    assert row["Enforced"] == row["Wrong code"] == row["Not enforced"] == row["Crashed"] == "1"
    assert (row["Late"], row["Not configurable"], row["Verdicts"]) == ("2", "1", "7 of 7")


def test_a_failure_is_told_with_both_fields_a_sentence_and_how_to_repeat_it(recording: Recording):
    recording.result("6.4.1", **FAILED, remote_close_code=1002)
    recording.evidence("6.4.1", outcome="It was echoed.")
    text = plain(recording)
    assert "1 unexpected failure" in text
    assert "6.4.1 of echo (autobahn): behavior FAILED, closing OK, close code 1002" in text
    assert "It was echoed." in text
    assert "Repeat: wsconform run echo --engine autobahn --cases 6.4.1" in text


def test_a_failure_of_a_case_of_ours_has_one_verdict(recording: Recording):
    recording.result("F.1.1", engine="native", **FAILED)
    assert "F.1.1 of echo (native): behavior FAILED, close code 1000" in plain(recording)


def test_stale_deviations_are_told_with_their_reason(recording: Recording):
    recording.target(deviations=[Deviation(cases=["1.*"], behavior=Behavior.FAILED, reason="Old bug.")])
    recording.result("1.1.1")
    assert "1 known deviation happens no more" in plain(recording)
    assert "1.1.1 of echo (autobahn): Old bug." in plain(recording)
    recording.run["allow_stale"] = True
    assert summary(recording).startswith("## \u2705 WebSocket conformance: Passed: 1 stale known deviation\n")
    assert "1 known deviation happens no more (a warning only, as was asked for)" in plain(recording)


def test_lost_cases_are_told_by_their_reason(recording: Recording):
    died = [Lost(case=f"9.1.{number}", reason="It died.") for number in range(1, 13)]
    recording.target(lost=[*died, Lost(case="2.1", reason="It hung.")])
    text = plain(recording)
    assert "13 lost cases" in text
    assert "echo (autobahn): It died.: 9.1.1, 9.1.2, 9.1.3" in text
    assert "9.1.10 and 2 more" in text
    assert "It hung.: 2.1" in text


def test_what_is_no_case_is_told(recording: Recording):
    recording.target("never", error="It exited with 127.", expected=1)
    recording.run["state"] = "error"
    text = plain(recording)
    assert "The run ended with an error." in text
    assert "never (autobahn): The target could not be run: It exited with 127." in text


def test_lines_that_are_no_record_are_told(recording: Recording):
    recording.result("1.1.1")
    recording.append("results.jsonl", "{}\n")
    assert "results.jsonl, line 2" in plain(recording)


@pytest.mark.parametrize("letter", ["a", "|", "@", "\U000e0041", "\n"])
def test_it_stays_short_whatever_the_run_holds(recording: Recording, letter: str):
    huge = letter * 3000
    for number in range(150):
        name = f"{number}{huge}"
        version = Implementation(version=huge)
        lost = [Lost(case=f"{index}{huge}", reason=f"{index}{huge}") for index in range(5)]
        known = [Deviation(cases=["1.1.*"], behavior=Behavior.FAILED, reason=huge)]
        recording.target(
            name, implementation=version, lost=lost, deviations=known, unexplained=[huge], expected=3, error=huge
        )
        recording.target(name, "limits", implementation=version, error=huge, expected=3)
        recording.result("1.1.1", name)
        for index in range(5):
            recording.result(f"2.{index}{huge}", name, **FAILED)
            recording.evidence(f"2.{index}{huge}", name, outcome=huge)
    text = summary(recording)
    assert len(text.encode()) < 200_000
    assert "more targets:" in text
    assert "more unexpected failures:" in text
    assert "more of them:" in text
    assert "more reasons:" in text


def test_what_was_left_out_is_counted(recording: Recording):
    for number in range(1, 131):
        recording.result(f"1.1.{number}", **FAILED)
    text = plain(recording)
    assert text.count("Repeat:") == 100
    assert "\u2026 and 30 more unexpected failures" in text


def test_no_target_crowds_out_the_failures_of_another(recording: Recording):
    for target in ("bad", "worse"):
        for number in range(1, 131):
            recording.result(f"1.1.{number}", target, **FAILED)
    text = plain(recording)
    assert [text.count(f"Repeat: wsconform run {target} ") for target in ("bad", "worse")] == [50, 50]
    assert "\u2026 and 160 more unexpected failures" in text
