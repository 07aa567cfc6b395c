"""Section 7, the closing handshake (RFC 6455 5.5.1, 7)."""

from __future__ import annotations

import struct

from harness.cases.model import (
    NORMAL,
    Case,
    Closing,
    Event,
    FailAfter,
    Frame,
    Opcode,
    Repeated,
    Send,
    SendClose,
    Step,
    text,
)
from harness.results import Behavior

_CLOSE = "RFC 6455 5.5.1"
_CODES = "RFC 6455 7.4"
_HELLO = Frame(Opcode.TEXT, b"Hello World!")
_LENIENT = Closing(codes=(1002,), clean=False)
_NORMALLY = "The close is answered with 1000 or without a code."
_REFUSED = "The peer answers with 1002, or drops the connection."

#: RFC 6455 7.4.1 and 7.4.2: codes that an endpoint may send, with the ends of the ranges for libraries and others.
_VALID_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
#: Codes that are below all ranges, reserved, not to be sent at all (1004 to 1006), or not assigned.
_INVALID_CODES = (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999)


def _payload(code: int, reason: bytes = b"") -> bytes:
    return struct.pack("!H", code) + reason


def _case(
    number: str,
    title: str,
    expects: str,
    *steps: Step,
    accepted: tuple[Event, ...] = (),
    close: Closing = NORMAL,
    closes_when_done: bool = False,
    clause: str = _CLOSE,
) -> Case:
    return Case(
        id=number,
        title=title,
        expects=expects,
        clauses=(clause,),
        steps=(*steps, FailAfter(1)),
        accepted={Behavior.OK: accepted},
        close=close,
        closes_when_done=closes_when_done,
        wrong_code_fails=True,
    )


def _undefined(number: str, code: int) -> Case:
    return Case(
        id=number,
        title=f"A close frame with code {code}, outside all ranges",
        expects="RFC 6455 leaves it open; what the peer does is recorded.",
        clauses=(_CODES,),
        steps=(SendClose(_payload(code)), FailAfter(1)),
        accepted={Behavior.OK: ()},
        close=Closing(codes=(1000, code, 1002), clean=False),
        closes_when_done=False,
        informational=True,
    )


_DURING_A_MESSAGE = Case(
    id="7.1.6",
    title="A text message of 256 KiB, a short one, a close, a ping, in one go",
    expects="RFC 6455 leaves open whether the messages are answered before the close; what the peer does is recorded.",
    clauses=(_CLOSE,),
    steps=(
        Send(Frame(Opcode.TEXT, Repeated(b"BAsd7&jh23", 256 << 10).octets())),
        Send(_HELLO),
        SendClose(_payload(1000)),
        Send(Frame(Opcode.PING)),
        FailAfter(1),
    ),
    accepted={Behavior.OK: (text(_HELLO.payload),), Behavior.NON_STRICT: ()},
    closes_when_done=False,
    informational=True,
)

CASES = (
    _case(
        "7.1.1",
        "A text message, and a close when it has come back",
        "The message comes back, and the close is answered.",
        Send(_HELLO),
        accepted=(text(_HELLO.payload),),
        closes_when_done=True,
    ),
    _case("7.1.2", "Two close frames", _NORMALLY, SendClose(_payload(1000)), Send(Frame(Opcode.CLOSE))),
    _case("7.1.3", "A ping after the close", f"{_NORMALLY} The ping is not.", SendClose(_payload(1000)),
          Send(Frame(Opcode.PING))),
    _case("7.1.4", "A text message after the close", f"{_NORMALLY} The message is not.", SendClose(_payload(1000)),
          Send(_HELLO)),
    _case("7.1.5", "A fragment, a close, and the rest of the message", _NORMALLY,
          Send(Frame(Opcode.TEXT, b"fragment1", fin=False)), SendClose(_payload(1000)),
          Send(Frame(Opcode.CONTINUATION, b"fragment2"))),
    _DURING_A_MESSAGE,
    _case("7.3.1", "A close frame without a payload", _NORMALLY, SendClose()),
    _case("7.3.2", "A close frame with a payload of one octet", _REFUSED, SendClose(b"a"), close=_LENIENT),
    _case("7.3.3", "A close frame with a code and no reason", _NORMALLY, SendClose(_payload(1000))),
    _case("7.3.4", "A close frame with a reason", _NORMALLY, SendClose(_payload(1000, b"Hello World!"))),
    _case("7.3.5", "A close frame with a reason of 123 octets, the most there is room for", _NORMALLY,
          SendClose(_payload(1000, b"*" * 123))),
    _case("7.3.6", "A close frame with a reason of 124 octets, which is one too many", _REFUSED,
          SendClose(_payload(1000, b"*" * 124)), close=_LENIENT, clause="RFC 6455 5.5"),
    _case("7.5.1", "A close frame whose reason is not UTF-8", "The peer answers with 1007 or 1002, or drops TCP.",
          SendClose(_payload(1000, bytes.fromhex("cebae1bdb9cf83cebcceb5 eda080 656469746564"))),
          close=Closing(codes=(1002, 1007), clean=False)),
    *(
        _case(f"7.7.{number}", f"A close frame with code {code}, which is valid",
              "The close is answered with 1000, the same code or none.", SendClose(_payload(code)),
              close=Closing(codes=(1000, code)), closes_when_done=True, clause=_CODES)
        for number, code in enumerate(_VALID_CODES, 1)
    ),
    *(
        _case(f"7.9.{number}", f"A close frame with code {code}, which must not be on the wire", _REFUSED,
              SendClose(_payload(code)), close=_LENIENT, closes_when_done=True, clause=_CODES)
        for number, code in enumerate(_INVALID_CODES, 1)
    ),
    _undefined("7.13.1", 5000),
    _undefined("7.13.2", 65535),
)  # fmt: skip
