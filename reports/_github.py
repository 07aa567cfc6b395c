"""Text from anybody made fit for GitHub's Markdown.

It goes into `<code>`: there GitHub looks for no mention, issue, commit or emoji. Every punctuation character is a
numeric entity, so that it ends no cell, line, span or element, and starts none. Its Markdown still finds addresses in
the text that comes of it (the GFM extension for autolinks knows no HTML), and so `<wbr>`, which shows nothing, is put
into what it looks for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reports._findings import line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
#: What the autolink extension begins with: an address of mail, a scheme, and www.
_ADDRESS = re.compile(r"(?=@)|(?<=:)(?=/)|(?<=www)(?=\.)", re.IGNORECASE)
#: In octets. GitHub takes 1 MiB a step, and shows nothing at all of a summary that is longer.
_SMALLEST_ROOM = 200


def code(text: str, longest: int) -> str:
    """The text, on one line, as what it is and nothing else."""
    parts = _ADDRESS.split(line(text, longest))
    return f"<code>{'<wbr>'.join(_PUNCTUATION.sub(_entity, part) for part in parts)}</code>"


def _entity(found: re.Match[str]) -> str:
    return f"&#{ord(found[0])};"


def row(cells: Iterable[object]) -> str:
    """A row of a table. The cells are Markdown."""
    return f"| {' | '.join(str(cell) for cell in cells)} |"


class Page:
    """A text that is put together section by section, none longer than it may be."""

    def __init__(self) -> None:
        self._sections: list[str] = []

    def section(self, head: Sequence[str], items: Iterable[str], total: int, *, room: int, left_out: str) -> None:
        """Add a section with as many of its items as there is room for, in octets, and say how many are left out.

        Nothing is added where there is nothing to tell. Items are lines of Markdown; no more are asked for than fit.
        """
        if not total:
            return
        lines = list(head)
        left = room - sum(len(one.encode()) + 1 for one in lines) - _SMALLEST_ROOM
        told = 0
        for item in items:
            left -= len(item.encode()) + 1
            if left < 0:
                break
            lines.append(item)
            told += 1
        if told < total:
            lines += ["", f"\u2026 and {total - told} more {left_out}"]
        self._sections.append("\n".join(lines))

    @property
    def text(self) -> str:
        """All of it."""
        return "\n\n".join(self._sections) + "\n"
