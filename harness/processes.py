"""Processes that never outlive us: each carries its owner's mark, and the next start ends those whose owner is gone."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import platform
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import psutil

from harness.errors import CannotRunError

#: In the environment of every process that we start, and so of what it starts itself: who its owner is.
OWNER_VARIABLE = "WSCONFORM_OWNER"
#: Beside it: which of its owner's programs it belongs to, also when it has made itself independent of that.
PROGRAM_VARIABLE = "WSCONFORM_PROGRAM"
_HEAD_LIMIT = 1 << 20
_TAIL_LIMIT = 64 << 10
#: How soon a signal is heard, in seconds, unless it came just before a wait that it does not end.
_HEARD_WITHIN_S = 0.05
_numbers = itertools.count(1)


@functools.cache
def _here() -> str:
    """This machine and process namespace: where a pid of ours means something."""
    with contextlib.suppress(OSError):
        return f"{platform.node()}/{Path('/proc/self/ns/pid').stat().st_ino}"
    return platform.node()


def owner_mark() -> str:
    """This process, so that a later one can tell whether it still lives: pid, start time, where."""
    return f"{os.getpid()}:{psutil.Process().create_time():.2f}@{_here()}"


def owner_lives(mark: str) -> bool:
    """Whether the process that wrote the mark still runs; one elsewhere (a container, say) is taken to."""
    owner, _, where = mark.partition("@")
    if where != _here():
        return True
    pid, _, started = owner.partition(":")
    try:
        # a minute's tolerance: start times move a little when the clock is set
        return abs(psutil.Process(int(pid)).create_time() - float(started)) < 60  # noqa: PLR2004
    except (psutil.Error, ValueError):
        return False


def sweep(*, ours: bool = False) -> int:
    """End processes that a killed harness left behind, or `ours` too; returns how many."""
    ended = 0
    # what an orphan owned is an orphan as well, once that one is gone
    while found := _end_orphans(owner_mark() if ours else None):
        ended += found
    return ended


def _end_orphans(owner: str | None) -> int:
    orphans = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            mark = process.environ().get(OWNER_VARIABLE)
            if mark and process.pid != os.getpid() and (mark == owner or not owner_lives(mark)):
                process.kill()
                orphans.append(process)
    psutil.wait_procs(orphans, timeout=5)
    return len(orphans)


def more_descriptors(wanted: int = 8192) -> None:
    """Raise the soft limit on open files as far as the hard one goes, for us and for the servers that we start."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 - Unix only

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft != resource.RLIM_INFINITY and soft < most:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


class OutputLog:
    """A program's output in a file: its first MiB and its last 64 KiB, whatever it writes."""

    def __init__(self, stream: IO[bytes], path: Path, on_output: Callable[[bytes], None] | None = None) -> None:
        self._path = path
        self._on_output = on_output
        self._stream = stream
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self._skipped = 0
        self._thread = threading.Thread(target=self._drain, name=f"output of {path.name}", daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        written = 0
        with contextlib.suppress(OSError), self._path.open("ab") as file:
            while chunk := os.read(self._stream.fileno(), 65536):
                if self._on_output:
                    self._on_output(chunk)
                if written < _HEAD_LIMIT:
                    file.write(chunk)
                    file.flush()
                    written += len(chunk)
                self._keep(chunk, counts_as_skipped=written >= _HEAD_LIMIT)
            if self._skipped:
                file.write(b"\n[... cut ...]\n" + b"".join(self._tail))
            if file.tell() == 0:
                self._path.unlink()
        self._stream.close()

    def _keep(self, chunk: bytes, *, counts_as_skipped: bool) -> None:
        self._tail.append(chunk)
        self._tail_size += len(chunk)
        self._skipped += len(chunk) if counts_as_skipped else 0
        while self._tail_size > _TAIL_LIMIT and len(self._tail) > 1:
            self._tail_size -= len(self._tail.popleft())

    def end(self) -> None:
        """Wait (5 s at most: a grandchild may hold the pipe) until all that was written is in the file."""
        self._thread.join(5)

    def tail(self) -> str:
        """The last of what the program wrote."""
        return b"".join(list(self._tail)).decode("utf-8", "replace")


class Program(subprocess.Popen[bytes]):
    """A started program, and the mark that it and whatever it starts carry in their environment."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path | None) -> None:
        self.mark = f"{os.getpid()}.{next(_numbers)}"
        super().__init__(
            command,
            env={**environment, OWNER_VARIABLE: owner_mark(), PROGRAM_VARIABLE: self.mark},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def family(self) -> list[psutil.Process]:
        """Its descendants, and what carries its mark although it has cut itself loose (a daemon, say)."""
        found: dict[int, psutil.Process] = {}
        with contextlib.suppress(psutil.Error):
            if self.poll() is None:  # else its number may be somebody else's by now
                found = {child.pid: child for child in psutil.Process(self.pid).children(recursive=True)}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get(PROGRAM_VARIABLE) == self.mark and process.pid != self.pid:
                    found[process.pid] = process
        return list(found.values())


def spawn(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    log: Path,
    folder: Path | None = None,
    on_output: Callable[[bytes], None] | None = None,
) -> tuple[Program, OutputLog]:
    """Start a marked process in a session of its own (so that Ctrl-C reaches us alone), its output going to `log`."""
    try:
        process = Program(command, environment, folder)
    except OSError as error:
        raise CannotRunError(f"cannot start {command[0]}: {error.strerror}") from error
    assert process.stdout is not None  # noqa: S101 - by stdout=PIPE
    return process, OutputLog(process.stdout, log, on_output)


def stop(process: Program, grace: float = 5.0) -> bool:
    """SIGTERM, then after `grace` seconds SIGKILL, to the process, its session and whatever it started.

    Returns whether SIGTERM was enough and nothing was left.
    """
    family = process.family() if process.poll() is None else []
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace)
    ended = process.poll() is not None
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    # again, for it may have started others as its last deed
    for relative in (*family, *process.family()):
        with contextlib.suppress(psutil.Error):
            relative.kill()
            ended = False
    process.wait()
    return ended


@contextlib.contextmanager
def interrupt_once(numbers: Iterable[signal.Signals]) -> Iterator[None]:
    """Let the first of these signals be a KeyboardInterrupt; later ones do not disturb what that began to end.

    What was to be ignored (under nohup, say) still is. For the main thread.
    """
    interrupted = False

    def interrupt(_number: int, _frame: object) -> None:
        nonlocal interrupted
        if not interrupted:
            interrupted = True
            raise KeyboardInterrupt

    def repeat() -> None:
        # A wait for a lock ends for a signal, but not for one that came just before it began: the interpreter has noted
        # that, and looks when the wait is over, in ten minutes perhaps. So it is sent again until it is heard.
        with os.fdopen(reader, "rb", buffering=0) as received:
            while number := received.read(1):
                while number[0] in heeded and not interrupted:
                    time.sleep(_HEARD_WITHIN_S)
                    if not interrupted:
                        signal.pthread_kill(waits, number[0])

    heeded = [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]
    waits = threading.get_ident()
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    threading.Thread(target=repeat, name="signals", daemon=True).start()
    with contextlib.ExitStack() as stack:
        for number in heeded:
            stack.callback(signal.signal, number, signal.signal(number, interrupt))
        stack.callback(os.close, writer)  # which ends the thread
        stack.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(writer, warn_on_full_buffer=False))
        yield


def describe_exit(code: int) -> str:
    """`exit status 3` or `killed by SIGSEGV`."""
    if code >= 0:
        return f"exit status {code}"
    with contextlib.suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"
