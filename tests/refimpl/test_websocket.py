from __future__ import annotations

import contextlib
import threading
import time
from time import monotonic
from typing import TYPE_CHECKING

import pytest

import refimpl
from refimpl import ConcurrentWebSocket, WebSocket
from tests.refimpl.peer import BINARY, CLOSE, PING, PONG, TEXT, Peer, frame, header

if TYPE_CHECKING:
    from tests.refimpl.conftest import Start

INTERFACES = pytest.mark.parametrize("concurrent", [False, True], ids=["blocking", "concurrent"])
BROKEN = {
    "protocol": (frame(0), refimpl.ProtocolError, 1002),
    "reserved bits": (b"\xc1\x80\0\0\0\0", refimpl.ReservedBitsError, 1002),
    "not UTF-8": (frame(TEXT, b"\xff"), refimpl.InvalidDataError, 1007),
    "too large": (header(BINARY, 1 << 21), refimpl.MessageTooLargeError, 1009),
}


@INTERFACES
def test_text_comes_back_as_text_and_binary_as_binary(start: Start, concurrent: bool):
    with Peer.open(start(concurrent=concurrent).port, frame(TEXT, "é".encode())) as peer:
        assert peer.message() == "é"
        peer.send(frame(BINARY, b"\xff", fin=False) + frame(PING, b"?") + frame(0, b"x" * 100_000))
        assert peer.message() == b"\xff" + b"x" * 100_000
        peer.send(frame(CLOSE, b"\x0b\xb8bye"))
        assert peer.frame() == (True, CLOSE, b"\x0b\xb8")
        assert list(peer.frames()) == []


@INTERFACES
@pytest.mark.parametrize("name", BROKEN)
def test_an_error_closes_with_its_code_and_is_not_raised(start: Start, concurrent: bool, name: str):
    data, _, code = BROKEN[name]
    server = start(concurrent=concurrent, close_timeout=30)
    with Peer.open(server.port, data) as peer:
        assert peer.close_code() == code  # and the end of the stream, without waiting for an answer
    assert server.raised.get(timeout=5) is None
    assert server.ended.get(timeout=5).close_code == 1006
    assert server.told.empty()


@INTERFACES
@pytest.mark.parametrize("name", BROKEN)
def test_an_error_closes_with_its_code_and_is_raised_when_errors_propagate(start: Start, concurrent: bool, name: str):
    data, kind, code = BROKEN[name]
    server = start(concurrent=concurrent, propagate_common_errors=True)
    with Peer.open(server.port, data) as peer:
        assert peer.close_code() == code
    assert type(server.raised.get(timeout=5)) is kind
    assert type(server.told.get(timeout=5)) is kind


@INTERFACES
@pytest.mark.parametrize("propagate", [False, True])
def test_a_lost_connection_is_an_error_only_when_errors_propagate(start: Start, concurrent: bool, propagate: bool):
    server = start(concurrent=concurrent, propagate_common_errors=propagate)
    Peer.open(server.port).reset()
    assert isinstance(server.raised.get(timeout=5), refimpl.ConnectionClosedError if propagate else type(None))
    assert server.ended.get(timeout=5).close_code == 1006


@INTERFACES
def test_a_normal_close_is_never_an_error(start: Start, concurrent: bool):
    server = start(concurrent=concurrent, propagate_common_errors=True)
    with Peer.open(server.port, frame(CLOSE)) as peer:
        assert peer.close_code() == 1005
    assert server.raised.get(timeout=5) is None
    assert server.ended.get(timeout=5).close_code == 1005
    assert server.told.empty()


@INTERFACES
def test_user_code_that_raises_closes_with_1011_and_is_told_always(start: Start, concurrent: bool):
    def fail(_: WebSocket) -> None:
        raise ZeroDivisionError("oops")

    server = start(fail, concurrent=concurrent)
    with Peer.open(server.port) as peer:
        assert peer.frame() == (True, CLOSE, b"\x03\xf3")
        peer.send(frame(CLOSE, b"\x03\xf3"))
        assert list(peer.frames()) == []
    error = server.told.get(timeout=5)
    assert isinstance(error, refimpl.UnexpectedError)
    assert isinstance(error.__cause__, ZeroDivisionError)


def test_user_code_that_raises_one_of_our_errors_closes_with_its_code(start: Start):
    def fail(_: WebSocket) -> None:
        raise refimpl.InvalidDataError("not what we speak")

    server = start(fail)
    with Peer.open(server.port) as peer:
        assert peer.frame().payload == b"\x03\xef"
        peer.send(frame(CLOSE))
        assert peer.close_code() is None
    assert server.told.empty()


