"""`wsconform implementations`: a new folder, the trial of a server, the Dockerfile."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from harness import manifest, scaffold
from harness.errors import UsageError
from tests.support import ROOT, Command, ours

ECHO = [sys.executable, str(ROOT / "tests" / "faulty" / "echo.py")]
FAKE = [sys.executable, str(ROOT / "tests" / "fakes" / "server.py")]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path, engine="native")


def write(folder: Path, start: list[str], fault: str = "", more: str = "") -> str:
    path = folder / "server"
    path.mkdir(exist_ok=True)
    lines = [
        'name = "server"', 'language = "Python"', 'version = "1"', 'homepage = "https://example.com"',
        'licence = "MIT"', "[local]", f"start = {json.dumps(start)}", "ready_within = 10",
        f"environment = {{ FAULT = {json.dumps(fault)} }}", more,
    ]  # fmt: skip
    (path / manifest.MANIFEST).write_text("\n".join(lines))
    return "./server"


@pytest.mark.parametrize(
    ("start", "fault", "words"),
    [
        (ECHO, "binary-as-text", "it does not echo binary: it comes back with opcode 1, not 2"),
        (ECHO, "truncates 16777216", "octets come back, not 16,777,216"),
        (FAKE, "", "it does not echo text: it closes with 1000"),
        (FAKE, "404", "404"),
        (FAKE, "exit", "exit status 3"),
        (FAKE, "stubborn", "SIGTERM does not end it with all that it has started"),
        (FAKE, "daemon", "SIGTERM does not end it with all that it has started"),
    ],
)
def test_check_says_what_is_wrong(command: Command, start: list[str], fault: str, words: str):
    done = command("implementations", "check", write(command.folder, start, fault))
    assert (done.returncode, words in done.stdout) == (3, True), done.stdout
    assert ours(command.folder) == []


def test_check_tries_no_message_that_the_library_cannot_have(command: Command):
    path = write(command.folder, ECHO, "truncates 16777216", "[limits]\nmax_message_size = { fixed = 1000 }\n")
    assert "works" in command("implementations", "check", path).stdout


@pytest.mark.parametrize("language", scaffold.LANGUAGES)
def test_a_new_folder_is_a_manifest_that_can_be_read_and_a_server_that_says_what_to_do(tmp_path: Path, language: str):
    folder = scaffold.new("fresh", language, tmp_path)
    source = manifest.load("fresh", tmp_path)
    assert (source.manifest.language, source.manifest.local is not None) == (scaffold.LANGUAGES[language], True)
    assert not (folder / "local.toml").exists()
    assert any("fill in: echo every message" in file.read_text() for file in folder.iterdir())
    with pytest.raises(UsageError, match="is there already"):
        scaffold.new("fresh", language, tmp_path)
    with pytest.raises(UsageError, match="is no name"):
        scaffold.new("../x", language, tmp_path)


def test_a_new_folder_passes_check_once_its_server_is_filled_in(command: Command, tmp_path: Path):
    folder = scaffold.new("fresh", "python", tmp_path)
    before = command("implementations", "check", "./fresh")
    assert (before.returncode, "fill in: echo every message" in before.stdout) == (3, True), before.stdout
    run = "runpy.run_module('tests.faulty.echo', run_name='__main__')"
    filled_in = f"import runpy, sys; sys.path.insert(0, {str(ROOT)!r}); {run}"
    (folder / "server.py").write_text(filled_in)
    after = command("implementations", "check", "./fresh")
    assert (after.returncode, after.stdout) == (0, "./fresh: works\n"), after.stdout


def test_a_dockerfile_is_written_beside_the_manifest_unless_somebody_wrote_one(command: Command):
    path = write(command.folder, ["server"])
    printed = command("implementations", "dockerfile", path).stdout
    file = command.folder / "server" / "Dockerfile"
    assert (command("implementations", "dockerfile", "--write", path).returncode, file.read_text()) == (0, printed)
    file.write_text("FROM scratch\n")
    done = command("implementations", "dockerfile", "--write", path)
    assert (done.returncode, "was written by hand" in done.stderr) == (2, True)
