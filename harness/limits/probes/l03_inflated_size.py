"""Inflated size: what a compressed message comes to (RFC 7692)."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache

from harness.cases.model import Opcode
from harness.engines.native.peer import Peer, frame, payload
from harness.limits.judge import ENFORCED, NOT_ENFORCED, PATIENCE_S, refusal_in_words, refused
from harness.limits.model import KIB, MIB, ROOM, Attempt, Family, Finding, NotOfferedError
from harness.limits.settings import Settings

FAMILY = Family(3, "Inflated size")
_LIMIT = 64 * KIB
_SETTINGS: Settings = {"max_message_size": _LIMIT, "max_frame_size": ROOM}
#: The bomb has fewer octets than the limit, so that no limit on what comes over the wire can be what refuses it.
_BOMB_LIMIT = 2 * MIB
_BOMB_SETTINGS: Settings = {"max_message_size": _BOMB_LIMIT, "max_frame_size": ROOM}
_OFFER = "permessage-deflate; client_no_context_takeover; server_no_context_takeover"
_RSV1 = 4
_TAIL = b"\x00\x00\xff\xff"
_CLAUSES = ("RFC 7692 8", "RFC 6455 10.4")


def _deflated(content: bytes) -> bytes:
    """RFC 7692 7.2.1."""
    compress = zlib.compressobj(9, wbits=-15)
    return (compress.compress(content) + compress.flush(zlib.Z_SYNC_FLUSH)).removesuffix(_TAIL)


@cache
def _bomb() -> bytes:
    """1 GiB of zeros in about 1 MiB: the same MiB over and over, for a full flush begins anew (zlib manual)."""
    compress = zlib.compressobj(9, wbits=-15)
    one = compress.compress(bytes(MIB)) + compress.flush(zlib.Z_FULL_FLUSH)
    return (one * KIB).removesuffix(_TAIL)


def _inflated(octets: bytes) -> bytes:
    """What it comes to, up to what is looked at at all; nothing, if it is no deflated data."""
    try:
        return zlib.decompressobj(wbits=-15).decompress(octets + _TAIL, ROOM)
    except zlib.error:
        return b""


async def _open(attempt: Attempt) -> Peer:
    """A connection with permessage-deflate: without it a limit on the wire would pass for one on what is inflated."""
    peer = await attempt.open(offer=_OFFER)
    if peer.agreed is None:
        raise NotOfferedError
    return peer


async def _send(attempt: Attempt, size: int) -> Peer:
    peer = await _open(attempt)
    attempt.excess()
    await peer.write(frame(Opcode.BINARY, _deflated(payload(size)), rsv=_RSV1), until_refused=True)
    await peer.until(lambda: peer.refused or bool(peer.messages), PATIENCE_S)
    attempt.shown = peer
    return peer


def _content(peer: Peer) -> bytes | None:
    """What came back, inflated where it is compressed; None if nothing came."""
    if not peer.messages:
        return None
    message = peer.messages[0]
    return _inflated(message.payload) if message.compressed else message.payload


@FAMILY.probe(
    "A compressed message that inflates to exactly the limit.",
    "It is echoed whole.",
    limit="max_message_size",
    settings=_SETTINGS,
    deflate=True,
    clauses=_CLAUSES,
)
async def at_limit(attempt: Attempt) -> Finding:
    limit = int(attempt.limit)
    peer = await _send(attempt, limit)
    content = _content(peer)
    if content == payload(limit):
        return Finding(ENFORCED, f"{peer.sent:,} octets that inflate to {limit:,} were echoed whole.")
    if content is not None:
        return Finding(NOT_ENFORCED, f"The echo has {len(content):,} octets, or others than were sent.")
    how = f"refused {refusal_in_words(peer)}" if peer.refused else "not echoed"
    return Finding(NOT_ENFORCED, f"What the limit allows was {how}.", doubtful=not peer.refused)


@FAMILY.probe(
    "A compressed message of a few hundred octets that inflates to one more than the limit.",
    "It is refused with 1009.",
    limit="max_message_size",
    settings=_SETTINGS,
    deflate=True,
    clauses=_CLAUSES,
)
async def one_over(attempt: Attempt) -> Finding:
    peer = await _send(attempt, int(attempt.limit) + 1)
    content = _content(peer)
    if content is not None:
        return Finding(
            NOT_ENFORCED, f"{peer.sent:,} octets inflate to one more than the limit; {len(content):,} were echoed."
        )
    return refused(attempt, peer)


async def _explode(attempt: Attempt, pieces: list[bytes]) -> Finding:
    peer = await _open(attempt)
    attempt.excess()
    for piece in pieces:
        if not await peer.write(piece, 30, until_refused=True):
            break
    await peer.until(lambda: peer.refused or bool(peer.counts[Opcode.BINARY]), 30)
    attempt.figures["octets that it inflates to"] = 1 << 30
    if peer.counts[Opcode.BINARY]:
        return Finding(NOT_ENFORCED, "It began to echo what 1 MiB had inflated to.")
    return refused(attempt, peer)


def _bomb_probe(title: str, pieces: Callable[[bytes], list[bytes]]) -> None:
    @FAMILY.probe(
        title,
        "It is refused with 1009, and memory does not grow by more than 64 MiB.",
        limit="max_message_size",
        settings=_BOMB_SETTINGS,
        set_only=True,
        deflate=True,
        alone=True,
        memory=64 * MIB,
        clauses=_CLAUSES,
    )
    async def explode(attempt: Attempt) -> Finding:
        return await _explode(attempt, pieces(_bomb()))


def _in_fragments(octets: bytes) -> list[bytes]:
    parts = [octets[start : start + 4 * KIB] for start in range(0, len(octets), 4 * KIB)]
    pieces = [frame(Opcode.BINARY, parts[0], fin=False, rsv=_RSV1)]
    pieces += [frame(Opcode.CONTINUATION, part, fin=False) for part in parts[1:-1]]
    return [*pieces, frame(Opcode.CONTINUATION, parts[-1])]


_bomb_probe(
    "A bomb in one frame: 1 MiB that inflates to 1 GiB, where the limit is 2 MiB.",
    lambda octets: [frame(Opcode.BINARY, octets, rsv=_RSV1)],
)
_bomb_probe("The same bomb over fragments of 4 KiB.", _in_fragments)


@FAMILY.probe(
    "Compressed messages of one octet less than the limit, the limit, one more, twice and sixteen times as much.",
    "Each is echoed whole or refused; none comes back cut.",
    limit="max_message_size",
    settings=_SETTINGS,
    deflate=True,
    clauses=_CLAUSES,
)
async def never_cut(attempt: Attempt) -> Finding:
    limit = int(attempt.limit)
    whole = 0
    for size in (limit - 1, limit, limit + 1, 2 * limit, 16 * limit):
        peer = await _send(attempt, size)
        content = _content(peer)
        if content is not None and content != payload(size):
            return Finding(NOT_ENFORCED, f"Of {size:,} octets {len(content):,} came back: the echo is cut.")
        if content is None and not peer.refused:
            return Finding(NOT_ENFORCED, f"{size:,} octets were neither echoed nor refused.", doubtful=True)
        whole += content is not None
    return Finding(ENFORCED, f"{whole} of the 5 were echoed whole, the others refused.")
