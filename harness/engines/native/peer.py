"""A client that does with a connection what a probe wants: too much, too slowly, half of it, or nothing at all.

It sits on a plain socket and not on asyncio's transports, for two things that these hide: that a write failed while
there is still something to read (a close frame in front of a reset), and how many octets the kernel still holds back.
With TLS (wss://) the socket is an encrypted one, and these are the encrypted octets.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import fcntl
import ipaddress
import os
import socket
import ssl
import struct
import termios
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from harness.cases.model import Frame, Opcode
from harness.endpoint import Endpoint
from harness.engines.native import frames
from harness.engines.native.opening import MAX_HEAD, Deflate, OpeningError, check
from harness.engines.native.wire import WireLog
from harness.handshake import tls_context

_READ = 256 << 10
_SLICE = 256 << 10
#: Octets of messages, whole or not, that wait to be looked at; beyond them nothing is read, so that a flooding server
#: gets nowhere. Each frame counts for some more than it has, for empty ones take memory too.
_HELD = 64 << 20
_EACH = 256
#: What a socket raises that can't go on at once.
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_MOST_IN_CONTROL = 125  # RFC 6455 5.5
_MOST_TIMES = 1000
_POLL_S = 0.002
_EXCERPT = 4096
#: What all frames of a peer are masked with: one key makes the octets of a probe the same in every run.
KEY = b"\x37\xfa\x21\x3d"
PATTERN = b"wsconform limit "  # 16 octets, so that masking it gives another pattern


class Message(NamedTuple):
    """A message that came whole."""

    opcode: int
    payload: bytes
    compressed: bool
    fragments: int


def payload(size: int) -> bytes:
    """So many octets of the pattern."""
    return (PATTERN * (size // len(PATTERN) + 1))[:size]


def masked_payload(size: int) -> bytes:
    """The same as it stands in a masked frame."""
    return (frames.mask(PATTERN, KEY) * (size // len(PATTERN) + 1))[:size]


def header(opcode: int, size: int, *, fin: bool = True, rsv: int = 0) -> bytes:
    """A masked frame's octets before its payload, which may never come."""
    return frames.header(Frame(opcode, b"", fin, rsv), size, KEY)


def frame(opcode: int, content: bytes = b"", *, fin: bool = True, rsv: int = 0) -> bytes:
    """A whole masked frame."""
    return frames.encode(Frame(opcode, content, fin, rsv), KEY)


def close_payload(code: int, reason: str = "") -> bytes:
    """The payload of a close frame (RFC 6455 5.5.1)."""
    return struct.pack("!H", code) + reason.encode()


