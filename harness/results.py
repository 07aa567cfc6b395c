"""The result model: what a run records, and what every gate and report reads.

A run is a folder. `results.jsonl` holds a `Result` a line, `evidence.jsonl` an `Evidence` a line, `run.json` a `Run`.
JSON keys are camelCase, as in Autobahn's own files. The JSON Schemas in `harness/json_schemas/` are generated from here
(`python -m harness.schemas`) and tested to be current.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

SCHEMA_VERSION = 1
#: Which part of the cases: Autobahn's with those of ours that are like them, or the limit probes.
Suite = Literal["conformance", "limits"]


class Behavior(StrEnum):
    """Autobahn's verdict about what the peer did with the data."""

    OK = "OK"
    NON_STRICT = "NON-STRICT"
    INFORMATIONAL = "INFORMATIONAL"
    UNIMPLEMENTED = "UNIMPLEMENTED"
    FAILED = "FAILED"


class BehaviorClose(StrEnum):
    """Autobahn's verdict about how the connection was closed."""

    OK = "OK"
    WRONG_CODE = "WRONG CODE"
    UNCLEAN = "UNCLEAN"
    FAILED_BY_CLIENT = "FAILED BY CLIENT"
    FAILED = "FAILED"
    INFORMATIONAL = "INFORMATIONAL"


#: Verdicts that fail a case. FAILED BY CLIENT (the server left it to the client to close TCP) breaks a SHOULD
#: (RFC 6455 7.1.1), so it counts as NON-STRICT does: with `--strict` only.
FAILING_BEHAVIOR = frozenset({Behavior.FAILED})
FAILING_CLOSE = frozenset({BehaviorClose.FAILED, BehaviorClose.WRONG_CODE, BehaviorClose.UNCLEAN})
NON_STRICT_BEHAVIOR = frozenset({Behavior.NON_STRICT})
NON_STRICT_CLOSE = frozenset({BehaviorClose.FAILED_BY_CLIENT})


class ProbeVerdict(StrEnum):
    """What a limit probe found. The order is from best to worst."""

    ENFORCED = "ENFORCED"  #: at the limit accepted, beyond it refused, before the excess was buffered
    NOT_CONFIGURABLE = "NOT CONFIGURABLE"  #: this implementation has no such limit to set: shown, not failed
    WRONG_CODE = "WRONG CODE"  #: refused with a close code or HTTP status that misleads
    LATE = "LATE"  #: refused, but only after it took in, or waited, (much) more than the limit
    NOT_ENFORCED = "NOT ENFORCED"  #: not the limit that was set: the excess was accepted, or what it allows refused
    CRASHED = "CRASHED"  #: the server died, or a fresh connection afterwards does not work

    @property
    def fields(self) -> tuple[Behavior, BehaviorClose]:
        """What it comes to in the two fields that every verdict has, so that gates and reports need no other rule."""
        match self:
            case ProbeVerdict.ENFORCED:
                return Behavior.OK, BehaviorClose.OK
            case ProbeVerdict.NOT_CONFIGURABLE:
                return Behavior.UNIMPLEMENTED, BehaviorClose.INFORMATIONAL
            case ProbeVerdict.WRONG_CODE:
                return Behavior.OK, BehaviorClose.WRONG_CODE
        return Behavior.FAILED, BehaviorClose.INFORMATIONAL


class Outcome(StrEnum):
    """What a case comes to, both fields taken together. The order is from best to worst."""

    PASSED = "passed"
    INFORMATIONAL = "informational"
    UNIMPLEMENTED = "unimplemented"
    NON_STRICT = "non-strict"
    FAILED = "failed"
    LOST = "lost"


