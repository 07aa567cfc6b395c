"""A connection's socket: reading, writing from any thread, deadlines, and an end that loses nothing.

Sockets stay in blocking mode without a timeout, for Python polls before each call on a socket that has
one. A deadline is kept by the server's timekeeper instead: `tick` shuts the socket down and a blocked
call returns.
"""

import contextlib
import fcntl
import socket
import struct
import termios
import threading
from time import monotonic

from refimpl._errors import ConnectionClosedError, ConnectionTimeoutError
from refimpl._frames import Opcode, close_payload, frame
from refimpl._masking import Data
from refimpl._parameters import Parameters
from refimpl._timekeeper import Timekeeper

NEVER = float("inf")
READ_SIZE = 64 * 1024
_BULK_READ_SIZE = 256 * 1024  # inside a large payload
_SLICE = 256 * 1024  # how much is written at once: a peer that takes none of it in time is silent
_JOINED_UP_TO = 8 * 1024  # below this, copying header and payload together is cheaper than a second write
# After an error the peer may have megabytes under way. Closing with them unread sends a reset, which
# destroys the close frame on its way to the peer; so they are read and dropped, within these bounds.
_PING = frame(Opcode.PING, b"")
_LINGER_SECONDS = 5.0
_LINGER_BYTES = 64 * 1024 * 1024


