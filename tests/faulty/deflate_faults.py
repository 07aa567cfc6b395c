"""What can be wrong with permessage-deflate. All but the first need COMPRESSION=1."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import replace
from typing import ClassVar

from tests.faulty.connection import (
    BINARY,
    CLOSE,
    CONTINUATION,
    INVALID_DATA,
    PONG,
    RSV1,
    TEXT,
    Connection,
    FailureError,
    Header,
)
from tests.faulty.deflate import Deflate, Parameters

_TAIL = b"\x00\x00\xff\xff"


class AgreesToWhatNobodyOffered(Connection):
    """Agrees to an extension that was not offered."""

    def extensions(self, _parameters: Parameters | None) -> list[str]:
        return ["x-nobody-offered-this"]


class AgreesTwice(Connection):
    """Agrees to permessage-deflate twice."""

    def extensions(self, parameters: Parameters | None) -> list[str]:
        return super().extensions(parameters) * 2


class AgreesWith(Connection):
    """Agrees to permessage-deflate with the parameter N, which it must not."""

    def extensions(self, parameters: Parameters | None) -> list[str]:
        return [f"{extension}; {self.argument}" for extension in super().extensions(parameters)]


class RepeatsAParameter(Connection):
    """Agrees with server_no_context_takeover said twice."""

    def extensions(self, parameters: Parameters | None) -> list[str]:
        twice = "; server_no_context_takeover" * 2
        return ["permessage-deflate" + twice] if parameters else []


class UncompressedAnswers(Connection):
    """Agrees to permessage-deflate and echoes uncompressed, which is right."""

    def send_message(self, opcode: int, payload: bytes) -> None:
        self.send_frame(opcode, payload)


class Rsv1WithoutCompression(Connection):
    """Sets RSV1 on messages that it did not compress."""

    def send_message(self, opcode: int, payload: bytes) -> None:
        self.send_frame(opcode, payload, rsv=RSV1 if self.deflate else 0)


class CompressionWithoutRsv1(Connection):
    """Does not set RSV1 on messages that it compressed."""

    def send_compressed(self, opcode: int, payload: bytes) -> None:
        self.send_frame(opcode, payload)


class Rsv1OnEveryFragment(Connection):
    """Echoes in two fragments that both have RSV1."""

    def send_compressed(self, opcode: int, payload: bytes) -> None:
        self.send_frame(opcode, payload[:1], fin=False, rsv=RSV1)
        self.send_frame(0, payload[1:], rsv=RSV1)


class GarbageForDeflate(Connection):
    """Sends octets that are no DEFLATE."""

    def send_compressed(self, opcode: int, payload: bytes) -> None:
        super().send_compressed(opcode, b"\xff" + hashlib.sha256(payload).digest())


class DoesNotInflate(Connection):
    """Takes compressed messages as if they were not."""

    def begin_message(self, header: Header) -> None:
        super().begin_message(header._replace(rsv=0))


class InflatesEachFragmentAnew(Connection):
    """Inflates each fragment as if the DEFLATE data began anew there."""

    def begin_frame(self, header: Header, length: int, key: bytes) -> None:
        super().begin_frame(header, length, key)
        if header.opcode == 0 and self.deflate:
            self.deflate.new_inflater()


class ForgetsClientContext(Connection):
    """Inflates each message without the context of those before, although the client was not told to reset it."""

    def new_deflate(self, parameters: Parameters) -> Deflate:
        return Deflate(replace(parameters, client_no_context_takeover=True))

    def extensions(self, parameters: Parameters | None) -> list[str]:
        return super().extensions(parameters and replace(parameters, client_no_context_takeover=False))


class SharesItsContext(Connection):
    """Has one context for what connections with the same parameters send."""

    shared: ClassVar[dict[Parameters, Deflate]] = {}

    def new_deflate(self, parameters: Parameters) -> Deflate:
        return self.shared.setdefault(parameters, Deflate(parameters))


class KeepsContext(Connection):
    """Agrees to server_no_context_takeover and keeps its context."""

    def new_deflate(self, parameters: Parameters) -> Deflate:
        return Deflate(replace(parameters, server_no_context_takeover=False))


class WindowTooLarge(Connection):
    """Compresses with a window of 15 bits, whatever it agreed to."""

    def new_deflate(self, parameters: Parameters) -> Deflate:
        return Deflate(replace(parameters, server_max_window_bits=None))


class TakesTheOfferForAgreed(ForgetsClientContext):
    """Inflates without context where client_no_context_takeover was offered, which it left out of its answer."""

    def new_deflate(self, parameters: Parameters) -> Deflate:
        return Deflate(parameters)


# Frames in


class _IgnoresRsv1(Connection):
    """Ignores RSV1 on some frames."""

    def check_reserved_bits(self, header: Header) -> None:
        super().check_reserved_bits(header._replace(rsv=0) if header.rsv == RSV1 and self.fits(header) else header)

    def fits(self, header: Header) -> bool:
        raise NotImplementedError


class IgnoresRsv1OnContinuations(_IgnoresRsv1):
    """Ignores RSV1 on continuations."""

    def fits(self, header: Header) -> bool:
        return header.opcode == CONTINUATION


class IgnoresRsv1OnControl(_IgnoresRsv1):
    """Ignores RSV1 on control frames."""

    def fits(self, header: Header) -> bool:
        return header.opcode >= CLOSE


class InflatesWhatNobodyAgreedTo(_IgnoresRsv1):
    """Inflates messages with RSV1 where permessage-deflate was not agreed on."""

    def fits(self, header: Header) -> bool:
        return self.deflate is None and header.opcode in {TEXT, BINARY}

    def begin_message(self, header: Header) -> None:
        agreed = self.deflate
        if header.rsv:
            self.deflate = self.deflate or Deflate(Parameters())
        super().begin_message(header)
        self.unagreed, self.deflate = self.deflate, agreed

    def inflate(self, part: bytes) -> bytes:
        agreed, self.deflate = self.deflate, self.unagreed
        try:
            return super().inflate(part)
        finally:
            self.deflate = agreed


class IgnoresRsv2BesideRsv1(Connection):
    """Looks at no other reserved bit where RSV1 is set, as permessage-deflate allows."""

    def check_reserved_bits(self, header: Header) -> None:
        super().check_reserved_bits(header._replace(rsv=RSV1) if header.rsv & RSV1 and self.deflate else header)


class TakesAllForCompressed(Connection):
    """Inflates every message once permessage-deflate was agreed on, also without RSV1."""

    def begin_message(self, header: Header) -> None:
        super().begin_message(header._replace(rsv=RSV1) if self.deflate else header)


class TakesNoneForCompressedAfterOne(Connection):
    """Inflates no message more behind one that was not compressed."""

    plain = False

    def begin_message(self, header: Header) -> None:
        self.plain = self.plain or not header.rsv
        super().begin_message(header._replace(rsv=0) if self.plain else header)


class TakesFragmentsForCompressed(Connection):
    """Takes every message in fragments for a compressed one."""

    def begin_message(self, header: Header) -> None:
        super().begin_message(header if header.fin or not self.deflate else header._replace(rsv=RSV1))


class ForgetsContextAtUncompressed(Connection):
    """Forgets the client's context at a message that is not compressed."""

    def begin_message(self, header: Header) -> None:
        super().begin_message(header)
        if self.deflate and not self.compressed:
            self.deflate.new_inflater()


