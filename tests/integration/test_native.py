"""`wsconform run` with the native engine, as a user has it: nothing installed, real servers, Ctrl-C and kill -9."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import psutil
import pytest

from harness import manifest, selection
from harness.cases import catalogue
from harness.journal import read_results, read_run
from harness.results import Outcome
from harness.targets.process import ProcessTarget
from tests.faulty.folders import write
from tests.support import Command, ours

pytestmark = pytest.mark.timeout(300)
SHALLOW = ["--suite", "conformance", "--exclude", "12.*", "--exclude", "13.*"]
SHALLOW_COUNT = len(selection.resolve(["*"], ["12.*", "13.*"], "conformance"))


@pytest.fixture
def native(tmp_path: Path) -> Command:
    """The command as it comes, where there is neither Docker nor wstest."""
    command = Command(tmp_path, engine="native")
    command.environment |= {"DOCKER_HOST": "unix:///nowhere/docker.sock", "WSTEST": ""}
    return command


def test_refimpl_passes_everything_and_the_run_says_which_engine_ran(native: Command):
    done = native("run", "refimpl", "--suite", "conformance", "--strict")
    assert done.returncode == 0, done.stdout + done.stderr
    outcomes = {result.case: result.outcome for result in read_results(native.folder / "build" / "latest")}
    autobahns = Counter(outcome for case, outcome in outcomes.items() if selection.is_autobahns(case))
    assert autobahns == {Outcome.PASSED: 298, Outcome.INFORMATIONAL: 3, Outcome.UNIMPLEMENTED: 216}
    ours = {case: outcome for case, outcome in outcomes.items() if not selection.is_autobahns(case)}
    assert {*ours} == {case for case in catalogue() if not selection.is_autobahns(case)}
    # it speaks no extension
    unimplemented = {case for case, outcome in ours.items() if outcome is Outcome.UNIMPLEMENTED}
    assert {case.partition(".")[0] for case in unimplemented} == {"D", "H"}
    assert {case for case in unimplemented if case.startswith("H.")} <= {*selection.resolve(["H.6.*"])}
    assert {*ours.values()} == {Outcome.PASSED, Outcome.INFORMATIONAL, Outcome.UNIMPLEMENTED}
    run = read_run(native.folder / "build" / "latest")
    assert (run.targets[0].engine, run.selection.profile) == ("native", "full")
    assert "native" in run.versions


def test_the_harness_stays_under_300_mib(native: Command):
    running = native.start("run", "refimpl", "--cases", "9.*")
    process = psutil.Process(running.pid)
    peak = 0
    while running.poll() is None:
        try:
            peak = max(peak, process.memory_info().rss)
        except psutil.Error:
            break
        time.sleep(0.01)
    running.communicate()
    assert running.returncode == 0
    assert 30 << 20 < peak < 300 << 20


@pytest.mark.slow
def test_the_defaults_of_the_seed_fail_just_what_the_manifest_says(native: Command):
    done = native("run", "refimpl-defaults", *SHALLOW)
    assert done.returncode == 0, done.stdout + done.stderr
    failing = {r.case for r in read_results(native.folder / "build" / "latest") if r.outcome is Outcome.FAILED}
    deviations = manifest.load("refimpl-defaults").manifest.deviations
    cases = {r.case for r in read_results(native.folder / "build" / "latest")}
    assert failing == {case for case in cases if any(deviation.covers(case) for deviation in deviations)}
    assert sum(map(selection.is_autobahns, failing)) == 37


def test_a_url_is_tested_and_left_running(native: Command, tmp_path: Path):
    target = ProcessTarget(manifest.load("refimpl"), tmp_path / "log")
    try:
        url = target.start().url.replace("127.0.0.1", "localhost")
        done = native("run", url, "--cases", "1.*", "--cases", "12.1.1", "-v")
        assert (done.returncode, f"{url}  17 of 17 cases: 16 passed, 1 unimplemented" in done.stdout) == (0, True)
        assert "1.1.2" in done.stderr
        assert "-> text FIN masked, 125 octets: *****" in done.stderr
        assert target.problem() is None
    finally:
        target.stop()


def test_compare_sends_fewer_compressed_messages_unless_told_otherwise(native: Command):
    native("compare", "refimpl", "--cases", "1.1.1")
    assert read_run(native.folder / "build" / "latest").selection.profile == "quick"
    native("compare", "refimpl", "--cases", "1.1.1", "--profile", "full")
    assert read_run(native.folder / "build" / "latest").selection.profile == "full"


def test_compressed_messages_come_back_by_the_thousand_or_by_four(native: Command):
    for profile, at_least in (("full", 1000), ("quick", 4)):
        done = native("run", "python-websockets", "--cases", "12.4.3", "--cases", "13.5.11", "--profile", profile)
        assert done.returncode == 0, done.stdout + done.stderr
        evidence = (native.folder / "build" / "latest" / "evidence.jsonl").read_bytes().splitlines()
        for line in map(json.loads, evidence):
            events = len(line["wire"]) + line["wireOmitted"]
            assert 2 * at_least < events < 12 * at_least
            assert line["outcome"] == "All messages came back in time."


def test_a_server_that_dies_in_a_case_is_restarted_and_the_other_cases_go_on(native: Command):
    folder = write(native.folder, "dies-on-invalid-utf8")
    done = native("run", str(folder), "--cases", "6.1.*", "--cases", "6.3.1", "--cases", "7.3.*")
    run = native.folder / "build" / "latest"
    failing = [result.case for result in read_results(run) if result.outcome is Outcome.FAILED]
    assert (done.returncode, len(read_results(run)), failing) == (1, 10, ["6.3.1"]), done.stdout + done.stderr
    assert read_run(run).targets[0].restarts > 0
    lines = (run / "evidence.jsonl").read_bytes().splitlines()
    (outcome,) = {line["outcome"] for line in map(json.loads, lines) if line["case"] == "6.3.1"}
    assert outcome.startswith("The server died or stopped answering: it ended with exit status 3. The last it wrote: ")


def test_a_server_that_does_not_come_back_loses_the_rest_and_is_never_green(
    native: Command, implementation: Callable[..., Path]
):
    folder = implementation(fault=f"die-after-once 3 {native.folder / 'started'}")
    done = native("run", str(folder), "--cases", "7.3.*", "--cases", "7.7.*", "--jobs", "1")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "INCOMPLETE" in done.stdout


def wait_for_verdicts(folder: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        journal = next(iter(folder.glob("build/runs/*/results.jsonl")), None)
        if journal is not None and len(journal.read_bytes().splitlines()) >= count:
            return
        time.sleep(0.01)
    raise AssertionError("there were no verdicts in time")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)])
def test_what_ends_a_run_early_keeps_what_was_measured_and_resume_goes_on(native: Command, number: int, code: int):
    running = native.start("run", "refimpl", *SHALLOW)
    wait_for_verdicts(native.folder, 30)
    running.send_signal(number)
    running.communicate(timeout=60)
    kept = len(read_results(native.folder / "build" / "latest"))
    assert (running.returncode, 30 <= kept < SHALLOW_COUNT) == (code, True)
    if number != signal.SIGKILL:
        assert ours(native.folder) == []
    done = native("run", "refimpl", *SHALLOW, "--resume")
    all_of_them = f"refimpl  {SHALLOW_COUNT} of {SHALLOW_COUNT} cases: "
    assert (done.returncode, done.stdout.startswith(all_of_them)) == (0, True), done.stdout + done.stderr
    outcomes = {result.case: result.outcome for result in read_results(native.folder / "build" / "latest")}
    assert len(outcomes) == SHALLOW_COUNT
    assert Counter(outcome for case, outcome in outcomes.items() if selection.is_autobahns(case)) == {
        Outcome.PASSED: 298,
        Outcome.INFORMATIONAL: 3,
    }
    assert ours(native.folder) == []


def test_the_folder_has_no_more_than_it_should(native: Command):
    native("run", "refimpl", "--cases", "1.1.1", "--output", "here")
    assert sorted(path.name for path in (native.folder / "here").iterdir()) == [
        ".lock", "evidence.jsonl", "report", "results.jsonl", "run.json", "targets",
    ]  # fmt: skip


OURS = ["--cases", "H.2.1", "--cases", "F.5.1", "--cases", "F.5.2", "--cases", "D.1.1"]


def test_cases_that_autobahn_has_not_go_into_every_report_and_through_the_gate(native: Command):
    folder = write(native.folder, "empty-pong")
    done = native("run", str(folder), *OURS, "--output", "bad")
    assert done.returncode == 1
    assert "F.5.1: FAILED, close OK; alone: wsconform run" in done.stdout
    native("report", "bad", "--format", "junit", "--format", "autobahn", "--output", "told")
    cases = ET.parse(native.folder / "told" / "junit.xml").findall(".//testcase")  # noqa: S314 - it is ours
    names = selection.resolve(OURS[1::2])
    assert [case.get("name") for case in cases] == names
    ((_, index),) = json.loads((native.folder / "told" / "autobahn" / "index.json").read_text()).items()
    assert list(index) == names
    record = json.loads((native.folder / "told" / "autobahn" / index["F.5.1"]["reportfile"]).read_text())
    assert (record["description"], record["behavior"]) == ("A ping of each size from 0 to 125.", "FAILED")
    assert record["result"] == "The pong has another content: '' (0 octets)."
    # what is known is expected, and what happens no more is told
    assert native("gate", "bad", "--write-baseline", "known.toml").returncode == 0
    assert native("gate", "bad", "--baseline", "known.toml").returncode == 0
    good = native("run", "refimpl", *OURS, "--baseline", "known.toml", "--output", "good")
    assert (good.returncode, "happens no more" in good.stdout) == (1, True), good.stdout
    changed = native("diff", "good", "bad").stdout
    assert "F.5.1: OK / OK → FAILED / OK" in changed
