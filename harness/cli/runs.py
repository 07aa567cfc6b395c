"""Commands that look at runs that there are: `gate`, `report`, `merge`."""

from __future__ import annotations

from pathlib import Path

import click

from harness import baseline as baselines
from harness.cli.common import allow_stale_option, baseline_option, debug_option, strict_option
from harness.cli.run import show
from harness.cli.summary import print_summary
from harness.errors import ExitCode
from harness.gate import judge_run
from harness.journal import read_results, read_run, writing
from harness.merge import merge as merge_runs
from harness.progress import Reporter
from harness.results import Run
from harness.session import BUILD
from reports import FORMATS, render, write_autobahn, write_report

_LATEST = BUILD / "latest"


def _judged_by(folder: Path, baseline: Path | None, *, strict: bool, allow_stale: bool) -> Run:
    """A folder's run, with what is to be expected of it now in place of what was when it ran."""
    run = baselines.applied(read_run(folder), baseline)
    return run.model_copy(
        update={"strict": strict or run.strict, "allow_stale": allow_stale or run.allow_stale},
    )


@click.command()
@click.argument("run", type=click.Path(path_type=Path), default=_LATEST)
@baseline_option
@click.option(
    "--write-baseline",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write FILE so that this run passes; entries that it has and that still hold keep their reasons.",
)
@allow_stale_option
@strict_option
@click.option("--json", "as_json", is_flag=True, help="Print the judgement as JSON (`report --format json`).")
@debug_option
def gate(
    run: Path, baseline: Path | None, write_baseline: Path | None, allow_stale: bool, strict: bool, as_json: bool
) -> int:
    """Judge a RUN's folder (default: build/latest) and exit as a run does.

    It fails on a failing verdict that no known deviation explains, on a known deviation that happens no more (which
    is stale), on lost cases, on another count than was asked for, and on an empty or unfinished run.
    """
    about = _judged_by(run, baseline, strict=strict, allow_stale=allow_stale)
    if write_baseline is not None:
        about = _write_baseline(write_baseline, about, run)
    judgements, code = judge_run(about, read_results(run))
    if as_json:
        click.echo(render("json", run, run=about), nl=False)
    else:
        print_summary(judgements, code, None)
    return int(code)


def _write_baseline(file: Path, about: Run, folder: Path) -> Run:
    """Write what the run's gate would have to expect; returns the run as it is judged by that."""
    results = read_results(folder)
    _, code = judge_run(about, results)
    if code not in (ExitCode.PASSED, ExitCode.FAILED):
        click.echo(
            f"wsconform: {file} is not written: {folder} is not complete, so nobody knows what to expect", err=True
        )
        return about
    earlier = baselines.load(file) if file.exists() else []
    text, count = baselines.written(about, results, earlier)
    with writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    entries = baselines.load(file)
    waiting = sum(entry.reason == baselines.NO_REASON for entry in entries)
    words = f"; {waiting} of them want a reason" if waiting else ""
    click.echo(f"wrote {file}: {count} cases in {len(entries)} entries{words}", err=True)
    return baselines.applied(about, file)


@click.command()
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path), metavar="[RUN]...")
@click.option(
    "--format",
    "formats",
    type=click.Choice(tuple(FORMATS)),
    multiple=True,
    default=("html",),
    show_default=True,
    help="What to write (repeatable).",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where to.  [default: the run's folder, report/; one format that is not HTML: standard output]",
)
@click.option(
    "--since",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="RUN",
    help="An earlier run: the HTML report shows what differs from it.",
)
@baseline_option
@allow_stale_option
@strict_option
@debug_option
def report(
    runs: tuple[Path, ...],
    formats: tuple[str, ...],
    output: Path | None,
    since: Path | None,
    baseline: Path | None,
    allow_stale: bool,
    strict: bool,
) -> None:
    """Write reports of a RUN's folder (default: build/latest), or of several, which are merged first.

    \b
    html      a site of static pages             junit     for CI systems
    markdown  a summary, for a job's page        json      everything, with a schema
    badge     an SVG                             shields   the JSON of shields.io's endpoint badge
    autobahn  index.json as wstest writes it, for scripts that read that
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    folder = runs[0] if runs else _LATEST
    if len(runs) > 1:
        with Reporter() as reporter:
            folder = merge_runs(runs, None, reporter.step).folder
    about = _judged_by(folder, baseline, strict=strict, allow_stale=allow_stale)
    if since is not None:
        read_run(since)  # which tells of a folder that is no run
    folder = folder.resolve()
    if output is None and len(formats) == 1 and formats[0] != "html":
        click.echo(render(formats[0], folder, run=about), nl=False)
        return
    destination = output or folder / "report"
    for name in formats:
        with writing(destination):
            click.echo(_write(name, folder, destination, about, since))


def _write(name: str, folder: Path, destination: Path, about: Run, since: Path | None) -> Path:
    """Write one format; returns what to open."""
    if name == "html":
        return write_report(folder, destination, run=about, since=since)
    if name == "autobahn":
        return write_autobahn(folder, destination / "autobahn", run=about)
    destination.mkdir(parents=True, exist_ok=True)
    file = destination / FORMATS[name].file_name
    file.write_text(render(name, folder, run=about), encoding="utf-8")
    return file


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The merged run's folder.  [default: build/runs/<id>]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@debug_option
def merge(runs: tuple[Path, ...], output: Path | None, as_json: bool) -> int:
    """Make one run of several RUNS: of the shards of one, or of other targets, cases and machines; then judge it.

    Two different verdicts for the same case of the same target are refused. What a missing shard should have told is
    lost, so the merged run is incomplete (exit 4).
    """
    with Reporter() as reporter:
        finished = merge_runs(runs, output, reporter.step)
        reporter.step("writing the report")
    return show(finished, as_json=as_json)
