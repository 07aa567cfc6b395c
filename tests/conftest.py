"""What the tests share: fakes, which are real small programs, and the real things where the machine has them."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from tests.support import Command

if TYPE_CHECKING:
    from collections.abc import Callable

    from docker import DockerClient

FAKES = Path(__file__).parent / "fakes"


def unavailable(what: str) -> NoReturn:
    """Skip and say why; in CI, which installs everything, fail: a check that is not made is not green."""
    if os.environ.get("WSCONFORM_REQUIRE_ALL"):
        pytest.fail(f"CI must have it: {what}")
    pytest.skip(what)


@pytest.fixture(autouse=True)
def _no_environment_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own settings decide nothing here."""
    for name in ("WSTEST", "WSCONFORM_AUTOBAHN_IMAGE", "WSCONFORM_BASE_IMAGE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def real_wstest() -> Path:
    """A real wstest 25.10.1: WSCONFORM_TEST_WSTEST, or the one on PATH."""
    found = shutil.which(os.environ.get("WSCONFORM_TEST_WSTEST") or "wstest")
    if found is None:
        unavailable("no wstest 25.10.1 (WSCONFORM_TEST_WSTEST names one)")
    return Path(found)


@pytest.fixture(scope="session")
def docker_client() -> DockerClient:
    """A Docker engine that has the Autobahn image."""
    from harness import containers  # noqa: PLC0415
    from harness.engines.autobahn.container import DEFAULT_IMAGE  # noqa: PLC0415
    from harness.errors import CannotRunError  # noqa: PLC0415

    try:
        client = containers.connect()
    except CannotRunError as error:
        unavailable(error.message)
    if not client.images.list(DEFAULT_IMAGE):
        unavailable(f"the Docker engine has no {DEFAULT_IMAGE}")
    return client


@pytest.fixture
def fake_wstest(tmp_path: Path) -> Path:
    """An executable that behaves like wstest; FAKE_WSTEST in the environment makes it misbehave."""
    return _executable(tmp_path / "wstest", FAKES / "wstest.py")


def _executable(path: Path, script: Path) -> Path:
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def implementation(tmp_path: Path) -> Callable[..., Path]:
    """Make the folder of an implementation that runs tests/fakes/server.py with a fault; returns its path."""

    def make(name: str = "fake", *, fault: str = "", manifest: str = "") -> Path:
        folder = tmp_path / "implementations" / name
        folder.mkdir(parents=True)
        (folder / "implementation.toml").write_text(
            f'name = "{name}"\nlanguage = "Python"\nversion = "1"\nhomepage = "https://example.com"\nlicence = "MIT"\n'
            f"{manifest}\n"
            f'[local]\nstart = ["{{python}}", "{FAKES / "server.py"}"]\nenvironment = {{ FAULT = "{fault}" }}\n'
        )
        return folder

    return make


@pytest.fixture
def wsconform(tmp_path: Path, fake_wstest: Path) -> Command:
    """The command with the fake wstest, in a folder of its own."""
    return Command(tmp_path, fake_wstest)
