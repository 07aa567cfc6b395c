"""A trial of an implementation: whether its echo server keeps the contract that every target keeps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import NamedTuple

from harness.cases.model import Opcode
from harness.endpoint import Endpoint
from harness.engines.native.peer import Message, Peer, close_payload, frame, payload
from harness.engines.native.wire import WireLog
from harness.limits.model import MIB
from harness.text import printable

_PATIENCE_S = 30.0
_LARGE = 16 * MIB


class Echo(NamedTuple):
    """A message that is to come back as it was sent."""

    what: str
    opcode: Opcode
    parts: tuple[bytes, ...]  #: its fragments

    @property
    def content(self) -> bytes:
        """All of it."""
        return b"".join(self.parts)

    @property
    def frames(self) -> Iterator[bytes]:
        """What goes over the wire."""
        for number, part in enumerate(self.parts, 1):
            yield frame(self.opcode if number == 1 else Opcode.CONTINUATION, part, fin=number == len(self.parts))


ECHOES = (
    Echo("text", Opcode.TEXT, ("Grüße, 世界 🙂".encode(),)),
    Echo("binary", Opcode.BINARY, (bytes(range(256)),)),
    Echo("an empty text", Opcode.TEXT, (b"",)),
    Echo("an empty binary message", Opcode.BINARY, (b"",)),
    Echo("a text in three fragments", Opcode.TEXT, ("Grü".encode(), b"", "ße".encode())),
    Echo("a binary message of 16 MiB", Opcode.BINARY, (payload(_LARGE),)),
)


def problems(endpoint: Endpoint, at_most: int = _LARGE) -> list[str]:
    """What the server at the endpoint does not echo, a line each; messages over `at_most` octets are not tried."""
    tried = [echo for echo in ECHOES if len(echo.content) <= at_most]
    return [
        f"it does not echo {echo.what}: {problem}"
        for echo in tried
        if (problem := asyncio.run(_try(endpoint, echo))) is not None
    ]


async def _try(endpoint: Endpoint, echo: Echo) -> str | None:
    peer = Peer(endpoint, WireLog(time.monotonic))
    try:
        await peer.connect()
        if not await peer.open(seconds=_PATIENCE_S):
            return peer.problem or f"its answer to the opening handshake has status {peer.status}"
        for octets in echo.frames:
            await peer.write(octets)
        message = await peer.next_message(_PATIENCE_S)
        problem = _end(peer) if message is None else _difference(echo, message)
        await peer.write(frame(Opcode.CLOSE, close_payload(1000)))
        await peer.end(1)
    except OSError as error:
        return error.strerror or str(error) or "no answer in time"
    else:
        return problem
    finally:
        peer.drop()


def _end(peer: Peer) -> str:
    """Why no message came."""
    if peer.close_came:
        return f"it closes with {peer.close_code or 'no code'}"
    return f"{peer.ended}" if peer.ended else f"nothing comes back within {_PATIENCE_S:g} s"


def _difference(echo: Echo, message: Message) -> str | None:
    if message.opcode != echo.opcode:
        return f"it comes back with opcode {message.opcode}, not {int(echo.opcode)}"
    if message.payload == echo.content:
        return None
    if len(message.payload) != len(echo.content):
        return f"{len(message.payload):,} octets come back, not {len(echo.content):,}"
    at = next(index for index, (a, b) in enumerate(zip(message.payload, echo.content, strict=True)) if a != b)
    shown = printable(message.payload[at : at + 16].decode("latin-1"), 16)
    return f"the content differs from octet {at} on: {shown}"
