"""A badge that says how a run ended: as SVG, and as what shields.io's endpoint badge reads.

Its words are ours and numbers; nothing in it comes from a peer. It is green, of one shade or another, only if the gate
passes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.results import Outcome
from reports._environment import environment
from reports._findings import counted
from reports._view import survey

if TYPE_CHECKING:
    from reports._column import Column
    from reports._findings import Decision
    from reports._load import Recorded
    from reports._view import Site

#: Dark enough for white letters (WCAG 2.2 AA asks for a contrast of 4.5).
COLORS = {"passed": "1a7f37", "known": "5c6b00", "failed": "c62828", "incomplete": "9a5700"}
#: Advances of Verdana at 11 px, in tenths of a pixel: `textLength` makes any other font as wide.
_ADVANCES = {"i": 30, "l": 30, " ": 39, ",": 40, "f": 39, "r": 47, "t": 43, "m": 107, "w": 90, "W": 109}
_ADVANCE = 70
_PADDING = 6


def badge(recorded: Recorded) -> str:
    """The text of `badge.svg`."""
    site = survey(recorded)
    decision = site.decision
    left, right = label(site), message(site, decision)
    template = environment().get_template("badge.svg.j2")
    return template.render(
        label=left,
        message=right,
        color=f"#{COLORS[decision.kind]}",
        label_width=_width(left),
        message_width=_width(right),
        padding=_PADDING,
    )


def shields(recorded: Recorded) -> str:
    """The text of `badge.json`, for https://img.shields.io/endpoint?url=..."""
    site = survey(recorded)
    decision = site.decision
    fields = {
        "schemaVersion": 1,
        "label": label(site),
        "message": message(site, decision),
        "color": COLORS[decision.kind],
        "isError": not decision.passed,
    }
    return json.dumps(fields, indent=1) + "\n"


def label(site: Site) -> str:
    """What was tested."""
    return "WebSocket limits" if site.limits.columns and not site.conformance.columns else "RFC 6455"


def message(site: Site, decision: Decision) -> str:
    """How it ended, in a few words."""
    by_target = site.targets
    if decision.passed:
        told = f"{len(by_target)} implementations passed" if len(by_target) > 1 else _passed(site)
        return ", ".join((told, *decision.counts))
    words = [] if decision.kind == "failed" else [decision.word.lower()]
    if len(by_target) == 1:
        words += _failures(site)
    elif failed := sum(any(_has_failed(column) for column in columns) for columns in by_target.values()):
        words.append(f"{failed} of {len(by_target)} implementations failed")
    return ", ".join(words) or "failed"


def _has_failed(column: Column) -> bool:
    judgement = column.judgement
    return bool(judgement.unexpected or column.run.unexplained or (judgement.stale and not judgement.allow_stale))


def _passed(site: Site) -> str:
    passing = [Outcome.PASSED, Outcome.INFORMATIONAL, *([] if site.run.strict else [Outcome.NON_STRICT])]
    passed = sum(column.counts[outcome] for column in site.columns for outcome in passing)
    return f"passed {passed} of {sum(column.run.expected for column in site.columns)}"


def _failures(site: Site) -> list[str]:
    failed = sum(len(column.judgement.unexpected) for column in site.columns)
    stale = 0 if site.run.allow_stale else sum(len(column.judgement.stale) for column in site.columns)
    died = sum(len(column.run.unexplained) for column in site.columns)
    counts = ((stale, "stale known deviation"), (died, "unexplained death"))
    return [*([f"{failed} failed"] if failed else []), *(counted(count, what) for count, what in counts if count)]


def _width(text: str) -> int:
    return round(sum(_ADVANCES.get(letter, _ADVANCE) for letter in text) / 10)
