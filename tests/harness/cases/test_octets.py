"""Frames that no right client would send, read by a parser that knows nothing of how they were made."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cases.model import Opcode
from harness.cases.octets import fragmented, in_fragments_of, keyed, unmasked, with_length
from harness.engines.native.peer import KEY
from tests.harness.native.scripted import Parsed, parse

PAYLOADS = st.binary(max_size=300)


@settings(deadline=None)  # a busy machine is no failure
@given(PAYLOADS, st.booleans())
def test_an_unmasked_frame_has_no_key(payload: bytes, fin: bool):
    assert parse(unmasked(Opcode.BINARY, payload, fin=fin)) == [Parsed(2, payload, fin)]


@settings(deadline=None)  # a busy machine is no failure
@given(PAYLOADS, st.binary(min_size=4, max_size=4), st.integers(0, 7))
def test_a_frame_is_masked_with_the_key_that_is_given(payload: bytes, key: bytes, rsv: int):
    assert parse(keyed(Opcode.TEXT, payload, key, rsv=rsv)) == [Parsed(1, payload, rsv=rsv, key=key)]


@settings(deadline=None)  # a busy machine is no failure
@given(PAYLOADS, st.sampled_from([2, 8]))
def test_a_length_stands_in_the_form_that_is_asked_for(payload: bytes, form: int):
    octets = with_length(Opcode.TEXT, payload, len(payload), form)
    assert octets[1] & 0x7F == {2: 126, 8: 127}[form]
    assert len(octets) == 2 + form + 4 + len(payload)
    assert parse(octets) == [Parsed(1, payload, key=KEY)]


def test_a_length_may_be_another_one_than_there_are_octets():
    assert with_length(Opcode.BINARY, b"Hello", (1 << 63) | 5, 8)[2:10] == bytes.fromhex("8000000000000005")


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.binary(max_size=20), min_size=1, max_size=9), st.sampled_from([0, 4]))
def test_of_fragments_the_first_has_the_opcode_and_the_bits_and_the_last_has_fin(parts: list[bytes], rsv: int):
    frames = parse(b"".join(fragmented(Opcode.TEXT, parts, rsv=rsv)))
    assert [frame.payload for frame in frames] == parts
    assert [frame.opcode for frame in frames] == [1, *[0] * (len(parts) - 1)]
    assert [frame.fin for frame in frames] == [*[False] * (len(parts) - 1), True]
    assert [frame.rsv for frame in frames] == [rsv, *[0] * (len(parts) - 1)]


@settings(deadline=None)  # a busy machine is no failure
@given(PAYLOADS, st.integers(1, 50))
def test_a_message_in_fragments_of_a_size_is_whole(payload: bytes, size: int):
    frames = parse(in_fragments_of(Opcode.BINARY, payload, size))
    assert b"".join(frame.payload for frame in frames) == payload
    assert max(len(frame.payload) for frame in frames) <= size
    assert {frame.key for frame in frames} == {KEY}
