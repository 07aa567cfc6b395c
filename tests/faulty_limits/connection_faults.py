"""Floods, and the number of connections."""

from __future__ import annotations

import os
import queue
import threading
import time
from dataclasses import replace
from typing import ClassVar

from refimpl import Event, Opcode, Parameters, Pong, Request, _connection, frame
from tests.faulty_limits.base import Connection, Limits, Protocol, Server, WebSocket, die


class PongsWait(Connection):
    """Lets pongs that the peer does not read wait, however many."""

    def send_control(self, opcode: Opcode, payload: bytes) -> None:
        if opcode == Opcode.PONG and self._pending.get(Opcode.PONG):
            Protocol.kept.append(frame(opcode, payload))
        super().send_control(opcode, payload)


class KeepsPongs(Protocol):
    """Keeps pongs that nobody asked for."""

    def _control(self, opcode: int, payload: bytes) -> Event:
        event = super()._control(opcode, payload)
        if isinstance(event, Pong):
            self.kept.append(event)
        return event


class DiesOnPong(Protocol):
    """Dies of a pong."""

    def _control(self, opcode: int, payload: bytes) -> Event:
        if opcode == Opcode.PONG:
            die("no ping waits for this pong")
        return super()._control(opcode, payload)


class EchoesWait(WebSocket):
    """Goes on reading while its echoes wait, however many."""

    def echo(self) -> None:
        waiting: queue.SimpleQueue[str | bytes] = queue.SimpleQueue()
        threading.Thread(target=self._send_all, args=(waiting,), daemon=True).start()
        for message in self:
            waiting.put(message)

    def _send_all(self, waiting: queue.SimpleQueue[str | bytes]) -> None:
        while True:
            self.send(waiting.get())


class LosesMessages(WebSocket):
    """Does not echo message 500."""

    def echo(self) -> None:
        for number, message in enumerate(self, 1):
            if number != 500:
                self.send(message)


class SwapsMessages(WebSocket):
    """Echoes message 500 behind message 501."""

    def echo(self) -> None:
        kept: str | bytes = b""
        for number, message in enumerate(self, 1):
            if number == 500:
                kept = message
                continue
            self.send(message)
            if number == 501:
                self.send(kept)


class MaxConnectionsOffBy(Limits):
    """Lets N connections more in than it should."""

    def change(self, limits: Parameters) -> Parameters:
        return replace(limits, max_connections=limits.max_connections + int(self.argument))


class AtMost(Limits):
    """Lets in N connections at most, whatever was set."""

    def change(self, limits: Parameters) -> Parameters:
        return replace(limits, max_connections=min(limits.max_connections, int(self.argument)))


class FreesNoSlot(Server):
    """Counts connections that have gone."""

    def _forget(self, thread: threading.Thread, refuse: bool) -> None:
        if refuse:
            super()._forget(thread, refuse)


class FreesSlotsLate(Server):
    """Frees the slot of a connection that has gone only three seconds later, if all were taken."""

    def _forget(self, thread: threading.Thread, refuse: bool) -> None:
        if not refuse and len(self._threads) - self._refusing >= self._parameters.max_connections:
            time.sleep(3)
        super()._forget(thread, refuse)


class LeaksDescriptors(Connection):
    """Leaves a file descriptor open for each connection."""

    def finish(self, *, clean: bool = False) -> None:
        if self.sock.fileno() >= 0:
            os.open(os.devnull, os.O_RDONLY)
        super().finish(clean=clean)


class LeaksMemory(Connection):
    """Keeps 16 KiB for each connection that has gone."""

    def finish(self, *, clean: bool = False) -> None:
        Protocol.kept.append(bytearray(b"\1" * 16384))
        super().finish(clean=clean)


class HandshakesInTurn(Server):
    """Reads one opening request after the other."""

    _turn: ClassVar[threading.Lock] = threading.Lock()

    def _shake_hands(self, connection: _connection.Connection, *, refuse: bool) -> tuple[Request, bytes] | None:
        connection._deadline = _connection.NEVER
        with self._turn:
            connection._deadline = time.monotonic() + self._parameters.handshake_timeout
            return super()._shake_hands(connection, refuse=refuse)
