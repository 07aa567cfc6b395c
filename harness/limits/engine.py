"""Runs probes, on servers that are started with the limit that they test.

Probes that mostly wait run side by side; those that keep a core busy run after them, one at a time, and so do those
that were decided by a clock and did not pass: what is said of them was measured while nothing else ran. Some that ask
for the same settings, and do not look at the memory, share a server, one after the other, for its start costs more than
they do; what did not pass there is asked again of a server of its own, and that counts. A server that somebody else
started (a URL) is one for all, so there everything runs one after the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from typing import NamedTuple

from harness import __version__
from harness.cases.model import Opcode
from harness.endpoint import Endpoint
from harness.engines import Batch, Job, Record
from harness.engines.native.peer import Peer, close_payload, frame
from harness.engines.native.wire import WireLog
from harness.errors import TargetError
from harness.limits import settings as limit_settings
from harness.limits.catalogue import probes
from harness.limits.meter import Recording
from harness.limits.model import MIB, Attempt, Finding, NotOfferedError, Probe, UnreachableError
from harness.processes import more_descriptors
from harness.results import Evidence, Measured, ProbeVerdict, Result, Suite
from harness.targets import Target

#: No probe takes half as long; one that does is stuck, and says nothing about the server.
_AT_MOST_S = 180.0
_SETTLE_S = 0.05
#: A server that is busy with what a probe left it is not dead: one was seen to inflate for six seconds beside others.
_SETTLES_WITHIN_S = 20.0
#: Octets kept of an opening handshake.
_EXCERPT = 4096
#: Verdicts that count where others have been, too.
_PASSES = frozenset({ProbeVerdict.ENFORCED, ProbeVerdict.NOT_CONFIGURABLE})
#: Probes that share a server: it should not have to bear too much, and groups run side by side.
_ON_ONE_SERVER = 12
#: The largest limit that is probed where it can't be set: above, a probe would take too long or too much memory.
_PROBED_AT_MOST = {"octets": 64 * MIB, "seconds": 60, "": 10_000}


class LimitsEngine:
    """Runs probes in threads, each with a loop of its own, and gives out each verdict as it comes."""

    name = "limits"
    version = __version__
    suite: Suite = "limits"
    listen_host = "127.0.0.1"
    on_host = True
    default_jobs = 8

    def run(self, job: Job) -> Generator[Batch, None, None]:
        """Run the job's probes."""
        more_descriptors()
        chosen = [probes()[case] for case in job.cases]
        if job.instance is None or job.instance.started_as == "url":
            yield from _Phase(job, 1).run([[probe] for probe in chosen])
            return
        beside = _Phase(job, job.jobs, keep_doubtful=True)
        yield from beside.run(_groups(job.instance, (probe for probe in chosen if not probe.alone)))
        alone = _groups(job.instance, (probe for probe in chosen if probe.alone))
        yield from _Phase(job, 1).run([*alone, *([probe] for probe in beside.doubtful)])


def _groups(instance: Target, chosen: Iterable[Probe]) -> list[list[Probe]]:
    """Those that may share a server; those that wait for a timeout are begun first.

    Who looks at the server's memory is the first there, so that nobody has filled it.
    """
    groups: list[list[Probe]] = []
    same: dict[tuple[object, ...], list[Probe]] = {}
    for probe in chosen:
        if _not_configurable(probe, instance) is not None:
            groups.append([probe])
        else:
            same.setdefault((_waits(probe), *sorted(_given(probe, instance).items())), []).append(probe)
    for sharing in same.values():
        first = [[probe] for probe in sharing if _weighs(probe)]
        others = [probe for probe in sharing if not _weighs(probe)]
        behind = [others[at : at + _ON_ONE_SERVER] for at in range(0, len(others), _ON_ONE_SERVER)]
        groups += [[*one, *more] for one, more in zip_longest(first, behind, fillvalue=())]
    return sorted(groups, key=lambda group: not _waits(group[0]))


def _weighs(probe: Probe) -> bool:
    return probe.weighs or probe.memory is not None


def _waits(probe: Probe) -> bool:
    return (probe.limit or "").endswith(("_timeout", "_interval"))


class _Told(NamedTuple):
    """What came of a probe."""

    probe: Probe
    batch: Batch
    doubtful: bool


