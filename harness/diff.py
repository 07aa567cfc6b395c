"""What differs between two runs: regressions, fixes, other changes, and verdicts that appeared or vanished."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from harness.gate import failing_outcomes
from harness.results import (
    FAILING_BEHAVIOR,
    FAILING_CLOSE,
    Behavior,
    Lost,
    Outcome,
    ProbeVerdict,
    Result,
    Run,
    case_order,
)


class Kind(StrEnum):
    """What became of a case."""

    REGRESSION = "regression"  #: a field fails that did not, a probe's verdict is worse, or it is lost or unimplemented
    FIX = "fix"  #: it failed or was lost, and does no more
    CHANGED = "changed"  #: another verdict, no better or worse for the gate
    APPEARED = "appeared"  #: not asked for before
    VANISHED = "vanished"  #: not asked for any more


@dataclass(frozen=True)
class Change:
    """A case whose verdict is not what it was."""

    target: str  #: by its name in the newer run, if it is there
    engine: str
    case: str
    kind: Kind
    old: Result | Lost | None
    new: Result | Lost | None


@dataclass(frozen=True)
class Diff:
    """All that differs."""

    changes: list[Change]
    same: int  #: number of cases with the same verdict in both
    versions: list[tuple[str, str, str]]  #: target, its version then, its version now, where they differ

    @property
    def counts(self) -> Counter[Kind]:
        """How many there are of each kind."""
        return Counter(change.kind for change in self.changes)


def diff(old: tuple[Run, Iterable[Result]], new: tuple[Run, Iterable[Result]], *, strict: bool = False) -> Diff:
    """Compare two runs, each with its results. With `strict`, what is NON-STRICT now and was not is a regression too.

    Targets are compared by name. Where each run has one target alone, it is taken for the same one whatever it is
    called: a URL with another port, or the next version of a library.
    """
    before, after = _verdicts(*old), _verdicts(*new)
    names = _renamed(old[0], new[0])
    before = {(names.get(target, target), engine, case): said for (target, engine, case), said in before.items()}
    changes = []
    same = 0
    for key in sorted({*before, *after}, key=lambda key: (*key[:2], case_order(key[2]))):
        kind = _kind(before.get(key), after.get(key), strict=strict)
        if kind is None:
            same += 1
        else:
            changes.append(Change(*key, kind, before.get(key), after.get(key)))
    return Diff(changes, same, _versions(old[0], new[0], names))


def _verdicts(run: Run, results: Iterable[Result]) -> dict[tuple[str, str, str], Result | Lost]:
    lost = {(target.target, target.engine, one.case): one for target in run.targets for one in target.lost}
    return lost | {result.key: result for result in results}


def _renamed(old: Run, new: Run) -> dict[str, str]:
    then, now = {target.target for target in old.targets}, {target.target for target in new.targets}
    return {then.pop(): now.pop()} if len(then) == len(now) == 1 else {}


def _versions(old: Run, new: Run, names: dict[str, str]) -> list[tuple[str, str, str]]:
    then = {names.get(target.target, target.target): target.implementation.version for target in old.targets}
    now = {target.target: target.implementation.version for target in new.targets}
    return [(name, then[name], now[name]) for name in now if name in then and then[name] != now[name]]


_WORST_LAST = list(ProbeVerdict)


def _kind(old: Result | Lost | None, new: Result | Lost | None, *, strict: bool) -> Kind | None:
    if old is None or new is None:
        return Kind.APPEARED if old is None else Kind.VANISHED
    if isinstance(new, Lost):
        return None if isinstance(old, Lost) else Kind.REGRESSION
    if isinstance(old, Lost):
        return Kind.CHANGED if new.outcome is Outcome.FAILED else Kind.FIX
    if (old.behavior, old.behavior_close, old.verdict) == (new.behavior, new.behavior_close, new.verdict):
        return None
    if _is_worse(old, new, strict=strict):
        return Kind.REGRESSION
    failing = failing_outcomes(strict=strict)
    return Kind.FIX if old.outcome in failing and new.outcome not in failing else Kind.CHANGED


def _is_worse(old: Result, new: Result, *, strict: bool) -> bool:
    """Each field by itself: one that begins to fail must not hide behind another that failed all along."""
    if old.verdict is not None and new.verdict is not None:
        return _WORST_LAST.index(new.verdict) > _WORST_LAST.index(old.verdict)
    return (
        (new.behavior in FAILING_BEHAVIOR and old.behavior not in FAILING_BEHAVIOR)
        or (new.behavior_close in FAILING_CLOSE and old.behavior_close not in FAILING_CLOSE)
        or (new.behavior is Behavior.UNIMPLEMENTED and old.outcome in (Outcome.PASSED, Outcome.INFORMATIONAL))
        or (strict and new.outcome is Outcome.NON_STRICT and old.outcome not in (Outcome.NON_STRICT, Outcome.FAILED))
    )
