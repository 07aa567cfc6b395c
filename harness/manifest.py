"""Implementations: folders with an `implementation.toml`. docs/implementations.md describes the format."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.errors import UsageError
from harness.limits.settings import LimitName, check
from harness.results import Deviation, Implementation
from harness.text import did_you_mean
from harness.toml_file import read_table, read_toml

MANIFEST = "implementation.toml"
#: The environment by which an echo server is told its limits; stripped from what it inherits.
CONTRACT_VARIABLES = (
    "HOST", "PORT", "MAX_FRAME_SIZE", "MAX_MESSAGE_SIZE", "MAX_FRAGMENTS", "PING_INTERVAL", "CLOSE_TIMEOUT",
    "CONNECTION_TIMEOUT", "HANDSHAKE_TIMEOUT", "MAX_HANDSHAKE_SIZE", "MAX_CONNECTIONS", "ALLOWED_ORIGIN", "COMPRESSION",
)  # fmt: skip
_PROJECT = Path(__file__).resolve().parent.parent


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Command = Annotated[list[str], Field(min_length=1)]


class Local(_Strict):
    """How it is set up and started as a process. Placeholders: {python}, {folder}, {cache}, {project}, {version}."""

    requires: list[str] = []  #: commands on PATH, and absolute paths of files that must be there (`*` stands for parts)
    debian: list[str] = []  #: Debian packages that bring what it requires
    install: str | None = None  #: the command that brings it, where Debian's packages do not
    setup: list[Command] = []
    version_setup: list[Command] = []  #: in place of `setup` for a version that was asked for (NAME@X): {version}
    start: Command
    ready_within: float = Field(default=30.0, gt=0)  #: seconds from its start until an opening handshake succeeds
    environment: dict[str, str] = {}


class Container(_Strict):
    """How it is built as an image: the context has this folder and `files` of the project, laid out as there."""

    dockerfile: str = "Dockerfile"
    files: list[str] = []
    debian: list[str] | None = None  #: in place of the local way's
    setup: list[Command] = []  #: before the local way's set-up


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
    base: str | None = None  #: the implementation whose files it uses, and whose manifest where it says nothing itself
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
    home: Path  #: where its files lie: its own folder, or that of its base
    asked_version: str | None = None  #: the version that was asked for, where it was not the manifest's

    @property
    def name(self) -> str:
        """What results call it: `ws`, or `ws@7.0.0` where a version was asked for."""
        return f"{self.manifest.name}@{self.asked_version}" if self.asked_version else self.manifest.name

    @property
    def version(self) -> str:
        """The library's."""
        return self.asked_version or self.manifest.version

    @property
    def about(self) -> Implementation:
        """What results say about who was under test."""
        m = self.manifest
        return Implementation(
            language=m.language, version=self.version, homepage=m.homepage, licence=m.licence, level=m.level
        )

    @property
    def deviations(self) -> list[Deviation]:
        """What is known of the manifest's version; of others nothing is."""
        return [] if self.asked_version else self.manifest.deviations

    @property
    def deflates(self) -> bool:
        """Whether it offers permessage-deflate (RFC 7692)."""
        return "permessage-deflate" in self.manifest.extensions

    @property
    def setup(self) -> list[Command]:
        """The commands that set it up, in its version."""
        local = self.manifest.local
        return [] if local is None else local.version_setup if self.asked_version else local.setup

    def expand(self, word: str) -> str:
        """A word of a command or a value of its environment, with placeholders filled in."""
        return self.substitute(word, cache=str(self.cache))

    def substitute(
        self, word: str, *, cache: str, python: str = sys.executable, home: str = "", project_folder: str = ""
    ) -> str:
        """The same for other places than this machine's (an image)."""
        values = {
            "python": python,
            "folder": home or str(self.home),
            "project": project_folder or str(project()),
            "cache": cache,
            "version": self.version,
        }
        return re.sub(r"\{(python|folder|project|cache|version)\}", lambda match: values[match[1]], word)

    @property
    def cache(self) -> Path:
        """Its own cache folder: another one when a set-up command, or a file that one names, changes.

        Where its folder and our virtual environment are does not matter, so that all checkouts share it; which Python
        that environment was made from does.
        """
        python = f"{sys.base_prefix} {sys.version_info.major}.{sys.version_info.minor}"
        digest = hashlib.sha256()
        for command in self.setup:
            for word in command:
                same = self.substitute(word, cache="{cache}", python=python, home="{folder}")
                digest.update(same.encode() + b"\0")
                if word.startswith("{folder}/"):
                    for file in _files(Path(self.substitute(word, cache="{cache}"))):
                        digest.update(file.read_bytes())
        name = f"{self.home.name}@{self.asked_version}" if self.asked_version else self.home.name
        return cache_folder() / "implementations" / f"{name}-{digest.hexdigest()[:12]}"

    @property
    def requires(self) -> list[str]:
        """Commands and files that the local way needs."""
        return self.manifest.local.requires if self.manifest.local else []

    def missing(self) -> list[str]:
        """Those that are not here."""
        return [need for need in self.requires if not _is_here(need)]

    def unavailable(self) -> str | None:
        """Why it cannot be set up as a process here, and the command that mends it; None if it can."""
        local = self.manifest.local
        if local is None:
            return "it runs in a container only: --container"
        if not (missing := self.missing()):
            return None
        remedy = local.install or (f"apt-get install {' '.join(local.debian)}" if local.debian else "install it")
        return f"needs {', '.join(missing)}: {remedy}, or --container"


def _is_here(need: str) -> bool:
    if need.startswith("/"):
        return any(Path("/").glob(need[1:]))
    return shutil.which(need) is not None


def _files(path: Path) -> Sequence[Path]:
    """The file, or all files of a folder, sorted."""
    return [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())


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
    """The implementation of that name (`ws`, `ws@7.0.0`), or of that path where the name has a slash.

    UsageError says what is wrong.
    """
    root = folder or implementations_folder()
    plain, _, version = name.partition("@")
    path = Path(plain).resolve() if "/" in plain else root / plain
    file = path / MANIFEST
    if not file.is_file():
        known = names(root)
        raise UsageError(
            f"no implementation {plain!r}{did_you_mean(plain, known)} (`wsconform implementations list` shows all; "
            "or give a folder with a slash in its path, or a ws:// URL)"
        )
    home = path
    inherited: dict[str, Any] = {}
    if (base := read_table(file).get("base")) is not None:
        home = path.parent / str(base)
        if "base" in (inherited := read_table(home / MANIFEST)):
            raise UsageError(f"{file}: base = {base!r}, which has a base itself; name that one")
        inherited.pop("deviations", None)  # what is known of the base need not hold for this one
    manifest = read_toml(file, Manifest, inherited)
    if manifest.name != path.name:
        raise UsageError(f"{file}: name = {manifest.name!r}, but its folder is {path.name!r}; they must be the same")
    asked = version if version != manifest.version else ""
    if asked and not (manifest.local and manifest.local.version_setup):
        raise UsageError(f"{manifest.name} comes in version {manifest.version} only: {file} has no version_setup")
    return Source(path, manifest, home, asked or None)
