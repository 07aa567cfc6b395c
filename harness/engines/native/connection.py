"""A case's connection on asyncio: the opening handshake, writes in the pieces that the case wants, clocks, the end."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import random
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterator

from harness.cases.model import Case
from harness.endpoint import Endpoint
from harness.engines.native import opening
from harness.engines.native.conversation import Conversation
from harness.engines.native.deflate import Inflater
from harness.engines.native.drivers import Driver, Exchanger, Script, max_message
from harness.engines.native.wire import WireLog
from harness.results import Closing, WireEvent
from harness.text import printable

OPENING_TIMEOUT_S = 5.0
#: A bulk case in which nothing at all moves for so long is over, whatever Autobahn's limit (up to 1,000 s) says.
STALL_S = 60.0
_SLICE = 256 << 10
#: Pieces of a message that are written before the loop gets to read: each is a segment of its own in any case.
_BURST = 64
#: Between the pieces of a frame that is sent octet by octet. At Autobahn's pace (some 50 µs) it hangs on the peer's
#: and the machine's mood whether a good message is answered before the peer sees the bad frame behind it.
_PIECE_S = 0.001
_LINGER_S = 1.0
#: Above the limits of a case: two closing timeouts, and two seconds until bulk beside it has ended.
_GRACE_S = 6.0


def keys_of(case: Case) -> Iterator[bytes]:
    """The masking keys of a case's frames: the same in every run, so that its octets can be shown and repeated."""
    source = random.Random(case.id)  # noqa: S311 - nobody is to be kept from guessing
    while True:
        yield source.getrandbits(32).to_bytes(4, "big")


