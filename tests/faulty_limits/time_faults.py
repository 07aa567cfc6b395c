"""Keepalive, close timeout, handshake timeout."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from time import monotonic

from refimpl import Opcode, Parameters
from refimpl._connection import NEVER
from tests.faulty_limits.base import Connection, Limits

# Argument of those below: 2 is twice the time, 0 is never.


class PingIntervalTimes(Limits):
    """Pings at N times the interval that was set."""

    def change(self, limits: Parameters) -> Parameters:
        return replace(limits, ping_interval=limits.ping_interval * float(self.argument))


class ConnectionTimeoutTimes(Limits):
    """Cuts a silent peer at N times the timeout that was set."""

    def change(self, limits: Parameters) -> Parameters:
        return replace(limits, connection_timeout=limits.connection_timeout * float(self.argument))


class CloseTimeoutTimes(Limits):
    """Waits for N times the close timeout that was set."""

    def change(self, limits: Parameters) -> Parameters:
        return replace(limits, close_timeout=limits.close_timeout * float(self.argument))


class HandshakeTimeoutTimes(Limits):
    """Waits for an opening request for N times the timeout that was set."""

    def change(self, limits: Parameters) -> Parameters:
        return replace(limits, handshake_timeout=limits.handshake_timeout * float(self.argument))


class LongPings(Connection):
    """Sends pings with payloads of N octets."""

    def send_control(self, opcode: Opcode, payload: bytes) -> None:
        super().send_control(opcode, bytes(int(self.argument)) if opcode == Opcode.PING else payload)


class CutsWhoAnswers(Connection):
    """Cuts every connection at the connection timeout, whatever came meanwhile."""

    def open(self) -> None:
        super().open()
        self._deadline = monotonic() + self.parameters.connection_timeout


class TrickleLives(Connection):
    """Takes every octet for a sign of life, inside a frame as well."""

    def _is_silent(self, now: float) -> bool:
        self._whole = True
        return super()._is_silent(now)


class WaitsForCloseAnswer(Connection):
    """Waits for the answer to its close frame without a timeout, and reads what comes instead."""

    def send_close(self, code: int | None, reason: str = "", *, fail: bool = False) -> None:  # noqa: ARG002
        super().send_close(code, reason)
        self._deadline = NEVER

    def finish(self, *, clean: bool = False) -> None:
        with contextlib.suppress(OSError):
            while not clean and self.sock.recv(1 << 16):
                pass
        super().finish(clean=True)


class EndsItsStreamOnly(Connection):
    """Ends its stream behind its close frame, and goes on reading for N seconds after the last that came."""

    def finish(self, *, clean: bool = False) -> None:
        self._deadline = NEVER
        with contextlib.suppress(OSError):
            self.sock.settimeout(float(self.argument))
            while not clean and self.sock.recv(1 << 16):
                pass
        super().finish(clean=True)


class LeavesTcpOpen(Connection):
    """Leaves TCP open after the closing handshake, for the peer to close."""

    def finish(self, *, clean: bool = False) -> None:
        self._deadline = NEVER
        with contextlib.suppress(OSError):
            while clean and self.sock.recv(1 << 16):
                pass
        super().finish(clean=clean)


class EveryOctetCounts(Connection):
    """Begins the handshake timeout anew with every octet."""

    def read(self, remaining: int = 0) -> bytes:
        data = super().read(remaining)
        if not self._opened:
            self._deadline = monotonic() + self.parameters.handshake_timeout
        return data
