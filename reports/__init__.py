"""Reports: results in, HTML out.

A report is a folder of static pages that opens from `file://` and asks the network for nothing.
"""

from __future__ import annotations

from reports._load import ReportError
from reports._render import write_report

__all__ = ["ReportError", "write_report"]
