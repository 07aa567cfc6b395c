"""Frames put together by hand, as no right client would."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from harness.cases.model import Frame, Opcode, fragments
from harness.engines.native.frames import encode, mask
from harness.engines.native.peer import KEY


def unmasked(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    """A frame as only a server may send it."""
    return encode(Frame(opcode, payload, fin), None)


def keyed(opcode: int, payload: bytes, key: bytes, *, fin: bool = True, rsv: int = 0) -> bytes:
    """A frame with this masking key."""
    return encode(Frame(opcode, payload, fin, rsv), key)


def with_length(opcode: int, payload: bytes, length: int, form: int) -> bytes:
    """A frame that says this length in the form of 2 or of 8 octets."""
    head = bytes([0x80 | opcode, 0x80 | (126 if form == 2 else 127)])  # noqa: PLR2004 - RFC 6455 5.2
    return head + struct.pack("!H" if form == 2 else "!Q", length) + KEY + mask(payload, KEY)  # noqa: PLR2004


def fragmented(opcode: int, parts: list[bytes], *, rsv: int = 0) -> Iterator[bytes]:
    """A message in these fragments, masked."""
    for number, part in enumerate(parts):
        first, last = number == 0, number == len(parts) - 1
        yield encode(Frame(opcode if first else Opcode.CONTINUATION, part, last, rsv if first else 0), KEY)


def in_fragments_of(opcode: Opcode, payload: bytes, size: int) -> bytes:
    """A message in fragments of that size, masked."""
    return b"".join(encode(piece, KEY) for piece in fragments(opcode, payload, size))
