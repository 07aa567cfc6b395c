"""Which units of work run beside which.

A conformance run keeps the harness and the server busy and holds its peer to deadlines, so there is one at a time for
each two cores; one that takes long has come to the bulk of a server that is slow or keeps a single core busy, so that
another one may begin beside it. Limit probes mostly wait, and those that a clock decides are asked again when they did
not pass: some run beside it. While cores are idle all the same, another unit begins, whatever it is. A target is probed
after its cases where that keeps nobody waiting, and one that could not be started for these is not tried again. What
took long in an earlier run goes first.
"""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

import psutil

from harness.results import TargetRun
from harness.work import Listener, Unit, Worker

#: When a conformance run takes long, in seconds: most are over, and all are through with what has short deadlines.
_LONG_S = 15.0
#: How long a unit has to get to work, in seconds, before cores count as idle.
_LOOK_AGAIN_S = 1.0
#: The share of the cores' time that has to be left for another unit.
_IDLE = 0.15
#: Octets of memory that it and its server should find.
_MEMORY = 3 << 30


class _Cores:
    """What is left of the cores since a unit was begun, or since that was last asked."""

    def __init__(self) -> None:
        self.begun()

    def begun(self) -> None:
        """A unit begins: look from here on."""
        self._since = time.monotonic()
        self._idle = psutil.cpu_times().idle

    def idle(self) -> bool:
        """Whether another unit would find a core and memory."""
        since, idle = self._since, self._idle
        if time.monotonic() - since < _LOOK_AGAIN_S:
            return False
        self.begun()
        share = (self._idle - idle) / (self._since - since) / (os.cpu_count() or 1)
        return share > _IDLE and psutil.virtual_memory().available > _MEMORY


class Executor:
    """Carries out units, at most `parallel` at a time, each in a process of its own."""

    def __init__(self, parallel: int, listener: Callable[[Unit], Listener], done: Callable[[TargetRun], None]) -> None:
        self._parallel = parallel
        self._listener = listener
        self._done = done
        self._changed = threading.Condition()
        cores = os.cpu_count() or 1
        self._cores = _Cores()
        self._usual = min(parallel, 2 * cores + 1)  #: units at a time, whether cores are idle or not
        self._most = max(1, cores // 2)  #: conformance runs that may be measured against the clock
        self._measured: list[Unit] = []  #: those that are, and have not taken long
        self._at_work = 0
        self._running: set[Worker] = set()
        self._stopped = False

    def run(self, units: Sequence[Unit]) -> None:
        """Carry them all out. An interruption stops what runs, waits for what it has to tell, and is raised then."""
        takes: defaultdict[str, float] = defaultdict(float)
        for unit in units:
            takes[unit.about.target] += unit.took

        def length(unit: Unit) -> tuple[float, int]:
            # a target's probes have to wait for its cases
            return unit.took if _is_limits(unit) else takes[unit.about.target], unit.waits

        # what takes long goes first, so that the others run meanwhile
        self._waiting = sorted(units, key=length, reverse=True)
        self._unfinished = [unit.about.target for unit in units if not _is_limits(unit)]
        self._broken: dict[str, str] = {}
        workers = min(self._parallel, len(units))
        with ThreadPoolExecutor(workers, "unit") as pool:
            try:
                threads = [pool.submit(self._work) for _ in range(workers)]
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
                    self._at_work -= 1
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
                if (unit := self._ready()) is not None:
                    self._waiting.remove(unit)
                    self._at_work += 1
                    self._cores.begun()
                    if not _is_limits(unit):
                        self._measured.append(unit)
                    return unit
                self._changed.wait(_LOOK_AGAIN_S)
        return None

    def _ready(self) -> Unit | None:
        """Who may begin now."""
        idle = self._cores.idle()
        if self._at_work >= self._usual and not idle:
            return None
        ready = [unit for unit in self._waiting if idle or _is_limits(unit) or len(self._measured) < self._most]
        # cases, for they take the longest; probes of who has been through its cases; then whatever there is
        ready.sort(key=lambda unit: _is_limits(unit) * (1 + (unit.about.target in self._unfinished)))
        return ready[0] if ready else None

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
