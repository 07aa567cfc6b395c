"""Helpers that several test modules import."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Self

import psutil

from harness.manifest import Limit
from harness.processes import OWNER_VARIABLE

ROOT = Path(__file__).parents[1]


class Unlimited:
    """What targets of tests have in common: no limits, and no look at what they use."""

    limits: ClassVar[dict[str, Limit]] = {}

    def given(self, settings: Mapping[str, str], label: str) -> Self:
        raise AssertionError(f"{label}: nothing here asks for a server with {settings}")

    def usage(self) -> None:
        pass

    def meter(self) -> None:
        return None


class Command:
    """Runs `wsconform` in a folder of its own, with the given wstest."""

    def __init__(self, folder: Path, wstest: Path | str = "", engine: str = "autobahn") -> None:
        self.folder = folder
        self.engine = engine
        self.environment = {
            **os.environ,
            "WSTEST": str(wstest),
            "WSCONFORM_CACHE": str(folder / "cache"),
            "PYTHONPATH": str(ROOT),
            "NO_COLOR": "1",
        }

    def _with_engine(self, arguments: tuple[str, ...]) -> tuple[str, ...]:
        runs = arguments[:1] in {("run",), ("compare",)} and "--engine" not in arguments
        return (*arguments, "--engine", self.engine) if runs else arguments

    def __call__(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "harness", *self._with_engine(arguments)],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )

    def changed(self, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """In its place, code that changes something in it and calls its `main`."""
        return subprocess.run(
            [sys.executable, "-c", code, *self._with_engine(arguments)],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "harness", *self._with_engine(arguments)],
            cwd=self.folder,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def eventually(condition: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether it comes true in time; polled, since other processes do not tell."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _running(fits: Callable[[psutil.Process], bool]) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):  # it ended, or is another user's
            if fits(process):
                found.append(process)
    return found


def ours(folder: Path) -> list[psutil.Process]:
    """Processes that a harness in this folder started and that still run."""
    cache = str(folder / "cache")
    return _running(lambda p: OWNER_VARIABLE in p.environ() and p.environ().get("WSCONFORM_CACHE") == cache)


def with_argument(text: str) -> list[psutil.Process]:
    """Processes that have the text in their command line."""
    return _running(lambda p: text in " ".join(p.cmdline()))
