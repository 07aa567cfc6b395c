from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from refimpl import Parameters
from refimpl._connection import Connection
from refimpl._timekeeper import Timekeeper
from tests.refimpl.peer import CLOSE, PING, Peer

if TYPE_CHECKING:
    from collections.abc import Iterator


class Partial:
    """A socket that takes three bytes of the first write that must not block."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.partial = True

    def __getattr__(self, name: str) -> object:
        return getattr(self.sock, name)

    def send(self, data: bytes, flags: int) -> int:
        size = 3 if self.partial else len(data)
        self.partial = False
        return self.sock.send(data[:size], flags)


@pytest.fixture
def ends() -> Iterator[tuple[Connection, Peer]]:
    """Give a connection without a server and the peer at its other end."""
    keeper = Timekeeper()
    with socket.create_server(("127.0.0.1", 0)) as listener, Peer(listener.getsockname()[1]) as peer:
        sock, _ = listener.accept()
        connection = Connection(sock, Parameters(connection_timeout=1, close_timeout=0), keeper)
        yield connection, peer
        connection.cut()
        connection.finish()
    keeper.stop()


def test_the_rest_of_a_ping_of_which_the_kernel_took_a_part_goes_first(ends: tuple[Connection, Peer]):
    connection, peer = ends
    connection.sock = Partial(connection.sock)  # type: ignore[assignment]
    connection._pending["ping"] = b"\x89\x02hi"
    connection._flush(now=True)
    connection.write(b"\x82\x01", b"x")
    assert peer.frame() == (True, PING, b"hi")
    assert peer.frame().payload == b"x"


def test_what_is_pending_is_written_by_whoever_writes_next(ends: tuple[Connection, Peer]):
    connection, peer = ends
    with connection._write_lock:
        connection.send_pong(b"1")
        connection.send_pong(b"2")
        writer = threading.Thread(target=connection.write, args=(b"\x82\x01", b"x"))
        writer.start()
    writer.join()
    assert sorted(peer.frame().payload for _ in range(2)) == [b"2", b"x"]


def test_a_close_frame_is_written_after_the_write_that_is_stuck(ends: tuple[Connection, Peer]):
    connection, peer = ends
    with connection._write_lock:
        connection.send_close(1001, wait=False)
        assert not connection.close_sent
    connection.send_pong(b"")
    connection.cut()
    assert (True, CLOSE, b"\x03\xe9") in list(peer.frames())


def test_a_connection_that_ended_has_nothing_unread_and_no_deadlines(ends: tuple[Connection, Peer]):
    connection, peer = ends
    connection.open()
    peer.send(b"x")
    peer.sock.shutdown(socket.SHUT_WR)
    connection.finish()
    assert connection.read() == b""
    assert not connection._has_unread()
    connection.open()
    assert connection not in connection._timekeeper._due
    assert connection.tick(0) is None
