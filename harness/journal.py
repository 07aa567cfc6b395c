"""A run's folder: an append-only journal of verdicts, the evidence beside it, and `run.json`."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import psutil
from filelock import FileLock, Timeout
from pydantic import ValidationError

from harness.engines import Record
from harness.errors import CannotRunError, UsageError
from harness.results import Evidence, Machine, Model, Result, Run

RESULTS = "results.jsonl"
EVIDENCE = "evidence.jsonl"
RUN = "run.json"


def now() -> str:
    """The time as results write it: ISO 8601, UTC, in seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def this_machine() -> Machine:
    """What machine this is, as far as it may explain a difference."""
    return Machine(
        system=f"{platform.system()} {platform.release()}",
        architecture=platform.machine(),
        cpus=os.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
    )


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a full disk or a folder without permission into one line that says so."""
    try:
        yield
    except OSError as error:
        raise CannotRunError(f"cannot write {error.filename or path}: {error.strerror or error}") from error


class Journal:
    """Appends to a run's folder. One process at a time; what was written stays, whatever happens afterwards."""

    def __init__(self, folder: Path, *, resume: bool = False) -> None:
        self.folder = folder
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(folder / ".lock")
            try:
                self._lock.acquire(timeout=0)
            except Timeout as error:
                raise UsageError(f"another wsconform is writing to {folder}; give another --output") from error
            there = (folder / RUN).exists() or (folder / RESULTS).exists()
            if there and not resume:
                raise UsageError(f"{folder} holds a run already: --resume goes on with it, --output names another")
            self._results = _open_for_append(folder / RESULTS)
            self._evidence = _open_for_append(folder / EVIDENCE)

    def add(self, record: Record) -> None:
        """Write a verdict, its evidence first: a verdict that is there can always be explained."""
        self.add_evidence(record.evidence)
        self.add_result(record.result)

    def add_evidence(self, evidence: Evidence) -> None:
        """Write evidence alone."""
        self._append(self._evidence, evidence)

    def add_result(self, result: Result) -> None:
        """Write a verdict alone."""
        self._append(self._results, result)

    def _append(self, file: IO[bytes], line: Model) -> None:
        with writing(self.folder):
            # one write of a whole line: what a killed run leaves has at most its last line cut
            file.write(line.to_json().encode("utf-8", "replace") + b"\n")
            file.flush()

    def write_run(self, run: Run) -> None:
        """Replace `run.json` as a whole, never in part."""
        with writing(self.folder):
            new = self.folder / f"{RUN}.new"
            new.write_text(json.dumps(json.loads(run.to_json()), indent=1) + "\n", encoding="utf-8")
            new.replace(self.folder / RUN)

    def close(self) -> None:
        """Close the files; a buffer that the disk has no room for was reported when it was written."""
        for file in (self._results, self._evidence):
            with contextlib.suppress(OSError):
                file.close()
        self._lock.release()


def _open_for_append(path: Path) -> IO[bytes]:
    """Open for append; a last line that a killed run left unfinished is ended, so that the next one is not spoilt."""
    file = path.open("ab+")
    if file.tell() > 0:
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.write(b"\n")
            file.flush()
    return file


def read_results(folder: Path) -> list[Result]:
    """The journal's verdicts, the latest where there are two for one key; an unfinished line is passed over."""
    found: dict[tuple[str, str, str], Result] = {}
    for line in _lines(folder / RESULTS):
        with contextlib.suppress(ValidationError):
            result = Result.model_validate_json(line)
            found[result.key] = result
    return list(found.values())


def read_run(folder: Path) -> Run:
    """The folder's `run.json`; UsageError if there is none that can be read."""
    file = folder / RUN
    try:
        return Run.model_validate_json(file.read_bytes())
    except FileNotFoundError as error:
        raise UsageError(f"{folder} holds no run: there is no {RUN}") from error
    except OSError as error:
        raise UsageError(f"{file} can't be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise UsageError(f"{file} is not a run that this version reads: {where}: {first['msg']}") from error


def _lines(path: Path) -> Iterator[bytes]:
    if path.exists():
        with path.open("rb") as file:
            yield from file


def new_folder(root: Path) -> Path:
    """A folder for a new run below `root`, named for the time."""
    return root / "runs" / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}"


def seconds_before(root: Path, runs: int = 3) -> dict[tuple[str, str], float]:
    """How long each target took at most under each engine in the latest runs below `root`."""
    longest: dict[tuple[str, str], float] = {}
    for folder in sorted((root / "runs").glob("*"))[-runs:]:
        with contextlib.suppress(UsageError):
            for target in read_run(folder).targets:
                key = (target.target, target.engine)
                longest[key] = max(target.seconds, longest.get(key, 0.0))
    return longest


def point_latest(root: Path, folder: Path) -> None:
    """Let `<root>/latest` name the folder."""
    link = root / "latest"
    with contextlib.suppress(OSError):  # a file system without links: a convenience is missing, no result
        new = root / f".latest-{os.getpid()}"
        new.unlink(missing_ok=True)
        new.symlink_to(os.path.relpath(folder, root))
        new.replace(link)
