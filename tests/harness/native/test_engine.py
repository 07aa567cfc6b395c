"""The native engine against real sockets: good peers, hostile peers, and its own end."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from harness import selection
from harness.engines import Job, Record
from harness.engines.native import NativeEngine, connection
from harness.results import WireEvent
from tests.conftest import unavailable
from tests.harness.native.peers import Behave, Peer, echo, frame, frames

NORMAL_CLOSE = frame(0x88, b"\x03\xe8")


def job(peer: Peer, *patterns: str, jobs: int = 32, on_wire: Callable[[str, WireEvent], None] | None = None) -> Job:
    return Job(
        target="t", endpoints=[peer.endpoint], cases=selection.resolve(patterns), jobs=jobs, deflates=False,
        folder=Path(), on_wire=on_wire,
    )  # fmt: skip


def run(peer: Peer, *patterns: str, jobs: int = 32) -> dict[str, Record]:
    batches = NativeEngine().run(job(peer, *patterns, jobs=jobs))
    return {record.result.case: record for batch in batches for record in batch.records}


def verdicts(peer: Peer, *patterns: str, jobs: int = 32) -> dict[str, str]:
    found = run(peer, *patterns, jobs=jobs)
    return {case: f"{r.result.behavior} / {r.result.behavior_close}" for case, r in found.items()}


def hostile(behave: Behave, case: str = "1.1.2") -> Record:
    """The verdict about a peer that shakes hands and then does this, and the proof that it comes in time."""
    began = time.monotonic()
    with Peer(behave) as peer:
        record = run(peer, case)[case]
    assert time.monotonic() - began < 30
    return record


def test_a_peer_that_echoes_passes_and_the_record_holds_the_evidence():
    with Peer(echo) as peer:
        record = run(peer, "1.1.2")["1.1.2"]
    evidence = record.evidence
    assert (record.result.engine, str(record.result.behavior), record.result.remote_close_code) == (
        "native",
        "OK",
        1000,
    )
    assert evidence.request.startswith("GET / HTTP/1.1\r\n")
    assert evidence.response.startswith("HTTP/1.1 101 ")
    assert evidence.received == [f'message "{"*" * 64}…" (text)']
    kinds = [(event.kind, event.direction, event.opcode) for event in evidence.wire if event.kind == "frame"]
    assert kinds == [("frame", "sent", 1), ("frame", "received", 1), ("frame", "sent", 8), ("frame", "received", 8)]
    times = [event.at_ms or 0.0 for event in evidence.wire]
    assert times == sorted(times)


def test_cases_run_at_the_same_time():
    def slow(peer: socket.socket) -> None:
        for first, payload in frames(peer):
            time.sleep(0.2)
            peer.sendall(frame(first, payload))
            if first == 0x88:
                return

    with Peer(slow) as peer:
        assert set(verdicts(peer, "1.*").values()) == {"OK / OK"}
        assert peer.most_at_once > 10


def test_with_one_job_cases_run_one_after_the_other():
    order: list[str] = []
    with Peer(echo) as peer:
        batches = NativeEngine().run(job(peer, "1.*", jobs=1, on_wire=lambda case, _: order.append(case)))
        records = [record for batch in batches for record in batch.records]
    assert {str(record.result.behavior) for record in records} == {"OK"}
    # the events of a case stand together: 16 cases, 15 changes from one to the next
    assert sum(one != other for one, other in pairwise(order)) == 15


def test_a_peer_that_serves_one_connection_at_a_time_is_served_one_at_a_time():
    with Peer(echo, serial=True) as peer:
        assert set(verdicts(peer, "1.*", "9.1.1").values()) == {"OK / OK"}


def test_with_v_the_wire_log_comes_as_it_happens():
    lines: list[tuple[str, str]] = []
    with Peer(echo) as peer:
        list(NativeEngine().run(job(peer, "1.1.1", on_wire=lambda case, event: lines.append((case, event.kind)))))
    assert ("1.1.1", "frame") in lines


def test_an_echo_of_the_right_length_with_other_content_fails_and_the_octet_is_named():
    with Peer(lambda peer: echo(peer, lambda payload: payload[:70_000] + b"?" + payload[70_001:])) as peer:
        found = run(peer, "9.1.1", "9.1.2")
    assert str(found["9.1.1"].result.behavior) == "FAILED"
    assert found["9.1.2"].evidence.outcome == "Message 1 of 1: octet 70000 of 262144 is another one (0x3f)."


def test_a_flood_of_messages_fails_and_costs_little():
    def flood(peer: socket.socket) -> None:
        peer.recv(4096)
        while True:
            peer.sendall(frame(0x81, b"x" * 1024) * 64)

    before = psutil.Process().memory_info().rss
    record = hostile(flood)
    assert str(record.result.behavior) == "FAILED"
    assert psutil.Process().memory_info().rss - before < 64 << 20
    assert len(record.evidence.wire) < 400


def test_a_frame_header_that_declares_a_gibibyte_fails_and_costs_nothing():
    before = psutil.Process().memory_info().rss

    def declare(peer: socket.socket) -> None:
        peer.recv(4096)
        peer.sendall(struct.pack("!BBQ", 0x82, 127, 1 << 30) + b"x" * 1000)
        peer.recv(1 << 20)
        time.sleep(10)

    record = hostile(declare)
    assert (str(record.result.behavior), str(record.result.behavior_close)) == ("FAILED", "UNCLEAN")
    assert psutil.Process().memory_info().rss - before < 32 << 20


def test_a_gibibyte_that_really_comes_is_not_kept():
    before = psutil.Process().memory_info().rss

    def send(peer: socket.socket) -> None:
        peer.recv(4096)
        peer.sendall(struct.pack("!BBQ", 0x82, 127, 1 << 30))
        for _ in range(1 << 10):
            peer.sendall(bytes(1 << 20))

    assert str(hostile(send).result.behavior) == "FAILED"
    assert psutil.Process().memory_info().rss - before < 64 << 20


def test_random_octets_fail():
    def garbage(peer: socket.socket) -> None:
        peer.recv(4096)
        peer.sendall(os.urandom(100_000))

    assert str(hostile(garbage).result.behavior) == "FAILED"


def test_a_reset_is_told_as_such():
    def reset(peer: socket.socket) -> None:
        peer.recv(4096)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    record = hostile(reset)
    assert (str(record.result.behavior), str(record.result.behavior_close)) == ("FAILED", "FAILED")
    assert record.evidence.closing is not None
    assert record.evidence.closing.reason_not_clean == "the TCP connection was lost: connection reset by peer"


def test_a_peer_that_never_closes_is_dropped():
    def hold(peer: socket.socket) -> None:
        for first, payload in frames(peer):
            peer.sendall(frame(first, payload))
        time.sleep(30)

    # in 1.1.2 the case's own second is over just before the closing handshake's, in 1.1.6 it is long after it
    assert str(hostile(hold, "1.1.2").result.behavior_close) == "FAILED BY CLIENT"
    assert str(hostile(hold, "1.1.6").result.behavior_close) == "UNCLEAN"


def test_a_peer_that_closes_first_and_holds_the_connection_is_not_waited_for_for_ever():
    # Autobahn waits for ever here (2.1: its close is ignored, and nothing ends the wait for the peer's TCP end)
    def close_first(peer: socket.socket) -> None:
        peer.sendall(NORMAL_CLOSE)
        time.sleep(30)

    record = hostile(close_first, "2.1")
    assert (str(record.result.behavior), str(record.result.behavior_close)) == ("FAILED", "FAILED")


def test_a_peer_that_never_reads_is_not_waited_for_longer_than_the_stall_limit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connection, "STALL_S", 1.0)
    record = hostile(lambda _: time.sleep(30), "9.1.6")
    assert (str(record.result.behavior), str(record.result.behavior_close)) == ("FAILED", "UNCLEAN")
    assert "nothing has moved for 1 s" in " ".join(event.note for event in record.evidence.wire)


def test_in_the_quick_profile_it_is_waited_for_half_as_long(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connection, "STALL_S", 1.0)
    with Peer(lambda _: time.sleep(30)) as peer:
        batches = NativeEngine().run(replace(job(peer, "9.1.6"), profile="quick"))
        (record,) = [record for batch in batches for record in batch.records]
    assert "nothing has moved for 0.5 s" in " ".join(event.note for event in record.evidence.wire)


def test_an_answer_that_is_none_to_go_on_with_fails_the_case_and_says_why():
    with Peer(echo, answer=b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n") as peer:
        record = run(peer, "7.13.1")["7.13.1"]
    assert str(record.result.behavior) == "FAILED"
    assert record.evidence.outcome == (
        "The opening handshake was not completed: its Connection header does not say Upgrade."
    )


def test_an_answer_without_end_is_not_read_for_ever():
    def endless(peer: socket.socket) -> None:
        while True:
            peer.sendall(b"X-More: " + b"y" * 1000 + b"\r\n")

    with Peer(endless, answer=b"HTTP/1.1 101 Switching Protocols\r\n") as peer:
        record = run(peer, "1.1.1")["1.1.1"]
    assert "has no end" in record.evidence.outcome


def test_where_nobody_listens_a_case_has_no_verdict():
    with Peer(echo) as peer:
        endpoint = peer.endpoint
    nowhere = Job(target="t", endpoints=[endpoint], cases=["1.1.1"], jobs=1, deflates=False, folder=Path())
    (batch,) = NativeEngine().run(nowhere)
    assert (list(batch.cases), batch.records) == (["1.1.1"], [])
    assert batch.reason.startswith("could not connect: ")


def test_a_verdict_that_a_clock_decided_under_load_is_tried_again_and_the_quiet_one_counts():
    calls: dict[bytes, int] = {}

    def slow_at_first(peer: socket.socket) -> None:
        for first, payload in frames(peer):
            calls[payload] = calls.get(payload, 0) + 1
            if first == 0x82 and calls[payload] == 1:
                time.sleep(1.5)
            peer.sendall(frame(first, payload))
            if first == 0x88:
                return

    with Peer(slow_at_first) as peer:
        found = verdicts(peer, "1.2.1", "1.2.2", "1.1.1")
    assert found == dict.fromkeys(("1.1.1", "1.2.1", "1.2.2"), "OK / OK")


def test_a_peer_that_turns_connections_away_when_there_are_many_gets_fair_verdicts():
    places = threading.Semaphore(4)

    def serve(peer: socket.socket) -> None:
        echo(peer)

    class Small(Peer):
        def _serve(self, raw: socket.socket) -> None:
            if not places.acquire(blocking=False):
                raw.close()
                return
            try:
                super()._serve(raw)
            finally:
                places.release()

    with Small(serve) as peer:
        assert set(verdicts(peer, "1.1.*", "1.2.*").values()) == {"OK / OK"}


def test_a_job_that_is_given_up_ends_at_once_and_leaves_no_thread():
    def quick_once(peer: socket.socket) -> None:
        if next(quick, False):
            echo(peer)
        time.sleep(60)

    quick = iter([True])
    with Peer(quick_once) as peer:
        batches = NativeEngine().run(job(peer, "1.1.1", "1.1.6", "1.1.7", "1.1.8", jobs=1))
        next(batches)
        began = time.monotonic()
        batches.close()
        assert time.monotonic() - began < 5
    assert "native engine" not in {thread.name for thread in threading.enumerate()}


def test_a_server_with_tls_is_tested_as_any_other(tmp_path: Path):
    openssl = shutil.which("openssl") or unavailable("no openssl on PATH to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with Peer(echo, tls=context) as peer:
        found = verdicts(peer, "1.1.*", "9.1.3", "H.1.1", "F.1.12", "F.2.12", "F.3.1")
    assert {case: verdict.split(" / ")[0] for case, verdict in found.items()} == dict.fromkeys(found, "OK")
