"""Section 2, pings and pongs (RFC 6455 5.5.2, 5.5.3)."""

from __future__ import annotations

from harness.cases.model import (
    NORMAL,
    PROTOCOL_ERROR,
    Case,
    Chop,
    CloseAfter,
    Closing,
    Event,
    FailAfter,
    Frame,
    Opcode,
    Send,
    SendClose,
    Step,
    pong,
)
from harness.results import Behavior

_UNSOLICITED = b"unsolicited pong payload"


def _case(
    number: int,
    title: str,
    expects: str,
    *steps: Step,
    accepted: tuple[Event, ...] = (),
    close: Closing = NORMAL,
    clause: str = "RFC 6455 5.5.2",
) -> Case:
    return Case(
        id=f"2.{number}",
        title=title,
        expects=expects,
        clauses=(clause,),
        steps=steps,
        accepted={Behavior.OK: accepted},
        close=close,
    )


def _ping(number: int, what: str, payload: bytes, chop: Chop | int = Chop.TOGETHER, seconds: float = 1) -> Case:
    return _case(
        number,
        f"A ping {what}",
        "A pong with the same payload comes back.",
        Send(Frame(Opcode.PING, payload), chop),
        CloseAfter(seconds),
        accepted=(pong(payload),),
    )


def _ten_pings(number: int, chop: Chop | int, how: str) -> Case:
    payloads = [b"payload-%d" % count for count in range(10)]
    return _case(
        number,
        f"Ten pings, each with a payload of its own{how}",
        "Ten pongs come back, in order. (RFC 6455 would let the peer answer the latest only.)",
        *(Send(Frame(Opcode.PING, payload), chop) for payload in payloads),
        CloseAfter(3),
        accepted=tuple(pong(payload) for payload in payloads),
    )


def _unsolicited(number: int, payload: bytes, what: str) -> Case:
    return _case(
        number,
        f"A pong {what} that no ping asked for, then a close",
        "Nothing but the answer to the close comes back.",
        Send(Frame(Opcode.PONG, payload)),
        SendClose(b"\x03\xe8"),
        CloseAfter(1),
        clause="RFC 6455 5.5.3",
    )


CASES = (
    _ping(1, "without a payload", b""),
    _ping(2, "with text", b"Hello, world!"),
    _ping(3, "with octets that are no UTF-8", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"),
    _ping(4, "of 125 octets, the most that a control frame may have", b"\xfe" * 125),
    _case(
        5,
        "A ping of 126 octets, too long for a control frame",
        "The peer fails the connection with 1002.",
        Send(Frame(Opcode.PING, b"\xfe" * 126)),
        FailAfter(1),
        close=PROTOCOL_ERROR,
        clause="RFC 6455 5.5",
    ),
    _ping(6, "of 125 octets, octet by octet", b"\xfe" * 125, chop=1, seconds=2),
    _unsolicited(7, b"", "without a payload"),
    _unsolicited(8, _UNSOLICITED, "with a payload"),
    _case(
        9,
        "A pong that no ping asked for, then a ping",
        "The ping alone is answered.",
        Send(Frame(Opcode.PONG, _UNSOLICITED)),
        Send(Frame(Opcode.PING, b"ping payload")),
        CloseAfter(1),
        accepted=(pong(b"ping payload"),),
    ),
    _ten_pings(10, Chop.TOGETHER, ""),
    _ten_pings(11, 1, ", octet by octet"),
)
