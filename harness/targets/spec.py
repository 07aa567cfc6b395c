"""A target as data: what another process, or another machine, needs to start the same one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import Field

from harness import containers, manifest
from harness.endpoint import parse_url
from harness.results import Deviation, Implementation, Model
from harness.targets import Target, UrlTarget
from harness.targets.container import ContainerTarget, build_image
from harness.targets.process import ProcessTarget, set_up


class TargetSpec(Model):
    """A target that is to be started, or a URL."""

    given: str  #: what the command line says: a name (`ws`, `ws@7.0.0`), a folder with a slash, or a URL
    container: bool = False
    base_image: str | None = None
    listen_host: str = "127.0.0.1"  #: where a process is to listen, so that every engine reaches it
    declared: dict[str, float | str] = Field(default_factory=dict)  #: the limits of a URL

    @property
    def is_url(self) -> bool:
        """Whether somebody else runs it."""
        return "://" in self.given

    @property
    def source(self) -> manifest.Source:
        """Its implementation; UsageError where there is none."""
        return manifest.load(self.given)

    @property
    def name(self) -> str:
        """What results call it."""
        return self.given if self.is_url else self.source.name

    @property
    def about(self) -> Implementation:
        """What results say of it."""
        return Implementation() if self.is_url else self.source.about

    @property
    def deviations(self) -> list[Deviation]:
        """What its manifest says is known of it."""
        return [] if self.is_url else self.source.deviations

    @property
    def deflates(self) -> bool:
        """Whether it may offer permessage-deflate."""
        return self.is_url or self.source.deflates

    def unavailable(self) -> str | None:
        """Why it cannot be started on this machine whatever one does short of installing something."""
        return None if self.is_url or self.container else self.source.unavailable()

    def set_up(self, say: Callable[[str], None]) -> bool:
        """Do what is done once, before it can be started, and tell whether anything was. TargetError: it failed."""
        if self.is_url:
            return False
        if not self.container:
            return set_up(self.source, say)
        build_image(containers.connect(), self.source, self.base_image, say)
        return True

    def target(self, log: Path, say: Callable[[str], None]) -> Target:
        """The target; its own output goes to `log`."""
        if self.is_url:
            return UrlTarget(parse_url(self.given), self.declared)
        if not self.container:
            return ProcessTarget(self.source, log, host=self.listen_host, say=say)
        return ContainerTarget(containers.connect(), self.source, log, base=self.base_image, say=say)
