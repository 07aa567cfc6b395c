from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.reports.axe import violations
from tests.reports.browser import SHOW_OCTETS, UNFOLD, Opened, launched
from tests.reports.browser import opened as open_page
from tests.reports.recording import Recording

pytestmark = pytest.mark.browser

#: The lowest contrast of any text with what is behind it, and where (WCAG 2.2, 1.4.3).
CONTRAST = """() => {
  const numbers = (colour) => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d");
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  let worst = [99, ""];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility()) continue;
    let behind = element;
    while (behind && numbers(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
    const pair = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor]
      .map((colour) => luminance(numbers(colour))).sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    const name = `${element.tagName}.${element.className}: ${element.textContent.slice(0, 40)}`;
    if (ratio < worst[0]) worst = [ratio, name];
  }
  return worst;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as engine, launched(engine) as chromium:
        yield chromium


Open = Callable[..., contextlib.AbstractContextManager[Opened]]


@pytest.fixture
def opened(browser: Browser, rich: Recording) -> Open:
    return partial(open_page, browser, rich.folder / "report")


PAGES = (
    "index.html", "matrix.html", "clauses.html", "limits.html", "crosscheck.html", "changes.html", "about.html",
    "cases/6.4.1.html", "limits/L.4.1.html", "implementations/ws-localhost-9001.html",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [400, 880, 1600])
def test_opens_without_error_request_script_or_overflow(opened: Open, path: str, width: int) -> None:
    with opened(path, width=width) as shown:
        shown.page.evaluate(UNFOLD)
        shown.page.evaluate(SHOW_OCTETS)
        assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
        assert shown.page.evaluate("window.__pwned === undefined")
        assert shown.page.evaluate("getComputedStyle(document.querySelector('.scroll')).overflowX") == "auto"
        assert shown.complaints == []


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_its_ground(opened: Open, path: str, scheme: str) -> None:
    with opened(path, color_scheme=scheme) as shown:
        shown.page.evaluate(UNFOLD)
        shown.page.evaluate(SHOW_OCTETS)
        ground = shown.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == {"light": "rgb(251, 251, 250)", "dark": "rgb(20, 23, 26)"}[scheme]
        ratio, where = shown.page.evaluate(CONTRAST)
        assert ratio >= 4.5, where


def test_the_filters_work_by_keyboard(opened: Open) -> None:
    with opened("matrix.html") as shown:
        page = shown.page
        rows = page.locator("#cases tbody tr:not([hidden])")
        assert rows.count() == 4
        page.locator("input[name=show]").first.focus()
        page.keyboard.press("ArrowDown")
        assert page.locator("output").text_content() == "2 of 4 cases"  # 2.1 and 6.4.1
        page.keyboard.press("ArrowDown")
        assert page.locator("output").text_content() == "3 of 4 cases"
        assert rows.first.is_visible()
        assert page.locator("#s1").is_hidden()
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert not rows.first.is_visible()
        assert shown.complaints == []


def test_the_filters_work_on_the_probes_too(opened: Open) -> None:
    with opened("limits.html") as shown:
        shown.page.get_by_label("only failures").check()
        assert shown.page.locator("output").text_content() == "6 of 9 probes"  # L.1.3 to L.1.6, L.4.1 and L.8.1
        assert shown.page.locator("[id='sL.7']").is_hidden()
        assert shown.complaints == []


def test_a_link_to_a_probe_unfolds_its_family(opened: Open) -> None:
    with opened("limits.html") as shown:
        shown.page.get_by_role("button", name="Fold all", exact=True).click()
        row = shown.page.locator("[id='L.4.1']")
        assert row.is_hidden()
        shown.page.locator("figure a", has_text="L.4.1").click()
        row.wait_for(state="visible")
        assert shown.complaints == []


def test_plots_have_a_name_and_no_mark_outside(opened: Open) -> None:
    with opened("limits.html", width=400) as shown:
        plots = shown.page.get_by_role("img", name="octets taken in before the refusal")
        assert plots.count() == 1
        outside = """(svg) => [...svg.querySelectorAll("path, text")].filter((one) => {
          const [inner, outer] = [one.getBoundingClientRect(), svg.getBoundingClientRect()];
          return inner.left < outer.left || inner.right > outer.right
            || inner.top < outer.top || inner.bottom > outer.bottom;
        }).map((one) => one.outerHTML)"""
        for plot in shown.page.get_by_role("img").all():
            assert plot.evaluate(outside) == []


@pytest.mark.parametrize("path", PAGES)
def test_the_navigation_names_the_page_and_stays_in_its_bar(opened: Open, path: str) -> None:
    with opened(path, width=400) as shown:
        navigation = shown.page.get_by_role("navigation", name="Report")
        assert navigation.get_by_role("link").all_text_contents() == [
            "Overview", "Matrix", "Clauses", "Limits", "Crosscheck", "Changes", "About",
        ]  # fmt: skip
        current = navigation.locator("[aria-current=page]")
        names = {"index.html": "Overview"}
        expected = [names.get(path, path.removesuffix(".html").capitalize())] if "/" not in path else []
        assert current.all_text_contents() == expected
        bottoms = shown.page.evaluate(
            "[...document.querySelectorAll('.pages ul, .top')].map((e) => e.getBoundingClientRect().bottom)"
        )
        assert bottoms[0] >= bottoms[1]


def names_in(page: Page) -> list[str]:
    return page.locator("#implementations tbody tr:not([hidden]) th").all_text_contents()


def test_the_overview_is_sorted_by_keyboard(opened: Open) -> None:
    with opened("index.html") as shown:
        page = shown.page
        as_run = names_in(page)
        passed = page.get_by_role("button", name="Passed")
        head = page.get_by_role("columnheader", name="Passed")
        assert head.get_attribute("aria-sort") is None
        passed.focus()
        page.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == "ascending"
        column = page.locator("#implementations tbody tr td:nth-child(6)")
        assert column.all_text_contents() == ["0", "1", "1", "1", "2", "2"]
        page.keyboard.press("Space")
        assert head.get_attribute("aria-sort") == "descending"
        assert column.all_text_contents() == ["2", "2", "1", "1", "1", "0"]
        page.get_by_role("button", name="Language").press("Enter")
        assert head.get_attribute("aria-sort") is None
        assert page.locator("[aria-sort]").all_text_contents() == ["Language"]
        assert sorted(names_in(page)) == sorted(as_run)
        assert shown.complaints == []


def test_versions_are_sorted_as_people_count_them_and_numbers_as_numbers(opened: Open) -> None:
    """Of a table that is put in place of the page's own rows."""
    with opened("index.html") as shown:
        page = shown.page
        page.evaluate("""() => {
          const rows = [...document.querySelectorAll("#implementations tbody tr")].slice(0, 4);
          const versions = ["1.10.0", "1.9.1", "1.9.1-rc2", "0.12"];
          const seconds = ["10.5", "9.25", "1,000.0", ""];
          rows.forEach((row, index) => {
            row.cells[3].textContent = versions[index];
            row.cells[row.cells.length - 1].textContent = seconds[index];
          });
        }""")
        page.get_by_role("button", name="Version").click()
        versions = page.locator("#implementations tbody td:nth-child(4)").all_text_contents()
        assert [version for version in versions if version[0] in "01"] == ["0.12", "1.9.1", "1.9.1-rc2", "1.10.0"]
        page.get_by_role("button", name="Seconds").click()
        seconds = page.locator("#implementations tbody td:last-child").all_text_contents()
        assert seconds == ["0.0", "0.0", "9.25", "10.5", "1,000.0", ""]
        page.get_by_role("button", name="Seconds").click()
        seconds = page.locator("#implementations tbody td:last-child").all_text_contents()
        assert seconds == ["1,000.0", "10.5", "9.25", "0.0", "0.0", ""]


