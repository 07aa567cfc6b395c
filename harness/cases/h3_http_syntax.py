"""H.3: requests that break HTTP's own syntax, or stretch it (RFC 9110, RFC 9112)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from harness.cases.answer import Answer, accept
from harness.cases.handshakes import Change, asked, either, refused
from harness.cases.request import Request
from harness.cases.talk import Family, Finding, Talk, failed, informational, non_strict, not_opened, ok

FAMILY = Family("H.3")
_REFUSED = "It is refused with 400 or another status of 4xx."
_EITHER = "It is refused, or accepted and understood: then a message comes back."


def _refuses(
    title: str,
    change: Change,
    *clauses: str,
    breaks: Callable[[str], Finding] = failed,
    status_400: bool = False,
) -> None:
    @FAMILY.case(title, _REFUSED, *clauses)
    async def case(talk: Talk) -> Finding:
        return await refused(talk, change(talk.request()), breaks=breaks, status_400=status_400)


def _either(title: str, change: Change, *clauses: str) -> None:
    @FAMILY.case(title, _EITHER, *clauses)
    async def case(talk: Talk) -> Finding:
        return await either(talk, change(talk.request()), body_pending=True)


_refuses(
    "Whitespace between a header's name and its colon.",
    lambda r: r.also("X-Test : a"),
    "RFC 9112 5.1",
    status_400=True,
)
_refuses(
    "Whitespace between the name Upgrade and its colon.",
    lambda r: r.header("Upgrade", "Upgrade : websocket"),
    "RFC 9112 5.1",
    status_400=True,
)
_refuses(
    "Upgrade: web\\0socket, with an octet that is 0.",
    lambda r: r.value("Upgrade", "web\0socket"),
    "RFC 9110 5.5",
)
_refuses(
    "Upgrade: web\\rsocket, with a CR that no LF follows.",
    lambda r: r.value("Upgrade", "web\rsocket"),
    "RFC 9110 5.5",
    "RFC 9112 2.2",
)
_refuses(
    "Whitespace between the request line and the first header, which is Upgrade.",
    lambda r: Request(
        r.line, (" Upgrade: websocket", *(line for line in r.lines if not line.startswith("Upgrade"))), r.key
    ),
    "RFC 9112 2.2",
)
_refuses("A header line without a colon.", lambda r: r.also("X-Test"), "RFC 9112 5", breaks=non_strict)
_refuses("A header line that begins with its colon.", lambda r: r.also(": a"), "RFC 9112 5", breaks=non_strict)
_refuses("A header's name with a space in it.", lambda r: r.also("X Test: a"), "RFC 9110 5.1", breaks=non_strict)
_refuses(
    "http/1.1, in lower case.",
    lambda r: Request(r.line.replace("HTTP", "http"), r.lines, r.key),
    "RFC 9112 2.3",
    breaks=non_strict,
)
_refuses(
    "No version in the request line.",
    lambda r: Request(r.line.removesuffix(" HTTP/1.1"), r.lines, r.key),
    "RFC 9112 3",
    "RFC 6455 4.2.1",
)
_either(
    "A header over two lines (obs-fold): Connection: keep-alive, and Upgrade in the second.",
    lambda r: r.value("Connection", "keep-alive,\r\n Upgrade"),
    "RFC 9112 5.2",
)
_either("An octet that is 0 in a header that nobody knows.", lambda r: r.also("X-Test: a\0b"), "RFC 9110 5.5")
_either(
    "A body of 5 octets, with its Content-Length.",
    lambda r: replace(r.also("Content-Length: 5"), body=b"hello"),
    "RFC 9112 6.2",
    "RFC 9110 9.3.1",
)
_either(
    "A chunked body of 5 octets.",
    lambda r: replace(r.also("Transfer-Encoding: chunked"), body=b"5\r\nhello\r\n0\r\n\r\n"),
    "RFC 9112 6.1",
    "RFC 9110 9.3.1",
)
_either("Content-Length: 0.", lambda r: r.also("Content-Length: 0"), "RFC 9112 6.2")


@FAMILY.case(
    "Lines that end in LF alone.",
    "A recipient may take that for the end of a line.",
    "RFC 9112 2.2",
)
async def bare_lf(talk: Talk) -> Finding:
    request = talk.request()
    peer = await asked(talk, request, pieces=[request.octets().replace(b"\r\n", b"\n")], seconds=1.0)
    if peer.status == 101:
        return informational("It was accepted.")
    return informational(f"It was not accepted: {not_opened(peer) if peer.refused else 'it waits for more'}.")


@FAMILY.case(
    "A request that ends in the middle, and the end of the stream.",
    "It is not accepted, and the connection ends.",
    "RFC 9112 8",
)
async def incomplete(talk: Talk) -> Finding:
    peer = await talk.connect()
    peer.request = talk.request().octets()[:-20]
    await peer.write(peer.request)
    peer.end_writing()
    await talk.waits(peer, lambda: peer.ended is not None)
    if peer.status == 101:
        return failed("A request without its end was accepted.")
    if peer.ended is None:
        return non_strict("The connection is still open.")
    return ok("The connection was ended.")


@FAMILY.case(
    "A header over two lines (obs-fold), whose second line looks like another Sec-WebSocket-Key.",
    "It is refused, or the second line is taken for a part of the first.",
    "RFC 9112 5.2",
)
async def folded_key(talk: Talk) -> Finding:
    request = talk.request().also("X-Test: a\r\n Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==")
    peer = await asked(talk, request)
    if peer.status != 101:
        return ok(f"It was not accepted: {not_opened(peer)}.")
    if Answer.read(bytes(peer.head)).all("sec-websocket-accept") != [accept(request.key)]:
        return failed("It was accepted, and the second line taken for a header.")
    return ok("It was accepted, and the second line taken for a part of the first.")
