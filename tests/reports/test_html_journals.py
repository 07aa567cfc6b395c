from __future__ import annotations

from pathlib import Path

import pytest

from reports import ReportError, write_report
from tests.reports.recording import FAILED, Recording, row_of


def test_a_last_line_that_was_cut_off_is_ignored(recording: Recording) -> None:
    recording.target(expected=1)
    recording.result("1.1.1")
    recording.evidence("1.1.1")
    recording.append("results.jsonl", '{"target":"echo","engine":"autobahn","ca')
    recording.append("evidence.jsonl", '{"target":"echo","engine":"autobahn","case":"1.1.1","sent":"\u00e9')
    overview = recording.report()
    assert "\u2713 Passed" in overview.text
    assert "no record" not in overview.text
    assert "Sends 1.1.1." in recording.page("cases/1.1.1.html").text


def test_a_last_line_that_lacks_only_its_newline_counts(recording: Recording) -> None:
    recording.result("1.1.1")
    journal = recording.folder / "results.jsonl"
    journal.write_text(journal.read_text().rstrip("\n"))
    assert "\u2713 Passed" in recording.report().text


def test_any_other_line_that_is_no_record_is_told(recording: Recording) -> None:
    recording.append("results.jsonl", "\n{}\n")
    recording.append("evidence.jsonl", "nonsense\n")
    recording.result("1.1.1")
    assert "results.jsonl, line 2; evidence.jsonl, line 1." in recording.report().text


def test_a_later_line_replaces_an_earlier_one_of_the_same_case(recording: Recording) -> None:
    recording.target(expected=1)
    recording.result("1.1.1", **FAILED)
    recording.evidence("1.1.1", outcome="It was wrong.")
    recording.result("1.1.1")
    recording.evidence("1.1.1", outcome="It is right.")
    assert row_of(recording.matrix().with_id("cases"), "1.1.1")[1] == "OK OK 1000"
    page = recording.page("cases/1.1.1.html").text
    assert "It is right." in page
    assert "It was wrong." not in page


def test_a_line_separator_within_a_text_ends_no_line(recording: Recording) -> None:
    recording.result("1.1.1")
    recording.evidence("1.1.1", outcome="before\u2028after\u0085end")
    recording.report()
    assert "before\u27e8U+2028\u27e9after\u27e8U+0085\u27e9end" in recording.page("cases/1.1.1.html").text


def test_a_case_without_evidence_has_a_page(recording: Recording) -> None:
    recording.result("1.1.1", **FAILED)
    recording.report()
    assert "No evidence of it was recorded." in recording.page("cases/1.1.1.html").text
    failures = recording.page("implementations/echo.html").having("li", "1.1.1").text
    assert "FAILED, closing OK; the engine left no explanation." in failures


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"run\.json cannot be read .*: is .* the folder of a run\?"):
        write_report(tmp_path)


def test_a_run_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"id": 7}')
    with pytest.raises(ReportError, match=r"not a run that this version reads: id: "):
        write_report(tmp_path)
