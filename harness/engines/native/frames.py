"""Frames as octets (RFC 6455 5.2), right or wrong, masked where a client sends them. No code of refimpl's."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from itertools import cycle, islice

from harness.cases.model import Exchange, Frame, Opcode, Repeated

Keys = Iterator[bytes | None]
#: Keys that the frames of a big message use in turn: enough to notice a peer that holds on to an old one.
_KEYS_IN_TURN = 16
_MAX_CONTROL = 125
_MAX_LENGTH = (1 << 63) - 1
_SMALL = 64 << 10  #: below it, joining header and payload costs less than handling two pieces


def mask(payload: bytes, key: bytes) -> bytes:
    """Mask or unmask (RFC 6455 5.3), as one exclusive or of two big numbers."""
    size = len(payload)
    repeated = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(repeated, "little")).to_bytes(size, "little")


def header(frame: Frame, size: int, key: bytes | None) -> bytes:
    """A frame's octets before its payload of `size` octets."""
    first = frame.fin << 7 | (frame.rsv & 7) << 4 | frame.opcode
    masked = 0x80 if key is not None else 0
    if size <= 125:  # noqa: PLR2004 - RFC 6455 5.2
        lengths = struct.pack("!BB", first, masked | size)
    elif size <= 0xFFFF:  # noqa: PLR2004
        lengths = struct.pack("!BBH", first, masked | 126, size)
    else:
        lengths = struct.pack("!BBQ", first, masked | 127, size)
    return lengths + (key or b"")


def encode(frame: Frame, key: bytes | None) -> bytes:
    """A whole frame."""
    payload = mask(frame.payload, key) if key is not None else frame.payload
    return header(frame, len(frame.payload), key) + payload


def message(exchange: Exchange, keys: Keys) -> list[bytes | memoryview]:
    """The octets of an exchange's message that repeats a pattern, in fragments where it says so."""
    opcode = Opcode.BINARY if exchange.binary else Opcode.TEXT
    content = Repeated(exchange.pattern, exchange.size)
    if exchange.fragment and exchange.size > exchange.fragment:
        return [_fragmented(opcode, content, exchange.fragment, keys)]
    key = next(keys)
    if key is not None:
        # masking such a payload gives another that repeats: no need to mask 16 MiB
        block = exchange.pattern * (math.lcm(len(exchange.pattern), 4) // len(exchange.pattern))
        content = Repeated(mask(block, key), exchange.size)
    pieces: list[bytes | memoryview] = [header(Frame(opcode), exchange.size, key), content.view()]
    return [b"".join(pieces)] if exchange.chop or exchange.size < _SMALL else pieces


def _fragmented(opcode: Opcode, content: Repeated, size: int, keys: Keys) -> bytes:
    """As `fragments` cuts it; the fragments between the first and the last are alike but for their keys."""
    count, rest = divmod(content.size, size)
    piece = Repeated(content.pattern, size).octets()
    assert size % len(content.pattern) == 0  # noqa: S101 - so that all pieces are alike
    between = [encode(Frame(Opcode.CONTINUATION, piece, fin=False), key) for key in islice(keys, _KEYS_IN_TURN)]
    first = encode(Frame(opcode, piece, fin=False), next(keys))
    last = encode(Frame(Opcode.CONTINUATION, piece[:rest]), next(keys))
    return b"".join((first, *islice(cycle(between), count - 1), last))


def broken_rules(first: int, second: int, *, compressed: bool, inside: bool) -> list[str]:
    """The rules of RFC 6455 5.1 to 5.5 and RFC 7692 6 that the first two octets of a server's frame break.

    `compressed`: RSV1 alone is set, and permessage-deflate was agreed on. `inside`: a message has begun and not ended.
    """
    opcode, fin, rsv, masked, length = first & 0x0F, first >> 7 == 1, first >> 4 & 7, second >> 7 == 1, second & 0x7F
    control = opcode >= Opcode.CLOSE
    checks = (
        (rsv != 0 and not compressed, "a reserved bit and no extension for it"),
        (masked, "a masked frame from a server"),
        (control and not fin, "a fragmented control frame"),
        (control and length > _MAX_CONTROL, "a control frame with more than 125 octets"),
        (control and opcode > Opcode.PONG, "a reserved control opcode"),
        (opcode == Opcode.CLOSE and length == 1, "a close frame with one octet"),
        (control and compressed, "a compressed control frame"),
        (not control and opcode > Opcode.BINARY, "a reserved data opcode"),
        (opcode == Opcode.CONTINUATION and not inside, "a continuation of nothing"),
        (not control and opcode != Opcode.CONTINUATION and inside, "a message inside another one"),
        (not control and compressed and inside, "RSV1 on a continuation"),
    )
    return [problem for broken, problem in checks if broken]


def wrong_length(length: int, form: int) -> str | None:
    """What is wrong with an extended length that took so many octets (RFC 6455 5.2)."""
    if length > _MAX_LENGTH:
        return "a length with its first bit set"
    return "a length that is not as short as it can be" if length < (126, 0x10000)[form == 8] else None  # noqa: PLR2004
