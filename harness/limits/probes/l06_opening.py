"""Opening handshake: a request that does not come, comes slowly, has no end, or is made to cost much."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from harness.engines.native.peer import Peer
from harness.limits.judge import (
    ENFORCED,
    LATE,
    LONG_S,
    NOT_ENFORCED,
    PATIENCE_S,
    WRONG_CODE,
    cut_after,
    is_quadratic,
    refusal_in_words,
)
from harness.limits.model import KIB, MIB, Attempt, Family, Finding
from harness.limits.settings import Settings

FAMILY = Family(6, "Opening handshake")
_SETTINGS: Settings = {"handshake_timeout": 2}
_ENDLESS = 20 * MIB
#: RFC 9110 15.5 and RFC 6585 5: a request that is too large, or malformed.
_TOO_LARGE = frozenset({400, 413, 414, 431})
_SWITCHING = 101


@FAMILY.probe(
    "A TCP connection, and no octet.",
    "It is cut at the handshake timeout.",
    limit="handshake_timeout",
    settings=_SETTINGS,
)
async def nothing(attempt: Attempt) -> Finding:
    peer = await attempt.connect()
    return await cut_after(attempt, peer, asyncio.get_running_loop().time(), what="It waited")


@FAMILY.probe(
    "A right opening request, an octet every fifth of a second.",
    "It is cut at the handshake timeout, for which only the whole request counts.",
    limit="handshake_timeout",
    settings=_SETTINGS,
)
async def slowly(attempt: Attempt) -> Finding:
    peer = await attempt.connect()
    since = asyncio.get_running_loop().time()
    writer = asyncio.create_task(_drip(peer))
    try:
        return await cut_after(attempt, peer, since, what="It read octet after octet")
    finally:
        writer.cancel()


async def _drip(peer: Peer) -> None:
    for octet in peer.opening_request():
        await peer.write(bytes([octet]))
        await asyncio.sleep(0.2)


async def _flow(attempt: Attempt, peer: Peer, first: bytes, more: bytes) -> bool:
    """A request that begins with `first` and goes on with `more` without end, with time to refuse it.

    False: it was left at less than _ENDLESS octets, for they cost the server too much.
    """
    began, worked = attempt.cost(), 0.0
    await peer.write(first, until_refused=True)
    while peer.sent < _ENDLESS and await peer.write(more, until_refused=True) and await peer.drained(PATIENCE_S):
        worked = attempt.cost() - began if attempt.meter else 0.0
        if worked > LONG_S:
            attempt.figures["seconds of work"] = round(worked, 1)
            break
    await peer.refusal(2)
    return worked <= LONG_S


def _too_large(attempt: Attempt, peer: Peer, what: str) -> Finding:
    """Judge a request that no server should take; 408 is for who waited for the rest of it."""
    attempt.shown = peer
    if peer.status == _SWITCHING:
        return Finding(NOT_ENFORCED, f"It accepted {what}.")
    if not peer.refused:
        return Finding(NOT_ENFORCED, f"It took {peer.sent:,} octets of {what} and did not refuse.", doubtful=True)
    words = f"Refused {refusal_in_words(peer)} after {peer.taken or 0:,} octets"
    if peer.status is not None and peer.status not in _TOO_LARGE | {408}:
        return Finding(WRONG_CODE, f"{words}; that status does not say that the request was too large.")
    return Finding(ENFORCED, f"{words}.")


def _beginning(peer: Peer) -> bytes:
    """An opening request that goes on: without the empty line at its end."""
    return peer.opening_request()[:-2]


@FAMILY.probe(
    "A header without end: line after line, up to 20 MiB.",
    "It is refused (431, 400, 413 or the end of the connection), and memory does not grow by more than 16 MiB.",
    alone=True,
    memory=16 * MIB,
)
async def endless_header(attempt: Attempt) -> Finding:
    peer = await attempt.connect()
    attempt.excess()
    await _flow(attempt, peer, _beginning(peer), b"X-Filler: 0123456789abcdef\r\n" * 1024)
    return _too_large(attempt, peer, "a header without end")


@FAMILY.probe(
    "An opening request with 2,000 header lines; where that is accepted, one with 200,000.",
    "One of both is refused (431, 400, 413 or the end of the connection).",
    alone=True,
)
async def many_headers(attempt: Attempt) -> Finding:
    for count in (2_000, 200_000):
        peer = await attempt.connect()
        lines = "".join(f"X-{number}: {number}\r\n" for number in range(count)).encode()
        attempt.excess()
        await peer.write(_beginning(peer) + lines + b"\r\n", until_refused=True)
        await peer.answer(PATIENCE_S)
        if peer.status != _SWITCHING:
            break
        attempt.figures["header lines accepted"] = count
    return _too_large(attempt, peer, f"{count:,} header lines")


@FAMILY.probe(
    "An opening request with one header of 20 MiB.",
    "It is refused (431, 400, 413 or the end of the connection), and memory does not grow by more than 16 MiB.",
    alone=True,
    memory=16 * MIB,
)
async def huge_header(attempt: Attempt) -> Finding:
    peer = await attempt.connect()
    attempt.excess()
    all_sent = await _flow(attempt, peer, _beginning(peer) + b"X-Filler: ", b"x" * (64 * KIB))
    if all_sent and not peer.refused:
        await peer.write(b"\r\n\r\n")
        await peer.answer(PATIENCE_S)
    return _too_large(attempt, peer, "a header of 20 MiB")


async def _timed(attempt: Attempt, make: Callable[[int], str], sizes: tuple[int, int], unit: str) -> Finding:
    """The same kind of header in two sizes, n and 2n: both are answered, and the second costs about twice as much.

    Processor time is what counts where it can be seen; the time to the answer hangs on what else the machine does.
    """
    costs: list[float] = []
    answers: list[str] = []
    for size in sizes:
        peer = await attempt.connect()
        attempt.shown = peer
        began = attempt.cost()
        await peer.write(peer.opening_request([make(size)]), until_refused=True)
        if not await peer.answer(PATIENCE_S):
            return Finding(NOT_ENFORCED, f"{size:,} {unit}: no answer within {PATIENCE_S:g} s.", doubtful=True)
        costs.append(attempt.cost() - began)
        answers.append("HTTP 101" if peer.status == _SWITCHING else peer.how_refused())
        attempt.figures[f"milliseconds for {size:,} {unit}"] = round(costs[-1] * 1000, 1)
    words = f"{costs[0]:.2f} and {costs[1]:.2f} s of work for an answer ({', '.join(answers)})."
    if is_quadratic(costs):
        return Finding(LATE, f"Twice the size costs far more than twice as much: {words}", doubtful=True)
    if any(answer.startswith("HTTP 5") for answer in answers):
        return Finding(WRONG_CODE, f"An error of the server's own for what the client did: {words}")
    return Finding(ENFORCED, words)


@FAMILY.probe(
    "32 and 64 KiB of blanks in Sec-WebSocket-Protocol.",
    "Both are answered at once, and the time does not grow with the square of the size.",
    alone=True,
)
async def blanks_in_protocol(attempt: Attempt) -> Finding:
    return await _timed(
        attempt, lambda size: f"Sec-WebSocket-Protocol: a{' ' * size},b", (32 * KIB, 64 * KIB), "blanks"
    )


@FAMILY.probe(
    "A quoted extension parameter of 32 and 64 KiB, whose quote is never closed.",
    "Both are answered at once, and the time does not grow with the square of the size.",
    alone=True,
)
async def unclosed_quote(attempt: Attempt) -> Finding:
    return await _timed(
        attempt, lambda size: 'Sec-WebSocket-Extensions: a; b="' + '\\"' * (size // 2), (32 * KIB, 64 * KIB), "octets"
    )


@FAMILY.probe(
    "Extensions named constructor, __proto__ and toString, which in some languages everything has already.",
    "They are declined or the request is refused with 400; the server lives.",
    clauses=("RFC 6455 9.1",),
)
async def inherited_names(attempt: Attempt) -> Finding:
    answers: list[str] = []
    for name in ("constructor", "__proto__", "toString", "constructor; constructor"):
        peer = await attempt.connect()
        attempt.shown = peer
        await peer.write(peer.opening_request([f"Sec-WebSocket-Extensions: {name}"]))
        if not await peer.answer(PATIENCE_S):
            return Finding(
                NOT_ENFORCED, f"An extension named {name!r}: no answer within {PATIENCE_S:g} s.", doubtful=True
            )
        answers.append("HTTP 101" if peer.status == _SWITCHING else peer.how_refused())
        if b"sec-websocket-extensions" in peer.head.lower():
            return Finding(NOT_ENFORCED, f"It agreed to an extension named {name!r}.")
    words = f"Answers: {', '.join(answers)}."
    if any(answer.startswith("HTTP 5") for answer in answers):
        return Finding(WRONG_CODE, f"An error of the server's own for what the client did. {words}")
    return Finding(ENFORCED, words)


@FAMILY.probe(
    "Offers of 5,000 and 10,000 extensions.",
    "Both are answered at once, and the time does not grow with the square of their number.",
    alone=True,
    clauses=("RFC 6455 9.1", "RFC 6455 10.4"),
)
async def many_extensions(attempt: Attempt) -> Finding:
    return await _timed(
        attempt,
        lambda count: "Sec-WebSocket-Extensions: " + ", ".join(f"e{number};p" for number in range(count)),
        (5_000, 10_000),
        "extensions",
    )
