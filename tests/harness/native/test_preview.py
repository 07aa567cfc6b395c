"""A case on paper."""

from __future__ import annotations

from itertools import repeat

from harness.cases import catalogue
from harness.engines.native.connection import keys_of
from harness.engines.native.preview import Line, preview
from tests.harness.native.scripted import Parsed, parse

CASES = catalogue()
OUT_OF_RANGE = bytes.fromhex("cebae1bdb9cf83cebcceb5 f4908080 656469746564")


def test_a_case_is_shown_in_words_and_octets_in_the_order_in_which_it_goes():
    assert preview(CASES["7.1.3"], repeat(None)) == [
        Line("-> close FIN, 2 octets: 0x03e8", b"\x88\x02\x03\xe8"),
        Line("-> ping FIN, 0 octets", b"\x89\x00"),
        Line("will fail the connection if it is still there in 1 s"),
    ]


def test_waits_are_over_at_once():
    assert preview(CASES["6.4.3"], repeat(None)) == [
        Line("-> text, 21 octets: 0xcebae1bdb9cf83cebcceb5f4908080656469746564", b"\x01\x15" + OUT_OF_RANGE[:11]),
        Line("waits 1 s (A)"),
        Line("the wait is over (A)", OUT_OF_RANGE[11:15]),
        Line("waits 1 s (B)"),
        Line("the wait is over (B)", OUT_OF_RANGE[15:]),
        Line("-> continuation FIN, 0 octets", b"\x80\x00"),
        Line("will fail the connection if it is still there in 1 s"),
    ]


def test_an_octet_wise_frame_says_so():
    (line, *_) = preview(CASES["2.6"], repeat(None))
    assert line.words.endswith("(octet by octet)")
    assert line.octets == b"\x89\x7d" + b"\xfe" * 125


def test_without_keys_of_ones_own_the_octets_are_those_that_a_run_sends():
    first, *_ = preview(CASES["1.1.2"])
    (frame,) = parse(first.octets)
    assert (frame.opcode, frame.payload, frame.key) == (1, b"*" * 125, next(keys_of(CASES["1.1.2"])))
    assert preview(CASES["1.1.2"]) == preview(CASES["1.1.2"])


def test_each_case_has_keys_of_its_own():
    assert next(keys_of(CASES["1.1.1"])) != next(keys_of(CASES["1.1.2"]))


def test_of_an_exchange_the_first_message_is_shown():
    limit, message = preview(CASES["9.7.2"], repeat(None))
    assert limit == Line("will close the connection if it is still open in 60 s")
    assert parse(message.octets) == [Parsed(1, b"*" * 16)]


def test_of_a_compression_case_the_first_message_is_shown_as_if_all_was_agreed():
    message = preview(CASES["12.1.1"], repeat(None))[-1]
    (frame,) = parse(message.octets)
    assert (frame.opcode, frame.rsv, frame.key) == (1, 4, None)


def test_every_script_can_be_shown():
    for case in CASES.values():
        if case.steps:
            lines = preview(case)
            assert b"".join(line.octets for line in lines), case.id
            assert all(line.words == line.words.strip() != "" for line in lines), case.id


def test_what_a_case_that_talks_sends_hangs_on_what_it_is_told():
    talking = [case for case in CASES.values() if case.talk is not None]
    assert {case.section for case in talking} == {"D", "F", "H"}
    assert all(preview(case) == [] for case in talking)
