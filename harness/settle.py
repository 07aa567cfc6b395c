"""Runs again what the engines of a crosscheck disagree about: a target may do now this, now that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from harness.crosscheck import Comparison, Difference, Verdict, verdict
from harness.endpoint import Endpoint
from harness.engines import Engine, Job
from harness.targets import Target

#: How often a case is run again, alone and by both engines, before they are said to disagree about it.
_REPEATS = 4


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
