"""The page of the clauses: what its cells say, and what they do not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import reports._clauses
from harness.clauses import Clause, clauses
from harness.results import Behavior, BehaviorClose, Deviation, Lost, ProbeVerdict
from reports._sections import RFCS, SECTIONS_OF_RFCS
from tests.reports.recording import FAILED, HOSTILE, WRONG_CODE, Node, Recording, row_of

NON_STRICT = {"behavior": Behavior.NON_STRICT}
UNIMPLEMENTED = {"behavior": Behavior.UNIMPLEMENTED}
INFORMATIONAL = {"behavior": Behavior.INFORMATIONAL, "behavior_close": BehaviorClose.INFORMATIONAL}

CASES = {
    "6455-5.1-1": ("F.1.1", "F.1.2", "F.1.3"),
    "6455-5.1-2": ("F.1.1", "F.1.4"),
    "6455-5.4-1": ("5.1", "5.2", "F.7.1", "F.7.2", "F.7.3"),
    "6455-7.1.1-1": ("F.6.1", "F.6.2"),
    "6455-7.1.1-2": (),
    "6455-10.4-1": ("9.1.1", "L.1.1"),
    "6455-10.6-1": (),
}
LEVELS = {"6455-5.1-2": "MAY", "6455-7.1.1-1": "SHOULD", "6455-7.1.1-2": "SHOULD"}


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clauses of these tests alone, in place of the real ones."""
    made = tuple(
        Clause.model_validate({
            "id": name,
            "source": "RFC " + name.rpartition("-")[0].replace("-", " "),
            "level": LEVELS.get(name, "MUST"),
            "says": f"A server does {name} & <b>more</b>.",
            "cases": cases,
            "unobservable": "Nobody <i>sees</i> it." if name == "6455-10.6-1" else None,
        })
        for name, cases in CASES.items()
    )  # fmt: skip
    monkeypatch.setattr(reports._clauses, "clauses", lambda: made)
    monkeypatch.setattr(reports._clauses, "cases_of_clauses", lambda: CASES)


Run = Callable[..., None]


@pytest.fixture
def ran(recording: Recording) -> Run:
    """Records these verdicts of cases: `ran(F_1_1=FAILED)`."""

    def record(target: str = "echo", **verdicts: dict[str, object]) -> None:
        for case, verdict in verdicts.items():
            recording.result(case.removeprefix("_").replace("_", "."), target, "native", **verdict)

    return record


def cells(recording: Recording, clause: str) -> list[Node]:
    recording.report()
    return recording.page("clauses.html").with_id(clause).find("td")


def cell(recording: Recording, clause: str) -> Node:
    (found,) = cells(recording, clause)
    return found


def test_a_clause_whose_cases_all_passed_is_kept_and_leads_to_the_first(recording: Recording, ran: Run) -> None:
    ran(F_1_1={}, F_1_2={}, F_1_3={})
    found = cell(recording, "6455-5.1-1")
    assert (found.text, found.attributes) == ("kept", {})
    assert [link.attributes["href"] for link in found.find("a")] == ["cases/F.1.1.html#1"]


def test_how_many_of_its_cases_passed_is_said_where_not_all_were_run(recording: Recording, ran: Run) -> None:
    ran(F_1_2={}, F_1_3={})
    found = cell(recording, "6455-5.1-1")
    assert found.text == "kept 2 of 3"
    assert found.attributes["title"] == "2 of 3 cases run: 2 passed"
    assert found.find("a")[0].attributes["href"] == "cases/F.1.2.html#1"


def test_a_clause_none_of_whose_cases_was_run_says_so_and_leads_nowhere(recording: Recording, ran: Run) -> None:
    ran(_1_1_1={})
    found = cell(recording, "6455-5.1-1")
    assert (found.text, found.find("a")) == ("not run", [])


def test_one_case_that_failed_breaks_it_whatever_else_passed(recording: Recording, ran: Run) -> None:
    ran(F_1_1={}, F_1_2=FAILED, F_1_3=WRONG_CODE)
    found = cell(recording, "6455-5.1-1")
    assert found.text == "broken: F.1.2 , F.1.3"
    assert found.attributes == {"class": "f", "title": "3 of 3 cases run: 1 passed, 2 failed"}
    assert [link.attributes["href"] for link in found.find("a")] == ["cases/F.1.2.html#1", "cases/F.1.3.html#1"]


def test_of_many_that_failed_three_are_named(recording: Recording, ran: Run) -> None:
    ran(_5_1=FAILED, _5_2=FAILED, F_7_1=FAILED, F_7_2=FAILED, F_7_3=FAILED)
    assert cell(recording, "6455-5.4-1").text == "broken: 5.1 , 5.2 , F.7.1 and 2 more"


