"""A tiny echo server in this process. What it answers to a message is the test's to say, so that it can be wrong."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import struct
import threading
from collections.abc import Callable

from harness.endpoint import Endpoint

#: (payload, number of the message from 0) -> what to send, or None to close the TCP connection
Answer = Callable[[bytes, int], bytes | None]
Serve = Callable[[Answer], Endpoint]


def frame(payload: bytes, first: int = 0x82) -> bytes:
    """An unmasked frame; `first` is FIN, reserved bits and opcode."""
    length = len(payload)
    if length < 126:
        return bytes([first, length]) + payload
    if length < 1 << 16:
        return struct.pack("!BBH", first, 126, length) + payload
    return struct.pack("!BBQ", first, 127, length) + payload


def _serve(connection: socket.socket, answer: Answer) -> None:
    with connection, contextlib.suppress(OSError, EOFError), connection.makefile("rb") as stream:
        key = next(line.split(b": ")[1].strip() for line in stream if line.startswith(b"Sec-WebSocket-Key"))
        while stream.readline() != b"\r\n":
            pass
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())  # noqa: S324
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        number = 0
        while len(header := stream.read(2)) == 2 and header[0] & 0x0F != 8:
            length = header[1] & 0x7F
            if length >= 126:
                length = int.from_bytes(stream.read(2 if length == 126 else 8), "big")
            mask = stream.read(4)
            body = int.from_bytes(stream.read(length), "big")
            unmasked = body ^ int.from_bytes((mask * (length // 4 + 1))[:length], "big")
            reply = answer(unmasked.to_bytes(length, "big"), number)
            if reply is None:
                return
            # Blocks until the peer has taken it, and reads nothing meanwhile: a peer that does likewise hangs.
            connection.sendall(reply)
            number += 1


class EchoServer:
    """A thread that accepts, and one for each connection."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept)
        self._acceptor.start()

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens."""
        return Endpoint(f"ws://127.0.0.1:{self._listener.getsockname()[1]}")

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=_serve, args=(connection, self._answer))
                self._threads.append(thread)
                thread.start()

    def stop(self) -> None:
        """Wait for connections to end, which is what clients do to them."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        for thread in self._threads:
            thread.join()
