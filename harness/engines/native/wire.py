"""The wire log: what went over a connection, with times, payloads cut, the middle left out where there is much."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from harness.results import WireEvent

#: Events kept from the beginning and from the end.
_HEAD, _TAIL = 120, 60
#: Octets shown of a payload or a piece of the stream.
EXCERPT = 64


#: (at, kind, direction, length, excerpt, (opcode, fin, rsv, masked), note): a bare tuple, since millions may pass
_Raw = tuple[float, str, str | None, int | None, bytes, tuple[int, bool, int, bool] | None, str]


class WireLog:
    """Collects a connection's events. `clock` gives seconds; times count from its value at the beginning."""

    def __init__(self, clock: Callable[[], float], on_event: Callable[[WireEvent], None] | None = None) -> None:
        self._clock = clock
        self._began = clock()
        self._on_event = on_event
        self._head: list[_Raw] = []
        self._tail: deque[_Raw] = deque(maxlen=_TAIL)
        self._count = 0

    def _add(self, raw: _Raw) -> None:
        self._count += 1
        if self._count <= _HEAD:
            self._head.append(raw)
        else:
            self._tail.append(raw)
        if self._on_event is not None:
            self._on_event(self._shown(raw))

    def octets(self, direction: str, octets: bytes | memoryview) -> None:
        """Octets as they were written or read; past the beginning their frames say enough."""
        if self._count < _HEAD or self._on_event is not None:
            self._add((self._clock(), "octets", direction, len(octets), bytes(octets[:EXCERPT]), None, ""))
        else:
            self._count += 1

    def frame(
        self,
        direction: str,
        opcode: int,
        excerpt: bytes,
        length: int,
        *,
        fin: bool,
        rsv: int,
        masked: bool,
        note: str = "",
    ) -> None:
        """A frame: put together to be sent, or received whole. `excerpt`: the beginning of its payload."""
        self._add((self._clock(), "frame", direction, length, excerpt[:EXCERPT], (opcode, fin, rsv, masked), note))

    def timer(self, note: str) -> None:
        """Something about the clock."""
        self._add((self._clock(), "timer", None, None, b"", None, note))

    def note(self, note: str) -> None:
        """Something else worth knowing."""
        self._add((self._clock(), "note", None, None, b"", None, note))

    def _shown(self, raw: _Raw) -> WireEvent:
        at, kind, direction, length, data, frame, note = raw
        opcode, fin, rsv, masked = frame or (None, None, None, None)
        return WireEvent.model_validate(
            {
                "kind": kind,
                "direction": direction,
                "at_ms": round((at - self._began) * 1000, 3),
                "length": length,
                "opcode": opcode,
                "fin": fin,
                "rsv": rsv,
                "masked": masked,
                "data": _excerpt(
                    data, digits=kind == "octets" or bool(rsv), more=length is not None and length > len(data)
                ),
                "note": note,
            }
        )

    def events(self) -> list[WireEvent]:
        """What was kept, in order."""
        return [self._shown(raw) for raw in (*self._head, *self._tail)]

    @property
    def omitted(self) -> int:
        """How many events were left out between beginning and end."""
        return self._count - len(self._head) - len(self._tail)


def _excerpt(data: bytes, *, digits: bool, more: bool) -> str:
    """Octets, and a payload that is compressed, as digits; others as text where they are text. `…`: there was more."""
    ellipsis = "…" if more else ""
    if digits:
        return data.hex() + ellipsis
    try:
        # an excerpt may end inside a character
        return data.decode("utf-8", "ignore" if more else "strict") + ellipsis
    except UnicodeDecodeError:
        return f"0x{data.hex()}{ellipsis}"
