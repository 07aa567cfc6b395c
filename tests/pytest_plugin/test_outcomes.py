"""What a verdict is to pytest: by the rules of the gate, and a case without a verdict never passes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

import pytest
from websockets.sync.server import ServerConnection, serve

from harness.targets.process import free_port
from tests.pytest_plugin.conftest import ECHO

pytest_plugins = ["pytester"]

Suite = Callable[..., pytest.RunResult]
Echo = Callable[[str], str]


def cases(*names: str) -> list[str]:
    return [word for name in names for word in ("--wsconform-cases", name)]


def outcomes(result: pytest.RunResult) -> dict[str, str]:
    """PASSED, FAILED and so on of each case, from the lines of -v."""
    found = [line.split() for line in result.outlines if "test_lib.py::" in line and line.endswith("%]")]
    return {words[0].partition("[")[2].rstrip("]"): words[1] for words in found}


# Verdicts


def test_a_right_answer_passes_and_what_is_not_implemented_is_skipped(suite: Suite, good_url: str):
    """7.1.6 is INFORMATIONAL; 12 and 13 need permessage-deflate, which this server does not have."""
    result = suite("-v", "-rs", "--wsconform-url", good_url, *cases("1.1.1", "7.1.6", "12.1.1", "13.1.1"))
    assert outcomes(result) == {"1.1.1": "PASSED", "7.1.6": "PASSED", "12.1.1": "SKIPPED", "13.1.1": "SKIPPED"}
    result.stdout.fnmatch_lines(["SKIPPED ?2? *: UNIMPLEMENTED: *permessage-deflate*"])


def test_cases_that_autobahn_has_not_are_tests_as_well(suite: Suite, good_url: str):
    """D needs permessage-deflate; H.1.25 tells what the server does, and H.2.14 lets a server off with NON-STRICT."""
    names = ("H.1.1", "H.1.25", "H.2.14", "F.1.1", "F.4.9", "D.1.1")
    result = suite("-v", "-rs", "--wsconform-url", good_url, *cases(*names))
    assert outcomes(result) == {**dict.fromkeys(names, "PASSED"), "D.1.1": "SKIPPED"}
    result.stdout.fnmatch_lines(["SKIPPED ?1? *: UNIMPLEMENTED: The server does not agree to permessage-deflate."])


@pytest.mark.parametrize(
    ("fault", "case", "verdict"),
    [
        ("empty-pong", "F.5.1", "FAILED, close OK"),
        ("answers-close-with 1001", "7.7.1", "FAILED, close WRONG CODE 1001"),
        ("answers-close-with-one-octet", "7.1.1", "OK, close UNCLEAN"),
        ("wrong-code-for-protocol-errors 1003", "3.1", "OK, close WRONG CODE 1003"),
    ],
)
def test_either_field_of_a_verdict_fails_the_test(suite: Suite, echo: Echo, fault: str, case: str, verdict: str):
    result = suite("-v", "--wsconform-url", echo(fault), *cases(case))
    assert outcomes(result) == {case: "FAILED"}
    result.stdout.fnmatch_lines([f"{verdict}: *"])


def test_non_strict_passes_unless_strict_is_asked_for(pytester: pytest.Pytester, suite: Suite, echo: Echo):
    options = ["-v", "--wsconform-url", echo("forgets-echo-when-failing"), *cases("3.2")]
    assert outcomes(suite(*options)) == {"3.2": "PASSED"}
    result = suite("--wsconform-strict", *options)
    assert outcomes(result) == {"3.2": "FAILED"}
    result.stdout.fnmatch_lines(
        ["NON-STRICT, close OK 1002: it breaks a SHOULD, which fails where strict is asked for"]
    )
    pytester.makeini("[pytest]\nwsconform_strict = true\n")
    assert outcomes(suite(*options)) == {"3.2": "FAILED"}


def test_a_profile_says_how_many_compressed_messages_there_are(suite: Suite):
    """12.1.1 is a thousand in Autobahn."""
    seen = []

    def echo(peer: ServerConnection) -> None:
        for message in peer:
            seen.append(len(message))
            peer.send(message)

    with serve(echo, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever).start()
        options = ["-v", "--wsconform-url", f"ws://127.0.0.1:{server.socket.getsockname()[1]}", *cases("12.1.1")]
        assert outcomes(suite(*options)) == {"12.1.1": "PASSED"}
        assert len(seen) == 4
        assert outcomes(suite("--wsconform-profile", "full", *options)) == {"12.1.1": "PASSED"}
        assert len(seen) == 4 + 1000


# Baselines

BASELINE = """
[[deviations]]
cases = ["7.7.1"]
behavior = "FAILED"
behavior_close = "WRONG CODE"
reason = "goes away"

[[deviations]]
cases = ["7.7.3"]
behavior = "NON-STRICT"
reason = "thought to be lenient"

[[deviations]]
cases = ["7.7.4"]
behavior = "FAILED"
reason = "of somebody else"
target = "another-server"

