"""Whatever a run holds, every format says of it what the gate says."""

from __future__ import annotations

import json

from hypothesis import given, settings

from harness.errors import ExitCode
from harness.gate import judge_run
from reports._autobahn import autobahn_index
from reports._badge import COLORS, badge, shields
from reports._json import json_report
from reports._junit import junit
from reports._load import Recorded
from reports._markdown import markdown
from reports._view import survey
from tests.reports.recording import xml
from tests.reports.strategies import runs

GREEN = {COLORS["passed"], COLORS["known"]}
every_run = settings(deadline=None, max_examples=150)  # no deadline: the machine may be busy


def passes(run: Recorded) -> bool:
    return judge_run(run.run, list(run.results.values()))[1] is ExitCode.PASSED


@every_run
@given(run=runs())
def test_the_pages_are_green_if_and_only_if_the_gate_passes(run: Recorded):
    site = survey(run)
    assert (site.banner.css in {"p", "k"}) is passes(run)
    for column in site.columns:
        passed = column.is_recorded and column.judgement.exit_code is ExitCode.PASSED
        assert (column.status[0] in {"p", "k"}) is passed


@every_run
@given(run=runs())
def test_junit_has_a_failure_or_an_error_if_and_only_if_the_gate_fails(run: Recorded):
    root = xml(junit(run))
    bad = [*root.iter("failure"), *root.iter("error")]
    assert bool(bad) is not passes(run)


@every_run
@given(run=runs())
def test_the_counts_of_junit_are_those_of_its_cases(run: Recorded):
    root = xml(junit(run))
    for element in root.iter():
        if element.tag in {"testsuites", "testsuite"}:
            counted = {
                "tests": len(list(element.iter("testcase"))),
                "failures": len(list(element.iter("failure"))),
                "errors": len(list(element.iter("error"))),
                "skipped": len(list(element.iter("skipped"))),
            }
            assert {name: int(element.attrib[name]) for name in counted} == counted
    for case in root.iter("testcase"):
        assert sum(child.tag in {"failure", "error", "skipped"} for child in case) <= 1


@every_run
@given(run=runs())
def test_the_badge_is_green_if_and_only_if_the_gate_passes(run: Recorded):
    color = json.loads(shields(run))["color"]
    assert (color in GREEN) is passes(run)
    assert f'fill="#{color}"' in badge(run)


@every_run
@given(run=runs())
def test_the_words_of_the_badge_say_passed_if_and_only_if_the_gate_passes(run: Recorded):
    assert ("passed" in json.loads(shields(run))["message"]) is passes(run)


@every_run
@given(run=runs())
def test_the_headline_of_the_summary_has_a_tick_if_and_only_if_the_gate_passes(run: Recorded):
    headline = markdown(run).splitlines()[0]
    assert ("\u2705" in headline) is ("Passed" in headline) is passes(run)


@every_run
@given(run=runs())
def test_the_json_has_the_gates_exit_code_of_the_run_and_of_each_target(run: Recorded):
    judgements, code = judge_run(run.run, list(run.results.values()))
    told = json.loads(json_report(run))
    assert (told["exitCode"], told["passed"]) == (code, code == 0)
    codes = {(judgement.target.target, judgement.target.engine): judgement.exit_code for judgement in judgements}
    for target in told["targets"]:
        assert target["exitCode"] == codes.get((target["target"], target["engine"]), ExitCode.INCOMPLETE)


@every_run
@given(run=runs())
def test_a_run_that_fails_says_why_in_the_json(run: Recorded):
    told = json.loads(json_report(run))
    targets = told["targets"]
    reasons = [told["problems"], *(target[key] for target in targets for key in ("problems", "unexpected", "lost"))]
    if not run.run.allow_stale:
        reasons += [target["stale"] for target in targets]
    assert any(reasons) is not told["passed"]


@every_run
@given(run=runs())
def test_autobahns_index_has_a_failed_verdict_for_every_case_that_is_lost(run: Recorded):
    index = json.loads(autobahn_index(run))
    told = {(target.target, target.engine): target for target in run.run.targets}
    for (name, engine), target in told.items():
        for lost in target.lost if engine != "limits" else ():
            entries = [cases.get(lost.case, {}) for agent, cases in index.items() if agent.startswith(name)]
            assert ("FAILED", "It died.") in [(entry.get("behavior"), entry.get("lost")) for entry in entries]
