"""Nothing that a peer sent, and no name, becomes anything but text; and a reader sees all of it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from harness.results import (
    Behavior,
    BehaviorClose,
    Deviation,
    Implementation,
    Lost,
    Machine,
    ProbeVerdict,
    Result,
    Run,
    Selection,
    TargetRun,
)
from reports import FORMATS, render
from reports._findings import line
from reports._github import code, row
from reports._load import EvidenceIndex, Recorded
from tests.reports.recording import FAILED, Recording, xml

TEXTS = tuple(name for name, one in FORMATS.items() if one.text)
PAYLOADS = (
    '<script>alert(1)</script><img src=x onerror="alert(1)">',
    "]]></failure><testcase/>&amp;&#60;",
    "\x1b[31mred\x1b]0;title\x07\x9b2J\x00\x7f",
    "\u202egnp.exe\u2066\u200b\ufeff\ufffe",
    "| a | b |\n|---|---|\n\n# heading\n- item\n\n    code\n> quote",
    "`a` ``b`` ```\n</code> \\` \\| *b* _c_ ~~d~~ $x$",
    "@everyone @octocat/team #12 GH-12 octo/repo#1 :smile: deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
    "[x](javascript:alert(1)) ![](http://evil.example/i.png) [^1] <http://evil.example> [y][z]",
    "http://evil.example/a HTTPS://evil.example www.evil.example a@b.example",
    "WWW.EVIL.EXAMPLE mailto:a@b.example xmpp:a@b.example/x",
    "  spaces\tand\r\nlines  ",
    "{{ 7 * 7 }} {% raw %} ${{ secrets.X }} ::error::x",
)
#: What the Markdown may become: no links, no images, no scripts.
TAGS = {"h2", "h3", "p", "ul", "li", "br", "wbr", "strong", "code", "table", "thead", "tbody", "tr", "th", "td"}
HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


@pytest.fixture(params=PAYLOADS, ids=range(len(PAYLOADS)))
def payload(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def hostile(recording: Recording, payload: str) -> Path:
    """A run with the payload wherever there is text that is not ours."""
    recording.target(
        payload, engine_version=payload, url=payload,
        implementation=Implementation(version=payload, language=payload, homepage=payload),
        lost=[Lost(case="2.1", reason=payload), Lost(case=payload, reason=payload)],
        deviations=[
            Deviation(cases=["1.1.1"], behavior=Behavior.FAILED, reason=payload, link=payload),
            Deviation(cases=["1.1.2"], behavior=Behavior.FAILED, reason=payload, link=payload),
        ],
        unexplained=[payload],
    )  # fmt: skip
    recording.target("never", error=payload, expected=1)
    recording.result("1.1.1", payload)
    recording.result("1.1.2", payload, **FAILED)
    recording.result("6.4.1", payload, **FAILED)
    recording.evidence(
        "6.4.1", payload, sent=payload, expected=payload, outcome=payload, outcome_close=payload, received=[payload],
        accepted={"OK": [payload], payload: [payload]}, request=payload, response=payload, clauses=[payload],
    )  # fmt: skip
    recording.probe("L.1.1", payload, ProbeVerdict.LATE, limit=payload, set_to=payload, refusal=payload,
                    figures={payload: 1}, settings={payload: payload})  # fmt: skip
    recording.evidence("L.1.1", payload, "limits", outcome=payload)
    recording.run["id"] = payload
    return recording.save()


class Page(HTMLParser):
    """The texts of a page: all pieces, and those of each `<code>`."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.pieces: list[str] = []
        self.codes: list[str] = []
        self._in_code = False
        self.feed(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        self.pieces.append("")
        if tag == "code":
            assert not self._in_code
            self._in_code = True
            self.codes.append("")

    def handle_endtag(self, tag: str) -> None:
        self.pieces.append("")
        if tag == "code":
            self._in_code = False

    def handle_data(self, data: str) -> None:
        self.pieces[-1] += data
        if self._in_code:
            self.codes[-1] += data


def is_text_alone(page: Page) -> bool:
    """Whether there is nothing in it but the tags that we mean, and nothing that GitHub would make a link of."""
    aligned = all(
        name == "style" and value in {"text-align:left", "text-align:right"} for name, value in page.attributes
    )
    # what its Markdown looks for in a piece of text, wherever that stands
    links = [piece for piece in page.pieces if re.search(r"[\w.+-]@\w|\w://|www\.", piece, re.IGNORECASE)]
    return page.tags <= TAGS and aligned and not links


def test_markdown_becomes_no_markup(hostile: Path):
    assert is_text_alone(Page(render("markdown", hostile)))


def test_markdown_shows_what_was_sent_as_it_was(hostile: Path, payload: str):
    codes = Page(render("markdown", hostile)).codes
    told = line(payload, 80)
    # as the run's id, and as the target's name in the two tables and five lists
    assert sum(text == told for text in codes) >= 8


def test_markdown_has_names_of_people_and_issues_only_where_github_looks_for_none(hostile: Path):
    text = render("markdown", hostile)
    outside = re.sub(r"<code>.*?</code>", "", text)
    assert not re.search(r"[@\\`\[\]!$^~]|#\d|GH-|:\w+:", outside.replace("(`wsconform report`)", ""))
    inside = "".join(re.findall(r"<code>(.*?)</code>", text))
    assert re.fullmatch(r"(?:[^!-/:-@\[-`{-~]|&#\d+;|<wbr>)*", inside)


def test_markdown_keeps_the_columns_of_its_tables(hostile: Path):
    lines = [one for one in render("markdown", hostile).splitlines() if one.startswith("|")]
    assert {one.count("|") for one in lines[:4]} == {14}
    assert {one.count("|") for one in lines[4:]} == {15}
    assert len(lines) == 4 + 3


def test_junit_is_well_formed_and_shows_what_was_sent(hostile: Path, payload: str):
    root = xml(render("junit", hostile))
    assert {element.tag for element in root.iter()} == {
        "testsuites", "testsuite", "properties", "property", "testcase", "failure", "error", "skipped",
    }  # fmt: skip
    told = line(payload, 200)
    assert root[0].attrib["name"] == f"{told} (autobahn)"
    messages = [element.attrib["message"] for element in root.iter("error")]
    assert f"lost: {told}" in messages
    assert f"The target could not be run: {told}" in messages
    assert f"known deviation: {told}" in [element.attrib["message"] for element in root.iter("skipped")]
    (failure,) = (case[0] for case in root.iter("testcase") if case.attrib["name"] == "6.4.1")
    assert f"sent: {told}\nexpected: {told}\n" in (failure.text or "")


def test_junit_groups_by_a_name_that_is_one(hostile: Path):
    root = xml(render("junit", hostile))
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", case.attrib["classname"]) for case in root.iter("testcase"))


def test_json_holds_what_was_sent_and_is_ascii(hostile: Path, payload: str):
    text = render("json", hostile)
    assert text.isascii()
    told = json.loads(text)
    assert told["targets"][0]["target"] == payload
    assert told["targets"][0]["lost"][0]["reason"] == payload
    assert payload in told["targets"][2]["results"][0]["measured"]["figures"]


def test_the_badge_holds_no_text_of_others(hostile: Path):
    for name in ("badge", "shields"):
        text = render(name, hostile)
        assert "could not be run, 1 of 2 implementations failed" in text
        assert not re.search(r"script|evil|everyone|7 \* 7|red|gnp", text)


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_is_hidden_and_nothing_acts_on_a_terminal(hostile: Path, name: str):
    assert not HIDDEN.search(render(name, hostile))


@pytest.mark.parametrize("name", TEXTS)
def test_what_has_no_form_in_utf_8_does_not_stop_anything(name: str):
    """No journal of ours holds it, but a run that is given may (names on a command line are octets)."""
    text = "\ud800x\udcff"
    target = TargetRun(
        target=text, engine="native", started_as="url", error=text, lost=[Lost(case=text, reason=text)], expected=2
    )
    run = Run(
        id=text, state="complete", started_at=text,
        machine=Machine(system=text, architecture="", cpus=1, memory_bytes=1),
        selection=Selection(cases=["*"], count=2, jobs=1), targets=[target],
    )  # fmt: skip
    result = Result(
        target=text, engine="native", case="1.1.1", behavior=Behavior.FAILED, behavior_close=BehaviorClose.OK,
        duration_ms=1,
    )  # fmt: skip
    nowhere = Path("nowhere")
    make = FORMATS[name].text
    assert make is not None
    told = make(Recorded(nowhere, run, {result.key: result}, EvidenceIndex(nowhere), ()))
    assert not HIDDEN.search(told)
    if name == "junit":
        xml(told)
    elif name in {"json", "shields", "autobahn"}:
        json.loads(told)
    if name == "json":
        assert json.loads(told)["targets"][0]["target"].encode()


@pytest.mark.parametrize("number", ["NaN", "Infinity"])
def test_json_has_no_number_that_is_none(recording: Recording, number: str):
    """Python reads and writes them; nobody else does."""
    recording.probe("L.1.1", limit="max_frame_size", set_to=16384.0)
    journal = recording.folder / "results.jsonl"
    journal.write_text(journal.read_text().replace("16384.0", number))
    told = json.loads(render("json", recording.save()), parse_constant=pytest.fail)
    assert told["targets"][0]["results"][0]["measured"]["setTo"] is None


@pytest.mark.parametrize("name", TEXTS)
def test_lines_that_are_not_utf_8_do_not_stop_anything(recording: Recording, name: str):
    recording.result("1.1.1", **FAILED)
    with (recording.folder / "evidence.jsonl").open("ab") as file:
        file.write(b'{"target":"echo","engine":"autobahn","case":"1.1.1","sent":"\xff\xfe\xed\xa0\x80"}\n')
        file.write(b'{"target":"echo","engine":"autobahn","case":"1.1.1","sent":"\\ud800","expected":""}\n')
    assert render(name, recording.save())


@settings(deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_text_comes_out_of_markdown_as_it_went_in(text: str):
    for markdown in (
        f"- {code(text, 500)}",
        "\n".join((row(("a", "b")), row(("---", "---")), row((code(text, 500), code(text, 500))))),
    ):
        page = Page(markdown)
        assert is_text_alone(page)
        assert set(page.codes) == {line(text, 500)}


@settings(deadline=None)
@given(text=st.text(alphabet="@.:/w|`<>&#\\x1 -_~\n", max_size=40))
def test_no_mix_of_what_means_something_means_anything(text: str):
    page = Page(f"| a |\n| --- |\n| {code(text, 500)} |")
    assert is_text_alone(page)
    assert page.codes == [line(text, 500)]


@pytest.mark.parametrize("name", ["html", "pdf", ""])
def test_what_is_no_format_of_one_text_is_refused_with_those_that_are(recording: Recording, name: str):
    with pytest.raises(ValueError, match="junit, markdown, json, badge, shields, autobahn"):
        render(name, recording.save())
