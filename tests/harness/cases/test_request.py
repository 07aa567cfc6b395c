"""An opening request that is changed into others."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cases.request import Request
from harness.endpoint import Endpoint
from refimpl import HandshakeError
from refimpl import parse_request as refimpls

NONCE = bytes(range(16))
RIGHT = Request.right(Endpoint("ws://a.example:9001/chat?x=1", origin="https://b.example"), NONCE)


def test_a_right_request_is_sent_as_the_rfc_has_it():
    assert RIGHT.octets() == (
        b"GET /chat?x=1 HTTP/1.1\r\n"
        b"Host: a.example:9001\r\n"
        b"Upgrade: websocket\r\n"
        b"Connection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\n"
        b"Sec-WebSocket-Version: 13\r\n"
        b"Origin: https://b.example\r\n"
        b"\r\n"
    )


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary(min_size=16, max_size=16))
def test_the_key_is_that_of_the_nonce_and_the_request_one_that_a_server_takes(nonce: bytes):
    request = Request.right(Endpoint("ws://a.example"), nonce)
    assert base64.b64decode(request.key) == nonce
    assert refimpls(request.octets()).headers["sec-websocket-key"] == request.key.decode()


def test_a_header_is_found_in_any_case_and_replaced_where_it_stands():
    changed = RIGHT.value("UPGRADE", "x", "y")
    assert changed.lines[1:4] == ("UPGRADE: x", "UPGRADE: y", "Connection: Upgrade")
    assert len(changed.lines) == len(RIGHT.lines) + 1


def test_a_header_may_be_taken_away():
    assert RIGHT.header("Host").lines[0] == "Upgrade: websocket"
    with pytest.raises(HandshakeError):
        refimpls(RIGHT.header("Host").octets())


def test_a_header_that_there_is_not_cannot_be_changed():
    with pytest.raises(LookupError, match="X-None"):
        RIGHT.value("X-None", "1")


def test_all_lines_of_a_header_are_replaced():
    twice = RIGHT.also("host: b.example")
    assert [line for line in twice.value("Host", "c.example").lines if "ost" in line] == ["Host: c.example"]


def test_what_is_added_comes_last_and_the_first_request_stays_as_it_was():
    before = RIGHT.octets()
    assert RIGHT.also("X-One: 1", "X-Two: 2").lines[-2:] == ("X-One: 1", "X-Two: 2")
    assert RIGHT.octets() == before


def test_a_body_stands_behind_the_empty_line():
    assert replace(RIGHT, body=b"hello").octets().endswith(b"\r\n\r\nhello")


def test_a_resource_that_latin_1_does_not_have_is_sent_all_the_same():
    octets = Request.right(Endpoint("ws://a.example/\N{EURO SIGN}"), NONCE).octets()
    assert octets.startswith(b"GET /? HTTP/1.1\r\n")
