"""Writes the pages of a report."""

from __future__ import annotations

import os.path
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.results import Outcome
from reports import _plots, _probe
from reports._case import CasePage, close_code, entry, repeat_command, scripts, sentence, wire_rows_of_passes
from reports._load import load
from reports._sections import SECTIONS, SUBSECTIONS, section_of, subsection_of
from reports._text import cut, first_sentence, href, safe_link, visible
from reports._view import survey

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reports._column import Cell, Column
    from reports._load import Key, Recorded
    from reports._view import Row, Survey

#: Up to so many cells each is a link. A larger matrix would outgrow a megabyte: there a pass is reached by its row.
MOST_LINKED_CELLS = 6000

#: What tells a page of ours from someone else's file, when a new report is written over an old one.
_MARK = b'<meta name="generator" content="wsconform">'
_MARK_WITHIN = 1000

_STATIC = ("report.css", "report.js")
_TITLE = 90
_TITLE_OF_PROBE = 140


@dataclass(frozen=True, slots=True)
class Finding:
    """A case on an implementation's page."""

    row: Row
    cell: Cell
    sentence: str
    command: str


@dataclass(frozen=True, slots=True)
class Part:
    """What an implementation's page says about one engine."""

    column: Column
    failures: tuple[Finding, ...]
    lost: tuple[Finding, ...]
    known: tuple[Finding, ...]
    notable: tuple[Finding, ...]  #: non-strict, unimplemented, informational
    rows: tuple[tuple[Row, Cell], ...]
    log: str | None


def write_report(run_folder: Path, destination: Path | None = None) -> Path:
    """Write the HTML report of a run.

    Args:
        run_folder: the folder with `run.json`, `results.jsonl` and `evidence.jsonl`.
        destination: the folder to write to, by default `report` in the run's. Pages of an earlier report in it are
            replaced, and those that the run no longer has are removed.

    Returns:
        The path of the overview, `index.html`.

    Raises:
        ReportError: the folder is not that of a run.
        OSError: the report cannot be written.

    """
    recorded = load(run_folder)
    return _Writer(recorded, destination or run_folder / "report").write()


class _Writer:
    """One report being written. Cases come first: what went wrong in them is told again on the other pages."""

    def __init__(self, recorded: Recorded, destination: Path) -> None:
        self._recorded = recorded
        self._destination = destination
        self._site = survey(recorded)
        self._most_rows = wire_rows_of_passes(self._site)
        self._sentences: dict[Key, str] = {}
        self._environment = _environment()
        self._link_to_run = os.path.relpath(recorded.folder, destination).replace(os.sep, "/")
        self._written: set[Path] = set()

    def write(self) -> Path:
        static = self._destination / "static"
        static.mkdir(parents=True, exist_ok=True)
        for name in _STATIC:
            (static / name).write_bytes((files("reports") / "static" / name).read_bytes())
        self._cases(self._site.conformance, "cases", "case.html.j2", _TITLE)
        self._cases(self._site.limits, "limits", "probe.html.j2", _TITLE_OF_PROBE)
        self._implementations()
        conformance, limits = self._site.conformance, self._site.limits
        if limits.columns:
            plots = {"scatters": _plots.scatters(limits), "intervals": _plots.intervals(limits)}
            self._page("limits.html", "limits.html.j2", limits, root="", **plots)
        linked = len(conformance.rows) * len(conformance.columns) <= MOST_LINKED_CELLS
        index = self._page("index.html", "index.html.j2", conformance, root="", are_all_linked=linked)
        self._remove_old()
        return index

    def _cases(self, survey: Survey, folder: str, template: str, longest_title: int) -> None:
        for position, row in enumerate(survey.rows):
            columns = [column for column in survey.columns if row.case in column.cells]
            keys = [(column.run.target, column.run.engine, row.case) for column in columns]
            evidence = self._recorded.evidence.read(keys)
            found = [evidence[key] for key in keys if key in evidence]
            if found:
                survey.titles[row.case] = first_sentence(found[0].sent, longest_title)
            for column, key in zip(columns, keys, strict=True):
                if column.cells[row.case].outcome is not Outcome.PASSED:
                    self._sentences[key] = sentence(column.cells[row.case], evidence.get(key))
            page = CasePage(
                row=row,
                scripts=scripts(found),
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
            values = {"target": target, "parts": tuple(self._part(column) for column in columns)}
            survey = self._site.survey_of(columns[0])
            self._page(f"implementations/{columns[0].page}", "implementation.html.j2", survey, root="../", **values)

    def _part(self, column: Column) -> Part:
        survey = self._site.survey_of(column)
        rows = [(row, column.cells[row.case]) for row in survey.rows if row.case in column.cells]

        def findings(wanted: Callable[[Cell], bool]) -> tuple[Finding, ...]:
            return tuple(
                Finding(
                    row=row,
                    cell=cell,
                    sentence=self._sentences.get((column.run.target, column.run.engine, row.case), ""),
                    command=repeat_command(survey, column, row.case),
                )
                for row, cell in rows
                if wanted(cell)
            )

        return Part(
            column=column,
            failures=findings(lambda cell: cell.outcome is Outcome.FAILED and not cell.deviation),
            lost=findings(lambda cell: cell.outcome is Outcome.LOST),
            known=findings(lambda cell: cell.deviation is not None),
            notable=findings(
                lambda cell: (
                    cell.outcome in (Outcome.NON_STRICT, Outcome.UNIMPLEMENTED, Outcome.INFORMATIONAL)
                    and not cell.deviation
                )
            ),
            rows=tuple(rows),
            log=self._in_run(column.run.log),
        )

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

    def _page(self, path: str, template: str, survey: Survey, *, root: str, **values: object) -> Path:
        file = self._destination / path
        file.parent.mkdir(parents=True, exist_ok=True)
        html = self._environment.get_template(template).render(site=self._site, survey=survey, root=root, **values)
        file.write_text(html, encoding="utf-8", newline="\n")
        self._written.add(file)
        return file

    def _remove_old(self) -> None:
        for pattern in ("cases/*.html", "limits/*.html", "implementations/*.html", "limits.html"):
            for file in self._destination.glob(pattern):
                if file in self._written:
                    continue
                with file.open("rb") as page:
                    is_ours = _MARK in page.read(_MARK_WITHIN)
                if is_ours:
                    file.unlink()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["safe_link"] = safe_link
    environment.filters["cut"] = cut
    environment.filters["close_code"] = close_code
    environment.filters["measured_rows"] = _probe.measured_rows
    environment.filters["octets"] = _probe.octets
    environment.filters["setting"] = _probe.setting
    environment.filters["grouped"] = _probe.grouped
    environment.filters["memory_plot"] = _plots.memory
    environment.globals["meanings"] = _probe.MEANINGS
    environment.globals["section_title"] = lambda case: (section_of(case), SECTIONS.get(section_of(case), ""))
    environment.globals["family_title"] = lambda case: (subsection_of(case), SUBSECTIONS.get(subsection_of(case), ""))
    return environment
