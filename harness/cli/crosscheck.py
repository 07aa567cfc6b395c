"""`wsconform crosscheck`: both engines on the same started targets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Unpack

import click

from harness import manifest
from harness.cli.common import crosscheck_options
from harness.cli.run import Launch, RunOptions
from harness.crosscheck import Comparison, Verdict, allowed, compare, save
from harness.errors import ExitCode
from harness.gate import Judgement
from harness.journal import read_results, writing
from harness.progress import Reporter
from harness.session import Planned, Session
from harness.settle import settle
from harness.targets.kept import KeptTarget
from harness.text import printable
from reports import write_report


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME|URL]...")
@crosscheck_options
def crosscheck(names: tuple[str, ...], **options: Unpack[RunOptions]) -> int:
    """Run the native engine and the real Autobahn on the same started targets and list where they disagree.

    Without a name: every implementation. A disagreement that is on purpose stands in crosscheck_allowed.toml, with its
    reason. Any other is tried again, alone; if each engine then sees what the other one saw, it is the target that does
    now this, now that. What remains fails the command (exit 1).
    """
    kept: dict[str, KeptTarget] = {}
    comparisons: list[Comparison] = []
    rows = allowed()

    def keep(folder: Path) -> list[Planned]:
        planned = launch.planned(folder)
        kept.update({one.target.name: KeptTarget(one.target) for one in planned})
        return [Planned(kept[one.target.name], (), one.about, one.deviations, one.spec) for one in planned]

    def judge(planned: Planned) -> None:
        target = kept[planned.target.name]
        comparison = compare(target.name, read_results(session.folder), rows)
        if comparison.cases:
            settle(comparison, launch.engines, target, session.folder, reporter.say)
        comparisons.append(comparison)
        target.end()

    with Reporter(quiet=options["quiet"], verbose=options["verbose"]) as reporter:
        launch = Launch(
            names or tuple(manifest.names()), options, reporter, "autobahn", "native", suite="conformance", skip=True
        )
        session = Session(launch.plan(keep, "full", judge), reporter)
        reporter.say(f"{launch.about}; results go to {session.folder}")
        try:
            finished = session.run()
        finally:
            for target in kept.values():
                target.end()
        with writing(finished.folder):
            save(finished.folder, comparisons)
            report = write_report(finished.folder)
    # a verdict that fails says something about the target; here only the engines are judged
    code: ExitCode = ExitCode.PASSED if finished.exit_code is ExitCode.FAILED else finished.exit_code
    if code is ExitCode.PASSED and any(comparison.disagreements for comparison in comparisons):
        code = ExitCode.FAILED
    if options["as_json"]:
        click.echo(json.dumps({"exitCode": int(code), "targets": [_as_json(one) for one in comparisons]}))
    else:
        _print(comparisons, finished.judgements, code, report)
    return int(code)


def _print(comparisons: list[Comparison], judgements: list[Judgement], code: ExitCode, report: Path) -> None:
    width = max(6, *(len(one.target) for one in comparisons)) if comparisons else 6
    click.echo(f"{'target':<{width}} {'cases':>5} {'agree':>5} {'on purpose':>10} {'varies':>6} {'disagree':>8}")
    for one in comparisons:
        on_purpose = sum(bool(difference.reason) for difference in one.differences)
        varies = sum(difference.varies for difference in one.differences)
        agree = one.cases - len(one.differences)
        click.echo(
            f"{printable(one.target):<{width}} {one.cases:>5} {agree:>5} {on_purpose:>10} {varies:>6} "
            f"{len(one.disagreements):>8}"
        )
        for difference in one.differences:
            why = "on purpose" if difference.reason else "varies" if difference.varies else "DISAGREE"
            words = f"autobahn {_verdicts(difference.autobahn)}; native {_verdicts(difference.native)}"
            click.echo(f"    {difference.case}: {why}: {words}")
    for judgement in judgements:
        for lost in judgement.target.lost[:5]:
            click.echo(
                f"    {printable(judgement.target.target)}: {judgement.target.engine} lost {lost.case}: {lost.reason}"
            )
    ends = {ExitCode.PASSED: "PASSED", ExitCode.FAILED: "FAILED: the engines disagree"}
    click.echo(ends.get(code, f"NOT COMPARED: the runs are not complete (exit {int(code)})"))
    click.echo(f"report: {report}")


def _verdicts(verdicts: tuple[Verdict, ...]) -> str:
    return ", ".join(f"{behavior} / {close}" for behavior, close in verdicts)


def _as_json(one: Comparison) -> dict[str, object]:
    return {
        "target": one.target,
        "cases": one.cases,
        "differences": [
            {
                "case": difference.case,
                "autobahn": [" / ".join(map(str, verdict)) for verdict in difference.autobahn],
                "native": [" / ".join(map(str, verdict)) for verdict in difference.native],
                "reason": difference.reason or None,
                "varies": difference.varies,
            }
            for difference in one.differences
        ],
    }
