"""The values that limits may have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.limits.catalogue import FAMILIES, probes
from harness.limits.settings import GIB, KINDS, NAMES, ORIGIN, check, parse, text, words


def test_sizes_numbers_seconds_and_an_origin_are_read():
    assert parse(["max_message_size=65536", "ping_interval=0.5", "allowed_origin=https://good.example"]) == {
        "max_message_size": 65536,
        "ping_interval": 0.5,
        "allowed_origin": "https://good.example",
    }


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (["max_message_size=lots"], "max_message_size is a number of octets, not 'lots'"),
        (["max_message_size=-1"], "above 0, at most 1 GiB (1073741824), not -1"),
        (["max_frame_size=1073741825"], "at most 1 GiB (1073741824), not 1073741825"),
        (["max_frame_size=0"], "above 0"),
        (["max_frame_size=nan"], "above 0"),
        (["max_fragments=inf"], "above 0"),
        (["max_fragments=1.5"], "max_fragments is a whole number, not 1.5"),
        (["close_timeout=100000"], "a number of seconds above 0, at most 86400, not 100000"),
        (["max_mesage_size=1"], "did you mean max_message_size"),
        (["max_message_size"], "write NAME=VALUE"),
        (["max_message_size=1", "max_message_size=2"], "each name once"),
        (["allowed_origin=good.example"], "allowed_origin is an origin such as https://example.com"),
        (["\x1b[31m=1"], r"no limit '\x1b[31m'"),
    ],
)
def test_what_is_no_limit_is_said_in_one_line(declared: list[str], said: str):
    with pytest.raises(UsageError) as caught:
        parse(declared)
    assert said in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.message.isprintable()


@given(st.sampled_from(sorted(KINDS)), st.text() | st.floats().map(str) | st.integers().map(str))
def test_any_text_is_a_value_in_range_or_an_error(name: str, value: str):
    try:
        number = check(name, value)
    except ValueError:
        return
    assert isinstance(number, int | float)
    assert 0 < number <= GIB
    assert check(name, text(number)) == number


def test_a_value_is_told_with_its_unit():
    assert words("max_frame_size", 16384) == "max_frame_size = 16,384 octets"
    assert words("max_connections", 10) == "max_connections = 10"
    assert words(ORIGIN, "https://good.example") == "allowed_origin = https://good.example"


def test_every_probe_is_of_a_known_limit_with_values_in_range():
    for probe in probes().values():
        assert probe.limit is None or probe.limit in probe.settings
        for name, value in probe.settings.items():
            assert name in NAMES
            assert check(name, value) == value


def test_probes_are_numbered_by_family():
    assert [family.number for family in FAMILIES] == list(range(1, 12))
    assert list(probes())[:2] == ["L.1.1", "L.1.2"]
    assert list(probes())[-1] == "L.11.2"


def test_every_probe_says_what_it_sends_and_what_is_right():
    for probe in probes().values():
        assert probe.title.endswith((".", ")"))
        assert probe.expects.endswith((".", ")"))
        assert all(clause.startswith(("RFC 6455 ", "RFC 7692 ")) for clause in probe.clauses)
