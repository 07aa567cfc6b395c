"""What the cases of D send: messages compressed in all ways, in frames of all kinds."""

from __future__ import annotations

import zlib

from harness.cases.model import Opcode
from harness.cases.octets import fragmented
from harness.cases.talk import Over, Talk, difference, failed
from harness.engines.native.opening import Deflate
from harness.engines.native.peer import Peer, frame

RSV1 = 4
_TAIL = b"\x00\x00\xff\xff"
#: RFC 7692 7.2.3.1: "Hello" in a block with fixed codes.
HELLO = bytes.fromhex("f248cdc9c90700")
#: Text with much to find in it again, so that a compressor uses its window.
TEXT = b"".join(b"%d: the quick brown fox jumps over the lazy dog; " % n for n in range(60))


class Compressor:
    """The client's end of the compression, as it was agreed on."""

    def __init__(self, agreed: Deflate | None = None, level: int = 6, strategy: int = zlib.Z_DEFAULT_STRATEGY) -> None:
        agreed = agreed or Deflate()
        self._fresh = agreed.client_no_context_takeover
        # zlib has no window of 2^8, but stored blocks need none
        self._bits = max(9, agreed.client_max_window_bits)
        self._level = level if agreed.client_max_window_bits > 8 else 0  # noqa: PLR2004
        self._strategy = strategy
        self._begin()

    def _begin(self) -> None:
        self._compress = zlib.compressobj(self._level, zlib.DEFLATED, -self._bits, 8, self._strategy)

    def __call__(self, payload: bytes) -> bytes:
        """A message's payload, compressed (RFC 7692 7.2.1)."""
        if self._fresh:
            self._begin()
        octets = self._compress.compress(payload) + self._compress.flush(zlib.Z_SYNC_FLUSH)
        return octets.removesuffix(_TAIL)


def compressed_frame(payload: bytes, opcode: int = Opcode.TEXT) -> bytes:
    """A message in one frame, of a payload that is compressed already."""
    return frame(opcode, payload, rsv=RSV1)


def compressed_fragments(opcode: int, parts: list[bytes]) -> bytes:
    """A message in these fragments, compressed already: RSV1 is set on the first (RFC 7692 6.1)."""
    return b"".join(fragmented(opcode, parts, rsv=RSV1))


class Deflating:
    """A connection on which permessage-deflate was agreed on: what is sent is compressed, what comes inflated."""

    def __init__(self, talk: Talk, peer: Peer) -> None:
        assert peer.agreed is not None  # noqa: S101 - Talk.deflating sees to it
        self.talk = talk
        self.peer = peer
        self.agreed = peer.agreed
        self.compress = Compressor(peer.agreed)
        self.last = b""  #: the last compressed message that came, as it stood in its frames
        self._inflate = zlib.decompressobj(-15)
        self._window = b""

    @classmethod
    async def open(cls, talk: Talk, offer: str = "permessage-deflate; client_max_window_bits") -> Deflating:
        """One that the server agreed to; else the case is unimplemented."""
        return cls(talk, await talk.deflating(offer))

    async def send(self, payload: bytes, opcode: int = Opcode.TEXT) -> None:
        """A message in one frame."""
        await self.peer.write(compressed_frame(self.compress(payload), opcode), until_refused=True)

    async def write(self, octets: bytes) -> None:
        """Octets as they are."""
        await self.peer.write(octets, until_refused=True)

    async def same(self, payload: bytes, opcode: int = Opcode.TEXT) -> None:
        """The next message has to be this one, compressed or not."""
        message = await self.talk.message(self.peer, len(payload))
        if message.compressed:
            self.last = message.payload
            message = message._replace(payload=self._inflated(message.payload, len(payload) + 1))
        if (problem := difference(message, payload, opcode)) is not None:
            raise Over(failed(problem))

    def _inflated(self, octets: bytes, at_most: int) -> bytes:
        if self.agreed.server_no_context_takeover:
            self._inflate, self._window = zlib.decompressobj(-15), b""
        elif self._inflate.eof:  # the message before ended with BFINAL set (RFC 7692 7.2.3.4): what it said remains
            self._inflate = zlib.decompressobj(-15, self._window)
        try:
            content = self._inflate.decompress(octets + _TAIL, at_most)
        except zlib.error as error:
            raise Over(failed(f"What it compressed can't be inflated: {error}.")) from error
        self._window = (self._window + content)[-(1 << 15) :]
        return content

    async def echo(self, payload: bytes, opcode: int = Opcode.TEXT) -> None:
        """A compressed message, which has to come back."""
        await self.send(payload, opcode)
        await self.same(payload, opcode)

    async def close(self) -> None:
        """Close as one should."""
        await self.talk.close(self.peer)
        if self.peer.broken_rules:
            raise Over(failed(f"The server sends {self.peer.broken_rules[0]}."))
