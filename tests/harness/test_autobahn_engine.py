"""The Autobahn engine with a wstest that is a small fake: what comes of its output, its hanging, its silence."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.endpoint import Endpoint
from harness.engines import Batch, Job
from harness.engines import autobahn as engine_module
from harness.engines.autobahn import AutobahnEngine, Monitor
from harness.engines.autobahn.local import LocalWstest, find
from harness.engines.choose import choose
from harness.errors import CannotRunError
from harness.manifest import load
from harness.targets.process import ProcessTarget
from tests.support import with_argument

CASES = ["1.1.1", "1.1.2", "7.1.5", "9.1.1"]


@pytest.fixture
def endpoint(implementation: Callable[..., Path], tmp_path: Path) -> Iterator[Endpoint]:
    target = ProcessTarget(load(str(implementation())), tmp_path / "server.log")
    yield target.start()
    target.stop()


def run(wstest: Path, endpoint: Endpoint, folder: Path, *, jobs: int = 2, stop: bool = False) -> list[Batch]:
    job = Job(target="t", endpoints=[endpoint], cases=CASES, jobs=jobs, deflates=True, folder=folder)
    if stop:
        job.stop.set()
    return list(AutobahnEngine(LocalWstest(wstest)).run(job))


def seen(batches: list[Batch]) -> dict[str, str]:
    return {record.result.case: str(record.result.behavior) for batch in batches for record in batch.records}


def test_its_verdicts_become_ours_with_their_evidence(fake_wstest: Path, endpoint: Endpoint, tmp_path: Path):
    batches = run(fake_wstest, endpoint, tmp_path / "run")
    assert seen(batches) == dict.fromkeys(CASES, "OK")
    evidence = batches[0].records[0].evidence
    assert (evidence.sent, evidence.accepted_close_codes) == ("Sends nothing.\n<tag>", [1000])
    assert (tmp_path / "run" / str(evidence.file)).is_file()


def test_bulk_cases_come_after_the_others_have_ended(fake_wstest: Path, endpoint: Endpoint, tmp_path: Path):
    batches = run(fake_wstest, endpoint, tmp_path / "run")
    assert [sorted(batch.cases) for batch in batches][-1] == ["9.1.1"]
    assert len(batches) == 3


def test_a_case_that_it_passes_over_is_missing(
    fake_wstest: Path, endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FAKE_WSTEST", "skip=7.1.5")
    batches = run(fake_wstest, endpoint, tmp_path / "run")
    assert set(seen(batches)) == {"1.1.1", "1.1.2", "9.1.1"}


def test_a_refused_connection_is_the_reason_why_the_rest_is_missing(fake_wstest: Path, tmp_path: Path):
    batches = run(fake_wstest, Endpoint("ws://127.0.0.1:1"), tmp_path / "run", jobs=1)
    assert seen(batches) == {}
    assert "could not connect: Connection was refused" in batches[0].reason


def test_one_that_crashes_is_told_with_its_last_line(
    fake_wstest: Path, endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FAKE_WSTEST", "crash=1.1.1")
    reasons = [batch.reason for batch in run(fake_wstest, endpoint, tmp_path / "run") if "1.1.1" in batch.cases]
    assert reasons == ["wstest ended with exit status 1: Traceback: crashed"]


def test_one_that_hangs_is_ended_and_the_case_named(
    fake_wstest: Path, endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FAKE_WSTEST", "hang=1.1.2")
    monkeypatch.setattr(engine_module, "_SILENCE_LIMIT_ELSEWHERE_S", 3)
    batches = run(fake_wstest, endpoint, tmp_path / "run")
    assert [batch.culprit for batch in batches if "1.1.2" in batch.cases] == ["1.1.2"]
    assert with_argument(f"{tmp_path}/run") == []


def test_a_job_that_is_stopped_starts_nothing(fake_wstest: Path, endpoint: Endpoint, tmp_path: Path):
    batches = run(fake_wstest, endpoint, tmp_path / "run", stop=True)
    assert (seen(batches), {batch.reason for batch in batches}) == ({}, {"it was not started"})


def test_a_folder_that_an_earlier_part_of_the_run_wrote_is_left_alone(
    fake_wstest: Path, endpoint: Endpoint, tmp_path: Path
):
    earlier = tmp_path / "run" / "autobahn" / "t-1"
    earlier.mkdir(parents=True)
    run(fake_wstest, endpoint, tmp_path / "run")
    assert list(earlier.iterdir()) == []


def test_a_line_without_end_is_no_burden():
    monitor = Monitor(lambda _: None, threading.Event())
    for _ in range(100):
        monitor.feed(b"x" * 65536)
    monitor.feed(b"\nRunning test case ID 1.1.1 for agent x from peer y\n")
    assert monitor.case == "1.1.1"


def test_a_case_that_is_announced_in_pieces_is_understood():
    cases: list[str] = []
    monitor = Monitor(cases.append, threading.Event())
    for byte in b"Running test case ID 6.4.1 for agent x\nRunning test case ID 6.4.2 for agent x\n":
        monitor.feed(bytes([byte]))
    assert cases == ["6.4.1", "6.4.2"]


def test_an_error_of_wstests_own_ends_it_at_once():
    monitor = Monitor(lambda _: None, threading.Event())
    monitor.feed(b"\texceptions.IOError: [Errno 28] No space left on device: '/x'\n")
    assert monitor.give_up() == "wstest failed: IOError: [Errno 28] No space left on device: '/x'"


def test_another_version_is_not_used(fake_wstest: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FAKE_WSTEST", "version=0.8.2")
    with pytest.raises(CannotRunError, match=r"is Autobahn Testsuite 0\.8\.2; the cases are those of 25\.10\.1"):
        choose("autobahn", wstest=str(fake_wstest), image=None, say=lambda _: None)


def test_a_wstest_that_is_not_there_is_one_clear_line():
    with pytest.raises(CannotRunError, match="no wstest at '/no/wstest'"):
        find("/no/wstest")


def test_a_program_that_is_no_wstest_is_one_clear_line(tmp_path: Path):
    (tmp_path / "wstest").write_text("#!/bin/sh\necho hello\n")
    (tmp_path / "wstest").chmod(0o755)
    with pytest.raises(CannotRunError, match=r"no wstest that works.*hello"):
        LocalWstest(tmp_path / "wstest")


def test_without_wstest_and_docker_one_line_says_how_to_get_the_engine(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/docker.sock")
    with pytest.raises(CannotRunError) as caught:
        choose("autobahn", wstest=None, image=None, say=lambda _: None)
    assert caught.value.message.startswith("the Autobahn engine is missing: no wstest 25.10.1")
    assert "\n" not in caught.value.message
    assert "docs/autobahn.md" in caught.value.message
