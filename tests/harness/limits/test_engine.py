"""The engine that runs probes: what it starts, what it says of a server that dies, what it makes of load and stops."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import pytest

from harness.endpoint import Endpoint
from harness.engines import Batch, Job
from harness.errors import TargetError
from harness.limits.engine import LimitsEngine
from harness.limits.meter import ProcessMeter
from harness.limits.model import MIB, Attempt, Finding, Probe, UnreachableError
from harness.limits.settings import Settings
from harness.manifest import Limit
from harness.results import Behavior, ProbeVerdict, WireEvent
from tests.harness.native import peers

ENFORCED, NOT_ENFORCED, LATE = ProbeVerdict.ENFORCED, ProbeVerdict.NOT_ENFORCED, ProbeVerdict.LATE
FINE = Finding(ENFORCED, "Refused.")


class Server:
    """A target that is an echo server in a thread, and that counts its instances."""

    name = "server"
    last = ""

    def __init__(
        self,
        limits: Mapping[str, Limit] | None = None,
        *,
        deflates: bool = True,
        started_as: Literal["process", "url"] = "process",
        starts: Callable[[Mapping[str, str]], None] = lambda _: None,
        family: list[Server] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.limits = limits or {}
        self.deflates = deflates
        self.started_as = started_as
        self.starts = starts
        self.family: list[Server] = [] if family is None else family
        self.settings = settings or {}
        self.peer: peers.Peer | None = None
        self.wrong: str | None = None

    def given(self, settings: Mapping[str, str], label: str) -> Server:
        assert label.startswith("L.")
        if self.started_as == "url":
            return self
        other = Server(self.limits, deflates=self.deflates, starts=self.starts, family=self.family, settings=settings)
        self.family.append(other)
        return other

    def start(self) -> Endpoint:
        self.starts(self.settings)
        self.peer = peers.Peer(peers.echo)
        return self.peer.endpoint

    def problem(self) -> str | None:
        return self.wrong

    def last_output(self) -> str:
        return "Segmentation fault"

    def usage(self) -> None:
        pass

    def meter(self) -> ProcessMeter | None:
        return ProcessMeter(os.getpid())

    def die(self) -> None:
        assert self.peer is not None
        self.wrong = "it ended with exit status 3"
        self.peer.__exit__(None, None, None)

    def stop(self) -> None:
        if self.peer is not None:
            self.peer.__exit__(None, None, None)


Behave = Callable[[Attempt], Awaitable[Finding]]


async def fine(attempt: Attempt) -> Finding:
    await attempt.open()
    return FINE


def probe(
    number: int, run: Behave = fine, *, limit: str | None = None, value: float | str = 1, **options: object
) -> Probe:
    settings: Settings = {limit: value} if limit else {}
    return Probe(f"L.1.{number}", "It sends.", "It is right.", run, limit, settings, **options)  # type: ignore[arg-type]


Run = Callable[..., list[Batch]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    def run(server: Server, *chosen: Probe, jobs: int = 4, stop: threading.Event | None = None) -> list[Batch]:
        monkeypatch.setattr("harness.limits.engine.probes", lambda: {one.id: one for one in chosen})
        monkeypatch.setattr("harness.limits.engine._SETTLES_WITHIN_S", 0.5)
        job = Job(
            target="server", endpoints=[], cases=[one.id for one in chosen], jobs=jobs, deflates=True, folder=tmp_path,
            instance=server, stop=stop or threading.Event(),
        )  # fmt: skip
        return list(LimitsEngine().run(job))

    return run


def verdicts(batches: Sequence[Batch]) -> dict[str, ProbeVerdict | None]:
    return {record.result.case: record.result.verdict for batch in batches for record in batch.records}


def words(batches: Sequence[Batch]) -> str:
    return " ".join(record.evidence.outcome for batch in batches for record in batch.records)


def test_each_probe_has_a_server_of_its_own_with_the_limits_that_it_can_be_given(run: Run):
    server = Server({"max_frame_size": Limit(env="MAX_FRAME_SIZE")})
    one = Probe("L.1.1", "", "", fine, "max_frame_size", {"max_frame_size": 16384, "ping_interval": 2})
    batches = run(server, one, probe(2))
    assert verdicts(batches) == {"L.1.1": ENFORCED, "L.1.2": ENFORCED}
    assert sorted(map(str, (instance.settings for instance in server.family))) == ["{'max_frame_size': '16384'}", "{}"]
    measured = batches[0].records[0].result.measured or batches[1].records[0].result.measured
    assert measured is not None
    assert measured.alive_after


def test_what_was_measured_is_in_the_result(run: Run):
    async def measure(attempt: Attempt) -> Finding:
        peer = await attempt.open()
        await peer.echo(b"12345")
        attempt.excess()
        await peer.write(b"\x88\x82\0\0\0\0\x03\xf1")
        await peer.refusal(5)
        attempt.figures["apples"] = 3
        attempt.seconds.append(0.5)
        return FINE

    server = Server({"ping_interval": Limit(env="PING_INTERVAL")})
    (batch,) = run(server, probe(1, measure, limit="ping_interval", value=2))
    (record,) = batch.records
    m = record.result.measured
    assert m is not None
    assert (m.limit, m.set_to, m.settings) == ("ping_interval", 2, {"ping_interval": "2"})
    assert (m.sent, m.taken, m.refusal, m.close_code, m.http_status) == (19, 19, "close 1009", 1009, 101)
    assert m.refused_after_ms is not None
    assert (m.figures, m.seconds, m.alive_after) == ({"apples": 3}, [0.5], True)
    assert m.memory_idle
    assert m.cpu_seconds is not None
    assert record.result.remote_close_code == 1009
    assert record.evidence.request.startswith("GET / HTTP/1.1")
    assert any(event.kind == "frame" for event in record.evidence.wire)


@pytest.mark.parametrize(
    ("limits", "deflates", "asked", "why"),
    [
        ({}, True, {"limit": "max_frame_size"}, "It has no max_frame_size that can be set."),
        ({"max_frame_size": Limit(fixed=1 << 30)}, True, {"limit": "max_frame_size"}, "than is probed (67,108,864)"),
        (
            {"max_frame_size": Limit(fixed=1024)}, True, {"limit": "max_frame_size", "value": 125, "set_only": True},
            "It has max_frame_size = 1,024 octets; this probe needs max_frame_size = 125 octets.",
        ),
        ({}, False, {"deflate": True}, "It does not offer permessage-deflate."),
    ],
)  # fmt: skip
def test_what_does_not_apply_is_said_and_nothing_is_started_for_it(
    run: Run, limits: dict[str, Limit], deflates: bool, asked: dict[str, object], why: str
):
    server = Server(limits, deflates=deflates)
    batches = run(server, probe(1, **asked))  # type: ignore[arg-type]
    assert verdicts(batches) == {"L.1.1": ProbeVerdict.NOT_CONFIGURABLE}
    assert why in words(batches)
    assert server.family == []
    assert batches[0].records[0].result.behavior is Behavior.UNIMPLEMENTED


def test_a_url_is_not_judged_by_a_limit_that_nobody_declared(run: Run):
    assert "Nobody declared its max_frame_size (--limit max_frame_size=VALUE)." in words(
        run(Server(started_as="url"), probe(1, limit="max_frame_size"))
    )


def test_a_fixed_limit_is_what_is_probed(run: Run):
    async def see(attempt: Attempt) -> Finding:
        return Finding(ENFORCED, f"{attempt.limit} {attempt.settings}")

    server = Server({"max_frame_size": Limit(fixed=1024), "max_message_size": Limit(fixed=4096)})
    assert "1024 {'max_frame_size': 1024, 'max_message_size': 4096}" in words(
        run(server, probe(1, see, limit="max_frame_size"))
    )


def test_a_server_that_dies_of_a_probe_has_crashed(run: Run):
    async def kill(_: Attempt) -> Finding:
        server.family[-1].die()
        return Finding(ENFORCED, "Refused.")

    server = Server()
    batches = run(server, probe(1, kill))
    assert verdicts(batches) == {"L.1.1": ProbeVerdict.CRASHED}
    assert "died or stopped answering: it ended with exit status 3. The last it wrote: Segmentation fault." in words(
        batches
    )


def test_a_connection_that_was_not_let_in_is_no_verdict_about_a_server_that_lives(run: Run):
    async def unreachable(_: Attempt) -> Finding:
        raise UnreachableError("its opening handshake did not succeed: HTTP 503")

    (batch,) = run(Server(), probe(1, unreachable))
    assert (batch.records, batch.reason) == (
        [],
        "it could not be probed: its opening handshake did not succeed: HTTP 503",
    )


def test_a_connection_that_was_not_let_in_by_a_dead_server_is_a_crash(run: Run):
    async def unreachable(_: Attempt) -> Finding:
        server.family[-1].die()
        raise UnreachableError("it took no TCP connection")

    server = Server()
    assert verdicts(run(server, probe(1, unreachable))) == {"L.1.1": ProbeVerdict.CRASHED}


def test_a_server_that_does_not_start_with_a_limit_has_no_verdict_but_a_reason(run: Run):
    def starts(settings: Mapping[str, str]) -> None:
        if settings:
            raise TargetError("server did not start: it ended with exit status 2")

    server = Server({"max_frame_size": Limit(env="X")}, starts=starts)
    batches = run(server, probe(1, limit="max_frame_size"), probe(2))
    assert verdicts(batches) == {"L.1.2": ENFORCED}
    assert [batch.reason for batch in batches if not batch.records] == [
        "server did not start: it ended with exit status 2"
    ]


def test_a_probe_without_an_end_has_no_verdict_but_a_reason(run: Run, monkeypatch: pytest.MonkeyPatch):
    async def hang(_: Attempt) -> Finding:
        await asyncio.sleep(3600)
        return FINE

    monkeypatch.setattr("harness.limits.engine._AT_MOST_S", 0.2)
    (batch,) = run(Server(), probe(1, hang))
    assert (batch.records, batch.reason) == ([], "the probe did not come to an end within 0.2 s")


def test_what_a_clock_decided_beside_others_is_asked_again_alone(run: Run):
    asked: list[int] = []

    async def hurry(_: Attempt) -> Finding:
        asked.append(threading.active_count())
        return Finding(LATE if len(asked) == 1 else ENFORCED, "", doubtful=len(asked) == 1)

    assert verdicts(run(Server(), probe(1, hurry), probe(2))) == {"L.1.1": ENFORCED, "L.1.2": ENFORCED}
    assert len(asked) == 2


def test_what_stays_doubtful_alone_is_the_verdict(run: Run):
    async def late(_: Attempt) -> Finding:
        return Finding(LATE, "", doubtful=True)

    assert verdicts(run(Server(), probe(1, late))) == {"L.1.1": LATE}


def test_nothing_runs_beside_a_probe_that_keeps_a_core_busy(run: Run):
    running: set[str] = set()
    seen: list[set[str]] = []

    def watched(name: str) -> Behave:
        async def behave(_: Attempt) -> Finding:
            running.add(name)
            await asyncio.sleep(0.2)
            if name.startswith("alone"):
                seen.append(set(running))
            running.discard(name)
            return FINE

        return behave

    chosen = [
        probe(1, watched("alone 1"), alone=True),
        probe(2, watched("a")),
        probe(3, watched("alone 2"), alone=True),
    ]
    run(Server(), *chosen)
    assert seen == [{"alone 1"}, {"alone 2"}]


def test_a_url_is_probed_by_one_after_the_other(run: Run):
    at_once: list[int] = []
    running = 0

    async def count(_: Attempt) -> Finding:
        nonlocal running
        running += 1
        at_once.append(running)
        await asyncio.sleep(0.05)
        running -= 1
        return FINE

    run(Server(started_as="url"), *(probe(number, count) for number in range(1, 5)))
    assert at_once == [1, 1, 1, 1]


@pytest.mark.parametrize(("refused", "verdict"), [(True, LATE), (False, NOT_ENFORCED)])
def test_an_excess_that_was_buffered_shows_in_the_memory(run: Run, refused: bool, verdict: ProbeVerdict):
    async def buffer(attempt: Attempt) -> Finding:
        peer = await attempt.open()
        if refused:
            await peer.write(b"\x88\x82\0\0\0\0\x03\xf1")
            assert await peer.refusal(5)
        held.append(bytearray(b"x" * (40 * MIB)))
        return FINE

    held: list[bytearray] = []
    batches = run(Server(), probe(1, buffer, memory=16 * MIB))
    assert verdicts(batches) == {"L.1.1": verdict}
    assert "MiB (at most 16 are right)" in words(batches)


def test_probes_that_ask_for_the_same_settings_share_a_server(run: Run):
    server = Server({"max_connections": Limit(env="MAX_CONNECTIONS"), "ping_interval": Limit(env="PING_INTERVAL")})
    same = [probe(number) for number in range(1, 4)]
    waiting = [probe(4, limit="ping_interval"), probe(5, limit="ping_interval")]
    alone = [probe(6, alone=True), probe(7, alone=True)]
    of_its_own = [probe(8, limit="max_connections")]
    every = [*same, *waiting, *alone, *of_its_own]
    assert verdicts(run(server, *every)) == dict.fromkeys((one.id for one in every), ProbeVerdict.ENFORCED)
    assert len(server.family) == 4


def test_who_looks_at_the_memory_is_the_first_on_its_server(run: Run):
    asked: list[tuple[Endpoint, str]] = []

    def asking(number: int, *, memory: int | None = None, weighs: bool = False) -> Probe:
        async def ask(attempt: Attempt) -> Finding:
            asked.append((attempt.endpoint, f"L.1.{number}"))
            return await fine(attempt)

        return probe(number, ask, memory=memory, weighs=weighs)

    server = Server()
    weighing = [asking(2, memory=1 << 30), asking(3, weighs=True), asking(5, weighs=True)]
    run(server, asking(1), *weighing[:2], asking(4), weighing[2])
    firsts = dict(reversed(asked))
    assert set(firsts.values()) == {one.id for one in weighing}
    assert len(server.family) == len(weighing)


def test_a_server_is_shared_by_a_few_only(run: Run):
    server = Server()
    run(server, *(probe(number) for number in range(1, 26)))
    assert len(server.family) == 3


def test_what_does_not_pass_on_a_shared_server_is_asked_again_of_its_own(run: Run):
    server = Server()
    asked: list[Attempt] = []

    async def second_time(attempt: Attempt) -> Finding:
        asked.append(attempt)
        return await fine(attempt) if len(asked) > 1 else Finding(ProbeVerdict.NOT_ENFORCED, "Too many before me.")

    async def never(_: Attempt) -> Finding:
        return Finding(ProbeVerdict.LATE, "Late.")

    found = verdicts(run(server, probe(1), probe(2, second_time), probe(3, never), probe(4)))
    assert list(found.values()) == [FINE.verdict, FINE.verdict, ProbeVerdict.LATE, FINE.verdict]
    endpoints = {attempt.endpoint for attempt in asked}
    assert (len(asked), len(endpoints)) == (2, 2)
    # the first one, one where the second is asked again, one where the third is, and a fresh one for the fourth
    assert len(server.family) == 4


def test_what_does_not_pass_on_a_fresh_server_is_not_asked_again(run: Run):
    async def never(_: Attempt) -> Finding:
        asked.append(1)
        return Finding(ProbeVerdict.LATE, "Late.")

    asked: list[int] = []
    run(Server(), probe(1, never), probe(2, never))
    assert len(asked) == 2


Begin = Callable[..., Generator[Batch, None, None]]


@pytest.fixture
def begin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Begin:
    """Run probes until the first has told."""

    def begin(server: Server, *chosen: Probe) -> Generator[Batch, None, None]:
        monkeypatch.setattr("harness.limits.engine.probes", lambda: {one.id: one for one in chosen})
        job = Job(
            target="server", endpoints=[], cases=[one.id for one in chosen], jobs=3, deflates=True, folder=tmp_path,
            instance=server,
        )  # fmt: skip
        batches = LimitsEngine().run(job)
        assert next(batches).records
        return batches

    return begin


def assert_ends_soon(batches: Generator[Batch, None, None], server: Server) -> None:
    began = time.monotonic()
    batches.close()
    assert time.monotonic() - began < 5
    peers = [instance.peer for instance in server.family if instance.peer is not None]
    assert [peer._listener.fileno() for peer in peers] == [-1] * len(peers), "it still listens"


def test_who_stops_the_run_waits_for_no_probe_and_leaves_no_server(begin: Begin):
    async def hang(_: Attempt) -> Finding:
        started.set()
        await asyncio.sleep(3600)
        return FINE

    started = threading.Event()
    server = Server()
    batches = begin(server, probe(1), *(probe(number, hang) for number in range(2, 8)))
    assert started.wait(5)
    assert_ends_soon(batches, server)


ONE_FOR_EACH = {"max_frame_size": Limit(env="MAX_FRAME_SIZE")}


def test_who_stops_the_run_does_not_wait_for_a_dead_server_to_answer(begin: Begin):
    async def kill(_: Attempt) -> Finding:
        next(instance for instance in server.family if instance.settings).die()
        killed.set()
        return FINE

    killed = threading.Event()
    server = Server(ONE_FOR_EACH)
    batches = begin(server, probe(1), probe(2, kill, limit="max_frame_size"))
    assert killed.wait(30)
    assert_ends_soon(batches, server)


def test_a_server_that_was_about_to_start_when_the_run_was_stopped_is_not_left(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
):
    starting, stopping = threading.Event(), threading.Event()

    def start_late(settings: Mapping[str, str]) -> None:
        if settings:
            starting.set()
            assert stopping.wait(30)

    class StoppedTooEarly(Server):
        def stop(self) -> None:
            super().stop()
            if self.settings:
                stopping.set()

    monkeypatch.setattr(f"{__name__}.Server", StoppedTooEarly)
    server = Server(ONE_FOR_EACH, starts=start_late)
    batches = begin(server, probe(1), probe(2, limit="max_frame_size"))
    assert starting.wait(30)
    assert_ends_soon(batches, server)
    assert [instance for instance in server.family if instance.peer is None] == [], "it did start"


def test_the_wire_log_is_told_as_it_comes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    told: list[tuple[str, WireEvent]] = []
    one = probe(1)
    monkeypatch.setattr("harness.limits.engine.probes", lambda: {one.id: one})
    job = Job(
        target="server", endpoints=[], cases=["L.1.1"], jobs=1, deflates=True, folder=tmp_path, instance=Server(),
        on_wire=lambda case, event: told.append((case, event)),
    )  # fmt: skip
    list(LimitsEngine().run(job))
    assert {case for case, _ in told} == {"L.1.1"}
