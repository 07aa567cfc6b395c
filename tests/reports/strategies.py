"""Runs of all sorts, for what has to hold of every run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

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

ENGINES = ("native", "autobahn", "limits")
CASES = ("1.1.1", "1.1.2", "2.1")
PROBES = ("L.1.1", "L.1.2", "L.2.1")

_mostly_ok = st.sampled_from([(Behavior.OK, BehaviorClose.OK)] * 8) | st.tuples(
    st.sampled_from(Behavior), st.sampled_from(BehaviorClose)
)
_mostly_enforced = st.just(ProbeVerdict.ENFORCED) | st.sampled_from(ProbeVerdict)
_deviations = st.lists(
    st.builds(
        Deviation,
        cases=st.lists(st.sampled_from([*CASES, *PROBES, "1.*", "L.*", "*"]), min_size=1, max_size=2),
        behavior=st.sampled_from(Behavior),
        behavior_close=st.none() | st.sampled_from(BehaviorClose),
        reason=st.just("So be it."),
    )
    | st.builds(
        Deviation, cases=st.just(["L.*"]), verdict=st.sampled_from(ProbeVerdict), reason=st.just("So be it.")
    ),
    max_size=1,
)  # fmt: skip


@dataclass(frozen=True)
class _Part:
    target: str
    engine: str
    verdicts: dict[str, Any]
    about: TargetRun | None

    @property
    def results(self) -> list[Result]:
        return [self._result(case, verdict) for case, verdict in self.verdicts.items()]

    def _result(self, case: str, verdict: Any) -> Result:  # noqa: ANN401 - of a case or a probe
        is_probe = isinstance(verdict, ProbeVerdict)
        first, second = verdict.fields if is_probe else verdict
        return Result(
            target=self.target, engine=self.engine, case=case, behavior=first, behavior_close=second, duration_ms=1,
            verdict=verdict if is_probe else None,
        )  # fmt: skip


@st.composite
def _parts(draw: st.DrawFn) -> _Part:
    """A target under an engine: mostly all that was asked for is there, and sometimes run.json does not know it."""
    target, engine = draw(st.sampled_from(["echo", "other"])), draw(st.sampled_from(ENGINES))
    is_limits = engine == "limits"
    cases = st.sampled_from(PROBES if is_limits else CASES)
    verdicts = draw(st.dictionaries(cases, _mostly_enforced if is_limits else _mostly_ok, max_size=3))
    lost = draw(st.sampled_from([0, 0, 0, 1])) and draw(cases)
    expected = len(verdicts) + bool(lost) + draw(st.sampled_from([0, 0, 0, 0, 1, -1]))
    about = TargetRun(
        target=target,
        engine=engine,
        started_as="process",
        deviations=draw(_deviations),
        expected=max(0, expected),
        lost=[Lost(case=lost, reason="It died.")] if lost else [],
        unexplained=draw(st.sampled_from([[], [], [], ["It died after 1.1.1."]])),
        error=draw(st.sampled_from([None, None, None, None, "It exited."])),
    )
    return _Part(target, engine, verdicts, about if draw(st.integers(0, 9)) else None)


@st.composite
def runs(draw: st.DrawFn) -> Recorded:
    """A run of up to three targets, in any state and however it is judged."""
    parts = draw(st.lists(_parts(), max_size=3))
    nowhere = Path("nowhere")
    run = Run(
        id="1",
        state=draw(st.sampled_from(["complete"] * 4 + ["incomplete", "running", "interrupted", "error"])),
        strict=draw(st.booleans()),
        allow_stale=draw(st.booleans()),
        started_at="2026-11-23T08:00:00Z",
        machine=Machine(system="Linux", architecture="x86_64", cpus=1, memory_bytes=1),
        selection=Selection(cases=["*"], count=3, jobs=1),
        targets=[part.about for part in parts if part.about],
    )
    results = {result.key: result for part in parts for result in part.results}
    return Recorded(nowhere, run, results, EvidenceIndex(nowhere), ())
