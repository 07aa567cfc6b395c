"""TOML files that people write: manifests and baselines."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from harness.errors import UsageError

_Model = TypeVar("_Model", bound=BaseModel)


def read_table(file: Path) -> dict[str, Any]:
    """The file's contents as they are; UsageError where it is no TOML or can't be read."""
    return _parsed(file)[1]


def read_toml(file: Path, model: type[_Model], inherited: Mapping[str, Any] | None = None) -> _Model:
    """The file's contents, over what it inherits, as a value of the model; UsageError tells line and key."""
    text, table = _parsed(file)
    try:
        return model.model_validate(_over(inherited or {}, table))
    except ValidationError as error:
        problem = error.errors()[0]
        location = problem["loc"]
        where = ".".join(str(part) for part in location)
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        message = problem["msg"].removeprefix("Value error, ")
        raise UsageError(f"{file}:{_line_of(text, location)}: {where}: {message}{more}") from error


def _parsed(file: Path) -> tuple[str, dict[str, Any]]:
    """A file's text and what it says as TOML."""
    try:
        text = file.read_text(encoding="utf-8")
        return text, tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{file}: {error}") from error


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of both, those of `above` where both have one; tables are merged."""
    merged = {**below, **above}
    for key in below.keys() & above.keys():
        if isinstance(below[key], dict) and isinstance(above[key], dict):
            merged[key] = _over(below[key], above[key])
    return merged


def _line_of(text: str, location: tuple[str | int, ...]) -> int:
    """The line of a key in a TOML text, or of the closest table that holds it (tomllib keeps no lines)."""
    best = 1
    table: tuple[str | int, ...] = ()
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*(\[\[?)\s*([\w.\"-]+)\s*\]", line):
            table = tuple(part.strip('"') for part in header[2].split("."))
            if header[1] == "[[":
                counts[header[2]] = counts.get(header[2], -1) + 1
                table = (*table, counts[header[2]])
            here = table
        elif key := re.match(r"\s*([\w\"-]+)\s*=", line):
            here = (*table, key[1].strip('"'))
        else:
            continue
        if here == location[: len(here)]:
            best = number
    return best
