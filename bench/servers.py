"""The servers that are measured, and the implementations that they are."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from harness import manifest
from harness.endpoint import Endpoint
from harness.errors import TargetError
from harness.manifest import Source
from harness.targets.process import ProcessTarget

REFERENCE = "refimpl"
_OWN = Path(__file__).resolve().parent / "implementations"
#: Those of the benchmark's own folder are given by path; all others are of the project's `implementations/`.
DEFAULT = (REFERENCE, "python-websockets", "python-websockets-threading", "aiohttp", "picows")


@dataclass(frozen=True)
class Running:
    """A server that runs: where, and what it has used of the processors."""

    name: str
    version: str
    endpoint: Endpoint
    cpu_seconds: Callable[[], float]


class MeasuredTarget(ProcessTarget):
    """A local process whose processor time can be asked for."""

    def cpu_seconds(self) -> Callable[[], float]:
        """A function that returns user and system time of the process and of what it has started by now, so far."""
        if self._process is None:
            raise TargetError(f"{self.name}: it does not run")
        root = psutil.Process(self._process.pid)
        tree = [root, *root.children(recursive=True)]

        def total() -> float:
            seconds = 0.0
            for process in tree:
                # One that has ended: the run fails for a better reason than this one.
                with contextlib.suppress(psutil.Error):
                    times = process.cpu_times()
                    seconds += times.user + times.system
            return seconds

        return total


def load(name: str) -> Source:
    """The manifest of a server by its name, or by a path with a slash, with keep-alive pings off."""
    own = "/" not in name and (_OWN / name / manifest.MANIFEST).is_file()
    source = manifest.load(f"{_OWN}/{name}" if own else name)
    # A ping among the echoes would be counted as one; where a run is short none would come anyway.
    environment = source.manifest.environment | {"PING_INTERVAL": "0"}
    return source._replace(manifest=source.manifest.model_copy(update={"environment": environment}))


@contextlib.contextmanager
def running(sources: Sequence[Source], logs: Path, say: Callable[[str], None]) -> Iterator[list[Running]]:
    """All that can be started, in the given order; what cannot is told and left out. All are stopped at the end."""
    logs.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        started = []
        for source in sources:
            log = logs / f"{source.manifest.name}.log"
            log.unlink(missing_ok=True)
            target = MeasuredTarget(source, log, say=say)
            stack.callback(target.stop)
            try:
                endpoint = target.start()
            except TargetError as error:
                say("\n    ".join([f"left out: {error.message}", *error.details.splitlines()]))
                continue
            started.append(Running(target.name, source.manifest.version, endpoint, target.cpu_seconds()))
        yield started
