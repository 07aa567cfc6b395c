from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from harness.endpoint import Endpoint
from tests.bench.echo_server import Answer, EchoServer, Serve


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that sends `answer(payload, number)` for each message."""
    with contextlib.ExitStack() as stack:

        def start(answer: Answer) -> Endpoint:
            server = EchoServer(answer)
            stack.callback(server.stop)
            return server.endpoint

        yield start