class Connection:
    """A socket that several threads write to and one reads."""

    def __init__(self, sock: socket.socket, parameters: Parameters, timekeeper: Timekeeper) -> None:
        self.sock = sock
        self.parameters = parameters
        self.close_sent = False
        self.timed_out = False
        self._timekeeper = timekeeper
        self._write_lock = threading.Lock()
        self._end_lock = threading.Lock()  # a descriptor must not be closed while another thread shuts it down
        self._ended = False
        self._pending: dict[str, bytes] = {}  # control frames for whoever writes, one of a kind
        self._unsent = b""  # the rest of a ping of which the kernel took a part
        self._silent_since = monotonic()
        self._unread = 0
        self._writing_since = 0.0  # 0 when nothing is being written
        self._next_ping = NEVER
        self._connection_timeout = NEVER
        self._deadline = self._silent_since + (parameters.handshake_timeout or NEVER)
        self._watch(self._deadline)

    def _watch(self, when: float) -> None:
        if when < NEVER and not self._ended:
            self._timekeeper.watch(self, when)

    def open(self) -> None:
        """Begin pings and timeouts: the opening handshake is complete."""
        now = monotonic()
        self._silent_since, self._deadline = now, NEVER
        self._connection_timeout = self.parameters.connection_timeout or NEVER
        self._next_ping = now + (self.parameters.ping_interval or NEVER)
        self._watch(min(now + self._connection_timeout, self._next_ping))

    def read(self, remaining: int = 0) -> bytes:
        """Read what there is, blocking; b"" when there will be nothing more. `remaining` is a hint."""
        try:
            data = self.sock.recv(READ_SIZE if remaining < READ_SIZE else _BULK_READ_SIZE)
        except OSError:
            return b""  # reset: all the same, nothing will come
        self._silent_since = monotonic()
        return data

    def write(self, header: bytes, payload: Data = b"") -> None:
        """Write a frame; raises ConnectionClosedError or ConnectionTimeoutError when it cannot be written."""
        with self._write_lock:
            if self.close_sent:
                raise self.lost()
            self._write(header, payload)
        if self._pending:
            self._flush()

    def write_raw(self, data: bytes) -> None:
        """Write the answer to the opening handshake."""
        with self._write_lock:
            self._write(data)

    def _write(self, header: bytes, payload: Data = b"") -> None:
        if self._unsent:
            header, self._unsent = self._unsent + header, b""
        self._writing_since = monotonic()
        try:
            if len(payload) <= _JOINED_UP_TO:
                self.sock.sendall(header + payload)
                return
            self.sock.sendall(header, socket.MSG_MORE)  # which the kernel joins with what follows
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
        if self.timed_out:
            return ConnectionTimeoutError(f"the peer was silent for {self.parameters.connection_timeout} s")
        if self.close_sent:
            return ConnectionClosedError("the connection is closed or closing")
        return ConnectionClosedError("the connection was lost without a closing handshake")

    def send_pong(self, payload: bytes) -> None:
        """Answer a ping, or leave that to the thread that is writing; one pong at most waits (RFC 6455 5.5.3)."""
        self._pending["pong"] = frame(Opcode.PONG, payload)
        self._flush()

    def send_close(self, code: int | None, reason: str = "", *, wait: bool = True, fail: bool = False) -> None:
        """Send a close frame once and give the peer `close_timeout` to answer it.

        Without `wait` nothing blocks: where another thread is writing, that one sends the close frame next.
        With `fail` no answer is wanted: the peer sees the end of the stream at once (RFC 6455 7.1.7).
        """
        kind, close = "failure" if fail else "close", frame(Opcode.CLOSE, close_payload(code, reason))
        if wait:
            with self._write_lock:
                self._write_control(kind, close)
        else:
            self._pending[kind] = close
            self._flush(now=True)
        self._set_deadline(monotonic() + (self.parameters.close_timeout or NEVER))

    def _flush(self, *, now: bool = False) -> None:
        # Whoever holds the lock comes here after releasing it, so nothing is left behind.
        while self._pending and self._write_lock.acquire(blocking=False):
            try:
                while self._pending:
                    self._write_control(*self._pending.popitem(), now=now)
            finally:
                self._write_lock.release()

    def _write_control(self, kind: str, data: bytes, *, now: bool = False) -> None:
        if self.close_sent:  # nothing follows a close frame (RFC 6455 5.5.1)
            return
        self.close_sent = kind in {"close", "failure"}
        with contextlib.suppress(ConnectionClosedError, ConnectionTimeoutError, OSError):
            (self._write_now if now else self._write)(data)
            if kind == "failure":
                self.sock.shutdown(socket.SHUT_WR)

    def _write_now(self, data: bytes) -> None:
        """Write what the kernel takes without blocking: all of a small frame, or nothing, nearly always."""
        with contextlib.suppress(OSError):
            data = self._unsent + data
            self._unsent = data[self.sock.send(data, socket.MSG_DONTWAIT) :]

    def _set_deadline(self, when: float) -> None:
        self._deadline = min(self._deadline, when)
        self._watch(self._deadline)

    def tick(self, now: float) -> float | None:
        """Do what is due, called by the timekeeper; it never blocks."""
        if now >= self._deadline:
            self.cut()
            return None
        due = min(self._deadline, self._check_silence(now))
        if now >= self._next_ping:
            self._next_ping = now + self.parameters.ping_interval
            self._pending["ping"] = _PING
            self._flush(now=True)
        due = min(due, self._next_ping)
        return None if due == NEVER or self._ended else due

    def _check_silence(self, now: float) -> float:
        """Cut a peer that was silent too long, and return when to look again."""
        # A peer that answers with bytes that user code has not read yet is not silent; one that takes
        # nothing of a write is, whatever it sends.
        since = self._writing_since
        if not since:
            since = self._silent_since
            if since + self._connection_timeout > now:
                self._unread = 0
            elif self._has_unread():
                since = self._silent_since = now
        else:
            since = max(since, self._silent_since)
        if since + self._connection_timeout > now:
            return since + self._connection_timeout
        self.timed_out = True
        self.send_close(ConnectionTimeoutError.close_code, wait=False)
        self.cut()
        return NEVER

    def _has_unread(self) -> bool:
        """Tell whether the kernel holds bytes that came since the last look, or so many that no more can come."""
        with self._end_lock:
            if self._ended:
                return False
            (unread,) = struct.unpack("i", fcntl.ioctl(self.sock, termios.FIONREAD, b"\0\0\0\0"))
        grown, self._unread = unread > self._unread or unread >= READ_SIZE, unread
        return bool(grown)

    def cut(self) -> None:
        """End all reading and writing now; blocked calls return."""
        with self._end_lock, contextlib.suppress(OSError):
            if not self._ended:
                self.sock.shutdown(socket.SHUT_RDWR)

    def finish(self, *, clean: bool = False) -> None:
        """Close the socket, after the peer had its chance to read all that it was sent (RFC 6455 7.1.1).

        After a `clean` closing handshake nothing more may come, so nothing is waited for.
        """
        self._set_deadline(monotonic() + min(self.parameters.close_timeout or _LINGER_SECONDS, _LINGER_SECONDS))
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)
            buffer, dropped = bytearray(READ_SIZE), 0
            flags = socket.MSG_DONTWAIT if clean else 0
            while dropped < _LINGER_BYTES and (size := self.sock.recv_into(buffer, 0, flags)):
                dropped += size
        self.cut()
        with self._write_lock, self._end_lock:
            self._ended = True
            self.sock.close()
        self._timekeeper.forget(self)
