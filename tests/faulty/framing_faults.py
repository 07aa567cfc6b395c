"""What can be wrong with frames, text, pings and closing that Autobahn has no case for."""

from __future__ import annotations

import html
import unicodedata
from typing import ClassVar

from tests.faulty.connection import (
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Connection,
    FailureError,
    Header,
    xor,
)


class AcceptsUnmasked(Connection):
    """Takes frames that are not masked."""

    def check_mask(self, _header: Header) -> None:
        pass

    def unmask(self, part: bytes, key: bytes) -> bytes:
        return xor(part, key) if key else part


class AcceptsUnmaskedControl(AcceptsUnmasked):
    """Takes control frames that are not masked."""

    def check_mask(self, header: Header) -> None:
        if header.opcode < CLOSE:
            Connection.check_mask(self, header)


class AcceptsUnmaskedContinuations(AcceptsUnmasked):
    """Takes continuations that are not masked."""

    def check_mask(self, header: Header) -> None:
        if header.opcode != CONTINUATION:
            Connection.check_mask(self, header)


class IgnoresUnmaskedControl(AcceptsUnmaskedControl):
    """Ignores control frames that are not masked."""

    def end_frame(self, header: Header) -> None:
        if header.masked or header.opcode < CLOSE:
            super().end_frame(header)
        else:
            self.header, self.payload = None, bytearray()


class RefusesKey(Connection):
    """Fails the connection when a masking key is N, in hexadecimal digits."""

    def begin_frame(self, header: Header, length: int, key: bytes) -> None:
        if key.hex() == self.argument:
            raise FailureError(1002)
        super().begin_frame(header, length, key)


class LosesMaskAtEnd(Connection):
    """Does not unmask what is left of a payload of over 16 octets behind its last whole word."""

    def unmask(self, part: bytes, key: bytes) -> bytes:
        whole = len(part) // 4 * 4 if len(part) > 16 else len(part)
        return xor(part[:whole], key) + part[whole:] if whole else super().unmask(part, key)


class AcceptsLongLengths(Connection):
    """Takes lengths that are not as short as they can be."""

    def check_length(self, header: Header, length: int) -> None:
        super().check_length(header._replace(length=0), length)


class AcceptsLongLengthsOfControl(Connection):
    """Takes the lengths of control frames in 16 bits."""

    def check_control(self, header: Header) -> None:
        super().check_control(header._replace(length=0) if header.length == 126 else header)

    def check_length(self, header: Header, length: int) -> None:
        super().check_length(header._replace(length=0) if header.opcode >= CLOSE else header, length)
        if header.opcode >= CLOSE and length > 125:
            raise FailureError(1002)


class BelievesAnyLength(Connection):
    """Waits for as many octets as a length says, also when its first bit is set."""

    def check_length(self, header: Header, length: int) -> None:
        super().check_length(header, length if length < 1 << 63 else 1 << 16)


class ForgetsAnEmptyBeginning(Connection):
    """Takes a first fragment without a payload for no beginning."""

    def end_frame(self, header: Header) -> None:
        empty = header.opcode in {TEXT, 2} and not header.fin and not self.payload
        super().end_frame(header)
        if empty:
            self.opcode = None


class IgnoresTheFirstBit(Connection):
    """Takes a length without its first bit."""

    def check_length(self, header: Header, length: int) -> None:
        super().check_length(header._replace(length=0), length & ~(1 << 63))

    def begin_frame(self, header: Header, length: int, key: bytes) -> None:
        super().begin_frame(header, length & ~(1 << 63), key)


class LosesMessagesAfter(Connection):
    """Does not answer the Nth message of what it read at once, nor those behind it."""

    def data_received(self, data: bytes) -> None:
        self.first = self.messages
        super().data_received(data)

    def message(self, opcode: int, payload: bytes) -> None:
        if self.messages - self.first < int(self.argument):
            super().message(opcode, payload)


class SwapsMessages(Connection):
    """Answers the third and the fourth of messages that it read at once in the wrong order."""

    def data_received(self, data: bytes) -> None:
        self.number = 0
        self.third: tuple[int, bytes] | None = None
        super().data_received(data)
        self.answer_third()

    def message(self, opcode: int, payload: bytes) -> None:
        self.number += 1
        if self.number == 3:
            self.third = opcode, payload
            return
        super().message(opcode, payload)
        self.answer_third()

    def answer_third(self) -> None:
        third, self.third = self.third, None
        if third and not self.deaf:
            super().message(*third)


class KindOfTheFirst(Connection):
    """Answers all messages of what it read at once with the kind of the first."""

    def data_received(self, data: bytes) -> None:
        self.kind: int | None = None
        super().data_received(data)

    def message(self, opcode: int, payload: bytes) -> None:
        self.kind = self.kind or opcode
        super().message(self.kind, payload)


