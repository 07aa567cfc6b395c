"""The native engine against `tests/faulty/echo.py`: each fault is found, by the cases that are there to find it.

`faults.toml` says what the real wstest 25.10.1 said of each. The server is a real one, started and restarted as any.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from harness import selection
from harness.crosscheck import allowed, verdict
from harness.engines.native import NativeEngine, connection
from harness.manifest import Local, Manifest, Source
from harness.results import Behavior, BehaviorClose, Outcome, Result, TargetRun, matches
from harness.runner import CaseRunner
from harness.targets.process import ProcessTarget

pytestmark = pytest.mark.timeout(300)  # a server that hangs is waited for until that is sure, several times
FAULTY = Path(__file__).parents[1] / "faulty"
FAULTS: dict[str, dict[str, Any]] = tomllib.loads((FAULTY / "faults.toml").read_text(encoding="utf-8"))
PASSES = {Outcome.PASSED, Outcome.INFORMATIONAL}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does nothing for three seconds will do nothing for sixty either."""
    monkeypatch.setattr(connection, "STALL_S", 3.0)


def verdicts(
    fault: str, environment: dict[str, str], patterns: list[str], folder: Path
) -> tuple[dict[str, Result], bool]:
    """Run the cases against the server with that fault, as `wsconform run` would; and whether the run itself failed."""
    manifest = Manifest(
        name="faulty", language="Python", version="1", homepage="https://example.com", licence="MIT",
        extensions=["permessage-deflate"] if "COMPRESSION" in environment else [],
        local=Local(
            start=["{python}", str(FAULTY / "echo.py")], environment={"FAULT": fault, **environment}, ready_within=3.0
        ),
    )  # fmt: skip
    cases = selection.resolve(patterns)
    found: dict[str, Result] = {}
    runner = CaseRunner(
        engine=NativeEngine(),
        target=ProcessTarget(Source(folder, manifest, folder), folder / "log"),
        folder=folder,
        jobs=NativeEngine.default_jobs,
        profile="full",
        record=lambda record: found.update({record.result.case: record.result}),
    )
    about = TargetRun(target="faulty", engine="native", started_as="process", expected=len(cases))
    outcome = runner.run(about, cases)
    if outcome.error is not None:  # it never shakes hands, so no case is run, and the command exits 3
        assert len(outcome.lost) == len(cases)
        return {}, True
    assert outcome.lost == []
    return found, bool(outcome.unexplained)


def test_the_server_without_a_fault_passes_everything(tmp_path: Path):
    found, failed = verdicts("", {}, ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*"], tmp_path)
    assert {case for case, result in found.items() if result.outcome not in PASSES} == set()
    assert (len(found), failed) == (301, False)


def test_the_server_without_a_fault_passes_with_compression(tmp_path: Path):
    sample = ["12.1.1", "12.2.5", "12.3.11", "12.4.18", "12.5.3", *(f"13.{part}.4" for part in range(1, 8))]
    found, _ = verdicts("", {"COMPRESSION": "1"}, sample, tmp_path)
    assert {case: str(result.outcome) for case, result in found.items()} == dict.fromkeys(sample, "passed")


#: What `make test` runs of them: a fault for each section of cases. `make faults` runs them all.
SAMPLE = {
    "truncates 126", "empty-pong", "ignores-reserved-bits", "reserved-control-opcodes", "accepts-lone-continuation",
    "no-utf8-check", "late-utf8-check", "echoes-invalid-close-codes", "never-answers-close", "flips-octet-over 65536",
    "keeps-context", "forgets-client-context", "dies-on-invalid-utf8", "http 401",
}  # fmt: skip


@pytest.mark.parametrize(
    "fault", [pytest.param(fault, marks=() if fault in SAMPLE else pytest.mark.slow) for fault in FAULTS]
)
def test_a_fault_is_found_where_it_should_be_and_nowhere_else(fault: str, tmp_path: Path):
    about = FAULTS[fault]
    found, failed = verdicts(fault, about.get("environment", {}), [*about["caught_by"], *about["passes"]], tmp_path)
    if not found:
        assert (failed, about["verdict"]) == (True, ["FAILED", "FAILED"])
        return
    if deadly := about.get("dies_in"):
        # Autobahn goes on or gives up; here it is the case's fault, or the run's where none is to blame
        assert found.pop(deadly).outcome is Outcome.FAILED or failed
        return
    assert not failed
    for pattern in about["caught_by"]:
        assert any(matches(pattern, case) and found[case].outcome not in PASSES for case in found), pattern
    wrongly = {
        case: f"{result.behavior} / {result.behavior_close}"
        for case, result in found.items()
        if result.outcome not in PASSES and any(matches(pattern, case) for pattern in about["passes"])
    }
    assert wrongly == {}
    if "verdict" in about:
        ours, theirs = (
            verdict(found[about["first"]]),
            (Behavior(about["verdict"][0]), BehaviorClose(about["verdict"][1])),
        )
        assert ours == theirs or any(row.covers(about["first"], theirs, ours) for row in allowed())
