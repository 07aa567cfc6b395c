import io
import tarfile
from pathlib import Path
from typing import cast

import pytest
from docker.models.containers import Container

from harness import containers
from harness.errors import CannotRunError


@pytest.mark.parametrize(
    ("reference", "plain"),
    [
        ("a/b:1", "a/b:1"),
        ("a/b", "a/b"),
        ("a/b@sha256:00", "a/b@sha256:00"),
        ("a/b:1@sha256:00", "a/b@sha256:00"),
        ("host:5000/a/b:1@sha256:00", "host:5000/a/b@sha256:00"),
        ("host:5000/a/b@sha256:00", "host:5000/a/b@sha256:00"),
    ],
)
def test_a_digest_makes_a_tag_idle(reference: str, plain: str):
    assert containers.plain_reference(reference) == plain


class Archive:
    """A container whose /reports is the given tar."""

    def __init__(self, *members: tuple[tarfile.TarInfo, bytes]) -> None:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for member, content in members:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        self.content = buffer.getvalue()

    def get_archive(self, _path: str) -> tuple[list[bytes], dict[str, str]]:
        return [self.content[start : start + 700] for start in range(0, len(self.content), 700)], {}


def member(name: str, **attributes: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for key, value in attributes.items():
        setattr(info, key, value)
    return info


def extract(archive: Archive, folder: Path) -> None:
    containers.extract(cast("Container", archive), "/reports", folder)


def test_files_are_copied_out(tmp_path: Path):
    extract(Archive((member("reports/index.json"), b"{}"), (member("reports/x.json"), b"1" * 5000)), tmp_path / "out")
    assert {path.name: path.stat().st_size for path in (tmp_path / "out").iterdir()} == {
        "index.json": 2,
        "x.json": 5000,
    }


@pytest.mark.parametrize("name", ["reports/../../evil", "reports/..", "/evil", "../evil", "reports/a/b"])
def test_a_name_that_leads_out_of_the_folder_is_left_out(tmp_path: Path, name: str):
    extract(Archive((member(name), b"x")), tmp_path / "out")
    assert [path.name for path in tmp_path.rglob("*")] == ["out"]


def test_links_and_devices_are_left_out(tmp_path: Path):
    link = member("reports/link", type=tarfile.SYMTYPE, linkname="/etc/passwd")
    device = member("reports/null", type=tarfile.CHRTYPE)
    extract(Archive((link, b""), (device, b""), (member("reports/a"), b"a")), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a"]


def test_output_without_end_is_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(containers, "_EXTRACT_LIMIT", 10_000)
    with pytest.raises(CannotRunError, match="it is not copied"):
        extract(Archive((member("reports/big"), b"x" * 50_000)), tmp_path / "out")


def test_what_is_packed_can_be_unpacked():
    with tarfile.open(fileobj=io.BytesIO(containers.pack({"a.json": b"{}"}))) as archive:
        file = archive.extractfile("a.json")
        assert file is not None
        assert file.read() == b"{}"
