"""F: what Autobahn leaves out of framing, fragmentation, text, ping and pong, and closing (RFC 6455 5 to 8)."""

from __future__ import annotations

from harness.cases import f1_masking, f2_lengths, f3_messages, f4_text, f5_pings, f6_closing, f7_reserved

CASES = tuple(
    case
    for module in (f1_masking, f2_lengths, f3_messages, f4_text, f5_pings, f6_closing, f7_reserved)
    for case in module.FAMILY.cases
)
