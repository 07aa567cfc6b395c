"""Facts about the catalogue; tests/integration/test_catalogue_is_autobahns.py shows that it does what Autobahn does."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from harness import selection
from harness.cases import catalogue
from harness.cases.corpora import NAMES, corpus
from harness.cases.model import Frame, Opcode, Pause, Send, SendPart, fragments
from harness.engines.native import _of_profile
from harness.results import case_order

CASES = catalogue()
AUTOBAHNS = [case for case in CASES.values() if selection.is_autobahns(case.id)]
OURS = [case for case in CASES.values() if not selection.is_autobahns(case.id)]


def test_there_are_517_cases_in_the_order_of_autobahn_and_ours_behind_them():
    assert len(AUTOBAHNS) == 517
    assert [case.id for case in AUTOBAHNS] == list(selection.weights())
    assert list(CASES) == [case.id for case in (*AUTOBAHNS, *OURS)] == sorted(CASES, key=case_order)


def test_ours_are_of_three_letters_and_numbered_without_a_gap():
    assert Counter(case.section for case in OURS).keys() == {"D", "F", "H"}
    families = Counter(case.id.rpartition(".")[0] for case in OURS)
    assert [case.id for case in OURS] == [
        f"{name}.{number}" for name, count in families.items() for number in range(1, count + 1)
    ]


def test_every_case_bears_the_id_that_it_is_found_by():
    assert [case.id for case in CASES.values()] == list(CASES)


def test_a_case_says_in_one_line_what_it_does_and_what_it_expects():
    for case in CASES.values():
        for line in (case.title, case.expects):
            assert line.isprintable()
            assert line == line.strip() != ""
        assert case.title.endswith(".") == (case in OURS)
        assert case.expects.endswith((".", ")"))


def test_a_case_names_the_clauses_that_it_rests_on():
    for case in CASES.values():
        assert case.clauses
        rfcs = r"6455 [1-9][0-9.]*|7692 [5-8][0-9.]*"
        if case in OURS:  # and what these two rest on: HTTP, DEFLATE and UTF-8
            rfcs += r"|9110 [5-9][0-9.]*|9110 15\.[0-9.]+|9112 [2-8][0-9.]*|1951 [23][0-9.]*|3629 3"
        assert all(re.fullmatch(rf"RFC ({rfcs})", clause) for clause in case.clauses), case.id
        assert len(set(case.clauses)) == len(case.clauses)


def test_ours_talk_and_have_nothing_of_what_autobahns_are_made_of():
    for case in CASES.values():
        assert (case.talk is not None) == (case in OURS)
        if case.talk is not None:
            assert (case.steps, case.accepted, case.exchange, case.informational) == ((), {}, None, False)


def test_a_case_of_autobahn_is_a_script_or_an_exchange_and_never_waits_for_ever():
    for case in AUTOBAHNS:
        if case.exchange is None:
            assert case.accepted
            assert [step for step in case.steps if getattr(step, "seconds", 0) > 0]
        else:
            assert case.steps == ()
            assert case.exchange.seconds > 0
            assert bool(case.exchange.pattern) != bool(case.exchange.corpus)


def test_a_case_accepts_some_close_code():
    for case in CASES.values():
        assert case.close.codes
        assert not case.closes_when_done or 1000 <= case.close.codes[0] < 5000


def test_titles_tell_the_cases_of_a_section_apart():
    titles = [(case.section, case.title) for case in CASES.values() if case.section != "6"]
    assert len(set(titles)) == len(titles)


def test_those_of_ours_that_move_a_mebibyte_or_most_of_it_are_bulk():
    assert [case.id for case in CASES.values() if case.bulk] == [
        "D.2.21", "F.2.11", "F.2.12", "F.3.4", "F.3.12", "F.3.14", "F.4.9",
    ]  # fmt: skip


def test_every_case_of_section_9_says_that_it_is_stricter_and_no_other_does():
    assert [case.id for case in CASES.values() if case.stricter_than_autobahn] == selection.resolve(["9.*"])


def test_the_informational_cases_are_those_of_autobahn():
    assert [case.id for case in CASES.values() if case.informational] == ["7.1.6", "7.13.1", "7.13.2"]


def test_the_cases_that_wait_are_those_whose_script_pauses():
    waiting = ["5.19", "5.20", "6.4.1", "6.4.2", "6.4.3", "6.4.4"]
    assert [case.id for case in CASES.values() if case.waits] == waiting


def test_cases_of_sections_12_and_13_offer_compression_and_no_others():
    offering = [case.id for case in CASES.values() if case.exchange and case.exchange.offer]
    assert offering == selection.resolve(["12.*", "13.*"])


def test_every_corpus_has_a_case_and_every_case_messages_that_divide_its_corpus():
    exchanges = [case.exchange for case in CASES.values() if case.exchange and case.exchange.corpus]
    assert {exchange.corpus for exchange in exchanges} == set(NAMES)
    for exchange in exchanges:
        content = corpus(exchange.corpus).content
        assert len(content) % exchange.size == 0
        assert exchange.binary == isinstance(content, bytes)


def test_only_in_profile_quick_four_messages_are_sent_for_a_thousand_and_nothing_else_changes():
    for case in CASES.values():
        assert _of_profile(case, "full") is case
        quick = _of_profile(case, "quick")
        if case.section in {"12", "13"} or case.id.startswith(("9.7.", "9.8.")):
            assert case.exchange
            assert quick.exchange
            assert (case.exchange.count, quick.exchange.count) == (1000, 4)
            assert quick.title == f"{case.title} (of these 4, in the profile quick)"
            assert (quick.id, quick.exchange.size, quick.exchange.offer) == (
                case.id,
                case.exchange.size,
                case.exchange.offer,
            )
        else:
            assert quick is case


@pytest.mark.parametrize(
    ("payload", "size", "expected"),
    [
        (b"", 2, [(1, b"", True, 4)]),
        (b"ab", 2, [(1, b"ab", True, 4)]),
        (b"abc", 2, [(1, b"ab", False, 4), (0, b"c", True, 0)]),
        (b"abcd", 2, [(1, b"ab", False, 4), (0, b"cd", False, 0), (0, b"", True, 0)]),
    ],
)
def test_a_message_is_cut_into_fragments_as_autobahn_does_it(
    payload: bytes, size: int, expected: list[tuple[int, bytes, bool, int]]
):
    found = [(frame.opcode, frame.payload, frame.fin, frame.rsv) for frame in fragments(Opcode.TEXT, payload, size, 4)]
    assert found == expected


def test_the_parts_of_a_frame_are_sent_whole_and_in_order():
    for case in CASES.values():
        parts: dict[int, int] = {}
        for step in case.steps:
            if isinstance(step, SendPart):
                assert step.start == parts.get(id(step.frame), 0), case.id
                parts[id(step.frame)] = step.stop
        frames: dict[int, Frame] = {id(step.frame): step.frame for step in case.steps if isinstance(step, SendPart)}
        assert parts == {place: len(frame.payload) for place, frame in frames.items()}, case.id


def test_a_script_that_pauses_says_something_after_each_pause():
    for case in CASES.values():
        for step, behind in zip(case.steps, case.steps[1:], strict=False):
            assert not isinstance(step, Pause) or isinstance(behind, Send | SendPart), case.id
