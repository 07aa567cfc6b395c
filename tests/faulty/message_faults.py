"""What can be wrong with messages: framing, masking, fragments, UTF-8, content."""

from __future__ import annotations

import codecs
import re

from tests.faulty.connection import (
    BINARY,
    CONTINUATION,
    PROTOCOL_ERROR,
    TEXT,
    TOO_BIG,
    Connection,
    FailureError,
    Header,
    xor,
)

# The echo


class BinaryAsText(Connection):
    """Echoes binary messages as text."""

    def message(self, _opcode: int, payload: bytes) -> None:
        super().message(TEXT, payload)


class TextAsBinary(Connection):
    """Echoes text messages as binary."""

    def message(self, _opcode: int, payload: bytes) -> None:
        super().message(BINARY, payload)


class BinaryFromMessage(Connection):
    """Echoes as binary from the connection's Nth message on."""

    def message(self, opcode: int, payload: bytes) -> None:
        super().message(BINARY if self.messages >= int(self.argument) else opcode, payload)


class Truncates(Connection):
    """Loses the last octet of messages of exactly N octets."""

    def message(self, opcode: int, payload: bytes) -> None:
        super().message(opcode, payload[:-1] if len(payload) == int(self.argument) else payload)


class CutsOver(Connection):
    """Echoes only the first N octets of a message."""

    def message(self, opcode: int, payload: bytes) -> None:
        super().message(opcode, payload[: int(self.argument)])


class RefusesOver(Connection):
    """Fails the connection with 1009 when a message has over N octets."""

    def check_length(self, header: Header, length: int) -> None:
        if self.size + length > int(self.argument):
            raise FailureError(TOO_BIG)
        super().check_length(header, length)


class FlipsOctetOver(Connection):
    """Echoes messages of over N octets with the octet in the middle changed to another letter."""

    def message(self, opcode: int, payload: bytes) -> None:
        if len(payload) > int(self.argument):
            middle = len(payload) // 2
            payload = payload[:middle] + (b"y" if payload[middle] == b"x"[0] else b"x") + payload[middle + 1 :]
        super().message(opcode, payload)


class FlipsOctetFromMessage(Connection):
    """Echoes with the last octet changed to another letter from the connection's Nth message on."""

    def message(self, opcode: int, payload: bytes) -> None:
        if self.messages >= int(self.argument):
            payload = payload[:-1] + (b"y" if payload.endswith(b"x") else b"x")
        super().message(opcode, payload)


class EchoesUntilMessage(Connection):
    """Echoes no more from the connection's Nth message on."""

    def message(self, opcode: int, payload: bytes) -> None:
        if self.messages < int(self.argument):
            super().message(opcode, payload)


class FailsAtMessage(Connection):
    """Fails the connection with 1011 at its Nth message."""

    def message(self, opcode: int, payload: bytes) -> None:
        if self.messages >= int(self.argument):
            raise FailureError(1011)
        super().message(opcode, payload)


class EmptyNotEchoed(Connection):
    """Does not echo an empty message."""

    def message(self, opcode: int, payload: bytes) -> None:
        if payload:
            super().message(opcode, payload)


class EchoesTwice(Connection):
    """Echoes every message twice."""

    def message(self, opcode: int, payload: bytes) -> None:
        super().message(opcode, payload)
        super().message(opcode, payload)


class FragmentsAnswers(Connection):
    """Echoes in two fragments, which is right."""

    def send_message(self, opcode: int, payload: bytes) -> None:
        middle = len(payload) // 2
        self.send_frame(opcode, payload[:middle], fin=False)
        self.send_frame(CONTINUATION, payload[middle:])


# Frames


class LittleEndianLength(Connection):
    """Sends 16-bit lengths with the octets in the wrong order."""

    def length(self, length: int) -> bytes:
        octets = super().length(length)
        return octets[:1] + octets[:0:-1] if len(octets) == 3 else octets


class LengthNotMinimal(Connection):
    """Sends lengths below 126 in 16 bits."""

    def length(self, length: int) -> bytes:
        return bytes([126]) + length.to_bytes(2, "big") if length < 126 else super().length(length)


class MasksItsFrames(Connection):
    """Masks what it sends."""

    def send_frame(self, opcode: int, payload: bytes, *, fin: bool = True, rsv: int = 0) -> None:
        first, *length = self.length(len(payload))
        self.send(bytes([fin << 7 | rsv << 4 | opcode, first | 0x80, *length]) + b"mask" + xor(payload, b"mask"))


class SetsRsv(Connection):
    """Sends every frame with reserved bits of N, 1 to 7, although nothing gives them a meaning."""

    def send_frame(self, opcode: int, payload: bytes, *, fin: bool = True, rsv: int = 0) -> None:
        super().send_frame(opcode, payload, fin=fin, rsv=rsv | int(self.argument))


class NeedsWholeFrames(Connection):
    """Fails the connection when a frame does not arrive in one piece."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.open and not self.deaf and (self.buffer or self.missing):
            self.fail(PROTOCOL_ERROR)


class FirstMaskOnly(Connection):
    """Unmasks every frame with the first frame's masking key."""

    first_key = b""

    def begin_frame(self, header: Header, length: int, key: bytes) -> None:
        self.first_key = self.first_key or key
        super().begin_frame(header, length, self.first_key)


