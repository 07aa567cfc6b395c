"""The templates' environment. What it puts out is always escaped, and always made visible."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.diff import Kind
from reports import _plots, _probe
from reports._sections import SECTIONS, SUBSECTIONS, section_of, subsection_of
from reports._text import cut, safe_link, visible, with_clauses
from reports._wire import close_code


@cache
def environment() -> Environment:
    """The one environment."""
    made = Environment(
        loader=PackageLoader("reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "safe_link": safe_link,
        "cut": cut,
        "with_clauses": with_clauses,
        "close_code": close_code,
        "measured_rows": _probe.measured_rows,
        "octets": _probe.octets,
        "setting": _probe.setting,
        "grouped": _probe.grouped,
        "memory_plot": _plots.memory,
    }
    made.globals |= {
        "meanings": _probe.MEANINGS,
        "kinds": tuple(Kind),
        "section_title": lambda case: (section_of(case), SECTIONS.get(section_of(case), "")),
        "family_title": lambda case: (subsection_of(case), SUBSECTIONS.get(subsection_of(case), "")),
    }
    return made
