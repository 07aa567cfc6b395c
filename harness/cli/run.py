"""`wsconform run`, `compare` and `import`: what makes a run."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypedDict, Unpack

import click

from harness import containers, manifest, processes, selection
from harness.cli.common import debug_option, run_options
from harness.cli.summary import print_summary
from harness.endpoint import parse_url
from harness.engines.autobahn.imported import import_output
from harness.engines.choose import choose
from harness.errors import CannotRunError, ExitCode, UsageError
from harness.journal import writing
from harness.progress import Reporter
from harness.session import Finished, Plan, Planned, Session, default_jobs, target_log
from harness.targets import UrlTarget
from harness.targets.container import ContainerTarget
from harness.targets.process import ProcessTarget
from reports import write_report


class RunOptions(TypedDict):
    """The values of `run_options`."""

    cases: tuple[str, ...]
    exclude: tuple[str, ...]
    engine: str
    wstest: str | None
    autobahn_image: str | None
    container: bool
    base_image: str | None
    jobs: int | None
    output: Path | None
    resume: bool
    strict: bool
    as_json: bool
    quiet: bool
    verbose: bool


@click.command()
@click.argument("targets", nargs=-1, metavar="[NAME|URL]...")
@run_options
def run(targets: tuple[str, ...], **options: Unpack[RunOptions]) -> int:
    """Run cases against implementations (by name, or by the path of their folder) or against ws:// URLs.

    Without a target: refimpl, the reference server. Implementations are set up and started on a free port, and
    stopped afterwards. Exits 0 only if every case that was asked for has a verdict and none failed.
    """
    return _run(targets or ("refimpl",), options)


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME|URL]...")
@run_options
def compare(names: tuple[str, ...], **options: Unpack[RunOptions]) -> int:
    """Run the same cases against several implementations (default: all) and put them side by side."""
    return _run(names or tuple(manifest.names()), options)


@click.command("import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--target", required=True, metavar="NAME", help="Whom Autobahn tested.")
@click.option("--cases", multiple=True, metavar="PATTERN", default=("*",), help="Cases that it was asked for.")
@click.option("--output", type=click.Path(path_type=Path), metavar="DIR", help="The run's folder.")
@click.option("--strict", is_flag=True, help="NON-STRICT and FAILED BY CLIENT fail the gate too.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@debug_option
def import_(folder: Path, target: str, cases: tuple[str, ...], output: Path | None, strict: bool, as_json: bool) -> int:
    """Make a run, with report and gate, of the output FOLDER of a wstest that you started yourself."""
    finished = import_output(folder, target=target, patterns=list(cases), output=output, strict=strict)
    return _show(finished, as_json=as_json)


def _run(names: Sequence[str], options: RunOptions) -> int:
    cases = selection.resolve(options["cases"], options["exclude"])
    with Reporter(quiet=options["quiet"], verbose=options["verbose"]) as reporter:
        if swept := processes.sweep():
            reporter.say(f"ended {swept} process(es) that an earlier, killed run had left")
        # look at the names before anything that takes time
        sources = {name: None if "://" in name else manifest.load(name) for name in names}
        endpoints = {name: parse_url(name) for name in names if "://" in name}
        targets = [source.manifest.name if (source := sources[name]) else name for name in names]
        if len(set(targets)) < len(targets):
            raise UsageError(f"two targets have the same name: {', '.join(targets)}")
        client = _docker_client(reporter.say, needed=options["container"])
        engine = choose(options["engine"], wstest=options["wstest"], image=options["autobahn_image"], say=reporter.step)

        def make_targets(folder: Path) -> list[Planned]:
            return [
                Planned(UrlTarget(endpoints[name]))
                if source is None
                else Planned(_target(source, folder, engine.listen_host), source.about, source.manifest.deviations)
                for name, source in sources.items()
            ]

        def _target(source: manifest.Source, folder: Path, host: str) -> ProcessTarget | ContainerTarget:
            with writing(folder):
                log = target_log(folder, source.manifest.name)
            if not options["container"]:
                return ProcessTarget(source, log, host=host, say=reporter.step)
            return ContainerTarget(
                client, source, log, base=options["base_image"], engine_on_host=engine.on_host, say=reporter.step
            )

        plan = Plan(
            engine=engine,
            make_targets=make_targets,
            names=targets,
            cases=cases,
            patterns=list(options["cases"]),
            exclude=list(options["exclude"]),
            jobs=options["jobs"] or default_jobs(),
            output=options["output"],
            resume=options["resume"],
            strict=options["strict"],
        )
        session = Session(plan, reporter)
        reporter.say(f"{len(cases)} cases with {engine.name} {engine.version}; results go to {session.folder}")
        finished = session.run()
        reporter.step("writing the report")
    return _show(finished, as_json=options["as_json"])


def _docker_client(say: Callable[[str], None], *, needed: bool) -> Any:  # noqa: ANN401 - the SDK is an extra
    """The Docker engine, swept of what a killed run left; None where it is neither needed nor there."""
    try:
        client = containers.connect()
    except CannotRunError:
        if needed:
            raise
        return None
    if swept := containers.sweep(client):
        say(f"removed {swept} container(s) or network(s) that an earlier, killed run had left")
    return client


def _show(finished: Finished, *, as_json: bool) -> int:
    with writing(finished.folder):
        report = write_report(finished.folder)
    if as_json:
        outcome = {
            "exitCode": int(finished.exit_code),
            "folder": str(finished.folder),
            "report": str(report),
            "run": json.loads(finished.run.to_json()),
        }
        click.echo(json.dumps(outcome))
    else:
        print_summary(finished.judgements, finished.exit_code, report)
    if finished.exit_code is ExitCode.INTERRUPTED:
        click.echo(f"wsconform: interrupted; --resume goes on with {finished.folder}", err=True)
    return int(finished.exit_code)
