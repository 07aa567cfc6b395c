"""Message size over fragments, and their number."""

from __future__ import annotations

from harness.cases.model import Opcode
from harness.engines.native.peer import Peer, frame, header, payload
from harness.limits.judge import (
    ENFORCED,
    HESITATION_S,
    LATE,
    NOT_ENFORCED,
    PATIENCE_S,
    READ_AHEAD,
    TOO_BIG,
    Growth,
    accepts,
    echoed,
    is_quadratic,
    over_by_one,
    refused,
    refuses_flow,
    refuses_header,
)
from harness.limits.model import KIB, MIB, ROOM, Attempt, Family, Finding
from harness.limits.settings import GIB, Settings

FAMILY = Family(2, "Message size and fragments")
_LIMIT = 64 * KIB
_SETTINGS: Settings = {
    "max_message_size": _LIMIT,
    "max_frame_size": ROOM,
    "max_fragments": 10_000_000,
}
_FRAGMENTS: Settings = {"max_fragments": 1000, "max_message_size": ROOM, "max_frame_size": ROOM}
#: Number of fragments: RFC 6455 has no code for too many; "too big" and "violates its policy" both tell.
_TOO_MANY = TOO_BIG | {1008}


def _fragments(content: bytes, size: int, between: bytes = b"", *, last: bool = True) -> list[bytes]:
    """A message's frames, `between` behind each but the last; without `last` it does not end."""
    starts = range(0, len(content), size)
    pieces = [
        frame(Opcode.CONTINUATION if start else Opcode.BINARY, content[start : start + size], fin=False) + between
        for start in starts
    ]
    if last:
        pieces[-1] = frame(Opcode.CONTINUATION if len(pieces) > 1 else Opcode.BINARY, content[starts[-1] :])
    return pieces


@FAMILY.probe(
    "A message of exactly the limit in one frame.", "It is echoed.", limit="max_message_size", settings=_SETTINGS
)
async def at_limit(attempt: Attempt) -> Finding:
    limit = int(attempt.limit)
    return await accepts(attempt, limit, _fragments(payload(limit), attempt.room_in_frame(limit)))


