"""Baselines: the known deviations that a gate expects, in a TOML file of their own. Manifests have the same tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import tomli_w
from pydantic import BaseModel, ConfigDict

from harness import selection
from harness.errors import UsageError
from harness.gate import failing_outcomes
from harness.results import Deviation, Result, Run, case_order, matches
from harness.text import did_you_mean
from harness.toml_file import read_toml

_HEAD = "# What the gate expects. Each entry wants a reason, and a review when it changes.\n\n"
#: What stands in the place of a reason until somebody has looked.
NO_REASON = "Not looked at yet."


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    deviations: list[Deviation] = []


def load(path: Path) -> list[Deviation]:
    """The entries of a baseline; UsageError, with the file and what is wrong in it, if it is none.

    A pattern that fits no case is a mistake too: it would expect nothing, for ever.
    """
    found = read_toml(path, _File).deviations
    for number, deviation in enumerate(found, 1):
        for pattern in deviation.cases:
            if not any(matches(pattern, case) for case in selection.known()):
                hint = did_you_mean(pattern, selection.known())
                raise UsageError(f"{path}: entry {number}: no case fits {pattern!r}{hint}")
    return found


def of_target(deviations: Iterable[Deviation], target: str) -> list[Deviation]:
    """Those that concern one target."""
    return [deviation for deviation in deviations if deviation.target in (None, target)]


def applied(run: Run, path: Path | None) -> Run:
    """The run with the known deviations of a baseline in place of those that it was made with; as it is without one."""
    if path is None:
        return run
    entries = load(path)
    targets = [target.model_copy(update={"deviations": of_target(entries, target.target)}) for target in run.targets]
    return run.model_copy(update={"targets": targets, "baseline": path.name})


def written(run: Run, results: Collection[Result], earlier: Sequence[Deviation] = ()) -> tuple[str, int]:
    """A baseline of what a run's gate would have to expect, as the text of its file, and how many cases it lists.

    Entries of `earlier`, then the known deviations of the run, are kept with their reasons as far as they still hold.
    """
    failing = failing_outcomes(strict=run.strict)
    whose = {target.target: target.target if _has_many_targets(run) else None for target in run.targets}
    cases: dict[tuple[object, ...], list[str]] = {}
    entries: dict[tuple[object, ...], Deviation] = {}
    for target in run.targets:
        known = [*of_target(earlier, target.target), *target.deviations]
        for result in results:
            if (result.target, result.engine) != (target.target, target.engine):
                continue
            entry = next((one for one in known if one.explains(result)), None)
            if entry is None and result.outcome in failing:
                entry = _entry(result)
            if entry is not None:
                entry = entry.model_copy(update={"target": whose[target.target]})
                key = tuple(value for name, value in entry if name != "cases")
                entries[key] = entry
                cases.setdefault(key, []).append(result.case)
    rows = [entry.model_copy(update={"cases": _patterns(cases[key])}) for key, entry in entries.items()]
    return _text(rows), sum(map(len, cases.values()))


def _has_many_targets(run: Run) -> bool:
    return len({target.target for target in run.targets}) > 1


def _entry(result: Result) -> Deviation:
    """What expects exactly this verdict. A probe's two fields follow from its own."""
    if result.verdict is not None:
        return Deviation(cases=[result.case], verdict=result.verdict, reason=NO_REASON)
    return Deviation(
        cases=[result.case], behavior=result.behavior, behavior_close=result.behavior_close, reason=NO_REASON
    )


def _patterns(cases: Iterable[str]) -> list[str]:
    """The same cases, told by `6.3.*` where all that fit it are among them."""
    rest = set(cases)
    patterns = []
    for case in sorted(rest, key=case_order):
        parts = case.split(".")
        for length in range(1, len(parts)):
            pattern = ".".join([*parts[:length], "*"])
            fitting = {known for known in selection.known() if matches(pattern, known)}
            if case in rest and len(fitting) > 1 and fitting <= rest:
                patterns.append(pattern)
                rest -= fitting
    return sorted([*patterns, *rest], key=case_order)


def _text(entries: Iterable[Deviation]) -> str:
    # in the order of the model's fields, which is the order in which one reads them
    tables = [entry.model_dump(mode="json", exclude_defaults=True) for entry in entries]
    return _HEAD + (tomli_w.dumps({"deviations": tables}) if tables else "")
