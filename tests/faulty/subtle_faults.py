"""Faults that whoever wrote the cases was not told of: small slips, as in code that nobody means to be wrong."""

from __future__ import annotations

import re
from typing import ClassVar

from tests.faulty import opening
from tests.faulty.connection import (
    BINARY,
    CLOSE,
    CLOSE_CODES,
    CONTINUATION,
    INVALID_DATA,
    TEXT,
    Connection,
    FailureError,
    Header,
    xor,
)
from tests.faulty.opening import BadRequestError

# The opening handshake


class AcceptOfTheLowerCaseKey(Connection):
    """Its Sec-WebSocket-Accept is that of the key in lower case."""

    def accept(self, key: str) -> str:
        return super().accept(key.lower())


class AcceptOfTheKeyWithItsSpaces(Connection):
    """Its Sec-WebSocket-Accept is that of the key with the whitespace around it."""

    whole = ""

    def parse(self, request: bytes) -> dict[str, str]:
        found = re.search(r"(?im)^sec-websocket-key: ?([^\r]*)\r", request.decode("latin-1"))
        self.whole = found[1] if found else ""
        return super().parse(request)

    def accept(self, _key: str) -> str:
        return super().accept(self.whole)


class _Looks(Connection):
    """Looks at some headers in a way of its own, and at the others as it should."""

    skips: ClassVar[frozenset[str]]
    status: ClassVar[int] = 400

    def parse(self, request: bytes) -> dict[str, str]:
        headers = super().parse(request)
        if not self.fits(headers):
            raise BadRequestError(self.status)
        return headers

    def fits(self, headers: dict[str, str]) -> bool:
        raise NotImplementedError


class ConnectionBySubstring(_Looks):
    """Looks for upgrade anywhere in Connection."""

    skips = frozenset({"connection"})

    def fits(self, headers: dict[str, str]) -> bool:
        return "upgrade" in headers.get("connection", "").lower()


class UpgradeByPrefix(_Looks):
    """Takes every Upgrade that begins with websocket."""

    skips = frozenset({"upgrade"})

    def fits(self, headers: dict[str, str]) -> bool:
        return headers.get("upgrade", "").lower().startswith("websocket")


class TakesWebsockets(_Looks):
    """Takes an Upgrade of websockets as well."""

    skips = frozenset({"upgrade"})

    def fits(self, headers: dict[str, str]) -> bool:
        return headers.get("upgrade", "").lower() in {"websocket", "websockets"}


class VersionAsANumber(_Looks):
    """Reads Sec-WebSocket-Version as a number: +13 and 013 are 13."""

    skips = frozenset({"version"})
    status = 426

    def fits(self, headers: dict[str, str]) -> bool:
        return re.fullmatch(r"\+?0*13", headers.get("sec-websocket-version", "")) is not None


class VersionBySubstring(_Looks):
    """Looks for 13 anywhere in Sec-WebSocket-Version."""

    skips = frozenset({"version"})
    status = 426

    def fits(self, headers: dict[str, str]) -> bool:
        return "13" in headers.get("sec-websocket-version", "")


class NamesByTheirEnd(Connection):
    """Finds a header by the end of its name: X-Sec-WebSocket-Key is the key as well, and the first one counts."""

    def parse(self, request: bytes) -> dict[str, str]:
        headers = super().parse(request)
        for name in ("Sec-WebSocket-Key", "Sec-WebSocket-Extensions"):
            if found := re.search(rf"(?im){name}:[ \t]*([^\r]*?)[ \t]*\r", request.decode("latin-1")):
                headers[name.lower()] = found[1]
        return headers


class EndsHeadersAtTheFirstEmptyValue(Connection):
    """Takes a header without a value for the end of all headers."""

    def parse(self, request: bytes) -> dict[str, str]:
        return super().parse(re.split(rb"\r\n[^\r:]+:[ \t]*(?=\r\n|$)", request)[0])


class ChoosesAnOfferedPart(Connection):
    """Chooses the first subprotocol up to its first full stop."""

    def response(self, accept: str, extensions: list[str], headers: dict[str, str]) -> bytes:
        first = headers.get("sec-websocket-protocol", "").partition(",")[0].strip().partition(".")[0]
        return opening.response(accept, extensions, *([f"Sec-WebSocket-Protocol: {first}"] if first else []))


# Frames


class KeyOfTheFirstFragment(Connection):
    """Unmasks all fragments of a message with the key of the first."""

    first = b""

    def begin_frame(self, header: Header, length: int, key: bytes) -> None:
        if header.opcode in {TEXT, BINARY}:
            self.first = key
        super().begin_frame(header, length, self.first if header.opcode == CONTINUATION else key)


