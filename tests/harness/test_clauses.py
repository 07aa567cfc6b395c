"""The clause map, and the command that shows it."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from harness import selection
from harness.cases import catalogue
from harness.clauses import Clause, clauses
from harness.results import matches
from tests.support import Command


@pytest.mark.parametrize("clause", clauses(), ids=lambda clause: clause.id)
def test_a_clause_names_its_section_and_cases_that_there_are(clause: Clause):
    number, section, _ = re.fullmatch(r"(\d{4})-([\d.]+)-(\d+)", clause.id).groups()  # type: ignore[union-attr]
    assert clause.source == f"RFC {number} {section}"
    assert clause.says.endswith(".")
    assert clause.unobservable is None or not clause.cases
    for pattern in clause.cases:
        assert any(matches(pattern, case) for case in selection.known()), pattern


def test_each_has_an_id_of_its_own():
    assert max(Counter(clause.id for clause in clauses()).values()) == 1


def test_every_must_that_can_be_seen_has_a_case_but_for_those_that_need_a_server_that_few_are():
    untested = {clause.id for clause in clauses() if clause.untested and clause.level.startswith("MUST")}
    # two compressions at once, and how a server that ends its messages with BFINAL fills up the octet
    assert untested == {"7692-5-4", "7692-7.2.1-4"}


def test_nine_of_ten_shoulds_that_can_be_seen_have_a_case():
    should = [c for c in clauses() if c.level.startswith("SHOULD") and c.unobservable is None]
    assert sum(bool(clause.cases) for clause in should) >= 0.9 * len(should)


def test_each_case_of_ours_names_what_it_rests_on():
    for case in catalogue().values():
        assert all(re.fullmatch(r"RFC \d{4} \d+(\.\d+)*", clause) for clause in case.clauses), case.id
        assert case.clauses


def test_the_command_shows_them(tmp_path: str):
    command = Command(tmp_path)  # type: ignore[arg-type]
    done = command("clauses", "RFC 6455 5.1", "--json")
    shown = json.loads(done.stdout)
    assert {row["source"] for row in shown} == {"RFC 6455 5.1"}
    assert shown[0]["level"] == "MUST"
    text = command("clauses", "RFC 6455 5").stdout
    assert "A server closes the connection when a frame that is not masked arrives." in text
    assert "RFC 6455 5.5.1" in text
    assert "RFC 6455 4" not in text
    wrong = command("clauses", "RFC 2616")
    assert (wrong.returncode, "no clause is of 'RFC 2616'" in wrong.stderr) == (2, True)
