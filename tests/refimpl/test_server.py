from __future__ import annotations

import errno
import gc
import logging
import pathlib
import socket
import sys
import threading
import time
import tracemalloc
from time import monotonic
from typing import TYPE_CHECKING

import pytest

import refimpl
from refimpl import Parameters, Request, Server, WebSocket
from refimpl import _server as server_module
from refimpl._connection import Connection
from tests.refimpl.conftest import echo
from tests.refimpl.peer import CLOSE, TEXT, Peer, frame, request

if TYPE_CHECKING:
    from tests.refimpl.conftest import Start


def descriptors() -> int:
    return sum(1 for _ in pathlib.Path("/proc/self/fd").iterdir())


def until(condition: object, seconds: float = 10.0) -> bool:
    """Wait until a callable is true."""
    assert callable(condition)
    end = monotonic() + seconds
    while not (result := condition()) and monotonic() < end:
        time.sleep(0.01)
    return bool(result)


def test_200_connections_are_served_at_once(start: Start):
    server = start()
    peers = [Peer.open(server.port) for _ in range(200)]
    for index, peer in enumerate(peers):
        peer.send(frame(TEXT, str(index).encode()))
    assert [peer.message() for peer in peers] == [str(index) for index in range(200)]
    for peer in peers:
        peer.send(frame(CLOSE, b"\x03\xe8"))
    assert {peer.close_code() for peer in peers} == {1000}
    for peer in peers:
        peer.sock.close()


@pytest.mark.parametrize("concurrent", [False, True])
def test_nothing_is_left_of_2000_connections_half_of_which_were_reset(start: Start, concurrent: bool):
    server = start(concurrent=concurrent, max_connections=200)

    def connect(times: int) -> None:
        for index in range(times):
            with Peer.open(server.port, frame(TEXT, b"x" * 2000)) as peer:
                assert peer.message()
                if index % 2:
                    peer.reset()
                else:
                    peer.send(frame(CLOSE))
                    assert peer.close_code() == 1005
        assert until(lambda: not server._threads)
        server.ended.queue.clear()
        server.raised.queue.clear()
        gc.collect()

    connect(200)
    threads, sockets = threading.active_count(), descriptors()
    tracemalloc.start()
    try:
        connect(20)
        before, _ = tracemalloc.get_traced_memory()
        connect(1000)  # twice, for the two interfaces
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (threading.active_count(), descriptors()) == (threads, sockets)
    kinds = (refimpl.WebSocket, refimpl.Protocol, socket.socket, threading.Thread)
    # The peer's socket that is closed, and those of the server itself.
    assert sum(isinstance(thing, kinds) for thing in gc.get_objects()) < 60
    # Coverage keeps data of its own for each thread.
    assert after - before < 200_000 or sys.gettrace()


def test_connections_are_limited_exactly(start: Start, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server_module, "_REFUSERS", 1)
    server = start(max_connections=2)
    with Peer.open(server.port) as first, Peer.open(server.port):
        for _ in range(3):
            with Peer(server.port) as third:
                third.send(request())
                assert third.response().startswith("HTTP/1.1 503 ")
                assert third.sock.recv(1) == b""
            assert until(lambda: len(server._threads) == 2)
        first.send(frame(CLOSE))
        first.close_code()
        assert until(lambda: len(server._threads) == 1)
        with Peer.open(server.port):
            pass


def test_even_those_who_get_503_are_limited(start: Start, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server_module, "_REFUSERS", 1)
    server = start(max_connections=1)
    with Peer.open(server.port), Peer(server.port), Peer(server.port) as third:
        assert third.sock.recv(1) == b""


def test_a_refused_request_gets_the_denial_and_is_not_upgraded(start: Start):
    def accept(request: Request) -> bool:
        seen.append((request.path, request.origin, request.headers["x-who"]))
        return False

    seen: list[tuple[str, str | None, str]] = []
    server = start(accept_connection=accept)
    with Peer(server.port) as peer:
        peer.send(request(path="/secret?x", Origin="https://evil.example", X_Who="me") + frame(TEXT, b"x") * 10_000)
        response = peer.response()
        assert response.startswith("HTTP/1.1 403 Forbidden\r\n")
        assert response.endswith("\r\n\r\n<h1>Access denied</h1>")
        assert peer.sock.recv(1) == b""
    assert seen == [("/secret?x", "https://evil.example", "me")]
    assert server.ended.empty()


def test_the_denial_is_a_parameter(start: Start):
    server = start(accept_connection=lambda _: False, access_denied=lambda request: (404, f"no {request.path}"))
    with Peer(server.port) as peer:
        peer.send(request(path="/x"))
        response = peer.response()
    assert response.startswith("HTTP/1.1 404 Not Found\r\n")
    assert response.endswith("no /x")


def test_a_wrong_version_is_answered_with_ours_and_not_upgraded(start: Start):
    with Peer(start().port) as peer:
        peer.send(request(Sec_WebSocket_Version="8"))
        response = peer.response()
        assert response.startswith("HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\n")
        assert peer.sock.recv(1) == b""


def test_a_request_that_is_too_large_gets_431_though_more_was_unread(start: Start):
    with Peer(start(max_handshake_size=1000).port) as peer:
        peer.send(b"GET / HTTP/1.1\r\nX: " + b"x" * 3_000_000)
        assert peer.response().startswith("HTTP/1.1 431 ")


def test_a_request_in_pieces_is_put_together(start: Start):
    with Peer(start().port) as peer:
        for byte in request():
            peer.send(bytes([byte]))
        assert peer.response().startswith("HTTP/1.1 101 ")


