"""What differs between two runs, in GitHub's Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.diff import Kind
from harness.results import Lost
from reports._github import Page, code, row

if TYPE_CHECKING:
    from harness.diff import Change, Diff
    from harness.results import Result

_TITLES = {
    Kind.REGRESSION: ("regression", "regressions"),
    Kind.FIX: ("fix", "fixes"),
    Kind.CHANGED: ("other change", "other changes"),
    Kind.APPEARED: ("case appeared", "cases appeared"),
    Kind.VANISHED: ("case vanished", "cases vanished"),
}
#: In octets, for each kind.
_ROOM = 40_000
_NAME, _CASE, _VERDICT = 80, 60, 200


def render_diff(diff: Diff) -> str:
    """The text: a headline, and a table of each kind of change, none longer than a page takes."""
    page = Page()
    sign = "\u274c" if diff.counts[Kind.REGRESSION] else "\u2705"
    head = f"## {sign} {_count(diff, Kind.REGRESSION)}, {_count(diff, Kind.FIX)}, {diff.same} the same"
    versions = [f"- {code(name, _NAME)}: {_version(then)}, now {_version(now)}" for name, then, now in diff.versions]
    page.section([head, ""], versions or ["The versions are the same."], max(1, len(versions)), room=_ROOM, left_out="")
    for kind in _TITLES:
        changes = [change for change in diff.changes if change.kind is kind]
        title = [f"### {_count(diff, kind)}", "", row(("Implementation", "Case", "Was", "Is")), row(["---"] * 4)]
        page.section(
            title, map(_row, changes), len(changes), room=_ROOM, left_out="(`wsconform diff --format json` has all)."
        )
    return page.text


def _count(diff: Diff, kind: Kind) -> str:
    return f"{diff.counts[kind]} {_TITLES[kind][diff.counts[kind] != 1]}"


def _version(version: str) -> str:
    return code(version, _NAME) if version else "not stated"


def _row(change: Change) -> str:
    who = f"{code(change.target, _NAME)} ({code(change.engine, _NAME)})"
    return row((who, code(change.case, _CASE), _verdict(change.old), _verdict(change.new)))


def _verdict(said: Result | Lost | None) -> str:
    if said is None:
        return "not asked"
    if isinstance(said, Lost):
        return f"LOST: {code(said.reason, _VERDICT)}"
    return said.verdict or f"{said.behavior} / {said.behavior_close}"
