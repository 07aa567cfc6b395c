"""The payloads of the compression cases 12.* and 13.*, made here, about as compressible as Autobahn's own files.

Every octet comes from integer arithmetic and SHAKE-256: no floating point, whose last digit hangs on the machine's
mathematics library, no zlib, whose output hangs on its version, and no `random`, whose sequences may change. The sizes
of ranges and vocabularies below are tuned to ratios that tests/harness/test_corpora.py holds.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import AnyStr

#: Multiples of 131,072, the greatest message of the cases, so that every message size divides them: the engine takes
#: its messages from a corpus cyclically, and sends those again that it has already compressed.
_LENGTH = 2 * 131_072
_PDF_LENGTH = 8 * 131_072


@dataclass(frozen=True)
class Corpus:
    """What the messages of a compression case are cut from."""

    name: str
    #: One line for a person.
    description: str
    #: Text goes into text messages and is cut by characters, octets go into binary messages.
    content: str | bytes


class _Dice:
    """Numbers that look random and are the same everywhere."""

    def __init__(self, seed: int) -> None:
        self._state = seed

    def roll(self, sides: int) -> int:
        """One of 0 ... sides - 1, each as likely."""
        # The multiplier and increment of Knuth's MMIX; the low bits of such a generator are poor, so they are dropped.
        self._state = (self._state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
        return (self._state >> 33) * sides >> 31

    def pick(self, choices: Sequence[str]) -> str:
        """One of the choices, each as likely."""
        return choices[self.roll(len(choices))]

    def lean(self, choices: Sequence[str]) -> str:
        """One of the choices, those in front likelier, as a few words of a language are most of its texts."""
        return choices[self.roll(self.roll(len(choices)) + 1)]


def _noise(label: str, length: int) -> bytes:
    """Octets that do not compress, different for each label."""
    return hashlib.shake_256(label.encode()).digest(length)


def _fill(length: int, head: AnyStr, pieces: Iterator[AnyStr], tail: AnyStr) -> AnyStr:
    """Head, as many pieces as there is room for, blanks up to the length, tail."""
    parts, room = [head], length - len(head) - len(tail)
    for piece in pieces:
        room -= len(piece)
        if room < 0:
            break
        parts.append(piece)
    return head[:0].join(parts).ljust(length - len(tail)) + tail


def _json() -> str:
    """Records that differ from the one before in a few digits."""
    head = '{\n    "format": 1,\n    "runs": [\n        {}'  # an empty record, for the others begin with a comma
    return _fill(_LENGTH, head, _records(_Dice(1)), "\n    ]\n}\n")


def _records(dice: _Dice) -> Iterator[str]:
    for number in count(1):
        slow = dice.roll(16) == 0  # one in several messages of 1 KiB, for a change
        yield (
            ",\n        {\n"
            f'            "number": {number},\n'
            f'            "octets": {2 ** dice.roll(10)},\n'
            f'            "outcome": "{"slow" if slow else "passed"}",\n'
            f'            "milliseconds": {dice.roll(900) if slow else dice.roll(99)},\n'
            f'            "closing": {{"code": 1000, "clean": {"false" if slow else "true"}}},\n'
            f'            "evidence": "evidence/{number}.json"\n'
            "        }"
        )


_STYLE = """\
body { font: 14px/1.4 sans-serif; margin: 2em auto; max-width: 70em; color: #223; background: #fdfdfb }
h1, h2 { font-weight: 600; border-bottom: 1px solid #ccd; padding-bottom: .2em }
table { border-collapse: collapse; width: 100% } th { text-align: left; color: #667 }
td { padding: .1em .6em; border-top: 1px solid #dde } td.number { text-align: right }
tr.good td.verdict { background: #dfd } tr.poor td.verdict { background: #ffd } tr.bad td.verdict { background: #fdd }
"""
#: Characters of two, three and four octets, so that messages and fragments end inside of UTF-8 sequences.
_CAPTIONS = (
    "Überblick: Übertragungen",
    "Verzögerung ≤ 5 ms",
    "Größe in Oktetten — gemessen",
    "Rückläufer 🐌 → 🚀",
    "日本語",
)
#: Long and many, so that little of a message repeats inside of it, and nearly all in those before it.
_REMARKS = (
    "echoed as it was sent, in one frame",
    "the pong came before the rest of the message",
    "fragments were joined into a single message",
    "answered after the time limit had nearly run out",
    "closing handshake complete, no octet too many",
    "failed the connection with 1002, as it should",
    "an empty payload, and an empty answer to it",
    "invalid UTF-8 found at the very first octet",
    "needed three reads from its socket for this",
    "compressed, though the message is a short one",
)


def _html() -> str:
    """Tables of short rows with a remark in each."""
    head = '<!DOCTYPE html>\n<html lang="de">\n<head><meta charset="utf-8"><title>Messwerte</title>\n<style>\n'
    head += f"{_STYLE}</style></head>\n<body>\n<table>\n"
    return _fill(_LENGTH, head, _rows(_Dice(2)), "</table>\n</body>\n</html>\n")


def _rows(dice: _Dice) -> Iterator[str]:
    for number in count(1):
        if number % 80 == 1:  # a few dozen characters that are not ASCII in all
            yield f"</table>\n<h2>{dice.pick(_CAPTIONS)}</h2>\n<table>\n"
        verdict = dice.lean(("good", "good", "poor", "bad"))
        yield (
            f'<tr class="{verdict}">\n'
            f'  <td class="number"><a href="#row-{number}">{number}</a></td>\n'
            f'  <td class="verdict" title="what came of it">{verdict}</td>\n'
            f'  <td class="number">{dice.roll(90)} ms</td>\n'
            f'  <td class="remark">{dice.pick(_REMARKS)}</td>\n'
            "</tr>\n"
        )


#: Vowels, codas and endings with the commonest first; umlauts and ß make 2.4 % of the octets not ASCII.
_ONSETS = ("b", "d", "f", "g", "h", "k", "l", "m", "n", "r", "s", "t", "w", "z", "sch", "st", "br", "gl", "schw", "tr")
_VOWELS = ("e", "a", "i", "ei", "u", "o", "ie", "au", "e", "ä", "a", "ü", "ö")
_CODAS = ("n", "r", "l", "t", "ch", "s", "nd", "cht", "ng", "ß", "mm", "ck", "hl")
_ENDINGS = ("", "e", "en", "er", "t", "et", "ung", "lich", "heit")


def _prose() -> bytes:
    """Verse in a language that sounds like German and means nothing."""
    return _fill(_LENGTH, b"", _verses(_Dice(3)), b"")


def _verses(dice: _Dice) -> Iterator[bytes]:
    # 3,000 words, leaned on as `lean` does, are told apart by about as many bits as the words of real verse.
    words = [dice.pick(_ONSETS) + dice.lean(_VOWELS) + dice.lean(_CODAS) + dice.lean(_ENDINGS) for _ in range(3000)]
    words = [word.capitalize() if dice.roll(4) == 0 else word for word in words]
    for number in count(1):
        line = " ".join(dice.lean(words) for _ in range(6 + dice.roll(3)))
        end = dice.pick((",", ",", ";", ".", "!", "")) + ("\n\n" if number % 4 == 0 else "\n")
        yield (line[0].upper() + line[1:] + end).encode()


def _bitmap() -> bytes:
    """An 8-bit greyscale BMP: a slope of light and a white disc, as noisy as a scan of grainy film."""
    # Rows are whole multiples of four octets; what is left of the length lies between the palette and the pixels.
    width, height = 512, 509
    offset = _LENGTH - width * height
    header = struct.pack("<2sIHHI", b"BM", _LENGTH, 0, 0, offset)
    header += struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 0, width * height, 2835, 2835, 256, 0)  # 72 dpi
    palette = b"".join(bytes((grey, grey, grey, 0)) for grey in range(256))
    return (header + palette).ljust(offset, b"\0") + b"".join(_lines(width, height))


def _lines(width: int, height: int) -> Iterator[bytes]:
    noise, radius = _noise("bitmap", width * height), 80
    for y in range(height):
        grain = noise[y * width : (y + 1) * width]
        # 144 greys of grain are about 7.2 bits of each octet, and the disc, a thirteenth of the picture, nearly none.
        shades = [(x + y >> 4) + (grain[x] * 9 >> 4) for x in range(width)]
        yield bytes(255 if (x - 180) ** 2 + (y - 300) ** 2 < radius**2 else shades[x] for x in range(width))


#: What every page says of itself: it repeats from page to page, and not inside of a page.
_PAGE = """\
/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /CropBox [0 0 595 842] /Rotate 0
/Resources << /ProcSet [/PDF /Text /ImageB] /ColorSpace << /Cs1 7 0 R >>
/Font << /F1 8 0 R /F2 9 0 R /F3 10 0 R >> /ExtGState << /Gs1 11 0 R >> >>
/Group << /S /Transparency /CS /DeviceRGB /I true /K false >> /Tabs /S /StructParents 0
"""


def _pdf() -> bytes:
    """Pages with links in plain text, each with a stream that is compressed already."""
    head, tail = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", b"trailer\n<< /Root 1 0 R >>\n%%EOF\n"
    return _fill(_PDF_LENGTH, head, _pages(_Dice(5)), tail)


def _pages(dice: _Dice) -> Iterator[bytes]:
    for number in count(12, 2):
        size = 1000 + dice.roll(2400)  # about seven tenths of the whole
        links = "".join(
            f"<< /Type /Annot /Subtype /Link /Border [0 0 0] /Rect [{dice.roll(600)} {dice.roll(800)} 90 12] >>\n"
            for _ in range(5)
        )
        page = f"{number} 0 obj\n<< {_PAGE}/Contents {number + 1} 0 R /Annots [\n{links}] >>\nendobj\n"
        stream = f"{number + 1} 0 obj\n<< /Filter /FlateDecode /Length {size} >>\nstream\n"
        yield (page + stream).encode() + _noise(f"stream {number}", size) + b"\nendstream\nendobj\n"


_MAKERS: dict[str, tuple[str, Callable[[], str | bytes]]] = {
    "json": ("records of test results as indented JSON, ASCII", _json),
    "bitmap": ("a grainy greyscale BMP", _bitmap),
    "prose": ("verse in an invented German, UTF-8 as octets", _prose),
    "html": ("a page of tables with some characters outside ASCII", _html),
    "pdf": ("a PDF's page descriptions between compressed streams", _pdf),
}
#: In the order of the cases 12.1 ... 12.5.
NAMES: tuple[str, ...] = tuple(_MAKERS)


@cache
def corpus(name: str) -> Corpus:
    """The corpus of one of NAMES; KeyError for another name."""
    description, make = _MAKERS[name]
    return Corpus(name, description, make())
