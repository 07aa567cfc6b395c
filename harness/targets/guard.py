"""Looks after a started server: what it uses, and that it does not eat the machine's memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from harness.limits.meter import Meter

#: What a server may use, as a process and as a container: 60 connections with 16 MiB each are no reason for more.
MEMORY_LIMIT = 2 << 30
_EVERY_S = 0.1


class Usage(NamedTuple):
    """What a server has used."""

    peak_memory: int  #: octets, as seen every tenth of a second
    cpu_seconds: float  #: user and system


def together(usages: Sequence[Usage]) -> Usage:
    """Of one server that was started several times or runs in several instances: the highest peak, all of the work."""
    return Usage(max(one.peak_memory for one in usages), sum(one.cpu_seconds for one in usages))


class Guard:
    """Watches from a thread of its own, and has the server ended when it uses more than MEMORY_LIMIT."""

    def __init__(self, meter: Meter, kill: Callable[[], None]) -> None:
        self.usage = Usage(0, 0.0)
        self.verdict: str | None = None  #: why it was ended, if it was
        self._meter = meter
        self._kill = kill
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="guard", daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(_EVERY_S):
            self._look()

    def _look(self) -> None:
        memory = self._meter.memory()
        self.usage = Usage(max(self.usage.peak_memory, memory), max(self.usage.cpu_seconds, self._meter.cpu_seconds()))
        if memory > MEMORY_LIMIT and self.verdict is None:
            self.verdict = f"it used more than {MEMORY_LIMIT >> 30} GiB of memory and was ended"
            self._kill()

    def end(self) -> Usage:
        """Stop watching, after a last look; call it before the server is gone."""
        self._over.set()
        self._thread.join()
        self._look()
        return self.usage
