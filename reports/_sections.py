"""What the sections and subsections of the case ids are called; the numbers are the Autobahn Testsuite's."""

from __future__ import annotations

SECTIONS = {
    "1": "Framing",
    "2": "Pings and pongs",
    "3": "Reserved bits",
    "4": "Opcodes",
    "5": "Fragmentation",
    "6": "UTF-8",
    "7": "Closing handshake",
    "9": "Limits and performance",
    "10": "Miscellaneous",
    "12": "permessage-deflate payloads",
    "13": "permessage-deflate parameters",
    "H": "Opening handshake",
    "D": "permessage-deflate, beyond Autobahn",
    "L": "Limits, measured",
}

SUBSECTIONS = {
    "1.1": "Text messages",
    "1.2": "Binary messages",
    "4.1": "Non-control opcodes",
    "4.2": "Control opcodes",
    "6.1": "Valid UTF-8 with zero payload fragments",
    "6.2": "Valid UTF-8, unfragmented, fragmented on and within code points",
    "6.3": "Invalid UTF-8, differently fragmented",
    "6.4": "Fail-fast on invalid UTF-8",
    "6.5": "Some valid UTF-8 sequences",
    "6.6": "All prefixes of a valid UTF-8 string with multi-byte code points",
    "6.7": "First possible sequence of a certain length",
    "6.8": "First possible sequence, length 5 and 6 (invalid code points)",
    "6.9": "Last possible sequence of a certain length",
    "6.10": "Last possible sequence, length 4, 5 and 6 (invalid code points)",
    "6.11": "Other boundary conditions",
    "6.12": "Unexpected continuation bytes",
    "6.13": "Lonely start characters",
    "6.14": "Sequences with the last continuation byte missing",
    "6.15": "Concatenation of incomplete sequences",
    "6.16": "Impossible bytes",
    "6.17": "Examples of an overlong ASCII character",
    "6.18": "Maximum overlong sequences",
    "6.19": "Overlong representation of the NUL character",
    "6.20": "Single UTF-16 surrogates",
    "6.21": "Paired UTF-16 surrogates",
    "6.22": "Non-character code points (valid UTF-8)",
    "6.23": "Unicode specials (the replacement character)",
    "7.1": "Basic close behavior",
    "7.3": "Close frame structure: payload length",
    "7.5": "Close frame structure: payload value",
    "7.7": "Close frame structure: valid close codes",
    "7.9": "Close frame structure: invalid close codes",
    "7.13": "Informational close codes",
    "9.1": "Text message, increasing size",
    "9.2": "Binary message, increasing size",
    "9.3": "Fragmented text message, increasing fragment size",
    "9.4": "Fragmented binary message, increasing fragment size",
    "9.5": "Text message, increasing chop size",
    "9.6": "Binary message, increasing chop size",
    "9.7": "Text message round trips, increasing size",
    "9.8": "Binary message round trips, increasing size",
    "10.1": "Auto-fragmentation",
    "12.1": "Large JSON file (text, 194056 bytes)",
    "12.2": "Bitmap 512x512 (binary, 263222 bytes)",
    "12.3": "Human-readable text (binary, 222218 bytes)",
    "12.4": "Large HTML file (text, 263647 bytes)",
    "12.5": "A larger PDF (binary, 1042328 bytes)",
    "13.1": "No parameters",
    "13.2": "No context takeover",
    "13.3": "Window of 9 bits",
    "13.4": "Window of 15 bits",
    "13.5": "No context takeover, window of 9 bits",
    "13.6": "No context takeover, window of 15 bits",
    "13.7": "Several offers, from strict to none",
    "L.1": "Frame size",
    "L.2": "Message size and fragments",
    "L.3": "Inflated size",
    "L.4": "Keepalive",
    "L.5": "Close timeout",
    "L.6": "Opening handshake",
    "L.7": "Origin",
    "L.8": "Floods",
    "L.9": "Connections",
    "L.10": "Garbage",
    "L.11": "The 1009 arrives",
}


def section_of(case: str) -> str:
    """The section of a case id: 6 of 6.4.1."""
    return case.split(".", 1)[0]


def subsection_of(case: str) -> str:
    """The subsection of a case id: 6.4 of 6.4.1, and none ("") of 2.1, whose section has no subsections."""
    parts = case.split(".")
    return ".".join(parts[:2]) if len(parts) > 2 else ""  # noqa: PLR2004 - section, subsection and one more
