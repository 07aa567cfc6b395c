"""Section 5, fragmentation (RFC 6455 5.4, 5.5)."""

from __future__ import annotations

from harness.cases.model import (
    NORMAL,
    PROTOCOL_ERROR,
    Case,
    Chop,
    CloseAfter,
    Event,
    FailAfter,
    Frame,
    Opcode,
    Pause,
    Send,
    pong,
    text,
)
from harness.results import Behavior

_HOWS: tuple[tuple[Chop | int, str], ...] = (
    (Chop.TOGETHER, "in one write"),
    (Chop.APART, "each in a write of its own"),
    (1, "octet by octet"),
)


def _begin(payload: bytes) -> Frame:
    return Frame(Opcode.TEXT, payload, fin=False)


def _more(payload: bytes) -> Frame:
    return Frame(Opcode.CONTINUATION, payload, fin=False)


def _end(payload: bytes) -> Frame:
    return Frame(Opcode.CONTINUATION, payload)


_WHOLE = Frame(Opcode.TEXT, b"Hello, world!")


def _refused(number: int, title: str, *frames: Frame, chop: Chop | int = Chop.TOGETHER, echoed: bytes = b"") -> Case:
    before = f"The message {echoed.decode()!r} comes back, then the" if echoed else "The"
    return Case(
        id=f"5.{number}",
        title=title,
        expects=f"{before} peer fails the connection with 1002.",
        clauses=("RFC 6455 5.4", "RFC 6455 5.5"),
        steps=(*(Send(frame, chop) for frame in frames), FailAfter(1)),
        accepted={Behavior.OK: (text(echoed),), Behavior.NON_STRICT: ()} if echoed else {Behavior.OK: ()},
        close=PROTOCOL_ERROR,
    )


def _echoed(
    number: int, title: str, expects: str, accepted: tuple[Event, ...], steps: tuple[Send | Pause, ...]
) -> Case:
    return Case(
        id=f"5.{number}",
        title=title,
        expects=expects,
        clauses=("RFC 6455 5.4",),
        steps=(*steps, CloseAfter(1)),
        accepted={Behavior.OK: accepted},
        close=NORMAL,
    )


def _two_fragments(number: int, chop: Chop | int, how: str) -> Case:
    return _echoed(
        number,
        f"A text message in two fragments, {how}",
        "The whole message comes back.",
        (text(b"fragment1fragment2"),),
        (Send(_begin(b"fragment1"), chop), Send(_end(b"fragment2"), chop)),
    )


def _ping_between(number: int, chop: Chop | int, how: str) -> Case:
    ping = Frame(Opcode.PING, b"ping payload")
    return _echoed(
        number,
        f"A text message in two fragments with a ping between them, {how}",
        "The pong comes back, then the message.",
        (pong(b"ping payload"), text(b"fragment1fragment2")),
        (Send(_begin(b"fragment1"), chop), Send(ping, chop), Send(_end(b"fragment2"), chop)),
    )


def _nothing_to_continue(number: int, chop: Chop | int, how: str, *, fin: bool) -> Case:
    return _refused(
        number,
        f"A continuation frame with FIN = {int(fin)} and nothing to continue, then a text message, {how}",
        Frame(Opcode.CONTINUATION, b"non-continuation payload", fin=fin),
        _WHOLE,
        chop=chop,
    )


def _twice_nothing_to_continue(number: int, *, fin: bool) -> Case:
    stray = Frame(Opcode.CONTINUATION, b"fragment1", fin=fin)
    return _refused(
        number,
        f"Twice: a continuation frame with FIN = {int(fin)} and nothing to continue, then a message in two fragments",
        *((stray, _begin(b"fragment2"), _end(b"fragment3")) * 2),
    )


def _pings_between(number: int, chop: Chop, how: str) -> Case:
    return _echoed(
        number,
        f"A text message in five fragments with two pings between them and a second's pause, {how}",
        "The first pong comes back before the message is complete; then the second, then the message.",
        (pong(b"pongme 1!"), pong(b"pongme 2!"), text(b"".join(b"fragment%d" % n for n in range(1, 6)))),
        (
            Send(_begin(b"fragment1"), chop),
            Send(_more(b"fragment2"), chop),
            Send(Frame(Opcode.PING, b"pongme 1!"), chop),
            Pause(1),
            Send(_more(b"fragment3"), chop),
            Send(_more(b"fragment4"), chop),
            Send(Frame(Opcode.PING, b"pongme 2!"), chop),
            Send(_end(b"fragment5"), chop),
        ),
    )


CASES = (
    *(
        _refused(
            number,
            f"A {kind} in two fragments: control frames must not be fragmented",
            Frame(opcode, b"fragment1", fin=False),
            _end(b"fragment2"),
        )
        for number, kind, opcode in ((1, "ping", Opcode.PING), (2, "pong", Opcode.PONG))
    ),
    *(_two_fragments(number, chop, how) for number, (chop, how) in enumerate(_HOWS, 3)),
    *(_ping_between(number, chop, how) for number, (chop, how) in enumerate(_HOWS, 6)),
    *(_nothing_to_continue(number, chop, how, fin=True) for number, (chop, how) in enumerate(_HOWS, 9)),
    *(_nothing_to_continue(number, chop, how, fin=False) for number, (chop, how) in enumerate(_HOWS, 12)),
    _refused(
        15,
        "A message in two fragments, then a continuation frame with nothing to continue, then a text message",
        _begin(b"fragment1"),
        _end(b"fragment2"),
        _more(b"fragment3"),
        Frame(Opcode.TEXT, b"fragment4"),
        echoed=b"fragment1fragment2",
    ),
    _twice_nothing_to_continue(16, fin=False),
    _twice_nothing_to_continue(17, fin=True),
    _refused(
        18,
        "A text message whose second fragment has the opcode of text too",
        _begin(b"fragment1"),
        Frame(Opcode.TEXT, b"fragment2"),
    ),
    _pings_between(19, Chop.TOGETHER, "in two writes"),
    _pings_between(20, Chop.APART, "each frame in a write of its own"),
)