class _Phase:
    """Probes that run so many at a time, and how to end them."""

    def __init__(self, job: Job, workers: int, *, keep_doubtful: bool = False) -> None:
        self._job = job
        self._pool = ThreadPoolExecutor(workers, "probe")
        self._keep_doubtful = keep_doubtful
        self._lock = threading.Lock()
        self._stopped = False
        self._told: queue.SimpleQueue[_Told | BaseException] = queue.SimpleQueue()
        self._running: set[_Attempted] = set()
        self.doubtful: list[Probe] = []  #: what is to be asked again when nothing else runs

    def run(self, groups: Sequence[Sequence[Probe]]) -> Generator[Batch, None, None]:
        """Run them, and give out a batch for each; the doubtful ones may be kept instead."""
        left = sum(map(len, groups))
        try:
            for group in groups:
                self._pool.submit(self._group, group)
            while left and not self._job.stop.is_set():
                told = self._told.get()
                if isinstance(told, BaseException):
                    raise told
                left -= 1
                if self._keep_doubtful and told.doubtful:
                    self.doubtful.append(told.probe)
                else:
                    yield told.batch
        finally:
            self._stop()

    def _stop(self) -> None:
        with self._lock:
            self._stopped = True
            running = list(self._running)
        for attempted in running:
            attempted.cancel()
        self._pool.shutdown(cancel_futures=True)

    def _group(self, group: Sequence[Probe]) -> None:
        """Run its probes one after the other, and tell what came of each."""
        server = _Server(self._job, group[0])
        try:
            for probe in group:
                self._told.put(_Told(probe, *self._asked(probe, server)))
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            self._told.put(error)
        finally:
            server.stop()

    def _asked(self, probe: Probe, server: _Server) -> tuple[Batch, bool]:
        """Ask it, and once more of a fresh server if it did not pass where others had been."""
        while True:
            is_fresh = not server.is_started
            batch, doubtful = self._one(probe, server)
            if any(record.result.verdict in _PASSES for record in batch.records):
                return batch, False
            server.stop()  # it may not be what it was
            if is_fresh:
                return batch, doubtful

    def _one(self, probe: Probe, server: _Server) -> tuple[Batch, bool]:
        attempted = _Attempted(self._job, probe, server)
        with self._lock:
            if self._stopped:
                return Batch([probe.id], []), False
            self._running.add(attempted)
        self._job.on_case(probe.id)
        try:
            attempted.run()
        except TargetError as error:
            return Batch([probe.id], [], reason=f"{error.message} {error.details}".strip()), False
        except UnreachableError as error:
            return Batch([probe.id], [], reason=f"it could not be probed: {error}"), False
        except TimeoutError:
            return Batch([probe.id], [], reason=f"the probe did not come to an end within {_AT_MOST_S:g} s"), False
        finally:
            with self._lock:
                self._running.discard(attempted)
        return Batch([probe.id], [attempted.record] if attempted.record else []), attempted.doubtful


class _Server:
    """A server with the settings that a probe asks for, started when it is needed."""

    def __init__(self, job: Job, probe: Probe) -> None:
        assert job.instance is not None  # noqa: S101 - the runner gives it
        self.given = _given(probe, job.instance)
        self._instance = job.instance
        self._label = probe.id
        self._target: Target | None = None
        self._endpoint: Endpoint | None = None

    @property
    def is_started(self) -> bool:
        """Whether somebody has been there."""
        return self._target is not None

    def started(self) -> tuple[Target, Endpoint]:
        """It, and where it is; TargetError: it does not start with these settings."""
        target, endpoint = self._target, self._endpoint
        if target is None or endpoint is None:
            self._target = target = self._instance.given(self.given, self._label)
            endpoint = target.start()
            if self._target is not target:
                target.stop()  # once more, for that was before there was anything to end
                raise TargetError("it was stopped")
            self._endpoint = endpoint
        return target, endpoint

    def stop(self) -> None:
        """End it, if it was started, from any thread."""
        target, self._target, self._endpoint = self._target, None, None
        if target is not None:
            target.stop()


def _given(probe: Probe, target: Target) -> dict[str, str]:
    """What the target is given of the settings that a probe asks for: those that it can be given."""
    return {
        name: limit_settings.text(value)
        for name, value in probe.settings.items()
        if name in target.limits and target.limits[name].env
    }