class EndsAtEmptyFragment(Connection):
    """Takes an empty fragment of a compressed message for its end."""

    def end_frame(self, header: Header) -> None:
        empty = self.compressed and not header.fin and header.opcode < CLOSE and not self.got
        super().end_frame(header._replace(fin=True) if empty else header)

    def begin_frame(self, header: Header, length: int, key: bytes) -> None:
        self.got = length
        super().begin_frame(header, length, key)


# DEFLATE in


class RefusesBlocks(Connection):
    """Refuses messages whose first block is of the kind N: 0 is stored, 1 has fixed codes, 2 codes of its own."""

    begun = False

    def begin_message(self, header: Header) -> None:
        super().begin_message(header)
        self.begun = False

    def inflate(self, part: bytes) -> bytes:
        if part and not self.begun:
            self.begun = True
            if part[0] >> 1 & 3 == int(self.argument) and part != b"\0":
                raise FailureError(INVALID_DATA)
        return super().inflate(part)


class EndsAtTheFirstBlock(Connection):
    """Takes the empty stored block that ends most messages for the end wherever it stands, and drops the rest."""

    def inflate(self, part: bytes) -> bytes:
        return super().inflate(part.partition(_TAIL)[0] if part != _TAIL else part)


class RefusesTheEmptyBlock(Connection):
    """Takes a compressed empty message (0x00) for no DEFLATE."""

    def inflate(self, part: bytes) -> bytes:
        if part == b"\0" and self.header and self.header.opcode and self.header.fin and self.header.length == 1:
            raise FailureError(INVALID_DATA)
        return super().inflate(part)


class _Ending(Deflate):
    def begin(self) -> None:
        if self.parameters.client_no_context_takeover:
            self.new_inflater()


class EndsWithTheFinalBlock(Connection):
    """Inflates nothing more behind a message that ended with a final block (BFINAL)."""

    def new_deflate(self, parameters: Parameters) -> Deflate:
        return _Ending(parameters)


