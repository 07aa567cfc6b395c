"""A target that several runners use one after the other."""

from __future__ import annotations

from typing import Literal

from harness.endpoint import Endpoint
from harness.targets.kept import KeptTarget
from tests.support import Unlimited


class Server(Unlimited):
    """A target that counts."""

    name = "server"
    deflates = True
    started_as: Literal["container"] = "container"

    def __init__(self) -> None:
        self.starts = self.stops = 0
        self.wrong: str | None = None

    def start(self) -> Endpoint:
        self.starts += 1
        self.wrong = None
        return Endpoint(f"ws://127.0.0.1:{self.starts}")

    def problem(self) -> str | None:
        return self.wrong

    def last_output(self) -> str:
        return "listening"

    def stop(self) -> None:
        self.stops += 1


def test_it_is_started_when_first_asked_for():
    server = Server()
    kept = KeptTarget(server)
    assert server.starts == 0
    assert kept.start() == Endpoint("ws://127.0.0.1:1")


def test_the_next_runner_finds_it_running():
    server = Server()
    kept = KeptTarget(server)
    first = kept.start()
    kept.stop()
    assert kept.start() == first
    assert (server.starts, server.stops) == (1, 0)


def test_it_is_started_anew_where_it_does_not_answer_any_more():
    server = Server()
    kept = KeptTarget(server)
    kept.start()
    server.wrong = "connection refused"
    assert kept.start() == Endpoint("ws://127.0.0.1:2")
    assert kept.start() == Endpoint("ws://127.0.0.1:2")


def test_it_is_stopped_at_the_end():
    server = Server()
    kept = KeptTarget(server)
    kept.start()
    kept.end()
    assert server.stops == 1


def test_it_looks_like_the_target_that_it_keeps():
    server = Server()
    kept = KeptTarget(server)
    server.wrong = "it hangs"
    assert (kept.name, kept.deflates, kept.started_as) == ("server", True, "container")
    assert (kept.problem(), kept.last_output()) == ("it hangs", "listening")
