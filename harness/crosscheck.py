"""Where the two engines disagree about the same started target, and which of it is on purpose."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from harness.results import Behavior, BehaviorClose, Result, matches

Verdict = tuple[Behavior, BehaviorClose]
FILE = "crosscheck.json"


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


_FILE = TypeAdapter(list[Comparison])


def verdict(result: Result) -> Verdict:
    """Both fields."""
    return result.behavior, result.behavior_close


def compare(target: str, results: Iterable[Result], rows: Sequence[Allowed]) -> Comparison:
    """Compare the verdicts of both engines about a target, for the cases that have one from each."""
    by_engine: dict[str, dict[str, Verdict]] = {"autobahn": {}, "native": {}}
    for result in results:
        if result.target == target and result.engine in by_engine:
            by_engine[result.engine][result.case] = verdict(result)
    both = [case for case in by_engine["autobahn"] if case in by_engine["native"]]
    comparison = Comparison(target, len(both))
    for case in both:
        autobahn, native = by_engine["autobahn"][case], by_engine["native"][case]
        if autobahn != native:
            row = next((row for row in rows if row.covers(case, autobahn, native)), None)
            comparison.differences.append(Difference(case, (autobahn,), (native,), row.reason if row else ""))
    return comparison


def save(folder: Path, comparisons: list[Comparison]) -> None:
    """Keep in a run's folder what was found, for the report; OSError if it can't be written."""
    (folder / FILE).write_bytes(_FILE.dump_json(comparisons, indent=1) + b"\n")


def saved(folder: Path) -> list[Comparison]:
    """What a crosscheck left in the run's folder; nothing if there was none, or another version wrote it."""
    try:
        return _FILE.validate_json((folder / FILE).read_bytes())
    except (OSError, ValidationError):
        return []
