from hypothesis import given
from hypothesis import strategies as st

from harness.text import did_you_mean, last_lines, printable


def test_an_escape_sequence_is_shown_and_not_sent():
    assert printable("\x1b[31mred\x1b[0m") == r"\x1b[31mred\x1b[0m"


def test_an_override_of_direction_is_shown():
    assert printable("abc\u202edef") == r"abc\u202edef"


def test_long_text_is_cut():
    assert printable("x" * 30, limit=10) == "x" * 10 + "…"


def test_letters_of_any_script_stay():
    assert printable("κόσμε 日本 ñ") == "κόσμε 日本 ñ"


@given(st.text())
def test_whatever_is_shown_is_one_line_without_controls(text: str):
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert all(c.isprintable() for c in shown)


def test_the_last_lines_leave_out_empty_ones():
    assert last_lines("a\n\nb\n\n\nc\n\n", 2) == "b\nc"


def test_a_typing_error_gets_a_suggestion_and_nonsense_gets_none():
    assert did_you_mean("picow", ["picows", "ws"]) == "; did you mean picows?"
    assert did_you_mean("zzzz", ["picows", "ws"]) == ""
