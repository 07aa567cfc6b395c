"""What the families judge by, against servers that do as the test says."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.endpoint import Endpoint
from harness.engines.native.peer import header
from harness.engines.native.wire import WireLog
from harness.limits import judge
from harness.limits.judge import (
    ENFORCED,
    LATE,
    LONG_S,
    NOT_ENFORCED,
    WRONG_CODE,
    Growth,
    accepts_frame,
    cut_after,
    is_quadratic,
    judge_time,
    over_by_one,
    refuses_flow,
    refuses_header,
)
from harness.limits.meter import Meter, ProcessMeter
from harness.limits.model import MIB, Attempt, Finding, UnreachableError
from harness.limits.probes import l03_inflated_size, l06_opening, l08_floods, l11_close_arrives
from harness.results import ProbeVerdict
from tests.harness.native import peers

CLOSE_1009 = b"\x88\x02\x03\xf1"
CLOSE_1002 = b"\x88\x02\x03\xea"
Judge = Callable[[Attempt], Awaitable[Finding]]


def judged(behave: Callable[[socket.socket], None], ask: Judge, limit: float = 1000) -> Finding:
    async def run(endpoint: Endpoint) -> Finding:
        attempt = Attempt(endpoint, {"max_frame_size": limit}, limit, WireLog(time.monotonic), None)
        try:
            return await ask(attempt)
        finally:
            attempt.drop_all()

    with peers.Peer(behave) as server:
        return asyncio.run(run(server.endpoint))


def reads(sock: socket.socket, octets: int) -> None:
    while octets > 0 and (data := sock.recv(min(octets, 65536))):
        octets -= len(data)


def then(octets: int, answer: bytes) -> Callable[[socket.socket], None]:
    """A server that answers when it has read so many octets, and reads on."""

    def behave(sock: socket.socket) -> None:
        reads(sock, octets)
        sock.sendall(answer)
        reads(sock, 1 << 40)

    return behave


async def one_over(attempt: Attempt) -> Finding:
    return await refuses_header(attempt, await attempt.open(), *over_by_one(2, 1000))


async def gibibyte(attempt: Attempt) -> Finding:
    return await refuses_flow(attempt, await attempt.open(), header(2, 1 << 30), 1000, most=8 * MIB)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does nothing for half a second will do nothing for longer either."""
    monkeypatch.setattr(judge, "HESITATION_S", 0.5)


def test_an_echo_of_what_the_limit_allows_is_enforced():
    assert judged(peers.echo, lambda attempt: accepts_frame(attempt, 1000)).verdict is ENFORCED


@pytest.mark.parametrize(
    ("behave", "said"),
    [
        (then(8, CLOSE_1009), "refused by close 1009"),
        (lambda sock: peers.echo(sock, lambda payload: payload[:-1]), "came back changed: 999 octets"),
        (lambda sock: reads(sock, 8), "refused by"),
    ],
)
def test_what_the_limit_allows_has_to_come_back_whole(behave: Callable[[socket.socket], None], said: str):
    found = judged(behave, lambda attempt: accepts_frame(attempt, 1000))
    assert found.verdict is NOT_ENFORCED
    assert said in found.words


@pytest.mark.parametrize(
    ("octets", "answer", "verdict"),
    [
        (8, CLOSE_1009, ENFORCED),
        (8 + 1001, CLOSE_1009, LATE),
        (8, CLOSE_1002, WRONG_CODE),
        (8 + 1001, peers.frame(0x82, bytes(1001)), NOT_ENFORCED),
    ],
)
def test_one_octet_too_many_is_refused_from_the_header_or_late_or_wrongly_or_not(
    octets: int, answer: bytes, verdict: object
):
    assert judged(then(octets, answer), one_over).verdict is verdict


@pytest.mark.parametrize(
    ("octets", "answer", "verdict"),
    [
        (14, CLOSE_1009, ENFORCED),
        (3 * MIB, CLOSE_1009, LATE),
        (14, CLOSE_1002, WRONG_CODE),
        (1 << 40, b"", NOT_ENFORCED),
    ],
)
def test_a_flow_is_refused_before_much_of_it_was_taken(octets: int, answer: bytes, verdict: object):
    assert judged(then(octets, answer), gibibyte).verdict is verdict


def test_a_server_that_only_stops_reading_waits_for_ever():
    def behave(sock: socket.socket) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        judgement.wait()

    async def ask(attempt: Attempt) -> Finding:
        found = await gibibyte(attempt)
        judgement.set()
        return found

    judgement = threading.Event()
    assert judged(behave, ask).verdict is NOT_ENFORCED


