"""A raw WebSocket client for tests: it writes its own bytes and reads frames with a parser of its own."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import struct
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = b"\x37\xfa\x21\x3d"  # RFC 6455 5.7
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Frame(NamedTuple):
    """A frame that the server sent."""

    fin: bool
    opcode: int
    payload: bytes


def mask(payload: bytes, key: bytes = KEY) -> bytes:
    return bytes(byte ^ key[index % 4] for index, byte in enumerate(payload)) if any(key) else payload


def header(opcode: int, length: int, *, fin: bool = True, key: bytes | None = KEY) -> bytes:
    """Serialise a header, of a server's frame when the key is None."""
    first, bit = opcode | (0x80 if fin else 0), 0 if key is None else 0x80
    if length < 126:
        head = struct.pack("!BB", first, bit | length)
    elif length < 65536:
        head = struct.pack("!BBH", first, bit | 126, length)
    else:
        head = struct.pack("!BBQ", first, bit | 127, length)
    return head + (key or b"")


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, key: bytes = KEY) -> bytes:
    return header(opcode, len(payload), fin=fin, key=key) + mask(payload, key)


def request(*, path: str = "/", without: str = "", **changes: str) -> bytes:
    """Serialise an opening request; `changes` are headers with _ for -, `without` names one to leave out."""
    headers = {
        "Host": "localhost",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Version": "13",
    }
    headers.pop(without, None)
    headers.update({name.replace("_", "-"): value for name, value in changes.items()})
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")


class Peer:
    """A connection to a server under test; every read times out after 10 seconds."""

    def __init__(self, port: int, host: str = "127.0.0.1", *, receive_buffer: int = 0) -> None:
        self.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(10)
        try:
            self.sock.connect((host, port))
        except OSError:
            self.sock.close()
            raise
        self.buffer = b""

    @classmethod
    def open(cls, port: int, data: bytes = b"", host: str = "127.0.0.1", *, receive_buffer: int = 0) -> Self:
        """Connect and complete the opening handshake; `data` goes in the same segment."""
        peer = cls(port, host, receive_buffer=receive_buffer)
        peer.send(request() + data)
        assert peer.response().startswith("HTTP/1.1 101 ")
        return peer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def _fill(self, size: int) -> bool:
        while len(self.buffer) < size:
            data = self.sock.recv(65536)
            if not data:
                return False
            self.buffer += data
        return True

    def _take(self, size: int) -> bytes:
        if not self._fill(size):
            raise EOFError
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def response(self) -> str:
        """Read an HTTP response: its head, and its body where it has one."""
        while b"\r\n\r\n" not in self.buffer:
            if not self._fill(len(self.buffer) + 1):
                raise EOFError
        head = self._take(self.buffer.index(b"\r\n\r\n") + 4).decode("latin-1")
        for line in head.split("\r\n"):
            if line.startswith("Content-Length: "):
                head += self._take(int(line.split()[1])).decode()
        return head

    def frame(self) -> Frame:
        """Read the next frame, control frames too; EOFError at the end."""
        first, second = self._take(2)
        length = second & 0x7F
        assert second < 0x80, "a server must not mask"
        if length == 126:
            (length,) = struct.unpack("!H", self._take(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self._take(8))
        return Frame(first >= 0x80, first & 0x0F, self._take(length))

    def message(self) -> str | bytes:
        """Read the next frame that is no control frame, as one message."""
        while (frame := self.frame()).opcode >= 8:
            pass
        assert frame.fin
        return frame.payload.decode() if frame.opcode == TEXT else frame.payload

    def frames(self) -> Iterator[Frame]:
        """Read frames to the end of the stream."""
        with contextlib.suppress(EOFError):
            while True:
                yield self.frame()

    def close_code(self) -> int | None:
        """Read to the end of the stream and return the code of the close frame, 1005 where it has none."""
        code = None
        for frame in self.frames():
            if frame.opcode == CLOSE:
                assert code is None, "there is one close frame"
                code = int.from_bytes(frame.payload[:2], "big") if frame.payload else 1005
        return code

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()
