"""The limits that a server can be given: their names, units and ranges."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

from harness.errors import UsageError
from harness.text import did_you_mean, printable

LimitName = Literal[
    "max_frame_size", "max_message_size", "max_fragments", "ping_interval", "close_timeout", "connection_timeout",
    "handshake_timeout", "max_handshake_size", "max_connections", "allowed_origin",
]  # fmt: skip
NAMES: tuple[str, ...] = get_args(LimitName)
Settings = dict[str, float | str]
GIB = 1 << 30
_DAY = 86_400


class Kind(NamedTuple):
    """What a limit counts."""

    unit: str
    most: int


_OCTETS, _NUMBER, _SECONDS = Kind("octets", GIB), Kind("", GIB), Kind("seconds", _DAY)
KINDS = {
    "max_frame_size": _OCTETS,
    "max_message_size": _OCTETS,
    "max_handshake_size": _OCTETS,
    "max_fragments": _NUMBER,
    "max_connections": _NUMBER,
    "ping_interval": _SECONDS,
    "close_timeout": _SECONDS,
    "connection_timeout": _SECONDS,
    "handshake_timeout": _SECONDS,
}
ORIGIN = "allowed_origin"
# RFC 6454 6.2: scheme "://" host [ ":" port ], without a path
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#\s]+")


def check(name: str, value: float | str) -> float | str:
    """The value, if it is one that the limit can have; ValueError says why not."""
    if name == ORIGIN:
        if not isinstance(value, str) or not _ORIGIN.fullmatch(value):
            raise ValueError(f"{name} is an origin such as https://example.com, not {printable(str(value), 80)!r}")
        return value
    kind = KINDS[name]
    words = f"a number{f' of {kind.unit}' if kind.unit else ''}"
    try:
        number = float(value)
    except ValueError:
        raise ValueError(f"{name} is {words}, not {printable(str(value), 80)!r}") from None
    if not math.isfinite(number) or not 0 < number <= kind.most:
        most = "1 GiB (1073741824)" if kind is _OCTETS else f"{kind.most}"
        raise ValueError(f"{name} is {words} above 0, at most {most}, not {printable(str(value), 80)}")
    if kind is not _SECONDS and number != int(number):
        raise ValueError(f"{name} is a whole number, not {printable(str(value), 80)}")
    return int(number) if number == int(number) else number


def parse(declared: Iterable[str]) -> dict[str, float | str]:
    """The values of `--limit NAME=VALUE`; UsageError for what is none."""
    found: dict[str, float | str] = {}
    for text in declared:
        name, equals, value = text.partition("=")
        if name not in NAMES:
            hint = did_you_mean(name, NAMES)
            raise UsageError(
                f"--limit {printable(text, 80)}: no limit '{printable(name, 40)}'{hint} ({', '.join(NAMES)})"
            )
        if not equals or name in found:
            raise UsageError(f"--limit {printable(text, 80)}: write NAME=VALUE, and each name once")
        try:
            found[name] = check(name, value)
        except ValueError as error:
            raise UsageError(f"--limit {printable(text, 80)}: {error}") from error
    return found


def text(value: float | str) -> str:
    """A value as the environment of a server has it: whole numbers without a point."""
    return str(int(value)) if isinstance(value, float) and value == int(value) else str(value)


def words(name: str, value: float | str) -> str:
    """`max_frame_size = 16,384 octets`."""
    if isinstance(value, str):
        return f"{name} = {printable(value, 80)}"
    unit = KINDS[name].unit
    return f"{name} = {value:,}" + (f" {unit}" if unit else "")