def test_an_end_without_a_close_frame_enforces_too():
    def behave(sock: socket.socket) -> None:
        reads(sock, 8)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    found = judged(behave, one_over)
    assert (found.verdict, found.words) == (ENFORCED, "Refused by a TCP reset after 8 octets.")


def test_a_connection_that_is_not_let_in_says_nothing_about_a_limit():
    async def run() -> None:
        attempt = Attempt(Endpoint("ws://127.0.0.1:1"), {}, 0, WireLog(time.monotonic), None)
        with pytest.raises(UnreachableError, match="took no TCP connection"):
            await attempt.open()
        attempt.drop_all()

    asyncio.run(run())


def test_a_cut_counts_from_the_close_frame_however_long_the_stream_goes_on():
    def behave(sock: socket.socket) -> None:
        time.sleep(2)
        sock.sendall(CLOSE_1009)
        reads(sock, 1 << 40)

    async def cut(attempt: Attempt) -> Finding:
        return await cut_after(attempt, await attempt.open(), asyncio.get_running_loop().time(), what="It waited")

    assert judged(behave, cut, limit=2).verdict is ENFORCED


@pytest.mark.parametrize(
    ("took", "least", "verdict"),
    [
        (None, None, NOT_ENFORCED),
        (0.5, None, NOT_ENFORCED),
        (0.5, 0.0, ENFORCED),
        (-0.001, 0.0, ENFORCED),
        (0.76, None, ENFORCED),
        (1.9, None, ENFORCED),
        (2.1, None, LATE),
    ],
)
def test_a_time_is_too_early_right_late_or_never(took: float | None, least: float | None, verdict: object):
    async def ask(attempt: Attempt) -> Finding:
        at = None if took is None else 100 + took
        return judge_time(attempt, 100, at, what="It waited", how="reset", least=least)

    assert judged(peers.echo, ask, limit=1).verdict is verdict


def grown(memory: list[int], wave: int) -> Growth:
    growth = Growth(wave)
    for octets in memory:
        growth.add(octets)
    return growth


def test_a_server_that_keeps_what_comes_is_found_out_at_the_last_wave():
    assert grown([100 + 13 * number for number in range(3)], 13).is_unclear
    last = grown([100 + 13 * number for number in range(Growth.MOST)], 13)
    assert (last.is_unclear, last.is_kept) == (False, True)


def test_one_that_has_worked_for_long_is_believed_after_fewer_waves():
    growth = grown([100 + 13 * number for number in range(Growth.ENOUGH - 1)], 13)
    growth.add(100 + 13 * Growth.ENOUGH, cost=LONG_S)
    assert growth.is_unclear
    growth.add(113 + 13 * Growth.ENOUGH, cost=LONG_S + 0.1)
    assert (growth.is_unclear, growth.is_kept) == (False, True)
    early = Growth(13)
    early.add(100, cost=60)
    assert early.is_unclear


def test_more_than_any_heap_takes_is_clear_before_the_last_wave():
    growth = grown([100 * MIB, 200 * MIB, 355 * MIB], 20 * MIB)
    assert growth.is_unclear
    growth.add(357 * MIB)
    assert (growth.is_unclear, growth.is_kept) == (False, True)


def test_a_lazy_heap_is_told_from_it():
    # Node.js with websocket-node, MiB after waves of 12.5 MiB
    heap = [70, 83, 101, 114, 125, 137, 142, 141, 142, 154, 154, 150, 150, 150, 151]
    assert grown(heap[:9], 12).is_unclear
    assert not grown(heap, 12).is_kept


@given(st.lists(st.integers(0, 1000), min_size=3, max_size=30))
def test_memory_that_ends_no_higher_than_it_was_is_never_kept(memory: list[int]):
    assert not grown([*memory, min(memory)], 1).is_kept


@pytest.mark.parametrize(
    ("costs", "quadratic"),
    [
        ([1, 4], True),
        ([1, 3.1], True),
        ([1, 2], False),
        ([0.01, 0.2], False),
        ([0, 0.5], True),
        ([1], False),
        ([1, 2, 4], False),
        ([1, 2, 7], True),
        ([0.01, 0.2, 0.7], True),
    ],
)
def test_a_cost_is_quadratic_if_it_is_nearer_to_four_times_and_matters(costs: list[float], quadratic: bool):
    assert is_quadratic(costs) is quadratic


