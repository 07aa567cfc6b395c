"""The command line of the benchmark. Results go to standard output, progress and errors to standard error."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from bench import report
from bench.measure import Cell, Outcomes, measure
from bench.servers import DEFAULT, REFERENCE, Running, load, running
from harness.errors import ExitCode, UsageError, WsconformError
from harness.manifest import project

_SIZES = "64,4KiB,64KiB,1MiB"
_MAX_SIZE = 64 << 20  # what the manifests set the servers' limits to
_MAX_WINDOW = 1 << 16
_FACTORS = {"": 1, "b": 1, "kib": 1 << 10, "mib": 1 << 20}
_T = TypeVar("_T")
#: What the servers wrote, for when one of them fails.
LOGS = project() / "build" / "bench"


def parse_size(text: str) -> int:
    """Octets: a number, or one with KiB or MiB; ValueError says what is wrong."""
    match = re.fullmatch(r"([0-9]{1,12}) *([a-z]*)", text.strip().lower())
    if match is None or match[2] not in _FACTORS:
        raise ValueError(f"{text!r} is not a size; write octets, or a number with KiB or MiB")
    size = int(match[1]) * _FACTORS[match[2]]
    if not 1 <= size <= _MAX_SIZE:
        raise ValueError(f"{text!r} is not between 1 and {report.format_size(_MAX_SIZE)}")
    return size


def parse_window(text: str) -> int:
    """A number of messages; ValueError says what is wrong."""
    if not re.fullmatch(r" *[0-9]{1,9} *", text) or not 1 <= int(text) <= _MAX_WINDOW:
        raise ValueError(f"{text!r} is not a number of messages between 1 and {_MAX_WINDOW}")
    return int(text)


def _list_of(parse: Callable[[str], _T]) -> Callable[[str], list[_T]]:
    """A type for argparse: values with commas, each once, in the given order."""

    def parse_list(text: str) -> list[_T]:
        try:
            return list(dict.fromkeys(parse(part) for part in text.split(",")))
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parse_list


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:  # noqa: PLR2004 - nor NaN
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, more than 0 and at most 3600")
    return seconds


def _rounds(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of rounds, 1 to 999")
    return int(text)


def _name(text: str) -> str:
    if not text.strip():
        raise ValueError("an empty name")
    return text.strip()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Echo messages per second of refimpl beside other servers, all measured in one run, in turn.",
        epilog="The exit code says whether it could measure (0), not what: a benchmark is no gate.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--seconds", type=_seconds, default=1.0, metavar="N", help="per server, cell and round (default 1)")
    add("--rounds", type=_rounds, default=3, metavar="N", help="the median of so many (default 3)")
    add("--sizes", type=_list_of(parse_size), default=_SIZES, metavar="LIST", help=f"of a message (default {_SIZES})")
    add("--windows", type=_list_of(parse_window), default="1,64", metavar="LIST", help="outstanding (default 1,64)")
    add(
        "--servers",
        type=_list_of(_name),
        default=",".join(DEFAULT),
        metavar="LIST",
        help="names, or paths of folders with a manifest (default %(default)s)",
    )
    add("--json", action="store_true", dest="as_json", help="print JSON in place of tables")
    add("--output", type=Path, metavar="FILE", help="write the JSON to this file too")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _bench(options)
    except WsconformError as error:
        _say(error.message)
        return int(error.exit_code)
    except KeyboardInterrupt:
        _say("interrupted before anything was measured")
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of the tables has gone
        return int(ExitCode.PASSED)


def _bench(options: argparse.Namespace) -> int:
    cells = [Cell(size, window) for window in options.windows for size in options.sizes]
    sources = [load(name) for name in options.servers]
    if options.output is not None and not options.output.parent.is_dir():
        raise UsageError(f"--output: there is no folder {options.output.parent}")
    outcomes: Outcomes = {}
    code = ExitCode.PASSED
    began = time.monotonic()
    with running(sources, LOGS, _say) as servers:
        if not servers:
            _say("no server could be started")
            return int(ExitCode.CANNOT_RUN)
        about = _about(options, servers)
        try:
            measure(
                servers,
                cells,
                outcomes,
                rounds=options.rounds,
                seconds=options.seconds,
                on_cell=lambda number, cell: _say(
                    f"{number} of {len(cells)}: {report.format_size(cell.size)}, window {cell.window}"
                ),
            )
        except KeyboardInterrupt:
            _say("interrupted; what was measured follows")
            code = ExitCode.INTERRUPTED
    about["tookSeconds"] = round(time.monotonic() - began, 1)
    _show(options, outcomes, about)
    reference_failed = REFERENCE in options.servers and REFERENCE not in {server.name for server in servers}
    return int(ExitCode.CANNOT_RUN if reference_failed else code)


def _show(options: argparse.Namespace, outcomes: Outcomes, about: dict[str, Any]) -> None:
    document = json.dumps(report.as_json(outcomes, about), indent=2, allow_nan=False) + "\n"
    if options.output is not None:
        try:
            options.output.write_text(document, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"--output: cannot write {options.output}: {error.strerror}") from error
    if options.as_json:
        sys.stdout.write(document)
    else:
        versions = ", ".join(f"{name} {version}" for name, version in about["servers"].items())
        print(f"{versions}\n{about['machine']}\n{_conditions(about)}\n")
        print(f"{report.tables(outcomes)}\n\n{report.aims(outcomes)}")
    sys.stdout.flush()


def _about(options: argparse.Namespace, servers: Sequence[Running]) -> dict[str, Any]:
    """What the numbers depend on."""
    return {
        "servers": {server.name: server.version for server in servers},
        "machine": f"Python {platform.python_version()}, {platform.platform()}, {os.cpu_count()} cores",
        "loadAverage": round(os.getloadavg()[0], 2),
        "secondsPerCell": options.seconds,
        "roundsPerCell": options.rounds,
    }


def _conditions(about: dict[str, Any]) -> str:
    return (
        f"binary messages, no compression, one connection; {about['roundsPerCell']} x"
        f" {about['secondsPerCell']:g} s per cell, in turn; load average {about['loadAverage']} at the start;"
        f" took {about['tookSeconds']:g} s"
    )


def _say(line: str) -> None:
    print(f"bench: {line}", file=sys.stderr, flush=True)
