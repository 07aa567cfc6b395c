from collections.abc import Callable
from pathlib import Path

import pytest

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


def test_the_cache_folder_is_where_wsconform_cache_says(
    write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("WSCONFORM_CACHE", str(tmp_path / "elsewhere"))
    assert load("good", write(GOOD)).cache.is_relative_to(tmp_path / "elsewhere")
