"""The limit probes against `tests/faulty_limits/server.py`: each fault is found, by the probes that are there for it.

`faults.toml` says which, and with which verdict. Each probe has a real server of its own, started as any.
"""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import selection
from harness.engines import Job, Record
from harness.limits import judge
from harness.limits.catalogue import FAMILIES, probes
from harness.limits.engine import LimitsEngine
from harness.limits.probes import l09_connections
from harness.manifest import load
from harness.results import ProbeVerdict
from harness.targets.process import ProcessTarget
from tests.faulty_limits import folders, server  # noqa: F401 - importing it fills CLASSES
from tests.faulty_limits.base import FAULTS as CLASSES
from tests.integration.fault_table import NOT_MEASURED, PROPERTY, Row, in_order

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
FAULTS: dict[str, dict[str, Any]] = tomllib.loads((folders.HERE / "faults.toml").read_text(encoding="utf-8"))
VERDICTS = {
    "late": ProbeVerdict.LATE,
    "wrong_code": ProbeVerdict.WRONG_CODE,
    "not_enforced": ProbeVerdict.NOT_ENFORCED,
    "crashed": ProbeVerdict.CRASHED,
}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does nothing for four seconds will do nothing for ten either."""
    modules = {importlib.import_module(probe.run.__module__) for probe in probes().values()}
    for module in (judge, *modules):
        if hasattr(module, "PATIENCE_S"):
            monkeypatch.setattr(module, "PATIENCE_S", 4.0)
    monkeypatch.setattr(l09_connections, "_SETTLE_S", 2.0)
    monkeypatch.setattr(judge.Growth, "MOST", 6)


def expected(fault: str) -> dict[str, str]:
    """What a fault's table says: the verdict of each probe that fails."""
    about = FAULTS[fault]
    return {case: str(verdict) for key, verdict in VERDICTS.items() for case in about.get(key, ())}


def run(fault: str, patterns: list[str], folder: Path) -> dict[str, Record]:
    """Run the probes against the server with that fault, as `wsconform run` would."""
    source = load(str(folders.write(folder, fault)))
    job = Job(
        target=source.manifest.name,
        endpoints=[],
        cases=selection.resolve(patterns),
        jobs=LimitsEngine.default_jobs,
        deflates=source.deflates,
        folder=folder,
        instance=ProcessTarget(source, folder / "server.log"),
    )
    batches = list(LimitsEngine().run(job))
    assert [(batch.cases, batch.reason) for batch in batches if not batch.records] == []
    return {record.result.case: record for batch in batches for record in batch.records}


def verdicts(found: dict[str, Record]) -> dict[str, str]:
    """Those that are not ENFORCED, by probe."""
    return {
        case: str(record.result.verdict)
        for case, record in found.items()
        if record.result.verdict is not ProbeVerdict.ENFORCED
    }


def row(fault: str, failed: dict[str, str]) -> Row:
    """Its line in the table of `make faults`."""
    caught = in_order(failed)
    return Row(
        suite="limits",
        number=list(FAULTS).index(fault),
        fault=fault,
        title=FAULTS[fault]["title"],
        found_by=f"{caught[0]} {failed[caught[0]]}" if caught else "",
        autobahn=NOT_MEASURED,
        caught=caught,
    )


@pytest.mark.parametrize("family", [family.number for family in FAMILIES])
def test_the_server_without_a_fault_keeps_every_limit(family: int, tmp_path: Path):
    found = run("", [f"L.{family}.*"], tmp_path)
    assert verdicts(found) == {}
    assert len(found) == len(FAMILIES[family - 1].probes)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_by_the_probes_for_it_and_by_no_other(
    fault: str, tmp_path: Path, record_property: Callable[[str, object], None]
):
    failing = expected(fault)
    found = run(fault, [*FAULTS[fault]["runs"], *FAULTS[fault].get("missed", ()), *failing], tmp_path)
    record_property(PROPERTY, row(fault, verdicts(found)))
    assert verdicts(found) == failing
    for case in failing:
        assert FAULTS[fault].get("because", "") in found[case].evidence.outcome


def test_every_fault_is_in_the_table_and_has_a_probe_that_fails():
    assert {fault.partition(" ")[0] for fault in FAULTS} == set(CLASSES)
    assert [fault for fault, about in FAULTS.items() if not expected(fault) and not about.get("missed")] == []


def test_every_probe_is_failed_by_a_fault():
    assert set(probes()) - {case for fault in FAULTS for case in expected(fault)} == set()