def test_the_overview_is_filtered_by_words_and_state(opened: Open) -> None:
    with opened("index.html") as shown:
        page = shown.page
        output = page.locator("output")
        assert output.text_content() == "6 of 6 rows"
        page.get_by_label("Find").focus()
        page.keyboard.type("ECHO c")
        assert set(names_in(page)) == {"echo"}
        assert page.locator("#implementations tbody tr:not([hidden]) td:nth-child(3)").first.text_content() == "C"
        page.get_by_label("Find").fill("nobody is called so")
        assert output.text_content() == "0 of 6 rows"
        assert page.get_by_text("None of the implementations").is_visible()
        page.get_by_label("Find").fill("")
        page.get_by_label("Show").select_option("failing")
        assert "never" in names_in(page)
        page.get_by_label("Show").select_option("incomplete")
        assert "never" in names_in(page)
        page.get_by_label("Show").select_option("all")
        assert output.text_content() == "6 of 6 rows"
        assert shown.complaints == []


@pytest.mark.parametrize("width", [400, 1600])
def test_an_arrow_points_to_who_received_the_frame(opened: Open, width: int) -> None:
    heads = """(cell) => ["left", "right"].filter((side) =>
      getComputedStyle(cell, "::after").getPropertyValue("border-" + side + "-width") !== "0px")"""
    with opened("cases/6.4.1.html", width=width) as shown:
        shown.page.evaluate(UNFOLD)
        shown.page.evaluate(SHOW_OCTETS)
        diagram = shown.page.locator(".wire").first
        sent, received, note = (diagram.locator(f"tr.{css} td:has(> b)").first for css in ("s.o", "r", "t"))
        # a triangle is the border of the side that it points away from
        assert sent.evaluate(heads) == ["left"]
        assert received.evaluate(heads) == ["right"]
        assert note.evaluate(heads) == []
        for cell in (sent, received):
            label, arrow = cell.locator("b").bounding_box(), cell.bounding_box()
            assert label
            assert arrow
            assert arrow["x"] < label["x"] < label["x"] + label["width"] < arrow["x"] + arrow["width"]


