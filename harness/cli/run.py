"""`wsconform run`, `compare` and `import`: what makes a run."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NotRequired, TypedDict, Unpack

import click

from harness import baseline, containers, manifest, processes, selection
from harness.cli.common import allow_stale_option, baseline_option, debug_option, run_options, strict_option
from harness.cli.summary import print_summary
from harness.endpoint import parse_url
from harness.engines import Engine
from harness.engines.autobahn.imported import import_output
from harness.errors import CannotRunError, ExitCode, UsageError
from harness.journal import writing
from harness.limits import settings as limit_settings
from harness.progress import Reporter
from harness.results import Unavailable
from harness.session import Finished, Plan, Planned, Session, target_log
from harness.targets.spec import TargetSpec
from harness.work import EngineSpec
from reports import write_report

Profile = Literal["full", "quick"]
SuiteOption = Literal["conformance", "limits", "all"]
#: Milliseconds of work (`selection.weight`) from which on a second instance of a server is worth starting.
_WORK_FOR_INSTANCES_MS = 2000


class RunOptions(TypedDict):
    """The values of `run_options`."""

    cases: tuple[str, ...]
    exclude: tuple[str, ...]
    engine: NotRequired[str]
    suite: NotRequired[SuiteOption | None]
    limits: NotRequired[tuple[str, ...]]
    baseline: NotRequired[Path | None]
    allow_stale: NotRequired[bool]
    shard: NotRequired[str | None]
    versions: NotRequired[tuple[str, ...]]
    container_if_missing: NotRequired[bool]
    wstest: str | None
    autobahn_image: str | None
    container: bool
    base_image: str | None
    profile: Profile | None
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
    return _run(targets or ("refimpl",), options, profile="full", parallel=1, skip=False)


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME|URL]...")
@run_options
@click.option(
    "--parallel",
    type=click.IntRange(1, 64),
    help="Implementations at a time; more than two for each core only while cores are idle.  [default: as many as "
    "keep the cores busy, six for each at most]",
)
@click.option(
    "--tools",
    metavar="COMMANDS",
    help="Leave out what needs more than Python and these commands: node,npm, say.",
)
@click.option("--container-if-missing", is_flag=True, help="Start in a container what cannot run here as a process.")
def compare(names: tuple[str, ...], parallel: int | None, tools: str | None, **options: Unpack[RunOptions]) -> int:
    """Run the same cases against several implementations (default: all) and put them side by side.

    Each is set up first, several at a time. What cannot run on this machine is left out, and the report says why. One
    that fails to start, dies, hangs or floods costs only its own verdicts.
    """
    parallel = parallel or 6 * (os.cpu_count() or 1)
    chosen = names or tuple(manifest.names())
    if tools is not None:
        here = {*filter(None, tools.split(","))}
        chosen = tuple(name for name in chosen if "://" in name or here >= {*manifest.load(name).requires})
    return _run(chosen, options, profile="quick", parallel=parallel, skip=True)


@click.command("import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--target", required=True, metavar="NAME", help="Whom Autobahn tested.")
@click.option("--cases", multiple=True, metavar="PATTERN", default=("*",), help="Cases that it was asked for.")
@click.option("--output", type=click.Path(path_type=Path), metavar="DIR", help="The run's folder.")
@baseline_option
@allow_stale_option
@strict_option
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@debug_option
def import_(
    folder: Path,
    target: str,
    cases: tuple[str, ...],
    output: Path | None,
    baseline: Path | None,
    allow_stale: bool,
    strict: bool,
    as_json: bool,
) -> int:
    """Make a run, with report and gate, of the output FOLDER of a wstest that you started yourself."""
    finished = import_output(
        folder,
        target=target,
        patterns=list(cases),
        output=output,
        baseline=baseline,
        allow_stale=allow_stale,
        strict=strict,
    )
    return show(finished, as_json=as_json)


def _run(names: Sequence[str], options: RunOptions, *, profile: Profile, parallel: int, skip: bool) -> int:
    with Reporter(quiet=options["quiet"], verbose=options["verbose"]) as reporter:
        launch = Launch(names, options, reporter, options["engine"], suite=options["suite"], skip=skip)
        session = Session(launch.plan(launch.planned, profile, parallel=parallel), reporter)
        reporter.say(f"{launch.about}; results go to {session.folder}")
        finished = session.run()
        reporter.step("writing the report")
    return show(finished, as_json=options["as_json"])


class Launch:
    """What the command line asks for, looked at before anything that takes time: cases, targets, engines."""

    def __init__(
        self,
        names: Sequence[str],
        options: RunOptions,
        reporter: Reporter,
        *engines: str,
        suite: SuiteOption | None,
        skip: bool,
    ) -> None:
        """`skip`: what cannot run on this machine is left out, in place of failing."""
        self._options = options
        self._say = reporter.step
        names = _in_versions(names, options.get("versions", ()))
        self._endpoints = {name: parse_url(name) for name in names if "://" in name}
        self._declared = limit_settings.parse(options.get("limits", ()))
        wanted = suite or self._usual_suite(engines)
        self.cases = selection.resolve(
            options["cases"],
            options["exclude"],
            None if wanted == "all" else wanted,
            of_autobahn="autobahn" in engines,  # also where both are to have the same
        )
        if "autobahn" in engines and (without := selection.not_autobahns(options["cases"])):
            reporter.say(f"left out, for the Autobahn Testsuite has no such cases: {', '.join(without)}")
        self._check_urls()
        self._baseline = baseline.load(file) if (file := options.get("baseline")) else None
        if swept := processes.sweep():
            reporter.say(f"ended {swept} process(es) that an earlier, killed run had left")
        self._specs = self._available(names, reporter, skip=skip)
        self.targets = [spec.name for spec in self._specs]
        if len({*self.targets}) < len(self.targets):
            raise UsageError(f"two targets have the same name: {', '.join(self.targets)}")
        if part := options.get("shard"):
            # the same for all targets, so that the shards of every machine fit together
            deflates = self._deflates
            self.cases = selection.shard(self.cases, part, deflates=deflates)
        _sweep_containers(reporter.say, needed=options["container"])
        suites = {selection.suite_of(case) for case in self.cases}
        wanted_engines = [*(engines if "conformance" in suites else ()), *(["limits"] if "limits" in suites else ())]
        self._engine_specs = [
            EngineSpec(name=name, wstest=options["wstest"], image=options["autobahn_image"]) for name in wanted_engines
        ]
        self.engines: list[Engine] = [spec.engine(reporter.step) for spec in self._engine_specs]

    def _available(self, names: Sequence[str], reporter: Reporter, *, skip: bool) -> list[TargetSpec]:
        """The targets; those that cannot run here are told and left out if that is wanted, or run in a container."""
        anyhow = self._options.get("container_if_missing", False) and containers.answer()
        specs = [
            TargetSpec(
                given=name,
                container=self._options["container"] and "://" not in name,
                base_image=self._options["base_image"],
                declared=self._declared,
            )
            for name in names
        ]
        self._deflates = any(spec.deflates for spec in specs)  # of those that cannot run here as well
        if anyhow:
            specs = [spec.model_copy(update={"container": True}) if spec.unavailable() else spec for spec in specs]
        self.unavailable = [
            Unavailable(target=spec.name, implementation=spec.about, reason=reason)
            for spec in specs
            if skip and (reason := spec.unavailable())
        ]
        for one in self.unavailable:
            reporter.say(f"{one.target} cannot run here and is left out: {one.reason}")
        missing = {one.target for one in self.unavailable}
        if missing and len(missing) == len(specs):
            raise CannotRunError("none of the implementations can run here; `wsconform implementations list` says why")
        return [spec for spec in specs if spec.name not in missing]

    def _usual_suite(self, engines: Sequence[str]) -> SuiteOption:
        """Everything; but nobody who names a server of somebody's wants it flooded unless they say so."""
        undeclared = bool(self._endpoints) and not self._declared
        only_probes = all(selection.suite_of(pattern) == "limits" for pattern in self._options["cases"])
        if not only_probes and (undeclared or "native" not in engines):
            return "conformance"
        return "all"

    def _check_urls(self) -> None:
        """Limits are declared for URLs, and probed there if they are."""
        if self._declared and not self._endpoints:
            raise UsageError(
                "--limit tells what a URL's server was given; implementations are started with their limits"
            )
        if not any(selection.suite_of(case) == "limits" for case in self.cases):
            return
        for name, endpoint in self._endpoints.items():
            if not self._declared:
                raise UsageError(
                    f"nobody declared the limits of {name}: --limit max_message_size=65536, say, or --suite conformance"
                )
            if endpoint.secure:
                raise UsageError(f"{name}: limits are probed below TLS, by ws:// only; or --suite conformance")

    @property
    def about(self) -> str:
        """`301 cases with native 0.1.0, 40 limit probes`."""
        probes = sum(selection.suite_of(case) == "limits" for case in self.cases)
        cases = len(self.cases) - probes
        engines = " and ".join(f"{e.name} {e.version}" for e in self.engines if e.suite == "conformance")
        words = [f"{_many(cases, 'case')} with {engines}"] if cases else []
        return ", ".join([*words, *([_many(probes, "limit probe")] if probes else [])])

    def plan(
        self,
        make_targets: Callable[[Path], list[Planned]],
        profile: Profile,
        when_done: Callable[[Planned], None] = lambda _: None,
        *,
        parallel: int = 1,
    ) -> Plan:
        """The plan of a session."""
        options = self._options
        file = options.get("baseline")
        return Plan(
            engines=self.engines,
            make_targets=make_targets,
            names=self.targets,
            cases=self.cases,
            patterns=list(options["cases"]),
            exclude=list(options["exclude"]),
            jobs=options["jobs"],
            profile=options["profile"] or profile,
            output=options["output"],
            resume=options["resume"],
            strict=options["strict"],
            allow_stale=options.get("allow_stale", False),
            baseline=file.name if file else None,
            shard=options.get("shard"),
            when_done=when_done,
            unavailable=self.unavailable,
            parallel=parallel,
            engine_specs=self._engine_specs,
        )

    def planned(self, folder: Path) -> list[Planned]:
        """The targets, whose output goes to the run's folder."""
        # of an engine that is in a container the wishes count: what it reaches, the other one reaches as well
        pickiest = max(self.engines, key=lambda engine: not engine.on_host)
        return [
            self._planned(spec.model_copy(update={"listen_host": pickiest.listen_host}), folder) for spec in self._specs
        ]

    def _planned(self, spec: TargetSpec, folder: Path) -> Planned:
        with writing(folder):
            log = target_log(folder, spec.name)
        first, *others = (spec.target(log, self._say) for _ in range(self._instances(spec)))
        known = spec.deviations if self._baseline is None else baseline.of_target(self._baseline, spec.name)
        return Planned(first, others, spec.about, known, spec)

    def _instances(self, spec: TargetSpec) -> int:
        """One a core, where there is work enough for the native engine alone to keep them busy."""
        cases = [case for case in self.cases if selection.suite_of(case) == "conformance"]
        deflates = spec.deflates
        work = sum(selection.weight(case, deflates=deflates) for case in cases)
        alone = [engine.name for engine in self.engines if engine.suite == "conformance"] == ["native"]
        if spec.is_url or spec.container or not alone or work < _WORK_FOR_INSTANCES_MS:
            return 1
        return min(os.cpu_count() or 1, self._options["jobs"] or self.engines[0].default_jobs)


