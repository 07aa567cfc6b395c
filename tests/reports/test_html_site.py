"""The pages beside the matrix: what differs from an earlier run, both engines, and how the run came about."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.synthetic_run import case_ids, write_run
from harness.cases import catalogue
from harness.crosscheck import Comparison, Difference, save
from harness.results import (
    Behavior,
    BehaviorClose,
    Deviation,
    Evidence,
    Implementation,
    Lost,
    Machine,
    Part,
    ProbeVerdict,
    Selection,
    WireEvent,
)
from reports import ReportError, write_report
from reports._text import clause_link, with_clauses
from reports._wire import wire_rows
from tests.reports.recording import FAILED, WRONG_CODE, Node, Recording, parsed, row_of

OK = (Behavior.OK, BehaviorClose.OK)
BAD = (Behavior.FAILED, BehaviorClose.OK)


def pages_in(page: Node) -> list[str]:
    return [link.attributes["href"] for link in page.find("nav")[0].find("a")]


def test_the_navigation_has_the_pages_that_exist_and_no_others(recording: Recording) -> None:
    recording.result("1.1.1")
    overview = recording.report()
    assert pages_in(overview) == ["index.html", "matrix.html", "about.html"]
    assert [link.text for link in overview.find("a", **{"aria-current": "page"})] == ["Overview"]
    assert pages_in(recording.page("cases/1.1.1.html")) == ["../index.html", "../matrix.html", "../about.html"]


def test_the_overview_has_the_limits_beside_each_engines_counts(recording: Recording) -> None:
    for engine in ("autobahn", "native"):
        recording.result("1.1.1", engine=engine)
    known = Deviation(cases=["L.1.2"], verdict=ProbeVerdict.LATE, reason="Slow.")
    recording.target("echo", "limits", deviations=[known])
    recording.probe("L.1.1")
    recording.probe("L.1.2", verdict=ProbeVerdict.LATE)
    recording.probe("L.1.3", verdict=ProbeVerdict.NOT_ENFORCED)
    recording.result("1.1.1", "without")
    table = recording.report().with_id("implementations")
    rows = [[cell.text for cell in row.walk() if cell.tag in {"th", "td"}] for row in table.find("tr")[1:]]
    assert [(row[0], row[4], row[13:15]) for row in rows] == [
        ("echo", "autobahn", ["1 of 3", "2 (1 known)"]),
        ("echo", "native", ["1 of 3", "2 (1 known)"]),
        ("without", "autobahn", ["", ""]),
    ]


def test_the_overview_marks_what_fails_and_what_is_incomplete(recording: Recording) -> None:
    recording.result("1.1.1", "good")
    recording.result("1.1.1", "bad", **FAILED)
    recording.target("cut", lost=[Lost(case="1.1.2", reason="It died.")])
    recording.result("1.1.1", "cut")
    recording.result("1.1.1", "leaky")
    recording.probe("L.1.1", "leaky", ProbeVerdict.CRASHED)
    rows = recording.report().with_id("implementations").find("tbody")[0].find("tr")
    assert [row.attributes.get("data-f") for row in rows] == [None, "f", "i", "f"]


def test_one_implementation_finds_what_failed_on_the_overview(recording: Recording) -> None:
    recording.result("1.1.1", **FAILED)
    recording.evidence("1.1.1", outcome="It was silent.")
    overview = recording.report()
    assert not overview.find("form")
    finding = overview.having("li", "It was silent.")
    assert finding.find("a")[0].attributes["href"] == "cases/1.1.1.html#1"
    assert "wsconform run echo" in finding.text


def test_many_implementations_have_their_failures_on_their_own_pages(recording: Recording) -> None:
    for number in range(5):
        recording.result("1.1.1", f"echo-{number}", **FAILED)
    assert "What failed" not in recording.report().text


@pytest.fixture
def earlier(tmp_path: Path) -> Recording:
    earlier = Recording(tmp_path / "earlier")
    earlier.run["id"] = "the-last-one"
    return earlier


def test_a_regression_since_the_last_run_catches_the_eye(recording: Recording, earlier: Recording) -> None:
    earlier.target(implementation=Implementation(version="1.0"))
    recording.target(implementation=Implementation(version="1.1"))
    for case, then, now in (("1.1.1", {}, FAILED), ("1.1.2", WRONG_CODE, {}), ("2.1", {}, {}), ("7.1.1", None, {})):
        if then is not None:
            earlier.result(case, **then)
        recording.result(case, **now)
    earlier.result("gone.1")
    overview = recording.report(since=earlier.save())
    assert overview.having("p", "1 regression").attributes["class"] == "banner f regressed"
    counts, listed = (overview.having("table", words) for words in ("How many verdicts", "Each case that changed"))
    assert row_of(counts, "echo") == ["echo", "autobahn", "1", "1", "0", "1", "1"]
    assert [[cell.text for cell in row.walk() if cell.tag in {"th", "td"}] for row in listed.find("tr")[1:]] == [
        ["1.1.1", "echo autobahn", "regression", "OK, OK", "FAILED, OK"],
        ["1.1.2", "echo autobahn", "fix", "OK, WRONG CODE", "OK, OK"],
        ["7.1.1", "echo autobahn", "appeared", "not asked", "OK, OK"],
        ["gone.1", "echo autobahn", "vanished", "OK, OK", "not asked"],
    ]
    assert [link.attributes["href"] for link in listed.find("a")] == [
        "cases/1.1.1.html#1", "cases/1.1.2.html#1", "cases/7.1.1.html#1",
    ]  # fmt: skip
    assert "echo was 1.0 and is 1.1" in overview.text
    assert "1 verdict is the same" in overview.text


def test_many_changes_are_on_a_page_of_their_own(recording: Recording, earlier: Recording) -> None:
    for number in range(30):
        earlier.result(f"1.1.{number}", **FAILED)
        recording.result(f"1.1.{number}")
    overview = recording.report(since=earlier.save())
    assert len(overview.having("table", "Each case that changed").find("tr")) == 21
    assert overview.find("a", href="changes.html")
    assert "regression" not in [node.attributes.get("class") for node in overview.find("p")]
    changes = recording.page("changes.html").having("table", "Each case that changed")
    assert len(changes.find("tr")) == 31


def test_probes_and_losses_are_compared_too(recording: Recording, earlier: Recording) -> None:
    earlier.result("1.1.1")
    recording.target(lost=[Lost(case="1.1.1", reason="It died.")])
    earlier.probe("L.1.1")
    recording.probe("L.1.1", verdict=ProbeVerdict.LATE)
    listed = recording.report(since=earlier.save()).having("table", "Each case that changed")
    assert row_of(listed, "1.1.1")[2:] == ["regression", "OK, OK", "LOST"]
    assert row_of(listed, "L.1.1")[2:] == ["regression", "ENFORCED", "LATE"]
    assert listed.find("a", href="limits/L.1.1.html#1")


def test_nothing_differs_from_the_same_run(recording: Recording) -> None:
    recording.result("1.1.1")
    overview = recording.report(since=recording.save())
    assert "1 verdict is the same, and none differs." in overview.text
    assert not overview.find("p", **{"class": "banner f regressed"})


def test_an_earlier_run_that_is_none_is_refused(recording: Recording, tmp_path: Path) -> None:
    recording.result("1.1.1")
    with pytest.raises(ReportError, match=r"is .* the folder of a run"):
        recording.report(since=tmp_path)


def test_without_an_earlier_run_the_page_of_changes_goes(recording: Recording) -> None:
    recording.result("1.1.1")
    recording.report(since=recording.save())
    changes = recording.folder / "report" / "changes.html"
    assert changes.is_file()
    recording.report()
    assert not changes.exists()


def test_the_engines_are_compared_where_a_target_has_both(recording: Recording) -> None:
    for engine in ("autobahn", "native"):
        recording.result("1.1.1", engine=engine)
        recording.result("1.1.2", engine=engine, **(FAILED if engine == "native" else {}))
        recording.result("1.1.1", "other", engine="native")
    recording.report()
    page = recording.page("crosscheck.html")
    summary, differences = page.find("table")
    assert row_of(summary, "echo") == ["echo", "2", "1", "0", "0", "1"]
    assert "other" not in summary.text
    assert row_of(differences, "1.1.2")[1:4] == ["OK / OK", "FAILED / OK", "disagree"]
    assert differences.find("a", href="cases/1.1.2.html")
    assert "wsconform crosscheck repeats what differs" in page.text


def test_what_crosscheck_settled_is_told_instead(recording: Recording) -> None:
    for engine in ("autobahn", "native"):
        recording.result("1.1.1", engine=engine, **(FAILED if engine == "native" else {}))
    differences = [
        Difference("1.1.1", (OK,), (BAD,), "It is stricter."),
        Difference("2.1", (OK, BAD), (BAD,)),
        Difference("3.1", (OK,), (BAD,)),
    ]
    save(recording.folder, [Comparison("echo", 9, differences), Comparison("elsewhere", 1)])
    recording.report()
    page = recording.page("crosscheck.html")
    summary, listed = page.find("table")
    assert row_of(summary, "echo") == ["echo", "9", "6", "1", "1", "1"]
    assert "elsewhere" not in page.text
    assert [row.find("th")[0].text for row in listed.find("tr")[1:]] == ["3.1", "2.1", "1.1.1"]
    assert row_of(listed, "2.1")[1:4] == ["OK / OK, then FAILED / OK", "FAILED / OK", "varies"]
    assert row_of(listed, "1.1.1")[3:] == ["on purpose", "It is stricter."]
    assert "repeats what differs" not in page.text


def test_one_engine_has_no_crosscheck(recording: Recording) -> None:
    recording.result("1.1.1")
    save(recording.folder, [Comparison("echo", 1, [Difference("1.1.1", (OK,), (BAD,))])])
    recording.report()
    assert not (recording.folder / "report" / "crosscheck.html").exists()


def facts(page: Node) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in page.find("dl"):
        terms = [node for node in one.children if isinstance(node, Node)]
        found |= {term.text: text.text for term, text in zip(terms[::2], terms[1::2], strict=True)}
    return found


def test_the_page_about_the_run_says_what_could_explain_a_difference(recording: Recording) -> None:
    selection = Selection(cases=["6.*", "7.*"], exclude=["6.4.*"], count=9, jobs=3, profile="quick", shard="2/4")
    recording.run |= {
        "selection": selection,
        "finished_at": "2026-11-23T09:01:05Z",
        "strict": True,
        "allow_stale": True,
        "baseline": "expected.toml",
        "versions": {"python": "3.11.7"},
    }
    recording.target(restarts=2, unexplained=["It exited with signal 11 in 6.1.1."], seconds=7.25)
    recording.result("6.1.1")
    recording.report()
    page = recording.page("about.html")
    assert facts(page) == {
        "Run": "20261123-080000",
        "State": "complete, exit code 1 (it was 0 when it ran)",
        "Started": "2026-11-23T08:00:00Z",
        "Finished": "2026-11-23T09:01:05Z",
        "Took": "1:01:05",
        "Machine": "Linux, x86_64, 2 processors, 8.0 GiB of memory",
        "Cases": "9",
        "Patterns": "6.*, 7.*",
        "Excluded": "6.4.*",
        "Shard": "2/4",
        "Profile": "quick",
        "At a time": "3",
        "Strict": "yes: NON-STRICT fails",
        "Stale deviations": "only warn",
        "Deviations from": "expected.toml",
    }
    assert row_of(page, "python") == ["python", "3.11.7"]
    assert row_of(page.with_id("asked"), "echo")[4:] == ["1", "1", "0", "0", "2", "1", "7.2"]
    assert "echo: It exited with signal 11 in 6.1.1." in [item.text for item in page.find("li")]


@pytest.mark.parametrize("finished", [None, "yesterday", "2026-11-23T09:00:00"])
def test_no_duration_is_told_of_a_run_whose_times_do_not_say_one(recording: Recording, finished: str | None) -> None:
    recording.run["finished_at"] = finished
    recording.result("1.1.1")
    recording.report()
    assert "Took" not in facts(recording.page("about.html"))


def test_a_merged_run_names_its_parts(recording: Recording) -> None:
    machine = Machine(system="Linux", architecture="arm64", cpus=1, memory_bytes=1 << 30)
    recording.run["parts"] = [
        Part(
            id=f"part-{number}",
            state="complete",
            started_at="2026-11-23T08:00:00Z",
            versions={"python": "3.13.1"},
            machine=machine,
            selection=Selection(cases=["*"], count=5, jobs=2, shard=f"{number}/2"),
        )
        for number in (1, 2)
    ]
    recording.result("1.1.1")
    recording.report()
    table = recording.page("about.html").having("table", "2 parts")
    assert row_of(table, "part-2") == [
        "part-2", "complete", "2026-11-23T08:00:00Z", "not recorded", "*, shard 2/2: 5 cases, 2 at a time, full",
        "Linux, arm64, 1 processor, 1.0 GiB of memory", "python 3.13.1",
    ]  # fmt: skip


def test_the_clauses_of_a_case_are_links_to_the_rfc(recording: Recording) -> None:
    recording.result("1.1.1")
    recording.evidence("1.1.1", clauses=["RFC 6455 5.4", "RFC 6455"], expected="A pong (RFC 6455 5.5.3).")
    recording.report()
    page = recording.page("cases/1.1.1.html")
    rfc = "https://www.rfc-editor.org/rfc/rfc6455#section-"
    assert page.find("a", href=f"{rfc}5.4")[0].text == "RFC 6455 5.4"
    assert page.find("a", href=f"{rfc}5.5.3")[0].text == "RFC 6455 5.5.3"
    assert facts(page)["Rests on"] == "RFC 6455 5.4 , RFC 6455"


@pytest.mark.parametrize(
    ("clause", "place"),
    [
        ("RFC 6455 5.4", "rfc6455#section-5.4"),
        ("RFC 7692 8", "rfc7692#section-8"),
        ("RFC 6455, section 10.4", "rfc6455#section-10.4"),
        ("RFC 6455", None),
        ("RFC 6455 5.4.", None),
        ('RFC 6455 5"><script>', None),
        ("RFC 99999 1", None),
    ],
)
def test_only_a_clause_is_a_link(clause: str, place: str | None) -> None:
    assert clause_link(clause) == (place and f"https://www.rfc-editor.org/rfc/{place}")


def test_what_stands_around_a_clause_is_escaped() -> None:
    told = with_clauses("<b>\u202e RFC 6455 5.4. Then RFC 6455 is 1000")
    assert str(told) == (
        "&lt;b&gt;\u27e8U+202E\u27e9 "
        '<a href="https://www.rfc-editor.org/rfc/rfc6455#section-5.4" rel="noreferrer noopener">RFC 6455 5.4</a>'
        ". Then RFC 6455 is 1000"
    )


def test_octets_are_left_out_before_frames() -> None:
    octets = WireEvent(kind="octets", direction="sent", length=1, data="00")
    frame = WireEvent(kind="frame", direction="received", opcode=9)
    rows = wire_rows([octets, frame] * 8, most=12)
    assert [row.what for row in rows] == ["ping"] * 8 + ["left out"]
    assert rows[-1].text == "8 rows of octets; all are in evidence.jsonl"
    assert [row.what for row in wire_rows([octets] * 8, most=12, with_octets=False)] == ["octets"] * 8
    assert [row.what for row in wire_rows([octets, frame], with_octets=False)] == ["ping", "left out"]
    assert len(wire_rows([octets, *[frame] * 40], most=12)) == 13


def test_among_very_many_a_pass_is_told_in_short_and_all_else_in_full(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports._wire.BUDGET", 1)
    request = "GET / HTTP/1.1\r\n\r\n"
    wire = [
        WireEvent(kind="octets", direction="sent", length=1, data="8100"),
        WireEvent(kind="frame", direction="sent", opcode=1, length=0),
    ]
    for target, verdict in (("good", {}), ("bad", FAILED), ("lenient", {"behavior": Behavior.NON_STRICT})):
        recording.result("1.1.1", target, **verdict)
        recording.evidence("1.1.1", target, request=request, wire=wire)
        recording.probe("L.1.1", target, ProbeVerdict.LATE if verdict else ProbeVerdict.ENFORCED)
        recording.evidence("L.1.1", target, "limits", request=request, wire=wire)
    recording.report()
    for path in ("cases/1.1.1.html", "limits/L.1.1.html"):
        page = recording.page(path)
        for anchor in ("1", "2", "3"):
            entry = page.with_id(anchor)
            in_full = anchor != "1"
            assert ("GET / HTTP/1.1" in entry.text) == in_full, (path, anchor)
            assert bool(entry.find("tr", **{"class": "s o"})) == in_full
            assert ("Repeat it alone" in entry.text) == in_full
            assert entry.find("tr", **{"class": "s"})


def test_a_large_run_is_reported_within_its_budget(tmp_path: Path) -> None:
    """Three implementations of forty cases, of the generator that the benchmark uses for thirty of seven hundred."""
    probes = ["L.1.1", "L.1.2", "L.8.1"]
    write_run(tmp_path / "run", targets=3, cases=case_ids(40), limit_probes=probes)
    index = write_report(tmp_path / "run")
    assert len(parsed(index).with_id("implementations").find("tbody")[0].find("tr")) == 3
    for folder, count in (("cases", 40), ("limits", 3), ("implementations", 3)):
        assert len(list((index.parent / folder).iterdir())) == count
    lines = (tmp_path / "run" / "evidence.jsonl").read_text().splitlines()
    evidence = [Evidence.model_validate_json(line) for line in lines]
    assert len(evidence) == 3 * 43 - 2  # two are lost
    of_a_case = [len(one.wire) for one in evidence if one.engine == "native"]
    assert sorted(of_a_case)[len(of_a_case) // 2] == 12
    assert "12.1.1" in case_ids(517)
    ids = case_ids(len(catalogue()) + 100)
    assert len(set(ids)) == len(ids)  # what is made up is none of those that there are
    assert all(case.startswith("H.") for case in ids[-100:])


def test_what_merely_appeared_does_not_hide_what_changed(recording: Recording, earlier: Recording) -> None:
    earlier.result("7.1.1")
    recording.result("7.1.1", **FAILED)
    for number in range(30):
        recording.result(f"1.1.{number}")
    listed = recording.report(since=earlier.save()).having("table", "Each case that changed")
    assert [row.find("th")[0].text for row in listed.find("tr")[1:]] == ["7.1.1"]


def test_what_did_not_pass_comes_first_on_the_page_of_a_case(recording: Recording) -> None:
    for target, verdict in (("a", {}), ("b", FAILED), ("c", {}), ("d", WRONG_CODE)):
        recording.result("1.1.1", target, **verdict)
    recording.report()
    names = [
        entry.find("b")[0].text for entry in recording.page("cases/1.1.1.html").find("details", **{"class": "box"})
    ]
    assert names == ["b", "d", "a", "c"]
