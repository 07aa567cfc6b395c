"""permessage-deflate (RFC 7692): what is negotiated, and the two streams."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

_TAIL = b"\x00\x00\xff\xff"
_WINDOWS = [str(bits) for bits in range(8, 16)]


class TooMuchError(Exception):
    """The message is larger than what is let in."""


@dataclass(frozen=True)
class Parameters:
    """What this server agrees to: all that an offer asks for."""

    server_no_context_takeover: bool = False
    client_no_context_takeover: bool = False
    server_max_window_bits: int | None = None
    client_max_window_bits: int | None = None

    def __str__(self) -> str:
        words = ["permessage-deflate"]
        for name, value in vars(self).items():
            if value is True:
                words.append(name)
            elif value:
                words.append(f"{name}={value}")
        return "; ".join(words)


def negotiate(offers: str, skips: frozenset[str] = frozenset()) -> Parameters | None:
    """The first offer of a Sec-WebSocket-Extensions header that can be agreed to (RFC 7692 5.1, 7.1).

    `skips`: names of checks that are not made, for the faults.
    """
    for offer in offers.split(","):
        name, *words = (word.strip() for word in offer.split(";"))
        if name == "permessage-deflate" and (parameters := _agree(words, skips)):
            return parameters
    return None


def _agree(words: list[str], skips: frozenset[str]) -> Parameters | None:
    agreed: dict[str, int] = {}
    for word in words:
        name, equals, value = (part.strip().strip('"') for part in word.partition("="))
        known = name in vars(Parameters())
        takeover = known and name.endswith("takeover")
        wrong = {
            "unknown parameters": not known,
            "repeated parameters": name in agreed,
            "values of takeover": takeover and bool(equals),
            "window sizes": known and not takeover and bool(equals) and value not in _WINDOWS,
            "window without a size": name == "server_max_window_bits" and not equals,
        }
        if any(found and check not in skips for check, found in wrong.items()):
            return None
        if takeover:
            agreed[name] = True
        elif known and value in _WINDOWS:
            agreed[name] = int(value)
    # zlib cannot compress with a window of 8 bits
    if agreed.get("server_max_window_bits") == 8:
        return None
    return Parameters(**agreed)  # type: ignore[arg-type] # bools where bools belong


class Deflate:
    """The two streams of a connection."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.new_compressor()
        self.new_inflater()

    def new_compressor(self) -> None:
        """Forget the context of what went out."""
        bits = self.parameters.server_max_window_bits or zlib.MAX_WBITS
        self._compressor = zlib.compressobj(wbits=-bits)

    def new_inflater(self) -> None:
        """Forget the context of what came in."""
        self._inflater = zlib.decompressobj(-(self.parameters.client_max_window_bits or zlib.MAX_WBITS))

    def begin(self) -> None:
        """A compressed message comes in."""
        # RFC 7692 7.2.3.5: a message may end the stream with a final block
        if self.parameters.client_no_context_takeover or self._inflater.eof:
            self.new_inflater()

    def inflate(self, part: bytes, limit: int) -> bytes:
        """The next octets of it; ValueError if they are no DEFLATE, TooMuchError if they become more than `limit`."""
        try:
            octets = self._inflater.decompress(part, limit + 1)
        except zlib.error as error:
            raise ValueError(error) from None
        if len(octets) > limit:
            raise TooMuchError
        return octets

    def unused(self) -> bytes:
        """What stood behind a final block."""
        return self._inflater.unused_data

    def compress(self, payload: bytes) -> bytes:
        """A whole message that goes out."""
        if self.parameters.server_no_context_takeover:
            self.new_compressor()
        octets = self._compressor.compress(payload) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
        return octets.removesuffix(_TAIL)
