"""Pages of a report in headless Chromium, and what they did there that they should not."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Playwright

from tests.conftest import unavailable

_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

UNFOLD = "document.querySelectorAll('details').forEach((fold) => { fold.open = true; })"
SHOW_OCTETS = "document.querySelectorAll('.octets').forEach((box) => { box.checked = true; })"


@dataclass
class Opened:
    """A page in the browser, and what it did that it should not."""

    page: Page
    complaints: list[str]


@contextlib.contextmanager
def launched(engine: Playwright) -> Iterator[Browser]:
    """The Chromium that the machine has."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        unavailable("no chromium on PATH")
    chromium = engine.chromium.launch(executable_path=path, args=list(_ARGUMENTS))
    try:
        yield chromium
    finally:
        chromium.close()


@contextlib.contextmanager
def opened(
    browser: Browser,
    report: Path,
    path: str,
    *,
    width: int = 1600,
    height: int = 1000,
    **options: Any,  # noqa: ANN401 - as Playwright's
) -> Iterator[Opened]:
    """A page of the report in this folder."""
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    context.set_default_timeout(15_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.extend([] if request.url.startswith("file:") else [request.url]))
    page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
    page.goto(f"{report.as_uri()}/{path}")
    try:
        yield Opened(page, complaints)
    finally:
        context.close()
