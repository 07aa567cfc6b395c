"""Engines: what executes cases against a target. One small interface; the runner does not care which engine it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from harness.endpoint import Endpoint
from harness.results import Evidence, Result, Suite, WireEvent
from harness.targets import Target

__all__ = ["Batch", "Engine", "Job", "Record"]


class Record(NamedTuple):
    """A verdict and what it rests on."""

    result: Result
    evidence: Evidence


@dataclass(frozen=True)
class Job:
    """Cases to run against one started target."""

    target: str
    endpoints: Sequence[Endpoint]  #: of each started instance; the cases may be spread over them
    cases: Sequence[str]
    jobs: int
    deflates: bool
    folder: Path  #: the run's folder; an engine keeps its own files in a folder of its name inside
    instance: Target | None = None  #: the first one itself, for an engine that starts further ones
    profile: str = "full"  #: `quick`: fewer compressed messages, for engines that can
    on_case: Callable[[str], None] = lambda _: None  #: told of each case as it starts, from any thread
    on_wire: Callable[[str, WireEvent], None] | None = None  #: told of a case's wire log as it comes, if wanted
    stop: threading.Event = field(default_factory=threading.Event)  #: set to make the engine end soon

    @property
    def endpoint(self) -> Endpoint:
        """The first instance."""
        return self.endpoints[0]


@dataclass(frozen=True)
class Batch:
    """What came of a part of a job, given out as soon as it has ended."""

    cases: Sequence[str]  #: what was asked for
    records: Sequence[Record]  #: what has a verdict, in the order it was run
    reason: str = ""  #: why the rest has none, as far as the engine can tell
    culprit: str | None = None  #: the case during which the engine got stuck, if it knows
    side_by_side: bool = False  #: whether they ran at the same time: then each may have killed the target


class Engine(Protocol):
    """Executes cases."""

    name: str
    version: str
    suite: Suite  #: what it runs
    #: The address that local servers must listen on to be reachable for it.
    listen_host: str
    #: Whether it reaches servers from this host's network, so that a container's port must be published for it.
    on_host: bool
    default_jobs: int  #: how many cases, or shares of cases, at a time

    def run(self, job: Job) -> Generator[Batch, None, None]:
        """Run the job's cases and give out batches as they end; CannotRunError if the engine itself fails."""
