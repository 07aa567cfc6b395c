"""The native engine against `tests/faulty/echo.py`: each fault is found, by the cases that are there to find it.

The tables beside it say what the real wstest 25.10.1 said of each. The server is a real one, started as any.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness import selection
from harness.crosscheck import allowed, verdict
from harness.engines.native import NativeEngine, connection
from harness.manifest import Local, Manifest, Source
from harness.results import Behavior, BehaviorClose, Outcome, Result, TargetRun, matches
from harness.runner import CaseRunner
from harness.targets.process import ProcessTarget
from tests.faulty import echo, folders  # noqa: F401 - importing echo fills CLASSES
from tests.faulty.connection import FAULTS as CLASSES
from tests.integration import fault_table
from tests.integration.fault_table import FINDS_NOTHING, OURS, PROPERTY, Row, in_order

pytestmark = pytest.mark.timeout(300)  # a server that hangs is waited for until that is sure, several times
FAULTY = folders.HERE
FAULTS = folders.table()
PASSES = {Outcome.PASSED, Outcome.INFORMATIONAL}
FAILS = {Outcome.NON_STRICT, Outcome.FAILED}
#: Cases of ours that no fault fails, and why there is none.
WITHOUT_A_FAULT = {
    "D.1.7": "no RFC says what a compressed message without an octet is: every verdict is INFORMATIONAL",
    "D.3.8": "nor whether a message may end inside a block",
    "F.6.35": "nor what becomes of a message with the end of the stream right behind it",
    "H.1.12": "a server may ignore an Upgrade that lists something else as well, or may not",
    "H.1.25": "a client must not send frames before the answer, so that a server may do with them what it wants",
    "H.3.16": "a server may take LF alone for the end of a line, or may not",
}


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
        about=TargetRun(target="faulty", engine="native", started_as="process", expected=len(cases)),
        cases=cases,
        engine=NativeEngine(),
        target=ProcessTarget(Source(folder, manifest, folder), folder / "log"),
        folder=folder,
        jobs=NativeEngine.default_jobs,
        profile="full",
        record=lambda record: found.update({record.result.case: record.result}),
    )
    outcome = runner.run()
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


@pytest.mark.parametrize("environment", [{}, {"COMPRESSION": "1"}], ids=["plain", "with compression"])
def test_the_server_without_a_fault_passes_every_case_of_ours(environment: dict[str, str], tmp_path: Path):
    patterns = [f"{family}.*" for family in OURS]
    found, failed = verdicts("", environment, patterns, tmp_path)
    assert {case: str(result.outcome) for case, result in found.items() if result.outcome in FAILS} == {}
    unimplemented = {case for case, result in found.items() if result.outcome is Outcome.UNIMPLEMENTED}
    # zlib cannot compress with a window of 8 bits; without compression there is nothing of D to see
    assert unimplemented == {"D.4.2", "H.6.13"} if environment else all(case[0] in "DH" for case in unimplemented)
    assert (set(found), failed) == (set(selection.resolve(patterns)), False)


def row(fault: str, found: dict[str, Result], *, failed: bool) -> Row:
    """Its line in the table of `make faults`."""
    about = FAULTS[fault]
    caught = in_order(case for case, result in found.items() if result.outcome in FAILS)
    found_by = ""
    if not found:
        found_by = "the run: no handshake" if failed else ""
    elif caught:
        result = found[caught[0]]
        found_by = f"{caught[0]} {fault_table.verdict(result.behavior, result.behavior_close)}"
    elif failed or "dies_in" in about:
        found_by = "the run: the server ended or hangs"
    theirs = about.get("autobahn") or FINDS_NOTHING
    if "verdict" in about:
        theirs = f"{about['first']} {fault_table.verdict(*about['verdict'])}"
    return Row(
        suite="cases",
        number=list(FAULTS).index(fault),
        fault=fault,
        title=about["title"],
        found_by=found_by,
        autobahn=theirs,
        caught=caught,
    )


#: What `make test` runs of them: a fault for each section of cases. `make faults` runs them all.
SAMPLE = {
    "truncates 126", "empty-pong", "ignores-reserved-bits", "reserved-control-opcodes", "accepts-lone-continuation",
    "no-utf8-check", "late-utf8-check", "echoes-invalid-close-codes", "answers-close-with 1001",
    "flips-octet-over 65536", "keeps-context", "forgets-client-context", "dies-on-invalid-utf8", "http 401",
    "connection-by-substring", "accepts-unmasked-control", "ends-with-the-final-block",
}  # fmt: skip


@pytest.mark.parametrize(
    "fault", [pytest.param(fault, marks=() if fault in SAMPLE else pytest.mark.slow) for fault in FAULTS]
)
def test_a_fault_is_found_where_it_should_be_and_nowhere_else(
    fault: str, tmp_path: Path, record_property: Callable[[str, object], None]
):
    about = FAULTS[fault]
    found, failed = verdicts(fault, about.get("environment", {}), [*about["caught_by"], *about["passes"]], tmp_path)
    record_property(PROPERTY, row(fault, found, failed=failed))
    if not found:
        assert (failed, about["verdict"]) == (True, ["FAILED", "FAILED"])
        return
    if deadly := about.get("dies_in"):
        # Autobahn goes on or gives up; here it is the case's fault, or the run's where none is to blame
        assert found.pop(deadly).outcome is Outcome.FAILED or failed
        return
    assert not failed
    for pattern in about["caught_by"]:
        assert any(matches(pattern, case) and found[case].outcome in FAILS for case in found), pattern
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


def test_every_fault_is_in_a_table():
    assert {fault.partition(" ")[0] for fault in FAULTS} == set(CLASSES)


def test_every_case_of_ours_is_failed_by_a_fault_or_there_is_a_reason_why_not():
    patterns = {pattern for about in FAULTS.values() for pattern in about["caught_by"]}
    cases = selection.resolve([f"{family}.*" for family in OURS])
    assert [case for case in cases if not any(matches(pattern, case) for pattern in patterns)] == in_order(
        case for case in cases if any(matches(pattern, case) for pattern in WITHOUT_A_FAULT)
    )
