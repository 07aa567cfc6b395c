"""What is done once the connection is open: scripts and exchanges, and what came of them."""

from __future__ import annotations

import zlib
from itertools import count, repeat

import pytest

from harness.cases.model import (
    NORMAL,
    PROTOCOL_ERROR,
    Case,
    Chop,
    CloseAfter,
    Closing,
    Event,
    Exchange,
    FailAfter,
    Frame,
    Opcode,
    Pause,
    Send,
    SendClose,
    SendPart,
    Step,
    binary,
    pong,
    text,
    timeout,
)
from harness.engines.native.conversation import Conversation, State
from harness.engines.native.drivers import Exchanger, Script, max_message
from harness.engines.native.frames import Keys, encode
from harness.engines.native.opening import Deflate
from harness.engines.native.wire import WireLog
from harness.results import Behavior
from tests.harness.native.scripted import Parsed, ScriptedLink, parse

HELLO = Frame(Opcode.TEXT, b"Hello")
NORMAL_CLOSE = b"\x88\x02\x03\xe8"


def case(
    *steps: Step,
    accepted: dict[Behavior, tuple[Event, ...]] | None = None,
    close: Closing = NORMAL,
    closes_when_done: bool = True,
    exchange: Exchange | None = None,
) -> Case:
    never = {Behavior.OK: (pong(b"never"),)}
    return Case(
        id="0.1", title="t", expects="e", clauses=("RFC 6455 5",), steps=steps, accepted=accepted or never, close=close,
        closes_when_done=closes_when_done, exchange=exchange,
    )  # fmt: skip


class Scripted:
    """A case's script over a link that the test drives."""

    def __init__(self, case: Case) -> None:
        self.link = ScriptedLink()
        self.wire = WireLog(lambda: self.link.now)
        self.driver = Script(case, self.link, self.wire)
        self.conversation = Conversation(self.link, self.wire, repeat(None), self.driver, max_message=1000)
        self.driver.on_open(self.conversation, None)

    def hears(self, *frames: Frame) -> Scripted:
        for frame in frames:
            self.conversation.receive(encode(frame, None))
        return self

    @property
    def verdict(self) -> Behavior:
        self.driver.on_end()
        return self.driver.behavior


# Scripts


def test_steps_are_carried_out_in_order_and_cut_into_writes_as_they_say():
    ping = Frame(Opcode.PING, b"?")
    ran = Scripted(case(Send(HELLO), Send(HELLO, Chop.APART), Send(ping, 1), SendClose(b"\x03\xe9"), Send(ping)))
    assert ran.link.writes == [
        (b"\x81\x05Hello", 0),
        (b"\x81\x05Hello", 19),  # no header is longer than 14 octets: one write
        (b"\x89\x01?", 1),
        (b"\x88\x02\x03\xe9", 0),
        (b"\x89\x01?", 0),
    ]


def test_a_frame_in_parts_has_its_header_once():
    ran = Scripted(case(SendPart(HELLO, 0, 2), SendPart(HELLO, 2, 5), Send(Frame(Opcode.PING))))
    assert [octets for octets, _ in ran.link.writes] == [b"\x81\x05", b"He", b"llo", b"\x89\x00"]


def test_what_stands_behind_a_pause_waits():
    ran = Scripted(case(Send(HELLO), Pause(1), Send(Frame(Opcode.PING))))
    ran.link.let_pass(0.9)
    assert [frame.opcode for frame in ran.link.sent] == [1]
    ran.link.let_pass(0.2)
    assert [frame.opcode for frame in ran.link.sent] == [1, 9]


def test_the_end_of_a_pause_with_a_tag_is_an_event():
    ran = Scripted(case(Pause(1, "A"), Pause(1, "B")))
    ran.link.let_pass(1.5)
    assert ran.driver.received == [timeout("A")]
    assert ran.driver.timed
    ran.link.let_pass(1)
    assert ran.driver.received == [timeout("A"), timeout("B")]


def test_a_script_ends_at_a_pause_with_a_tag_if_the_peer_has_closed():
    ran = Scripted(case(Pause(1, "A"), Send(HELLO)))
    ran.hears(Frame(Opcode.CLOSE, b"\x03\xef")).link.let_pass(2)
    assert ran.driver.received == []
    assert [frame.opcode for frame in ran.link.sent] == [8]
    assert not ran.driver.timed


