"""axe-core, which checks a page in the browser against the rules of accessibility that a program can check."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from harness.manifest import cache_folder
from tests.conftest import unavailable

if TYPE_CHECKING:
    from playwright.sync_api import Page

VERSION = "4.14.1"


@cache
def _source() -> str:
    """Its text; npm fetches it once into the user's cache."""
    folder = cache_folder() / "tests" / f"axe-core-{VERSION}"
    file = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not file.is_file():
        npm = shutil.which("npm")
        if npm is None:
            unavailable("no npm, to install axe-core with")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as new:
            command = [npm, "install", "--prefix", new, "--no-audit", "--no-fund", f"axe-core@{VERSION}"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
            if done.returncode:
                unavailable(f"npm could not install axe-core: {done.stderr.strip()[-300:]}")
            with contextlib.suppress(OSError):  # another worker of the tests was there first
                Path(new).rename(folder)
            Path(new).mkdir(exist_ok=True)
    return file.read_text(encoding="utf-8")


def violations(page: Page) -> list[str]:
    """What axe finds on a page, worst first: impact, rule, and the first places.

    The page's context must have been made with `bypass_csp=True`: a policy that lets no script in keeps axe out, too.
    """
    page.evaluate(_source())
    # it would fetch the style sheet again, which a page from file:// may not
    options = "{resultTypes: ['violations'], preload: false}"
    found = page.evaluate(f"axe.run(document, {options}).then((found) => found.violations)")
    order = ["critical", "serious", "moderate", "minor"]
    found.sort(key=lambda one: order.index(one["impact"]))
    return [
        f"{one['impact']}: {one['id']}: {one['help']}: " + "; ".join(node["html"][:200] for node in one["nodes"][:3])
        for one in found
    ]
