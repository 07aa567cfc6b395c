"""One connection of the echo server, without a fault.

Octets go in at `data_received`, and everything that they ask for is written before it returns, so that the order of
answers never hangs on a scheduler. Each method does one thing that the RFC asks for: a fault is a subclass that does
one of them wrong, and the class is all that it takes to add one (`FAULTS`).
"""

from __future__ import annotations

import asyncio
import codecs
import re
import socket
import struct
from typing import ClassVar, NamedTuple, cast

from tests.faulty import opening
from tests.faulty.deflate import Deflate, Parameters, TooMuchError, negotiate

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
RSV1 = 4
NORMAL, GOING_AWAY, PROTOCOL_ERROR, INVALID_DATA, TOO_BIG = 1000, 1001, 1002, 1007, 1009
#: RFC 6455 7.4.1 and the registry of 7.4.2; 1004 to 1006 and 1015 are never sent
CLOSE_CODES = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)})
#: Autobahn sends 16 MiB at most; twice that has to be fine
LARGEST_MESSAGE = 1 << 26
#: How long the other side has to read our close frame and to close too, in seconds, before TCP is closed over its head
LINGER_S = 2.0

#: Every fault by its name: `class BinaryAsText(Connection)` is `FAULT=binary-as-text`
FAULTS: dict[str, type[Connection]] = {}


