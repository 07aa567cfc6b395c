"""The real wstest 25.10.1 against real servers: locally, in its container, and with servers in containers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness import containers, manifest
from harness.journal import read_results, read_run
from harness.results import Outcome, Result, matches
from harness.targets.process import ProcessTarget
from tests.support import Command

if TYPE_CHECKING:
    from docker import DockerClient

# In one file, so that one worker runs them all (`--dist loadfile`): they look at all containers of ours.
pytestmark = pytest.mark.timeout(420)
EVERY = ["--exclude", "12.*", "--exclude", "13.*"]


@pytest.fixture
def local(tmp_path: Path, real_wstest: Path) -> Command:
    """The command with the real wstest as a process."""
    return Command(tmp_path, real_wstest)


@pytest.fixture
def contained(tmp_path: Path, docker_client: DockerClient) -> Iterator[Command]:
    """The command with the Autobahn image and no wstest."""
    command = Command(tmp_path)
    command.environment["PATH"] = os.pathsep.join(
        folder for folder in os.environ["PATH"].split(os.pathsep) if not (Path(folder) / "wstest").exists()
    )
    yield command
    assert leftovers(docker_client) == []


def leftovers(client: DockerClient) -> list[str]:
    """Containers and networks of ours."""
    ours: dict[str, str | list[str] | bool] = {"label": containers.OWNER_LABEL}
    found = client.containers.list(all=True, filters=ours, ignore_removed=True) + client.networks.list(filters=ours)
    return [str(one.name) for one in found]


def results(command: Command) -> dict[tuple[str, str], Result]:
    return {(r.target, r.case): r for r in read_results(command.folder / "build" / "latest")}


def counts(command: Command) -> dict[Outcome, int]:
    outcomes = [r.outcome for r in results(command).values()]
    return {outcome: outcomes.count(outcome) for outcome in set(outcomes)}


ALL_517 = {Outcome.PASSED: 298, Outcome.INFORMATIONAL: 3, Outcome.UNIMPLEMENTED: 216}


@pytest.mark.autobahn
def test_refimpl_passes_all_517_with_a_local_wstest(local: Command):
    done = local("run", "refimpl")
    assert done.returncode == 0, done.stdout + done.stderr
    assert counts(local) == ALL_517


@pytest.mark.docker
def test_refimpl_passes_all_517_with_wstest_in_its_container(contained: Command):
    done = contained("run", "refimpl")
    assert done.returncode == 0, done.stdout + done.stderr
    assert counts(contained) == ALL_517
    owners = {path.stat().st_uid for path in (contained.folder / "build").rglob("*")}
    assert owners == {os.getuid()}


@pytest.mark.docker
@pytest.mark.slow
def test_refimpl_in_a_container_passes_as_it_does_as_a_process(contained: Command):
    done = contained("run", "refimpl", "--container", *EVERY)
    assert done.returncode == 0, done.stdout + done.stderr
    assert counts(contained) == {Outcome.PASSED: 298, Outcome.INFORMATIONAL: 3}
    assert read_run(contained.folder / "build" / "latest").targets[0].started_as == "container"


@pytest.mark.docker
@pytest.mark.autobahn
def test_a_local_wstest_reaches_a_server_in_a_container(local: Command, docker_client: DockerClient):
    done = local("run", "refimpl", "--container", "--cases", "1.*")
    assert done.returncode == 0, done.stdout + done.stderr
    assert leftovers(docker_client) == []


@pytest.mark.docker
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_localhost_is_this_host_also_from_inside_the_container(contained: Command, host: str, tmp_path: Path):
    target = ProcessTarget(manifest.load("refimpl"), tmp_path / "log")
    try:
        url = f"ws://{host}:{target.start().port}"
        done = contained("run", url, "--cases", "1.1.*")
    finally:
        target.stop()
    assert (done.returncode, f"{url}  8 of 8 cases: 8 passed" in done.stdout) == (0, True), done.stderr


@pytest.mark.slow
@pytest.mark.autobahn
def test_the_defaults_of_the_seed_fail_just_what_the_manifest_says(local: Command):
    done = local("run", "refimpl-defaults", *EVERY)
    assert done.returncode == 0, done.stdout + done.stderr
    deviations = manifest.load("refimpl-defaults").manifest.deviations
    failing = {r.case for r in results(local).values() if r.outcome is Outcome.FAILED}
    assert failing == {case for (_, case) in results(local) if any(d.covers(case) for d in deviations)}
    assert any(matches(pattern, "2.1") for deviation in deviations for pattern in deviation.cases)


@pytest.mark.slow
@pytest.mark.autobahn
def test_the_verdicts_are_those_of_a_wstest_started_by_hand(local: Command, real_wstest: Path, tmp_path: Path):
    patterns = ["2.*", "4.*", "5.*", "7.*", "9.1.*", "12.1.1"]
    target = ProcessTarget(manifest.load("refimpl-defaults"), tmp_path / "log")
    outdir = tmp_path / "by-hand"
    try:
        spec = {"outdir": str(outdir), "servers": [{"agent": "x", "url": target.start().url}], "cases": patterns}
        (tmp_path / "spec.json").write_text(json.dumps(spec | {"exclude-cases": [], "exclude-agent-cases": {}}))
        subprocess.run(
            [real_wstest, "--mode", "fuzzingclient", "--spec", tmp_path / "spec.json"],
            check=True, timeout=200, capture_output=True, cwd=tmp_path,
        )  # fmt: skip
    finally:
        target.stop()
    by_hand = {
        case: (verdict["behavior"], verdict["behaviorClose"], verdict["remoteCloseCode"])
        for case, verdict in json.loads((outdir / "index.json").read_text())["x"].items()
    }
    local("run", "refimpl-defaults", *[word for pattern in patterns for word in ("--cases", pattern)])
    ours = {r.case: (r.behavior, r.behavior_close, r.remote_close_code) for r in results(local).values()}
    assert len(ours) == 85
    assert ours == by_hand
    imported = local("import", str(outdir), "--target", "refimpl-defaults", "--cases", "2.*", "--cases", "99.*")
    assert imported.returncode == 2
    imported = local("import", str(outdir), "--target", "refimpl-defaults", "--cases", "2.*", "--cases", "3.*")
    assert (imported.returncode, "lost 7: 3.1" in imported.stdout) == (4, True)
    imported = local("import", str(outdir), "--target", "refimpl-defaults", "--cases", "2.*", "--output", "there")
    assert (imported.returncode, "11 of 11 cases" in imported.stdout) == (0, True), imported.stdout


@pytest.mark.docker
def test_an_image_that_can_not_be_had_exits_3_with_one_line(contained: Command):
    done = contained("run", "refimpl", "--autobahn-image", "localhost:1/no/such:image")
    assert done.returncode == 3
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("wsconform: ")]
    assert line.startswith("wsconform: cannot pull the image localhost:1/no/such:image (`docker load` it")


@pytest.mark.docker
def test_after_a_kill_the_next_start_removes_the_containers(contained: Command, docker_client: DockerClient):
    running = contained.start("run", "refimpl", "--container", "--cases", "6.4.*")
    deadline = time.monotonic() + 120
    while len(leftovers(docker_client)) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    # they outlive a kill -9, until any harness starts: this one, or one of a test that runs beside this
    done = contained("run", "refimpl", "--cases", "1.1.1")
    assert done.returncode == 0
    assert leftovers(docker_client) == []


@pytest.mark.docker
def test_an_interruption_while_a_network_is_made_removes_it(contained: Command, docker_client: DockerClient):
    interrupted = """if True:
        import os, signal
        from harness import cli, containers

        def interrupted(*arguments, does=containers.private_network, **more):
            does(*arguments, **more)
            os.kill(os.getpid(), signal.SIGINT)

        containers.private_network = interrupted
        cli.main()
        """
    done = contained.changed(interrupted, "run", "refimpl", "--container", "--cases", "1.1.1")
    assert done.returncode == 130, done.stderr
    assert leftovers(docker_client) == []


@pytest.mark.docker
def test_an_interruption_removes_the_containers(contained: Command, docker_client: DockerClient):
    running = contained.start("run", "refimpl", "--container", "--cases", "6.4.*")
    deadline = time.monotonic() + 120
    while len(leftovers(docker_client)) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=60)
    assert running.returncode == 130
