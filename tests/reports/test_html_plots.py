from __future__ import annotations

import re

import pytest

from harness.results import Measured, ProbeVerdict
from reports._plots import memory
from tests.reports.recording import HOSTILE, Node, Recording, row_of

NOT_ENFORCED = ProbeVerdict.NOT_ENFORCED
SIZE = "max_frame_size"
TIMEOUT = "close_timeout"


def plots(recording: Recording) -> list[Node]:
    recording.report()
    return recording.page("limits.html").find("figure", **{"class": "plot"})


def marks(plot: Node) -> dict[str, tuple[float, float]]:
    """Where the marks stand, by what they say."""
    found = {}
    for path in plot.find("path"):
        if path.attributes["class"].startswith("mark"):
            place = re.match(r"M([\d.]+) ([\d.]+)m", path.attributes["d"])
            assert place
            found[path.find("title")[0].text] = (float(place[1]), float(place[2]))
    return found


def test_a_limit_of_octets_is_plotted_against_what_was_taken(recording: Recording) -> None:
    recording.probe("L.1.2", "a", limit=SIZE, set_to=16384.0, sent=20000, taken=16384, refusal="close 1009")
    recording.probe("L.1.3", "a", ProbeVerdict.LATE, limit=SIZE, set_to=16384.0, taken=1 << 20, refusal="reset")
    recording.probe("L.1.4", "a", limit=SIZE, set_to=16384.0, taken=0, refusal="close 1009")
    (plot,) = plots(recording)
    at = marks(plot)
    on_line, above, below = (
        at["a, L.1.2: ENFORCED, 16,384 of 16,384"],
        at["a, L.1.3: LATE, 1,048,576 of 16,384"],
        at["a, L.1.4: ENFORCED, 0 of 16,384"],
    )
    assert above[1] < on_line[1] < below[1]
    assert above[0] == on_line[0] == below[0]
    line = re.match(r"M(\d+) (\d+)L(\d+) (\d+)", plot.find("path", **{"class": "limit"})[0].attributes["d"])
    assert line
    left, bottom, right, top = map(int, line.groups())
    assert on_line[1] == pytest.approx(bottom + (on_line[0] - left) * (top - bottom) / (right - left), abs=0.2)
    assert row_of(plot, "a") == ["a", "16,384 of 16,384", "1,048,576 of 16,384", "0 of 16,384"]


def test_what_was_never_refused_is_plotted_only_where_it_should_have_been(recording: Recording) -> None:
    recording.probe("L.1.1", limit=SIZE, set_to=16384.0, sent=16392)  # at the limit
    recording.probe("L.1.2", verdict=NOT_ENFORCED, limit=SIZE, set_to=16384.0, sent=1 << 26)
    (plot,) = plots(recording)
    assert list(marks(plot)) == ["echo, L.1.2: NOT ENFORCED, 67,108,864 of 16,384, not refused"]


def test_implementations_with_the_same_limit_stand_side_by_side(recording: Recording) -> None:
    for name in ("a", "b"):
        recording.probe("L.1.2", name, limit=SIZE, set_to=16384.0, taken=9, refusal="close 1009")
    (first, second) = marks(plots(recording)[0]).values()
    assert second[0] - first[0] == pytest.approx(4)


def test_marks_tell_verdicts_by_their_shape(recording: Recording) -> None:
    shown = [verdict for verdict in ProbeVerdict if verdict is not ProbeVerdict.NOT_CONFIGURABLE]
    for number, verdict in enumerate(shown):
        recording.probe(f"L.1.{number}", verdict=verdict, limit=SIZE, set_to=9, taken=9, refusal="reset")
    (plot,) = plots(recording)
    shapes = {path.attributes["d"].split("m", 1)[1] for path in plot.find("path") if path.find("title")}
    assert len(shapes) == len(shown)


def test_times_are_plotted_with_least_mean_most_and_the_setting(recording: Recording) -> None:
    recording.probe("L.5.1", "a", limit=TIMEOUT, set_to=2.0, seconds=[1.0, 2.0, 3.0])
    recording.probe("L.5.1", "b", NOT_ENFORCED, limit=TIMEOUT, set_to=2.0)
    recording.probe("L.5.1", "c", ProbeVerdict.NOT_CONFIGURABLE, limit=TIMEOUT)
    (plot,) = plots(recording)
    assert row_of(plot, "a") == ["a", "ENFORCED", "2", "1.000", "2.000", "3.000", "3"]
    assert row_of(plot, "b") == ["b", "NOT ENFORCED", "2", "", "", "", "0"]
    (at,) = marks(plot).values()
    limits = {path.attributes["d"].split(" ")[0] for path in plot.find("path", **{"class": "limit"})}
    assert limits == {f"M{at[0]:g}"}  # the mean is what was set
    assert "not enforced, nothing timed" in plot.find("svg")[0].text
    assert "c" not in [text.text for text in plot.find("text")]


def test_there_is_no_plot_of_what_was_not_measured(recording: Recording) -> None:
    recording.probe("L.1.1", verdict=ProbeVerdict.NOT_CONFIGURABLE, limit=SIZE)
    recording.probe("L.5.1", verdict=NOT_ENFORCED, limit=TIMEOUT, set_to=1.0)
    recording.probe("L.2.8", limit="max_fragments", set_to=10.0, taken=5, refusal="close 1009")
    assert plots(recording) == []


@pytest.mark.parametrize("value", [-1.0, 0.0, HOSTILE])
def test_a_setting_that_has_no_place_on_a_scale_is_not_plotted(recording: Recording, value: float | str) -> None:
    recording.probe("L.1.1", limit=SIZE, set_to=value, taken=5, refusal="close 1009")
    recording.probe("L.5.1", limit=TIMEOUT, set_to=value, seconds=[1.0])
    recording.probe("L.5.2", limit=TIMEOUT, set_to=1.0, seconds=[-5.0, 1e9])
    (plot,) = plots(recording)
    assert row_of(plot, "echo")[2:] == ["1", *["1000000000.000"] * 3, "1"]


def test_memory_is_a_line_over_time_with_its_idle_and_words(recording: Recording) -> None:
    points = [(0, 20 << 20), (500, 30 << 20), (2000, 25 << 20)]
    recording.probe("L.1.4", memory_idle=20 << 20, memory_peak=30 << 20, memory=points)
    recording.report()
    (plot,) = recording.page("limits/L.1.4.html").find("figure")
    assert plot.find("polyline")[0].attributes["points"] == "6,58 63,6 234,32"
    assert plot.find("path")[0].attributes["d"].startswith("M6 58")
    words = "idle 20.0 MiB, peak 30.0 MiB, growth 10.0 MiB, in 2.0 s"
    assert plot.find("desc")[0].text == words
    assert words in plot.find("figcaption")[0].text


def test_little_memory_is_a_flat_line() -> None:
    plot = memory(
        Measured(memory_idle=9 << 20, memory_peak=(9 << 20) + 4096, memory=[(0, 9 << 20), (9, (9 << 20) + 2048)])
    )
    assert plot
    assert plot.points == "6,58 234,58"


def test_one_point_is_no_line() -> None:
    assert memory(Measured(memory_idle=1, memory_peak=2, memory=[(0, 1)])) is None
    assert memory(Measured(memory=[(0, 1), (1, 1)])) is None
