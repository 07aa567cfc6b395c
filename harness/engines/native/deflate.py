"""permessage-deflate (RFC 7692 7.2): inflating what comes, and messages that were compressed once and sent often."""

from __future__ import annotations

import importlib.util
import zlib
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from harness.cases.corpora import corpus
from harness.cases.model import Exchange, Opcode, fragments
from harness.engines.native.frames import Keys, encode
from harness.engines.native.opening import Deflate

#: zlib-ng inflates these messages 1.3 to 1.8 times as fast as zlib; it has no wheel for some platforms.
_fast = importlib.import_module("zlib_ng.zlib_ng" if importlib.util.find_spec("zlib_ng") else "zlib")
_ERRORS: tuple[type[Exception], ...] = (zlib.error, _fast.error)
_SYNC_FLUSH_TAIL = b"\x00\x00\xff\xff"
#: zlib makes no window smaller than 2^9 octets; within a window of 2^8, stored blocks are always right.
_SMALLEST_WINDOW = 9
_RSV1 = 4


class Inflater:
    """The engine's end of the peer's compression."""

    def __init__(self, agreed: Deflate) -> None:
        self._bits = agreed.server_max_window_bits
        self._fresh = agreed.server_no_context_takeover
        self._inflate = _fast.decompressobj(wbits=-self._bits)

    def begin(self) -> None:
        """A compressed message begins."""
        if self._fresh:
            self._inflate = _fast.decompressobj(wbits=-self._bits)

    def feed(self, octets: bytes, at_most: int) -> bytes:
        """Inflate; ValueError if that can't be done, or if it gives more than `at_most` octets (a bomb)."""
        try:
            payload: bytes = self._inflate.decompress(octets, max(1, at_most))
        except _ERRORS as error:
            raise ValueError(str(error)) from error
        if self._inflate.unconsumed_tail:
            raise ValueError(f"it inflates to over {at_most} octets more than any case expects")
        return payload

    def end(self) -> None:
        """The message is complete: the end of it that the peer has left out (RFC 7692 7.2.2); ValueError as above."""
        try:
            self._inflate.decompress(_SYNC_FLUSH_TAIL)
        except _ERRORS as error:
            raise ValueError(str(error)) from error


class Message(NamedTuple):
    """A message of an exchange."""

    octets: bytes  #: its frames as they are written
    expected: bytes  #: the payload that has to come back
    length: int  #: octets that its payload has on the wire


class Messages:
    """The messages of an exchange over a corpus, which each has to be compressed once only.

    The corpus goes round and round, and its length is a multiple of every message's size. With context takeover a
    message refers back at most 2^15 octets, and from the second round on what lies before it is always the same text:
    so what the second round sent is right again in the third and in all that follow, takeover and all.
    """

    def __init__(self, first: list[Message], cycle: list[Message]) -> None:
        self._first = first
        self._cycle = cycle

    def __getitem__(self, number: int) -> Message:
        if number < len(self._first):
            return self._first[number]
        return self._cycle[(number - len(self._first)) % len(self._cycle)]


@lru_cache(maxsize=8)
def _slices(name: str, size: int) -> list[bytes]:
    content = corpus(name).content
    parts = [content[start : start + size] for start in range(0, len(content), size)]
    return [part.encode() if isinstance(part, str) else part for part in parts]


def messages(exchange: Exchange, agreed: Deflate, keys: Keys) -> Messages:
    """The exchange's messages, compressed as was agreed."""
    first, cycle = _compressed(
        exchange.corpus, exchange.size, agreed.client_max_window_bits, agreed.client_no_context_takeover, exchange.count
    )
    slices = _slices(exchange.corpus, exchange.size)

    def framed(compressed: list[bytes]) -> list[Message]:
        return [
            Message(_frames(exchange, payload, keys), expected, len(payload))
            for payload, expected in zip(compressed, slices, strict=False)
        ]

    return Messages(framed(first), framed(cycle))


def _frames(exchange: Exchange, payload: bytes, keys: Keys) -> bytes:
    opcode = Opcode.BINARY if exchange.binary else Opcode.TEXT
    pieces = fragments(opcode, payload, exchange.fragment or len(payload), rsv=_RSV1)
    return b"".join(encode(frame, next(keys)) for frame in pieces)


@lru_cache(maxsize=64)
def _compressed(name: str, size: int, bits: int, fresh: bool, count: int) -> tuple[list[bytes], list[bytes]]:
    """The first round and the one that is sent again and again, as far as `count` messages need them."""
    slices = _slices(name, size)
    level = zlib.Z_DEFAULT_COMPRESSION if bits >= _SMALLEST_WINDOW else 0
    bits = max(bits, _SMALLEST_WINDOW)
    compress = zlib.compressobj(level, wbits=-bits)
    rounds: list[list[bytes]] = []
    for _ in range(1 if fresh else 2):
        done: list[bytes] = []
        for part in islice(slices, max(0, count - len(slices) * len(rounds))):
            if fresh:
                compress = zlib.compressobj(level, wbits=-bits)
            octets = compress.compress(part) + compress.flush(zlib.Z_SYNC_FLUSH)
            done.append(octets.removesuffix(_SYNC_FLUSH_TAIL))
        rounds.append(done)
    return ([], rounds[0]) if fresh else (rounds[0], rounds[1])