class Peer:
    """One connection. What comes is read and put in order at once, unless `stop_reading` said not to.

    `most_held`: octets of messages that may wait to be looked at before it reads no more.
    """

    def __init__(
        self, endpoint: Endpoint, wire: WireLog, *, receive_buffer: int | None = None, most_held: int | None = None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.endpoint = endpoint
        self._wire = wire
        self._receive_buffer = receive_buffer
        self._most_held = _HELD if most_held is None else most_held
        self._socket = self._new_socket(socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET)
        self._news = asyncio.Event()
        self._reading = False
        self._buffer = bytearray()
        self._raw = False  #: after a refusal of the opening handshake there are no frames
        self._message = bytearray()
        self._opcode = self._fragments = 0
        self._compressed = False
        self._held = 0
        self.request = b""
        self.head = b""  #: the answer to the opening handshake
        self.status: int | None = None
        self.body = bytearray()  #: what follows an answer that is not 101
        self.beginning = bytearray()  #: of what follows a 101, as it came
        self.agreed: Deflate | None = None
        self.problem = ""  #: why the answer is none to go on with
        self.broken_rules: list[str] = []  #: of framing, that what came breaks (RFC 6455 5); it is read all the same
        self.too_much = 0  #: octets of a frame that are more than it may hold: after its header nothing is read
        self.answers_pings = True
        self._writing = False
        self._waiting = b""  #: the pong that came up inside a write; of several the latest will do (RFC 6455 5.5.3)
        self.messages: deque[Message] = deque()
        self.counts: Counter[int] = Counter()  #: frames that came, by opcode
        self.pings: list[float] = []  #: when pings came, the first thousand
        self.longest_ping = 0
        self.pongs: deque[bytes] = deque(maxlen=_MOST_TIMES)
        self.close_came = False
        self.close_code: int | None = None
        self.ended: str | None = None  #: `end of stream` or `reset`, when nothing more can come
        self.ended_at: float | None = None
        self.broken = False  #: whether a write failed: the peer takes nothing any more
        self.sent = 0  #: octets that the kernel took
        self.refused_at: float | None = None  #: when the first of close frame, refusing answer and end came
        self.taken: int | None = None  #: of `sent`, what had left our kernel at that time

    # opening and ending

    def _new_socket(self, family: int) -> socket.socket:
        new = socket.socket(family, socket.SOCK_STREAM)
        new.setblocking(False)
        new.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._receive_buffer:
            new.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer)
        return new

    async def connect(self, seconds: float = 5.0) -> None:
        """Make the TCP connection and read what comes; OSError (TimeoutError is one) if there is none to be had."""
        async with asyncio.timeout(seconds):
            try:
                ipaddress.ip_address(self.endpoint.host)
            except ValueError:
                await self._connect_by_name()
            else:
                await self._loop.sock_connect(self._socket, (self.endpoint.host, self.endpoint.port))
            if self.endpoint.secure:
                await self._encrypt()
        self.start_reading()

    async def _connect_by_name(self) -> None:
        """Try each address that the host's name stands for: of `localhost` a server may listen on one only."""
        problem = OSError(0, "its name stands for no address")
        for family, _, _, _, address in await self._loop.getaddrinfo(
            self.endpoint.host, self.endpoint.port, type=socket.SOCK_STREAM
        ):
            self._socket.close()
            self._socket = self._new_socket(family)
            try:
                await self._loop.sock_connect(self._socket, address)
            except OSError as error:
                problem = error
            else:
                return
        raise problem

    async def _encrypt(self) -> None:
        """The handshake of TLS."""
        secured = tls_context().wrap_socket(
            self._socket, server_hostname=self.endpoint.host, do_handshake_on_connect=False
        )
        self._socket = secured
        while True:
            try:
                secured.do_handshake()
            except ssl.SSLWantReadError:
                await self._ready(self._loop.add_reader, self._loop.remove_reader)
            except ssl.SSLWantWriteError:
                await self._ready(self._loop.add_writer, self._loop.remove_writer)
            else:
                return

    async def _ready(self, add: Callable[..., object], remove: Callable[..., object]) -> None:
        ready = asyncio.Event()
        add(self._socket, ready.set)
        try:
            await ready.wait()
        finally:
            remove(self._socket)

    def opening_request(self, lines: Iterable[str] = ()) -> bytes:
        """A right opening request (RFC 6455 4.1), with these header lines besides."""
        self._key = base64.b64encode(os.urandom(16))
        endpoint = self.endpoint
        return "\r\n".join(
            (
                f"GET {endpoint.resource} HTTP/1.1",
                f"Host: {endpoint.authority}",
                "Upgrade: websocket",
                "Connection: Upgrade",
                f"Sec-WebSocket-Key: {self._key.decode()}",
                "Sec-WebSocket-Version: 13",
                *endpoint.origin_lines,
                *lines,
                "\r\n",
            )
        ).encode("latin-1", "replace")

    async def open(self, *lines: str, offer: str = "", seconds: float = 10.0) -> bool:
        """Shake hands; False if that did not give a WebSocket (`status`, `problem` and `ended` tell why)."""
        lines += (f"Sec-WebSocket-Extensions: {offer}",) if offer else ()
        self.request = self.opening_request(lines)
        await self.write(self.request)
        await self.answer(seconds)
        if self.status != 101:  # noqa: PLR2004
            return False
        try:
            self.agreed = check(bytes(self.head), self._key, offer)
        except OpeningError as error:
            self.problem = str(error)
            return False
        self.sent = 0  # of what follows
        return True

    async def answer(self, seconds: float) -> bool:
        """Wait for the answer to an opening handshake, or the end."""
        return await self.until(lambda: self.status is not None or self.ended is not None, seconds)

    def end_writing(self) -> None:
        """End our half of the stream."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_WR)  # an SSLSocket's own gives up reading as well

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.drop()

    def drop(self) -> None:
        """End the connection: TCP's usual end, unless there is something unread."""
        self.stop_reading()
        self._socket.close()

    # reading

    def start_reading(self) -> None:
        """Read what comes from now on."""
        if not self._reading and self.ended is None:
            self._reading = True
            self._loop.add_reader(self._socket, self._readable)

    def stop_reading(self) -> None:
        """Leave what comes to the kernel, until it holds no more."""
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._socket)

    def skip(self) -> None:
        """Drop what the kernel holds of what came, of a peer that has stopped reading; the wire log tells how much."""
        dropped = 0
        with contextlib.suppress(OSError):
            while data := self._socket.recv(_READ):
                dropped += len(data)
        self._wire.note(f"{dropped:,} octets that came are dropped, for the kernels had stopped talking")

    @property
    def port(self) -> int:
        """The TCP port that it is connected from."""
        return int(self._socket.getsockname()[1])

    def _readable(self) -> None:
        try:
            data = self._socket.recv(_READ)
        except _NOT_NOW:
            return
        except OSError:
            self._end("reset")
            return
        if not data:
            # whoever asks first is told of a reset, and that may have been a write
            self._end("reset" if self.broken else "end of stream")
            return
        self._wire.octets("received", data)
        self._take(data)
        if self._held > self._most_held:
            self._wire.note("this is more than is looked at: no more is read")
            self.stop_reading()
        self._news.set()

    def _end(self, how: str) -> None:
        self.stop_reading()
        self.ended, self.ended_at = how, self._loop.time()
        self._wire.note("the peer's reset" if how == "reset" else "the peer ended the stream")
        # what a reset found without an acknowledgement may well have been taken
        self._refused(0 if how == "reset" else self.unsent())
        self._news.set()

    def _refused(self, unsent: int) -> None:
        if self.refused_at is None:
            self.refused_at = self._loop.time()
            self.taken = self.sent - unsent

    def unsent(self) -> int:
        """Octets that our kernel has and the peer's did not take yet (of a socket that has ended: none)."""
        if self._socket.fileno() >= 0:
            with contextlib.suppress(OSError):
                return int(struct.unpack("i", fcntl.ioctl(self._socket, termios.TIOCOUTQ, b"\0" * 4))[0])
        return 0

    def _take(self, data: bytes) -> None:
        if self._raw:
            self._more_body(data)
            return
        self._buffer += data
        if self.status is None:
            if not self._answered():
                return
            data = bytes(self._buffer)
        self.beginning += data[: max(0, _EXCERPT - len(self.beginning))]
        while self._frame():
            pass

    def _answered(self) -> bool:
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end and len(self._buffer) <= MAX_HEAD:
            return False
        words = head.split(b"\r\n", 1)[0].split()
        self.head = bytes(head)
        # RFC 9112 4: three digits; whatever else is said is no status
        told = words[1] if len(words) > 1 and words[0].startswith(b"HTTP/") else b""
        self.status = int(told) if len(told) == 3 and told.isdigit() else 0  # noqa: PLR2004
        self._buffer = rest
        if self.status != 101:  # noqa: PLR2004
            self._raw = True
            self._refused(self.unsent())
            self._more_body(bytes(rest))
            return False
        return True

    def _more_body(self, data: bytes) -> None:
        self.body += data[: max(0, MAX_HEAD - len(self.body))]

    def _frame(self) -> bool:
        """Take one whole frame out of the buffer."""
        held = self._buffer
        if len(held) < 2:  # noqa: PLR2004
            return False
        size, start = held[1] & 0x7F, 2
        if size >= 126:  # noqa: PLR2004 - RFC 6455 5.2
            start = 4 if size == 126 else 10  # noqa: PLR2004
            if len(held) < start:
                return False
            size = int.from_bytes(held[2:start], "big")
        masked = bool(held[1] & 0x80)  # RFC 6455 5.1 forbids it to a server; what it says is read all the same
        start += 4 * masked
        if len(held) < start + size:
            if size > self._most_held:
                # no refusal: it goes on, but nobody listens
                self.too_much = size
                self._wire.note(f"a frame of {size:,} octets is more than is looked at: no more is read")
                self.stop_reading()
            return False
        self._look_at(held[0], held[1], size, start - 2 - 4 * masked)
        first, content = held[0], bytes(held[start : start + size])
        if masked:
            content = frames.mask(content, bytes(held[start - 4 : start]))
        del held[: start + size]
        self._wire.frame(
            "received", first & 0x0F, content, size, fin=bool(first & 0x80), rsv=first >> 4 & 7, masked=masked
        )
        self._received(first, content)
        return True

    def _look_at(self, first: int, second: int, size: int, form: int) -> None:
        """Note the rules that a frame breaks, of which `form` octets are its extended length."""
        compressed = self.agreed is not None and first >> 4 & 7 == 4  # noqa: PLR2004 - RSV1 alone
        found = frames.broken_rules(first, second, compressed=compressed, inside=bool(self._fragments))
        if form and (problem := frames.wrong_length(size, form)) is not None:
            found.append(problem)
        if self.close_came and first & 0x0F < Opcode.CLOSE:  # 5.5.1 speaks of data frames
            found.append("a data frame behind its close frame")
        if len(self.broken_rules) < _MOST_TIMES:
            self.broken_rules += found

    def _received(self, first: int, content: bytes) -> None:
        opcode = first & 0x0F
        self.counts[opcode] += 1
        if opcode == Opcode.PING:
            if len(self.pings) < _MOST_TIMES:
                self.pings.append(self._loop.time())
            self.longest_ping = max(self.longest_ping, len(content))
            if self.answers_pings:
                self._pong(content)
        elif opcode == Opcode.PONG:
            self.pongs.append(content[:_MOST_IN_CONTROL])
        elif opcode == Opcode.CLOSE:
            if not self.close_came:
                self.close_came = True
                self.close_code = int.from_bytes(content[:2], "big") if len(content) > 1 else None
                self._refused(self.unsent())
        else:
            self._data(first, opcode, content)

    def _data(self, first: int, opcode: int, content: bytes) -> None:
        if opcode:
            self._opcode, self._compressed = opcode, bool(first & 0x40)
        self._message += content
        self._fragments += 1
        self._held += len(content) + _EACH
        if first & 0x80:
            self.messages.append(Message(self._opcode, bytes(self._message), self._compressed, self._fragments))
            self._message.clear()
            self._fragments = 0

    async def next_message(self, seconds: float) -> Message | None:
        """The next message that is complete, or None: it refused, ended, or the time was up."""
        await self.until(lambda: bool(self.messages) or self.close_came or self.ended is not None, seconds)
        if not self.messages:
            return None
        message = self.messages.popleft()
        self._held -= len(message.payload) + _EACH * message.fragments
        if self._held <= self._most_held:
            self.start_reading()
        return message

    async def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until it holds, looking at it whenever something came; whether it does."""
        deadline = self._loop.time() + seconds
        while not condition():
            self._news.clear()
            left = deadline - self._loop.time()
            if left <= 0:
                return False
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), left)
        return True

    @property
    def refused(self) -> bool:
        """Whether a close frame, a refusing answer or the end has come."""
        return self.refused_at is not None

    async def refusal(self, seconds: float) -> bool:
        """Wait for it."""
        return await self.until(lambda: self.refused, seconds)

    async def pong(self, seconds: float, content: bytes) -> bool:
        """Wait for a pong with this content, and forget those that came."""
        came = await self.until(lambda: content in self.pongs or self.refused, seconds)
        self.pongs.clear()
        return came

    async def drained(self, seconds: float) -> bool:
        """Wait until the peer's kernel has all that was written, or it refused; False if that takes longer."""
        deadline = self._loop.time() + seconds
        while self.unsent() and not self.refused and self._loop.time() < deadline:  # noqa: ASYNC110 - the kernel tells nobody
            await asyncio.sleep(_POLL_S)
        return not self.unsent()

    async def end(self, seconds: float) -> bool:
        """Wait for the end of the stream, or a reset."""
        return await self.until(lambda: self.ended is not None, seconds)

    # writing

    def _pong(self, content: bytes) -> None:
        """Answer a ping as soon as no other frame is being written, if there is room."""
        octets = frame(Opcode.PONG, content)
        if self._writing:
            self._waiting = octets
            return
        with contextlib.suppress(OSError):
            self.sent += self._socket.send(octets)

    async def write(self, octets: bytes | memoryview, patience: float = 10.0, *, until_refused: bool = False) -> bool:
        """Write all of it; False if the peer took nothing for `patience` seconds, takes no more, or (if so) refused."""
        self._wire.octets("sent", octets)
        self._writing = True
        try:
            return await self._write(memoryview(octets), patience, until_refused=until_refused)
        finally:
            self._writing = False
            waiting, self._waiting = self._waiting, b""
            with contextlib.suppress(OSError):
                self.sent += self._socket.send(waiting) if waiting else 0

    async def _write(self, view: memoryview, patience: float, *, until_refused: bool) -> bool:
        while len(view):
            if until_refused and self.refused:
                return False
            try:
                count = self._socket.send(view[:_SLICE])
            except _NOT_NOW:
                if not await self._room(patience, until_refused=until_refused):
                    return False
            except OSError:
                self.broken = True
                return False
            else:
                self.sent += count
                view = view[count:]
                if len(view):
                    await asyncio.sleep(0)  # let what came be read
        return True

    async def _room(self, patience: float, *, until_refused: bool) -> bool:
        """Wait until the kernel takes more; False if it does not within `patience` seconds, or on a refusal."""
        room = False

        def writable() -> None:
            nonlocal room
            room = True
            self._news.set()

        self._loop.add_writer(self._socket, writable)
        try:
            await self.until(lambda: room or (until_refused and self.refused), patience)
        finally:
            self._loop.remove_writer(self._socket)
        return room

    async def echo(self, content: bytes, seconds: float = 10.0, *, opcode: int = Opcode.BINARY) -> bool:
        """Whether a message in one frame comes back as it was sent."""
        await self.write(frame(opcode, content), seconds, until_refused=True)
        message = await self.next_message(seconds)
        return message is not None and message.payload == content

    def how_refused(self) -> str:
        """The refusal in the words of `Measured.refusal`."""
        if self.close_came:
            return f"close {self.close_code}" if self.close_code is not None else "close without a code"
        if self.status is not None and self._raw:
            return f"HTTP {self.status}"
        return self.ended or ""
