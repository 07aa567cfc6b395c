"""What the tests of the native engine share: a link with a clock that the test controls, and a parser of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import repeat
from typing import NamedTuple, Self

from harness.engines.native.conversation import Conversation
from harness.engines.native.frames import Keys
from harness.engines.native.wire import WireLog

KEY = b"\x37\xfa\x21\x3d"  # RFC 6455 5.7


class Parsed(NamedTuple):
    """A frame that was found in octets, its payload unmasked."""

    opcode: int
    payload: bytes
    fin: bool = True
    rsv: int = 0
    key: bytes | None = None


def parse(octets: bytes) -> list[Parsed]:
    """The frames in octets (RFC 6455 5.2); octets that are no whole frame are an error of the test."""
    return list(_parse(octets))


def _parse(octets: bytes) -> Iterator[Parsed]:
    at = 0

    def take(size: int) -> bytes:
        nonlocal at
        at += size
        assert at <= len(octets), "a frame is cut short"
        return octets[at - size : at]

    while at < len(octets):
        first, second = take(2)
        size = second & 127
        if size > 125:
            size = int.from_bytes(take(2 if size == 126 else 8), "big")
        key = take(4) if second & 128 else None
        payload = take(size)
        if key is not None:
            payload = bytes(octet ^ key[place % 4] for place, octet in enumerate(payload))
        yield Parsed(first & 15, payload, first >= 128, first >> 4 & 7, key)


class ScriptedLink:
    """Records what is written and dropped; its timers fire when the test lets time pass."""

    def __init__(self) -> None:
        self.now = 0.0
        self.writes: list[tuple[bytes, int]] = []
        self.drops: list[str] = []
        self._timers: list[tuple[float, Callable[[], None]]] = []

    def write(self, octets: bytes | memoryview, chop: int = 0) -> None:
        self.writes.append((bytes(octets), chop))

    def drop(self, *, abort: bool) -> None:
        self.drops.append("reset" if abort else "closed")
        self._timers.clear()

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        self._timers.append((self.now + seconds, call))

    def pause(self, seconds: float, call: Callable[[], None]) -> None:
        self.later(seconds, call)

    def let_pass(self, seconds: float) -> None:
        """Let time pass and fire what is due, in order."""
        until = self.now + seconds
        while due := [timer for timer in self._timers if timer[0] <= until]:
            timer = min(due, key=lambda timer: timer[0])
            self._timers.remove(timer)
            self.now = timer[0]
            timer[1]()
        self.now = until

    @property
    def sent(self) -> list[Parsed]:
        """The frames that were written, one after the other."""
        return parse(b"".join(octets for octets, _ in self.writes))

    @property
    def closes(self) -> list[int | None]:
        """The codes of the close frames that were written."""
        payloads = [frame.payload for frame in self.sent if frame.opcode == 8]
        return [int.from_bytes(payload[:2], "big") if payload else None for payload in payloads]


class Talk:
    """A conversation that sends unmasked, to a listener that notes what it is told."""

    def __init__(self, *, max_message: int = 1000, keys: Keys | None = None) -> None:
        self.link = ScriptedLink()
        self.wire = WireLog(lambda: self.link.now)
        self.events: list[tuple[str, str | bytes]] = []
        unmasked: Keys = repeat(None)
        self.conversation = Conversation(
            self.link, self.wire, unmasked if keys is None else keys, self, max_message=max_message
        )

    def on_message(self, payload: bytearray, *, binary: bool) -> None:
        self.events.append(("binary", bytes(payload)) if binary else ("text", payload.decode()))

    def on_pong(self, payload: bytes) -> None:
        self.events.append(("pong", payload))

    def hears(self, *pieces: bytes) -> Self:
        """The peer's octets, in these pieces."""
        for piece in pieces:
            self.conversation.receive(piece)
        return self

    @property
    def notes(self) -> list[str]:
        return [event.note for event in self.wire.events() if event.kind in {"note", "timer"}]
