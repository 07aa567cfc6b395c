"""A pytest plugin for `make faults`: at the end it prints which case found which fault, and writes build/faults.md.

A test hands in its row with `record_property(PROPERTY, row)`, which comes here from whichever process ran it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, cast

import pytest

from harness import selection
from harness.results import case_order

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

PROPERTY = "fault"
#: Cases of ours that Autobahn has no like of.
OURS = ("H", "F", "D")
_MANY = 60
NOTHING = "nothing"
FINDS_NOTHING = "finds nothing"
NOT_MEASURED = "no tests of limits"
_INTRODUCTION = """# Faulty servers

Each of these servers is one small echo server, right but for one thing: `tests/faulty/echo.py` (the cases) and
`tests/faulty_limits/server.py` (the limit probes), with `FAULT` in their environment. This table is made by

```sh
make faults ARGS="--table docs/faults.md"
```

which starts each of them and runs the cases that should find it, and some beside them that should not. *Found by* is
the first of these that did not pass, with its verdict (behavior, and behaviorClose where that is not OK), measured in
that run. *Autobahn* is what the real wstest 25.10.1 said: a case that did not pass, with its verdict; *finds nothing*
where all passed (sections 1 to 7 and 10, a sample of 12 and 13 with permessage-deflate), or where its client never does
what would show the fault, as with an opening request that it does not send. It has no tests of limits. What is right
though unusual is here too, for nothing may be found in it.
"""


class Row(TypedDict):
    """What a test found out about a fault."""

    suite: str  #: `cases` or `limits`
    number: int  #: its place in its table
    fault: str
    title: str
    found_by: str  #: empty where nothing is found
    autobahn: str
    caught: list[str]  #: all cases that did not pass


def in_order(cases: Iterable[str]) -> list[str]:
    """As the catalogue has them."""
    places = {case: place for place, case in enumerate(selection.known())}
    return sorted(cases, key=lambda case: (places.get(case, len(places)), case_order(case)))


def verdict(behavior: str, behavior_close: str = "OK") -> str:
    """Both fields, the second one where it says something."""
    return behavior if behavior_close in {"OK", "INFORMATIONAL"} else f"{behavior} / {behavior_close}"


def uncaught(rows: list[Row]) -> list[str]:
    """Cases of ours that no fault failed."""
    caught = {case for row in rows for case in row["caught"]}
    return [case for case in selection.known() if selection.section(case) in OURS and case not in caught]


def markdown(rows: list[Row]) -> str:
    """The page docs/faults.md."""
    lines = [_INTRODUCTION]
    for suite, title in (("cases", "What the cases find"), ("limits", "What the limit probes find")):
        of_suite = [row for row in rows if row["suite"] == suite]
        if not of_suite:
            continue
        lines += [f"## {title}", "", "| fault | what is wrong | found by | Autobahn |", "|---|---|---|---|"]
        lines += [
            f"| `{row['fault']}` | {_cell(row['title'])} | {row['found_by'] or NOTHING} | {row['autobahn']} |"
            for row in of_suite
        ]
        lines += ["", f"{_counts(of_suite)}", ""]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _counts(rows: list[Row]) -> str:
    found = [row for row in rows if row["found_by"]]
    missed = sum(row["autobahn"] == FINDS_NOTHING for row in found)
    rest = "; the others are right, though unusual" if len(found) < len(rows) else ""
    counted = f"{len(found)} of {len(rows)} are found{rest}."
    return counted + (f" Autobahn finds nothing in {missed} of those." if rows[0]["suite"] == "cases" else "")


def _uncaught(rows: list[Row]) -> str:
    cases = uncaught(rows)
    listed = ", ".join(cases) if len(cases) < _MANY else f"{len(cases)} of them"
    return f"Cases of H, F and D that none of these failed: {listed or 'none'}."


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--table`: where the page goes."""
    parser.addoption("--table", default="build/faults.md", help="where `make faults` writes its table")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those of which `make test` has a sample are all run here."""
    for item in items:
        if item.name.startswith("test_a_fault_is_found_"):
            item.add_marker("slow")


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Print the table, and write it."""
    rows = [
        cast("Row", value)
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, value in report.user_properties
        if name == PROPERTY and isinstance(value, dict)
    ]
    if not rows:
        return
    rows.sort(key=lambda row: (row["suite"], row["number"]))
    terminalreporter.section("faults")
    for row in rows:
        terminalreporter.line(
            f"{row['fault']:<40} {row['found_by'] or NOTHING:<32} Autobahn: {row['autobahn']:<28} {row['title']}"
        )
    for suite in ("cases", "limits"):
        if of_suite := [row for row in rows if row["suite"] == suite]:
            terminalreporter.line(_counts(of_suite))
    terminalreporter.line(_uncaught(rows))
    path = Path(config.getoption("table"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(markdown(rows), encoding="utf-8")
    terminalreporter.line(f"The table is in {path}.")
