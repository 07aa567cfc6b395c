"""A run's folder that nobody ran: as many implementations and cases as asked for, with evidence as engines leave it.

Sizes are those of real runs: a case of the native engine leaves some 14 events of its wire log, one that failed more,
a limit probe 7 to 180. The same arguments give the same run.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.cases import catalogue
from harness.limits.catalogue import probes
from harness.results import (
    Behavior,
    BehaviorClose,
    Closing,
    Evidence,
    Implementation,
    Lost,
    Machine,
    Measured,
    ProbeVerdict,
    Result,
    Run,
    Selection,
    TargetRun,
    WireEvent,
)

_REQUEST = (
    "GET / HTTP/1.1\r\nHost: 127.0.0.1:42263\r\nUser-Agent: wsconform/0.1.0\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n"
    "Sec-WebSocket-Key: aMUsSbModgNyKKwI01+cZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_RESPONSE = (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: rl3xg+Ks4V6ZmBtrG97d6LQBhA8=\r\n\r\n"
)
_LANGUAGES = ("Python", "Go", "Rust", "JavaScript", "C++", "Java", "C#", "Elixir")
_TEXT = "*" * 64 + "\N{HORIZONTAL ELLIPSIS}"
_OTHER = (
    {"behavior": Behavior.FAILED},
    {"behavior_close": BehaviorClose.WRONG_CODE},
    {"behavior": Behavior.NON_STRICT},
    {"behavior": Behavior.UNIMPLEMENTED, "behavior_close": BehaviorClose.INFORMATIONAL},
)
#: Of a hundred cases so many fail or are otherwise remarkable.
_REMARKABLE = 4
_VERDICTS = (*ProbeVerdict, *[ProbeVerdict.ENFORCED] * 24, *[ProbeVerdict.NOT_CONFIGURABLE] * 5)


def case_ids(count: int) -> list[str]:
    """So many ids: all of the catalogue, and where that has too few, made-up ones of the opening handshake."""
    known = catalogue()
    made_up = (f"H.{number // 20 + 1}.{number % 20 + 1}" for number in itertools.count())
    more = (case for case in made_up if case not in known)
    return list(itertools.islice(itertools.chain(known, more), count))


def write_run(folder: Path, *, targets: int, cases: Iterable[str], limit_probes: Iterable[str] | None = None) -> None:
    """Write the folder of a complete run; `limit_probes` are by default all that there are."""
    dice = random.Random(6455)  # noqa: S311 - no secret
    folder.mkdir(parents=True)
    by_engine = {"native": list(cases), "limits": list(probes() if limit_probes is None else limit_probes)}
    runs = []
    with (folder / "results.jsonl").open("w") as results, (folder / "evidence.jsonl").open("w") as evidences:
        for number in range(targets):
            name = f"implementation-{number + 1}" if number % 5 else f"ws://127.0.0.1:{9000 + number}/echo"
            for engine, ids in by_engine.items():
                lost = dice.sample(ids, 1) if number == targets - 1 else []
                asked = [case for case in ids if case not in lost]
                for result, evidence in _records(dice, name, engine, asked):
                    results.write(result.to_json() + "\n")
                    evidences.write(evidence.to_json() + "\n")
                runs.append(_target(name, number, engine, len(ids), lost))
    (folder / "run.json").write_text(_run(runs, len(by_engine["native"])).to_json())


def _target(name: str, number: int, engine: str, expected: int, lost: list[str]) -> TargetRun:
    return TargetRun(
        target=name,
        engine=engine,
        engine_version="0.1.0",
        started_as="url" if "://" in name else "process",
        implementation=Implementation(language=_LANGUAGES[number % len(_LANGUAGES)], version=f"{number % 3}.{number}"),
        expected=expected,
        observed=expected - len(lost),
        lost=[Lost(case=case, reason="The target died: it exited with signal 11.") for case in lost],
        seconds=20.0 + 7 * number % 40,
    )


def _run(targets: list[TargetRun], count: int) -> Run:
    return Run(
        id="synthetic",
        state="incomplete",
        exit_code=4,
        started_at="2026-11-25T08:00:00+00:00",
        finished_at="2026-11-25T08:20:00+00:00",
        versions={"wsconform": "0.1.0", "python": "3.11.7"},
        machine=Machine(system="Linux", architecture="x86_64", cpus=2, memory_bytes=1 << 33),
        selection=Selection(cases=["*"], count=count, jobs=16),
        targets=targets,
    )


def _records(dice: random.Random, target: str, engine: str, ids: list[str]) -> Iterator[tuple[Result, Evidence]]:
    make = _probe if engine == "limits" else _case
    for case in ids:
        result = make(dice, {"target": target, "engine": engine, "case": case})
        yield result, _evidence(dice, result)


def _case(dice: random.Random, key: dict[str, str]) -> Result:
    remarkable = dice.randrange(100) < _REMARKABLE
    verdict = {"behavior": Behavior.OK, "behavior_close": BehaviorClose.OK} | (
        dice.choice(_OTHER) if remarkable else {}
    )
    return Result.model_validate(key | verdict | {"remote_close_code": 1000, "duration_ms": dice.randrange(2000)})


def _probe(dice: random.Random, key: dict[str, str]) -> Result:
    verdict = dice.choice(_VERDICTS)
    behavior, closing = verdict.fields
    measured = Measured(
        limit="max_frame_size",
        set_to=16384.0,
        settings={"max_frame_size": "16384", "max_message_size": "1073741824"},
        sent=dice.randrange(1 << 20),
        taken=dice.randrange(1 << 16),
        refusal="close 1009",
        refused_after_ms=dice.random(),
        close_code=1009,
        memory_idle=20 << 20,
        memory_peak=30 << 20,
        memory=[(50 * step, (20 << 20) + dice.randrange(10 << 20)) for step in range(40)],
        cpu_seconds=0.25,
        alive_after=True,
    )
    return Result.model_validate(
        key
        | {"behavior": behavior, "behavior_close": closing, "remote_close_code": 1009, "duration_ms": 300}
        | {"verdict": verdict, "measured": measured}
    )


def _evidence(dice: random.Random, result: Result) -> Evidence:
    passed = (result.behavior, result.behavior_close) == (Behavior.OK, BehaviorClose.OK)
    messages = dice.choice((1, 1, 8, 20)) if result.verdict else 1 if passed else dice.choice((1, 1, 4, 40))
    if result.case[0] in "DFH":
        return _evidence_of_ours(result, _wire(dice, messages))
    return Evidence(
        target=result.target,
        engine=result.engine,
        case=result.case,
        sent=f"{result.case}: a text message of 125 octets, in fragments that come a second apart",
        expected="The same message comes back, and the connection is closed with 1000 (RFC 6455 5.4).",
        clauses=["RFC 6455 5.4", "RFC 6455 5.6"],
        outcome="What came is what is accepted." if passed else "Something else came than what is accepted.",
        outcome_close="The connection was closed as it should be.",
        accepted={"OK": [f'message "{_TEXT}" (text)']},
        accepted_close_codes=[1000],
        received=[f'message "{_TEXT}" (text)'],
        request=_REQUEST,
        response=_RESPONSE,
        closing=Closing(was_clean=True, closed_by_engine=True, local_code=1000, remote_code=1000),
        wire=list(_wire(dice, messages)),
    )


def _evidence_of_ours(result: Result, wire: Iterable[WireEvent]) -> Evidence:
    """What cases leave that Autobahn has not: words, and a log that has what was sent in octets alone."""
    return Evidence(
        target=result.target,
        engine=result.engine,
        case=result.case,
        sent=f"{result.case}: a text message of 125 octets, in fragments that come a second apart.",
        expected="The same message comes back.",
        clauses=["RFC 6455 5.4"],
        outcome="It came back." if result.behavior is Behavior.OK else "Something else came back.",
        request=_REQUEST,
        response=_RESPONSE,
        wire=[one for one in wire if one.kind != "timer" and not (one.kind == "frame" and one.direction == "sent")],
    )


def _wire(dice: random.Random, messages: int) -> Iterator[WireEvent]:
    """The handshake's octets, messages that are echoed, each with its octets, and the closing handshake."""
    at = 0.0

    def event(kind: str, direction: str | None = None, **values: object) -> WireEvent:
        nonlocal at
        at += 10 * dice.random()
        return WireEvent.model_validate({"kind": kind, "direction": direction, "at_ms": round(at, 3)} | values)

    def frame(direction: str, opcode: int, length: int, data: str) -> WireEvent:
        values = {"opcode": opcode, "fin": True, "rsv": 0, "masked": direction == "sent"}
        return event("frame", direction, length=length, data=data, **values)

    for direction in ("sent", "received"):
        yield event("octets", direction, length=226, data="47" * 64 + "\N{HORIZONTAL ELLIPSIS}")
    for opcode, length, data in [*[(1, 125, _TEXT)] * messages, (8, 2, "0x03e8")]:
        yield frame("sent", opcode, length, data)
        yield event("octets", "sent", length=length + 6, data=dice.randbytes(min(64, length + 6)).hex())
        yield event("octets", "received", length=length + 2, data=dice.randbytes(min(64, length + 2)).hex())
        yield frame("received", opcode, length, data)
    yield event("timer", note="will fail the connection if it is still there in 1 s")
    yield event("note", note="the peer closed the TCP connection")
