"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from harness.engines.choose import NAMES

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


@dataclass
class State:
    """What the end of the program needs to know, also when a command failed."""

    debug: bool = False


def _remember_debug(context: click.Context, _parameter: click.Parameter, value: bool) -> bool:
    state = context.find_object(State)
    if state is not None:
        state.debug = state.debug or value
    return value


debug_option = click.option(
    "--debug", is_flag=True, expose_value=False, callback=_remember_debug, help="Show a traceback with an error."
)

_SELECTION = (
    click.option(
        "--cases", multiple=True, metavar="PATTERN", default=("*",), help="Cases to run: 7.1.5, 6.* (repeatable)."
    ),
    click.option("--exclude", multiple=True, metavar="PATTERN", help="Cases to leave out (repeatable)."),
)

_ENGINE = (
    click.option(
        "--engine", type=click.Choice(NAMES), default=NAMES[0], show_default=True, help="What executes the cases."
    ),
)

_LIMITS = (
    click.option(
        "--suite",
        type=click.Choice(("conformance", "limits", "all")),
        help="The conformance cases, the limit probes, or both.  [default: all; of a URL whose limits nobody declared, "
        "and with --engine autobahn: conformance]",
    ),
    click.option(
        "--limit",
        "limits",
        multiple=True,
        metavar="NAME=VALUE",
        help="A limit that a URL's server was given, such as max_message_size=65536 (repeatable).",
    ),
)

baseline_option = click.option(
    "--baseline",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Known deviations to expect, in place of those in the manifests.",
)
allow_stale_option = click.option(
    "--allow-stale", is_flag=True, help="A known deviation that happens no more only warns."
)
strict_option = click.option("--strict", is_flag=True, help="NON-STRICT and FAILED BY CLIENT fail the gate too.")

_GATE = (
    baseline_option,
    allow_stale_option,
    click.option(
        "--shard",
        metavar="K/N",
        help="The K-th of N parts of the cases, of about the same weight; `wsconform merge` joins their runs.",
    ),
)

_RUN = (
    click.option(
        "--wstest",
        metavar="PATH",
        help="Use this wstest for the Autobahn engine.  [env: WSTEST; else PATH, else image]",
    ),
    click.option(
        "--autobahn-image",
        metavar="IMAGE",
        envvar="WSCONFORM_AUTOBAHN_IMAGE",
        help="Use this image, name:tag or name@digest.  [env: WSCONFORM_AUTOBAHN_IMAGE]",
    ),
    click.option(
        "--version",
        "versions",
        multiple=True,
        metavar="NAME=X",
        help="Another version of an implementation than its manifest's, as NAME@X among the targets does (repeatable).",
    ),
    click.option("--container", is_flag=True, help="Start implementations in containers, not as processes."),
    click.option(
        "--base-image",
        metavar="IMAGE",
        envvar="WSCONFORM_BASE_IMAGE",
        help="What the containers are built from (their BASE).  [env: WSCONFORM_BASE_IMAGE]",
    ),
    click.option(
        "--profile",
        type=click.Choice(("full", "quick")),
        help="Messages in 9.7, 9.8, 12.* and 13.*: 1,000 as Autobahn does, or 4.  [default: full; compare: quick]",
    ),
    click.option(
        "--jobs",
        type=click.IntRange(1, 256),
        help="Cases at a time.  [default: 32; fuzzingclients: two a core, at most 4; probes: 8]",
    ),
    click.option(
        "--output", type=click.Path(path_type=Path), metavar="DIR", help="The run's folder.  [default: build/runs/<id>]"
    ),
    click.option("--resume", is_flag=True, help="Go on with an unfinished run (the latest, or that of --output)."),
    strict_option,
    click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON."),
    click.option("-q", "--quiet", is_flag=True, help="No progress."),
    click.option("-v", "--verbose", is_flag=True, help="A line a case."),
    debug_option,
)


def _all(options: tuple[Decorator, ...]) -> Decorator:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


selection_options = _all(_SELECTION)
run_options = _all((*_SELECTION, *_LIMITS, *_ENGINE, *_GATE, *_RUN))
#: The same but for the engine, for it takes both, and for what the gate expects, for it has another one.
crosscheck_options = _all((*_SELECTION, *_RUN))
