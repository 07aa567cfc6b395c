"""What is done once the connection is open: a case's script, or its exchange of messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from harness.cases.model import (
    Case,
    Chop,
    CloseAfter,
    Event,
    Exchange,
    FailAfter,
    Frame,
    Opcode,
    Pause,
    Repeated,
    Send,
    SendClose,
    SendPart,
    Step,
)
from harness.engines.native import frames
from harness.engines.native.conversation import Conversation, Link, State
from harness.engines.native.deflate import Inflater, Messages, messages
from harness.engines.native.opening import Deflate
from harness.engines.native.wire import WireLog
from harness.results import Behavior

#: Events kept: more than any case accepts, so what comes after them changes no verdict.
_MAX_EVENTS = 200
#: Octets of a message kept beyond the longest that the case expects.
_MARGIN = 64 << 10
#: Messages of a case's exchange that are made beforehand, so that their masking keys differ.
_COPIES = 16


class Driver(Protocol):
    """Carries out a case."""

    received: list[Event]
    behavior: Behavior  #: what came of it by now
    outcome: str  #: the same in words

    @property
    def timed(self) -> bool:
        """Whether a clock of ours has decided something."""

    def on_open(self, conversation: Conversation, agreed: Deflate | None) -> None:
        """The opening handshake is done."""

    def on_message(self, payload: bytearray, *, binary: bool) -> None:
        """A whole message has come."""

    def on_pong(self, payload: bytes) -> None:
        """A pong has come."""

    def on_end(self) -> None:
        """The connection is over: judge."""


class _Timers:
    """The two clocks that cases set."""

    def __init__(self, link: Link, wire: WireLog) -> None:
        self._link = link
        self._wire = wire
        self.timed = False

    def fail_after(self, seconds: float, conversation: Conversation) -> None:
        def call() -> None:
            self.timed = True
            self._wire.timer("the time is up: fails the connection")
            conversation.fail()

        self._wire.timer(f"will fail the connection if it is still there in {seconds:g} s")
        self._link.later(seconds, call)

    def close_after(self, seconds: float, conversation: Conversation) -> None:
        def call() -> None:
            self.timed = True
            self._wire.timer("the time is up: closes the connection")
            conversation.send_close()

        self._wire.timer(f"will close the connection if it is still open in {seconds:g} s")
        self._link.later(seconds, call)


class Script:
    """Carries out a case's steps and compares what comes with what it accepts."""

    def __init__(self, case: Case, link: Link, wire: WireLog) -> None:
        self._case = case
        self._link = link
        self._wire = wire
        self._timers = _Timers(link, wire)
        self._steps: Iterator[Step] = iter(case.steps)
        self._parts: dict[int, Callable[[int, int], None]] = {}
        self._conversation: Conversation | None = None
        self.received: list[Event] = []
        self.behavior = Behavior.FAILED
        self.outcome = "What came is none of what is accepted."

    @property
    def timed(self) -> bool:
        """Whether a clock of ours has decided something."""
        return self._timers.timed or any(event.kind == "timeout" for event in self.received)

    def on_open(self, conversation: Conversation, agreed: Deflate | None) -> None:
        """Begin."""
        del agreed
        self._conversation = conversation
        self._go_on()

    def _go_on(self) -> None:
        conversation = self._conversation
        assert conversation is not None  # noqa: S101 - on_open comes first
        for step in self._steps:
            match step:
                case Send(frame, chop):
                    octets = len(frame.payload) + 14 if chop is Chop.APART else 0 if chop is Chop.TOGETHER else chop
                    conversation.send(frame, octets)
                case SendPart(frame, start, stop):
                    send = self._parts.get(id(frame)) or conversation.begin(frame)
                    self._parts[id(frame)] = send
                    send(start, stop)
                case SendClose(payload):
                    conversation.send_close(payload)
                case FailAfter(seconds):
                    self._timers.fail_after(seconds, conversation)
                case CloseAfter(seconds):
                    self._timers.close_after(seconds, conversation)
                case Pause(seconds, tag):
                    self._wire.timer(f"waits {seconds:g} s{f' ({tag})' if tag else ''}")
                    self._link.pause(seconds, lambda: self._resume(tag, conversation))
                    return

    def _resume(self, tag: str | None, conversation: Conversation) -> None:
        self._wire.timer(f"the wait is over{f' ({tag})' if tag else ''}")
        if tag is not None:
            if conversation.state is not State.OPEN:
                return
            self.received.append(Event("timeout", tag))
        self._go_on()

    def on_message(self, payload: bytearray, *, binary: bool) -> None:
        """Note it, and close if that was all."""
        self._add(Event("message", bytes(payload), binary))

    def on_pong(self, payload: bytes) -> None:
        """Note it, and close if that was all."""
        self._add(Event("pong", payload))

    def _add(self, event: Event) -> None:
        if len(self.received) < _MAX_EVENTS:
            self.received.append(event)
        case = self._case
        done = all(tuple(self.received) == events for events in case.accepted.values())
        if done and case.closes_when_done and case.close.by_engine and self._conversation is not None:
            self._conversation.send_close(case.close.codes[0].to_bytes(2, "big"))

    def on_end(self) -> None:
        """The verdict is the one whose events came, just these and in this order."""
        for behavior, events in self._case.accepted.items():
            if tuple(self.received) == events:
                self.behavior = behavior
                self.outcome = "What came is what is accepted."


