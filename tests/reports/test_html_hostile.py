from __future__ import annotations

import re

import pytest

from harness.results import (
    Closing,
    Lost,
    WireEvent,
)
from reports._text import safe_link, visible
from tests.reports.recording import FAILED, Recording


def test_becomes_neither_element_nor_attribute_nor_template(rich: Recording) -> None:
    for path, page in rich.pages().items():
        scripts = page.find("script")
        assert [set(script.attributes) for script in scripts] == [{"src", "defer"}], path
        assert not page.find("img"), path
        assert all(set(svg.attributes) == {"role", "viewbox"} for svg in page.find("svg")), path
        assert not page.find("style"), path
        for node in page.walk():
            assert not any(name.startswith("on") or name == "style" for name in node.attributes), path
        assert " 49 " not in page.text.replace("{{ 7 * 7 }}", "")
    for name in (
        "index.html", "matrix.html", "clauses.html", "limits.html", "crosscheck.html", "changes.html", "about.html",
        "cases/6.4.1.html", "limits/L.4.1.html",
    ):  # fmt: skip
        assert "<script>window.__pwned=1</script>" in rich.page(name).text


def test_hides_nothing_from_the_reader(rich: Recording) -> None:
    for path in rich.pages():
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", path.read_text()), path
    assert "\u241b[31mred\u2400\u27e8U+202E\u27e9gnp.exe\u27e8U+2066\u27e9" in rich.page("cases/6.4.1.html").text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb\nc", "a\tb\nc"),
        ("\r\x7f", "\u240d\N{SYMBOL FOR DELETE}"),
        ("\ufeff\u200b\ufffe", "\u27e8U+FEFF\u27e9\u27e8U+200B\u27e9\u27e8U+FFFE\u27e9"),
        ("\ud800\U0001fffe\U000e0041", "\u27e8U+D800\u27e9\u27e8U+1FFFE\u27e9\u27e8U+E0041\u27e9"),
        ("\u03ba\u1f79\u03c3 \U0001f600", "\u03ba\u1f79\u03c3 \U0001f600"),
    ],
)
def test_shows_what_is_hidden_by_its_name(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_huge_text_is_cut(recording: Recording) -> None:
    huge = "A" * 1_000_000
    recording.target(lost=[Lost(case="2.1", reason=huge)])
    recording.result("1.1.1", **FAILED)
    recording.evidence(
        "1.1.1", sent=huge, outcome=huge, received=[huge] * 100, response=huge,
        closing=Closing(was_clean=False, reason_not_clean=huge, remote_reason=huge),
        wire=[WireEvent(kind="frame", data=huge)],
    )  # fmt: skip
    recording.report()
    sizes = {path.name: path.stat().st_size for path in recording.pages()}
    assert sizes.pop("clauses.html") < 100_000  # it has all clauses, whatever was run
    assert all(size < 50_000 for size in sizes.values()), sizes
    assert "more characters)" in recording.page("cases/1.1.1.html").text


@pytest.mark.parametrize("url", ["HTTPS://example.org/a?b=c#d", "http://[::1]:80/"])
def test_web_addresses_may_become_links(url: str) -> None:
    assert safe_link(url) == url


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "java\nscript:x",
        "javascript://a.b/%0aalert(1)",
        "ftp://a.b/",
        "https:///nohost",
        "http://[",
        "https://a/\u202e",
        "https://a/" + "b" * 9999,
    ],
)
def test_other_addresses_may_not(url: str | None) -> None:
    assert safe_link(url) is None
