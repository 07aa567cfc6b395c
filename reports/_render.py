"""Writes the pages of a report."""

from __future__ import annotations

import os.path
from importlib.resources import files
from typing import TYPE_CHECKING

from harness.results import Outcome
from reports import _plots
from reports._case import CasePage, clauses, entry, scripts, sentence
from reports._clauses import anchors_of_sections, clauses_of_cases, clauses_page
from reports._engines import both_engines
from reports._environment import environment
from reports._load import load, load_verdicts
from reports._parts import part
from reports._since import what_differs
from reports._text import first_sentence, href
from reports._view import survey
from reports._wire import rows_of_passes

if TYPE_CHECKING:
    from pathlib import Path

    from harness.results import Run
    from reports._load import Key, Recorded
    from reports._parts import Part
    from reports._since import Verdicts
    from reports._view import Survey

#: The pages of the whole run, and what the navigation calls them.
_PAGES = {
    "index.html": "Overview",
    "matrix.html": "Matrix",
    "clauses.html": "Clauses",
    "limits.html": "Limits",
    "crosscheck.html": "Crosscheck",
    "changes.html": "Changes",
    "about.html": "About",
}

#: So many changes since an earlier run are listed on the overview; the page of them has all.
_MOST_CHANGES = 20

#: Up to so many cells each is a link. A larger matrix would outgrow a megabyte: there a pass is reached by its row.
MOST_LINKED_CELLS = 6000

#: What tells a page of ours from someone else's file, when a new report is written over an old one.
_MARK = b'<meta name="generator" content="wsconform">'
_MARK_WITHIN = 1000

_STATIC = ("report.css", "report.js")
#: Of so many targets the overview tells what failed, and so much of each: who has one implementation looks for that.
_FEW_TARGETS, _MOST_FAILURES = 3, 20

_LONGEST_TITLE = 140


def write_report(
    run_folder: Path, destination: Path | None = None, *, run: Run | None = None, since: Path | None = None
) -> Path:
    """Write the HTML report of a run.

    Args:
        run_folder: the folder with `run.json`, `results.jsonl` and `evidence.jsonl`.
        destination: the folder to write to, by default `report` in the run's. Pages of an earlier report in it are
            replaced, and those that the run no longer has are removed.
        run: what to take in place of the folder's `run.json`, to judge it by another baseline.
        since: the folder of an earlier run; what differs from it is shown.

    Returns:
        The path of the overview, `index.html`.

    Raises:
        ReportError: the folder is not that of a run.
        OSError: the report cannot be written.

    """
    recorded = load(run_folder, run)
    old = load_verdicts(since)[:2] if since else None
    return _Writer(recorded, destination or run_folder / "report", old).write()


