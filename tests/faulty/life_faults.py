"""Servers that die, hang, flood, or never open the connection."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import time
from typing import ClassVar

from tests.faulty import opening
from tests.faulty.connection import INVALID_DATA, TEXT, Connection

# The opening handshake


class Http(Connection):
    """Answers the opening handshake with the HTTP status N."""

    def answer_handshake(self, _headers: dict[str, str]) -> None:
        location = ["Location: http://localhost/"] if self.argument.startswith("3") else []
        self.refuse(opening.refusal(int(self.argument), *location))


class NoHandshake(Connection):
    """Answers the opening handshake with nothing."""

    def answer_handshake(self, _headers: dict[str, str]) -> None:
        self.deaf = True


class DropsHandshake(Connection):
    """Answers the opening handshake by closing TCP."""

    def answer_handshake(self, _headers: dict[str, str]) -> None:
        self.finish()


class WrongAccept(Connection):
    """Answers the opening handshake with a Sec-WebSocket-Accept that belongs to another key."""

    def accept(self, _key: str) -> str:
        return opening.accept("dGhlIHNhbXBsZSBub25jZQ==")


class SlowHandshake(Connection):
    """Answers the opening handshake at one octet every N milliseconds."""

    slow: bytes = b""

    def answer_handshake(self, headers: dict[str, str]) -> None:
        super().answer_handshake(headers)
        self.drip()

    def refuse(self, response: bytes) -> None:
        self.slow += response
        self.drip()

    def send(self, octets: bytes) -> None:
        if self.open and not self.slow:
            super().send(octets)
        else:
            self.slow += octets

    def drip(self) -> None:
        super().send(self.slow[:1])
        self.slow = self.slow[1:]
        if self.slow:
            self.loop.call_later(int(self.argument) / 1000, self.drip)
        elif not self.open:
            self.finish()


class HandshakeWithGarbage(Connection):
    """Answers the opening handshake with octets that are no HTTP."""

    def answer_handshake(self, _headers: dict[str, str]) -> None:
        self.refuse(hashlib.sha256(b"garbage").digest() + b"\r\n\r\n")


class GreetsWithTheHandshake(Connection):
    """Sends a text message of its own together with its answer to the opening handshake."""

    def opened(self) -> None:
        self.send_frame(TEXT, b"welcome")


# Death


class DiesOnInvalidUtf8(Connection):
    """Exits with status 3 when text is no UTF-8."""

    def fail(self, code: int) -> None:
        if code == INVALID_DATA:
            sys.stderr.write("echo: invalid UTF-8, giving up\n")
            sys.stderr.flush()
            os._exit(3)
        super().fail(code)


class SegfaultsOnLongPing(Connection):
    """Is killed by SIGSEGV at a ping of 125 octets."""

    def ping(self, payload: bytes) -> None:
        if len(payload) == 125:
            os.kill(os.getpid(), signal.SIGSEGV)
        super().ping(payload)


class _CountsMessages(Connection):
    """Counts the messages of all connections, so that whoever only shakes hands changes nothing."""

    count: ClassVar[int] = 0

    def message(self, opcode: int, payload: bytes) -> None:
        _CountsMessages.count += 1
        if _CountsMessages.count == int(self.argument):
            self.enough()
        super().message(opcode, payload)

    def enough(self) -> None:
        raise NotImplementedError


class StopsListening(_CountsMessages):
    """Closes its listening socket at the Nth message; connections that there are live on."""

    def enough(self) -> None:
        self.accepting.add_done_callback(lambda _: self.listener.close())
        self.accepting.cancel()


class StopsAccepting(_CountsMessages):
    """Accepts no connection more from the Nth message on, but still listens."""

    def enough(self) -> None:
        self.accepting.cancel()


class Hangs(_CountsMessages):
    """Does nothing any more, SIGTERM included, from the Nth message on."""

    def enough(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(3600)


class OneAtATime(Connection):
    """Serves one connection at a time and lets the others wait, which is right."""

    async def before_next(self) -> None:
        await self.gone.wait()


# After the opening handshake


class NeverReads(Connection):
    """Reads nothing after the opening handshake."""

    def opened(self) -> None:
        self.transport.pause_reading()


class SendsGarbage(Connection):
    """Sends octets that are no frame after the opening handshake."""

    def opened(self) -> None:
        self.send(b"\xff" + hashlib.sha512(b"garbage").digest())


class Floods(Connection):
    """Sends text frames of 1 KiB without end once it has a message, as quickly as they are read."""

    flooding = paused = False

    def message(self, _opcode: int, _payload: bytes) -> None:
        if not self.flooding:
            self.flooding = True
            self.flood()

    def flood(self) -> None:
        if not self.deaf and not self.transport.is_closing():
            for _ in range(0 if self.paused else 16):
                self.send_frame(TEXT, b"x" * 1024)
            self.loop.call_later(0.001, self.flood)

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False


class DeclaresAGibibyte(Connection):
    """Answers a message with the beginning of a frame of 1 GiB, and then with nothing."""

    def message(self, _opcode: int, _payload: bytes) -> None:
        self.send(bytes([0x80 | TEXT]) + self.length(1 << 30) + b"a few octets")
        self.deaf = True


class ClosesNothing(Connection):
    """Never sends a close frame and never closes TCP."""

    def send_close(self, code: int | None) -> None:
        pass

    def finish(self) -> None:
        self.deaf = True

    def eof_received(self) -> bool:
        return True


class OctetByOctet(Connection):
    """Sends its answers to short messages in pieces of one octet, which is right."""

    def send(self, octets: bytes) -> None:
        for octet in [octets] if len(octets) > 256 else [octets[i : i + 1] for i in range(len(octets))]:
            super().send(octet)
