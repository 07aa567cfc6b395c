"""`wsconform report`, and baselines, of more than one run or target."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness import baseline
from harness.journal import read_results, read_run
from tests.harness.recorded_run import about, result, run_of, write
from tests.support import Command


@pytest.fixture
def command(tmp_path: Path) -> Command:
    write(tmp_path / "one", run_of(about(1), cases=("1.1.1",)), result("1.1.1"))
    targets = (about(1, target="u"), about(1, target="v"))
    results = (result("1.1.2", "FAILED", target="u"), result("1.1.2", target="v"))
    write(tmp_path / "two", run_of(*targets, cases=("1.1.2",)), *results)
    return Command(tmp_path)


def test_several_runs_are_merged_before_they_are_told(command: Command):
    done = command("report", "one", "two", "--format", "json")
    assert [target["target"] for target in json.loads(done.stdout)["targets"]] == ["t", "u", "v"]


def test_several_formats_are_written_into_a_folder(command: Command):
    done = command("report", "two", "--format", "junit", "--format", "autobahn", "--output", "told")
    assert done.stdout.splitlines() == ["told/junit.xml", "told/autobahn/index.json"]
    assert all((command.folder / file).is_file() for file in done.stdout.splitlines())


def test_an_earlier_run_that_is_none_is_told_in_a_line(command: Command):
    done = command("report", "one", "--since", ".")
    assert (done.returncode, done.stderr) == (2, "wsconform: . holds no run: there is no run.json\n")


def test_a_report_goes_by_the_baseline_that_it_is_given(command: Command):
    assert command("gate", "two", "--write-baseline", "known.toml").returncode == 0
    assert json.loads(command("report", "two", "--format", "json").stdout)["exitCode"] == 1
    told = command("report", "two", "--format", "json", "--baseline", "known.toml").stdout
    assert json.loads(told)["exitCode"] == 0


def test_a_baseline_of_several_targets_says_whose_each_entry_is(command: Command):
    text, count = baseline.written(read_run(command.folder / "two"), read_results(command.folder / "two"))
    assert count == 1
    assert 'target = "u"' in text


def test_an_import_asks_for_autobahns_cases_and_no_limit_probes(command: Command):
    recorded = Path(__file__).parent / "recorded"
    done = command("import", str(recorded), "--target", "websockets", "--output", "imported")
    (target,) = read_run(command.folder / "imported").targets
    assert (done.returncode, target.expected) == (4, 517)
    assert not [lost.case for lost in target.lost if lost.case.startswith("L.")]