class _Writer:
    """One report being written. Cases come first: what went wrong in them is told again on the other pages."""

    def __init__(self, recorded: Recorded, destination: Path, old: Verdicts | None) -> None:
        self._recorded = recorded
        self._destination = destination
        self._site = site = survey(recorded)
        self._since = what_differs(site, old, recorded.results) if old else None
        self._both = both_engines(site, recorded)
        self._most_rows = rows_of_passes(sum(column.observed for column in site.columns))
        self._sentences: dict[Key, str] = {}
        self._link_to_run = os.path.relpath(recorded.folder, destination).replace(os.sep, "/")
        self._written: set[Path] = set()
        self._parts: list[Part] = []
        self._clauses, self._sections = clauses_of_cases(), anchors_of_sections()
        exist = {
            "index.html": True,
            "matrix.html": bool(site.conformance.columns),
            "clauses.html": bool(site.columns),
            "limits.html": bool(site.limits.columns),
            "crosscheck.html": bool(self._both),
            "changes.html": self._since is not None,
            "about.html": True,
        }
        self._pages = [(file, name) for file, name in _PAGES.items() if exist[file]]

    def write(self) -> Path:
        static = self._destination / "static"
        static.mkdir(parents=True, exist_ok=True)
        for name in _STATIC:
            (static / name).write_bytes((files("reports") / "static" / name).read_bytes())
        conformance, limits = self._site.conformance, self._site.limits
        self._cases(conformance, "cases", "case.html.j2")
        self._cases(limits, "limits", "probe.html.j2")
        self._implementations()
        linked = len(conformance.rows) * len(conformance.columns) <= MOST_LINKED_CELLS
        few = len(self._site.targets) <= _FEW_TARGETS
        values: dict[str, dict[str, object]] = {
            "index.html": {
                "since": self._since,
                "most_changes": _MOST_CHANGES,
                "failures": [part for part in self._parts if part.failures] if few else [],
                "most_failures": _MOST_FAILURES,
            },
            "matrix.html": {"are_all_linked": linked},
            "clauses.html": {"map": clauses_page(self._site)},
            "limits.html": {"scatters": _plots.scatters(limits), "intervals": _plots.intervals(limits)},
            "crosscheck.html": {"both": self._both},
            "changes.html": {"since": self._since},
        }
        for file, _ in self._pages:
            shown = limits if file == "limits.html" else conformance
            self._page(file, f"{file}.j2", shown, root="", here=file, **values.get(file, {}))
        self._remove_old()
        return self._destination / "index.html"

    def _cases(self, survey: Survey, folder: str, template: str) -> None:
        for position, row in enumerate(survey.rows):
            columns = [column for column in survey.columns if row.case in column.cells]
            keys = [(column.run.target, column.run.engine, row.case) for column in columns]
            evidence = self._recorded.evidence.read(keys)
            found = [evidence[key] for key in keys if key in evidence]
            if found:
                survey.titles[row.case] = first_sentence(found[0].sent, _LONGEST_TITLE)
            for column, key in zip(columns, keys, strict=True):
                if column.cells[row.case].outcome is not Outcome.PASSED:
                    self._sentences[key] = sentence(column.cells[row.case], evidence.get(key))
            rests_on = clauses(found)
            page = CasePage(
                row=row,
                scripts=scripts(found),
                rests_on=rests_on,
                sections=tuple((name, self._sections[name]) for name, _ in rests_on if name in self._sections),
                tests=self._clauses.get(row.case, ()),
                entries=tuple(
                    entry(
                        survey,
                        column,
                        row.case,
                        evidence.get(key),
                        file=self._in_run(evidence[key].file) if key in evidence else None,
                        most=self._most_rows,
                    )
                    for column, key in zip(columns, keys, strict=True)
                ),
                previous=survey.rows[position - 1] if position else None,
                next=survey.rows[position + 1] if position + 1 < len(survey.rows) else None,
            )
            self._page(f"{folder}/{row.page}", template, survey, root="../", page=page)

    def _implementations(self) -> None:
        for target, columns in self._site.targets.items():
            parts = tuple(
                part(self._site.survey_of(column), column, self._sentences, self._in_run(column.run.log))
                for column in columns
            )
            self._parts += parts
            survey = self._site.survey_of(columns[0])
            path = f"implementations/{columns[0].page}"
            self._page(path, "implementation.html.j2", survey, root="../", target=target, parts=parts)

    def _in_run(self, path: str | None) -> str | None:
        """A link, from the report's folder, to a file of the run; none when it is not there or not in the run."""
        if not path:
            return None
        folder = self._recorded.folder.resolve()
        try:
            file = (folder / path).resolve()
            is_there = file.is_file()
        except (OSError, ValueError):  # too long, or with a NUL
            return None
        return href(f"{self._link_to_run}/{path}") if is_there and file.is_relative_to(folder) else None

    def _page(self, path: str, template: str, survey: Survey, *, root: str, here: str = "", **values: object) -> None:
        file = self._destination / path
        file.parent.mkdir(parents=True, exist_ok=True)
        around = {"site": self._site, "survey": survey, "root": root, "here": here, "pages": self._pages}
        html = environment().get_template(template).render(around | values)
        file.write_text(html, encoding="utf-8", newline="\n")
        self._written.add(file)

    def _remove_old(self) -> None:
        for pattern in ("cases/*.html", "limits/*.html", "implementations/*.html", *_PAGES):
            for file in self._destination.glob(pattern):
                if file in self._written:
                    continue
                with file.open("rb") as page:
                    is_ours = _MARK in page.read(_MARK_WITHIN)
                if is_ours:
                    file.unlink()
