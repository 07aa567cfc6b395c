"""A connection after its handshake, without I/O: bytes in, events out.

Theory of operation. `Protocol.receive` gets bytes in whatever chunks the network made and returns what
they complete. Between two calls it holds one of:

- less than a header, or a header and part of a control frame: at most 131 bytes, in `_held`;
- part of a data frame: `remaining` bytes of it are to come, what came is in `_message`, unmasked already;
- between two fragments: the message so far in `_message`.

So its memory is the message's, which a frame header is checked against before a byte of payload is
taken, and it grows with what came, never with what was announced. A message that is all there in one
frame takes a shorter way, with no state at all.

After a close frame or a failure everything else is ignored (RFC 6455 5.5.1, 7.1.7).
"""

from typing import NamedTuple, TypeAlias

from refimpl._errors import MessageTooLargeError, ProtocolError, WebSocketError
from refimpl._frames import CONTROL, Opcode, check_utf8, decode_utf8, parse_close, parse_header
from refimpl._masking import unmask, unmask_from
from refimpl._parameters import Parameters


class Ping(NamedTuple):
    """A ping frame came (RFC 6455 5.5.2)."""

    payload: bytes


class Pong(NamedTuple):
    """A pong frame came, asked for or not (RFC 6455 5.5.3)."""

    payload: bytes


class Close(NamedTuple):
    """A close frame came; the code is None where it had none (RFC 6455 7.1.5)."""

    code: int | None
    reason: str


class Failure(NamedTuple):
    """The connection must be failed (RFC 6455 7.1.7) with `error.close_code`."""

    error: WebSocketError


class MaskedMessage:
    """A message all of whose frames came, still masked, for `DeferredProtocol`."""

    __slots__ = ("_fragments", "_opcode", "size")

    def __init__(self, opcode: int, fragments: list[tuple[bytes | bytearray, bytes]]) -> None:
        self._opcode = opcode
        self._fragments = fragments
        self.size = sum(len(payload) for payload, _ in fragments)

    def assemble(self) -> str | bytes:
        """Unmask, join and check; raises InvalidDataError. It may run in any thread."""
        payload = b"".join([unmask(payload, key) for payload, key in self._fragments])
        return decode_utf8(payload) if self._opcode == Opcode.TEXT else payload


Event: TypeAlias = str | bytes | MaskedMessage | Ping | Pong | Close | Failure


