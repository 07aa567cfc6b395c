from pathlib import Path

import pytest

from harness.engines import Record
from harness.errors import CannotRunError, UsageError
from harness.journal import Journal, point_latest, read_results, read_run, seconds_before
from harness.results import Behavior, BehaviorClose, Evidence, Result
from tests.harness import recorded_run


def record(case: str, behavior: Behavior = Behavior.OK) -> Record:
    result = Result(
        target="t", engine="e", case=case, behavior=behavior, behavior_close=BehaviorClose.OK, duration_ms=1
    )
    return Record(result, Evidence(target="t", engine="e", case=case, sent="s", expected="x"))


def write(folder: Path, *records: Record, resume: bool = False) -> None:
    journal = Journal(folder, resume=resume)
    for one in records:
        journal.add(one)
    journal.close()


def test_what_is_written_is_read(tmp_path: Path):
    write(tmp_path / "run", record("1.1.1"), record("1.1.2"))
    assert [result.case for result in read_results(tmp_path / "run")] == ["1.1.1", "1.1.2"]
    evidence = (tmp_path / "run" / "evidence.jsonl").read_text().splitlines()
    assert [Evidence.model_validate_json(line).case for line in evidence] == ["1.1.1", "1.1.2"]


def test_a_verdict_is_on_the_disk_before_the_next_one_comes(tmp_path: Path):
    journal = Journal(tmp_path / "run")
    journal.add(record("1.1.1"))
    assert len(read_results(tmp_path / "run")) == 1
    journal.close()


def test_a_line_that_a_killed_run_left_unfinished_spoils_no_other(tmp_path: Path):
    write(tmp_path / "run", record("1.1.1"), record("1.1.2"))
    journal = tmp_path / "run" / "results.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])
    assert [result.case for result in read_results(tmp_path / "run")] == ["1.1.1"]
    write(tmp_path / "run", record("1.1.3"), resume=True)
    assert [result.case for result in read_results(tmp_path / "run")] == ["1.1.1", "1.1.3"]


def test_the_later_verdict_for_a_case_counts(tmp_path: Path):
    write(tmp_path / "run", record("1.1.1"), record("1.1.1", Behavior.FAILED))
    assert [result.behavior for result in read_results(tmp_path / "run")] == [Behavior.FAILED]


def test_a_folder_that_holds_a_run_is_not_written_over(tmp_path: Path):
    write(tmp_path / "run")
    with pytest.raises(UsageError, match="holds a run already: --resume"):
        Journal(tmp_path / "run")


def test_two_at_once_are_refused(tmp_path: Path):
    journal = Journal(tmp_path / "run")
    with pytest.raises(UsageError, match="another wsconform is writing"):
        Journal(tmp_path / "run", resume=True)
    journal.close()


def test_a_full_disk_is_one_clear_line(tmp_path: Path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "evidence.jsonl").symlink_to("/dev/full")
    journal = Journal(tmp_path / "run")
    with pytest.raises(CannotRunError, match=r"cannot write .*run: No space left on device"):
        journal.add(record("1.1.1"))
    journal.close()


def test_a_folder_that_can_not_be_made_is_one_clear_line(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(CannotRunError, match=r"cannot write .*file"):
        Journal(tmp_path / "file" / "run")


def test_a_folder_without_a_run_is_told(tmp_path: Path):
    with pytest.raises(UsageError, match="holds no run"):
        read_run(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(UsageError, match="is not a run that this version reads: the file: "):
        read_run(tmp_path)


def test_latest_points_to_the_newest(tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        point_latest(tmp_path, tmp_path / "runs" / name)
        assert (tmp_path / "latest").resolve() == tmp_path / "runs" / name


def test_how_long_targets_took_is_known_from_the_latest_runs(tmp_path: Path):
    for name, seconds in (("1", 99.0), ("2", 20.0), ("3", 10.0), ("4", 5.0)):
        about = recorded_run.about(0, seconds=seconds)
        recorded_run.write(tmp_path / "runs" / name, recorded_run.run_of(about))
    (tmp_path / "runs" / "4" / "run.json").write_text("{")
    assert seconds_before(tmp_path) == {("t", "native"): 20.0}
    assert seconds_before(tmp_path, runs=4) == {("t", "native"): 99.0}
    assert seconds_before(tmp_path / "none") == {}
