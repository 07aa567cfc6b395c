"""Section 1, framing: messages of the lengths at which the header changes (RFC 6455 5.2)."""

from __future__ import annotations

from harness.cases.model import Case, Chop, FailAfter, Frame, Opcode, Send, binary, text
from harness.results import Behavior

#: (octets, octets in a write, seconds to wait)
_SIZES: tuple[tuple[int, Chop | int, float], ...] = (
    (0, Chop.TOGETHER, 1),
    (125, Chop.TOGETHER, 1),  # the most that the header's 7 bits can say
    (126, Chop.TOGETHER, 1),  # 16 bits from here on
    (127, Chop.TOGETHER, 1),
    (128, Chop.TOGETHER, 1),
    (65535, Chop.TOGETHER, 10),
    (65536, Chop.TOGETHER, 10),  # 64 bits from here on
    (65536, 997, 10),
)


def _case(number: str, kind: str, frame: Frame, chop: Chop | int, seconds: float) -> Case:
    size = len(frame.payload)
    cut = f", in writes of {chop} octets" if isinstance(chop, int) else ""
    return Case(
        id=number,
        title=f"A {kind} message of {size} octets{cut}",
        expects="The same message comes back.",
        clauses=("RFC 6455 5.2", "RFC 6455 5.6"),
        steps=(Send(frame, chop), FailAfter(seconds)),
        accepted={Behavior.OK: ((text if kind == "text" else binary)(frame.payload),)},
    )


CASES = tuple(
    _case(f"1.{part}.{number}", kind, Frame(opcode, octet * size), chop, seconds)
    for part, kind, opcode, octet in ((1, "text", Opcode.TEXT, b"*"), (2, "binary", Opcode.BINARY, b"\xfe"))
    for number, (size, chop, seconds) in enumerate(_SIZES, 1)
)