class CaseConnection(asyncio.Protocol):
    """Runs one case over one TCP connection. `done` is set when its verdict can be given.

    `quick`: of the profile, in which a peer that hangs is not waited for as long.
    """

    def __init__(
        self,
        case: Case,
        endpoint: Endpoint,
        calm: Callable[[Callable[[], None]], None],
        on_event: Callable[[WireEvent], None] | None = None,
        *,
        quick: bool = False,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._stall = STALL_S / 2 if quick else STALL_S
        self.case = case
        self.done: asyncio.Future[None] = self._loop.create_future()
        self.wire = WireLog(self._loop.time, on_event)
        self.request = b""
        self.response = b""
        self.opened = False
        self.began = self.ended = self._loop.time()
        self.stalled = False
        self.conversation: Conversation | None = None
        self.opening_problem = ""
        self._endpoint = endpoint
        self._calm = calm
        self._key = base64.b64encode(os.urandom(16))
        self._keys = keys_of(case)
        self.driver: Driver = (
            Script(case, self, self.wire)
            if case.exchange is None
            else Exchanger(case.exchange, self, self.wire, self._keys)
        )
        self._transport: asyncio.Transport | None = None
        self._queue: deque[tuple[memoryview, int]] = deque()
        self._paused = self._scheduled = False
        self._timers: list[asyncio.TimerHandle] = []
        self._moved = self._loop.time()

    @property
    def closing(self) -> Closing:
        """How the connection ended."""
        if self.conversation is None:
            return Closing(was_clean=False, reason_not_clean=self.opening_problem or None)
        return self.conversation.closing

    @property
    def timed(self) -> bool:
        """Whether load may have decided something: by a clock of ours, or by a connection that was not let in."""
        return not self.opened or self.stalled or self.driver.timed or self.closing.dropped_by_engine

    def say_goodbye(self) -> None:
        """Close as one should, where there is something to close."""
        if self.conversation is not None:
            self.conversation.send_close(b"\x03\xe8")
            self._flush()

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the opening request."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream connection
        self._transport = transport
        offer = self.case.exchange.offer if self.case.exchange else ""
        self.request = opening.request(self._endpoint, self._key, offer)
        self.later(OPENING_TIMEOUT_S, self._opening_timed_out)
        self.write(self.request)
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Hand it on, then send what that gave rise to."""
        self._moved = self._loop.time()
        if self.done.done():
            return
        self.wire.octets("received", data)
        if self.conversation is None:
            self._opening(data)
        else:
            self.conversation.receive(data)
        self._flush()

    def eof_received(self) -> None:
        """The peer has closed its end: that is the end of the connection."""
        self._lost("the peer closed the TCP connection")

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        words = "the peer closed the TCP connection" if exc is None else f"the TCP connection was lost: {_why(exc)}"
        self._lost(words)

    def pause_writing(self) -> None:
        """The peer does not read as fast as we write."""
        self._paused = True

    def resume_writing(self) -> None:
        """It has caught up."""
        self._paused = False
        self._moved = self._loop.time()
        self._flush()

    # the opening handshake

    def _opening(self, data: bytes) -> None:
        self.response += data
        head, end, rest = self.response.partition(b"\r\n\r\n")
        if not end:
            if len(self.response) > opening.MAX_HEAD:
                self._opening_failed("its answer to the opening handshake has no end")
            return
        self.response = head + end
        offer = self.case.exchange.offer if self.case.exchange else ""
        try:
            agreed = opening.check(head, self._key, offer)
        except opening.OpeningError as error:
            self._opening_failed(str(error))
            return
        self._cancel_timers()
        self.opened = True
        self.began = self._loop.time()
        self.conversation = Conversation(self, self.wire, self._keys, self.driver, max_message=max_message(self.case))
        if agreed is not None:
            self.conversation.inflater = Inflater(agreed)
        self._loop_deadline()
        self.driver.on_open(self.conversation, agreed)
        if rest:
            self.conversation.receive(rest)

    def _opening_failed(self, why: str) -> None:
        self.opening_problem = why
        self.wire.note(why)
        self.drop(abort=True)

    def _opening_timed_out(self) -> None:
        self.stalled = True
        self._opening_failed(f"it did not answer the opening handshake within {OPENING_TIMEOUT_S:g} s")

    # what the conversation needs

    def write(self, octets: bytes | memoryview, chop: int = 0) -> None:
        """Queue octets; they go out when the loop's turn that gave rise to them ends."""
        if octets and not self.done.done():
            self._queue.append((memoryview(octets), chop))

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call back, then send what that gave rise to."""

        def fire() -> None:
            if not self.done.done():
                call()
                self._flush()

        self._timers.append(self._loop.call_later(seconds, fire))

    def pause(self, seconds: float, call: Callable[[], None]) -> None:
        """As `later`, but no sooner than nothing else disturbs what comes then."""

        def fire() -> None:
            if not self.done.done():
                call()
                self._flush()

        self.later(seconds, lambda: self._calm(fire))

    def drop(self, *, abort: bool) -> None:
        """End the TCP connection, and with it the case."""
        transport = self._transport
        if transport is None:
            return
        if abort:
            raw = transport.get_extra_info("socket")
            if raw is not None and raw.family in {socket.AF_INET, socket.AF_INET6}:
                with contextlib.suppress(OSError):
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        else:
            while self._queue:
                transport.write(self._queue.popleft()[0])
            transport.close()
            self._loop.call_later(_LINGER_S, transport.abort)  # a peer that does not read is not waited for
        self._end()

    def _lost(self, how: str) -> None:
        if self.done.done():
            return
        if self.conversation is not None:
            self.conversation.lost(how)
        else:
            self.opening_problem = f"{how} in the opening handshake{_quoted(self.response)}"
        if self._transport is not None:
            self._transport.abort()
        self._end()

    def _end(self) -> None:
        self._cancel_timers()
        self._queue.clear()
        if not self.done.done():
            self.ended = self._loop.time()
            self.done.set_result(None)

    def _cancel_timers(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    # sending

    def _flush(self) -> None:
        """Write what is queued: what belongs together at once, what does not in a turn of the loop of its own."""
        transport = self._transport
        if self._scheduled or transport is None:
            return
        while self._queue and not self._paused and not self.done.done():
            octets, chop = self._queue.popleft()
            if chop:
                self._write_chopped(transport, octets, chop)
                if self._queue:
                    self._scheduled = True
                    if self.case.exchange is None and chop < len(octets):
                        self._loop.call_later(_PIECE_S, self._flush_again)
                    else:
                        self._loop.call_soon(self._flush_again)
                return
            together = [octets]
            size = len(octets)
            while self._queue and self._queue[0][1] == 0 and size < _SLICE:
                together.append(self._queue.popleft()[0])
                size += len(together[-1])
            if len(together) > 1:
                octets = memoryview(b"".join(together))
            if len(octets) > _SLICE:
                self._queue.appendleft((octets[_SLICE:], 0))
                octets = octets[:_SLICE]
            self._write(transport, octets)

    def _write_chopped(self, transport: asyncio.Transport, octets: memoryview, chop: int) -> None:
        """One piece; of an exchange's bulk as many as make up a burst."""
        pieces = 1 if self.case.exchange is None else _BURST
        start = 0
        while start < len(octets) and pieces and not self._paused:
            self._write(transport, octets[start : start + chop])
            start += chop
            pieces -= 1
        if start < len(octets):
            self._queue.appendleft((octets[start:], chop))

    def _flush_again(self) -> None:
        self._scheduled = False
        self._flush()

    def _write(self, transport: asyncio.Transport, octets: memoryview) -> None:
        self.wire.octets("sent", octets)
        transport.write(octets)

    # never for ever

    def _loop_deadline(self) -> None:
        """A last limit above those of the case, for a peer that holds the connection open past all of them."""
        exchange = self.case.exchange
        if exchange is not None:
            self.later(self._stall / 12, self._check_stall)
        seconds = exchange.seconds if exchange else sum(getattr(step, "seconds", 0.0) for step in self.case.steps)
        self.later(seconds + _GRACE_S, self._out_of_time)

    def _check_stall(self) -> None:
        if self._loop.time() - self._moved > self._stall:
            self.stalled = True
            self.wire.timer(f"nothing has moved for {self._stall:g} s: closes the connection")
            assert self.conversation is not None  # noqa: S101 - set when this clock is
            self.conversation.send_close()
        else:
            self.later(self._stall / 12, self._check_stall)

    def _out_of_time(self) -> None:
        assert self.conversation is not None  # noqa: S101 - set when these clocks are
        self.stalled = True
        self.conversation.drop(abort=True, unclean="the connection was still there when all time was up")


def _why(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()


def _quoted(answer: bytes) -> str:
    return f": {printable(answer.decode('latin-1'), 80)!r}" if answer else ""
