"""What a server uses: memory, processor time, file descriptors. Of a process tree, or of a container by its cgroup."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path
from typing import Protocol

import psutil

#: How often memory is looked at, in seconds; a true peak comes from the kernel where it keeps one.
_EVERY_S = 0.02
#: Asking for the children of a process looks at all processes that there are, so it is done less often.
_CHILDREN_EVERY_S = 0.25
_POINTS = 60
#: The state of a connection that has not ended (Linux: include/net/tcp_states.h).
_ESTABLISHED = 1


class Meter(Protocol):
    """Looks at a running server."""

    def memory(self) -> int:
        """Octets now."""

    def forget_peak(self) -> None:
        """Let the peak count from now on, where the kernel can do that."""

    def peak(self) -> int | None:
        """The most since `forget_peak`, if the kernel keeps it."""

    def cpu_seconds(self) -> float:
        """User and system time so far."""

    def descriptors(self) -> int | None:
        """Open file descriptors, if that can be seen."""

    def unread(self, port: int) -> int | None:
        """Octets that came from this TCP port and that the server has not read, if that can be seen."""


class ProcessMeter:
    """A process and its descendants: resident memory."""

    def __init__(self, pid: int, children_every: float = _CHILDREN_EVERY_S) -> None:
        self._root = psutil.Process(pid)
        self._children_every = children_every
        self._tree: list[psutil.Process] = []
        self._looked = float("-inf")

    def _processes(self) -> list[psutil.Process]:
        now = time.monotonic()
        if now - self._looked >= self._children_every:
            self._looked = now
            with contextlib.suppress(psutil.Error):
                self._tree = [self._root, *self._root.children(recursive=True)]
        return self._tree

    def memory(self) -> int:
        """Resident memory of them all now."""
        total = 0
        for process in self._processes():
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
        return total

    def forget_peak(self) -> None:
        """Linux: 5 to clear_refs sets the peak to what is resident now (proc(5))."""
        for process in self._processes():
            with contextlib.suppress(OSError):
                Path(f"/proc/{process.pid}/clear_refs").write_text("5", encoding="ascii")

    def peak(self) -> int | None:
        """The kernel's peak; of several processes none is known, for theirs were at different times."""
        tree = self._processes()
        if len(tree) != 1:
            return None
        with contextlib.suppress(OSError, ValueError, StopIteration):
            status = Path(f"/proc/{tree[0].pid}/status").read_text(encoding="utf-8", errors="replace")
            line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
            return int(line.split()[1]) * 1024
        return None

    def cpu_seconds(self) -> float:
        """User and system time of them all, and of children that have ended."""
        total = 0.0
        for process in self._processes():
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system
                if process.pid == self._root.pid:
                    total += times.children_user + times.children_system
        return total

    def descriptors(self) -> int | None:
        """Open file descriptors of them all."""
        total = 0
        for process in self._processes():
            try:
                total += process.num_fds()
            except (psutil.Error, AttributeError):  # AttributeError: Windows has none
                return None
        return total

    def unread(self, port: int) -> int | None:
        """The receive queue of its connection with that port (Linux: Documentation/networking/proc_net_tcp.rst)."""
        queues: list[int] = []
        for table in ("tcp", "tcp6"):
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{self._root.pid}/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
                    _, _, remote, state, sizes, *_ = line.split()
                    if int(state, 16) == _ESTABLISHED and int(remote.rpartition(":")[2], 16) == port:
                        queues.append(int(sizes.rpartition(":")[2], 16))
        return max(queues, default=None)


class CgroupMeter:
    """A container, by the cgroup of its first process (version 2, or 1)."""

    def __init__(self, pid: int) -> None:
        self._folder, self._v2 = _memory_cgroup(pid)
        self._tree = ProcessMeter(pid)

    def _read(self, name: str) -> int | None:
        with contextlib.suppress(OSError, ValueError):
            return int((self._folder / name).read_text(encoding="ascii"))
        return None

    def memory(self) -> int:
        """All that the kernel charges to it, the page cache and the buffers of its sockets included."""
        return self._read("memory.current" if self._v2 else "memory.usage_in_bytes") or self._tree.memory()

    def forget_peak(self) -> None:
        """Version 1 takes any write to its peak; version 2 keeps one for who holds the file open, since Linux 6.12."""
        if not self._v2:
            with contextlib.suppress(OSError):
                (self._folder / "memory.max_usage_in_bytes").write_text("0", encoding="ascii")

    def peak(self) -> int | None:
        """The kernel's peak where it can be reset; else what was seen has to do."""
        return None if self._v2 else self._read("memory.max_usage_in_bytes")

    def cpu_seconds(self) -> float:
        """User and system time of its processes."""
        return self._tree.cpu_seconds()

    def descriptors(self) -> int | None:
        """Open file descriptors of its processes, where we may see them."""
        return self._tree.descriptors()

    def unread(self, port: int) -> int | None:
        """In its network, which its first process is in."""
        return self._tree.unread(port)


def _memory_cgroup(pid: int) -> tuple[Path, bool]:
    """The cgroup folder that accounts for a process's memory, and whether it is of version 2; OSError if none is."""
    root = Path("/sys/fs/cgroup")
    for line in Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8").splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return root / "memory" / path.lstrip("/"), False
        if not controllers and (root / path.lstrip("/") / "memory.current").exists():
            return root / path.lstrip("/"), True
    raise FileNotFoundError(f"no cgroup accounts for the memory of process {pid}")


class Recording:
    """Memory over time, sampled in a thread of its own, from `begin` to `end`."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._samples: list[tuple[float, int]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="memory", daemon=True)
        meter.forget_peak()
        self.idle = meter.memory()
        self._cpu = meter.cpu_seconds()
        self._began = time.monotonic()
        self.highest = self.idle
        self.cpu_seconds = 0.0
        self._thread.start()

    def _sample(self) -> None:
        while not self._stop.wait(_EVERY_S):
            self._take()

    def _take(self) -> None:
        memory = self._meter.memory()
        self.highest = max(self.highest, memory)
        self._samples.append((time.monotonic() - self._began, memory))

    def end(self) -> None:
        """Stop sampling; a last look."""
        self._stop.set()
        self._thread.join()
        self._take()
        self.highest = max(self.highest, self._meter.peak() or 0)
        self.cpu_seconds = max(0.0, self._meter.cpu_seconds() - self._cpu)

    @property
    def points(self) -> list[tuple[int, int]]:
        """(milliseconds, octets), at most 60, of each stretch of time the highest."""
        size = max(1, -(-len(self._samples) // _POINTS))
        parts = [self._samples[start : start + size] for start in range(0, len(self._samples), size)]
        return [(round(at * 1000), memory) for at, memory in (max(part, key=lambda one: one[1]) for part in parts)]
