"""DEFLATE (RFC 1951) by the bit: blocks that no compressor makes, and how far back a compressor has looked.

zlib's inflate does not say when a distance is larger than the window that was agreed on: as long as it has the octets,
it takes them. So what a server compresses is read here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

# RFC 1951 3.2.5: (extra bits, first length) of the codes from 257 on, (extra bits, first distance) of those from 0 on
_LENGTHS = (
    *((0, n) for n in range(3, 11)),
    *((1, n) for n in range(11, 19, 2)),
    *((2, n) for n in range(19, 35, 4)),
    *((3, n) for n in range(35, 67, 8)),
    *((4, n) for n in range(67, 131, 16)),
    *((5, n) for n in range(131, 258, 32)),
    (0, 258),
)
_DISTANCES = (
    *((0, n) for n in range(1, 5)),
    *((extra, (1 << (extra + 1)) + 1 + half * (1 << extra)) for extra in range(1, 14) for half in (0, 1)),
)
_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
_FIXED_LITERALS = [8] * 144 + [9] * 112 + [7] * 24 + [8] * 8
_FIXED_DISTANCES = [5] * 30
_END_OF_BLOCK = 256


class Writer:
    """Bits, the first one lowest, as DEFLATE packs them."""

    def __init__(self) -> None:
        self._bits: list[int] = []

    def number(self, value: int, size: int) -> Writer:
        """A number, its lowest bit first."""
        self._bits += [value >> n & 1 for n in range(size)]
        return self

    def fixed(self, *, final: bool = False) -> Writer:
        """The beginning of a block with fixed codes."""
        return self.number(final, 1).number(1, 2)

    def literals(self, octets: bytes) -> Writer:
        """Octets, in a block with fixed codes."""
        for octet in octets:
            self._code(_FIXED_CODES[octet])
        return self

    def match(self, distance: int, length: int = 3) -> Writer:
        """Octets from so far back, in a block with fixed codes; a length from 3 to 10."""
        self._code(_FIXED_CODES[257 + length - 3])
        symbol = max(n for n, (_, first) in enumerate(_DISTANCES) if first <= distance)
        extra, first = _DISTANCES[symbol]
        self._code((symbol, 5))
        return self.number(distance - first, extra)

    def end(self) -> Writer:
        """The end of a block with fixed codes."""
        self._code(_FIXED_CODES[_END_OF_BLOCK])
        return self

    def _code(self, code: tuple[int, int]) -> None:
        value, size = code
        self._bits += [value >> n & 1 for n in reversed(range(size))]

    def message(self) -> bytes:
        """The message (RFC 7692 7.2.1): behind it an empty stored block, without the end of that."""
        self.number(0, 3)
        return self.octets()

    def octets(self) -> bytes:
        """The octets so far, the last one filled up with 0."""
        padded = self._bits + [0] * (-len(self._bits) % 8)
        return bytes(sum(bit << n for n, bit in enumerate(padded[at : at + 8])) for at in range(0, len(padded), 8))


def _codes(sizes: list[int]) -> dict[int, tuple[int, int]]:
    """Symbol -> (code, size), by the sizes of all symbols' codes (RFC 1951 3.2.2)."""
    found: dict[int, tuple[int, int]] = {}
    code = 0
    for size in range(1, 16):
        code <<= 1
        for symbol, of_symbol in enumerate(sizes):
            if of_symbol == size:
                found[symbol] = (code, size)
                code += 1
    return found


_FIXED_CODES = _codes(_FIXED_LITERALS)


class _Codes(NamedTuple):
    """What codes stand for."""

    symbols: dict[str, int]
    shortest: int  #: bits

    @classmethod
    def of(cls, sizes: list[int]) -> _Codes:
        """Those of an alphabet, by the sizes of all its symbols' codes."""
        symbols = {f"{code:0{size}b}": symbol for symbol, (code, size) in _codes(sizes).items()}
        return cls(symbols, min(filter(None, sizes), default=1))


_BITS = [f"{octet:08b}"[::-1] for octet in range(256)]


class _Reader:
    """Reads bits, which are characters of a string here: an int for each of them takes three times as long."""

    def __init__(self, octets: bytes) -> None:
        self._bits = "".join([_BITS[octet] for octet in octets])
        self.at = 0

    def number(self, size: int) -> int:
        start, self.at = self.at, self.at + size
        if self.at > len(self._bits):
            raise ValueError("it ends inside a block")
        return int(self._bits[start : self.at][::-1] or "0", 2)

    def symbol(self, codes: _Codes) -> int:
        start = self.at
        for end in range(start + codes.shortest, start + 16):  # RFC 1951 3.2.7: 15 bits at most
            symbol = codes.symbols.get(self._bits[start:end])
            if symbol is not None:
                self.at = end
                return symbol
        raise ValueError("it ends inside a block" if end > len(self._bits) else "a code that stands for nothing")

    def skip_stored(self) -> None:
        self.at = -(-self.at // 8) * 8
        size = self.number(16)
        if self.number(16) != size ^ 0xFFFF:
            raise ValueError("the length of a stored block is wrong")
        self.at += 8 * size


def distances(message: bytes) -> Iterator[int]:
    """How far back each match of a compressed message goes; ValueError where it is no DEFLATE.

    The message is as it stands in its frames (RFC 7692 7.2.1), without the end of its last block.
    """
    reader = _Reader(message + b"\x00\x00\xff\xff")
    final = 0
    while not final and reader.at < 8 * len(message):
        final, kind = reader.number(1), reader.number(2)
        if kind == 0:
            reader.skip_stored()
        elif kind == 3:  # noqa: PLR2004
            raise ValueError("a block of the reserved kind")
        else:
            yield from _matches(reader, *(_dynamic(reader) if kind == 2 else _fixed()))  # noqa: PLR2004


def _fixed() -> tuple[_Codes, _Codes]:
    return _Codes.of(_FIXED_LITERALS), _Codes.of(_FIXED_DISTANCES)


def _dynamic(reader: _Reader) -> tuple[_Codes, _Codes]:
    literals, distances_, lengths = reader.number(5) + 257, reader.number(5) + 1, reader.number(4) + 4
    sizes = [0] * 19
    for symbol in _ORDER[:lengths]:
        sizes[symbol] = reader.number(3)
    codes = _Codes.of(sizes)
    found: list[int] = []
    while len(found) < literals + distances_:
        symbol = reader.symbol(codes)
        if symbol < 16:  # noqa: PLR2004 - RFC 1951 3.2.7
            found.append(symbol)
        elif symbol == 16:  # noqa: PLR2004
            found += found[-1:] * (reader.number(2) + 3)
        else:
            found += [0] * (reader.number(3) + 3 if symbol == 17 else reader.number(7) + 11)  # noqa: PLR2004
    return _Codes.of(found[:literals]), _Codes.of(found[literals:])


def _matches(reader: _Reader, literals: _Codes, distances_: _Codes) -> Iterator[int]:
    while (symbol := reader.symbol(literals)) != _END_OF_BLOCK:
        if symbol > _END_OF_BLOCK:
            reader.number(_entry(_LENGTHS, symbol - 257)[0])
            extra, first = _entry(_DISTANCES, reader.symbol(distances_))
            yield first + reader.number(extra)


def _entry(table: Sequence[tuple[int, int]], symbol: int) -> tuple[int, int]:
    # RFC 1951 3.2.6: the codes of 286, 287 and of the distances 30 and 31 never occur
    if symbol >= len(table):
        raise ValueError("a code that stands for nothing")
    return table[symbol]
