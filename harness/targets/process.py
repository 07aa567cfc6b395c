"""An implementation as a local process."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import psutil
from filelock import FileLock

from harness import processes
from harness.endpoint import Endpoint
from harness.errors import CannotRunError, TargetError
from harness.handshake import check_again, wait_until_ready
from harness.limits.meter import ProcessMeter
from harness.limits.settings import ORIGIN
from harness.manifest import CONTRACT_VARIABLES, Local, Source, cache_folder
from harness.targets.guard import Guard, Usage, together
from harness.text import last_lines

SETUP_LIMIT_S = 1800
_PORT_TRIES = 3
#: Processor time within the wait for an answer, in seconds, with which it counts as being at work.
_AT_WORK_S = 1.0
_setting_up: set[processes.Program] = set()


def set_up(source: Source, say: Callable[[str], None]) -> bool:
    """Run the manifest's set-up commands in its cache folder, once, and tell whether that was now.

    TargetError says which one failed.
    """
    if reason := source.unavailable():
        raise TargetError(f"{source.name}: {reason}")
    cache = source.cache
    done = cache / ".set-up"
    if done.exists() or not source.setup:
        return False
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(cache.with_suffix(".lock")):
            if done.exists():
                return False
            shutil.rmtree(cache, ignore_errors=True)
            cache.mkdir()
            for command in source.setup:
                words = [source.expand(word) for word in command]
                say(f"setting up {source.name}: {Path(words[0]).name} …")
                _run_setup(source, words, cache.with_suffix(".log"))
            done.touch()
            return True
    except OSError as error:
        raise CannotRunError(
            f"cannot set up {source.name} in {cache}: {error.strerror}; WSCONFORM_CACHE names another folder"
        ) from error


def end_set_ups() -> None:
    """End the commands of set-ups that run in other threads: they fail there."""
    for process in list(_setting_up):
        process.terminate()


def _run_setup(source: Source, command: list[str], log: Path) -> None:
    log.unlink(missing_ok=True)
    process, output = processes.spawn(command, environment=_download_caches() | _inherited(), log=log)
    _setting_up.add(process)
    try:
        code = process.wait(SETUP_LIMIT_S)
    except subprocess.TimeoutExpired:
        code = None
    finally:
        _setting_up.discard(process)
        processes.stop(process, 0)
        output.end()
    if code != 0:
        how = f"did not end within {SETUP_LIMIT_S} s" if code is None else processes.describe_exit(code)
        raise TargetError(
            f"{source.name}: set-up command `{' '.join(command)}` failed ({how})",
            details=last_lines(output.tail()),
        )


def _local(source: Source) -> Local:
    if source.manifest.local is None:
        raise TargetError(f"{source.manifest.name}: its manifest has no [local] way; use --container")
    return source.manifest.local


def _inherited() -> dict[str, str]:
    """Our environment without what would change the server or its interpreter behind the manifest's back."""
    drop = {*CONTRACT_VARIABLES, "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "NODE_PATH", "NODE_OPTIONS"}
    return {name: value for name, value in os.environ.items() if name not in drop}


def _download_caches() -> dict[str, str]:
    """Where the tools that set-ups call keep what they have downloaded: in our cache, not in the user's."""
    downloads = cache_folder() / "downloads"
    names = {"PIP_CACHE_DIR": "pip", "npm_config_cache": "npm", "GOMODCACHE": "go", "GOCACHE": "go-build"}
    return {name: str(downloads / folder) for name, folder in names.items()} | {"GOFLAGS": "-modcacherw"}


def _temporary_folder() -> Path | None:
    """A folder in our cache for what a server puts into TMPDIR; those of a harness that was killed go now.

    Some leave there what they need while they run (R does, a folder for each start). None where it can't be made.
    """
    root = cache_folder() / "tmp"
    with contextlib.suppress(OSError):
        root.mkdir(parents=True, exist_ok=True)
        for folder in root.iterdir():
            owner = folder.name.partition(".")[0]
            if owner.isdecimal() and not psutil.pid_exists(int(owner)):
                shutil.rmtree(folder, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=f"{os.getpid()}.", dir=root))
    return None


