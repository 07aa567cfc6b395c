"""Every case of the catalogue against Autobahn's own code: what is sent, to the octet, and what is accepted."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from harness.cases import catalogue
from harness.cases.model import Case, CloseAfter, Event, FailAfter, Pause, SendClose
from harness.engines.native.conversation import Conversation
from harness.engines.native.drivers import Exchanger, Script, max_message
from harness.engines.native.wire import WireLog

pytestmark = pytest.mark.autobahn
#: Those of the catalogue that are Autobahn's; of the others it knows nothing.
NAMES = [name for name in catalogue() if name[0].isdigit()]
ORACLE = Path(__file__).with_name("autobahn_oracle.py")
#: The corpora of 12.* and 13.* by the file that Autobahn has for each.
CORPORA = {
    "data1.json": "json",
    "lena512.bmp": "bitmap",
    "pg2229.txt": "prose",
    "data1.html": "html",
    "10.1.1.105.5439.pdf": "pdf",
}


@pytest.fixture(scope="session")
def autobahns(real_wstest: Path) -> dict[str, dict[str, Any]]:
    """What Autobahn's code says, by case, asked in the Python of the real wstest."""
    python = Path(real_wstest).parent / "python"
    lines = subprocess.run([python, ORACLE], check=True, capture_output=True, text=True, timeout=120).stdout
    return {about["id"]: about for about in map(json.loads, lines.splitlines())}


def octets(data: bytes) -> str:
    return data.hex() if len(data) <= 512 else f"{len(data)}:{hashlib.sha256(data).hexdigest()}"


class Steps:
    """A link to nowhere that writes down steps as the oracle does."""

    def __init__(self) -> None:
        self.steps: list[list[Any]] = []

    def write(self, data: bytes | memoryview, chop: int = 0) -> None:
        how = "together" if chop == 0 else chop if chop < len(data) else "apart"
        last: list[Any] = self.steps[-1] if self.steps else [None]
        if last[0] == "send" and last[2] == how == "together":
            last[1] += bytes(data)
        else:
            self.steps.append(["send", bytes(data), how])

    def drop(self, *, abort: bool) -> None:
        raise AssertionError(f"nothing is dropped here (abort={abort})")

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Timers of the closing handshake; those of the case are written down from its steps."""

    def pause(self, seconds: float, call: Callable[[], None]) -> None:
        self.steps.append(["pause", seconds])
        call()


def ours(case: Case) -> list[list[Any]]:
    """What our engine does for a case, unmasked, its clocks left out."""
    link, wire = Steps(), WireLog(lambda: 0.0)
    keys: Iterator[bytes | None] = repeat(None)
    driver = Script(case, link, wire) if case.exchange is None else Exchanger(case.exchange, link, wire, keys)
    driver.on_open(Conversation(link, wire, keys, driver, max_message=max_message(case)), None)
    return [["send", octets(step[1]), step[2]] if step[0] == "send" else step for step in link.steps]


def clocks(case: Case) -> list[list[Any]]:
    found: list[list[Any]] = []
    for step in case.steps:
        match step:
            case FailAfter(seconds):
                found.append(["fail after", seconds])
            case CloseAfter(seconds):
                found.append(["close after", seconds])
            case SendClose():
                found.append(["closes"])
            case Pause(seconds, tag):
                found.append(["pause", seconds, tag])
    if case.exchange is not None:
        found.append(["close after", case.exchange.seconds])
    return found


def shown(event: Event) -> list[Any]:
    if isinstance(event.data, str):
        return [event.kind, event.data]
    return [event.kind, octets(event.data)] + ([event.binary] if event.kind == "message" else [])


def test_the_ids_are_the_same_in_the_same_order(autobahns: dict[str, dict[str, Any]]):
    assert list(autobahns) == NAMES == list(catalogue())[:517]
    assert all(catalogue()[name].talk is None for name in NAMES)


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith(("12.", "13."))])
def test_a_case_sends_and_accepts_the_same(name: str, autobahns: dict[str, dict[str, Any]]):
    case, theirs = catalogue()[name], autobahns[name]
    sent = [step[:2] if step[0] == "pause" else step for step in theirs["steps"] if step[0] in {"send", "pause"}]
    assert ours(case) == sent
    assert clocks(case) == [step for step in theirs["steps"] if step[0] != "send"]
    assert {str(verdict): [shown(e) for e in events] for verdict, events in case.accepted.items()} == theirs["accepted"]


@pytest.mark.parametrize("name", NAMES)
def test_a_case_may_end_in_the_same_ways(name: str, autobahns: dict[str, dict[str, Any]]):
    case, theirs = catalogue()[name], autobahns[name]
    close = case.close
    assert [close.by_engine, list(close.codes), close.clean, close.wrong_endpoint_fails] == theirs["close"]
    assert case.closes_when_done == theirs["closes"]


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith(("9.7.", "9.8."))])
def test_as_many_messages_are_exchanged(name: str, autobahns: dict[str, dict[str, Any]]):
    exchange = catalogue()[name].exchange
    assert exchange is not None
    assert (exchange.size, exchange.count) == (autobahns[name]["size"], autobahns[name]["count"])


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith(("12.", "13."))])
def test_as_many_compressed_messages_of_the_same_size_are_exchanged(name: str, autobahns: dict[str, dict[str, Any]]):
    exchange, theirs = catalogue()[name].exchange, autobahns[name]["exchange"]
    assert exchange is not None
    assert theirs == {
        "offer": exchange.offer,
        "size": exchange.size,
        "count": exchange.count,
        "seconds": exchange.seconds,
        "fragment": exchange.fragment,
        "binary": exchange.binary,
        "file": next(file for file, corpus in CORPORA.items() if corpus == exchange.corpus),
    }
