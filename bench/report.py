"""Outcomes as tables for a person, as aims that hold or do not, and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.measure import Cell, Outcome, Outcomes
from bench.servers import REFERENCE

_UNITS = ((1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B"))
_MISSING = Outcome()


@dataclass(frozen=True)
class Aim:
    """The reference server is to be ahead of a server in all cells from a size up."""

    server: str
    why: str
    from_size: int = 1


# aiohttp's reader is Python source that its wheel ships compiled by Cython; held to the aim for Python all the same.
AIMS = (
    Aim("python-websockets", "its protocol code is Python"),
    Aim("python-websockets-threading", "its protocol code is Python"),
    Aim("aiohttp", "its protocol code is Python, compiled by Cython"),
    Aim("picows", "from 64 KiB up, as it is Cython throughout", 64 << 10),
)


def format_size(size: int) -> str:
    """64 B, 4 KiB, 1 MiB: the largest unit that leaves no fraction."""
    return next(f"{size // unit} {name}" for unit, name in _UNITS if size % unit == 0)


def ahead(outcomes: Outcomes, cell: Cell, server: str) -> float | None:
    """How many times as many messages per second the reference server echoes; None where either has no rate."""
    ours = outcomes.get((cell, REFERENCE), _MISSING).rate
    theirs = outcomes.get((cell, server), _MISSING).rate
    return ours / theirs if ours and theirs else None


def cheaper(outcomes: Outcomes, cell: Cell, server: str) -> float | None:
    """How many times as much processor time the other server needs per message; None where either is unknown."""
    ours = outcomes.get((cell, REFERENCE), _MISSING).cpu_per_message
    theirs = outcomes.get((cell, server), _MISSING).cpu_per_message
    return theirs / ours if ours and theirs else None


def rounds_disagree(outcomes: Outcomes, cell: Cell, server: str) -> bool:
    """Whether the reference server was ahead in some rounds and not in others: then the ratio is within the noise."""
    ours = outcomes.get((cell, REFERENCE), _MISSING).samples
    theirs = outcomes.get((cell, server), _MISSING).samples
    return len({a.rate > b.rate for a, b in zip(ours, theirs, strict=False)}) > 1


def tables(outcomes: Outcomes) -> str:
    """A block per window, and in it a table per quantity: rows are sizes, columns servers."""
    cells, names = _axes(outcomes)
    blocks = []
    for window in dict.fromkeys(cell.window for cell in cells):
        rows = [cell for cell in cells if cell.window == window]
        many = f"{window} outstanding message{'s' if window > 1 else ''}"
        blocks += [
            f"Window of {many}",
            _table("messages/s", rows, names, lambda c, n: _cell(_rate(outcomes, c, n), ahead(outcomes, c, n), n)),
            _table("server CPU µs", rows, names, lambda c, n: _cell(_cpu(outcomes, c, n), cheaper(outcomes, c, n), n)),
            _table("generator CPU", rows, names, lambda c, n: _share(outcomes, c, n)),
        ]
    notes = [
        "messages/s: echoes per second. server CPU µs: processor time per message. Both are medians of the rounds, and",
        "the ratio behind them says how far refimpl is ahead: above 1, it echoes more, or needs less. generator CPU:",
        "part of one core that the load generator used; near 100 % the rate is the generator's, not the server's.",
    ]
    problems = [
        f"failed: {name}, {format_size(cell.size)}, window {cell.window}: {outcome.problem}"
        for (cell, name), outcome in outcomes.items()
        if outcome.problem
    ]
    return "\n\n".join([*blocks, "\n".join([*notes, *problems])])


def aims(outcomes: Outcomes) -> str:
    """A line per aim, and a last one that sums them up."""
    cells, names = _axes(outcomes)
    lines, failed, held, unknown = [], [], [], []
    for aim in AIMS:
        wanted = [cell for cell in cells if cell.size >= aim.from_size]
        ratios = {cell: ahead(outcomes, cell, aim.server) for cell in wanted}
        measured = {cell: ratio for cell, ratio in ratios.items() if ratio is not None}
        if aim.server not in names or len(measured) < len(wanted) or not wanted:
            unknown.append(aim.server)
        behind = [cell for cell, ratio in measured.items() if ratio <= 1]
        if not measured:
            continue
        if behind:
            failed.append(aim.server)
        elif aim.server not in unknown:
            held.append(aim.server)
        where = "; ".join(_where(outcomes, cell, aim.server) for cell in behind)
        lines.append(
            f"ahead of {aim.server} ({aim.why}): {len(measured) - len(behind)} of {len(wanted)} cells"
            + (f"; not in {where}" if where else "")
            + _close_calls(outcomes, [cell for cell in measured if cell not in behind], aim.server)
        )
    summary = [
        f"{verdict} {', '.join(servers)}"
        for verdict, servers in (
            ("holds against", held),
            ("does not hold against", failed),
            ("not fully measured against", [name for name in unknown if name not in failed]),
        )
        if servers
    ]
    return "\n".join([*lines, f"aim to be ahead, in the cells measured: {'; '.join(summary)}"])


def as_json(outcomes: Outcomes, about: dict[str, Any]) -> dict[str, Any]:
    """Everything that was measured, each round of it."""
    cells, names = _axes(outcomes)
    return {
        **about,
        "cells": [
            {
                "size": cell.size,
                "window": cell.window,
                "server": name,
                "messagesPerSecond": outcome.rate,
                "serverCpuMicroseconds": outcome.cpu_per_message and outcome.cpu_per_message * 1e6,
                "generatorShare": outcome.generator_share,
                "refimplAhead": ahead(outcomes, cell, name),
                "refimplCheaper": cheaper(outcomes, cell, name),
                "problem": outcome.problem,
                "rounds": [sample._asdict() for sample in outcome.samples],
            }
            for cell in cells
            for name in names
            if (outcome := outcomes.get((cell, name))) is not None
        ],
        "aims": aims(outcomes).splitlines(),
    }


def _axes(outcomes: Outcomes) -> tuple[list[Cell], list[str]]:
    """Cells and servers in the order in which they were first met, which is the user's."""
    return list(dict.fromkeys(cell for cell, _ in outcomes)), list(dict.fromkeys(name for _, name in outcomes))


