"""The real Autobahn Testsuite: its fuzzingclient in a container or as a local `wstest`, several at a time."""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import count
from pathlib import Path
from typing import Any, Protocol

from harness import selection
from harness.endpoint import Endpoint
from harness.engines import Batch, Job
from harness.engines.autobahn.output import read_output
from harness.results import Suite
from harness.text import printable

VERSION = "25.10.1"
_CASE_LINE = re.compile(r"Running test case ID (\S+) for agent ")
_FAILED_LINE = re.compile(r"Connection to \S+ failed \((.*)\)")
#: wstest goes on for ever after an error of its own, such as a disk that has no room for its reports.
_ERROR_LINE = re.compile(r"\s*exceptions\.((?:IO|OS|Memory)Error.*)")
_MAX_LINE = 1 << 16

#: Seconds without a new case after which a fuzzingclient is taken to be stuck: over the longest time limit of a
#: section's cases (fuzzingclient itself has none; it hangs for ever where it can't connect at some addresses).
_SILENCE_LIMITS_S = {"9.5.1": 1100, "9.6.1": 1100, "9": 150, "12": 600, "13": 600}
_SILENCE_LIMIT_ELSEWHERE_S = 45
_SILENCE_LIMIT_START_S = 90


class Fuzzingclient(Protocol):
    """One way to run `wstest --mode fuzzingclient`."""

    version: str
    listen_host: str
    on_host: bool

    def url(self, endpoint: Endpoint) -> str:
        """The server's URL as this fuzzingclient sees it."""

    def run(self, spec: dict[str, Any], endpoint: Endpoint, folder: Path, monitor: Monitor) -> str:
        """Run it to its end, its output folder's files going to `folder`; returns what went wrong, or nothing."""


class Monitor:
    """Reads a fuzzingclient's output as it comes: which case runs, and whether it is time to give up."""

    def __init__(self, on_case: Callable[[str], None], stop: threading.Event) -> None:
        self._on_case = on_case
        self._stop = stop
        self._rest = b""
        self._since = time.monotonic()
        self.case: str | None = None
        self.failure = ""
        self._error: str | None = None

    def feed(self, chunk: bytes) -> None:
        """Take in output."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        self._rest = self._rest[-_MAX_LINE:]
        for line in lines:
            text = line.decode("utf-8", "replace")
            if match := _CASE_LINE.match(text):
                self.case = match[1]
                self._since = time.monotonic()
                self._on_case(self.case)
            elif match := _FAILED_LINE.match(text):
                self.failure = f"wstest could not connect: {printable(match[1], 200)}"
            elif match := _ERROR_LINE.match(text):
                self._error = f"wstest failed: {printable(match[1], 200)}"

    def give_up(self) -> str | None:
        """Why it should be ended now, if so."""
        if self._stop.is_set():
            return "it was stopped"
        if self._error is not None:
            return self._error
        if self.case is None:
            limit = _SILENCE_LIMIT_START_S
        else:
            of_section = _SILENCE_LIMITS_S.get(selection.section(self.case), _SILENCE_LIMIT_ELSEWHERE_S)
            limit = _SILENCE_LIMITS_S.get(self.case, of_section)
        if time.monotonic() - self._since > limit:
            return f"wstest made no progress for {limit} s" + (f" in case {self.case}" if self.case else "")
        return None


class AutobahnEngine:
    """Splits cases into shares of about the same weight and runs `jobs` fuzzingclients at a time."""

    name = "autobahn"
    suite: Suite = "conformance"

    def __init__(self, client: Fuzzingclient) -> None:
        self._client = client
        self.version = client.version
        self.listen_host = client.listen_host
        self.on_host = client.on_host
        #: twice the cores, since they mostly wait; four at most
        self.default_jobs = max(1, min(4, 2 * (os.cpu_count() or 1)))
        self._numbers = count(1)

    def run(self, job: Job) -> Generator[Batch, None, None]:
        """Run the quiet sections first, then those that move much data (selection.shares says why)."""
        with ThreadPoolExecutor(job.jobs, thread_name_prefix="fuzzingclient") as pool:
            try:
                for phase in selection.shares(job.cases, job.jobs, deflates=job.deflates):
                    waiting: set[Future[Batch]] = {pool.submit(self._share, job, share) for share in phase}
                    while waiting:
                        # a short wait, so that the main thread hears signals
                        done, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
                        for future in done:
                            yield future.result()
            finally:
                job.stop.set()
                pool.shutdown(wait=True, cancel_futures=True)

    def _share(self, job: Job, cases: Sequence[str]) -> Batch:
        if job.stop.is_set():
            return Batch(cases, [], "it was not started")
        folder = self._new_folder(job)
        monitor = Monitor(job.on_case, job.stop)
        spec = {
            "servers": [{"agent": job.target, "url": self._client.url(job.endpoint)}],
            "cases": list(cases),
            "exclude-cases": [],
            "exclude-agent-cases": {},
        }
        problem = self._client.run(spec, job.endpoint, folder, monitor)
        records, unread = read_output(folder, job.target, self.name, relative_to=job.folder)
        reason = problem or unread or monitor.failure or "wstest ended without a verdict for it"
        stuck = monitor.case if problem and not job.stop.is_set() else None
        asked = set(cases)
        return Batch(cases, [record for record in records if record.result.case in asked], reason, stuck)

    def _new_folder(self, job: Job) -> Path:
        """A new folder `autobahn/<target>-<n>` in the run's folder (a resumed run has some already)."""
        name = re.sub(r"[^\w.-]+", "_", job.target)[:60]
        while True:
            folder = job.folder / "autobahn" / f"{name}-{next(self._numbers)}"
            if not folder.exists():
                folder.mkdir(parents=True)
                return folder


def write_spec(spec: dict[str, Any], outdir: str) -> str:
    """The text of a fuzzingclient's specification file."""
    return json.dumps({"outdir": outdir, **spec}, indent=1)
