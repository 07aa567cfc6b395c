"""The command as a user types it: exit codes, one clear line for each thing that can be wrong, nothing left behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import selection
from harness.journal import read_results, read_run
from tests.support import Command, ours


def wrong(done: subprocess.CompletedProcess[str]) -> str:
    """The last line that is not a detail: the error."""
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("wsconform: ")]
    assert len(lines) == 1, done.stderr
    return lines[0].removeprefix("wsconform: ")


def test_a_run_that_passes_exits_0_and_says_where_the_report_is(
    wsconform: Command, implementation: Callable[..., Path]
):
    done = wsconform("run", str(implementation()), "--cases", "1.*")
    assert done.returncode == 0, done.stderr
    name, verdict, report = done.stdout.splitlines()
    assert (name, verdict) == ("fake  16 of 16 cases: 16 passed", "PASSED")
    assert (wsconform.folder / report.removeprefix("report: ")).is_file()
    run = read_run(wsconform.folder / "build" / "latest")
    assert (run.state, run.exit_code, run.targets[0].observed) == ("complete", 0, 16)


def test_a_failing_verdict_exits_1_and_says_how_to_repeat_it(wsconform: Command, implementation: Callable[..., Path]):
    done = wsconform("run", str(implementation()), "--cases", "1.1.*", FAKE_WSTEST="fail=1.1.3")
    assert done.returncode == 1
    assert "1.1.3: FAILED, close FAILED; alone: wsconform run fake --cases 1.1.3 --engine autobahn" in done.stdout


def test_what_autobahn_has_not_is_left_out_and_where_it_was_asked_for_by_name_that_is_told(
    wsconform: Command, implementation: Callable[..., Path]
):
    done = wsconform("run", str(implementation()), "--cases", "1.1.*", "--cases", "H.*", "--cases", "D.1.1")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "fake  8 of 8 cases: 8 passed")
    told = [line for line in done.stderr.splitlines() if "Autobahn Testsuite" in line]
    assert told == ["left out, for the Autobahn Testsuite has no such cases: H.*, D.1.1"]


def test_who_asks_for_all_and_for_autobahn_gets_all_that_autobahn_has(
    wsconform: Command, implementation: Callable[..., Path]
):
    done = wsconform("run", str(implementation()), "--exclude", "12.*", "--exclude", "13.*", "--exclude", "6.*")
    assert done.stdout.splitlines()[0] == "fake  156 of 156 cases: 156 passed"
    assert "Autobahn Testsuite" not in done.stderr


def test_a_known_deviation_is_no_failure(wsconform: Command, implementation: Callable[..., Path]):
    manifest = '[[deviations]]\ncases = ["1.1.3"]\nbehavior = "FAILED"\nreason = "because"\n'
    folder = implementation(manifest=manifest)
    done = wsconform("run", str(folder), "--cases", "1.1.*", FAKE_WSTEST="fail=1.1.3")
    assert (done.returncode, "(1 known deviations)" in done.stdout) == (0, True)
    done = wsconform("run", str(folder), "--cases", "1.1.*")
    assert (done.returncode, "a known deviation that happens no more (because)" in done.stdout) == (1, True)


def test_a_lost_case_exits_4(wsconform: Command, implementation: Callable[..., Path]):
    done = wsconform("run", str(implementation()), "--cases", "1.1.*", FAKE_WSTEST="skip=1.1.3")
    assert done.returncode == 4
    assert "lost 1: 1.1.3: wstest ended without a verdict for it" in done.stdout


def test_a_server_that_dies_is_started_anew_and_the_rest_goes_on(
    wsconform: Command, implementation: Callable[..., Path]
):
    done = wsconform("run", str(implementation(fault="die-after 6")), "--cases", "1.1.*", "--jobs", "1")
    run = read_run(wsconform.folder / "build" / "latest")
    assert run.targets[0].restarts > 0
    assert run.targets[0].observed == 8, done.stdout
    assert "killed by SIGSEGV; starting it anew" in done.stderr


def test_several_targets_are_one_run(wsconform: Command, implementation: Callable[..., Path]):
    one, two = implementation("one"), implementation("two")
    done = wsconform("compare", str(one), str(two), "--cases", "1.1.1", "--json")
    outcome = json.loads(done.stdout)
    assert (done.returncode, outcome["exitCode"]) == (0, 0)
    assert [target["target"] for target in outcome["run"]["targets"]] == ["one", "two"]


def test_one_that_does_not_start_costs_only_its_own_cells(wsconform: Command, implementation: Callable[..., Path]):
    bad, good = implementation("bad", fault="exit"), implementation("good")
    done = wsconform("compare", str(bad), str(good), "--cases", "1.1.*")
    assert done.returncode == 3
    assert "good  8 of 8 cases: 8 passed" in done.stdout
    assert "could not be run: bad did not start: it ended with exit status 3" in done.stdout
    assert r"\x1b[31mcannot find libfoo.so\x1b[0m" in done.stderr, "its last lines, made safe"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("taken", "Address already in use"),
        ("http", "it refused the opening handshake: 'HTTP/1.1 200 OK'"),
        ("wrong-accept", "its Sec-WebSocket-Accept is wrong"),
    ],
)
def test_a_server_that_is_none_exits_3_and_says_what_it_does(
    wsconform: Command, implementation: Callable[..., Path], fault: str, words: str
):
    done = wsconform("run", str(implementation(fault=fault)), "--cases", "1.1.1")
    assert done.returncode == 3
    assert words in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run", "refimp"], 2, "no implementation 'refimp'; did you mean refimpl"),
        (["run", "http://localhost:1"], 2, "must begin with ws:// or wss://"),
        (["run", "ws://"], 2, "names no host and port"),
        (["run", "refimpl", "--cases", "99.*"], 2, "no case fits '99.*'"),
        (["run", "refimpl", "--cases", "1.1.[12]"], 2, "no case fits '1.1.[12]'"),
        (["run", "refimpl", "--cases", "6.4"], 2, "did you mean 6.4.*"),
        (["run", "refimpl", "--exclude", "*"], 2, "no case is left"),
        (["run", "refimpl", "refimpl"], 2, "two targets have the same name"),
        (["run", "refimpl", "--jobs", "0"], 2, "0 is not in the range"),
        (["run", "refimpl", "--engine", "magic"], 2, "'magic' is not"),
        (["run", "refimpl", "--frobnicate"], 2, "No such option"),
        (["run", "refimpl", "--wstest", "/no/wstest"], 3, "no wstest at '/no/wstest'"),
        (["run", "refimpl", "--output", "/proc/run"], 3, "cannot write /proc/run"),
        (["run", "--resume"], 2, "there is no run to resume"),
        (["run", "refimpl", "--cases", "H.*"], 2, "the Autobahn Testsuite has no H.1.1"),
        (["crosscheck", "refimpl", "--cases", "D.1.*", "--cases", "F.2.1"], 2, "the Autobahn Testsuite has no D.1.1"),
        (["runn"], 2, "No such command 'runn'"),
        (["gate", "nowhere"], 2, "nowhere holds no run"),
        (["report", "nowhere"], 2, "nowhere holds no run"),
        (["cases", "list", "99.*"], 2, "no case fits"),
    ],
)
def test_a_wrong_input_is_one_clear_line(wsconform: Command, arguments: list[str], code: int, words: str):
    done = wsconform(*arguments)
    assert words in wrong(done)
    assert done.returncode == code


def test_nobody_listening_at_a_url_exits_3(wsconform: Command):
    done = wsconform("run", "ws://127.0.0.1:1", "--cases", "1.1.1")
    assert done.returncode == 3
    assert "could not be run: ws://127.0.0.1:1: Connection refused" in done.stdout


def test_a_broken_manifest_exits_2_with_file_line_and_key(wsconform: Command, implementation: Callable[..., Path]):
    folder = implementation(manifest="colour = 3")
    done = wsconform("run", str(folder))
    assert done.returncode == 2
    assert wrong(done) == f"{folder}/implementation.toml:6: colour: Extra inputs are not permitted"


def test_no_engine_at_all_exits_3_with_one_line(wsconform: Command):
    done = wsconform("run", WSTEST="", DOCKER_HOST="unix:///no/docker.sock", PATH="/nowhere")
    assert done.returncode == 3
    assert wrong(done).startswith("the Autobahn engine is missing: ")


def test_a_full_disk_exits_3_and_says_so(wsconform: Command, implementation: Callable[..., Path]):
    output = wsconform.folder / "out"
    output.mkdir()
    (output / "evidence.jsonl").symlink_to("/dev/full")
    done = wsconform("run", str(implementation()), "--cases", "1.1.1", "--output", str(output))
    assert done.returncode == 3
    assert "No space left on device" in wrong(done)


def test_debug_shows_the_traceback(wsconform: Command):
    done = wsconform("run", "refimp", "--debug")
    assert "Traceback" in done.stderr
    assert done.returncode == 2


def test_a_run_is_resumed_where_it_ended(wsconform: Command, implementation: Callable[..., Path]):
    folder = str(implementation())
    first = wsconform("run", folder, "--cases", "1.*", FAKE_WSTEST="skip=1.1.3")
    assert first.returncode == 4
    second = wsconform("run", folder, "--cases", "1.*", "--resume")
    assert (second.returncode, "16 of 16" in second.stdout) == (0, True)
    journal = (wsconform.folder / "build" / "latest" / "results.jsonl").read_text().splitlines()
    assert len(journal) == 16, "what had its verdict was not run again"


def test_a_run_is_resumed_only_as_what_it_was(wsconform: Command, implementation: Callable[..., Path]):
    wsconform("run", str(implementation()), "--cases", "1.1.1")
    done = wsconform("run", str(implementation("other")), "--cases", "1.1.1", "--resume")
    assert (done.returncode, "is a run of fake with autobahn" in wrong(done)) == (2, True)
    done = wsconform("run", str(wsconform.folder / "implementations" / "fake"), "--cases", "1.2.*", "--resume")
    assert (done.returncode, "asked for cases 1.1.1" in wrong(done)) == (2, True)


def test_gate_and_report_work_on_a_run_of_before(wsconform: Command, implementation: Callable[..., Path]):
    wsconform("run", str(implementation()), "--cases", "1.1.*", FAKE_WSTEST="fail=1.1.3")
    assert wsconform("gate").returncode == 1
    done = wsconform("report")
    assert done.returncode == 0
    assert Path(done.stdout.strip()).is_file()


def test_quiet_is_quiet_and_verbose_tells_each_case(wsconform: Command, implementation: Callable[..., Path]):
    folder = str(implementation())
    assert wsconform("run", folder, "--cases", "1.1.1", "-q").stderr == ""
    assert "fake: 1.1.1: OK / close OK (1000)" in wsconform("run", folder, "--cases", "1.1.1", "-v").stderr


def test_cases_and_implementations_are_listed(wsconform: Command):
    listed = [line.split()[0] for line in wsconform("cases", "list", "7.1.*").stdout.splitlines()]
    assert listed == [f"7.1.{number}" for number in range(1, 7)]
    rows = [row["id"] for row in json.loads(wsconform("cases", "list", "--json").stdout)]
    assert rows == list(selection.known())
    assert [sum(row[0] in letters for row in rows) for letters in ("123456789", "L")] == [517, 68]
    assert "refimpl" in wsconform("implementations", "list").stdout


def wait_for_verdicts(folder: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        journals = list(folder.glob("build/runs/*/results.jsonl"))
        if journals and len(read_results(journals[0].parent)) >= count and len(ours(folder)) >= 2:
            return
        time.sleep(0.02)
    pytest.fail("no verdicts came")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_keeps_what_was_measured_and_leaves_nothing(
    wsconform: Command, implementation: Callable[..., Path], number: signal.Signals
):
    folder = str(implementation(fault="child"))
    running = wsconform.start("run", folder, "--cases", "1.*", "--cases", "9.1.1", FAKE_WSTEST="hang=9.1.1")
    wait_for_verdicts(wsconform.folder, 16)
    running.send_signal(number)
    stdout, stderr = running.communicate(timeout=60)
    assert running.returncode == 130, stderr
    assert ours(wsconform.folder) == []
    assert "INTERRUPTED" in stdout
    run = read_run(wsconform.folder / "build" / "latest")
    assert (run.state, run.targets[0].observed, [lost.case for lost in run.targets[0].lost]) == (
        "interrupted",
        16,
        ["9.1.1"],
    )


def test_an_interruption_while_the_command_is_loaded_is_one_line():
    interrupted = """if True:
        import runpy, sys

        class Interrupts:
            def find_spec(self, name, path, target=None):
                if name == "harness.cli":
                    raise KeyboardInterrupt

        sys.meta_path.insert(0, Interrupts())
        runpy.run_module("harness", run_name="__main__")
        """
    done = subprocess.run(
        [sys.executable, "-c", interrupted, "--help"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (130, "wsconform: interrupted\n")


def test_after_a_kill_the_journal_can_be_read_and_the_next_start_cleans_up(
    wsconform: Command, implementation: Callable[..., Path]
):
    folder = str(implementation(fault="child"))
    running = wsconform.start("run", folder, "--cases", "1.*", "--cases", "9.1.1", FAKE_WSTEST="hang=9.1.1")
    wait_for_verdicts(wsconform.folder, 16)
    running.kill()
    running.communicate()
    (run_folder,) = wsconform.folder.glob("build/runs/*")
    assert len(read_results(run_folder)) == 16
    done = wsconform("run", folder, "--cases", "1.*", "--cases", "9.1.1", "--resume")
    assert (done.returncode, "17 of 17 cases" in done.stdout) == (0, True)
    assert len((run_folder / "results.jsonl").read_text().splitlines()) == 17
    # server, its child and wstest outlive a kill -9 until any harness starts: this one, or one of another test
    assert ours(wsconform.folder) == []


def test_where_nobody_reads_what_it_says_it_is_not_green(wsconform: Command):
    process = wsconform.start("cases", "list")
    assert process.stdout is not None
    process.stdout.close()
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (3, "wsconform: what read its output has gone\n")
