"""The client that probes drive, against real sockets that do as the test says."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable

import pytest

from harness.endpoint import Endpoint
from harness.engines.native.peer import KEY, Peer, close_payload, frame, header, masked_payload, payload
from harness.engines.native.wire import WireLog
from tests.harness.native import peers

SWITCHED = 101
Behave = Callable[[socket.socket], None]


def drive(behave: Behave, use: Callable[[Peer], Awaitable[object]], **options: object) -> Peer:
    """Let a peer, its handshake done, be used against a server that behaves so."""

    async def run(endpoint: Endpoint) -> Peer:
        peer = Peer(endpoint, WireLog(time.monotonic), **options)  # type: ignore[arg-type]
        await peer.connect()
        assert await peer.open()
        await use(peer)
        peer.drop()
        return peer

    with peers.Peer(behave) as server:
        return asyncio.run(run(server.endpoint))


async def wait(peer: Peer) -> None:
    await peer.end(5)


def test_a_frame_is_masked_with_one_key_and_its_content_is_the_pattern():
    octets = frame(2, payload(70_000))
    assert octets == header(2, 70_000) + masked_payload(70_000)
    assert octets[:14] == b"\x82\xff" + struct.pack("!Q", 70_000) + KEY


def test_messages_come_whole_whatever_pieces_they_come_in():
    def behave(sock: socket.socket) -> None:
        octets = peers.frame(0x02, b"ab") + peers.frame(0x89, b"!") + peers.frame(0x80, b"cd") + peers.frame(0x81, b"x")
        for octet in octets:
            sock.sendall(bytes([octet]))
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(4096):
            pass  # the pong, which unread would make a reset of the end

    peer = drive(behave, wait)
    assert [(m.opcode, m.payload, m.fragments) for m in peer.messages] == [(2, b"abcd", 2), (1, b"x", 1)]
    assert peer.counts[9] == 1
    assert peer.ended == "end of stream"


def test_pings_are_answered_unless_the_probe_says_not_to():
    def behave(sock: socket.socket) -> None:
        next(peers.frames(sock))
        sock.sendall(peers.frame(0x89, b"are you there?"))
        sock.settimeout(0.3)
        try:
            answers.append(next(peers.frames(sock)))
        except (TimeoutError, StopIteration):
            answers.append((0, b""))

    async def answer(peer: Peer) -> None:
        await peer.write(frame(2, b"go"))
        await peer.end(5)

    answers: list[tuple[int, bytes]] = []
    peer = drive(behave, answer)
    assert (answers.pop(), peer.longest_ping) == ((0x8A, b"are you there?"), 14)

    async def mute(peer: Peer) -> None:
        peer.answers_pings = False
        await answer(peer)

    drive(behave, mute)
    assert answers == [(0, b"")]


def test_a_pong_never_gets_inside_a_frame_that_is_being_written():
    def behave(sock: socket.socket) -> None:
        sock.recv(1, socket.MSG_PEEK)  # the frame is half written, and there is no room for more in the end
        sock.sendall(peers.frame(0x89, b"?"))
        came.extend(first for first, _ in zip(peers.frames(sock), range(2), strict=False))

    came: list[tuple[int, bytes]] = []

    async def write(peer: Peer) -> None:
        assert await peer.write(frame(2, payload(20 << 20)))
        await peer.end(5)

    drive(behave, write)
    assert [(first, len(content)) for first, content in came] == [(0x82, 20 << 20), (0x8A, 1)]


def test_a_close_frame_in_front_of_a_reset_is_read():
    def behave(sock: socket.socket) -> None:
        sock.recv(1)
        sock.sendall(peers.frame(0x88, b"\x03\xf1"))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()

    async def write(peer: Peer) -> None:
        peer.stop_reading()
        await peer.write(masked_payload(1 << 20), 1)
        peer.start_reading()
        await peer.end(5)

    peer = drive(behave, write)
    assert peer.ended == "reset"
    assert (peer.close_code, peer.how_refused()) == (1009, "close 1009")


def test_what_the_server_took_is_what_our_kernel_does_not_hold_any_more():
    done = threading.Event()

    async def fill(peer: Peer) -> None:
        assert not await peer.write(masked_payload(64 << 20), 0.2)  # nobody reads, so there is no room in the end
        assert 0 < peer.unsent() < peer.sent < 64 << 20
        done.set()
        await peer.end(5)

    def behave(sock: socket.socket) -> None:
        assert sock.fileno() > 0
        done.wait()

    peer = drive(behave, fill)
    assert peer.taken is not None
    assert peer.taken <= peer.sent


def test_a_flooding_server_is_not_read_any_further():
    def behave(sock: socket.socket) -> None:
        for _ in range(100):
            sock.sendall(peers.frame(0x82, bytes(1 << 20)))
            sent.append(1)

    sent: list[int] = []

    async def ignore(peer: Peer) -> None:
        await peer.end(1)

    peer = drive(behave, ignore, receive_buffer=65536)
    assert sum(len(message.payload) for message in peer.messages) < 66 << 20
    assert len(sent) < 100


async def look(peer: Peer) -> None:
    await peer.end(1)


def test_a_frame_that_announces_more_than_is_ever_held_ends_the_reading_and_is_no_refusal():
    peer = drive(lambda sock: sock.sendall(b"\x82\x7f" + struct.pack("!Q", 1 << 62)), look)
    assert peer.ended is None
    assert not peer.refused


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (b"", b"\x82\x00"),  # empty messages
        (b"\x02\x00", b"\x00\x00"),  # a message without an end, in empty fragments
        (b"\x02\x00", b"\x00\x7e\x40\x00" + bytes(16384)),  # the same with something in them
    ],
)
def test_a_flood_of_frames_of_any_kind_is_not_read_any_further(
    first: bytes, then: bytes, monkeypatch: pytest.MonkeyPatch
):
    def behave(sock: socket.socket) -> None:
        sock.sendall(first)
        for _ in range(2000):
            sock.sendall(then * (1 + 65536 // len(then)))
            sent.append(1)

    monkeypatch.setattr("harness.engines.native.peer._HELD", 1 << 20)
    sent: list[int] = []
    peer = drive(behave, look, receive_buffer=65536)
    assert len(sent) < 2000
    assert peer.ended is None
    assert len(peer.messages) * 256 < 66 << 20
    assert len(peer._message) < 2 << 20


def test_pongs_that_are_too_large_are_not_kept_as_such():
    def behave(sock: socket.socket) -> None:
        for _ in range(20):
            sock.sendall(peers.frame(0x8A, bytes(60_000)))

    peer = drive(behave, wait)
    assert (peer.counts[10], sum(map(len, peer.pongs))) == (20, 20 * 125)


@pytest.mark.parametrize("status", [b"9" * 5000, b"2000", b"OK", "\u0661\u0660\u0661".encode(), b""])
def test_a_status_that_is_none_is_none(status: bytes):
    async def run(endpoint: Endpoint) -> Peer:
        peer = Peer(endpoint, WireLog(time.monotonic))
        await peer.connect()
        assert not await peer.open()
        peer.drop()
        return peer

    with peers.Peer(lambda _: None, answer=b"HTTP/1.1 " + status + b" x\r\n\r\n") as server:
        assert asyncio.run(run(server.endpoint)).status == 0


def test_a_refused_opening_is_told_by_its_status_and_has_its_body():
    async def run(endpoint: Endpoint) -> Peer:
        peer = Peer(endpoint, WireLog(time.monotonic))
        await peer.connect()
        assert not await peer.open("Origin: https://evil.example")
        await peer.end(5)
        peer.drop()
        return peer

    answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"
    with peers.Peer(lambda _: None, answer=answer) as server:
        peer = asyncio.run(run(server.endpoint))
    assert (peer.status, bytes(peer.body), peer.how_refused()) == (403, b"no", "HTTP 403")
    assert b"\r\nOrigin: https://evil.example\r\n" in peer.request


def test_an_origin_that_the_endpoint_lets_in_is_in_the_request():
    async def run() -> bytes:
        peer = Peer(Endpoint("ws://127.0.0.1:1", origin="https://good.example"), WireLog(time.monotonic))
        peer.drop()
        return peer.opening_request()

    assert b"\r\nOrigin: https://good.example\r\n" in asyncio.run(run())


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1009, "too big")])
def test_a_close_payload_is_code_and_reason(code: int, reason: str):
    assert close_payload(code, reason) == struct.pack("!H", code) + reason.encode()


# What rules it breaks


def rules_broken(*octets: bytes) -> list[str]:
    async def read(peer: Peer) -> None:
        await peer.end(5)

    return drive(lambda sock: sock.sendall(b"".join(octets)), read).broken_rules


@pytest.mark.parametrize(
    ("octets", "rule"),
    [
        (b"\xc1\x01x", "a reserved bit and no extension for it"),
        (b"\x81\x81\0\0\0\0x", "a masked frame from a server"),
        (b"\x09\x00", "a fragmented control frame"),
        (b"\x89\x7e\x00\x7e" + bytes(126), "a control frame with more than 125 octets"),
        (b"\x8b\x00", "a reserved control opcode"),
        (b"\x88\x01x", "a close frame with one octet"),
        (b"\x83\x00", "a reserved data opcode"),
        (b"\x80\x00", "a continuation of nothing"),
        (b"\x01\x00\x81\x00", "a message inside another one"),
        (b"\x82\x7e\x00\x7d" + bytes(125), "a length that is not as short as it can be"),
        (b"\x82\x7f" + (126).to_bytes(8) + bytes(126), "a length that is not as short as it can be"),
        (b"\x88\x00\x81\x00", "a data frame behind its close frame"),
    ],
)
def test_a_rule_of_framing_that_is_broken_is_noted(octets: bytes, rule: str):
    assert rules_broken(octets) == [rule]


def test_what_breaks_none_is_not_noted():
    octets = (
        b"\x01\x01a",
        b"\x89\x00",
        b"\x00\x00",
        b"\x80\x01b",
        b"\x82\x7e\x00\x7e" + bytes(126),
        b"\x88\x02\x03\xe8",
    )
    assert rules_broken(*octets) == []


def test_control_frames_may_come_behind_a_close_frame():
    """RFC 6455 5.5.1: no more data frames; of others it says nothing."""
    assert rules_broken(b"\x88\x00", b"\x8a\x00", b"\x89\x00", b"\x88\x00") == []


def test_however_often_rules_are_broken_the_notes_are_bounded():
    assert len(rules_broken(b"\x83\x00" * 20_000)) < 1100


# What it holds, and where it connects


def test_its_user_says_how_much_it_holds_before_it_reads_no_more():
    def behave(sock: socket.socket) -> None:
        for _ in range(64):
            sock.sendall(peers.frame(0x82, bytes(1 << 20)))

    async def read(peer: Peer) -> None:
        await peer.end(0.5)

    assert len(drive(behave, read, most_held=2 << 20).messages) < 5


def test_a_frame_of_more_than_it_may_hold_is_not_waited_for():
    def behave(sock: socket.socket) -> None:
        sock.sendall(peers.frame(0x82, bytes(1 << 20)))

    async def read(peer: Peer) -> None:
        await peer.end(0.5)

    assert drive(behave, read, most_held=1 << 19).messages == deque()
    assert len(drive(behave, read, most_held=1 << 20).messages) == 1


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_name_is_tried_at_each_of_its_addresses(family: socket.AddressFamily, monkeypatch: pytest.MonkeyPatch):
    host = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}[family]
    with socket.create_server((host, 0), family=family) as listener:
        port = listener.getsockname()[1]

        async def both(*_: object, **__: object) -> list[tuple[object, ...]]:
            return [
                (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0)),
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
            ]

        async def run() -> str:
            monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", both)
            peer = Peer(Endpoint(f"ws://a.example:{port}"), WireLog(time.monotonic))
            await peer.connect()
            found = str(peer._socket.getpeername()[0])
            peer.drop()
            return found

        assert asyncio.run(run()) == host


def test_a_server_that_speaks_no_tls_where_it_should_is_told_in_time():
    async def run(endpoint: Endpoint) -> None:
        peer = Peer(endpoint, WireLog(time.monotonic))
        try:
            await peer.connect(0.5)
        finally:
            peer.drop()

    with peers.Peer(lambda _: None) as server:
        endpoint = Endpoint(server.endpoint.url.replace("ws:", "wss:"))
        with pytest.raises(TimeoutError):
            asyncio.run(run(endpoint))
