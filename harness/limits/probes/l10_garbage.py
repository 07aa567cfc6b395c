"""Garbage: octets that are no WebSocket, and connections that end in the wrong place. The server lives."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable

from harness.cases.model import Opcode
from harness.engines.native.peer import Peer, close_payload, frame, header, masked_payload
from harness.limits.judge import ENFORCED, NOT_ENFORCED, PATIENCE_S, WRONG_CODE
from harness.limits.model import KIB, Attempt, Family, Finding

FAMILY = Family(10, "Garbage")
_SWITCHING = 101
_TIMES = 20
_LIVES = "The server lives: a fresh connection is let in and a message echoed."


async def _lives(attempt: Attempt, words: str) -> Finding:
    """The verdict hangs on a fresh connection (one that is not let in is found out by whoever runs the probe)."""
    peer = await attempt.open()
    if not await peer.echo(b"hello"):
        return Finding(NOT_ENFORCED, f"{words} Afterwards a message was not echoed.", doubtful=True)
    return Finding(ENFORCED, f"{words} It lives.")


async def _resets(attempt: Attempt, where: str, *, opened: bool, octets: Callable[[Peer], bytes]) -> Finding:
    for number in range(_TIMES):
        peer = await (attempt.open() if opened else attempt.connect())
        await peer.write(octets(peer))
        # now at once, now when the server has read it
        await asyncio.sleep(0.02 * (number % 2))
        peer.reset()
    return await _lives(attempt, f"{_TIMES} resets {where}.")


@FAMILY.probe(f"{_TIMES} resets in the middle of the opening request.", _LIVES)
async def reset_in_opening(attempt: Attempt) -> Finding:
    return await _resets(
        attempt, "in the opening request", opened=False, octets=lambda peer: peer.opening_request()[:60]
    )


@FAMILY.probe(f"{_TIMES} resets in the middle of a frame's header.", _LIVES)
async def reset_in_header(attempt: Attempt) -> Finding:
    octets = header(Opcode.BINARY, 70_000)[:5]
    return await _resets(attempt, "in a frame's header", opened=True, octets=lambda _: octets)


@FAMILY.probe(f"{_TIMES} resets in the middle of a payload.", _LIVES)
async def reset_in_payload(attempt: Attempt) -> Finding:
    octets = header(Opcode.BINARY, 10_000) + masked_payload(5_000)
    return await _resets(attempt, "in a payload", opened=True, octets=lambda _: octets)


@FAMILY.probe(f"{_TIMES} resets right behind a close frame, and as many in the middle of one.", _LIVES)
async def reset_in_close(attempt: Attempt) -> Finding:
    whole = frame(Opcode.CLOSE, close_payload(1000, "goodbye"))
    found = await _resets(attempt, "behind a close frame", opened=True, octets=lambda _: whole)
    if found.verdict is not ENFORCED:
        return found
    return await _resets(attempt, "behind and inside a close frame", opened=True, octets=lambda _: whole[:-3])


async def _no_websocket(attempt: Attempt, octets: bytes, what: str) -> Finding:
    """Whatever it answers, it is no 101."""
    peer = await attempt.connect()
    attempt.shown = peer
    await peer.write(octets, 2, until_refused=True)
    await peer.answer(1)
    if peer.status == _SWITCHING:
        return Finding(NOT_ENFORCED, f"It answered {what} with 101.")
    answer = peer.how_refused() or "nothing"
    peer.drop()
    return await _lives(attempt, f"{what[0].upper()}{what[1:]}: answered with {answer}.")


def _random(size: int, seed: str) -> bytes:
    return random.Random(seed).randbytes(size)  # noqa: S311 - garbage that is the same in every run


@FAMILY.probe("Random octets in place of an opening request, in pieces of several sizes.", _LIVES)
async def random_request(attempt: Attempt) -> Finding:
    for size in (1, 10, 100, 1000):
        peer = await attempt.connect()
        await peer.write(_random(size, f"request {size}"), 2)
        peer.drop()
    return await _no_websocket(attempt, _random(8 * KIB, "request"), "random octets")


@FAMILY.probe(f"{_TIMES} times random octets in place of frames.", _LIVES)
async def random_frames(attempt: Attempt) -> Finding:
    for number in range(_TIMES):
        peer = await attempt.open()
        await peer.write(_random(2 * KIB, f"frames {number}"), 2, until_refused=True)
        await peer.refusal(0.05)
        peer.drop()
    return await _lives(attempt, f"{_TIMES} times random octets in place of frames.")


@FAMILY.probe("A TLS ClientHello.", _LIVES)
async def client_hello(attempt: Attempt) -> Finding:
    # RFC 8446 4.1.2, record and handshake headers right, contents random: as far as a server without TLS can tell
    body = b"\x03\x03" + _random(32, "tls") + b"\0" + b"\0\x04\x13\x01\x13\x02" + b"\x01\0" + b"\0\0"
    hello = b"\x01" + len(body).to_bytes(3, "big") + body
    return await _no_websocket(attempt, b"\x16\x03\x01" + len(hello).to_bytes(2, "big") + hello, "a TLS ClientHello")


@FAMILY.probe("The preface of an HTTP/2 connection, and its SETTINGS frame.", _LIVES)
async def http2_preface(attempt: Attempt) -> Finding:
    # RFC 9113 3.4
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"
    return await _no_websocket(attempt, preface, "an HTTP/2 preface")


@FAMILY.probe(
    "A second opening request right behind the first.",
    "It is not answered as HTTP: it is no frame (1002), or dropped, for a client has to wait (RFC 6455 4.1).",
    clauses=("RFC 6455 4.1", "RFC 6455 5.1"),
)
async def second_request(attempt: Attempt) -> Finding:
    peer = await attempt.connect()
    attempt.shown = peer
    await peer.write(peer.opening_request() * 2)
    await peer.answer(PATIENCE_S)
    await peer.until(lambda: peer.close_came or peer.ended is not None, 2)
    # a status line; a server that takes the request for frames may echo a part of it, which is none
    if re.search(rb"HTTP/1\.[01] \d{3}", peer.beginning):
        return Finding(NOT_ENFORCED, "It answered a second request on a connection that was a WebSocket by then.")
    if peer.close_came and peer.close_code != 1002:  # noqa: PLR2004
        return Finding(WRONG_CODE, f"It failed the connection with {peer.how_refused()}; 1002 says why.")
    return await _lives(attempt, f"A second request: {peer.how_refused() or 'it was dropped'}.")


@FAMILY.probe(
    "A message in the same segment as the opening request.",
    "The server lives. What it does with the message is told: a client must not send it so early (RFC 6455 4.1).",
    clauses=("RFC 6455 4.1",),
)
async def early_frame(attempt: Attempt) -> Finding:
    peer = await attempt.connect()
    attempt.shown = peer
    await peer.write(peer.opening_request() + frame(Opcode.BINARY, b"early"))
    message = await peer.next_message(2)
    if message is not None:
        fate = "echoed" if message.payload == b"early" else "echoed changed"
    else:
        fate = f"refused ({peer.how_refused()})" if peer.refused else "dropped"
    return await _lives(attempt, f"The message was {fate}.")


@FAMILY.probe(
    "The opening request an octet at a time, then a message an octet at a time.",
    "The message is echoed.",
    clauses=("RFC 6455 4.2.1",),
)
async def octet_by_octet(attempt: Attempt) -> Finding:
    peer = await attempt.connect()
    attempt.shown = peer
    for octet in peer.opening_request():
        await peer.write(bytes([octet]))
        await asyncio.sleep(0.002)
    await peer.answer(PATIENCE_S)
    for octet in frame(Opcode.BINARY, b"slow"):
        await peer.write(bytes([octet]))
        await asyncio.sleep(0.002)
    message = await peer.next_message(PATIENCE_S)
    if message is not None and message.payload == b"slow":
        return Finding(ENFORCED, "The message was echoed.")
    return Finding(NOT_ENFORCED, f"It was not echoed: {peer.how_refused() or 'no answer'}.", doubtful=not peer.refused)
