"""permessage-deflate (RFC 7692 7.2): what is sent can be inflated, however often it is sent again."""

from __future__ import annotations

import zlib
from dataclasses import replace
from itertools import count

import pytest

from harness.cases.corpora import NAMES, corpus
from harness.cases.model import Exchange
from harness.engines.native.deflate import Inflater, Message, Messages, messages
from harness.engines.native.frames import Keys
from harness.engines.native.opening import Deflate
from tests.harness.native.scripted import parse

TAIL = b"\x00\x00\xff\xff"


def keys() -> Keys:
    return (number.to_bytes(4, "big") for number in count(1))


def exchange(name: str, size: int, number: int = 1000, *, fragment: int = 0) -> Exchange:
    binary = isinstance(corpus(name).content, bytes)
    return Exchange(binary=binary, size=size, seconds=1, count=number, corpus=name, fragment=fragment, offer="x")


def plain(name: str, size: int, number: int) -> bytes:
    """The payload of a message, cut from the corpus here."""
    content = corpus(name).content
    start = number * size % len(content)
    part = content[start : start + size]
    return part.encode() if isinstance(part, str) else part


def compressed(message: Message) -> bytes:
    return b"".join(frame.payload for frame in parse(message.octets))


def assert_inflates(made: Messages, name: str, size: int, number: int, bits: int, *, fresh: bool) -> None:
    """A peer with a window of 2^bits inflates message after message to what it has to send back."""
    inflate = zlib.decompressobj(-bits)
    for index in range(number):
        if fresh:
            inflate = zlib.decompressobj(-bits)
        message = made[index]
        assert inflate.decompress(compressed(message) + TAIL) == message.expected == plain(name, size, index), index


@pytest.mark.parametrize("fresh", [False, True], ids=["takeover", "no takeover"])
@pytest.mark.parametrize(("name", "size"), [(name, 16384 if name == "pdf" else 1024) for name in NAMES])
def test_a_thousand_messages_are_inflated_in_order(name: str, size: int, fresh: bool):
    number = 200 if name == "pdf" else 1000  # more than three rounds
    agreed = Deflate(client_no_context_takeover=fresh)
    made = messages(exchange(name, size, number), agreed, keys())
    assert_inflates(made, name, size, number, 15, fresh=fresh)


@pytest.mark.parametrize("fresh", [False, True], ids=["takeover", "no takeover"])
@pytest.mark.parametrize("bits", range(8, 16))
def test_a_peer_with_the_agreed_window_inflates_every_round(bits: int, fresh: bool):
    agreed = Deflate(client_no_context_takeover=fresh, client_max_window_bits=bits)
    made = messages(exchange("json", 4096, 200), agreed, keys())
    assert_inflates(made, "json", 4096, 200, bits, fresh=fresh)


@pytest.mark.parametrize("number", [255, 256, 257, 300, 511, 512, 513])
def test_messages_end_anywhere_in_a_round(number: int):
    made = messages(exchange("json", 1024, number), Deflate(), keys())
    assert_inflates(made, "json", 1024, number, 15, fresh=False)


@pytest.mark.parametrize(("size", "number"), [(16, 1000), (131_072, 8), (65_536, 12)])
def test_messages_far_smaller_and_greater_than_the_window_are_inflated(size: int, number: int):
    made = messages(exchange("html", size, number), Deflate(), keys())
    assert_inflates(made, "html", size, number, 15, fresh=False)


@pytest.mark.parametrize("name", ["json", "html"])
def test_with_context_takeover_a_later_round_refers_back_to_the_one_before(name: str):
    made = messages(exchange(name, 1024), Deflate(), keys())
    with pytest.raises(zlib.error, match="too far back"):
        zlib.decompressobj(-15).decompress(compressed(made[256]) + TAIL)
    assert compressed(made[0]) != compressed(made[256])
    assert compressed(made[256]) == compressed(made[512])


def test_without_context_takeover_every_message_stands_alone():
    made = messages(exchange("json", 1024), Deflate(client_no_context_takeover=True), keys())
    assert zlib.decompressobj(-15).decompress(compressed(made[700]) + TAIL) == plain("json", 1024, 700)


