"""The opening handshake (RFC 6455 4.2), without I/O: bytes of a request in, a Request or a refusal out."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from http import HTTPStatus

from refimpl._errors import HandshakeError

# RFC 9110 5.6.2: token = 1*tchar
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
# RFC 9112 3: request-line = method SP request-target SP HTTP-version
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") ([!-~]+) HTTP/([0-9])\.([0-9])")
# RFC 9112 5: field-line = field-name ":" OWS field-value OWS. No space before the colon (5.1), no line
# folding (5.2: a server may refuse it) and no CR, LF or NUL inside (RFC 9110 5.5).
_FIELD_LINE = re.compile(rb"(" + _TOKEN + rb"):[ \t]*((?:[!-~\x80-\xff](?:[ \t!-~\x80-\xff]*[!-~\x80-\xff])?)?)[ \t]*")
# RFC 9110 7.2: uri-host [ ":" port ], the host not looked at more closely than that
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]+)(?::[0-9]*)?")
# RFC 6455 9.1: extension-list, with the empty elements that lists may have (RFC 9110 5.6.1.2). What is quoted has to be
# a token too. No octet fits in two ways, so that 16 KiB of it take no time; no possessive quantifiers, for before
# Python 3.11.5 they take "a=" for a parameter (python/cpython#106052).
_TCHAR = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
_PARAMETER = rf'[ \t]*;[ \t]*{_TCHAR}+(?:[ \t]*=[ \t]*(?:{_TCHAR}+|"(?:\\?{_TCHAR})+"))?'
_EXTENSION = rf"{_TCHAR}+(?:{_PARAMETER})*"
_EXTENSIONS = re.compile(rf"[ \t,]*(?:{_EXTENSION}(?:[ \t]*,[ \t,]*{_EXTENSION})*[ \t,]*)?")
# RFC 6455 11.3.4: 1#token
_PROTOCOLS = re.compile(rf"[ \t,]*{_TCHAR}+(?:[ \t]*,[ \t,]*{_TCHAR}+)*[ \t,]*")
_END = b"\r\n\r\n"
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 1.3
_KEY_SIZE = 16


@dataclass(frozen=True, slots=True)
class Request:
    """An opening request: its path with the query, and its headers under lower-case names.

    Headers that came more than once are joined with ", " (RFC 9110 5.3).
    """

    path: str
    headers: dict[str, str]

    @property
    def origin(self) -> str | None:
        """The Origin header, which browsers always send and other clients need not (RFC 6455 4.1)."""
        return self.headers.get("origin")


def split_request(data: bytes | bytearray, max_size: int) -> tuple[bytes, bytes] | None:
    """Split what came into the request's head and what follows it; None when the head is not all there.

    What follows is the peer's first frames, which may come in the same segment.
    Raises HandshakeError 431 as soon as the head is certain to be longer than `max_size` bytes.
    """
    end = data.find(_END, 0, max_size)
    if end >= 0:
        end += len(_END)
        return bytes(data[:end]), bytes(data[end:])
    if len(data) >= max_size:
        raise HandshakeError(431, f"the request's head is longer than {max_size} bytes")
    return None


def parse_request(head: bytes) -> Request:
    """Check an opening request against RFC 6455 4.2.1 and return it.

    Raises HandshakeError with the status that the peer is to get: 400 malformed, 405 not GET, 426 not an
    upgrade or not version 13, 505 not HTTP/1.1 or a later 1.x.
    """
    # RFC 9112 2.2: an empty line in front of the request is ignored
    lines = head.removesuffix(_END).removeprefix(b"\r\n").split(b"\r\n")
    request_line = _REQUEST_LINE.fullmatch(lines[0])
    if request_line is None:
        raise HandshakeError(400, "the request line is malformed")
    method, target, major, minor = request_line.groups()
    if method != b"GET":
        raise HandshakeError(405, "a WebSocket begins with GET", (("Allow", "GET"),))
    if major != b"1" or minor < b"1":
        raise HandshakeError(505, "a WebSocket begins with HTTP/1.1")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        field = _FIELD_LINE.fullmatch(line)
        if field is None:
            raise HandshakeError(400, "a header line is malformed")
        name, value = field[1].decode("ascii").lower(), field[2].decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
        if name in _ONCE and headers[name] != value:
            raise HandshakeError(400, f"there is more than one {name} header")
    _check_headers(headers)
    return Request(target.decode("ascii"), headers)


# RFC 9110 15.5.22: 426 names the protocol that is required.
_UPGRADE = (("Upgrade", "websocket"), ("Connection", "Upgrade"))
# Joining these would make a value that nobody sent.
_ONCE = frozenset({"host", "origin", "sec-websocket-key", "sec-websocket-version", "content-length"})


def _tokens(headers: dict[str, str], name: str) -> set[str]:
    return {token.strip(" \t").lower() for token in headers.get(name, "").split(",")}


def _check_headers(headers: dict[str, str]) -> None:
    if not _HOST.fullmatch(headers.get("host", "")):
        raise HandshakeError(400, "there is no Host header with a host")
    # A body would be taken for frames.
    if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
        raise HandshakeError(400, "an opening request has no body")
    if "websocket" not in _tokens(headers, "upgrade"):
        raise HandshakeError(426, "this is a WebSocket server", _UPGRADE)
    if "upgrade" not in _tokens(headers, "connection"):
        raise HandshakeError(400, "the Connection header does not say upgrade")
    # RFC 6455 4.4: a version that is not ours is answered with the one that is.
    if headers.get("sec-websocket-version") != "13":
        raise HandshakeError(426, "the WebSocket version must be 13", (("Sec-WebSocket-Version", "13"), *_UPGRADE))
    try:
        key = base64.b64decode(headers.get("sec-websocket-key", ""), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_SIZE:
        raise HandshakeError(400, "Sec-WebSocket-Key must be 16 bytes in base64")
    # RFC 6455 9.1: whoever gets a malformed list fails the connection, also if it would have chosen nothing from it.
    if not _EXTENSIONS.fullmatch(headers.get("sec-websocket-extensions", "")):
        raise HandshakeError(400, "Sec-WebSocket-Extensions is malformed")
    protocols = headers.get("sec-websocket-protocol")
    if protocols is not None and not _PROTOCOLS.fullmatch(protocols):
        raise HandshakeError(400, "Sec-WebSocket-Protocol is malformed")


def accept_key(key: str) -> str:
    """Return the Sec-WebSocket-Accept that answers a Sec-WebSocket-Key (RFC 6455 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key.encode("ascii") + _GUID, usedforsecurity=False).digest()).decode("ascii")


def upgrade_response(request: Request) -> bytes:
    """Serialise the 101 that accepts a request (RFC 6455 4.2.2); no extension and no subprotocol."""
    lines = (
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept_key(request.headers['sec-websocket-key'])}",
        "\r\n",
    )
    return "\r\n".join(lines).encode("ascii")


def refusal_response(status: int, body: str, headers: tuple[tuple[str, str], ...] = ()) -> bytes:
    """Serialise a refusal; `body` is HTML or plain text."""
    content = body.encode()
    kind = "html" if body.lstrip().startswith("<") else "plain"
    lines = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        *(f"{name}: {value}" for name, value in headers),
        f"Content-Type: text/{kind}; charset=utf-8",
        f"Content-Length: {len(content)}",
        *(() if any(name == "Connection" for name, _ in headers) else ("Connection: close",)),
        "\r\n",
    )
    return "\r\n".join(lines).encode("latin-1") + content
