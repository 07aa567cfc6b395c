"""What differs between two runs, and what of it is a regression."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.diff import Kind, diff
from harness.results import Behavior, Deviation, Implementation, Lost, Result, Run
from tests.harness.recorded_run import about, probe, result, run_of, write
from tests.support import Command


def kinds(old: list[Result], new: list[Result], *, strict: bool = False) -> list[tuple[str, str]]:
    found = diff((run_of(about(1)), old), (run_of(about(1)), new), strict=strict)
    return [(change.case, change.kind) for change in found.changes]


def test_runs_with_the_same_verdicts_do_not_differ():
    found = diff((run_of(about(1)), [result("1.1.1")]), (run_of(about(1)), [result("1.1.1")]))
    assert (found.changes, found.same) == ([], 1)


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (("OK", "OK"), ("FAILED", "OK"), Kind.REGRESSION),
        (("OK", "OK"), ("OK", "UNCLEAN"), Kind.REGRESSION),
        (("OK", "OK"), ("OK", "WRONG CODE"), Kind.REGRESSION),
        (("FAILED", "OK"), ("FAILED", "FAILED"), Kind.REGRESSION),  # the second field began to fail
        (("FAILED", "OK"), ("OK", "WRONG CODE"), Kind.REGRESSION),
        (("OK", "UNCLEAN"), ("FAILED", "UNCLEAN"), Kind.REGRESSION),
        (("NON-STRICT", "OK"), ("FAILED", "OK"), Kind.REGRESSION),
        (("OK", "OK"), ("UNIMPLEMENTED", "INFORMATIONAL"), Kind.REGRESSION),
        (("FAILED", "FAILED"), ("OK", "OK"), Kind.FIX),
        (("FAILED", "OK"), ("UNIMPLEMENTED", "INFORMATIONAL"), Kind.FIX),
        (("OK", "UNCLEAN"), ("OK", "OK"), Kind.FIX),
        (("FAILED", "FAILED"), ("FAILED", "OK"), Kind.CHANGED),
        (("FAILED", "FAILED"), ("FAILED", "WRONG CODE"), Kind.CHANGED),
        (("OK", "OK"), ("NON-STRICT", "OK"), Kind.CHANGED),
        (("OK", "OK"), ("OK", "FAILED BY CLIENT"), Kind.CHANGED),
        (("NON-STRICT", "OK"), ("OK", "OK"), Kind.CHANGED),
        (("OK", "OK"), ("INFORMATIONAL", "INFORMATIONAL"), Kind.CHANGED),
    ],
)
def test_a_change_is_judged_by_each_field(old: tuple[str, str], new: tuple[str, str], kind: Kind):
    assert kinds([result("1.1.1", *old)], [result("1.1.1", *new)]) == [("1.1.1", kind)]


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (("OK", "OK"), ("NON-STRICT", "OK"), Kind.REGRESSION),
        (("OK", "OK"), ("OK", "FAILED BY CLIENT"), Kind.REGRESSION),
        (("NON-STRICT", "OK"), ("OK", "OK"), Kind.FIX),
        (("FAILED", "OK"), ("NON-STRICT", "OK"), Kind.CHANGED),
    ],
)
def test_strict_takes_non_strict_for_a_failure(old: tuple[str, str], new: tuple[str, str], kind: Kind):
    assert kinds([result("1.1.1", *old)], [result("1.1.1", *new)], strict=True) == [("1.1.1", kind)]


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("ENFORCED", "WRONG CODE", Kind.REGRESSION),
        ("NOT ENFORCED", "CRASHED", Kind.REGRESSION),
        ("ENFORCED", "NOT CONFIGURABLE", Kind.REGRESSION),
        ("CRASHED", "LATE", Kind.CHANGED),
        ("LATE", "ENFORCED", Kind.FIX),
    ],
)
def test_probes_are_judged_by_their_verdicts(old: str, new: str, kind: Kind):
    assert kinds([probe("L.1.1", old)], [probe("L.1.1", new)]) == [("L.1.1", kind)]


def test_what_was_not_asked_for_before_or_now_is_no_regression():
    assert kinds([result("1.1.2")], [result("1.1.10", "FAILED")]) == [
        ("1.1.2", Kind.VANISHED),
        ("1.1.10", Kind.APPEARED),
    ]


def test_a_case_that_is_lost_now_is_a_regression_and_one_that_is_found_again_a_fix():
    whole = (run_of(about(1)), [result("1.1.1")])
    lost: tuple[Run, list[Result]] = (run_of(about(1, lost=("1.1.1",))), [])
    assert [change.kind for change in diff(whole, lost).changes] == [Kind.REGRESSION]
    assert [change.kind for change in diff(lost, whole).changes] == [Kind.FIX]
    assert diff(lost, lost).same == 1


def test_a_single_target_is_the_same_one_under_another_name():
    old = (run_of(about(1, target="ws://localhost:1")), [result("1.1.1", target="ws://localhost:1")])
    new = (run_of(about(1, target="ws://localhost:2")), [result("1.1.1", "FAILED", target="ws://localhost:2")])
    (change,) = diff(old, new).changes
    assert (change.target, change.kind) == ("ws://localhost:2", Kind.REGRESSION)


def test_several_targets_are_told_apart_by_name():
    old = (run_of(about(1), about(1, target="u")), [result("1.1.1"), result("1.1.1", target="u")])
    new = (run_of(about(1, target="u")), [result("1.1.1", "FAILED", target="u")])
    assert [(change.target, change.kind) for change in diff(old, new).changes] == [
        ("t", Kind.VANISHED),
        ("u", Kind.REGRESSION),
    ]


def test_other_versions_are_told():
    old = run_of(about(1, implementation=Implementation(version="1.0")))
    new = run_of(about(1, implementation=Implementation(version="1.1")))
    assert diff((old, []), (new, [])).versions == [("t", "1.0", "1.1")]


# The command


@pytest.fixture
def command(tmp_path: Path) -> Command:
    write(tmp_path / "old", run_of(about(2)), result("1.1.1"), result("1.1.2", "FAILED"))
    write(tmp_path / "new", run_of(about(2)), result("1.1.1", "FAILED", "WRONG CODE"), result("1.1.2"))
    write(tmp_path / "fixed", run_of(about(2)), result("1.1.1"), result("1.1.2"))
    write(tmp_path / "lost", run_of(about(2, lost=("1.1.2",))), result("1.1.1"))
    return Command(tmp_path)


def test_a_regression_exits_1_and_is_named_first(command: Command):
    done = command("diff", "old", "new")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "regressions: 1",
        "    t (native) 1.1.1: OK / OK → FAILED / WRONG CODE",
        "fixes: 1",
        "    t (native) 1.1.2: FAILED / OK → OK / OK",
        "the same: 0",
    ]


def test_a_fix_alone_exits_0_whatever_else_fails(command: Command):
    assert command("diff", "old", "fixed").returncode == 0
    assert command("diff", "old", "old").stdout == "the same: 2\n"


def test_a_new_run_that_is_not_complete_exits_4(command: Command):
    done = command("diff", "old", "lost")
    assert (done.returncode, "1.1.2: FAILED / OK → LOST: it died" in done.stdout) == (4, True)
    assert "lost is not complete" in done.stderr


def test_as_json(command: Command):
    found = json.loads(command("diff", "old", "new", "--format", "json").stdout)
    assert found["same"] == 0
    assert [(change["case"], change["kind"]) for change in found["changes"]] == [
        ("1.1.1", "regression"),
        ("1.1.2", "fix"),
    ]
    assert found["changes"][0]["new"]["behaviorClose"] == "WRONG CODE"


def test_a_folder_that_is_no_run_is_told_in_a_line(command: Command):
    done = command("diff", "old", ".")
    assert (done.returncode, done.stderr) == (2, "wsconform: . holds no run: there is no run.json\n")


HOSTILE = "\x1b]0;pwned\x07\x1b[2J\u202e<script>\x00"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("diff", "old", "bad"), 4),
        (("gate", "bad"), 4),
        (("gate", "dead"), 3),
        (("merge", "bad", "--output", "merged"), 4),
    ],
)
def test_nothing_that_a_run_holds_acts_on_the_terminal(command: Command, arguments: tuple[str, ...], code: int):
    hostile: dict[str, Any] = {
        "target": HOSTILE,
        "implementation": Implementation(version=HOSTILE),
        "deviations": [Deviation(cases=["2.*"], behavior=Behavior.FAILED, reason=HOSTILE)],
        "unexplained": [HOSTILE],
    }
    results = [result("1.1.1", "FAILED", target=HOSTILE), result("2.1", target=HOSTILE)]
    lost = about(3).model_copy(update=hostile | {"lost": [Lost(case=HOSTILE, reason=HOSTILE)]})
    write(command.folder / "bad", run_of(lost, id=HOSTILE), *results)
    write(command.folder / "dead", run_of(lost.model_copy(update={"error": HOSTILE}), id=HOSTILE))
    done = command(*arguments)
    assert done.returncode == code, done.stderr
    for stream in (done.stdout, done.stderr):
        assert all(character.isprintable() for character in stream.replace("\n", "")), stream
