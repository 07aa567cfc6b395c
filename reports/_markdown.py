"""A summary of a run in GitHub's Markdown, for `$GITHUB_STEP_SUMMARY`. Whatever the run holds, it stays short."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from harness.results import Outcome, ProbeVerdict
from reports._case import repeat_command, sentence
from reports._findings import (
    counted,
    gaps_of,
    gaps_of_run,
    in_order,
    lost_of,
    stale_of,
    unexpected_of,
    with_evidence,
)
from reports._github import Page, code, row
from reports._view import survey

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reports._column import Column
    from reports._load import Recorded
    from reports._view import Site

#: What each section may take, in octets: 185,000 together.
_ROOM_OF_TABLE, _ROOM_OF_PROBES, _ROOM_OF_GAPS, _ROOM_OF_FAILURES = 40_000, 30_000, 20_000, 60_000
_ROOM_OF_STALE, _ROOM_OF_LOST, _ROOM_OF_UNREADABLE = 15_000, 15_000, 5_000
_NAME, _CASE, _SENTENCE, _COMMAND, _REASON = 80, 60, 400, 400, 200
#: Most failures that are listed, shared among the targets that have some.
_MOST_FAILURES = 100
#: Most cases that are named of those lost for one reason.
_MOST_CASES = 10
_SIGNS = {"passed": "\u2705", "known": "\u2705", "failed": "\u274c", "incomplete": "\u26a0\ufe0f"}
_ELSEWHERE = "in the report (`wsconform report`)."

_PROBE_VERDICTS = (
    ProbeVerdict.ENFORCED, ProbeVerdict.LATE, ProbeVerdict.WRONG_CODE, ProbeVerdict.NOT_ENFORCED, ProbeVerdict.CRASHED,
    ProbeVerdict.NOT_CONFIGURABLE,
)  # fmt: skip


def markdown(recorded: Recorded) -> str:
    """The text of `summary.md`."""
    site = survey(recorded)
    decision = site.decision
    page = Page()
    headline = f"## {_SIGNS[decision.kind]} WebSocket conformance: {decision.headline}"
    page.section([headline], [f"Run {code(site.run.id, _NAME)}, {_how(site)}."], 1, room=2000, left_out="")
    _table(page, site.conformance.columns)
    _probes(page, site.limits.columns)
    _gaps(page, site)
    _failures(page, recorded, site)
    _stale(page, site)
    _lost(page, site)
    lines = [f"- {code(one.target, _NAME)}: {code(one.reason, _REASON)}" for one in site.run.unavailable]
    head = ["### Not run, as they cannot run on this machine", ""]
    page.section(head, lines, len(lines), room=_ROOM_OF_UNREADABLE, left_out=f"targets: {_ELSEWHERE}")
    lines = [f"- {code(where, _NAME)}" for where in recorded.unreadable]
    head = ["### Lines that are no record", ""]
    page.section(head, lines, len(lines), room=_ROOM_OF_UNREADABLE, left_out="lines.")
    return page.text


def _how(site: Site) -> str:
    strict = "strict" if site.run.strict else "not strict"
    return f"{strict}, gate's exit code {site.decision.exit_code}"


def _table(page: Page, columns: Sequence[Column]) -> None:
    names = ("", "Implementation", "Version", "Engine", "Passed", "Non-strict", "Failed", "of which known",
             "Unimplemented", "Informational", "Lost", "Verdicts", "Seconds")  # fmt: skip
    outcomes = (Outcome.UNIMPLEMENTED, Outcome.INFORMATIONAL)
    rows = (
        row([
            *_who(column), column.counts[Outcome.PASSED], column.counts[Outcome.NON_STRICT],
            column.counts[Outcome.FAILED], column.known, *(column.counts[outcome] for outcome in outcomes),
            *_end(column),
        ])
        for column in columns
    )  # fmt: skip
    head = [row(names), row(["---"] * 4 + ["--:"] * 9)]
    page.section(head, rows, len(columns), room=_ROOM_OF_TABLE, left_out=f"targets: {_ELSEWHERE}")


def _probes(page: Page, columns: Sequence[Column]) -> None:
    names = ("", "Implementation", "Version", "Engine", *(verdict.capitalize() for verdict in _PROBE_VERDICTS),
             "Known", "Lost", "Verdicts", "Seconds")  # fmt: skip
    rows = (
        row([*_who(column), *(column.verdicts[one] for one in _PROBE_VERDICTS), column.known, *_end(column)])
        for column in columns
    )
    head = ["### Limits", "", row(names), row(["---"] * 4 + ["--:"] * 10)]
    page.section(head, rows, len(columns), room=_ROOM_OF_PROBES, left_out=f"targets: {_ELSEWHERE}")


def _who(column: Column) -> tuple[str, ...]:
    run = column.run
    passed = column.is_recorded and not column.judgement.exit_code
    sign = _SIGNS["passed" if passed else "failed" if column.judgement.exit_code == 1 else "incomplete"]
    engine = f"{run.engine} {run.engine_version}".strip()
    version = code(run.implementation.version, _NAME) if run.implementation.version else ""
    level = " (frames)" if column.has_frames else ""
    return sign, code(run.target, _NAME) + level, version, code(engine, _NAME)


def _end(column: Column) -> tuple[object, ...]:
    observed = column.judgement.counts.total()
    return len(lost_of(column)), f"{observed} of {column.run.expected}", f"{column.run.seconds:.1f}"


def _gaps(page: Page, site: Site) -> None:
    lines = [f"- {gap.words}" for gap in gaps_of_run(site)]  # these are ours
    for column in site.columns:
        lines += [f"- {_name(column)}: {code(gap.words, _REASON)}" for gap in gaps_of(column)]
    head = ["### Not as it should be", ""]
    page.section(head, lines, len(lines), room=_ROOM_OF_GAPS, left_out=f"things: {_ELSEWHERE}")


def _failures(page: Page, recorded: Recorded, site: Site) -> None:
    failing = [column for column in site.columns if column.judgement.unexpected]
    total = sum(len(column.judgement.unexpected) for column in failing)
    each = max(1, _MOST_FAILURES // max(1, len(failing)))
    items = (item for column in failing for item in _failures_of(recorded, site, column, each))
    head = [f"### {counted(total, 'unexpected failure')}", ""]
    page.section(head, items, total, room=_ROOM_OF_FAILURES, left_out=f"unexpected failures: {_ELSEWHERE}")


def _failures_of(recorded: Recorded, site: Site, column: Column, most: int) -> Iterator[str]:
    cases = islice(unexpected_of(column), most)
    for case, cell, evidence in with_evidence(recorded, column, cases):
        if cell.result is None:
            continue
        found = [str(cell.result.verdict)] if cell.result.verdict else []
        found.append(f"behavior {cell.result.behavior}")
        if cell.has_closing:
            found.append(f"closing {cell.result.behavior_close}")
        if cell.result.remote_close_code is not None:
            found.append(f"close code {cell.result.remote_close_code}")
        yield "<br>".join((
            f"- {code(case, _CASE)} of {_name(column)}: **{', '.join(found)}**",
            code(sentence(cell, evidence), _SENTENCE),
            f"Repeat: {code(repeat_command(site.survey_of(column), column, case), _COMMAND)}",
        ))  # fmt: skip


def _stale(page: Page, site: Site) -> None:
    stale = [(column, *one) for column in site.columns for one in stale_of(column).items()]
    words = "happens no more" if len(stale) == 1 else "happen no more"
    only = " (a warning only, as was asked for)" if site.run.allow_stale else ""
    lines = (
        f"- {code(case, _CASE)} of {_name(column)}: {code(deviation.reason, _REASON)}"
        for column, case, deviation in stale
    )
    head = [f"### {counted(len(stale), 'known deviation')} {words}{only}", ""]
    page.section(head, lines, len(stale), room=_ROOM_OF_STALE, left_out=f"of them: {_ELSEWHERE}")


def _lost(page: Page, site: Site) -> None:
    by_reason: dict[tuple[int, str], list[str]] = {}
    for index, column in enumerate(site.columns):
        for case, reason in lost_of(column).items():
            by_reason.setdefault((index, reason), []).append(case)
    lines = []
    for (index, reason), cases in by_reason.items():
        named = ", ".join(code(case, _CASE) for case in in_order(cases)[:_MOST_CASES])
        more = f" and {len(cases) - _MOST_CASES} more" if len(cases) > _MOST_CASES else ""
        lines.append(f"- {_name(site.columns[index])}: {code(reason, _REASON)}: {named}{more}")
    head = [f"### {counted(sum(len(cases) for cases in by_reason.values()), 'lost case')}", ""]
    page.section(head, lines, len(lines), room=_ROOM_OF_LOST, left_out=f"reasons: {_ELSEWHERE}")


def _name(column: Column) -> str:
    return f"{code(column.run.target, _NAME)} ({code(column.run.engine, _NAME)})"
