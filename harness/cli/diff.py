"""`wsconform diff`: what differs between two runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
from pydantic import TypeAdapter

from harness.cli.common import debug_option
from harness.diff import Change, Diff, Kind
from harness.diff import diff as compare
from harness.errors import ExitCode
from harness.gate import judge_run
from harness.journal import read_results, read_run
from harness.results import Lost, Result
from harness.text import printable
from reports import render_diff

_RUN = click.Path(exists=True, file_okay=False, path_type=Path)
_TITLES = {
    Kind.REGRESSION: "regressions",
    Kind.FIX: "fixes",
    Kind.CHANGED: "other changes",
    Kind.APPEARED: "appeared",
    Kind.VANISHED: "vanished",
}
_AT_MOST = 50


@click.command()
@click.argument("old", type=_RUN)
@click.argument("new", type=_RUN)
@click.option("--format", "form", type=click.Choice(("text", "json", "markdown")), default="text", show_default=True)
@click.option("--strict", is_flag=True, help="What is newly NON-STRICT or FAILED BY CLIENT is a regression too.")
@debug_option
def diff(old: Path, new: Path, form: str, strict: bool) -> int:
    """Compare the runs in two folders: regressions, fixes, other changes, cases that appeared or vanished.

    A regression is a field that fails and did not, a probe's verdict that is worse than it was, and a case that is now
    lost or unimplemented. Exits 1 on a regression, 4 if NEW is not complete, else 0, whatever else the runs hold.
    """
    newer, results = read_run(new), read_results(new)
    found = compare((read_run(old), read_results(old)), (newer, results), strict=strict)
    _, code = judge_run(newer, results)
    incomplete = code not in (ExitCode.PASSED, ExitCode.FAILED)
    if form == "json":
        click.echo(TypeAdapter(Diff).dump_json(found, by_alias=True, exclude_none=True))
    elif form == "markdown":
        click.echo(render_diff(found), nl=False)
    else:
        for line in _text(found):
            click.echo(line)
    if incomplete:
        click.echo(f"wsconform: {new} is not complete: what it lost may be worse than before", err=True)
        return int(ExitCode.INCOMPLETE)
    return int(ExitCode.FAILED if found.counts[Kind.REGRESSION] else ExitCode.PASSED)


def _text(found: Diff) -> Iterator[str]:
    for target, then, now in found.versions:
        yield f"{printable(target)}: version {printable(then) or 'not stated'}, now {printable(now) or 'not stated'}"
    for kind, title in _TITLES.items():
        changes = [change for change in found.changes if change.kind is kind]
        if changes:
            yield f"{title}: {len(changes)}"
            yield from (f"    {_line(change)}" for change in changes[:_AT_MOST])
            if len(changes) > _AT_MOST:
                yield f"    … and {len(changes) - _AT_MOST} more (--format json has all)"
    yield f"the same: {found.same}"


def _line(change: Change) -> str:
    who = printable(f"{change.target} ({change.engine}) {change.case}")
    if change.old is None or change.new is None:
        return f"{who}: {_verdict(change.new or change.old)}"
    return f"{who}: {_verdict(change.old)} → {_verdict(change.new)}"


def _verdict(said: Result | Lost | None) -> str:
    if isinstance(said, Lost):
        return f"LOST: {printable(said.reason, 160)}"
    return "" if said is None else said.verdict or f"{said.behavior} / {said.behavior_close}"
