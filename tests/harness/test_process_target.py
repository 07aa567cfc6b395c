"""Implementations as local processes."""

import socket
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from harness import handshake
from harness.errors import TargetError
from harness.manifest import load
from harness.targets import process
from harness.targets.process import ProcessTarget
from tests.support import eventually


def test_who_answers_in_the_place_of_our_server_is_not_judged(
    implementation: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    other = ProcessTarget(load(str(implementation("other"))), tmp_path / "other.log")
    port = other.start().port
    monkeypatch.setattr(process, "free_port", lambda _: port)
    ours = ProcessTarget(load(str(implementation("ours", fault="elsewhere"))), tmp_path / "ours.log")
    with pytest.raises(TargetError, match=rf"ours did not start: it listens on port \d+, not on PORT={port}"):
        ours.start()
    other.stop()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_process_listens_where_psutil_says_so_and_not_where_it_is_connected(address: str):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection((address, port)) as client:
            us = psutil.Process()
            ports = set(process._listening([us]))
            assert port in ports
            assert client.getsockname()[1] not in ports
            assert ports == {c.laddr.port for c in us.net_connections("tcp") if c.status == psutil.CONN_LISTEN}
    assert port not in set(process._listening([us]))


def test_a_server_that_finds_its_port_taken_is_told_from_the_one_that_took_it(
    implementation: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    other = ProcessTarget(load(str(implementation("other"))), tmp_path / "other.log")
    port = other.start().port
    monkeypatch.setattr(process, "free_port", lambda _: port)
    ours = ProcessTarget(load(str(implementation("ours"))), tmp_path / "ours.log")
    with pytest.raises(TargetError, match="ours did not start: it ended with exit status 1") as caught:
        ours.start()
    assert "Address already in use" in caught.value.details
    other.stop()


def test_the_way_it_ended_is_the_problem(implementation: Callable[..., Path], tmp_path: Path):
    target = ProcessTarget(load(str(implementation(fault="die-after 1"))), tmp_path / "log")
    target.start()
    assert target.problem() == "it ended with killed by SIGSEGV"
    target.stop()


@pytest.mark.parametrize(
    ("fault", "problem"), [("busy-after 1 2", None), ("hang-after 1", "it did not answer the opening handshake within")]
)
def test_one_that_is_busy_with_what_came_before_has_more_time_to_answer_than_one_that_does_nothing(
    implementation: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    problem: str | None,
):
    monkeypatch.setattr(process, "check_again", lambda endpoint, _: handshake.check(endpoint, 0.7))
    monkeypatch.setattr(process, "_AT_WORK_S", 0.3)
    target = ProcessTarget(load(str(implementation(fault=fault))), tmp_path / "log")
    target.start()
    began = time.monotonic()
    assert str(target.problem()).startswith(str(problem))
    assert problem is None or time.monotonic() - began < 20  # not for as long as one that works
    target.stop()


def test_what_a_server_leaves_in_its_temporary_folder_goes_with_it_also_after_a_kill(
    implementation: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("WSCONFORM_CACHE", str(tmp_path / "cache"))
    with subprocess.Popen(["true"]) as ended:
        pass
    left = tmp_path / "cache" / "tmp" / f"{ended.pid}.of-a-harness-that-was-killed"
    left.mkdir(parents=True)
    target = ProcessTarget(load(str(implementation(fault="litter"))), tmp_path / "log")
    target.start()
    (folder,) = left.parent.iterdir()
    assert (left.exists(), len(list(folder.iterdir()))) == (False, 1)
    target.stop()
    assert list(left.parent.iterdir()) == []


def test_who_waits_for_one_to_be_ready_gives_up_when_another_thread_stops_it(
    implementation: Callable[..., Path], tmp_path: Path
):
    target = ProcessTarget(load(str(implementation(fault="deaf"))), tmp_path / "log")
    with ThreadPoolExecutor(1) as pool:
        started = pool.submit(target.start)
        assert eventually(lambda: target._guard is not None)
        target.stop()
        with pytest.raises(TargetError, match="did not start: it is not running"):
            started.result(20)  # of the 30 s that it has


def test_it_does_not_inherit_settings_that_would_change_it(
    implementation: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FAULT", "exit")  # the manifest's own value wins
    monkeypatch.setenv("PORT", "1")
    monkeypatch.setenv("MAX_FRAME_SIZE", "1")
    target = ProcessTarget(load(str(implementation())), tmp_path / "log")
    assert target.start().port != 1
    assert "MAX_FRAME_SIZE" not in process._inherited()
    target.stop()


def test_a_set_up_that_fails_is_told_with_its_last_lines(
    implementation: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("WSCONFORM_CACHE", str(tmp_path / "cache"))
    folder = implementation()
    manifest = folder / "implementation.toml"
    setup = '[local]\nsetup = [["sh", "-c", "echo no such package; exit 7"]]'
    manifest.write_text(manifest.read_text().replace("[local]", setup))
    with pytest.raises(TargetError, match=r"set-up command `sh -c .*` failed \(exit status 7\)") as caught:
        ProcessTarget(load(str(folder)), tmp_path / "log").start()
    assert caught.value.details == "no such package"


def test_what_is_missing_on_path_is_named(implementation: Callable[..., Path], tmp_path: Path):
    folder = implementation()
    manifest = folder / "implementation.toml"
    manifest.write_text(manifest.read_text().replace("[local]", '[local]\nrequires = ["no-such-program"]'))
    with pytest.raises(TargetError, match="needs no-such-program: install it, or --container"):
        ProcessTarget(load(str(folder)), tmp_path / "log").start()


def test_set_up_is_done_once(implementation: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WSCONFORM_CACHE", str(tmp_path / "cache"))
    folder = implementation()
    manifest = folder / "implementation.toml"
    setup = f'[local]\nsetup = [["sh", "-c", "echo once >> {tmp_path}/count"]]'
    manifest.write_text(manifest.read_text().replace("[local]", setup))
    for _ in range(2):
        target = ProcessTarget(load(str(folder)), tmp_path / "log")
        target.start()
        target.stop()
    assert (tmp_path / "count").read_text() == "once\n"
