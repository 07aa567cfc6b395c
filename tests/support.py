"""Helpers that several test modules import."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil

from harness.processes import OWNER_VARIABLE

ROOT = Path(__file__).parents[1]


class Command:
    """Runs `wsconform` in a folder of its own, with the given wstest."""

    def __init__(self, folder: Path, wstest: Path | str = "") -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "WSTEST": str(wstest),
            "WSCONFORM_CACHE": str(folder / "cache"),
            "PYTHONPATH": str(ROOT),
            "NO_COLOR": "1",
        }

    def __call__(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "harness", *arguments],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "harness", *arguments],
            cwd=self.folder,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def ours(folder: Path) -> list[psutil.Process]:
    """Processes that a harness in this folder started and that still run."""
    found = []
    for process in psutil.process_iter():
        try:
            if OWNER_VARIABLE in process.environ() and process.environ().get("WSCONFORM_CACHE") == str(
                folder / "cache"
            ):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found
