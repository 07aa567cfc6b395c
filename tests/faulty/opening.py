"""The octets of the opening handshake (RFC 6455 4.2)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from http import HTTPStatus

LARGEST_REQUEST = 1 << 16
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class BadRequestError(Exception):
    """This is no opening handshake."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def parse(request: bytes) -> dict[str, str]:
    """The header of an opening handshake, names in lower case; BadRequestError if it is none."""
    line, *lines = request.decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for name, _, value in (line.partition(":") for line in lines):
        known = headers.get(name.lower())
        headers[name.lower()] = value.strip() if known is None else f"{known}, {value.strip()}"
    words = line.split(" ")
    if len(words) != 3 or words[0] != "GET" or words[2] != "HTTP/1.1" or "host" not in headers:
        raise BadRequestError(400)
    if headers.get("sec-websocket-version") != "13":
        raise BadRequestError(426)
    connection = [word.strip() for word in headers.get("connection", "").lower().split(",")]
    if headers.get("upgrade", "").lower() != "websocket" or "upgrade" not in connection:
        raise BadRequestError(400)
    try:
        key = base64.b64decode(headers.get("sec-websocket-key", ""), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 16:
        raise BadRequestError(400)
    return headers


def accept(key: str) -> str:
    """Sec-WebSocket-Accept for a Sec-WebSocket-Key."""
    return base64.b64encode(hashlib.sha1((key + _GUID).encode(), usedforsecurity=False).digest()).decode()


def response(accept_value: str, extensions: list[str]) -> bytes:
    """The answer that opens the connection."""
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept_value}",
        *(f"Sec-WebSocket-Extensions: {extension}" for extension in extensions),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def refusal(status: int, *headers: str) -> bytes:
    """An answer that does not."""
    fields = ["Connection: close", "Content-Length: 0", *headers]
    if status == 426:
        fields.append("Sec-WebSocket-Version: 13")
    return "\r\n".join([f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *fields, "", ""]).encode("latin-1")
