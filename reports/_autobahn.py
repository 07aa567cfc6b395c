"""A run in the layout of Autobahn's own reports (25.10.1), so that scripts written for that keep working.

`index.json` is {agent: {case: verdict}}, and each verdict names a file with what it rests on. The layout has no word
for a lost case, and a gate on it must not be green: there it is FAILED, with the reason under a key of ours, `lost`.
Nor has it one for a known deviation: the verdict stands as it is.
"""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

from harness.results import Behavior, BehaviorClose
from reports._findings import in_order, lost_of, with_evidence
from reports._view import survey

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from harness.results import Evidence, WireEvent
    from reports._column import Cell, Column
    from reports._load import Recorded

INDEX = "index.json"
_LONGEST_NAME = 60
#: How a message, a pong and a timeout look in our records.
_QUOTED = re.compile(r'(\w+) (".*")(?: \((text|binary)\))?', re.DOTALL)


def autobahn_index(recorded: Recorded) -> str:
    """The text of `index.json`."""
    columns = survey(recorded).conformance.columns
    files = _files(columns)
    index = {}
    for agent, column in _agents(columns).items():
        lost = lost_of(column)
        index[agent] = {
            case: {**_verdict(cell, lost.get(case)), "reportfile": files[agent, case]}
            for case, cell in column.cells.items()
        }
    return _json(index)


def write_files(recorded: Recorded, destination: Path) -> Path:
    """Write `index.json` and the files that it names; the path of the first."""
    columns = survey(recorded).conformance.columns
    files = _files(columns)
    destination.mkdir(parents=True, exist_ok=True)
    for agent, column in _agents(columns).items():
        lost = lost_of(column)
        for case, cell, evidence in with_evidence(recorded, column, _cases(column)):
            text = _json(_record(agent, case, _verdict(cell, lost.get(case)), evidence))
            (destination / files[agent, case]).write_text(text, encoding="ascii", newline="\n")
    index = destination / INDEX
    index.write_text(autobahn_index(recorded), encoding="ascii", newline="\n")
    return index


def _agents(columns: Sequence[Column]) -> dict[str, Column]:
    """The name that each column goes by: the target's, and from its second engine on with the engine's."""
    agents: dict[str, Column] = {}
    for column in columns:
        name = column.run.target
        while name in agents:
            name += f" ({column.run.engine})"
        agents[name] = column
    return agents


def _cases(column: Column) -> list[str]:
    return in_order(column.cells)


def _files(columns: Sequence[Column]) -> dict[tuple[str, str], str]:
    """The file of each agent and case, as Autobahn names it: each of its own in any file system, none elsewhere."""
    files: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    for agent, column in _agents(columns).items():
        for case in _cases(column):
            plain = unique = f"{_clean(agent) or 'agent'}_case_{_clean(case)}"
            number = 1
            while unique in taken:
                number += 1
                unique = f"{plain}-{number}"  # Autobahn's own names have no hyphen
            taken.add(unique)
            files[agent, case] = f"{unique}.json"
    return files


def _clean(name: str) -> str:
    return re.sub(r"[^a-z0-9]", " ", name.lower()).strip()[:_LONGEST_NAME].strip().replace(" ", "_")


def _verdict(cell: Cell, lost: str | None) -> dict[str, Any]:
    if cell.result is None or lost is not None:
        failed = {"behavior": Behavior.FAILED, "behaviorClose": BehaviorClose.FAILED, "duration": 0}
        return {**failed, "remoteCloseCode": None, "lost": lost or ""}
    return {
        "behavior": cell.result.behavior,
        "behaviorClose": cell.result.behavior_close,
        "duration": cell.result.duration_ms,
        "remoteCloseCode": cell.result.remote_close_code,
    }


def _record(agent: str, case: str, verdict: dict[str, Any], evidence: Evidence | None) -> dict[str, Any]:
    """A case's own file. Keys of Autobahn's that we know nothing for (such as its statistics) are left out."""
    closing = evidence.closing if evidence else None
    outcome = f"Lost: {verdict['lost']}" if "lost" in verdict else evidence.outcome if evidence else ""
    record = {
        **verdict,
        "agent": agent,
        "id": case,
        "isServer": False,
        "description": _markup(evidence.sent if evidence else ""),
        "expectation": _markup(evidence.expected if evidence else ""),
        "result": _markup(outcome),
        "resultClose": _markup(evidence.outcome_close if evidence else ""),
        "expected": {name: _events(events) for name, events in evidence.accepted.items()} if evidence else {},
        "expectedClose": {"closeCode": evidence.accepted_close_codes} if evidence else {},
        "received": _events(evidence.received) if evidence else [],
        "httpRequest": evidence.request if evidence else "",
        "httpResponse": evidence.response if evidence else "",
        "wirelog": [_logged(event) for event in evidence.wire] if evidence else [],
    }
    if closing:
        record |= {
            "wasClean": closing.was_clean,
            "wasNotCleanReason": closing.reason_not_clean,
            "closedByMe": closing.closed_by_engine,
            "failedByMe": closing.failed_by_engine,
            "droppedByMe": closing.dropped_by_engine,
            "localCloseCode": closing.local_code,
            "localCloseReason": closing.local_reason,
            "remoteCloseReason": closing.remote_reason,
        }
    return record


def _markup(text: str) -> str:
    """These are HTML in Autobahn's files, and pages are made of them as they are."""
    return html.escape(text, quote=False).replace("\n", "<br>")


def _events(events: Iterable[str]) -> list[list[Any]]:
    """Events as Autobahn has them: ["message", "Hello", false], ["pong", "x"], ["timeout", "A"]."""
    return [_event(event) for event in events]


def _event(event: str) -> list[Any]:
    if found := _QUOTED.fullmatch(event):
        kind, quoted, is_binary = found.groups()
        try:
            data = json.loads(quoted, strict=False)
        except ValueError:  # the native engine quotes it, but not as JSON does
            data = quoted[1:-1]
        return [kind, data, *([is_binary == "binary"] if is_binary else [])]
    kind, _, data = event.partition(" ")
    return [kind, data]


def _logged(event: WireEvent) -> list[Any]:
    """A line of the wire log: R or T for received or transmitted, O for octets, F for a frame."""
    direction = "R" if event.direction == "received" else "T"
    match event.kind:
        case "octets":
            return [f"{direction}O", [event.length or 0, event.data.replace("\u2026", " ...")]]
        case "frame":
            head = [[event.length or 0, event.data], event.opcode, event.fin, event.rsv]
            if direction == "R":
                return ["RF", *head, event.masked]
            # what the mask was is not in our records
            return ["TF", *head, "" if event.masked else None, None, None, False]
    return ["NOTE", event.note]


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, indent=3, separators=(",", ": "))
