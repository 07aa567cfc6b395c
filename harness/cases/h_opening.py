"""H: the opening handshake (RFC 6455 4.1, 4.2, 4.4, 9.1, 11.3; RFC 7692 5 and 7.1; RFC 9110 and 9112 below it)."""

from __future__ import annotations

from harness.cases import h1_accepted, h2_refused, h3_http_syntax, h4_answer, h5_subprotocols, h6_extensions

CASES = tuple(
    case
    for module in (h1_accepted, h2_refused, h3_http_syntax, h4_answer, h5_subprotocols, h6_extensions)
    for case in module.FAMILY.cases
)
