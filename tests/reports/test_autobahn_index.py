"""What is written for scripts that read Autobahn's output, read as they and we ourselves read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.engines.autobahn.output import read_output
from harness.results import Behavior, Deviation, Lost
from reports import render, write_autobahn
from tests.reports.recording import FAILED, HOSTILE, WRONG_CODE, Recording

RECORDED = Path(__file__).parents[1] / "harness" / "recorded"


def index(recording: Recording) -> dict[str, dict[str, dict[str, Any]]]:
    return json.loads(render("autobahn", recording.save()))  # type: ignore[no-any-return]


def write(recording: Recording) -> Path:
    return write_autobahn(recording.save(), recording.folder.parent / "out").parent


@pytest.fixture
def autobahns(recording: Recording) -> Recording:
    """A run with what the real Autobahn has recorded."""
    records, problem = read_output(RECORDED, "websockets", "autobahn", relative_to=RECORDED.parent)
    assert problem == ""
    for record in records:
        recording.append("results.jsonl", record.result.to_json() + "\n")
        recording.append("evidence.jsonl", record.evidence.to_json() + "\n")
    recording.target("websockets")
    return recording


def test_the_index_is_the_one_that_autobahn_wrote(autobahns: Recording):
    assert index(autobahns) == json.loads((RECORDED / "index.json").read_text())


def test_the_index_is_laid_out_as_autobahn_lays_it_out(autobahns: Recording):
    wrote = json.loads((RECORDED / "index.json").read_text())
    assert render("autobahn", autobahns.save()) == json.dumps(wrote, sort_keys=True, indent=3, separators=(",", ": "))


@pytest.mark.parametrize("name", ["websockets_case_2_10.json", "websockets_case_6_4_1.json"])
def test_a_cases_file_has_what_autobahn_wrote_as_far_as_it_is_known(autobahns: Recording, name: str):
    ours = json.loads((write(autobahns) / name).read_text())
    theirs = json.loads((RECORDED / name).read_text())
    assert set(ours) < set(theirs)
    # of these only a part is in our records, or in other words
    in_part = {"description", "expectedClose", "wirelog"}
    assert {key: ours[key] for key in set(ours) - in_part} == {key: theirs[key] for key in set(ours) - in_part}
    assert ours["expectedClose"]["closeCode"] == theirs["expectedClose"]["closeCode"]
    octets_and_frames = [line for line in theirs["wirelog"] if line[0] in {"RO", "TO", "RF", "TF"}]
    assert [line[:5] for line in ours["wirelog"] if line[0] in {"RO", "RF"}] == [
        line[:5] for line in octets_and_frames if line[0] in {"RO", "RF"}
    ]


def test_a_run_by_autobahn_is_the_same_when_it_is_read_back(autobahns: Recording):
    folder = write(autobahns)
    before, _ = read_output(RECORDED, "t", "autobahn", relative_to=RECORDED)
    after, problem = read_output(folder, "t", "autobahn", relative_to=folder)
    assert problem == ""
    assert [record.result for record in after] == [record.result for record in before]
    for ours, theirs in zip(after, before, strict=True):
        same = {"sent", "expected", "outcome", "outcome_close", "accepted", "accepted_close_codes", "received"}
        same |= {"request", "response", "closing"}
        assert ours.evidence.model_dump(include=same) == theirs.evidence.model_dump(include=same)


def test_verdicts_of_the_native_engine_are_the_same_when_they_are_read_back(recording: Recording):
    results = [
        recording.result("1.1.1", engine="native"),
        recording.result("6.4.1", engine="native", **FAILED, remote_close_code=None),
        recording.result("6.4.2", engine="native", behavior=Behavior.NON_STRICT),
        recording.result("7.1.1", engine="native", **WRONG_CODE),
    ]
    recording.evidence("1.1.1", engine="native", received=['message "a\\x00" (text)', 'pong "0xff"', "timeout A"])
    folder = write(recording)
    records, problem = read_output(folder, "echo", "native", relative_to=folder)
    assert ([record.result for record in records], problem) == (results, "")
    told = json.loads((folder / "echo_case_1_1_1.json").read_text())
    assert told["received"] == [["message", "a\\x00", False], ["pong", "0xff"], ["timeout", "A"]]


def test_only_cases_of_conformance_are_in_it(recording: Recording):
    recording.result("1.1.1")
    recording.probe("L.1.1")
    assert {agent: list(cases) for agent, cases in index(recording).items()} == {"echo": ["1.1.1"]}


def test_the_second_engine_of_a_target_is_an_agent_of_its_own(recording: Recording):
    recording.result("1.1.1", engine="native")
    recording.result("1.1.1", **FAILED)
    told = index(recording)
    assert told["echo"]["1.1.1"]["behavior"] == "OK"
    assert told["echo (autobahn)"]["1.1.1"]["behavior"] == "FAILED"
    assert told["echo (autobahn)"]["1.1.1"]["reportfile"] == "echo__autobahn_case_1_1_1.json"


def test_a_target_of_the_name_that_an_engine_would_have_been_given_keeps_it_apart(recording: Recording):
    recording.result("1.1.1", "echo (native)")
    recording.result("1.1.1", "echo")
    recording.result("1.1.1", "echo", engine="native")
    assert len(index(recording)) == 3


@pytest.mark.parametrize("judged", [False, True])
def test_a_lost_case_is_failed_and_says_that_it_is_lost(recording: Recording, judged: bool):
    recording.target(lost=[Lost(case="2.1", reason="It died.")], expected=1)
    if judged:
        recording.result("2.1")
    folder = write(recording)
    told = json.loads((folder / "index.json").read_text())["echo"]["2.1"]
    assert (told["behavior"], told["behaviorClose"], told["lost"]) == ("FAILED", "FAILED", "It died.")
    assert json.loads((folder / told["reportfile"]).read_text())["result"] == "Lost: It died."


def test_a_known_deviation_stays_failed(recording: Recording):
    recording.target(deviations=[Deviation(cases=["*"], behavior=Behavior.FAILED, reason="By design.")])
    recording.result("1.1.1", **FAILED)
    assert index(recording)["echo"]["1.1.1"]["behavior"] == "FAILED"


def test_every_file_that_the_index_names_is_there_and_of_one_case(recording: Recording):
    names = ("Echo", "echo", "e/c/h/o", "..", "../../echo", "CON", "\u540d", "a" * 300, HOSTILE)
    cases = ("1.1.1", "1_1_1", "../1", "")
    for name in names:
        for case in cases:
            recording.result(case, name)
    folder = write(recording)
    told = json.loads((folder / "index.json").read_text())
    files = [(agent, case, entry["reportfile"]) for agent, of in told.items() for case, entry in of.items()]
    assert len(files) == len({file.casefold() for _, _, file in files}) == len(names) * len(cases)
    for agent, case, file in files:
        assert Path(file).name == file
        assert len(file) < 200
        record = json.loads((folder / file).read_text())
        assert (record["agent"], record["id"]) == (agent, case)
    assert {path.name for path in folder.iterdir()} == {"index.json", *(file for _, _, file in files)}
    assert {path.name for path in folder.parent.iterdir()} == {"run", "out"}


def test_what_a_peer_sent_is_no_markup_where_autobahn_has_some(recording: Recording):
    """Its own pages are made of these fields as they are."""
    recording.result("1.1.1")
    recording.evidence("1.1.1", sent=f"{HOSTILE}\nb", expected=HOSTILE, outcome=HOSTILE, outcome_close=HOSTILE)
    told = json.loads((write(recording) / "echo_case_1_1_1.json").read_text())
    for field in ("description", "expectation", "result", "resultClose"):
        assert "<" not in told[field].replace("<br>", "")
        assert "&lt;script&gt;" in told[field]
    assert told["description"].endswith("<br>b")
