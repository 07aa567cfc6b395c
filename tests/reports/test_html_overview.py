from __future__ import annotations

import pytest

import reports._render
from harness.results import (
    Behavior,
    Deviation,
    Implementation,
)
from tests.reports.recording import FAILED, WRONG_CODE, Recording, row_of


def test_counts_each_outcome_of_an_implementation(recording: Recording) -> None:
    recording.target(implementation=Implementation(language="Go", version="1.5"), seconds=2.5, restarts=1)
    recording.result("1.1.1")
    recording.result("1.1.2", behavior=Behavior.NON_STRICT)
    recording.result("1.1.3", behavior=Behavior.INFORMATIONAL)
    recording.result("1.1.4", behavior=Behavior.UNIMPLEMENTED)
    recording.result("1.1.5", **FAILED)
    recording.result("1.1.6", **WRONG_CODE)
    table = recording.report().find("table")[0]
    assert row_of(table, "echo") == [
        "echo", "\u2717 failed", "Go", "1.5", "autobahn",
        "1", "1", "1", "1", "2", "0", "0", "6 of 6", "2.5",
    ]  # fmt: skip
    asked = recording.page("about.html").with_id("asked")
    assert row_of(asked, "echo") == [
        "echo", "1.5", "autobahn 25.10.1", "process", "6", "6", "0", "0", "1", "0", "2.5",
    ]  # fmt: skip


def test_a_cell_shows_both_fields_and_the_close_code(recording: Recording) -> None:
    recording.result("1.1.1", **WRONG_CODE, remote_close_code=1002)
    recording.result("1.1.2", **FAILED, remote_close_code=None)
    cases = recording.matrix().with_id("cases")
    assert row_of(cases, "1.1.1") == ["1.1.1", "OK WRONG CODE 1002"]
    assert row_of(cases, "1.1.2") == ["1.1.2", "FAILED OK no code"]


def test_cases_stand_in_numeric_order_under_their_sections(recording: Recording) -> None:
    for case in ("10.1.1", "9.1.10", "9.1.2", "2.10", "2.9"):
        recording.result(case)
    cases = recording.matrix().with_id("cases")
    assert [row.find("th")[0].text for row in cases.find("tr") if row.find("td")] == [
        "2.9", "2.10", "9.1.2", "9.1.10", "10.1.1",
    ]  # fmt: skip
    names = [summary.find("span", **{"class": "name"})[0].text for summary in cases.find("summary")]
    assert names == [
        "2 Pings and pongs", "9 Limits and performance", "9.1 Text message, increasing size",
        "10 Miscellaneous", "10.1 Auto-fragmentation",
    ]  # fmt: skip


def test_marks_the_rows_that_fail_or_differ_for_the_filters(recording: Recording) -> None:
    recording.result("1.1.1", "a", **FAILED)
    recording.result("1.1.1", "b")
    recording.result("1.1.2", "a", **FAILED)
    recording.result("1.1.2", "b", **FAILED)
    recording.result("1.1.3", "a")
    recording.result("1.1.3", "b", remote_close_code=None)
    rows = [row for row in recording.matrix().with_id("cases").find("tr") if row.find("td")]
    assert [row.attributes.get("data-f", "") for row in rows] == ["fd", "f", ""]


def test_a_case_that_one_target_was_not_asked_for_says_so(recording: Recording) -> None:
    recording.result("1.1.1", "a")
    recording.result("1.1.2", "b")
    cases = recording.matrix().with_id("cases")
    assert row_of(cases, "1.1.1") == ["1.1.1", "OK OK 1000", "not asked"]


def test_sums_a_section_up_for_each_target(recording: Recording) -> None:
    recording.target(deviations=[Deviation(cases=["1.1.1"], behavior=Behavior.FAILED, reason="So be it.")])
    recording.result("1.1.1", **FAILED)
    recording.result("1.1.2", **FAILED)
    recording.result("1.1.3")
    recording.result("2.1")
    table = recording.matrix().find("table")[0]
    assert row_of(table, "1") == ["1 Framing", "2 failed (1 known), 1 of 3 passed"]
    assert row_of(table, "2") == ["2 Pings and pongs", "1 passed"]


def test_names_the_engine_where_there_is_more_than_one(recording: Recording) -> None:
    recording.result("1.1.1", engine="autobahn")
    recording.result("1.1.1", engine="native")
    heads = [head.text for head in recording.matrix().with_id("cases").find("thead")[0].find("th")]
    assert heads == ["Case", "echo autobahn", "echo native"]
    assert "wsconform run echo --engine native --cases 1.1.1" in recording.page("cases/1.1.1.html").text


def test_in_a_large_matrix_a_pass_is_reached_by_its_row(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports._render, "MOST_LINKED_CELLS", 1)
    recording.result("1.1.1")
    recording.result("1.1.2", **FAILED)
    cells = recording.matrix().with_id("cases").find("td")
    assert [len(cell.find("a")) for cell in cells] == [0, 1]