def test_a_small_window_is_really_kept_to():
    made = messages(exchange("json", 4096, 10), Deflate(), keys())
    with pytest.raises(zlib.error, match="too far back"):
        assert_inflates(made, "json", 4096, 10, 9, fresh=False)


def test_rsv1_is_on_the_first_frame_alone_and_the_compressed_octets_are_cut():
    made = messages(exchange("bitmap", 1024, 1, fragment=256), Deflate(), keys())
    frames = parse(made[0].octets)
    assert [(frame.opcode, frame.rsv, frame.fin) for frame in frames] == [
        (2, 4, False), (0, 0, False), (0, 0, False), (0, 0, True),
    ]  # fmt: skip
    assert [len(frame.payload) for frame in frames[:3]] == [256, 256, 256]
    assert sum(len(frame.payload) for frame in frames) == made[0].length
    assert len({frame.key for frame in frames}) == 4


def test_the_four_octets_that_rfc_7692_7_2_1_removes_are_not_sent():
    made = messages(exchange("prose", 4096, 3), Deflate(), keys())
    assert not any(compressed(made[number]).endswith(TAIL) for number in range(3))


def test_text_goes_out_as_text():
    assert parse(messages(exchange("html", 64, 1), Deflate(), keys())[0].octets)[0].opcode == 1


def test_the_same_messages_are_compressed_once_however_they_are_cut():
    whole = messages(exchange("pdf", 8192, 5), Deflate(), keys())
    cut = messages(replace(exchange("pdf", 8192, 5), fragment=100), Deflate(), keys())
    assert compressed(whole[4]) == compressed(cut[4])
    assert len(parse(cut[4].octets)) == whole[4].length // 100 + 1


def deflated(*payloads: bytes, bits: int = 15) -> list[bytes]:
    compress = zlib.compressobj(wbits=-bits)
    return [(compress.compress(one) + compress.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL) for one in payloads]


def inflated(inflater: Inflater, octets: bytes, at_most: int = 1000) -> bytes:
    inflater.begin()
    payload = inflater.feed(octets, at_most)
    inflater.end()
    return payload


def test_the_peers_messages_are_inflated_with_what_came_before():
    first, second = deflated(b"Hello Hello", b"Hello Hello")
    inflater = Inflater(Deflate())
    assert inflated(inflater, first) == b"Hello Hello"
    assert inflated(inflater, second) == b"Hello Hello"
    assert len(second) < len(first)


def test_a_peer_that_promised_no_context_takeover_is_held_to_it():
    first, second = deflated(b"Hello World, hello", b"Hello World, hello")
    inflater = Inflater(Deflate(server_no_context_takeover=True))
    assert inflated(inflater, first) == b"Hello World, hello"
    with pytest.raises(ValueError, match="too far back"):
        inflated(inflater, second)


def test_a_message_may_come_in_pieces():
    (octets,) = deflated(b"piece by piece")
    inflater = Inflater(Deflate())
    inflater.begin()
    assert b"".join(inflater.feed(octets[n : n + 1], 1000) for n in range(len(octets))) == b"piece by piece"


def test_what_cannot_be_inflated_is_an_error():
    inflater = Inflater(Deflate())
    inflater.begin()
    with pytest.raises(ValueError, match="invalid"):
        inflater.feed(b"\xff\xff\xff", 1000)


def test_a_bomb_is_refused_before_it_goes_off():
    (bomb,) = deflated(bytes(50_000_000))
    inflater = Inflater(Deflate())
    inflater.begin()
    with pytest.raises(ValueError, match="it inflates to over 1000 octets"):
        inflater.feed(bomb, 1000)


@pytest.mark.parametrize("bits", [8, 9, 15])
def test_a_peer_may_use_the_whole_window_that_it_chose(bits: int):
    payload = corpus("prose").content[:2000]
    assert isinstance(payload, bytes)
    (octets,) = deflated(payload, bits=max(bits, 9)) if bits > 8 else [b"\x00\x05\x00\xfa\xffHello\x00"]
    expected = payload if bits > 8 else b"Hello"
    assert inflated(Inflater(Deflate(server_max_window_bits=bits)), octets, 10_000) == expected
