"""A failed case for a person at a terminal. Whatever the server sent is made safe to show."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from harness.cases import catalogue
from harness.engines import Record
from harness.results import Behavior, Deviation, Evidence, Result
from harness.text import printable
from harness.wire_text import wire_line

#: Lines of the wire log that are shown from its beginning and from its end.
_HEAD, _TAIL = 24, 15
_EVENTS = 8


def in_short(result: Result) -> str:
    """`FAILED, close WRONG CODE 1006`."""
    code = "" if result.remote_close_code is None else f" {result.remote_close_code}"
    return f"{result.behavior}, close {result.behavior_close}{code}"


def failure(record: Record, why: str, known: Sequence[Deviation], test: str, options: str = "") -> str:
    """All that one has to know of it. `why` it fails, where the verdict does not say it; `test` is the item's name.

    `options`: what `wsconform run` needs besides to do the same.
    """
    result, evidence = record
    case = catalogue()[result.case]
    rows = [
        ("case", case.id),
        ("sends", evidence.sent),
        ("expects", evidence.expected),
        ("seen", _seen(evidence) if case.talk is None else ""),  # of a case that talks the outcome says it
        ("outcome", evidence.outcome),
        ("closing", evidence.outcome_close if evidence.outcome_close != evidence.outcome else ""),
        ("verdict", f"behavior {result.behavior}, behaviorClose {result.behavior_close}"),
        ("code", _code(record)),
        ("clauses", ", ".join(case.clauses)),
        *(("known", _deviation(deviation)) for deviation in known),
        ("server", evidence.target),
    ]
    command = f"wsconform run {shlex.quote(evidence.target)} --cases {case.id} -v{options}"
    # the first line is all that pytest's summary shows
    return "\n".join(
        [
            f"{in_short(result)}: {printable(why or _worse(record))}",
            *(f"  {name:<8} {printable(words)}" for name, words in rows if words),
            "  wire log (-> sent, <- received)",
            *(f"    {line}" for line in _wire(evidence)),
            f"  again    {printable(f'pytest -k {shlex.quote(test)}')}",
            f"           {printable(command)}",
        ]
    )


def _worse(record: Record) -> str:
    """What came of it in words: of the data, or of the closing where that alone is wrong."""
    only_closing = record.result.behavior in {Behavior.OK, Behavior.UNIMPLEMENTED}
    return record.evidence.outcome_close if only_closing else record.evidence.outcome


def _seen(evidence: Evidence) -> str:
    if not evidence.response.startswith("HTTP/1.1 101"):
        return f"to the opening request: {evidence.response.strip() or 'nothing'}"
    more = len(evidence.received) - _EVENTS
    return ", ".join(evidence.received[:_EVENTS]) + (f" and {more} more" if more > 0 else "") or "nothing"


def _code(record: Record) -> str:
    code, closing = record.result.remote_close_code, record.evidence.closing
    if code is None:
        return "none came"
    return f"{code} {(closing.remote_reason if closing else '') or ''}".strip()


def _deviation(deviation: Deviation) -> str:
    verdict = [f"behavior {deviation.behavior}"] if deviation.behavior else []
    verdict += [f"behaviorClose {deviation.behavior_close}"] if deviation.behavior_close else []
    link = f" ({deviation.link})" if deviation.link else ""
    return f"{' '.join(deviation.cases)}: {', '.join(verdict)}: {deviation.reason}{link}"


def _wire(evidence: Evidence) -> list[str]:
    lines = [wire_line(event) for event in evidence.wire]
    omitted = evidence.wire_omitted + max(0, len(lines) - _HEAD - _TAIL)
    if not omitted:
        return lines
    return [*lines[:_HEAD], f"… {omitted} lines left out …", *lines[-_TAIL:]]