def endless_header(meter: Meter | None = None) -> tuple[Finding, Attempt]:
    """The probe, of a server that never reads."""

    async def run(attempt: Attempt) -> Finding:
        try:
            async with asyncio.timeout(30):
                return await l06_opening.endless_header(attempt)
        finally:
            attempt.drop_all()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        endpoint = Endpoint(f"ws://127.0.0.1:{listener.getsockname()[1]}")
        attempt = Attempt(endpoint, {}, 0, WireLog(time.monotonic), meter)
        return asyncio.run(run(attempt)), attempt


def test_a_server_that_stops_reading_an_endless_header_is_not_waited_for_until_the_probe_is_lost(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(l06_opening, "PATIENCE_S", 0.5)
    assert endless_header()[0].verdict is NOT_ENFORCED


def test_a_server_that_works_for_seconds_on_a_part_of_an_endless_header_is_not_sent_the_rest():
    class Works(ProcessMeter):
        def __init__(self) -> None:
            self.worked = 0.0

        def cpu_seconds(self) -> float:
            self.worked += 3
            return self.worked

    finding, attempt = endless_header(Works())
    assert (finding.verdict, attempt.figures) == (NOT_ENFORCED, {"seconds of work": 6})
    assert attempt.peers[0].sent < 100_000


def test_a_server_that_keeps_what_comes_has_not_stopped_reading_because_it_is_busy_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(l08_floods, "_STALL_S", 0.5)
    came = 0

    def keeps(sock: socket.socket) -> None:
        nonlocal came
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        was_busy = False
        while data := sock.recv(65536):
            came += len(data)
            if came > 20 * MIB and not was_busy:
                was_busy = True
                time.sleep(4)

    finding = flooded_with_pings(keeps, Says(lambda: 5 * came))
    assert (finding.verdict, "It took all" in finding.words) == (NOT_ENFORCED, True)


@pytest.mark.parametrize(("unread", "words"), [(0, "It took all"), (1, "It stopped reading"), (None, "It stopped")])
def test_a_server_has_stopped_reading_only_if_there_is_something_that_it_did_not_read(
    unread: int | None, words: str, monkeypatch: pytest.MonkeyPatch
):
    """The kernels' silence can't be had at will: here it is a server's, while the meter says that it has read all."""
    monkeypatch.setattr(l08_floods, "_STALL_S", 0.5)
    monkeypatch.setattr(l08_floods, "_LOOK_S", 0.05)

    def waits_for_room(sock: socket.socket) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        sock.sendall(peers.frame(0x8A, b"p" * 125) * 10_000)
        reads(sock, 1 << 40)

    finding = flooded_with_pings(waits_for_room, Says(lambda: 0, unread))
    assert (finding.verdict, finding.words.startswith(words)) == (ProbeVerdict.ENFORCED, True)


class Says(ProcessMeter):
    """Of no process."""

    def __init__(self, memory: Callable[[], int], unread: int | None = None) -> None:
        self._memory = memory
        self._unread = unread

    def memory(self) -> int:
        return self._memory()

    def cpu_seconds(self) -> float:
        return 0.0

    def unread(self, port: int) -> int | None:
        assert port > 0
        return self._unread


def flooded_with_pings(behave: Callable[[socket.socket], None], meter: Meter) -> Finding:
    """What the flood of pings comes to."""

    async def run(endpoint: Endpoint) -> Finding:
        attempt = Attempt(endpoint, {}, 0, WireLog(time.monotonic), meter)
        try:
            return await l08_floods.pings(attempt)
        finally:
            attempt.drop_all()

    with peers.Peer(behave) as server:
        return asyncio.run(run(server.endpoint))


@pytest.mark.parametrize("echo", [peers.frame(0xC2, b"no deflated data"), peers.frame(0x82, b"cut")])
def test_an_echo_that_can_t_be_inflated_or_is_cut_is_found_out(echo: bytes, monkeypatch: pytest.MonkeyPatch):
    def behave(sock: socket.socket) -> None:
        next(peers.frames(sock))
        sock.sendall(echo)
        reads(sock, 1 << 40)

    # what the server agrees to is of no interest here
    monkeypatch.setattr(l03_inflated_size, "_open", lambda attempt: attempt.open())
    assert judged(behave, l03_inflated_size.never_cut).verdict is NOT_ENFORCED


def test_a_limit_that_the_unread_octets_do_not_exceed_is_not_probed_for_whether_its_1009_arrives():
    found = judged(peers.echo, l11_close_arrives._tries, limit=16 * MIB)
    assert found.verdict is ProbeVerdict.NOT_CONFIGURABLE