class _ChangesText(Connection):
    def message(self, opcode: int, payload: bytes) -> None:
        super().message(opcode, self.changed(payload.decode()).encode() if opcode == TEXT else payload)

    def changed(self, text: str) -> str:
        raise NotImplementedError


class TakesTheBom(_ChangesText):
    """Loses a byte order mark at the beginning of a text."""

    def changed(self, text: str) -> str:
        return text.removeprefix("\ufeff")


class EndsAtNul(_ChangesText):
    """Takes U+0000 for the end of a text."""

    def changed(self, text: str) -> str:
        return text.partition("\0")[0]


class Normalises(_ChangesText):
    """Answers with the text in its composed normal form."""

    def changed(self, text: str) -> str:
        return unicodedata.normalize("NFC", text) if len(text) < 1000 else text


class OneLineEnd(_ChangesText):
    """Answers with each line's end as LF."""

    def changed(self, text: str) -> str:
        return text.replace("\r\n", "\n")


class ReadsEntities(_ChangesText):
    """Takes text for HTML, and answers with the characters that its entities stand for."""

    def changed(self, text: str) -> str:
        return html.unescape(text)


class RefusesReplacementCharacters(_ChangesText):
    """Takes U+FFFD in a text for a sign that it was no UTF-8."""

    def changed(self, text: str) -> str:
        if "\ufffd" in text and len(text) < 1000:
            raise FailureError(1007)
        return text


class NoAstral(_ChangesText):
    """Loses characters beyond U+FFFF of texts that are long."""

    def changed(self, text: str) -> str:
        return text if len(text) < 100_000 else "".join(char for char in text if ord(char) < 0x10000)


class PongsText(Connection):
    """Answers pings with their content as text, what is none replaced."""

    def ping(self, payload: bytes) -> None:
        super().ping(payload.decode("ascii", "replace").encode("ascii", "replace"))


class PongsOfTheFirst(Connection):
    """Answers each ping with the content of the first one."""

    first: bytes | None = None

    def ping(self, payload: bytes) -> None:
        self.first = payload if self.first is None else self.first
        super().ping(self.first)


class AcceptsAnyCode(Connection):
    """Takes any code in a close frame, and answers with 1000."""

    def close_code(self, payload: bytes) -> int | None:
        return 1000 if len(payload) > 1 else super().close_code(payload)


class ClosesAtTheEndOfAMessage(Connection):
    """Answers a close frame inside a message when that is complete."""

    pending: int | None = None

    def answer_close(self, code: int | None) -> None:
        if self.opcode is None:
            super().answer_close(code)
        else:
            self.pending = code

    def message(self, opcode: int, payload: bytes) -> None:
        super().message(opcode, payload)
        if self.pending is not None:
            super().answer_close(self.pending)


class NeedsNoEnd(Connection):
    """Keeps the connection when the client's stream has ended."""

    kept: ClassVar[list[Connection]] = []  # or the garbage collector ends them

    def eof_received(self) -> bool:
        self.kept.append(self)
        return True


class SaysAbnormalAtTheEnd(Connection):
    """Sends a close frame with 1006 when the client's stream ends."""

    def eof_received(self) -> bool:
        if self.open and not self.deaf:
            self.send_close(1006)
        self.finish()
        return True


class EndsIdleConnections(Connection):
    """Closes a connection with 1000 that says nothing for 0.1 s, which it may."""

    def opened(self) -> None:
        self.loop.call_later(0.1, self.idle)

    def idle(self) -> None:
        if not self.messages and not self.buffer and self.header is None and not self.deaf:
            self.answer_close(1000)


class AnswersPartOfAMessage(Connection):
    """Answers the part that it has of a message when the client's stream ends."""

    def eof_received(self) -> bool:
        if self.header and self.header.opcode < CLOSE:
            self.send_message(self.header.opcode, bytes(self.payload))
        self.finish()
        return True


class ReadsOnAfterFailing(Connection):
    """Answers what stands behind a frame that broke the protocol."""

    def fail(self, code: int) -> None:
        self.send_close(code)
        self.loop.call_later(0.1, self.finish)
        self.buffer = self.buffer[self.buffer.find(b"\x81", 1) :]
        self.header, self.payload = None, bytearray()
        while self.advance():
            pass


class IgnoresReservedInside(Connection):
    """Does not look at the opcode between the fragments of a message, and ignores such a frame."""

    def check_opcode(self, header: Header) -> None:
        if self.opcode is None:
            super().check_opcode(header)

    def check_sequence(self, header: Header) -> None:
        if header.opcode in {CONTINUATION, TEXT, 2}:
            super().check_sequence(header)

    def end_frame(self, header: Header) -> None:
        if header.opcode in {CONTINUATION, TEXT, 2, CLOSE, PING, PONG}:
            super().end_frame(header)
        else:
            self.header, self.payload = None, bytearray()
