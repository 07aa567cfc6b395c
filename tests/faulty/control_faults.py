"""What can be wrong with pings and pongs, and with the checks that fail a connection."""

from __future__ import annotations

from tests.faulty.connection import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    PROTOCOL_ERROR,
    Connection,
    FailureError,
    Header,
)

# Pings


class NoPong(Connection):
    """Does not answer pings."""

    def ping(self, payload: bytes) -> None:
        pass


class EmptyPong(Connection):
    """Answers pings with empty pongs."""

    def ping(self, _payload: bytes) -> None:
        super().ping(b"")


class TruncatesPongs(Connection):
    """Answers pings with at most N octets of their payload."""

    def ping(self, payload: bytes) -> None:
        super().ping(payload[: int(self.argument)])


class AnswersPongs(Connection):
    """Answers unsolicited pongs with pongs."""

    def pong(self, payload: bytes) -> None:
        self.send_frame(PONG, payload)


class _GathersPings(Connection):
    """Answers pings 0.1 s late, or before it echoes, and those that came meanwhile with them."""

    gathered: list[bytes] | None = None

    def ping(self, payload: bytes) -> None:
        if self.gathered is None:
            self.gathered = []
            self.loop.call_later(0.1, self.answer_pings)
        self.gathered.append(payload)

    def message(self, opcode: int, payload: bytes) -> None:
        self.answer_pings()
        super().message(opcode, payload)

    def answer_pings(self) -> None:
        gathered, self.gathered = self.gathered or [], None
        for payload in [] if self.deaf else self.chosen(gathered):
            super().ping(payload)

    def chosen(self, payloads: list[bytes]) -> list[bytes]:
        return payloads


class LastPingOnly(_GathersPings):
    """Answers only the last of several pings, which RFC 6455 5.5.3 allows."""

    def chosen(self, payloads: list[bytes]) -> list[bytes]:
        return payloads[-1:]


class PongsReversed(_GathersPings):
    """Answers the last of several pings first."""

    def chosen(self, payloads: list[bytes]) -> list[bytes]:
        return payloads[::-1]


class LatePongs(Connection):
    """Sends pongs, and all that follows them, 0.3 s late, which is right."""

    held: bytearray | None = None
    finished_early = False

    def ping(self, payload: bytes) -> None:
        if self.held is None:
            self.held = bytearray()
            self.loop.call_later(0.3, self.release)
        super().ping(payload)

    def send(self, octets: bytes) -> None:
        if self.held is None:
            super().send(octets)
        else:
            self.held += octets

    def finish(self) -> None:
        if self.held is None:
            super().finish()
        self.deaf = self.finished_early = True

    def release(self) -> None:
        held, self.held = bytes(self.held or b""), None
        self.send(held)
        if self.finished_early:
            self.finish()


class PingsFirst(Connection):
    """Sends a ping when the connection opens, which RFC 6455 5.5.2 allows."""

    def opened(self) -> None:
        self.send_frame(PING, b"are you there?")


class LongControlFrames(Connection):
    """Takes control frames with payloads over 125 octets, and answers pings likewise."""

    def check_control(self, header: Header) -> None:
        super().check_control(header._replace(length=0))


class FragmentedControlFrames(Connection):
    """Takes control frames without FIN as if they had it."""

    def check_control(self, header: Header) -> None:
        super().check_control(header._replace(fin=True))


class RefusesPingsInside(Connection):
    """Fails the connection at a ping between fragments."""

    def check_control(self, header: Header) -> None:
        super().check_control(header)
        if self.opcode is not None and header.opcode == PING:
            raise FailureError(PROTOCOL_ERROR)


class PongsAfterMessage(Connection):
    """Answers a ping between fragments when the message is over."""

    waiting: tuple[bytes, ...] = ()

    def ping(self, payload: bytes) -> None:
        if self.opcode is None:
            super().ping(payload)
        else:
            self.waiting += (payload,)

    def message(self, opcode: int, payload: bytes) -> None:
        super().message(opcode, payload)
        waiting, self.waiting = self.waiting, ()
        for ping in waiting:
            super().ping(ping)


# Reserved bits and opcodes


class IgnoresReservedBits(Connection):
    """Takes reserved bits for nothing."""

    def check_reserved_bits(self, header: Header) -> None:
        pass


class IgnoresOneReservedBit(Connection):
    """Ignores the reserved bit with the value N: 4 is RSV1, 2 is RSV2, 1 is RSV3."""

    def check_reserved_bits(self, header: Header) -> None:
        super().check_reserved_bits(header._replace(rsv=header.rsv & ~int(self.argument)))


class ReservedDataOpcodes(Connection):
    """Skips data frames with a reserved opcode, as if they were pongs."""

    def check_opcode(self, header: Header) -> None:
        if header.opcode >= CLOSE:
            super().check_opcode(header)

    def check_sequence(self, header: Header) -> None:
        if header.opcode <= BINARY:
            super().check_sequence(header)

    def begin_frame(self, header: Header, length: int, key: bytes) -> None:
        reserved = BINARY < header.opcode < CLOSE
        super().begin_frame(header._replace(opcode=PONG) if reserved else header, length, key)


class ReservedControlOpcodes(Connection):
    """Skips control frames with a reserved opcode."""

    def check_opcode(self, header: Header) -> None:
        if header.opcode < CLOSE:
            super().check_opcode(header)

    def control(self, opcode: int, payload: bytes) -> None:
        if opcode in {CLOSE, PING, PONG}:
            super().control(opcode, payload)


# How a connection is failed


class WrongCodeForProtocolErrors(Connection):
    """Fails the connection with the code N in place of 1002."""

    def fail(self, code: int) -> None:
        super().fail(int(self.argument) if code == PROTOCOL_ERROR else code)


class FailsWithoutClose(Connection):
    """Fails the connection by closing TCP, without a close frame."""

    def fail(self, _code: int) -> None:
        self.finish()


class FailsLate(Connection):
    """Fails the connection 0.2 s after the mistake, and answers nothing meanwhile, which is right."""

    def fail(self, code: int) -> None:
        self.deaf = True
        self.loop.call_later(0.2, super().fail, code)


class FailsNever(Connection):
    """Stops answering when it should fail the connection."""

    def fail(self, _code: int) -> None:
        self.deaf = True


class ForgetsEchoWhenFailing(Connection):
    """Echoes 0.1 s late, and not at all when the connection is over by then."""

    def message(self, opcode: int, payload: bytes) -> None:
        self.loop.call_later(0.1, self.late_message, opcode, payload)

    def late_message(self, opcode: int, payload: bytes) -> None:
        if not self.deaf:
            super().message(opcode, payload)
