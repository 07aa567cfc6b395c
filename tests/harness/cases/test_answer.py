"""The answer to an opening request, read and judged."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cases.answer import Answer, accept, of_a_body, problems

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455 1.3
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
RIGHT = {
    "": "HTTP/1.1 101 Switching Protocols",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Accept": ACCEPT,
}


def answer(*more: str, changed: Mapping[int, str | None] = {}) -> Answer:
    """A right one, with lines in place of its own (0 is the status line; None: without it) and more of them."""
    lines = [f"{name}: {value}" if name else value for name, value in RIGHT.items()]
    kept = [changed.get(number, line) for number, line in enumerate(lines)]
    return Answer.read("\r\n".join([*filter(None, kept), *more]).encode("latin-1"))


def wrong(
    *more: str,
    protocols: tuple[str, ...] = (),
    changed: Mapping[int, str | None] = {},
) -> list[str]:
    return problems(answer(*more, changed=changed), KEY, protocols=protocols)


# Reading


def test_names_are_in_lower_case_and_values_without_the_whitespace_around_them():
    read = Answer.read(b"HTTP/1.1 101 x\r\nUPGRADE:  a b\t\r\nX-Empty:\r\nupgrade:c")
    assert (read.status_line, read.malformed) == ("HTTP/1.1 101 x", ())
    assert (read.all("upgrade"), read.all("x-empty"), read.all("x-none")) == (["a b", "c"], [""], [])


def test_lists_are_told_over_all_lines_without_what_is_empty():
    read = Answer.read(b"HTTP/1.1 101 x\r\nConnection: a, , b\r\nConnection:\r\nConnection: c,")
    assert read.items("connection") == ["a", "b", "c"]


@pytest.mark.parametrize(
    "line", [b"no colon", b": no name", b"a b: 1", b"Name : 1", b" Folded: 1", b"X: a\0b", b"X: a\rb", b"X: \x7f", b""]
)
def test_a_line_that_is_no_header_is_told(line: bytes):
    read = Answer.read(b"HTTP/1.1 101 x\r\nA: 1\r\n" + line)
    assert read.malformed == (line.decode("latin-1"),)


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary(max_size=400))
def test_any_octets_can_be_read_and_judged(octets: bytes):
    assert problems(Answer.read(octets), KEY) != []


@settings(deadline=None)  # a busy machine is no failure
@given(
    st.lists(st.binary(max_size=60).filter(lambda line: b"\r\n" not in line), max_size=5),
    st.sampled_from(["upgrade", "connection", "sec-websocket-accept", "content-length"]),
)
def test_what_stands_in_a_line_is_never_taken_for_another_one(lines: list[bytes], name: str):
    read = Answer.read(b"\r\n".join([b"HTTP/1.1 101 x", *lines]))
    assert len(read.headers) == len(lines)
    assert len(read.all(name)) == sum(line.partition(b":")[0].strip().lower() == name.encode() for line in lines)


# Judging


def test_the_accept_of_the_rfc_is_that_of_its_key():
    assert accept(KEY) == ACCEPT


def test_a_right_answer_has_no_problem():
    assert wrong() == []
    assert wrong("Date: today", "Server: x", changed={0: "HTTP/1.1 101 ", 1: "upgrade: WebSocket"}) == []
    assert wrong(changed={0: "HTTP/1.1 101", 2: "Connection: keep-alive, UPGRADE"}) == []


@pytest.mark.parametrize("line", ["HTTP/1.0 101 x", "HTTP/1.1 200 OK", "HTTP/1.1 1010", "http/1.1 101 x", "101", "x"])
def test_another_status_line_is_wrong(line: str):
    assert wrong(changed={0: line}) == [f"the status line is '{line}'"]


@pytest.mark.parametrize(
    ("number", "line", "words"),
    [
        (1, None, "it has no Upgrade"),
        (1, "Upgrade: h2c", "its Upgrade is 'h2c'"),
        (1, "Upgrade: websocket, h2c", "its Upgrade is 'websocket, h2c'"),
        (2, None, "it has no Connection"),
        (2, "Connection: close", "its Connection is 'close'"),
        (3, None, f"it has no Sec-WebSocket-Accept, not {ACCEPT}"),
        (3, "Sec-WebSocket-Accept: x", f"its Sec-WebSocket-Accept is 'x', not {ACCEPT}"),
        (3, f"Sec-WebSocket-Accept: {ACCEPT.lower()}", f"its Sec-WebSocket-Accept is '{ACCEPT.lower()}', not {ACCEPT}"),
    ],
)
def test_a_header_that_is_missing_or_says_something_else_is_wrong(number: int, line: str | None, words: str):
    assert wrong(changed={number: line}) == [words]


@pytest.mark.parametrize("name", ["Upgrade", "Sec-WebSocket-Accept"])
def test_a_header_that_is_there_twice_is_wrong(name: str):
    (words,) = wrong(f"{name}: {RIGHT[name]}")
    assert words.startswith(f"its {name} is '{RIGHT[name]}' and '{RIGHT[name]}'")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("no header", "a header line is malformed: 'no header'"),
        ("Sec-WebSocket-Protocol: chat", "it chose a subprotocol that was not offered: 'chat'"),
        ("Sec-WebSocket-Protocol:", "it chose a subprotocol that was not offered: ''"),
        ("Sec-WebSocket-Extensions: x-a; b", "it agreed to an extension that was not offered: 'x-a; b'"),
    ],
)
def test_what_a_101_must_not_have_is_wrong(line: str, words: str):
    assert wrong(line) == [words]


def test_what_it_says_of_a_body_is_told_apart_for_a_client_will_not_notice():
    said = answer("Content-Length: 0", "Transfer-Encoding: chunked")
    assert problems(said, KEY) == []
    assert of_a_body(said) == [
        "it has a Content-Length, which a 101 must not (RFC 9110 8.6)",
        "it has a Transfer-Encoding, which a 101 must not (RFC 9112 6.1)",
    ]
    assert of_a_body(answer()) == []


def test_of_the_subprotocols_that_were_offered_one_may_be_chosen_to_the_letter():
    offered = ("chat", "Superchat")
    assert wrong("Sec-WebSocket-Protocol: chat", protocols=offered) == []
    assert wrong("Sec-WebSocket-Protocol: superchat", protocols=offered) == [
        "it chose a subprotocol that was not offered: 'superchat'"
    ]
    assert wrong("Sec-WebSocket-Protocol: chat, Superchat", protocols=offered) == [
        "it chose a subprotocol that was not offered: 'chat, Superchat'"
    ]
    assert wrong("Sec-WebSocket-Protocol: chat", "Sec-WebSocket-Protocol: chat", protocols=offered) == [
        "it has several Sec-WebSocket-Protocol"
    ]


def test_extensions_that_were_offered_are_looked_at_elsewhere():
    agreed = answer("Sec-WebSocket-Extensions: permessage-deflate")
    assert problems(agreed, KEY, extensions_offered=True) == []


def test_all_that_is_wrong_is_told_at_once():
    assert len(wrong("x", changed={0: "HTTP/2 200", 1: None, 2: None, 3: None})) == 5


def test_what_would_move_a_cursor_is_shown_harmless():
    (words,) = wrong("X-Evil: \x1b[2J\x9b2J\u00ad")
    assert words == r"a header line is malformed: 'X-Evil: \x1b[2J\x9b2J\xad'"


def test_a_value_without_end_is_cut():
    (words,) = wrong(changed={2: f"Connection: {'x' * 60_000}"})
    assert len(words) < 200
