"""What every folder of implementations/ has in common, and what docker-compose.yml repeats of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.manifest import load
from tests.conftest import unavailable

ROOT = Path(__file__).resolve().parents[2]
IMPLEMENTATIONS = ROOT / "implementations"
FOLDERS = sorted(path for path in IMPLEMENTATIONS.iterdir() if path.is_dir())
#: Where versions are pinned.
PINS = ("requirements.txt", "package.json", "go.mod", "Cargo.lock", "pom.xml")
OWN = {"refimpl", "refimpl-defaults"}

each_folder = pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
each_foreign_folder = pytest.mark.parametrize(
    "folder", [path for path in FOLDERS if path.name not in OWN], ids=lambda path: path.name
)


def manifest(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "implementation.toml").read_text(encoding="utf-8"))


def compose(*arguments: str) -> subprocess.CompletedProcess[str]:
    if not shutil.which("docker"):
        unavailable("no docker command")
    command = ["docker", "compose", *arguments]
    if subprocess.run([*command[:2], "version"], capture_output=True, check=False).returncode:
        unavailable("docker has no compose plugin")
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def services() -> dict[str, Any]:
    configuration: dict[str, Any] = json.loads(compose("--profile", "*", "config", "--format", "json").stdout)
    return dict(configuration["services"])


@each_folder
def test_a_folder_has_a_manifest_by_its_own_name(folder: Path) -> None:
    assert manifest(folder)["name"] == folder.name


@each_folder
def test_a_folder_has_a_dockerfile(folder: Path) -> None:
    dockerfile = manifest(folder).get("container", {}).get("dockerfile", "Dockerfile")
    text = (folder / dockerfile).read_text(encoding="utf-8")
    assert re.search(r"^ARG BASE=debian:bookworm-slim\nFROM \$\{BASE\}$", text, re.MULTILINE)
    assert re.search(r"^USER nobody$", text, re.MULTILINE)
    assert re.search(r"^CMD \[", text, re.MULTILINE)


@each_foreign_folder
def test_a_foreign_implementation_has_an_echo_server(folder: Path) -> None:
    home = load(folder.name).home
    sources = [
        path
        for path in home.rglob("*")
        if path.suffix and path.suffix not in {".toml", ".txt", ".json", ".lock", ".xml"}
    ]
    assert sources


@each_foreign_folder
def test_the_manifest_names_the_version_that_is_pinned(folder: Path) -> None:
    source = load(folder.name)
    pins = [source.home / name for name in PINS if (source.home / name).is_file()]
    assert pins or source.requires  # else it is Debian's
    whole = re.compile(rf"(?<![\d.]){re.escape(source.version)}(?![\w.-])")  # not as a part of another version
    assert not pins or any(whole.search(file.read_text(encoding="utf-8")) for file in pins)


@pytest.mark.parametrize("file", sorted(IMPLEMENTATIONS.glob("*/package.json")), ids=lambda path: path.parent.name)
def test_every_npm_package_that_is_asked_for_is_locked_in_its_version(file: Path) -> None:
    asked = json.loads(file.read_text(encoding="utf-8"))["dependencies"]
    locked = json.loads(file.with_name("package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert locked[""]["dependencies"] == asked
    assert {name: locked[f"node_modules/{name}"]["version"] for name in asked} == asked


@pytest.mark.parametrize("name", sorted(OWN))
def test_the_reference_server_has_the_version_of_the_project(name: str) -> None:
    assert manifest(IMPLEMENTATIONS / name)["version"] == harness.__version__


@pytest.mark.parametrize("file", sorted(IMPLEMENTATIONS.glob("*/requirements.txt")), ids=lambda path: path.parent.name)
def test_every_python_package_is_pinned(file: Path) -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9a-z.]*", line) for line in file.read_text().splitlines())


@pytest.mark.parametrize(
    "file",
    sorted([*ROOT.glob("implementations/*/*requirements.txt"), *ROOT.glob("implementations/*/package*.json")]),
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_a_lock_file_holds_no_download_address(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert "://" not in text
    assert '"resolved"' not in text


def test_every_locked_npm_package_has_its_hash() -> None:
    locked = json.loads((IMPLEMENTATIONS / "ws/package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert all(package["integrity"].startswith("sha512-") for name, package in locked.items() if name)


@each_folder
def test_a_deviation_says_why_in_a_sentence(folder: Path) -> None:
    for deviation in manifest(folder).get("deviations", []):
        assert deviation["reason"].endswith((".", ".)"))
        assert deviation["link"].startswith("https://")


@pytest.mark.docker
def test_the_compose_file_is_one() -> None:
    done = compose("config", "--quiet")
    assert done.returncode == 0, done.stderr


@pytest.mark.docker
def test_compose_starts_an_implementation_in_the_environment_of_its_manifest() -> None:
    known = services()
    for folder in FOLDERS:
        if folder.name in known:
            assert (known[folder.name].get("environment") or {}) == manifest(folder).get("environment", {}), folder.name


@pytest.mark.docker
def test_compose_judges_an_implementation_after_a_fuzzingclient_that_waits_for_it() -> None:
    known = services()
    judging = [name for name in known if name.split("-")[0] == "conformance"]
    assert "conformance" in judging
    for name in judging:
        fuzzing = name.replace("conformance", "fuzzingclient")
        target = known[name]["environment"]["TARGET"]
        assert known[fuzzing]["environment"]["TARGET"] == target
        assert known[fuzzing]["depends_on"][target]["condition"] == "service_healthy"
        assert known[name]["depends_on"][fuzzing]["condition"] == "service_completed_successfully"
        assert (IMPLEMENTATIONS / target / "implementation.toml").is_file()
