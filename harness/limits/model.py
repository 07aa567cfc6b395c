"""What a probe is: an id, the limit it tests, the settings it needs, and a coroutine that measures and judges."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from harness.endpoint import Endpoint
from harness.engines.native.peer import Peer
from harness.engines.native.wire import WireLog
from harness.limits.meter import Meter
from harness.results import ProbeVerdict

KIB = 1 << 10
MIB = 1 << 20
#: A limit that is out of a probe's way: Autobahn's largest message four times over.
ROOM = 64 * MIB


class UnreachableError(Exception):
    """A connection that has nothing to do with the limit yet was not let in: the server is in no state to be probed."""


class NotOfferedError(Exception):
    """The server does not agree to permessage-deflate, so there is nothing to probe."""


class Finding(NamedTuple):
    """What a probe came to."""

    verdict: ProbeVerdict
    words: str  #: one or two sentences: what was seen
    #: Whether load on the machine may have decided it: then it is asked again when nothing else runs.
    doubtful: bool = False


@dataclass
class Attempt:
    """One go at a probe: the started server, what it was given, and what was seen of it."""

    endpoint: Endpoint
    settings: Mapping[str, float | str]  #: what is in force of the limits that the probe asked for or that are known
    limit: float  #: the value of the one that is probed; 0 where it is none of those
    wire: WireLog
    meter: Meter | None  #: None: a server that somebody else runs
    figures: dict[str, float] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    peers: list[Peer] = field(default_factory=list)
    shown: Peer | None = None  #: the connection that the verdict rests on, if it is not the last one
    excess_at: float | None = None

    async def connect(self, *, receive_buffer: int | None = None, origin: bool = True) -> Peer:
        """A TCP connection to the server; with `origin` its opening request says the one that is let in, if any."""
        endpoint = self.endpoint if origin else replace(self.endpoint, origin=None)
        peer = Peer(endpoint, self.wire, receive_buffer=receive_buffer)
        self.peers.append(peer)
        if len(self.peers) > 1:
            self.wire.note(f"connection {len(self.peers)}")
        try:
            await peer.connect()
        except OSError as error:
            raise UnreachableError(f"it took no TCP connection: {error}") from error
        return peer

    async def open(self, *lines: str, offer: str = "", receive_buffer: int | None = None) -> Peer:
        """A WebSocket connection to the server, its opening handshake done."""
        peer = await self.connect(receive_buffer=receive_buffer)
        if not await peer.open(*lines, offer=offer):
            words = peer.problem or peer.how_refused() or "no answer"
            raise UnreachableError(f"its opening handshake did not succeed: {words}")
        return peer

    def excess(self) -> None:
        """What follows is more than the limit allows: the time to the refusal counts from now."""
        self.excess_at = asyncio.get_running_loop().time()

    def excess_over(self, seconds: float) -> None:
        """As `excess`, for a limit of time: it is reached so many seconds from now."""
        self.excess_at = asyncio.get_running_loop().time() + seconds

    def room_in_frame(self, wanted: int) -> int:
        """The size of fragments: as wanted, or as much as a frame may have."""
        return min(wanted, int(self.settings.get("max_frame_size", wanted)))

    def cost(self) -> float:
        """Seconds of the server's processor time so far; of the clock, where these can't be seen."""
        return self.meter.cpu_seconds() if self.meter else asyncio.get_running_loop().time()

    def memory(self) -> int:
        """Octets of the server's memory now; 0 where they can't be seen."""
        return self.meter.memory() if self.meter else 0

    def unread(self, peer: Peer) -> int | None:
        """Octets that came from this peer and that the server has not read; None where they can't be seen."""
        return self.meter.unread(peer.port) if self.meter else None

    @property
    def shown_peer(self) -> Peer | None:
        """The connection that the verdict rests on."""
        return self.shown or (self.peers[-1] if self.peers else None)

    def drop_all(self) -> None:
        """End all connections."""
        for peer in self.peers:
            peer.drop()


Run = Callable[[Attempt], Awaitable[Finding]]


@dataclass(frozen=True)
class Probe:
    """A probe, as data but for what it does."""

    id: str
    title: str  #: what it sends, in one sentence
    expects: str  #: what an implementation that enforces its limit does, in one sentence
    run: Run
    limit: str | None  #: the one that is tested; None: one that every server has to have built in
    settings: Mapping[str, float | str]  #: what the server is started with, as far as it has such limits
    set_only: bool = False  #: whether the value is of the probe's essence, so that a fixed one will not do
    deflate: bool = False  #: whether it needs permessage-deflate
    alone: bool = False  #: whether it keeps a core busy, so that nothing may run beside it
    memory: int | None = None  #: octets by which memory may grow; over it the excess was buffered
    weighs: bool = False  #: whether it watches the server's memory in another way, so that nobody may have filled it
    clauses: tuple[str, ...] = ("RFC 6455 10.4",)


class Family:
    """The probes of one family, collected as they are declared."""

    def __init__(self, number: int, title: str) -> None:
        self.number = number
        self.title = title
        self.probes: list[Probe] = []

    def probe(
        self,
        title: str,
        expects: str,
        *,
        limit: str | None = None,
        settings: Mapping[str, float | str] | None = None,
        set_only: bool = False,
        deflate: bool = False,
        alone: bool = False,
        memory: int | None = None,
        weighs: bool = False,
        clauses: tuple[str, ...] = ("RFC 6455 10.4",),
    ) -> Callable[[Run], Run]:
        """Declare the coroutine below as the family's next probe."""

        def declare(run: Run) -> Run:
            self.probes.append(
                Probe(
                    id=f"L.{self.number}.{len(self.probes) + 1}",
                    title=title,
                    expects=expects,
                    run=run,
                    limit=limit,
                    settings=settings or {},
                    set_only=set_only,
                    deflate=deflate,
                    alone=alone,
                    memory=memory,
                    weighs=weighs,
                    clauses=clauses,
                )
            )
            return run

        return declare
