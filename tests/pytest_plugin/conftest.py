from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.endpoint import Endpoint
from harness.handshake import wait_until_ready
from harness.targets.process import free_port

ECHO = Path(__file__).parents[1] / "faulty" / "echo.py"
#: Hypothesis's plugin takes longer to load than all the rest.
QUICKLY = ("-p", "no:hypothesispytest")
TEST = "def test_rfc(wsconform_case):\n    wsconform_case.check()\n"


@contextlib.contextmanager
def _echo(fault: str) -> Iterator[str]:
    """The URL of tests/faulty/echo.py with a fault, as long as the block lasts."""
    port = free_port("127.0.0.1")
    environment = {**os.environ, "HOST": "127.0.0.1", "PORT": str(port), "FAULT": fault}
    with subprocess.Popen([sys.executable, str(ECHO)], env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            url = f"ws://127.0.0.1:{port}"
            assert wait_until_ready(Endpoint(url), lambda: None) is None
            yield url
        finally:
            process.terminate()


@pytest.fixture
def echo() -> Iterator[Callable[[str], str]]:
    """Start tests/faulty/echo.py with a fault; returns its URL."""
    with contextlib.ExitStack() as servers:
        yield lambda fault: servers.enter_context(_echo(fault))


@pytest.fixture(scope="session")
def good_url() -> Iterator[str]:
    """An echo server without a fault, and without permessage-deflate."""
    with _echo("") as url:
        yield url


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """Run pytest on a library's test file with the one test that the plugin needs; takes pytest's arguments."""
    pytester.makepyfile(test_lib=TEST)

    def run(*arguments: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess("--color=no", *QUICKLY, *arguments)

    return run
