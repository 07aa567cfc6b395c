import json

import pytest

from bench import report
from bench.load import Sample
from bench.measure import Cell, Outcome, Outcomes, turns

_SMALL, _LARGE = Cell(64, 1), Cell(64 << 10, 1)


def _outcome(*rates: float, cpu: float = 0.5) -> Outcome:
    return Outcome([Sample(messages=rate, seconds=1, server_cpu=cpu, generator_cpu=0.25) for rate in rates])


def _beside(other: str, ours: Outcome, theirs: Outcome, cell: Cell = _SMALL) -> Outcomes:
    return {(cell, "refimpl"): ours, (cell, other): theirs}


def test_each_round_begins_with_another_server():
    assert [turns(["a", "b", "c"], number) for number in range(4)] == [
        ["a", "b", "c"],
        ["b", "c", "a"],
        ["c", "a", "b"],
        ["a", "b", "c"],
    ]


@pytest.mark.parametrize(
    ("size", "text"), [(1, "1 B"), (64, "64 B"), (4096, "4 KiB"), (1 << 20, "1 MiB"), (1025, "1025 B")]
)
def test_a_size_is_shown_in_its_largest_whole_unit(size: int, text: str):
    assert report.format_size(size) == text


def test_the_median_of_the_rounds_counts():
    outcome = _outcome(1000, 10, 30)

    assert outcome.rate == 30
    assert outcome.cpu_per_message == 0.5 / 30
    assert outcome.generator_share == 0.25


def test_a_server_that_failed_in_a_later_round_has_no_rate():
    outcome = _outcome(1000)
    outcome.problem = "it closed the connection"

    assert outcome.rate is None


def test_a_server_that_answered_nothing_has_no_cpu_time_per_message():
    assert _outcome(0).cpu_per_message is None


def test_ratios_above_one_are_in_favour_of_the_reference_server():
    outcomes = _beside("picows", _outcome(300, cpu=0.3), _outcome(100, cpu=0.2))

    assert report.ahead(outcomes, _SMALL, "picows") == pytest.approx(3)
    assert report.cheaper(outcomes, _SMALL, "picows") == pytest.approx(2)


def test_the_table_has_rate_and_ratio_side_by_side():
    text = report.tables(_beside("picows", _outcome(30000), _outcome(10000)))

    assert "Window of 1 outstanding message\n" in text
    assert "messages/s  refimpl         picows\n64 B         30,000  10,000  3.00x" in text


def test_without_the_reference_server_there_are_rates_and_no_ratios():
    assert "64 B        30,000\n" in report.tables({(_SMALL, "picows"): _outcome(30000)})


def test_a_failure_is_a_dash_in_the_table_and_a_line_below_it():
    outcomes = _beside("aiohttp", _outcome(10), Outcome(problem="it fragments its echo"))
    text = report.tables(outcomes)

    assert "64 B             10        -\n" in text
    assert text.endswith("failed: aiohttp, 64 B, window 1: it fragments its echo")


def test_an_aim_is_missed_in_a_cell_where_the_reference_server_is_not_ahead():
    outcomes = _beside("aiohttp", _outcome(50), _outcome(100))
    *lines, last = report.aims(outcomes).splitlines()

    assert lines == [
        "ahead of aiohttp (its protocol code is Python, compiled by Cython): 0 of 1 cells; not in 64 B x 1 (0.50x)"
    ]
    assert last == (
        "aim to be ahead, in the cells measured: does not hold against aiohttp; "
        "not fully measured against python-websockets, python-websockets-threading, picows"
    )


def test_rounds_that_disagree_are_called_noise():
    outcomes = _beside("aiohttp", _outcome(50, 60, 110), _outcome(100, 100, 100))

    assert "64 B x 1 (0.60x, within the noise)" in report.aims(outcomes)


def test_picows_may_be_ahead_below_64_kib():
    outcomes = {
        **_beside("picows", _outcome(50), _outcome(100)),
        **_beside("picows", _outcome(200), _outcome(100), _LARGE),
    }
    text = report.aims(outcomes)

    assert "1 of 1 cells" in text
    assert "holds against picows" in text


def test_an_aim_is_not_claimed_where_a_cell_failed():
    outcomes = {
        **_beside("aiohttp", _outcome(200), _outcome(100)),
        **_beside("aiohttp", _outcome(200), Outcome(problem="it closed the connection"), _LARGE),
    }

    assert "holds against aiohttp" not in report.aims(outcomes)


def test_json_has_every_round():
    document = report.as_json(_beside("picows", _outcome(30, 20, 10), _outcome(10, 10, 10)), {"tookSeconds": 1})
    text = json.dumps(document, allow_nan=False)

    assert json.loads(text)["cells"][1]["refimplAhead"] == 2
    assert [sample["messages"] for sample in json.loads(text)["cells"][0]["rounds"]] == [30, 20, 10]
