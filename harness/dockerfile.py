"""A Dockerfile from a manifest: what the local way does on this machine, done in an image."""

from __future__ import annotations

import json
from collections.abc import Sequence

from harness.manifest import Source

#: The first line of what was written here, and is written anew when the manifest changes.
MARK = "# Written by `wsconform implementations dockerfile`: change the manifest, not this file."
_CACHE = "/app/cache"


def dockerfile(source: Source) -> str:
    """The text of the Dockerfile that sets it up and starts it as its manifest's [local] table does."""
    manifest = source.manifest
    local = manifest.local
    assert local is not None  # noqa: S101 - the caller has looked
    home = f"/app/implementations/{source.home.name}"

    def expand(word: str) -> str:
        return source.substitute(word, cache=_CACHE, python="python3", home=home, project_folder="/app")

    def run(command: Sequence[str]) -> str:
        return f"RUN {json.dumps([expand(word) for word in command])}"

    commands = [*manifest.container.setup, *local.setup]
    packages = local.debian if manifest.container.debian is None else manifest.container.debian
    if any("{python}" in word for command in (*commands, local.start) for word in command):
        packages = ["python3", "python3-venv", *packages]
    # as nobody and without a home, a program has nowhere to write; what it needs for that it gets in /tmp
    environment = {"HOME": "/tmp", "HOST": "0.0.0.0", "PORT": "9001", **local.environment, **manifest.environment}  # noqa: S104, S108
    lines = [MARK, "ARG BASE=debian:bookworm-slim", "FROM ${BASE}"]
    if packages:
        lines += [
            # slim images lack the folder, and Debian's Java wants it
            "RUN mkdir -p /usr/share/man/man1 && apt-get update \\",
            f"    && apt-get install -y --no-install-recommends {' '.join(packages)} \\",
            "    && rm -rf /var/lib/apt/lists/*",
        ]
    lines += [f"COPY {name} /app/{name}" for name in manifest.container.files]
    lines += [f"COPY implementations/{source.home.name} {home}"]
    lines += [f'RUN ["mkdir", "-p", "{_CACHE}"]']
    lines += [run(command) for command in commands]
    lines += ["USER nobody"]
    lines += [f"ENV {name}={json.dumps(expand(value))}" for name, value in environment.items()]
    lines += ["EXPOSE 9001", f"CMD {json.dumps([expand(word) for word in local.start])}"]
    return "\n".join(lines) + "\n"