def test_a_pause_without_a_tag_goes_on_even_then():
    ran = Scripted(case(Pause(1), Send(HELLO)))
    ran.hears(Frame(Opcode.CLOSE, b"\x03\xe8")).link.let_pass(2)
    assert [frame.opcode for frame in ran.link.sent] == [8, 1]
    assert ran.driver.received == []


def test_a_connection_that_is_still_there_when_the_time_is_up_is_failed_with_1001():
    ran = Scripted(case(FailAfter(2)))
    ran.link.let_pass(1.9)
    assert (ran.link.closes, ran.driver.timed) == ([], False)
    ran.link.let_pass(0.2)
    assert (ran.link.closes, ran.driver.timed) == ([1001], True)
    assert ran.conversation.closing.failed_by_engine


def test_a_connection_that_is_still_open_when_the_time_is_up_is_closed_without_a_code():
    ran = Scripted(case(CloseAfter(2)))
    ran.link.let_pass(1.9)
    assert (ran.link.closes, ran.driver.timed) == ([], False)
    ran.link.let_pass(0.2)
    assert (ran.link.closes, ran.driver.timed) == ([None], True)
    assert not ran.conversation.closing.failed_by_engine


def test_the_clock_of_a_step_begins_with_the_step():
    ran = Scripted(case(Pause(1), FailAfter(1)))
    ran.link.let_pass(1.9)
    assert ran.link.closes == []
    ran.link.let_pass(0.2)
    assert ran.link.closes == [1001]


def test_the_engine_closes_as_soon_as_all_has_come():
    ran = Scripted(case(accepted={Behavior.OK: (pong(b"1"), text(b"Hello"))}))
    assert ran.hears(Frame(Opcode.PONG, b"1")).link.closes == []
    assert ran.hears(HELLO).link.closes == [1000]
    assert ran.verdict is Behavior.OK
    assert ran.driver.outcome == "What came is what is accepted."
    assert not ran.driver.timed


@pytest.mark.parametrize(
    "such",
    [
        case(accepted={Behavior.OK: (text(b"Hello"),)}, closes_when_done=False),
        case(accepted={Behavior.OK: (text(b"Hello"),)}, close=PROTOCOL_ERROR),
        case(accepted={Behavior.OK: (text(b"Hello"),), Behavior.NON_STRICT: ()}),
    ],
    ids=["the case closes itself", "it is the peer's turn", "more than one outcome is accepted"],
)
def test_where_it_is_not_to_close_it_does_not(such: Case):
    ran = Scripted(such).hears(HELLO)
    assert ran.link.closes == []
    assert ran.verdict is Behavior.OK


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([HELLO, Frame(Opcode.PONG, b"1")], Behavior.OK),
        ([HELLO], Behavior.NON_STRICT),
        ([Frame(Opcode.PONG, b"1"), HELLO], Behavior.FAILED),
        ([HELLO, Frame(Opcode.PONG, b"1"), HELLO], Behavior.FAILED),
        ([Frame(Opcode.BINARY, b"Hello"), Frame(Opcode.PONG, b"1")], Behavior.FAILED),
        ([Frame(Opcode.TEXT, b"hello"), Frame(Opcode.PONG, b"1")], Behavior.FAILED),
        ([], Behavior.FAILED),
    ],
    ids=["both", "one", "the other order", "too much", "another kind", "other content", "nothing"],
)
def test_the_verdict_is_the_one_whose_events_came_just_these_in_this_order(frames: list[Frame], expected: Behavior):
    accepted = {Behavior.OK: (text(b"Hello"), pong(b"1")), Behavior.NON_STRICT: (text(b"Hello"),)}
    ran = Scripted(case(accepted=accepted)).hears(*frames)
    assert ran.verdict is expected


def test_a_failing_script_says_so():
    ran = Scripted(case(accepted={Behavior.OK: (binary(b"x"),)}))
    assert ran.verdict is Behavior.FAILED
    assert ran.driver.outcome == "What came is none of what is accepted."


def test_of_a_flood_of_events_enough_is_kept_to_know_that_it_is_wrong():
    ran = Scripted(case()).hears(*[Frame(Opcode.PONG, b"x")] * 300)
    assert len(ran.driver.received) == 200


