"""A wstest output folder (index.json, a JSON file a case) in, our records out. What is in there may be hostile."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from harness.cases import catalogue
from harness.engines import Record
from harness.results import Behavior, BehaviorClose, Closing, Evidence, Result, WireEvent, case_order

_MAX_FILE = 8 << 20  # a record is some 10 KiB; of a peer that floods it is hundreds of MiB
_MAX_WIRE_EVENTS = 200
_MAX_EVENTS = 100
_MAX_TEXT = 2000


def read_output(folder: Path, target: str, engine: str, *, relative_to: Path) -> tuple[list[Record], str]:
    """All verdicts of the folder's one agent, in case order, and why some could not be read, if so.

    A case's record that is beyond all reason is removed, so that a peer that floods does not fill the disk.
    """
    try:
        index = json.loads((folder / "index.json").read_bytes())
    except FileNotFoundError:
        return [], "wstest wrote no index.json"
    except (OSError, ValueError) as error:
        return [], f"wstest's index.json can't be read: {error}"
    agents = list(index.values()) if isinstance(index, dict) else []
    records, problem = [], ""
    for case, entry in sorted(agents[0].items(), key=lambda item: case_order(item[0])) if agents else []:
        try:
            result = Result(
                target=target,
                engine=engine,
                case=case,
                behavior=Behavior(entry["behavior"]),
                behavior_close=BehaviorClose(entry["behaviorClose"]),
                remote_close_code=entry["remoteCloseCode"],
                duration_ms=max(0, entry["duration"]),
            )
        except (KeyError, ValueError, TypeError) as error:
            problem = f"wstest's verdict for {case} can't be read: {error!r}"
            continue
        records.append(Record(result, _evidence(folder / Path(entry["reportfile"]).name, result, relative_to)))
    return records, problem


def _evidence(file: Path, result: Result, relative_to: Path) -> Evidence:
    key: dict[str, Any] = {"target": result.target, "engine": result.engine, "case": result.case}
    page = file.with_suffix(".html")
    shown = str(page.relative_to(relative_to)) if page.is_relative_to(relative_to) else None
    try:
        if file.stat().st_size > _MAX_FILE:
            file.unlink()
            page.unlink(missing_ok=True)
            note = f"Autobahn's record of this case was over {_MAX_FILE >> 20} MiB: not read, and not kept."
            return Evidence(**key, sent="", expected="", outcome=note)
        raw = _without_surrogates(json.loads(file.read_bytes()))
        wire = list(_wire(raw["wirelog"]))
        return Evidence(
            **key,
            sent=plain(raw["description"]),
            expected=plain(raw["expectation"]),
            clauses=list(ours.clauses) if (ours := catalogue().get(result.case)) else [],
            outcome=plain(raw["result"]),
            outcome_close=plain(raw["resultClose"]),
            accepted={verdict: _events(events) for verdict, events in raw["expected"].items()},
            accepted_close_codes=raw["expectedClose"].get("closeCode", []),
            received=_events(raw["received"]),
            request=_cut(raw["httpRequest"]),
            response=_cut(raw["httpResponse"]),
            closing=Closing(
                was_clean=raw["wasClean"],
                reason_not_clean=raw["wasNotCleanReason"],
                closed_by_engine=raw["closedByMe"],
                failed_by_engine=raw["failedByMe"],
                dropped_by_engine=raw["droppedByMe"],
                local_code=raw["localCloseCode"],
                local_reason=raw["localCloseReason"],
                remote_code=raw["remoteCloseCode"],
                remote_reason=raw["remoteCloseReason"],
            ),
            wire=wire[:_MAX_WIRE_EVENTS],
            wire_omitted=max(0, len(raw["wirelog"]) - _MAX_WIRE_EVENTS),
            file=shown,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        note = f"Autobahn's record of this case can't be read: {type(error).__name__}."
        return Evidence(**key, sent="", expected="", outcome=note, file=shown)


def _without_surrogates(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same JSON with lone surrogates escaped: Python 2 writes them (6.* send them), UTF-8 has no form for them."""
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case list():
            return [_without_surrogates(item) for item in value]
        case dict():
            return {key: _without_surrogates(item) for key, item in value.items()}
    return value


def plain(text: str | None) -> str:
    """Autobahn's descriptions without their markup."""
    broken = re.sub(r"<br\s*/?>", "\n", text or "")
    return _cut(html.unescape(re.sub(r"</?[a-zA-Z][^<>]*>", "", broken)).strip())


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + f" … ({len(text)} characters)"


def _events(events: list[list[Any]]) -> list[str]:
    """`message "Hello" (text)`, `pong "x"`, `timeout A`."""
    shown = []
    for kind, data, *rest in events[:_MAX_EVENTS]:
        if kind == "timeout":
            shown.append(f"timeout {data}")
        else:
            suffix = f" ({'binary' if rest[0] else 'text'})" if rest else ""
            shown.append(f"{kind} {_cut(json.dumps(data, ensure_ascii=False))}{suffix}")
    if len(events) > _MAX_EVENTS:
        shown.append(f"… and {len(events) - _MAX_EVENTS} more")
    return shown


_NOTES: dict[str, tuple[Literal["timer", "note"], str]] = {
    "CT": ("timer", "waits {0:g} s before it goes on ({1})"),
    "CTE": ("timer", "the wait is over ({0})"),
    "KL": ("timer", "will drop the connection if it is still open in {0:g} s"),
    "KLE": ("timer", "drops the connection"),
    "TI": ("timer", "will close the connection if it is still open in {0:g} s"),
    "TIE": ("timer", "closes the connection"),
    "WLM": ("note", "wire log on: {0}"),
}


def _wire(log: list[list[Any]]) -> Iterator[WireEvent]:
    """Autobahn's wire log: tags of two or three letters, as fuzzing.py writes them (R/T: received/transmitted)."""
    for tag, *values in log[:_MAX_WIRE_EVENTS]:
        match tag:
            case "RO" | "TO":
                length, data = values[0]
                yield WireEvent(kind="octets", direction=_direction(tag), length=length, data=data.replace(" ...", "…"))
            case "RF":
                (length, data), opcode, fin, rsv, masked = values[:5]
                yield _frame(tag, length, data, opcode, fin=fin, rsv=rsv, masked=masked)
            case "TF":
                (length, data), opcode, fin, rsv, mask, repeat, chop, _ = values
                extra = [f"payload repeated to {repeat} octets"] if repeat is not None else []
                extra += [f"sent in chops of {chop}"] if chop is not None else []
                event = _frame(tag, length, data, opcode, fin=fin, rsv=rsv, masked=mask is not None)
                yield event.model_copy(update={"note": ", ".join(extra)})
            case _:
                kind, template = _NOTES.get(tag, ("note", tag + " {0}"))
                yield WireEvent(kind=kind, note=template.format(*values, ""))


def _direction(tag: str) -> Any:  # noqa: ANN401 - one of two literals
    return "received" if tag.startswith("R") else "sent"


def _frame(tag: str, length: int, data: str, opcode: int, *, fin: bool, rsv: int, masked: bool) -> WireEvent:
    return WireEvent(
        kind="frame",
        direction=_direction(tag),
        length=length,
        data=data,
        opcode=opcode,
        fin=fin,
        rsv=rsv,
        masked=masked,
    )
