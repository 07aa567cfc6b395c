"""What can be wrong with the closing handshake."""

from __future__ import annotations

from tests.faulty.connection import (
    CLOSE,
    NORMAL,
    PROTOCOL_ERROR,
    Connection,
    FailureError,
    Header,
)


class NeverAnswersClose(Connection):
    """Does not answer a close frame."""

    def close(self, payload: bytes) -> None:
        pass


class AnswersCloseByDropping(Connection):
    """Answers a close frame by closing TCP."""

    def answer_close(self, _code: int | None) -> None:
        self.finish()


class AnswersCloseWith(Connection):
    """Answers a close frame with the code N."""

    def answer_close(self, _code: int | None) -> None:
        super().answer_close(int(self.argument))


class AnswersCloseWithoutCode(Connection):
    """Answers a close frame with an empty one, which is right though not usual."""

    def answer_close(self, _code: int | None) -> None:
        super().answer_close(None)


class AnswersCloseWithOneOctet(Connection):
    """Answers a close frame with one that has a payload of one octet."""

    def answer_close(self, _code: int | None) -> None:
        self.send_frame(CLOSE, b"\x03")
        self.finish()


class AnswersCloseWithBadReason(Connection):
    """Answers a close frame with a reason that is no UTF-8."""

    def answer_close(self, _code: int | None) -> None:
        self.send_frame(CLOSE, NORMAL.to_bytes(2, "big") + b"\xff")
        self.finish()


class AnswersCloseTwice(Connection):
    """Sends its close frame twice."""

    def answer_close(self, code: int | None) -> None:
        self.send_close(code)
        super().answer_close(code)


class EchoesInvalidCloseCodes(Connection):
    """Takes invalid close codes, and answers with them."""

    def close_code(self, payload: bytes) -> int | None:
        super().close_code(NORMAL.to_bytes(2, "big") + payload[2:] if len(payload) > 1 else payload)
        return int.from_bytes(payload[:2], "big") if payload else None


class AcceptsOneOctetClose(Connection):
    """Takes a close frame with a payload of one octet as an empty one, and answers 1000."""

    def close_code(self, payload: bytes) -> int | None:
        return NORMAL if len(payload) == 1 else super().close_code(payload)


class AcceptsBadCloseReason(Connection):
    """Takes a close reason that is no UTF-8."""

    def check_reason(self, reason: bytes) -> None:
        pass


class AcceptsLongClose(Connection):
    """Takes a close frame with a payload over 125 octets."""

    def check_control(self, header: Header) -> None:
        super().check_control(header._replace(length=0) if header.opcode == CLOSE else header)


class RefusesEmptyClose(Connection):
    """Takes a close frame without a code for a protocol error."""

    def close_code(self, payload: bytes) -> int | None:
        if not payload:
            raise FailureError(PROTOCOL_ERROR)
        return super().close_code(payload)


class RefusesCloseReasons(Connection):
    """Takes a close frame with a reason for a protocol error."""

    def check_reason(self, reason: bytes) -> None:
        if reason:
            raise FailureError(PROTOCOL_ERROR)


class RefusesCloseCodesFrom(Connection):
    """Takes valid close codes from N on for protocol errors."""

    def close_code(self, payload: bytes) -> int | None:
        code = super().close_code(payload)
        if code and code >= int(self.argument):
            raise FailureError(PROTOCOL_ERROR)
        return code


class NeverClosesTcp(Connection):
    """Does the closing handshake and leaves TCP open."""

    def finish(self) -> None:
        self.deaf = True


class _GoesOnAfterClose(Connection):
    """Answers on for 0.2 s after the closing handshake."""

    closing = False

    def answer_close(self, code: int | None) -> None:
        if not self.closing:
            self.send_close(code)
            self.closing = True
            self.loop.call_later(0.2, self.finish)


class EchoesAfterClose(_GoesOnAfterClose):
    """Echoes messages after the closing handshake."""

    def ping(self, payload: bytes) -> None:
        if not self.closing:
            super().ping(payload)


class PongsAfterClose(_GoesOnAfterClose):
    """Answers pings after the closing handshake."""

    def message(self, opcode: int, payload: bytes) -> None:
        if not self.closing:
            super().message(opcode, payload)


class ClosesAfterMessage(Connection):
    """Starts the closing handshake by itself after it has echoed a message."""

    def message(self, opcode: int, payload: bytes) -> None:
        super().message(opcode, payload)
        self.send_close(NORMAL)


class ClosesTcpAfterMessage(Connection):
    """Closes TCP after it has echoed a message."""

    def message(self, opcode: int, payload: bytes) -> None:
        super().message(opcode, payload)
        self.finish()


class ResetsOnClose(Connection):
    """Resets TCP when it gets a close frame."""

    def close(self, _payload: bytes) -> None:
        self.reset()
