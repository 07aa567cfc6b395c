"""Servers on a loopback address that answer an opening request, and then frames, with whatever a test wants."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import socket
import struct
import time
from collections.abc import Awaitable, Callable

from harness.cases.talk import Finding, Over, Talk
from harness.engines.native.wire import WireLog
from tests.harness.native.peers import Peer, echo

Answer = Callable[[bytes], bytes | None]
Behave = Callable[[socket.socket], None]


def accept_of(request: bytes) -> bytes:
    """The Sec-WebSocket-Accept that fits the request (RFC 6455 4.2.2)."""
    key = next(
        line.partition(b":")[2].strip()
        for line in request.split(b"\r\n")
        if line.lower().startswith(b"sec-websocket-key")
    )
    return base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())  # noqa: S324


def right(request: bytes, *more: bytes) -> bytes:
    """A right 101, with these lines besides."""
    lines = (
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: " + accept_of(request),
        *more,
        b"\r\n",
    )
    return b"\r\n".join(lines)


def saying(octets: bytes) -> Answer:
    """The same to everybody."""
    return lambda _: octets


def with_status(status: str, *headers: str) -> Answer:
    """An answer of that status, without a body."""
    return saying("\r\n".join((f"HTTP/1.1 {status}", "Content-Length: 0", *headers, "\r\n")).encode("latin-1"))


def hold(peer: socket.socket) -> None:
    """Read, and say nothing, until the client has gone."""
    while peer.recv(65536):
        pass


def reset(peer: socket.socket) -> None:
    """End the connection with a TCP reset."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Server(Peer):
    """Reads an opening request, says what `answer` makes of it (None: nothing), then behaves."""

    def __init__(self, answer: Answer = right, behave: Behave = echo) -> None:
        self._make = answer
        self.requests: list[bytes] = []
        super().__init__(behave)

    def _serve(self, raw: socket.socket) -> None:
        with contextlib.suppress(OSError), raw:
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                octet = raw.recv(1)  # what stands behind it is not the request's
                if not octet:
                    return
                request += octet
            self.requests.append(request)
            if octets := self._make(request):
                raw.sendall(octets)
            self._behave(raw)


def talked(
    server: Peer, use: Callable[[Talk], Awaitable[Finding]], *, patience: float | None = None
) -> tuple[Finding, Talk]:
    """What a talk with the server comes to."""

    async def run() -> tuple[Finding, Talk]:
        talk = Talk("H.1.1", server.endpoint, WireLog(time.monotonic))
        talk.patience = patience or talk.patience
        try:
            return await use(talk), talk
        except Over as over:
            return over.finding, talk
        finally:
            talk.drop_all()

    return asyncio.run(run())