class MaskStartsAgain(Connection):
    """Unmasks each piece that arrives as if the masking key began anew there."""

    def read_payload(self) -> bool:
        key = self.key
        more = super().read_payload()
        self.key = key
        return more


# Fragments


class AcceptsLoneContinuation(Connection):
    """Takes a continuation frame without a beginning as a text message."""

    def check_sequence(self, header: Header) -> None:
        if header.opcode != CONTINUATION or self.opcode is not None:
            super().check_sequence(header)

    def begin_frame(self, header: Header, length: int, key: bytes) -> None:
        lone = header.opcode == CONTINUATION and self.opcode is None
        super().begin_frame(header._replace(opcode=TEXT) if lone else header, length, key)


class AcceptsNewMessageInside(Connection):
    """Lets a new message begin inside a fragmented one, which it forgets."""

    def check_sequence(self, header: Header) -> None:
        if header.opcode == CONTINUATION:
            super().check_sequence(header)


class FragmentsReversed(Connection):
    """Joins fragments in the wrong order."""

    def join(self, fragments: list[bytes]) -> bytes:
        return super().join(fragments[::-1])


class LosesFragmentsAfter(Connection):
    """Loses what a message has in fragments after its Nth."""

    def join(self, fragments: list[bytes]) -> bytes:
        return super().join(fragments[: int(self.argument)])


class IgnoresEmptyFragments(Connection):
    """Ignores an empty continuation frame, and that it may end the message."""

    def end_frame(self, header: Header) -> None:
        if header.opcode == CONTINUATION and not self.payload:
            self.header = None
        else:
            super().end_frame(header)


# UTF-8

_OVERLONG = (
    rb"[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|\xf0[\x80-\x8f][\x80-\xbf]{2}"
    rb"|\xf8[\x80-\x87][\x80-\xbf]{3}|\xfc[\x80-\x83][\x80-\xbf]{4}"
)
_BEYOND = (
    rb"\xf4[\x90-\xbf][\x80-\xbf]{2}|[\xf5-\xf7][\x80-\xbf]{3}"
    rb"|(?!\xf8[\x80-\x87])[\xf8-\xfb][\x80-\xbf]{4}|(?!\xfc[\x80-\x83])[\xfc\xfd][\x80-\xbf]{5}"
)
_NONCHARACTER = re.compile(
    "[\ufdd0-\ufdef" + "".join(chr(plane << 16 | 0xFFFE) + chr(plane << 16 | 0xFFFF) for plane in range(17)) + "]"
)


class NoUtf8Check(Connection):
    """Does not check that text is UTF-8."""

    def check_text(self, part: bytes, *, final: bool) -> None:
        pass


class LateUtf8Check(Connection):
    """Checks text when the message is complete."""

    def check_text(self, _part: bytes, *, final: bool) -> None:
        if final:
            super().check_text(self.join(self.fragments), final=True)


class Utf8CheckAtFrameEnd(Connection):
    """Checks text when a frame is complete, not while it arrives."""

    def check_text(self, part: bytes, *, final: bool) -> None:
        if final:
            super().check_text(part, final=True)

    def end_frame(self, header: Header) -> None:
        if self.opcode == TEXT and header.opcode in {TEXT, CONTINUATION}:
            super().check_text(bytes(self.payload), final=False)
        super().end_frame(header)


class Utf8CheckOfEachFragment(Connection):
    """Checks each fragment alone: refuses a character that is split over two."""

    def end_frame(self, header: Header) -> None:
        if self.opcode == TEXT and header.opcode in {TEXT, CONTINUATION}:
            super().check_text(b"", final=True)
        super().end_frame(header)


class ForgetsUtf8AtEnd(Connection):
    """Takes text that ends inside a character."""

    def check_text(self, part: bytes, *, final: bool) -> None:  # noqa: ARG002
        super().check_text(part, final=False)


class RefusesNoncharacters(Connection):
    """Refuses text with noncharacters, such as U+FFFE, which is valid UTF-8."""

    def message(self, opcode: int, payload: bytes) -> None:
        if opcode == TEXT and _NONCHARACTER.search(payload.decode()):
            raise FailureError(1007)
        super().message(opcode, payload)


class _LenientUtf8(Connection):
    """Takes sequences as UTF-8 that are none."""

    accepted = rb""

    def new_utf8_decoder(self) -> codecs.IncrementalDecoder:
        def handle(error: UnicodeError) -> tuple[str, int]:
            assert isinstance(error, UnicodeDecodeError)
            if found := re.compile(self.accepted).match(error.object, error.start):
                return "?", found.end()
            raise error

        codecs.register_error(type(self).__name__, handle)
        return codecs.getincrementaldecoder("utf-8")(type(self).__name__)


class AcceptsSurrogates(_LenientUtf8):
    """Takes UTF-16 surrogates as UTF-8."""

    accepted = rb"\xed[\xa0-\xbf][\x80-\xbf]"


class AcceptsOverlong(_LenientUtf8):
    """Takes characters in more octets than they need as UTF-8."""

    accepted = _OVERLONG


class AcceptsBeyondUnicode(_LenientUtf8):
    """Takes code points over U+10FFFF as UTF-8, up to six octets long."""

    accepted = _BEYOND


class WrongCodeForUtf8(Connection):
    """Fails the connection with the code N where text is no UTF-8."""

    def check_text(self, part: bytes, *, final: bool) -> None:
        try:
            super().check_text(part, final=final)
        except FailureError:
            raise FailureError(int(self.argument)) from None
