"""Limits on the command line, against real servers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.manifest import load
from harness.targets.process import ProcessTarget
from tests.support import Command


@pytest.fixture
def wsconform(tmp_path: Path) -> Command:
    return Command(tmp_path, engine="native")


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A refimpl that somebody started with limits of their own."""
    target = ProcessTarget(load("refimpl"), tmp_path / "log").given({"max_message_size": "5000"}, "own")
    yield target.start().url
    target.stop()


def results(wsconform: Command, folder: str) -> dict[str, str]:
    lines = (wsconform.folder / folder / "results.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["case"]: row.get("verdict", row["behavior"]) for row in map(json.loads, lines)}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--suite", "limits"], "nobody declared the limits of {url}: --limit max_message_size=65536, say, or --suite"),
        (["--suite", "all"], "nobody declared the limits of {url}"),
        (["--cases", "L.2.1"], "nobody declared the limits of {url}"),
        (["--limit", "max_message_size=big"], "max_message_size is a number of octets, not 'big'"),
        (["--limit", "max_message_size=-1"], "above 0, at most 1 GiB"),
        (["--limit", "max_message_size=1073741825"], "at most 1 GiB (1073741824), not 1073741825"),
        (["--limit", "max_size=1"], "no limit 'max_size'"),
        (["--suite", "conformance", "--cases", "L.*"], "no case of the suite conformance fits 'L.*'"),
    ],
)
def test_what_can_t_be_probed_at_a_url_is_one_line_and_exit_code_2(wsconform: Command, arguments: list[str], said: str):
    ended = wsconform("run", "ws://127.0.0.1:9", *arguments)
    assert ended.returncode == 2
    assert said.format(url="ws://127.0.0.1:9") in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert not (wsconform.folder / "build").exists()


def test_limits_are_declared_for_urls_only(wsconform: Command):
    ended = wsconform("run", "refimpl", "--limit", "max_message_size=1")
    assert ended.returncode == 2
    assert "--limit tells what a URL's server was given" in ended.stderr


def test_limits_are_not_probed_through_tls(wsconform: Command):
    ended = wsconform("run", "wss://127.0.0.1:9", "--suite", "limits", "--limit", "max_message_size=1")
    assert (ended.returncode, "limits are probed below TLS" in ended.stderr) == (2, True)


def test_a_url_without_declared_limits_is_not_probed_unless_asked(wsconform: Command, url: str):
    everything_but = [f"--exclude={section}.*" for section in (2, 3, 4, 5, 6, 7, 9, 10, 12, 13, *"DFH")]
    ended = wsconform("run", url, *everything_but, "--exclude", "1.2.*", "--exclude", "1.1.7", "--output", "run")
    assert ended.returncode == 1
    assert set(results(wsconform, "run")) == {f"1.1.{number}" for number in (1, 2, 3, 4, 5, 6, 8)}


def test_a_url_beside_an_implementation_has_the_cases_and_no_probes_unless_its_limits_are_declared(
    wsconform: Command, url: str
):
    everything_but = [f"--exclude={section}.*" for section in (2, 3, 4, 5, 6, 7, 9, 10, 12, 13, *"DFH")]
    both = ["run", "refimpl", url, *everything_but, "--exclude", "1.2.*", "--exclude", "1.1.7", "--output", "run"]
    ended = wsconform(*both)
    assert "nobody declared" not in ended.stderr
    assert set(results(wsconform, "run")) == {f"1.1.{number}" for number in (1, 2, 3, 4, 5, 6, 8)}


def test_a_url_is_judged_by_the_limit_that_was_declared(wsconform: Command, url: str):
    of_messages = ["--cases", "L.2.1", "--cases", "L.2.3", "--cases", "L.1.1"]
    ended = wsconform("run", url, "--limit", "max_message_size=5000", *of_messages, "--output", "right")
    assert ended.returncode == 0
    assert results(wsconform, "right") == {"L.1.1": "NOT CONFIGURABLE", "L.2.1": "ENFORCED", "L.2.3": "ENFORCED"}
    ended = wsconform("run", url, "--limit", "max_message_size=4000", *of_messages, "--output", "wrong")
    assert ended.returncode == 1
    assert results(wsconform, "wrong") == {"L.1.1": "NOT CONFIGURABLE", "L.2.1": "ENFORCED", "L.2.3": "NOT ENFORCED"}
    alone = f"wsconform run {url} --limit max_message_size=4000 --cases L.2.3"
    assert f"L.2.3: NOT ENFORCED; alone: {alone}" in ended.stdout


def test_an_implementation_is_run_on_both_suites_and_counted_for_each(wsconform: Command):
    ended = wsconform("run", "refimpl", "--cases", "1.1.*", "--cases", "L.1.*", "--json", "--output", "run")
    assert ended.returncode == 0
    targets = json.loads(ended.stdout)["run"]["targets"]
    assert [(one["engine"], one["expected"], one["observed"]) for one in targets] == [
        ("native", 8, 8),
        ("limits", 10, 10),
    ]
    assert list(results(wsconform, "run").values()).count("ENFORCED") == 10


def test_an_interrupted_suite_is_gone_on_with(wsconform: Command):
    assert wsconform("run", "refimpl", "--suite", "limits", "--cases", "L.1.*", "--output", "run").returncode == 0
    file = wsconform.folder / "run" / "results.jsonl"
    file.write_text("".join(file.read_text(encoding="utf-8").splitlines(keepends=True)[:4]), encoding="utf-8")
    ended = wsconform("run", "refimpl", "--suite", "limits", "--cases", "L.1.*", "--output", "run", "--resume")
    assert (ended.returncode, len(results(wsconform, "run"))) == (0, 10)


def test_probes_are_listed_and_shown(wsconform: Command):
    listed = wsconform("cases", "list", "L.11.*").stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["L.11.1", "L.11.2"]
    shown = wsconform("cases", "show", "L.3.3").stdout
    assert "tests    max_message_size" in shown
    assert "given    max_message_size = 2,097,152 octets" in shown
    assert "needs    permessage-deflate" in shown
    (as_json,) = json.loads(wsconform("cases", "show", "L.3.3", "--json").stdout)
    assert (as_json["limit"], as_json["needsDeflate"], as_json["runsAlone"]) == ("max_message_size", True, True)
