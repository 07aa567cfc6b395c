"""The pytest plugin: a test that asks for `wsconform_case` runs once for each conformance case (docs/pytest.md).

Where wsconform is installed, every pytest run loads this module, so it imports nothing that takes time: what runs and
judges a case is imported when a test asks for one.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.pytest_plugin.checking import Checker

__all__ = ["ConformanceCase"]

MARKS = {
    "wsconform": "runs a WebSocket conformance case",
    "wsconform_bulk": "runs one that moves much data (sections 9, 12 and 13, some of D and F)",
}
PROFILES = ("quick", "full")


class ConformanceCase:
    """What the fixture `wsconform_case` gives: a case, and the server that it is to run against."""

    def __init__(self, checker: Checker, item: pytest.Function, case: str, url: str) -> None:
        self.id = case  #: as in Autobahn: `6.4.1`
        self.url = url  #: what the fixture `wsconform_url` gave
        self.checked = False
        self._checker = checker
        self._item = item

    def check(self) -> None:
        """Run the case: the test fails, is skipped (UNIMPLEMENTED) or xfails (known deviation) as its verdict says.

        Blocks until the case is over, mostly for milliseconds, at most for some minutes where the server stalls.
        """
        __tracebackhide__ = True
        self.checked = True
        self._checker.check(self._item, self.id, self.url)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and, for each, the setting of the same name; the command line counts before the file."""
    group = parser.getgroup("wsconform", "WebSocket conformance")
    patterns = {"action": "append", "metavar": "PATTERN"}
    group.addoption("--wsconform-url", metavar="URL", help="the server, where no fixture wsconform_url gives it")
    group.addoption("--wsconform-cases", **patterns, help="cases to run: 7.1.5, '6.*' (repeatable; default: all)")
    group.addoption("--wsconform-exclude", **patterns, help="cases to leave out (repeatable)")
    group.addoption("--wsconform-baseline", metavar="FILE", help="known deviations: TOML, a table [[deviations]]")
    group.addoption("--wsconform-strict", action="store_true", help="NON-STRICT and FAILED BY CLIENT fail too")
    group.addoption(
        "--wsconform-profile",
        choices=PROFILES,
        help="messages where there are 1,000 (9.7, 9.8, 12.*, 13.*): 4 (quick, the default) or all (full)",
    )
    parser.addini("wsconform_url", "URL of the server, where no fixture wsconform_url gives it")
    parser.addini("wsconform_cases", "patterns of the cases to run", type="args")
    parser.addini("wsconform_exclude", "patterns of cases to leave out", type="args")
    parser.addini("wsconform_baseline", "file with the known deviations, relative to the rootdir")
    parser.addini("wsconform_strict", "whether NON-STRICT and FAILED BY CLIENT fail too", type="bool")
    parser.addini("wsconform_profile", "quick or full: messages in 12.* and 13.*")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks, and refuse options that are wrong before anything is collected."""
    for name, words in MARKS.items():
        config.addinivalue_line("markers", f"{name}: {words}")
    if any(name.startswith("wsconform_") and value for name, value in vars(config.option).items()):
        _checker(config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make an item of each case that is selected, with the case's id as the item's."""
    if "wsconform_case" not in metafunc.fixturenames:
        return
    try:
        checker = _checker(metafunc.config)
    except pytest.UsageError as error:  # in the settings file: the options were looked at before
        raise pytest.Collector.CollectError(str(error)) from None
    bulk = [pytest.mark.wsconform, pytest.mark.wsconform_bulk]
    metafunc.parametrize(
        "wsconform_case",
        [pytest.param(case, id=case, marks=bulk if checker.moves_much(case) else bulk[:1]) for case in checker.cases],
        indirect=True,
    )


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Let no test pass that has a case and did not run it."""
    result = yield
    case = pyfuncitem.funcargs.get("wsconform_case")
    if isinstance(case, ConformanceCase) and not case.checked:
        pytest.fail(f"{case.id} was not run: the test has to call wsconform_case.check()", pytrace=False)
    return result


@pytest.fixture(scope="session")
def wsconform_url(pytestconfig: pytest.Config) -> str:
    """The ws:// or wss:// URL of the server under test: override this fixture, or give --wsconform-url."""
    url = pytestconfig.getoption("wsconform_url") or pytestconfig.getini("wsconform_url")
    if not url:
        pytest.fail(
            "no server to test: give --wsconform-url ws://host:port/path, or a fixture wsconform_url that returns it",
            pytrace=False,
        )
    return str(url)


@pytest.fixture
def wsconform_case(request: pytest.FixtureRequest, wsconform_url: str) -> ConformanceCase:
    """A conformance case to `check()`; a test that asks for it runs once for each."""
    return ConformanceCase(_checker(request.config), request.node, request.param, wsconform_url)


_CHECKER: pytest.StashKey[Checker] = pytest.StashKey()


def _checker(config: pytest.Config) -> Checker:
    """The one of this pytest run; pytest.UsageError if an option or a setting is wrong."""
    if _CHECKER not in config.stash:
        from harness.errors import UsageError  # noqa: PLC0415 - what takes time comes when it is needed
        from harness.pytest_plugin.checking import Checker  # noqa: PLC0415

        try:
            config.stash[_CHECKER] = Checker(config)
        except UsageError as error:
            raise pytest.UsageError(f"wsconform: {error.message}") from None
    return config.stash[_CHECKER]
