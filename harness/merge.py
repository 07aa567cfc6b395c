"""Several runs made into one: shards of one selection, further cases, other targets, other machines.

A verdict that a case lacks in one run may come from another; two verdicts that differ are refused. What was asked for
and no run has is lost, also where a whole shard is missing: what is merged can be incomplete, never quietly so.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from harness import crosscheck, gate, selection
from harness.errors import UsageError
from harness.journal import EVIDENCE, Journal, new_folder, point_latest, read_results, read_run, writing
from harness.results import Evidence, Lost, Part, Result, Run, Selection, TargetRun, Unavailable, case_order
from harness.session import BUILD, Finished

_Key = tuple[str, str, str]
#: What of a run's folder is kept besides its records: the targets' output, and Autobahn's own files.
_FOLDERS = ("autobahn", "targets")


@dataclass(frozen=True)
class _Source:
    """A run that takes part."""

    folder: Path
    run: Run
    results: list[Result]

    def asked(self, target: TargetRun) -> set[str]:
        """The cases that were asked for; of a shard, those of the whole of which it is a part."""
        pair = (target.target, target.engine)
        cases = {result.case for result in self.results if (result.target, result.engine) == pair}
        cases |= {lost.case for lost in target.lost}
        chosen = self.run.selection
        if chosen.shard or len(cases) < target.expected:
            suite = "limits" if target.engine == "limits" else "conformance"
            # where Autobahn ran, the native engine beside it had the same cases
            of_autobahn = any(one.engine == "autobahn" for one in self.run.targets)
            resolved = selection.resolve(chosen.cases, chosen.exclude, of_autobahn=of_autobahn)
            cases |= {case for case in resolved if selection.suite_of(case) == suite}
        if not chosen.shard and len(cases) != target.expected:
            made_by = self.run.versions.get("wsconform", "another version")
            raise UsageError(
                f"{self.folder} asked {target.target} for {target.expected} cases, which are not those of this version "
                f"(it was made by {made_by}): merge it with that"
            )
        return cases


@dataclass(frozen=True)
class _Member:
    """A target in one of the runs, and the folder in the merged run that holds this one's files."""

    source: _Source
    target: TargetRun
    part: str


def merge(folders: Sequence[Path], output: Path | None, say: Callable[[str], None] = lambda _: None) -> Finished:
    """Make one run of several.

    Args:
        folders: those of the runs; they are not changed.
        output: the new run's folder; None for one below `build/runs`.
        say: told of each run as it is read.

    Raises:
        UsageError: a folder is no run, or two runs contradict each other, about a verdict or about a target.

    """
    sources = []
    for folder in folders:
        say(f"reading {folder}")
        sources.append(_Source(folder, read_run(folder), read_results(folder)))
    _check(sources)
    kept = _kept(sources)
    parts = [f"parts/{number}" for number, _ in enumerate(sources, 1)]
    run = _run(sources, parts, {key for one in kept for key in one})
    destination = output or new_folder(BUILD)
    journal = Journal(destination)
    try:
        for source, results, part in zip(sources, kept, parts, strict=True):
            say(f"copying {source.folder}")
            _copy_files(source.folder, destination / part)
            for evidence in _evidence(source.folder, results):
                moved = {"file": f"{part}/{evidence.file}"} if evidence.file else {}
                journal.add_evidence(evidence.model_copy(update=moved))
            for result in results.values():
                journal.add_result(result)
        judgements, code = gate.judge_run(run, [result for results in kept for result in results.values()])
        run = run.model_copy(update={"id": destination.name, "exit_code": int(code)})
        journal.write_run(run)
        if compared := [one for source in sources for one in crosscheck.saved(source.folder)]:
            with writing(destination):
                crosscheck.save(destination, compared)
    finally:
        journal.close()
    if output is None:
        point_latest(BUILD, destination)
    return Finished(destination, run, judgements, code)


def _check(sources: Sequence[_Source]) -> None:
    """Runs may be merged if what they say of the same target and case is the same."""
    abouts: dict[tuple[str, str], tuple[_Source, TargetRun]] = {}
    verdicts: dict[_Key, tuple[_Source, Result]] = {}
    for source in sources:
        for target in source.run.targets:
            first, about = abouts.setdefault((target.target, target.engine), (source, target))
            for name in ("implementation", "engine_version", "deviations"):
                if getattr(about, name) != getattr(target, name):
                    raise UsageError(
                        f"{first.folder} and {source.folder} contradict each other: "
                        f"{target.target} has another {_WORDS[name]} in each ({target.engine})"
                    )
        for result in source.results:
            first, earlier = verdicts.setdefault(result.key, (source, result))
            if _verdict(earlier) != _verdict(result):
                raise UsageError(
                    f"{first.folder} and {source.folder} contradict each other: {result.case} of {result.target} "
                    f"({result.engine}) is {_verdict(earlier)} in one, {_verdict(result)} in the other"
                )


_WORDS = {
    "implementation": "version or description",
    "engine_version": "engine's version",
    "deviations": "list of known deviations",
}


def _verdict(result: Result) -> str:
    return result.verdict or f"{result.behavior} / {result.behavior_close}"


