"""Faulty servers as implementations: `wsconform crosscheck $(python -m tests.faulty.folders DIR [FAULT ...])`.

Without a FAULT: one or two for each section of cases, none of which makes Autobahn wait for long.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
DEFAULT = (
    "binary-as-text", "truncates 126", "no-pong", "empty-pong", "ignores-reserved-bits", "reserved-data-opcodes",
    "wrong-code-for-protocol-errors 1003", "fragmented-control-frames", "accepts-lone-continuation", "no-utf8-check",
    "late-utf8-check", "never-answers-close",
    "echoes-invalid-close-codes", "answers-close-with 1001", "refuses-over 1048576",
)  # fmt: skip


def table() -> dict[str, dict[str, Any]]:
    """What each fault breaks and which cases find it: all *.toml here, faults.toml first."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(HERE.glob("*.toml"), key=lambda path: (path.stem != "faults", path)):
        for fault, about in tomllib.loads(path.read_text(encoding="utf-8")).items():
            if fault in found:
                raise ValueError(f"{fault} is in two tables")
            found[fault] = about
    return found


def write(root: Path, fault: str) -> Path:
    """The folder of an implementation that is echo.py with this fault."""
    about = table()[fault]
    folder = root / re.sub(r"[^a-z0-9]+", "-", fault)
    folder.mkdir(parents=True, exist_ok=True)
    environment = {"FAULT": fault, **about.get("environment", {})}
    (folder / "implementation.toml").write_text(
        f'name = "{folder.name}"\nlanguage = "Python"\nversion = "1"\nlicence = "MIT"\n'
        f'homepage = "https://www.rfc-editor.org/rfc/rfc6455"\n[local]\n'
        f'start = ["{{python}}", {json.dumps(str(HERE / "echo.py"))}]\n'
        "environment = { " + ", ".join(f"{name} = {json.dumps(value)}" for name, value in environment.items()) + " }\n",
        encoding="utf-8",
    )
    return folder


if __name__ == "__main__":
    for name in sys.argv[2:] or DEFAULT:
        print(write(Path(sys.argv[1]), name))
