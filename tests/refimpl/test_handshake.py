from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refimpl import HandshakeError, accept_key, parse_request, refusal_response, split_request, upgrade_response
from tests.refimpl.peer import request

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455 1.3


def refusal(head: bytes) -> HandshakeError:
    with pytest.raises(HandshakeError) as caught:
        parse_request(head)
    return caught.value


def test_the_accept_key_is_the_rfcs():
    assert accept_key(KEY) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_the_response_is_the_rfcs():
    response = upgrade_response(parse_request(request(Sec_WebSocket_Key=KEY)))
    assert response == (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    )


def test_a_request_has_its_path_its_origin_and_its_headers():
    parsed = parse_request(request(path="/chat?room=1", Origin="https://example.com", X_A="b"))
    assert parsed.path == "/chat?room=1"
    assert parsed.origin == "https://example.com"
    assert parsed.headers["x-a"] == "b"
    assert parse_request(request()).origin is None


def test_header_names_and_tokens_are_case_insensitive_and_may_take_several_lines():
    head = (
        f"GET / HTTP/1.1\r\nHOST:h\r\nupgrade: h2c,\tWEBSOCKET \r\nConnection: keep-alive\r\nCONNECTION: uPGRADE\r\n"
        f"sec-websocket-key:{KEY}\r\nSEC-WEBSOCKET-VERSION:   13\r\nX-Empty:\r\n\r\n"
    )
    parsed = parse_request(head.encode())
    assert parsed.headers["connection"] == "keep-alive, uPGRADE"
    assert parsed.headers["x-empty"] == ""


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1 \r\n\r\n", 400),
        (request().replace(b"Host: localhost", b"Host : localhost"), 400),
        (request().replace(b"Host: localhost", b"Host: local\0host"), 400),
        (request().replace(b"Host: localhost", b"Host: local\nhost"), 400),
        (request().replace(b"Host: localhost", b"Host: a\r\n b"), 400),
        (request().replace(b"Host: localhost", b"Host: a\r\nHost: b"), 400),
        (request(without="Host"), 400),
        (request(without="Connection"), 400),
        (request(Connection="close"), 400),
        (request(without="Sec-WebSocket-Key"), 400),
        (request(Sec_WebSocket_Key="short"), 400),
        (request(Sec_WebSocket_Key="\xe9" * 24), 400),
        (request(Sec_WebSocket_Key="AAAA"), 400),
        (request(Content_Length="5"), 400),
        (request(Transfer_Encoding="chunked"), 400),
        (request().replace(b"GET", b"POST"), 405),
        (request().replace(b"GET", b"HEAD"), 405),
        (request(without="Upgrade"), 426),
        (request(Upgrade="h2c"), 426),
        (request(without="Sec-WebSocket-Version"), 426),
        (request(Sec_WebSocket_Version="8"), 426),
        (request(Sec_WebSocket_Version="013"), 426),
        (request(Host="a b"), 400),
        (request(Host="a/b"), 400),
        (request(Host="a:port"), 400),
        (request(Host="a,b:1:2"), 400),
        (request(Host="[::1"), 400),
        (b"\r\n\r\n" + request(), 400),
        (request().replace(b"HTTP/1.1", b"http/1.1"), 400),
        (request().replace(b"HTTP/1.1", b"HTTP/1.0"), 505),
        (request().replace(b"HTTP/1.1", b"HTTP/2.0"), 505),
    ],
)
def test_a_request_that_is_wrong_is_refused_with_its_status(head: bytes, status: int):
    assert refusal(head).status == status


def test_a_refusal_names_what_is_required():
    assert refusal(request(Sec_WebSocket_Version="8")).headers == (
        ("Sec-WebSocket-Version", "13"),
        ("Upgrade", "websocket"),  # RFC 9110 15.5.22, whatever it is that is required
        ("Connection", "Upgrade"),
    )
    assert ("Upgrade", "websocket") in refusal(request(without="Upgrade")).headers
    assert refusal(request().replace(b"GET", b"PUT")).headers == (("Allow", "GET"),)


@pytest.mark.parametrize("host", ["a", "a.example:80", "127.0.0.1:", "[::1]:9001", "xn--a_b~c", "a%20b", "a,b"])
def test_a_host_with_or_without_a_port_is_one(host: str):
    assert parse_request(request(Host=host)).headers["host"] == host


