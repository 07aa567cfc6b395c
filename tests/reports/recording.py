from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree as ET

from harness.results import (
    Behavior,
    BehaviorClose,
    Evidence,
    Machine,
    Measured,
    ProbeVerdict,
    Result,
    Run,
    Selection,
    TargetRun,
)
from reports import write_report

HOSTILE = (
    '<script>window.__pwned=1</script>"><img src=x onerror="window.__pwned=1">\'><svg onload=window.__pwned=1>'
    "\x1b[31mred\x00\u202egnp.exe\u2066 {{ 7 * 7 }} {% raw %} javascript:window.__pwned=1"
)
FAILED = {"behavior": Behavior.FAILED}
WRONG_CODE = {"behavior_close": BehaviorClose.WRONG_CODE}


@dataclass
class Node:
    """An element of a parsed page."""

    tag: str
    attributes: dict[str, str]
    children: list[Node | str] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child.walk()

    def find(self, tag: str, **attributes: str) -> list[Node]:
        return [node for node in self.walk() if node.tag == tag and attributes.items() <= node.attributes.items()]

    def with_id(self, name: str) -> Node:
        (found,) = (node for node in self.walk() if node.attributes.get("id") == name)
        return found

    def having(self, tag: str, text: str) -> Node:
        """The innermost element of that kind that says this."""
        return [node for node in self.find(tag) if text in node.text][-1]

    @property
    def text(self) -> str:
        words = (" ".join(child.text if isinstance(child, Node) else child for child in self.children)).split()
        return " ".join(words)

    @property
    def raw_text(self) -> str:
        return "".join(child.raw_text if isinstance(child, Node) else child for child in self.children)


class Parsed(HTMLParser):
    """A tree of a page; it knows the end tags that may be left out."""

    VOID = frozenset({"meta", "link", "br", "input", "img"})
    ENDS: ClassVar = {
        "td": {"td", "th"},
        "th": {"td", "th"},
        "tbody": {"td", "th", "tr", "thead"},
        "tr": {"td", "th", "tr"},
        "dt": {"dt", "dd"},
        "dd": {"dt", "dd"},
    }

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("", {})
        self._open = [self.root]
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        while self._open[-1].tag in self.ENDS.get(tag, ()):
            self._open.pop()
        node = Node(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(node)
        if tag not in self.VOID:
            self._open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert tag in {node.tag for node in self._open}, f"</{tag}> ends nothing"
        while self._open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def xml(text: str) -> ET.Element:
    """The root of a document of ours, which has to be well-formed."""
    return ET.fromstring(text)  # noqa: S314 - it defines no entities: we wrote it


def parsed(path: Path) -> Node:
    return Parsed(path.read_text(encoding="utf-8")).root


def row_of(table: Node, head: str) -> list[str]:
    """The texts of the cells of the row with this heading."""
    (row,) = (row for row in table.find("tr") if row.find("th") and row.find("th")[0].text.split(" ")[0] == head)
    return [cell.text for cell in row.walk() if cell.tag in {"td", "th"}]


class Recording:
    """A run's folder, built record by record."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run: dict[str, Any] = {"state": "complete", "exit_code": 0}
        self.targets: dict[tuple[str, str], dict[str, Any]] = {}
        folder.mkdir(exist_ok=True)

    def target(self, name: str = "echo", engine: str = "autobahn", **values: Any) -> None:  # noqa: ANN401 - as TargetRun
        self.targets[name, engine] = {"started_as": "process", "engine_version": "25.10.1", **values}

    def result(self, case: str, target: str = "echo", engine: str = "autobahn", **values: Any) -> Result:  # noqa: ANN401
        if (target, engine) not in self.targets:
            self.target(target, engine)
        verdict = {"behavior": Behavior.OK, "behavior_close": BehaviorClose.OK, "remote_close_code": 1000, **values}
        result = Result(target=target, engine=engine, case=case, duration_ms=7, **verdict)
        self.append("results.jsonl", result.to_json() + "\n")
        return result

    def probe(
        self,
        case: str,
        target: str = "echo",
        verdict: ProbeVerdict = ProbeVerdict.ENFORCED,
        **measured: Any,  # noqa: ANN401
    ) -> None:
        """The result of a limit probe, and its evidence."""
        behavior, closing = verdict.fields
        self.result(
            case, target, "limits", behavior=behavior, behavior_close=closing,
            remote_close_code=measured.get("close_code"), verdict=verdict, measured=Measured(**measured),
        )  # fmt: skip
        self.evidence(case, target, "limits", outcome=f"{case}: {verdict}.")

    def evidence(self, case: str, target: str = "echo", engine: str = "autobahn", **values: Any) -> None:  # noqa: ANN401
        words = {"sent": f"Sends {case}.", "expected": "Expects an echo.", "outcome": "As expected.", **values}
        self.append("evidence.jsonl", Evidence(target=target, engine=engine, case=case, **words).to_json() + "\n")

    def append(self, name: str, text: str) -> None:
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.write(text)

    def save(self) -> Path:
        """Write `run.json`; the run's folder."""
        journal = self.folder / "results.jsonl"
        lines = journal.read_text().splitlines() if journal.exists() else []
        targets = []
        for (name, engine), values in self.targets.items():
            seen = {line for line in lines if f'"target":"{name}","engine":"{engine}"' in line}
            lost = values.get("lost", [])
            targets.append(TargetRun(target=name, engine=engine, **{"expected": len(seen) + len(lost), **values}))
        whole: dict[str, Any] = {
            "id": "20261123-080000",
            "started_at": "2026-11-23T08:00:00Z",
            "machine": Machine(system="Linux", architecture="x86_64", cpus=2, memory_bytes=1 << 33),
            "selection": Selection(cases=["*"], count=1, jobs=2),
            "targets": targets,
        }
        run = Run(**(whole | self.run))
        (self.folder / "run.json").write_text(run.to_json())
        return self.folder

    def report(self, destination: Path | None = None, *, since: Path | None = None) -> Node:
        """Write `run.json` and the report; the parsed overview."""
        return parsed(write_report(self.save(), destination, since=since))

    def matrix(self) -> Node:
        """Write both; the parsed matrix."""
        self.report()
        return self.page("matrix.html")

    def page(self, path: str) -> Node:
        return parsed(self.folder / "report" / path)

    def pages(self) -> dict[Path, Node]:
        return {path: parsed(path) for path in sorted((self.folder / "report").rglob("*.html"))}
