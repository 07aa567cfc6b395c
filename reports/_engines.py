"""What the two engines said about the same target, where both were asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.crosscheck import allowed, compare, saved
from harness.results import case_order

if TYPE_CHECKING:
    from harness.crosscheck import Comparison, Difference, Verdict
    from reports._load import Recorded
    from reports._view import Site

#: Both have to have been asked.
ENGINES = ("autobahn", "native")


@dataclass(frozen=True, slots=True)
class Dispute:
    """A case about which the engines said different things."""

    case: str
    page: str | None
    kind: str
    css: str
    autobahn: str
    native: str
    reason: str


@dataclass(frozen=True, slots=True)
class Both:
    """A target under both engines."""

    target: str
    page: str
    settled: bool  #: whether `wsconform crosscheck` looked at each difference again
    compared: int
    disputes: tuple[Dispute, ...]  #: disagreements first

    @property
    def agree(self) -> int:
        """Number of cases with the same verdict from both."""
        return self.compared - len(self.disputes)

    def of_kind(self, kind: str) -> int:
        """Number of differences of a kind."""
        return sum(dispute.kind == kind for dispute in self.disputes)


def both_engines(site: Site, recorded: Recorded) -> tuple[Both, ...]:
    """The targets that have columns of both engines, and what they differ in."""
    settled = {comparison.target: comparison for comparison in saved(recorded.folder)}
    pages = {row.case: f"cases/{row.page}" for row in site.conformance.rows}
    rows = None
    found = []
    for target, columns in site.targets.items():
        if not set(ENGINES) <= {column.run.engine for column in columns}:
            continue
        comparison = settled.get(target)
        if comparison is None:
            rows = allowed() if rows is None else rows
            comparison = compare(target, recorded.results.values(), rows)
        found.append(_both(comparison, columns[0].page, pages, settled=target in settled))
    return tuple(found)


_KINDS = ("disagree", "varies", "on purpose")
_CSS = {"disagree": "f", "varies": "n", "on purpose": "k"}
_REASONS = {
    "disagree": "Not explained: one of the engines has a fault, or the list of what is on purpose a gap.",
    "varies": "The peer does now this, now that: each engine saw what the other one saw, too.",
}


def _both(comparison: Comparison, page: str, pages: dict[str, str], *, settled: bool) -> Both:
    disputes = [_dispute(difference, pages) for difference in comparison.differences]
    disputes.sort(key=lambda dispute: (_KINDS.index(dispute.kind), case_order(dispute.case)))
    return Both(comparison.target, page, settled, comparison.cases, tuple(disputes))


def _dispute(difference: Difference, pages: dict[str, str]) -> Dispute:
    kind = "on purpose" if difference.reason else "varies" if difference.varies else "disagree"
    return Dispute(
        case=difference.case,
        page=pages.get(difference.case),
        kind=kind,
        css=_CSS[kind],
        autobahn=_words(difference.autobahn),
        native=_words(difference.native),
        reason=difference.reason or _REASONS[kind],
    )


def _words(verdicts: tuple[Verdict, ...]) -> str:
    """Each verdict that was given, in the order of the attempts."""
    return ", then ".join(f"{behavior} / {closing}" for behavior, closing in verdicts)