[[deviations]]
cases = ["3.*"]
behavior = "FAILED"
reason = "was broken once"
"""


def test_a_baseline_expects_what_it_lists_and_nothing_else(pytester: pytest.Pytester, suite: Suite, echo: Echo):
    """The setting's file is found from the rootdir, wherever pytest was started."""
    pytester.makefile(".toml", known=BASELINE)
    pytester.makeini("[pytest]\nwsconform_baseline = known.toml\n")
    url = echo("answers-close-with 1001")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(pytester.mkdir("elsewhere"))
        result = suite("-v", "-rx", "--wsconform-url", url, "..", *cases("3.1", "7.7.1", "7.7.3", "7.7.4"))
    assert outcomes(result) == {"3.1": "FAILED", "7.7.1": "XFAIL", "7.7.3": "FAILED", "7.7.4": "FAILED"}
    result.stdout.fnmatch_lines(
        [
            "OK, close OK 1002: this known deviation happens no more: take it out of the baseline",
            "  known    3.[*]: behavior FAILED: was broken once",
            "FAILED, close WRONG CODE 1001: the known deviation is another one",
            "  known    7.7.3: behavior NON-STRICT: thought to be lenient",
            "FAILED, close WRONG CODE 1001: The close code was 1001; *",
            "XFAIL *7.7.1? - goes away (FAILED, close WRONG CODE 1001)",
        ]
    )


def test_the_option_s_baseline_is_found_from_where_pytest_was_started(
    pytester: pytest.Pytester, suite: Suite, echo: Echo
):
    pytester.makefile(".toml", known=BASELINE)
    options = [
        "-v",
        "--wsconform-url",
        echo("answers-close-with 1001"),
        "--wsconform-baseline",
        "known.toml",
        *cases("7.7.1"),
    ]
    assert outcomes(suite(*options)) == {"7.7.1": "XFAIL"}
    assert outcomes(suite("--runxfail", *options)) == {"7.7.1": "FAILED"}


# No verdict


def test_a_server_that_is_not_there_fails_every_case(suite: Suite):
    url = f"ws://127.0.0.1:{free_port('127.0.0.1')}"
    result = suite("-v", "--wsconform-url", url, *cases("1.1.1", "1.1.2", "7.1.6"))
    assert outcomes(result) == {"1.1.1": "FAILED", "1.1.2": "FAILED", "7.1.6": "FAILED"}
    words = f"no verdict: {url} did not answer before the case began: Connection refused"
    assert [line for line in result.outlines if line.startswith("no verdict")] == [
        f"{words} (case 1.1.1)",
        f"{words} (case 1.1.2)",
        f"{words} (case 7.1.6)",
    ]
    assert "harness/" not in result.stdout.str()
    assert result.duration < 3 * 3  # 3 s it is waited for, but only once


def test_the_case_that_kills_the_server_is_named_and_the_next_has_no_verdict(suite: Suite, echo: Echo):
    """All that the connection shows is what 6.3.1 wants to see: the peer closes it."""
    url = echo("dies-on-invalid-utf8")
    result = suite("-v", "--wsconform-url", url, *cases("6.2.1", "6.3.1", "6.5.1"))
    assert outcomes(result) == {"6.2.1": "PASSED", "6.3.1": "FAILED", "6.5.1": "FAILED"}
    result.stdout.fnmatch_lines(
        [
            "FAILED, close *: It killed the server, or left it unable to answer: Connection refused. *",
            f"no verdict: {url} did not answer before the case began: * (case 6.5.1)",
        ]
    )


def test_a_case_that_the_engine_has_no_verdict_for_fails(pytester: pytest.Pytester, suite: Suite, good_url: str):
    pytester.makeconftest("""
        from harness.engines import Batch
        from harness.engines.native import NativeEngine
        NativeEngine.run = lambda self, job: iter([Batch(job.cases, [], "could not connect: no answer in time")])
    """)
    result = suite("--wsconform-url", good_url, *cases("1.1.1"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["no verdict: could not connect: no answer in time (case 1.1.1)"])


def test_a_fixture_may_give_each_case_a_server_of_its_own(pytester: pytest.Pytester, suite: Suite):
    """It need not even wait until the server listens; and a server that is killed is one case's loss."""
    pytester.makeconftest(f"""
        import os, subprocess, sys
        import pytest
        from harness.targets.process import free_port

        @pytest.fixture
        def wsconform_url():
            port = free_port("127.0.0.1")
            given = {{"HOST": "127.0.0.1", "PORT": str(port), "FAULT": "dies-on-invalid-utf8"}}
            with subprocess.Popen([sys.executable, {json.dumps(str(ECHO))}], env=os.environ | given) as process:
                yield f"ws://127.0.0.1:{{port}}"
                process.terminate()
    """)
    result = suite("-v", *cases("6.2.1", "6.3.1", "6.5.1"))
    assert outcomes(result) == {"6.2.1": "PASSED", "6.3.1": "FAILED", "6.5.1": "PASSED"}


def test_a_test_that_forgets_to_run_its_case_fails(pytester: pytest.Pytester, suite: Suite, good_url: str):
    pytester.makepyfile(test_lib="def test_rfc(wsconform_case):\n    assert wsconform_case.id\n")
    result = suite("--wsconform-url", good_url, *cases("1.1.1"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["1.1.1 was not run: the test has to call wsconform_case.check()"])
