"""Text from the peer under test made fit to be shown: nothing hidden, nothing endless, no address that acts.

Escaping for HTML is not done here: Jinja's autoescape does it, always, after `visible`.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Longest text that is shown in one place. An opening handshake with many headers has some 2,000 characters.
LONGEST = 4000

#: Controls, bidirectional overrides and isolates, what has no width, tags, surrogates and non-characters:
#: whatever could make a reader see something else than what was received. Newline and tab are what they look like.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000))
    + "]"
)

#: A clause as our cases name it, and as people write it: `RFC 6455 5.4`, `RFC 6455, section 5.4`.
_CLAUSE = re.compile(r"RFC (?P<rfc>\d{4}),? (?:[Ss]ection )?(?P<section>\d{1,2}(?:\.\d{1,2}){0,3})(?![\d.]*\w)")

_FIRST_SENTENCE = re.compile(r"\s*(.+?[.!?])(?=\s|$)", re.DOTALL)


def _name(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:  # noqa: PLR2004 - the C0 controls have pictures of their own
        return chr(0x2400 + code)
    return "\N{SYMBOL FOR DELETE}" if code == 0x7F else f"\u27e8U+{code:04X}\u27e9"  # noqa: PLR2004


def cut(text: str, longest: int) -> str:
    """The text, or its beginning and how much of it was left out."""
    if len(text) <= longest:
        return text
    return f"{text[:longest]}\u2026 ({len(text) - longest:,} more characters)"


def visible(value: object) -> object:
    """What a template puts out, with every hidden character shown by its name, and cut to `LONGEST`.

    It is the environment's `finalize`, so that no template can forget it. Markup (what a macro returns) has been
    through it already.
    """
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return _HIDDEN.sub(_name, cut(value, LONGEST))


def first_sentence(text: str, longest: int) -> str:
    """The first sentence on one line."""
    found = _FIRST_SENTENCE.match(text[: 2 * longest])
    return cut(" ".join((found[1] if found else text[: 2 * longest]).split()), longest)


def number(value: float | str) -> str:
    """A number as one writes it on a command line: whole ones without a point."""
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        return str(int(value))
    return str(value)


def safe_link(url: str | None) -> str | None:
    """The URL if it is one that may become a link: http or https with a host, and nothing hidden in it."""
    if not url or len(url) > LONGEST or _HIDDEN.search(url) or any(character.isspace() for character in url):
        return None
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    return url if parts.scheme.lower() in {"http", "https"} and host else None


def clause_link(clause: str) -> str | None:
    """Where a clause stands at its publisher's; none if it is no clause."""
    found = _CLAUSE.fullmatch(clause)
    return f"https://www.rfc-editor.org/rfc/rfc{found['rfc']}#section-{found['section']}" if found else None


def with_clauses(text: str) -> Markup:
    """A text in which the clauses that it names are links to them."""
    shown = str(visible(text))
    parts, end = [], 0
    for found in _CLAUSE.finditer(shown):
        link = Markup('<a href="{}" rel="noreferrer noopener">{}</a>').format(clause_link(found[0]), found[0])
        parts += [escape(shown[end : found.start()]), link]
        end = found.end()
    return Markup("").join([*parts, escape(shown[end:])])


def href(path: str) -> str:
    """A relative path as a relative reference: `#`, `?` and `:` in file names are part of the name."""
    return quote(path, safe="/")


def slug(name: str) -> str:
    """A file name, without ending, that is safe in any file system and URL. Two names may give the same one."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:60].strip(".-")
    return safe or "unnamed"


def slugs(names: Iterable[str]) -> dict[str, str]:
    """A file name for each name, unique even where the file system takes capital and small letters for the same."""
    given: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        if name in given:
            continue
        plain = unique = slug(name)
        number = 1
        while unique.casefold() in taken:
            number += 1
            unique = f"{plain}-{number}"
        taken.add(unique.casefold())
        given[name] = unique
    return given
