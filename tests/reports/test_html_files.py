from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from reports._text import slugs
from tests.reports.recording import Recording, parsed


def test_every_link_leads_to_a_file_and_a_place_in_it(rich: Recording) -> None:
    pages = rich.pages()
    ids = {
        path: {node.attributes["id"] for node in page.walk() if "id" in node.attributes} for path, page in pages.items()
    }
    reached = {rich.folder / "report" / "index.html"}
    for path, page in pages.items():
        for node in page.walk():
            link = node.attributes.get("href", node.attributes.get("src", ""))
            parts = urlsplit(link)
            if not link or parts.scheme in {"http", "https"}:
                continue
            assert not parts.scheme, f"{path}: {link}"
            file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert file.is_file(), f"{path}: {link}"
            assert file not in ids or not parts.fragment or unquote(parts.fragment) in ids[file], f"{path}: {link}"
            reached.add(file)
    assert set(pages) <= reached
    assert rich.folder / "echo.log" in reached
    assert rich.folder / "autobahn" / "echo_1.html" in reached


def test_nothing_is_loaded_from_elsewhere(rich: Recording) -> None:
    for path, page in rich.pages().items():
        assert {node.tag for node in page.walk() if "src" in node.attributes} == {"script"}, path
        loaded = [node for node in page.walk() if node.tag in {"script", "link"}]
        links = [node.attributes.get("href") or node.attributes["src"] for node in loaded]
        assert all(re.fullmatch(r"(\.\./)?static/report\.(css|js)", link) for link in links), path
        assert (
            "default-src 'none'"
            in page.find("meta", **{"http-equiv": "Content-Security-Policy"})[0].attributes["content"]
        )
    static = rich.folder / "report" / "static"
    assert not re.search(r"url\(|@import|https?:", (static / "report.css").read_text())
    assert not re.search(r"https?:|fetch|innerHTML", (static / "report.js").read_text())


def test_ids_are_unique_in_a_page(rich: Recording) -> None:
    for path, page in rich.pages().items():
        ids = [node.attributes["id"] for node in page.walk() if "id" in node.attributes]
        assert len(ids) == len(set(ids)), path


def test_tables_have_a_caption_and_headings_with_a_scope(rich: Recording) -> None:
    for path, page in rich.pages().items():
        for table in page.find("table"):
            assert table.find("caption")[0].text, path
            assert all(head.attributes.get("scope") in {"col", "row"} for head in table.find("th")), path


def test_names_of_files_are_safe_and_unique() -> None:
    names = [
        "ws://localhost:9001",
        "ws:/localhost/9001",
        "Echo",
        "echo",
        "..",
        "",
        "a/../../b",
        "\u00e9",
        "x" * 300,
    ]
    given = slugs([*names, "echo"])
    assert list(given) == names
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}", name) for name in given.values())
    assert len({name.casefold() for name in given.values()}) == len(names)
    assert given["ws://localhost:9001"] == "ws-localhost-9001"


def test_a_second_report_takes_away_the_pages_that_are_no_more_and_no_others(recording: Recording) -> None:
    recording.result("1.1.1")
    recording.result("1.1.2")
    recording.report()
    foreign = recording.folder / "report" / "cases" / "notes.html"
    foreign.write_text("mine")
    (recording.folder / "results.jsonl").unlink()
    recording.result("1.1.1")
    recording.report()
    assert {path.name for path in foreign.parent.iterdir()} == {"1.1.1.html", "notes.html"}


def test_a_report_written_elsewhere_links_back_into_the_run(recording: Recording, tmp_path: Path) -> None:
    (recording.folder / "own.html").write_text("own")
    recording.result("1.1.1")
    recording.evidence("1.1.1", file="own.html")
    recording.report(tmp_path / "a" / "b")
    page = parsed(tmp_path / "a" / "b" / "cases" / "1.1.1.html")
    assert page.find("a", href="../../../run/own.html")
