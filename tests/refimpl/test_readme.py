from __future__ import annotations

import dataclasses
import os
import pathlib
import re
import subprocess
import sys

import pytest

import refimpl
from refimpl import Parameters
from tests.refimpl.peer import CLOSE, TEXT, Peer, frame

README = pathlib.Path(refimpl.__file__).with_name("README.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"### (\w[\w-]*)\n.*?```python\n(.*?)```", README, re.DOTALL))


def test_there_is_an_example_for_each_interface():
    assert list(EXAMPLES) == ["Blocking", "Concurrent", "Low-level"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_about_ten_lines_and_works(name: str):
    code = EXAMPLES[name].replace("9001", "0")
    assert len([line for line in code.splitlines() if line.strip()]) <= 14
    program = "import socket, sys\n" + PORT + code
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}
    ) as process:
        try:
            assert process.stdout
            port = int(process.stdout.readline())
            with Peer.open(port) as peer:
                peer.send(frame(TEXT, b"hello"))
                assert peer.message() == "hello"
                peer.send(frame(CLOSE, b"\x03\xe8"))
                assert peer.close_code() == 1000
        finally:
            process.kill()


# The examples serve on a fixed port; here the system chooses one, and this prints it.
PORT = """
listen = socket.socket.listen
def listen_and_tell(sock, *backlog):
    listen(sock, *backlog)
    print(sock.getsockname()[1])
socket.socket.listen = listen_and_tell
"""


def test_the_table_of_parameters_is_complete():
    rows = re.findall(r"^\| `([a-z_]+)` \|", README, re.MULTILINE)
    assert rows == [field.name for field in dataclasses.fields(Parameters)]
