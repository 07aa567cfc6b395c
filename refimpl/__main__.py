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


def _parse_size(text: str) -> int:
    match = _SIZE.fullmatch(text.strip().lower())
    if match is None or match[2] not in _UNITS:
        raise ValueError(f"{text!r} is not a size; write bytes, or a number with KiB, MiB or GiB")
    return int(match[1]) * _UNITS[match[2]]


def _parse_number(kind: type[int] | type[float], what: str, text: str) -> float:
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{text!r} is not {what}") from None


_parse_seconds = functools.partial(_parse_number, float, "a number of seconds")
_parse_count = functools.partial(_parse_number, int, "an integer")


def _parse_flag(text: str) -> bool:
    try:
        return _FLAGS[text.strip().lower()]
    except KeyError:
        raise ValueError(f"{text!r} is neither true nor false") from None


def _parse_port(text: str) -> float:
    port = _parse_count(text)
    if not 0 <= port < 1 << 16:
        raise ValueError(f"{port} is not a port; 0 to 65535")
    return port


def _parse_origins(text: str) -> Callable[[Request], bool]:
    origins = {origin.strip().lower() for origin in text.split(",")}
    return lambda request: (request.origin or "").lower() in origins


def _parse_denial(text: str) -> Callable[[Request], tuple[int, str]]:
    return lambda _: (403, text)


@dataclasses.dataclass(frozen=True)
class _Option:
    """A flag and a variable: `--max-frame-size` and MAX_FRAME_SIZE."""

    name: str
    parse: Callable[[str], Any]
    metavar: str
    doc: str
    default: str
    field: str | None = None  # of Parameters

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return self.name.upper()


_KINDS: dict[str, tuple[Callable[[str], Any], str]] = {
    "seconds": (_parse_seconds, "SECONDS"),
    "size": (_parse_size, "SIZE"),
    "count": (_parse_count, "NUMBER"),
    "flag": (_parse_flag, ""),
}


def _options() -> list[_Option]:
    options = [
        _Option("host", str, "HOST", "address or name to listen on", "127.0.0.1"),
        _Option("port", _parse_port, "PORT", "port to listen on; 0 takes a free one", "9001"),
        _Option("concurrent", _parse_flag, "", "echo through the concurrent interface, in any order", "false"),
        _Option(
            "allowed_origin", _parse_origins, "ORIGIN", "origins to accept, with commas", "all", "accept_connection"
        ),
        _Option("access_denied", _parse_denial, "TEXT", "body of the 403", "<h1>Access denied</h1>", "access_denied"),
    ]
    for field in dataclasses.fields(Parameters):
        kind = field.metadata["kind"]
        if kind in _KINDS:
            parse, metavar = _KINDS[kind]
            limits = {"size": "; 1 to 1 GiB", "count": "; 1 to 2^30"}.get(kind, "")
            options.append(
                _Option(
                    field.name, parse, metavar, field.metadata["doc"] + limits, str(field.default).lower(), field.name
                )
            )
    return options


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"refimpl: {message}; see --help\n")


def _parser(options: Sequence[_Option]) -> _Parser:
    parser = _Parser(
        prog="python -m refimpl",
        description="A WebSocket echo server (RFC 6455, no extension).",
        epilog="A flag wins over its variable. Sizes are bytes, or numbers with KiB, MiB or GiB. SIGTERM and SIGINT "
        "close every connection with 1001 and end the server after at most CLOSE_TIMEOUT or 2 seconds.",
        allow_abbrev=False,
    )
    for option in options:
        doc = f"{option.doc} (default {option.default}; variable {option.variable})"
        if option.parse is _parse_flag:
            parser.add_argument(option.flag, action=argparse.BooleanOptionalAction, help=doc)
        else:
            parser.add_argument(option.flag, metavar=option.metavar, help=doc)
    return parser


def _configure(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[str, int, bool, Parameters]:
    """Return host, port, concurrent and the parameters; exit with 2 and one line where a value is wrong."""
    options = _options()
    parser = _parser(options)
    flags = vars(parser.parse_args(arguments))
    values: dict[str, Any] = {"host": "127.0.0.1", "port": 9001, "concurrent": False}
    parameters = Parameters()
    for option in options:
        flag, variable = flags[option.name], environment.get(option.variable) or None
        source, text = (option.flag, flag) if flag is not None else (option.variable, variable)
        if text is None:
            continue
        try:
            value = text if isinstance(text, bool) else option.parse(text)
            if option.field:
                change: dict[str, Any] = {option.field: value}
                parameters = dataclasses.replace(parameters, **change)  # which checks its range
            else:
                values[option.name] = value
        except ValueError as error:
            parser.error(f"{source}: {error}")
    return values["host"], values["port"], values["concurrent"], parameters


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
