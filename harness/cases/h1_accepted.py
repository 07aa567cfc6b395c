"""H.1: opening requests that a server has to accept, however they are written."""

from __future__ import annotations

from collections.abc import Callable

from harness.cases.handshakes import Change, accepted, asked, works
from harness.cases.model import Opcode
from harness.cases.request import Request
from harness.cases.talk import Family, Finding, Talk, failed, informational, non_strict, not_opened, ok
from harness.engines.native.peer import frame

FAMILY = Family("H.1")
_ACCEPTED = "It is accepted with 101, and a message comes back."


def _accepts(title: str, change: Change, *clauses: str, breaks: Callable[[str], Finding] = failed) -> None:
    @FAMILY.case(title, _ACCEPTED, *clauses)
    async def case(talk: Talk) -> Finding:
        return await accepted(talk, change(talk.request()), breaks=breaks)


def _names(request: Request, how: Callable[[str], str]) -> Request:
    lines = tuple(how(name) + ":" + value for name, _, value in (line.partition(":") for line in request.lines))
    return Request(request.line, lines, request.key)


def _target(request: Request, target: Callable[[str, str], str]) -> Request:
    """With another request target, made of the host and the resource."""
    method, resource, version = request.line.split(" ")
    host = next(line for line in request.lines if line.startswith("Host: ")).removeprefix("Host: ")
    return Request(f"{method} {target(host, resource)} {version}", request.lines, request.key)


_accepts("A plain opening request.", lambda r: r, "RFC 6455 4.2.1", "RFC 6455 4.2.2")
_accepts("All header names in lower case.", lambda r: _names(r, str.lower), "RFC 9110 5.1")
_accepts("All header names in upper case.", lambda r: _names(r, str.upper), "RFC 9110 5.1")
_accepts("Upgrade: WebSocket.", lambda r: r.value("Upgrade", "WebSocket"), "RFC 6455 4.2.1")
_accepts("Upgrade: WEBSOCKET.", lambda r: r.value("Upgrade", "WEBSOCKET"), "RFC 6455 4.2.1")
_accepts("Connection: upgrade.", lambda r: r.value("Connection", "upgrade"), "RFC 6455 4.2.1")
_accepts("Connection: UPGRADE.", lambda r: r.value("Connection", "UPGRADE"), "RFC 6455 4.2.1")
_accepts("Connection: keep-alive, Upgrade.", lambda r: r.value("Connection", "keep-alive, Upgrade"), "RFC 6455 4.2.1")
_accepts("Connection: Upgrade,keep-alive.", lambda r: r.value("Connection", "Upgrade,keep-alive"), "RFC 6455 4.2.1")
_accepts(
    "Connection: keep-alive in a line and Connection: Upgrade in another one.",
    lambda r: r.value("Connection", "keep-alive", "Upgrade"),
    "RFC 9110 5.3",
    "RFC 6455 4.2.1",
)
_accepts(
    "Connection with empty elements in its list: ', keep-alive, , Upgrade,'.",
    lambda r: r.value("Connection", ", keep-alive, , Upgrade,"),
    "RFC 9110 5.6.1.2",
)
_accepts(
    # RFC 6455 4.2.1 has a header that contains "websocket", of HTTP's it is a list, which may be ignored
    "Upgrade lists another protocol behind websocket.",
    lambda r: r.value("Upgrade", "websocket, x-other/2"),
    "RFC 6455 4.2.1",
    "RFC 9110 7.8",
    breaks=informational,
)
_accepts(
    "No whitespace behind the colons.",
    lambda r: Request(r.line, tuple(line.replace(": ", ":", 1) for line in r.lines), r.key),
    "RFC 9112 5.1",
)
_accepts(
    "Spaces and tabs before and behind each value.",
    lambda r: Request(r.line, tuple(line.replace(": ", ": \t ", 1) + " \t" for line in r.lines), r.key),
    "RFC 9112 5.1",
)
_accepts(
    "The headers in another order, Host last.",
    lambda r: Request(r.line, r.lines[::-1], r.key),
    "RFC 6455 4.2.1",
    "RFC 9110 5.3",
)
_accepts(
    "The request target in absolute form.",
    lambda r: _target(r, lambda host, resource: f"http://{host}{resource}"),
    "RFC 9112 3.2.2",
    "RFC 6455 4.2.1",
)
_accepts(
    "A query in the request target.",
    lambda r: _target(r, lambda _, resource: f"{resource}{'&' if '?' in resource else '?'}a=b&c=%20d&e"),
    "RFC 6455 3",
)
_accepts(
    "Forty headers that nobody knows, and cookies.",
    lambda r: r.also(*(f"X-Unknown-{n}: value {n}" for n in range(40)), "Cookie: a=b; c=d"),
    "RFC 6455 4.2.1",
    "RFC 9110 5.1",
    breaks=non_strict,
)
_accepts("A header without a value.", lambda r: r.also("X-Empty:"), "RFC 9110 5.5", breaks=non_strict)
_accepts(
    "Octets from 0x80 to 0xff in the value of a header that nobody knows.",
    lambda r: r.also("X-Text: \xe4\xf6\xfc\x80\xff"),
    "RFC 9110 5.5",
    breaks=non_strict,
)
_accepts(
    "HTTP/1.2, a later minor version.",
    lambda r: Request(r.line.replace("HTTP/1.1", "HTTP/1.2"), r.lines, r.key),
    "RFC 6455 4.2.1",
    "RFC 9110 6.2",
    breaks=non_strict,
)
_accepts(
    "An empty line before the request.",
    lambda r: Request("\r\n" + r.line, r.lines, r.key),
    "RFC 9112 2.2",
    breaks=non_strict,
)