class _Attempted:
    """One probe on a server."""

    def __init__(self, job: Job, probe: Probe, server: _Server) -> None:
        self._job = job
        self._probe = probe
        self._server = server
        self._task: asyncio.Task[Finding] | None = None
        self._cancelled = False
        self.record: Record | None = None
        self.doubtful = False

    def cancel(self) -> None:
        """End it soon, from another thread."""
        self._cancelled = True
        if self._task is not None:
            with contextlib.suppress(RuntimeError):  # its loop has ended by itself
                self._task.get_loop().call_soon_threadsafe(self._task.cancel)
        self._server.stop()

    def run(self) -> None:
        """Start the server if it is not yet, measure, judge. TargetError: it does not start with these settings."""
        instance, probe = self._job.instance, self._probe
        assert instance is not None  # noqa: S101 - the runner gives it
        began = time.monotonic()
        if (reason := _not_configurable(probe, instance)) is not None:
            self._conclude(Finding(ProbeVerdict.NOT_CONFIGURABLE, reason), Measured(limit=probe.limit), None, began)
            return
        with contextlib.suppress(asyncio.CancelledError):
            target, endpoint = self._server.started()
            if not self._cancelled:
                self._on_server(target, endpoint, self._server.given, began)

    def _on_server(self, target: Target, endpoint: Endpoint, given: dict[str, str], began: float) -> None:
        probe, job = self._probe, self._job
        in_force = {name: limit.fixed for name, limit in target.limits.items() if limit.fixed is not None}
        in_force |= {name: value for name, value in probe.settings.items() if name in given}
        limit = in_force.get(probe.limit or "", 0)
        meter = target.meter()
        on_wire = job.on_wire
        attempt = Attempt(
            endpoint=endpoint,
            settings=in_force,
            limit=limit if not isinstance(limit, str) else 0,
            wire=WireLog(time.monotonic, (lambda event: on_wire(probe.id, event)) if on_wire else None),
            meter=meter,
        )
        unreachable: UnreachableError | None = None
        with asyncio.Runner() as runner:
            runner.run(_warm_up(attempt))
            recording = Recording(meter) if meter else None
            try:
                finding = runner.run(self._measure(attempt))
            except UnreachableError as error:
                unreachable = error
                finding = Finding(ProbeVerdict.NOT_ENFORCED, f"It could not be probed: {error}.")
            finally:
                if recording:
                    recording.end()
            alive = runner.run(self._is_alive(attempt))
        if not alive:
            dead = target.problem() or "a fresh connection does not work any more"
            finding = _crashed(finding, dead, target.last_output())
        elif unreachable is not None:
            raise unreachable
        else:
            finding = _too_much_memory(probe, finding, attempt, recording)
        measured = _measured(probe, attempt, recording, alive=alive)
        self.doubtful = finding.doubtful
        self._conclude(finding, measured, attempt, began)

    async def _measure(self, attempt: Attempt) -> Finding:
        self._task = asyncio.current_task()
        if self._cancelled:
            raise asyncio.CancelledError
        try:
            async with asyncio.timeout(_AT_MOST_S):
                return await self._probe.run(attempt)
        except NotOfferedError:
            return Finding(ProbeVerdict.NOT_CONFIGURABLE, "It does not agree to permessage-deflate.")
        finally:
            self._task = None
            attempt.drop_all()

    async def _is_alive(self, attempt: Attempt) -> bool:
        """Whether a fresh connection works; what went before may have to settle, so that it is tried for a while."""
        deadline = time.monotonic() + _SETTLES_WITHIN_S
        while not self._cancelled:
            with contextlib.suppress(OSError):
                if await _echo(attempt):
                    return True
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(0.5)
        return False

    def _conclude(self, finding: Finding, measured: Measured, attempt: Attempt | None, began: float) -> None:
        behavior, behavior_close = finding.verdict.fields
        result = Result(
            target=self._job.target,
            engine=LimitsEngine.name,
            case=self._probe.id,
            behavior=behavior,
            behavior_close=behavior_close,
            remote_close_code=measured.close_code,
            duration_ms=round((time.monotonic() - began) * 1000),
            verdict=finding.verdict,
            measured=measured,
        )
        shown = attempt.shown_peer if attempt else None
        evidence = Evidence(
            target=result.target,
            engine=result.engine,
            case=result.case,
            sent=self._probe.title,
            expected=self._probe.expects,
            clauses=list(self._probe.clauses),
            outcome=finding.words,
            request=shown.request[:_EXCERPT].decode("latin-1") if shown else "",
            response=shown.head[:_EXCERPT].decode("latin-1") if shown else "",
            wire=attempt.wire.events() if attempt else [],
            wire_omitted=attempt.wire.omitted if attempt else 0,
        )
        self.record = Record(result, evidence)


