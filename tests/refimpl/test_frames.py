from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refimpl import (
    InvalidDataError,
    Opcode,
    ProtocolError,
    ReservedBitsError,
    check_utf8,
    close_payload,
    decode_utf8,
    frame,
    frame_header,
    parse_close,
    parse_header,
)
from tests.refimpl import peer

LENGTHS = [0, 1, 125, 126, 127, 65535, 65536, (1 << 63) - 1]
KEY = peer.KEY


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("fin", [True, False])
@pytest.mark.parametrize("key", [KEY, b""])
def test_a_header_is_parsed_as_it_was_serialised_and_not_a_byte_earlier(length: int, fin: bool, key: bytes):
    header = frame_header(Opcode.BINARY, length, fin=fin, key=key)
    assert header == peer.header(2, length, fin=fin, key=key or None)
    parsed = (fin, 2, length, key, len(header) + 3)
    assert parse_header(b"abc" + header + b"rest", 3, masked=bool(key)) == parsed
    for size in range(len(header)):
        assert parse_header(header[:size], masked=bool(key)) is None


@pytest.mark.parametrize("byte", [0xC1, 0xA1, 0x91, 0xF8])
def test_a_reserved_bit_is_a_reserved_bits_error(byte: int):
    with pytest.raises(ReservedBitsError):
        parse_header(bytes([byte, 0x80]))


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
def test_a_reserved_opcode_is_a_protocol_error(opcode: int):
    with pytest.raises(ProtocolError, match="reserved"):
        parse_header(bytes([0x80 | opcode, 0x80]))


@pytest.mark.parametrize("opcode", [8, 9, 10])
def test_a_control_frame_is_neither_fragmented_nor_long(opcode: int):
    with pytest.raises(ProtocolError, match="fragmented"):
        parse_header(bytes([opcode, 0x80]))
    with pytest.raises(ProtocolError, match="125"):
        parse_header(bytes([0x80 | opcode, 0xFE]))
    header = frame_header(opcode, 125, key=KEY)
    assert parse_header(header) == (True, opcode, 125, KEY, 6)


def test_masking_is_required_of_a_client_and_forbidden_to_a_server():
    with pytest.raises(ProtocolError, match="not masked"):
        parse_header(b"\x81\x00")
    with pytest.raises(ProtocolError, match="is masked"):
        parse_header(b"\x81\x80", masked=False)


@pytest.mark.parametrize(
    "length", [b"\xfe\x00\x7d", b"\xff" + bytes(6) + b"\xff\xff", b"\xff\x80" + bytes(7)], ids=["16", "64", "sign"]
)
def test_a_length_is_in_its_shortest_form_and_positive(length: bytes):
    with pytest.raises(ProtocolError, match="shortest"):
        parse_header(b"\x82" + length)


def test_a_frame_is_header_and_payload():
    assert frame(Opcode.TEXT, b"Hello") == bytes.fromhex("810548656c6c6f")  # RFC 6455 5.7
    assert frame(Opcode.TEXT, b"Hello", key=KEY) == bytes.fromhex("818537fa213d7f9f4d5158")


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999])
def test_a_close_code_that_may_be_sent_is_accepted(code: int):
    assert parse_close(close_payload(code, "why é")) == (code, "why é")


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
def test_a_close_code_that_must_not_be_sent_is_refused(code: int):
    with pytest.raises(ProtocolError):
        parse_close(code.to_bytes(2, "big"))
    with pytest.raises(ValueError, match=str(code)):
        close_payload(code)


def test_a_close_payload_is_empty_or_has_a_code():
    assert parse_close(b"") == (None, "")
    assert close_payload(None) == b""
    with pytest.raises(ProtocolError):
        parse_close(b"\x03")
    with pytest.raises(ValueError, match="needs"):
        close_payload(None, "reason")


def test_a_close_reason_is_utf8_of_at_most_123_bytes():
    with pytest.raises(InvalidDataError):
        parse_close(b"\x03\xe8\xff")
    assert len(close_payload(1000, "x" * 123)) == 125
    with pytest.raises(ValueError, match="123"):
        close_payload(1000, "x" * 124)


@given(st.text(), st.integers(0, 400))
def test_utf8_may_be_cut_anywhere_until_it_is_final(text: str, cut: int):
    data = text.encode()
    done = check_utf8(data[:cut], final=False)
    assert done <= cut
    assert check_utf8(data[done:]) == len(data) - done
    assert decode_utf8(data) == text


@pytest.mark.parametrize("data", [b"\xff", b"\xc0", b"\xed\xa0", b"\xf4\x90", b"\xe0\x80"])
def test_utf8_fails_at_its_first_wrong_byte(data: bytes):
    assert check_utf8(data[:-1], final=False) == 0
    with pytest.raises(InvalidDataError):
        check_utf8(data, final=False)


def test_an_unfinished_character_is_wrong_only_at_the_end():
    assert check_utf8("é".encode()[:1], final=False) == 0
    with pytest.raises(InvalidDataError):
        check_utf8("é".encode()[:1])
    with pytest.raises(InvalidDataError):
        decode_utf8("é".encode()[:1])
