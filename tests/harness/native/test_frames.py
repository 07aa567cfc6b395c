"""Frames as octets (RFC 6455 5.2, 5.3)."""

from __future__ import annotations

from itertools import count, pairwise, repeat
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cases.model import Exchange, Frame, Opcode, Repeated, fragments
from harness.engines.native.frames import Keys, encode, header, mask, message
from tests.harness.native.scripted import KEY, Parsed, parse

octets = st.binary(max_size=300)
keys = st.binary(min_size=4, max_size=4)


def counted() -> Keys:
    """Keys that all differ."""
    return (number.to_bytes(4, "big") for number in count(1))


def whole(pieces: list[bytes | memoryview]) -> bytes:
    return b"".join(bytes(piece) for piece in pieces)


@settings(deadline=None)  # a busy machine is no failure
@given(payload=octets, key=keys)
def test_masking_is_an_exclusive_or_with_the_key_over_and_over(payload: bytes, key: bytes):
    assert mask(payload, key) == bytes(octet ^ key[place % 4] for place, octet in enumerate(payload))
    assert mask(mask(payload, key), key) == payload


def test_the_examples_of_rfc_6455_5_7_come_out_to_the_octet():
    hello = Frame(Opcode.TEXT, b"Hello")
    assert encode(hello, None) == bytes.fromhex("81 05 48 65 6c 6c 6f")
    assert encode(hello, KEY) == bytes.fromhex("81 85 37 fa 21 3d 7f 9f 4d 51 58")
    assert encode(Frame(Opcode.TEXT, b"Hel", fin=False), None) == bytes.fromhex("01 03 48 65 6c")
    assert encode(Frame(Opcode.CONTINUATION, b"lo"), None) == bytes.fromhex("80 02 6c 6f")
    assert header(Frame(Opcode.BINARY), 256, None) == bytes.fromhex("82 7e 01 00")
    assert header(Frame(Opcode.BINARY), 65536, None) == bytes.fromhex("82 7f 00 00 00 00 00 01 00 00")


@pytest.mark.parametrize(
    ("size", "expected"),
    [(0, "8200"), (125, "827d"), (126, "827e007e"), (65535, "827effff"), (65536, "827f0000000000010000")],
)
def test_the_length_is_as_short_as_it_can_be(size: int, expected: str):
    assert header(Frame(Opcode.BINARY), size, None) == bytes.fromhex(expected)


def test_a_masked_frame_bears_its_key_behind_the_length():
    assert header(Frame(Opcode.BINARY), 65536, b"KEY!") == bytes.fromhex("82ff0000000000010000") + b"KEY!"


@settings(deadline=None)  # a busy machine is no failure
@given(opcode=st.integers(0, 15), payload=octets, fin=st.booleans(), rsv=st.integers(0, 7), key=st.none() | keys)
def test_every_frame_right_or_wrong_is_read_as_it_was_meant(
    opcode: int, payload: bytes, fin: bool, rsv: int, key: bytes | None
):
    frame = Frame(opcode, payload, fin, rsv)
    assert parse(encode(frame, key)) == [Parsed(opcode, payload, fin, rsv, key)]


@pytest.mark.parametrize("masked", [True, False], ids=["masked", "unmasked"])
@pytest.mark.parametrize(
    "settings",
    [
        {"size": 0, "pattern": b"*"},
        {"size": 16, "pattern": b"*"},
        {"size": 23, "pattern": b"abc"},
        {"size": 70_001, "pattern": b"BAsd7&jh23"},
        {"size": 70_001, "pattern": b"12345", "chop": 64},
        {"size": 64, "pattern": b"*", "fragment": 64},
        {"size": 1000, "pattern": b"ab", "fragment": 64},
        {"size": 6400, "pattern": b"\xfe", "fragment": 64},
    ],
    ids=str,
)
def test_a_message_is_its_fragments_one_after_the_other(settings: dict[str, Any], masked: bool):
    exchange = Exchange(binary=False, seconds=1, **settings)
    used: Keys = counted() if masked else repeat(None)
    payload = Repeated(exchange.pattern, exchange.size).octets()
    expected = list(fragments(Opcode.TEXT, payload, exchange.fragment or exchange.size))
    found = parse(whole(message(exchange, used)))
    assert [frame._replace(key=None) for frame in found] == [
        Parsed(frame.opcode, frame.payload, frame.fin, frame.rsv) for frame in expected
    ]
    assert all((frame.key is not None) == masked for frame in found)


def test_a_message_of_whole_fragments_ends_with_an_empty_one():
    frames = parse(whole(message(Exchange(binary=True, size=4, seconds=1, pattern=b"ab", fragment=2), counted())))
    assert [(frame.opcode, frame.payload, frame.fin) for frame in frames] == [
        (2, b"ab", False),
        (0, b"ab", False),
        (0, b"", True),
    ]


def test_neighbouring_fragments_are_masked_with_different_keys():
    exchange = Exchange(binary=True, size=6400, seconds=1, pattern=b"*", fragment=64)
    used = [frame.key for frame in parse(whole(message(exchange, counted())))]
    assert len(used) == 101
    assert len(set(used)) == 18  # the first, the last, and sixteen in turn between them
    assert all(one != next_one for one, next_one in pairwise(used))


def test_a_message_that_is_cut_into_writes_is_one_piece_and_a_big_one_is_not_copied():
    big = Exchange(binary=True, size=64 << 10, seconds=1, pattern=b"12345")
    cut = Exchange(binary=True, size=64 << 10, seconds=1, pattern=b"12345", chop=64)
    assert [len(piece) for piece in message(big, counted())] == [14, 65536]
    assert [len(piece) for piece in message(cut, counted())] == [65550]


def test_a_message_in_fragments_is_whole_where_one_fragment_holds_it():
    exchange = Exchange(binary=False, size=64, seconds=1, pattern=b"*", fragment=64)
    assert [frame.fin for frame in parse(whole(message(exchange, counted())))] == [True]


@pytest.mark.parametrize(("place", "expected"), [(0, 0), (7, 7), (1_500_000, 1_500_000)])
def test_the_first_octet_that_differs_is_found(place: int, expected: int):
    content = Repeated(b"BAsd7&jh23", 2 << 20)
    other = bytearray(content.octets())
    other[place] ^= 1
    other[-1] ^= 1
    assert content.difference(other) == expected
    assert content.difference(bytearray(content.octets())) is None
