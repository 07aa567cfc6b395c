import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.dockerfile import MARK, dockerfile
from harness.errors import UsageError
from harness.manifest import load, names

GOOD = """\
name = "good"
language = "C"
version = "1.0"
homepage = "https://example.com"
licence = "MIT"

[local]
setup = [["make", "-f", "{folder}/Makefile", "-C", "{cache}"]]
start = ["{cache}/server"]

[limits]
max_frame_size = { env = "MAX_FRAME_SIZE" }

[[deviations]]
cases = ["1.*"]
behavior = "NON-STRICT"
reason = "one"

[[deviations]]
cases = ["7.1.5"]
behavior = "FAILED"
behavior_close = "WRONG CODE"
reason = "two"
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        (tmp_path / "good").mkdir(exist_ok=True)
        (tmp_path / "good" / "implementation.toml").write_text(text)
        return tmp_path

    return write


def problem(folder: Path) -> str:
    with pytest.raises(UsageError) as caught:
        load("good", folder)
    return caught.value.message.removeprefix(f"{folder}/good/implementation.toml:")


def test_a_good_manifest_is_read(write: Callable[[str], Path]):
    source = load("good", write(GOOD))
    assert source.manifest.deviations[1].cases == ["7.1.5"]
    assert source.expand("{folder}/x") == f"{source.folder}/x"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('version = "1.0"', "version = 1.0", "3: version: Input should be a valid string"),
        ('start = ["{cache}/server"]', "start = []", "9: local.start: "),
        ('"MAX_FRAME_SIZE" }', '"X", fixed = 3 }', "12: limits.max_frame_size: give either env or fixed"),
        ("max_frame_size", "max_frame", "12: limits.max_frame"),
        ('behavior = "FAILED"', 'behavior = "FAILS"', "21: deviations.1.behavior: Input should be 'OK'"),
        ('reason = "two"', 'reason = "two"\nbehaviour = "x"', "24: deviations.1.behaviour: Extra inputs"),
        ('language = "C"', "", "1: language: Field required"),
    ],
)
def test_a_broken_manifest_is_an_error_with_line_and_key(
    write: Callable[[str], Path], old: str, new: str, message: str
):
    assert problem(write(GOOD.replace(old, new))).startswith(message)


def test_a_manifest_that_is_not_toml_is_an_error_with_its_line(write: Callable[[str], Path]):
    assert "line 2" in problem(write('name = "good"\nlanguage = = "C"\n'))


def test_a_manifest_in_the_wrong_folder_is_an_error(write: Callable[[str], Path]):
    assert "its folder is 'good'" in problem(write(GOOD.replace('name = "good"', 'name = "better"')))


def test_an_unknown_name_gets_a_suggestion():
    with pytest.raises(UsageError, match="no implementation 'refimp'; did you mean refimpl"):
        load("refimp")


def test_every_manifest_of_the_project_can_be_read():
    assert len(names()) >= 6
    assert {load(name).manifest.name for name in names()} == set(names())


def test_the_cache_changes_with_a_file_that_set_up_names(write: Callable[[str], Path]):
    root = write(GOOD)
    before = load("good", root).cache
    (root / "good" / "Makefile").write_text("server: ;")
    assert load("good", root).cache != before
    (root / "good" / "server.c").write_text("int main;")  # no command names it
    assert load("good", root).cache == load("good", root).cache


def test_another_checkout_has_the_same_cache_and_another_python_has_another(
    write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    root = write(GOOD.replace('[["make"', '[["{python}", "make"'))
    there = load("good", root).cache
    shutil.copytree(root / "good", tmp_path / "another" / "good")
    assert load("good", tmp_path / "another").cache == there
    monkeypatch.setattr("sys.base_prefix", "/opt/another-python")
    assert load("good", root).cache != there


def test_the_cache_folder_is_where_wsconform_cache_says(
    write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("WSCONFORM_CACHE", str(tmp_path / "elsewhere"))
    assert load("good", write(GOOD)).cache.is_relative_to(tmp_path / "elsewhere")


VARIANT = """\
name = "better"
base = "good"

[local]
environment = { LOOP = "fast" }

