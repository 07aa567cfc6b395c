from __future__ import annotations

import json
import re

import pytest

from harness.results import Behavior, Deviation, Lost
from reports import render
from reports._badge import COLORS
from tests.reports.recording import FAILED, Recording, xml

SVG = "{http://www.w3.org/2000/svg}"
KNOWN = Deviation(cases=["1.*"], behavior=Behavior.FAILED, reason="By design.")


def words(recording: Recording) -> tuple[str, str]:
    told = json.loads(render("shields", recording.save()))
    return told["label"], told["message"]


def luminance(color: str) -> float:
    """Of WCAG 2.2."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_it_says_how_much_passed(recording: Recording):
    recording.result("1.1.1")
    recording.result("1.1.2", behavior=Behavior.NON_STRICT)
    for case in ("12.1.1", "12.1.2"):
        recording.result(case, behavior=Behavior.UNIMPLEMENTED)
    assert words(recording) == ("RFC 6455", "passed 2 of 4")


def test_what_passes_a_strict_run_because_it_is_known_has_not_passed(recording: Recording):
    recording.run["strict"] = True
    recording.target(deviations=[Deviation(cases=["6.*"], behavior=Behavior.NON_STRICT, reason="By design.")])
    recording.result("1.1.1")
    recording.result("6.4.1", behavior=Behavior.NON_STRICT)
    assert words(recording)[1] == "passed 1 of 2, 1 known deviation"


def test_it_says_that_deviations_are_known(recording: Recording):
    recording.target(deviations=[KNOWN])
    recording.result("1.1.1", **FAILED)
    recording.result("2.1")
    assert words(recording)[1] == "passed 1 of 2, 1 known deviation"


def test_it_says_how_much_failed(recording: Recording):
    recording.result("1.1.1", **FAILED)
    recording.result("2.1", **FAILED)
    assert words(recording)[1] == "2 failed"


def test_it_says_that_a_known_deviation_is_stale(recording: Recording):
    recording.target(deviations=[KNOWN])
    recording.result("1.1.1")
    assert words(recording)[1] == "1 stale known deviation"


def test_it_says_that_a_run_is_incomplete(recording: Recording):
    recording.target(lost=[Lost(case="2.1", reason="it died")])
    recording.result("1.1.1", **FAILED)
    assert words(recording)[1] == "incomplete, 1 failed"


def test_it_says_how_many_implementations_there_are(recording: Recording):
    for name in ("a", "b", "c"):
        recording.result("1.1.1", name)
        recording.result("1.1.1", name, engine="native")
    assert words(recording)[1] == "3 implementations passed"
    recording.result("2.1", "b", **FAILED)
    assert words(recording)[1] == "1 of 3 implementations failed"
    recording.run["state"] = "interrupted"
    assert words(recording)[1] == "interrupted, 1 of 3 implementations failed"


def test_a_run_of_limits_alone_does_not_claim_the_rfc(recording: Recording):
    recording.probe("L.1.1")
    assert words(recording)[0] == "WebSocket limits"


def test_a_run_of_nothing_is_incomplete(recording: Recording):
    assert words(recording)[1] == "incomplete"


def test_shields_gets_what_its_endpoint_badge_asks_for(recording: Recording):
    recording.result("1.1.1")
    told = json.loads(render("shields", recording.save()))
    assert told == {
        "schemaVersion": 1,
        "label": "RFC 6455",
        "message": "passed 1 of 1",
        "color": COLORS["passed"],
        "isError": False,
    }


def test_the_image_says_the_same_to_those_who_do_not_see_it(recording: Recording):
    recording.result("1.1.1")
    image = xml(render("badge", recording.save()))
    assert image.tag == f"{SVG}svg"
    assert (image.attrib["role"], image.attrib["aria-label"]) == ("img", "RFC 6455: passed 1 of 1")
    assert image.findtext(f"{SVG}title") == "RFC 6455: passed 1 of 1"
    assert [text.text for text in image.iter(f"{SVG}text")] == ["RFC 6455", "passed 1 of 1"]


def test_the_image_asks_for_nothing(recording: Recording):
    recording.result("1.1.1")
    text = render("badge", recording.save())
    assert re.findall(r"https?://[^\"]+|url\([^)]*\)", text) == ["http://www.w3.org/2000/svg"]
    assert {element.tag.removeprefix(SVG) for element in xml(text).iter()} == {
        "svg", "title", "g", "rect", "path", "text",
    }  # fmt: skip


def test_many_fit_on_one_page(recording: Recording):
    """Put into a page as they are, they must not refer to each other's parts."""
    recording.result("1.1.1")
    assert not [element for element in xml(render("badge", recording.save())).iter() if "id" in element.attrib]


def test_its_words_stand_in_their_part_of_it(recording: Recording):
    recording.result("1.1.1")
    image = xml(render("badge", recording.save()))
    left, right = image.iter(f"{SVG}text")
    (part,) = image.iter(f"{SVG}path")
    edge = 3 + int(part.attrib["d"].removeprefix("M3 0h").split("v")[0])
    assert int(left.attrib["x"]) + int(left.attrib["textLength"]) < edge < int(right.attrib["x"])
    assert int(right.attrib["x"]) + int(right.attrib["textLength"]) < int(image.attrib["width"])


@pytest.mark.parametrize("color", [*COLORS.values(), "444444"])
def test_white_letters_can_be_read_on_it(color: str):
    assert 1.05 / (luminance(color) + 0.05) >= 4.5


def test_failed_and_passed_differ_in_more_than_a_shade():
    assert COLORS["failed"][:2] > COLORS["failed"][2:4]
    assert all(COLORS[kind][2:4] > COLORS[kind][:2] for kind in ("passed", "known"))
    assert all(COLORS[kind][:2] > COLORS[kind][2:4] for kind in ("failed", "incomplete"))