# Exchanges


def one_octet_keys() -> Keys:
    return (bytes([number % 256]) * 4 for number in count(1))


class Exchanged:
    """An exchange over a link that the test drives."""

    def __init__(self, exchange: Exchange, agreed: Deflate | None = None) -> None:
        self.link = ScriptedLink()
        self.wire = WireLog(lambda: self.link.now)
        keys = one_octet_keys()
        self.driver = Exchanger(exchange, self.link, self.wire, keys)
        self.conversation = Conversation(self.link, self.wire, keys, self.driver, max_message=1 << 20)
        self.driver.on_open(self.conversation, agreed)

    def hears(self, payload: bytes, opcode: Opcode = Opcode.TEXT, *, rsv: int = 0) -> Exchanged:
        self.conversation.receive(encode(Frame(opcode, payload, rsv=rsv), None))
        return self

    @property
    def last(self) -> Parsed:
        return self.link.sent[-1]

    @property
    def outcome(self) -> str:
        self.driver.on_end()
        return f"{self.driver.behavior}: {self.driver.outcome}"


def stars(size: int = 5, number: int = 1, *, kind: bool = False, seconds: float = 10) -> Exchange:
    return Exchange(binary=kind, size=size, seconds=seconds, count=number, pattern=b"*")


def test_each_message_is_sent_when_the_echo_of_the_one_before_is_there():
    ran = Exchanged(stars(number=3))
    assert [frame.payload for frame in ran.link.sent] == [b"*****"]
    ran.hears(b"*****")
    assert [frame.payload for frame in ran.link.sent] == [b"*****"] * 2
    ran.hears(b"*****").hears(b"*****")
    assert [frame.opcode for frame in ran.link.sent] == [1, 1, 1, 8]
    assert ran.link.closes == [1000]
    assert ran.outcome == "OK: All messages came back in time."
    assert not ran.driver.timed


def test_the_same_message_is_masked_with_another_key_each_time():
    ran = Exchanged(stars(number=3)).hears(b"*****").hears(b"*****")
    assert len({frame.key for frame in ran.link.sent}) == 3


def test_a_cut_into_fragments_and_writes_is_made_as_the_exchange_says():
    exchange = Exchange(binary=True, size=10, seconds=1, pattern=b"*", fragment=4, chop=3)
    ran = Exchanged(exchange)
    assert [len(frame.payload) for frame in ran.link.sent] == [4, 4, 2]
    assert [chop for _, chop in ran.link.writes] == [3]
    (timer, sent) = ran.wire.events()
    assert timer.note == "will close the connection if it is still open in 1 s"
    assert (sent.length, sent.fin, sent.note) == (10, False, "a message in fragments of 4")


@pytest.mark.parametrize(
    ("payload", "opcode", "expected"),
    [
        (b"****", Opcode.TEXT, "FAILED: Message 1 of 1: 4 octets came back in place of 5."),
        (b"***?*", Opcode.TEXT, "FAILED: Message 1 of 1: octet 3 of 5 is another one (0x3f)."),
        (b"*****", Opcode.BINARY, "FAILED: Message 1 of 1: it came back as binary."),
    ],
)
def test_an_echo_that_is_another_message_fails_and_is_closed_at_once(payload: bytes, opcode: Opcode, expected: str):
    ran = Exchanged(stars()).hears(payload, opcode)
    assert ran.outcome == expected
    assert ran.link.closes == [1000]


def test_text_in_place_of_binary_fails_too():
    ran = Exchanged(stars(kind=True)).hears(b"*****")
    assert ran.outcome == "FAILED: Message 1 of 1: it came back as text."


def test_which_message_was_wrong_is_said():
    ran = Exchanged(stars(number=5)).hears(b"*****").hears(b"")
    assert ran.outcome == "FAILED: Message 2 of 5: 0 octets came back in place of 5."


def test_when_the_time_is_up_the_connection_is_closed_without_a_code():
    ran = Exchanged(stars(number=2, seconds=10)).hears(b"*****")
    ran.link.let_pass(9.9)
    assert ran.link.closes == []
    ran.link.let_pass(0.2)
    assert ran.link.closes == [None]
    assert ran.driver.timed
    assert ran.outcome == "FAILED: Not all messages came back within 10 s."


