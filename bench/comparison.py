"""`python -m bench.comparison RUN...`: the table of docs/comparison.md, from the runs of `wsconform compare`.

Where several runs have a verdict, the last one counts; what a target used is told of the run with most of its cases.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from harness import selection
from harness.journal import read_results, read_run
from harness.results import Outcome, ProbeVerdict, Result, TargetRun

_MIB = 1 << 20
_COUNTS = "passed | non-strict | failed | not implemented"
_HEAD = (
    f"| implementation | version | language | Autobahn's: {_COUNTS} | ours: {_COUNTS} | limits: enforced "
    "| failed | not configurable | seconds | set-up, s | peak memory, MiB | CPU, s |\n|---|---|---" + "|--:" * 15 + "|"
)


def main() -> int:
    """Print the table."""
    runs: dict[str, list[TargetRun]] = {}
    results: dict[str, dict[tuple[str, str], Result]] = {}
    for folder in map(Path, sys.argv[1:]):
        for target in read_run(folder).targets:
            runs.setdefault(target.target, []).append(target)
        for result in read_results(folder):
            results.setdefault(result.target, {})[result.engine, result.case] = result
    print(_HEAD, *(_row(name, runs[name], results.get(name, {}).values()) for name in sorted(runs)), sep="\n")
    return 0


def _row(name: str, runs: list[TargetRun], results: Iterable[Result]) -> str:
    """A target's row: of its cases, of its probes, and of what it used in its cases."""
    cases = max((run for run in runs if run.engine != "limits"), key=lambda run: run.expected, default=runs[0])
    autobahns, ours = Counter[Outcome](), Counter[Outcome]()
    verdicts = Counter[ProbeVerdict]()
    for result in results:
        if result.verdict is not None:
            verdicts[result.verdict] += 1
        else:
            (autobahns if selection.is_autobahns(result.case) else ours)[result.outcome] += 1
    enforced, absent = verdicts[ProbeVerdict.ENFORCED], verdicts[ProbeVerdict.NOT_CONFIGURABLE]
    set_up = [run.setup_seconds for run in runs if run.setup_seconds is not None]
    about = cases.implementation
    cells = (
        name + (" (frames)" if about.level == "frames" else ""),
        about.version,
        about.language,
        *_counts(autobahns),
        *_counts(ours),
        *((enforced, verdicts.total() - enforced - absent, absent) if verdicts else ("", "", "")),
        f"{cases.seconds:.0f}",
        f"{max(set_up):.0f}" if set_up else "",
        "" if cases.peak_memory is None else f"{cases.peak_memory / _MIB:.0f}",
        "" if cases.cpu_seconds is None else f"{cases.cpu_seconds:.1f}",
    )
    return f"| {' | '.join(map(str, cells))} |"


def _counts(outcomes: Counter[Outcome]) -> tuple[int, ...]:
    passed = outcomes[Outcome.PASSED] + outcomes[Outcome.INFORMATIONAL]
    return (passed, outcomes[Outcome.NON_STRICT], outcomes[Outcome.FAILED], outcomes[Outcome.UNIMPLEMENTED])


if __name__ == "__main__":
    sys.exit(main())