[limits]
max_message_size = { env = "MAX_MESSAGE_SIZE" }
"""


def variant(root: Path, text: str = VARIANT) -> Path:
    (root / "better").mkdir()
    (root / "better" / "implementation.toml").write_text(text)
    return root


def test_a_variant_has_what_its_base_says_and_its_files_and_none_of_its_deviations(write: Callable[[str], Path]):
    source = load("better", variant(write(GOOD)))
    base = load("good", source.folder.parent)
    local = source.manifest.local
    assert local is not None
    assert base.manifest.local is not None
    assert (source.manifest.language, local.setup) == ("C", base.manifest.local.setup)
    assert local.environment == {"LOOP": "fast"}
    assert set(source.manifest.limits) == {"max_frame_size", "max_message_size"}
    assert source.manifest.deviations == []
    assert source.expand("{folder}") == str(base.folder)
    assert source.cache == base.cache  # the same commands: set up once


def test_a_variant_of_a_variant_or_of_nothing_is_an_error(write: Callable[[str], Path]):
    root = variant(write(GOOD), VARIANT.replace('base = "good"', 'base = "better"'))
    with pytest.raises(UsageError, match="which has a base itself"):
        load("better", root)
    (root / "better" / "implementation.toml").write_text(VARIANT.replace('base = "good"', 'base = "worse"'))
    with pytest.raises(UsageError, match=r"worse/implementation\.toml cannot be read"):
        load("better", root)


def test_another_version_has_a_set_up_and_a_cache_of_its_own_and_no_known_deviations(write: Callable[[str], Path]):
    root = write(GOOD.replace("start =", 'version_setup = [["fetch", "good-{version}", "{cache}"]]\nstart ='))
    pinned, other = load("good@1.0", root), load("good@0.9", root)
    assert (pinned.name, pinned.cache) == ("good", load("good", root).cache)  # the manifest's version is no other one
    assert (other.name, other.version, other.about.version) == ("good@0.9", "0.9", "0.9")
    assert [other.expand(word) for word in other.setup[0]] == ["fetch", "good-0.9", str(other.cache)]
    assert other.cache.name.startswith("good@0.9-")
    assert (len(pinned.deviations), other.deviations) == (2, [])


def test_another_version_of_what_has_one_only_is_an_error(write: Callable[[str], Path]):
    with pytest.raises(UsageError, match=r"good comes in version 1\.0 only"):
        load("good@2.0", write(GOOD))


def test_what_is_missing_is_told_with_the_command_that_installs_it(write: Callable[[str], Path], tmp_path: Path):
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "a.h").touch()
    there, gone = f'"sh", "{tmp_path}/include/*.h"', f'"no-such-tool", "{tmp_path}/include/*.hpp"'
    debian = 'debian = ["tool", "libtool-dev"]'
    assert load("good", write(GOOD.replace("[local]", f"[local]\nrequires = [{there}]"))).unavailable() is None
    for lines, remedy in (
        (debian, "apt-get install tool libtool-dev"),
        (f'{debian}\ninstall = "pip install tool"', "pip install tool"),
    ):
        source = load("good", write(GOOD.replace("[local]", f"[local]\nrequires = [{there}, {gone}]\n{lines}")))
        assert source.unavailable() == f"needs no-such-tool, {tmp_path}/include/*.hpp: {remedy}, or --container"


def test_the_cache_changes_with_any_file_of_a_folder_that_set_up_names(write: Callable[[str], Path]):
    root = write(GOOD.replace("{folder}/Makefile", "{folder}/."))
    before = load("good", root).cache
    (root / "good" / "src").mkdir()
    (root / "good" / "src" / "server.c").write_text("int main;")
    assert load("good", root).cache != before


@pytest.mark.parametrize("name", names())
def test_every_dockerfile_is_what_the_manifest_gives(name: str):
    source = load(name)
    file = source.folder / source.manifest.container.dockerfile
    text = file.read_text(encoding="utf-8")
    assert text.startswith(("ARG BASE=", MARK))
    if text.startswith(MARK):
        assert text == dockerfile(source), f"wsconform implementations dockerfile --write {name}"


@pytest.mark.parametrize("name", names())
def test_no_implementation_names_a_download_address_or_a_path_of_a_machine(name: str):
    folder = load(name).folder
    for file in (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        text = file.read_text(encoding="utf-8")
        assert '"resolved"' not in text, file
        assert not re.search(r"/root/|/work/|/home/", text), file


def test_a_dockerfile_does_what_the_local_way_does(write: Callable[[str], Path]):
    text = GOOD.replace(
        "[local]", '[local]\nrequires = ["make"]\ndebian = ["make"]\nenvironment = { LIB = "{cache}/lib" }'
    )
    assert dockerfile(load("good", write(text))).splitlines() == [
        MARK,
        "ARG BASE=debian:bookworm-slim",
        "FROM ${BASE}",
        "RUN mkdir -p /usr/share/man/man1 && apt-get update \\",
        "    && apt-get install -y --no-install-recommends make \\",
        "    && rm -rf /var/lib/apt/lists/*",
        "COPY implementations/good /app/implementations/good",
        'RUN ["mkdir", "-p", "/app/cache"]',
        'RUN ["make", "-f", "/app/implementations/good/Makefile", "-C", "/app/cache"]',
        "USER nobody",
        'ENV HOME="/tmp"',
        'ENV HOST="0.0.0.0"',
        'ENV PORT="9001"',
        'ENV LIB="/app/cache/lib"',
        "EXPOSE 9001",
        'CMD ["/app/cache/server"]',
    ]
