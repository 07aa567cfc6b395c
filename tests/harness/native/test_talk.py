"""A case that talks, as the engine runs it: verdict, evidence, what a server may cost, and whose fault it is."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import psutil
import pytest

from harness.cases import catalogue
from harness.cases.model import Case, Opcode
from harness.cases.talk import Finding, Over, Talk, failed, informational, ok
from harness.endpoint import Endpoint
from harness.engines import Job, Record
from harness.engines.native import NativeEngine
from harness.engines.native import talk as talks
from harness.engines.native.schedule import Attempt
from harness.results import TargetRun, WireEvent
from harness.runner import CaseRunner
from harness.targets import UrlTarget
from tests.harness.cases.servers import Server, hold, right, with_status
from tests.harness.native.peers import Peer, echo, frame, frames

Does = Callable[[Talk], Awaitable[Finding]]


def case_of(does: Does, name: str = "H.1.1", *, bulk: bool = False) -> Case:
    return Case(id=name, title="Something.", expects="Something else.", clauses=("RFC 6455 4.1",), talk=does, bulk=bulk)


def attempted(does: Does, server: Peer | Endpoint, *, bulk: bool = False) -> Attempt:
    endpoint = server if isinstance(server, Endpoint) else server.endpoint
    return asyncio.run(talks.attempt("t", case_of(does, bulk=bulk), endpoint, None))


def record_of(attempt: Attempt) -> Record:
    assert attempt.record is not None, attempt.reason
    return attempt.record


async def echoes(talk: Talk) -> Finding:
    peer = await talk.open("X-Mine: 1")
    await talk.echo(peer)
    await talk.close(peer)
    return ok("It came back.")


@pytest.fixture
def nowhere() -> Endpoint:
    with Server() as server:
        return server.endpoint


@pytest.fixture
def instead(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Does], None]:
    """Let a case of the catalogue do something else."""

    def change(name: str, does: Does) -> None:
        monkeypatch.setitem(catalogue(), name, case_of(does, name))

    return change


def run(server: Peer, *cases: str, jobs: int = 8) -> tuple[dict[str, Record], list[str]]:
    """The verdicts of the engine, and why others have none."""
    job = Job(target="t", endpoints=[server.endpoint], cases=cases, jobs=jobs, deflates=False, folder=Path())
    batches = list(NativeEngine().run(job))
    records = [record for batch in batches for record in batch.records]
    assert len(records) == len({record.result.case for record in records})
    return {record.result.case: record for record in records}, [batch.reason for batch in batches if batch.reason]


# Verdict and evidence


def test_a_verdict_has_what_it_rests_on():
    with Server() as server:
        result, evidence = record_of(attempted(echoes, server))
    assert (result.key, result.behavior, result.behavior_close, result.remote_close_code) == (
        ("t", "native", "H.1.1"), "OK", "OK", 1000,
    )  # fmt: skip
    assert (evidence.sent, evidence.expected, evidence.outcome, evidence.clauses) == (
        "Something.", "Something else.", "It came back.", ["RFC 6455 4.1"],
    )  # fmt: skip
    assert evidence.request.startswith("GET / HTTP/1.1\r\nHost: 127.0.0.1:")
    assert "\r\nX-Mine: 1\r\n" in evidence.request
    assert evidence.response.startswith("HTTP/1.1 101 Switching Protocols\r\n")
    assert evidence.received == ['message "Hello" (text)']
    received = [(event.opcode, event.data) for event in evidence.wire if event.direction == "received" and event.opcode]
    assert received == [(1, "Hello"), (8, "0x03e8")]
    assert any(event.direction == "sent" for event in evidence.wire)
    assert 0 <= result.duration_ms < 5000


def test_what_came_is_told_frame_by_frame():
    octets = frame(0x01, b"Hel") + frame(0x8A, b"pong") + frame(0x80, b"lo") + frame(0x82, b"\xff")

    def sends(peer: socket.socket) -> None:
        peer.sendall(octets)
        hold(peer)

    async def two(talk: Talk) -> Finding:
        peer = await talk.open()
        await talk.message(peer)
        await talk.message(peer)
        return ok("")

    with Server(behave=sends) as server:
        evidence = record_of(attempted(two, server)).evidence
    assert evidence.received == [
        'fragment "Hel" (text)', 'pong "pong"', 'fragment "lo" (continuation)', 'message "0xff" (binary)',
    ]  # fmt: skip


def test_a_finding_may_be_made_anywhere():
    async def over(talk: Talk) -> Finding:
        await talk.open()
        raise Over(failed("That's it."))

    with Server() as server:
        result, evidence = record_of(attempted(over, server))
    assert (result.behavior, result.behavior_close, evidence.outcome) == ("FAILED", "OK", "That's it.")


def test_what_is_open_says_nothing_of_the_closing_either():
    async def tells(_: Talk) -> Finding:
        return informational("It may.")

    with Server() as server:
        result, evidence = record_of(attempted(tells, server))
    assert (result.behavior, result.behavior_close) == ("INFORMATIONAL", "INFORMATIONAL")
    assert (evidence.request, evidence.response, evidence.wire) == ("", "", [])


def test_of_several_connections_the_last_is_shown():
    async def twice(talk: Talk) -> Finding:
        await talk.close(await talk.open("X-Number: 1"))
        await talk.close(await talk.open("X-Number: 2"), 1001)
        return ok("")

    with Server() as server:
        result, evidence = record_of(attempted(twice, server))
    assert "X-Number: 2" in evidence.request
    assert result.remote_close_code == 1001


def test_what_the_server_says_cannot_harm_a_terminal_and_is_cut():
    async def quotes(_: Talk) -> Finding:
        return failed(f"It said \x1b[2J\x9b2J\r\n{'x' * 5000}")

    with Server() as server:
        outcome = record_of(attempted(quotes, server)).evidence.outcome
    assert outcome.startswith(r"It said \x1b[2J\x9b2J | xxx")
    assert (outcome.isprintable(), len(outcome) < 1100) == (True, True)


def test_with_v_the_wire_log_comes_as_it_happens():
    heard: list[WireEvent] = []
    with Server() as server:
        asyncio.run(talks.attempt("t", case_of(echoes), server.endpoint, heard.append))
    assert [event.opcode for event in heard if event.kind == "frame" and event.direction == "received"] == [1, 8]


# The same in every run


def test_a_case_sends_the_same_octets_in_every_run():
    async def random(talk: Talk) -> Finding:
        peer = await talk.open()
        await talk.echo(peer, talk.random.randbytes(20), Opcode.BINARY)
        await talk.close(peer)
        return ok("")

    def sent(evidence_of: Record) -> list[str]:
        return [e.data for e in evidence_of.evidence.wire if e.kind == "octets" and e.direction == "sent"][1:]

    with Server() as server:
        first, second = (sent(record_of(attempted(random, server))) for _ in range(2))
    assert first == second != []


# A server that is not there, or is there no more


def test_where_nobody_listens_there_is_no_verdict(nowhere: Endpoint):
    attempt = attempted(echoes, nowhere)
    assert attempt.record is None
    assert attempt.reason.startswith("could not connect: Connect call failed")


def test_a_name_that_there_is_not_is_no_verdict_either():
    attempt = attempted(echoes, Endpoint("ws://there-is-no-such-host.invalid:9001"))
    assert attempt.record is None
    assert attempt.reason.startswith("could not connect: ")


def test_a_server_that_goes_away_in_the_middle_of_a_case_has_failed_it():
    async def twice(talk: Talk) -> Finding:
        peer = await talk.open()
        await peer.end(5)
        await talk.open()
        return ok("")

    server = Server(behave=lambda _: server._listener.shutdown(socket.SHUT_RDWR))
    with server:
        attempt = attempted(twice, server)
    record = record_of(attempt)
    assert (record.result.behavior, attempt.timed) == ("FAILED", True)
    assert record.evidence.outcome.startswith("Connection 2 could not be made: ")


# A server that costs


def test_a_server_that_never_answers_costs_no_more_than_so_much_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(talks, "_AT_MOST_S", 0.5)

    async def for_ever(talk: Talk) -> Finding:
        peer = await talk.open()
        while True:
            await talk.waits(peer, lambda: False, 0.1)

    began = time.monotonic()
    with Server(behave=hold) as server:
        attempt = attempted(for_ever, server)
    assert time.monotonic() - began < 3
    assert (record_of(attempt).evidence.outcome, attempt.timed) == ("It was not over within 0.5 s.", True)


@pytest.mark.parametrize(("bulk", "messages", "mebibytes"), [(False, 80, 24), (True, 1100, 140)])
def test_a_flood_costs_no_more_than_so_much_memory(bulk: bool, messages: int, mebibytes: int):
    def flood(peer: socket.socket) -> None:
        while True:
            peer.sendall(frame(0x82, bytes(1 << 16)) * 16)

    async def waits(talk: Talk) -> Finding:
        peer = await talk.open()
        await talk.waits(peer, lambda: peer.close_came, 1.0)
        return ok(f"{len(peer.messages)}")

    with Server(behave=flood) as server:
        before = psutil.Process().memory_info().rss
        record = record_of(attempted(waits, server, bulk=bulk))
        grown = psutil.Process().memory_info().rss - before
    assert grown < mebibytes << 20
    assert int(record.evidence.outcome) < messages  # of 64 KiB
    assert len(record.evidence.wire) < 200
    assert any("no more is read" in event.note for event in record.evidence.wire)


def test_a_head_without_end_costs_little():
    def endless(peer: socket.socket) -> None:
        while True:
            peer.sendall(b"X-More: " + b"y" * 4000 + b"\r\n")

    async def asks(talk: Talk) -> Finding:
        await talk.open()
        return ok("")

    with Server(lambda _: b"HTTP/1.1 101 x\r\n", endless) as server:
        evidence = record_of(attempted(asks, server)).evidence
    assert len(evidence.response) <= 4096
    assert evidence.outcome.startswith("The opening handshake was not completed: ")


@pytest.mark.parametrize("ends", ["returns", "raises", "is cancelled"])
def test_however_a_case_ends_its_connections_end_too(ends: str):
    gone = threading.Event()

    def until_gone(peer: socket.socket) -> None:
        with contextlib.suppress(OSError):
            hold(peer)
        gone.set()

    async def does(talk: Talk) -> Finding:
        await talk.open()
        if ends == "raises":
            raise ValueError(ends)
        if ends == "is cancelled":
            await asyncio.sleep(60)
        return ok("")

    async def both(server: Server) -> bool:
        task = asyncio.create_task(talks.attempt("t", case_of(does), server.endpoint, None))
        await asyncio.wait((task,), timeout=0.5)
        task.cancel()
        await asyncio.wait((task,))
        return task.cancelled()

    with Server(behave=until_gone) as server:
        assert asyncio.run(both(server)) == (ends == "is cancelled")
        assert gone.wait(5)


# A case of ours that goes wrong


async def goes_wrong(talk: Talk) -> Finding:
    await talk.open()
    raise LookupError("no such thing")


def test_a_case_that_goes_wrong_gives_no_verdict_about_the_server():
    with Server() as server:
        attempt = attempted(goes_wrong, server)
    assert attempt.record is None
    assert attempt.reason.startswith(
        "the case itself went wrong, please report it: LookupError: no such thing (test_talk"
    )


def test_a_case_that_goes_wrong_is_lost_and_the_others_have_their_verdicts(
    instead: Callable[[str, Does], None], tmp_path: Path
):
    instead("H.1.1", goes_wrong)
    instead("H.1.2", echoes)
    kept: list[Record] = []
    with Server() as server:
        target = UrlTarget(server.endpoint)
        about = TargetRun(target=target.name, engine="native", started_as="url", expected=2)
        cases = ["H.1.1", "H.1.2"]
        outcome = CaseRunner(about, cases, NativeEngine(), target, tmp_path, jobs=4, record=kept.append).run()
    assert [record.result.case for record in kept] == ["H.1.2"]
    assert [(lost.case, lost.reason.partition(":")[0]) for lost in outcome.lost] == [
        ("H.1.1", "the case itself went wrong, please report it")
    ]
    assert outcome.error is None


# In the engine


def scripted(*findings: tuple[Finding, bool]) -> tuple[Does, list[int]]:
    """A case that comes to these, and whether a clock had to do with it; and how often it ran."""
    left: Iterator[tuple[Finding, bool]] = iter(findings)
    ran: list[int] = []

    async def does(talk: Talk) -> Finding:
        ran.append(1)
        finding, talk.timed = next(left)
        return finding

    return does, ran


@pytest.mark.parametrize(
    ("findings", "behavior", "times"),
    [
        ([(failed("slow"), True), (ok("quick"), False), (ok("quick"), False)], "OK", 3),
        ([(failed("slow"), True), (failed("slow"), True)], "FAILED", 2),
        ([(failed("slow"), True), (ok("quick"), False), (failed("slow"), True)], "FAILED", 3),
        ([(failed("wrong"), False)], "FAILED", 1),
        ([(ok("late, but right"), True)], "OK", 1),
    ],
)
def test_what_a_clock_decided_under_load_is_run_again(
    instead: Callable[[str, Does], None], findings: list[tuple[Finding, bool]], behavior: str, times: int
):
    """The second time decides where it agrees with the first, else a third one, alone."""
    does, ran = scripted(*findings)
    instead("H.1.1", does)
    instead("H.1.2", echoes)
    with Server() as server:
        records, _ = run(server, "H.1.1", "H.1.2")
    assert (str(records["H.1.1"].result.behavior), len(ran)) == (behavior, times)


def test_cases_that_talk_run_beside_one_another_and_those_that_move_much_do_not():
    at_once: list[int] = []
    most = {"H": 0, "F": 0}

    def count(case: Case) -> Does:
        async def does(_: Talk) -> Finding:
            at_once.append(1)
            most[case.section] = max(most[case.section], len(at_once))
            await asyncio.sleep(0.05)
            at_once.pop()
            return ok("")

        return does

    quiet = ["H.1.1", "H.1.2", "H.1.3", "H.1.4"]
    much = [case.id for case in catalogue().values() if case.bulk and case.section == "F"]
    assert len(much) > 4
    with pytest.MonkeyPatch.context() as patch, Server() as server:
        for name in (*quiet, *much):
            old = catalogue()[name]
            patch.setitem(catalogue(), name, case_of(count(old), name, bulk=old.bulk))
        records, _ = run(server, *quiet, *much)
    assert len(records) == len(quiet) + len(much)
    assert most == {"H": 4, "F": 2}


def test_real_cases_pass_with_a_server_that_does_it_right_and_fail_with_one_that_does_not():
    cases = ("H.1.1", "H.2.16", "H.4.1", "F.1.12", "F.2.12", "F.3.1", "F.4.9", "F.7.4", "D.1.1")

    def wrong_version(request: bytes) -> bytes:
        refuses = b"Sec-WebSocket-Version: 13\r\n" not in request
        return with_status("426 x", "Sec-WebSocket-Version: 13")(request) or b"" if refuses else right(request)

    with Server(wrong_version) as server:
        verdicts = {case: str(record.result.behavior) for case, record in run(server, *cases)[0].items()}
    # the server echoes reserved opcodes, and does not compress
    assert verdicts == {**dict.fromkeys(cases, "OK"), "F.7.4": "FAILED", "D.1.1": "UNIMPLEMENTED"}


def test_a_server_that_serves_one_connection_at_a_time_is_judged_as_any_other():
    with Peer(echo, serial=True) as server:
        verdicts = {
            case: str(r.result.behavior) for case, r in run(server, "H.1.1", "H.6.51", "F.1.9", "F.7.1")[0].items()
        }
    assert verdicts == {"H.1.1": "OK", "H.6.51": "UNIMPLEMENTED", "F.1.9": "OK", "F.7.1": "FAILED"}


def test_a_server_is_found_by_its_name_at_whichever_address_it_listens():
    with Server() as server:
        endpoint = server.endpoint.with_host("localhost")
        assert record_of(attempted(echoes, endpoint)).result.behavior == "OK"


def test_a_long_message_may_come_back_in_short_fragments():
    """F.2.12 is 16 MiB; here in 131,072 fragments."""

    def in_fragments(peer: socket.socket) -> None:
        for first, payload in frames(peer):
            if first == 0x88:
                peer.sendall(frame(first, payload))
                return
            size = 128
            pieces = [payload[at : at + size] for at in range(0, len(payload), size)]
            bits = [first & 0x0F, *[0] * (len(pieces) - 1)]
            bits[-1] |= 0x80
            peer.sendall(b"".join(map(frame, bits, pieces)))

    with Server(behave=in_fragments) as server:
        record = run(server, "F.2.12")[0]["F.2.12"]
    assert (str(record.result.behavior), record.evidence.outcome) == ("OK", "It came back.")
