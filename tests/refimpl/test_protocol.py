from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refimpl import (
    Close,
    DeferredProtocol,
    Event,
    Failure,
    InvalidDataError,
    MaskedMessage,
    MessageTooLargeError,
    Parameters,
    Ping,
    Pong,
    Protocol,
    ProtocolError,
    WebSocketError,
)
from tests.refimpl.peer import BINARY, CLOSE, PING, PONG, TEXT, frame, header

KINDS = pytest.mark.parametrize("kind", [Protocol, DeferredProtocol])


def protocol(kind: type[Protocol] = Protocol, **parameters: int) -> Protocol:
    limits: dict[str, Any] = {**parameters}
    return kind(Parameters(**limits))


def assembled(events: list[Event]) -> list[Event]:
    return [event.assemble() if isinstance(event, MaskedMessage) else event for event in events]


def failure(events: list[Event]) -> type[WebSocketError]:
    assert isinstance(events[-1], Failure), events
    return type(events[-1].error)


controls = st.lists(
    st.tuples(st.sampled_from([PING, PONG]), st.binary(max_size=125), st.binary(min_size=4, max_size=4)), max_size=2
)


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[Event]]:
    """Frames of several messages, fragmented and interleaved with control frames, and the events they are."""
    stream, events = b"", list[Event]()
    for message in draw(st.lists(st.text(max_size=200) | st.binary(max_size=800), max_size=4)):
        data = message.encode() if isinstance(message, str) else message
        cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=4)))
        bounds = list(itertools.pairwise([0, *cuts, len(data)]))
        for index, (start, end) in enumerate(bounds):
            opcode = 0 if index else TEXT if isinstance(message, str) else BINARY
            key = draw(st.binary(min_size=4, max_size=4))
            stream += frame(opcode, data[start:end], fin=index == len(bounds) - 1, key=key)
            if index == len(bounds) - 1:
                events.append(message)
            for control, payload, control_key in draw(controls):
                stream += frame(control, payload, key=control_key)
                events.append(Ping(payload) if control == PING else Pong(payload))
    return stream, events


@KINDS
@given(stream=streams(), data=st.data())
def test_messages_survive_any_fragmentation_and_any_chunks(
    kind: type[Protocol], stream: tuple[bytes, list[Event]], data: st.DataObject
):
    sent, expected = stream
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=20)))
    reader = protocol(kind)
    events: list[Event] = []
    for start, end in itertools.pairwise([0, *cuts, len(sent)]):
        events += reader.receive(sent[start:end])
    assert assembled(events) == expected


@KINDS
def test_messages_survive_byte_by_byte(kind: type[Protocol]):
    sent = frame(TEXT, "é€𐍈".encode() * 60) + frame(PING, b"p") + frame(BINARY, b"x" * 300) + frame(CLOSE, b"\x03\xe8")
    reader = protocol(kind)
    events = assembled([event for byte in sent for event in reader.receive(bytes([byte]))])
    assert events == ["é€𐍈" * 60, Ping(b"p"), b"x" * 300, Close(1000, "")]


@pytest.mark.parametrize(
    "stream",
    [
        frame(0, b"x"),
        frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"),
        frame(TEXT, b"x") + frame(0, b"y"),
        b"\x81\x01x",
        frame(CLOSE, b"\x03"),
        frame(CLOSE, b"\x03\xed"),
        frame(3),
        header(PING, 126),
    ],
    ids=["alone", "begun twice", "continued after its end", "unmasked", "short close", "1005", "opcode", "long ping"],
)
@KINDS
def test_a_broken_rule_is_a_protocol_error(kind: type[Protocol], stream: bytes):
    assert issubclass(failure(protocol(kind).receive(stream)), ProtocolError)


@KINDS
def test_what_came_before_an_error_is_delivered(kind: type[Protocol]):
    events = assembled(protocol(kind).receive(frame(TEXT, b"ok") + frame(5)))
    assert events[0] == "ok"
    assert failure(events) is ProtocolError


@KINDS
def test_nothing_follows_an_error_or_a_close(kind: type[Protocol]):
    for last in (frame(5), frame(CLOSE)):
        reader = protocol(kind)
        assert len(reader.receive(last + frame(TEXT, b"x"))) == 1
        assert reader.receive(frame(TEXT, b"x")) == []
        assert reader.remaining == 0


@KINDS
@pytest.mark.parametrize("name", ["max_frame_size", "max_message_size"])
def test_a_frame_is_limited_exactly_before_its_payload(kind: type[Protocol], name: str):
    assert assembled(protocol(kind, **{name: 700}).receive(frame(BINARY, b"x" * 700))) == [b"x" * 700]
    assert failure(protocol(kind, **{name: 700}).receive(header(BINARY, 701))) is MessageTooLargeError


@KINDS
def test_a_message_is_limited_exactly_over_its_fragments(kind: type[Protocol]):
    reader = protocol(kind, max_message_size=10)
    assert reader.receive(frame(TEXT, b"x" * 6, fin=False)) == []
    assert assembled(reader.receive(frame(0, b"y" * 4))) == ["xxxxxxyyyy"]
    assert reader.receive(frame(TEXT, b"x" * 6, fin=False)) == []
    assert failure(reader.receive(header(0, 5))) is MessageTooLargeError


@KINDS
def test_fragments_are_limited_exactly_even_when_they_are_empty(kind: type[Protocol]):
    reader = protocol(kind, max_fragments=3)
    fragments = [frame(TEXT, fin=False), frame(0, fin=False), frame(0)]
    assert assembled(reader.receive(b"".join(fragments))) == [""]
    assert reader.receive(frame(TEXT, fin=False) + frame(0, fin=False) * 2) == []
    assert failure(reader.receive(frame(0))) is MessageTooLargeError


def test_a_text_fails_inside_a_frame_that_is_not_complete():
    reader = protocol()
    assert reader.receive(header(TEXT, 1000) + frame(TEXT, b"\xf4")[6:]) == []
    wrong = bytes([0x90 ^ 0xFA])  # the second byte, masked: no character begins with F4 90
    assert failure(reader.receive(wrong)) is InvalidDataError


def test_a_character_may_be_cut_by_fragments_but_not_by_the_end():
    reader = protocol()
    assert reader.receive(frame(TEXT, "é".encode()[:1], fin=False) + frame(0, "é".encode()[1:])) == ["é"]
    assert failure(reader.receive(frame(TEXT, b"\xc3", fin=False) + frame(0))) is InvalidDataError
    assert failure(protocol().receive(frame(TEXT, b"\xc3"))) is InvalidDataError


def test_a_deferred_text_fails_when_it_is_assembled():
    (event,) = protocol(DeferredProtocol).receive(frame(TEXT, b"\xff"))
    assert isinstance(event, MaskedMessage)
    with pytest.raises(InvalidDataError):
        event.assemble()


def test_memory_grows_with_what_came_not_with_what_was_announced():
    limit = 1 << 30
    reader = protocol(max_frame_size=limit, max_message_size=limit)
    reader.receive(header(BINARY, limit) + b"x" * 1000)
    assert reader.remaining == limit - 1000
    assert reader._message.__alloc__() < 2000


@given(st.binary(max_size=300), st.data())
def test_any_bytes_are_events_or_one_failure(data: bytes, cuts: st.DataObject):
    cut = cuts.draw(st.integers(0, len(data)))
    whole, halves = protocol(), protocol()
    first = whole.receive(data)
    second = halves.receive(data[:cut]) + halves.receive(data[cut:])
    assert [type(event) for event in first] == [type(event) for event in second]
    assert all(not isinstance(event, Failure) for event in first[:-1])
