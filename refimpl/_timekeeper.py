"""One thread that watches the clock for every connection of a server."""

import heapq
import threading
from time import monotonic
from typing import Protocol

_SLACK = 16  # stale entries that are not worth a sweep


class Timed(Protocol):
    """Something with deadlines."""

    def tick(self, now: float) -> float | None:
        """Do what is due and return when to be called next, None for never; it must not block."""


class Timekeeper:
    """Calls `tick` of what it watches, each at the time that its last `tick` named or `watch` brought forward."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: list[tuple[float, int, Timed]] = []
        self._due: dict[Timed, float] = {}  # the one valid entry of each; others in the queue are stale
        self._count = 0  # breaks ties, so that two Timed are never compared
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="refimpl-timekeeper", daemon=True)
        self._thread.start()

    def watch(self, timed: Timed, when: float) -> None:
        """Call `timed.tick` at `when` (monotonic seconds), or earlier if that was agreed before."""
        with self._changed:
            if when < self._due.get(timed, when + 1):
                self._push(timed, when)
                self._changed.notify()

    def forget(self, timed: Timed) -> None:
        """Never call it again, and keep no reference to it for long."""
        with self._changed:
            self._due.pop(timed, None)
            if len(self._queue) > 2 * len(self._due) + _SLACK:
                self._queue = [entry for entry in self._queue if self._due.get(entry[2]) == entry[0]]
                heapq.heapify(self._queue)

    def stop(self) -> None:
        """End the thread."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join()

    def _push(self, timed: Timed, when: float) -> None:
        self._due[timed] = when
        self._count += 1
        heapq.heappush(self._queue, (when, self._count, timed))

    def _run(self) -> None:
        while (timed := self._next()) is not None:
            when = timed.tick(monotonic())
            with self._changed:
                # `forget` or an earlier `watch` may have come meanwhile; None is what `_next` left.
                if when is not None and timed in self._due and when < self._due[timed]:
                    self._push(timed, when)
                elif when is None:
                    self._due.pop(timed, None)

    def _next(self) -> Timed | None:
        """Wait for the next that is due; None when stopped."""
        with self._changed:
            while not self._stopped:
                while self._queue and self._due.get(self._queue[0][2]) != self._queue[0][0]:
                    heapq.heappop(self._queue)
                wait = self._queue[0][0] - monotonic() if self._queue else None
                if wait is not None and wait <= 0:
                    timed = heapq.heappop(self._queue)[2]
                    self._due[timed] = float("inf")  # being ticked; any time is earlier
                    return timed
                self._changed.wait(wait)
            return None
