"""What a run came to, for a person at a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from harness.engines.choose import NAMES
from harness.errors import ExitCode
from harness.gate import Judgement
from harness.limits.engine import LimitsEngine
from harness.results import Outcome, Result, TargetRun, Unavailable
from harness.text import printable

_AT_MOST = 20
_WORDS = {
    ExitCode.PASSED: "PASSED",
    ExitCode.FAILED: "FAILED: a verdict is not as expected",
    ExitCode.CANNOT_RUN: "ERROR: not everything could be run",
    ExitCode.INCOMPLETE: "INCOMPLETE: cases were lost, so this run says nothing about them",
    ExitCode.INTERRUPTED: "INTERRUPTED",
}


def print_summary(
    judgements: Sequence[Judgement], code: ExitCode, report: Path | None, unavailable: Sequence[Unavailable] = ()
) -> None:
    """Print a line a target, what is wrong with each, the gate's decision and where the report is."""
    width = max((len(j.target.target) for j in judgements), default=0)
    for judgement in judgements:
        counts = ", ".join(f"{judgement.counts[o]} {o}" for o in Outcome if judgement.counts[o])
        known = f" ({len(judgement.known)} known deviations)" if judgement.known else ""
        observed = sum(judgement.counts.values())
        name = printable(judgement.target.target)
        what = "limit probes" if judgement.target.engine == LimitsEngine.name else "cases"
        click.echo(f"{name:<{width}}  {observed} of {judgement.target.expected} {what}: {counts or 'none'}{known}")
        for line in _problems(judgement):
            click.echo(f"    {printable(line, 1000)}")  # the folder may be somebody else's
    if unavailable:
        names = ", ".join(printable(one.target) for one in unavailable)
        click.echo(f"left out, as they cannot run here: {names}")
    click.echo(_WORDS.get(code, str(code)))
    if report is not None:
        click.echo(f"report: {report}")


def _problems(judgement: Judgement) -> list[str]:
    target = judgement.target
    engine = "" if target.engine in (NAMES[0], LimitsEngine.name) else f" --engine {target.engine}"
    lines = [f"could not be run: {target.error}"] if target.error else []
    lines += _first(
        [
            f"{_verdict(result)}; alone: wsconform run {target.target}{_declared(target, result)} --cases {result.case}"
            f"{engine}"
            for result in judgement.unexpected
        ]
    )
    lines += _first(
        [
            f"{'warning: ' if judgement.allow_stale else ''}{_verdict(s.result)}: "
            f"a known deviation that happens no more ({printable(s.deviation.reason)})"
            for s in judgement.stale
        ]
    )
    lines += [f"died, and no case alone does it: {printable(reason, 160)}" for reason in target.unexplained[:_AT_MOST]]
    if not target.error:
        by_reason: dict[str, list[str]] = {}
        for lost in target.lost:
            by_reason.setdefault(lost.reason, []).append(lost.case)
        lines += _first(
            [f"lost {len(cases)}: {_cases(cases)}: {printable(reason, 160)}" for reason, cases in by_reason.items()]
        )
    return lines


def _declared(target: TargetRun, result: Result) -> str:
    """A probe of a URL has to be told again what the server was given."""
    if target.started_as != "url" or result.measured is None:
        return ""
    return "".join(f" --limit {name}={value}" for name, value in result.measured.settings.items())


def _cases(cases: list[str]) -> str:
    return ", ".join(cases) if len(cases) <= 4 else f"{cases[0]}, {cases[1]} … {cases[-1]}"  # noqa: PLR2004


def _verdict(result: Result) -> str:
    if result.verdict is not None:
        return f"{result.case}: {result.verdict}"
    code = "" if result.remote_close_code is None else f" {result.remote_close_code}"
    return f"{result.case}: {result.behavior}, close {result.behavior_close}{code}"


def _first(lines: list[str]) -> list[str]:
    more = [f"… and {len(lines) - _AT_MOST} more"] if len(lines) > _AT_MOST else []
    return lines[:_AT_MOST] + more
