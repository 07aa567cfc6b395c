"""The limit on what a compressed message inflates to."""

from __future__ import annotations

from refimpl import Event, MessageTooLargeError, Parameters
from tests.faulty_limits.base import Protocol

_CAP = 200 << 20  # so that a bomb does no harm here


class InflatedSizeNotCounted(Protocol):
    """Limits what comes over the wire, and not what it inflates to."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self.max_inflated = 1 << 30


class InflatedLimitOffBy(Protocol):
    """Lets messages inflate to N octets more than it should."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self.max_inflated += int(self.argument)


class InflatesAllFirst(Protocol):
    """Looks at the size of what was inflated when it has inflated all of it (200 MiB at most)."""

    def inflate(self, octets: bytes) -> None:
        room = _CAP - len(self._message)
        self._message += self._inflate.decompress(octets, room) if room > 0 else b""

    def _joined(self) -> Event:
        if len(self._message) > self.max_inflated:
            raise MessageTooLargeError("it was too large, as is known by now")
        return super()._joined()


class CutsWhatIsInflated(Protocol):
    """Inflates up to the limit, and takes that for the message."""

    def inflate(self, octets: bytes) -> None:
        room = self.max_inflated - len(self._message)
        self._message += self._inflate.decompress(octets, room) if room > 0 else b""
