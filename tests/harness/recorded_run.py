"""Runs that tests make up: a folder with `run.json`, `results.jsonl` and `evidence.jsonl`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.journal import Journal
from harness.results import (
    Behavior,
    BehaviorClose,
    Evidence,
    Lost,
    Machine,
    ProbeVerdict,
    Result,
    Run,
    Selection,
    TargetRun,
)

MACHINE = Machine(system="Linux", architecture="x86_64", cpus=2, memory_bytes=1 << 33)


def result(case: str, behavior: str = "OK", close: str = "OK", *, target: str = "t", engine: str = "native") -> Result:
    return Result(
        target=target,
        engine=engine,
        case=case,
        behavior=Behavior(behavior),
        behavior_close=BehaviorClose(close),
        duration_ms=1,
    )


def probe(case: str, verdict: str, *, target: str = "t") -> Result:
    behavior, close = ProbeVerdict(verdict).fields
    return Result(
        target=target,
        engine="limits",
        case=case,
        behavior=behavior,
        behavior_close=close,
        duration_ms=1,
        verdict=ProbeVerdict(verdict),
    )


def about(expected: int, *, lost: tuple[str, ...] = (), **values: Any) -> TargetRun:  # noqa: ANN401 - as TargetRun
    return TargetRun(
        **{
            "target": "t",
            "engine": "native",
            "started_as": "process",
            "expected": expected,
            "lost": [Lost(case=case, reason="it died") for case in lost],
            **values,
        }
    )


def run_of(*targets: TargetRun, cases: tuple[str, ...] = ("*",), **values: Any) -> Run:  # noqa: ANN401 - as Run
    selection = Selection(cases=list(cases), count=1, jobs=1, shard=values.pop("shard", None))
    whole = {"id": "x", "state": "complete", "started_at": "2026-11-25T08:00:00+00:00", "machine": MACHINE}
    return Run(**{**whole, "selection": selection, "targets": list(targets), **values})


def write(folder: Path, run: Run, *results: Result, **evidence: Any) -> Path:  # noqa: ANN401 - as Evidence
    journal = Journal(folder)
    for one in results:
        words = {"sent": f"Sends {one.case}.", "expected": "An echo.", **evidence}
        journal.add_evidence(Evidence(target=one.target, engine=one.engine, case=one.case, **words))
        journal.add_result(one)
    journal.write_run(run)
    journal.close()
    return folder
