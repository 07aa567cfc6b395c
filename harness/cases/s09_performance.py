"""Section 9, big messages, many fragments, small writes, round trips (RFC 6455 5.2, 5.4).

Autobahn compares the length of what comes back, never its content; here both count.
"""

from __future__ import annotations

from harness.cases.model import Case, Exchange

_KIB, _MIB = 1 << 10, 1 << 20
_STRICTER = "Autobahn looks at the length of what comes back only; an echo with other content fails here."
_KINDS = ((0, "text", False), (1, "binary", True))
#: A pattern whose period is no power of two, so that a block that is left out or sent twice shows.
_PATTERNS = (b"BAsd7&jh23", b"\x00\xfe\x23\xfa\xf0")
#: (octets, seconds for text, seconds for binary)
_SIZES = (
    (64 * _KIB, 10, 10),
    (256 * _KIB, 10, 10),
    (_MIB, 100, 10),
    (4 * _MIB, 100, 10),
    (8 * _MIB, 100, 100),
    (16 * _MIB, 100, 100),
)
_FRAGMENTS = (64, 256, _KIB, 4 * _KIB, 16 * _KIB, 64 * _KIB, 256 * _KIB, _MIB, 4 * _MIB)
_CHOPS = (64, 128, 256, 512, _KIB, 2 * _KIB)
#: (octets, seconds for a thousand)
_ROUND_TRIPS = ((0, 60), (16, 60), (64, 60), (256, 120), (1024, 240), (4096, 480))


def _size(octets: int) -> str:
    for unit, name in ((_MIB, "MiB"), (_KIB, "KiB")):
        if octets >= unit and octets % unit == 0:
            return f"{octets // unit} {name}"
    return f"{octets} octets"


def _case(number: str, title: str, exchange: Exchange, clause: str) -> Case:
    return Case(
        id=number,
        title=title,
        expects=f"{'The message comes' if exchange.count == 1 else 'All come'} back within {exchange.seconds:g} s.",
        clauses=(clause,),
        exchange=exchange,
        stricter_than_autobahn=_STRICTER,
    )


CASES = (
    *(
        _case(
            f"9.{part + 1}.{number}",
            f"A {kind} message of {_size(size)}",
            Exchange(binary=binary, size=size, pattern=_PATTERNS[part], seconds=seconds[part]),
            "RFC 6455 5.2",
        )
        for part, kind, binary in _KINDS
        for number, (size, *seconds) in enumerate(_SIZES, 1)
    ),
    *(
        _case(
            f"9.{part + 3}.{number}",
            f"A {kind} message of 4 MiB in fragments of {_size(fragment)}",
            # octets that are no text in 9.4.1 only: so it is in Autobahn
            Exchange(
                binary=binary,
                size=4 * _MIB,
                pattern=b"\xfe" if part and number == 1 else b"*",
                fragment=fragment,
                seconds=100,
            ),
            "RFC 6455 5.4",
        )
        for part, kind, binary in _KINDS
        for number, fragment in enumerate(_FRAGMENTS, 1)
    ),
    *(
        _case(
            f"9.{part + 5}.{number}",
            f"A {kind} message of 1 MiB, written {chop} octets at a time",
            Exchange(binary=binary, size=_MIB, pattern=_PATTERNS[part], chop=chop, seconds=1000),
            "RFC 6455 5.2",
        )
        for part, kind, binary in _KINDS
        for number, chop in enumerate(_CHOPS, 1)
    ),
    *(
        _case(
            f"9.{part + 7}.{number}",
            f"1,000 {kind} messages of {size} octets, each when the one before it has come back",
            Exchange(binary=binary, size=size, pattern=(b"*", b"\xfe")[part], count=1000, seconds=seconds),
            "RFC 6455 5.6",
        )
        for part, kind, binary in _KINDS
        for number, (size, seconds) in enumerate(_ROUND_TRIPS, 1)
    ),
)
