"""docs/pytest.md: what it shows works as it stands, against the server of a real library."""

from __future__ import annotations

import re

import pytest

from tests.pytest_plugin.conftest import QUICKLY
from tests.support import ROOT

pytest_plugins = ["pytester"]

TEXT = (ROOT / "docs" / "pytest.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """The first block of code in that language."""
    (code, *_) = re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    return str(code)


def test_the_example_tests_the_server_of_the_package_websockets_and_its_baseline_expects_what_it_does(
    pytester: pytest.Pytester,
):
    pytester.makepyfile(test_mylib=block("python"))
    pytester.makefile(".toml", known=block("toml"))
    wanted = ["--wsconform-cases", "1.*", "--wsconform-cases", "7.1.*", "--wsconform-cases", "12.1.1"]
    result = pytester.runpytest_subprocess(*QUICKLY, "-W", "error", "--wsconform-baseline", "known.toml", *wanted)
    result.assert_outcomes(passed=16 + 5 + 1, xfailed=1)


def test_without_a_test_file_the_shipped_one_serves(pytester: pytest.Pytester, good_url: str):
    (command,) = re.findall(r"^pytest (--pyargs .*) --wsconform-url .*$", TEXT, re.MULTILINE)
    options = ["-v", "--wsconform-url", good_url, "--wsconform-cases", "1.1.1", "--wsconform-cases", "12.1.1"]
    result = pytester.runpytest_subprocess(*QUICKLY, *command.split(), *options)
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["test_conformance.py::test_case?1.1.1? PASSED*"])


def test_every_option_and_its_setting_stand_in_the_table(pytester: pytest.Pytester):
    shown = pytester.runpytest_subprocess(*QUICKLY, "--help").stdout.str()
    options = set(re.findall(r"^\s+(--wsconform-[a-z]+)", shown, re.MULTILINE))
    settings = set(re.findall(r"^\s+(wsconform_[a-z]+) \(", shown, re.MULTILINE))
    assert options == set(re.findall(r"^\| `(--wsconform-[a-z]+)", TEXT, re.MULTILINE))
    assert settings == set(re.findall(r"^\| .* \| `(wsconform_[a-z]+)` \|", TEXT, re.MULTILINE))
    assert len(options) == len(settings) == 6