class Model(BaseModel):
    """A frozen value that is written as camelCase JSON and refuses keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    def to_json(self) -> str:
        """One line of JSON, camelCase, without what is absent."""
        return self.model_dump_json(by_alias=True, exclude_none=True)


class Measured(Model):
    """What a probe measured before it judged. Sizes are octets; None is what could not be measured or did not happen.

    Of several connections, `sent` to `refusal` speak of the one that the verdict rests on.
    """

    limit: str | None = None  #: the limit probed, by its name in a manifest; None: one that every server has built in
    set_to: float | str | None = None  #: octets, seconds, a number, or an origin
    settings: dict[str, str] = Field(
        default_factory=dict
    )  #: the limits in force: given for this probe, fixed, declared
    sent: int | None = None  #: octets after the opening handshake, or of it where that is what is probed
    taken: int | None = None  #: of them, those that had left our kernel when the refusal came
    refusal: str = ""  #: `close 1009`, `HTTP 431`, `end of stream`, `reset`; empty: none came
    refused_after_ms: float | None = None  #: from the first octet (or second) too much to the refusal
    close_code: int | None = None
    http_status: int | None = None
    memory_idle: int | None = None  #: of the process tree (resident), or of the container (its cgroup)
    memory_peak: int | None = None
    memory: list[tuple[int, int]] = Field(default_factory=list)  #: (milliseconds, octets), at most 60 of them
    cpu_seconds: float | None = None
    alive_after: bool | None = None  #: whether a fresh connection works afterwards
    seconds: list[float] = Field(default_factory=list)  #: times that were measured: intervals, or until the cut
    figures: dict[str, float] = Field(default_factory=dict)  #: whatever else was counted, by what it is

    @property
    def memory_growth(self) -> int | None:
        """How far it grew over what it needs when idle."""
        if self.memory_idle is None or self.memory_peak is None:
            return None
        return self.memory_peak - self.memory_idle


class Result(Model):
    """One verdict: a line of `results.jsonl`. A probe's two fields follow from its `verdict`."""

    target: str
    engine: str
    case: str
    behavior: Behavior
    behavior_close: BehaviorClose
    remote_close_code: int | None = None
    duration_ms: Annotated[int, Field(ge=0)]
    verdict: ProbeVerdict | None = None  #: of a limit probe
    measured: Measured | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes a verdict the same one: target, engine, case."""
        return self.target, self.engine, self.case

    @property
    def outcome(self) -> Outcome:
        """Both fields taken together: the worse one decides."""
        if self.behavior in FAILING_BEHAVIOR or self.behavior_close in FAILING_CLOSE:
            return Outcome.FAILED
        if self.behavior is Behavior.UNIMPLEMENTED:
            return Outcome.UNIMPLEMENTED
        if self.behavior in NON_STRICT_BEHAVIOR or self.behavior_close in NON_STRICT_CLOSE:
            return Outcome.NON_STRICT
        if self.behavior is Behavior.INFORMATIONAL:
            return Outcome.INFORMATIONAL
        return Outcome.PASSED


class WireEvent(Model):
    """One line of a wire log."""

    kind: Literal["octets", "frame", "timer", "note"]
    direction: Literal["sent", "received"] | None = None
    at_ms: float | None = None  #: milliseconds since the connection was made; Autobahn's log has no times
    length: int | None = None  #: octets as sent, or of the whole payload
    opcode: int | None = None
    fin: bool | None = None
    rsv: int | None = None
    masked: bool | None = None
    data: str = ""  #: an excerpt: octets as hexadecimal digits, a payload as text or as 0x and digits
    note: str = ""


class Closing(Model):
    """How the connection ended; "me" in Autobahn's records is the engine, "remote" the peer under test."""

    was_clean: bool
    reason_not_clean: str | None = None
    closed_by_engine: bool = False
    failed_by_engine: bool = False
    dropped_by_engine: bool = False
    local_code: int | None = None
    local_reason: str | None = None
    remote_code: int | None = None
    remote_reason: str | None = None


class Evidence(Model):
    """What a verdict rests on: a line of `evidence.jsonl`. All text may come from the peer: never trust it."""

    target: str
    engine: str
    case: str
    sent: str  #: in words, what the case sends
    expected: str  #: in words, what it expects
    clauses: list[str] = Field(default_factory=list)  #: what the expectation rests on: `RFC 6455 5.4`
    outcome: str = ""  #: in words, what came of it
    outcome_close: str = ""
    accepted: dict[str, list[str]] = Field(default_factory=dict)  #: verdict -> the events that mean it
    accepted_close_codes: list[int] = Field(default_factory=list)
    received: list[str] = Field(default_factory=list)  #: the events that were seen
    request: str = ""  #: the opening request, as sent
    response: str = ""  #: its answer, as received
    closing: Closing | None = None
    wire: list[WireEvent] = Field(default_factory=list)
    wire_omitted: int = 0  #: events left out of `wire`
    file: str | None = None  #: the engine's own page for it, relative to the run's folder

    @property
    def key(self) -> tuple[str, str, str]:
        """The key of the verdict that it belongs to."""
        return self.target, self.engine, self.case


