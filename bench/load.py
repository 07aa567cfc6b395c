"""The load: one connection, prebuilt binary frames, and never more than `window` messages without an echo.

While the clock runs, octets are all that is looked at. Every message of a run is the same frame, so the stream to send
is one frame repeated for ever, `octets sent` is a position in it, and `octets received` divided by the length of an
echo is how many messages came back. That needs no parsing, no copy and no object per message, which is what keeps
the generator cheaper than the servers; and it can neither run out of memory nor deadlock: the frames are one buffer,
and the socket is never written to with blocking.

What it takes on trust meanwhile is checked before and after: an echo is one unfragmented frame with the payload that
was sent. Anything else in between (a ping, a fragment, a frame too many) shifts the stream: then octets are left over
when the run ends, or stand where the check after it looks for its echo.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import random
import select
import socket
import struct
import sys
import time
from collections.abc import Callable
from math import inf
from typing import NamedTuple, Self

from harness.endpoint import Endpoint

BINARY = 0x2
CLOSE = 0x8
STALL_LIMIT_S = 10.0
_BATCH_OCTETS = 256 << 10  # what one send() may offer when many messages are due; more does not fit a socket buffer
_BUFFER_OCTETS = 1 << 20
_CLOSE_LIMIT_S = 2.0
_MAX_HEAD = 16 << 10
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 1.3
# On Linux, TCP discards what it is told to truncate, without a copy (tcp(7)): the servers get that time.
_DISCARD = socket.MSG_TRUNC if sys.platform == "linux" else 0
_NOW = socket.MSG_DONTWAIT


class LoadError(Exception):
    """The server does not echo as the measurement needs it; one line says how."""


class Sample(NamedTuple):
    """One measurement."""

    messages: float  #: echoed, with the fraction of the last one
    seconds: float
    server_cpu: float  #: seconds of processor time that the server used
    generator_cpu: float  #: likewise, this process

    @property
    def rate(self) -> float:
        """Messages per second."""
        return self.messages / self.seconds

    @property
    def server_cpu_per_message(self) -> float:
        """Seconds of the server's processor time per message."""
        return self.server_cpu / self.messages if self.messages else inf

    @property
    def generator_share(self) -> float:
        """Part of one core that the load generator used, 0 to 1."""
        return self.generator_cpu / self.seconds


def frame_header(opcode: int, length: int, mask: bytes = b"") -> bytes:
    """The header of an unfragmented frame (RFC 6455 5.2), masked if there is a masking key."""
    masked = 0x80 if mask else 0
    if length < 126:  # noqa: PLR2004 - RFC 6455 5.2
        return bytes([0x80 | opcode, masked | length]) + mask
    if length < 1 << 16:
        return struct.pack("!BBH", 0x80 | opcode, masked | 126, length) + mask
    return struct.pack("!BBQ", 0x80 | opcode, masked | 127, length) + mask


