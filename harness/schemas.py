"""The JSON Schemas of a run's files and of `report.json`: `python -m harness.schemas` writes them anew."""

from __future__ import annotations

import json
from pathlib import Path

from harness.results import Evidence, Model, Result, Run
from reports import Report

FOLDER = Path(__file__).parent / "json_schemas"
MODELS: dict[str, type[Model]] = {"result": Result, "evidence": Evidence, "run": Run, "report": Report}


def schema(name: str) -> str:
    """The text of one schema."""
    model = MODELS[name]
    return json.dumps(model.model_json_schema(by_alias=True), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    for name in MODELS:
        (FOLDER / f"{name}.json").write_text(schema(name), encoding="utf-8")
