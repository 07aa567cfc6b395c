"""Runs merged into one: nothing is lost on the way, and nothing that is missing goes unseen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness import selection
from harness.crosscheck import Comparison, save, saved
from harness.errors import ExitCode, UsageError
from harness.journal import read_results, read_run
from harness.merge import merge
from harness.results import Deviation, Evidence, Implementation, Result
from tests.harness.recorded_run import about, probe, result, run_of, write

ALL = selection.resolve(["1.1.*"])  # eight


def shards(folder: Path, count: int, *, without: int | None = None) -> list[Path]:
    made = []
    for number in range(1, count + 1):
        if number == without:
            continue
        part = f"{number}/{count}"
        cases = selection.shard(ALL, part, deflates=True)
        run = run_of(about(len(cases), seconds=1.5), cases=("1.1.*",), shard=part, id=f"s{number}")
        made.append(write(folder / f"s{number}", run, *(result(case) for case in cases)))
    return made


def test_all_shards_are_the_whole_run(tmp_path: Path):
    done = merge(shards(tmp_path, 3), tmp_path / "all")
    assert done.exit_code is ExitCode.PASSED
    run = read_run(tmp_path / "all")
    assert (run.id, run.state, run.exit_code) == ("all", "complete", 0)
    (target,) = run.targets
    assert (target.expected, target.observed, target.seconds) == (8, 8, 4.5)
    assert run.selection.count == 8
    assert sorted(one.case for one in read_results(tmp_path / "all")) == ALL
    assert [part.id for part in run.parts] == ["s1", "s2", "s3"]
    assert [part.selection.shard for part in run.parts] == ["1/3", "2/3", "3/3"]


def test_of_a_run_of_autobahn_nothing_is_lost_that_it_has_not(tmp_path: Path):
    made = []
    for part in ("1/2", "2/2"):
        cases = selection.shard(ALL, part, deflates=True)
        targets = [about(len(cases), engine=engine) for engine in ("autobahn", "native")]
        run = run_of(*targets, cases=("1.1.*", "H.*"), shard=part, id=part[0])
        found = [result(case, engine=engine) for case in cases for engine in ("autobahn", "native")]
        made.append(write(tmp_path / part[0], run, *found))
    done = merge(made, tmp_path / "all")
    assert [(target.expected, target.lost) for target in done.run.targets] == [(8, []), (8, [])]
    assert done.exit_code is ExitCode.PASSED


def test_of_a_run_of_ours_alone_all_are_missed_that_were_asked_for(tmp_path: Path):
    run = run_of(about(1), cases=("1.1.1", "H.1.*"), shard="1/2", id="1")
    done = merge([write(tmp_path / "1", run, result("1.1.1"))], tmp_path / "all")
    assert [lost.case for lost in done.run.targets[0].lost] == selection.resolve(["H.1.*"])


def test_a_shard_that_is_missing_is_lost_and_never_green(tmp_path: Path):
    done = merge(shards(tmp_path, 3, without=2), tmp_path / "all")
    assert done.exit_code is ExitCode.INCOMPLETE
    missing = selection.shard(ALL, "2/3", deflates=True)
    assert [lost.case for lost in done.run.targets[0].lost] == missing
    assert done.run.targets[0].lost[0].reason.endswith("(not among them: shard 2/3)")
    assert done.run.state == "incomplete"


def test_the_missing_shard_may_come_later(tmp_path: Path):
    merge(shards(tmp_path, 3, without=2), tmp_path / "two")
    (late,) = [one for one in shards(tmp_path / "late", 3) if one.name == "s2"]
    done = merge([tmp_path / "two", late], tmp_path / "all")
    assert done.exit_code is ExitCode.PASSED
    assert [part.id for part in done.run.parts] == ["s1", "s3", "s2"]


def test_further_cases_and_targets_are_added(tmp_path: Path):
    one = write(tmp_path / "one", run_of(about(1), cases=("1.1.1",)), result("1.1.1"))
    two = write(
        tmp_path / "two",
        run_of(about(1), about(1, target="u"), about(1, engine="limits"), cases=("1.1.2", "L.1.1")),
        result("1.1.2", "FAILED"),
        result("1.1.2", target="u"),
        probe("L.1.1", "LATE"),
    )
    done = merge([one, two], tmp_path / "all")
    assert done.exit_code is ExitCode.FAILED
    assert [(t.target, t.engine, t.expected, t.observed) for t in done.run.targets] == [
        ("t", "native", 2, 2),
        ("u", "native", 1, 1),
        ("t", "limits", 1, 1),
    ]


def test_the_versions_of_all_runs_are_told(tmp_path: Path):
    versions = [{"wsconform": "1", "native": "1"}, {"wsconform": "1", "autobahn": "2"}]
    runs = [run_of(about(1), cases=(case,), versions=one) for case, one in zip(ALL, versions, strict=False)]
    folders = [write(tmp_path / case, run, result(case)) for case, run in zip(ALL, runs, strict=False)]
    assert merge(folders, tmp_path / "all").run.versions == {"wsconform": "1", "native": "1", "autobahn": "2"}


def test_a_case_that_one_run_lost_may_come_from_another(tmp_path: Path):
    one = write(tmp_path / "one", run_of(about(2, lost=("1.1.2",)), cases=("1.1.1", "1.1.2")), result("1.1.1"))
    two = write(tmp_path / "two", run_of(about(1), cases=("1.1.2",)), result("1.1.2"))
    assert merge([one, two], tmp_path / "all").exit_code is ExitCode.PASSED


def test_what_a_killed_run_did_not_get_to_is_lost(tmp_path: Path):
    killed = write(tmp_path / "one", run_of(about(8), cases=("1.1.*",), state="running"), result("1.1.1"))
    done = merge([killed], tmp_path / "all")
    assert done.exit_code is ExitCode.INCOMPLETE
    assert [lost.case for lost in done.run.targets[0].lost] == ALL[1:]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (result("1.1.1", close="UNCLEAN"), "1.1.1 of t (native) is OK / OK in one, OK / UNCLEAN in the other"),
        (result("1.1.1", "FAILED"), "1.1.1 of t (native) is OK / OK in one, FAILED / OK in the other"),
    ],
)
def test_two_verdicts_for_one_case_are_refused(tmp_path: Path, other: Result, words: str):
    one = write(tmp_path / "one", run_of(about(1), cases=("1.1.1",)), result("1.1.1"))
    two = write(tmp_path / "two", run_of(about(1), cases=("1.1.1",)), other)
    with pytest.raises(UsageError) as refused:
        merge([one, two], tmp_path / "all")
    assert refused.value.message.endswith(words)
    assert not (tmp_path / "all").exists()


@pytest.mark.parametrize(
    "values",
    [
        {"implementation": Implementation(version="2")},
        {"engine_version": "2"},
        {"deviations": [Deviation(cases=["1.*"], behavior="FAILED", reason="x")]},  # type: ignore[arg-type]
    ],
)
def test_two_accounts_of_one_target_are_refused(tmp_path: Path, values: dict[str, Any]):
    one = write(tmp_path / "one", run_of(about(1), cases=("1.1.1",)), result("1.1.1"))
    two = write(tmp_path / "two", run_of(about(1, **values), cases=("1.1.2",)), result("1.1.2"))
    with pytest.raises(UsageError, match=r"contradict each other: t has another"):
        merge([one, two], tmp_path / "all")


def test_the_same_verdict_in_two_runs_counts_once(tmp_path: Path):
    one = write(tmp_path / "one", run_of(about(1), cases=("1.1.1",)), result("1.1.1"))
    two = write(tmp_path / "two", run_of(about(1), cases=("1.1.1",)), result("1.1.1"))
    done = merge([one, two], tmp_path / "all")
    assert (done.exit_code, done.run.targets[0].expected) == (0, 1)
    assert len((tmp_path / "all" / "results.jsonl").read_text().splitlines()) == 1


def test_a_run_of_another_version_with_other_cases_is_refused(tmp_path: Path):
    killed = run_of(about(9), cases=("1.1.*",), state="running", versions={"wsconform": "9"})
    with pytest.raises(UsageError, match=r"it was made by 9"):
        merge([write(tmp_path / "one", killed, result("1.1.1"))], tmp_path / "all")


def test_evidence_and_files_come_along_and_links_still_lead_there(tmp_path: Path):
    run = run_of(about(1, log="targets/t.log"), cases=("1.1.1",))
    one = write(tmp_path / "one", run, result("1.1.1"), file="autobahn/t.html")
    for name, text in (("targets/t.log", "output"), ("autobahn/t.html", "page")):
        (one / name).parent.mkdir(exist_ok=True)
        (one / name).write_text(text)
    (one / "autobahn" / "passwd").symlink_to("/etc/passwd")
    done = merge([one], tmp_path / "all")
    (line,) = (tmp_path / "all" / "evidence.jsonl").read_text().splitlines()
    evidence = Evidence.model_validate_json(line)
    assert evidence.sent == "Sends 1.1.1."
    assert evidence.file is not None
    assert (tmp_path / "all" / evidence.file).read_text() == "page"
    (target,) = done.run.targets
    assert target.log is not None
    assert (tmp_path / "all" / target.log).read_text() == "output"
    assert next((tmp_path / "all").rglob("passwd")).is_symlink()  # what it points to was not read


def test_the_stricter_gate_is_kept(tmp_path: Path):
    one = write(tmp_path / "one", run_of(about(1), cases=("1.1.1",), strict=True, allow_stale=True), result("1.1.1"))
    two = write(tmp_path / "two", run_of(about(1), cases=("1.1.2",)), result("1.1.2", "NON-STRICT"))
    done = merge([one, two], tmp_path / "all")
    assert (done.run.strict, done.run.allow_stale, done.exit_code) == (True, False, 1)


def test_one_that_could_not_be_run_stays_an_error_until_another_run_has_its_verdicts(tmp_path: Path):
    dead = run_of(about(1, lost=("1.1.1",), error="it exited"), cases=("1.1.1",))
    one = write(tmp_path / "one", dead)
    assert merge([one], tmp_path / "a").exit_code is ExitCode.CANNOT_RUN
    two = write(tmp_path / "two", run_of(about(1), cases=("1.1.1",)), result("1.1.1"))
    assert merge([one, two], tmp_path / "b").exit_code is ExitCode.PASSED


def test_what_a_crosscheck_found_comes_along(tmp_path: Path):
    one = write(tmp_path / "one", run_of(about(1), cases=("1.1.1",)), result("1.1.1"))
    save(one, [Comparison("t", 1)])
    merge([one], tmp_path / "all")
    assert saved(tmp_path / "all") == [Comparison("t", 1)]
