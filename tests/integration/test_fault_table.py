"""The table at the end of `make faults`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from harness import selection
from tests.integration.fault_table import FINDS_NOTHING, Row, in_order, markdown, uncaught, verdict
from tests.support import ROOT


def a_row(fault: str, caught: list[str], autobahn: str = FINDS_NOTHING, title: str = "Wrong.") -> Row:
    found_by = f"{caught[0]} FAILED" if caught else ""
    return Row(suite="cases", number=0, fault=fault, title=title, found_by=found_by, autobahn=autobahn, caught=caught)


def test_the_page_has_a_line_for_each_fault_and_counts_what_autobahn_misses():
    page = markdown([a_row("one", ["H.2.8"]), a_row("two", ["1.1.1"], "1.1.1 FAILED"), a_row("right", [])])
    assert "| `one` | Wrong. | H.2.8 FAILED | finds nothing |" in page
    assert "| `right` | Wrong. | nothing | finds nothing |" in page
    assert "2 of 3 are found" in page
    assert "Autobahn finds nothing in 1 of those" in page


def test_a_pipe_in_a_title_does_not_end_its_cell():
    assert "| a \\| b |" in markdown([a_row("one", [], title="a | b")])


def test_a_verdict_has_its_second_field_where_that_says_something():
    assert verdict("FAILED", "OK") == "FAILED"
    assert verdict("OK", "UNCLEAN") == "OK / UNCLEAN"


def test_cases_are_in_the_order_of_the_catalogue():
    assert in_order(["H.1.10", "10.1.1", "D.1.1", "H.1.9", "9.1.2"]) == ["9.1.2", "10.1.1", "D.1.1", "H.1.9", "H.1.10"]


def test_what_no_fault_failed_is_told_of_our_cases_only():
    left = uncaught([a_row("one", [case for case in selection.known() if case not in {"H.2.8", "1.1.1"}])])
    assert left == ["H.2.8"]


def test_rows_of_several_processes_come_together_in_the_order_of_their_tables(tmp_path: Path):
    (tmp_path / "test_some.py").write_text(
        "import pytest\n"
        "@pytest.mark.parametrize('number', [3, 1, 2])\n"
        "def test_some(number, record_property):\n"
        "    record_property('fault', {'suite': 'cases', 'number': number, 'fault': f'fault-{number}', 'title': 'T.',\n"
        "                              'found_by': '', 'autobahn': 'finds nothing', 'caught': []})\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.integration.fault_table", "-n", "2", "--table", "table.md", "."],
        cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    lines = (tmp_path / "table.md").read_text().splitlines()
    assert [line.split("`")[1] for line in lines if line.startswith("| `")] == ["fault-1", "fault-2", "fault-3"]
    assert "fault-3" in done.stdout
