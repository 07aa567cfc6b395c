"""As much of GitHub's runner as a composite action needs: inputs, expressions, files, outputs, what a failure skips."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


@dataclass
class Job:
    """What became of the action's steps."""

    status: int = 0  #: of the first step that failed
    said: str = ""
    uploaded: dict[str, Path] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""


class Runner:
    """Runs the steps of an action.yml, with bash as GitHub calls it."""

    def __init__(self, action: Path, workspace: Path, temp: Path) -> None:
        self._action = yaml.safe_load(action.read_text(encoding="utf-8"))
        self._path = action.parent
        self._workspace = workspace
        self._temp = temp
        self._steps: dict[str, dict[str, str]] = {}

    def run(self, **inputs: str) -> Job:
        given = {name: str(one.get("default", "")) for name, one in self._action["inputs"].items()} | inputs
        unknown = set(inputs) - set(self._action["inputs"])
        assert not unknown, unknown
        job = Job()
        self._steps = {}
        files = {name: self._temp / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("")
        for step in self._action["runs"]["steps"]:
            if job.status and "always()" not in str(step.get("if", "")):
                continue
            if not self._holds(step.get("if"), given):
                continue
            if "uses" in step:
                values = {name: self._filled(value, given) for name, value in step["with"].items()}
                assert step["uses"].startswith("actions/upload-artifact@")
                job.uploaded[values["name"]] = Path(values["path"])
                continue
            done = self._bash(step, given, files)
            job.status = job.status or done.returncode
            job.said += done.stdout
            pairs = (line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
            self._steps[step.get("id", "")] = dict(pairs)
            files["GITHUB_OUTPUT"].write_text("")
        job.outputs = {name: self._filled(one["value"], given) for name, one in self._action["outputs"].items()}
        job.summary = files["GITHUB_STEP_SUMMARY"].read_text()
        return job

    def _bash(
        self, step: dict[str, Any], given: dict[str, str], files: dict[str, Path]
    ) -> subprocess.CompletedProcess[str]:
        assert not _EXPRESSION.search(step["run"]), "an expression in a script's text can become a command"
        paths = files["GITHUB_PATH"].read_text().split()
        environment = {
            "HOME": os.environ.get("HOME", "/"),
            "PATH": os.pathsep.join([*reversed(paths), "/usr/local/bin", "/usr/bin", "/bin"]),
            "RUNNER_TEMP": str(self._temp),
            **{name: str(file) for name, file in files.items()},
            **{name: self._filled(value, given) for name, value in step.get("env", {}).items()},
        }
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=self._workspace,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=110,
            check=False,
        )

    def _filled(self, text: str, given: dict[str, str]) -> str:
        return _EXPRESSION.sub(lambda found: self._value(found[1], given), str(text))

    def _value(self, name: str, given: dict[str, str]) -> str:
        match name.split("."):
            case ["inputs", name]:
                return given[name]
            case ["github", "action_path"]:
                return str(self._path)
            case ["steps", step, "outputs", name]:
                return self._steps.get(step, {}).get(name, "")
        raise AssertionError(f"no such expression: {name}")

    def _holds(self, condition: str | None, given: dict[str, str]) -> bool:
        for part in str(condition or "always()").split(" && "):
            if part != "always()":
                name, empty = part.split(" != ")
                assert empty == "''"
                if not self._value(name, given):
                    return False
        return True
