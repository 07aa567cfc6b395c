"""What a person is told of a case that failed."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

from tests.pytest_plugin.hostile import hostile_server

pytest_plugins = ["pytester"]

Suite = Callable[..., pytest.RunResult]


def test_a_failure_tells_what_was_done_expected_and_seen_why_and_how_to_see_it_again(
    suite: Suite, echo: Callable[[str], str]
):
    url = echo("wrong-code-for-protocol-errors 1003")
    result = suite("--wsconform-url", url, "--wsconform-cases", "4.1.3")
    result.stdout.fnmatch_lines(
        [
            "OK, close WRONG CODE 1003: The close code was 1003; it should be 1002, or none.",
            "  case     4.1.3",
            "  sends    A good text message, then a frame with the reserved opcode 5, then a ping",
            "  expects  The message comes back, then the peer fails the connection with 1002; *",
            "  seen     message *Hello* (text)",
            "  outcome  What came is what is accepted.",
            "  closing  The close code was 1003; it should be 1002, or none.",
            "  verdict  behavior OK, behaviorClose WRONG CODE",
            "  code     1003*",
            "  clauses  RFC 6455 5.2*",
            f"  server   {url}",
            "  wire log (-> sent, <- received)",
            "    * ms  -> text FIN masked, 13 octets: Hello, world!",
            "    * ms  <- text FIN, 13 octets: Hello, world!",
            "    * ms  <- close FIN, *",
            "  again    pytest -k 'test_rfc?4.1.3?'",
            f"           wsconform run {url} --cases 4.1.3 -v --profile quick",
        ],
        consecutive=False,
    )
    assert "Traceback" not in result.stdout.str()
    assert "harness/" not in result.stdout.str()


def test_a_failure_of_a_case_that_talks_tells_it_in_its_own_words(suite: Suite, echo: Callable[[str], str]):
    url = echo("empty-pong")
    result = suite("--wsconform-url", url, "--wsconform-cases", "F.5.1")
    result.stdout.fnmatch_lines(
        [
            "FAILED, close OK: The pong has another content: '' (0 octets).",
            "  case     F.5.1",
            "  sends    A ping of each size from 0 to 125.",
            "  expects  Each is answered with its content.",
            "  outcome  The pong has another content: '' (0 octets).",
            "  verdict  behavior FAILED, behaviorClose OK",
            "  code     none came",
            "  clauses  RFC 6455 5.5.2, RFC 6455 5.5.3",
            f"  server   {url}",
            "  wire log (-> sent, <- received)",
            "    * ms  <- pong FIN, 0 octets",
            "  again    pytest -k 'test_rfc?F.5.1?'",
            f"           wsconform run {url} --cases F.5.1 -v --profile quick",
        ],
        consecutive=False,
    )
    assert "  seen " not in result.stdout.str()


def test_the_close_code_that_a_case_that_talks_saw_is_told(suite: Suite, echo: Callable[[str], str]):
    result = suite(
        "--wsconform-url", echo("answers-close-with 1001"), "--wsconform-cases", "F.6.11", "--wsconform-strict"
    )
    result.stdout.fnmatch_lines(["NON-STRICT, close OK 1001: *", "  code     1001"])


def test_what_it_says_to_run_again_is_that_case_alone(suite: Suite, good_url: str):
    result = suite("--wsconform-url", good_url, "--wsconform-cases", "1.1.*", "-k", "test_rfc[1.1.2]")
    result.assert_outcomes(passed=1, deselected=7)


def test_a_long_wire_log_shows_its_beginning_and_its_end(suite: Suite, echo: Callable[[str], str]):
    """9.7.1 is a thousand messages."""
    url = echo("answers-close-with 1001")
    result = suite("--wsconform-url", url, "--wsconform-cases", "9.7.1", "--wsconform-profile", "full")
    lines = result.outlines
    log = lines[lines.index("  wire log (-> sent, <- received)") + 1 : -1]
    log = log[: next(n for n, line in enumerate(log) if line.startswith("  again"))]
    assert len(log) == 40
    assert "octets: 474554202f" in log[0]  # GET /
    assert int(re.findall(r"… (\d+) lines left out …", log[24])[0]) > 1000
    assert "closed the TCP connection" in log[-1]


@pytest.mark.parametrize(
    ("case", "where"),
    [("1.1.2", "  seen     message "), ("12.1.1", "  seen     to the opening request: HTTP/1.1 400 ")],
)
def test_nothing_that_the_server_sends_gets_through_to_terminal_or_report(
    pytester: pytest.Pytester, suite: Suite, case: str, where: str
):
    """In 1.1.2 it is in a message and in a close reason, in 12.1.1 in the answer to the opening request."""
    with hostile_server() as url:
        result = suite("-rA", "--junitxml=out.xml", "--wsconform-url", url, "--wsconform-cases", case)
    result.assert_outcomes(failed=1)
    shown = pytester.path.joinpath("out.xml").read_text(encoding="utf-8")
    for text in (result.stdout.str(), result.stderr.str(), shown):
        assert [c for c in text if not c.isprintable() and c != "\n"] == []
    assert not [line for line in result.outlines if line.startswith("1 passed")]
    (failure,) = ET.fromstring(shown).iter("failure")  # noqa: S314 - pytest's own
    assert failure.text is not None
    (seen,) = (line for line in failure.text.splitlines() if line.startswith(where))
    assert r"\x1b[2J\x1b]0;owned\x07 | 1 passed | " in seen
