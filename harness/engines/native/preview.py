"""A case on paper: what the native engine would send, to the octet, without a peer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from harness.cases.model import Case
from harness.engines.native.connection import keys_of
from harness.engines.native.conversation import Conversation
from harness.engines.native.drivers import Exchanger, Script, max_message
from harness.engines.native.opening import Deflate
from harness.engines.native.wire import WireLog
from harness.results import WireEvent
from harness.wire_text import wire_line


class Line(NamedTuple):
    """Something that the case does: in words, and the octets that it writes, in pieces."""

    words: str
    octets: bytes = b""


class _Paper:
    """A link to nowhere that notes what is written. Waits are over at once."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def write(self, octets: bytes | memoryview, chop: int = 0) -> None:
        del chop
        last = self.lines[-1]
        self.lines[-1] = last._replace(octets=last.octets + bytes(octets))

    def drop(self, *, abort: bool) -> None:
        """There is nothing to drop."""

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Time does not pass."""

    def pause(self, seconds: float, call: Callable[[], None]) -> None:
        del seconds
        call()

    def note(self, event: WireEvent) -> None:
        self.lines.append(Line(wire_line(event.model_copy(update={"at_ms": None})).strip()))


def preview(case: Case, keys: Iterator[bytes | None] | None = None) -> list[Line]:
    """What the case sends and waits for; of an exchange of messages the first one. `keys`: the masking keys.

    What a case that talks sends hangs on what it is told: its title says it, and a run's wire log shows it.
    """
    if case.talk is not None:
        return []
    paper = _Paper()
    wire = WireLog(lambda: 0.0, paper.note)
    keys = keys_of(case) if keys is None else keys
    driver = Script(case, paper, wire) if case.exchange is None else Exchanger(case.exchange, paper, wire, keys)
    conversation = Conversation(paper, wire, keys, driver, max_message=max_message(case))
    driver.on_open(conversation, Deflate() if case.exchange and case.exchange.offer else None)
    return paper.lines
