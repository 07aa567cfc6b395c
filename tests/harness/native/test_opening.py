"""The opening handshake from the client's end (RFC 6455 4.1, 4.2.2; RFC 7692 5.1, 7.1)."""

from __future__ import annotations

import pytest

from harness import __version__
from harness.endpoint import Endpoint
from harness.engines.native.opening import Deflate, OpeningError, check, request

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455 1.3
ACCEPT = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
GOOD = ("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", ACCEPT)
OFFER = "permessage-deflate; client_max_window_bits"


def answered(*lines: str, offer: str = "") -> Deflate | None:
    return check("\r\n".join(lines).encode(), KEY, offer)


def extended(extensions: str, offer: str = OFFER) -> Deflate | None:
    return answered(*GOOD, f"Sec-WebSocket-Extensions: {extensions}", offer=offer)


def test_the_request_is_the_one_of_rfc_6455_4_1():
    assert request(Endpoint("ws://user:secret@example.com:9001/chat?room=1"), KEY, "").decode().split("\r\n") == [
        "GET /chat?room=1 HTTP/1.1",
        "Host: example.com:9001",
        f"User-Agent: wsconform/{__version__}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Pragma: no-cache",
        "Cache-Control: no-cache",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        "",
        "",
    ]


def test_extensions_are_offered_where_there_is_an_offer():
    lines = request(Endpoint("ws://localhost:1"), KEY, OFFER).decode().split("\r\n")
    assert lines[-3:] == ["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits", "", ""]


def test_the_answer_of_rfc_6455_1_3_will_do():
    assert answered(*GOOD) is None


@pytest.mark.parametrize(
    "lines",
    [
        ("HTTP/1.1 101", *GOOD[1:]),
        (GOOD[0], "upgrade: WebSocket", "CONNECTION: keep-alive, upgrade", ACCEPT),
        (GOOD[0], GOOD[1], "Connection: keep-alive", "Connection: Upgrade", ACCEPT),
        (*GOOD, "Server: x", "no colon here"),
        (*GOOD, "Sec-WebSocket-Extensions:"),
    ],
    ids=["no words", "case", "two Connection headers", "other headers", "no extension"],
)
def test_an_answer_may_be_written_in_other_ways(lines: tuple[str, ...]):
    assert answered(*lines) is None


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (("HTTP/1.1 200 OK", *GOOD[1:]), "it refused the opening handshake: 'HTTP/1.1 200 OK'"),
        (("HTTP/1.0 101 Switching Protocols", *GOOD[1:]), "it refused the opening handshake"),
        (("HTTP/1.1", *GOOD[1:]), "it refused the opening handshake"),
        (("",), "its answer to the opening handshake is no text"),
        ((GOOD[0], *GOOD[2:]), "its Upgrade header is ''"),
        ((GOOD[0], "Upgrade: h2c", *GOOD[2:]), "its Upgrade header is 'h2c'"),
        ((GOOD[0], "Upgrade: websocket", "Upgrade: websocket", *GOOD[2:]), "its header upgrade is there 2 times"),
        ((*GOOD[:2], ACCEPT), "its Connection header does not say Upgrade"),
        ((*GOOD[:2], "Connection: Upgrades", ACCEPT), "its Connection header does not say Upgrade"),
        (GOOD[:3], "its Sec-WebSocket-Accept is wrong"),
        ((*GOOD[:3], ACCEPT.lower()), "its Sec-WebSocket-Accept is wrong"),
        ((*GOOD, ACCEPT), "its header sec-websocket-accept is there 2 times"),
        ((*GOOD, "Sec-WebSocket-Protocol: chat"), "it chose a subprotocol that was not offered"),
        ((*GOOD, "Sec-WebSocket-Extensions: permessage-deflate"), "not offered: 'permessage-deflate'"),
    ],
)
def test_a_client_does_not_go_on_with_such_an_answer(lines: tuple[str, ...], problem: str):
    with pytest.raises(OpeningError) as caught:
        answered(*lines)
    assert problem in str(caught.value)


def test_an_answer_that_is_no_text_is_refused():
    with pytest.raises(OpeningError, match="is no text"):
        check(b"HTTP/1.1 101 \xff\r\n", KEY, "")


def test_what_a_peer_sent_is_made_safe_to_show():
    with pytest.raises(OpeningError) as caught:
        answered("HTTP/1.1 200 \x1b[2J" + "x" * 200)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 150


@pytest.mark.parametrize(
    ("extensions", "expected"),
    [
        ("permessage-deflate", Deflate()),
        ("Permessage-Deflate ; Server_No_Context_Takeover", Deflate(server_no_context_takeover=True)),
        ("permessage-deflate; client_no_context_takeover", Deflate(client_no_context_takeover=True)),
        ("permessage-deflate; server_max_window_bits=8", Deflate(server_max_window_bits=8)),
        ('permessage-deflate; client_max_window_bits="10"', Deflate(client_max_window_bits=10)),
        (
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9",
            Deflate(True, True, 9, 15),
        ),
    ],
)
def test_what_was_agreed_of_permessage_deflate_is_read(extensions: str, expected: Deflate):
    assert extended(extensions) == expected


@pytest.mark.parametrize(
    ("extensions", "problem"),
    [
        ("permessage-bzip2", "it chose an extension that was not offered: 'permessage-bzip2'"),
        ("permessage-deflate, permessage-deflate", "it chose permessage-deflate twice"),
        ("permessage-deflate; server_max_window_bits", "an illegal parameter"),
        ("permessage-deflate; server_max_window_bits=7", "an illegal parameter"),
        ("permessage-deflate; client_max_window_bits=16", "an illegal parameter"),
        ("permessage-deflate; client_max_window_bits=09", "an illegal parameter"),
        ("permessage-deflate; client_max_window_bits", "an illegal parameter"),
        ("permessage-deflate; server_no_context_takeover=1", "an illegal parameter"),
        ("permessage-deflate; unknown", "an illegal parameter of permessage-deflate: 'unknown'"),
        ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", "twice"),
        ("permessage-deflate; server_max_window_bits=9; server_max_window_bits=10", "server_max_window_bits twice"),
    ],
)
def test_an_answer_that_breaks_rfc_7692_7_1_is_refused(extensions: str, problem: str):
    with pytest.raises(OpeningError) as caught:
        extended(extensions)
    assert problem in str(caught.value)
