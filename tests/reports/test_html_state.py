from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.results import (
    Behavior,
    BehaviorClose,
    Deviation,
    Lost,
)
from tests.reports.recording import FAILED, WRONG_CODE, Node, Recording, row_of


def headline(overview: Node) -> str:
    return overview.find("p", **{"class": "headline"})[0].text


def test_a_run_that_passed_everything_is_green(recording: Recording) -> None:
    recording.result("1.1.1")
    overview = recording.report()
    assert headline(overview) == "\u2713 Passed"
    assert overview.find("section", **{"class": "banner p"})


def lose(recording: Recording) -> None:
    recording.targets["echo", "autobahn"]["lost"] = [Lost(case="1.1.2", reason="it died")]


def miss(recording: Recording) -> None:
    recording.targets["echo", "autobahn"]["expected"] = 2


def interrupt(recording: Recording) -> None:
    recording.run["state"] = "interrupted"


def go_on(recording: Recording) -> None:
    recording.run["state"] = "running"


def add_one_that_never_starts(recording: Recording) -> None:
    recording.target("never", error="it exited", expected=1)


def add_one_that_has_no_case(recording: Recording) -> None:
    recording.target("idle", expected=0)


def leave_out_every_target(recording: Recording) -> None:
    (recording.folder / "results.jsonl").unlink()
    recording.targets.clear()


@pytest.mark.parametrize(
    "spoil", [lose, miss, interrupt, go_on, add_one_that_never_starts, add_one_that_has_no_case,
              leave_out_every_target],
)  # fmt: skip
def test_a_run_that_lacks_something_is_never_green(recording: Recording, spoil: Callable[[Recording], None]) -> None:
    recording.result("1.1.1")
    spoil(recording)
    overview = recording.report()
    assert headline(overview).startswith("! ")
    assert overview.find("section", **{"class": "banner l"})[0].find("li")


def test_lost_cases_are_listed_with_their_reason(recording: Recording) -> None:
    recording.target(lost=[Lost(case="6.4.1", reason="it exited with signal 11")])
    recording.result("1.1.1")
    overview = recording.report()
    assert row_of(overview.find("table")[0], "echo")[1] == "! incomplete"
    assert "6.4.1 it exited with signal 11" in [item.text for item in overview.find("li")]
    assert row_of(recording.page("matrix.html").with_id("cases"), "6.4.1") == ["6.4.1", "LOST no verdict"]
    assert "it exited with signal 11" in recording.page("implementations/echo.html").having("details", "Lost").text
    assert "it exited with signal 11" in recording.page("cases/6.4.1.html").text


def test_a_case_that_got_a_verdict_after_all_shows_it_and_the_contradiction(recording: Recording) -> None:
    recording.target(lost=[Lost(case="1.1.1", reason="it died")], expected=1)
    recording.result("1.1.1")
    overview = recording.report()
    assert row_of(recording.page("matrix.html").with_id("cases"), "1.1.1") == ["1.1.1", "OK OK 1000"]
    assert headline(overview) == "! Incomplete: 1 lost case"


def test_a_failure_is_red(recording: Recording) -> None:
    recording.result("1.1.1", **FAILED)
    overview = recording.report()
    assert headline(overview) == "\u2717 Failed: 1 unexpected failure"
    assert overview.find("section", **{"class": "banner f"})


@pytest.mark.parametrize(("strict", "words"), [(False, "\u2713 Passed"), (True, "\u2717 Failed: 1 unexpected failure")])
def test_non_strict_fails_a_strict_run_only(recording: Recording, strict: bool, words: str) -> None:
    recording.run["strict"] = strict
    recording.result("1.1.1", behavior_close=BehaviorClose.FAILED_BY_CLIENT)
    assert headline(recording.report()) == words


def test_results_of_a_target_that_run_json_does_not_know_are_shown(recording: Recording) -> None:
    recording.result("1.1.1", "early")
    recording.targets.clear()
    overview = recording.report()
    assert headline(overview) == "! Incomplete"
    assert "Not in run.json" in overview.find("table")[0].text
    assert row_of(recording.page("matrix.html").with_id("cases"), "1.1.1") == ["1.1.1", "OK OK 1000"]


def listed(recording: Recording) -> dict[str, list[str]]:
    table = recording.page("implementations/echo.html").having("table", "What its manifest lists")
    return {row.find("th")[0].text: row_of(table, row.find("th")[0].text) for row in table.find("tbody")[0].find("tr")}


def test_a_failure_that_is_known_passes_and_is_shown_with_reason_and_link(recording: Recording) -> None:
    recording.target(
        deviations=[
            Deviation(cases=["1.*"], behavior=Behavior.FAILED, reason="By design.", link="https://example.org/7")
        ]
    )
    recording.result("1.1.1", **FAILED)
    overview = recording.report()
    assert overview.find("p", **{"class": "headline"})[0].text == "\u2713 Passed: 1 known deviation"
    assert row_of(recording.page("matrix.html").with_id("cases"), "1.1.1") == ["1.1.1", "FAILED (known) OK 1000"]
    for page in ("cases/1.1.1.html", "implementations/echo.html"):
        known = recording.page(page).having("p", "By design.")
        assert known.find("a", href="https://example.org/7")


def test_a_failure_other_than_the_known_one_is_red(recording: Recording) -> None:
    recording.target(deviations=[Deviation(cases=["1.1.1"], behavior=Behavior.FAILED, reason="By design.")])
    recording.result("1.1.1", **WRONG_CODE)
    assert "\u2717 Failed: 1 unexpected failure" in recording.report().text
    assert listed(recording)["1.1.1"][1] == "other verdict"


def test_one_whose_cases_pass_is_stale(recording: Recording) -> None:
    def known(pattern: str) -> Deviation:
        return Deviation(cases=[pattern], behavior=Behavior.FAILED, reason="Old.")

    recording.target(deviations=[known("5.*"), known("1.1.1"), known("1.1.*"), known("1.1.2")])
    recording.result("1.1.1")
    recording.result("1.1.2", **FAILED)
    recording.report()
    states = {cases: row[1] for cases, row in listed(recording).items()}
    assert states == {"1.1.1": "stale", "1.1.*": "partly stale", "5.*": "not exercised", "1.1.2": "in use"}
    assert listed(recording)["1.1.*"][4:6] == ["1.1.2", "1.1.1"]


def test_a_stale_deviation_is_not_green(recording: Recording) -> None:
    """The gate fails on it, so the report may not look as if it had passed."""
    recording.target(deviations=[Deviation(cases=["1.*"], behavior=Behavior.FAILED, reason="Old.")])
    recording.result("1.1.1")
    overview = recording.report()
    assert headline(overview) == "\u2717 Failed: 1 stale known deviation"
    assert row_of(overview.find("table")[0], "echo")[1] == "\u2717 stale known deviations"


def test_a_case_that_another_deviation_explains_is_not_stale(recording: Recording) -> None:
    recording.target(
        deviations=[
            Deviation(cases=["1.*"], behavior=Behavior.FAILED, reason="Broad."),
            Deviation(cases=["1.1.1"], behavior=Behavior.NON_STRICT, reason="Narrow."),
        ]
    )
    recording.result("1.1.1", behavior=Behavior.NON_STRICT)
    recording.result("1.1.2", **FAILED)
    assert headline(recording.report()) == "\u2713 Passed: 1 known deviation"
