from __future__ import annotations

import dataclasses
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from refimpl import Parameters, Request
from refimpl.__main__ import _configure, main
from tests.refimpl.peer import CLOSE, PING, PONG, TEXT, Peer, frame, header, request

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELDS = dataclasses.fields(Parameters)


@contextmanager
def running(*arguments: str, **variables: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "refimpl", *arguments], env=os.environ | variables, stderr=subprocess.PIPE, text=True
    )
    with process:
        try:
            assert process.stderr
            line = process.stderr.readline()
            port = re.fullmatch(r"listening on ws://.*:([0-9]+)\n", line)
            assert port, line
            yield process, int(port[1])
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_closes_open_connections_with_1001_and_exits_with_0(number: signal.Signals):
    with running("--port", "0") as (process, port), Peer.open(port, frame(TEXT, b"x")) as peer:
        assert peer.message() == "x"
        begin = monotonic()
        process.send_signal(number)
        assert peer.frame() == (True, CLOSE, b"\x03\xe9")
        peer.send(frame(CLOSE, b"\x03\xe9"))
        assert peer.close_code() is None
        assert process.wait(10) == 0
        assert monotonic() - begin < 4  # well before the close timeout


def test_a_peer_that_ignores_1001_does_not_keep_the_server():
    with running("--port=0", "--close-timeout=0.3") as (process, port), Peer.open(port):
        process.terminate()
        assert process.wait(5) == 0


@pytest.mark.parametrize("name", ["flag", "variable"])
def test_parameters_are_flags_or_variables(name: str):
    values = {"drop-incoming-pings": "false", "max-frame-size": "1KiB", "allowed-origin": "https://a.example"}
    flags = [f"--{flag}={value}" for flag, value in values.items() if value != "false"] + ["--no-drop-incoming-pings"]
    variables = {flag.upper().replace("-", "_"): value for flag, value in values.items()}
    options = flags if name == "flag" else []
    with running("--port=0", *options, **(variables if name == "variable" else {})) as (_, port):
        with Peer(port) as peer:
            peer.send(request(Origin="https://b.example"))
            assert peer.response().startswith("HTTP/1.1 403 ")
        with Peer(port) as peer:
            peer.send(request(Origin="https://A.example") + frame(PING, b"?"))
            assert peer.response().startswith("HTTP/1.1 101 ")
            assert peer.frame() == (True, PONG, b"?")
            peer.send(header(2, 1025))
            assert peer.close_code() == 1009


def test_the_concurrent_interface_echoes_too():
    with running(PORT="0", CONCURRENT="1") as (_, port), Peer.open(port, frame(TEXT, b"x")) as peer:
        assert peer.message() == "x"


def test_a_flag_wins_over_its_variable_and_an_empty_variable_is_none():
    environment = {"PORT": "1", "HOST": "::1", "MAX_CONNECTIONS": "7", "PING_INTERVAL": ""}
    host, port, concurrent, parameters = _configure(["--port", "2", "--concurrent"], environment)
    assert (host, port, concurrent) == ("::1", 2, True)
    assert parameters.max_connections == 7
    assert parameters.ping_interval == 15


@pytest.mark.parametrize(
    ("text", "size"), [("7", 7), ("7B", 7), ("64KiB", 65536), ("64 mib", 64 << 20), ("1GiB", 1 << 30)]
)
def test_a_size_has_a_unit_or_is_bytes(text: str, size: int):
    assert _configure([], {"MAX_MESSAGE_SIZE": text})[3].max_message_size == size


@pytest.mark.parametrize(("text", "value"), [("1", True), ("TRUE", True), ("off", False), ("no", False)])
def test_a_variable_for_a_flag_has_several_words(text: str, value: bool):
    assert _configure([], {"PROPAGATE_COMMON_ERRORS": text})[3].propagate_common_errors is value


def test_the_denial_is_text():
    parameters = _configure(["--access-denied", "go away", "--allowed-origin", "a, b"], {})[3]
    assert parameters.access_denied(Request("/", {})) == (403, "go away")
    assert not parameters.accept_connection(Request("/", {}))
    assert parameters.accept_connection(Request("/", {"origin": "B"}))


@pytest.mark.parametrize(
    ("arguments", "environment", "named"),
    [
        (["--max-frame-size", "64MB"], {}, "--max-frame-size: '64MB' is not a size"),
        (["--max-frame-size", "all"], {}, "--max-frame-size: 'all' is not a size"),
        ([], {"MAX_FRAME_SIZE": "0"}, "MAX_FRAME_SIZE: max_frame_size must be from 1"),
        (["--max-frame-size", "2GiB"], {}, "--max-frame-size: max_frame_size must be from 1"),
        (["--ping-interval", "-1"], {}, "--ping-interval: ping_interval must be from 0"),
        (["--ping-interval", "nan"], {}, "--ping-interval"),
        ([], {"CLOSE_TIMEOUT": "soon"}, "CLOSE_TIMEOUT: 'soon' is not a number"),
        ([], {"MAX_FRAGMENTS": "many"}, "MAX_FRAGMENTS: 'many' is not an integer"),
        ([], {"PORT": "65536"}, "PORT: 65536 is not a port"),
        ([], {"DROP_INCOMING_PINGS": "perhaps"}, "DROP_INCOMING_PINGS: 'perhaps' is neither"),
        (["--bogus"], {}, "--bogus"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_it(
    arguments: list[str], environment: dict[str, str], named: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as caught:
        _configure(arguments, environment)
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert named in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--host", "no.such.host.invalid"], ["--host", "203.0.113.1"]])
def test_a_wrong_host_is_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert f"cannot listen on {arguments[1]} port 9001" in error
    assert error.count("\n") == 1


def test_a_port_in_use_is_one_line(capsys: pytest.CaptureFixture[str]):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 1
    assert capsys.readouterr().err == f"refimpl: cannot listen on 127.0.0.1 port {port}: Address already in use\n"


def test_help_documents_every_parameter_with_its_variable(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = re.sub(r"\s+", " ", capsys.readouterr().out)
    names = [field.name for field in FIELDS if field.name != "accept_connection"]
    for name in [*names, "allowed_origin", "host", "port"]:
        assert f"--{name.replace('_', '-')}" in text
        assert f"variable {name.upper()})" in text.replace("- ", "-")
