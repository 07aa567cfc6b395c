"""`wsconform implementations`: who can be tested."""

from __future__ import annotations

import json

import click

from harness import manifest, trial
from harness.cli.common import debug_option
from harness.dockerfile import MARK, dockerfile
from harness.errors import ExitCode, TargetError, UsageError
from harness.journal import writing
from harness.progress import Reporter
from harness.scaffold import LANGUAGES, new
from harness.targets.process import ProcessTarget


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
        rows = [
            s.manifest.model_dump(mode="json")
            | {"missing": s.missing(), "unavailable": s.unavailable(), "folder": str(s.folder)}
            for s in sources
        ]
        click.echo(json.dumps(rows))
        return
    width = max(len(source.name) for source in sources)
    for source in sources:
        m = source.manifest
        click.echo(f"{m.name:<{width}} {m.language:<12} {m.version:<14} {source.unavailable() or 'can run here'}")


@implementations.command("dockerfile")
@click.argument("names", nargs=-1, required=True)
@click.option("--write", is_flag=True, help="Into the implementation's folder.")
@debug_option
def write_dockerfile(names: tuple[str, ...], write: bool) -> None:
    """Print the Dockerfile that does what the manifest's [local] table does, or write it beside the manifest."""
    for name in names:
        source = manifest.load(name)
        if source.manifest.local is None:
            raise UsageError(f"{name}: its manifest has no [local] table to make a Dockerfile of")
        file = source.folder / source.manifest.container.dockerfile
        text = dockerfile(source)
        if not write:
            click.echo(text, nl=False)
        elif file.exists() and not file.read_text(encoding="utf-8").startswith(MARK):
            raise UsageError(f"{file} was written by hand; remove it first")
        else:
            with writing(file):
                file.write_text(text, encoding="utf-8")


@implementations.command("new")
@click.argument("name")
@click.option("--language", type=click.Choice(tuple(LANGUAGES)), required=True, help="What its server is written in.")
@debug_option
def new_implementation(name: str, language: str) -> None:
    """Write the folder of a new implementation, to be filled in: docs/adding-an-implementation.md."""
    root = manifest.implementations_folder()
    with writing(root / name):
        folder = new(name, language, root)
    click.echo(f"{folder}: fill in what says so, then: wsconform implementations check {name}")


@implementations.command("check")
@click.argument("names", nargs=-1)
@debug_option
def check_implementations(names: tuple[str, ...]) -> int:
    """Set up and start implementations (default: all that can run here), have them echo, and stop them.

    Text, binary, empty messages, fragments and 16 MiB have to come back as they were sent, and SIGTERM has to end it.
    """
    failed = False
    for name in names or manifest.names():
        source = manifest.load(name)
        reason = source.unavailable()
        if reason is not None and not names:
            click.echo(f"{name}: cannot run here: {reason}")
            continue
        found = _problems(source)
        failed = failed or bool(found)
        click.echo(f"{name}: works" if not found else "\n    ".join([f"{name}: {found[0]}", *found[1:]]))
    return int(ExitCode.CANNOT_RUN if failed else ExitCode.PASSED)


def _problems(source: manifest.Source) -> list[str]:
    """What is wrong with the implementation, in lines."""
    log = manifest.cache_folder() / "logs" / f"{source.name}.log"
    with writing(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
    largest = source.manifest.limits_by_name.get("max_message_size")
    at_most = {} if largest is None or largest.fixed is None else {"at_most": int(largest.fixed)}
    with Reporter() as reporter:
        target = ProcessTarget(source, log, say=reporter.step)
        try:
            found = trial.problems(target.start(), **at_most)
        except TargetError as error:
            return [error.message, *error.details.splitlines()]
        finally:
            target.stop()
    if not target.ends_on_sigterm:
        found.append("SIGTERM does not end it with all that it has started")
    return found
