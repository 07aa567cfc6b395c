"""A new implementation's folder, to be filled in. The folders beside this file hold what each language needs."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from harness.errors import UsageError
from harness.manifest import MANIFEST

#: The language by its name on the command line, as a manifest writes it.
LANGUAGES = {"python": "Python", "javascript": "JavaScript", "go": "Go", "rust": "Rust", "java": "Java", "c": "C"}
_HERE = Path(__file__).resolve().parent
_HEAD = """\
name = "{name}"
language = "{language}"
version = "0"                            # fill in: the library's, as it is installed
homepage = "https://example.org"         # fill in
licence = "MIT"                          # fill in: an SPDX expression
extensions = []                          # ["permessage-deflate"] where it answers an offer
level = "messages"                       # "frames": joining them and checking UTF-8 is left to the application

{local}
# What both ways of starting it get. Autobahn's 9.* send messages of 16 MiB; where the limit is set, raise it.
[environment]
MAX_MESSAGE_SIZE = "67108864"

# What the library can be told, and by which variable.
[limits]
# max_message_size = {{ env = "MAX_MESSAGE_SIZE" }}
"""


def new(name: str, language: str, root: Path) -> Path:
    """Write the folder; UsageError where there is one of that name, or it can't be one."""
    folder = root / name
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name):
        raise UsageError(f"{name!r} is no name: small letters, digits, dots and dashes")
    if folder.exists():
        raise UsageError(f"{folder} is there already")
    template = _HERE / language
    shutil.copytree(template, folder, ignore=shutil.ignore_patterns("local.toml", "__pycache__"))
    local = (template / "local.toml").read_text(encoding="utf-8")
    text = _HEAD.format(name=name, language=LANGUAGES[language], local=local)
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    return folder
