"""The two high-level interfaces: what a handler gets, blocking and concurrent."""

import queue
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from typing import Any, TypeAlias

from refimpl._connection import Connection
from refimpl._errors import ConnectionClosedError, InvalidDataError, UnexpectedError, WebSocketError
from refimpl._frames import Opcode, frame, frame_header
from refimpl._handshake import Request
from refimpl._masking import Data
from refimpl._protocol import Close, DeferredProtocol, Event, Failure, MaskedMessage, Ping, Protocol

Message: TypeAlias = str | bytes
_MESSAGES = (str, bytes, MaskedMessage)
_NORMAL_CLOSURE = 1000  # RFC 6455 7.4.1
_NO_STATUS = 1005
_ABNORMAL_CLOSURE = 1006


def _encode(message: str | Data, begun: Opcode = Opcode.CONTINUATION) -> tuple[Opcode, Data]:
    if begun and isinstance(message, str) is not (begun == Opcode.TEXT):
        raise TypeError("the fragments of a message are all text or all binary")
    if isinstance(message, str):
        return Opcode.TEXT, message.encode()
    return Opcode.BINARY, message if isinstance(message, bytes) else memoryview(message).cast("B")


class WebSocket:
    """An open connection, blocking: `receive` reads from the network in the caller's thread.

    One thread receives at a time; any number may send. Iterating gives the messages until the
    connection is closed.
    """

    _protocol_type: type[Protocol] = Protocol

    def __init__(self, connection: Connection, request: Request, first: bytes) -> None:
        self.request = request
        self.close_code: int | None = None  # what the peer said, 1005 without a code, 1006 without a close frame
        self.close_reason = ""
        self._connection = connection
        self._parameters = connection.parameters
        self._protocol = self._protocol_type(connection.parameters)
        self._events = deque(self._protocol.receive(first))
        self._message_lock = threading.Lock()  # a fragmented message is not interrupted by another one
        self._over = False
        self._error: WebSocketError | None = None

    def __iter__(self) -> Iterator[Message]:
        return iter(self.receive, None)

    def receive(self) -> Message | None:
        """Return the next message, text as `str` and binary as `bytes`; None when the connection is closed.

        With `propagate_common_errors` an error that ends the connection is raised, once:
        ProtocolError, ReservedBitsError, InvalidDataError, MessageTooLargeError,
        ConnectionTimeoutError, ConnectionClosedError (lost without a closing handshake).
        """
        message: Message | None = self._next()
        if message is None:
            self._raise_once()
        return message

    def send(self, message: str | Data) -> None:
        """Send a message in one frame, `str` as text and anything else as binary; blocks until it is written.

        Raises ConnectionClosedError when the connection is closed or closing, and
        ConnectionTimeoutError when the peer took nothing of it for `connection_timeout`.
        """
        opcode, payload = _encode(message)
        with self._message_lock:
            self._connection.write(frame_header(opcode, len(payload)), payload)

    def send_fragments(self, fragments: Iterable[str | Data]) -> None:
        """Send one message in a frame for each fragment and an empty last one, all text or all binary (RFC 6455 5.4).

        Raises as `send`, and TypeError when the kinds are mixed. After that, or when the iterable raises,
        the message cannot be completed, so the connection is failed with 1011.
        """
        begun = Opcode.CONTINUATION
        with self._message_lock:
            try:
                for fragment in fragments:
                    opcode, payload = _encode(fragment, begun)
                    header = frame_header(Opcode.CONTINUATION if begun else opcode, len(payload), fin=False)
                    self._connection.write(header, payload)
                    begun = opcode
            except BaseException:
                self._connection.send_close(UnexpectedError.close_code, fail=True)
                raise
            self._connection.write(frame_header(Opcode.CONTINUATION if begun else Opcode.BINARY, 0))

    def ping(self, payload: bytes = b"") -> None:
        """Send a ping of at most 125 bytes; the pong only shows that the peer lives."""
        if len(payload) > 125:  # noqa: PLR2004 - RFC 6455 5.5
            raise ValueError("a ping is at most 125 bytes")
        self._connection.write(frame(Opcode.PING, payload))

    def close(self, code: int = _NORMAL_CLOSURE, reason: str = "") -> None:
        """Begin the closing handshake and wait for the peer, at most `close_timeout`; messages are dropped.

        In the blocking interface it receives, so it is for the thread that does.
        Raises ValueError for a code that must not be sent or a reason over 123 bytes.
        """
        self._connection.send_close(code, reason)
        self._wait_closed()

    def _wait_closed(self) -> None:
        while self._next() is not None:
            pass

    def _next(self) -> Any:  # noqa: ANN401 - a Message, or a MaskedMessage if that is what the protocol gives
        """Return the next message, after doing what comes before it; None when the connection is closed."""
        events = self._events
        while not self._over:
            if events:
                event = events.popleft()
                if isinstance(event, _MESSAGES):
                    return event
                self._handle(event)
            elif data := self._connection.read(self._protocol.remaining):
                events.extend(self._protocol.receive(data))
                if events or not self._protocol.is_inside_frame:
                    self._connection.note_whole_frame()
            else:
                self._fail(self._connection.lost())
        return None

    def _handle(self, event: Event) -> None:
        if isinstance(event, Ping):
            if not self._parameters.drop_incoming_pings:
                self._connection.send_control(Opcode.PONG, event.payload)
        elif isinstance(event, Close):
            self.close_code, self.close_reason = event.code or _NO_STATUS, event.reason
            self._connection.send_close(event.code)  # RFC 6455 5.5.1: the answer echoes the code
            self._over = True
            self._connection.finish(clean=True)
        elif isinstance(event, Failure):
            self._fail(event.error)

    def _fail(self, error: WebSocketError) -> None:
        """Fail the connection (RFC 6455 7.1.7), or take note that it is lost."""
        lost = isinstance(error, ConnectionClosedError)
        if not (lost and self._connection.close_sent):  # else we closed, and no answer came
            self._error = error
        self.close_code = _ABNORMAL_CLOSURE
        if not lost:
            self._connection.send_close(error.close_code, str(error), fail=True)
        self._over = True
        self._connection.finish()

    def _raise_once(self) -> None:
        error, self._error = self._error, None
        if error is not None and self._parameters.propagate_common_errors:
            raise error

    def conclude(self, error: BaseException | None) -> WebSocketError | None:
        """Close after the handler returned or raised: the one place where its errors become close codes.

        Returns what the server's user must be told: with `propagate_common_errors` every error, without
        it UnexpectedError alone.
        """
        if error is None:
            self._connection.send_close(_NORMAL_CLOSURE)
        else:
            if not isinstance(error, WebSocketError):
                error = UnexpectedError.caused("the handler", error)
            if not isinstance(error, ConnectionClosedError):
                self._connection.send_close(error.close_code)
        self._wait_closed()
        if isinstance(error, UnexpectedError) or self._parameters.propagate_common_errors:
            return error or self._error
        return None


