"""`wsconform cases`: what there is to test."""

from __future__ import annotations

import json

import click

from harness import selection
from harness.cases import catalogue
from harness.cases.model import Case, Closing
from harness.cli.common import debug_option, selection_options
from harness.engines.native.judge import shown
from harness.engines.native.preview import Line, preview
from harness.limits import settings as limit_settings
from harness.limits.catalogue import probes
from harness.limits.model import Probe
from harness.text import printable

#: Octets shown of what one step writes, unless all are asked for.
_SHOWN = 256


@click.group()
def cases() -> None:
    """What there is to test."""


@cases.command("list")
@click.argument("patterns", nargs=-1, metavar="[PATTERN]...")
@selection_options
@click.option("--json", "as_json", is_flag=True, help="As a JSON array.")
@debug_option
def list_cases(patterns: tuple[str, ...], cases: tuple[str, ...], exclude: tuple[str, ...], as_json: bool) -> None:
    """List cases and limit probes, all or those that fit a PATTERN such as 6.* or L.2.* (a star is anything)."""
    chosen = [_find(name) for name in selection.resolve(patterns or cases, exclude)]
    if as_json:
        rows = [
            {"id": case.id, "title": case.title, "expects": case.expects, "clauses": case.clauses} for case in chosen
        ]
        click.echo(json.dumps(rows))
        return
    for case in chosen:
        click.echo(f"{case.id:<8} {printable(case.title)}")


def _find(name: str) -> Case | Probe:
    return catalogue()[name] if selection.suite_of(name) == "conformance" else probes()[name]


@cases.command("show")
@click.argument("names", nargs=-1, required=True, metavar="CASE...")
@click.option("--all-octets", is_flag=True, help=f"All that is sent, and not {_SHOWN} octets of each step.")
@click.option("--json", "as_json", is_flag=True, help="As a JSON array, with all octets.")
@debug_option
def show_cases(names: tuple[str, ...], all_octets: bool, as_json: bool) -> None:
    """Show what a CASE sends, to the octet, which RFC clause it tests and which outcomes it accepts.

    Of a limit probe: which limit it tests, what the server is started with, and what has to happen.
    """
    chosen = [_find(name) for name in selection.resolve(names)]
    if as_json:
        click.echo(json.dumps([_probe_as_json(one) if isinstance(one, Probe) else _as_json(one) for one in chosen]))
        return
    at_most = None if all_octets else _SHOWN
    texts = [_probe_as_text(one) if isinstance(one, Probe) else _as_text(one, at_most) for one in chosen]
    click.echo("\n\n".join(texts))


def _probe_as_text(probe: Probe) -> str:
    settings = [limit_settings.words(name, value) for name, value in probe.settings.items()]
    notes = [note for note, applies in _PROBE_NOTES.items() if getattr(probe, applies)]
    lines = [
        f"{probe.id}  {probe.title}",
        f"expects  {probe.expects}",
        f"clauses  {', '.join(probe.clauses)}",
        f"tests    {probe.limit or 'what every server should have built in'}",
        f"given    {', '.join(settings) or 'nothing'} (of these, what the implementation can be given)",
        *(f"needs    {note}" for note in notes),
    ]
    return "\n".join(lines)


_PROBE_NOTES = {"permessage-deflate": "deflate", "this very value": "set_only", "the machine for itself": "alone"}


def _probe_as_json(probe: Probe) -> dict[str, object]:
    return {
        "id": probe.id,
        "title": probe.title,
        "expects": probe.expects,
        "clauses": probe.clauses,
        "limit": probe.limit,
        "settings": dict(probe.settings),
        "needsDeflate": probe.deflate,
        "needsThisValue": probe.set_only,
        "runsAlone": probe.alone,
        "mostMemoryGrowth": probe.memory,
    }


def _as_text(case: Case, at_most: int | None) -> str:
    lines = [
        f"{case.id}  {printable(case.title)}",
        f"expects  {case.expects}",
        f"clauses  {', '.join(case.clauses)}",
    ]
    if case.talk is not None:
        return "\n".join((*lines, f"octets   wsconform run refimpl --cases {case.id} --verbose shows them"))
    if case.stricter_than_autobahn:
        lines.append(f"stricter {case.stricter_than_autobahn}")
    if case.exchange is not None:
        if case.exchange.offer:
            lines.append(f"offers   {case.exchange.offer}")
        lines.append(f"sends    {case.exchange.count:,} message(s); the first one:")
    else:
        lines.append("does")
    for line in preview(case):
        lines.append(f"    {line.words}")
        lines += _hexadecimal(line, at_most)
    lines += [f"accepts  {verdict}: {', '.join(events) or 'nothing comes'}" for verdict, events in _accepted(case)]
    lines.append(f"closing  {_closing(case.close)}")
    if case.informational:
        lines.append("verdict  INFORMATIONAL, whatever happens")
    return "\n".join(lines)


def _hexadecimal(line: Line, at_most: int | None) -> list[str]:
    octets = line.octets[:at_most]
    rows = [f"        {octets[start : start + 32].hex(' ')}" for start in range(0, len(octets), 32)]
    more = len(line.octets) - len(octets)
    return rows + ([f"        … and {more} octets more (--all-octets)"] if more else [])


def _accepted(case: Case) -> list[tuple[str, list[str]]]:
    return [(str(verdict), [shown(event) for event in events]) for verdict, events in case.accepted.items()]


def _closing(close: Closing) -> str:
    who = "the engine begins it" if close.by_engine else "the peer begins it (or drops TCP)"
    codes = " or ".join(map(str, close.codes))
    return f"{who}; the peer's code is {codes} or none{'; the handshake is complete' if close.clean else ''}"


def _as_json(case: Case) -> dict[str, object]:
    return {
        "id": case.id,
        "title": case.title,
        "expects": case.expects,
        "clauses": case.clauses,
        "stricterThanAutobahn": case.stricter_than_autobahn or None,
        "offer": (case.exchange.offer if case.exchange else "") or None,
        "messages": case.exchange.count if case.exchange else None,
        "steps": [{"words": line.words, "octets": line.octets.hex()} for line in preview(case)],
        "accepted": dict(_accepted(case)),
        # a case that talks judges by itself how it ends
        "closeCodes": case.close.codes if case.talk is None else None,
        "closedByEngine": case.close.by_engine if case.talk is None else None,
        "requireClean": case.close.clean if case.talk is None else None,
        "informational": case.informational,
    }
