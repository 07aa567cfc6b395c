"""Keepalive: pings of the server, and how soon it gives up a peer that is gone."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from statistics import fmean

from harness.cases.model import Opcode
from harness.engines.native.peer import header
from harness.limits.judge import ENFORCED, LATE, NOT_ENFORCED, cut_after, latest, refusal_in_words
from harness.limits.model import Attempt, Family, Finding
from harness.limits.settings import Settings

FAMILY = Family(4, "Keepalive")
_INTERVAL_S = 1
_TIMEOUT_S = 2
_BOTH: Settings = {"ping_interval": _INTERVAL_S, "connection_timeout": _TIMEOUT_S}
_CLAUSES = ("RFC 6455 5.5.2", "RFC 6455 10.4")
_PINGS = 4
_MOST_IN_CONTROL = 125  # RFC 6455 5.5


@FAMILY.probe(
    "Nothing but pongs, while four pings of the server come.",
    "They come at the interval that was set, with payloads of at most 125 octets.",
    limit="ping_interval",
    settings={"ping_interval": _INTERVAL_S},
    clauses=_CLAUSES,
)
async def ping_interval(attempt: Attempt) -> Finding:
    limit = attempt.limit
    peer = await attempt.open()
    began = asyncio.get_running_loop().time()
    await peer.until(lambda: len(peer.pings) >= _PINGS or peer.refused, (_PINGS + 1) * 2 * limit + 2)
    attempt.seconds += [round(after - before, 3) for before, after in pairwise([began, *peer.pings])]
    if peer.longest_ping > _MOST_IN_CONTROL:
        return Finding(
            NOT_ENFORCED, f"A ping had {peer.longest_ping} octets of payload; a control frame has at most 125."
        )
    if len(peer.pings) < 2:  # noqa: PLR2004 - without two there is no interval
        how = f"; it refused {refusal_in_words(peer)}" if peer.refused else ""
        return Finding(NOT_ENFORCED, f"{len(peer.pings)} pings came in {(_PINGS + 1) * 2 * limit + 2:g} s{how}.")
    intervals = attempt.seconds[1:]
    mean, spread = fmean(intervals), max(intervals) - min(intervals)
    attempt.figures["mean interval in seconds"] = round(mean, 3)
    attempt.figures["spread in seconds"] = round(spread, 3)
    words = f"{len(peer.pings)} pings, {mean:.2f} s apart on average ({min(intervals):.2f} to {max(intervals):.2f})."
    if mean < 0.7 * limit:
        return Finding(NOT_ENFORCED, f"Too often: {words}", doubtful=True)
    if mean > 1.4 * limit + 0.25:
        return Finding(LATE, f"Too seldom: {words}", doubtful=True)
    return Finding(ENFORCED, words)


@FAMILY.probe(
    "Nothing but the answers to the server's pings, for much longer than the connection timeout; then a message.",
    "The connection stays, and the message is echoed.",
    limit="ping_interval",
    settings=_BOTH,
    clauses=_CLAUSES,
)
async def who_answers_stays(attempt: Attempt) -> Finding:
    timeout = float(attempt.settings.get("connection_timeout", 2 * attempt.limit))
    peer = await attempt.open()
    wait = 2.5 * timeout
    if await peer.refusal(wait):
        return Finding(
            NOT_ENFORCED, f"A peer that answers every ping was cut: {refusal_in_words(peer)}.", doubtful=True
        )
    if not await peer.echo(b"still here"):
        return Finding(NOT_ENFORCED, f"After {wait:g} s of answered pings a message was not echoed.", doubtful=True)
    return Finding(ENFORCED, f"{peer.counts[Opcode.PING]} pings answered in {wait:g} s, then a message echoed.")


@FAMILY.probe(
    "Nothing at all, and no pong.",
    "The connection is cut at the connection timeout.",
    limit="connection_timeout",
    settings={"connection_timeout": _TIMEOUT_S},
)
async def silence(attempt: Attempt) -> Finding:
    peer = await attempt.open()
    peer.answers_pings = False
    return await cut_after(attempt, peer, asyncio.get_running_loop().time(), what="It was silent")


@FAMILY.probe(
    "A message that is echoed, then no pong to any of the server's pings.",
    "The connection is cut at the connection timeout, at the earliest after the first ping.",
    limit="connection_timeout",
    settings=_BOTH,
    clauses=_CLAUSES,
)
async def no_pong(attempt: Attempt) -> Finding:
    peer = await attempt.open()
    peer.answers_pings = False
    await peer.echo(b"here I am")
    least = float(attempt.settings.get("ping_interval", attempt.limit))
    since = asyncio.get_running_loop().time()
    return await cut_after(attempt, peer, since, what="It answered no ping", least=min(least, attempt.limit))


@FAMILY.probe(
    "A frame's header, then an octet of its payload every quarter of a second (between them no pong can be sent).",
    "The connection is cut: half a frame is not kept alive for ever by a trickle.",
    limit="connection_timeout",
    settings=_BOTH,
)
async def trickle(attempt: Attempt) -> Finding:
    loop = asyncio.get_running_loop()
    peer = await attempt.open()
    peer.answers_pings = False
    began = loop.time()
    attempt.excess_over(attempt.limit)
    await peer.write(header(Opcode.BINARY, 1000))
    while loop.time() - began < latest(attempt.limit) and not await peer.refusal(0.25):
        await peer.write(b"\0")
    took = loop.time() - began
    attempt.seconds.append(round(took, 3))
    if not peer.refused:
        return Finding(NOT_ENFORCED, f"Half a frame was kept alive for {took:.1f} s by four octets a second.")
    return Finding(ENFORCED, f"Cut {refusal_in_words(peer)} after {took:.2f} s of four octets a second.")
