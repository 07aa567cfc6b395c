"""The answer to an opening request, and what is wrong with it (RFC 6455 4.2.2, and HTTP below it)."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

from harness.engines.native.opening import GUID
from harness.text import printable

# RFC 9110 5.6.2 and 5.5
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


@dataclass(frozen=True)
class Answer:
    """Its status line and its headers, names in lower case."""

    status_line: str
    headers: tuple[tuple[str, str], ...]
    malformed: tuple[str, ...]  #: lines that are no headers

    @classmethod
    def read(cls, head: bytes) -> Answer:
        """Of the octets before the empty line."""
        status_line, *lines = head.decode("latin-1").split("\r\n")
        headers: list[tuple[str, str]] = []
        malformed: list[str] = []
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
                malformed.append(line)
            headers.append((name.strip().lower(), value.strip(" \t")))
        return cls(status_line, tuple(headers), tuple(malformed))

    def all(self, name: str) -> list[str]:
        """The values of that header."""
        return [value for known, value in self.headers if known == name]

    def items(self, name: str) -> list[str]:
        """What that header lists, over all its lines."""
        return [item.strip() for value in self.all(name) for item in value.split(",") if item.strip()]


def accept(key: bytes) -> str:
    """The Sec-WebSocket-Accept for a key (RFC 6455 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest()).decode()


def problems(
    answer: Answer, key: bytes, *, protocols: tuple[str, ...] = (), extensions_offered: bool = False
) -> list[str]:
    """Why a client has to fail the connection (RFC 6455 4.1); of the offered subprotocols one may be chosen.

    Where extensions were offered, the caller looks at those that were agreed to.
    """
    accepts, chosen = answer.all("sec-websocket-accept"), answer.all("sec-websocket-protocol")
    agreed = answer.items("sec-websocket-extensions")
    connection = [word.lower() for word in answer.items("connection")]
    checks = (
        (
            not re.fullmatch(r"HTTP/1\.1 101( .*)?", answer.status_line),
            f"the status line is {_said(answer.status_line)}",
        ),
        (bool(answer.malformed), f"a header line is malformed: {_said(next(iter(answer.malformed), ''))}"),
        ([value.lower() for value in answer.all("upgrade")] != ["websocket"], _is("Upgrade", answer.all("upgrade"))),
        ("upgrade" not in connection, _is("Connection", answer.all("connection"))),
        (accepts != [accept(key)], f"{_is('Sec-WebSocket-Accept', accepts)}, not {accept(key)}"),
        (len(chosen) > 1, "it has several Sec-WebSocket-Protocol"),
        (
            any(one not in protocols for one in chosen),
            f"it chose a subprotocol that was not offered: {_said(', '.join(chosen))}",
        ),
        (
            bool(agreed) and not extensions_offered,
            f"it agreed to an extension that was not offered: {_said(', '.join(agreed))}",
        ),
    )
    return [words for wrong, words in checks if wrong]


def of_a_body(answer: Answer) -> list[str]:
    """What it says of a body, which a 101 cannot have; a client will not notice."""
    rules = {"Content-Length": "RFC 9110 8.6", "Transfer-Encoding": "RFC 9112 6.1"}
    return [
        f"it has a {name}, which a 101 must not ({rule})" for name, rule in rules.items() if answer.all(name.lower())
    ]


def _said(text: str) -> str:
    return f"'{printable(text, 100)}'"


def _is(name: str, values: list[str]) -> str:
    if not values:
        return f"it has no {name}"
    return f"its {name} is {' and '.join(map(_said, values))}"
