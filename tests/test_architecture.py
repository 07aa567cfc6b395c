"""Who may import what (docs/design.md)."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = {"refimpl", "harness", "reports", "bench", "tests"}


def imports(package: str, *, but: frozenset[str] = frozenset()) -> set[str]:
    """The modules that a package's files import, by their full names; `but`: folders in it that are left out."""
    found: set[str] = set()
    for file in (ROOT / package).rglob("*.py"):
        if but & set(file.relative_to(ROOT / package).parts):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module)
    return found


def test_refimpl_is_the_standard_library_alone():
    foreign = {name for name in imports("refimpl") if name.split(".")[0] not in {*sys.stdlib_module_names, "refimpl"}}
    assert foreign == set()


def test_the_harness_never_imports_the_server_that_it_drives():
    assert not {name for name in imports("harness") if name.split(".")[0] == "refimpl"}


def test_reports_know_the_result_model_what_compares_results_and_the_clauses_alone():
    of_ours = {name for name in imports("reports") if name.split(".")[0] in OURS - {"reports"}}
    assert of_ours == {
        "harness.results", "harness.gate", "harness.diff", "harness.crosscheck", "harness.clauses",
    }  # fmt: skip


def test_the_reference_server_and_the_reports_do_without_asyncio():
    assert not {name for package in ("refimpl", "reports") for name in imports(package) if name == "asyncio"}


@pytest.mark.parametrize("package", ["refimpl", "harness", "reports"])
def test_no_no_tests_in_what_is_shipped(package: str):
    assert not {name for name in imports(package) if name.split(".")[0] in {"tests", "bench"}}


@pytest.mark.parametrize("package", ["refimpl", "harness", "reports"])
def test_what_is_shipped_does_without_pytest_but_for_its_plugin(package: str):
    """The plugin, and the tests that need it, are imported by pytest alone."""
    found = imports(package, but=frozenset({"pytest_plugin", "conformance"}))
    assert not {name for name in found if name.split(".")[0] == "pytest" or name.startswith("harness.pytest_plugin")}
