"""A wire log as lines for a terminal. What a peer sent is made safe to show."""

from __future__ import annotations

from harness.results import WireEvent
from harness.text import printable

_OPCODES = {0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}


def wire_line(event: WireEvent) -> str:
    """`   1.204 ms  -> text FIN masked, 13 octets: Hello, world!`, one line whatever is in it."""
    at = "" if event.at_ms is None else f"{event.at_ms:9.3f} ms  "
    arrow = {"sent": "-> ", "received": "<- "}.get(event.direction or "", "   ")
    words = [_what(event)]
    if event.length is not None:
        words.append(f"{event.length} octets")
    head = ", ".join(filter(None, words))
    data = f": {printable(event.data, 200)}" if event.data else ""
    note = f" ({printable(event.note, 200)})" if event.note and event.kind == "frame" else printable(event.note, 200)
    return f"{at}{arrow}{head}{data}{note}"


def _what(event: WireEvent) -> str:
    if event.kind != "frame" or event.opcode is None:
        return "octets" if event.kind == "octets" else ""
    bits = ["FIN"] * bool(event.fin) + [f"RSV={event.rsv}"] * bool(event.rsv) + ["masked"] * bool(event.masked)
    return " ".join((_OPCODES.get(event.opcode, f"opcode {event.opcode}"), *bits))