@INTERFACES
def test_returning_closes_with_1000_and_drops_what_still_comes(start: Start, concurrent: bool):
    server = start(lambda _: None, concurrent=concurrent)
    with Peer.open(server.port) as peer:
        peer.send(frame(TEXT, b"late") * 1000)
        assert peer.frame() == (True, CLOSE, b"\x03\xe8")
        peer.send(frame(TEXT, b"later") + frame(CLOSE, b"\x03\xe8"))
        assert list(peer.frames()) == []
    assert server.ended.get(timeout=5).close_code == 1000


@INTERFACES
def test_closing_says_why_and_waits_for_the_answer(start: Start, concurrent: bool):
    def close(websocket: WebSocket) -> None:
        websocket.close(4000, "enough")
        codes.append(websocket.close_code)
        websocket.close(4001)
        with pytest.raises(refimpl.ConnectionClosedError):
            websocket.send("more")
        assert websocket.receive() is None

    codes: list[int | None] = []
    server = start(close, concurrent=concurrent)
    with Peer.open(server.port) as peer:
        assert peer.frame() == (True, CLOSE, b"\x0f\xa0enough")
        peer.send(frame(TEXT, b"x") + frame(CLOSE, b"\x0f\xa0ok"))
        assert list(peer.frames()) == []
    assert server.raised.get(timeout=5) is None
    assert codes == [4000]
    assert server.ended.get(timeout=5).close_reason == "ok"


@INTERFACES
def test_a_peer_that_does_not_answer_a_close_is_cut_at_the_close_timeout(start: Start, concurrent: bool):
    server = start(lambda websocket: websocket.close(), concurrent=concurrent, close_timeout=1)
    with Peer.open(server.port) as peer:
        assert peer.frame().opcode == CLOSE
        begin = monotonic()
        assert list(peer.frames()) == []
        assert 0.9 <= monotonic() - begin < 1.9  # not after twice the timeout; a busy machine may be late
    assert server.ended.get(timeout=5).close_code == 1006
    assert server.told.empty()


@INTERFACES
def test_a_silent_peer_is_cut_with_1001_at_the_connection_timeout(start: Start, concurrent: bool):
    server = start(concurrent=concurrent, connection_timeout=1, ping_interval=0.2, propagate_common_errors=True)
    with Peer.open(server.port) as peer:
        begin = monotonic()
        frames = list(peer.frames())
        assert 0.9 <= monotonic() - begin < 1.9  # not after twice the timeout; a busy machine may be late
        *pings, last = [frame.opcode for frame in frames]
        assert (set(pings), last) == ({PING}, CLOSE)
        assert 2 <= len(pings) <= 4  # four; fewer on a busy machine
        assert frames[-1].payload == b"\x03\xe9"
    assert isinstance(server.raised.get(timeout=5), refimpl.ConnectionTimeoutError)


def test_a_peer_that_answers_pings_is_not_cut(start: Start):
    with Peer.open(start(connection_timeout=0.6, ping_interval=0.2).port) as peer:
        for _ in range(6):
            assert peer.frame() == (True, PING, b"")
            peer.send(frame(PONG))
        peer.send(frame(TEXT, b"alive"))
        assert peer.message() == "alive"


@INTERFACES
def test_a_byte_now_and_then_does_not_keep_half_a_frame_alive(start: Start, concurrent: bool):
    server = start(concurrent=concurrent, connection_timeout=0.6, ping_interval=0, propagate_common_errors=True)
    with Peer.open(server.port) as peer:
        begin = monotonic()
        peer.send(header(BINARY, 1000))
        peer.sock.settimeout(0.1)
        closed = None
        while monotonic() - begin < 5:
            with contextlib.suppress(TimeoutError):
                closed = peer.frame()
                break
            peer.send(b"x")
        assert closed == (True, CLOSE, b"\x03\xe9")
        assert monotonic() - begin >= 0.5
    assert isinstance(server.raised.get(timeout=5), refimpl.ConnectionTimeoutError)


def test_whole_frames_a_byte_at_a_time_keep_a_connection(start: Start):
    with Peer.open(start(connection_timeout=0.6, ping_interval=0).port) as peer:
        for byte in frame(TEXT, b"slow") * 3:
            peer.send(bytes([byte]))
            time.sleep(0.05)
        assert [peer.message() for _ in range(3)] == ["slow"] * 3


@INTERFACES
def test_a_peer_that_never_reads_is_cut_at_the_connection_timeout(start: Start, concurrent: bool):
    def flood(websocket: WebSocket) -> None:
        while True:
            websocket.send(b"x" * 500_000)

    server = start(flood, concurrent=concurrent, connection_timeout=1, propagate_common_errors=True)
    with Peer.open(server.port, receive_buffer=4096):
        error = server.raised.get(timeout=5)
    assert isinstance(error, refimpl.ConnectionTimeoutError | refimpl.ConnectionClosedError)
    assert isinstance(server.told.get(timeout=5), refimpl.ConnectionTimeoutError | refimpl.ConnectionClosedError)


