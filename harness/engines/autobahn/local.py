"""The fuzzingclient as a local `wstest` (Python 2.7)."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil

from harness import processes
from harness.endpoint import Endpoint
from harness.engines.autobahn import Monitor, write_spec
from harness.errors import CannotRunError
from harness.text import last_lines

_MEMORY_LIMIT = 4 << 30
_POLL_S = 0.02


def find(explicit: str | None) -> Path | None:
    """The wstest to use: the one named (`--wstest`, WSTEST), else the one on PATH, else none."""
    named = explicit or os.environ.get("WSTEST")
    found = shutil.which(named or "wstest")
    if named and not found:
        raise CannotRunError(f"no wstest at {named!r}: --wstest (or WSTEST) names an executable file")
    return Path(found) if found else None


class LocalWstest:
    """Runs `wstest` as a process."""

    listen_host = "127.0.0.1"
    on_host = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self.version = _version(path)

    def url(self, endpoint: Endpoint) -> str:
        """As it is: wstest sees what we see."""
        return endpoint.url

    def run(self, spec: dict[str, Any], endpoint: Endpoint, folder: Path, monitor: Monitor) -> str:
        """Run it to its end, its output folder being `folder`."""
        del endpoint
        folder = folder.resolve()  # wstest runs in it
        file = folder / "fuzzingclient.json"
        file.write_text(write_spec(spec, str(folder)), encoding="utf-8")
        process, output = processes.spawn(
            [str(self._path), "--mode", "fuzzingclient", "--spec", str(file)],
            environment={**os.environ, "PYTHONUNBUFFERED": "1"},
            log=folder / "wstest.log",
            folder=folder,
            on_output=monitor.feed,
        )
        with contextlib.suppress(AttributeError, psutil.Error):  # Linux only
            psutil.Process(process.pid).rlimit(psutil.RLIMIT_AS, (_MEMORY_LIMIT, _MEMORY_LIMIT))
        reason = None
        try:
            while process.poll() is None and (reason := monitor.give_up()) is None:
                time.sleep(_POLL_S)
        finally:
            processes.stop(process, 0)
            output.end()
        if reason is None and process.returncode != 0:
            reason = f"wstest ended with {processes.describe_exit(process.returncode)}: {last_lines(output.tail(), 1)}"
        return reason or ""


def _version(path: Path) -> str:
    """The version that `wstest -a` prints; CannotRunError if this is no wstest that works."""
    try:
        done = subprocess.run([path, "-a"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotRunError(f"{path} does not work: {error}") from error
    if match := re.search(r"AutobahnTestSuite (\S+)", done.stdout + done.stderr):
        return match[1]
    raise CannotRunError(
        f"{path} is no wstest that works (it does not tell its version): {last_lines(done.stdout + done.stderr, 1)}"
    )
