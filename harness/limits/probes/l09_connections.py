"""Connections: many idle ones, more than are allowed, half-open ones, and what is left when they have gone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from harness.engines.native.peer import Peer, close_payload, frame
from harness.limits.judge import ENFORCED, NOT_ENFORCED, PATIENCE_S, WRONG_CODE, Growth, refusal_in_words
from harness.limits.model import KIB, MIB, Attempt, Family, Finding, UnreachableError
from harness.limits.settings import Settings

FAMILY = Family(9, "Connections")
_MANY: Settings = {"max_connections": 2000}
_IDLE = 1000
_AT_ONCE = 50  #: connections that are being made at the same time
_RESETS = 5000
_MUCH = 32 * MIB  #: memory that so many leave if they are kept
_HALF_OPEN = 500
_SETTLE_S = 8.0
#: Descriptors that a server may have opened for itself meanwhile: a log, a poller, a pipe.
_FEW = 8


async def _open_many(attempt: Attempt, count: int) -> list[Peer]:
    """So many WebSocket connections, fewer where it lets no more in."""
    opened: list[Peer] = []

    async def one() -> None:
        peer = await attempt.connect()
        if await peer.open():
            opened.append(peer)

    for start in range(0, count, _AT_ONCE):
        tasks = [one() for _ in range(min(_AT_ONCE, count - start))]
        await asyncio.gather(*tasks, return_exceptions=True)
        if len(opened) <= start:
            break
    return opened


async def _back_to(attempt: Attempt, idle: int | None) -> int | None:
    """Descriptors when they are down to those of the idle server, or when there was time enough for that."""
    if attempt.meter is None or idle is None:
        return None
    deadline = asyncio.get_running_loop().time() + _SETTLE_S
    while (now := attempt.meter.descriptors()) is not None and now > idle + _FEW:
        if asyncio.get_running_loop().time() > deadline:
            break
        await asyncio.sleep(0.1)
    return now


def _descriptors(attempt: Attempt) -> int | None:
    return attempt.meter.descriptors() if attempt.meter else None


def _left_over(attempt: Attempt, idle: int | None, after: int | None) -> str:
    """What is wrong with the descriptors afterwards, or nothing."""
    if idle is None or after is None:
        return ""
    attempt.figures |= {"descriptors when idle": idle, "descriptors afterwards": after}
    return f"{after - idle} file descriptors are left open." if after > idle + _FEW else ""


@FAMILY.probe(
    f"{_IDLE:,} connections at once, idle, then a message on the first and on the last one.",
    "All are let in and both messages are echoed; the memory for each is told.",
    settings=_MANY,
    alone=True,
    weighs=True,
)
async def idle_connections(attempt: Attempt) -> Finding:
    before = attempt.meter.memory() if attempt.meter else None
    opened = await _open_many(attempt, _IDLE)
    attempt.figures["connections"] = len(opened)
    if before is not None and attempt.meter and opened:
        each = max(0, attempt.meter.memory() - before) / len(opened)
        attempt.figures["KiB for each connection"] = round(each / KIB, 1)
    if len(opened) < _IDLE:
        return Finding(NOT_ENFORCED, f"It let in {len(opened):,} of {_IDLE:,} connections.", doubtful=True)
    for peer in (opened[0], opened[-1]):
        if not await peer.echo(b"hello"):
            return Finding(NOT_ENFORCED, f"Among {_IDLE:,} connections a message was not echoed.", doubtful=True)
    each_words = f", {attempt.figures['KiB for each connection']:g} KiB for each" if before is not None else ""
    return Finding(ENFORCED, f"{_IDLE:,} connections at once{each_words}.")


@FAMILY.probe(
    "As many connections as are allowed, and one more; then one of them is closed, and another one tried.",
    "The one more is refused (503 or the end of the connection), those that are open stay, and the last one is let in.",
    limit="max_connections",
    settings={"max_connections": 10},
)
async def one_more(attempt: Attempt) -> Finding:
    count = int(attempt.limit)
    # the connection that showed that the server is ready may not have gone yet
    await asyncio.sleep(0.3)
    opened = await _open_many(attempt, count)
    if len(opened) < count:
        return Finding(NOT_ENFORCED, f"It let in {len(opened)} of the {count} that are allowed.", doubtful=True)
    attempt.excess()
    more = await attempt.connect()
    attempt.shown = more
    let_in = await more.open(seconds=3)
    if let_in:
        return Finding(NOT_ENFORCED, f"It let in {count + 1} connections; the limit is {count}.")
    for peer in (opened[0], opened[-1]):
        if not await peer.echo(b"hello"):
            return Finding(NOT_ENFORCED, "A connection that was let in does not work any more.", doubtful=True)
    how = refusal_in_words(more) if more.refused else "by letting it wait"
    if more.status is not None and more.status not in {503, 429}:
        return Finding(WRONG_CODE, f"Number {count + 1} was refused {how}; 503 says why.")
    await opened[0].write(frame(8, close_payload(1000)))
    await opened[0].end(PATIENCE_S)
    opened[0].drop()
    for _ in range(20):
        await asyncio.sleep(0.1)
        again = await attempt.connect()
        if await again.open(seconds=3):
            return Finding(ENFORCED, f"Number {count + 1} was refused {how}; after one had gone, another was let in.")
        again.drop()
    return Finding(NOT_ENFORCED, "After one had gone no other was let in.", doubtful=True)


async def _resets(attempt: Attempt) -> int:
    """Connect and reset, so many times; how many could be."""

    async def one() -> None:
        peer = Peer(attempt.endpoint, attempt.wire)
        try:
            await peer.connect()
        finally:
            peer.reset()

    made = 0
    for _ in range(_RESETS // _AT_ONCE):
        results = await asyncio.gather(*(one() for _ in range(_AT_ONCE)), return_exceptions=True)
        made += sum(not isinstance(result, BaseException) for result in results)
    return made


@FAMILY.probe(
    f"{_RESETS:,} connections that are reset at once, and more where memory grows by over 32 MiB.",
    "A fresh connection works, no file descriptor is left open, and memory does not go on growing with them.",
    settings=_MANY,
    alone=True,
    weighs=True,
)
async def connect_and_reset(attempt: Attempt) -> Finding:
    idle, before, began = _descriptors(attempt), attempt.memory(), attempt.cost()
    made = 0
    growth = Growth(_MUCH)
    while growth.is_unclear:
        made += await _resets(attempt)
        attempt.figures["connections"] = made
        peer = await attempt.open()
        if not await peer.echo(b"hello"):
            return Finding(NOT_ENFORCED, f"After {made:,} resets a message was not echoed.", doubtful=True)
        peer.drop()
        wrong = _left_over(attempt, idle, await _back_to(attempt, idle))
        if wrong:
            return Finding(NOT_ENFORCED, wrong, doubtful=True)
        memory = attempt.memory()
        growth.add(memory, attempt.cost() - began)
        if memory - before <= _MUCH:
            break
    if growth.is_kept:
        return Finding(NOT_ENFORCED, f"After {made:,} resets: {growth.words}")
    return Finding(ENFORCED, f"It lives after {made:,} resets.")


@FAMILY.probe(
    f"{_HALF_OPEN} TCP connections on which nothing is sent; beside them a WebSocket connection.",
    "The WebSocket connection is let in and a message echoed.",
    settings={**_MANY, "handshake_timeout": 2},
    alone=True,
)
async def half_open(attempt: Attempt) -> Finding:
    silent: Sequence[Peer] = []
    for _ in range(_HALF_OPEN // _AT_ONCE):
        silent = [*silent, *await asyncio.gather(*(attempt.connect() for _ in range(_AT_ONCE)))]
    try:
        peer = await attempt.open()
    except UnreachableError as problem:
        return Finding(NOT_ENFORCED, f"Behind {len(silent)} half-open connections nobody is let in: {problem}.")
    attempt.shown = peer
    if not await peer.echo(b"hello"):
        return Finding(
            NOT_ENFORCED, f"Beside {len(silent)} half-open connections a message was not echoed.", doubtful=True
        )
    return Finding(ENFORCED, f"It serves others beside {len(silent)} half-open connections.")


@FAMILY.probe(
    "500 connections that exchange a message and are closed, half of them without a closing handshake.",
    "File descriptors are back to those of the idle server within eight seconds; memory afterwards is told.",
    settings={**_MANY, "close_timeout": 1},
    alone=True,
    weighs=True,
)
async def back_to_idle(attempt: Attempt) -> Finding:
    idle = _descriptors(attempt)
    opened = await _open_many(attempt, 500)
    echoes = await asyncio.gather(*(peer.echo(b"hello") for peer in opened))
    politely = opened[::2]
    for peer in politely:
        await peer.write(frame(8, close_payload(1000)))
    await asyncio.gather(*(peer.end(2) for peer in politely))
    attempt.drop_all()
    attempt.figures["connections"] = len(opened)
    if not all(echoes) or len(opened) < 500:  # noqa: PLR2004
        words = f"{sum(echoes)} of 500 connections were let in and had their message echoed."
        return Finding(NOT_ENFORCED, words, doubtful=True)
    after = await _back_to(attempt, idle)
    if attempt.meter:
        attempt.figures["MiB afterwards"] = round(attempt.meter.memory() / MIB, 1)
    wrong = _left_over(attempt, idle, after)
    if after is None and not wrong:
        return Finding(ENFORCED, "500 connections came and went (its file descriptors can't be seen from here).")
    words = f"500 connections came and went; descriptors: {idle} before, {after} afterwards."
    return Finding(NOT_ENFORCED if wrong else ENFORCED, wrong or words, doubtful=bool(wrong))
