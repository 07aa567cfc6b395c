"""Frame size: the payload that one frame may have."""

from __future__ import annotations

from harness.cases.model import Opcode
from harness.engines.native.peer import frame, header, masked_payload, payload
from harness.limits.judge import (
    ENFORCED,
    PATIENCE_S,
    TOO_BIG,
    accepts_frame,
    over_by_one,
    refused,
    refuses_flow,
    refuses_header,
)
from harness.limits.model import KIB, MIB, ROOM, Attempt, Family, Finding
from harness.limits.settings import GIB, Settings

FAMILY = Family(1, "Frame size")
_LIMIT = 16 * KIB
_SETTINGS: Settings = {"max_frame_size": _LIMIT, "max_message_size": ROOM}
#: A length that no server takes is as much against the protocol as against the limit.
_TOO_BIG_OR_WRONG = TOO_BIG | {1002}


@FAMILY.probe("A frame of exactly the limit.", "It is echoed.", limit="max_frame_size", settings=_SETTINGS)
async def at_limit(attempt: Attempt) -> Finding:
    return await accepts_frame(attempt, int(attempt.limit))


async def _one_over(attempt: Attempt) -> Finding:
    peer = await attempt.open()
    attempt.excess()
    await peer.write(frame(Opcode.BINARY, payload(int(attempt.limit) + 1)), until_refused=True)
    await peer.until(lambda: peer.refused or bool(peer.messages), PATIENCE_S)
    return refused(attempt, peer)


@FAMILY.probe(
    "A frame of one octet over the limit, with its payload.",
    "It is refused with 1009.",
    limit="max_frame_size",
    settings=_SETTINGS,
)
async def one_over(attempt: Attempt) -> Finding:
    return await _one_over(attempt)


@FAMILY.probe(
    "The header of a frame of one octet over the limit, and its payload only where that does not suffice.",
    "It is refused with 1009 from the header alone.",
    limit="max_frame_size",
    settings=_SETTINGS,
)
async def header_only(attempt: Attempt) -> Finding:
    peer = await attempt.open()
    return await refuses_header(attempt, peer, *over_by_one(Opcode.BINARY, int(attempt.limit)))


@FAMILY.probe(
    "A frame that announces 1 GiB, and as much of its payload as the server takes, up to 64 MiB.",
    "It is refused with 1009 before more than the limit was taken.",
    limit="max_frame_size",
    settings={**_SETTINGS, "max_message_size": GIB},  # so that it is not what refuses
    alone=True,
    memory=48 * MIB,
)
async def one_gib(attempt: Attempt) -> Finding:
    peer = await attempt.open()
    return await refuses_flow(attempt, peer, header(Opcode.BINARY, GIB), int(attempt.limit))


@FAMILY.probe(
    "A frame that announces 2^62 octets, and as much of its payload as the server takes, up to 64 MiB.",
    "It is refused with 1009 (or 1002) before more than the limit was taken, and nothing is allocated for it.",
    limit="max_frame_size",
    settings=_SETTINGS,
    alone=True,
    memory=48 * MIB,
)
async def two_to_the_62nd(attempt: Attempt) -> Finding:
    peer = await attempt.open()
    return await refuses_flow(
        attempt, peer, header(Opcode.BINARY, 1 << 62), int(attempt.limit), codes=_TOO_BIG_OR_WRONG
    )


@FAMILY.probe(
    "A frame whose 64-bit length has its top bit set, and 64 KiB of payload.",
    "It is refused with 1002 (or 1009): that bit must be 0, and whoever reads it as a sign has a negative length.",
    settings=_SETTINGS,
    clauses=("RFC 6455 5.2", "RFC 6455 10.4"),
)
async def top_bit(attempt: Attempt) -> Finding:
    peer = await attempt.open()
    attempt.excess()
    await peer.write(header(Opcode.BINARY, (1 << 63) | 5), until_refused=True)
    if not await peer.refusal(1.5):
        await peer.write(masked_payload(64 * KIB), until_refused=True)
        await peer.until(lambda: peer.refused or bool(peer.messages), 3)
    return refused(attempt, peer, codes=_TOO_BIG_OR_WRONG)


def _boundary(limit: int, words: str) -> None:
    """A pair of frames where the length changes its form (RFC 6455 5.2), with the limit between them."""

    @FAMILY.probe(
        f"With a limit of {limit:,}: frames of {limit:,} and {limit + 1:,} octets ({words}).",
        "The first is echoed, the second refused with 1009.",
        limit="max_frame_size",
        settings={**_SETTINGS, "max_frame_size": limit},
        set_only=True,
        clauses=("RFC 6455 5.2", "RFC 6455 10.4"),
    )
    async def boundary(attempt: Attempt) -> Finding:
        found = await accepts_frame(attempt, limit)
        return await _one_over(attempt) if found.verdict is ENFORCED else found


_boundary(125, "the last 7-bit length, the first of 16 bits")
_boundary(126, "the first two 16-bit lengths")
_boundary(65_535, "the last 16-bit length, the first of 64 bits")
_boundary(65_536, "the first two 64-bit lengths")
