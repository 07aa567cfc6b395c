"""A connection's socket: reading, writing from any thread, deadlines, and an end that loses nothing.

Sockets stay in blocking mode without a timeout, for Python polls before each call on a socket that has
one. Deadlines are kept by `tick` instead, which the server calls again and again: it shuts the socket
down, and a blocked call returns.

Data frames are written by the thread that sends them, which may block. Control frames must not block, so
they wait in `_pending`, one of a kind, for the first that finds the write lock free and room in the
kernel: who brings them, else the thread that is writing, else the next tick.
"""

import contextlib
import fcntl
import select
import socket
import struct
import termios
import threading
from time import monotonic

from refimpl._errors import ConnectionClosedError, ConnectionTimeoutError
from refimpl._frames import Opcode, close_payload, frame
from refimpl._masking import Data
from refimpl._parameters import Parameters

NEVER = float("inf")
READ_SIZE = 64 * 1024
_BULK_READ_SIZE = 256 * 1024  # inside a large payload
_SLICE = 256 * 1024  # how much is written at once: a peer that takes none of it in time is silent
_JOINED_UP_TO = 8 * 1024  # below this, copying header and payload together is cheaper than a second write
_MORE = getattr(socket, "MSG_MORE", 0)  # joins a header with what follows; only Linux has it
_TRICKLE = 1024  # bytes; who sends less of a frame in connection_timeout, and cannot be pinged inside it, is silent
_FULL = 32 * 1024  # bytes; with more unread TCP may have stopped the peer, so that nothing can come
# After an error the peer may have megabytes under way. Closing with them unread sends a reset, which
# destroys the close frame on its way to the peer; so they are read and dropped, within these bounds.
LINGER_SECONDS = 5.0
_LINGER_BYTES = 64 * 1024 * 1024


