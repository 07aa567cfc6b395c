"""What the page of a case shows: what is sent and expected, and for each target what came of it and its wire log."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.results import FAILING_CLOSE, NON_STRICT_CLOSE, Outcome
from reports._text import clause_link, cut, first_sentence, number
from reports._wire import EXCERPT, EXCERPT_OF_PASS, close_code, rows_in_short, wire_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.clauses import Clause
    from harness.results import Closing, Evidence
    from reports._column import Cell, Column
    from reports._view import Row, Survey
    from reports._wire import WireRow

#: What `wsconform run` takes when it is not told.
_DEFAULT_ENGINE = "native"

#: Most events that are listed as received or as accepted, and of a pass.
_MOST_EVENTS, _MOST_EVENTS_OF_PASS = 40, 8
#: Longest event in such a list, in characters.
_EVENT = 300
_MOST_CLAUSES = 20
#: Where a pass has room for fewer rows than these (of some 14 implementations on), it does without its handshake, too.
_BRIEF_BELOW = 24
#: Most events that a sentence tells of.
_FEW = 5
#: Longest sentence of what went wrong.
_SENTENCE = 300


@dataclass(frozen=True, slots=True)
class Script:
    """What is sent and expected; the same for all targets of an engine."""

    engines: tuple[str, ...]
    sent: str
    expected: str
    accepted: tuple[tuple[str, tuple[str, ...]], ...]
    close_codes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """What one target made of the case."""

    column: Column
    cell: Cell
    evidence: Evidence | None
    sentence: str
    command: str
    received: tuple[str, ...]
    has_events: bool  #: whether what was received says something that nothing else does
    closing: tuple[tuple[str, str], ...]
    wire: tuple[WireRow, ...]
    has_times: bool
    is_brief: bool  #: passed or unimplemented among very many: only what it takes to see that has room
    file: str | None  #: the engine's own page, relative to the run's folder, if it is there


@dataclass(frozen=True, slots=True)
class CasePage:
    """A case, all its targets, and its neighbours."""

    row: Row
    scripts: tuple[Script, ...]
    rests_on: tuple[tuple[str, str | None], ...]  #: sections of RFCs, and where each stands
    sections: tuple[tuple[str, str], ...]  #: those of them that the page of the clauses has, and where there
    tests: tuple[Clause, ...]  #: what is broken where it fails
    entries: tuple[Entry, ...]
    previous: Row | None
    next: Row | None


def repeat_command(survey: Survey, column: Column, case: str) -> str:
    """The command that repeats one case alone."""
    if column.probes:
        # nobody starts a URL's server, so what limits it has must be told again
        settings = column.settings.items() if "://" in column.run.target else ()
        limits = [word for name, value in settings for word in ("--limit", f"{name}={number(value)}")]
        return shlex.join(["wsconform", "run", column.run.target, *limits, "--cases", case, "-v"])
    default = column.run.engine == _DEFAULT_ENGINE and not survey.has_many_engines
    engine = "" if default else f" --engine {shlex.quote(column.run.engine)}"
    return f"wsconform run {shlex.quote(column.run.target)}{engine} --cases {shlex.quote(case)}"


def scripts(evidences: Sequence[Evidence]) -> tuple[Script, ...]:
    """What is sent and expected, once, or once for each way in which the engines tell it."""
    told: dict[tuple[object, ...], Script] = {}
    for evidence in evidences:
        accepted = tuple((verdict, _some(events)) for verdict, events in evidence.accepted.items())
        codes = tuple(evidence.accepted_close_codes)
        same = (evidence.sent, evidence.expected, accepted, codes)
        engines = told[same].engines if same in told else ()
        if evidence.engine not in engines:
            told[same] = Script((*engines, evidence.engine), evidence.sent, evidence.expected, accepted, codes)
    return tuple(told.values())


def clauses(evidences: Sequence[Evidence]) -> tuple[tuple[str, str | None], ...]:
    """The clauses that any engine names, with their addresses."""
    named = dict.fromkeys(clause for evidence in evidences for clause in evidence.clauses)
    return tuple((cut(clause, _EVENT), clause_link(clause)) for clause in list(named)[:_MOST_CLAUSES])


def entry(
    survey: Survey, column: Column, case: str, evidence: Evidence | None, *, file: str | None, most: int
) -> Entry:
    """What one target made of the case; `most` is the longest wire log of a pass, in rows."""
    cell = column.cells[case]
    events = evidence.wire if evidence else []
    is_unimplemented = cell.outcome is Outcome.UNIMPLEMENTED and not cell.verdict and not cell.deviation
    is_brief = (cell.is_plain or is_unimplemented) and most < _BRIEF_BELOW
    wire = wire_rows(events, most, EXCERPT_OF_PASS) if cell.is_plain else wire_rows(events)
    if is_brief:
        wire = rows_in_short(events, most)
    return Entry(
        column=column,
        cell=cell,
        evidence=evidence,
        sentence=sentence(cell, evidence),
        command=repeat_command(survey, column, case),
        received=_some(evidence.received, _MOST_EVENTS_OF_PASS if cell.is_plain else _MOST_EVENTS) if evidence else (),
        has_events=_has_events(evidence) and not (is_brief and any(row.css == "r" for row in wire)),
        closing=_closing(evidence.closing) if evidence and evidence.closing else (),
        wire=wire,
        has_times=any(event.at_ms is not None for event in events),
        is_brief=is_brief,
        file=file,
    )


def _has_events(evidence: Evidence | None) -> bool:
    """Whether a list of them was kept: cases of ours, which may have several connections, tell it in words alone."""
    return evidence is not None and bool(evidence.accepted or evidence.received or evidence.closing)


def sentence(cell: Cell, evidence: Evidence | None) -> str:
    """One sentence of what went wrong, from the engine's words where it has left some."""
    if cell.result is None:
        return cell.lost and first_sentence(cell.lost, _SENTENCE)
    if cell.verdict:
        return cut(evidence.outcome if evidence else "", _SENTENCE) or "No explanation of it was recorded."
    closing = cell.result.behavior_close in FAILING_CLOSE | NON_STRICT_CLOSE
    words = []
    if evidence and (cell.result.behavior != "OK" or not closing):
        words.append(evidence.outcome)
    if evidence and closing:
        words.append(evidence.outcome_close)
    told = " ".join(f"{first_sentence(word, _SENTENCE).rstrip('.')}." for word in words if word.strip())
    if told and evidence and evidence.accepted and cell.result.behavior != "OK":
        told += f" {_difference(evidence)}"
    return told or f"{cell.result.behavior}, closing {cell.result.behavior_close}; the engine left no explanation."


