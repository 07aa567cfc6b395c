"""Where the two engines disagree about the same started target, and which of it is on purpose."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from harness.endpoint import Endpoint
from harness.engines import Engine, Job
from harness.results import Behavior, BehaviorClose, Result, matches
from harness.targets import Target

Verdict = tuple[Behavior, BehaviorClose]
#: How often a case is run again, alone and by both engines, before they are said to disagree about it.
_REPEATS = 4


class Allowed(BaseModel):
    """A row of `crosscheck_allowed.toml`: a disagreement that is on purpose."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cases: list[str] = Field(min_length=1)
    autobahn: list[str]  #: the verdicts that it gives, "behavior / behaviorClose", a star for any
    native: list[str]
    reason: str = Field(min_length=1)

    def covers(self, case: str, autobahn: Verdict, native: Verdict) -> bool:
        """Whether this is the disagreement that the row speaks of."""
        return (
            any(matches(pattern, case) for pattern in self.cases)
            and any(_fits(pattern, autobahn) for pattern in self.autobahn)
            and any(_fits(pattern, native) for pattern in self.native)
        )


def _fits(pattern: str, verdict: Verdict) -> bool:
    return all(
        wanted.strip() in {"*", given} for wanted, given in zip(pattern.split("/"), map(str, verdict), strict=True)
    )


def allowed() -> list[Allowed]:
    """The shipped list."""
    text = resources.files("harness").joinpath("crosscheck_allowed.toml").read_text(encoding="utf-8")
    return [Allowed.model_validate(row) for row in tomllib.loads(text).get("allowed", [])]


@dataclass(frozen=True)
class Difference:
    """A case about which the engines said different things."""

    case: str
    autobahn: tuple[Verdict, ...]  #: each verdict that was given, the first one first
    native: tuple[Verdict, ...]
    reason: str = ""  #: why it is on purpose, if it is

    @property
    def varies(self) -> bool:
        """Whether it is the peer that does now this, now that: each engine saw what the other one saw, too."""
        return not self.reason and bool(set(self.autobahn) & set(self.native))

    @property
    def disagreement(self) -> bool:
        """Whether it is neither on purpose nor the peer's wavering."""
        return not self.reason and not self.varies


@dataclass
class Comparison:
    """What the engines said about one target."""

    target: str
    cases: int
    differences: list[Difference] = field(default_factory=list)

    @property
    def disagreements(self) -> list[Difference]:
        """What fails the command."""
        return [difference for difference in self.differences if difference.disagreement]


def verdict(result: Result) -> Verdict:
    """Both fields."""
    return result.behavior, result.behavior_close


def compare(target: str, results: Iterable[Result], rows: Sequence[Allowed]) -> Comparison:
    """Compare the verdicts of both engines about a target, for the cases that have one from each."""
    by_engine: dict[str, dict[str, Verdict]] = {"autobahn": {}, "native": {}}
    for result in results:
        if result.target == target:
            by_engine[result.engine][result.case] = verdict(result)
    both = [case for case in by_engine["autobahn"] if case in by_engine["native"]]
    comparison = Comparison(target, len(both))
    for case in both:
        autobahn, native = by_engine["autobahn"][case], by_engine["native"][case]
        if autobahn != native:
            row = next((row for row in rows if row.covers(case, autobahn, native)), None)
            comparison.differences.append(Difference(case, (autobahn,), (native,), row.reason if row else ""))
    return comparison


def settle(
    comparison: Comparison, engines: Sequence[Engine], target: Target, folder: Path, say: Callable[[str], None]
) -> None:
    """Run what they disagree about again, alone, until each engine has seen what the other one saw, or often enough."""
    for number, difference in enumerate(comparison.differences):
        if not difference.disagreement:
            continue
        seen = {"autobahn": list(difference.autobahn), "native": list(difference.native)}
        say(f"{comparison.target}: runs {difference.case} again, about which the engines disagree")
        for _ in range(_REPEATS):
            for engine in engines:
                seen[engine.name] += _again(engine, target, target.start(), difference.case, folder)
            if set(seen["autobahn"]) & set(seen["native"]):
                break
        comparison.differences[number] = Difference(
            difference.case, tuple(seen["autobahn"]), tuple(seen["native"]), difference.reason
        )


def _again(engine: Engine, target: Target, endpoint: Endpoint, case: str, folder: Path) -> list[Verdict]:
    job = Job(target=target.name, endpoints=[endpoint], cases=[case], jobs=1, deflates=target.deflates, folder=folder)
    return [verdict(record.result) for batch in engine.run(job) for record in batch.records]
