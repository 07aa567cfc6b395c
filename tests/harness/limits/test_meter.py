"""What a server uses, measured on real processes."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.limits.meter import CgroupMeter, ProcessMeter, Recording

MIB = 1 << 20
#: Does a step for every line that it reads, and says so.
SERVER = """
import subprocess, sys, time
child = None
for line in sys.stdin:
    step, _, argument = line.strip().partition(" ")
    if step == "grow":
        held = bytearray(b"x" * int(argument))
    elif step == "shrink":
        held = b""
    elif step == "burn":
        end = time.process_time() + float(argument)
        while time.process_time() < end: pass
    elif step == "open":
        files = [open(sys.executable, "rb") for _ in range(int(argument))]
    elif step == "child":
        code = "x = bytearray(b'x' * (40 << 20)); print(1, flush=True); input()"
        child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        child.stdout.readline()
    print("done", flush=True)
if child: child.communicate(b"\\n")
"""
Do = Callable[[str], None]


@pytest.fixture
def server() -> Iterator[tuple[int, Do]]:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def do(step: str) -> None:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(step + "\n")
            process.stdin.flush()
            assert process.stdout.readline() == "done\n"

        do("nothing")
        yield process.pid, do
        process.communicate()


def test_a_peak_that_has_gone_again_is_seen(server: tuple[int, Do]):
    pid, do = server
    recording = Recording(ProcessMeter(pid))
    do(f"grow {40 * MIB}")
    do("shrink")
    recording.end()
    assert 35 * MIB < recording.highest - recording.idle < 90 * MIB  # b"x" * n and its copy


def test_a_peak_from_before_does_not_count(server: tuple[int, Do]):
    pid, do = server
    do(f"grow {40 * MIB}")
    do("shrink")
    recording = Recording(ProcessMeter(pid))
    recording.end()
    assert recording.highest - recording.idle < 4 * MIB


def test_children_count(server: tuple[int, Do]):
    pid, do = server
    before = ProcessMeter(pid).memory()
    do("child")
    assert ProcessMeter(pid).memory() - before > 40 * MIB


def test_processor_time_and_descriptors_are_counted(server: tuple[int, Do]):
    pid, do = server
    meter = ProcessMeter(pid)
    cpu, descriptors = meter.cpu_seconds(), meter.descriptors()
    do("burn 0.3")
    do("open 5")
    assert 0.25 < meter.cpu_seconds() - cpu < 2
    assert descriptors is not None
    assert meter.descriptors() == descriptors + 5


def connection(host: str, port: int = 0) -> tuple[socket.socket, socket.socket]:
    """Both ends of one from that port, the client's first."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listening:
        client = socket.socket(family)
        client.bind((host, port))
        client.connect(listening.getsockname())
        return client, listening.accept()[0]


def test_what_a_server_has_not_read_is_seen():
    meter = ProcessMeter(os.getpid())
    client, server = connection("127.0.0.1")
    port = client.getsockname()[1]
    server.close()  # the first to close is in TIME_WAIT for a minute, and that is not the connection that is meant
    client.close()
    assert meter.unread(port) is None
    for host in ("127.0.0.1", "::1"):
        client, server = connection(host, port)
        with client, server:
            assert meter.unread(port) == 0
            client.sendall(b"x" * 1000)
            assert select.select([server], [], [], 5)[0]
            assert meter.unread(port) == 1000
            server.recv(400)
            assert meter.unread(port) == 600


def test_the_course_of_memory_has_at_most_sixty_points(server: tuple[int, Do]):
    pid, do = server
    recording = Recording(ProcessMeter(pid))
    do("burn 1.5")
    recording.end()
    points = recording.points
    assert 20 < len(points) <= 60
    assert points == sorted(points)


def test_a_process_that_has_ended_uses_nothing_more():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        meter = ProcessMeter(process.pid)
        recording = Recording(meter)
        process.communicate(b"\n")
    recording.end()
    assert meter.memory() == 0
    assert recording.highest >= recording.idle > 0


def test_a_container_is_measured_by_its_cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: tuple[int, Do]):
    (tmp_path / "memory.current").write_text("1234567\n", encoding="ascii")
    monkeypatch.setattr("harness.limits.meter._memory_cgroup", lambda _pid: (tmp_path, True))
    meter = CgroupMeter(server[0])
    meter.forget_peak()
    assert (meter.memory(), meter.peak()) == (1234567, None)
    monkeypatch.setattr("harness.limits.meter._memory_cgroup", lambda _pid: (tmp_path, False))
    (tmp_path / "memory.usage_in_bytes").write_text("7654321\n", encoding="ascii")
    meter = CgroupMeter(server[0])
    meter.forget_peak()
    assert (meter.memory(), meter.peak()) == (7654321, 0)
    assert meter.cpu_seconds() >= 0
