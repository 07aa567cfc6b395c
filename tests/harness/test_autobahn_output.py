"""Reading what wstest wrote: recorded from the real one, and made hostile."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.engines.autobahn import output as output_module
from harness.engines.autobahn.output import plain, read_output

RECORDED = Path(__file__).parent / "recorded"


def read(folder: Path) -> tuple[dict[str, object], str]:
    records, problem = read_output(folder, "t", "autobahn", relative_to=folder.parent)
    return {record.result.case: record for record in records}, problem


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """A copy of recorded output that tests may spoil."""
    folder = tmp_path / "out"
    folder.mkdir()
    for file in RECORDED.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def test_the_real_ones_record_of_6_4_1_is_understood(output: Path):
    records, problem = read_output(output, "t", "autobahn", relative_to=output.parent)
    record = next(r for r in records if r.result.case == "6.4.1")
    assert problem == ""
    assert (record.result.behavior, record.result.behavior_close) == ("NON-STRICT", "OK")
    assert record.evidence.accepted == {"OK": ["timeout A"], "NON-STRICT": ["timeout A", "timeout B"]}
    assert record.evidence.received == ["timeout A", "timeout B"]
    assert record.evidence.closing is not None
    assert record.evidence.closing.remote_code == 1007
    frames = [event for event in record.evidence.wire if event.kind == "frame"]
    assert [(f.direction, f.opcode, f.fin, f.length) for f in frames[:2]] == [
        ("sent", 1, False, 11),
        ("sent", 0, False, 4),
    ]
    assert any(event.note == "waits 1 s before it goes on (A)" for event in record.evidence.wire)


def test_cases_come_in_their_order(output: Path):
    assert list(read(output)[0]) == ["2.10", "6.4.1", "6.20.1"]


def test_lone_surrogates_do_not_stop_anything(output: Path):
    records, _ = read_output(output, "t", "autobahn", relative_to=output.parent)
    for record in records:
        assert record.evidence.to_json().encode("utf-8")


def test_no_output_is_a_reason(tmp_path: Path):
    assert read(tmp_path) == ({}, "wstest wrote no index.json")


def test_an_empty_output_holds_no_verdict(tmp_path: Path):
    (tmp_path / "index.json").write_text("{}")
    assert read(tmp_path) == ({}, "")


@pytest.mark.parametrize(
    "text", ["", "[", "[]", '"x"', "null", '{"a": {"1.1.1": {}}}', '{"a": {"1.1.1": {"behavior": 3}}}']
)
def test_an_index_that_makes_no_sense_gives_no_verdict(tmp_path: Path, text: str):
    (tmp_path / "index.json").write_text(text)
    assert read(tmp_path)[0] == {}


def test_a_verdict_that_is_none_is_not_taken_for_one(output: Path):
    index = json.loads((output / "index.json").read_text())
    next(iter(index.values()))["6.4.1"]["behavior"] = "SPLENDID"
    (output / "index.json").write_text(json.dumps(index))
    records, problem = read(output)
    assert list(records) == ["2.10", "6.20.1"]
    assert "6.4.1" in problem


@pytest.mark.parametrize("spoil", ["", "{", "{}", '{"wirelog": 3}', "[1]"])
def test_a_record_that_can_not_be_read_leaves_the_verdict_and_says_so(output: Path, spoil: str):
    for file in output.glob("*_6_4_1.json"):
        file.write_text(spoil)
    records, _ = read_output(output, "t", "autobahn", relative_to=output.parent)
    record = next(r for r in records if r.result.case == "6.4.1")
    assert record.result.behavior == "NON-STRICT"
    assert "can't be read" in record.evidence.outcome


def test_a_report_file_outside_the_folder_is_not_read(output: Path):
    (output.parent / "secret.json").write_text(next(output.glob("*_6_4_1.json")).read_text())
    index = json.loads((output / "index.json").read_text())
    next(iter(index.values()))["6.4.1"]["reportfile"] = "../secret.json"
    (output / "index.json").write_text(json.dumps(index))
    records, _ = read_output(output, "t", "autobahn", relative_to=output.parent)
    record = next(r for r in records if r.result.case == "6.4.1")
    assert "can't be read" in record.evidence.outcome


def test_a_long_wire_log_is_cut_and_says_so(output: Path):
    file = next(output.glob("*_6_4_1.json"))
    raw = json.loads(file.read_text())
    raw["wirelog"] = [["RO", [1, "00"]]] * 5000
    file.write_text(json.dumps(raw))
    records, _ = read_output(output, "t", "autobahn", relative_to=output.parent)
    evidence = next(r for r in records if r.result.case == "6.4.1").evidence
    assert (len(evidence.wire), evidence.wire_omitted) == (200, 4800)


def test_a_record_beyond_all_reason_is_not_kept_but_its_verdict_is(output: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(output_module, "_MAX_FILE", 5000)
    records, _ = read_output(output, "t", "autobahn", relative_to=output.parent)
    evidence = {record.result.case: record.evidence for record in records}
    assert "not read, and not kept" in evidence["6.4.1"].outcome
    assert evidence["6.4.1"].file is None
    assert not list(output.glob("*_6_4_1.json"))
    assert evidence["6.20.1"].sent != ""


def test_an_unknown_entry_of_the_wire_log_is_shown_as_it_is(output: Path):
    file = next(output.glob("*_6_4_1.json"))
    raw = json.loads(file.read_text())
    raw["wirelog"] = [["NEW", 1, 2]]
    file.write_text(json.dumps(raw))
    records, _ = read_output(output, "t", "autobahn", relative_to=output.parent)
    assert next(r for r in records if r.result.case == "6.4.1").evidence.wire[0].note == "NEW 1"


def test_markup_becomes_lines_and_entities_become_letters():
    assert plain("a<br>b<br/>c<br><br>PART1 = &lt;x&gt; <b>d</b> 1 < 2") == "a\nb\nc\n\nPART1 = <x> d 1 < 2"


@given(st.text())
def test_any_text_can_be_made_plain(text: str):
    assert "<br>" not in plain(text)
