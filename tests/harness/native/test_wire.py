"""The wire log, and how it is shown."""

from __future__ import annotations

import pytest

from harness.engines.native.wire import WireLog
from harness.results import WireEvent
from harness.wire_text import wire_line


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def logged(payload: bytes, *, length: int | None = None, rsv: int = 0) -> str:
    """How a payload is shown."""
    wire = WireLog(lambda: 0.0)
    wire.frame("sent", 1, payload, len(payload) if length is None else length, fin=True, rsv=rsv, masked=False)
    (event,) = wire.events()
    return event.data


def test_times_are_milliseconds_since_the_log_began():
    clock = Clock()
    wire = WireLog(clock)
    wire.note("at once")
    clock.now += 0.0012344
    wire.timer("later")
    assert [(event.kind, event.at_ms, event.note) for event in wire.events()] == [
        ("note", 0.0, "at once"),
        ("timer", 1.234, "later"),
    ]


def test_octets_are_shown_as_digits_and_a_frame_with_all_that_its_header_says():
    wire = WireLog(lambda: 0.0)
    wire.octets("received", b"\x81\x02hi")
    wire.frame("received", 1, b"hi", 2, fin=True, rsv=0, masked=False, note="why")
    assert wire.events() == [
        WireEvent(kind="octets", direction="received", at_ms=0.0, length=4, data="81026869"),
        WireEvent(
            kind="frame", direction="received", at_ms=0.0, length=2, opcode=1, fin=True, rsv=0, masked=False,
            data="hi", note="why",
        ),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("payload", "expected"), [(b"hi", "hi"), ("é€".encode(), "é€"), (b"\xff\x00", "0xff00"), (b"", "")]
)
def test_a_payload_is_shown_as_text_where_it_is_text(payload: bytes, expected: str):
    assert logged(payload) == expected


def test_a_long_payload_is_cut_to_64_octets_and_says_so():
    assert logged(b"x" * 65) == "x" * 64 + "…"
    assert logged(b"x" * 64) == "x" * 64
    assert logged(b"x" * 64, length=1000) == "x" * 64 + "…"


def test_a_character_that_the_cut_goes_through_is_left_out():
    assert logged(b"x" * 63 + "é".encode()) == "x" * 63 + "…"


def test_a_compressed_payload_is_shown_as_digits():
    assert logged(b"hi", rsv=4) == "6869"


def test_of_many_events_the_beginning_and_the_end_are_kept():
    wire = WireLog(lambda: 0.0)
    for number in range(1000):
        wire.note(str(number))
    notes = [event.note for event in wire.events()]
    assert notes == [str(number) for number in (*range(120), *range(940, 1000))]
    assert wire.omitted == 820


def test_nothing_is_left_out_of_a_short_log():
    wire = WireLog(lambda: 0.0)
    for number in range(180):
        wire.note(str(number))
    assert (len(wire.events()), wire.omitted) == (180, 0)


def test_past_the_beginning_frames_say_enough_and_octets_are_only_counted():
    wire = WireLog(lambda: 0.0)
    for _ in range(120):
        wire.octets("sent", b"x")
    wire.octets("sent", b"left out")
    wire.frame("sent", 1, b"kept", 4, fin=True, rsv=0, masked=True)
    assert [event.kind for event in wire.events()] == ["octets"] * 120 + ["frame"]
    assert wire.omitted == 1


def test_who_listens_is_told_of_every_event_as_it_happens():
    heard: list[WireEvent] = []
    wire = WireLog(lambda: 0.0, heard.append)
    for _ in range(300):
        wire.octets("sent", b"x")
    wire.timer("tick")
    assert len(heard) == 301
    assert heard[-1].note == "tick"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            WireEvent(kind="frame", direction="sent", at_ms=1.204, length=13, opcode=1, fin=True, rsv=0, masked=True,
                      data="Hello, world!"),
            "    1.204 ms  -> text FIN masked, 13 octets: Hello, world!",
        ),
        (
            WireEvent(kind="frame", direction="received", at_ms=12345.6, length=0, opcode=8, fin=True, rsv=0,
                      masked=False),
            "12345.600 ms  <- close FIN, 0 octets",
        ),
        (
            WireEvent(kind="frame", direction="received", length=2, opcode=3, fin=False, rsv=5, masked=False,
                      data="6869", note="octet by octet"),
            "<- opcode 3 RSV=5, 2 octets: 6869 (octet by octet)",
        ),
        (WireEvent(kind="octets", direction="sent", length=2, data="8100"), "-> octets, 2 octets: 8100"),
        (WireEvent(kind="timer", at_ms=1000.0, note="the time is up"), " 1000.000 ms     the time is up"),
        (WireEvent(kind="note", note="two\nlines"), "   two | lines"),
    ],
)  # fmt: skip
def test_an_event_is_one_line(event: WireEvent, expected: str):
    assert wire_line(event) == expected


def test_what_a_peer_sent_cannot_move_the_cursor():
    event = WireEvent(kind="frame", direction="received", opcode=9, fin=True, length=3, data="a\x1b[2J\rb")
    assert wire_line(event) == "<- ping FIN, 3 octets: a\\x1b[2J\\rb"


@pytest.mark.parametrize(
    ("opcode", "name"),
    [(0, "continuation"), (1, "text"), (2, "binary"), (8, "close"), (9, "ping"), (10, "pong"), (11, "opcode 11")],
)
def test_opcodes_have_the_names_of_rfc_6455(opcode: int, name: str):
    assert wire_line(WireEvent(kind="frame", direction="sent", opcode=opcode)) == f"-> {name}"
