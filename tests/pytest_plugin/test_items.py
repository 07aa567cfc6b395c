"""Which items there are, and that pytest can do with them what it does with any."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

from harness.selection import known, weights

pytest_plugins = ["pytester"]

Suite = Callable[..., pytest.RunResult]


def collected(result: pytest.RunResult) -> list[str]:
    """The items of `--collect-only -q`."""
    return [line for line in result.outlines if "::" in line]


def ids(*cases: str) -> list[str]:
    return [f"test_lib.py::test_rfc[{case}]" for case in cases]


# What there is


def test_a_test_that_asks_for_a_case_is_an_item_for_each_conformance_case(suite: Suite):
    result = suite("--collect-only", "-q", "--strict-markers", "--strict-config", "-W", "error")
    assert collected(result) == ids(*known("conformance"))
    assert [item for item in collected(result) if re.search(r"\[\d", item)] == ids(*weights())
    assert len(weights()) == 517


def test_patterns_choose_the_cases(suite: Suite):
    arguments = ["--wsconform-cases", "6.4.*", "--wsconform-cases", "1.1.1", "--wsconform-exclude", "6.4.2"]
    assert collected(suite("--collect-only", "-q", *arguments)) == ids("1.1.1", "6.4.1", "6.4.3", "6.4.4")


def test_settings_choose_the_cases_where_the_command_line_does_not(pytester: pytest.Pytester, suite: Suite):
    pytester.makeini("[pytest]\nwsconform_cases = 6.4.* 1.1.1\nwsconform_exclude = 6.4.2 6.4.3\n")
    assert collected(suite("--collect-only", "-q")) == ids("1.1.1", "6.4.1", "6.4.4")
    options = ["--wsconform-cases", "6.4.3", "--wsconform-exclude", "2.1"]
    assert collected(suite("--collect-only", "-q", *options)) == ids("6.4.3")


def test_what_moves_much_data_can_be_left_out_by_its_mark(suite: Suite):
    """Sections 9, 12 and 13, and of ours those few that send a mebibyte or more."""
    items = collected(suite("--collect-only", "-q", "-m", "wsconform and not wsconform_bulk"))
    sections = Counter(item.split("[")[1].split(".")[0] for item in items)
    assert {*sections} == {"1", "2", "3", "4", "5", "6", "7", "10", "D", "F", "H"}
    assert sum(count for name, count in sections.items() if name.isdecimal()) == 517 - (54 + 90 + 126)
    left_out = {*ids(*known("conformance"))} - {*items}
    assert {item for item in left_out if not re.search(r"\[\d", item)} == {
        *ids("D.2.21", "F.2.11", "F.2.12", "F.3.4", "F.3.12", "F.3.14", "F.4.9")
    }


def test_k_chooses_by_the_id(suite: Suite):
    assert collected(suite("--co", "-q", "-k", "test_rfc[6.4")) == ids("6.4.1", "6.4.2", "6.4.3", "6.4.4")


# What it does not accept


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--wsconform-cases", "6.4"], "no case fits '6.4'; did you mean 6.4.*?"),
        (["--wsconform-cases", "L.*"], "'L.*': limit probes are no tests here, they need servers of their own"),
        (["--wsconform-exclude", "*"], "no case is left to run"),
        (["--wsconform-url", "http://localhost"], "it must begin with ws:// or wss://"),
        (["--wsconform-baseline", "none.toml"], "none.toml cannot be read: No such file or directory"),
    ],
)
def test_a_wrong_option_is_a_usage_error_of_one_line(suite: Suite, arguments: list[str], words: str):
    result = suite(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = (line for line in result.errlines if line)
    assert line.startswith("ERROR: wsconform: ")
    assert words in line


@pytest.mark.parametrize(
    ("setting", "words"),
    [("wsconform_cases = 6.44", "no case fits '6.44'"), ("wsconform_profile = slow", "is quick or full, not 'slow'")],
)
def test_a_wrong_setting_is_a_collection_error_without_traceback(
    pytester: pytest.Pytester, suite: Suite, setting: str, words: str
):
    pytester.makeini(f"[pytest]\n{setting}\n")
    result = suite()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes(errors=1)
    assert words in result.stdout.str()
    assert "Traceback" not in result.stdout.str()
    assert "harness/" not in result.stdout.str()


def test_a_wrong_setting_does_not_disturb_tests_that_ask_for_no_case(pytester: pytest.Pytester, suite: Suite):
    pytester.makeini("[pytest]\nwsconform_cases = 6.44\n")
    pytester.makepyfile(test_lib="def test_of_something_else():\n    pass\n")
    suite().assert_outcomes(passed=1)


def test_without_a_server_nothing_passes_and_one_line_says_so(suite: Suite):
    result = suite("--wsconform-cases", "1.1.1", "--wsconform-cases", "2.1")
    result.assert_outcomes(errors=2)
    assert result.stdout.str().count("\nno server to test: give --wsconform-url ws://host:port/path, or a fixture") == 2
    assert "Traceback" not in result.stdout.str()
    assert "harness/" not in result.stdout.str()


def test_a_fixture_that_gives_no_url_is_told_so(pytester: pytest.Pytester, suite: Suite):
    pytester.makeconftest("import pytest\n@pytest.fixture\ndef wsconform_url():\n    return 'localhost:9001'\n")
    result = suite("--wsconform-cases", "1.1.1")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["no verdict: 'localhost:9001' is not a WebSocket URL: *"])


# pytest's own ways


def test_last_failed_runs_those_that_failed(suite: Suite, echo: Callable[[str], str]):
    options = ["--wsconform-url", echo("answers-close-with 1001"), "--wsconform-cases", "7.7.*"]
    suite(*options).assert_outcomes(passed=1, failed=12)
    result = suite("--lf", "-v", *options)
    result.assert_outcomes(failed=12)
    result.stdout.no_fnmatch_line("*test_rfc?7.7.2?*")


def test_xdist_spreads_the_cases_and_junit_has_the_verdicts_as_properties(
    pytester: pytest.Pytester, suite: Suite, echo: Callable[[str], str]
):
    options = ["--wsconform-url", echo("answers-close-with 1001"), "--wsconform-cases", "7.7.*"]
    result = suite("-n", "2", "-v", "--junitxml=out.xml", *options)
    result.assert_outcomes(passed=1, failed=12)
    done = re.findall(r"\[(gw[01])\] .*(?:PASSED|FAILED) test_lib.py::test_rfc\[([\d.]+)\]", result.stdout.str())
    assert {worker for worker, _ in done} == {"gw0", "gw1"}
    cases = {case.get("name"): case for case in ET.parse(pytester.path / "out.xml").iter("testcase")}  # noqa: S314 - pytest's own
    assert set(cases) == {f"test_rfc[{case}]" for _, case in done}
    assert {p.get("name"): p.get("value") for p in cases["test_rfc[7.7.1]"].iter("property")} == {
        "behavior": "FAILED",
        "behaviorClose": "WRONG CODE",
        "remoteCloseCode": "1001",
    }


def test_xdist_tells_a_usage_error_once(suite: Suite):
    result = suite("-n", "2", "--wsconform-cases", "6.44")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().count("no case fits") == 1


# A guest in every run


def test_a_run_that_has_no_case_imports_next_to_nothing():
    """The plugin is loaded by every pytest run where wsconform is installed."""
    program = "import sys, pytest; old = set(sys.modules); import harness.pytest_plugin; print(*set(sys.modules) - old)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"harness", "harness.pytest_plugin"}


def test_a_run_that_has_no_case_never_loads_the_engine(pytester: pytest.Pytester, suite: Suite):
    pytester.makepyfile(
        test_lib="import sys\ndef test_it():\n    assert not {'pydantic', 'harness.selection'} & set(sys.modules)\n"
    )
    suite().assert_outcomes(passed=1)
