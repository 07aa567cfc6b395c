"""The GitHub Action and the GitLab job, their shell run as it stands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from harness.cases import catalogue
from harness.targets.process import free_port
from tests.ci.github import Runner
from tests.support import ROOT

BASELINE = """
[[deviations]]
cases = ["7.1.1"]
behavior = "FAILED"
reason = "It was so once."
"""


@pytest.fixture(scope="module")
def temp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A runner's folder for temporary files; the first test installs into it, for the others."""
    return tmp_path_factory.mktemp("runner")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server of somebody's."""
    port = free_port("127.0.0.1")
    large = ["--max-frame-size", str(1 << 26), "--max-message-size", str(1 << 26), "--max-fragments", str(1 << 17)]
    command = [sys.executable, "-m", "refimpl", "--port", str(port), "--no-drop-incoming-pings", *large]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as server:
        yield f"ws://127.0.0.1:{port}"
        server.terminate()


@pytest.fixture
def runner(tmp_path: Path, temp: Path) -> Runner:
    (tmp_path / "known.toml").write_text(BASELINE)
    return Runner(ROOT / "action.yml", tmp_path, temp)


def test_a_server_that_passes_makes_a_green_job_with_summary_and_report(runner: Runner, url: str):
    job = runner.run(targets=url, cases="1.1.*\n7.1.1\n")
    assert job.status == 0, job.said
    assert job.outputs["exit-code"] == "0"
    assert job.summary.startswith("## ✅")
    report = job.uploaded["wsconform-report"] / "report"
    assert {"index.html", "junit.xml", "report.json", "badge.svg", "badge.json"} <= {
        file.name for file in report.iterdir()
    }
    assert len(ET.parse(report / "junit.xml").findall(".//testcase")) == 9  # noqa: S314 - it is ours


def test_a_gate_that_fails_makes_a_red_job_that_still_keeps_summary_and_report(runner: Runner, url: str):
    job = runner.run(targets=url, cases="7.1.*", baseline="known.toml")
    assert (job.status, job.outputs["exit-code"]) == (1, "1")
    assert "It was so once" in job.summary.replace("<wbr>", "")
    assert (job.uploaded["wsconform-report"] / "report" / "junit.xml").is_file()
    assert runner.run(targets=url, cases="7.1.1", baseline="known.toml", **{"allow-stale": "true"}).status == 0


def test_a_server_that_is_not_there_makes_a_red_job(runner: Runner):
    job = runner.run(targets=f"ws://127.0.0.1:{free_port('127.0.0.1')}", cases="1.1.1")
    assert (job.status, job.outputs["exit-code"]) == (3, "3")
    assert "❌" in job.summary or "⚠" in job.summary


def test_a_mistake_makes_a_red_job_without_a_report(runner: Runner, url: str):
    job = runner.run(targets=url, cases="99.*")
    assert (job.status, job.uploaded) == (2, {})
    assert "no case fits '99.*'" in job.said


def test_settings_are_passed_on_and_never_run(runner: Runner, url: str, tmp_path: Path):
    job = runner.run(
        targets=f"{url}\n",
        cases="1.1.*",
        exclude="$(touch gone)\n; touch gone",
        artifact="mine",
    )
    assert job.status == 2
    assert not (tmp_path / "gone").exists()
    job = runner.run(targets=url, cases="1.*", exclude="1.2.*", shard="2/2", strict="true", artifact="mine")
    run = json.loads((job.uploaded["mine"] / "run.json").read_text())
    assert (run["strict"], run["selection"]["exclude"], run["selection"]["shard"]) == (True, ["1.2.*"], "2/2")


def test_no_artifact_where_none_is_wanted(runner: Runner, url: str):
    assert runner.run(targets=url, cases="1.1.1", artifact="").uploaded == {}


def test_the_action_names_what_github_asks_for():
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    assert action["runs"]["using"] == "composite"
    assert all(one["description"] for one in (*action["inputs"].values(), *action["outputs"].values()))
    assert all(step.get("shell") == "bash" for step in action["runs"]["steps"] if "run" in step)


# GitLab


def gitlab(tmp_path: Path, temp: Path, url: str) -> tuple[int, str, Path]:
    """The job's status, what it said, and its folder: the script until a line fails, then the other one."""
    (job,) = yaml.safe_load((ROOT / "ci" / "gitlab-ci.yml").read_text()).values()
    (tmp_path / "conformance.toml").write_text(BASELINE)
    environment = {
        "HOME": os.environ.get("HOME", "/"),
        "PATH": f"{temp / 'wsconform' / 'bin'}:/usr/bin:/bin",
        **job["variables"],
        "WSCONFORM": str(ROOT),
        "TARGET": url,
    }
    said = ""
    statuses = []
    for lines in (job["script"], job["after_script"]):
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", "\n".join(lines)], cwd=tmp_path, env=environment,
            capture_output=True, text=True, timeout=110, check=False,
        )  # fmt: skip
        statuses.append(done.returncode)
        said += done.stdout + done.stderr
    junit = tmp_path / job["artifacts"]["reports"]["junit"]
    assert junit.is_relative_to(tmp_path / job["artifacts"]["paths"][0])
    return statuses[0], said, junit


def test_the_gitlab_job_is_red_where_the_gate_is_and_keeps_its_report(
    runner: Runner, tmp_path: Path, temp: Path, url: str
):
    assert runner.run(targets=url, cases="1.1.1").status == 0  # which installs, if no test has yet
    status, said, junit = gitlab(tmp_path, temp, url)
    assert status == 1, said
    cases = ET.parse(junit)  # noqa: S314 - it is ours
    assert len(cases.findall(".//testcase")) == len(catalogue())
    assert len(cases.findall(".//failure")) == 1  # what is stale
