"""Section 4, reserved opcodes: 3 to 7 for data, 11 to 15 for control (RFC 6455 5.2)."""

from __future__ import annotations

from harness.cases.model import PROTOCOL_ERROR, Case, Chop, FailAfter, Frame, Opcode, Send, text
from harness.results import Behavior

_HELLO = b"Hello, world!"


def _alone(number: str, frame: Frame) -> Case:
    return Case(
        id=number,
        title=f"A frame with the reserved opcode {frame.opcode}, {'with' if frame.payload else 'without'} a payload",
        expects="The peer fails the connection with 1002.",
        clauses=("RFC 6455 5.2",),
        steps=(Send(frame), FailAfter(1)),
        accepted={Behavior.OK: ()},
        close=PROTOCOL_ERROR,
    )


def _after_message(number: str, frame: Frame, chop: Chop | int = Chop.TOGETHER) -> Case:
    how = ", octet by octet" if chop == 1 else ""
    frames = (Frame(Opcode.TEXT, _HELLO), frame, Frame(Opcode.PING))
    return Case(
        id=number,
        title=f"A good text message, then a frame with the reserved opcode {frame.opcode}, then a ping{how}",
        expects="The message comes back, then the peer fails the connection with 1002; the ping is not answered.",
        clauses=("RFC 6455 5.2",),
        steps=(*(Send(each, chop) for each in frames), FailAfter(1)),
        accepted={Behavior.OK: (text(_HELLO),), Behavior.NON_STRICT: ()},
        close=PROTOCOL_ERROR,
    )


CASES = tuple(
    case
    for part, first in (("4.1", 3), ("4.2", 11))
    for case in (
        _alone(f"{part}.1", Frame(first)),
        _alone(f"{part}.2", Frame(first + 1, b"reserved opcode payload")),
        _after_message(f"{part}.3", Frame(first + 2)),
        _after_message(f"{part}.4", Frame(first + 3, _HELLO)),
        _after_message(f"{part}.5", Frame(first + 4, _HELLO), chop=1),
    )
)