def _where(outcomes: Outcomes, cell: Cell, server: str) -> str:
    noise = ", within the noise" if rounds_disagree(outcomes, cell, server) else ""
    return f"{format_size(cell.size)} x {cell.window} ({_ratio(ahead(outcomes, cell, server))}{noise})"


def _close_calls(outcomes: Outcomes, cells: Sequence[Cell], server: str) -> str:
    close = [_where(outcomes, cell, server) for cell in cells if rounds_disagree(outcomes, cell, server)]
    return f"; barely in {'; '.join(close)}" if close else ""


def _rate(outcomes: Outcomes, cell: Cell, name: str) -> float | None:
    return outcomes.get((cell, name), _MISSING).rate


def _cpu(outcomes: Outcomes, cell: Cell, name: str) -> float | None:
    seconds = outcomes.get((cell, name), _MISSING).cpu_per_message
    return None if seconds is None else seconds * 1e6


def _share(outcomes: Outcomes, cell: Cell, name: str) -> str:
    share = outcomes.get((cell, name), _MISSING).generator_share
    return "-" if share is None else f"{share:.0%}".replace("%", " %")


def _cell(value: float | None, ratio: float | None, name: str) -> str:
    if value is None:
        return "-"
    shown = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits are enough, and honest
    return shown if name == REFERENCE or ratio is None else f"{shown} {_ratio(ratio):>6}"


def _ratio(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}x"


def _table(title: str, cells: Sequence[Cell], names: Sequence[str], text: Callable[[Cell, str], str]) -> str:
    rows = [[title, *names], *([format_size(cell.size), *(text(cell, name) for name in names)] for cell in cells)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(names) + 1)]
    lines = []
    for first, *others in rows:
        padded = [word.rjust(width) for word, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *padded]))
    return "\n".join(lines)
