"""The report of a real run, as somebody walks through it: five implementations, both engines, limits, a run before."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from bench.synthetic_run import case_ids, write_run
from harness.manifest import cache_folder
from reports import write_report
from tests.reports.axe import violations
from tests.reports.browser import UNFOLD, Opened, launched, opened
from tests.support import ROOT, Command

pytestmark = [pytest.mark.site, pytest.mark.timeout(900)]

NAMES = ("refimpl", "python-websockets", "aiohttp", "picows", "ws")
#: Autobahn's without compression, some of ours, some probes: enough for every kind of page, in half the time.
CASES = [
    *(f"{number}.*" for number in (1, 2, 3, 4, 5, 6, 7, 9, 10)),
    *("F.3.*", "F.5.*", "H.4.*", "H.5.*"),
    *("L.1.*", "L.4.1", "L.7.*"),
]
SCREENSHOTS = ROOT / "build" / "screenshots"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, real_wstest: Path) -> Path:
    """Run them, merge it with a crosscheck of one, and write the report beside what is said to be an earlier run."""
    command = Command(tmp_path_factory.mktemp("site"), real_wstest, engine="native")
    command.environment["WSCONFORM_CACHE"] = str(cache_folder())
    cases = [word for pattern in CASES for word in ("--cases", pattern)]
    for arguments in (
        ("compare", *NAMES, *cases, "--output", "compared"),
        ("crosscheck", "refimpl", "--cases", "1.*", "--cases", "2.*", "--cases", "7.*", "--output", "crosschecked"),
        ("merge", "compared", "crosschecked", "--output", "run"),
    ):
        done = command(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
    make_earlier(command.folder / "compared", command.folder / "earlier")
    done = command("report", "run", "--since", "earlier")
    assert done.returncode == 0, done.stderr
    return command.folder / "run" / "report"


def make_earlier(folder: Path, earlier: Path) -> None:
    """A copy in which 3.1 passes everywhere, so that it is a regression of who fails it, and 1.1.1 fails everywhere."""
    shutil.copytree(folder, earlier)
    lines = [json.loads(line) for line in (earlier / "results.jsonl").read_text().splitlines()]
    for line in lines:
        if line["case"] == "3.1":
            line.update(behavior="OK", behaviorClose="OK")
        elif line["case"] == "1.1.1":
            line.update(behavior="FAILED")
    (earlier / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as engine, launched(engine) as chromium:
        yield chromium


def shot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


@pytest.fixture
def walk(browser: Browser, report: Path) -> Iterator[Opened]:
    with opened(browser, report, "index.html") as shown:
        yield shown


def test_a_walk_through_the_report(walk: Opened) -> None:
    page = walk.page
    rows = page.locator("#implementations tbody tr")
    expect(rows).to_have_count(6)  # refimpl has two engines
    # the overview: sort by failures, filter by language
    page.get_by_role("button", name="Failed", exact=True).click()
    page.get_by_role("button", name="Failed", exact=True).click()
    expect(rows.first.locator("th a")).to_have_text("picows")
    page.get_by_label("Find").fill("javascript")
    expect(rows.locator("visible=true")).to_have_count(1)
    page.get_by_label("Find").fill("")
    page.locator("#since").scroll_into_view_if_needed()
    expect(page.locator("main")).to_contain_text("regression")
    # the matrix: only failures, unfolded by the filter; then into a case
    page.get_by_role("link", name="Matrix", exact=True).click()
    expect(page.locator("#cases details").first).not_to_have_attribute("open", "")
    page.get_by_label("only failures").check()
    case = page.locator("#cases tbody th a", has_text="3.1").first
    expect(case).to_be_visible()
    page.get_by_role("button", name="Fold all", exact=True).click()
    expect(case).to_be_hidden()
    page.get_by_role("button", name="Unfold all").click()
    page.get_by_label("only differences").check()
    case.click()
    # the case: its sequence of frames, octets on demand, the clause
    expect(page.get_by_role("heading", level=1)).to_have_text("Case 3.1")
    expect(page.get_by_role("link", name="5.2").first).to_be_visible()
    octets = page.locator("tr.o")
    fold = page.locator("details.box", has_text="picows").first
    expect(fold.locator("table").first).to_be_visible()
    expect(fold.locator("tr.o").first).to_be_hidden()
    fold.get_by_label("Show octets").check()
    expect(fold.locator("tr.o").first).to_be_visible()
    assert octets.count() > 0
    # the implementation, its failures first
    page.get_by_role("link", name="Overview", exact=True).click()
    page.locator("#implementations").get_by_role("link", name="picows").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("picows")
    expect(page.locator("main")).to_contain_text("wsconform run picows --engine native --cases 3.1")
    # limits, a probe, the crosscheck, about
    page.get_by_role("link", name="Limits", exact=True).click()
    page.locator("#cases tbody th a", has_text="L.1.1").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Limit probe L.1.1")
    page.get_by_role("link", name="Crosscheck", exact=True).click()
    expect(page.locator("main")).to_contain_text("refimpl")
    page.get_by_role("link", name="About", exact=True).click()
    expect(page.locator("main")).to_contain_text("crosschecked")
    assert walk.complaints == []


def test_from_a_clause_to_the_case_that_broke_it_and_back(walk: Opened) -> None:
    page = walk.page
    page.get_by_role("link", name="Clauses", exact=True).click()
    broken = page.locator("[id='6455-5.2-2']")
    expect(broken).to_contain_text("broken")
    page.get_by_label("only without a case").check()
    expect(broken).to_be_hidden()
    expect(page.locator("#cases tbody tr:not([hidden])").first).to_contain_text("Cannot be seen from outside")
    page.get_by_label("only broken").check()
    broken.get_by_role("link", name="3.1", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Case 3.1")
    page.locator("details.tests").get_by_role("link").first.click()
    expect(page.locator("tr:target")).to_be_visible()
    assert walk.complaints == []


KINDS = {
    "overview": "index.html",
    "matrix": "matrix.html",
    "clauses": "clauses.html",
    "case": "cases/3.1.html",
    "case-of-ours": "cases/H.4.1.html",
    "implementation": "implementations/picows.html",
    "limits": "limits.html",
    "probe": "limits/L.1.1.html",
    "crosscheck": "crosscheck.html",
    "about": "about.html",
    "changes": "changes.html",
}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(("width", "scheme"), [(400, "light"), (400, "dark"), (1600, "light"), (1600, "dark")])
def test_every_kind_of_page_is_accessible_quiet_and_within_its_width(
    browser: Browser, report: Path, name: str, width: int, scheme: str
) -> None:
    options: dict[str, Any] = {"color_scheme": scheme, "bypass_csp": True, "width": width}
    with opened(browser, report, KINDS[name], **options) as shown:
        shot(shown.page, f"{name}-{width}-{scheme}")
        assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
        assert shown.complaints == []
        assert [found for found in violations(shown.page) if found.startswith(("critical", "serious"))] == []


@pytest.mark.parametrize("name", ["case", "case-of-ours", "implementation"])
def test_what_is_folded_is_accessible_too(browser: Browser, report: Path, name: str) -> None:
    with opened(browser, report, KINDS[name], bypass_csp=True) as shown:
        shown.page.evaluate(UNFOLD)
        shot(shown.page, f"{name}-unfolded")
        assert [found for found in violations(shown.page) if found.startswith(("critical", "serious"))] == []


def test_the_readme_has_a_picture_of_this(browser: Browser, report: Path) -> None:
    alone = report.parents[1] / "compared" / "report"  # without a run before it
    with opened(browser, alone, "index.html", width=1600, height=640) as shown:
        shot(shown.page, "readme")
    assert (ROOT / "docs" / "report.png").is_file()
    assert "(docs/report.png)" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_thirty_implementations_are_opened_filtered_and_sorted_without_lag(browser: Browser, tmp_path: Path) -> None:
    write_run(tmp_path / "run", targets=30, cases=case_ids(855))
    report = write_report(tmp_path / "run").parent
    assert (report / "clauses.html").stat().st_size < 1_000_000
    with opened(browser, report, "matrix.html") as shown:
        page = shown.page
        took = {"matrix opened": page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")}
        took["filtered"] = until_drawn(page, "document.querySelector('[name=show][value=f]').click()")
        took["unfolded"] = until_drawn(page, "document.querySelector('[data-fold=open]').click()")
        shot(page, "thirty-matrix")
        page.goto((report / "clauses.html").as_uri())
        took["clauses opened"] = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
        took["clauses filtered"] = until_drawn(page, "document.querySelector('[name=show][value=f]').click()")
        shot(page, "thirty-clauses")
        page.goto((report / "index.html").as_uri())
        took["sorted"] = until_drawn(page, "document.querySelector('#implementations th:nth-child(6) button').click()")
        shot(page, "thirty-overview")
        assert shown.complaints == []
    # some 0.4 s on an idle machine: the bound is for what has no bound at all
    assert max(took.values()) < 5000, took


def until_drawn(page: Page, action: str) -> float:
    """Milliseconds until what it did is on the screen."""
    script = f"""() => new Promise((done) => {{
      const began = performance.now();
      {action};
      requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
    }})"""
    return float(page.evaluate(script))
