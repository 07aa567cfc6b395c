"""What the cases that talk have for it, with peers that do each thing."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cases import talk as talks
from harness.cases.talk import Family, Finding, Talk, difference, failed, informational, non_strict, ok, shown
from harness.engines.native.peer import Message, Peer
from tests.harness.cases.servers import Behave, Server, hold, reset, saying, talked
from tests.harness.native.peers import echo, frame, frames

Use = Callable[[Talk, Peer], Awaitable[Finding | None]]


def finding(use: Use, behave: Behave = echo, *, patience: float = 0.3) -> tuple[str, str, bool]:
    """What comes of a connection: behavior, words, and whether a clock had to do with it."""

    async def run(talk: Talk) -> Finding:
        return await use(talk, await talk.open()) or ok("")

    with Server(behave=behave) as server:
        found, talk = talked(server, run, patience=patience)
    return str(found.behavior), found.words, talk.timed


def sends(*octets: bytes) -> Behave:
    """Send this at once, then read until the client has gone."""

    def behave(peer: socket.socket) -> None:
        peer.sendall(b"".join(octets))
        hold(peer)

    return behave


async def echoes(talk: Talk, peer: Peer) -> None:
    await talk.echo(peer, b"Hello")


async def fails(talk: Talk, peer: Peer) -> Finding:
    return await talk.fails(peer)


# Findings


def test_a_broken_must_fails_a_broken_should_is_not_strict_and_what_is_open_informs():
    found = [one("why") for one in (ok, failed, non_strict, informational)]
    assert [str(one.behavior) for one in found] == ["OK", "FAILED", "NON-STRICT", "INFORMATIONAL"]
    assert {one.words for one in found} == {"why"}


# An echo


def test_a_message_that_comes_back_is_the_same():
    assert finding(echoes) == ("OK", "", False)


def test_nothing_comes_back_and_a_clock_decided_it():
    assert finding(echoes, hold) == ("FAILED", "Nothing came back within 0.3 s.", True)


@pytest.mark.parametrize(
    ("behave", "how"),
    [
        (sends(frame(0x88, b"\x03\xf1bye")), "with a close frame (1009)"),
        (sends(frame(0x88, b"")), "with a close frame"),
        (lambda peer: peer.recv(64), "by ending TCP"),
        (reset, "by a TCP reset"),
    ],
)
def test_an_end_in_place_of_an_echo_is_told(behave: Behave, how: str):
    words = f"In place of an answer the server ended the connection {how}."
    assert finding(echoes, behave) == ("FAILED", words, False)


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (frame(0x82, b"Hello"), "A message came back with opcode 2 in place of 1."),
        (frame(0x81, b"Hellu"), "Octet 4 of 5 came back as 0x75, not 0x6f."),
        (frame(0x81, b"Hell"), "4 octets came back in place of 5: 'Hell' (4 octets)."),
        (frame(0x81, b""), "0 octets came back in place of 5: '' (0 octets)."),
    ],
)
def test_another_message_is_told_by_what_differs(octets: bytes, words: str):
    assert finding(echoes, sends(octets)) == ("FAILED", words, False)


def test_a_long_message_may_take_longer(monkeypatch: pytest.MonkeyPatch):
    """Half a mebibyte a second is enough; here as many octets as make half a second of that."""
    monkeypatch.setattr(talks, "_PACE", 20_000)

    async def much(talk: Talk, peer: Peer) -> None:
        await talk.echo(peer, bytes(10_000), 2)

    def slow(peer: socket.socket) -> None:
        for first, payload in frames(peer):
            time.sleep(0.5)
            peer.sendall(frame(first, payload))

    assert finding(much, slow) == ("OK", "", False)
    assert finding(much, hold) == ("FAILED", "Nothing came back within 0.8 s.", True)


def test_a_frame_that_announces_more_than_can_be_asked_for_is_not_waited_for():
    gibibyte = b"\x81\x7f" + (1 << 30).to_bytes(8) + b"x" * 1000
    words = "It sends a frame of 1,073,741,824 octets, which nobody asked for."
    assert finding(echoes, sends(gibibyte), patience=60) == ("FAILED", words, False)


def test_a_server_that_does_not_read_is_given_up_when_it_takes_nothing_any_more(monkeypatch: pytest.MonkeyPatch):
    async def much(talk: Talk, peer: Peer) -> None:
        write = peer.write
        monkeypatch.setattr(peer, "write", lambda octets, **options: write(octets, 0.3, **options))
        await talk.echo(peer, bytes(32 << 20), 2)

    ended = threading.Event()

    def deaf(_: socket.socket) -> None:
        ended.wait(20)

    behavior, words, timed = finding(much, deaf, patience=60)
    ended.set()
    words_then = "It stopped reading before it had the message of 33,554,432 octets."
    assert (behavior, words, timed) == ("FAILED", words_then, True)


def test_pings_and_fragments_in_between_do_not_matter():
    octets = frame(0x89, b"ping") + frame(0x01, b"Hel") + frame(0x8A, b"") + frame(0x80, b"lo")
    assert finding(echoes, sends(octets)) == ("OK", "", False)


# Opening


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 503 x\r\n\r\n", "HTTP 503"),
        (b"HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n", "its Upgrade header is 'h2c'"),
        (b"", "end of stream"),
    ],
)
def test_a_server_that_does_not_open_fails_and_is_asked_again(answer: bytes, words: str):
    """It may turn connections away when there are many."""

    async def run(talk: Talk) -> Finding:
        await talk.open()
        return ok("opened")

    with Server(saying(answer), lambda _: None) as server:
        found, talk = talked(server, run)
    assert found == failed(f"The opening handshake was not completed: {words}.")
    assert talk.timed


def test_each_connection_after_the_first_is_told_in_the_wire_log():
    async def run(talk: Talk) -> Finding:
        for _ in range(3):
            await talk.close(await talk.open())
        return ok("")

    with Server() as server:
        _, talk = talked(server, run)
    assert [event.note for event in talk.wire.events() if event.kind == "note" and "connection" in event.note] == [
        "connection 2",
        "connection 3",
    ]
    assert [peer.close_code for peer in talk.peers] == [1000] * 3


def test_no_connection_is_left_over():
    async def run(talk: Talk) -> Finding:
        await talk.open()
        await talk.open()
        return ok("")

    with Server() as server:
        _, talk = talked(server, run)
    assert [peer._socket.fileno() for peer in talk.peers] == [-1, -1]


# Failing the connection


@pytest.mark.parametrize(
    ("behave", "expected"),
    [
        (sends(frame(0x88, b"\x03\xea")), ("OK", "It failed the connection with a close frame (1002).")),
        (sends(frame(0x88, b"")), ("OK", "It closed the connection with no code; 1002 would say why.")),
        (
            sends(frame(0x88, b"\x03\xe8")),
            ("NON-STRICT", "It closed the connection with the code 1000; 1002 would say why."),
        ),
        (lambda _: None, ("OK", "It failed the connection by ending TCP.")),
        (reset, ("OK", "It failed the connection by a TCP reset.")),
        (
            sends(frame(0x81, b"good")),
            ("FAILED", "It took what it must not take and answered with 'good' (4 octets)."),
        ),
    ],
)
def test_whether_and_how_a_connection_was_failed(behave: Behave, expected: tuple[str, str]):
    assert finding(fails, behave) == (*expected, False)


def test_a_connection_that_stays_open_was_not_failed_and_a_clock_decided_it():
    words = "It took what it must not take: the connection was still open after 0.3 s."
    assert finding(fails, hold) == ("FAILED", words, True)


def test_what_it_took_and_which_codes_are_right_is_the_case_s_business():
    async def of_text(talk: Talk, peer: Peer) -> Finding:
        return await talk.fails(peer, (1007, 1002), what="It took Latin-1")

    assert finding(of_text, sends(frame(0x88, b"\x03\xef")))[0] == "OK"
    assert finding(of_text, sends(frame(0x88, b"\x03\xe8")))[1].endswith("1002 or 1007 would say why.")
    assert finding(of_text, sends(frame(0x81, b"x")))[1].startswith("It took Latin-1 and answered with 'x'")


# Waiting


def test_what_comes_in_time_is_not_timed_and_what_does_not_is():
    async def waits(talk: Talk, peer: Peer) -> Finding:
        return ok(str(await talk.waits(peer, lambda: bool(peer.messages), 0.2)))

    assert finding(waits, sends(frame(0x81, b"x"))) == ("OK", "True", False)
    assert finding(waits, hold) == ("OK", "False", True)


def test_a_condition_that_holds_already_is_not_waited_for():
    async def waits(talk: Talk, peer: Peer) -> Finding:
        began = time.monotonic()
        assert await talk.waits(peer, lambda: True)
        return ok(str(time.monotonic() - began < 0.2))

    assert finding(waits, hold, patience=5)[1] == "True"


def test_quiet_is_given_to_a_server_that_is_there_and_no_longer():
    async def quiet(talk: Talk, peer: Peer) -> Finding:
        began = time.monotonic()
        await talk.quiet(peer)
        return ok(str(time.monotonic() - began > 0.2))

    assert finding(quiet, hold)[1] == "True"
    assert finding(quiet, lambda _: None)[1] == "False"


def test_closing_waits_for_the_server_to_end_tcp():
    async def close(talk: Talk, peer: Peer) -> Finding:
        await talk.close(peer, 1001)
        return ok(f"{peer.close_code} {peer.ended}")

    assert finding(close)[1] == "1001 end of stream"


# Words


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary(max_size=100))
def test_whatever_a_server_sends_is_shown_in_printable_characters(payload: bytes):
    words = shown(payload)
    assert words.isprintable()
    assert words.endswith(f"' ({len(payload):,} octets)")


def test_a_payload_that_would_clear_the_screen_does_not():
    assert shown(b"\x1b[2J\x9b2J") == r"'\x1b[2J\x9b2J' (7 octets)"


def test_a_long_payload_is_cut():
    assert shown(b"x" * 5000) == f"'{'x' * 60}…' (5,000 octets)"


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary(max_size=40), st.binary(max_size=40), st.sampled_from([1, 2]), st.sampled_from([1, 2]))
def test_messages_differ_where_opcode_or_payload_do(one: bytes, other: bytes, opcode: int, wanted: int):
    words = difference(Message(opcode, one, compressed=False, fragments=1), other, wanted)
    assert (words is None) == ((one, opcode) == (other, wanted))
    assert words is None or words.isprintable()


# Declaring


def test_cases_are_numbered_as_they_are_declared():
    family = Family("H.9")

    async def talk(_: Talk) -> Finding:
        return ok("")

    assert family.case("One.", "It is.", "RFC 6455 4.1")(talk) is talk
    family.case("Two.", "It is.", "RFC 6455 4.2", "RFC 6455 4.3", bulk=True)(talk)
    first, second = family.cases
    assert (first.id, first.title, first.expects, first.clauses, first.talk) == (
        "H.9.1", "One.", "It is.", ("RFC 6455 4.1",), talk,
    )  # fmt: skip
    assert (second.id, second.clauses, first.bulk, second.bulk) == (
        "H.9.2", ("RFC 6455 4.2", "RFC 6455 4.3"), False, True,
    )  # fmt: skip