class MaskGoesOn(Connection):
    """Goes on in the masking key of a fragment where the one before ended."""

    offset = 0

    def begin_frame(self, header: Header, length: int, key: bytes) -> None:
        turn = self.offset % 4 if header.opcode == CONTINUATION else 0
        if header.opcode < CLOSE:
            self.offset = turn + length
        super().begin_frame(header, length, key[turn:] + key[:turn])


class LongestLengthInTheLongForm(Connection):
    """Sends a length of 65,535 in 64 bits."""

    def length(self, length: int) -> bytes:
        return bytes([127]) + length.to_bytes(8, "big") if length == 65535 else super().length(length)


class LengthsInThirtyTwoBits(Connection):
    """Reads the lower 32 bits of a length in 64 bits."""

    def check_length(self, header: Header, length: int) -> None:
        super().check_length(header._replace(length=0), length & 0xFFFFFFFF)

    def begin_frame(self, header: Header, length: int, key: bytes) -> None:
        super().begin_frame(header, length & 0xFFFFFFFF, key)


class MasksLongFrames(Connection):
    """Masks frames of over 65,535 octets."""

    def send_frame(self, opcode: int, payload: bytes, *, fin: bool = True, rsv: int = 0) -> None:
        if len(payload) < 65536:
            super().send_frame(opcode, payload, fin=fin, rsv=rsv)
        else:
            first, *length = self.length(len(payload))
            self.send(bytes([fin << 7 | rsv << 4 | opcode, first | 0x80, *length]) + b"mask" + xor(payload, b"mask"))


class OpcodeOnEveryFragment(Connection):
    """Echoes messages of over 65,536 octets in fragments that all have the opcode of the first."""

    def send_message(self, opcode: int, payload: bytes) -> None:
        pieces = [payload[at : at + 65536] for at in range(0, len(payload), 65536)] or [b""]
        for number, piece in enumerate(pieces, 1):
            self.send_frame(opcode, piece, fin=number == len(pieces))


class LosesTheEndOfABuffer(Connection):
    """Loses the last octet of a message whose frame has exactly N octets."""

    def message(self, opcode: int, payload: bytes) -> None:
        header = 6 + (len(payload) > 125) * 2 + (len(payload) > 65535) * 6
        super().message(opcode, payload[:-1] if header + len(payload) == int(self.argument) else payload)


class PongsWithMore(Connection):
    """Its pongs have what was left of a longer one before them."""

    left = b""

    def ping(self, payload: bytes) -> None:
        self.left = payload + self.left[len(payload) :]
        super().ping(self.left)


class PongsOnlyWithPayload(Connection):
    """Does not answer pings without a payload."""

    def ping(self, payload: bytes) -> None:
        if payload:
            super().ping(payload)


class PingsEndFragments(Connection):
    """Forgets what it has of a message when a ping comes between its fragments."""

    def ping(self, payload: bytes) -> None:
        self.fragments = []
        super().ping(payload)


class PingsIntoTheMessage(Connection):
    """Takes the payload of a ping between two fragments for a part of the message as well."""

    def ping(self, payload: bytes) -> None:
        if self.opcode is not None:
            self.fragments.append(payload)
        super().ping(payload)


class SharesItsFragments(Connection):
    """Has one place for fragments, which all connections share."""

    shared: ClassVar[list[bytes]] = []

    def begin_message(self, header: Header) -> None:
        super().begin_message(header)
        SharesItsFragments.shared = self.fragments

    def end_frame(self, header: Header) -> None:
        self.fragments = self.shared
        super().end_frame(header)


