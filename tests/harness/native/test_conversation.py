"""Autobahn's endpoint: what it says about each broken rule of RFC 6455, and how connections end."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cases.model import Frame, Opcode
from harness.engines.native.conversation import State
from harness.engines.native.deflate import Inflater
from harness.engines.native.frames import encode
from harness.engines.native.opening import Deflate
from tests.harness.native.scripted import KEY, Parsed, Talk, parse

HELLO = b"\x81\x05Hello"
NORMAL_CLOSE = b"\x88\x02\x03\xe8"
PROTOCOL_ERROR_CLOSE = b"\x88\x02\x03\xea"


def close(code: int, reason: bytes = b"") -> bytes:
    return encode(Frame(Opcode.CLOSE, struct.pack("!H", code) + reason), None)


def closing(talk: Talk) -> tuple[bool, bool, bool, bool]:
    """Closed, failed and dropped by the engine, and whether it was clean."""
    it = talk.conversation.closing
    return it.closed_by_engine, it.failed_by_engine, it.dropped_by_engine, it.was_clean


def deflating() -> Talk:
    talk = Talk()
    talk.conversation.inflater = Inflater(Deflate())
    return talk


def compressed(payload: bytes, first: int = 0xC1) -> bytes:
    compress = zlib.compressobj(wbits=-15)
    octets = (compress.compress(payload) + compress.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")
    return bytes([first, len(octets)]) + octets


# 5.2 to 5.6: what is right


@pytest.mark.parametrize(
    ("octets", "event"),
    [
        (b"\x81\x05Hello", ("text", "Hello")),
        (b"\x82\x02\xff\x00", ("binary", b"\xff\x00")),
        (b"\x81\x00", ("text", "")),
        (b"\x01\x03Hel\x80\x02lo", ("text", "Hello")),
        (b"\x02\x00\x00\x00\x00\x01x\x80\x00", ("binary", b"x")),
        (b"\x82\x7e\x00\x7e" + b"x" * 126, ("binary", b"x" * 126)),
        (b"\x8a\x04pong", ("pong", b"pong")),
        (b"\x8a\x00", ("pong", b"")),
    ],
    ids=["text", "binary", "empty", "two fragments", "empty fragments", "16 bits", "pong", "empty pong"],
)
def test_what_the_rfc_allows_is_handed_on_and_answered_by_nothing(octets: bytes, event: tuple[str, str | bytes]):
    talk = Talk().hears(octets)
    assert talk.events == [event]
    assert talk.link.writes == []
    assert talk.conversation.state is State.OPEN


def test_a_length_of_64_bits_is_understood():
    talk = Talk(max_message=70_000).hears(b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00" + bytes(65536) + HELLO)
    assert talk.events == [("binary", bytes(65536)), ("text", "Hello")]


def test_control_frames_may_stand_between_fragments():
    talk = Talk().hears(b"\x01\x03Hel\x89\x01?\x8a\x01!\x80\x02lo")
    assert talk.events == [("pong", b"!"), ("text", "Hello")]
    assert talk.link.sent == [Parsed(10, b"?")]


# 5.1 to 5.5: each rule, broken

BROKEN = {
    "a masked frame from a server (5.1)": b"\x81\x85" + KEY + b"\x7f\x9f\x4d\x51\x58",
    "RSV1 without an extension (5.2)": b"\xc1\x05Hello",
    "RSV2 (5.2)": b"\xa1\x05Hello",
    "RSV3 (5.2)": b"\x91\x05Hello",
    **{f"the reserved data opcode {n} (5.2)": bytes([0x80 | n]) + b"\x05Hello" for n in range(3, 8)},
    **{f"the reserved control opcode {n} (5.2)": bytes([0x80 | n]) + b"\x05Hello" for n in range(11, 16)},
    "125 octets in a length of 16 bits (5.2)": b"\x82\x7e\x00\x7d" + b"x" * 125,
    "no octets in a length of 16 bits (5.2)": b"\x82\x7e\x00\x00",
    "65535 octets in a length of 64 bits (5.2)": b"\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff" + b"x" * 65535,
    "a continuation of nothing (5.4)": b"\x80\x05Hello",
    "an unfinished continuation of nothing (5.4)": b"\x00\x05Hello",
    "a message inside another one (5.4)": b"\x01\x03Hel\x81\x05Hello",
    "a binary message inside a text message (5.4)": b"\x01\x03Hel\x02\x05Hello",
    "a fragmented ping (5.4)": b"\x09\x01x",
    "a fragmented pong (5.4)": b"\x0a\x00",
    "a ping of 126 octets (5.5)": b"\x89\x7e\x00\x7e" + b"x" * 126,
}


@pytest.mark.parametrize("octets", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_rule_begins_the_closing_handshake_with_1002_and_the_answer_behind_it_is_found(octets: bytes):
    talk = Talk().hears(octets)
    assert talk.link.closes == [1002]
    assert talk.conversation.state is State.CLOSING
    assert closing(talk) == (True, True, False, False)
    assert [event for event in talk.events if event[0] != "pong"] == []
    talk.hears(PROTOCOL_ERROR_CLOSE)
    assert talk.link.closes == [1002]
    assert closing(talk) == (True, True, False, True)
    assert talk.conversation.closing.remote_code == 1002


@pytest.mark.parametrize("place", range(5))
def test_a_masked_close_is_read_for_all_that_however_its_payload_is_cut(place: int):
    octets = encode(Frame(Opcode.CLOSE, b"\x03\xeabye"), KEY)
    talk = Talk().hears(octets[: 6 + place], octets[6 + place :])
    assert closing(talk) == (True, True, False, True)
    assert talk.conversation.closing.remote_code == 1002
    assert talk.conversation.closing.remote_reason == "bye"


def test_a_length_with_its_first_bit_set_is_1002_and_what_follows_is_its_payload():
    talk = Talk().hears(b"\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00")
    assert talk.link.closes == [1002]
    assert closing(talk.hears(PROTOCOL_ERROR_CLOSE)) == (True, True, False, False)


def test_the_greatest_length_is_right():
    talk = Talk().hears(b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff")
    assert talk.conversation.state is State.OPEN


def test_a_close_frame_with_one_octet_is_1002_and_an_answer_to_that_too():
    talk = Talk().hears(b"\x88\x01\x03")
    assert talk.link.closes == [1002]
    assert closing(talk) == (True, True, False, True)
    assert talk.conversation.closing.remote_code is None


def test_the_close_says_which_rule_was_broken():
    talk = Talk().hears(b"\x83\x00")
    assert talk.conversation.closing.local_code == 1002
    assert talk.conversation.closing.local_reason == "a reserved data opcode"
    assert talk.link.sent[0].payload == b"\x03\xeaa reserved data opcode"


def test_two_rules_broken_by_one_frame_drop_the_connection():
    talk = Talk().hears(b"\x91\x80" + KEY)
    assert talk.link.closes == [1002]
    assert talk.link.drops == ["closed"]
    assert closing(talk) == (True, True, True, False)


def test_a_bad_header_that_comes_in_two_pieces_is_judged_twice_as_autobahn_does():
    talk = Talk().hears(b"\x81\x80", KEY)
    assert talk.link.closes == [1002]
    assert talk.link.drops == ["closed"]


def test_a_second_violation_while_closing_drops_the_connection():
    talk = Talk().hears(b"\x83\x00", b"\x84\x00")
    assert talk.link.closes == [1002]
    assert talk.link.drops == ["closed"]
    assert talk.conversation.state is State.CLOSED
    assert closing(talk) == (True, True, True, False)


def test_a_violation_after_the_engines_own_close_drops_the_connection():
    talk = Talk()
    talk.conversation.send_close(b"\x03\xe8")
    assert closing(talk.hears(b"\x91\x00")) == (True, True, True, False)
    assert talk.link.closes == [1000]


def test_behind_a_dropped_connection_nothing_is_read():
    talk = Talk().hears(b"\x83\x00\x84\x00" + HELLO + b"\x89\x00" + NORMAL_CLOSE)
    assert talk.events == []
    assert talk.conversation.closing.remote_code is None


def test_messages_after_a_violation_are_not_handed_on_but_pongs_are():
    assert Talk().hears(b"\x83\x00" + HELLO + b"\x8a\x01p").events == [("pong", b"p")]


def test_messages_that_come_while_an_orderly_close_is_under_way_are_handed_on():
    talk = Talk()
    talk.conversation.send_close(b"\x03\xe8")
    assert talk.hears(HELLO).events == [("text", "Hello")]


# 5.5.2


def test_a_ping_is_answered_with_its_payload():
    talk = Talk().hears(b"\x89\x00\x89\x7d" + b"x" * 125)
    assert talk.link.sent == [Parsed(10, b""), Parsed(10, b"x" * 125)]


def test_a_ping_is_not_answered_once_the_close_is_sent():
    talk = Talk()
    talk.conversation.send_close()
    assert [frame.opcode for frame in talk.hears(b"\x89\x00").link.sent] == [8]


def test_a_client_masks_its_answers():
    keys = iter([KEY, b"KEY2"])
    talk = Talk(keys=keys).hears(b"\x89\x05Hello" + NORMAL_CLOSE)
    assert talk.link.writes == [
        (b"\x8a\x85" + KEY + b"\x7f\x9f\x4d\x51\x58", 0),
        (b"\x88\x82KEY2" + bytes([0x03 ^ ord("K"), 0xE8 ^ ord("E")]), 0),
    ]


# 5.5.1 and 7: closing


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999])
def test_a_close_that_the_peer_begins_is_answered_with_1000_whatever_code_it_had(code: int):
    talk = Talk().hears(close(code, b"bye"))
    assert talk.link.sent == [Parsed(8, b"\x03\xe8")]
    assert closing(talk) == (False, False, False, True)
    assert talk.conversation.closing.remote_code == code
    assert talk.conversation.closing.remote_reason == "bye"


def test_a_close_without_a_code_is_answered_with_1000():
    talk = Talk().hears(b"\x88\x00")
    assert talk.link.closes == [1000]
    assert talk.conversation.closing.remote_code is None
    assert talk.conversation.closing.remote_reason is None


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1012, 1014, 1015, 1016, 2000, 2999, 5000, 65535])
def test_a_close_code_that_must_not_be_sent_is_answered_with_1002(code: int):
    talk = Talk().hears(close(code))
    assert talk.link.closes == [1002]
    assert closing(talk) == (True, True, False, True)
    assert talk.conversation.closing.remote_code == code


def test_a_bad_code_in_the_answer_to_our_close_drops_the_connection():
    talk = Talk()
    talk.conversation.send_close(b"\x03\xe8")
    assert closing(talk.hears(close(1005))) == (True, True, True, False)


@pytest.mark.parametrize("reason", [b"\xff", b"ok\xc0\x80", b"\xf4\x90\x80\x80"])
def test_a_close_reason_that_is_not_utf_8_is_1007_and_the_end_of_the_connection(reason: bytes):
    talk = Talk().hears(close(1000, reason))
    assert talk.link.closes == [1007]
    assert talk.link.drops == ["reset"]
    assert talk.conversation.state is State.CLOSED
    assert closing(talk) == (True, True, False, False)


def test_a_surrogate_in_a_close_reason_is_1007_but_python_2_reads_on():
    talk = Talk().hears(close(1000, b"\xed\xa0\x80"))
    assert talk.link.closes == [1007]
    assert talk.link.drops == []
    assert closing(talk) == (True, True, False, True)


def test_a_close_is_sent_once():
    talk = Talk()
    talk.conversation.send_close(b"\x03\xe8")
    talk.conversation.send_close(b"\x03\xe9")
    assert talk.link.closes == [1000]
    assert talk.hears(NORMAL_CLOSE).link.closes == [1000]


@pytest.mark.parametrize(
    ("payload", "code", "reason"),
    [(b"", None, None), (b"a", None, None), (b"\x03\xe8", 1000, None), (b"\x03\xe8bye", 1000, "bye")],
)
def test_what_the_engine_said_in_its_close_is_noted(payload: bytes, code: int | None, reason: str | None):
    talk = Talk()
    talk.conversation.send_close(payload)
    assert talk.link.sent == [Parsed(8, payload)]
    assert (talk.conversation.closing.local_code, talk.conversation.closing.local_reason) == (code, reason)


def test_an_orderly_close_is_clean():
    talk = Talk()
    talk.conversation.send_close(b"\x03\xe8")
    talk.hears(NORMAL_CLOSE).conversation.lost("the peer closed the TCP connection")
    assert closing(talk) == (True, False, False, True)
    assert talk.conversation.closing.reason_not_clean is None
    assert talk.conversation.state is State.CLOSED


def test_an_answer_to_the_close_is_awaited_for_a_second():
    talk = Talk()
    talk.conversation.send_close(b"\x03\xe8")
    talk.link.let_pass(0.999)
    assert talk.link.drops == []
    talk.link.let_pass(0.002)
    assert talk.link.drops == ["reset"]
    assert closing(talk) == (True, False, True, False)
    assert talk.conversation.closing.reason_not_clean == "the peer did not answer the close in time"


def test_then_the_peers_end_of_the_tcp_connection_is_awaited_for_another_second():
    talk = Talk()
    talk.conversation.send_close(b"\x03\xe8")
    talk.link.let_pass(0.5)
    talk.hears(NORMAL_CLOSE)
    talk.link.let_pass(0.999)
    assert talk.link.drops == []
    assert talk.conversation.closing.was_clean
    talk.link.let_pass(0.002)
    assert talk.link.drops == ["reset"]
    assert closing(talk) == (True, False, True, False)
    assert talk.conversation.closing.reason_not_clean == "the peer did not drop the TCP connection in time"


def test_after_a_close_that_the_peer_began_its_end_of_the_tcp_connection_is_awaited_for_ever():
    talk = Talk().hears(NORMAL_CLOSE)
    talk.link.let_pass(1000)
    assert talk.link.drops == []
    assert closing(talk) == (False, False, False, True)


def test_a_connection_that_is_lost_without_a_close_was_not_clean_and_says_how():
    talk = Talk()
    talk.conversation.lost("the TCP connection was lost: connection reset by peer")
    assert closing(talk) == (False, False, False, False)
    assert talk.conversation.closing.reason_not_clean == "the TCP connection was lost: connection reset by peer"


def test_a_connection_that_is_lost_before_the_close_is_answered_was_not_clean():
    talk = Talk()
    talk.conversation.send_close(b"\x03\xe8")
    talk.conversation.lost("the peer closed the TCP connection")
    assert closing(talk) == (True, False, False, False)
    assert talk.conversation.closing.reason_not_clean == "the peer closed the TCP connection"


def test_after_the_end_nothing_changes_any_more():
    talk = Talk()
    talk.conversation.drop(abort=True, unclean="all time was up")
    before = talk.conversation.closing
    talk.conversation.lost("later")
    talk.conversation.fail()
    talk.conversation.send_close(b"\x03\xe8")
    talk.conversation.drop(abort=False, unclean="later")
    assert talk.hears(HELLO, NORMAL_CLOSE).conversation.closing == before
    assert before.reason_not_clean == "all time was up"
    assert talk.link.drops == ["reset"]
    assert talk.link.writes == []
    assert talk.events == []


# 7.1.7: failing the connection


def test_failing_an_open_connection_is_a_close_with_1001():
    talk = Talk()
    talk.conversation.fail()
    assert talk.link.sent == [Parsed(8, b"\x03\xe9Going Away")]
    assert closing(talk) == (True, True, False, False)


def test_failing_a_connection_that_is_closing_drops_it():
    talk = Talk().hears(NORMAL_CLOSE)
    talk.conversation.fail()
    assert talk.link.drops == ["closed"]
    assert closing(talk) == (False, True, True, True)


def test_a_reason_that_is_too_long_for_a_control_frame_is_cut():
    talk = Talk()
    talk.conversation.fail(1002, "x" * 200)
    assert talk.link.sent == [Parsed(8, b"\x03\xea" + b"x" * 123)]


# 8.1: text is UTF-8


@pytest.mark.parametrize(
    "payload", [b"\xff", b"ok\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80"]
)
def test_text_that_is_not_utf_8_begins_the_closing_handshake_with_1007(payload: bytes):
    talk = Talk().hears(encode(Frame(Opcode.TEXT, payload), None))
    assert talk.link.closes == [1007]
    assert talk.events == []
    assert closing(talk)[:2] == (True, True)


def test_text_is_checked_at_the_first_bad_octet_inside_an_unfinished_frame():
    talk = Talk().hears(b"\x81\x7e\x03\xe8ok\xf4")
    assert talk.link.closes == []
    assert talk.hears(b"\x90").link.closes == [1007]  # no character begins with F4 90


def test_text_is_checked_inside_a_message_that_goes_on():
    assert Talk().hears(b"\x01\x01x\x00\x01\xff").link.closes == [1007]


def test_a_character_may_be_split_over_fragments_and_pings():
    talk = Talk().hears(b"\x01\x01\xe2\x89\x00\x00\x01\x82\x00\x00\x80\x01\xac")
    assert talk.events == [("text", "€")]


def test_a_message_that_ends_inside_a_character_is_1007():
    talk = Talk().hears(b"\x01\x01\xe2\x80\x01\x82")
    assert talk.link.closes == [1007]
    assert talk.events == []


def test_binary_messages_may_hold_anything():
    assert Talk().hears(b"\x02\x01\xff\x80\x01\xfe").events == [("binary", b"\xff\xfe")]


def test_a_binary_message_that_ends_like_half_a_character_leaves_no_trace_in_the_text_behind_it():
    talk = Talk().hears(b"\x82\x01\xe2" + HELLO)
    assert talk.events == [("binary", b"\xe2"), ("text", "Hello")]


# RFC 7692 6


def test_rsv1_means_compressed_where_it_was_agreed():
    talk = deflating().hears(compressed(b"Hello " * 20) + HELLO)
    assert talk.events == [("text", "Hello " * 20), ("text", "Hello")]
    assert talk.conversation.state is State.OPEN


def test_a_compressed_message_may_be_fragmented():
    octets = compressed(b"Hello")[2:]
    talk = deflating().hears(bytes([0x42, 2]) + octets[:2] + bytes([0x80, len(octets) - 2]) + octets[2:])
    assert talk.events == [("binary", b"Hello")]


@pytest.mark.parametrize(
    "octets",
    [b"\xc9\x00", b"\x01\x00\x40\x00", b"\x41\x00\xc0\x00", b"\xe1\x00", b"\xd1\x00"],
    ids=["a ping", "a continuation", "a continuation of compressed text", "RSV1 and RSV2", "RSV1 and RSV3"],
)
def test_rsv1_where_it_has_no_meaning_is_1002(octets: bytes):
    talk = deflating().hears(octets)
    assert talk.link.closes == [1002]
    assert closing(talk)[:2] == (True, True)


def test_the_text_inside_a_compressed_message_has_to_be_utf_8():
    assert deflating().hears(compressed(b"\xff")).link.closes == [1007]


def test_compressed_data_that_cannot_be_inflated_ends_the_connection():
    talk = deflating().hears(b"\xc1\x03\xff\xff\xff" + HELLO)
    assert talk.link.drops == ["reset"]
    assert talk.events == []
    assert closing(talk) == (False, False, False, False)
    assert str(talk.conversation.closing.reason_not_clean).startswith("its compressed data can't be inflated: ")


def test_a_bomb_ends_the_connection():
    bomb = compressed(bytes(60_000), 0xC2)
    talk = deflating().hears(bomb)
    assert talk.link.drops == ["reset"]
    assert "it inflates to over 1001 octets" in str(talk.conversation.closing.reason_not_clean)


# Memory


def test_a_header_that_declares_a_gibibyte_costs_no_memory():
    talk = Talk()
    tracemalloc.start()
    talk.hears(b"\x82\x7f\x00\x00\x00\x00\x40\x00\x00\x00" + bytes(1000))
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 100_000
    assert peak < 100_000
    assert talk.conversation.state is State.OPEN


def test_of_a_message_that_is_too_long_one_octet_more_than_the_limit_is_kept():
    piece = b"x" * 100_000
    talk = Talk(max_message=1000).hears(b"\x02\x00")
    for _ in range(50):
        talk.hears(b"\x00\x7f" + struct.pack("!Q", len(piece)) + piece)
    assert len(talk.conversation._message) == 1001
    assert talk.hears(b"\x80\x00" + HELLO).events == [("binary", b"x" * 1001), ("text", "Hello")]


def test_a_message_of_just_the_limit_is_kept_whole():
    octets = encode(Frame(Opcode.BINARY, b"x" * 1000), None)
    assert Talk(max_message=1000).hears(octets).events == [("binary", b"x" * 1000)]


def test_a_control_frame_that_declares_much_is_not_kept():
    talk = Talk().hears(b"\x89\x7f" + struct.pack("!Q", 1 << 20))
    for _ in range(16):
        talk.hears(bytes(1 << 16))
    assert len(talk.conversation._control) == 4096


# Octets in pieces


def cut(octets: bytes, places: list[int]) -> list[bytes]:
    bounds = [0, *sorted(place % (len(octets) + 1) for place in places), len(octets)]
    return [octets[start:stop] for start, stop in pairwise(bounds)]


controls = st.builds(Frame, st.sampled_from([Opcode.PING, Opcode.PONG]), st.binary(max_size=125))


@st.composite
def valid_streams(draw: st.DrawFn) -> list[Frame]:
    """Messages, in fragments or not, with pings and pongs before and between; perhaps a close at the end."""
    frames: list[Frame] = []
    for message in draw(st.lists(st.text(max_size=90) | st.binary(max_size=300), max_size=4)):
        payload = message.encode() if isinstance(message, str) else message
        opcode = Opcode.TEXT if isinstance(message, str) else Opcode.BINARY
        parts = cut(payload, draw(st.lists(st.integers(0, 300), max_size=3)))
        for number, part in enumerate(parts):
            frames += draw(st.lists(controls, max_size=1))
            frames.append(Frame(Opcode.CONTINUATION if number else opcode, part, number == len(parts) - 1))
    if draw(st.booleans()):
        frames.append(Frame(Opcode.CLOSE, b"\x03\xe8"))
    return frames


def meant(frames: list[Frame]) -> list[tuple[str, str | bytes]]:
    """The events that valid frames are."""
    events: list[tuple[str, str | bytes]] = []
    text, payload = False, b""
    for frame in frames:
        if frame.opcode is Opcode.PONG:
            events.append(("pong", frame.payload))
        if frame.opcode >= Opcode.CLOSE:
            continue
        if frame.opcode is not Opcode.CONTINUATION:
            text, payload = frame.opcode is Opcode.TEXT, b""
        payload += frame.payload
        if frame.fin:
            events.append(("text", payload.decode()) if text else ("binary", payload))
    return events


@settings(deadline=None)  # a busy machine is no failure
@given(frames=valid_streams(), places=st.lists(st.integers(0, 2000), max_size=12))
def test_every_frame_is_understood_however_it_is_cut_into_pieces(frames: list[Frame], places: list[int]):
    octets = b"".join(encode(frame, None) for frame in frames)
    talk = Talk().hears(*cut(octets, places))
    assert talk.events == meant(frames)
    answers = [Parsed(10, frame.payload) for frame in frames if frame.opcode is Opcode.PING]
    closed = [Parsed(8, b"\x03\xe8")] if frames and frames[-1].opcode is Opcode.CLOSE else []
    assert talk.link.sent == answers + closed


def test_every_frame_is_understood_octet_by_octet():
    octets = b"\x01\x01\xe2\x89\x01?\x80\x02\x82\xac\x82\x7e\x00\x7e" + b"x" * 126 + NORMAL_CLOSE
    talk = Talk().hears(*(octets[place : place + 1] for place in range(len(octets))))
    assert talk.events == [("text", "€"), ("binary", b"x" * 126)]
    assert talk.link.sent == [Parsed(10, b"?"), Parsed(8, b"\x03\xe8")]


wild = st.binary(max_size=200) | st.lists(
    st.builds(
        encode,
        st.builds(Frame, st.integers(0, 15), st.binary(max_size=130), st.booleans(), st.integers(0, 7)),
        st.none() | st.just(KEY),
    ),
    max_size=5,
).map(b"".join)


@settings(deadline=None)  # a busy machine is no failure
@given(octets=wild, places=st.lists(st.integers(0, 800), max_size=8), closes=st.booleans())
def test_no_octets_at_all_make_it_stumble(octets: bytes, places: list[int], closes: bool):
    talk = Talk()
    if closes:
        talk.conversation.send_close(b"\x03\xe8")
    talk.hears(*cut(octets, places))
    talk.link.let_pass(5)
    assert len(talk.link.closes) <= 1
    assert talk.conversation.closing.closed_by_engine <= bool(talk.link.closes)
    assert (talk.conversation.state is State.OPEN) == (talk.link.closes == [])  # every end here begins with our close


# What is written down


def test_the_wire_log_says_what_was_sent_and_what_came():
    talk = Talk().hears(b"\x89\x02hi\x83\x00")
    frames = [event for event in talk.wire.events() if event.kind == "frame"]
    assert [(event.direction, event.opcode, event.length, event.data) for event in frames] == [
        ("received", 9, 2, "hi"),
        ("sent", 10, 2, "hi"),
        ("sent", 8, 24, "0x03ea" + b"a reserved data opcode".hex()),
        ("received", 3, 0, ""),
    ]
    assert talk.notes == ["fails the connection: 1002 a reserved data opcode"]


def test_a_long_frame_is_logged_when_it_is_whole_with_the_beginning_of_its_payload():
    talk = Talk().hears(b"\x82\x7e\x00\xc8" + b"a" * 50, b"a" * 50)
    assert talk.wire.events() == []
    (event,) = talk.hears(b"b" * 100).wire.events()
    assert (event.length, event.data) == (200, "a" * 64 + "…")


def test_a_frame_that_is_sent_in_parts_has_its_header_first():
    talk = Talk(keys=iter([KEY]))
    part = talk.conversation.begin(Frame(Opcode.TEXT, b"Hello"))
    assert talk.link.writes == [(b"\x81\x85" + KEY, 0)]
    part(0, 2)
    part(2, 5)
    assert [octets for octets, _ in talk.link.writes[1:]] == [b"\x7f\x9f", b"\x4d\x51\x58"]
    assert talk.link.sent == [Parsed(1, b"Hello", key=KEY)]


def test_a_frame_is_sent_whatever_the_state_and_in_the_writes_that_are_asked_for():
    talk = Talk()
    talk.conversation.send_close()
    talk.conversation.send(Frame(Opcode.PING, b"late", rsv=1), 1)
    assert talk.link.writes[1] == (b"\x99\x04late", 1)
    assert [event.note for event in talk.wire.events()] == ["", "octet by octet"]


def test_prepared_octets_go_out_as_they_are():
    talk = Talk()
    talk.conversation.send_prepared([b"ab", memoryview(b"cd")], Frame(Opcode.TEXT), b"x", 7, chop=3, note="why")
    assert talk.link.writes == [(b"ab", 3), (b"cd", 3)]
    (event,) = talk.wire.events()
    assert (event.opcode, event.length, event.data, event.note) == (1, 7, "x…", "why")


def test_the_parser_of_these_tests_is_not_the_engines():
    assert parse(b"\x81\x85" + KEY + b"\x7f\x9f\x4d\x51\x58") == [Parsed(1, b"Hello", key=KEY)]


# What Autobahn's own endpoint was seen to do (run in Python 2.7 beside this one)


def test_a_close_reason_that_ends_inside_a_character_ends_the_connection_without_an_answer():
    talk = Talk().hears(b"\x88\x03\x03\xea\xc3")
    closing = talk.conversation.closing
    assert (talk.link.closes, talk.link.drops) == ([], ["reset"])
    assert (closing.closed_by_engine, closing.failed_by_engine, closing.dropped_by_engine) == (False, False, False)
    assert (closing.remote_code, closing.was_clean) == (1002, False)


def test_a_reason_that_is_too_long_is_judged_whole():
    payload = b"\x03\xe8" + b"a" * 123 + "éé".encode()
    talk = Talk().hears(encode(Frame(Opcode.CLOSE, payload), None))
    assert (talk.link.closes, talk.link.drops, talk.conversation.closing.was_clean) == ([1002], [], True)


@pytest.mark.parametrize("bad", [b"\x01\x01\xff", b"\x81\x01\xc3"], ids=["a bad octet", "a cut character"])
def test_a_close_right_behind_text_that_is_not_utf_8_is_found(bad: bytes):
    talk = Talk().hears(bad + b"\x88\x02\x03\xef")
    closing = talk.conversation.closing
    assert (talk.link.closes, closing.remote_code, closing.was_clean) == ([1007], 1007, True)


def test_a_whole_message_with_a_bad_octet_fails_twice_and_so_drops_the_connection():
    talk = Talk().hears(b"\x81\x01\xff")
    assert (talk.link.closes, talk.link.drops) == ([1007], ["closed"])


def test_compressed_data_that_ends_wrong_ends_the_connection():
    talk = Talk()
    talk.conversation.inflater = Inflater(Deflate())
    assert talk.hears(b"\xc1\x02\x00\x01").link.drops == ["reset"]
    assert "can't be inflated" in str(talk.conversation.closing.reason_not_clean)
