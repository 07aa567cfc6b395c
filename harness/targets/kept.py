"""A target that several runners use one after the other without starting it anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from harness.endpoint import Endpoint
from harness.limits.meter import Meter
from harness.manifest import Limit
from harness.targets import Target
from harness.targets.guard import Usage


class KeptTarget:
    """Another target, started when first asked for and kept until `end`."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._endpoint: Endpoint | None = None
        self.name = target.name
        self.deflates = target.deflates

    @property
    def started_as(self) -> Literal["process", "container", "url"]:
        """As the other one."""
        return self._target.started_as

    def start(self) -> Endpoint:
        """Start it if it does not run, or does not answer any more."""
        if self._endpoint is None or self._target.problem() is not None:
            self._endpoint = self._target.start()
        return self._endpoint

    def problem(self) -> str | None:
        """As the other one."""
        return self._target.problem()

    def last_output(self) -> str:
        """As the other one."""
        return self._target.last_output()

    @property
    def limits(self) -> Mapping[str, Limit]:
        """As the other one."""
        return self._target.limits

    def given(self, settings: Mapping[str, str], label: str) -> Target:
        """As the other one."""
        return self._target.given(settings, label)

    def meter(self) -> Meter | None:
        """As the other one."""
        return self._target.meter()

    def usage(self) -> Usage | None:
        """As the other one; nothing yet while it is kept."""
        return self._target.usage()

    def stop(self) -> None:
        """Keep it: another runner goes on with it."""

    def end(self) -> None:
        """Stop it."""
        self._target.stop()