@FAMILY.case("The request octet by octet, each in a segment of its own.", _ACCEPTED, "RFC 6455 4.2.1")
async def octet_by_octet(talk: Talk) -> Finding:
    request = talk.request()
    return await accepted(talk, request, pieces=[bytes([octet]) for octet in request.octets()])


@FAMILY.case(
    "The request in two segments, cut in the middle of the empty line at its end.", _ACCEPTED, "RFC 6455 4.2.1"
)
async def cut_at_the_end(talk: Talk) -> Finding:
    request = talk.request()
    octets = request.octets()
    return await accepted(talk, request, pieces=[octets[:-3], octets[-3:]])


@FAMILY.case(
    "Two messages in the same segment as the request.",
    "A client must wait for the answer (RFC 6455 4.1), so that a server may do with them what it wants.",
    "RFC 6455 4.1",
)
async def early_messages(talk: Talk) -> Finding:
    request = talk.request()
    early = frame(Opcode.TEXT, b"early 1") + frame(Opcode.TEXT, b"early 2")
    peer = await asked(talk, request, pieces=[request.octets() + early])
    peer.request = request.octets()
    if peer.status != 101:
        return informational(f"It was not accepted: {not_opened(peer)}.")
    await peer.write(frame(Opcode.TEXT, b"later"), until_refused=True)
    await peer.until(lambda: peer.refused or any(m.payload == b"later" for m in peer.messages), 1.0)
    came = [message.payload.decode("latin-1") for message in peer.messages]
    if came == ["early 1", "early 2", "later"]:
        return ok("The early messages came back as well as a later one.")
    return informational(f"Of early 1, early 2 and later there came back: {', '.join(came) or 'nothing'}.")


@FAMILY.case(
    "A second connection while the first one is still in its opening handshake.",
    "The second is accepted at once, though a server may limit how many clients it has.",
    "RFC 6455 4.1",
)
async def beside_another(talk: Talk) -> Finding:
    waiting = await talk.connect()
    await waiting.write(talk.request().octets()[:20])
    request = talk.request()
    peer = await asked(talk, request)
    if peer.status != 101:
        return informational(f"It was not accepted: {not_opened(peer)}.")
    await works(talk, peer, request)
    return ok("It was accepted, and a message came back.")


_accepts(
    "Headers whose names end as those of the handshake do, before these: X-Upgrade, X-Sec-WebSocket-Key and so on.",
    lambda r: Request(
        r.line,
        (
            "X-Host: b.example",
            "X-Upgrade: x-other",
            "X-Connection: close",
            "X-Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==",
            "X-Sec-WebSocket-Version: 14",
            "X-Sec-WebSocket-Extensions: ;",
            *r.lines,
        ),
        r.key,
    ),
    "RFC 6455 4.2.1",
    "RFC 9110 5.1",
)
_accepts(
    "A header without a value, before all others.",
    lambda r: Request(r.line, ("X-Empty:", *r.lines), r.key),
    "RFC 9110 5.5",
    breaks=non_strict,
)