def free_port(host: str) -> int:
    """A port that nobody listens on now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _listening(tree: Sequence[psutil.Process]) -> Iterator[int]:
    """The ports that these processes listen on.

    psutil would read all connections that there are, tens of thousands in TIME_WAIT after a flood. Linux lists those
    that listen before the others.
    """
    if not sys.platform.startswith("linux"):
        yield from (c.laddr.port for p in tree for c in p.net_connections("tcp") if c.status == psutil.CONN_LISTEN)
        return
    ports: dict[str, int] = {}
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(FileNotFoundError), Path("/proc/net", table).open(encoding="ascii") as lines:
            next(lines)
            for _, address, _, state, *_, inode in (line.split()[:10] for line in lines):
                if state != "0A":  # TCP_LISTEN
                    break
                ports[f"socket:[{inode}]"] = int(address.rpartition(":")[2], 16)
    for process in tree:
        with contextlib.suppress(OSError):
            for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
                with contextlib.suppress(OSError, KeyError):
                    yield ports[str(descriptor.readlink())]


def _guard(process: processes.Program) -> Guard | None:
    """A guard over a process; None where it has ended already."""

    def kill() -> None:
        for relative in process.family():
            with contextlib.suppress(psutil.Error):
                relative.kill()
        process.kill()

    try:
        return Guard(ProcessMeter(process.pid, children_every=1.0), kill)
    except psutil.Error:
        return None


class ProcessTarget:
    """An implementation started from its manifest's [local] table, on a free port."""

    started_as: Literal["process"] = "process"

    def __init__(
        self,
        source: Source,
        log: Path,
        *,
        host: str = "127.0.0.1",
        say: Callable[[str], None] = lambda _: None,
        given: Mapping[str, str] | None = None,
    ) -> None:
        self.name = source.name
        self.deflates = source.deflates
        self.limits = source.manifest.limits_by_name
        self._given = given or {}
        self._source = source
        self._log = log
        self._host = host
        self._say = say
        self._process: processes.Program | None = None
        self._guard: Guard | None = None
        self._used: list[Usage] = []
        self.ends_on_sigterm = True  #: whether SIGTERM was enough to end it, and all that it had started, the last time
        self._output: processes.OutputLog | None = None
        self._endpoint: Endpoint | None = None
        self._temporary: Path | None = None

    def start(self) -> Endpoint:
        """Start it and wait for a handshake. A port that another program took meanwhile is tried again elsewhere."""
        set_up(self._source, self._say)
        for attempt in range(1, _PORT_TRIES + 1):
            problem = self._start_once()
            if problem is None:
                assert self._endpoint is not None  # noqa: S101 - set by _start_once
                return self._endpoint
            output = self._output.tail() if self._output else ""
            self.stop()
            taken = "address already in use" in output.lower() or "EADDRINUSE" in output
            if not taken or attempt == _PORT_TRIES:
                break
        raise TargetError(f"{self.name} did not start: {problem}", details=last_lines(output))

    def _start_once(self) -> str | None:
        self.stop()
        local, manifest = _local(self._source), self._source.manifest
        port = free_port(self._host)
        values = {**manifest.environment, **local.environment}
        self._temporary = _temporary_folder()
        environment = _inherited() | ({"TMPDIR": str(self._temporary)} if self._temporary else {})
        environment |= {name: self._source.expand(value) for name, value in values.items()}
        environment |= {**manifest.environment_of(self._given), "HOST": self._host, "PORT": str(port)}
        command = [self._source.expand(word) for word in local.start]
        self._process, self._output = processes.spawn(command, environment=environment, log=self._log)
        self._guard = _guard(self._process)
        reachable = "127.0.0.1" if self._host == "0.0.0.0" else self._host  # noqa: S104 - compared, not bound
        self._endpoint = Endpoint(f"ws://{reachable}:{port}", origin=self._given.get(ORIGIN))
        return wait_until_ready(self._endpoint, self._gone, local.ready_within) or self._stranger(port)

    def _gone(self) -> str | None:
        process, output = self._process, self._output
        if process is None or output is None:
            return "it is not running"
        code = process.poll()
        if code is None:
            return None
        output.end()
        if self._guard and self._guard.verdict:
            return self._guard.verdict
        return f"it ended with {processes.describe_exit(code)}"

    def _stranger(self, port: int) -> str | None:
        """A reason if whoever answered is not our process: it ended over a taken port, or listens elsewhere.

        Where nothing in its tree listens, in two seconds, somebody does so for it (`docker run`, say): that is fine.
        """
        deadline = time.monotonic() + 2
        while (reason := self._gone()) is None and time.monotonic() < deadline:
            listening = self._listening()
            if port in listening:
                return None
            if listening:
                return f"it listens on port {min(listening)}, not on PORT={port}"
            time.sleep(0.02)
        return reason

    def _listening(self) -> set[int]:
        started = self._process
        if started is not None:
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(started.pid)
                return set(_listening([process, *process.children(recursive=True)]))
        return set()

    def problem(self) -> str | None:
        """None if a fresh connection works, else how the process ended or what is wrong with its answer."""
        if (reason := self._gone()) is not None or self._endpoint is None:
            return reason or "it was not started"
        before = self._worked()
        problem = check_again(self._endpoint, self._gone)
        if problem is not None and self._worked() - before > _AT_WORK_S and self._gone() is None:
            # it does not hang, but is at work on what came before, which takes long on a machine that is busy, too
            return wait_until_ready(self._endpoint, self._gone)
        return problem

    def _worked(self) -> float:
        return self._guard.usage.cpu_seconds if self._guard else 0.0

    def last_output(self) -> str:
        """The last line that it wrote."""
        return last_lines(self._output.tail(), 1) if self._output else ""

    def given(self, settings: Mapping[str, str], label: str) -> ProcessTarget:
        """Another process, with the environment that sets these limits."""
        log = self._log.with_name(f"{self._log.stem}.{label}.log")
        return ProcessTarget(self._source, log, host=self._host, say=self._say, given=settings)

    def meter(self) -> ProcessMeter | None:
        """Of the process and what it has started."""
        with contextlib.suppress(psutil.Error):
            return ProcessMeter(self._process.pid) if self._process else None
        return None

    def usage(self) -> Usage | None:
        """What it has used until it was stopped, all its starts together."""
        return together(self._used) if self._used else None

    def stop(self) -> None:
        """End it: SIGTERM, SIGKILL after 5 s. From any thread; one that is waiting for it to be ready gives up."""
        guard, self._guard = self._guard, None
        if guard is not None:
            self._used.append(guard.end())
        process, self._process = self._process, None
        if process is not None:
            self.ends_on_sigterm = processes.stop(process)
        if self._output is not None:
            self._output.end()
        temporary, self._temporary = self._temporary, None
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