def _kept(sources: Sequence[_Source]) -> list[dict[_Key, Result]]:
    """The verdicts that each run gives to the merged one: of the same in several, the first."""
    seen: set[_Key] = set()
    kept = []
    for source in sources:
        kept.append({result.key: result for result in source.results if result.key not in seen})
        seen.update(kept[-1])
    return kept


def _copy_files(folder: Path, destination: Path) -> None:
    for name in _FOLDERS:
        if (folder / name).is_dir():
            with writing(destination):
                # a link stays one: a run's folder from elsewhere must not make us read what it points to
                shutil.copytree(folder / name, destination / name, symlinks=True)


def _evidence(folder: Path, wanted: Collection[_Key]) -> Iterator[Evidence]:
    file = folder / EVIDENCE
    if not file.exists():
        return
    with file.open("rb") as lines:
        for line in lines:
            with contextlib.suppress(ValidationError):  # cut off when the run was killed
                evidence = Evidence.model_validate_json(line)
                if evidence.key in wanted:
                    yield evidence


def _run(sources: Sequence[_Source], parts: Sequence[str], judged: set[_Key]) -> Run:
    """What the merged run says of itself, but for its name and its exit code."""
    members: dict[tuple[str, str], list[_Member]] = {}
    for source, part in zip(sources, parts, strict=True):
        for target in source.run.targets:
            members.setdefault((target.target, target.engine), []).append(_Member(source, target, part))
    targets = [
        _combined(of_one, {case for target, engine, case in judged if (target, engine) == pair})
        for pair, of_one in members.items()
    ]
    runs = [source.run for source in sources]
    ends = [run.finished_at for run in runs]
    baselines = {run.baseline for run in runs}
    cases = {case for _, _, case in judged} | {lost.case for target in targets for lost in target.lost}
    complete = all(not target.error and not target.lost and target.expected for target in targets)
    return Run(
        id="",
        state="complete" if complete else "incomplete",
        started_at=min(run.started_at for run in runs),
        finished_at=max(filter(None, ends)) if all(ends) else None,
        strict=any(run.strict for run in runs),
        allow_stale=all(run.allow_stale for run in runs),
        baseline=baselines.pop() if len(baselines) == 1 else None,
        versions={name: version for run in reversed(runs) for name, version in run.versions.items()},
        machine=runs[0].machine,
        selection=_selection([run.selection for run in runs], len(cases)),
        parts=[part for run in runs for part in run.parts or [_part(run)]],
        targets=targets,
        unavailable=_unavailable(runs, {target.target for target in targets}),
    )


def _unavailable(runs: Sequence[Run], targets: Collection[str]) -> list[Unavailable]:
    """Who could not be run on any of the machines."""
    found = {one.target: one for run in runs for one in run.unavailable if one.target not in targets}
    return list(found.values())


def _combined(members: Sequence[_Member], judged: set[str]) -> TargetRun:
    """One target under one engine, of all runs that have it."""
    first = members[0].target
    asked = set().union(*(member.source.asked(member.target) for member in members))
    reasons = {lost.case: lost.reason for member in members for lost in member.target.lost}
    missing = sorted(asked - judged, key=case_order)
    no_run = _missing_shards([member.source.run.selection.shard for member in members])
    logs = (f"{member.part}/{member.target.log}" for member in members if member.target.log)
    return first.model_copy(
        update={
            "expected": len(asked),
            "observed": len(judged),
            "lost": [Lost(case=case, reason=reasons.get(case, no_run)) for case in missing],
            "restarts": sum(member.target.restarts for member in members),
            "unexplained": [death for member in members for death in member.target.unexplained],
            "seconds": round(sum(member.target.seconds for member in members), 3),
            "setup_seconds": _of_known(max, [member.target.setup_seconds for member in members]),
            "peak_memory": _of_known(max, [member.target.peak_memory for member in members]),
            "cpu_seconds": _of_known(sum, [member.target.cpu_seconds for member in members]),
            "error": next((member.target.error for member in members if member.target.error and missing), None),
            "log": next(logs, None),
        }
    )


def _of_known(total: Callable[[list[float]], float], values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return total(known) if known else None


def _missing_shards(shards: Sequence[str | None]) -> str:
    """Why a case that was asked for is in none of the runs."""
    counts = {shard.split("/")[1] for shard in shards if shard}
    missing = [f"{k}/{n}" for n in counts for k in range(1, int(n) + 1) if f"{k}/{n}" not in shards]
    return "none of the merged runs has it" + (f" (not among them: shard {', '.join(missing)})" if missing else "")


def _selection(chosen: Sequence[Selection], count: int) -> Selection:
    excludes = [one.exclude for one in chosen]
    return Selection(
        cases=list(dict.fromkeys(pattern for one in chosen for pattern in one.cases)),
        exclude=excludes[0] if all(one == excludes[0] for one in excludes) else [],
        count=count,
        jobs=max(one.jobs for one in chosen),
        profile="full" if all(one.profile == "full" for one in chosen) else "quick",
    )


def _part(run: Run) -> Part:
    return Part(**{name: getattr(run, name) for name in Part.model_fields})