class CountsFragmentsInAnOctet(Connection):
    """Loses a message of 256 fragments or more, but for the last of them."""

    def join(self, fragments: list[bytes]) -> bytes:
        return super().join(fragments[len(fragments) // 256 * 256 :])


class ContinuesAFinishedMessage(Connection):
    """Takes a continuation behind a message that was fragmented and has ended for a message of the same kind."""

    finished: int | None = None

    def check_sequence(self, header: Header) -> None:
        if header.opcode != CONTINUATION or self.opcode is not None or self.finished is None:
            super().check_sequence(header)

    def begin_frame(self, header: Header, length: int, key: bytes) -> None:
        if header.opcode == CONTINUATION and self.opcode is None and self.finished is not None:
            header = header._replace(opcode=self.finished)
        super().begin_frame(header, length, key)

    def end_message(self) -> None:
        self.finished = self.opcode if len(self.fragments) > 1 else None
        super().end_message()


# Text


class ChecksTheFirstOctets(Connection):
    """Checks the first N octets of a text only."""

    def check_text(self, part: bytes, *, final: bool) -> None:
        most = int(self.argument)
        super().check_text(part[: max(0, most - self.size + len(part))], final=final and self.size <= most)


class ChecksOneFrameOnly(Connection):
    """Checks the text of messages in one frame only."""

    def check_text(self, part: bytes, *, final: bool) -> None:
        if not self.fragmented:
            super().check_text(part, final=final)

    def begin_message(self, header: Header) -> None:
        self.fragmented = not header.fin
        super().begin_message(header)


class ForgetsUtf8BetweenFragments(Connection):
    """Forgets what it has of a character at the end of a fragment, and takes what is left of it for the next one."""

    def begin_frame(self, header: Header, length: int, key: bytes) -> None:
        if header.opcode == CONTINUATION:
            self.utf8 = self.new_utf8_decoder()
            self.lenient = True
        super().begin_frame(header, length, key)

    lenient = False

    def check_text(self, part: bytes, *, final: bool) -> None:
        if self.lenient and part:
            part, self.lenient = part.lstrip(bytes(range(0x80, 0xC0))), False
        super().check_text(part, final=final)


class PingsForgetUtf8(Connection):
    """Forgets what it has of a character when a ping comes between two fragments."""

    def ping(self, payload: bytes) -> None:
        self.utf8 = self.new_utf8_decoder()
        super().ping(payload)


class SkipsOctetsByTheWord(Connection):
    """Looks at no octet of a text that is the last one of a word of 16: a slip in code that reads words."""

    def check_text(self, part: bytes, *, final: bool) -> None:
        at = self.size - len(part)
        kept = bytearray(part)
        for n in range((15 - at) % 16, len(part), 16):
            if kept[n] == 0xFF:
                kept[n] = 0x20
        super().check_text(bytes(kept), final=final)


class ReplacesWhatIsNoText(Connection):
    """Takes U+FFFD for each octet that is no text, in place of failing the connection."""

    def check_text(self, part: bytes, *, final: bool) -> None:
        pass

    def message(self, opcode: int, payload: bytes) -> None:
        super().message(opcode, payload.decode(errors="replace").encode() if opcode == TEXT else payload)


class ChecksBinaryToo(Connection):
    """Takes a binary message that is no UTF-8 for an error."""

    def message(self, opcode: int, payload: bytes) -> None:
        if opcode == BINARY:
            try:
                payload.decode()
            except UnicodeDecodeError:
                raise FailureError(INVALID_DATA) from None
        super().message(opcode, payload)


# Closing


class ClosesInLittleEndian(Connection):
    """Sends close codes with their octets in the wrong order."""

    def send_close(self, code: int | None) -> None:
        self.send_frame(CLOSE, b"" if code is None else code.to_bytes(2, "little"))


class AcceptsCode(Connection):
    """Takes the close code N for a right one, and answers with 1000."""

    def close_code(self, payload: bytes) -> int | None:
        if payload[:2] == int(self.argument).to_bytes(2, "big"):
            return 1000
        return super().close_code(payload)


class AcceptsReasonsCutShort(Connection):
    """Takes a close reason that ends inside a character."""

    def check_reason(self, reason: bytes) -> None:
        try:
            self.new_utf8_decoder().decode(reason)
        except UnicodeDecodeError:
            raise FailureError(INVALID_DATA) from None


class AcceptsSurrogatesInReasons(Connection):
    """Takes a close reason with surrogates."""

    def check_reason(self, reason: bytes) -> None:
        super().check_reason(re.sub(rb"\xed[\xa0-\xbf][\x80-\xbf]", b"?", reason))


class EchoesReasonsCutShort(Connection):
    """Answers a close with its reason, of which it cuts what is over 20 octets."""

    def close(self, payload: bytes) -> None:
        self.close_code(payload)
        self.send_frame(CLOSE, payload[:22])
        self.finish()


class EchoesReasonsWithMore(Connection):
    """Answers a close with its reason, and words of its own behind it, as long as a control frame must not be."""

    def close(self, payload: bytes) -> None:
        self.close_code(payload)
        self.send_frame(CLOSE, payload + b" - bye" if payload else payload)
        self.finish()


class CodesByTheThousand(Connection):
    """Takes every code from 1000 to 4999 in a close frame, and answers with 1000."""

    def close_code(self, payload: bytes) -> int | None:
        code = int.from_bytes(payload[:2], "big")
        known = code in CLOSE_CODES or not 1000 <= code <= 4999
        return super().close_code(payload) if known or len(payload) < 2 else 1000


class ClosesBeforeItsAnswers(Connection):
    """Drops the answers that are not written when a close frame comes, or when it fails the connection."""

    def data_received(self, data: bytes) -> None:
        self.answers: list[tuple[int, bytes]] = []
        super().data_received(data)
        for opcode, payload in [] if self.deaf else self.answers:
            super().message(opcode, payload)

    def message(self, opcode: int, payload: bytes) -> None:
        self.answers.append((opcode, payload))


class ResetsAfterFailing(Connection):
    """Resets TCP right behind its close frame when it fails a connection."""

    def fail(self, code: int) -> None:
        self.send_close(code)
        self.reset()