def test_a_known_deviation_is_broken_all_the_same_and_marked(recording: Recording, ran: Run) -> None:
    known = Deviation(cases=["F.1.1", "F.1.2"], behavior=Behavior.FAILED, reason="Old.")
    recording.target("echo", "native", deviations=[known])
    recording.target("other", "native", deviations=[known])
    ran(F_1_1=FAILED, F_1_2=FAILED, F_1_3={})
    ran("other", F_1_1=FAILED, F_1_2={}, F_1_3=FAILED)
    one, other = cells(recording, "6455-5.1-1")
    assert (one.text, one.attributes["class"]) == ("broken (known): F.1.1 , F.1.2", "k")
    assert (other.text, other.attributes["class"]) == ("broken: F.1.1 (known), F.1.3", "f")


@pytest.mark.parametrize(
    ("clause", "case", "words"),
    [("6455-5.1-1", "F_1_1", "not strictly: F.1.1"), ("6455-7.1.1-1", "F_6_1", "not kept: F.6.1")],
)
def test_non_strict_breaks_no_must_and_is_a_should_that_is_not_kept(
    recording: Recording, ran: Run, clause: str, case: str, words: str
) -> None:
    ran(**{case: NON_STRICT})
    found = cell(recording, clause)
    assert (found.text, found.attributes["class"]) == (words, "n")


def test_a_should_one_of_whose_cases_failed_is_broken(recording: Recording, ran: Run) -> None:
    ran(F_6_1=FAILED, F_6_2=NON_STRICT)
    assert cell(recording, "6455-7.1.1-1").text == "broken: F.6.1"


def test_a_may_is_neither_kept_nor_broken(recording: Recording, ran: Run) -> None:
    ran(F_1_1=FAILED)
    ran("other", F_1_1={}, F_1_4={})
    assert [found.text for found in cells(recording, "6455-5.1-2")] == ["a case failed: F.1.1", "passed"]


def test_what_is_unimplemented_or_informational_alone_is_called_so(recording: Recording, ran: Run) -> None:
    ran(F_6_1=UNIMPLEMENTED, F_6_2=UNIMPLEMENTED)
    ran("other", F_6_1=INFORMATIONAL, F_6_2=UNIMPLEMENTED)
    found = cells(recording, "6455-7.1.1-1")
    assert [(one.text, one.attributes["class"]) for one in found] == [("not implemented", "u"), ("informational", "i")]


def test_what_is_unimplemented_is_no_evidence_that_a_clause_is_kept(recording: Recording, ran: Run) -> None:
    ran(F_6_1=UNIMPLEMENTED, F_6_2={})
    found = cell(recording, "6455-7.1.1-1")
    assert found.text == "kept 1 of 2"
    assert found.attributes["title"] == "2 of 2 cases run: 1 unimplemented, 1 passed"


def test_a_lost_case_keeps_nothing(recording: Recording, ran: Run) -> None:
    recording.target("echo", "native", lost=[Lost(case="F.1.1", reason="It died.")])
    ran(F_1_2={}, F_1_3={})
    found = cell(recording, "6455-5.1-1")
    assert found.text == "lost: F.1.1"
    assert found.attributes == {"class": "l", "title": "2 of 3 cases run: 2 passed, 1 lost"}


def test_limit_probes_count_with_the_cases_of_their_implementation(recording: Recording, ran: Run) -> None:
    ran(_9_1_1={})
    recording.probe("L.1.1", verdict=ProbeVerdict.NOT_ENFORCED)
    found = cell(recording, "6455-10.4-1")
    assert found.text == "broken: L.1.1"
    assert found.find("a")[0].attributes["href"] == "limits/L.1.1.html#1"


def test_a_run_of_limit_probes_alone_has_the_page_too(recording: Recording) -> None:
    recording.probe("L.1.1")
    assert cell(recording, "6455-10.4-1").text == "kept 1 of 2"


def test_both_engines_have_a_column(recording: Recording) -> None:
    recording.result("9.1.1", engine="autobahn")
    recording.result("9.1.1", engine="native", **FAILED)
    assert [found.text for found in cells(recording, "6455-10.4-1")] == ["kept 1 of 2", "broken: 9.1.1"]
    heads = recording.page("clauses.html").having("table", "What RFC 6455 10.4 asks for").find("thead")[0].find("th")
    assert [head.text for head in heads] == ["Clause", "echo autobahn", "echo native"]


def test_what_could_not_be_run_has_a_column_of_its_own(recording: Recording, ran: Run) -> None:
    ran(F_1_1={}, F_1_2={}, F_1_3={})
    recording.target("never", "native", error="It exited.", expected=3)
    assert [found.text for found in cells(recording, "6455-5.1-1")] == ["kept", "not run"]


def test_a_clause_that_has_no_case_says_why(recording: Recording, ran: Run) -> None:
    ran(F_1_1={})
    ran("other", F_1_1={})
    recording.report()
    page = recording.page("clauses.html")
    texts = {}
    for clause in ("6455-7.1.1-2", "6455-10.6-1"):
        (found,) = page.with_id(clause).find("td")
        assert found.attributes["colspan"] == "2"
        texts[clause] = found.text
    assert texts["6455-7.1.1-2"] == "Untested: it could be seen from outside, but no case tests it."
    assert texts["6455-10.6-1"] == "Cannot be seen from outside: Nobody <i>sees</i> it."
    assert "7 clauses that speak of a server: 5 have cases, 1 has none, and 1 cannot be seen from outside" in page.text


