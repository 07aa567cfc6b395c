"""H.2: opening requests that a server must not accept, for what they lack or say (RFC 6455 4.2.1, 4.2.2, 4.4)."""

from __future__ import annotations

from collections.abc import Callable

from harness.cases.answer import Answer
from harness.cases.handshakes import Change, asked, refused
from harness.cases.request import Request
from harness.cases.talk import Family, Finding, Talk, failed, non_strict, ok

FAMILY = Family("H.2")
_REFUSED = "It is refused with a status of 400 or more."
_VERSION = "It is refused with 426 or 400, and a Sec-WebSocket-Version that lists 13."


def _refuses(
    title: str,
    change: Change,
    *clauses: str,
    breaks: Callable[[str], Finding] = failed,
    any_answer: bool = False,
    version: bool = False,
    status_400: bool = False,
) -> None:
    expects = _VERSION if version else _REFUSED
    if any_answer:
        expects = "It is not answered with 101, for it is no opening handshake; any other answer will do."

    @FAMILY.case(title, expects, *clauses)
    async def case(talk: Talk) -> Finding:
        request = change(talk.request())
        return await refused(
            talk, request, breaks=breaks, any_answer=any_answer, version=version, status_400=status_400
        )


def _line(old: str, new: str) -> Change:
    return lambda r: Request(r.line.replace(old, new, 1), r.lines, r.key)


_refuses("No Host.", lambda r: r.header("Host"), "RFC 6455 4.2.1", "RFC 9112 3.2", status_400=True)
_refuses("Two Host headers.", lambda r: r.value("Host", "a.example", "b.example"), "RFC 9112 3.2", status_400=True)
_refuses("No Upgrade.", lambda r: r.header("Upgrade"), "RFC 6455 4.2.1", any_answer=True)
_refuses("Upgrade: x-other.", lambda r: r.value("Upgrade", "x-other"), "RFC 6455 4.2.1", any_answer=True)
_refuses("Upgrade: websocketx.", lambda r: r.value("Upgrade", "websocketx"), "RFC 6455 4.2.1", any_answer=True)
_refuses("No Connection.", lambda r: r.header("Connection"), "RFC 6455 4.2.1", any_answer=True)
_refuses("Connection: keep-alive.", lambda r: r.value("Connection", "keep-alive"), "RFC 6455 4.2.1", any_answer=True)
_refuses("Connection: x-upgrade.", lambda r: r.value("Connection", "x-upgrade"), "RFC 6455 4.2.1", any_answer=True)
_refuses("No Sec-WebSocket-Key.", lambda r: r.header("Sec-WebSocket-Key"), "RFC 6455 4.2.1")
_refuses("An empty Sec-WebSocket-Key.", lambda r: r.value("Sec-WebSocket-Key", ""), "RFC 6455 4.2.1")
# 4.2.1 asks for 16 octets in base64, 4.2.2 says that a server need not decode them: so it is no MUST to look
_refuses(
    "A Sec-WebSocket-Key that is no base64.",
    lambda r: r.value("Sec-WebSocket-Key", "!!!!!!!!!!!!!!!!!!!!!!=="),
    "RFC 6455 4.2.1",
    breaks=non_strict,
)
_refuses(
    "A Sec-WebSocket-Key of 15 octets.",
    lambda r: r.value("Sec-WebSocket-Key", "AAECAwQFBgcICQoLDA0O"),
    "RFC 6455 4.2.1",
    breaks=non_strict,
)
_refuses(
    "A Sec-WebSocket-Key of 17 octets.",
    lambda r: r.value("Sec-WebSocket-Key", "AAECAwQFBgcICQoLDA0ODxA="),
    "RFC 6455 4.2.1",
    breaks=non_strict,
)
_refuses(
    "Two Sec-WebSocket-Key headers.",
    lambda r: r.also("Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw=="),
    "RFC 6455 11.3.1",
    breaks=non_strict,
)
_refuses("No Sec-WebSocket-Version.", lambda r: r.header("Sec-WebSocket-Version"), "RFC 6455 4.2.1", "RFC 6455 4.4")
for _version in ("0", "14", "255", "", "abc", "13.0"):
    _refuses(
        f"Sec-WebSocket-Version: {_version or '(empty)'}.",
        lambda r, version=_version: r.value("Sec-WebSocket-Version", version),  # type: ignore[misc]
        "RFC 6455 4.2.2",
        "RFC 6455 4.4",
        version=True,
    )
_refuses(
    "Two Sec-WebSocket-Version headers, 13 and 14.",
    lambda r: r.value("Sec-WebSocket-Version", "13", "14"),
    "RFC 6455 11.3.5",
    breaks=non_strict,
)
_refuses(
    "Sec-WebSocket-Version: 13, 14 in one line.",
    lambda r: r.value("Sec-WebSocket-Version", "13, 14"),
    "RFC 6455 4.1",
    "RFC 6455 11.3.5",
    breaks=non_strict,
)
for _method in ("POST", "HEAD", "OPTIONS", "PUT"):
    _refuses(f"{_method} in place of GET.", _line("GET", _method), "RFC 6455 4.2.1", any_answer=True)
_refuses("The method get, in lower case.", _line("GET", "get"), "RFC 9110 9.1", "RFC 6455 4.2.1", any_answer=True)
_refuses("HTTP/1.0.", _line("HTTP/1.1", "HTTP/1.0"), "RFC 6455 4.2.1", any_answer=True)
for _host in ("a b", "a/b", "a:port"):
    _refuses(
        f"Host: {_host}.",
        lambda r, host=_host: r.value("Host", host),  # type: ignore[misc]
        "RFC 9112 3.2",
        status_400=True,
    )


@FAMILY.case(
    "Sec-WebSocket-Version: 14, and how the answer says what to do instead.",
    "An answer of 426 has an Upgrade header, as it must; any other status will do as well.",
    "RFC 9110 15.5.22",
)
async def upgrade_required(talk: Talk) -> Finding:
    peer = await asked(talk, talk.request().value("Sec-WebSocket-Version", "14"))
    if peer.status != 426:
        return ok(f"It was answered with HTTP {peer.status}." if peer.status else "It was not answered.")
    answer = Answer.read(bytes(peer.head))
    if "websocket" in [item.lower() for item in answer.items("upgrade")]:
        return ok("It was answered with 426 and an Upgrade.")
    return failed("It was answered with 426, without an Upgrade header that says to what.")
