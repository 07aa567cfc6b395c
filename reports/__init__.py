"""Reports: results in; HTML, JUnit XML, Markdown, JSON, badges and Autobahn's own layout out.

The HTML report is a folder of static pages that opens from `file://` and asks the network for nothing. The others are
one text each (`render`). All of them say what the gate says.
"""

from __future__ import annotations

from reports._diff import render_diff
from reports._formats import FORMATS, Format, render, write_autobahn
from reports._json import Report
from reports._load import ReportError
from reports._render import write_report

__all__ = ["FORMATS", "Format", "Report", "ReportError", "render", "render_diff", "write_autobahn", "write_report"]
