"""Section 3, reserved bits: without an extension that gives them a meaning they are zero (RFC 6455 5.2)."""

from __future__ import annotations

from harness.cases.model import PROTOCOL_ERROR, Case, Chop, FailAfter, Frame, Opcode, Send, text
from harness.results import Behavior

_HELLO = b"Hello, world!"


def _case(
    number: int, title: str, *frames: Frame, after_message: bool = False, chop: Chop | int = Chop.TOGETHER
) -> Case:
    accepted = {Behavior.OK: (text(_HELLO),), Behavior.NON_STRICT: ()} if after_message else {Behavior.OK: ()}
    expects = (
        "The message before comes back, then the peer fails the connection with 1002; the ping is not answered."
        if after_message
        else "The peer fails the connection with 1002."
    )
    return Case(
        id=f"3.{number}",
        title=title,
        expects=expects,
        clauses=("RFC 6455 5.2",),
        steps=(*(Send(frame, chop) for frame in frames), FailAfter(1)),
        accepted=accepted,
        close=PROTOCOL_ERROR,
    )


def _after_message(number: int, rsv: int, how: str, chop: Chop | int) -> Case:
    return _case(
        number,
        f"A good text message, then one with RSV = {rsv}, then a ping, {how}",
        Frame(Opcode.TEXT, _HELLO),
        Frame(Opcode.TEXT, _HELLO, rsv=rsv),
        Frame(Opcode.PING),
        after_message=True,
        chop=chop,
    )


CASES = (
    _case(1, "A text message with RSV = 1", Frame(Opcode.TEXT, _HELLO, rsv=1)),
    _after_message(2, 2, "in one write", Chop.TOGETHER),
    _after_message(3, 3, "each in a write of its own", Chop.APART),
    _after_message(4, 4, "octet by octet", 1),
    _case(5, "A binary message with RSV = 5", Frame(Opcode.BINARY, b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", rsv=5)),
    _case(6, "A binary message with RSV = 6", Frame(Opcode.BINARY, _HELLO, rsv=6)),
    _case(7, "A close frame with RSV = 7", Frame(Opcode.CLOSE, rsv=7)),
)
