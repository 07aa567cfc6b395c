"""What the page of a case shows: what is sent and expected, and for each target what came of it and its wire log."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.results import FAILING_CLOSE, NON_STRICT_CLOSE
from reports._text import cut, first_sentence, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.results import Closing, Evidence, WireEvent
    from reports._column import Cell, Column
    from reports._view import Row, Site, Survey

#: What all wire logs of passing cases may take together; those that did not pass are shown as they were recorded.
#: With 30 implementations of 517 cases that leaves 14 rows each, and the whole report stays under 60 MB.
WIRE_BUDGET = 20_000_000
_ROW_SIZE = 90  # characters that a row of a pass takes, measured
_FEWEST_ROWS, _MOST_ROWS = 12, 200
#: What `wsconform run` takes when it is not told.
_DEFAULT_ENGINE = "native"

#: Longest excerpt of a payload or of octets in a row, in characters; 32 octets are enough where all went well.
_EXCERPT, _EXCERPT_OF_PASS = 160, 64
#: Most events that are listed as received or as accepted, and of a pass.
_MOST_EVENTS, _MOST_EVENTS_OF_PASS = 40, 8
#: Longest event in such a list, in characters.
_EVENT = 300
#: Most events that a sentence tells of.
_FEW = 5
#: Longest sentence of what went wrong.
_SENTENCE = 300

_OPCODES = {0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}
_FIRST_CONTROL_OPCODE = 8

#: RFC 6455 7.4.1 and the IANA registry.
_CLOSE_CODES = {
    1000: "normal closure",
    1001: "going away",
    1002: "protocol error",
    1003: "unsupported data",
    1005: "no status code",
    1006: "abnormal closure",
    1007: "invalid payload data",
    1008: "policy violation",
    1009: "message too big",
    1010: "mandatory extension",
    1011: "internal error",
    1012: "service restart",
    1013: "try again later",
    1014: "bad gateway",
    1015: "TLS handshake",
}


@dataclass(frozen=True, slots=True)
class WireRow:
    """A line of a wire log, in words."""

    css: str  #: o: octets, which are shown on demand; t: no frame, but a timer or a note
    time: str
    direction: str
    what: str
    bits: tuple[str, str, str]  #: FIN, RSV, MASK
    length: str
    text: str


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
    closing: tuple[tuple[str, str], ...]
    wire: tuple[WireRow, ...]
    has_times: bool
    has_octets: bool
    file: str | None  #: the engine's own page, relative to the run's folder, if it is there


@dataclass(frozen=True, slots=True)
class CasePage:
    """A case, all its targets, and its neighbours."""

    row: Row
    scripts: tuple[Script, ...]
    entries: tuple[Entry, ...]
    previous: Row | None
    next: Row | None


def wire_rows_of_passes(site: Site) -> int:
    """How many rows of a wire log a case that passed may have, so that the whole report stays in its bounds."""
    passes = sum(column.observed for column in site.columns)
    return max(_FEWEST_ROWS, min(_MOST_ROWS, WIRE_BUDGET // (_ROW_SIZE * max(1, passes))))


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


def entry(
    survey: Survey, column: Column, case: str, evidence: Evidence | None, *, file: str | None, most: int
) -> Entry:
    """What one target made of the case; `most` is the longest wire log of a pass, in rows."""
    cell = column.cells[case]
    events = evidence.wire if evidence else []
    return Entry(
        column=column,
        cell=cell,
        evidence=evidence,
        sentence=sentence(cell, evidence),
        command=repeat_command(survey, column, case),
        received=_some(evidence.received, _MOST_EVENTS_OF_PASS if cell.is_plain else _MOST_EVENTS) if evidence else (),
        closing=_closing(evidence.closing) if evidence and evidence.closing else (),
        wire=wire_rows(events, most, _EXCERPT_OF_PASS) if cell.is_plain else wire_rows(events),
        has_times=any(event.at_ms is not None for event in events),
        has_octets=any(event.kind == "octets" for event in events),
        file=file,
    )


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
    seen = cut(", ".join(evidence.received[:_FEW]), _EXCERPT) or "nothing"
    right = cut(", ".join(evidence.accepted.get("OK", ())[:_FEW]), _EXCERPT) or "nothing"
    return f"Received: {seen}; OK would be: {right}."


def close_code(code: int | None) -> str:
    """A close code and what it means."""
    if code is None:
        return "none"
    return f"{code} ({_CLOSE_CODES[code]})" if code in _CLOSE_CODES else str(code)


def opcode_name(opcode: int | None) -> str:
    """An opcode in words (RFC 6455 5.2)."""
    if opcode is None:
        return "frame"
    if opcode in _OPCODES:
        return _OPCODES[opcode]
    return f"reserved {'control' if opcode >= _FIRST_CONTROL_OPCODE else 'data'} (opcode {opcode})"


def wire_rows(events: Sequence[WireEvent], most: int = _MOST_ROWS, excerpt: int = _EXCERPT) -> tuple[WireRow, ...]:
    """A wire log in words: all of it, or its beginning and its end with what was left out between them."""
    if len(events) <= most:
        return tuple(_wire_row(event, excerpt) for event in events)
    tail = most // 3
    head = most - tail
    gap = WireRow("t", "", "", "left out", ("", "", ""), "", f"{len(events) - most} events; all are in evidence.jsonl")
    return (*wire_rows(events[:head], head, excerpt), gap, *wire_rows(events[-tail:], tail, excerpt))


def _wire_row(event: WireEvent, excerpt: int) -> WireRow:
    is_frame = event.kind == "frame"
    text = cut(event.data, excerpt)
    if is_frame and event.opcode == 8 and (code := _code_in(event.data)) is not None:  # noqa: PLR2004 - RFC 6455 5.5.1
        text += f" = {close_code(code)}"
    return WireRow(
        css={"frame": "", "octets": "o"}.get(event.kind, "t"),
        time="" if event.at_ms is None else f"{event.at_ms:.1f}",
        direction={"sent": "\u2192 sent", "received": "\u2190 received", None: ""}[event.direction],
        what=opcode_name(event.opcode) if is_frame else event.kind,
        bits=(_bit(event.fin), _rsv(event.rsv), _bit(event.masked)),
        length="" if event.length is None else str(event.length),
        text=" \u2014 ".join(part for part in (text, event.note) if part),
    )


def _bit(value: bool | None) -> str:
    return "" if value is None else str(int(value))


def _rsv(rsv: int | None) -> str:
    """RSV1 is the most significant of the three bits (RFC 6455 5.2)."""
    if not rsv:
        return "" if rsv is None else "0"
    return "+".join(f"RSV{number}" for number in (1, 2, 3) if rsv & (8 >> number))


def _code_in(data: str) -> int | None:
    """The close code in a payload that is given as octets."""
    try:
        return int(data[2:6], 16) if data.startswith("0x") and len(data) >= len("0x03e8") else None
    except ValueError:
        return None


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