class ConcurrentWebSocket(WebSocket):
    """An open connection whose messages are read in the background while the handler works.

    They are unmasked, joined and checked in parallel, so they may come out of order; sending blocks
    still. What waits is bounded: the background stops reading at `_READ_AHEAD` messages or once
    `max_message_size` bytes wait, and goes on when the handler has received. Any number of threads
    may receive.
    """

    _protocol_type = DeferredProtocol
    _READ_AHEAD = 64

    def __init__(self, connection: Connection, request: Request, first: bytes, pool: Executor) -> None:
        super().__init__(connection, request, first)
        self._pool = pool
        self._ready: queue.SimpleQueue[tuple[Message | None, int]] = queue.SimpleQueue()
        self._waiting = threading.Condition()  # guards the three below
        self._messages = self._bytes = 0  # that were read, and not received by the handler yet
        self._abandoned = False
        self._reader = threading.Thread(target=self._read_ahead, name="refimpl-reader", daemon=True)
        self._reader.start()

    def receive(self) -> Message | None:
        """Return a message that is complete, or wait for one; as `WebSocket.receive` but for the order."""
        message, size = self._ready.get()
        if message is None:
            self._ready.put((None, 0))  # for every other thread, and every later call
            self._raise_once()
        else:
            self._done(size)
        return message

    def _done(self, size: int) -> None:
        with self._waiting:
            self._messages -= 1
            self._bytes -= size
            self._waiting.notify_all()

    def _has_room(self) -> bool:
        full = self._messages >= self._READ_AHEAD or self._bytes >= self._parameters.max_message_size
        return not full or self._abandoned

    def _read_ahead(self) -> None:
        while (message := self._next()) is not None:
            with self._waiting:
                self._waiting.wait_for(self._has_room)
                if self._abandoned or self._connection.close_sent:
                    continue
                self._messages += 1
                self._bytes += message.size
            self._pool.submit(self._assemble, message)
        with self._waiting:
            self._waiting.wait_for(lambda: self._messages == self._ready.qsize())
        self._ready.put((None, 0))

    def _assemble(self, message: MaskedMessage) -> None:
        try:
            self._ready.put((message.assemble(), message.size))
        except InvalidDataError as error:
            self._error = error
            self._connection.send_close(error.close_code, str(error), fail=True)
            self._done(message.size)
        with self._waiting:
            self._waiting.notify_all()

    def _wait_closed(self) -> None:
        with self._waiting:
            self._abandoned = True
            self._waiting.notify_all()
        self._reader.join()
