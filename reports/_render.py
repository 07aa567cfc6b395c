"""Writes the pages of a report."""

from __future__ import annotations

import os.path
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.results import Outcome
from reports._case import CasePage, close_code, entry, repeat_command, scripts, sentence, wire_rows_of_passes
from reports._load import load
from reports._sections import SECTIONS, section_of
from reports._text import cut, first_sentence, href, safe_link, visible
from reports._view import survey

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reports._load import Recorded
    from reports._view import Cell, Column, Row

#: Up to so many cells each is a link. A larger matrix would outgrow a megabyte: there a pass is reached by its row.
MOST_LINKED_CELLS = 6000

#: What tells a page of ours from someone else's file, when a new report is written over an old one.
_MARK = b'<meta name="generator" content="wsconform">'
_MARK_WITHIN = 1000

_STATIC = ("report.css", "report.js")
_TITLE = 90


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
        self._survey = survey(recorded)
        self._sentences: dict[tuple[int, str], str] = {}
        self._environment = _environment()
        self._link_to_run = os.path.relpath(recorded.folder, destination).replace(os.sep, "/")
        self._written: set[Path] = set()

    def write(self) -> Path:
        static = self._destination / "static"
        static.mkdir(parents=True, exist_ok=True)
        for name in _STATIC:
            (static / name).write_bytes((files("reports") / "static" / name).read_bytes())
        self._cases()
        self._implementations()
        linked = len(self._survey.rows) * len(self._survey.columns) <= MOST_LINKED_CELLS
        index = self._page("index.html", "index.html.j2", root="", are_all_linked=linked)
        self._remove_old()
        return index

    def _cases(self) -> None:
        most = wire_rows_of_passes(self._survey)
        rows = self._survey.rows
        for position, row in enumerate(rows):
            columns = [column for column in self._survey.columns if row.case in column.cells]
            keys = [(column.run.target, column.run.engine, row.case) for column in columns]
            evidence = self._recorded.evidence.read(keys)
            found = [evidence[key] for key in keys if key in evidence]
            if found:
                self._survey.titles[row.case] = first_sentence(found[0].sent, _TITLE)
            for column, key in zip(columns, keys, strict=True):
                if column.cells[row.case].outcome is not Outcome.PASSED:
                    self._sentences[column.number, row.case] = sentence(column.cells[row.case], evidence.get(key))
            page = CasePage(
                row=row,
                scripts=scripts(found),
                entries=tuple(
                    entry(
                        self._survey,
                        column,
                        row.case,
                        evidence.get(key),
                        file=self._in_run(evidence[key].file) if key in evidence else None,
                        most=most,
                    )
                    for column, key in zip(columns, keys, strict=True)
                ),
                previous=rows[position - 1] if position else None,
                next=rows[position + 1] if position + 1 < len(rows) else None,
            )
            self._page(f"cases/{row.page}", "case.html.j2", root="../", page=page)

    def _implementations(self) -> None:
        for target, columns in self._survey.targets.items():
            parts = tuple(self._part(column) for column in columns)
            self._page(
                f"implementations/{columns[0].page}", "implementation.html.j2", root="../", target=target, parts=parts
            )

    def _part(self, column: Column) -> Part:
        rows = [(row, column.cells[row.case]) for row in self._survey.rows if row.case in column.cells]

        def findings(wanted: Callable[[Cell], bool]) -> tuple[Finding, ...]:
            return tuple(
                Finding(
                    row=row,
                    cell=cell,
                    sentence=self._sentences.get((column.number, row.case), ""),
                    command=repeat_command(self._survey, column, row.case),
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

    def _page(self, path: str, template: str, *, root: str, **values: object) -> Path:
        file = self._destination / path
        file.parent.mkdir(parents=True, exist_ok=True)
        html = self._environment.get_template(template).render(survey=self._survey, root=root, **values)
        file.write_text(html, encoding="utf-8", newline="\n")
        self._written.add(file)
        return file

    def _remove_old(self) -> None:
        for folder in ("cases", "implementations"):
            for file in (self._destination / folder).glob("*.html"):
                if file in self._written:
                    continue
                with file.open("rb") as page:
                    is_ours = _MARK in page.read(_MARK_WITHIN)
                if is_ours:
                    file.unlink()


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
    environment.globals["section_title"] = lambda case: (section_of(case), SECTIONS.get(section_of(case), ""))
    return environment
