"""A wire log as a sequence of rows in words, and how much of it a large report can show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports._text import cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.results import WireEvent

#: What all wire logs of passing cases may take together; those that did not pass are shown as they were recorded.
#: With 30 implementations of 700 cases that leaves the fewest rows each, and the whole report stays under 60 MB.
BUDGET = 20_000_000
_ROW_SIZE = 90  # characters that a row of a pass takes, measured
FEWEST_ROWS, MOST_ROWS = 12, 200

#: Longest excerpt of a payload or of octets in a row, in characters; 32 octets are enough where all went well.
EXCERPT, EXCERPT_OF_PASS = 160, 65

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

    direction: str  #: sent, received, or nothing: it did not go over the wire, but happened meanwhile
    is_octets: bool  #: shown on demand
    time: str
    what: str
    bits: tuple[str, str, str]  #: FIN, RSV, MASK
    length: str
    text: str

    @property
    def css(self) -> str:
        """The classes that its arrow hangs on: s sent, r received, t neither; and o for octets."""
        return {"sent": "s", "received": "r"}.get(self.direction, "t") + (" o" if self.is_octets else "")


def rows_of_passes(passes: int) -> int:
    """How many rows of a wire log each of so many passes may have, so that the whole report stays in its bounds."""
    return max(FEWEST_ROWS, min(MOST_ROWS, BUDGET // (_ROW_SIZE * max(1, passes))))


def wire_rows(events: Sequence[WireEvent], most: int = MOST_ROWS, excerpt: int = EXCERPT) -> tuple[WireRow, ...]:
    """A wire log in words: all of it, or what there is room for and how much was left out.

    Octets go first, for their frames say the same; then the middle.
    """
    if len(events) <= most:
        return tuple(_wire_row(event, excerpt) for event in events)
    frames = [event for event in events if event.kind != "octets"]
    if 0 < len(frames) < len(events):
        return (*wire_rows(frames, most - 1, excerpt), _left_out(len(events) - len(frames), "rows of octets"))
    tail = most // 3
    head = most - tail
    gap = _left_out(len(events) - most, "events")
    return (*wire_rows(events[:head], head, excerpt), gap, *wire_rows(events[-tail:], tail, excerpt))


def rows_in_short(events: Sequence[WireEvent], most: int) -> tuple[WireRow, ...]:
    """Frames and notes alone, if there are any; that the rest is left out is for the page to say, once for all."""
    told = [event for event in events if event.kind in ("frame", "note")]
    return wire_rows(told or events, most, EXCERPT_OF_PASS)


def _left_out(count: int, what: str) -> WireRow:
    return WireRow("", False, "", "left out", ("", "", ""), "", f"{count} {what}; all are in evidence.jsonl")


def _wire_row(event: WireEvent, excerpt: int) -> WireRow:
    is_frame = event.kind == "frame"
    text = cut(event.data, excerpt)
    if is_frame and event.opcode == 8 and (code := _code_in(event.data)) is not None:  # noqa: PLR2004 - RFC 6455 5.5.1
        text += f" = {close_code(code)}"
    return WireRow(
        direction=event.direction or "",
        is_octets=event.kind == "octets",
        time="" if event.at_ms is None else f"{event.at_ms:.1f}",
        what=opcode_name(event.opcode) if is_frame else event.kind,
        bits=(_bit(event.fin), _rsv(event.rsv), _bit(event.masked)),
        length="" if event.length is None else str(event.length),
        text=" \u2014 ".join(part for part in (text, event.note) if part),
    )


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
