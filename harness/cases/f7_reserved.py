"""F.7: reserved bits and opcodes, and control frames that break their rules (RFC 6455 5.2, 5.4, 5.5)."""

from __future__ import annotations

from harness.cases.model import Opcode
from harness.cases.octets import fragmented
from harness.cases.talk import Family, Finding, Talk, ok
from harness.engines.native.peer import close_payload, frame

FAMILY = Family("F.7")
_FAILS = "The server fails the connection (1002), each time."
_ALL = (Opcode.TEXT, Opcode.BINARY, Opcode.PING, Opcode.PONG, Opcode.CLOSE)


_AFTER = frame(Opcode.TEXT, b"after it")


async def _each_fails(talk: Talk, writes: list[tuple[str, bytes]], after: bytes = _AFTER) -> Finding:
    """Each of them, on a connection of its own; `after`: what is answered where they are ignored."""
    for what, octets in writes:
        peer = await talk.open()
        await peer.write(octets + after, until_refused=True)
        found = await talk.fails(peer, what=f"It took {what}")
        if found.behavior != "OK":
            return found
        peer.drop()
    return ok(f"It failed the connection, {len(writes)} of {len(writes)} times.")


def _bit(number: int, rsv: int) -> None:
    @FAMILY.case(
        f"RSV{number} on a text, binary, continuation, ping, pong and close frame, without an extension for it.",
        _FAILS,
        "RFC 6455 5.2",
    )
    async def case(talk: Talk) -> Finding:
        frames = [
            (
                f"a {opcode.name.lower()} frame with RSV{number}",
                frame(opcode, b"" if opcode == Opcode.CLOSE else b"x", rsv=rsv),
            )
            for opcode in _ALL
        ]
        inside = frame(Opcode.TEXT, b"a", fin=False) + frame(Opcode.CONTINUATION, b"b", rsv=rsv)
        return await _each_fails(talk, [*frames, (f"a continuation with RSV{number}", inside)])


_bit(1, 4)
_bit(2, 2)
_bit(3, 1)


@FAMILY.case("Each reserved opcode, without and with a payload.", _FAILS, "RFC 6455 5.2", "RFC 6455 5.8")
async def reserved_opcodes(talk: Talk) -> Finding:
    opcodes = (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
    return await _each_fails(
        talk, [(f"the opcode {opcode}", frame(opcode, payload)) for opcode in opcodes for payload in (b"", b"Hello")]
    )


@FAMILY.case("Each reserved opcode between the fragments of a message.", _FAILS, "RFC 6455 5.2", "RFC 6455 5.4")
async def reserved_inside(talk: Talk) -> Finding:
    first = frame(Opcode.TEXT, b"Hel", fin=False)
    writes = [(f"the opcode {opcode}", first + frame(opcode)) for opcode in (3, 7, 11, 15)]
    return await _each_fails(talk, writes, after=frame(Opcode.CONTINUATION, b"lo"))


@FAMILY.case("A ping, a pong and a close frame without FIN.", _FAILS, "RFC 6455 5.4", "RFC 6455 5.5")
async def fragmented_control(talk: Talk) -> Finding:
    return await _each_fails(
        talk,
        [
            ("a ping without FIN", frame(Opcode.PING, b"x", fin=False)),
            ("a pong without FIN", frame(Opcode.PONG, b"x", fin=False)),
            ("a close frame without FIN", frame(Opcode.CLOSE, close_payload(1000), fin=False)),
        ],
    )


@FAMILY.case("A ping, a pong and a close frame of 126 and of 65,536 octets.", _FAILS, "RFC 6455 5.5")
async def long_control(talk: Talk) -> Finding:
    return await _each_fails(
        talk,
        [
            (f"a {opcode.name.lower()} frame of {size:,} octets", frame(opcode, close_payload(1000, "x" * (size - 2))))
            for opcode in (Opcode.PING, Opcode.PONG, Opcode.CLOSE)
            for size in (126, 65536)
        ],
    )


@FAMILY.case(
    "A continuation of nothing: with and without FIN, empty, and behind a ping.",
    _FAILS,
    "RFC 6455 5.4",
)
async def continuation_of_nothing(talk: Talk) -> Finding:
    return await _each_fails(
        talk,
        [
            ("a continuation of nothing", frame(Opcode.CONTINUATION, b"x")),
            ("a continuation of nothing without FIN", frame(Opcode.CONTINUATION, b"x", fin=False)),
            ("an empty continuation of nothing", frame(Opcode.CONTINUATION)),
            ("a continuation behind a ping", frame(Opcode.PING) + frame(Opcode.CONTINUATION, b"x")),
        ],
    )


@FAMILY.case(
    "A message inside another one: text in text, text in binary, binary in text, and without FIN.",
    _FAILS,
    "RFC 6455 5.4",
)
async def message_inside_another(talk: Talk) -> Finding:
    kinds = (Opcode.TEXT, Opcode.BINARY)
    return await _each_fails(
        talk,
        [
            ("a message inside another one", frame(outer, b"a", fin=False) + frame(inner, b"b", fin=fin))
            for outer in kinds
            for inner in kinds
            for fin in (True, False)
        ],
    )


@FAMILY.case(
    "A continuation behind a fragmented message that has ended.",
    "The message comes back, and the server fails the connection (1002).",
    "RFC 6455 5.4",
)
async def continuation_behind_the_end(talk: Talk) -> Finding:
    peer = await talk.open()
    message = b"".join(fragmented(Opcode.TEXT, [b"Hel", b"lo"]))
    await peer.write(message + frame(Opcode.CONTINUATION, b"more"), until_refused=True)
    return await talk.fails(peer, before=(b"Hello",), what="It took a continuation of nothing")
