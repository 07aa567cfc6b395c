"""`python -m bench.comparison RUN...`: the table of docs/comparison.md, from the runs of `wsconform compare`.

Where several runs have a target, the last one counts.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from harness.journal import read_results, read_run
from harness.results import Outcome, ProbeVerdict, Result, TargetRun

_MIB = 1 << 20
_HEAD = (
    "| implementation | version | language | passed | non-strict | failed | not implemented | limits: enforced "
    "| failed | not configurable | seconds | set-up, s | peak memory, MiB | CPU, s |\n|---|---|---" + "|--:" * 11 + "|"
)


def main() -> int:
    """Print the table."""
    rows: dict[str, str] = {}
    for folder in map(Path, sys.argv[1:]):
        results = read_results(folder)
        targets: dict[str, list[TargetRun]] = {}
        for target in read_run(folder).targets:
            targets.setdefault(target.target, []).append(target)
        rows |= {name: _row(name, runs, [r for r in results if r.target == name]) for name, runs in targets.items()}
    print(_HEAD, *(rows[name] for name in sorted(rows)), sep="\n")
    return 0


def _row(name: str, runs: list[TargetRun], results: list[Result]) -> str:
    """A target's row: of its cases, of its probes, and of what it used in its cases."""
    cases = next((run for run in runs if run.engine != "limits"), runs[0])
    outcomes = Counter(result.outcome for result in results if result.verdict is None)
    verdicts = Counter(result.verdict for result in results if result.verdict is not None)
    enforced, absent = verdicts[ProbeVerdict.ENFORCED], verdicts[ProbeVerdict.NOT_CONFIGURABLE]
    set_up = [run.setup_seconds for run in runs if run.setup_seconds is not None]
    about = cases.implementation
    cells = (
        name + (" (frames)" if about.level == "frames" else ""),
        about.version,
        about.language,
        outcomes[Outcome.PASSED] + outcomes[Outcome.INFORMATIONAL],
        outcomes[Outcome.NON_STRICT],
        outcomes[Outcome.FAILED],
        outcomes[Outcome.UNIMPLEMENTED],
        *((enforced, verdicts.total() - enforced - absent, absent) if verdicts else ("", "", "")),
        f"{cases.seconds:.0f}",
        f"{max(set_up):.0f}" if set_up else "",
        "" if cases.peak_memory is None else f"{cases.peak_memory / _MIB:.0f}",
        "" if cases.cpu_seconds is None else f"{cases.cpu_seconds:.1f}",
    )
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    sys.exit(main())
