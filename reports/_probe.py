"""What a limit probe measured, in words: as rows of a table, and what its verdicts mean."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from harness.results import ProbeVerdict
from reports._column import VERDICT_CSS
from reports._text import cut
from reports._wire import close_code

if TYPE_CHECKING:
    from harness.results import Measured

#: How names of limits end that are octets or seconds (docs: harness/limits).
_OCTETS, SECONDS = ("_size",), ("_timeout", "_interval")
_UNITS = ("octets", "KiB", "MiB", "GiB")
_KIB = 1024
#: Most figures, times and settings that are listed.
_MOST = 40
_LONGEST = 200


class Meaning(NamedTuple):
    """A line of the legend."""

    verdict: ProbeVerdict
    css: str
    mark: str  #: its shape in the plots
    words: str


MEANINGS = tuple(
    Meaning(verdict, VERDICT_CSS[verdict] or "p", mark, words)
    for verdict, mark, words in (
        (ProbeVerdict.ENFORCED, "\u25cf", "at the limit accepted, beyond it refused before the excess was buffered"),
        (ProbeVerdict.NOT_CONFIGURABLE, "", "there is no such limit to set: shown, and no failure"),
        (ProbeVerdict.WRONG_CODE, "\u25a0", "refused with a close code or HTTP status that misleads"),
        (ProbeVerdict.LATE, "\u25b2", "refused, but only after it took in, or waited, much more than the limit"),
        (ProbeVerdict.NOT_ENFORCED, "\u2715", "the excess was accepted, or what the limit allows was refused"),
        (ProbeVerdict.CRASHED, "\u25c6", "the server died, or a fresh connection afterwards does not work"),
    )
)


def is_octets(limit: str | None) -> bool:
    """Whether a limit is one of octets."""
    return limit is not None and limit.endswith(_OCTETS)


def is_seconds(limit: str | None) -> bool:
    """Whether a limit is one of seconds."""
    return limit is not None and limit.endswith(SECONDS)


def grouped(value: float) -> str:
    """A number with its thousands told apart: 16,384 or 1.067."""
    return f"{int(value):,}" if math.isfinite(value) and value == int(value) else f"{value:,}"


def octets(value: float) -> str:
    """An amount of memory: 20.3 MiB."""
    size = float(value)
    for unit in _UNITS[:-1]:
        if abs(size) < _KIB:
            return f"{size:.0f} {unit}" if unit == _UNITS[0] else f"{size:.1f} {unit}"
        size /= _KIB
    return f"{size:.1f} {_UNITS[-1]}"


def setting(limit: str, value: float | str | None) -> str:
    """A limit and what it is set to: `max_frame_size = 16,384 octets`."""
    if value is None:
        return f"{limit}, which could not be set"
    if isinstance(value, str):
        return f"{limit} = {cut(value, _LONGEST)}"
    unit = " octets" if is_octets(limit) else " s" if is_seconds(limit) else ""
    return f"{limit} = {grouped(value)}{unit}"


def measured_rows(measured: Measured) -> tuple[tuple[str, str], ...]:
    """All that was measured, and nothing that was not."""
    given = [f"{name}={value}" for name, value in list(measured.settings.items())[:_MOST]]
    times = [f"{seconds:g}" for seconds in measured.seconds[:_MOST]]
    none = "none came" if measured.sent is not None else None
    rows: list[tuple[str, str | None]] = [
        ("Limit", setting(measured.limit, measured.set_to) if measured.limit else None),
        ("Settings given", ", ".join(given) or None),
        ("Sent", _with(measured.sent, " octets")),
        ("Taken before the refusal", _with(measured.taken, " octets")),
        ("Refusal", measured.refusal or none),
        ("From the excess to the refusal", _with(measured.refused_after_ms, " ms")),
        ("Close code", None if measured.close_code is None else close_code(measured.close_code)),
        ("HTTP status", None if measured.http_status is None else str(measured.http_status)),
        ("Memory when idle", _memory(measured.memory_idle)),
        ("Memory at its peak", _memory(measured.memory_peak)),
        ("Memory growth", _memory(measured.memory_growth)),
        ("CPU time", _with(measured.cpu_seconds, " s")),
        ("Alive afterwards", {True: "yes", False: "no", None: None}[measured.alive_after]),
        ("Times measured", f"{', '.join(times)} s" if times else None),
    ]
    rows += [(cut(what, _LONGEST), grouped(value)) for what, value in list(measured.figures.items())[:_MOST]]
    return tuple((term, value) for term, value in rows if value is not None)


def _with(value: float | None, unit: str) -> str | None:
    return None if value is None else f"{grouped(value)}{unit}"


def _memory(value: int | None) -> str | None:
    return None if value is None else octets(value)
