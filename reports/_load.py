"""Reads what a run has left in its folder. Evidence is read case by case: all of it need not fit into memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.results import Evidence, Result, Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

Key = tuple[str, str, str]


class ReportError(Exception):
    """A run's folder cannot be made into a report."""


class _Key(BaseModel):
    """What is needed of an evidence line to find it again; reading only this takes a third of the time."""

    model_config = ConfigDict(extra="ignore")

    target: str
    engine: str
    case: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a journal, and where it stands."""

    offset: int
    number: int
    octets: bytes

    @property
    def is_whole(self) -> bool:
        """Whether it was written to its end; the last one of a run that was killed may not be."""
        return self.octets.endswith(b"\n")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run as it was recorded."""

    folder: Path
    run: Run
    results: dict[Key, Result]
    evidence: EvidenceIndex
    unreadable: tuple[str, ...]  #: lines that are no record, in words


class EvidenceIndex:
    """Where each key's evidence stands in `evidence.jsonl`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offsets: dict[Key, int] = {}
        self.unreadable: list[str] = []
        for line in _lines(path):
            try:
                key = _Key.model_validate_json(line.octets)
            except ValidationError:
                if line.is_whole:
                    self.unreadable.append(f"{path.name}, line {line.number}")
            else:
                self._offsets[key.target, key.engine, key.case] = line.offset

    def read(self, keys: Iterable[Key]) -> dict[Key, Evidence]:
        """The evidence of these keys, as far as there is any that can be read."""
        wanted = [(self._offsets[key], key) for key in keys if key in self._offsets]
        found: dict[Key, Evidence] = {}
        if wanted:
            with self._path.open("rb") as file:
                for offset, key in sorted(wanted):
                    file.seek(offset)
                    try:
                        found[key] = Evidence.model_validate_json(file.readline())
                    except ValidationError:
                        continue  # written by another version: the page says that there is no evidence
        return found


def load(folder: Path, run: Run | None = None) -> Recorded:
    """Read a run's folder; `run` is taken in place of its `run.json`, where it is to be judged by another baseline.

    Raises:
        ReportError: there is no `run.json`, or it is not one that this version reads.

    """
    run, results, unreadable = load_verdicts(folder, run)
    evidence = EvidenceIndex(folder / "evidence.jsonl")
    return Recorded(folder, run, results, evidence, (*unreadable, *evidence.unreadable))


def load_verdicts(folder: Path, run: Run | None = None) -> tuple[Run, dict[Key, Result], list[str]]:
    """A run, its results, and the lines that are none: what there is to compare two runs by; raises as `load` does."""
    run = run or _run(folder)
    results: dict[Key, Result] = {}
    unreadable: list[str] = []
    for line in _lines(folder / "results.jsonl"):
        try:
            result = Result.model_validate_json(line.octets)
        except ValidationError:
            if line.is_whole:
                unreadable.append(f"results.jsonl, line {line.number}")
        else:
            results[result.key] = result  # a later line is a rerun
    return run, results, unreadable


def _run(folder: Path) -> Run:
    path = folder / "run.json"
    try:
        return Run.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ReportError(f"{path} cannot be read ({error.strerror}): is {folder} the folder of a run?") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ReportError(f"{path} is not a run that this version reads: {where}: {first['msg']}") from error


def _lines(path: Path) -> Iterator[Line]:
    """The lines of a journal that are not empty; none when there is no such file (nothing came so far)."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        offset = 0
        for number, octets in enumerate(file, 1):
            if octets.strip():
                yield Line(offset, number, octets)
            offset += len(octets)
