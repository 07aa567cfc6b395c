from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import unavailable
from tests.reports.recording import Recording

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

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


@dataclass
class Opened:
    """A page in the browser, and what it did that it should not."""

    page: Page
    complaints: list[str]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        unavailable("no chromium on PATH")
    with sync_playwright() as engine:
        chromium = engine.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


Open = Callable[..., contextlib.AbstractContextManager[Opened]]


@pytest.fixture
def opened(browser: Browser, rich: Recording) -> Open:
    @contextlib.contextmanager
    def open_page(path: str, *, width: int = 1600, **options: Any) -> Iterator[Opened]:  # noqa: ANN401 - as Playwright's
        context = browser.new_context(viewport={"width": width, "height": 1000}, **options)
        context.set_default_timeout(15_000)
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.extend([] if request.url.startswith("file:") else [request.url]))
        page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
        page.goto((rich.folder / "report").as_uri() + "/" + path)
        try:
            yield Opened(page, complaints)
        finally:
            context.close()

    return open_page


PAGES = (
    "index.html", "cases/6.4.1.html", "implementations/ws-localhost-9001.html", "limits.html", "limits/L.4.1.html",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [400, 1600])
def test_opens_without_error_request_script_or_overflow(opened: Open, path: str, width: int) -> None:
    with opened(path, width=width) as shown:
        shown.page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
        assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
        assert shown.page.evaluate("window.__pwned === undefined")
        assert shown.page.evaluate("getComputedStyle(document.querySelector('.scroll')).overflowX") == "auto"
        assert shown.complaints == []


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_its_ground(opened: Open, path: str, scheme: str) -> None:
    with opened(path, color_scheme=scheme) as shown:
        shown.page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
        ground = shown.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == {"light": "rgb(251, 251, 250)", "dark": "rgb(20, 23, 26)"}[scheme]
        ratio, where = shown.page.evaluate(CONTRAST)
        assert ratio >= 4.5, where


def test_the_filters_work_by_keyboard(opened: Open) -> None:
    with opened("index.html") as shown:
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


def test_the_links_of_a_long_heading_stay_in_it(opened: Open) -> None:
    with opened("limits/L.1.1.html", width=400) as shown:
        bottoms = shown.page.evaluate(
            "[...document.querySelectorAll('.parts, .top')].map((e) => e.getBoundingClientRect().bottom)"
        )
        assert bottoms[0] >= bottoms[1]


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
        octets = fold.locator("tr.o")
        assert octets.is_hidden()
        fold.get_by_label("Show octets").press("Space")
        assert octets.is_visible()


def test_everything_can_be_read_without_javascript(opened: Open) -> None:
    with opened("index.html", java_script_enabled=False) as shown:
        assert shown.page.locator("form").is_hidden()
        cell = shown.page.locator("#s6 td").first
        assert cell.is_hidden()
        shown.page.locator("#s6 > summary").press("Enter")
        shown.page.locator("#s6 details > summary").press("Enter")
        assert cell.is_visible()
