"""The gate over real runs, as CI calls it: each way in which it has to fail, and baselines."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import Command

CASES = ("--cases", "1.1.*", "--cases", "7.1.*")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of refimpl that passes: 14 cases."""
    command = Command(tmp_path_factory.mktemp("recorded"), engine="native")
    done = command("run", "refimpl", *CASES, "--output", "run", "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    return command.folder / "run"


class Copy:
    """A copy of the recorded run that a test may spoil, and the gate over it."""

    def __init__(self, command: Command, recorded: Path) -> None:
        self.command = command
        self.folder = command.folder / "run"
        shutil.copytree(recorded, self.folder)
        self.journal = self.folder / "results.jsonl"

    def edit(self, case: str, **values: str) -> None:
        lines = [json.loads(line) for line in self.journal.read_text().splitlines()]
        self.journal.write_text("".join(json.dumps(_edited(line, case, values)) + "\n" for line in lines))

    def edit_run(self, change: Callable[[dict[str, Any]], None]) -> None:
        run = json.loads((self.folder / "run.json").read_text())
        change(run)
        (self.folder / "run.json").write_text(json.dumps(run))

    def baseline(self, text: str) -> Path:
        file = self.command.folder / "known.toml"
        file.write_text(text)
        return file

    def gate(self, *arguments: str) -> tuple[int, str]:
        done = self.command("gate", "run", *arguments)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout + done.stderr


def _edited(line: dict[str, object], case: str, values: dict[str, str]) -> dict[str, object]:
    return {**line, **values} if line["case"] == case else line


@pytest.fixture
def run(tmp_path: Path, recorded: Path) -> Copy:
    return Copy(Command(tmp_path, engine="native"), recorded)


ENTRY = """
[[deviations]]
cases = ["7.1.2"]
behavior = "FAILED"
behavior_close = "OK"
reason = "It is as it is."
"""


def test_a_run_as_it_was_recorded_passes(run: Copy):
    assert run.gate() == (0, "refimpl  14 of 14 cases: 13 passed, 1 informational\nPASSED\n")


# Each way in which it fails


def test_a_regression_fails(run: Copy):
    run.edit("1.1.3", behavior="FAILED")
    code, said = run.gate()
    assert code == 1
    assert "1.1.3: FAILED, close OK" in said


@pytest.mark.parametrize("close", ["FAILED", "WRONG CODE", "UNCLEAN"])
def test_the_close_field_alone_fails(run: Copy, close: str):
    run.edit("1.1.3", behaviorClose=close)
    code, said = run.gate()
    assert code == 1
    assert f"1.1.3: OK, close {close}" in said


def test_a_lost_case_fails_though_all_others_pass(run: Copy):
    lines = run.journal.read_text().splitlines(keepends=True)
    run.journal.write_text("".join(line for line in lines if '"1.1.3"' not in line))
    code, said = run.gate()
    assert code == 4
    assert "13 of 14 cases" in said


def test_a_truncated_journal_fails(run: Copy):
    run.journal.write_bytes(run.journal.read_bytes()[:-40])
    assert run.gate()[0] == 4


def test_an_empty_journal_fails(run: Copy):
    run.journal.write_bytes(b"")
    assert run.gate()[0] == 4


def test_an_empty_selection_fails(run: Copy):
    run.journal.write_bytes(b"")

    run.edit_run(lambda about: about["targets"][0].update(expected=0, observed=0))
    assert run.gate()[0] == 4
    run.edit_run(lambda about: about.update(targets=[]))
    assert run.gate()[0] == 4
    done = run.command("run", "refimpl", "--cases", "1.1.*", "--exclude", "1.*")
    assert (done.returncode, "no case is left to run" in done.stderr) == (2, True)


def test_a_stale_entry_fails_and_only_warns_where_that_was_asked_for(run: Copy):
    file = run.baseline(ENTRY)
    code, said = run.gate("--baseline", str(file))
    assert code == 1
    assert "    7.1.2: OK, close OK 1000: a known deviation that happens no more (It is as it is.)" in said
    code, said = run.gate("--baseline", str(file), "--allow-stale")
    assert code == 0
    assert "    warning: 7.1.2: OK, close OK 1000: a known deviation that happens no more (It is as it is.)" in said


def test_a_dead_target_fails(run: Copy, implementation: Callable[..., Path]):
    done = run.command("run", str(implementation(fault="exit")), "--cases", "1.1.*", "--output", "dead")
    assert done.returncode == 3
    assert run.command("gate", "dead").returncode == 3


def test_a_target_that_dies_in_the_middle_for_good_fails(run: Copy, implementation: Callable[..., Path]):
    folder = implementation(fault=f"die-after-once 6 {run.command.folder / 'died'}")
    done = run.command("run", str(folder), "--cases", "1.1.*", "--output", "dead", "--jobs", "1")
    assert done.returncode in (3, 4), done.stdout  # 4 if there were verdicts by then
    assert run.command("gate", "dead").returncode == done.returncode


def test_a_run_that_was_killed_fails_though_no_case_failed(run: Copy):
    run.edit_run(lambda about: about.update(state="running"))
    assert run.gate()[0] == 4


def test_verdicts_of_a_target_that_the_run_does_not_know_fail(run: Copy):
    line = run.journal.read_text().splitlines()[0]
    with run.journal.open("a") as journal:
        journal.write(line.replace('"refimpl"', '"somebody"') + "\n")
    assert run.gate()[0] == 4


# Baselines


def test_a_baseline_explains_a_failure(run: Copy):
    run.edit("7.1.2", behavior="FAILED")
    code, said = run.gate("--baseline", str(run.baseline(ENTRY)))
    assert (code, "(1 known deviations)" in said) == (0, True)


@pytest.mark.parametrize("values", [{"behavior": "FAILED", "behaviorClose": "UNCLEAN"}, {"behaviorClose": "UNCLEAN"}])
def test_a_baseline_does_not_explain_another_failure_of_the_same_case(run: Copy, values: dict[str, str]):
    run.edit("7.1.2", **values)
    assert run.gate("--baseline", str(run.baseline(ENTRY)))[0] == 1


def test_an_entry_for_another_target_explains_nothing(run: Copy):
    run.edit("7.1.2", behavior="FAILED")
    assert run.gate("--baseline", str(run.baseline(f'{ENTRY}target = "ws"\n')))[0] == 1
    assert run.gate("--baseline", str(run.baseline(f'{ENTRY}target = "refimpl"\n')))[0] == 0


def test_a_baseline_takes_the_place_of_the_manifests(run: Copy):
    run.edit("7.1.2", behavior="FAILED")
    known = {"cases": ["7.1.2"], "behavior": "FAILED", "reason": "known"}
    run.edit_run(lambda about: about["targets"][0].update(deviations=[known]))
    assert run.gate()[0] == 0
    assert run.gate("--baseline", str(run.baseline("")))[0] == 1


def test_a_written_baseline_makes_the_run_pass_and_catches_what_comes_later(run: Copy):
    run.edit("1.1.3", behavior="FAILED", behaviorClose="WRONG CODE")
    run.edit("7.1.2", behaviorClose="UNCLEAN")
    code, said = run.gate("--write-baseline", "new.toml")
    assert (code, "wrote new.toml: 2 cases in 2 entries; 2 of them want a reason" in said) == (0, True)
    text = (run.command.folder / "new.toml").read_text()
    assert 'behavior = "FAILED"\nbehavior_close = "WRONG CODE"\n' in text
    assert run.gate("--baseline", "new.toml")[0] == 0
    run.edit("1.1.4", behavior="FAILED")
    assert run.gate("--baseline", "new.toml")[0] == 1


def test_a_baseline_that_is_written_again_keeps_reasons_and_drops_what_is_stale(run: Copy):
    file = run.baseline(ENTRY + ENTRY.replace("7.1.2", "1.1.5").replace("It is as it is.", "It was."))
    run.edit("7.1.2", behavior="FAILED")
    assert run.gate("--write-baseline", str(file))[0] == 0
    assert "It is as it is." in file.read_text()
    assert "1.1.5" not in file.read_text()


def test_a_strict_baseline_lists_what_is_non_strict(run: Copy):
    run.edit("7.1.2", behavior="NON-STRICT")
    assert "wrote new.toml: 0 cases" in run.gate("--write-baseline", "new.toml")[1]
    assert "wrote new.toml: 1 cases" in run.gate("--write-baseline", "new.toml", "--strict")[1]
    assert run.gate("--baseline", "new.toml", "--strict")[0] == 0


def test_no_baseline_is_written_of_a_run_with_lost_cases(run: Copy):
    run.journal.write_bytes(run.journal.read_bytes()[:-40])
    code, said = run.gate("--write-baseline", "new.toml")
    assert (code, "new.toml is not written: run is not complete" in said) == (4, True)
    assert not (run.command.folder / "new.toml").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[deviations]\n", "known.toml: "),
        (
            '[[deviations]]\ncases = ["1.1.1"]\nbehavior = "BAD"\nreason = "x"\n',
            "known.toml:3: deviations.0.behavior: ",
        ),
        ('[[deviations]]\ncases = ["1.1.1"]\nreason = "x"\n', "a deviation says which verdict to expect"),
        ('[[deviations]]\ncases = ["1.1.1"]\nbehavior = "FAILED"\n', "deviations.0.reason: Field required"),
        ('[[known]]\ncases = ["1.1.1"]\n', "known: Extra inputs are not permitted"),
        (ENTRY.replace("7.1.2", "7.1.22"), "entry 1: no case fits '7.1.22'; did you mean"),
    ],
)
def test_a_baseline_that_is_wrong_is_told_in_a_line(run: Copy, text: str, said: str):
    code, words = run.gate("--baseline", str(run.baseline(text)))
    assert code == 2
    assert said in words
    assert len(words.splitlines()) == 1


def test_a_run_may_be_told_its_baseline_at_once(run: Copy):
    file = run.baseline(ENTRY)
    arguments = ("run", "refimpl", "--cases", "7.1.2", "--baseline", str(file))
    done = run.command(*arguments, "--output", "a")
    assert (done.returncode, "happens no more" in done.stdout) == (1, True)
    done = run.command(*arguments, "--output", "b", "--allow-stale")
    assert done.returncode == 0
    about = json.loads((run.command.folder / "b" / "run.json").read_text())
    assert (about["baseline"], about["allowStale"]) == ("known.toml", True)
    assert run.command("gate", "b").returncode == 0
