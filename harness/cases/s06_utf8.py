"""Section 6, text is UTF-8 (RFC 6455 8.1, RFC 3629).

From 6.5 on the sequences are those of Markus Kuhn's well-known stress test for decoders, in its order.
"""

from __future__ import annotations

from harness.cases.model import (
    INVALID_PAYLOAD,
    NORMAL,
    Case,
    CloseAfter,
    FailAfter,
    Frame,
    Opcode,
    Pause,
    Send,
    SendPart,
    Step,
    fragments,
    text,
    timeout,
)
from harness.results import Behavior

_CLAUSES = ("RFC 6455 8.1", "RFC 6455 5.6")
_HELLO = "Hello-µ@ßöäüàá-UTF-8!!".encode()
_KOSME = bytes.fromhex("cebae1bdb9cf83cebcceb5")  # a Greek word of five letters; the second takes three octets
_ECHOED = "The message comes back."
_REFUSED = "The peer fails the connection with 1007."


def _sent(frames: tuple[Frame, ...]) -> tuple[Step, ...]:
    return tuple(Send(frame) for frame in frames)


def _by_octets(payload: bytes) -> tuple[Frame, ...]:
    return tuple(fragments(Opcode.TEXT, payload, 1))


def _valid(number: str, title: str, payload: bytes, frames: tuple[Frame, ...]) -> Case:
    return Case(
        id=number,
        title=title,
        expects=_ECHOED,
        clauses=_CLAUSES,
        steps=(*_sent(frames), CloseAfter(1)),
        accepted={Behavior.OK: (text(payload),)},
    )


def _invalid(number: str, title: str, frames: tuple[Frame, ...], seconds: float = 1) -> Case:
    return Case(
        id=number,
        title=title,
        expects=_REFUSED,
        clauses=_CLAUSES,
        steps=(*_sent(frames), FailAfter(seconds)),
        accepted={Behavior.OK: ()},
        close=INVALID_PAYLOAD,
    )


def _three(*payloads: bytes) -> tuple[Frame, ...]:
    first, second, third = payloads
    return (
        Frame(Opcode.TEXT, first, fin=False),
        Frame(Opcode.CONTINUATION, second, fin=False),
        Frame(Opcode.CONTINUATION, third),
    )


_SURROGATE = _KOSME + b"\xed\xa0\x80" + b"edited"
_OUT_OF_RANGE = _KOSME + b"\xf4\x90\x80\x80" + b"edited"  # U+110000; the octet that makes it invalid is number 13


def _fail_fast(number: int, title: str, first: tuple[Step, ...], second: Step, third: tuple[Step, ...]) -> Case:
    return Case(
        id=f"6.4.{number}",
        title=title,
        expects=(
            "The first part is accepted. The peer fails the connection with 1007 as soon as the second is there, or "
            "(NON-STRICT) when the message is complete."
        ),
        clauses=_CLAUSES,
        steps=(*first, Pause(1, "A"), second, Pause(1, "B"), *third, FailAfter(1)),
        accepted={Behavior.OK: (timeout("A"),), Behavior.NON_STRICT: (timeout("A"), timeout("B"))},
        close=INVALID_PAYLOAD,
    )


def _fail_fast_in_fragments(number: int, title: str, first: int, second: int) -> Case:
    one, two, three = _three(_OUT_OF_RANGE[:first], _OUT_OF_RANGE[first:second], _OUT_OF_RANGE[second:])
    return _fail_fast(number, title, (Send(one),), Send(two), (Send(three),))


def _fail_fast_in_one_frame(number: int, title: str, first: int, second: int) -> Case:
    frame = Frame(Opcode.TEXT, _OUT_OF_RANGE, fin=False)
    return _fail_fast(
        number,
        title,
        (SendPart(frame, 0, first),),
        SendPart(frame, first, second),
        (SendPart(frame, second, len(_OUT_OF_RANGE)), Send(Frame(Opcode.CONTINUATION))),
    )


_LONELY = tuple(
    b"".join(bytes([lead]) + b" " for lead in range(first, last))
    for first, last in ((0xC0, 0xDF), (0xE0, 0xEF), (0xF0, 0xF7), (0xF8, 0xFB), (0xFC, 0xFD))
)
_LAST_OCTET_MISSING = (
    b"\xc0", b"\xe0\x80", b"\xf0\x80\x80", b"\xf8\x80\x80\x80", b"\xfc\x80\x80\x80\x80",
    b"\xdf", b"\xef\xbf", b"\xf7\xbf\xbf", b"\xfb\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf",
)  # fmt: skip
#: The last two code points of each plane: no characters, but valid UTF-8 all the same (RFC 3629 3).
_NONCHARACTERS = tuple(chr(plane << 16 | last).encode() for plane in range(17) for last in (0xFFFE, 0xFFFF))

