"""An opening request as text that can be changed into wrong ones (RFC 6455 4.1, RFC 9112 2)."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import Self

from harness.endpoint import Endpoint


@dataclass(frozen=True)
class Request:
    """The lines of a request. A header is found by its name in any case."""

    line: str
    lines: tuple[str, ...]
    key: bytes  #: the Sec-WebSocket-Key that was meant, which the Accept of the answer has to fit
    body: bytes = b""

    @classmethod
    def right(cls, endpoint: Endpoint, nonce: bytes) -> Self:
        """One that a server has to accept, with this nonce (16 octets)."""
        key = base64.b64encode(nonce)
        lines = (
            f"Host: {endpoint.authority}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key.decode()}",
            "Sec-WebSocket-Version: 13",
            *endpoint.origin_lines,
        )
        return cls(f"GET {endpoint.resource} HTTP/1.1", lines, key)

    def header(self, name: str, *lines: str) -> Self:
        """With these lines in place of that header's: several, one, or none."""
        at = next((n for n, line in enumerate(self.lines) if _name(line) == name.lower()), None)
        if at is None:
            raise LookupError(f"the request has no {name}")
        rest = [line for line in self.lines if _name(line) != name.lower()]
        return replace(self, lines=(*rest[:at], *lines, *rest[at:]))

    def value(self, name: str, *values: str) -> Self:
        """With these values of that header, each in a line of its own."""
        return self.header(name, *(f"{name}: {value}" for value in values))

    def also(self, *lines: str) -> Self:
        """With these lines at the end."""
        return replace(self, lines=(*self.lines, *lines))

    def octets(self) -> bytes:
        """As it is sent."""
        head = "".join(f"{line}\r\n" for line in (self.line, *self.lines, ""))
        return head.encode("latin-1", "replace") + self.body


def _name(line: str) -> str:
    return line.partition(":")[0].strip().lower()