def test_a_pong_that_nobody_asked_for_is_nothing():
    ran = Exchanged(stars())
    ran.conversation.receive(b"\x8a\x00")
    assert ran.hears(b"*****").outcome == "OK: All messages came back in time."


def test_an_empty_message_may_be_exchanged():
    assert Exchanged(stars(size=0)).hears(b"").outcome == "OK: All messages came back in time."


OFFERED = Exchange(binary=False, size=16, seconds=60, count=3, corpus="json", offer="permessage-deflate")


def test_without_the_extension_that_was_offered_the_case_is_unimplemented_and_only_closes():
    ran = Exchanged(OFFERED)
    assert [frame.opcode for frame in ran.link.sent] == [8]
    assert ran.link.closes == [1000]
    assert ran.outcome == "UNIMPLEMENTED: The peer did not agree to permessage-deflate."


def test_with_it_slices_of_the_corpus_go_out_compressed_one_after_the_other():
    ran = Exchanged(OFFERED, Deflate())
    inflate = zlib.decompressobj(-15)
    echoes = []
    for _ in range(3):
        frame = ran.last
        assert (frame.opcode, frame.rsv, frame.fin) == (1, 4, True)
        echoes.append(inflate.decompress(frame.payload + b"\x00\x00\xff\xff"))
        ran.hears(echoes[-1])
    assert echoes == [b'{\n    "format": ', b'1,\n    "runs": [', b"\n        {},\n   "]
    assert ran.outcome == "OK: All messages came back in time."


def test_the_echo_may_be_compressed():
    ran = Exchanged(OFFERED, Deflate())
    compress = zlib.compressobj(wbits=-15)
    for echo in (b'{\n    "format": ', b'1,\n    "runs": [', b"\n        {},\n   "):
        octets = compress.compress(echo) + compress.flush(zlib.Z_SYNC_FLUSH)
        ran.hears(octets.removesuffix(b"\x00\x00\xff\xff"), rsv=4)
    assert ran.outcome == "OK: All messages came back in time."


def test_an_echo_that_is_another_slice_fails():
    ran = Exchanged(OFFERED, Deflate()).hears(b'{\n    "format":!')
    assert ran.outcome == "FAILED: Message 1 of 3: octet 15 of 16 is another one (0x21)."


def test_a_peer_that_agreed_to_a_smaller_window_gets_what_fits_into_it():
    exchange = Exchange(binary=True, size=4096, seconds=60, count=2, corpus="prose", offer="x")
    ran = Exchanged(exchange, Deflate(client_max_window_bits=9))
    assert len(zlib.decompressobj(-9).decompress(ran.last.payload + b"\x00\x00\xff\xff")) == 4096


@pytest.mark.parametrize(
    ("such", "expected"),
    [
        (case(Send(Frame(Opcode.TEXT, b"x" * 1000)), Send(HELLO)), 2 * 1005 + 65536),
        (case(), 65536),
        (case(exchange=stars(size=1 << 20)), (1 << 20) + 65536),
        (case(exchange=OFFERED), 4 * 16 + 65536),  # of text the size is in characters
    ],
    ids=["what is sent, twice", "nothing is sent", "one message", "a corpus"],
)
def test_of_a_message_as_much_is_kept_as_a_case_may_expect_and_some(such: Case, expected: int):
    assert max_message(such) == expected


def test_a_script_leaves_the_connection_open_until_something_happens():
    ran = Scripted(case(Send(HELLO)))
    assert ran.conversation.state is State.OPEN
    assert parse(ran.link.writes[0][0]) == [Parsed(1, b"Hello")]


def test_a_wrong_echo_is_not_made_good_by_the_right_one_behind_it():
    exchange = Exchange(binary=False, size=5, pattern=b"abcde", seconds=10)
    link = ScriptedLink()
    wire = WireLog(lambda: link.now)
    driver = Exchanger(exchange, link, wire, repeat(None))
    driver.on_open(Conversation(link, wire, repeat(None), driver, max_message=100), None)
    driver.on_message(bytearray(b"junk!"), binary=False)
    driver.on_message(bytearray(b"abcde"), binary=False)
    assert (str(driver.behavior), link.closes) == ("FAILED", [1000])