def test_a_link_into_a_fold_unfolds_it(opened: Open) -> None:
    with opened("cases/1.1.1.html") as shown:
        link = shown.page.locator("table a").last
        fold = shown.page.locator("details.box").last
        assert fold.get_attribute("open") is None
        link.focus()
        shown.page.keyboard.press("Enter")
        fold.locator(".verdicts").wait_for(state="visible")
        assert shown.complaints == []


def test_octets_are_shown_on_demand(opened: Open) -> None:
    with opened("cases/6.4.1.html") as shown:
        fold = shown.page.locator("details.box", has_text="ws://localhost:9001").first
        octets = fold.locator("tr.s.o")
        assert octets.is_hidden()
        fold.get_by_label("Show octets").press("Space")
        assert octets.is_visible()


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened: Open, path: str, scheme: str) -> None:
    with opened(path, color_scheme=scheme, bypass_csp=True) as shown:
        shown.page.evaluate(UNFOLD)
        shown.page.evaluate(SHOW_OCTETS)
        assert violations(shown.page) == []
        assert shown.complaints == []


@pytest.mark.parametrize("path", PAGES)
def test_nothing_that_takes_a_script_is_there_without_one(opened: Open, path: str) -> None:
    with opened(path, java_script_enabled=False) as shown:
        assert all(form.is_hidden() for form in shown.page.locator("form").all())
        assert shown.page.locator("th button").count() == 0
        assert shown.complaints == []


def test_everything_can_be_read_without_javascript(opened: Open) -> None:
    with opened("matrix.html", java_script_enabled=False) as shown:
        assert shown.page.locator("form").is_hidden()
        cell = shown.page.locator("#s6 td").first
        assert cell.is_hidden()
        shown.page.locator("#s6 > summary").press("Enter")
        shown.page.locator("#s6 details > summary").press("Enter")
        assert cell.is_visible()
