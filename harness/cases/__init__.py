"""The cases, a module a section: all 517 of Autobahn Testsuite 25.10.1, and what it never asks (F, H, D)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module

from harness.cases.model import Case

#: In order. Named and not imported, for those of ours speak with a server by what is made of the cases' frames.
_SECTIONS = (
    "s01_framing",
    "s02_pings",
    "s03_reserved_bits",
    "s04_opcodes",
    "s05_fragmentation",
    "s06_utf8",
    "s07_closing",
    "s09_performance",
    "s10_auto_fragmentation",
    "s12_deflate_payloads",
    "s13_deflate_parameters",
    "d_deflate",
    "f_framing",
    "h_opening",
)


@cache
def catalogue() -> Mapping[str, Case]:
    """Every case by its id, in order."""
    return {case.id: case for name in _SECTIONS for case in import_module(f"harness.cases.{name}").CASES}
