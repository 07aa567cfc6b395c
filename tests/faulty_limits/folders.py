"""Faulty servers as implementations: `wsconform run $(python -m tests.faulty_limits.folders DIR [FAULT ...])`.

Without a FAULT: the server that keeps all limits.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from harness.limits.settings import NAMES

HERE = Path(__file__).resolve().parent
EXTENSIONS = ["permessage-deflate"]
#: How each limit is set.
LIMITS = {name: name.upper() for name in NAMES}


def environment(fault: str) -> dict[str, str]:
    """What the server needs besides its limits: pings are answered."""
    return {"FAULT": fault, "DROP_INCOMING_PINGS": "false"}


def write(root: Path, fault: str) -> Path:
    """The folder of an implementation that is server.py with this fault."""
    folder = root / (re.sub(r"[^a-z0-9]+", "-", fault).strip("-") or "faultless")
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        f'name = "{folder.name}"', 'language = "Python"', 'version = "1"', 'licence = "MIT"',
        'homepage = "https://www.rfc-editor.org/rfc/rfc6455"', f"extensions = {json.dumps(EXTENSIONS)}",
        "[local]", f'start = ["{{python}}", {json.dumps(str(HERE / "server.py"))}]',
        "[environment]", *(f"{name} = {json.dumps(value)}" for name, value in environment(fault).items()),
        "[limits]", *(f'{name} = {{ env = "{variable}" }}' for name, variable in LIMITS.items()),
    ]  # fmt: skip
    (folder / "implementation.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


if __name__ == "__main__":
    for fault in sys.argv[2:] or [""]:
        sys.stdout.write(f"{write(Path(sys.argv[1]), fault)}\n")
