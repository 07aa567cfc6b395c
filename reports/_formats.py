"""The formats of a report, by the names that the command line has for them."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from reports._autobahn import INDEX, autobahn_index, write_files
from reports._badge import badge, shields
from reports._json import json_report
from reports._junit import junit
from reports._load import load
from reports._markdown import markdown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from harness.results import Run
    from reports._load import Recorded


@dataclass(frozen=True, slots=True)
class Format:
    """What a run can be turned into."""

    file_name: str  #: what its file is called in a folder of them
    text: Callable[[Recorded], str] | None = None  #: None: it is more than one text


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "html": Format("index.html"),
        "junit": Format("junit.xml", junit),
        "markdown": Format("summary.md", markdown),
        "json": Format("report.json", json_report),
        "badge": Format("badge.svg", badge),
        "shields": Format("badge.json", shields),
        "autobahn": Format(INDEX, autobahn_index),
    }
)


def render(format: str, run_folder: Path, *, run: Run | None = None) -> str:  # noqa: A002 - its name on the command line
    """A run as one text.

    Args:
        format: a name in `FORMATS`, but not `html`, which is many pages (`write_report`).
        run_folder: the folder with `run.json`, `results.jsonl` and `evidence.jsonl`.
        run: what to take in place of the folder's `run.json`, to judge it by another baseline.

    Returns:
        The text, in which there are no lone surrogates: it can be written as UTF-8.

    Raises:
        ReportError: the folder is not that of a run.
        ValueError: there is no such format, or it is no single text.

    """
    chosen = FORMATS.get(format)
    if chosen is None or chosen.text is None:
        texts = ", ".join(name for name, one in FORMATS.items() if one.text)
        raise ValueError(f"{format!r} is no format of one text; there are {texts}")
    return chosen.text(load(run_folder, run))


def write_autobahn(run_folder: Path, destination: Path, *, run: Run | None = None) -> Path:
    """Write a run as Autobahn would have: `index.json`, and the file of each case that it names.

    Files of the same names are replaced; others are left alone.

    Returns:
        The path of `index.json`.

    Raises:
        ReportError: the folder is not that of a run.
        OSError: the files cannot be written.

    """
    return write_files(load(run_folder, run), destination)