def test_a_slow_request_is_cut_at_the_handshake_timeout(start: Start):
    with Peer(start(handshake_timeout=1).port) as peer:
        begin = monotonic()
        peer.send(b"GET / HTTP/1.1\r\n")
        assert peer.sock.recv(1) == b""
        assert 0.9 <= monotonic() - begin < 1.9  # not after twice the timeout; a busy machine may be late


def test_user_code_that_raises_in_the_handshake_is_told_and_the_peer_gets_500(start: Start):
    def fail(_: Request) -> bool:
        raise ZeroDivisionError

    server = start(accept_connection=fail)
    with Peer(server.port) as peer:
        peer.send(request())
        assert peer.response().startswith("HTTP/1.1 500 ")
    assert isinstance(server.told.get(timeout=5), refimpl.UnexpectedError)


def test_a_peer_that_leaves_in_the_handshake_is_nobodys_error(start: Start, monkeypatch: pytest.MonkeyPatch):
    def leave(connection: Connection, data: bytes) -> None:  # noqa: ARG001 - as Connection.write
        raise refimpl.ConnectionClosedError

    server = start()
    monkeypatch.setattr(Connection, "write", leave)
    with Peer(server.port) as peer:
        peer.send(request())
        assert peer.sock.recv(1) == b""
    Peer(server.port).reset()
    assert until(lambda: not server._threads)
    assert server.told.empty()


@pytest.mark.parametrize("concurrent", [False, True])
def test_shutting_down_closes_every_connection_with_1001(concurrent: bool):
    with Server(echo, concurrent=concurrent) as server:
        peers = [Peer.open(server.port) for _ in range(3)]
        shaking = Peer(server.port)
        assert until(lambda: len(server._threads) == 4)
        stopper = threading.Thread(target=server.shutdown)
        begin = monotonic()
        stopper.start()
        for peer in peers:
            assert peer.frame() == (True, CLOSE, b"\x03\xe9")
            peer.send(frame(CLOSE, b"\x03\xe9"))
            assert list(peer.frames()) == []
            peer.sock.close()
        assert shaking.sock.recv(1) == b""
        shaking.sock.close()
        stopper.join()
        assert monotonic() - begin < 4  # well before the close timeout
        with pytest.raises(ConnectionRefusedError):
            Peer(server.port)


def test_shutting_down_does_not_wait_for_ever_for_peers_or_handlers():
    release = threading.Event()

    def stuck(_: WebSocket) -> None:
        release.wait()

    with Server(stuck, parameters=Parameters(close_timeout=0.2)) as server, Peer.open(server.port):
        assert until(lambda: server._threads)
        begin = monotonic()
        server.shutdown()
        assert monotonic() - begin < 4  # well before the close timeout
        release.set()
        assert until(lambda: not server._threads)


def test_a_connection_that_opens_while_the_server_stops_is_closed_too(start: Start):
    def stop_meanwhile(_: Request) -> bool:
        server.stop()
        return True

    server = start(accept_connection=stop_meanwhile)
    with Peer.open(server.port) as peer:
        assert peer.frame().payload == b"\x03\xe9"


@pytest.mark.parametrize(("host", "url"), [("127.0.0.1", "ws://127.0.0.1:"), ("::1", "ws://[::1]:")])
def test_a_server_listens_on_ipv4_and_ipv6(host: str, url: str):
    with Server(echo, host) as server, Peer.open(server.port, host=host) as peer:
        assert server.url == f"{url}{server.port}"
        peer.send(frame(TEXT, b"x"))
        assert peer.message() == "x"


def test_an_address_in_use_is_an_os_error(start: Start):
    before = threading.active_count()
    port = start().port
    with pytest.raises(OSError, match="in use"):
        Server(echo, port=port)
    assert threading.active_count() <= before + 2


def test_running_shuts_down_when_it_is_interrupted(monkeypatch: pytest.MonkeyPatch):
    def interrupt(_: Server) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Server, "serve_forever", interrupt)
    before = threading.active_count()
    Server(echo).run()
    assert threading.active_count() == before


def test_running_out_of_descriptors_is_survived(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    server = start()
    accept, failures = server._listener.accept, [OSError(errno.EMFILE, "too many"), ConnectionAbortedError()]

    class Listener:
        def __getattr__(self, name: str) -> object:
            return getattr(listener, name)

        def accept(self) -> object:
            if failures:
                raise failures.pop(0)
            return accept()

    listener = server._listener
    monkeypatch.setattr(server, "_listener", Listener())
    with caplog.at_level(logging.WARNING), Peer.open(server.port):
        assert until(lambda: "too many" in caplog.text)
    with Peer.open(server.port):
        assert not failures


def test_running_out_of_threads_is_survived(start: Start, monkeypatch: pytest.MonkeyPatch):
    server, begin = start(), threading.Thread.start

    def fail(thread: threading.Thread) -> None:
        if thread.name == "refimpl-connection":
            raise RuntimeError("can't start new thread")
        begin(thread)

    monkeypatch.setattr(threading.Thread, "start", fail)
    with Peer(server.port) as peer:
        assert peer.sock.recv(1) == b""
    monkeypatch.undo()
    with Peer.open(server.port):
        pass


def test_errors_are_logged_unless_somebody_else_wants_them(caplog: pytest.LogCaptureFixture):
    def fail(_: WebSocket) -> None:
        raise ZeroDivisionError("oops")

    with Server(fail) as server, Peer.open(server.port) as peer:
        peer.send(frame(CLOSE))
        assert peer.close_code() == 1011
        assert until(lambda: "oops" in caplog.text)


def test_the_listener_is_closed_after_shutdown(start: Start):
    server = start()
    server.shutdown()
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", server.port)):
        pass