def test_a_peer_that_sends_but_never_reads_is_cut_too(start: Start):
    server = start(connection_timeout=1)
    with Peer.open(server.port, receive_buffer=4096) as peer:
        peer.sock.settimeout(5)
        with pytest.raises(OSError, match=r"reset|pipe|Connection"):
            peer.send(frame(BINARY, b"x" * 60_000) * 2000)
    assert server.ended.get(timeout=5).close_code == 1006


def test_user_code_that_is_busy_does_not_make_its_peer_silent(start: Start):
    def busy(websocket: WebSocket) -> None:
        assert not released.wait(1.3)
        for message in websocket:
            websocket.send(message)

    released = threading.Event()
    with Peer.open(start(busy, connection_timeout=0.5, ping_interval=0.1).port) as peer:
        peer.send(frame(TEXT, b"early"))
        while (got := peer.frame()).opcode == PING:
            peer.send(frame(PONG))
        assert got.payload == b"early"


def test_more_unread_than_the_kernel_takes_is_no_silence(start: Start):
    def busy(_: WebSocket) -> None:
        released.wait(1.5)

    released = threading.Event()
    with Peer.open(start(busy, connection_timeout=0.5, ping_interval=0).port) as peer:
        peer.send(frame(BINARY, b"x" * 50_000))
        assert peer.frame() == (True, CLOSE, b"\x03\xe8")


@pytest.mark.parametrize("last", [0.0, 0.6], ids=["nothing", "a message that is never received"])
@INTERFACES
def test_a_handler_that_never_receives_has_its_silent_peer_cut_in_time(start: Start, concurrent: bool, last: float):
    def busy(_: WebSocket) -> None:
        released.wait(10)

    released = threading.Event()
    server = start(busy, concurrent=concurrent, connection_timeout=1, ping_interval=0)
    with Peer.open(server.port) as peer:
        begin = monotonic()
        time.sleep(last)
        if last:
            begin = monotonic()
            peer.send(frame(TEXT, b"x"))
        assert peer.close_code() == 1001
        assert 0.9 <= monotonic() - begin < 1.9  # not after twice the timeout; a busy machine may be late
    released.set()


def test_a_peer_that_was_silent_before_a_send_got_stuck_is_cut_in_time(start: Start):
    def flood(websocket: WebSocket) -> None:
        released.wait(0.5)
        while True:
            websocket.send(b"x" * 100_000)

    released = threading.Event()
    server = start(flood, connection_timeout=1, propagate_common_errors=True)
    with Peer.open(server.port, receive_buffer=4096):
        begin = monotonic()
        assert isinstance(server.raised.get(timeout=5), refimpl.ConnectionTimeoutError)
        assert 0.9 <= monotonic() - begin < 1.9  # not after twice the timeout; a busy machine may be late


def test_a_peer_that_takes_a_long_message_slowly_is_not_cut(start: Start):
    def push(websocket: WebSocket) -> None:
        websocket.send(b"x" * 40_000_000)

    with Peer.open(start(push, connection_timeout=0.5).port, receive_buffer=65536) as peer:
        received, end = len(peer.buffer), monotonic() + 1.5  # some of it may have come with the response
        while received < 40_000_000:
            size = len(peer.sock.recv(65536))
            assert size, received
            received += size
            if monotonic() < end:  # three times the timeout, and no byte is sent, and no ping can come
                assert received < 30_000_000
                time.sleep(0.005)


@pytest.mark.parametrize("drop", [True, False])
@INTERFACES
def test_pings_are_dropped_or_answered(start: Start, concurrent: bool, drop: bool):
    with Peer.open(start(concurrent=concurrent, drop_incoming_pings=drop).port) as peer:
        peer.send(frame(PING, b"1") + frame(PING, b"x" * 125) + frame(PONG, b"none asked"))
        peer.send(frame(TEXT, b"end"))
        expected = [] if drop else [(True, PONG, b"1"), (True, PONG, b"x" * 125)]
        assert sorted(peer.frame() for _ in range(len(expected) + 1)) == sorted([*expected, (True, TEXT, b"end")])


def test_one_message_may_be_sent_in_fragments(start: Start):
    def send(websocket: WebSocket) -> None:
        websocket.send_fragments(["a", "é"])
        websocket.send_fragments(iter([b"\xff"]))
        websocket.send_fragments([])

    with Peer.open(start(send).port) as peer:
        assert [peer.frame() for _ in range(3)] == [(False, TEXT, b"a"), (False, 0, "é".encode()), (True, 0, b"")]
        assert [peer.frame() for _ in range(2)] == [(False, BINARY, b"\xff"), (True, 0, b"")]
        assert peer.frame() == (True, BINARY, b"")


