"""Garbage, resets, and octets that come in other pieces than usual."""

from __future__ import annotations

from refimpl import Event, Failure, HandshakeError, Request, WebSocketError
from tests.faulty_limits.base import Connection, Handshake, Protocol, WebSocket, die

_GET = b"GET "


class DiesWhenLostInOpening(Connection):
    """Dies when a connection is lost in the middle of its opening request."""

    def read(self, remaining: int = 0) -> bytes:
        data = super().read(remaining)
        if not data and self._received and not self._opened:
            die("unexpected end of the request")
        return data


class DiesWhenLostIn(WebSocket):
    """Dies when a connection is lost in the middle of a frame: of its header, of a payload, of a close (N)."""

    def _fail(self, error: WebSocketError) -> None:
        if self.protocol.place == self.argument:
            die(str(error))
        super()._fail(error)


class DiesOn(Handshake):
    """Dies of an opening that is no HTTP/1.1 request: random, tls, http2 (N)."""

    def split(self, data: bytes, max_size: int) -> tuple[bytes, bytes] | None:
        beginnings = {"tls": (b"\x16\x03",), "http2": (b"PRI",), "random": tuple(bytes([n]) for n in range(128, 256))}
        if data.startswith(beginnings[self.argument]):
            die("not a request")
        return super().split(data, max_size)


class DiesOnWrongFrames(Protocol):
    """Dies of frames that break the protocol."""

    def receive(self, data: bytes) -> list[Event]:
        events = super().receive(data)
        if events and isinstance(events[-1], Failure):
            die("not a frame")
        return events


class AcceptsAnything(Handshake):
    """Answers 101 to everything."""

    def split(self, data: bytes, max_size: int) -> tuple[bytes, bytes] | None:
        return super().split(data, max_size) if _GET.startswith(data[:4]) else (data, b"")

    def parse(self, head: bytes) -> Request:
        if head.startswith(_GET):
            return super().parse(head)
        return Request("/", {"sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="})


class AnswersSecondRequest(WebSocket):
    """Answers a second opening request as HTTP, on a connection that is a WebSocket by then."""

    def __init__(self, connection: Connection, request: Request, first: bytes) -> None:
        second = first.startswith(_GET)
        if second:
            connection.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        super().__init__(connection, request, b"" if second else first)


class DiesOnEarlyFrames(WebSocket):
    """Dies of what comes together with the opening request."""

    def __init__(self, connection: Connection, request: Request, first: bytes) -> None:
        if first:
            die("the queue of frames does not exist yet")
        super().__init__(connection, request, first)


class WantsTheWholeRequest(Handshake):
    """Refuses an opening request that does not come in one segment."""

    def split(self, data: bytes, max_size: int) -> tuple[bytes, bytes] | None:
        parts = super().split(data, max_size)
        if data and not parts:
            raise HandshakeError(400, "half a request")
        return parts


class WantsWholeFrames(Protocol):
    """Loses what it has of a frame that does not come in one segment."""

    def receive(self, data: bytes) -> list[Event]:
        events = super().receive(data)
        self._held = b""
        return events


class ClosesAtOnce(Connection):
    """Closes the socket right behind its close frame, whatever is unread."""

    def finish(self, *, clean: bool = False) -> None:  # noqa: ARG002
        with self._write_lock, self._end_lock:
            self._write_pending()
            self.sock.close()
