"""The verdict about the closing: Autobahn's rules, in its order (autobahntestsuite/case/case.py, onConnectionLost)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.cases.model import INVALID_PAYLOAD, NORMAL, PROTOCOL_ERROR, Case, Event, binary, pong, text, timeout
from harness.engines.native.conversation import Conversation
from harness.engines.native.judge import judge, shown
from harness.engines.native.opening import Deflate
from harness.results import Behavior, BehaviorClose, Closing

CASE = Case(id="0.1", title="t", expects="e", clauses=("RFC 6455 7",), accepted={Behavior.OK: ()})
CLEAN = Closing(was_clean=True, closed_by_engine=True, remote_code=1000)


class Ended:
    """A driver that has come to its end."""

    timed = False

    def __init__(self, behavior: Behavior = Behavior.OK) -> None:
        self.received: list[Event] = []
        self.behavior = Behavior.FAILED
        self.outcome = "not judged yet"
        self._at_end = behavior

    def on_open(self, conversation: Conversation, agreed: Deflate | None) -> None:
        raise NotImplementedError

    def on_message(self, payload: bytearray, *, binary: bool) -> None:
        raise NotImplementedError

    def on_pong(self, payload: bytes) -> None:
        raise NotImplementedError

    def on_end(self) -> None:
        self.behavior = self._at_end
        self.outcome = f"the driver says {self._at_end}"


def judged(case: Case, closing: Closing, behavior: Behavior = Behavior.OK) -> tuple[str, str]:
    one, other, _, _ = judge(case, Ended(behavior), closing, opened=True)
    return str(one), str(other)


def changed(**fields: object) -> Closing:
    return CLEAN.model_copy(update=fields)


@pytest.mark.parametrize(
    ("closing", "expected", "words"),
    [
        (CLEAN, "OK", "The connection was closed as it should be."),
        (changed(remote_code=None), "OK", "The connection was closed as it should be."),
        (changed(closed_by_engine=False), "FAILED", "The peer ended the connection, where it was not its turn."),
        (
            changed(was_clean=False, reason_not_clean="it was lost"),
            "UNCLEAN",
            "The closing handshake was not clean: it was lost.",
        ),
        (changed(was_clean=False), "UNCLEAN", "The closing handshake was not clean: it was incomplete."),
        (changed(remote_code=1001), "WRONG CODE", "The close code was 1001; it should be 1000, or none."),
        (
            changed(dropped_by_engine=True),
            "FAILED BY CLIENT",
            "The peer left it to the engine to drop the TCP connection.",
        ),
    ],
)
def test_a_closing_that_the_engine_has_to_begin(closing: Closing, expected: str, words: str):
    assert judge(CASE, Ended(), closing, opened=True)[1::2] == (BehaviorClose(expected), words)


#: Each breaks its rule and all that come after it.
WORSE = [
    (changed(remote_code=1001, dropped_by_engine=True), "WRONG CODE"),
    (changed(was_clean=False, remote_code=1001, dropped_by_engine=True), "UNCLEAN"),
    (changed(closed_by_engine=False, was_clean=False, remote_code=1001, dropped_by_engine=True), "FAILED"),
]


@pytest.mark.parametrize(("closing", "expected"), WORSE)
def test_the_first_rule_that_is_broken_decides(closing: Closing, expected: str):
    assert judged(CASE, closing) == ("OK", expected)


def test_a_peer_that_has_to_fail_the_connection_and_does_not_has_failed():
    case = replace(CASE, close=PROTOCOL_ERROR)
    _, close, _, words = judge(case, Ended(), CLEAN, opened=True)
    assert close is BehaviorClose.FAILED
    assert words == "The peer did not fail the connection; the engine had to end it."


@pytest.mark.parametrize(
    ("closing", "expected"),
    [
        (Closing(was_clean=False), "OK"),
        (Closing(was_clean=True, remote_code=1002), "OK"),
        (Closing(was_clean=True, remote_code=1007), "WRONG CODE"),
        (Closing(was_clean=True, remote_code=1002, dropped_by_engine=True), "FAILED BY CLIENT"),
    ],
)
def test_a_peer_that_fails_the_connection_may_do_so_without_a_handshake(closing: Closing, expected: str):
    assert judged(replace(CASE, close=PROTOCOL_ERROR), closing) == ("OK", expected)


def test_each_of_several_codes_will_do_and_all_are_named():
    case = replace(CASE, close=replace(NORMAL, codes=(1000, 3000)))
    assert judged(case, changed(remote_code=3000)) == ("OK", "OK")
    words = judge(case, Ended(), changed(remote_code=1002), opened=True)[3]
    assert words == "The close code was 1002; it should be 1000 or 3000, or none."


def test_a_case_whose_data_was_wrong_stays_failed_however_well_it_closed():
    assert judged(CASE, CLEAN, Behavior.FAILED) == ("FAILED", "OK")
    assert judge(CASE, Ended(Behavior.FAILED), CLEAN, opened=True)[2] == "the driver says FAILED"


def test_where_invalid_utf_8_is_not_noticed_the_wrong_endpoint_fails_the_data_too():
    case = replace(CASE, close=INVALID_PAYLOAD)
    behavior, close, outcome, words = judge(case, Ended(), CLEAN, opened=True)
    assert (behavior, close) == (Behavior.FAILED, BehaviorClose.FAILED)
    assert outcome == words == "The peer did not fail the connection; the engine had to end it."
    assert judged(case, Closing(was_clean=False)) == ("OK", "OK")
    assert judged(case, Closing(was_clean=True, remote_code=1002)) == ("OK", "WRONG CODE")


def test_in_section_7_a_wrong_code_fails_the_data_too():
    case = replace(CASE, wrong_code_fails=True)
    assert judged(case, changed(remote_code=1002)) == ("FAILED", "WRONG CODE")
    assert judged(case, changed(was_clean=False)) == ("OK", "UNCLEAN")


@pytest.mark.parametrize("closing", [CLEAN, *(closing for closing, _ in WORSE)])
def test_an_informational_case_cannot_fail(closing: Closing):
    assert judged(replace(CASE, informational=True), closing, Behavior.FAILED) == ("INFORMATIONAL", "INFORMATIONAL")


@pytest.mark.parametrize(
    ("behavior", "words"),
    [
        (Behavior.OK, "The message was answered before the close."),
        (Behavior.NON_STRICT, "Nothing was answered."),
        (Behavior.FAILED, "Something was answered."),
    ],
)
def test_an_informational_case_records_what_the_rfc_leaves_open(behavior: Behavior, words: str):
    accepted: dict[Behavior, tuple[Event, ...]] = {Behavior.OK: (text(b"x"),), Behavior.NON_STRICT: ()}
    case = replace(CASE, informational=True, accepted=accepted)
    assert judge(case, Ended(behavior), CLEAN, opened=True)[2] == words
    only_closing = replace(case, accepted={Behavior.OK: ()})
    assert judge(only_closing, Ended(behavior), CLEAN, opened=True)[2] == "See how it was closed."


@pytest.mark.parametrize("informational", [False, True])
def test_where_the_opening_handshake_was_not_completed_all_has_failed(informational: bool):
    case = replace(CASE, informational=informational)
    closing = Closing(was_clean=False, reason_not_clean="it refused")
    words = "The opening handshake was not completed: it refused."
    assert judge(case, Ended(), closing, opened=False) == (Behavior.FAILED, BehaviorClose.FAILED, words, words)
    lost = judge(case, Ended(), Closing(was_clean=False), opened=False)
    assert lost[2] == "The opening handshake was not completed: the connection was lost."


def test_an_unimplemented_case_is_judged_by_its_closing():
    assert judged(CASE, CLEAN, Behavior.UNIMPLEMENTED) == ("UNIMPLEMENTED", "OK")
    assert judged(CASE, changed(was_clean=False), Behavior.UNIMPLEMENTED) == ("UNIMPLEMENTED", "UNCLEAN")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (text(b"Hello"), 'message "Hello" (text)'),
        (binary(b"\xff\x00"), 'message "0xff00" (binary)'),
        (binary(b"Hello"), 'message "Hello" (binary)'),
        (pong(b"x"), 'pong "x"'),
        (pong(b""), 'pong ""'),
        (timeout("A"), "timeout A"),
        (text(b"x" * 65), f'message "{"x" * 64}…" (text)'),
        (text(b"x" * 64), f'message "{"x" * 64}" (text)'),
        (text(b"x" * 63 + "é".encode()), f'message "{"x" * 63}…" (text)'),
        (text(b"a\x1b[2J\n"), 'message "a\\x1b[2J | " (text)'),
    ],
)
def test_an_event_is_shown_in_one_line_that_is_safe(event: Event, expected: str):
    assert shown(event) == expected