def _in_versions(names: Sequence[str], versions: Sequence[str]) -> list[str]:
    """The names, those of which a version was asked for with it: `ws@7.0.0` for `--version ws=7.0.0`."""
    asked = dict(entry.partition("=")[::2] for entry in versions)
    for name, version in asked.items():
        if not version:
            raise UsageError(f"--version {name} names no version; --version ws=8.18.0, say")
        if name not in names:
            raise UsageError(f"--version {name}={version}: {name} is not among the targets")
    return [f"{name}@{asked[name]}" if name in asked else name for name in names]


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _sweep_containers(say: Callable[[str], None], *, needed: bool) -> None:
    """Remove the containers that a killed run left; CannotRunError where an engine is needed and not there."""
    try:
        client = containers.connect()
    except CannotRunError:
        if needed:
            raise
        return
    if swept := containers.sweep(client):
        say(f"removed {swept} container(s) or network(s) that an earlier, killed run had left")


def show(finished: Finished, *, as_json: bool) -> int:
    """Write the report of a run, tell what came of it and where the report is, and give its exit code."""
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
        print_summary(finished.judgements, finished.exit_code, report, finished.run.unavailable)
    if finished.exit_code is ExitCode.INTERRUPTED:
        click.echo(f"wsconform: interrupted; --resume goes on with {finished.folder}", err=True)
    return int(finished.exit_code)
