"""Rules that the cases of ours keep, all of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from harness import selection
from harness.cases import catalogue
from harness.clauses import clauses
from harness.results import matches
from tests.support import ROOT

OURS = [case for case in catalogue().values() if case.talk is not None]
#: Whatever a server does there, no verdict is worse than INFORMATIONAL unless it breaks what another case asks for.
INFORM = {"D.1.7", "D.3.8", "F.6.35", "H.1.25", "H.1.26"}
#: How HTTP is to be read: its RFCs define that, and have no MUST or SHOULD for it that could be broken.
DEFINED = {
    "H.1.2", "H.1.3", "H.1.6", "H.1.7", "H.1.8", "H.1.9", "H.1.12", "H.1.13", "H.1.15", "H.1.17", "H.1.23", "H.1.24",
    "H.3.13", "H.3.15",
}  # fmt: skip


def named() -> set[str]:
    patterns = {pattern for clause in clauses() for pattern in clause.cases}
    return {case.id for case in OURS if any(matches(pattern, case.id) for pattern in patterns)}


def test_every_case_is_there_for_a_clause_of_the_map_but_those_that_inform_and_what_http_defines():
    assert {case.id for case in OURS} - named() == INFORM | DEFINED


def test_every_pattern_of_the_clause_map_fits_a_case():
    known = selection.known()
    patterns = [(clause.id, pattern) for clause in clauses() for pattern in clause.cases]
    assert [one for one in patterns if not any(matches(one[1], case) for case in known)] == []


@pytest.mark.parametrize("family", ["D.1", "D.2", "D.3", "D.4", "F.1", "F.2", "F.3", "F.4", "F.5", "F.6", "F.7"])
def test_cases_of_frames_and_of_compression_rest_on_their_rfcs(family: str):
    for case in OURS:
        if case.id.startswith(f"{family}."):
            assert {clause.split()[1] for clause in case.clauses} <= {"6455", "7692", "1951", "3629"}, case.id


def test_no_two_cases_do_the_same():
    assert len({case.talk for case in OURS}) == len(OURS)
    assert len({case.title for case in OURS}) == len(OURS)


@pytest.mark.parametrize("module", ["harness.cases.talk", "harness.cases", "harness.engines.native"])
def test_the_modules_can_be_imported_in_any_order(module: str):
    """Cases that talk are made of what the engine has, and the engine runs them."""
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True, cwd=ROOT, timeout=60)
