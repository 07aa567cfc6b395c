"""The octets of the opening handshake (RFC 6455 4.2)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from http import HTTPStatus

LARGEST_REQUEST = 1 << 16
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class BadRequestError(Exception):
    """This is no opening handshake."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_FIELD = re.compile(rf"({_NAME}):[ \t]*([^\r\n\0]*?)[ \t]*")
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~-]+)(?::\d*)?")
_VALUE = rf'(?:{_NAME}|"{_NAME}")'
_EXTENSION = rf"{_NAME}(?:[ \t]*;[ \t]*{_NAME}(?:[ \t]*=[ \t]*{_VALUE})?)*"
_EXTENSIONS = re.compile(rf"[ \t,]*(?:{_EXTENSION}(?:[ \t]*,[ \t,]*{_EXTENSION})*[ \t,]*)?")
_PROTOCOLS = re.compile(rf"[ \t,]*{_NAME}(?:[ \t]*,[ \t,]*{_NAME})*[ \t,]*")
#: What may be there once only.
_ONCE = {"host", "sec-websocket-key", "sec-websocket-version"}


def parse(request: bytes, skips: frozenset[str] = frozenset()) -> dict[str, str]:
    """The header of an opening handshake, names in lower case; BadRequestError if it is none.

    `skips`: names of checks that are not made, for the faults.
    """

    def check(name: str, right: object, status: int = 400) -> None:
        if not right and name not in skips:
            raise BadRequestError(status)

    line, *lines = request.decode("latin-1").removeprefix("\r\n").split("\r\n")
    headers: dict[str, str] = {}
    for text in lines:
        field = _FIELD.fullmatch(text)
        check("syntax", field)
        name, _, value = text.partition(":")
        name, value = (field[1], field[2]) if field else (name.strip(), value.strip())
        known = headers.get(name.lower())
        check("once", known is None or name.lower() not in _ONCE)
        headers[name.lower()] = value if known is None else f"{known}, {value}"
    words = line.split(" ")
    check("request line", len(words) == 3)
    check("method", words[0] == "GET", 405)
    check("version of HTTP", re.fullmatch(r"HTTP/1\.[1-9]", words[-1]))
    check("host", _HOST.fullmatch(headers.get("host", "")))
    check("body", headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers)
    connection = [word.strip() for word in headers.get("connection", "").lower().split(",")]
    upgrade = [word.strip() for word in headers.get("upgrade", "").lower().split(",")]
    check("upgrade", "websocket" in upgrade)
    check("connection", "upgrade" in connection)
    check("version", headers.get("sec-websocket-version") == "13", 426)
    check("extensions", _EXTENSIONS.fullmatch(headers.get("sec-websocket-extensions", "")))
    protocols = headers.get("sec-websocket-protocol", "")
    check("protocols", not protocols or _PROTOCOLS.fullmatch(protocols))
    check("key", _is_key(headers.setdefault("sec-websocket-key", "")))
    return headers


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False


def accept(key: str) -> str:
    """Sec-WebSocket-Accept for a Sec-WebSocket-Key."""
    return base64.b64encode(hashlib.sha1((key + _GUID).encode(), usedforsecurity=False).digest()).decode()


def response(accept_value: str, extensions: list[str], *more: str) -> bytes:
    """The answer that opens the connection, with these lines besides."""
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept_value}",
        *(f"Sec-WebSocket-Extensions: {extension}" for extension in extensions),
        *more,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def refusal(status: int, *headers: str) -> bytes:
    """An answer that does not."""
    fields = ["Connection: close", "Content-Length: 0", *headers]
    if status == 426:
        fields = [
            "Content-Length: 0",
            *headers,
            "Sec-WebSocket-Version: 13",
            "Upgrade: websocket",
            "Connection: Upgrade",
        ]
    return "\r\n".join([f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *fields, "", ""]).encode("latin-1")