class _Narrow(Deflate):
    def new_inflater(self) -> None:
        self._inflater = zlib.decompressobj(-9)


class InflatesWithASmallWindow(Connection):
    """Inflates with a window of 9 bits, which it did not tell the client."""

    def new_deflate(self, parameters: Parameters) -> Deflate:
        return _Narrow(parameters)


class AnswersWhatItInflated(Connection):
    """Echoes what it could inflate of a message that is no DEFLATE."""

    def inflate(self, part: bytes) -> bytes:
        try:
            return super().inflate(part)
        except FailureError:
            if self.deflate:
                self.deflate.new_inflater()
            return b""


class SkipsWhatItCannotInflate(Connection):
    """Ignores a message that is no DEFLATE, and goes on."""

    skipping = False

    def inflate(self, part: bytes) -> bytes:
        try:
            return super().inflate(part)
        except FailureError:
            self.skipping = True
            return b""

    def message(self, opcode: int, payload: bytes) -> None:
        if not self.skipping:
            super().message(opcode, payload)
        elif self.deflate:
            self.deflate.new_inflater()
        self.skipping = False


class TakesWhatIsBehindTheFinalBlock(Connection):
    """Takes the octets behind a final block for so many zeros."""

    def inflate(self, part: bytes) -> bytes:
        inflated = super().inflate(part)
        left = self.deflate.unused() if self.deflate else b""
        return inflated + (bytes(len(left)) if part != _TAIL and left != b"\0" else b"")


class NoUtf8CheckOfInflated(Connection):
    """Does not check that inflated text is UTF-8."""

    def check_text(self, part: bytes, *, final: bool) -> None:
        if not self.compressed:
            super().check_text(part, final=final)


class ChecksInflatedFragmentsAlone(Connection):
    """Checks the text of each inflated fragment alone: refuses a character that is split over two."""

    def end_frame(self, header: Header) -> None:
        if self.compressed and self.opcode == TEXT and not header.opcode & CLOSE and not header.fin:
            super().check_text(b"", final=True)
        super().end_frame(header)


class InflatesAtMost(Connection):
    """Inflates N octets of a message at most, and drops the rest."""

    def inflate(self, part: bytes) -> bytes:
        return super().inflate(part)[: max(0, int(self.argument) - self.size)]


# DEFLATE out


class KeepsTheTail(Connection):
    """Leaves 00 00 ff ff at the end of what it compressed."""

    def send_compressed(self, opcode: int, payload: bytes) -> None:
        super().send_compressed(opcode, payload + _TAIL)


class EmptyWithoutABlock(Connection):
    """Sends an empty message without an octet, and with RSV1."""

    def send_message(self, opcode: int, payload: bytes) -> None:
        if payload:
            super().send_message(opcode, payload)
        else:
            self.send_frame(opcode, b"", rsv=RSV1 if self.deflate else 0)


class Rsv1OnShort(Connection):
    """Does not compress messages of under 100 octets, and sets RSV1 all the same."""

    def send_message(self, opcode: int, payload: bytes) -> None:
        if len(payload) < 100:
            self.send_frame(opcode, payload, rsv=RSV1 if self.deflate else 0)
        else:
            super().send_message(opcode, payload)


class CompressesPongs(Connection):
    """Compresses its pongs too."""

    def ping(self, payload: bytes) -> None:
        if self.deflate:
            self.send_frame(PONG, self.deflate.compress(payload), rsv=RSV1)
        else:
            super().ping(payload)


class CompressesLongTwice(Connection):
    """Compresses messages of over 4,000 octets twice, and sends what came second."""

    def send_message(self, opcode: int, payload: bytes) -> None:
        if self.deflate and len(payload) > 4000:
            self.deflate.compress(payload)
        super().send_message(opcode, payload)


class ShortUncompressed(Connection):
    """Does not compress messages of under 100 octets, which is right."""

    def send_message(self, opcode: int, payload: bytes) -> None:
        if len(payload) < 100:
            self.send_frame(opcode, payload)
        else:
            super().send_message(opcode, payload)


class _Final(Deflate):
    def compress(self, payload: bytes) -> bytes:
        self.new_compressor()
        return self._compressor.compress(payload) + self._compressor.flush() + b"\0"


class FinalBlocks(Connection):
    """Ends each compressed message with a final block, which is right."""

    def new_deflate(self, parameters: Parameters) -> Deflate:
        return _Final(parameters)


class _Stored(Deflate):
    def new_compressor(self) -> None:
        self._compressor = zlib.compressobj(0, wbits=-(self.parameters.server_max_window_bits or zlib.MAX_WBITS))


class StoredBlocks(Connection):
    """Compresses with stored blocks only, which is right."""

    def new_deflate(self, parameters: Parameters) -> Deflate:
        return _Stored(parameters)
