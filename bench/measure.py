"""The order of measurements: every cell for all servers in turn, several rounds, so that noise meets all alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from statistics import median
from typing import NamedTuple

from bench.load import Load, LoadError, Sample
from bench.servers import Running


class Cell(NamedTuple):
    """What is sent: messages of `size` octets, `window` of them outstanding."""

    size: int
    window: int


@dataclass
class Outcome:
    """What one server did in one cell: its samples by round, and why there are no more of them."""

    samples: list[Sample] = field(default_factory=list)
    problem: str | None = None

    @property
    def rate(self) -> float | None:
        """The median of messages per second; None if it failed."""
        return self._median(lambda sample: sample.rate)

    @property
    def cpu_per_message(self) -> float | None:
        """The median of the server's processor seconds per message; None if it failed, or no message came back."""
        seconds = self._median(lambda sample: sample.server_cpu_per_message)
        return None if seconds == inf else seconds

    @property
    def generator_share(self) -> float | None:
        """The median of the part of a core that the load generator used; None if it failed."""
        return self._median(lambda sample: sample.generator_share)

    def _median(self, value: Callable[[Sample], float]) -> float | None:
        return median(map(value, self.samples)) if self.samples and self.problem is None else None


Outcomes = dict[tuple[Cell, str], Outcome]


def turns(names: Sequence[str], round_number: int) -> list[str]:
    """The order of a round: each round begins with another server."""
    start = round_number % len(names)
    return [*names[start:], *names[:start]]


def measure(
    servers: Sequence[Running],
    cells: Sequence[Cell],
    outcomes: Outcomes,
    *,
    rounds: int,
    seconds: float,
    on_cell: Callable[[int, Cell], None],
) -> None:
    """Measure all cells, putting outcomes where the caller sees them even if this is interrupted."""
    by_name = {server.name: server for server in servers}
    for number, cell in enumerate(cells, 1):
        on_cell(number, cell)
        for round_number in range(rounds):
            for name in turns(list(by_name), round_number):
                outcome = outcomes.setdefault((cell, name), Outcome())
                if outcome.problem is not None:
                    continue
                try:
                    with Load(by_name[name].endpoint, cell.size, cell.window) as load:
                        outcome.samples.append(load.measure(seconds, by_name[name].cpu_seconds))
                except LoadError as error:
                    outcome.problem = str(error)
