"""What a case is, as data: what is done, what may come back, how the connection may end.

A case speaks of frames and of the peer under test; sockets, masking and who is the client are the engine's business.
Autobahn's are scripts (`steps`, and the sequences of events that mean a verdict), or an `exchange`: messages that are
sent one after the other, each as soon as the echo of the one before it is there. Those that Autobahn has not (D.*, F.*
and H.*) are a `talk`: a coroutine that says what it has to over as many connections as it needs, and judges.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Literal, NamedTuple

from harness.results import Behavior

if TYPE_CHECKING:
    from harness.cases.talk import Finding, Talk


class Opcode(IntEnum):
    """RFC 6455 5.2."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


_BLOCK = 1 << 20


class Repeated(NamedTuple):
    """A payload that is a pattern over and over, cut to a size in octets: 16 MiB that need not be held as such."""

    pattern: bytes
    size: int

    def octets(self) -> bytes:
        """The payload itself."""
        return bytes(self.view())

    def view(self) -> memoryview:
        """The payload itself, held once."""
        return memoryview(self.pattern * (-(-self.size // len(self.pattern))))[: self.size]

    def difference(self, other: bytearray) -> int | None:
        """The first place where it and something as long differ, or None; holds a block at a time."""
        block = self.pattern * max(1, _BLOCK // len(self.pattern))
        for start in range(0, self.size, len(block)):
            part = other[start : start + len(block)]
            if not block.startswith(part):
                return start + next(n for n, (a, b) in enumerate(zip(part, block, strict=False)) if a != b)
        return None


@dataclass(frozen=True)
class Frame:
    """A frame as it is to be sent, right or wrong; the engine masks it where its side has to."""

    opcode: int
    payload: bytes = b""
    fin: bool = True
    rsv: int = 0  #: RSV1 is 4, RSV2 is 2, RSV3 is 1


class Event(NamedTuple):
    """What the peer did: a message that arrived, a pong, or that a wait of the script ended with it still there."""

    kind: Literal["message", "pong", "timeout"]
    data: bytes | str
    binary: bool = False


def text(payload: bytes) -> Event:
    """A text message."""
    return Event("message", payload)


def binary(payload: bytes) -> Event:
    """A binary message."""
    return Event("message", payload, binary=True)


def pong(payload: bytes) -> Event:
    """A pong."""
    return Event("pong", payload)


def timeout(tag: str) -> Event:
    """A wait that ended while the connection was open."""
    return Event("timeout", tag)


class Chop(StrEnum):
    """How a frame's octets are cut into writes."""

    TOGETHER = "together"  #: in one write with what stands before and after it
    APART = "apart"  #: in a write of its own


@dataclass(frozen=True)
class Send:
    """Send a frame: in one write with its neighbours, in one of its own (APART), or so many octets at a time."""

    frame: Frame
    chop: Chop | int = Chop.TOGETHER


@dataclass(frozen=True)
class SendPart:
    """Send some of a frame's payload, `start` to `stop`, and before its first octet its header."""

    frame: Frame
    start: int
    stop: int


@dataclass(frozen=True)
class SendClose:
    """Begin the closing handshake with this payload (RFC 6455 5.5.1)."""

    payload: bytes = b""


@dataclass(frozen=True)
class Pause:
    """Do nothing for so many seconds. With a tag the end is an event, and the script's end if the peer has closed."""

    seconds: float
    tag: str | None = None


@dataclass(frozen=True)
class FailAfter:
    """From now on in so many seconds, fail the connection (RFC 6455 7.1.7) with 1001 if it is still there."""

    seconds: float


@dataclass(frozen=True)
class CloseAfter:
    """From now on in so many seconds, begin the closing handshake without a code if it is still open."""

    seconds: float


Step = Send | SendPart | SendClose | Pause | FailAfter | CloseAfter


@dataclass(frozen=True)
class Closing:
    """How the connection may end."""

    codes: tuple[int, ...]  #: what the peer's close frame may hold; none at all is right too
    by_engine: bool = True  #: whether the engine has to be the one that begins it
    clean: bool = True  #: whether the closing handshake has to be complete
    wrong_endpoint_fails: bool = False  #: whether the wrong one having begun it fails `behavior` as well


#: The message is right and so the engine closes: the most usual end.
NORMAL = Closing(codes=(1000,))
#: The peer has to fail the connection.
PROTOCOL_ERROR = Closing(codes=(1002,), by_engine=False, clean=False)
INVALID_PAYLOAD = Closing(codes=(1007,), by_engine=False, clean=False, wrong_endpoint_fails=True)


@dataclass(frozen=True)
class Exchange:
    """Messages sent one after the other, each when the echo of the one before is there."""

    binary: bool
    size: int  #: of each message, in octets; for a corpus of text in characters
    seconds: float  #: for all of them together
    count: int = 1
    pattern: bytes = b""  #: what the messages repeat ...
    corpus: str = ""  #: ... or the corpus that they are the slices of, one after the other and round again
    fragment: int = 0  #: octets in a fragment, 0: not fragmented
    chop: int = 0  #: octets in a write, 0: not cut
    offer: str = ""  #: Sec-WebSocket-Extensions of the opening request; without it accepted, the case is UNIMPLEMENTED


#: How many messages the profile `quick` sends where Autobahn sends 1,000 (9.7, 9.8, 12.* and 13.*).
QUICK_COUNT = 4


@dataclass(frozen=True, kw_only=True)
class Case:
    """A case. Ids, steps and verdicts of those with numbers are Autobahn Testsuite 25.10.1's, the words are ours."""

    id: str
    title: str  #: one line: what is done
    expects: str  #: what the peer has to do
    clauses: tuple[str, ...]  #: `RFC 6455 5.4`
    steps: tuple[Step, ...] = ()
    accepted: Mapping[Behavior, tuple[Event, ...]] = field(default_factory=dict)
    exchange: Exchange | None = None
    talk: Callable[[Talk], Awaitable[Finding]] | None = None
    bulk: bool = False  #: of a talk: whether it moves so much data that nothing that hangs on a clock may run beside it
    close: Closing = NORMAL
    closes_when_done: bool = True  #: whether the engine closes as soon as all that is OK has arrived
    wrong_code_fails: bool = False  #: whether a wrong close code fails `behavior` as well
    informational: bool = False  #: whether it records what the RFC leaves open, and cannot fail
    stricter_than_autobahn: str = ""  #: where our verdict is deliberately stricter, and why

    @property
    def section(self) -> str:
        """The part of the id before its first dot."""
        return self.id.split(".", 1)[0]

    @property
    def waits(self) -> bool:
        """Whether the script pauses: such a case lasts a second however quick the peer is."""
        return any(isinstance(step, Pause) for step in self.steps)


def fragments(opcode: Opcode, payload: bytes, size: int, rsv: int = 0) -> Iterator[Frame]:
    """The frames of a message in fragments of `size` octets.

    As Autobahn does it: a payload that is a multiple of the size and longer than it ends with an empty fragment.
    """
    if len(payload) <= size:
        yield Frame(opcode, payload, rsv=rsv)
        return
    for start in range(0, len(payload) + 1, size):
        first = start == 0
        part = payload[start : start + size]
        yield Frame(opcode if first else Opcode.CONTINUATION, part, start + size > len(payload), rsv if first else 0)