#: 6.5 to 6.23: (what they are, sequences). Which ones are valid, Python's strict decoder says; tests compare with
#: Autobahn's own list.
_SEQUENCES: tuple[tuple[str, tuple[bytes, ...]], ...] = (
    ("valid text", (b"hello$world", "hello¢world".encode(), "hello€world".encode(),
                    "hello\U00024b62world".encode(), _KOSME)),
    ("a beginning of a valid text", tuple(_KOSME[:end] for end in range(1, len(_KOSME) + 1))),
    ("the first sequence of its length", (b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80")),
    ("the first sequence of 5 or 6 octets, beyond U+10FFFF", (b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80")),
    ("the last sequence of its length", (b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf")),
    ("the last sequence of 4, 5 or 6 octets, beyond U+10FFFF",
     (b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf")),
    ("a boundary", (b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf", b"\xf4\x90\x80\x80")),
    ("continuation octets without a beginning",
     (b"\x80", b"\xbf", *((b"\x80\xbf" * 3)[:length] for length in range(2, 7)), bytes(range(0x80, 0xBF)))),
    ("leading octets, each followed by a space", _LONELY),
    ("a sequence whose last octet is missing", _LAST_OCTET_MISSING),
    ("ten sequences whose last octets are missing, joined", (b"".join(_LAST_OCTET_MISSING),)),
    ("octets that UTF-8 never has", (b"\xfe", b"\xff", b"\xfe\xfe\xff\xff")),
    ("an overlong slash",
     (b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x80\x80\x80\xaf", b"\xfc\x80\x80\x80\x80\xaf")),
    ("the last overlong sequence of its length",
     (b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xf8\x87\xbf\xbf\xbf", b"\xfc\x83\xbf\xbf\xbf\xbf")),
    ("an overlong NUL",
     (b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80", b"\xf8\x80\x80\x80\x80", b"\xfc\x80\x80\x80\x80\x80")),
    ("a UTF-16 surrogate",
     (b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf", b"\xed\xb0\x80", b"\xed\xbe\x80",
      b"\xed\xbf\xbf")),
    ("a pair of UTF-16 surrogates",
     tuple(high + low for high in (b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf")
           for low in (b"\xed\xb0\x80", b"\xed\xbf\xbf"))),
    ("a noncharacter, which is valid", _NONCHARACTERS),
    ("a special of U+FFF9 to U+FFFF, which is valid", tuple(chr(code).encode() for code in range(0xFFF9, 0x10000))),
)  # fmt: skip


def _is_valid(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


def _sequence(number: str, what: str, payload: bytes) -> Case:
    frames = (Frame(Opcode.TEXT, payload),)
    title = f"A text message that is {what}: 0x{payload.hex()}"
    if not _is_valid(payload):
        return _invalid(number, title, frames, 0.5)
    return Case(
        id=number,
        title=title,
        expects=_ECHOED,
        clauses=_CLAUSES,
        steps=(*_sent(frames), FailAfter(0.5)),
        accepted={Behavior.OK: (text(payload),)},
        close=NORMAL,
    )


CASES = (
    _valid("6.1.1", "An empty text message", b"", (Frame(Opcode.TEXT),)),
    _valid("6.1.2", "A text message in three empty fragments", b"", _three(b"", b"", b"")),
    _valid("6.1.3", "A text message in three fragments, the first and the last empty", b"middle frame payload",
           _three(b"", b"middle frame payload", b"")),
    _valid("6.2.1", "A text message with characters of two octets", _HELLO, (Frame(Opcode.TEXT, _HELLO),)),
    _valid("6.2.2", "The same in two fragments, cut between characters", _HELLO,
           tuple(fragments(Opcode.TEXT, _HELLO, len("Hello-µ@ßöä".encode())))),
    _valid("6.2.3", "The same in fragments of one octet, cut inside characters", _HELLO, _by_octets(_HELLO)),
    _valid("6.2.4", "A Greek word in fragments of one octet", _KOSME, _by_octets(_KOSME)),
    _invalid("6.3.1", "A text message with a surrogate in it", (Frame(Opcode.TEXT, _SURROGATE),)),
    _invalid("6.3.2", "The same in fragments of one octet", _by_octets(_SURROGATE)),
    _fail_fast_in_fragments(1, "Three fragments a second apart, the second with a code point beyond U+10FFFF", 11, 15),
    _fail_fast_in_fragments(2, "The same, but the second fragment is just the octet that makes it invalid", 12, 13),
    _fail_fast_in_one_frame(3, "As 6.4.1, but three parts of one frame", 11, 15),
    _fail_fast_in_one_frame(4, "As 6.4.2, but three parts of one frame", 12, 13),
    *(
        _sequence(f"6.{part}.{number}", what, payload)
        for part, (what, payloads) in enumerate(_SEQUENCES, 5)
        for number, payload in enumerate(payloads, 1)
    ),
)  # fmt: skip