def _difference(evidence: Evidence) -> str:
    """What was received and what would have been right, as far as it fits in a sentence."""
    seen = cut(", ".join(evidence.received[:_FEW]), EXCERPT) or "nothing"
    right = cut(", ".join(evidence.accepted.get("OK", ())[:_FEW]), EXCERPT) or "nothing"
    return f"Received: {seen}; OK would be: {right}."


def _some(events: Sequence[str], most: int = _MOST_EVENTS) -> tuple[str, ...]:
    shown = tuple(cut(event, _EVENT) for event in events[:most])
    return shown if len(events) <= most else (*shown, f"\u2026 and {len(events) - most} more")


def _closing(closing: Closing) -> tuple[tuple[str, str], ...]:
    unclean = f"no: {closing.reason_not_clean}" if closing.reason_not_clean else "no"
    actions = (
        ("closed it", closing.closed_by_engine),
        ("failed it", closing.failed_by_engine),
        ("dropped it", closing.dropped_by_engine),
    )
    did = [word for word, done in actions if done]
    return (
        ("Closed cleanly", "yes" if closing.was_clean else unclean),
        ("The engine", ", ".join(did) or "left the closing to the peer"),
        ("Code sent", _code_and_reason(closing.local_code, closing.local_reason)),
        ("Code received", _code_and_reason(closing.remote_code, closing.remote_reason)),
    )


def _code_and_reason(code: int | None, reason: str | None) -> str:
    return f"{close_code(code)}, \u201c{cut(reason, _SENTENCE)}\u201d" if reason else close_code(code)
