"""Commands that look at runs and implementations: `gate`, `report`, `implementations`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from harness import manifest
from harness.cli.common import debug_option
from harness.cli.summary import print_summary
from harness.errors import ExitCode, TargetError
from harness.gate import judge_run
from harness.journal import read_results, read_run, writing
from harness.progress import Reporter
from harness.session import BUILD
from harness.targets.process import ProcessTarget
from reports import write_report

_run_folder = click.argument("run", type=click.Path(path_type=Path), default=BUILD / "latest")


@click.command()
@_run_folder
@click.option("--strict", is_flag=True, help="NON-STRICT and FAILED BY CLIENT fail the gate too.")
@debug_option
def gate(run: Path, strict: bool) -> int:
    """Judge a RUN's folder again (default: build/latest) and exit as the run itself did."""
    about = read_run(run)
    judgements, code = judge_run(about, read_results(run), strict=strict or about.strict)
    print_summary(judgements, code, None)
    return int(code)


@click.command()
@_run_folder
@debug_option
def report(run: Path) -> None:
    """Write the HTML report of a RUN's folder (default: build/latest) anew and print where it is."""
    read_run(run)
    with writing(run):
        click.echo(write_report(run.resolve()))


@click.group()
def implementations() -> None:
    """Who can be tested."""


@implementations.command("list")
@click.option("--json", "as_json", is_flag=True, help="As a JSON array.")
@debug_option
def list_implementations(as_json: bool) -> None:
    """List implementations, and whether each can run here as a process."""
    sources = [manifest.load(name) for name in manifest.names()]
    if as_json:
        rows = [s.manifest.model_dump(mode="json") | {"missing": s.missing(), "folder": str(s.folder)} for s in sources]
        click.echo(json.dumps(rows))
        return
    for source in sources:
        m, missing = source.manifest, source.missing()
        state = f"needs {', '.join(missing)} on PATH" if missing else "can run here"
        click.echo(f"{m.name:<20} {m.language:<12} {m.version:<10} {state}")


@implementations.command("check")
@click.argument("names", nargs=-1)
@debug_option
def check_implementations(names: tuple[str, ...]) -> int:
    """Set up and start implementations (default: all), shake hands, stop them."""
    failed = False
    for name in names or manifest.names():
        source = manifest.load(name)
        log = manifest.cache_folder() / "logs" / f"{source.manifest.name}.log"
        with writing(log):
            log.parent.mkdir(parents=True, exist_ok=True)
            log.unlink(missing_ok=True)
        with Reporter() as reporter:
            target = ProcessTarget(source, log, say=reporter.step)
            try:
                target.start()
                click.echo(f"{name}: works")
            except TargetError as error:
                failed = True
                click.echo(f"{name}: {error.message}")
                for line in error.details.splitlines():
                    click.echo(f"    {line}")
            finally:
                target.stop()
    return int(ExitCode.CANNOT_RUN if failed else ExitCode.PASSED)
