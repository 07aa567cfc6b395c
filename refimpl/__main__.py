"""`python -m refimpl`: an echo server with a flag and an environment variable for each parameter."""

import argparse
import dataclasses
import functools
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from refimpl import Parameters, Request, Server, WebSocket

_UNITS = {"": 1, "b": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}
_SIZE = re.compile(r"([0-9]+) ?([a-z]*)")
_FLAGS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
_STACK_SIZE = 1 << 20  # bytes; the handler here is two lines deep, and there may be thousands of threads


def echo(websocket: WebSocket) -> None:
    """Send every message back, text as text and binary as binary."""
    for message in websocket:
        websocket.send(message)


def _size(text: str) -> int:
    match = _SIZE.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError
    return int(match[1]) * _UNITS[match[2]]


# The kinds of Parameters: how a value is read, what a text is that cannot be read, and its name in the help
_KINDS: dict[str, tuple[Callable[[str], Any], str, str]] = {
    "seconds": (float, "not a number of seconds", "SECONDS"),
    "size": (_size, "not a size; write bytes, or a number with KiB, MiB or GiB", "SIZE"),
    "count": (int, "not an integer", "NUMBER"),
    "flag": (lambda text: _FLAGS[text.strip().lower()], "neither true nor false", ""),
}


def _read(kind: str, text: str) -> Any:  # noqa: ANN401 - of any kind
    parse, wrong, _ = _KINDS[kind]
    try:
        return parse(text)
    except (ValueError, KeyError):
        raise argparse.ArgumentTypeError(f"{text!r} is {wrong}") from None


def _read_parameter(name: str, kind: str, text: str) -> Any:  # noqa: ANN401 - of any kind
    values = {name: _read(kind, text)}
    try:
        Parameters(**values)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return values[name]


def _port(text: str) -> int:
    port: int = _read("count", text)
    if not 0 <= port < 1 << 16:
        raise argparse.ArgumentTypeError(f"{port} is not a port; 0 to 65535")
    return port


def _origins(text: str) -> Callable[[Request], bool]:
    if text == "all":
        return lambda _: True
    origins = {origin.strip().lower() for origin in text.split(",")}
    return lambda request: (request.origin or "").lower() in origins


def _denial(text: str) -> Callable[[Request], tuple[int, str]]:
    return lambda _: (403, text)


class _Parser(argparse.ArgumentParser):
    """Takes values from the environment too, and says what is wrong in one line."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        super().__init__(
            prog="python -m refimpl",
            description="A WebSocket echo server (RFC 6455, no extension).",
            epilog="A flag wins over its variable. Sizes are bytes, or numbers with KiB, MiB or GiB; sizes and numbers "
            "are 1 to 1 GiB (2^30). SIGTERM and SIGINT close every connection with 1001 and end the server after at "
            "most CLOSE_TIMEOUT or 2 seconds.",
            allow_abbrev=False,
        )
        self._environment = environment

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"refimpl: {message}; see --help\n")

    def option(self, name: str, read: Callable[[str], Any], metavar: str, doc: str, default: object) -> None:
        """Add the flag `--a-name` and its variable A_NAME."""
        variable, flag = name.upper(), "--" + name.replace("_", "-")
        doc = f"{doc} (default {default}; variable {variable})"
        if text := self._environment.get(variable):
            try:
                default = read(text)
            except argparse.ArgumentTypeError as error:
                self.error(f"{variable}: {error}")
        if metavar:
            self.add_argument(flag, type=read, metavar=metavar, help=doc, default=default)
        else:
            self.add_argument(flag, action=argparse.BooleanOptionalAction, help=doc, default=default)


def _configure(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[str, int, bool, Parameters]:
    """Return host, port, concurrent and the parameters; exit with 2 and one line where a value is wrong."""
    parser = _Parser(environment)
    parser.option("host", str, "HOST", "address or name to listen on", "127.0.0.1")
    parser.option("port", _port, "PORT", "port to listen on; 0 takes a free one", 9001)
    parser.option("concurrent", functools.partial(_read, "flag"), "", "echo through the concurrent interface", False)
    parser.option("allowed_origin", _origins, "ORIGIN", "origins to accept, with commas", "all")
    parser.option("access_denied", _denial, "TEXT", "body of the 403", "<h1>Access denied</h1>")
    for field in dataclasses.fields(Parameters):
        kind = field.metadata["kind"]
        if kind in _KINDS:
            read = functools.partial(_read_parameter, field.name, kind)
            parser.option(field.name, read, _KINDS[kind][2], field.metadata["doc"], field.default)
    values = vars(parser.parse_args(arguments))
    host, port, concurrent = values.pop("host"), values.pop("port"), values.pop("concurrent")
    return host, port, concurrent, Parameters(accept_connection=values.pop("allowed_origin"), **values)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the echo server until SIGTERM or SIGINT; the exit code is 0, 1 where it cannot listen, 2 for usage."""
    host, port, concurrent, parameters = _configure(sys.argv[1:] if arguments is None else arguments, os.environ)
    threading.stack_size(_STACK_SIZE)
    try:
        server = Server(echo, host, port, parameters, concurrent=concurrent)
    except OSError as error:
        # Numbers below 0 are the resolver's. The text of the others would repeat the address.
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        sys.stderr.write(f"refimpl: cannot listen on {host} port {port}: {reason}\n")
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    sys.stderr.write(f"listening on {server.url}\n")
    sys.stderr.flush()
    server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
