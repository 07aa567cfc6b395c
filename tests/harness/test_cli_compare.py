"""Several implementations at once: one that is broken in any way costs its own verdicts alone, and leaves nothing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from harness import manifest
from harness.journal import read_results, read_run
from harness.results import Run, TargetRun
from tests.support import ROOT, Command, ours

ECHO = [sys.executable, str(ROOT / "tests" / "faulty" / "echo.py")]
FAKE = [sys.executable, str(ROOT / "tests" / "fakes" / "server.py")]
CASES = ("--cases", "1.1.1", "--cases", "7.7.1")


def write(
    folder: Path, name: str, start: list[str], fault: str = "", *, more: str = "", top: str = "", within: float = 6.0
) -> str:
    path = folder / name
    path.mkdir()
    lines = [
        f'name = "{name}"', 'language = "Python"', 'version = "1"', 'homepage = "https://example.com"',
        'licence = "MIT"', top, "[local]", f"start = {json.dumps(start)}", f"ready_within = {within}",
        f"environment = {{ FAULT = {json.dumps(fault)} }}", more,
    ]  # fmt: skip
    (path / manifest.MANIFEST).write_text("\n".join(lines))
    return f"./{name}"


def by_name(run: Run) -> dict[str, TargetRun]:
    return {target.target: target for target in run.targets}


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path, engine="native")


def test_each_way_of_being_broken_is_told_as_that_and_the_others_have_their_verdicts(command: Command):
    folder = command.folder
    broken = {
        "setup-fails": (write(folder, "setup-fails", ECHO, more='setup = [["sh", "-c", "exit 7"]]'),
                        "set-up command `sh -c exit 7` failed (exit status 7)"),
        "exits": (write(folder, "exits", FAKE, "exit"), "exit status 3"),
        "deaf": (write(folder, "deaf", FAKE, "deaf"), "refused"),
        "silent": (write(folder, "silent", FAKE, "silent"), "did not answer the opening handshake within"),
        "not-found": (write(folder, "not-found", FAKE, "404"), "404"),
        # eating takes its time on a machine that is busy
        "memory": (write(folder, "memory", FAKE, "memory", within=60.0),
                   "it used more than 2 GiB of memory and was ended"),
    }  # fmt: skip
    working = {
        "good": write(folder, "good", ECHO),
        "stubborn": write(folder, "stubborn", FAKE, "stubborn"),
        "child": write(folder, "child", FAKE, "child"),
        "daemon": write(folder, "daemon", FAKE, "daemon"),
        "wrong-echo": write(folder, "wrong-echo", ECHO, "binary-as-text"),
    }
    done = command("compare", *(path for path, _ in broken.values()), *working.values(), *CASES, "--cases", "1.2.2")
    run = read_run(folder / "build" / "latest")
    targets = by_name(run)
    assert done.returncode == 3, done.stderr
    for name, (_, words) in broken.items():
        assert words in (targets[name].error or ""), (name, targets[name].error)
        assert len(targets[name].lost) == 3
    verdicts = {(r.target, r.case): str(r.outcome) for r in read_results(folder / "build" / "latest")}
    assert {targets[name].error for name in working} == {None}
    assert [verdicts["good", case] for case in ("1.1.1", "1.2.2", "7.7.1")] == ["passed"] * 3
    assert verdicts["wrong-echo", "1.2.2"] == "failed"
    assert verdicts["wrong-echo", "1.1.1"] == "passed"
    assert ours(folder) == []


def test_what_each_used_is_measured(command: Command):
    done = command("compare", write(command.folder, "a", ECHO), write(command.folder, "b", ECHO), *CASES)
    assert done.returncode == 0, done.stderr
    for target in read_run(command.folder / "build" / "latest").targets:
        assert target.peak_memory is not None
        assert 5 << 20 < target.peak_memory < 500 << 20
        assert target.cpu_seconds is not None
        assert target.cpu_seconds > 0
        assert target.setup_seconds is None  # there was nothing to set up


def test_what_cannot_run_here_is_left_out_and_told(command: Command):
    needs = 'requires = ["no-such-compiler", "/no/such/*.h"]\ndebian = ["libnosuch-dev"]'
    missing = write(command.folder, "missing", ECHO, more=needs)
    done = command("compare", missing, write(command.folder, "good", ECHO), *CASES)
    reason = "needs no-such-compiler, /no/such/*.h: apt-get install libnosuch-dev, or --container"
    assert (done.returncode, f"missing cannot run here and is left out: {reason}" in done.stderr) == (0, True)
    assert "left out, as they cannot run here: missing" in done.stdout
    run = read_run(command.folder / "build" / "latest")
    assert [(one.target, one.reason) for one in run.unavailable] == [("missing", reason)]
    assert "libnosuch-dev" in (command.folder / "build/latest/report/index.html").read_text()
    alone = command("compare", missing, *CASES)
    assert (alone.returncode, "none of the implementations can run here" in alone.stderr) == (3, True)


def test_what_needs_other_tools_than_those_named_is_left_away(command: Command):
    names = [
        write(command.folder, "plain", ECHO),
        write(command.folder, "shell", ECHO, more='requires = ["sh"]'),
        write(command.folder, "both", ECHO, more='requires = ["sh", "cat"]'),
    ]
    assert command("compare", *names, *CASES, "--tools", "sh").returncode == 0
    run = read_run(command.folder / "build" / "latest")
    assert ([t.target for t in run.targets], run.unavailable) == (["plain", "shell"], [])


def test_a_library_that_hands_out_frames_is_marked(command: Command):
    frames = write(command.folder, "frames", ECHO, top='level = "frames"')
    assert command("compare", frames, write(command.folder, "good", ECHO), *CASES).returncode == 0
    page = (command.folder / "build/latest/report/index.html").read_text()
    assert page.count('<small class="tag x">frames</small>') == 1


def test_another_version_is_set_up_beside_and_called_by_its_number(command: Command):
    versions = 'version_setup = [["sh", "-c", "echo {version} > $0", "{cache}/v"]]'
    path = write(command.folder, "lib", ECHO, more=versions)
    done = command("compare", path, f"{path}@0.5", *CASES, "--version", f"{path}=0.7")
    assert done.returncode == 0, done.stderr
    run = read_run(command.folder / "build" / "latest")
    assert [(t.target, t.implementation.version) for t in run.targets] == [("lib@0.7", "0.7"), ("lib@0.5", "0.5")]
    kept = sorted((command.folder / "cache" / "implementations").glob("lib@*/v"))
    assert [file.read_text() for file in kept] == ["0.5\n", "0.7\n"]
    only = write(command.folder, "only", ECHO)
    assert "only comes in version 1 only" in command("run", f"{only}@2", *CASES).stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_comparison_that_is_ended_leaves_nothing_and_goes_on_with_resume(command: Command, number: signal.Signals):
    names = [write(command.folder, name, ECHO) for name in ("a", "b", "c")]
    arguments = ("compare", *names, "--cases", "1.*", "--cases", "6.*", "--output", "run")
    process = command.start(*arguments)
    results = command.folder / "run" / "results.jsonl"
    deadline = time.monotonic() + 60
    while not (results.exists() and results.read_text().count("\n") > 5) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (130 if number is signal.SIGINT else -signal.SIGKILL), said
    psutil.wait_procs(ours(command.folder), timeout=10)  # killed, it has nobody who waits for them
    assert ours(command.folder) == []
    before = len(read_results(command.folder / "run"))
    assert 0 < before < 3 * 161
    done = command(*arguments, "--resume")
    assert done.returncode == 0, done.stderr
    assert len(read_results(command.folder / "run")) == sum(
        t.expected for t in read_run(command.folder / "run").targets
    )


def kill_a_worker(process: subprocess.Popen[str], when: Callable[[psutil.Process], bool]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for worker in psutil.Process(process.pid).children():
            if "harness.work" in " ".join(worker.cmdline()) and when(worker):
                worker.kill()
                return
        time.sleep(0.01)
    process.kill()
    raise AssertionError("there was no worker to kill")


def has_started_a_fake(worker: psutil.Process) -> bool:
    return any(FAKE[1] in child.cmdline() for child in worker.children())


def test_a_worker_that_is_killed_before_its_first_verdict_costs_its_targets_verdicts_alone(command: Command):
    deaf = write(command.folder, "deaf", FAKE, "deaf").removeprefix("./")
    text = (command.folder / deaf / manifest.MANIFEST).read_text()
    (command.folder / deaf / manifest.MANIFEST).write_text(text.replace("ready_within = 6.0", "ready_within = 300.0"))
    process = command.start("compare", f"./{deaf}", write(command.folder, "good", ECHO), *CASES, "--parallel", "2")
    kill_a_worker(process, has_started_a_fake)
    output, said = process.communicate(timeout=200)
    assert process.returncode == 3, said
    targets = by_name(read_run(command.folder / "build" / "latest"))
    assert "killed by SIGKILL" in str(targets["deaf"].error)
    assert (len(targets["deaf"].lost), targets["good"].lost) == (2, [])
    assert "could not be run: the process that tested it ended" in output
    assert ours(command.folder) == []


def test_a_worker_that_is_killed_later_keeps_the_verdicts_that_it_told(command: Command):
    names = [write(command.folder, name, ECHO, "never-answers-close") for name in ("a", "b")]
    cases = [word for case in ("1.1.1", "1.1.2", "1.1.3", "1.2.1") for word in ("--cases", case)]
    process = command.start("compare", *names, *cases, "--jobs", "1", "--parallel", "2", "--output", "run")
    results = command.folder / "run" / "results.jsonl"
    kill_a_worker(process, lambda _: results.exists() and bool(results.read_text()))
    _, said = process.communicate(timeout=200)
    assert process.returncode == 4, said  # there are verdicts, and some are missing
    killed, other = sorted(read_run(command.folder / "run").targets, key=lambda target: not target.lost)
    assert (killed.error, other.error, other.lost) == (None, None, [])
    assert 0 < killed.observed < 4
    assert len(killed.lost) == 4 - killed.observed
    assert all("killed by SIGKILL" in lost.reason for lost in killed.lost)
    assert ours(command.folder) == []


def test_an_interruption_ends_set_ups(command: Command):
    slow = 'setup = [["sh", "-c", "touch $0/began; exec sleep 600", "{cache}"]]'
    names = [write(command.folder, name, ECHO, more=slow) for name in ("a", "b", "c", "d")]
    process = command.start("compare", *names, *CASES)
    deadline = time.monotonic() + 60
    while not list(command.folder.glob("cache/implementations/*/began")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=90)
    assert process.returncode == 130, said
    assert ours(command.folder) == []


def test_an_interruption_ends_a_set_up_that_begins_behind_it(command: Command, monkeypatch: pytest.MonkeyPatch):
    slow = 'setup = [["sh", "-c", "echo $$ > $0/pid; exec sleep 600", "{cache}"]]'
    first, second = (write(command.folder, name, ECHO, more=slow) for name in ("a", "b"))
    monkeypatch.setenv("WSCONFORM_CACHE", str(command.folder / "cache"))
    cache = manifest.load(str(command.folder / second)).cache
    cache.parent.mkdir(parents=True)
    with FileLock(cache.with_suffix(".lock")):  # it waits for this, as for another command's set-up
        process = command.start("compare", first, second, *CASES)
        deadline = time.monotonic() + 60
        while not (pid := "".join(path.read_text() for path in cache.parent.glob("a-*/pid"))):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        began = psutil.Process(int(pid))
        process.send_signal(signal.SIGINT)
        psutil.wait_procs([began], timeout=60)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert ours(command.folder) == []


@pytest.mark.parametrize(
    ("module", "fault", "more", "begun"),
    [
        ("session", "", 'setup = [["sh", "-c", "echo $$ > $0/pid; exec sleep 600", "{cache}"]]', "cache/*/*/pid"),
        ("parallel", "never-answers-close", "", "run/results.jsonl"),
    ],
)
def test_an_interruption_while_others_are_still_being_begun_ends_what_has(
    command: Command, module: str, fault: str, more: str, begun: str
):
    names = [write(command.folder, name, ECHO, fault, more=more) for name in ("a", "b")]
    interrupted = f"""if True:
        import os, signal, time
        from pathlib import Path
        from harness import cli, {module}

        class Pool({module}.ThreadPoolExecutor):
            def submit(self, *work):
                super().submit(*work)
                while not any(path.read_text() for path in Path().glob({begun!r})):
                    time.sleep(0.01)
                os.kill(os.getpid(), signal.SIGINT)

        {module}.ThreadPoolExecutor = Pool
        cli.main()
        """
    cases = ("--cases", "1.*", "--cases", "6.*", "--jobs", "1")
    done = command.changed(interrupted, "compare", *names, *cases, "--output", "run")
    assert done.returncode == 130, done.stderr
    assert ours(command.folder) == []


@pytest.mark.parametrize(("what", "observed"), [("spawn", 0), ("stop", 1)])
def test_an_interruption_while_a_server_is_started_or_stopped_leaves_nothing(
    command: Command, what: str, observed: int
):
    interrupted = f"""if True:
        import os, signal
        from harness import cli, processes

        def interrupted(*arguments, does=processes.{what}, **more):
            processes.{what} = does
            if {what!r} == "spawn":
                does(*arguments, **more)
            os.kill(os.getpid(), signal.SIGINT)

        processes.{what} = interrupted
        cli.main()
        """
    done = command.changed(interrupted, "run", write(command.folder, "a", ECHO), "--cases", "1.1.1", "--output", "run")
    assert done.returncode == 130, done.stderr
    assert [target.observed for target in read_run(command.folder / "run").targets] == [observed]
    assert ours(command.folder) == []


def started_with_long_to_go(command: Command) -> subprocess.Popen[str]:
    """A comparison that takes five minutes and has its first verdict."""
    names = [write(command.folder, name, ECHO, "never-answers-close") for name in ("a", "b")]
    process = command.start("compare", *names, "--cases", "1.*", "--cases", "6.*", "--jobs", "1", "--output", "run")
    results = command.folder / "run" / "results.jsonl"
    deadline = time.monotonic() + 60
    while not (results.exists() and results.read_text()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return process


def test_a_second_interruption_does_not_keep_the_first_from_ending_what_runs(command: Command):
    process = started_with_long_to_go(command)
    for _ in range(5):
        process.send_signal(signal.SIGINT)
        time.sleep(0.003)  # or they count as one
    _, said = process.communicate(timeout=30)  # the cases would take five minutes
    assert process.returncode == 130, said
    assert ours(command.folder) == []


def test_a_killed_comparison_takes_workers_with_it_that_have_long_to_go(command: Command):
    process = started_with_long_to_go(command)
    began = time.monotonic()
    process.kill()
    process.communicate(timeout=60)
    psutil.wait_procs(ours(command.folder), timeout=20)
    assert ours(command.folder) == []
    assert time.monotonic() - began < 20  # of minutes that they have work for