def _not_configurable(probe: Probe, target: Target) -> str | None:
    """Why the probe says nothing about this target, if so."""
    if probe.deflate and not target.deflates:
        return "It does not offer permessage-deflate."
    if probe.limit is None or (way := target.limits.get(probe.limit)) is None:
        return _absent(probe.limit, target) if probe.limit else None
    return _not_probed(probe, probe.limit, way.fixed) if way.fixed is not None else None


def _absent(limit: str, target: Target) -> str:
    if target.started_as == "url":
        return f"Nobody declared its {limit} (--limit {limit}=VALUE)."
    return f"It has no {limit} that can be set."


def _not_probed(probe: Probe, limit: str, value: float | str) -> str | None:
    """Why a limit that has this value anyway can't be probed, if so."""
    words = limit_settings.words(limit, value)
    if probe.set_only:
        return f"It has {words}; this probe needs {limit_settings.words(limit, probe.settings[limit])}."
    if not isinstance(value, str) and value > (most := _PROBED_AT_MOST[limit_settings.KINDS[limit].unit]):
        return f"It has {words}, which is more than is probed ({most:,})."
    return None


async def _warm_up(attempt: Attempt) -> None:
    """A first message, so that what the server needs once is not taken for what the probe costs."""
    with contextlib.suppress(OSError):
        await _echo(attempt)
    await asyncio.sleep(_SETTLE_S)


async def _echo(attempt: Attempt) -> bool:
    """A fresh connection with a message, closed as one should."""
    peer = Peer(attempt.endpoint, WireLog(time.monotonic))
    try:
        await peer.connect()
        works = await peer.open(seconds=5) and await peer.echo(b"fresh", 5)
        await peer.write(frame(Opcode.CLOSE, close_payload(1000)))
        await peer.end(1)
        return works
    finally:
        peer.drop()


def _crashed(finding: Finding, dead: str, last_output: str) -> Finding:
    words = f"The server died or stopped answering: {dead}."
    if last_output:
        words += f" The last it wrote: {last_output}."
    return Finding(ProbeVerdict.CRASHED, f"{words} Before that: {finding.words}")


def _too_much_memory(probe: Probe, finding: Finding, attempt: Attempt, recording: Recording | None) -> Finding:
    """Where memory tells that the excess was buffered after all."""
    if recording is None or probe.memory is None:
        return finding
    growth = recording.highest - recording.idle
    if finding.verdict is not ProbeVerdict.ENFORCED or growth <= probe.memory:
        return finding
    words = f"Its memory grew by {growth / MIB:.0f} MiB (at most {probe.memory / MIB:.0f} are right). {finding.words}"
    refused = attempt.shown_peer is not None and attempt.shown_peer.refused
    return Finding(ProbeVerdict.LATE if refused else ProbeVerdict.NOT_ENFORCED, words)


def _measured(probe: Probe, attempt: Attempt, recording: Recording | None, *, alive: bool) -> Measured:
    peer = attempt.shown_peer
    refused_at = peer.refused_at if peer else None
    since = attempt.excess_at
    return Measured(
        limit=probe.limit,
        set_to=attempt.settings.get(probe.limit) if probe.limit else None,
        settings={name: limit_settings.text(value) for name, value in attempt.settings.items()},
        sent=peer.sent if peer else None,
        taken=peer.taken if peer else None,
        refusal=peer.how_refused() if peer else "",
        refused_after_ms=(
            round(max(0.0, refused_at - since) * 1000, 1) if refused_at is not None and since is not None else None
        ),
        close_code=peer.close_code if peer else None,
        http_status=peer.status if peer else None,
        memory_idle=recording.idle if recording else None,
        memory_peak=recording.highest if recording else None,
        memory=recording.points if recording else [],
        cpu_seconds=round(recording.cpu_seconds, 3) if recording else None,
        alive_after=alive,
        seconds=attempt.seconds,
        figures=attempt.figures,
    )
