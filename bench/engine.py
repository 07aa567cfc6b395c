"""`python -m bench.engine`: the native engine beside a serial wstest, on the same servers, in one run.

Sections 1 to 10 against refimpl, each engine in turn, three rounds; sections 12 and 13, all messages, against
python-websockets, once (wstest takes a quarter of an hour for them). Read the ratios, not the seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.cli import LOGS
from bench.servers import MeasuredTarget
from harness import manifest, selection
from harness.endpoint import Endpoint
from harness.engines import Job
from harness.engines.autobahn import Monitor
from harness.engines.autobahn.local import LocalWstest, find
from harness.engines.autobahn.output import read_output
from harness.engines.native import NativeEngine
from harness.errors import CannotRunError, ExitCode, WsconformError

_SHALLOW = ("1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*")
_DEFLATE = ("12.*", "13.*")


class Took(NamedTuple):
    """What a run of an engine took, in seconds, and how many verdicts it gave."""

    wall: float
    engine_cpu: float
    target_cpu: float
    verdicts: int


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def _started(name: str, instances: int) -> Iterator[tuple[list[MeasuredTarget], list[Endpoint]]]:
    LOGS.mkdir(parents=True, exist_ok=True)
    source = manifest.load(name)
    targets = [MeasuredTarget(source, LOGS / f"{name}-{number}.log", say=_say) for number in range(instances)]
    try:
        yield targets, [target.start() for target in targets]
    finally:
        for target in targets:
            target.stop()


def native(name: str, cases: Sequence[str], instances: int) -> Took:
    """The native engine, on so many instances of the server."""
    with _started(name, instances) as (targets, endpoints):
        cpu = [target.cpu_seconds() for target in targets]
        before = sum(seconds() for seconds in cpu)
        job = Job(
            target=name, endpoints=endpoints, cases=cases, jobs=NativeEngine.default_jobs,
            deflates=targets[0].deflates, folder=LOGS,
        )  # fmt: skip
        began, own = time.monotonic(), time.process_time()
        verdicts = sum(len(batch.records) for batch in NativeEngine().run(job))
        wall, engine = time.monotonic() - began, time.process_time() - own
        return Took(wall, engine, sum(seconds() for seconds in cpu) - before, verdicts)


def serial_wstest(wstest: LocalWstest, name: str, cases: Sequence[str]) -> Took:
    """One wstest that runs all cases one after the other, as it is without us."""
    with _started(name, 1) as (targets, endpoints), tempfile.TemporaryDirectory() as folder:
        cpu = targets[0].cpu_seconds()
        before, own = cpu(), _children_cpu()
        spec = {
            "servers": [{"agent": name, "url": endpoints[0].url}],
            "cases": list(cases), "exclude-cases": [], "exclude-agent-cases": {},
        }  # fmt: skip
        began = time.monotonic()
        problem = wstest.run(spec, endpoints[0], Path(folder), Monitor(lambda _: None, threading.Event()))
        wall = time.monotonic() - began
        records, unread = read_output(Path(folder), name, "autobahn", relative_to=Path(folder))
        if problem or unread:
            raise CannotRunError(f"wstest: {problem or unread}")
        return Took(wall, _children_cpu() - own, cpu() - before, len(records))


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _row(words: str, took: Took) -> str:
    return (
        f"{words:<28} {took.wall:>8.2f} {took.engine_cpu:>10.2f} {took.target_cpu:>10.2f} "
        f"{took.engine_cpu / took.target_cpu:>8.2f} {took.verdicts:>8}"
    )


def _median(runs: Sequence[Took]) -> Took:
    return Took(*(statistics.median(column) for column in zip(*runs, strict=True)))


def compare(wstest: LocalWstest, name: str, patterns: Sequence[str], rounds: int, instances: int) -> None:
    """Measure both in turn and print what each took and the ratios."""
    cases = selection.resolve(patterns)
    ours: list[Took] = []
    theirs: list[Took] = []
    for number in range(1, rounds + 1):
        _say(f"{name}, {len(cases)} cases, round {number} of {rounds}: native")
        ours.append(native(name, cases, instances))
        _say(f"{name}, {len(cases)} cases, round {number} of {rounds}: wstest")
        theirs.append(serial_wstest(wstest, name, cases))
    our, their = _median(ours), _median(theirs)
    print(f"\n{name}, {len(cases)} cases ({' '.join(patterns)}), median of {rounds}, seconds")
    print(f"{'':<28} {'wall':>8} {'engine CPU':>10} {'target CPU':>10} {'ratio':>8} {'verdicts':>8}")
    print(_row(f"native, {instances} instance(s)", our))
    print(_row("wstest, serial", their))
    print(f"wall, native / wstest: {our.wall / their.wall:.3f} (1/{their.wall / our.wall:.1f})")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.engine", description=__doc__)
    parser.add_argument("--wstest", help="the wstest to compare with (default: WSTEST, else the one on PATH)")
    parser.add_argument("--rounds", type=int, default=3, help="of sections 1 to 10 (default: 3)")
    parser.add_argument("--skip-deflate", action="store_true", help="leave out sections 12 and 13")
    parser.add_argument(
        "--instances", type=int, default=os.cpu_count() or 1, help="of our servers (default: one a core)"
    )
    options = parser.parse_args(arguments)
    try:
        path = find(options.wstest)
        if path is None:
            raise CannotRunError("there is no wstest to compare with: --wstest, WSTEST or PATH; docs/autobahn.md")
        wstest = LocalWstest(path)
        compare(wstest, "refimpl", _SHALLOW, max(1, options.rounds), max(1, options.instances))
        if not options.skip_deflate:
            compare(wstest, "python-websockets", _DEFLATE, 1, max(1, options.instances))
    except WsconformError as error:
        print(f"bench.engine: {error.message}", file=sys.stderr)
        return int(error.exit_code)
    except KeyboardInterrupt:
        return int(ExitCode.INTERRUPTED)
    print(f"\npeak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
