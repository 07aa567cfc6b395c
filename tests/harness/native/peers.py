"""Peers that do one thing wrong, each a real server on a real socket."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from harness.endpoint import Endpoint

Behave = Callable[[socket.socket], None]


class Peer:
    """Shakes hands and then does what it was told to, in a thread for each connection or in one for all."""

    def __init__(
        self, behave: Behave, *, answer: bytes | None = None, serial: bool = False, tls: ssl.SSLContext | None = None
    ) -> None:
        self._behave, self._answer, self._serial, self._tls = behave, answer, serial, tls
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._sockets: list[socket.socket] = []
        self.connections = 0
        self.most_at_once = 0
        self._at_once = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(f"{'wss' if self._tls else 'ws'}://127.0.0.1:{self._listener.getsockname()[1]}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                self.connections += 1
                self._sockets.append(peer)
                if self._serial:
                    self._serve(peer)
                else:
                    threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        with contextlib.suppress(OSError):
            peer = self._tls.wrap_socket(raw, server_side=True) if self._tls else raw
            with peer:
                if shake_hands(peer, self._answer):
                    self._behave(peer)
        self._at_once -= 1


def shake_hands(peer: socket.socket, answer: bytes | None = None) -> bool:
    request = b""
    while b"\r\n\r\n" not in request:
        chunk = peer.recv(4096)
        if not chunk:
            return False
        request += chunk
    key = next(line.split(b": ")[1] for line in request.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key"))
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())  # noqa: S324 - RFC 6455 4.2.2
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    peer.sendall(answer if answer is not None else head + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
    return True


def frames(peer: socket.socket) -> Iterator[tuple[int, bytes]]:
    """First octet and payload of each frame that comes."""
    with contextlib.suppress(OSError), peer.makefile("rb") as stream:
        while head := stream.read(2):
            size = head[1] & 0x7F
            if size == 126:
                (size,) = struct.unpack("!H", stream.read(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", stream.read(8))
            key = stream.read(4)
            payload = stream.read(size)
            repeated = (key * (size // 4 + 1))[:size]
            yield head[0], (int.from_bytes(payload) ^ int.from_bytes(repeated)).to_bytes(size)


def frame(first: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes([first, size]) + payload
    return (struct.pack("!BBH", first, 126, size) if size < 65536 else struct.pack("!BBQ", first, 127, size)) + payload


def echo(peer: socket.socket, change: Callable[[bytes], bytes] = lambda payload: payload) -> None:
    """Whole messages come back, closes are answered; good enough for section 1, 9.1 and 9.2."""
    for first, payload in frames(peer):
        peer.sendall(frame(first, payload if first == 0x88 else change(payload)))
        if first == 0x88:
            return
