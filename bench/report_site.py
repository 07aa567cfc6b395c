"""`python -m bench.report_site`: how large the HTML report of a large run is, and how long it takes to write it.

The run is made up (`bench.synthetic_run`). Exits with 1 when the report is out of its budget.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from bench.synthetic_run import case_ids, write_run
from reports import write_report

TARGETS, CASES = 30, 855
_MEGABYTE = 1_000_000


class Budget(NamedTuple):
    """A figure and what it may be at most."""

    what: str
    measured: float
    most: float | None
    unit: str

    @property
    def is_kept(self) -> bool:
        """Whether it is within its bound, if it has one."""
        return self.most is None or self.measured < self.most


def measure(folder: Path, *, targets: int, cases: int) -> list[Budget]:
    """Write a run and its report into a folder, and measure the report."""
    write_run(folder / "run", targets=targets, cases=case_ids(cases))
    began = time.monotonic()
    index = write_report(folder / "run", folder / "report")
    seconds = time.monotonic() - began
    sizes = {file.relative_to(index.parent): file.stat().st_size for file in index.parent.rglob("*") if file.is_file()}
    largest = max(sizes, key=lambda file: sizes[file])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts KiB
    return [
        Budget("whole site", sum(sizes.values()) / _MEGABYTE, 60, "MB"),
        Budget("index.html", sizes[Path("index.html")] / _MEGABYTE, 1, "MB"),
        Budget("matrix.html", sizes[Path("matrix.html")] / _MEGABYTE, None, "MB"),
        Budget("clauses.html", sizes[Path("clauses.html")] / _MEGABYTE, 1, "MB"),
        Budget("limits.html", sizes[Path("limits.html")] / _MEGABYTE, None, "MB"),
        Budget(f"largest page ({largest})", sizes[largest] / _MEGABYTE, None, "MB"),
        Budget("pages", len(sizes), None, ""),
        Budget("written in", seconds, 60, "s"),
        Budget("peak memory", peak, None, "MiB"),
    ]


def main() -> int:
    """Measure, print, and say whether the budget was kept."""
    parser = argparse.ArgumentParser(prog="python -m bench.report_site", description=__doc__)
    parser.add_argument("--targets", type=int, default=TARGETS)
    parser.add_argument("--cases", type=int, default=CASES, help="conformance cases; all limit probes come besides")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="a new folder to leave run and report in")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        found = measure(options.keep or Path(temporary), targets=options.targets, cases=options.cases)
    print(f"{options.targets} implementations, {options.cases} conformance cases and all limit probes each")
    for figure in found:
        bound = "" if figure.most is None else f"  (under {figure.most:g}{'' if figure.is_kept else ': EXCEEDED'})"
        print(f"{figure.what:40} {figure.measured:8.2f} {figure.unit}{bound}".rstrip())
    return 0 if all(figure.is_kept for figure in found) else 1


if __name__ == "__main__":
    sys.exit(main())
