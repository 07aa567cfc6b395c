import json

import jsonschema
import pytest

from harness.results import Behavior, BehaviorClose, Evidence, Result, WireEvent
from harness.schemas import FOLDER, MODELS, schema


@pytest.mark.parametrize("name", list(MODELS))
def test_the_shipped_schema_is_current(name: str):
    assert (FOLDER / f"{name}.json").read_text() == schema(name)


def test_what_is_written_fits_the_schemas():
    result = Result(
        target="t", engine="e", case="1.1.1", behavior=Behavior.OK, behavior_close=BehaviorClose.OK, duration_ms=1
    )
    evidence = Evidence(
        target="t", engine="e", case="1.1.1", sent="s", expected="e", wire=[WireEvent(kind="frame", opcode=1)]
    )
    for name, value in {"result": result, "evidence": evidence}.items():
        jsonschema.validate(json.loads(value.to_json()), json.loads(schema(name)))


def test_a_verdict_that_is_none_does_not_fit():
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(
            {"target": "t", "engine": "e", "case": "1", "behavior": "GREAT", "behaviorClose": "OK", "durationMs": 1},
            json.loads(schema("result")),
        )
