"""Implementations: folders with an `implementation.toml`. docs/implementations.md describes the format."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.errors import UsageError
from harness.limits.settings import LimitName, check
from harness.results import Deviation, Implementation
from harness.text import did_you_mean
from harness.toml_file import read_toml

MANIFEST = "implementation.toml"
#: The environment by which an echo server is told its limits; stripped from what it inherits.
CONTRACT_VARIABLES = (
    "HOST", "PORT", "MAX_FRAME_SIZE", "MAX_MESSAGE_SIZE", "MAX_FRAGMENTS", "PING_INTERVAL", "CLOSE_TIMEOUT",
    "CONNECTION_TIMEOUT", "HANDSHAKE_TIMEOUT", "MAX_HANDSHAKE_SIZE", "MAX_CONNECTIONS", "ALLOWED_ORIGIN", "COMPRESSION",
)  # fmt: skip
_PROJECT = Path(__file__).resolve().parent.parent


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Local(_Strict):
    """How it is set up and started as a process. Placeholders: {python}, {folder}, {cache}, {project}."""

    requires: list[str] = []
    setup: list[list[str]] = []
    start: list[str] = Field(min_length=1)
    environment: dict[str, str] = {}


class Container(_Strict):
    """How it is built as an image: the context has this folder and `files` of the project, laid out as there."""

    dockerfile: str = "Dockerfile"
    files: list[str] = []


class Limit(_Strict):
    """How a limit is set: by an environment variable, or not at all because it is fixed."""

    env: str | None = None
    fixed: int | float | str | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Limit:
        if (self.env is None) == (self.fixed is None):
            raise ValueError("give either env or fixed")
        return self


class Manifest(_Strict):
    """The contents of an `implementation.toml`."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    language: str
    version: str
    homepage: str
    licence: str
    extensions: list[str] = []
    level: Literal["messages", "frames"] = "messages"
    local: Local | None = None
    container: Container = Container()
    environment: dict[str, str] = {}
    limits: dict[LimitName, Limit] = {}
    deviations: list[Deviation] = []

    @property
    def limits_by_name(self) -> dict[str, Limit]:
        """The limits, for who has names of any kind."""
        return {str(name): limit for name, limit in self.limits.items()}

    def environment_of(self, settings: Mapping[str, str]) -> dict[str, str]:
        """The environment that sets these limits, of those that can be set."""
        ways = self.limits_by_name
        return {env: value for name, value in settings.items() if name in ways and (env := ways[name].env)}

    @model_validator(mode="after")
    def _limits_in_range(self) -> Manifest:
        for name, limit in self.limits.items():
            if limit.fixed is not None:
                check(name, limit.fixed)
        return self


class Source(NamedTuple):
    """A manifest and the folder that it lies in."""

    folder: Path
    manifest: Manifest

    @property
    def about(self) -> Implementation:
        """What results say about who was under test."""
        m = self.manifest
        return Implementation(language=m.language, version=m.version, homepage=m.homepage, licence=m.licence)

    @property
    def deflates(self) -> bool:
        """Whether it offers permessage-deflate (RFC 7692)."""
        return "permessage-deflate" in self.manifest.extensions

    def expand(self, word: str) -> str:
        """A word of a command or a value of its environment, with placeholders filled in."""
        return self._substitute(word, cache=str(self.cache))

    def _substitute(self, word: str, cache: str) -> str:
        values = {"python": sys.executable, "folder": str(self.folder), "project": str(project()), "cache": cache}
        return re.sub(r"\{(python|folder|project|cache)\}", lambda match: values[match[1]], word)

    @property
    def cache(self) -> Path:
        """Its own cache folder: another one when a set-up command, or a file that one names, changes."""
        digest = hashlib.sha256()
        for command in self.manifest.local.setup if self.manifest.local else []:
            for word in command:
                expanded = self._substitute(word, cache="{cache}")
                digest.update(expanded.encode() + b"\0")
                if word.startswith("{folder}/") and Path(expanded).is_file():
                    digest.update(Path(expanded).read_bytes())
        return cache_folder() / "implementations" / f"{self.manifest.name}-{digest.hexdigest()[:12]}"

    def missing(self) -> list[str]:
        """Commands that the local way needs and that are not on PATH."""
        return [c for c in (self.manifest.local.requires if self.manifest.local else []) if not shutil.which(c)]


def project() -> Path:
    """The folder that holds the packages: the checkout, or site-packages."""
    return _PROJECT


def cache_folder() -> Path:
    """Where set-ups are kept between runs (WSCONFORM_CACHE, else the user's cache folder)."""
    return Path(os.environ.get("WSCONFORM_CACHE") or platformdirs.user_cache_path("wsconform"))


def implementations_folder() -> Path:
    """The folder of implementations: in the checkout beside this package, in an installed wheel inside it."""
    shipped = Path(__file__).resolve().parent / "_implementations"
    return shipped if shipped.is_dir() else _PROJECT / "implementations"


def names(folder: Path | None = None) -> list[str]:
    """All implementations that there are, sorted."""
    return sorted(path.parent.name for path in (folder or implementations_folder()).glob(f"*/{MANIFEST}"))


def load(name: str, folder: Path | None = None) -> Source:
    """The implementation of that name, or of that path where the name has a slash; UsageError says what is wrong."""
    root = folder or implementations_folder()
    path = Path(name).resolve() if "/" in name else root / name
    file = path / MANIFEST
    if not file.is_file():
        known = names(root)
        raise UsageError(
            f"no implementation {name!r}{did_you_mean(name, known)} (known: {', '.join(known)}; or give a ws:// URL)"
        )
    manifest = read_toml(file, Manifest)
    if manifest.name != path.name:
        raise UsageError(f"{file}: name = {manifest.name!r}, but its folder is {path.name!r}; they must be the same")
    return Source(path, manifest)