class Exchanger:
    """Sends a case's messages one after the other and compares each echo, to the octet."""

    received: list[Event]

    def __init__(self, exchange: Exchange, link: Link, wire: WireLog, keys: frames.Keys) -> None:
        self._exchange = exchange
        self._timers = _Timers(link, wire)
        self._keys = keys
        self._conversation: Conversation | None = None
        self._messages: Messages | None = None
        self._prepared: list[list[bytes | memoryview]] = []
        self._content = Repeated(exchange.pattern or b"\0", exchange.size)
        self._expected = b""  #: the payload of the message that is out, of an exchange over a corpus
        self._sent = 0
        self._failed = False
        self._opcode = Opcode.BINARY if exchange.binary else Opcode.TEXT
        self.received = []
        self.behavior = Behavior.FAILED
        self.outcome = "The connection ended before the messages were exchanged."

    @property
    def timed(self) -> bool:
        """Whether a clock of ours has decided something."""
        return self._timers.timed

    def on_open(self, conversation: Conversation, agreed: Deflate | None) -> None:
        """Send the first message, or only close where the peer does not compress."""
        exchange = self._exchange
        self._conversation = conversation
        if exchange.offer and agreed is None:
            self.behavior = Behavior.UNIMPLEMENTED
            self.outcome = "The peer did not agree to permessage-deflate."
            conversation.send_close(b"\x03\xe8")
            return
        if agreed is not None:
            conversation.inflater = Inflater(agreed)
            self._messages = messages(exchange, agreed, self._keys)
        else:
            copies = _COPIES if exchange.count > 1 else 1
            self._prepared = [frames.message(exchange, self._keys) for _ in range(copies)]
        self.outcome = f"Not all messages came back within {exchange.seconds:g} s."
        self._timers.close_after(exchange.seconds, conversation)
        self._send()

    def _send(self) -> None:
        assert self._conversation is not None  # noqa: S101 - on_open comes first
        number = self._sent
        self._sent += 1
        if self._messages is None:
            pieces, excerpt, length = (
                self._prepared[number % len(self._prepared)],
                self._content.pattern,
                self._content.size,
            )
        else:
            octets, self._expected, length = self._messages[number]
            pieces, excerpt = [octets], self._expected
        fragment, chop = self._exchange.fragment, self._exchange.chop
        cut = 0 < fragment < length
        frame = Frame(self._opcode, fin=not cut, rsv=4 if self._messages is not None else 0)
        note = f"a message in fragments of {fragment}" if cut else f"{chop} octets in a write" if chop else ""
        self._conversation.send_prepared(pieces, frame, excerpt, length, chop=chop, note=note)

    def on_message(self, payload: bytearray, *, binary: bool) -> None:
        """An echo: compare, and send the next message or close."""
        assert self._conversation is not None  # noqa: S101 - on_open comes first
        if self._failed:
            return
        problem = self._problem(payload, binary=binary)
        if problem:
            self._failed = True
            self.behavior = Behavior.FAILED
            self.outcome = f"Message {self._sent} of {self._exchange.count}: {problem}."
        elif self._sent < self._exchange.count:
            self._send()
            return
        else:
            self.behavior = Behavior.OK
            self.outcome = "All messages came back in time."
        self._conversation.send_close(b"\x03\xe8")

    def _problem(self, payload: bytearray, *, binary: bool) -> str:
        if binary != self._exchange.binary:
            return f"it came back as {'binary' if binary else 'text'}"
        expected = len(self._expected) if self._messages is not None else self._content.size
        if len(payload) != expected:
            return f"{len(payload)} octets came back in place of {expected}"
        where = self._difference(payload)
        return "" if where is None else f"octet {where} of {expected} is another one (0x{payload[where]:02x})"

    def _difference(self, payload: bytearray) -> int | None:
        if self._messages is None:
            return self._content.difference(payload)
        if payload == self._expected:
            return None
        return next(n for n, (got, sent) in enumerate(zip(payload, self._expected, strict=True)) if got != sent)

    def on_pong(self, payload: bytes) -> None:
        """Nobody asked, nobody minds."""

    def on_end(self) -> None:
        """Judged as it went."""


def max_message(case: Case) -> int:
    """Octets that may be of interest in a message from the peer; more need not be kept."""
    if case.exchange is not None:
        return 4 * case.exchange.size + _MARGIN if case.exchange.corpus else case.exchange.size + _MARGIN
    sizes = (len(step.frame.payload) for step in case.steps if isinstance(step, Send))
    return 2 * sum(sizes) + _MARGIN
