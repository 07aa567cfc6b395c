"""D: permessage-deflate beyond the valid data that Autobahn's 12 and 13 echo (RFC 7692 6, 7.2)."""

from __future__ import annotations

from harness.cases import d1_frames, d2_blocks, d3_invalid, d4_server

CASES = tuple(case for module in (d1_frames, d2_blocks, d3_invalid, d4_server) for case in module.FAMILY.cases)
