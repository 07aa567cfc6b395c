"""Origin, and who else is let in: what browsers say about the page that opens a connection (RFC 6455 10.2)."""

from __future__ import annotations

import re

from harness.engines.native.peer import Peer, frame
from harness.limits.judge import ENFORCED, NOT_ENFORCED, PATIENCE_S, WRONG_CODE
from harness.limits.model import Attempt, Family, Finding
from harness.limits.settings import Settings

FAMILY = Family(7, "Origin")
_GOOD = "https://good.example"
_SETTINGS: Settings = {"allowed_origin": _GOOD}
_CLAUSES = ("RFC 6455 4.2.2", "RFC 6455 10.2")
_SWITCHING, _FORBIDDEN = 101, 403


async def _ask(attempt: Attempt, *lines: str) -> Peer:
    peer = await attempt.connect(origin=False)
    attempt.shown = peer
    await peer.open(*lines)
    return peer


def _allowed(attempt: Attempt) -> str:
    return str(attempt.settings["allowed_origin"])


@FAMILY.probe(
    "An opening request with the origin that is allowed.",
    "It is accepted, and a message is echoed.",
    limit="allowed_origin",
    settings=_SETTINGS,
    clauses=_CLAUSES,
)
async def accepted(attempt: Attempt) -> Finding:
    peer = await _ask(attempt, f"Origin: {_allowed(attempt)}")
    if peer.status != _SWITCHING or not await peer.echo(b"hello"):
        return Finding(NOT_ENFORCED, f"The allowed origin was not served: {peer.problem or peer.how_refused()}.")
    return Finding(ENFORCED, f"{_allowed(attempt)} was accepted.")


@FAMILY.probe(
    "An opening request with another origin, and a frame behind it.",
    "It gets 403 with its whole body, and never a 101 or a frame after it.",
    limit="allowed_origin",
    settings=_SETTINGS,
    clauses=_CLAUSES,
)
async def refused(attempt: Attempt) -> Finding:
    peer = await attempt.connect(origin=False)
    attempt.shown = peer
    attempt.excess()
    await peer.write(peer.opening_request(["Origin: https://evil.example"]) + frame(1, b"hello"))
    await peer.answer(PATIENCE_S)
    if peer.status == _SWITCHING:
        return Finding(NOT_ENFORCED, "An origin that is not allowed was accepted.")
    await peer.end(2)
    body = bytes(peer.body)
    if re.search(rb"HTTP/1\.[01] 101", body):
        return Finding(NOT_ENFORCED, f"After {peer.how_refused()} came a 101 all the same.")
    if peer.status is None:
        return Finding(WRONG_CODE, f"It gave no status, but {peer.ended or 'nothing at all'}: 403 says why.")
    if peer.status != _FORBIDDEN:
        return Finding(WRONG_CODE, f"It was refused with HTTP {peer.status}; 403 says why.")
    length = re.search(rb"(?im)^content-length:[ \t]*([0-9]{1,9})[ \t]*\r?$", peer.head)
    if length and len(body) != int(length[1]):
        return Finding(NOT_ENFORCED, f"Its 403 announces a body of {int(length[1])} octets; {len(body)} came.")
    return Finding(ENFORCED, f"HTTP 403, with a body of {len(body)} octets, and nothing after it.")


@FAMILY.probe(
    "Origins that look like the allowed one: as a prefix or suffix of another host, other scheme, other port, null.",
    "None is accepted. Upper case and no origin at all are tried as well and told, but not judged.",
    limit="allowed_origin",
    settings=_SETTINGS,
    clauses=_CLAUSES,
)
async def look_alikes(attempt: Attempt) -> Finding:
    good = _allowed(attempt)
    scheme, host = good.split("://", 1)
    other = "http" if scheme == "https" else "https"
    wrong = [
        f"{good}.evil.test",
        f"{scheme}://evil{host}",
        f"{scheme}://evil.{host}",
        f"{scheme}://{host}:8443",
        f"{other}://{host}",
        f"{scheme}://evil.test/{good}",
        f"{scheme}://{host}@evil.test",
        "null",
    ]
    for origin in wrong:
        peer = await _ask(attempt, f"Origin: {origin}")
        if peer.status == _SWITCHING:
            return Finding(NOT_ENFORCED, f"{origin} was accepted, where {good} is allowed.")
    told = []
    for words, lines in (("in upper case", [f"Origin: {good.upper()}"]), ("without an origin", [])):
        peer = await _ask(attempt, *lines)
        told.append(f"{words} it is {'accepted' if peer.status == _SWITCHING else 'refused'}")
    return Finding(ENFORCED, f"{len(wrong)} look-alikes were refused; {' and '.join(told)}.")
