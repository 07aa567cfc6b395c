"""Section 13, permessage-deflate with seven offers of parameters (RFC 7692 7.1), each as 12.1."""

from __future__ import annotations

from harness.cases.s12_deflate_payloads import OFFER, exchanges

_NO_TAKEOVER = f"{OFFER}; server_no_context_takeover"
#: What is asked of the server: nothing, no context takeover, a window of 2^9 or 2^15 octets, both, fallbacks.
_OFFERS = (
    OFFER,
    _NO_TAKEOVER,
    f"{OFFER}; server_max_window_bits=9",
    f"{OFFER}; server_max_window_bits=15",
    f"{_NO_TAKEOVER}; server_max_window_bits=9",
    f"{_NO_TAKEOVER}; server_max_window_bits=15",
    f"{_NO_TAKEOVER}; server_max_window_bits=9, {_NO_TAKEOVER}, {OFFER}",
)

CASES = tuple(
    case
    for part, offer in enumerate(_OFFERS, 1)
    for case in exchanges(f"13.{part}", "json", offer, offer, ("RFC 7692 7.1", "RFC 7692 7.2"))
)
