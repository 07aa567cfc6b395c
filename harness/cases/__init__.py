"""The cases: ids, steps and accepted outcomes of all 517 of Autobahn Testsuite 25.10.1, a module a section."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from harness.cases import (
    s01_framing,
    s02_pings,
    s03_reserved_bits,
    s04_opcodes,
    s05_fragmentation,
    s06_utf8,
    s07_closing,
    s09_performance,
    s10_auto_fragmentation,
    s12_deflate_payloads,
    s13_deflate_parameters,
)
from harness.cases.model import Case

_SECTIONS = (
    s01_framing,
    s02_pings,
    s03_reserved_bits,
    s04_opcodes,
    s05_fragmentation,
    s06_utf8,
    s07_closing,
    s09_performance,
    s10_auto_fragmentation,
    s12_deflate_payloads,
    s13_deflate_parameters,
)


@cache
def catalogue() -> Mapping[str, Case]:
    """Every case by its id, in order."""
    return {case.id: case for section in _SECTIONS for case in section.CASES}