def test_a_message_that_cannot_be_completed_fails_the_connection(start: Start):
    def send(websocket: WebSocket) -> None:
        websocket.send_fragments([b"x", "y"])

    server = start(send)
    with Peer.open(server.port) as peer:
        assert peer.close_code() == 1011
    assert isinstance(server.raised.get(timeout=5), TypeError)


@pytest.mark.parametrize("size", [0, 125, 126, 8192, 8193, 65535, 65536, 3_000_000])
def test_any_buffer_is_sent_as_binary(start: Start, size: int):
    def send(websocket: WebSocket) -> None:
        websocket.send(memoryview(bytearray(size)).cast("B"))
        websocket.send(bytearray(size))

    with Peer.open(start(send).port) as peer:
        assert peer.message() == bytes(size)
        assert peer.message() == bytes(size)


def test_a_handler_may_ping(start: Start):
    def ping(websocket: WebSocket) -> None:
        websocket.ping(b"x" * 125)
        with pytest.raises(ValueError, match="125"):
            websocket.ping(b"x" * 126)

    server = start(ping)
    with Peer.open(server.port) as peer:
        assert peer.frame() == (True, PING, b"x" * 125)
        peer.send(frame(CLOSE))
    assert server.raised.get(timeout=5) is None


@INTERFACES
def test_1009_is_read_by_the_peer_though_megabytes_were_unread(start: Start, concurrent: bool):
    with Peer.open(start(concurrent=concurrent).port) as peer:
        peer.send(header(BINARY, 20 << 20) + bytes(20 << 20))
        assert peer.close_code() == 1009


def test_an_answer_to_a_ping_is_sent_by_the_thread_that_is_writing(start: Start):
    def push(websocket: WebSocket) -> None:
        assert websocket.receive() == "go"
        websocket.send(b"x" * 8_000_000)
        assert websocket.receive() == "end"

    server = start(push, concurrent=True, drop_incoming_pings=False)
    with Peer.open(server.port, receive_buffer=4096) as peer:
        peer.send(frame(TEXT, b"go"))
        peer.sock.recv(2, 2)  # MSG_PEEK: the large message is on its way
        peer.send(frame(PING, b"1") + frame(PING, b"2") + frame(TEXT, b"end"))
        assert len(peer.message()) == 8_000_000
        rest = list(iter(lambda: peer.frame().payload, b"\x03\xe8"))
        assert rest[-1] == b"2"
        peer.send(frame(CLOSE))
    assert server.raised.get(timeout=5) is None


def test_the_concurrent_interface_delivers_every_message_once(start: Start):
    with Peer.open(start(concurrent=True).port) as peer:
        sent = [f"{index}:{'x' * (index * 37 % 5000)}".encode() for index in range(500)]
        sender = threading.Thread(target=peer.send, args=(b"".join(frame(TEXT, data) for data in sent),))
        sender.start()
        assert sorted(peer.frame().payload for _ in sent) == sorted(sent)
        sender.join()


def test_the_concurrent_interface_reads_ahead_but_within_bounds(start: Start):
    def hold(websocket: WebSocket) -> None:
        assert isinstance(websocket, ConcurrentWebSocket)
        with websocket._waiting:
            assert websocket._waiting.wait_for(lambda: websocket._bytes >= 4000, 5)
            assert not websocket._waiting.wait_for(lambda: websocket._bytes > 4000, 0.2)
        for message in websocket:
            websocket.send(message)

    server = start(hold, concurrent=True, max_message_size=4000)
    with Peer.open(server.port) as peer:
        peer.send(frame(BINARY, b"x" * 1000) * 100 + frame(CLOSE))
        opcodes = [frame.opcode for frame in peer.frames()]
    assert opcodes.pop() == CLOSE
    assert set(opcodes) == {BINARY}


def test_threads_may_share_a_concurrent_connection(start: Start):
    def share(websocket: WebSocket) -> None:
        threads = [threading.Thread(target=work, args=(websocket,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def work(websocket: WebSocket) -> None:
        for message in websocket:
            websocket.send(message)

    server = start(share, concurrent=True)
    with Peer.open(server.port) as peer:
        peer.send(frame(TEXT, b"x" * 5000) * 100)
        assert [peer.message() for _ in range(100)] == ["x" * 5000] * 100
        peer.send(frame(CLOSE))
        assert peer.close_code() == 1005
    assert server.raised.get(timeout=5) is None


def test_a_handler_that_abandons_a_concurrent_connection_is_not_held_up(start: Start):
    def abandon(websocket: WebSocket) -> None:
        websocket.receive()

    with Peer.open(start(abandon, concurrent=True, max_message_size=1000).port) as peer:
        peer.send(frame(BINARY, b"x" * 1000) * 200)
        assert peer.frame().opcode == CLOSE
        peer.send(frame(CLOSE))
        assert list(peer.frames()) == []
