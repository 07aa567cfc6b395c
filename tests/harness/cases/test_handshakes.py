"""What the cases of H judge by, against servers that answer each in its own way."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.cases import handshakes
from harness.cases.handshakes import accepted, asked, either, refused
from harness.cases.talk import Finding, Talk, non_strict, ok
from tests.harness.cases.servers import Answer, Behave, Server, hold, reset, right, saying, talked, with_status
from tests.harness.native.peers import echo, frame, frames

SILENT: Answer = lambda _: None  # noqa: E731 - a server's answer, as the others are
GARBAGE = saying(b"\x00\xff\x16\x03garbage\r\n\r\n")
VERSIONS = ("426 Upgrade Required", "Sec-WebSocket-Version: 13")


def finding(use: Callable[[Talk], object], answer: Answer, behave: Behave = echo) -> tuple[str, str, bool]:
    """Behavior, words, and whether a clock had to do with it."""
    with Server(answer, behave) as server:
        found, talk = talked(server, use, patience=0.3)  # type: ignore[arg-type]
    return str(found.behavior), found.words, talk.timed


def accepting(answer: Answer, behave: Behave = echo, **options: object) -> tuple[str, str, bool]:
    return finding(lambda talk: accepted(talk, talk.request(), **options), answer, behave)  # type: ignore[arg-type]


def refusing(answer: Answer, behave: Behave = lambda _: None, **options: bool) -> tuple[str, str, bool]:
    return finding(lambda talk: refused(talk, talk.request(), **options), answer, behave)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshakes, "_HESITATION_S", 0.3)


# Asking


def test_a_request_in_pieces_is_sent_as_the_pieces_are_and_kept_as_it_was_sent():
    async def ask(talk: Talk) -> Finding:
        octets = talk.request().octets().replace(b"\r\n", b"\n")
        peer = await asked(talk, talk.request(), pieces=[octets[:10], octets[10:], b"\r\n\r\n"])
        assert peer.request == octets + b"\r\n\r\n"
        return ok(str(peer.status))

    with Server(with_status("400 x"), lambda _: None) as server:
        assert talked(server, ask)[0].words == "400"
        assert server.requests[0].count(b"\r\n") == 2


def test_each_request_of_a_case_is_the_same_in_every_run_and_none_is_the_other():
    async def ask(talk: Talk) -> Finding:
        for _ in range(2):
            await accepted(talk, talk.request())
        return ok("")

    with Server() as server:
        for _ in range(2):
            talked(server, ask)
        first, second, third, fourth = server.requests
    assert (first, second) == (third, fourth)
    assert first != second


# What has to be accepted


def test_a_right_answer_and_an_echo_pass():
    assert accepting(right) == ("OK", "It was accepted, and a message came back.", False)


def test_a_wrong_accept_fails_and_is_named():
    behavior, words, _ = accepting(lambda request: right(request).replace(b"Accept: ", b"Accept: x"))
    assert behavior == "FAILED"
    assert words.startswith("Its answer is wrong: its Sec-WebSocket-Accept is 'x")


@pytest.mark.parametrize("status", [400, 403, 426, 500, 200, 301, 100])
def test_another_status_fails(status: int):
    assert accepting(with_status(f"{status} x"), lambda _: None) == (
        "FAILED",
        f"It was not accepted: HTTP {status}.",
        False,
    )


def test_what_need_not_be_accepted_may_be_judged_less_strictly():
    assert accepting(with_status("400 x"), lambda _: None, breaks=non_strict)[0] == "NON-STRICT"


@pytest.mark.parametrize(
    ("answer", "behave", "words"),
    [
        (SILENT, hold, "It was not accepted: no answer within 5 s."),
        (SILENT, reset, "It was not accepted: reset."),
        (SILENT, lambda _: None, "It was not accepted: end of stream."),
    ],
)
def test_without_an_answer_it_fails_and_is_tried_again(answer: Answer, behave: Behave, words: str):
    """The server may have been slow, or have had too many connections."""
    assert accepting(answer, behave) == ("FAILED", words, True)


def test_garbage_is_no_answer():
    assert accepting(GARBAGE, lambda _: None)[:2] == ("FAILED", "It was not accepted: HTTP 0.")


def test_a_connection_that_does_not_work_then_fails():
    def deaf(peer: socket.socket) -> None:
        for _ in frames(peer):
            pass

    def closes(peer: socket.socket) -> None:
        peer.sendall(frame(0x88, b"\x03\xf3"))

    assert accepting(right, deaf) == ("FAILED", "Nothing came back within 0.3 s.", True)
    assert accepting(right, closes)[:2] == (
        "FAILED",
        "In place of an answer the server ended the connection with a close frame (1011).",
    )


# What must not be accepted


def test_a_400_is_what_it_should_be():
    assert refusing(with_status("400 x")) == ("OK", "It was refused with HTTP 400.", False)


def test_what_must_not_be_accepted_fails_where_it_is():
    assert refusing(right) == ("FAILED", "It was accepted with 101.", False)
    assert refusing(right, breaks=non_strict)[0] == "NON-STRICT"  # type: ignore[arg-type]


@pytest.mark.parametrize(("status", "behavior"), [(404, "OK"), (426, "OK"), (200, "NON-STRICT"), (500, "NON-STRICT")])
def test_any_status_of_4xx_will_do_and_others_do_not_say_whose_mistake_it_is(status: int, behavior: str):
    assert refusing(with_status(f"{status} x"))[0] == behavior


@pytest.mark.parametrize(("status", "behavior"), [(400, "OK"), (404, "NON-STRICT"), (426, "NON-STRICT")])
def test_where_a_clause_names_400_another_one_is_not_strict(status: int, behavior: str):
    assert refusing(with_status(f"{status} x"), status_400=True)[0] == behavior


@pytest.mark.parametrize("status", [200, 301, 404, 500])
def test_what_is_no_opening_handshake_may_have_any_answer(status: int):
    assert refusing(with_status(f"{status} x"), any_answer=True)[0] == "OK"
    assert refusing(right, any_answer=True)[0] == "FAILED"


@pytest.mark.parametrize(
    ("headers", "behavior"),
    [
        (("Sec-WebSocket-Version: 13",), "OK"),
        (("sec-websocket-version: 8, 13",), "OK"),
        (("Sec-WebSocket-Version: 8", "Sec-WebSocket-Version: 13"), "OK"),
        ((), "FAILED"),
        (("Sec-WebSocket-Version: 8",), "FAILED"),
        (("Sec-WebSocket-Version: 113",), "FAILED"),
    ],
)
def test_where_the_version_is_wrong_the_answer_has_to_list_ours(headers: tuple[str, ...], behavior: str):
    assert refusing(with_status("426 Upgrade Required", *headers), version=True)[0] == behavior
    assert refusing(with_status("426 Upgrade Required", *headers))[0] == "OK"


def test_an_end_without_an_answer_does_not_say_why():
    words = "It was refused by ending TCP, without an HTTP answer that says why."
    assert refusing(SILENT) == ("NON-STRICT", words, True)
    assert refusing(SILENT, reset)[:2] == ("NON-STRICT", words.replace("ending TCP", "a TCP reset"))


def test_silence_is_neither():
    began = time.monotonic()
    behavior, words, timed = refusing(SILENT, hold)
    assert (behavior, words, timed) == ("NON-STRICT", "It was neither accepted nor refused within 0.3 s.", True)
    assert time.monotonic() - began < 3


def test_garbage_refuses_without_saying_why():
    assert refusing(GARBAGE)[0] == "NON-STRICT"


def test_an_answer_without_end_is_not_waited_for():
    def endless(peer: socket.socket) -> None:
        while True:
            peer.sendall(b"X-More: " + b"y" * 4000 + b"\r\n")

    assert refusing(saying(b"HTTP/1.1 400 x\r\n"), endless)[0] == "OK"


# What may be the one or the other


def choosing(answer: Answer, behave: Behave = echo, **options: bool) -> tuple[str, str, bool]:
    def use(talk: Talk) -> object:
        request = replace(talk.request().also("Content-Length: 2"), body=b"hi")
        return either(talk, request, body_pending=True, **options)  # type: ignore[arg-type]

    return finding(use, answer, behave)


def without_the_body(peer: socket.socket) -> None:
    peer.recv(2)
    echo(peer)


def test_both_an_echo_and_a_refusal_pass():
    assert choosing(right, without_the_body) == ("OK", "It was accepted, and a message came back.", False)
    assert choosing(with_status("400 x"), lambda _: None) == ("OK", "It was refused with HTTP 400.", False)


def test_accepted_and_misunderstood_fails():
    behavior, words, _ = choosing(right)  # the first two octets of the body are the header of a frame
    assert behavior == "FAILED"
    assert words == "It was accepted with 101, and then what stood before the first frame was taken for frames."
    assert choosing(right, hold)[2]  # a clock decided that nothing came


def test_a_wrong_answer_fails():
    behavior, words, _ = choosing(lambda request: right(request, b"Content-Length: 0"))
    assert (behavior, "it has a Content-Length" in words) == ("FAILED", True)


def test_no_answer_is_not_strict():
    assert choosing(SILENT, hold) == ("NON-STRICT", "It was not answered.", True)
    assert choosing(SILENT, reset)[:2] == ("NON-STRICT", "It was refused by a TCP reset, without an HTTP answer.")
