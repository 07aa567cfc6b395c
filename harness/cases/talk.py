"""Cases that talk: what they have for it, and what they come to."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Collection
from typing import NamedTuple

from harness.cases.model import Case, Opcode
from harness.cases.request import Request
from harness.endpoint import Endpoint
from harness.engines.native.peer import Message, Peer, close_payload, frame
from harness.engines.native.wire import WireLog
from harness.results import Behavior
from harness.text import printable

#: How long a server has for what it has to do at once; much, for the machine may be busy.
ANSWER_S = 5.0
#: Octets of a message for each second that it may take besides: nobody asks for speed.
_PACE = 512 << 10
#: Octets of messages that a connection may hold back before it reads no more. What the cases ask for is much less, but
#: each fragment counts for 256 more, and a server may send 16 MiB in fragments of a hundred octets.
_MOST_HELD = 4 << 20
_MOST_HELD_OF_BULK = 64 << 20
#: How long it is given to do what it must not.
QUIET_S = 0.25
_TOOK = "It took what it must not take"


class Finding(NamedTuple):
    """What a case came to."""

    behavior: Behavior
    words: str  #: one or two sentences: what was seen


def ok(words: str) -> Finding:
    """As it should be."""
    return Finding(Behavior.OK, words)


def failed(words: str) -> Finding:
    """A MUST is broken."""
    return Finding(Behavior.FAILED, words)


def non_strict(words: str) -> Finding:
    """A SHOULD is broken."""
    return Finding(Behavior.NON_STRICT, words)


def informational(words: str) -> Finding:
    """What the RFCs leave open."""
    return Finding(Behavior.INFORMATIONAL, words)


class Over(Exception):  # noqa: N818 - no error: it ends a talk early
    """The case has its finding, wherever that was noticed."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.words)
        self.finding = finding


