"""Progress on standard error: a bar on a terminal, plain lines elsewhere, nothing with -q."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from harness.results import Outcome, Result, WireEvent
from harness.wire_text import wire_line

_LINE_EVERY_S = 5.0


class Reporter:
    """What a run says while it works. Called from any thread."""

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        self._quiet = quiet
        self._verbose = verbose
        self._console = Console(stderr=True, highlight=False)
        self._live = not quiet and self._console.is_terminal
        self._progress: Progress | None = None
        self._lock = threading.Lock()
        self._target = ""
        self._total = self._done = 0
        self._failed: Counter[tuple[str, str]] = Counter()  #: by target and engine
        self._last_line = 0.0
        self._last_step = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def say(self, text: str) -> None:
        """Something that a person wants to know."""
        self._line(text)

    def step(self, text: str) -> None:
        """What a long step is at; it may be told many times a second, so only some of it is shown."""
        with self._lock:
            now = time.monotonic()
            new_step = text.split(":", 1)[0] != self._last_step.split(":", 1)[0]
            if not new_step and now - self._last_line < 1:
                return
            self._last_step, self._last_line = text, now
        self._line(text)

    def start(self, target: str, total: int, already: int = 0) -> None:
        """A target's cases begin."""
        self.end()
        self._target, self._total, self._done, self._failed = target, total, already, Counter()
        self._last_line = time.monotonic()
        if self._live:
            self._progress = Progress(
                TextColumn("{task.fields[target]}", markup=False),
                BarColumn(bar_width=30),
                MofNCompleteColumn(),
                TextColumn("{task.fields[failed]} failed", markup=False),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.description}", markup=False),
                console=self._console,
                transient=True,
            )
            self._progress.add_task("", total=total, completed=already, target=target, failed=0)
            self._progress.start()

    def failed(self, target: str, engine: str) -> int:
        """How many of the verdicts that an engine has of a target have failed by now."""
        return self._failed[target, engine]

    def case(self, case: str, target: str | None = None) -> None:
        """A case starts, of one of several targets maybe."""
        if self._verbose:
            self._line(f"{target or self._target}: case {case}")
        if target is not None:
            case = f"{case} of {target}"
        progress = self._progress
        if progress is not None:
            progress.update(progress.task_ids[0], description=f"case {case}")
        elif not self._quiet:
            with self._lock:
                now = time.monotonic()
                if now - self._last_line < _LINE_EVERY_S:
                    return
                self._last_line = now
            self._line(f"{self._target}: {self._done} of {self._total} cases have a verdict, now case {case}")

    @property
    def on_wire(self) -> Callable[[str, WireEvent], None] | None:
        """Where a wire log goes as it comes: to the terminal with -v, else nowhere."""
        return self._wire if self._verbose and not self._quiet else None

    def _wire(self, case: str, event: WireEvent) -> None:
        self._line(f"{case}  {wire_line(event)}")

    def verdict(self, result: Result) -> None:
        """A case has its verdict."""
        self._done += 1
        self._failed[result.target, result.engine] += result.outcome is Outcome.FAILED
        progress = self._progress
        if progress is not None:
            progress.update(progress.task_ids[0], completed=self._done, failed=self._failed.total())
        if self._verbose:
            words = result.verdict or f"{result.behavior} / close {result.behavior_close} ({result.remote_close_code})"
            self._line(f"{result.target}: {result.case}: {words}, {result.duration_ms} ms")

    def end(self) -> None:
        """The target's cases are over."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _line(self, text: str) -> None:
        if not self._quiet:
            self._console.print(text, markup=False, soft_wrap=True)
            sys.stderr.flush()
