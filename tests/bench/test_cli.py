import json
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from bench import cli
from bench.load import Load, Sample
from bench.servers import load, running
from harness import manifest

_QUICK = ["--seconds", "0.05", "--rounds", "1", "--sizes", "64", "--windows", "1", "--servers", "refimpl"]


@pytest.fixture(autouse=True)
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what the servers write out of the checkout."""
    monkeypatch.setattr(cli, "LOGS", tmp_path / "logs")


@pytest.mark.parametrize(
    ("text", "size"), [("64", 64), ("64B", 64), (" 4KiB", 4096), ("64 kib", 65536), ("1MiB", 1 << 20)]
)
def test_sizes_are_numbers_with_a_unit(text: str, size: int):
    assert cli.parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5KiB", "4KB", "1GiB", "65MiB", "٣"])
def test_a_wrong_size_is_refused(text: str):
    with pytest.raises(ValueError, match="is not"):
        cli.parse_size(text)


@pytest.mark.parametrize("text", ["", "0", "-1", "x", "1.5", "65537"])
def test_a_wrong_window_is_refused(text: str):
    with pytest.raises(ValueError, match="is not a number of messages"):
        cli.parse_window(text)


@pytest.mark.parametrize(
    "arguments", [["--seconds", "0"], ["--seconds", "nan"], ["--rounds", "0"], ["--sizes", "1,x"], ["--windows", ","]]
)
def test_a_wrong_option_is_a_usage_error(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as exit_:
        cli.main(arguments)

    assert exit_.value.code == 2
    assert "is not" in capsys.readouterr().err


def test_an_unknown_server_is_a_usage_error_with_a_suggestion(capsys: pytest.CaptureFixture[str]):
    assert cli.main(["--servers", "picow"]) == 2
    assert "did you mean picows" in capsys.readouterr().err


def test_refimpl_is_measured_and_stopped(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    output = tmp_path / "bench.json"

    assert cli.main([*_QUICK, "--output", str(output)]) == 0

    printed = capsys.readouterr()
    assert "messages/s  refimpl" in printed.out
    assert "1 of 1: 64 B, window 1" in printed.err
    cell = json.loads(output.read_text())["cells"][0]
    assert cell["problem"] is None
    assert cell["messagesPerSecond"] > 0
    assert not [child for child in psutil.Process().children() if "refimpl" in child.cmdline()]


def test_json_is_all_that_is_printed_where_it_is_asked_for(capsys: pytest.CaptureFixture[str]):
    assert cli.main([*_QUICK, "--json"]) == 0

    assert json.loads(capsys.readouterr().out)["servers"].keys() == {"refimpl"}


def test_what_was_measured_before_an_interrupt_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    measured: list[Sample] = []
    measure = Load.measure

    def interrupted(self: Load, seconds: float, server_cpu: Callable[[], float]) -> Sample:
        if measured:
            raise KeyboardInterrupt
        measured.append(measure(self, seconds, server_cpu))
        return measured[0]

    monkeypatch.setattr(Load, "measure", interrupted)

    assert cli.main([*_QUICK, "--windows", "1,2"]) == 130
    assert "64 B" in capsys.readouterr().out


def test_a_server_that_cannot_start_is_left_out_and_the_reason_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "implementation.toml").write_text(
        'name = "broken"\nlanguage = "-"\nversion = "0"\nhomepage = "-"\nlicence = "-"\n'
        '[local]\nstart = ["{python}", "-c", "raise SystemExit(7)"]\n'
    )

    assert cli.main([*_QUICK[:-1], f"refimpl,{folder}"]) == 0

    printed = capsys.readouterr()
    assert "left out: broken did not start: it ended with exit status 7" in printed.err
    assert "refimpl 0." in printed.out
    assert "broken" not in printed.out


def test_both_variants_of_python_websockets_are_the_same_release():
    threading, asyncio = load("python-websockets-threading"), load("python-websockets")
    assert threading.manifest.version == asyncio.manifest.version
    assert threading.manifest.limits.keys() <= asyncio.manifest.limits.keys()

    assert threading.manifest.local is not None
    pins = next(word for command in threading.manifest.local.setup for word in command if "requirements" in word)
    assert Path(threading.expand(pins)).resolve() == asyncio.folder / "requirements.txt"


def test_pings_are_off_in_every_server():
    assert load("refimpl").manifest.environment["PING_INTERVAL"] == "0"
    assert load(f"{manifest.implementations_folder()}/aiohttp").manifest.environment["PING_INTERVAL"] == "0"


def test_the_threading_server_echoes_and_its_processor_time_is_read(tmp_path: Path):
    """On the websockets of this environment; the pinned one would have to be fetched."""
    source = load("python-websockets-threading")
    local = manifest.Local(start=[sys.executable, "{folder}/server.py"])
    source = source._replace(manifest=source.manifest.model_copy(update={"local": local}))

    with running([source], tmp_path, print) as (server,):
        before = server.cpu_seconds()
        with Load(server.endpoint, 4096, 64) as connection:
            sample = connection.measure(0.05, server.cpu_seconds)

    assert sample.messages > 0
    assert before > 0