def test_an_empty_line_before_the_request_is_ignored():
    assert parse_request(b"\r\n" + request(path="/a")).path == "/a"


def test_a_later_minor_version_of_http_is_taken_for_1_1():
    assert parse_request(request(path="/a").replace(b"HTTP/1.1", b"HTTP/1.9")).path == "/a"


@pytest.mark.parametrize(
    "offers",
    [
        "",
        " ",
        ",",
        "a",
        "a, b",
        "a;b",
        "a ; b = c , d",
        'a; b="c"',
        'a; b="\\c\\d"',
        ",a,,b;c=d; e,",
        "a;b=1;b=2",
        "a\t;\tb",
    ],
)
def test_a_list_of_extensions_may_be_offered(offers: str):
    """RFC 6455 9.1; it speaks none of them."""
    parsed = parse_request(request(Sec_WebSocket_Extensions=offers))
    assert b"xtensions" not in upgrade_response(parsed)


@pytest.mark.parametrize(
    "offers",
    [
        ";", "a;", "a;;b", "a;=b", "a;b=", "a b", "a;b c", "=", 'a;b="', 'a;b=""', 'a;b="c', 'a;b="c d"', 'a;"b"',
        "a;b=c=d", '"a"', "a\u00e4", "a/b", "a;b=c/d",
    ],
)  # fmt: skip
def test_what_is_no_list_of_extensions_is_refused(offers: str):
    """RFC 6455 9.1: who receives one fails the connection, also if it would have chosen none of them."""
    assert refusal(request(Sec_WebSocket_Extensions=offers)).status == 400


@pytest.mark.parametrize("protocols", ["chat", "chat, superchat", ",a,,b ,", "!#$%&'*+-.^_`|~9", "a\t,\tb"])
def test_a_list_of_subprotocols_may_be_offered(protocols: str):
    """RFC 6455 11.3.4; it chooses none of them."""
    assert b"rotocol:" not in upgrade_response(parse_request(request(Sec_WebSocket_Protocol=protocols)))


@pytest.mark.parametrize("protocols", ["", " ", ",", "a b", "a/b", '"a"', "a;b", "\u00e4", "a, b c"])
def test_what_is_no_list_of_subprotocols_is_refused(protocols: str):
    assert refusal(request(Sec_WebSocket_Protocol=protocols)).status == 400


@pytest.mark.parametrize("name", ["Sec_WebSocket_Extensions", "Sec_WebSocket_Protocol"])
@pytest.mark.parametrize("piece", ["a;b=c,", "a ; b", 'a;b="', "a;", ", ,", " \t", 'a;b="\\c', "a,\t"])
def test_a_list_costs_no_more_than_it_is_long(piece: str, name: str):
    """A pattern that tries everything twice would take for ever."""
    head = request(**{name: (piece * 16_384)[:16_384] + "/"})
    began = time.process_time()
    assert refusal(head).status == 400
    assert time.process_time() - began < 0.5


def test_a_body_of_no_bytes_is_no_body():
    assert parse_request(request(Content_Length="0")).path == "/"


def test_a_refusal_is_serialised_with_its_length_and_kind():
    assert refusal_response(403, "<h1>é</h1>").startswith(b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html")
    text = refusal_response(426, "no", (("Connection", "Upgrade"),))
    assert b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n" in text
    assert text.count(b"Connection:") == 1
    assert text.endswith(b"\r\n\r\nno")


def test_what_follows_the_request_is_kept():
    head = request()
    assert split_request(head + b"frames", 1000) == (head, b"frames")


def test_the_size_of_a_request_is_limited_exactly():
    head = request()
    assert split_request(head, len(head)) == (head, b"")
    assert split_request(head[:-1], len(head)) is None
    for data in (head, head[:-1]):
        with pytest.raises(HandshakeError) as caught:
            split_request(data, len(head) - 1)
        assert caught.value.status == 431


@given(st.binary())
def test_any_bytes_are_a_request_or_a_refusal(data: bytes):
    try:
        parse_request(data + b"\r\n\r\n")
    except HandshakeError as error:
        assert error.status in {400, 405, 426, 505}  # noqa: PT017 - either way is right
