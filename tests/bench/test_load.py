import itertools
import socket
import threading

import pytest

from bench.load import BINARY, Load, LoadError, Sample, frame_header, masked_frame
from harness.endpoint import Endpoint
from tests.bench.echo_server import Serve, frame

_SECONDS = 0.05


def _measure(endpoint: Endpoint, size: int = 64, window: int = 4, stall_limit: float = 5.0) -> Sample:
    """A short run against a server whose processor time grows by a second whenever it is asked for."""
    with Load(endpoint, size, window, stall_limit=stall_limit) as load:
        return load.measure(_SECONDS, itertools.count().__next__)


def test_the_length_of_a_payload_takes_the_shortest_form():
    assert frame_header(BINARY, 125) == b"\x82\x7d"
    assert frame_header(BINARY, 126) == b"\x82\x7e\x00\x7e"
    assert frame_header(BINARY, 0xFFFF) == b"\x82\x7e\xff\xff"
    assert frame_header(BINARY, 1 << 16) == b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"


def test_a_client_frame_is_masked_as_in_the_example_of_rfc_6455_5_7():
    assert masked_frame(1, b"Hello", b"\x37\xfa\x21\x3d") == bytes.fromhex("81 85 37 fa 21 3d 7f 9f 4d 51 58")


@pytest.mark.parametrize("size", [1, 64, 4096, 65536])
@pytest.mark.parametrize("window", [1, 64])
def test_echoes_are_counted_and_the_clocks_of_both_sides_read(serve: Serve, size: int, window: int):
    answered = []

    def echo(payload: bytes, number: int) -> bytes:
        answered.append(number)
        return frame(payload)

    sample = _measure(serve(echo), size, window)

    assert 0 < sample.messages < len(answered)
    assert sample.seconds >= _SECONDS
    assert sample.rate == sample.messages / sample.seconds
    assert sample.server_cpu == 1
    assert 0 < sample.generator_share < 1.5


def test_a_window_of_many_large_messages_does_not_deadlock_with_a_server_that_blocks(serve: Serve):
    sample = _measure(serve(lambda payload, _: frame(payload)), 1 << 20, 64, stall_limit=30)

    assert sample.messages > 0


@pytest.mark.parametrize("window", [1, 3, 64])
def test_the_window_is_filled_and_never_exceeded(serve: Serve, window: int):
    unanswered = []

    def answer_only_the_check(payload: bytes, number: int) -> bytes:
        if number == 0:
            return frame(payload)
        unanswered.append(number)
        return b""

    endpoint = serve(answer_only_the_check)
    with pytest.raises(LoadError, match=r"nothing for 0\.5 s, after 0 messages"):
        _measure(endpoint, 64, window, stall_limit=0.5)

    assert len(unanswered) == window


def test_a_server_that_fragments_from_the_beginning_is_refused(serve: Serve):
    def fragment(payload: bytes, _: int) -> bytes:
        return frame(payload[:10], 0x02) + frame(payload[10:], 0x80)

    with pytest.raises(LoadError, match="fragments its echo"):
        _measure(serve(fragment))


def test_a_server_that_echoes_a_shorter_frame_is_refused(serve: Serve):
    with pytest.raises(LoadError, match="not one frame of 64 octets"):
        _measure(serve(lambda payload, _: frame(payload[1:])))


def test_a_server_that_changes_the_content_is_refused(serve: Serve):
    with pytest.raises(LoadError, match="not what was sent"):
        _measure(serve(lambda payload, _: frame(payload[::-1])))


def test_a_server_that_sends_text_is_refused(serve: Serve):
    with pytest.raises(LoadError, match="begins with 81 40 in place of an echo"):
        _measure(serve(lambda payload, _: frame(payload, 0x81)))


def test_a_close_frame_is_reported_with_its_code_and_reason(serve: Serve):
    with pytest.raises(LoadError, match="code 1009 'too big'"):
        _measure(serve(lambda _payload, _number: frame(b"\x03\xf1too big", 0x88)))


@pytest.mark.parametrize("length", [0, 64, 125])
def test_a_ping_among_the_echoes_is_noticed_whatever_its_length(serve: Serve, length: int):
    def ping_once(payload: bytes, number: int) -> bytes:
        return frame(bytes(length), 0x89) * (number == 3) + frame(payload)

    with pytest.raises(LoadError):
        _measure(serve(ping_once))


def test_fragments_while_the_clock_runs_are_noticed(serve: Serve):
    def fragment_later(payload: bytes, number: int) -> bytes:
        return frame(payload) if number < 3 else frame(payload[:10], 0x02) + frame(payload[10:], 0x80)

    with pytest.raises(LoadError):
        _measure(serve(fragment_later))


def test_a_connection_that_is_closed_while_the_clock_runs_is_an_error(serve: Serve):
    with pytest.raises(LoadError, match="closed the connection after"):
        _measure(serve(lambda payload, number: frame(payload) if number < 20 else None))


def test_a_server_that_is_not_there_is_an_error():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    with pytest.raises(LoadError, match="cannot be connected to"):
        _measure(Endpoint(f"ws://127.0.0.1:{port}"))


def test_a_refused_opening_handshake_is_quoted():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")

        refuser = threading.Thread(target=refuse)
        refuser.start()
        with pytest.raises(LoadError, match=r"refused the opening handshake: 'HTTP/1\.1 403 Forbidden"):
            _measure(Endpoint(f"ws://127.0.0.1:{listener.getsockname()[1]}"))
        refuser.join()