def test_sums_up_for_each_implementation_what_is_a_must_or_a_should(recording: Recording, ran: Run) -> None:
    known = Deviation(cases=["9.1.1"], behavior=Behavior.FAILED, reason="Old.")
    recording.target("echo", "native", deviations=[known])
    ran(F_1_1={}, F_1_2={}, F_1_3={}, F_1_4=FAILED, _5_1=FAILED, F_6_1=NON_STRICT, _9_1_1=FAILED)
    ran("other", F_1_1={}, F_6_1=UNIMPLEMENTED, F_7_1=INFORMATIONAL)
    recording.targets["other", "native"]["lost"] = [Lost(case="9.1.1", reason="It died.")]
    recording.report()
    table = recording.page("clauses.html").having("table", "Of the 4 that are a MUST or a SHOULD")
    head = [cell.text for cell in table.find("thead")[0].find("th")]
    assert dict(zip(head, row_of(table, "echo"), strict=True)) == {
        "Implementation": "echo", "Tested": "4", "Kept": "1", "Broken": "2", "of which known": "1",
        "Not kept, not strictly": "1", "Informa\xadtional": "0", "Not implemented": "0", "Lost": "0", "Not run": "0",
    }  # fmt: skip
    assert row_of(table, "other") == ["other", "2", "1", "0", "0", "0", "1", "1", "1", "0"]


def test_what_is_broken_catches_the_eye_in_the_sums_unless_all_of_it_is_known(recording: Recording, ran: Run) -> None:
    known = Deviation(cases=["9.1.1"], behavior=Behavior.FAILED, reason="Old.")
    for target, verdicts in (("echo", {"_9_1_1": FAILED, "_5_1": FAILED}), ("other", {"_9_1_1": FAILED})):
        recording.target(target, "native", deviations=[known])
        ran(target, **verdicts)
    recording.report()
    rows = recording.page("clauses.html").having("table", "Of the 4 that are").find("tbody")[0].find("tr")
    assert [row.find("td")[2].attributes["class"] for row in rows] == ["num f", "num k"]


def test_a_row_can_be_found_by_what_is_wrong_with_it(recording: Recording, ran: Run) -> None:
    ran(F_1_1={}, F_6_1=FAILED, _5_1=NON_STRICT, _9_1_1={})  # 9.1.1 was not run by the other one
    ran("other", F_1_1={}, F_6_1=FAILED, _5_1={})
    recording.report()
    page = recording.page("clauses.html")
    found = {name: page.with_id(name).attributes.get("data-f") for name in CASES}
    assert found == {
        "6455-5.1-1": None, "6455-5.1-2": None, "6455-5.4-1": "fd", "6455-7.1.1-1": "f", "6455-7.1.1-2": "u",
        "6455-10.4-1": None, "6455-10.6-1": "u",
    }  # fmt: skip


def test_a_case_leads_to_its_clauses_and_to_the_sections_that_it_rests_on(recording: Recording, ran: Run) -> None:
    ran(F_1_1={}, _1_1_1={})
    recording.evidence("F.1.1", engine="native", clauses=["RFC 6455 5.1", "RFC 6455 5.3"])
    recording.report()
    page = recording.page("cases/F.1.1.html")
    listed = page.having("details", "Tests 2 clauses")
    assert [item.text for item in listed.find("li")] == [
        "MUST A server does 6455-5.1-1 & <b>more</b>. RFC 6455 5.1",
        "MAY A server does 6455-5.1-2 & <b>more</b>. RFC 6455 5.1",
    ]
    anchors = [link.attributes["href"] for link in listed.find("a")]
    assert anchors == ["../clauses.html#6455-5.1-1", "../clauses.html#6455-5.1-2"]
    assert page.find("a", href="../clauses.html#6455-5.1")[0].text == "RFC 6455 5.1"
    assert not recording.page("cases/1.1.1.html").find("details", **{"class": "tests"})


def test_no_text_becomes_markup(recording: Recording) -> None:
    recording.result("F.1.1", HOSTILE, "native")
    recording.report()
    page = recording.page("clauses.html")
    assert "A server does 6455-5.1-1 & <b>more</b>." in page.with_id("6455-5.1-1").text
    assert not page.find("i")
    assert {script.attributes.get("src") for script in page.find("script")} == {"static/report.js"}
    assert "<script>window.__pwned=1</script>" in page.with_id("6455-5.1").text


def test_a_run_without_a_target_has_no_such_page(recording: Recording) -> None:
    recording.report()
    assert not (recording.folder / "report" / "clauses.html").exists()


def test_every_section_of_the_real_clauses_has_its_title() -> None:
    sources = {clause.source for clause in clauses()}
    assert sources == set(SECTIONS_OF_RFCS)
    assert {source.split()[1] for source in sources} == set(RFCS)
