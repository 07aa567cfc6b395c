from __future__ import annotations

from pathlib import Path

import pytest

from harness.crosscheck import Comparison, Difference, save
from harness.results import (
    Behavior,
    BehaviorClose,
    Closing,
    Deviation,
    Implementation,
    Lost,
    Machine,
    Part,
    ProbeVerdict,
    Selection,
    WireEvent,
)
from tests.reports.recording import FAILED, HOSTILE, WRONG_CODE, Recording


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return Recording(tmp_path / "run")


def record_probes(recording: Recording) -> None:
    """Probes of three targets, with all verdicts, everything that can be measured, and hostile text in all of it."""
    wire = [WireEvent(kind="note", note=HOSTILE, at_ms=1.5)]
    for target in ("echo", "ws://localhost:9001", HOSTILE):
        text = HOSTILE if target == HOSTILE else "plain"
        for number, verdict in enumerate(ProbeVerdict, 1):
            measured = {"limit": "max_frame_size", "set_to": 16384.0, "sent": 20000 * number, "taken": 90 * 8**number}
            recording.probe(f"L.1.{number}", target, verdict, **measured, refusal="close 1009", close_code=1009)
        recording.probe(
            "L.4.1", target, ProbeVerdict.LATE if target == "echo" else ProbeVerdict.ENFORCED,
            limit="ping_interval", set_to=1.0, settings={"ping_interval": text}, sent=24, refusal=text,
            refused_after_ms=3.5, http_status=101, memory_idle=20 << 20, memory_peak=30 << 20,
            memory=[(0, 20 << 20), (1000, 30 << 20)], cpu_seconds=0.5, alive_after=True, seconds=[1, 1.5, 2],
            figures={text: 7},
        )  # fmt: skip
        recording.probe("L.7.1", target, limit="allowed_origin", set_to=text)
        # the first one's words are the probe's title
        recording.evidence(
            "L.4.1", target, "limits", sent=HOSTILE, expected=text, outcome=text, wire=wire, response=text
        )
    recording.targets["echo", "limits"]["lost"] = [Lost(case="L.8.1", reason=HOSTILE)]


def record_earlier_run(folder: Path) -> Path:
    """An earlier run of the same, in which something was otherwise, and which is not ours either."""
    earlier = Recording(folder)
    earlier.run |= {"id": HOSTILE, "state": "incomplete", "started_at": HOSTILE}
    for target in ("echo", "ws://localhost:9001", HOSTILE):
        earlier.target(target, implementation=Implementation(version=HOSTILE))
        for case in ("1.1.1", "6.4.1", "7.1.1", HOSTILE):
            earlier.result(case, target, **(FAILED if case == "1.1.1" else {}))
        earlier.probe("L.4.1", target)
    return earlier.save()


def record_what_is_said_of_the_run(recording: Recording) -> None:
    """What `run.json` and `crosscheck.json` say, with hostile text wherever there is text."""
    selection = Selection(cases=["*", HOSTILE], exclude=[HOSTILE], count=4, jobs=2, shard="2/4")
    machine = Machine(system=HOSTILE, architecture=HOSTILE, cpus=2, memory_bytes=1 << 33)
    versions = {HOSTILE: HOSTILE, "python": "3.11"}
    part = Part(
        id=HOSTILE, state=HOSTILE, started_at=HOSTILE, versions=versions, machine=machine, selection=selection
    )  # fmt: skip
    recording.run |= {
        "state": "incomplete",
        "baseline": HOSTILE,
        "versions": versions,
        "machine": machine,
        "selection": selection,
        "finished_at": "2026-11-23T08:01:30Z",
        "parts": [part, part],
    }
    ok, failed = (Behavior.OK, BehaviorClose.OK), (Behavior.FAILED, BehaviorClose.OK)
    differences = [
        Difference("1.1.1", (failed,), (ok,), HOSTILE),
        Difference("2.1", (ok, failed), (failed,)),
        Difference(HOSTILE, (ok,), (failed,)),
    ]
    save(recording.folder, [Comparison(name, 3, differences) for name in ("echo", HOSTILE)])


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A run with everything in it: two engines, failures, known and stale deviations, losses, hostile text.

    It takes a while to write, so a module's tests share it, and none of them changes it.
    """
    tmp_path = tmp_path_factory.mktemp("rich")
    recording = Recording(tmp_path / "run")
    (recording.folder / "autobahn").mkdir()
    (recording.folder / "autobahn" / "echo_1.html").write_text("engine's page")
    (recording.folder / "echo.log").write_text("output")
    recording.target(
        "echo", log="echo.log", implementation=Implementation(language="C", homepage="https://example.org/")
    )
    recording.target(
        "ws://localhost:9001",
        lost=[Lost(case="2.1", reason="the target died")],
        deviations=[
            Deviation(cases=["6.*"], behavior=Behavior.FAILED, reason="No UTF-8.", link="https://example.org/1"),
            Deviation(cases=["1.1.1"], behavior=Behavior.FAILED, reason="Fixed since."),
        ],
    )
    recording.target("never", error="it exited at once", expected=3)
    recording.target(
        HOSTILE, implementation=Implementation(language=HOSTILE, version=HOSTILE), unexplained=[HOSTILE]
    )  # fmt: skip
    name = HOSTILE
    for target in ("echo", "ws://localhost:9001", name):
        text = HOSTILE if target == name else "plain"
        for case, verdict in (("1.1.1", {}), ("6.4.1", FAILED if target != "echo" else {}), ("7.1.1", WRONG_CODE)):
            recording.result(case, target, **verdict)
            recording.evidence(
                case,
                target,
                sent=f"Sends something.\nAnd more. {text}",
                expected=f"{text} (RFC 6455 5.4)",
                clauses=["RFC 6455 5.4", text],
                outcome=text,
                outcome_close=text,
                accepted={"OK": [text], "NON-STRICT": []},
                accepted_close_codes=[1000, 1002],
                received=[text],
                request="GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                response=f"HTTP/1.1 101 {text}\r\n\r\n",
                closing=Closing(was_clean=False, reason_not_clean=text, remote_code=1002, remote_reason=text),
                wire=[
                    WireEvent(kind="octets", direction="sent", length=3, data="810161"),
                    WireEvent(kind="frame", direction="received", length=9, opcode=1, fin=True, rsv=4, data=text),
                    WireEvent(kind="note", note=text, at_ms=1.5),
                ],
                file="autobahn/echo_1.html",
            )
    recording.result("2.1", "echo", engine="native")
    for target in ("echo", HOSTILE):
        recording.result("1.1.1", target, engine="native")
    record_probes(recording)
    record_what_is_said_of_the_run(recording)
    recording.report(since=record_earlier_run(tmp_path / "earlier"))
    return recording
