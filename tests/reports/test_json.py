from __future__ import annotations

import json
from typing import Any

import jsonschema

from harness.results import Behavior, Deviation, Lost, ProbeVerdict, Run
from harness.schemas import FOLDER
from reports import Report, render
from reports._json import RunFacts
from tests.reports.recording import FAILED, WRONG_CODE, Recording


def document(recording: Recording) -> dict[str, Any]:
    return json.loads(render("json", recording.save()))  # type: ignore[no-any-return]


def record_everything(recording: Recording) -> None:
    recording.target(
        lost=[Lost(case="2.1", reason="It died.")],
        deviations=[
            Deviation(cases=["6.*"], behavior=Behavior.FAILED, reason="No UTF-8.", link="https://example.org/1"),
            Deviation(cases=["1.1.1"], behavior=Behavior.FAILED, reason="Fixed since."),
        ],
    )
    recording.result("1.1.1")
    recording.result("6.4.1", **FAILED)
    recording.result("7.1.1", **WRONG_CODE)
    recording.evidence("7.1.1", outcome_close="The code is another.")
    recording.probe("L.1.1", verdict=ProbeVerdict.LATE, limit="max_frame_size", set_to=16384.0)


def test_it_has_what_the_gate_says_of_each_target(recording: Recording):
    record_everything(recording)
    told = document(recording)
    conformance, limits = told["targets"]
    assert (told["exitCode"], told["passed"], conformance["exitCode"], limits["exitCode"]) == (4, False, 4, 1)
    assert [finding["case"] for finding in conformance["unexpected"]] == ["7.1.1"]
    assert conformance["unexpected"][0]["sentence"] == "The code is another."
    (known,) = conformance["known"]
    assert (known["case"], known["reason"], known["link"]) == ("6.4.1", "No UTF-8.", "https://example.org/1")
    (stale,) = conformance["stale"]
    assert (stale["case"], stale["reason"]) == ("1.1.1", "Fixed since.")
    assert conformance["lost"] == [{"case": "2.1", "reason": "It died."}]
    assert limits["unexpected"][0]["verdict"] == "LATE"


def test_it_counts_outcomes_and_verdicts_of_probes(recording: Recording):
    record_everything(recording)
    conformance, limits = document(recording)["targets"]
    counts = {"passed": 1, "informational": 0, "unimplemented": 0, "non-strict": 0, "failed": 2, "lost": 1}
    assert conformance["counts"] == counts
    assert (conformance["expected"], conformance["observed"]) == (4, 3)
    assert "probeVerdicts" not in conformance or conformance["probeVerdicts"] == {}
    assert limits["probeVerdicts"]["LATE"] == 1
    assert sum(limits["probeVerdicts"].values()) == 1


def test_it_holds_every_verdict_as_the_journal_has_it(recording: Recording):
    record_everything(recording)
    told = document(recording)
    journal = [json.loads(line) for line in (recording.folder / "results.jsonl").read_text().splitlines()]
    assert [result for target in told["targets"] for result in target["results"]] == journal


def test_it_holds_all_that_run_json_says_but_its_targets(recording: Recording):
    recording.run["baseline"] = "known.toml"
    recording.result("1.1.1")
    told = document(recording)
    run = json.loads((recording.folder / "run.json").read_text())
    del run["targets"]
    assert told["run"] == run


def test_it_fits_the_schema_that_is_shipped(recording: Recording):
    record_everything(recording)
    schema = json.loads((FOLDER / "report.json").read_text())
    told = document(recording)
    jsonschema.validate(told, schema)
    assert set(told) == set(schema["properties"])
    assert set(schema["$defs"]["RunFacts"]["properties"]) == set(Run.model_json_schema(by_alias=True)["properties"]) - {
        "targets"
    }


def test_it_reads_back_as_the_model(recording: Recording):
    record_everything(recording)
    read = Report.model_validate_json(render("json", recording.save()))
    assert read.targets[0].results[0].case == "1.1.1"
    assert isinstance(read.run, RunFacts)


def test_it_says_what_is_no_case(recording: Recording):
    recording.run["state"] = "interrupted"
    recording.target("never", error="It exited.", expected=1)
    told = document(recording)
    assert told["problems"] == ["The run was interrupted."]
    assert told["targets"][0]["problems"] == ["The target could not be run: It exited."]
    assert (told["exitCode"], told["targets"][0]["exitCode"]) == (130, 3)


def test_it_names_lines_that_are_no_record(recording: Recording):
    recording.result("1.1.1")
    recording.append("results.jsonl", "{}\n")
    assert document(recording)["unreadable"] == ["results.jsonl, line 2"]


def test_it_is_judged_by_the_run_that_is_given(recording: Recording):
    recording.result("1.1.1", **FAILED)
    folder = recording.save()
    run = Run.model_validate_json((folder / "run.json").read_text())
    known = Deviation(cases=["1.1.1"], behavior=Behavior.FAILED, reason="Known now.")
    target = run.targets[0].model_copy(update={"deviations": [known]})
    judged = json.loads(render("json", folder, run=run.model_copy(update={"targets": [target]})))
    assert (document(recording)["exitCode"], judged["exitCode"]) == (1, 0)
