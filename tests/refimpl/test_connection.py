from __future__ import annotations

import contextlib
import socket
import threading
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from refimpl import Opcode, Parameters
from refimpl._connection import Connection
from tests.refimpl.peer import CLOSE, PING, Peer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ends() -> Iterator[tuple[Connection, Peer]]:
    """Give a connection without a server and the peer at its other end."""
    with socket.create_server(("127.0.0.1", 0)) as listener, Peer(listener.getsockname()[1]) as peer:
        sock, _ = listener.accept()
        connection = Connection(sock, Parameters(connection_timeout=1, close_timeout=0))
        yield connection, peer
        connection.cut()
        connection.finish()


def test_what_is_pending_is_written_by_whoever_writes_next(ends: tuple[Connection, Peer]):
    connection, peer = ends
    with connection._write_lock:
        connection.send_control(Opcode.PONG, b"1")
        connection.send_control(Opcode.PONG, b"2")
        writer = threading.Thread(target=connection.write, args=(b"\x82\x01", b"x"))
        writer.start()
    writer.join()
    assert sorted(peer.frame().payload for _ in range(2)) == [b"2", b"x"]


def test_what_is_pending_is_written_by_the_next_tick_where_nobody_writes(ends: tuple[Connection, Peer]):
    connection, peer = ends
    with connection._write_lock:
        connection.send_control(Opcode.PING, b"hi")
    connection.tick(monotonic())
    assert peer.frame() == (True, PING, b"hi")


def test_a_control_frame_waits_until_the_kernel_has_room(ends: tuple[Connection, Peer]):
    connection, peer = ends
    connection.sock.setblocking(False)
    sent = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            sent += connection.sock.send(bytes(100_000))
    connection.sock.setblocking(True)
    connection.send_control(Opcode.PING, b"hi")
    assert connection._pending
    peer._take(sent)
    connection.tick(monotonic())
    assert peer.frame() == (True, PING, b"hi")


def test_a_close_frame_is_written_after_the_write_that_is_stuck(ends: tuple[Connection, Peer]):
    connection, peer = ends
    with connection._write_lock:
        connection.send_close(1001)
        assert not connection.close_sent
    connection.send_control(Opcode.PONG, b"")
    connection.cut()
    assert (True, CLOSE, b"\x03\xe9") in list(peer.frames())


def test_a_connection_that_ended_does_nothing_at_a_tick(ends: tuple[Connection, Peer]):
    connection, peer = ends
    connection.open()
    peer.send(b"x")
    peer.sock.shutdown(socket.SHUT_WR)
    connection.finish()
    assert connection.read() == b""
    for seconds in (0, 1, 20, 100):
        connection.tick(monotonic() + seconds)
    assert list(peer.frames()) == []


class Silence:
    """Ticks that come when a test says, with the peer's silence counted in them."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.begin = monotonic()
        connection.open()

    def is_over(self, seconds: float) -> bool:
        """Look as if so many seconds had passed; 1 is the timeout."""
        return self.connection._is_silent(self.begin + seconds)


def test_bytes_count_when_they_come_not_when_they_are_read(ends: tuple[Connection, Peer]):
    connection, peer = ends
    silence = Silence(connection)
    peer.send(b"x")
    connection.sock.recv(1, socket.MSG_PEEK)
    assert not silence.is_over(0.6)
    assert connection.read() == b"x"
    assert not silence.is_over(1.5)
    assert silence.is_over(1.7)


def receive(connection: Connection, peer: Peer, data: bytes, *, whole: bool) -> None:
    """Let it come and be read, inside a frame or at the end of one."""
    peer.send(data)
    assert connection.read() == data
    if whole:
        connection.note_whole_frame()


def test_a_trickle_inside_a_frame_is_silence(ends: tuple[Connection, Peer]):
    connection, peer = ends
    silence = Silence(connection)
    receive(connection, peer, b"whole", whole=True)
    assert not silence.is_over(0.5)
    for seconds in (0.8, 1.1, 1.4):
        receive(connection, peer, b"x", whole=False)
        assert not silence.is_over(seconds)
    receive(connection, peer, b"x", whole=False)
    assert silence.is_over(1.6)


def test_much_of_a_frame_or_the_end_of_it_is_a_sign_of_life(ends: tuple[Connection, Peer]):
    connection, peer = ends
    silence = Silence(connection)
    receive(connection, peer, b"whole", whole=True)
    assert not silence.is_over(0.5)
    receive(connection, peer, b"x" * 1024, whole=False)
    assert not silence.is_over(1.4)
    assert not silence.is_over(2.3)
    receive(connection, peer, b"x", whole=True)
    assert not silence.is_over(2.35)
    assert not silence.is_over(3.3)
    assert silence.is_over(3.4)