class Deviation(Model):
    """A known deviation: these cases give these verdicts, for this reason. A field left out may be anything.

    Manifests and baselines have the same: a table `[[deviations]]` of TOML.
    """

    target: str | None = None  #: whose it is, in a baseline for several targets; None: of all of them
    cases: Annotated[list[str], Field(min_length=1)]  #: Autobahn's patterns
    behavior: Behavior | None = None
    behavior_close: BehaviorClose | None = None
    verdict: ProbeVerdict | None = None  #: of a limit probe
    wavers: bool = False  #: whether it does not always happen (a race, say): then a pass is not stale
    reason: Annotated[str, Field(min_length=1)]
    link: str | None = None

    @model_validator(mode="after")
    def _says_a_verdict(self) -> Deviation:
        if self.behavior is None and self.behavior_close is None and self.verdict is None:
            raise ValueError("a deviation says which verdict to expect: behavior, behavior_close or both, or verdict")
        return self

    def covers(self, case: str) -> bool:
        """Whether the case is one of those it speaks of."""
        return any(matches(pattern, case) for pattern in self.cases)

    def explains(self, result: Result) -> bool:
        """Whether the verdict is the one that it says to expect."""
        return (
            self.covers(result.case)
            and self.behavior in (None, result.behavior)
            and self.behavior_close in (None, result.behavior_close)
            and self.verdict in (None, result.verdict)
        )


class Lost(Model):
    """A case that was asked for and has no verdict."""

    case: str
    reason: str


class Implementation(Model):
    """Who was under test, as its manifest says."""

    language: str = ""
    version: str = ""
    homepage: str = ""
    licence: str = ""
    level: Literal["messages", "frames"] = (
        "messages"  #: `frames`: joining them and UTF-8 are the application's business
    )


class Unavailable(Model):
    """An implementation that was asked for and cannot be started on this machine: nobody's failure."""

    target: str
    implementation: Implementation = Implementation()
    reason: str  #: what is missing, and the command that installs it


class TargetRun(Model):
    """One target under one engine: what was asked for and what came of it."""

    target: str
    engine: str
    engine_version: str = ""
    url: str = ""
    started_as: Literal["process", "container", "url"]
    implementation: Implementation = Implementation()
    deviations: list[Deviation] = Field(default_factory=list)
    expected: int  #: number of cases asked for
    observed: int = 0  #: number of verdicts
    lost: list[Lost] = Field(default_factory=list)
    restarts: int = 0  #: how often the target died or stopped answering, and was started anew
    unexplained: list[str] = Field(default_factory=list)  #: deaths after which no case alone killed it again
    seconds: float = 0.0
    setup_seconds: float | None = None  #: how long its set-up took, if it was set up by this run
    peak_memory: int | None = None  #: octets, the most that an instance of it was seen to use
    cpu_seconds: float | None = None  #: user and system time of all its instances
    error: str | None = None  #: why it could not be run at all
    log: str | None = None  #: the target's own output, relative to the run's folder


class Machine(Model):
    """Where the run was made."""

    system: str
    architecture: str
    cpus: int
    memory_bytes: int


class Selection(Model):
    """Which cases were asked for."""

    cases: list[str]
    exclude: list[str] = Field(default_factory=list)
    count: int
    jobs: int
    profile: Literal["full", "quick"] = "full"
    shard: Annotated[str | None, Field(pattern=r"^[1-9]\d*/[1-9]\d*$")] = None  #: `2/4`: the second of four


class Part(Model):
    """A run that a merged one was made of."""

    id: str
    state: str
    started_at: str
    finished_at: str | None = None
    versions: dict[str, str] = Field(default_factory=dict)
    machine: Machine
    selection: Selection


class Run(Model):
    """`run.json`: everything that could explain a difference between two runs."""

    schema_version: int = SCHEMA_VERSION
    id: str
    state: Literal["running", "complete", "incomplete", "interrupted", "error"]
    exit_code: int | None = None
    started_at: str  #: ISO 8601, UTC
    finished_at: str | None = None
    strict: bool = False
    allow_stale: bool = False  #: whether a known deviation that happens no more only warns
    baseline: str | None = None  #: name of the file that the known deviations are from; None: the manifests
    versions: dict[str, str] = Field(default_factory=dict)
    machine: Machine
    selection: Selection
    parts: list[Part] = Field(default_factory=list)  #: the runs that it was merged from
    targets: list[TargetRun] = Field(default_factory=list)
    unavailable: list[Unavailable] = Field(default_factory=list)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # Autobahn's caseset.py: dots are literal, a star is anything, and re.match leaves the end open.
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")))


def matches(pattern: str, case: str) -> bool:
    """Whether a case id fits a pattern, by Autobahn's rule: without a star exactly, with one as a prefix."""
    if "*" not in pattern:
        return pattern == case
    return _compiled(pattern).match(case) is not None


def case_order(case: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key for case ids: 9.1.2 before 9.1.10, numbers before letters."""
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in case.split("."))
