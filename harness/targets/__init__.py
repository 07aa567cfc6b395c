"""Targets: a started instance of an implementation, or a URL that someone else runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, Protocol

from harness.endpoint import Endpoint
from harness.errors import TargetError
from harness.handshake import WrongAnswer, check_again, wait_until_ready
from harness.limits.meter import Meter
from harness.limits.settings import ORIGIN
from harness.manifest import Limit
from harness.targets.guard import Usage

__all__ = ["Target", "UrlTarget"]


class Target(Protocol):
    """What the runner needs of a server under test."""

    name: str
    deflates: bool  #: whether it may offer permessage-deflate (decides how much work sections 12 and 13 are)

    @property
    def started_as(self) -> Literal["process", "container", "url"]:
        """How it came to run."""

    def start(self) -> Endpoint:
        """Start it (anew, where it ran before) and wait until a handshake succeeds; TargetError if it never does."""

    def problem(self) -> str | None:
        """None if a fresh connection works now, else what is wrong, in one line."""

    def last_output(self) -> str:
        """The last line that it wrote, if that can be known."""

    @property
    def limits(self) -> Mapping[str, Limit]:
        """The limits that it can be given, and those that it has anyway."""

    def given(self, settings: Mapping[str, str], label: str) -> Target:
        """A further instance that is started with these limits; `label` tells its output from that of the others."""

    def meter(self) -> Meter | None:
        """A look at what the running instance uses; None where that can't be seen."""

    def usage(self) -> Usage | None:
        """What it has used until it was stopped; None where that can't be seen."""

    def stop(self) -> None:
        """End it and remove what it left. May be called at any time, and twice."""


def _advice(problem: str) -> str:
    if isinstance(problem, WrongAnswer):
        return "; is it the URL of a WebSocket server, path and all?"
    return "; start the server first" if "refused" in problem else ""


class UrlTarget:
    """A server that someone else runs: it is looked at, never started."""

    started_as: Literal["url"] = "url"
    deflates = True

    def __init__(self, endpoint: Endpoint, declared: Mapping[str, float | str] | None = None) -> None:
        self.name = endpoint.url
        self.limits: Mapping[str, Limit] = {name: Limit(fixed=value) for name, value in (declared or {}).items()}
        origin = (declared or {}).get(ORIGIN)
        self._endpoint = replace(endpoint, origin=str(origin)) if origin else endpoint

    def start(self) -> Endpoint:
        """Wait until it answers; it may be one that a supervisor starts anew."""
        if (problem := wait_until_ready(self._endpoint, lambda: None, timeout=5.0)) is not None:
            raise TargetError(f"{self._endpoint.url}: {problem}{_advice(problem)}")
        return self._endpoint

    def problem(self) -> str | None:
        """None if a fresh connection works now."""
        return check_again(self._endpoint)

    def last_output(self) -> str:
        """Somebody else reads it."""
        return ""

    def given(self, settings: Mapping[str, str], label: str) -> UrlTarget:  # noqa: ARG002 - it has what it has
        """Itself: there is only one, and its limits are whoever's who started it."""
        return self

    def meter(self) -> None:
        """Nothing: it may run anywhere."""

    def usage(self) -> None:
        """Nothing, likewise."""

    def stop(self) -> None:
        """Nothing of ours to end."""
