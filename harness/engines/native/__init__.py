"""The native engine: the cases of Autobahn Testsuite 25.10.1 with its verdicts, many at once, without it."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Generator
from dataclasses import replace
from itertools import cycle

from harness import __version__
from harness.cases import catalogue
from harness.cases.model import QUICK_COUNT, Case
from harness.engines import Batch, Job, Record
from harness.engines.native.connection import CaseConnection
from harness.engines.native.dial import Dialer
from harness.engines.native.judge import judge, shown
from harness.engines.native.schedule import Attempt, Schedule
from harness.results import Evidence, Result, Suite

#: Verdicts are handed on so often, in seconds: seldom enough that asking whether the server lives costs little.
_BATCH_S = 0.25
_MAX_EVENTS_SHOWN = 100


class NativeEngine:
    """Runs cases on asyncio, in a thread of its own, and gives out batches of verdicts."""

    name = "native"
    suite: Suite = "conformance"
    version = __version__
    listen_host = "127.0.0.1"
    on_host = True
    default_jobs = 32  #: most of a case is waiting

    def run(self, job: Job) -> Generator[Batch, None, None]:
        """Run the job's cases."""
        run = _Run(job)
        try:
            while isinstance(batch := run.batches.get(), Batch):
                yield batch
                if job.stop.is_set():
                    return
                run.consumer_is_back()
            if batch is not None:
                raise batch
        finally:
            run.stop()


class _Run:
    """One job: the loop in its thread, and the batches that come out of it; None, or what went wrong, at the end."""

    def __init__(self, job: Job) -> None:
        self.batches: queue.SimpleQueue[Batch | BaseException | None] = queue.SimpleQueue()
        self._job = job
        self._gathered: list[Attempt] = []
        self._dialers = [Dialer(endpoint) for endpoint in job.endpoints]
        self._next = cycle(self._dialers)
        self._serial = False
        self._ready = threading.Event()
        self._back = asyncio.Event()
        self._schedule: Schedule
        self._loop = asyncio.new_event_loop()
        self._main = self._loop.create_task(self._cases())
        self._thread = threading.Thread(target=self._work, name="native engine", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End whatever still runs."""
        with contextlib.suppress(RuntimeError):  # the loop has ended by itself
            self._loop.call_soon_threadsafe(self._main.cancel)
        self._thread.join()

    def consumer_is_back(self) -> None:
        """The consumer has dealt with a batch, and does not look at the target any more."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._back.set)

    def _work(self) -> None:
        problem: BaseException | None = None
        try:
            self._loop.run_until_complete(self._main)
        except asyncio.CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001 - told where the batches are read
            problem = error
        finally:
            self._hand_over()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, OSError, TimeoutError):
                    self._loop.run_until_complete(task)
            self._loop.close()
            self.batches.put(problem)

    async def _cases(self) -> None:
        job = self._job
        jobs = min(job.jobs, len(job.cases))
        if jobs > 1:
            capacity = await self._dialers[0].capacity(jobs)
            if capacity < jobs:
                # one is left for those who look whether the target is alive
                jobs = max(1, capacity - 1)
                self._serial = jobs == 1
        self._schedule = Schedule(self._attempt, self._deliver, jobs, len(self._dialers))
        await self._schedule.run(job.cases, deflates=job.deflates)

    async def _deliver(self, attempt: Attempt) -> None:
        if not self._gathered:
            self._loop.call_later(_BATCH_S, self._hand_over)
        self._gathered.append(attempt)
        if self._serial:
            # a peer that serves one connection at a time is looked at between cases, never beside one
            self._back.clear()
            self._hand_over()
            await self._back.wait()

    def _hand_over(self) -> None:
        if self._gathered:
            records = [attempt.record for attempt in self._gathered if attempt.record is not None]
            reason = next((attempt.reason for attempt in self._gathered if attempt.reason), "")
            cases = [attempt.case for attempt in self._gathered]
            self.batches.put(Batch(cases, records, reason, side_by_side=self._job.jobs > 1))
            self._gathered = []

    async def _attempt(self, name: str) -> Attempt:
        case = _of_profile(catalogue()[name], self._job.profile)
        dialer = next(self._next)
        self._job.on_case(name)
        on_wire = self._job.on_wire
        on_event = None if on_wire is None else (lambda event: on_wire(name, event))
        if case.talk is not None:
            # here, for such cases are made of what is in this package
            from harness.engines.native import talk  # noqa: PLC0415

            return await talk.attempt(self._job.target, case, dialer.endpoint, on_event)
        quick = self._job.profile == "quick"
        try:
            connection = await dialer.connect(
                lambda: CaseConnection(case, dialer.endpoint, self._schedule.calm, on_event, quick=quick)
            )
        except (OSError, TimeoutError) as error:
            words = getattr(error, "strerror", None) or "no answer in time"
            return Attempt(name, None, f"could not connect: {words}")
        try:
            await connection.done
        finally:
            connection.drop(abort=True)
        return Attempt(name, _record(self._job, connection), timed=connection.timed)


def _of_profile(case: Case, profile: str) -> Case:
    """The case as the profile runs it: `quick` sends fewer messages where there are a thousand."""
    if profile == "quick" and case.exchange is not None and case.exchange.count > QUICK_COUNT:
        title = f"{case.title} (of these {QUICK_COUNT}, in the profile quick)"
        return replace(case, title=title, exchange=replace(case.exchange, count=QUICK_COUNT))
    return case


def _record(job: Job, connection: CaseConnection) -> Record:
    """The verdict of a case that is over, and what it rests on."""
    case, driver, closing = connection.case, connection.driver, connection.closing
    behavior, behavior_close, outcome, outcome_close = judge(case, driver, closing, opened=connection.opened)
    result = Result(
        target=job.target,
        engine=NativeEngine.name,
        case=case.id,
        behavior=behavior,
        behavior_close=behavior_close,
        remote_close_code=closing.remote_code,
        duration_ms=round((connection.ended - connection.began) * 1000),
    )
    received = [shown(event) for event in driver.received[:_MAX_EVENTS_SHOWN]]
    evidence = Evidence(
        target=result.target,
        engine=result.engine,
        case=result.case,
        sent=case.title,
        expected=case.expects,
        clauses=list(case.clauses),
        outcome=outcome,
        outcome_close=outcome_close,
        accepted={str(verdict): [shown(event) for event in events] for verdict, events in case.accepted.items()},
        accepted_close_codes=list(case.close.codes),
        received=received,
        request=connection.request.decode("latin-1"),
        response=connection.response[:4096].decode("latin-1"),
        closing=closing,
        wire=connection.wire.events(),
        wire_omitted=connection.wire.omitted,
    )
    return Record(result, evidence)
