"""The primitives: frames, masking, UTF-8 and close payloads, as pure functions on bytes (RFC 6455 5)."""

import codecs
from enum import IntEnum
from typing import Final

from refimpl._errors import InvalidDataError, ProtocolError, ReservedBitsError
from refimpl._masking import Data, unmask


class Opcode(IntEnum):
    """What a frame is (RFC 6455 5.2); 8 and above are control frames (5.5)."""

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


FIN: Final = 0x80
RESERVED_BITS: Final = 0x70
MASKED: Final = 0x80
CONTROL: Final = 0x8
MAX_CONTROL_SIZE: Final = 125  # RFC 6455 5.5
_LENGTH_16, _LENGTH_64 = 126, 127

# The first byte of a frame -> its opcode, or -1 where the byte is not allowed: one lookup for RSV,
# reserved opcodes and fragmented control frames.
_OPCODES: Final = tuple(
    opcode if opcode in list(Opcode) and not byte & RESERVED_BITS and not (opcode & CONTROL and not byte & FIN) else -1
    for byte in range(256)
    for opcode in (byte & 0xF,)
)


def _first_byte_error(byte: int) -> ProtocolError:
    if byte & RESERVED_BITS:
        return ReservedBitsError("a reserved bit is set and no extension was negotiated")  # RFC 6455 5.2
    if byte & 0xF not in list(Opcode):
        return ProtocolError(f"opcode {byte & 0xF:#x} is reserved")  # RFC 6455 5.2
    return ProtocolError("a control frame is fragmented")  # RFC 6455 5.5


def parse_header(data: Data, position: int = 0, *, masked: bool = True) -> tuple[bool, int, int, bytes, int] | None:
    """Parse the frame header at `position`: (fin, opcode, payload length, masking key, where the payload begins).

    None when the header is not all there. `masked` says what the peer must do: true for a client's
    frames, false for a server's (RFC 6455 5.1), whose key is empty. Raises ReservedBitsError and
    ProtocolError, each as early as its bytes allow.
    """
    if len(data) - position < 2:  # noqa: PLR2004 - the two bytes that every frame has
        return None
    first, second = data[position], data[position + 1]
    opcode = _OPCODES[first]
    if opcode < 0:
        raise _first_byte_error(first)
    if (second >= MASKED) is not masked:
        raise ProtocolError("a client's frame is not masked" if masked else "a server's frame is masked")  # 5.1
    length = second & 0x7F
    position += 2
    if length > MAX_CONTROL_SIZE:
        if opcode & CONTROL:
            raise ProtocolError("a control frame is longer than 125 bytes")  # RFC 6455 5.5
        size, smallest = (2, _LENGTH_16) if length == _LENGTH_16 else (8, 1 << 16)
        if len(data) - position < size:
            return None
        length = int.from_bytes(data[position : position + size], "big")
        position += size
        # RFC 6455 5.2: the most significant bit is 0, and the fewest bytes must be used.
        if not smallest <= length < 1 << 63:
            raise ProtocolError("a frame's length is not in its shortest form, or over 63 bits")
    if not masked:
        return first >= FIN, opcode, length, b"", position
    if len(data) - position < 4:  # noqa: PLR2004 - the masking key
        return None
    return first >= FIN, opcode, length, bytes(data[position : position + 4]), position + 4


def frame_header(opcode: int, length: int, *, fin: bool = True, key: bytes = b"") -> bytes:
    """Serialise a frame's header; with a masking key of 4 bytes as a client, without as a server."""
    first, mask = opcode | FIN if fin else opcode, MASKED if key else 0
    if length <= MAX_CONTROL_SIZE:
        return bytes((first, mask | length)) + key
    if length < 1 << 16:
        return bytes((first, mask | _LENGTH_16, length >> 8, length & 0xFF)) + key
    return bytes((first, mask | _LENGTH_64)) + length.to_bytes(8, "big") + key


def frame(opcode: int, payload: bytes, *, fin: bool = True, key: bytes = b"") -> bytes:
    """Serialise a whole frame, its payload masked when there is a key."""
    return frame_header(opcode, len(payload), fin=fin, key=key) + (unmask(payload, key) if key else payload)


_SURROGATE: Final = b"\xed\xa0"  # how surrogates begin


def check_utf8(data: Data, *, final: bool = True) -> int:
    """Check UTF-8 and return how many bytes are whole characters; raise InvalidDataError at the first wrong byte.

    With `final` false the data may end inside a character, as a fragment may (RFC 6455 5.6); check again
    from the returned position when more has come.
    """
    try:
        done = codecs.utf_8_decode(data, "strict", final)[1]
    except UnicodeDecodeError as error:
        raise InvalidDataError(f"text is not UTF-8: {error.reason}") from None
    # The decoder waits for a surrogate's third byte, though the second is wrong already (RFC 3629 3).
    if _SURROGATE <= bytes(data[done : done + 2]) < b"\xee":
        raise InvalidDataError("text is not UTF-8: it has a surrogate")
    return done


def decode_utf8(data: Data) -> str:
    """Decode a whole text; raise InvalidDataError when it is not UTF-8."""
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError as error:
        raise InvalidDataError(f"text is not UTF-8: {error.reason}") from None


# RFC 6455 7.4.1 and IANA's registry: 1004 is reserved, 1005, 1006 and 1015 never stand in a frame;
# 1012 to 1014 were registered later; 3000 to 4999 belong to libraries and applications (7.4.2).
_CLOSE_CODES: Final = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})


def parse_close(payload: bytes) -> tuple[int | None, str]:
    """Parse a close frame's payload into its code, None where it has none, and its reason (RFC 6455 5.5.1).

    Raises ProtocolError for one byte or a code that must not be sent, InvalidDataError for a reason that is not UTF-8.
    """
    if not payload:
        return None, ""
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or code not in _CLOSE_CODES:
        raise ProtocolError("a close frame's status code is not allowed")
    return code, decode_utf8(payload[2:])


def close_payload(code: int | None, reason: str = "") -> bytes:
    """Serialise a close frame's payload.

    Raises ValueError for a code that must not be sent, a reason without a code, or more than 123 bytes of reason.
    """
    if code is None:
        if reason:
            raise ValueError("a close reason needs a status code")
        return b""
    if code not in _CLOSE_CODES:
        raise ValueError(f"a close frame must not have the status code {code}")
    payload = code.to_bytes(2, "big") + reason.encode()
    if len(payload) > MAX_CONTROL_SIZE:
        raise ValueError("a close reason is at most 123 bytes")
    return payload
