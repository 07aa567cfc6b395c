"""The opening handshake: its size, its extensions, its cost, and the origin."""

from __future__ import annotations

import os
import re
from dataclasses import replace

from refimpl import HandshakeError, Parameters, Request, _handshake
from tests.faulty_limits.base import Connection, Handshake, Limits, die

_END, _RECENT = b"\r\n\r\n", 1 << 17
_INHERITED = ("constructor", "__proto__", "toString")


class HeaderLimitWhenItEnds(Connection):
    """Reads an opening request to its end, and looks at its size then."""

    def read(self, remaining: int = 0) -> bytes:
        data = bytearray(super().read(remaining))
        while not self._opened and _END not in data[-_RECENT:] and (more := super().read(remaining)):
            data += more
        return bytes(data)


class HeaderLimitIgnored(HeaderLimitWhenItEnds):
    """Takes an opening request of any size (and throws away what it does not know, when it has all of it)."""

    def read(self, remaining: int = 0) -> bytes:
        data = super().read(remaining)
        return data if self._opened else re.sub(rb"X-[^\r]*\r\n", b"", data)


class RefusalStatus(Handshake):
    """Refuses a request with status M where N is right (argument: `N M`)."""

    def refusal(self, status: int, body: str, headers: tuple[tuple[str, str], ...] = ()) -> bytes:
        right, wrong = map(int, self.argument.split())
        return super().refusal(wrong if status == right else status, body, headers)


class Quadratic(Handshake):
    """Looks through the rest of a header from its blanks, quotes or commas (N), a larger part of them the more it has.

    That is steeper than quadratic, so that a busy machine does not hide it.
    """

    def split(self, data: bytes, max_size: int) -> tuple[bytes, bytes] | None:  # noqa: ARG002
        return super().split(data, 1 << 20)

    def parse(self, head: bytes) -> Request:
        octet, most = {"blanks": (b" ", 66_000), "quotes": (b'"', 33_000), "commas": (b",", 10_100)}[self.argument]
        places = [place for place in range(len(head)) if head.startswith(octet, place)]
        for place in places[:: max(1, most // max(1, len(places)))]:
            head.count(octet, place)
            if octet == b'"':
                head.count(b"\\", place)
            if octet == b",":
                head[place:].split(octet)
        return super().parse(head)


class DiesOnInheritedNames(Handshake):
    """Dies of an extension that has the name of something that every object has."""

    def parse(self, head: bytes) -> Request:
        request = super().parse(head)
        if request.headers.get("sec-websocket-extensions", "").startswith(_INHERITED):
            die("TypeError: extension.accept is not a function")
        return request


class FailsOnInheritedNames(Handshake):
    """Answers 500 to an extension that has the name of something that every object has."""

    def parse(self, head: bytes) -> Request:
        request = super().parse(head)
        if request.headers.get("sec-websocket-extensions", "").startswith(_INHERITED):
            raise HandshakeError(500, "internal error")
        return request


class AgreesToEverything(Handshake):
    """Agrees to every extension."""

    def upgrade(self, request: Request) -> bytes:
        response = _handshake.upgrade_response(request)
        offer = request.headers.get("sec-websocket-extensions")
        line = f"\r\nSec-WebSocket-Extensions: {offer}" if offer else ""
        return response.replace(b"\r\n\r\n", f"{line}\r\n\r\n".encode())


class Origin(Limits):
    """Compares origins in a way that lets others in (N says which)."""

    def change(self, limits: Parameters) -> Parameters:
        allowed = os.environ.get("ALLOWED_ORIGIN", "")
        return replace(limits, accept_connection=lambda request: self._lets_in(request.origin or "", allowed))

    def _lets_in(self, origin: str, allowed: str) -> bool:
        ways = {
            "unchecked": True,
            "prefix": origin.startswith(allowed),
            "suffix": origin.endswith(allowed.partition("://")[2]),
            "contained": allowed in origin,
            "null": origin in {"null", allowed},
            "port": origin.rpartition(":")[0] == allowed or origin == allowed,
            "scheme": origin.partition("://")[2] == allowed.partition("://")[2],
        }
        return ways[self.argument] or not allowed


class AllowedOriginRefused(Limits):
    """Refuses the allowed origin when it comes for the Nth time."""

    came = 0

    def change(self, limits: Parameters) -> Parameters:
        return replace(limits, accept_connection=self._lets_in)

    def _lets_in(self, request: Request) -> bool:
        allowed = os.environ.get("ALLOWED_ORIGIN")
        if allowed and request.origin != allowed:
            return False
        self.came += 1
        return self.came != int(self.argument)


class CutBody(Handshake):
    """Sends the body of a refusal without its last octet."""

    def refusal(self, status: int, body: str, headers: tuple[tuple[str, str], ...] = ()) -> bytes:
        return super().refusal(status, body, headers)[:-1]


class RefusesAndAccepts(Handshake):
    """Sends a 101 behind its refusal."""

    def refusal(self, status: int, body: str, headers: tuple[tuple[str, str], ...] = ()) -> bytes:
        return super().refusal(status, body, headers) + b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
