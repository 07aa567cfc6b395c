"""One WebSocket connection seen from the engine's end: frames in, events out, and who closed it how. No I/O.

Theory of operation. A verdict about the closing hangs on details that RFC 6455 leaves to an endpoint: what it does when
the peer breaks a rule while closing is under way, whether it reads on behind a bad frame, how long it
waits. So this is Autobahn's endpoint, step by step, as its fuzzingclient 25.10.1 behaves on the wire:

- A broken rule in OPEN begins the closing handshake with the error's code; a second one, in CLOSING, drops TCP. The
  bad frame itself is still read to its end, so that the peer's answer behind it is found.
- An answer to our close is awaited for a second, then the peer's end of the TCP connection for another one; after
  either we drop the connection and it was not clean.
- A close that the peer began is answered with 1000, whatever code it had.
- Text that is no UTF-8 fails the connection (1007) at the first bad octet, and again with what follows or at the end of
  the message: then TCP is dropped.
- What can't be read on (a compressed message that does not inflate, a close reason that Python 2 can't decode) ends the
  connection as if it had been lost.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from harness.cases.model import Frame, Opcode
from harness.engines.native.deflate import Inflater
from harness.engines.native.frames import Keys, broken_rules, encode, header, mask, wrong_length
from harness.engines.native.wire import EXCERPT, WireLog
from harness.results import Closing

CLOSE_TIMEOUT_S = 1.0
DROP_TIMEOUT_S = 1.0
_MAX_CONTROL = 125
_CONTROL_KEPT = 4096  #: of a control frame's payload: more than is allowed, since one that is too long is read as well
_WHOLE_MESSAGE = frozenset({Opcode.TEXT, Opcode.BINARY})
_UNSENDABLE = frozenset({1004, 1005, 1006, *range(1012, 3000)})


class State(Enum):
    """Of the connection, from the engine's end."""

    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class Link(Protocol):
    """The connection below."""

    def write(self, octets: bytes | memoryview, chop: int = 0) -> None:
        """Send octets: together with what stands before and after (0), or so many in a write."""

    def drop(self, *, abort: bool) -> None:
        """End the TCP connection: by a reset, or after what was written has gone out."""

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call back after so many seconds, unless the connection is gone by then."""

    def pause(self, seconds: float, call: Callable[[], None]) -> None:
        """Call back after at least so many seconds, when nothing else disturbs what comes then."""


class Listener(Protocol):
    """Who is told of what the peer sends."""

    def on_message(self, payload: bytearray, *, binary: bool) -> None:
        """A whole message."""

    def on_pong(self, payload: bytes) -> None:
        """A pong."""


@dataclass
class _Incoming:
    """The frame that is being read."""

    opcode: int
    fin: bool
    rsv: int
    length: int
    key: bytes | None
    read: int = 0
    excerpt: bytes = b""


class Conversation:
    """The connection after its opening handshake. `keys` gives each frame's masking key, or None where none is due."""

    def __init__(self, link: Link, wire: WireLog, keys: Keys, listener: Listener, *, max_message: int) -> None:
        self.state = State.OPEN
        self.closing = Closing(was_clean=False)
        self.inflater: Inflater | None = None
        self._link = link
        self._wire = wire
        self._keys = keys
        self._listener = listener
        self._max_message = max_message  #: octets kept of a message; none that a case expects is longer
        self._buffer = bytearray()
        self._frame: _Incoming | None = None
        self._control = b""
        self._message = bytearray()
        self._inside_message = False
        self._binary = False
        self._compressed = False
        self._utf8: codecs.IncrementalDecoder | None = None
        self._utf8_broken = False
        self._close_answered = False

    def _note_closing(self, **fields: object) -> None:
        self.closing = self.closing.model_copy(update=fields)

    # What the engine does

    def send(self, frame: Frame, chop: int = 0) -> None:
        """Send a frame, whatever the state and however wrong it is."""
        key = next(self._keys)
        self._log_sent(frame, key, chop)
        self._link.write(encode(frame, key), chop)

    def begin(self, frame: Frame) -> Callable[[int, int], None]:
        """Begin a frame that is sent in parts; returns what sends the payload from one octet to another."""
        key = next(self._keys)
        self._log_sent(frame, key, 0)
        payload = mask(frame.payload, key) if key is not None else frame.payload
        self._link.write(header(frame, len(payload), key))
        return lambda start, stop: self._link.write(payload[start:stop])

    def send_prepared(
        self, pieces: Sequence[bytes | memoryview], frame: Frame, excerpt: bytes, length: int, *, chop: int, note: str
    ) -> None:
        """Send a message's octets that were made before; its first frame, `length` of its payload are for the log."""
        self._wire.frame("sent", frame.opcode, excerpt, length, fin=frame.fin, rsv=frame.rsv, masked=True, note=note)
        for piece in pieces:
            self._link.write(piece, chop)

    def _log_sent(self, frame: Frame, key: bytes | None, chop: int) -> None:
        self._wire.frame(
            "sent",
            frame.opcode,
            frame.payload[:EXCERPT],
            len(frame.payload),
            fin=frame.fin,
            rsv=frame.rsv,
            masked=key is not None,
            note=_how(chop) if 0 < chop < len(frame.payload) else "",
        )

    def send_close(self, payload: bytes = b"", *, answers: bool = False) -> None:
        """Send a close frame if the connection is open; then it is closing."""
        if self.state is not State.OPEN:
            return
        self.send(Frame(Opcode.CLOSE, payload))
        self.state = State.CLOSING
        self._note_closing(
            closed_by_engine=not answers,
            local_code=int.from_bytes(payload[:2], "big") if len(payload) > 1 else None,
            local_reason=payload[2:].decode("utf-8", "backslashreplace") if len(payload) > 2 else None,  # noqa: PLR2004
        )
        if not answers:
            self._link.later(CLOSE_TIMEOUT_S, self._close_timed_out)

    def fail(self, code: int = 1001, reason: str = "Going Away") -> None:
        """Fail the connection (RFC 6455 7.1.7): by a closing handshake, or by dropping it if one is under way."""
        if self.state is State.CLOSED:
            return
        self._note_closing(failed_by_engine=True)
        if self.state is State.OPEN:
            self._wire.note(f"fails the connection: {code} {reason}")
            self.send_close(struct.pack("!H", code) + reason.encode()[: _MAX_CONTROL - 2])
        else:
            self.drop(abort=False)

    def drop(self, *, abort: bool, unclean: str | None = None) -> None:
        """Drop the TCP connection; `unclean` says why that was not a clean end."""
        if self.state is State.CLOSED:
            return
        self.state = State.CLOSED
        self._note_closing(dropped_by_engine=True)
        if unclean is not None:
            self._note_closing(was_clean=False, reason_not_clean=unclean)
        self._wire.note("drops the connection")
        self._link.drop(abort=abort)

    def lost(self, how: str) -> None:
        """The connection is gone, but not by us."""
        if self.state is State.CLOSED:
            return
        self.state = State.CLOSED
        if not self.closing.was_clean and self.closing.reason_not_clean is None:
            self._note_closing(reason_not_clean=how)
        self._wire.note(how)

    def _close_timed_out(self) -> None:
        if not self._close_answered:
            self._wire.timer(f"no answer to the close within {CLOSE_TIMEOUT_S:g} s")
            self.drop(abort=True, unclean="the peer did not answer the close in time")

    def _drop_timed_out(self) -> None:
        self._wire.timer(f"the peer did not drop the connection within {DROP_TIMEOUT_S:g} s")
        self.drop(abort=True, unclean="the peer did not drop the TCP connection in time")

    def _give_up(self, why: str) -> None:
        """What it sent cannot be read on: the connection ends here, as if it had been lost."""
        self.lost(why)
        self._link.drop(abort=True)

    # What the peer does

    def receive(self, octets: bytes) -> None:
        """Take in what was read."""
        self._buffer += octets
        more = True
        while more and not self._is_closed():
            more = self._read_some()

    def _is_closed(self) -> bool:
        return self.state is State.CLOSED

    def _read_some(self) -> bool:
        """Read a header, or some payload; whether there may be more to read now."""
        return self._read_header() if self._frame is None else self._read_payload(self._frame)

    def _read_header(self) -> bool:
        buffer = self._buffer
        if len(buffer) < 2:  # noqa: PLR2004 - RFC 6455 5.2
            return False
        opcode, fin, rsv = buffer[0] & 0x0F, buffer[0] >> 7 == 1, buffer[0] >> 4 & 7
        masked, length = buffer[1] >> 7 == 1, buffer[1] & 0x7F
        compressed = self.inflater is not None and rsv == 4  # noqa: PLR2004 - RSV1
        plain = fin and not rsv and not masked and opcode in _WHOLE_MESSAGE and not self._inside_message
        if not plain:
            for problem in broken_rules(*buffer[:2], compressed=compressed, inside=self._inside_message):
                self.fail(1002, problem)
        extended = {126: 2, 127: 8}.get(length, 0)
        end = 2 + extended + 4 * masked
        if len(buffer) < end:
            return False
        if extended:
            length = int.from_bytes(buffer[2 : 2 + extended], "big")
            if (wrong := wrong_length(length, extended)) is not None:
                self.fail(1002, wrong)
        self._frame = _Incoming(opcode, fin, rsv, length, bytes(buffer[end - 4 : end]) if masked else None)
        del buffer[:end]
        self._frame_begins(self._frame)
        return length == 0 or len(buffer) > 0

    def _frame_begins(self, frame: _Incoming) -> None:
        if frame.opcode >= Opcode.CLOSE:
            self._control = b""
            return
        if self._inside_message:
            return
        self._inside_message = True
        self._binary = frame.opcode == Opcode.BINARY
        self._message = bytearray()
        self._compressed = self.inflater is not None and frame.rsv == 4  # noqa: PLR2004
        if self._compressed and self.inflater is not None:
            self.inflater.begin()
        self._utf8 = codecs.getincrementaldecoder("utf-8")() if frame.opcode == Opcode.TEXT else None
        self._utf8_broken = False

    def _read_payload(self, frame: _Incoming) -> bool:
        rest = frame.length - frame.read
        payload = bytes(self._buffer[:rest])
        del self._buffer[:rest]
        if frame.key is not None and payload:
            turned = frame.read % 4
            payload = mask(payload, frame.key[turned:] + frame.key[:turned])
        frame.read += len(payload)
        if len(frame.excerpt) < EXCERPT:
            frame.excerpt += payload[:EXCERPT]
        if frame.opcode >= Opcode.CLOSE:
            self._control += payload[: _CONTROL_KEPT - len(self._control)]
        elif not self._data(payload):
            return False
        if frame.read == frame.length:
            self._frame_ends(frame)
        return len(self._buffer) > 0

    def _data(self, payload: bytes) -> bool:
        """Take in some of a data frame's payload; False where that ended the connection."""
        if self._compressed and self.inflater is not None:
            try:
                payload = self.inflater.feed(payload, self._max_message - len(self._message) + 1)
            except ValueError as error:
                self._give_up(f"its compressed data can't be inflated: {error}")
                return False
        if self._utf8 is not None and payload:
            if not self._utf8_broken:
                try:
                    self._utf8.decode(payload)
                except UnicodeDecodeError:
                    self._utf8_broken = True
            if self._utf8_broken:
                self.fail(1007, "a text message that is not UTF-8")
        if not self.closing.failed_by_engine and len(self._message) <= self._max_message:
            # one octet too many is kept: enough to be no message that anybody expects
            self._message += payload[: self._max_message + 1 - len(self._message)]
        return True

    def _frame_ends(self, frame: _Incoming) -> None:
        self._wire.frame(
            "received",
            frame.opcode,
            frame.excerpt,
            frame.length,
            fin=frame.fin,
            rsv=frame.rsv,
            masked=frame.key is not None,
        )
        if frame.opcode >= Opcode.CLOSE:
            self._control_frame(frame.opcode, self._control)
        elif frame.fin:
            if self._compressed and self.inflater is not None and not self._inflated():
                return
            if self._utf8 is not None and (self._utf8_broken or self._utf8.getstate()[0]):
                self.fail(1007, "a text message that ends inside a character")
            if not self.closing.failed_by_engine:
                self._listener.on_message(self._message, binary=self._binary)
            self._inside_message = False
        self._frame = None

    def _inflated(self) -> bool:
        """End a compressed message; False where that ended the connection."""
        try:
            if self.inflater is not None:
                self.inflater.end()
        except ValueError as error:
            self._give_up(f"its compressed data can't be inflated: {error}")
            return False
        return True

    def _control_frame(self, opcode: int, payload: bytes) -> None:
        if opcode == Opcode.CLOSE:
            self._close_frame(payload)
        elif opcode == Opcode.PING:
            if self.state is State.OPEN:
                self.send(Frame(Opcode.PONG, payload))
        elif opcode == Opcode.PONG:
            self._listener.on_pong(payload)

    def _close_frame(self, payload: bytes) -> None:
        code = int.from_bytes(payload[:2], "big") if len(payload) > 1 else None
        reason = payload[2:]
        self._note_closing(remote_code=code)
        if code is not None and (not 1000 <= code < 5000 or code in _UNSENDABLE):  # noqa: PLR2004 - RFC 6455 7.4
            self.fail(1002, f"the close code {code}")
        self._note_closing(remote_reason=reason.decode("utf-8", "backslashreplace") if reason else None)
        if not _is_utf8(reason, final=False):
            self.fail(1007, "a close reason that is not UTF-8")
        if not _is_utf8(reason, "surrogatepass"):  # Python 2 decodes surrogates, and stumbles over the rest
            self._give_up("a close reason that can't be decoded")
            return
        if self.state is State.CLOSING:
            self._close_answered = True
            self._note_closing(was_clean=True)
            self._link.later(DROP_TIMEOUT_S, self._drop_timed_out)
        elif self.state is State.OPEN:
            self._note_closing(was_clean=True)
            self.send_close(b"\x03\xe8", answers=True)
        else:
            self._note_closing(was_clean=False)


def _how(chop: int) -> str:
    return "octet by octet" if chop == 1 else f"{chop} octets in a write"


def _is_utf8(octets: bytes, errors: str = "strict", *, final: bool = True) -> bool:
    """Whether it is; where it is not final, whether it may be the beginning of it."""
    try:
        codecs.getincrementaldecoder("utf-8")(errors).decode(octets, final)
    except UnicodeDecodeError:
        return False
    return True