@FAMILY.probe(
    "A message of exactly the limit in fragments.", "It is echoed.", limit="max_message_size", settings=_SETTINGS
)
async def at_limit_fragmented(attempt: Attempt) -> Finding:
    limit = int(attempt.limit)
    return await accepts(attempt, limit, _fragments(payload(limit), attempt.room_in_frame(-(-limit // 5))))


@FAMILY.probe(
    "The header of an unfragmented message of one octet over the limit, and its payload where that does not suffice.",
    "It is refused with 1009 from the header alone.",
    limit="max_message_size",
    settings=_SETTINGS,
)
async def header_only(attempt: Attempt) -> Finding:
    peer = await attempt.open()
    return await refuses_header(attempt, peer, *over_by_one(Opcode.BINARY, int(attempt.limit)))


@FAMILY.probe(
    "Fragments that fill the limit, then the header of a last one that exceeds it by one octet.",
    "It is refused with 1009 before the last one's payload.",
    limit="max_message_size",
    settings=_SETTINGS,
)
async def last_fragment(attempt: Attempt) -> Finding:
    limit = int(attempt.limit)
    last = attempt.room_in_frame(-(-limit // 5))
    peer = await attempt.open()
    for piece in _fragments(payload(limit + 1 - last), last, last=False):
        if not await peer.write(piece, until_refused=True):
            await peer.refusal(HESITATION_S)  # a write may fail before it is read why
            return Finding(
                NOT_ENFORCED, f"It refused what the limit allows ({peer.sent:,} octets): {peer.how_refused()}."
            )
    return await refuses_header(attempt, peer, header(Opcode.CONTINUATION, last), last)


@FAMILY.probe(
    "A message in one frame that announces 1 GiB, and as much of it as the server takes, up to 64 MiB.",
    "It is refused with 1009 before more than the limit was taken.",
    limit="max_message_size",
    settings={**_SETTINGS, "max_frame_size": GIB},  # so that it is not what refuses
    alone=True,
    memory=48 * MIB,
)
async def one_gib(attempt: Attempt) -> Finding:
    peer = await attempt.open()
    return await refuses_flow(attempt, peer, header(Opcode.BINARY, GIB), int(attempt.limit))


@FAMILY.probe(
    "A message without an end in fragments of one octet, up to 20,000 more than the limit has room for.",
    "It is refused with 1009 (or, if the number of fragments is limited too, 1008) when the limit is reached.",
    limit="max_message_size",
    settings=_SETTINGS,
    alone=True,
)
async def endless_octets(attempt: Attempt) -> Finding:
    most = int(attempt.limit) + 20_000
    burst = frame(Opcode.CONTINUATION, b"x", fin=False) * 2000
    peer = await attempt.open()
    await peer.write(frame(Opcode.BINARY, b"x", fin=False))
    sent = 1
    attempt.excess()
    while sent < most and await peer.write(burst, PATIENCE_S, until_refused=True):
        sent += 2000
        # the server has its say before there are many more: what it did not read is in its kernel at most
        # (a slow one, some seconds: a verdict before the limit was reached would say nothing)
        if not await peer.drained(PATIENCE_S):
            break
    await peer.refusal(PATIENCE_S)
    attempt.figures["fragments sent"] = sent
    at_most = most * len(burst) // 2000 + READ_AHEAD
    return refused(attempt, peer, codes=_TOO_MANY, at_most=at_most, what=f"{sent:,} fragments")


_WAVE = 34_000
_WAVES = 4
#: Octets that a fragment leaves if it is kept: an object of the smallest kind, and its place in a list.
_KEPT = 80


@FAMILY.probe(
    f"A message without an end in empty fragments: {_WAVES} times {_WAVE:,}, and more where they seem to be kept.",
    "It is refused (1009 or 1008), or nothing is kept of them: memory does not go on growing with their number.",
    settings={"max_message_size": _LIMIT},
    alone=True,
    weighs=True,
)
async def endless_nothing(attempt: Attempt) -> Finding:
    burst = frame(Opcode.CONTINUATION, fin=False) * 2000
    peer = await attempt.open()
    await peer.write(frame(Opcode.BINARY, fin=False))
    growth = Growth(_WAVE * _KEPT, _WAVES)
    sent = 1
    attempt.excess()
    while growth.is_unclear and not peer.refused:
        for _ in range(_WAVE // 2000):
            if not await peer.write(burst, PATIENCE_S, until_refused=True):
                break
            sent += 2000
            await peer.drained(1)
        await peer.refusal(0.5)
        growth.add(attempt.memory())
    attempt.figures["fragments sent"] = sent
    if not peer.refused:
        # the end of the message, whose echo tells that all of it was read; not an empty one, which some can't echo
        await peer.write(frame(Opcode.CONTINUATION, b"e"), PATIENCE_S, until_refused=True)
        await peer.until(lambda: peer.refused or bool(peer.messages), PATIENCE_S)
    if peer.refused or not peer.messages:
        return refused(attempt, peer, codes=_TOO_MANY, what=f"{sent:,} empty fragments, did not echo them")
    words = f"It took {sent:,} empty fragments."
    if attempt.meter is None:
        return Finding(NOT_ENFORCED, f"{words} What it keeps of them can't be seen from here.")
    if growth.is_kept:
        return Finding(NOT_ENFORCED, f"{words} {growth.words}")
    return Finding(ENFORCED, f"{words} Nothing is kept of them.")


@FAMILY.probe(
    "A message of exactly as many fragments as are allowed.",
    "It is echoed.",
    limit="max_fragments",
    settings=_FRAGMENTS,
)
async def as_many_fragments(attempt: Attempt) -> Finding:
    count = int(attempt.limit)
    return await accepts(attempt, count, [b"".join(_fragments(payload(count), 1))])


@FAMILY.probe(
    "A message of one fragment more than is allowed.",
    "It is refused with 1009 or 1008.",
    limit="max_fragments",
    settings=_FRAGMENTS,
)
async def one_fragment_more(attempt: Attempt) -> Finding:
    count = int(attempt.limit)
    peer = await attempt.open()
    attempt.excess()
    await peer.write(b"".join(_fragments(payload(count + 1), 1)), until_refused=True)
    await peer.until(lambda: peer.refused or bool(peer.messages), PATIENCE_S)
    return refused(attempt, peer, codes=_TOO_MANY, what=f"{count + 1:,} fragments")


@FAMILY.probe(
    "A message of one octet less than the limit, with pings between its fragments: many, and one just before its end.",
    "It is echoed: control frames are not part of the message.",
    limit="max_message_size",
    settings=_SETTINGS,
    clauses=("RFC 6455 5.4", "RFC 6455 10.4"),
)
async def pings_between(attempt: Attempt) -> Finding:
    content = payload(int(attempt.limit) - 1)
    last = 50
    pings = frame(Opcode.PING, b"p" * 125) * (len(content) // 64 // 125 + 2)
    peer = await attempt.open()
    answers = True
    for piece in _fragments(content[:-last], -(-len(content) // 64), last=False):
        await peer.write(piece, until_refused=True)
        # not all pings at once: a server may well end a connection for a flood of them, which is another limit
        await peer.write(pings + frame(Opcode.PING, b"p" * 121 + b"last"), until_refused=True)
        answers = answers and await peer.pong(0.5, b"p" * 121 + b"last")
    await peer.write(frame(Opcode.CONTINUATION, content[-last:]), until_refused=True)
    return await echoed(attempt, peer, len(content))


_JOINED = (4096, 8192, 16_384)  #: fragments, of one message after another
_PIECE = 256  #: octets


@FAMILY.probe(
    f"Three messages, of {', '.join(f'{count:,}' for count in _JOINED)} fragments of {_PIECE} octets.",
    "All are echoed, each at about twice the processor time of the one before: joining is not quadratic.",
    settings={"max_message_size": ROOM, "max_frame_size": ROOM, "max_fragments": 2 * _JOINED[-1]},
    alone=True,
)
async def joining(attempt: Attempt) -> Finding:
    costs: list[float] = []
    for count in _JOINED:
        peer = await attempt.open()
        cost = await _cost(attempt, peer, count)
        if cost is None:
            if peer.refused:
                attempt.shown = peer
                return Finding(ENFORCED, f"It refuses a message of {count:,} fragments ({peer.how_refused()}).")
            return Finding(NOT_ENFORCED, f"A message of {count:,} fragments was not echoed in 30 s.", doubtful=True)
        attempt.figures[f"CPU seconds for {count:,} fragments"] = round(cost, 2)
        costs.append(cost)
        quadratic = is_quadratic(costs)
        if quadratic:  # so is what follows, and a core would be busy with it
            break
    words = f"{costs[-2]:.2f} s of processor time for {count // 2:,} fragments, {costs[-1]:.2f} s for twice as many."
    return Finding(LATE if quadratic else ENFORCED, words, doubtful=quadratic)


async def _cost(attempt: Attempt, peer: Peer, count: int) -> float | None:
    """Processor seconds (seconds, where these can't be seen) until the message is back; None if it does not come."""
    began = attempt.cost()
    content = payload(count * _PIECE)
    await peer.write(b"".join(_fragments(content, _PIECE)), 30, until_refused=True)
    message = await peer.next_message(30)
    return None if message is None or message.payload != content else attempt.cost() - began