class Talk:
    """One go at a case: the server's address, and the connections to it."""

    def __init__(self, name: str, endpoint: Endpoint, wire: WireLog, *, bulk: bool = False) -> None:
        self.endpoint = endpoint
        self.wire = wire
        self.peers: list[Peer] = []
        self.patience = ANSWER_S  #: seconds that the server has for what it has to do
        self._most_held = _MOST_HELD_OF_BULK if bulk else _MOST_HELD
        self.random = random.Random(name)  # noqa: S311 - the same octets in every run
        self.timed = False  #: whether a clock of ours has decided something

    async def connect(self) -> Peer:
        """A TCP connection to the server."""
        peer = Peer(self.endpoint, self.wire, most_held=self._most_held)
        self.peers.append(peer)
        if len(self.peers) > 1:
            self.wire.note(f"connection {len(self.peers)}")
        await peer.connect()
        return peer

    def request(self) -> Request:
        """A right opening request, to be changed."""
        return Request.right(self.endpoint, self.random.randbytes(16))

    async def open(self, *lines: str) -> Peer:
        """A WebSocket connection; a server that does not open one has failed the case."""
        peer = await self.connect()
        if not await peer.open(*lines, seconds=self.patience):
            raise self._not_opened(peer)
        return peer

    def _not_opened(self, peer: Peer) -> Over:
        self.timed = True  # it may have too many connections just now
        return Over(failed(f"The opening handshake was not completed: {not_opened(peer)}."))

    async def deflating(self, offer: str = "permessage-deflate; client_max_window_bits") -> Peer:
        """A connection with permessage-deflate; a server that does not agree to it has not implemented the case."""
        peer = await self.connect()
        if not await peer.open(offer=offer, seconds=self.patience):
            if peer.status not in {None, 101}:  # H.6 says what that is: to decline is to go on without it
                raise Over(Finding(Behavior.UNIMPLEMENTED, f"The offer is refused with HTTP {peer.status}."))
            raise self._not_opened(peer)
        if peer.agreed is None:
            await self.close(peer)
            raise Over(Finding(Behavior.UNIMPLEMENTED, "The server does not agree to permessage-deflate."))
        return peer

    async def waits(self, peer: Peer, condition: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait until it holds; False, and the verdict hangs on a clock, if it does not in that time."""
        if await peer.until(condition, self.patience if seconds is None else seconds):
            return True
        self.timed = True
        return False

    async def next_message(self, peer: Peer, size: int = 0) -> Message | None:
        """The next message, or None: none came in time, none can come, or the server ended the connection.

        `size`: octets that it should have.
        """
        seconds = self._time_for(size)
        await self.waits(peer, lambda: bool(peer.messages) or peer.refused or peer.too_much > 0, seconds)
        return await peer.next_message(0)

    def _time_for(self, size: int) -> float:
        return self.patience + size / _PACE

    async def message(self, peer: Peer, size: int = 0) -> Message:
        """The next message, which has to come; `size`: octets that it should have."""
        message = await self.next_message(peer, size)
        if message is None:
            if peer.too_much:
                raise Over(failed(f"It sends a frame of {peer.too_much:,} octets, which nobody asked for."))
            if not peer.refused:
                raise Over(failed(f"Nothing came back within {self._time_for(size):.2g} s."))
            raise Over(failed(f"In place of an answer the server ended the connection {ended(peer)}."))
        return message

    async def echo(self, peer: Peer, payload: bytes = b"Hello", opcode: int = Opcode.TEXT) -> None:
        """A message in a frame, which has to come back as it is."""
        if not await peer.write(frame(opcode, payload), until_refused=True) and not peer.refused and not peer.broken:
            self.timed = True
            raise Over(failed(f"It stopped reading before it had the message of {len(payload):,} octets."))
        await self.same(peer, payload, opcode)

    async def same(self, peer: Peer, payload: bytes, opcode: int = Opcode.TEXT) -> Message:
        """The next message has to be this one."""
        message = await self.message(peer, len(payload))
        if (problem := difference(message, payload, opcode)) is not None:
            raise Over(failed(problem))
        return message

    async def close(self, peer: Peer, code: int = 1000) -> None:
        """Close as one should, and have the server end TCP, which it has to do (RFC 6455 7.1.1: SHOULD)."""
        await peer.write(frame(Opcode.CLOSE, close_payload(code)), until_refused=True)
        await peer.end(1.0)

    async def quiet(self, peer: Peer) -> None:
        """Give it some time for what it must not do; none, if it has ended the connection."""
        await peer.end(QUIET_S)

    async def fails(
        self, peer: Peer, codes: Collection[int] = (1002,), *, before: Collection[bytes] = (), what: str = _TOOK
    ) -> Finding:
        """It has to fail the connection (RFC 6455 7.1.7): by a close frame with one of the codes, or by ending TCP.

        `before`: messages that may be echoed before that. `what`: what it has done if it did not.
        """
        if not await self.waits(peer, lambda: peer.refused or len(peer.messages) > len(before)):
            return failed(f"{what}: the connection was still open after {self.patience:g} s.")
        if unexpected := [message.payload for message in peer.messages if message.payload not in before]:
            return failed(f"{what} and answered with {shown(unexpected[0])}.")
        if peer.close_came and peer.close_code not in codes:
            told = "no code" if peer.close_code is None else f"the code {peer.close_code}"
            finding = ok if peer.close_code is None else non_strict
            return finding(
                f"It closed the connection with {told}; {' or '.join(map(str, sorted(codes)))} would say why."
            )
        return ok(f"It failed the connection {ended(peer)}.")

    def drop_all(self) -> None:
        """End all connections."""
        for peer in self.peers:
            peer.drop()


def not_opened(peer: Peer) -> str:
    """Why an opening handshake gave no WebSocket."""
    return peer.problem or peer.how_refused() or f"no answer within {ANSWER_S:g} s"


def ended(peer: Peer) -> str:
    """`with a close frame (1002)`, `with HTTP 400`."""
    if peer.close_came:
        return "with a close frame" + ("" if peer.close_code is None else f" ({peer.close_code})")
    if peer.status not in {None, 101}:
        return f"with HTTP {peer.status}"
    return {"reset": "by a TCP reset"}.get(peer.ended or "", "by ending TCP")


def shown(payload: bytes, most: int = 60) -> str:
    """A payload in words."""
    more = "…" if len(payload) > most else ""
    return f"'{printable(payload[:most].decode('latin-1'), 2 * most)}{more}' ({len(payload):,} octets)"


def difference(message: Message, payload: bytes, opcode: int) -> str | None:
    """How a message differs from what it should be."""
    if message.opcode != opcode:
        return f"A message came back with opcode {message.opcode} in place of {opcode}."
    if message.payload == payload:
        return None
    if len(message.payload) != len(payload):
        return f"{len(message.payload):,} octets came back in place of {len(payload):,}: {shown(message.payload)}."
    where = next(n for n, (a, b) in enumerate(zip(message.payload, payload, strict=True)) if a != b)
    return (
        f"Octet {where:,} of {len(payload):,} came back as 0x{message.payload[where]:02x}, not 0x{payload[where]:02x}."
    )


class Family:
    """The cases of one family, in the order in which they are declared."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.cases: list[Case] = []

    def case(
        self, title: str, expects: str, *clauses: str, bulk: bool = False
    ) -> Callable[[Callable[[Talk], Awaitable[Finding]]], Callable[[Talk], Awaitable[Finding]]]:
        """Declare the coroutine below as the family's next case; `bulk`: it sends a mebibyte or more."""

        def declare(talk: Callable[[Talk], Awaitable[Finding]]) -> Callable[[Talk], Awaitable[Finding]]:
            name = f"{self.name}.{len(self.cases) + 1}"
            self.cases.append(Case(id=name, title=title, expects=expects, clauses=clauses, talk=talk, bulk=bulk))
            return talk

        return declare
