from __future__ import annotations

import queue
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from refimpl._timekeeper import Timekeeper

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def timekeeper() -> Iterator[Timekeeper]:
    keeper = Timekeeper()
    yield keeper
    keeper.stop()


class Clock:
    """Records its ticks and asks for the next ones that it was given."""

    def __init__(self, *waits: float | None) -> None:
        self.ticks: queue.Queue[float] = queue.Queue()
        self.waits = list(waits)

    def tick(self, now: float) -> float | None:
        self.ticks.put(now)
        wait = self.waits.pop(0) if self.waits else None
        return None if wait is None else now + wait


def test_a_tick_never_comes_early_and_asks_for_the_next(timekeeper: Timekeeper):
    clock, begin = Clock(0.05), monotonic()
    timekeeper.watch(clock, begin + 0.05)
    first, second = clock.ticks.get(timeout=5), clock.ticks.get(timeout=5)
    assert begin + 0.05 <= first
    assert first + 0.05 <= second
    assert clock not in timekeeper._due


def test_the_earliest_of_several_times_counts(timekeeper: Timekeeper):
    clock = Clock()
    for when in (60, 0.01, 30):
        timekeeper.watch(clock, monotonic() + when)
    clock.ticks.get(timeout=5)
    assert clock.ticks.empty()


def test_what_is_forgotten_is_not_called_and_not_kept(timekeeper: Timekeeper):
    clocks = [Clock() for _ in range(100)]
    for clock in clocks:
        timekeeper.watch(clock, monotonic() + 60)
    for clock in clocks:
        timekeeper.forget(clock)
    assert len(timekeeper._queue) <= 16
    last = Clock()
    timekeeper.watch(last, 0)
    last.ticks.get(timeout=5)
    assert all(clock.ticks.empty() for clock in clocks)


def test_what_is_forgotten_or_watched_during_its_tick_keeps_that(timekeeper: Timekeeper):
    class Forgetful(Clock):
        def tick(self, now: float) -> float | None:
            timekeeper.forget(self)
            return super().tick(now)

    class Hasty(Clock):
        def tick(self, now: float) -> float | None:
            if self.waits:
                timekeeper.watch(self, now)
            return super().tick(now)

    forgetful, hasty = Forgetful(0.0), Hasty(60.0)
    timekeeper.watch(forgetful, 0)
    timekeeper.watch(hasty, 0)
    hasty.ticks.get(timeout=5)
    hasty.ticks.get(timeout=5)
    assert forgetful.ticks.qsize() == 1
