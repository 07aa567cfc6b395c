from __future__ import annotations

from pathlib import Path
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ExitCode
from harness.gate import judge_run
from harness.results import Behavior, BehaviorClose, Deviation, Lost, Machine, Result, Run, Selection, TargetRun
from reports._load import EvidenceIndex, Recorded
from reports._view import survey

CASES = ("1.1.1", "1.1.2", "2.1")

behaviors = st.sampled_from(Behavior)
closings = st.sampled_from(BehaviorClose)
deviations = st.builds(
    Deviation,
    cases=st.lists(st.sampled_from([*CASES, "1.*", "*"]), min_size=1, max_size=2),
    behavior=behaviors,
    behavior_close=st.none() | closings,
    reason=st.just("So be it."),
)
targets = st.builds(
    TargetRun,
    target=st.just("echo"),
    engine=st.just("native"),
    startedAs=st.just("process"),  # its alias: what Hypothesis finds in the signature
    deviations=st.lists(deviations, max_size=2),
    expected=st.integers(0, 3),
    lost=st.lists(st.builds(Lost, case=st.sampled_from(CASES), reason=st.just("It died.")), max_size=1),
    error=st.sampled_from([None, None, None, "It exited."]),
)
states = st.sampled_from(["complete", "complete", "incomplete", "running", "interrupted", "error"])


@settings(deadline=None)  # the machine may be busy
@given(
    target=targets,
    verdicts=st.dictionaries(st.sampled_from(CASES), st.tuples(behaviors, closings)),
    state=states,
    strict=st.booleans(),
)
def test_the_report_is_green_only_if_the_gate_passes(
    target: TargetRun,
    verdicts: dict[str, tuple[Behavior, BehaviorClose]],
    state: Literal["complete", "incomplete", "running", "interrupted", "error"],
    strict: bool,
) -> None:
    results = {
        (target.target, target.engine, case): Result(
            target=target.target, engine=target.engine, case=case, behavior=first, behavior_close=second, duration_ms=1
        )
        for case, (first, second) in verdicts.items()
    }
    run = Run(
        id="1",
        state=state,
        strict=strict,
        started_at="2026-11-23T08:00:00Z",
        machine=Machine(system="Linux", architecture="x86_64", cpus=1, memory_bytes=1),
        selection=Selection(cases=["*"], count=3, jobs=1),
        targets=[target],
    )
    _, code = judge_run(run, list(results.values()), strict=strict)
    nowhere = Path("nowhere")
    shown = survey(Recorded(nowhere, run, results, EvidenceIndex(nowhere), ()))
    is_green = shown.banner.css in {"p", "k"}
    assert is_green == (code is ExitCode.PASSED and state == "complete")
    assert is_green <= (shown.columns[0].status[0] in {"p", "k"})