def masked_frame(opcode: int, payload: bytes, mask: bytes) -> bytes:
    """A frame as a client sends it (RFC 6455 5.3)."""
    key = int.from_bytes((mask * (len(payload) // 4 + 1))[: len(payload)], "big")
    body = (int.from_bytes(payload, "big") ^ key).to_bytes(len(payload), "big")
    return frame_header(opcode, len(payload), mask) + body


class Load:
    """A connection to an echo server. A context manager: leaving it closes the connection."""

    def __init__(self, endpoint: Endpoint, size: int, window: int, *, stall_limit: float = STALL_LIMIT_S) -> None:
        """Connect and shake hands; LoadError if the server does not. `size` is octets, from 1 up."""
        self._size = size
        self._window = window
        self._stall_limit = stall_limit
        self._mask = os.urandom(4)
        payload = random.Random(size).randbytes(size)  # noqa: S311 - any octets will do; the same ones every time
        self._payload = payload
        frame = masked_frame(BINARY, payload, self._mask)
        self._frame_length = len(frame)
        self._echo_length = len(frame) - len(self._mask)
        self._stream = memoryview(frame * max(1, _BATCH_OCTETS // len(frame)))
        self._buffer = bytearray(_BUFFER_OCTETS)
        self._sent = 0
        self._received = 0
        try:
            self._socket = socket.create_connection((endpoint.host, endpoint.port), stall_limit)
        except OSError as error:
            raise LoadError(f"it cannot be connected to: {error}") from error
        try:
            self._shake_hands(endpoint)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # The kernel's time limit in place of Python's, which costs a poll() per call.
            self._socket.settimeout(None)
            limit = struct.pack("@ll", int(stall_limit), int(stall_limit % 1 * 1e6))
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        except OSError as error:
            self._socket.close()
            raise self._broken(error) from error
        except BaseException:
            self._socket.close()
            raise
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN | select.POLLOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close: the server's close frame, if it comes soon, is not looked at."""
        with contextlib.suppress(OSError), self._socket:
            close = masked_frame(CLOSE, struct.pack("!H", 1000), self._mask)
            self._socket.settimeout(_CLOSE_LIMIT_S)
            self._socket.send(close, _NOW)
            self._socket.shutdown(socket.SHUT_WR)
            deadline = time.monotonic() + _CLOSE_LIMIT_S
            while time.monotonic() < deadline and self._socket.recv_into(self._buffer):
                pass

    def measure(self, seconds: float, server_cpu: Callable[[], float]) -> Sample:
        """Check the echo, warm up for a fifth of the time, measure, and check again; LoadError says what is wrong."""
        self._check(self._payload)
        try:
            self._run(time.perf_counter() + seconds / 5)
            server, generator, received, start = server_cpu(), time.process_time(), self._received, time.perf_counter()
            self._run(start + seconds)
            end, generator_end, server_end = time.perf_counter(), time.process_time(), server_cpu()
            sample = Sample(
                messages=(self._received - received) / self._echo_length,
                seconds=end - start,
                server_cpu=server_end - server,
                generator_cpu=generator_end - generator,
            )
            self._drain()
        except OSError as error:
            raise self._broken(error) from error
        self._check(self._payload[::-1])
        return sample

    def _run(self, deadline: float) -> None:
        """Keep the window full until then."""
        self._exchange(inf, deadline)

    def _drain(self) -> None:
        """Complete the frame that is under way, and wait for all echoes and not an octet more."""
        messages = -(-self._sent // self._frame_length)
        self._exchange(messages, inf)
        if surplus := self._received - messages * self._echo_length:
            raise LoadError(f"it sent {surplus} octets more than the echoes have: fragments, or frames of its own")

    def _exchange(self, messages: float, deadline: float) -> None:
        """Send and receive until the deadline, or until so many messages (since the beginning) have come back."""
        connection, buffer, stream, window = self._socket, self._buffer, self._stream, self._window
        frame_length, echo_length, period, clock = self._frame_length, self._echo_length, len(stream), time.perf_counter
        sent, received = self._sent, self._received
        try:
            while received < messages * echo_length and clock() < deadline:
                may_send = min(received // echo_length + window, messages) * frame_length
                if sent < may_send:
                    position = sent % period
                    try:
                        sent += connection.send(stream[position : position + int(may_send - sent)], _NOW)
                    except BlockingIOError:
                        if not self._poll.poll(self._stall_limit * 1000):
                            raise
                # With nothing left to send there is something to wait for, and nothing else to do.
                count = 0
                try:
                    count = connection.recv_into(buffer, 0, _DISCARD | (_NOW if sent < may_send else 0))
                except BlockingIOError:
                    if sent >= may_send:
                        raise
                else:
                    if not count:
                        raise ConnectionResetError
                received += count
        finally:
            self._sent, self._received = sent, received

    def _check(self, payload: bytes) -> None:
        """Send one message and compare its echo, octet by octet."""
        try:
            self._socket.sendall(masked_frame(BINARY, payload, self._mask))
            expected = frame_header(BINARY, len(payload))
            header = self._read(2)
            if header[0] != expected[0] or header[1] & 0x80:
                raise LoadError(self._strange(header))
            if header + self._read(len(expected) - 2) != expected:
                raise LoadError(f"its echo is not one frame of {len(payload)} octets; fragments cannot be measured")
            if self._read(len(payload)) != payload:
                raise LoadError("its echo is not what was sent")
        except OSError as error:
            raise self._broken(error) from error

    def _strange(self, header: bytes) -> str:
        first, second = header
        opcode = first & 0x0F
        if opcode == CLOSE and first & 0x80 and (second & 0x7F) >= 2:  # noqa: PLR2004 - a code
            body = self._read(second & 0x7F)
            reason = body[2:].decode("utf-8", "replace")
            return f"it closed the connection with code {int.from_bytes(body[:2], 'big')} {reason!a}"
        if opcode in {0, BINARY} and first & 0x70 == 0 and first != 0x80 | BINARY:
            return "it fragments its echo, which cannot be measured"
        return f"it sent a frame that begins with {header.hex(' ')} in place of an echo"

    def _read(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            chunk = self._socket.recv(min(count - len(parts), _BUFFER_OCTETS))
            if not chunk:
                raise ConnectionResetError
            parts += chunk
        return bytes(parts)

    def _broken(self, error: OSError) -> LoadError:
        answered = f"after {self._received // self._echo_length} messages"
        if isinstance(error, BlockingIOError | TimeoutError):
            return LoadError(f"it sent nothing for {self._stall_limit:g} s, {answered}")
        if isinstance(error, ConnectionResetError | BrokenPipeError):
            return LoadError(f"it closed the connection {answered}")
        return LoadError(f"{error.strerror or error}, {answered}")

    def _shake_hands(self, endpoint: Endpoint) -> None:
        """The opening handshake (RFC 6455 4.1), which offers no extension."""
        key = base64.b64encode(os.urandom(16))
        self._socket.sendall(
            f"GET {endpoint.resource} HTTP/1.1\r\nHost: {endpoint.authority}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key.decode()}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n") and len(head) < _MAX_HEAD:
            octet = self._socket.recv(1)  # not one octet of the first frame may be taken
            if not octet:
                break
            head += octet
        accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
        if not head.startswith(b"HTTP/1.1 101 ") or accept not in head:
            raise LoadError(f"it refused the opening handshake: {head[:80].decode('latin-1')!a}")
