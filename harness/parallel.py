"""Which units of work run beside which.

A conformance run keeps the harness and the server busy and holds its peer to deadlines, so there is one at a time for
each two cores; one that takes long has come to the bulk of a server that is slow or keeps a single core busy, so that
another one may begin beside it. Limit probes mostly wait, and those that a clock decides are asked again when they did
not pass: so many of them run beside it as are asked for. A target is probed after its cases where that keeps nobody
waiting, and one that could not be started for these is not tried again.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from harness.results import TargetRun
from harness.work import Listener, Unit, Worker

#: When a conformance run takes long, in seconds: most are over, and all are through with what has short deadlines.
_LONG_S = 15.0


class Executor:
    """Carries out units, at most `parallel` at a time, each in a process of its own."""

    def __init__(self, parallel: int, listener: Callable[[Unit], Listener], done: Callable[[TargetRun], None]) -> None:
        self._parallel = parallel
        self._listener = listener
        self._done = done
        self._changed = threading.Condition()
        self._most = max(1, (os.cpu_count() or 1) // 2)  #: conformance runs that may be measured against the clock
        self._measured: list[Unit] = []  #: those that are, and have not taken long
        self._running: set[Worker] = set()
        self._stopped = False

    def run(self, units: Sequence[Unit]) -> None:
        """Carry them all out. An interruption stops what runs, waits for what it has to tell, and is raised then."""
        # those that wait for long go first, so that the others run meanwhile
        self._waiting = sorted(units, key=lambda unit: unit.waits, reverse=True)
        self._unfinished = [unit.about.target for unit in units if not _is_limits(unit)]
        self._broken: dict[str, str] = {}
        workers = min(self._parallel, len(units))
        with ThreadPoolExecutor(workers, "unit") as pool:
            threads = [pool.submit(self._work) for _ in range(workers)]
            try:
                for thread in wait(threads, return_when=FIRST_EXCEPTION).done:
                    thread.result()
            finally:
                self._stop()

    def _stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            for worker in self._running:
                worker.stop()

    def _work(self) -> None:
        while (unit := self._next()) is not None:
            takes_long = threading.Timer(_LONG_S, self._make_room, (unit,))
            takes_long.start()
            try:
                self._carry_out(unit)
            finally:
                takes_long.cancel()
                with self._changed:
                    if not _is_limits(unit):
                        self._unfinished.remove(unit.about.target)
                self._make_room(unit)

    def _make_room(self, unit: Unit) -> None:
        """It does not keep another one from being measured any more."""
        with self._changed:
            self._measured = [other for other in self._measured if other is not unit]
            self._changed.notify_all()

    def _next(self) -> Unit | None:
        """The next unit whose turn it is; None when there are no more."""
        with self._changed:
            while self._waiting and not self._stopped:
                ready = [unit for unit in self._waiting if _is_limits(unit) or len(self._measured) < self._most]
                # cases, for they take the longest; probes of who has been through its cases; then whatever there is
                ready.sort(key=lambda unit: _is_limits(unit) * (1 + (unit.about.target in self._unfinished)))
                if ready:
                    unit = ready[0]
                    self._waiting.remove(unit)
                    if not _is_limits(unit):
                        self._measured.append(unit)
                    return unit
                self._changed.wait()
        return None

    def _carry_out(self, unit: Unit) -> None:
        before = self._broken.get(unit.about.target)
        if before is not None:
            self._done(unit.lost(before))
            return
        worker = Worker(unit)
        with self._changed:
            self._running.add(worker)
            if self._stopped:
                worker.stop()
        outcome = worker.carry_out(self._listener(unit))
        with self._changed:
            self._running.discard(worker)
            if outcome.error is not None:
                self._broken[unit.about.target] = outcome.error
        self._done(outcome)


def _is_limits(unit: Unit) -> bool:
    return unit.engine.name == "limits"
