"""Which cases: ids and patterns over them, and shares of about the same weight."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources

from harness.cases import catalogue
from harness.errors import UsageError
from harness.results import Suite, case_order, matches
from harness.text import did_you_mean

#: Sections that move much data. They have time limits of 10 s and more, so they may share a busy machine with each
#: other; the rest fails a peer that takes over a second to answer (`killAfter(1)`), so never runs beside them.
BULK_SECTIONS = frozenset({"9", "12", "13"})
#: A good message, then bad frames, all octet by octet: whether the peer answers the message before it sees the rest
#: hangs on when it gets to read (measured with python-websockets: OK in 8 of 8 one at a time, in 1 of 8 beside three
#: others). They take milliseconds, and run first and one after the other.
ALONE = frozenset({"3.4", "4.1.5", "4.2.5"})
#: Sections that end at once where permessage-deflate is not offered.
_DEFLATE_SECTIONS = frozenset({"12", "13", "D"})
#: Milliseconds of a case that Autobahn has not: most take a few, those that move much data some more.
_WEIGHT_OF_OURS = 20
_WEIGHT_OF_OUR_BULK = 500
_WEIGHT_OF_A_NEW_PROBE = 1000  # most take less; it is in data/limit-probes.csv once somebody has measured it


@cache
def weights() -> dict[str, int]:
    """Each of Autobahn's cases, in order, with the milliseconds that a real wstest took against python-websockets."""
    return _milliseconds("autobahn-25.10.1.csv")


@cache
def _probe_weights() -> dict[str, int]:
    """The limit probes, with the milliseconds that they took against refimpl."""
    return _milliseconds("limit-probes.csv")


def _milliseconds(name: str) -> dict[str, int]:
    text = resources.files("harness").joinpath("data", name).read_text(encoding="utf-8")
    return {row["case"]: int(row["ms"]) for row in csv.DictReader(text.splitlines())}


def section(case: str) -> str:
    """The part of an id before its first dot."""
    return case.split(".", 1)[0]


def weight(case: str, *, deflates: bool) -> int:
    """Milliseconds to expect; 12, 13 and D end at once where permessage-deflate is not offered."""
    if suite_of(case) == "limits":
        return _probe_weights().get(case, _WEIGHT_OF_A_NEW_PROBE)
    if section(case) in _DEFLATE_SECTIONS and not deflates:
        return 1
    if is_autobahns(case):
        return weights()[case]
    return _WEIGHT_OF_OUR_BULK if catalogue()[case].bulk else _WEIGHT_OF_OURS


def is_bulk(case: str, *, deflates: bool) -> bool:
    """Whether it moves much data; 12, 13 and D do so only where permessage-deflate is offered."""
    if section(case) in _DEFLATE_SECTIONS and not deflates:
        return False
    return section(case) in BULK_SECTIONS or (case in catalogue() and catalogue()[case].bulk)


def suite_of(case: str) -> Suite:
    """Which suite a case belongs to: limit probes have ids L.*."""
    return "limits" if section(case) == "L" else "conformance"


def is_autobahns(case: str) -> bool:
    """Whether it is one of the Autobahn Testsuite's, and not of those that we have besides (D.*, F.*, H.*, L.*)."""
    return case in weights()


@cache
def known(suite: Suite | None = None) -> tuple[str, ...]:
    """Every id there is, of one suite or of all."""
    # here, for the probes drive connections and so import what imports this module
    from harness.limits.catalogue import probes  # noqa: PLC0415

    return tuple(case for case in (*catalogue(), *probes()) if suite in (None, suite_of(case)))


