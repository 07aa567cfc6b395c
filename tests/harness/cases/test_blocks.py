"""DEFLATE by the bit, against zlib."""

from __future__ import annotations

import contextlib
import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cases.blocks import Writer, distances

_TAIL = b"\x00\x00\xff\xff"
#: Octets and matches (distance, length), from which a block is made; what a match refers to is worked out by the test.
PARTS = st.lists(
    st.one_of(st.binary(min_size=1, max_size=40), st.tuples(st.integers(1, 32768), st.integers(3, 10))), max_size=12
)
#: What compressors find much in, and what they find nothing in.
PAYLOADS = st.one_of(
    st.binary(max_size=2000),
    st.lists(st.sampled_from([b"quick", b"brown", b" ", b"fox ", bytes(range(256))]), max_size=200).map(b"".join),
)


def inflate(message: bytes, window: int = -15) -> bytes:
    return zlib.decompressobj(window).decompress(message + _TAIL)


def compressed(payload: bytes, *, level: int = 6, window: int = -15, strategy: int = zlib.Z_DEFAULT_STRATEGY) -> bytes:
    compress = zlib.compressobj(level, zlib.DEFLATED, window, 8, strategy)
    return (compress.compress(payload) + compress.flush(zlib.Z_SYNC_FLUSH)).removesuffix(_TAIL)


def inflate_in_drops(message: bytes, bits: int) -> bytes:
    """Inflate into a small buffer, so that zlib has to look into its window and nowhere else."""
    inflater, content, left = zlib.decompressobj(-bits), bytearray(), message + _TAIL
    while (drop := inflater.decompress(left, 8)) or inflater.unconsumed_tail:
        content += drop
        left = inflater.unconsumed_tail
    return bytes(content)


def repeating(apart: int) -> bytes:
    """Octets in which nothing is found again but the first 150, at the end; with fixed codes none has over 8 bits."""
    source = random.Random(apart)  # noqa: S311 - the same in every run
    octets = bytes(octet % 144 for octet in source.randbytes(apart))
    return octets + octets[:150]


# What it writes


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary(max_size=300))
def test_literals_are_what_zlib_reads(octets: bytes):
    assert inflate(Writer().fixed().literals(octets).end().message()) == octets


@settings(deadline=None)  # a busy machine is no failure
@given(PARTS)
def test_matches_and_literals_are_what_zlib_reads(parts: list[bytes | tuple[int, int]]):
    writer, meant, used = Writer().fixed(), bytearray(), []
    for part in parts:
        if isinstance(part, bytes):
            writer.literals(part)
            meant += part
        elif part[0] <= len(meant):
            distance, length = part
            writer.match(distance, length)
            used.append(distance)
            for _ in range(length):  # an octet at a time, for a match may repeat what it has just written
                meant.append(meant[-distance])
    message = writer.end().message()
    assert inflate(message) == meant
    assert list(distances(message)) == used


@pytest.mark.parametrize("back", [1, 4, 5, 6, 7, 8, 9, 256, 257, 4097, 8193, 16385, 24577, 32767, 32768])
def test_every_size_of_distance_is_what_zlib_reads(back: int):
    before = bytes(n * 7919 >> 3 & 0xFF for n in range(back))
    stored = compressed(before, level=0)
    message = Writer().fixed().match(back, 10).end().message()
    inflater = zlib.decompressobj(-15)
    assert inflater.decompress(stored + _TAIL) == before
    assert inflater.decompress(message + _TAIL) == (before * 10)[:10]
    assert list(distances(message)) == [back]


def test_a_message_is_hello_of_the_rfc():
    """RFC 7692 7.2.3.2 has it in a block with fixed codes, with a match of the message before."""
    assert Writer().fixed().literals(b"Hello").end().message() == bytes.fromhex("f248cdc9c90700")


def test_a_final_block_says_so():
    inflater = zlib.decompressobj(-15)
    assert inflater.decompress(Writer().fixed(final=True).literals(b"Hello").end().octets()) == b"Hello"
    assert inflater.eof


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.integers(0, 65535), max_size=9))
def test_bits_stand_in_octets_from_the_lowest_on(numbers: list[int]):
    writer = Writer()
    for number in numbers:
        writer.number(number, 16)
    assert writer.octets() == b"".join(number.to_bytes(2, "little") for number in numbers)


# How far back a compressor has looked


@settings(deadline=None)  # a busy machine is no failure
@given(payload=PAYLOADS, level=st.integers(0, 9), bits=st.integers(9, 15))
def test_no_match_of_zlib_goes_back_farther_than_its_window(payload: bytes, level: int, bits: int):
    found = list(distances(compressed(payload, level=level, window=-bits)))
    assert all(1 <= distance <= min(1 << bits, len(payload)) for distance in found)


@pytest.mark.parametrize("strategy", [zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE])
@pytest.mark.parametrize("apart", [300, 600, 5000, 30_000])
def test_the_farthest_match_is_as_far_as_what_repeats_is_apart(apart: int, strategy: int):
    farthest = max(distances(compressed(repeating(apart), strategy=strategy)), default=0)
    if strategy in {zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE}:  # these look back no more than an octet
        assert farthest <= 1
    else:
        assert farthest == apart


@pytest.mark.parametrize("apart", [600, 5000, 20_000])
def test_what_goes_beyond_a_window_is_what_zlib_with_that_window_refuses(apart: int):
    """The very thing that zlib's own inflate with a larger window lets through."""
    message = compressed(repeating(apart))
    farthest = max(distances(message))
    for bits in range(9, 16):
        if farthest <= 1 << bits:
            assert inflate_in_drops(message, bits) == repeating(apart)
        else:
            with pytest.raises(zlib.error, match="too far back"):
                inflate_in_drops(message, bits)


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(PAYLOADS, min_size=2, max_size=4))
def test_a_message_may_be_of_several_blocks(payloads: list[bytes]):
    compress = zlib.compressobj(9, zlib.DEFLATED, -15)
    parts = [compress.compress(payload) + compress.flush(zlib.Z_SYNC_FLUSH) for payload in payloads]
    whole = b"".join(parts).removesuffix(_TAIL)
    assert inflate(whole) == b"".join(payloads)
    assert all(distance <= sum(map(len, payloads)) for distance in distances(whole))


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (b"\x06", "reserved kind"),
        (b"\x04\x40", "ends inside a block"),
        (b"\x04\x00", "stands for nothing"),
        # literal 286, and literal 257 with distance 30: codes that RFC 1951 3.2.6 has, and that never occur
        (Writer().fixed().number(0b01100011, 8).octets(), "stands for nothing"),
        (Writer().fixed().literals(b"a").number(0b1000000, 7).number(0b01111, 5).octets(), "stands for nothing"),
        (b"\x00\x05\x00\xfa\xfeHello\x00", "length of a stored block"),
        (b"\xff" * 20, "reserved kind"),
    ],
)
def test_what_is_no_deflate_is_told(message: bytes, words: str):
    with pytest.raises(ValueError, match=words):
        list(distances(message))


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary(max_size=200))
def test_whatever_a_server_sends_it_is_read_or_is_no_deflate(octets: bytes):
    with contextlib.suppress(ValueError):
        assert all(0 < distance <= 32768 for distance in distances(octets))
