"""Text that somebody else wrote, made safe to show."""

from collections.abc import Iterable
from difflib import get_close_matches


def printable(text: str, limit: int = 500) -> str:
    """One line that cannot move the cursor, hide or reorder: what is unsafe is shown escaped, what is long is cut."""
    line = text[:limit].replace("\r\n", "\n").replace("\n", " | ")
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
    return shown + ("…" if len(text) > limit else "")


def last_lines(text: str, count: int = 5) -> str:
    """The last lines that are not empty, each safe to show."""
    lines = [printable(line) for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-count:])


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean x or y?`, or nothing where nothing is close."""
    close = get_close_matches(word, list(known), n=2, cutoff=0.5)
    return f"; did you mean {' or '.join(close)}?" if close else ""