class FailureError(Exception):
    """Fail the connection with this close code (RFC 6455 7.1.7)."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Header(NamedTuple):
    """The first two octets of a frame."""

    fin: bool
    rsv: int
    opcode: int
    masked: bool
    length: int  #: 7 bits: 126 and 127 say that the length follows in 16 or 64


def xor(octets: bytes, key: bytes) -> bytes:
    """Mask or unmask (RFC 6455 5.3), as one big number, which is what is quick in Python."""
    mask = (key * (len(octets) // 4 + 1))[: len(octets)]
    return (int.from_bytes(octets, "big") ^ int.from_bytes(mask, "big")).to_bytes(len(octets), "big")


class Connection(asyncio.Protocol):
    """One client, from TCP's accept to its close."""

    #: What followed the fault's name in FAULT
    argument: ClassVar[str] = ""
    compression: ClassVar[bool] = False
    #: Checks of the opening request and its offers that are not made
    skips: ClassVar[frozenset[str]] = frozenset()
    #: The server's side: the listening socket, and what accepts connections from it
    listener: ClassVar[socket.socket]
    accepting: ClassVar[asyncio.Task[None]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if not cls.__name__.startswith("_"):
            FAULTS[re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()] = cls

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.gone = asyncio.Event()
        self.transport: asyncio.Transport
        self.buffer = bytearray()
        self.open = False
        self.deaf = False  # what comes is dropped
        self.deflate: Deflate | None = None
        # the frame that is being read
        self.header: Header | None = None
        self.missing = 0  # octets of its payload
        self.key = b""
        self.payload = bytearray()
        # the message that is being read
        self.opcode: int | None = None
        self.compressed = False
        self.fragments: list[bytes] = []
        self.size = 0
        self.utf8 = self.new_utf8_decoder()
        self.messages = 0  # begun to be answered, this one included

    # TCP

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    async def before_next(self) -> None:
        """Return when the next connection may be accepted."""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        try:
            while self.advance():
                pass
        except FailureError as failure:
            self.fail(failure.code)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        self.gone.set()

    def send(self, octets: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(octets)

    def finish(self) -> None:
        """Close TCP. A reset would destroy what is on its way, and unread octets cause one, so they are read first."""
        self.deaf = True
        if not self.transport.is_closing():
            self.transport.write_eof()
        self.loop.call_later(LINGER_S, self.transport.close)

    def reset(self) -> None:
        """Close TCP with a reset: SO_LINGER with no time."""
        self.deaf = True
        cast("socket.socket", self.transport.get_extra_info("socket")).setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.transport.abort()

    def advance(self) -> bool:
        """Take one step; false when it needs more octets."""
        if self.deaf:
            self.buffer.clear()
            return False
        if not self.open:
            return self.shake_hands()
        if self.header is None:
            return self.read_header()
        return self.read_payload()

    # The opening handshake (RFC 6455 4.2)

    def shake_hands(self) -> bool:
        request, end, rest = bytes(self.buffer).partition(b"\r\n\r\n")
        if not end:
            if len(request) > opening.LARGEST_REQUEST:
                self.refuse(opening.refusal(431))
            return False
        self.buffer = bytearray(rest)
        try:
            headers = self.parse(request)
        except opening.BadRequestError as error:
            self.refuse(self.refusal(error.status))
            return False
        self.answer_handshake(headers)
        return True

    def parse(self, request: bytes) -> dict[str, str]:
        return opening.parse(request, self.skips)

    def refusal(self, status: int) -> bytes:
        return opening.refusal(status)

    def refuse(self, response: bytes) -> None:
        self.send(response)
        self.finish()

    def answer_handshake(self, headers: dict[str, str]) -> None:
        parameters = self.negotiate(headers.get("sec-websocket-extensions", "")) if self.compression else None
        if parameters is not None:
            self.deflate = self.new_deflate(parameters)
        accept = self.accept(headers["sec-websocket-key"])
        self.send(self.response(accept, self.extensions(parameters), headers))
        self.open = True
        self.opened()

    def response(self, accept: str, extensions: list[str], _headers: dict[str, str]) -> bytes:
        return opening.response(accept, extensions)

    def accept(self, key: str) -> str:
        return opening.accept(key)

    def negotiate(self, offers: str) -> Parameters | None:
        return negotiate(offers, self.skips)

    def new_deflate(self, parameters: Parameters) -> Deflate:
        return Deflate(parameters)

    def extensions(self, parameters: Parameters | None) -> list[str]:
        """What Sec-WebSocket-Extensions says, a header each."""
        return [] if parameters is None else [str(parameters)]

    def opened(self) -> None:
        """The handshake is over."""

    # Frames in (RFC 6455 5.2)

    def read_header(self) -> bool:
        buffer = self.buffer
        if len(buffer) < 2:
            return False
        first, second = buffer[0], buffer[1]
        header = Header(first >= 0x80, first >> 4 & 7, first & 15, second >= 0x80, second & 0x7F)
        self.check_reserved_bits(header)
        self.check_opcode(header)
        if header.opcode >= CLOSE:
            self.check_control(header)
        else:
            self.check_sequence(header)
        self.check_mask(header)
        start = 2 + {126: 2, 127: 8}.get(header.length, 0)
        end = start + 4 * header.masked
        if len(buffer) < end:
            return False
        length = int.from_bytes(buffer[2:start], "big") if start > 2 else header.length
        self.check_length(header, length)
        self.begin_frame(header, length, bytes(buffer[start:end]))
        del buffer[:end]
        return True

    def check_reserved_bits(self, header: Header) -> None:
        # RFC 7692 6.1: RSV1 on the first frame of a message, nowhere else
        if header.rsv and not (self.deflate and header.rsv == RSV1 and header.opcode in {TEXT, BINARY}):
            raise FailureError(PROTOCOL_ERROR)

    def check_opcode(self, header: Header) -> None:
        if header.opcode not in {CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG}:
            raise FailureError(PROTOCOL_ERROR)

    def check_control(self, header: Header) -> None:
        # RFC 6455 5.5
        if not header.fin or header.length > 125:
            raise FailureError(PROTOCOL_ERROR)

    def check_sequence(self, header: Header) -> None:
        # RFC 6455 5.4
        if (header.opcode == CONTINUATION) != (self.opcode is not None):
            raise FailureError(PROTOCOL_ERROR)

    def check_mask(self, header: Header) -> None:
        # RFC 6455 5.1
        if not header.masked:
            raise FailureError(PROTOCOL_ERROR)

    def check_length(self, header: Header, length: int) -> None:
        # RFC 6455 5.2: the minimal number of octets, and 64 bits begin with a 0
        if (header.length == 126 and length < 126) or (header.length == 127 and not 1 << 16 <= length < 1 << 63):
            raise FailureError(PROTOCOL_ERROR)
        if self.size + length > LARGEST_MESSAGE:
            raise FailureError(TOO_BIG)

    def begin_frame(self, header: Header, length: int, key: bytes) -> None:
        self.header, self.missing, self.key = header, length, key
        if header.opcode in {TEXT, BINARY}:
            self.begin_message(header)

    def read_payload(self) -> bool:
        """Take what has arrived of the payload: bad UTF-8 fails the connection before the frame's end."""
        header = self.header
        part = bytes(self.buffer[: self.missing])
        if header is None or (self.missing and not part):
            return False
        del self.buffer[: len(part)]
        self.missing -= len(part)
        part = self.unmask(part, self.key)
        turn = len(part) % 4
        self.key = self.key[turn:] + self.key[:turn]
        self.payload += part if header.opcode >= CLOSE else self.message_part(part)
        if not self.missing:
            self.end_frame(header)
        return True

    def unmask(self, part: bytes, key: bytes) -> bytes:
        return xor(part, key)

    def end_frame(self, header: Header) -> None:
        payload = bytes(self.payload)
        self.header, self.payload = None, bytearray()
        if header.opcode >= CLOSE:
            self.control(header.opcode, payload)
            return
        self.fragments.append(payload)
        if header.fin:
            self.end_message()

    # Messages in (RFC 6455 5.4, 5.6)

    def begin_message(self, header: Header) -> None:
        self.opcode, self.fragments, self.size = header.opcode, [], 0
        self.compressed = self.deflate is not None and bool(header.rsv & RSV1)
        self.utf8 = self.new_utf8_decoder()
        if self.compressed and self.deflate:
            self.deflate.begin()

    def message_part(self, part: bytes) -> bytes:
        if self.compressed:
            part = self.inflate(part)
        self.size += len(part)
        if self.opcode == TEXT:
            self.check_text(part, final=False)
        return part

    def inflate(self, part: bytes) -> bytes:
        assert self.deflate is not None
        try:
            return self.deflate.inflate(part, LARGEST_MESSAGE - self.size)
        except TooMuchError:
            raise FailureError(TOO_BIG) from None
        except ValueError:
            raise FailureError(INVALID_DATA) from None

    def new_utf8_decoder(self) -> codecs.IncrementalDecoder:
        return codecs.getincrementaldecoder("utf-8")()

    def check_text(self, part: bytes, *, final: bool) -> None:
        # RFC 6455 8.1; CPython's decoder raises at the first octet that cannot go on to be UTF-8
        try:
            self.utf8.decode(part, final)
        except UnicodeDecodeError:
            raise FailureError(INVALID_DATA) from None

    def end_message(self) -> None:
        if self.compressed:
            self.fragments.append(self.message_part(b"\x00\x00\xff\xff"))  # RFC 7692 7.2.2
        opcode = cast("int", self.opcode)
        if opcode == TEXT:
            self.check_text(b"", final=True)
        payload = self.join(self.fragments)
        self.opcode, self.fragments, self.size = None, [], 0
        self.messages += 1
        self.message(opcode, payload)

    def join(self, fragments: list[bytes]) -> bytes:
        return b"".join(fragments)

    # Answers

    def message(self, opcode: int, payload: bytes) -> None:
        self.send_message(opcode, payload)

    def control(self, opcode: int, payload: bytes) -> None:
        {CLOSE: self.close, PING: self.ping, PONG: self.pong}[opcode](payload)

    def ping(self, payload: bytes) -> None:
        self.send_frame(PONG, payload)

    def pong(self, payload: bytes) -> None:
        """An unsolicited one is no mistake, and none was solicited (RFC 6455 5.5.3)."""

    def close(self, payload: bytes) -> None:
        self.answer_close(self.close_code(payload))

    def close_code(self, payload: bytes) -> int | None:
        """The code of a close frame's payload, None without one (RFC 6455 5.5.1)."""
        if not payload:
            return None
        code = int.from_bytes(payload[:2], "big")
        if len(payload) < 2 or code not in CLOSE_CODES:
            raise FailureError(PROTOCOL_ERROR)
        self.check_reason(payload[2:])
        return code

    def check_reason(self, reason: bytes) -> None:
        try:
            reason.decode()
        except UnicodeDecodeError:
            raise FailureError(INVALID_DATA) from None

    def answer_close(self, code: int | None) -> None:
        self.send_close(code)
        self.finish()

    def fail(self, code: int) -> None:
        """Fail the connection (RFC 6455 7.1.7)."""
        self.send_close(code)
        self.finish()

    # Frames out

    def send_close(self, code: int | None) -> None:
        self.send_frame(CLOSE, b"" if code is None else code.to_bytes(2, "big"))

    def send_message(self, opcode: int, payload: bytes) -> None:
        if self.deflate:
            self.send_compressed(opcode, self.deflate.compress(payload))
        else:
            self.send_frame(opcode, payload)

    def send_compressed(self, opcode: int, payload: bytes) -> None:
        self.send_frame(opcode, payload, rsv=RSV1)

    def send_frame(self, opcode: int, payload: bytes, *, fin: bool = True, rsv: int = 0) -> None:
        self.send(bytes([fin << 7 | rsv << 4 | opcode]) + self.length(len(payload)) + payload)

    def length(self, length: int) -> bytes:
        """A frame's header after its first octet (RFC 6455 5.2)."""
        if length < 126:
            return bytes([length])
        if length < 1 << 16:
            return bytes([126]) + length.to_bytes(2, "big")
        return bytes([127]) + length.to_bytes(8, "big")
