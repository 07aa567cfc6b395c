"""Section 12, permessage-deflate (RFC 7692) with five kinds of payload, in 18 sizes and cuts."""

from __future__ import annotations

from harness.cases.model import Case, Exchange

OFFER = "permessage-deflate; client_no_context_takeover; client_max_window_bits"
COUNT = 1000

#: (name in corpora.py, in words, whether it is sent as binary messages)
_CORPORA = (
    ("json", "JSON text", False),
    ("bitmap", "a greyscale bitmap", True),
    ("prose", "German prose", True),
    ("html", "HTML text", False),
    ("pdf", "a mix as in a PDF file", True),
)

#: (size, seconds for all messages, octets in a fragment of the compressed message)
_MESSAGES = (
    (16, 60, 0), (64, 60, 0), (256, 120, 0), (1024, 240, 0), (4096, 480, 0), (8192, 480, 0), (16384, 480, 0),
    (32768, 480, 0), (65536, 480, 0), (131072, 480, 0), (8192, 480, 256), (16384, 480, 256), (32768, 480, 256),
    (65536, 480, 256), (131072, 480, 256), (131072, 480, 1024), (131072, 480, 4096), (131072, 480, 32768),
)  # fmt: skip


def exchanges(
    section: str, corpus: str, offer: str, about: str, clauses: tuple[str, ...], *, binary: bool = False
) -> tuple[Case, ...]:
    """The 18 cases of `12.x` or `13.x`, with a corpus and an offer."""
    unit = "octets" if binary else "characters"
    return tuple(
        Case(
            id=f"{section}.{number}",
            title=f"{COUNT:,} compressed messages of {size} {unit}{f' in fragments of {cut}' if cut else ''}: {about}",
            expects=f"All come back within {seconds} s; without permessage-deflate, the close is answered.",
            clauses=clauses,
            exchange=Exchange(
                binary=binary, size=size, seconds=seconds, count=COUNT, corpus=corpus, fragment=cut, offer=offer
            ),
        )
        for number, (size, seconds, cut) in enumerate(_MESSAGES, 1)
    )


CASES = tuple(
    case
    for part, (name, about, binary) in enumerate(_CORPORA, 1)
    for case in exchanges(f"12.{part}", name, OFFER, about, ("RFC 7692 7.2",), binary=binary)
)
