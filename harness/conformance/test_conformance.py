"""The one test of all conformance cases."""

from harness.pytest_plugin import ConformanceCase


def test_case(wsconform_case: ConformanceCase) -> None:
    """The server does what the case expects."""
    wsconform_case.check()