class Protocol:
    """What a server reads: a text message is a `str` event, a binary one `bytes`."""

    def __init__(self, parameters: Parameters) -> None:
        self._max_frame_size = parameters.max_frame_size
        self._max_message_size = parameters.max_message_size
        self._max_fragments = parameters.max_fragments
        self._held = b""
        self._opcode = 0  # of the message in progress; 0 between messages
        self._size = 0  # of the message in progress, with the frame in progress
        self._fragments = 0
        self._message = bytearray()
        self._checked = 0  # how much of a text in progress is known to be UTF-8
        self._fin = False
        self._key = b""  # rotated to where the payload goes on
        self.remaining = 0  # how many bytes of the data frame in progress are to come: a hint for the next read
        self._over = False

    @property
    def is_inside_frame(self) -> bool:
        """Whether what came so far ends inside a frame, or its header."""
        return bool(self.remaining or self._held)

    def receive(self, data: bytes) -> list[Event]:
        """Take what came and return what it completes; an error is the last event and never raised."""
        events: list[Event] = []
        if not self._over:
            try:
                self._parse(data, events)
            except WebSocketError as error:
                self._finish()
                events.append(Failure(error))
        return events

    def _parse(self, data: bytes, events: list[Event]) -> None:
        position = 0
        if self.remaining:
            position = self._take(data, 0, events)
        elif self._held:
            data = self._held + data
            self._held = b""
        end = len(data)
        while position < end:
            header = parse_header(data, position)
            if header is None:
                self._held = data[position:]
                return
            fin, opcode, length, key, start = header
            if opcode & CONTROL:
                if end - start < length:
                    self._held = data[position:]
                    return
                position = start + length
                events.append(self._control(opcode, unmask(data[start:position], key)))
                if self._over:
                    return
                continue
            self._check(opcode, length)
            position = start + length
            if fin and opcode and position <= end:
                events.append(self._whole(opcode, data[start:position], key))
                continue
            self._opcode = opcode or self._opcode
            self._size += length
            self._fragments += 1
            self._fin, self._key, self.remaining = fin, key, length
            position = self._take(data, start, events)

    def _check(self, opcode: int, length: int) -> None:
        """Refuse a data frame by its header alone, before its payload is read."""
        if opcode:
            if self._opcode:
                raise ProtocolError("a message begins inside another one")  # RFC 6455 5.4
        elif not self._opcode:
            raise ProtocolError("a continuation frame continues nothing")  # RFC 6455 5.4
        if length > self._max_frame_size:
            raise MessageTooLargeError(f"a frame of {length} bytes is over the limit of {self._max_frame_size}")
        if self._size + length > self._max_message_size:
            raise MessageTooLargeError(f"a message is over the limit of {self._max_message_size} bytes")
        if self._fragments >= self._max_fragments:
            raise MessageTooLargeError(f"a message has more than {self._max_fragments} fragments")

    def _take(self, data: bytes, start: int, events: list[Event]) -> int:
        """Take payload of the frame in progress and return where it ends in the data."""
        chunk = data[start : start + self.remaining]
        size = len(chunk)
        self.remaining -= size
        self._append(chunk)
        if self.remaining:
            turn = size % 4
            self._key = self._key[turn:] + self._key[:turn]
        elif self._fin:
            events.append(self._joined())
            self._opcode = self._size = self._fragments = 0
        return start + size

    def _whole(self, opcode: int, payload: bytes, key: bytes) -> Event:
        payload = unmask(payload, key)
        return decode_utf8(payload) if opcode == Opcode.TEXT else payload

    def _append(self, chunk: bytes) -> None:
        message = self._message
        start = len(message)
        message += chunk
        unmask_from(message, start, self._key)
        if self._opcode == Opcode.TEXT:
            # RFC 6455 8.1: invalid text fails the connection, here as soon as the wrong byte came.
            with memoryview(message) as view, view[self._checked :] as unchecked:
                self._checked += check_utf8(unchecked, final=False)

    def _joined(self) -> Event:
        message = self._message
        event = decode_utf8(message) if self._opcode == Opcode.TEXT else bytes(message)
        self._message = bytearray()
        self._checked = 0
        return event

    def _control(self, opcode: int, payload: bytes) -> Event:
        if opcode == Opcode.PING:
            return Ping(payload)
        if opcode == Opcode.PONG:
            return Pong(payload)
        close = Close(*parse_close(payload))
        self._finish()
        return close

    def _finish(self) -> None:
        self._over = True
        self.remaining = 0
        self._held = b""
        self._message = bytearray()


class DeferredProtocol(Protocol):
    """The same rules, but messages come out as `MaskedMessage`, to be assembled by somebody else.

    Their UTF-8 is therefore checked when a message is complete, not inside a frame.
    """

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._frames: list[tuple[bytes | bytearray, bytes]] = []
        self._frame_key = b""

    def _whole(self, opcode: int, payload: bytes, key: bytes) -> Event:
        return MaskedMessage(opcode, [(payload, key)])

    def _append(self, chunk: bytes) -> None:
        if not self._message:
            self._frame_key = self._key
        self._message += chunk
        if not self.remaining:
            self._frames.append((self._message, self._frame_key))
            self._message = bytearray()

    def _joined(self) -> Event:
        frames, self._frames = self._frames, []
        return MaskedMessage(self._opcode, frames)

    def _finish(self) -> None:
        super()._finish()
        self._frames = []
