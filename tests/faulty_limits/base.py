"""The server without a fault, in parts: refimpl, which keeps every limit, with permessage-deflate on top.

A fault is a subclass of one part, and `serve` puts it in that part's place. Its name is the class's, in lower case with
hyphens; what follows the name in FAULT is its argument.
"""

from __future__ import annotations

import os
import re
import sys
import zlib
from typing import ClassVar, NoReturn

import refimpl
from refimpl import (
    MessageTooLargeError,
    Opcode,
    Parameters,
    ProtocolError,
    Request,
    ReservedBitsError,
    _connection,
    _handshake,
    _protocol,
    _server,
)
from refimpl import __main__ as command
from refimpl._frames import decode_utf8, parse_header
from refimpl._masking import Data, unmask
from refimpl._protocol import Event

FAULTS: dict[str, type[Part]] = {}
RSV1 = 0x40
_EXTENSION = "permessage-deflate; client_no_context_takeover; server_no_context_takeover"
_TAIL = b"\x00\x00\xff\xff"  # RFC 7692 7.2.2


class Part:
    """A part of the server; subclasses in other modules are faults."""

    argument: ClassVar[str] = ""  #: of FAULT

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.__module__ != __name__:
            FAULTS[re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()] = cls


class Limits(Part):
    """What the server makes of the limits that it was given."""

    def change(self, limits: Parameters) -> Parameters:
        """Those that it keeps."""
        return limits


class Handshake(Part):
    """The opening handshake, without I/O."""

    def split(self, data: bytes, max_size: int) -> tuple[bytes, bytes] | None:
        """The request's head and what follows it."""
        return _handshake.split_request(data, max_size)

    def parse(self, head: bytes) -> Request:
        """The request; HandshakeError if it is none."""
        return _handshake.parse_request(head)

    def upgrade(self, request: Request) -> bytes:
        """The answer that accepts it."""
        response = _handshake.upgrade_response(request)
        if not offers_deflate(request):
            return response
        return response.replace(b"\r\n\r\n", f"\r\nSec-WebSocket-Extensions: {_EXTENSION}\r\n\r\n".encode())

    def refusal(self, status: int, body: str, headers: tuple[tuple[str, str], ...] = ()) -> bytes:
        """The answer that refuses it."""
        return _handshake.refusal_response(status, body, headers)


def offers_deflate(request: Request) -> bool:
    """Whether the offer is the one that can be agreed to, word for word."""
    return request.headers.get("sec-websocket-extensions") == _EXTENSION


class Protocol(refimpl.Protocol, Part):
    """What is read; a message that came compressed is inflated as it comes, and echoed uncompressed."""

    deflates = False  #: whether permessage-deflate was agreed to
    kept: ClassVar[list[object]] = []  #: for faults that keep what they should not

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self.max_inflated = parameters.max_message_size
        self._inflate = zlib.decompressobj(wbits=-15)

    @staticmethod
    def header(data: Data, position: int = 0) -> tuple[bool, int, int, bytes, int] | None:
        """Parse a frame's header; RSV1 of a message's first frame stays at its opcode."""
        if data[position] & RSV1 and data[position] & 0xF in {Opcode.TEXT, Opcode.BINARY}:
            plain = bytes([data[position] & ~RSV1]) + bytes(data[position + 1 : position + 14])
            found = parse_header(plain)
            return found and (found[0], found[1] | RSV1, found[2], found[3], found[4] + position)
        return parse_header(data, position)

    def _check(self, opcode: int, length: int) -> None:
        if opcode & RSV1 and not self.deflates:
            raise ReservedBitsError("RSV1 is set and permessage-deflate was not negotiated")
        super()._check(opcode, length)

    def _whole(self, opcode: int, payload: bytes, key: bytes) -> Event:
        if not opcode & RSV1:
            return super()._whole(opcode, payload, key)
        self._opcode = opcode
        self.inflate(unmask(payload, key))
        event = self._joined()
        self._opcode = 0
        return event

    def _append(self, chunk: bytes) -> None:
        if self._opcode & RSV1:
            self.inflate(unmask(chunk, self._key))
        else:
            super()._append(chunk)

    def _joined(self) -> Event:
        if not self._opcode & RSV1:
            return super()._joined()
        self.inflate(_TAIL)
        self._inflate = zlib.decompressobj(wbits=-15)
        message, self._message = bytes(self._message), bytearray()
        return decode_utf8(message) if self._opcode & 0xF == Opcode.TEXT else message

    def inflate(self, octets: bytes) -> None:
        """Add what these come to, up to one octet over the limit."""
        try:
            self._message += self._inflate.decompress(octets, self.max_inflated + 1 - len(self._message))
        except zlib.error:
            raise ProtocolError("a compressed message cannot be inflated") from None
        if len(self._message) > self.max_inflated:
            raise MessageTooLargeError(f"a message inflates to more than the limit of {self.max_inflated} bytes")

    @property
    def place(self) -> str:
        """Where what came so far ends."""
        if self._held:
            return "close" if self._held[0] & 0xF == Opcode.CLOSE else "header"
        return "payload" if self.remaining else "between"


class Connection(_connection.Connection, Part):
    """The socket and its deadlines."""


class WebSocket(refimpl.WebSocket, Part):
    """What is done with what was read."""

    def __init__(self, connection: Connection, request: Request, first: bytes) -> None:
        super().__init__(connection, request, b"")
        assert isinstance(self._protocol, Protocol)
        self.protocol = self._protocol
        self.protocol.deflates = offers_deflate(request)
        self._events.extend(self.protocol.receive(first))

    def echo(self) -> None:
        """Send every message back."""
        for message in self:
            self.send(message)


class Server(refimpl.Server, Part):
    """Who is let in."""


PARTS: tuple[type[Part], ...] = (Limits, Handshake, Protocol, Connection, WebSocket, Server)


def serve(fault: str) -> int:
    """Run the server with that fault, or with none."""
    name, _, argument = fault.partition(" ")
    if name not in FAULTS and name:
        sys.exit(f"FAULT={name} is unknown; known are: {' '.join(sorted(FAULTS))}")
    parts = {part: part for part in PARTS}
    if name:
        faulty = FAULTS[name]
        faulty.argument = argument
        parts[next(part for part in PARTS if issubclass(faulty, part))] = faulty
    _put_together(parts)
    return command.main([])


def _put_together(parts: dict[type[Part], type[Part]]) -> None:
    limits, handshake = parts[Limits](), parts[Handshake]()
    protocol, websocket, server = parts[Protocol], parts[WebSocket], parts[Server]
    assert isinstance(limits, Limits)
    assert isinstance(handshake, Handshake)
    assert issubclass(protocol, Protocol)
    assert issubclass(websocket, WebSocket)
    assert issubclass(server, Server)
    websocket._protocol_type = protocol

    def make(_handler: object, host: str, port: int, parameters: Parameters, **_: object) -> Server:
        return server(websocket.echo, host, port, limits.change(parameters))  # type: ignore[arg-type]

    names = {
        "split_request": handshake.split,
        "parse_request": handshake.parse,
        "upgrade_response": handshake.upgrade,
        "refusal_response": handshake.refusal,
        "Connection": parts[Connection],
        "WebSocket": websocket,
    }
    for name, value in names.items():
        setattr(_server, name, value)
    for module, name, value in ((_protocol, "parse_header", protocol.header), (command, "Server", make)):
        setattr(module, name, value)


def die(why: str) -> NoReturn:
    """End as a program does that nobody catches for."""
    sys.stderr.write(f"panic: {why}\n")
    sys.stderr.flush()
    os._exit(70)
