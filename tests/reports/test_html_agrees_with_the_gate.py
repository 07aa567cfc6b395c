from __future__ import annotations

from pathlib import Path
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ExitCode
from harness.gate import judge_run
from harness.results import (
    Behavior,
    BehaviorClose,
    Deviation,
    Lost,
    Machine,
    ProbeVerdict,
    Result,
    Run,
    Selection,
    TargetRun,
)
from reports._load import EvidenceIndex, Recorded
from reports._view import survey

CASES = ("1.1.1", "1.1.2", "2.1")
PROBES = ("L.1.1", "L.1.2", "L.2.1")

behaviors = st.sampled_from(Behavior)
closings = st.sampled_from(BehaviorClose)
probe_verdicts = st.sampled_from(ProbeVerdict)
states = st.sampled_from(["complete", "complete", "incomplete", "running", "interrupted", "error"])
State = Literal["complete", "incomplete", "running", "interrupted", "error"]


def deviations(cases: tuple[str, ...]) -> st.SearchStrategy[list[Deviation]]:
    one = st.builds(
        Deviation,
        cases=st.lists(st.sampled_from([*cases, f"{cases[0][:2]}*", "*"]), min_size=1, max_size=2),
        behavior=behaviors,
        behavior_close=st.none() | closings,
        reason=st.just("So be it."),
    )
    of_probe = st.builds(
        Deviation, cases=st.sampled_from([["L.1.*"], ["L.2.1", "1.1.1"], ["*"]]), verdict=probe_verdicts,
        reason=st.just("So be it."),
    )  # fmt: skip
    return st.lists(one | of_probe, max_size=2)


def targets(engine: str, cases: tuple[str, ...]) -> st.SearchStrategy[TargetRun]:
    return st.builds(
        TargetRun,
        target=st.just("echo"),
        engine=st.just(engine),
        startedAs=st.just("process"),  # its alias: what Hypothesis finds in the signature
        deviations=deviations(cases),
        expected=st.integers(0, 3),
        lost=st.lists(st.builds(Lost, case=st.sampled_from(cases), reason=st.just("It died.")), max_size=1),
        error=st.sampled_from([None, None, None, "It exited."]),
    )


def recorded(state: State, run: list[TargetRun], results: list[Result], *, strict: bool) -> Recorded:
    nowhere = Path("nowhere")
    whole = Run(
        id="1",
        state=state,
        strict=strict,
        started_at="2026-11-23T08:00:00Z",
        machine=Machine(system="Linux", architecture="x86_64", cpus=1, memory_bytes=1),
        selection=Selection(cases=["*"], count=3, jobs=1),
        targets=run,
    )
    return Recorded(nowhere, whole, {result.key: result for result in results}, EvidenceIndex(nowhere), ())


def result_of(case: str, first: Behavior, second: BehaviorClose, verdict: ProbeVerdict | None = None) -> Result:
    return Result(
        target="echo",
        engine="limits" if verdict else "native",
        case=case,
        behavior=first,
        behavior_close=second,
        duration_ms=1,
        verdict=verdict,
    )


def agrees(run: Recorded) -> None:
    results = list(run.results.values())
    judgements, code = judge_run(run.run, results)
    shown = survey(run)
    assert (shown.banner.css in {"p", "k"}) == (code is ExitCode.PASSED and run.run.state == "complete")
    for judgement, column in zip(judgements, shown.columns, strict=True):
        assert (column.status[0] in {"p", "k"}) == (judgement.exit_code is ExitCode.PASSED)


@settings(deadline=None)  # the machine may be busy
@given(
    target=targets("native", CASES),
    verdicts=st.dictionaries(st.sampled_from(CASES), st.tuples(behaviors, closings)),
    state=states,
    strict=st.booleans(),
)
def test_the_report_is_green_only_if_the_gate_passes(
    target: TargetRun, verdicts: dict[str, tuple[Behavior, BehaviorClose]], state: State, strict: bool
) -> None:
    results = [result_of(case, first, second) for case, (first, second) in verdicts.items()]
    agrees(recorded(state, [target], results, strict=strict))


@settings(deadline=None)
@given(
    target=targets("limits", PROBES),
    verdicts=st.dictionaries(st.sampled_from(PROBES), probe_verdicts),
    with_conformance=st.booleans(),
    state=states,
    strict=st.booleans(),
)
def test_the_report_is_green_only_if_the_gate_passes_the_probes(
    target: TargetRun, verdicts: dict[str, ProbeVerdict], with_conformance: bool, state: State, strict: bool
) -> None:
    results = [result_of(case, *verdict.fields, verdict) for case, verdict in verdicts.items()]
    run = [target]
    if with_conformance:  # which passes
        results.append(result_of("1.1.1", Behavior.OK, BehaviorClose.OK))
        run.insert(0, TargetRun(target="echo", engine="native", started_as="process", expected=1))
    agrees(recorded(state, run, results, strict=strict))
