"""The opening handshake as the cases need it (RFC 6455 4.1): the request, and whether its answer will do."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from harness import __version__
from harness.endpoint import Endpoint
from harness.text import printable

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MAX_HEAD = 64 << 10


class OpeningError(Exception):
    """The answer is none that a client may go on with."""


@dataclass(frozen=True)
class Deflate:
    """What was agreed of permessage-deflate (RFC 7692 7.1)."""

    server_no_context_takeover: bool = False
    client_no_context_takeover: bool = False
    server_max_window_bits: int = 15
    client_max_window_bits: int = 15


def request(endpoint: Endpoint, key: bytes, offer: str) -> bytes:
    """The opening request, with this offer of extensions if there is one."""
    origin = "".join(f"{line}\r\n" for line in endpoint.origin_lines)
    extensions = f"Sec-WebSocket-Extensions: {offer}\r\n" if offer else ""
    return (
        f"GET {endpoint.resource} HTTP/1.1\r\nHost: {endpoint.authority}\r\nUser-Agent: wsconform/{__version__}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n"
        f"Sec-WebSocket-Key: {key.decode()}\r\nSec-WebSocket-Version: 13\r\n{origin}{extensions}\r\n"
    ).encode("latin-1", "replace")


def check(head: bytes, key: bytes, offer: str) -> Deflate | None:
    """What the answer agrees to; OpeningError if a client must not go on (RFC 6455 4.1, 4.2.2; RFC 7692 5.1)."""
    status, headers = _parse(head)
    words = status.split()
    if len(words) < 2 or words[0] != "HTTP/1.1" or words[1] != "101":  # noqa: PLR2004
        raise OpeningError(f"it refused the opening handshake: {printable(status, 80)!r}")
    if _one(headers, "upgrade").lower() != "websocket":
        raise OpeningError(f"its Upgrade header is {printable(_one(headers, 'upgrade'), 80)!r}")
    if "upgrade" not in (token.strip().lower() for token in ",".join(headers.get("connection", ())).split(",")):
        raise OpeningError("its Connection header does not say Upgrade")
    accept = base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest()).decode()
    if _one(headers, "sec-websocket-accept") != accept:
        raise OpeningError("its Sec-WebSocket-Accept is wrong")
    if _one(headers, "sec-websocket-protocol"):
        raise OpeningError("it chose a subprotocol that was not offered")
    return extensions(_one(headers, "sec-websocket-extensions"), offered=bool(offer))


def _parse(head: bytes) -> tuple[str, dict[str, list[str]]]:
    try:
        status, *lines = head.decode().splitlines()
    except (UnicodeDecodeError, ValueError) as error:
        raise OpeningError("its answer to the opening handshake is no text") from error
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers.setdefault(name.strip().lower(), []).append(value.strip())
    return status.strip(), headers


def _one(headers: dict[str, list[str]], name: str) -> str:
    values = headers.get(name, [])
    if len(values) > 1:
        raise OpeningError(f"its header {name} is there {len(values)} times")
    return values[0] if values else ""


def extensions(value: str, *, offered: bool) -> Deflate | None:
    """What a Sec-WebSocket-Extensions of an answer agrees to; OpeningError where that was not offered, or is none."""
    agreed: Deflate | None = None
    for extension in filter(None, (part.strip() for part in value.split(","))):
        name, *parameters = (part.strip() for part in extension.split(";"))
        if name.lower() != "permessage-deflate" or not offered:
            raise OpeningError(f"it chose an extension that was not offered: {printable(name, 80)!r}")
        if agreed is not None:
            raise OpeningError("it chose permessage-deflate twice")
        agreed = _deflate(parameters)
    return agreed


def _deflate(parameters: Iterable[str]) -> Deflate:
    found: dict[str, bool | int] = {}
    for parameter in parameters:
        name, equals, text = (part.strip() for part in parameter.partition("="))
        name, text = name.lower(), text.strip('"')
        if name in found:
            raise OpeningError(f"it gave {printable(name, 80)} twice")
        if name in {"server_no_context_takeover", "client_no_context_takeover"} and not equals:
            found[name] = True
        elif name in {"server_max_window_bits", "client_max_window_bits"} and text in map(str, range(8, 16)):
            found[name] = int(text)
        else:
            raise OpeningError(f"it gave an illegal parameter of permessage-deflate: {printable(parameter, 80)!r}")
    return Deflate(**found)  # type: ignore[arg-type]