def resolve(
    patterns: Iterable[str], exclude: Iterable[str] = (), suite: Suite | None = None, *, of_autobahn: bool = False
) -> list[str]:
    """The cases that fit a pattern and none of `exclude`, in order; UsageError where a pattern fits nothing.

    What is to be left out need not be in the suite. `of_autobahn`: of the conformance cases only those that the
    Autobahn Testsuite has as well.
    """
    chosen = _fitting(patterns, suite) - _fitting(exclude, None)
    if of_autobahn:
        ours = {case for case in chosen if suite_of(case) == "conformance" and not is_autobahns(case)}
        if ours and ours == chosen:
            raise UsageError(
                f"the Autobahn Testsuite has no {min(ours, key=case_order)}, nor another of the cases that are asked "
                "for; the native engine has them"
            )
        chosen -= ours
    if not chosen:
        raise UsageError("no case is left to run: --exclude takes away all that --cases asks for")
    return sorted(chosen, key=case_order)


def not_autobahns(patterns: Iterable[str]) -> list[str]:
    """Of these patterns those that fit conformance cases, and none that the Autobahn Testsuite has."""
    return [
        pattern
        for pattern in patterns
        if (fitting := [case for case in known("conformance") if matches(pattern, case)])
        and not any(map(is_autobahns, fitting))
    ]


def _fitting(patterns: Iterable[str], suite: Suite | None) -> set[str]:
    chosen: set[str] = set()
    for pattern in patterns:
        fitting = {case for case in known(suite) if matches(pattern, case)}
        if not fitting:
            if suite and any(matches(pattern, case) for case in known()):
                raise UsageError(f"no case of the suite {suite} fits {pattern!r}: it is of the other one (--suite)")
            below = f"{pattern}.*"
            hint = (
                f"; did you mean {below}?"
                if any(matches(below, case) for case in known())
                else did_you_mean(pattern.replace("*", ""), known())
            )
            raise UsageError(f"no case fits {pattern!r}{hint} (`wsconform cases list` shows all)")
        chosen |= fitting
    return chosen


def shares(cases: Sequence[str], jobs: int, *, deflates: bool, at_most_ms: int = 30_000) -> list[list[list[str]]]:
    """Phases of shares: the shares of a phase may run `jobs` at a time, the phases one after the other.

    Shares are of about the same weight (longest first to the lightest share), at least `jobs` where there are cases
    enough, and of about `at_most_ms` milliseconds, since wstest writes its verdicts when a share ends.
    """
    alone = [case for case in cases if case in ALONE]
    quiet = [case for case in cases if section(case) not in BULK_SECTIONS and case not in ALONE]
    bulk = [case for case in cases if section(case) in BULK_SECTIONS]
    phases = [[alone]] if alone else []
    for phase in filter(None, (quiet, bulk)):
        total = sum(weight(case, deflates=deflates) for case in phase)
        phases.append(_spread(phase, min(len(phase), max(jobs, -(-total // at_most_ms))), deflates=deflates))
    return phases


def _spread(cases: Sequence[str], count: int, *, deflates: bool) -> list[list[str]]:
    """Parts of about the same weight: the longest case first, each to what is the lightest part by then."""
    loads = [0] * count
    parts: list[list[str]] = [[] for _ in range(count)]
    # a case costs a little even where it is over at once, so that light cases are spread as well
    for case in sorted(cases, key=lambda case: -weight(case, deflates=deflates)):
        lightest = loads.index(min(loads))
        loads[lightest] += weight(case, deflates=deflates) + 5
        parts[lightest].append(case)
    return [sorted(part, key=case_order) for part in parts]


def shard(cases: Sequence[str], part: str, *, deflates: bool) -> list[str]:
    """The cases of a part such as `2/4`: the same for everybody, all parts of about the same weight.

    UsageError where the part is none (`5/4`), or has no case.
    """
    found = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", part)
    number, count = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 0 < number <= count:
        raise UsageError(f"{part!r} is no shard: the second of four is 2/4")
    if count > len(cases):
        raise UsageError(f"{len(cases)} cases cannot be divided into {count} shards; take fewer")
    return _spread(cases, count, deflates=deflates)[number - 1]
