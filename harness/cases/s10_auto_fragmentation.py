"""Section 10, a message in fragments of a size that does not divide it (RFC 6455 5.4)."""

from __future__ import annotations

from harness.cases.model import Case, FailAfter, Opcode, Send, fragments, text
from harness.results import Behavior

_PAYLOAD = b"*" * 65536

CASES = (
    Case(
        id="10.1.1",
        title="A text message of 65536 octets in fragments of 1300",
        expects="The whole message comes back.",
        clauses=("RFC 6455 5.4",),
        steps=(*(Send(frame) for frame in fragments(Opcode.TEXT, _PAYLOAD, 1300)), FailAfter(10)),
        accepted={Behavior.OK: (text(_PAYLOAD),)},
    ),
)
