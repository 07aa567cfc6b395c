"""Where things stand in the plots of the limit report: numbers in, coordinates out; the templates only draw them.

All plots are drawn for a width of 360, so that their letters can be read on a telephone. What a plot shows can be read
in a table too, hence the values beside the coordinates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from harness.results import ProbeVerdict
from reports._column import VERDICT_CSS
from reports._probe import grouped, is_octets, is_seconds, octets
from reports._text import cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.results import Measured
    from reports._column import Cell, Column
    from reports._view import Row, Survey

_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 336, 18, 250  # the ground of a scatter
#: Implementations stand side by side where they have the same setting: so far apart, and so far in all.
_APART, _SPREAD = 4.0, 48.0
_OCTET_TICKS = tuple(1 << power for power in range(0, 64, 5))

_NAMES, _END, _ROW, _ROWS_TOP = 118, 350, 20, 8  # the ground of intervals
_LONGEST_NAME = 17
_MOST_TICKS = 5
_ROOM_BEYOND = 1.08

_SPARK_WIDTH, _SPARK_HEIGHT, _SPARK_EDGE = 240, 64, 6
#: What the height of a sparkline stands for at least: less is what an allocator does all day.
_LEAST_SPAN = 4 << 20
_MOST_POINTS = 200

#: Marks tell the verdict by their shape; M is put before them.
_SHAPES = {
    ProbeVerdict.ENFORCED: "m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0",
    ProbeVerdict.WRONG_CODE: "m-3.2-3.2h6.4v6.4h-6.4z",
    ProbeVerdict.LATE: "m0-4.2l4.2 7.2h-8.4z",
    ProbeVerdict.NOT_ENFORCED: "m-3.5-3.5l7 7m0-7l-7 7",
    ProbeVerdict.CRASHED: "m0-4.6l4.6 4.6-4.6 4.6-4.6-4.6z",
}


class Tick(NamedTuple):
    """A place on an axis."""

    at: float
    text: str


class Mark(NamedTuple):
    """A verdict in a plot."""

    css: str
    path: str
    title: str


@dataclass(frozen=True, slots=True)
class Scatter:
    """A limit of octets against what was taken in before the refusal."""

    limit: str
    marks: tuple[Mark, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    rows: tuple[Row, ...]  #: the probes in it
    table: tuple[tuple[Column, tuple[str, ...]], ...]


class Span(NamedTuple):
    """The times of one implementation: least, mean and most."""

    column: Column
    verdict: ProbeVerdict
    name: str
    at: float
    set_at: float
    low: float
    high: float
    mark: Mark | None  #: none: nothing was timed
    numbers: tuple[str, ...]  #: set to, least, mean, most, how many


@dataclass(frozen=True, slots=True)
class Intervals:
    """The times of one probe."""

    row: Row
    limit: str
    spans: tuple[Span, ...]
    ticks: tuple[Tick, ...]
    height: int


class Memory(NamedTuple):
    """Memory over time."""

    points: str
    idle_at: float
    words: str


def scatters(survey: Survey) -> tuple[Scatter, ...]:
    """A plot for each limit of octets that something was refused by, or not refused though it should have been."""
    found: dict[str, list[tuple[Row, Column, _Taken]]] = {}
    for row in survey.rows:
        for column, cell in zip(survey.columns, row.cells, strict=True):
            if taken := _taken(cell):
                found.setdefault(taken.limit, []).append((row, column, taken))
    return tuple(_scatter(limit, points, len(survey.columns)) for limit, points in sorted(found.items()))


class _Taken(NamedTuple):
    """A point of a scatter."""

    limit: str
    set_to: float
    octets: int
    verdict: ProbeVerdict
    words: str


def _taken(cell: Cell) -> _Taken | None:
    measured = cell.result.measured if cell.result else None
    if cell.verdict not in _SHAPES or measured is None or not measured.limit or not is_octets(measured.limit):
        return None
    set_to = _positive(measured.set_to)
    if set_to is None:
        return None
    if measured.refusal and measured.taken is not None:
        words = f"{measured.taken:,} of {grouped(set_to)}"
        return _Taken(measured.limit, set_to, measured.taken, cell.verdict, words)
    if cell.verdict is ProbeVerdict.ENFORCED or measured.sent is None:  # it was right not to refuse
        return None
    words = f"{measured.sent:,} of {grouped(set_to)}, not refused"
    return _Taken(measured.limit, set_to, measured.sent, cell.verdict, words)


def _scatter(limit: str, points: Sequence[tuple[Row, Column, _Taken]], columns: int) -> Scatter:
    amounts = [amount for _, _, taken in points for amount in (taken.set_to, max(1, taken.octets))]
    low, high = math.log2(min(amounts)) - 1, math.log2(max(amounts)) + 1
    apart = min(_APART, _SPREAD / max(1, columns - 1))
    marks = []
    for row, column, taken in points:
        aside = apart * (column.number - (columns + 1) / 2)
        x = min(_RIGHT, max(_LEFT, _scaled(math.log2(taken.set_to), low, high, _LEFT, _RIGHT) + aside))
        y = _scaled(math.log2(max(1, taken.octets)), low, high, _BOTTOM, _TOP)
        title = f"{cut(column.run.target, 40)}, {row.case}: {taken.verdict}, {taken.words}"
        marks.append(_mark(taken.verdict, x, y, title))
    ticks = [(math.log2(octets), octets) for octets in _OCTET_TICKS if low <= math.log2(octets) <= high]
    rows = tuple({row.case: row for row, _, _ in points}.values())
    words = {(row.case, column.number): taken.words for row, column, taken in points}
    shown = {column.number: column for _, column, _ in points}
    return Scatter(
        limit=limit,
        marks=tuple(marks),
        x_ticks=tuple(Tick(_scaled(at, low, high, _LEFT, _RIGHT), _short(size)) for at, size in ticks),
        y_ticks=tuple(Tick(_scaled(at, low, high, _BOTTOM, _TOP), _short(size)) for at, size in ticks),
        rows=rows,
        table=tuple(
            (shown[number], tuple(words.get((row.case, number), "") for row in rows)) for number in sorted(shown)
        ),
    )


def intervals(survey: Survey) -> tuple[Intervals, ...]:
    """A plot for each probe of a limit of seconds in which something was timed."""
    return tuple(plot for row in survey.rows if (plot := _intervals(row, survey.columns)))


def _intervals(row: Row, columns: Sequence[Column]) -> Intervals | None:
    timed: list[tuple[Column, ProbeVerdict, float, list[float]]] = []
    limit = ""
    for column, cell in zip(columns, row.cells, strict=True):
        measured = cell.result.measured if cell.result else None
        if measured is None or cell.verdict not in _SHAPES or not is_seconds(measured.limit):
            continue
        set_to = _positive(measured.set_to)
        if set_to is not None and measured.limit:
            limit = limit or measured.limit
            timed.append((column, cell.verdict, set_to, [one for one in measured.seconds if 0 <= one < math.inf]))
    if not any(seconds for _, _, _, seconds in timed):
        return None
    most = _ROOM_BEYOND * max(max([set_to, *seconds]) for _, _, set_to, seconds in timed)
    step = _step(most)
    return Intervals(
        row=row,
        limit=limit,
        spans=tuple(
            _span(column, verdict, set_to, seconds, at=_ROWS_TOP + _ROW * (place + 0.5), most=most)
            for place, (column, verdict, set_to, seconds) in enumerate(timed)
        ),
        ticks=tuple(
            Tick(_scaled(number * step, 0, most, _NAMES, _END), f"{number * step:g}")
            for number in range(int(most / step) + 1)
        ),
        height=_ROWS_TOP + _ROW * len(timed),
    )


def _span(
    column: Column, verdict: ProbeVerdict, set_to: float, seconds: Sequence[float], *, at: float, most: float
) -> Span:
    def place(value: float) -> float:
        return _scaled(value, 0, most, _NAMES, _END)

    name = column.run.target
    name = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}\u2026"
    if not seconds:
        return Span(column, verdict, name, at, place(set_to), 0, 0, None, (f"{set_to:g}", "", "", "", "0"))
    least, mean, longest = min(seconds), fmean(seconds), max(seconds)
    title = f"{cut(column.run.target, 40)}: {verdict}, {mean:.3g} s; set to {set_to:g} s"
    numbers = (f"{set_to:g}", f"{least:.3f}", f"{mean:.3f}", f"{longest:.3f}", str(len(seconds)))
    mark = _mark(verdict, place(mean), at, title)
    return Span(column, verdict, name, at, place(set_to), place(least), place(longest), mark, numbers)


def memory(measured: Measured) -> Memory | None:
    """The sparkline of a probe's memory, if there are points enough for a line."""
    points = measured.memory[:_MOST_POINTS]
    if len(points) < 2 or measured.memory_idle is None or measured.memory_growth is None:  # noqa: PLR2004 - a line
        return None
    sizes = [measured.memory_idle, *(size for _, size in points)]
    low = min(sizes)
    high = max(*sizes, low + _LEAST_SPAN)
    began, ended = points[0][0], max(points[-1][0], points[0][0] + 1)
    right, bottom = _SPARK_WIDTH - _SPARK_EDGE, _SPARK_HEIGHT - _SPARK_EDGE
    places = (
        (_scaled(at, began, ended, _SPARK_EDGE, right), _scaled(size, low, high, bottom, _SPARK_EDGE))
        for at, size in points
    )
    return Memory(
        points=" ".join(f"{x:g},{y:g}" for x, y in places),
        idle_at=_scaled(measured.memory_idle, low, high, bottom, _SPARK_EDGE),
        words=f"idle {octets(measured.memory_idle)}, peak {octets(measured.memory_peak or 0)}, "
        f"growth {octets(measured.memory_growth)}, in {(ended - began) / 1000:.1f} s",
    )


def _mark(verdict: ProbeVerdict, x: float, y: float, title: str) -> Mark:
    return Mark(VERDICT_CSS[verdict] or "p", f"M{x:g} {y:g}{_SHAPES[verdict]}", title)


def _positive(value: float | str | None) -> float | None:
    """The value, if it is one that has a place on a scale."""
    return value if isinstance(value, (int, float)) and 0 < value < math.inf else None


def _scaled(value: float, low: float, high: float, first: float, last: float) -> float:
    return round(first + (value - low) / (high - low) * (last - first), 1)


def _short(size: int) -> str:
    """A power of two on an axis: 32 KiB."""
    for unit, shift in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if size >> shift:
            return f"{size >> shift} {unit}"
    return str(size)


def _step(most: float) -> float:
    """The distance of ticks: 1, 2 or 5 times a power of ten, so that there are a few of them."""
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in (0.1, 0.2, 0.5, 1, 2, 5) if most / (step * power) <= _MOST_TICKS)
