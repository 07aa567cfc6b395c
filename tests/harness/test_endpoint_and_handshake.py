import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness import handshake
from harness.endpoint import Endpoint, parse_url
from harness.errors import UsageError
from harness.handshake import check, wait_until_ready


@contextmanager
def answering(answer: bytes, *, hold: bool = False) -> Iterator[Endpoint]:
    """A server that reads a request, sends `answer`, and closes, or holds the connection open."""
    done = threading.Event()

    def serve() -> None:
        while not done.is_set():
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                peer.recv(4096)
                peer.sendall(answer)
                if hold:
                    done.wait(20)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield Endpoint(f"ws://127.0.0.1:{listener.getsockname()[1]}/")
        finally:
            done.set()
            listener.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", "it refused the opening handshake: 'HTTP/1.1 200 OK'"),
        (b"HTTP/1.1 302 Found\r\nLocation: \x1b[0m\r\n\r\n", "it refused the opening handshake: 'HTTP/1.1 302 Found'"),
        (b"HTTP/1.1 101 OK\r\nSec-WebSocket-Accept: x\r\n\r\n", "its Sec-WebSocket-Accept is wrong"),
        (b"", "it closed the connection in the opening handshake"),
        (b"\x1b[2J", r"it closed the connection in the opening handshake: '\\x1b[2J'"),
        (b"x" * 70_000, "its answer to the opening handshake has no end"),
    ],
)
def test_an_answer_that_is_no_handshake_is_told(answer: bytes, problem: str):
    with answering(answer) as endpoint:
        assert (check(endpoint) or "").startswith(problem)


def test_silence_ends_with_the_timeout():
    with answering(b"", hold=True) as endpoint:
        assert check(endpoint, timeout=0.2) == "it did not answer the opening handshake within 0.2 s"


def test_nobody_listening_is_told():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert check(Endpoint(f"ws://127.0.0.1:{port}")) == "Connection refused"


def test_waiting_ends_as_soon_as_there_is_a_reason_to_give_up():
    reasons = iter([None, "it ended"])
    with answering(b"") as endpoint:
        assert wait_until_ready(endpoint, lambda: next(reasons)) == "it ended"


@pytest.mark.parametrize(
    "url", ["http://localhost", "localhost:9001", "ws://", "ws://:9001", "ws://h:99999", "ws://h/#x", "ws://[::1"]
)
def test_what_is_no_websocket_url_is_refused(url: str):
    with pytest.raises(UsageError):
        parse_url(url)


def test_an_endpoint_knows_its_parts():
    endpoint = parse_url("wss://user@[::1]:9001/chat?x=1")
    assert (endpoint.host, endpoint.port, endpoint.secure) == ("::1", 9001, True)
    assert (endpoint.resource, endpoint.authority) == ("/chat?x=1", "[::1]:9001")
    assert (parse_url("ws://h").port, parse_url("wss://h").port, parse_url("ws://h").resource) == (80, 443, "/")


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("ws://localhost:1", True),
        ("ws://127.1.2.3:1", True),
        ("ws://[::1]:1", True),
        ("ws://0.0.0.0:1", True),
        ("ws://example.com:1", False),
        ("ws://10.0.0.1:1", False),
    ],
)
def test_which_urls_are_this_host(url: str, here: bool):
    assert parse_url(url).on_this_host is here


def test_an_endpoint_by_another_host_keeps_port_and_resource():
    assert parse_url("ws://localhost:9001/a?b").with_host("other").url == "ws://other:9001/a?b"


@pytest.mark.parametrize(
    ("second", "gone", "problem"),
    [
        (None, None, None),
        ("Connection refused", None, "Connection refused"),
        ("Connection refused", "it ended with exit status 3", "it ended with exit status 3"),
    ],
)
def test_only_a_failure_that_stays_or_an_end_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, second: str | None, gone: str | None, problem: str | None
):
    answers = iter(["Connection reset by peer", second])
    monkeypatch.setattr(handshake, "check", lambda _: next(answers))
    assert handshake.check_again(Endpoint("ws://127.0.0.1:1"), lambda: gone) == problem