class Connection:
    """A socket that several threads write to and one reads."""

    def __init__(self, sock: socket.socket, parameters: Parameters) -> None:
        self.sock = sock
        self.parameters = parameters
        self.close_sent = False
        self._write_lock = threading.Lock()
        self._end_lock = threading.Lock()  # a descriptor must not be closed while another thread uses it
        self._pending: dict[Opcode, bytes] = {}
        self._failed = False
        self._timed_out = False
        self._opened = False
        self._deadline = monotonic() + (parameters.handshake_timeout or NEVER)
        self._next_ping = NEVER
        self._received = 0  # bytes
        self._whole = True  # whether what was read since the last sign of life ended with a frame, once at least
        self._seen_alive = 0  # what was received at the last sign of life
        self._writing_since = 0.0  # 0 when nothing is being written
        # What the last look at the peer saw, and when a look last found that it had done something.
        self._seen_received = 0
        self._seen_writing = 0.0
        self._alive = 0.0

    def open(self) -> None:
        """Begin pings and timeouts: the opening handshake is complete."""
        self._alive, self._seen_received = monotonic(), self._received
        self._next_ping = self._alive + (self.parameters.ping_interval or NEVER)
        self._deadline = NEVER
        self._opened = True

    def read(self, remaining: int = 0) -> bytes:
        """Read what there is, blocking; b"" when there will be nothing more. `remaining` is a hint."""
        try:
            data = self.sock.recv(READ_SIZE if remaining < READ_SIZE else _BULK_READ_SIZE)
        except OSError:
            return b""  # reset: all the same, nothing will come
        self._received += len(data)
        return data

    def note_whole_frame(self) -> None:
        """Take note that what was read ends with a frame, or completed something."""
        self._whole = True

    def write(self, header: bytes, payload: Data = b"") -> None:
        """Write a frame; raises ConnectionClosedError or ConnectionTimeoutError when it cannot be written."""
        with self._write_lock:
            if self.close_sent:
                raise self.lost()
            self._write(header, payload)
        if self._pending:
            self._flush()

    def _write(self, header: bytes, payload: Data = b"") -> None:
        self._writing_since = monotonic()
        try:
            if len(payload) <= _JOINED_UP_TO:
                self.sock.sendall(header + payload)
                return
            self.sock.sendall(header, _MORE)
            with memoryview(payload) as view:
                for start in range(0, len(view), _SLICE):
                    self._writing_since = monotonic()
                    self.sock.sendall(view[start : start + _SLICE])
        except OSError as error:
            raise self.lost() from error
        finally:
            self._writing_since = 0.0

    def lost(self) -> ConnectionTimeoutError | ConnectionClosedError:
        """Return why nothing can be read or written any more."""
        if self._timed_out:
            return ConnectionTimeoutError(f"the peer was silent for {self.parameters.connection_timeout} s")
        if self.close_sent:
            return ConnectionClosedError("the connection is closed or closing")
        return ConnectionClosedError("the connection was lost without a closing handshake")

    def send_control(self, opcode: Opcode, payload: bytes) -> None:
        """Send a control frame as soon as that does not block; of two that wait the later counts (RFC 6455 5.5.3)."""
        self._pending[opcode] = frame(opcode, payload)
        self._flush()

    def send_close(self, code: int | None, reason: str = "", *, fail: bool = False) -> None:
        """Send a close frame, the first that is asked for, and give the peer `close_timeout` to answer it.

        With `fail` no answer is wanted: the peer sees the end of the stream at once (RFC 6455 7.1.7).
        """
        self._pending.setdefault(Opcode.CLOSE, frame(Opcode.CLOSE, close_payload(code, reason)))
        self._failed |= fail
        self._deadline = min(self._deadline, monotonic() + (self.parameters.close_timeout or NEVER))
        self._flush()

    def _flush(self) -> None:
        # Whoever holds the lock comes here after releasing it, so nothing is left behind.
        while self._pending and self._write_lock.acquire(blocking=False):
            try:
                if not self._has_room():
                    return
                self._write_pending()
            finally:
                self._write_lock.release()

    def _has_room(self) -> bool:
        """Tell whether the kernel takes control frames without blocking, or has an error to tell."""
        if self.sock.fileno() < 0:
            return False
        poll = select.poll()
        poll.register(self.sock, select.POLLOUT)
        return bool(poll.poll(0))

    def _write_pending(self) -> None:
        for opcode in (Opcode.PONG, Opcode.PING, Opcode.CLOSE):
            data = self._pending.pop(opcode, None)
            if data and not self.close_sent:  # nothing follows a close frame (RFC 6455 5.5.1)
                self.close_sent = opcode == Opcode.CLOSE
                with contextlib.suppress(ConnectionClosedError, ConnectionTimeoutError):
                    self._write(data)
        if self.close_sent and self._failed:
            with contextlib.suppress(OSError):
                self.sock.shutdown(socket.SHUT_WR)

    def tick(self, now: float) -> None:
        """Do what is due; it never blocks."""
        if now >= self._deadline:
            self.cut()
        elif self._is_silent(now):
            self._timed_out = True
            self.send_close(ConnectionTimeoutError.close_code)
            self.cut()
        elif now >= self._next_ping:
            self._next_ping = now + self.parameters.ping_interval
            self.send_control(Opcode.PING, b"")
        else:
            self._flush()

    def _is_silent(self, now: float) -> bool:
        """Look at what the peer did, and tell whether that is too long ago.

        Bytes count when the kernel has them, not when user code reads them; inside a frame, which a peer can
        draw out for ever by a byte now and then, only if they are many. No ping can be sent inside a write,
        so there a part that is taken counts as well; and nothing else does.
        """
        if not (self._opened and self.parameters.connection_timeout):
            return False
        unread, writing = self._unread(), self._writing_since
        received, went_on = self._received + unread, self._seen_writing not in {0.0, writing}
        came = received > self._seen_received and (self._whole or unread or received - self._seen_alive >= _TRICKLE)
        if came or unread >= _FULL or went_on:
            self._alive, self._seen_alive, self._whole = now, received, False
        self._seen_received, self._seen_writing = received, writing
        return now - min(self._alive, writing or now) >= self.parameters.connection_timeout

    def _unread(self) -> int:
        with self._end_lock, contextlib.suppress(OSError, ValueError):  # ValueError: it is closed
            return int(struct.unpack("i", fcntl.ioctl(self.sock, termios.FIONREAD, b"\0\0\0\0"))[0])
        return 0

    def go_away(self) -> None:
        """Close with 1001 because the server stops (RFC 6455 7.4.1), or end the opening handshake; never blocks."""
        if self._opened:
            self.send_close(1001)
        else:
            self.cut()

    def cut(self) -> None:
        """End all reading and writing now; blocked calls return."""
        with self._end_lock, contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def finish(self, *, clean: bool = False) -> None:
        """Close the socket, after the peer had its chance to read all that it was sent (RFC 6455 7.1.1).

        After a `clean` closing handshake nothing more may come, so nothing is waited for.
        """
        linger = min(self.parameters.close_timeout or LINGER_SECONDS, LINGER_SECONDS)
        self._deadline = min(self._deadline, monotonic() + linger)
        with contextlib.suppress(OSError):
            with self._write_lock:
                self._write_pending()
                self.sock.shutdown(socket.SHUT_WR)
            buffer, dropped = bytearray(READ_SIZE), 0
            flags = socket.MSG_DONTWAIT if clean else 0
            while dropped < _LINGER_BYTES and (size := self.sock.recv_into(buffer, 0, flags)):
                dropped += size
        self.cut()
        with self._write_lock, self._end_lock:
            self.sock.close()
