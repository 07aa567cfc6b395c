"""Which cases run beside which, and when a verdict under load is not the last word.

Most of a case is waiting, so many run at once; what must not depend on it is the verdict. Hence:

- 3.4, 4.1.5 and 4.2.5 run alone, the quick quiet cases together, and after them what moves much data (`selection` says
  why), at most two such cases for each instance of the server.
- The cases whose script pauses (5.19, 5.20, 6.4.*) do nothing for their first second, and the peer has nothing to do
  for them. Bulk may run beside that second; when it is over no more of it is begun, and the script goes on once the
  last has ended (or, after two seconds, was taken back to be run later). From there on no bulk runs beside them.
- How many connections the peer serves at once is tried out first (`dial`).
- Where a case did not pass and a clock had to do with it, it runs again when all is quiet: load may have been the
  reason. If eight such verdicts come out as before, the others are believed. Where bulk came back right and the answer
  to the close alone was late, other bulk is a reason too (a peer with one thread is deaf meanwhile): it runs alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass

from harness import selection
from harness.cases import catalogue
from harness.engines import Record
from harness.results import Behavior, Outcome

#: How many of the doubtful cases are run again before the others are believed.
_SAMPLE = 8
#: Bulk cases at a time for each started instance: one moves data while the other one's peer thinks.
_BULK_JOBS = 2
_CALM_AFTER_S = 2.0
_PASSES = frozenset({Outcome.PASSED, Outcome.INFORMATIONAL, Outcome.UNIMPLEMENTED})


@dataclass(frozen=True)
class Attempt:
    """What came of running a case once."""

    case: str
    record: Record | None  #: none: it could not even connect
    reason: str = ""
    timed: bool = False  #: whether load may have decided something

    @property
    def verdict(self) -> tuple[object, ...]:
        """What has to be the same for two attempts to agree."""
        return () if self.record is None else (self.record.result.behavior, self.record.result.behavior_close)

    @property
    def doubtful(self) -> bool:
        """Whether load may have been the reason for it."""
        return self.record is not None and self.timed and self.record.result.outcome not in _PASSES

    @property
    def lacks_the_close_alone(self) -> bool:
        """Whether the messages were right."""
        return self.record is not None and self.record.result.behavior is Behavior.OK


Runner = Callable[[str], Coroutine[None, None, Attempt]]
Deliver = Callable[[Attempt], Awaitable[None]]


class Schedule:
    """Runs cases by phases, up to `jobs` at a time, and delivers each attempt that counts."""

    def __init__(self, run: Runner, deliver: Deliver, jobs: int, instances: int) -> None:
        self._run = run
        self._deliver = deliver
        self._jobs = jobs
        self._bulk_jobs = min(jobs, _BULK_JOBS * instances)
        self._bulk: set[asyncio.Task[Attempt]] = set()
        self._bulk_may_begin = asyncio.Event()
        self._when_calm: list[Callable[[], None]] = []

    async def run(self, cases: Sequence[str], *, deflates: bool) -> None:
        """Run them all."""
        by_length = sorted(cases, key=lambda case: -selection.weight(case, deflates=deflates))
        alone = [case for case in cases if case in selection.ALONE]
        bulk = [case for case in by_length if selection.is_bulk(case, deflates=deflates)]
        quiet = [case for case in by_length if case not in {*alone, *bulk}]
        waiting = [case for case in quiet if catalogue()[case].waits]
        quick = [case for case in quiet if case not in waiting]
        await self._phase(alone, 1)
        if self._jobs == 1:
            await self._phase([*quick, *waiting, *bulk], 1)
            return
        self._bulk_may_begin.set()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._all_waiting(waiting))
            await self._phase(quick, self._jobs)
            doubtful = await self._bulk_phase(bulk)
        await self._settle(doubtful, self._bulk_jobs, bulk=True)

    async def _all_waiting(self, cases: Sequence[str]) -> None:
        await self._all(cases, len(cases), self._deliver)
        self._bulk_may_begin.set()

    def calm(self, go_on: Callable[[], None]) -> None:
        """Let no bulk case begin, and go on as soon as those that run have ended."""
        self._bulk_may_begin.clear()
        if not self._bulk:
            go_on()
            return
        self._when_calm.append(go_on)
        asyncio.get_running_loop().call_later(_CALM_AFTER_S, self._take_back, frozenset(self._bulk))

    def _take_back(self, tasks: frozenset[asyncio.Task[Attempt]]) -> None:
        for task in tasks & self._bulk if self._when_calm else ():
            task.cancel()

    async def _bulk_phase(self, cases: Sequence[str]) -> list[Attempt]:
        """Run bulk cases while nobody minds; those that are doubtful are given back."""
        doubtful: list[Attempt] = []
        left = deque(cases)

        async def worker() -> None:
            while left:
                await self._bulk_may_begin.wait()
                if left:
                    case = left.popleft()
                    attempt = await self._interruptible(case)
                    if attempt is None:
                        left.appendleft(case)
                    elif attempt.doubtful:
                        doubtful.append(attempt)
                    else:
                        await self._deliver(attempt)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._bulk_jobs, len(cases))):
                group.create_task(worker())
        return doubtful

    async def _interruptible(self, case: str) -> Attempt | None:
        """Run a bulk case; None if it was taken back."""
        task: asyncio.Task[Attempt] = asyncio.create_task(self._run(case))
        self._bulk.add(task)
        await asyncio.wait((task,))
        self._bulk.discard(task)
        if not self._bulk:
            for go_on in self._when_calm:
                go_on()
            self._when_calm.clear()
        return None if task.cancelled() else task.result()

    async def _phase(self, cases: Sequence[str], jobs: int) -> None:
        doubtful: list[Attempt] = []

        async def one(attempt: Attempt) -> None:
            if jobs > 1 and attempt.doubtful:
                doubtful.append(attempt)
            else:
                await self._deliver(attempt)

        await self._all(cases, jobs, one)
        await self._settle(doubtful, jobs)

    async def _settle(self, doubtful: Sequence[Attempt], jobs: int, *, bulk: bool = False) -> None:
        """Give the doubtful ones their verdicts."""
        sample, rest = doubtful[:_SAMPLE], doubtful[_SAMPLE:]
        if await self._again(sample, jobs, bulk=bulk):
            for attempt in rest:
                await self._deliver(attempt)
        else:
            await self._again(rest, jobs, bulk=bulk)

    async def _again(self, attempts: Sequence[Attempt], jobs: int, *, bulk: bool) -> bool:
        """Run them once more; whether all came out as before. Where that is unclear, a third attempt, alone, counts."""
        second: dict[str, Attempt] = {}

        async def keep(attempt: Attempt) -> None:
            second[attempt.case] = attempt

        await self._all([attempt.case for attempt in attempts], min(jobs, _SAMPLE), keep)
        agreed = True
        for attempt in attempts:
            last = second[attempt.case]
            if last.verdict != attempt.verdict or (bulk and len(second) > 1 and last.lacks_the_close_alone):
                last = await self._run(attempt.case)
            agreed = agreed and last.verdict == second[attempt.case].verdict == attempt.verdict
            await self._deliver(last)
        return agreed

    async def _all(self, cases: Sequence[str], jobs: int, done: Deliver) -> None:
        waiting = iter(cases)

        async def worker() -> None:
            for case in waiting:
                await done(await self._run(case))

        async with asyncio.TaskGroup() as group:
            for _ in range(min(jobs, len(cases))):
                group.create_task(worker())
