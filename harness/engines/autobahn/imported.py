"""A run made of the output of a wstest that somebody else started (docker-compose.yml does)."""

from __future__ import annotations

import shutil
from pathlib import Path

from harness import gate, selection
from harness.baseline import applied
from harness.engines.autobahn import VERSION
from harness.engines.autobahn.output import read_output
from harness.errors import ExitCode
from harness.journal import Journal, new_folder, now, point_latest, read_results, this_machine, writing
from harness.manifest import load, names
from harness.results import Lost, Run, Selection, TargetRun
from harness.session import BUILD, Finished, versions


def import_output(
    folder: Path,
    *,
    target: str,
    patterns: list[str],
    output: Path | None,
    baseline: Path | None = None,
    allow_stale: bool = False,
    strict: bool = False,
) -> Finished:
    """Read the folder, reconcile it with the cases that were asked for, and write a run with all of it."""
    cases = selection.resolve(patterns, suite="conformance", of_autobahn=True)
    source = load(target) if target in names() else None
    destination = output or new_folder(BUILD)
    started = now()
    journal = Journal(destination)
    try:
        kept = destination / "autobahn" / "imported"
        with writing(kept):
            shutil.copytree(folder, kept)
        records, problem = read_output(kept, target, "autobahn", relative_to=destination)
        wanted = [record for record in records if record.result.case in set(cases)]
        for record in wanted:
            journal.add(record)
        seen = {record.result.case for record in wanted}
        reason = problem or "wstest's output has no verdict for it (it gives up at one refused connection)"
        about = TargetRun(
            target=target,
            engine="autobahn",
            engine_version=VERSION,
            started_as="url",
            expected=len(cases),
            observed=len(wanted),
            lost=[Lost(case=case, reason=reason) for case in cases if case not in seen],
        )
        if source is not None:
            about = about.model_copy(update={"implementation": source.about, "deviations": source.manifest.deviations})
        run = Run(
            id=destination.name,
            state="incomplete" if about.lost else "complete",
            started_at=started,
            finished_at=now(),
            strict=strict,
            allow_stale=allow_stale,
            versions=versions(),
            machine=this_machine(),
            selection=Selection(cases=patterns, count=len(cases), jobs=1),
            targets=[about],
        )
        run = applied(run, baseline)
        judgements, code = gate.judge_run(run, read_results(destination))
        run = run.model_copy(update={"exit_code": int(code)})
        journal.write_run(run)
    finally:
        journal.close()
    if output is None:
        point_latest(BUILD, destination)
    return Finished(destination, run, judgements, ExitCode(code))
