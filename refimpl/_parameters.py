"""The server's parameters, each with its default, range and documentation; the command line is made from them."""

import dataclasses
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

from refimpl._handshake import Request

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

AcceptConnection: TypeAlias = Callable[[Request], bool]
AccessDenied: TypeAlias = Callable[[Request], tuple[int, str]]


def accept_all(request: Request) -> bool:  # noqa: ARG001 - the signature is the parameter's
    """Accept every connection: right behind a proxy that checks the origin, dangerous in front of browsers."""
    return True


def forbidden(request: Request) -> tuple[int, str]:  # noqa: ARG001 - the signature is the parameter's
    """Answer a refused client as the original does: 403 and one line of HTML."""
    return 403, "<h1>Access denied</h1>"


def _parameter(kind: str, default: object, doc: str) -> Any:  # noqa: ANN401 - as dataclasses.field
    return dataclasses.field(default=default, metadata={"kind": kind, "doc": doc})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What a server does and allows. Times are seconds (0 or more), sizes bytes and counts 1 to 1 GiB.

    Raises ValueError or TypeError, naming the parameter, when a value is out of its range.
    """

    ping_interval: float = _parameter("seconds", 15.0, "how often the peer is pinged in the background; 0 = off")
    close_timeout: float = _parameter("seconds", 5.0, "how long to wait for the peer's answer to a close; 0 = no limit")
    connection_timeout: float = _parameter(
        "seconds", 58.0, "silence of any kind after which the connection is cut with 1001; 0 = never"
    )
    accept_connection: AcceptConnection = _parameter(  # noqa: RUF009 - it is dataclasses.field
        "call", accept_all, "called with the opening request (path, origin, headers); false refuses"
    )
    access_denied: AccessDenied = _parameter(  # noqa: RUF009 - it is dataclasses.field
        "call", forbidden, "called with a refused request; returns status and HTML body of the answer"
    )
    drop_incoming_pings: bool = _parameter("flag", True, "drop the peer's pings; false answers them with pongs")
    propagate_common_errors: bool = _parameter(
        "flag", False, "raise all errors in the handler; false closes the connection rightly and raises none"
    )
    max_frame_size: int = _parameter("size", MIB, "largest payload of a frame; over it: unread, 1009, dropped")
    max_message_size: int = _parameter(
        "size", MIB, "largest message over all its fragments; over it: unread, 1009, dropped"
    )
    # The four on which the seed is silent. 16 KiB of header is what h11 allows, in the middle of what
    # servers do (Apache 8 KiB a line, nginx 32 KiB, Go 1 MiB). Autobahn sends up to 65,537 fragments in one
    # message (9.3.1: 4 MiB by 64 bytes, and an empty last one); the limit is the power of two above.
    handshake_timeout: float = _parameter("seconds", 10.0, "how long the whole opening request may take; 0 = no limit")
    max_handshake_size: int = _parameter("size", 16 * KIB, "largest opening request with all its headers; over it: 431")
    max_connections: int = _parameter("count", 1000, "connections at once; over it: 503")
    max_fragments: int = _parameter("count", 131_072, "frames in one message, empty ones too; over it: 1009, dropped")

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value, kind = getattr(self, field.name), field.metadata["kind"]
            if kind == "call":
                if not callable(value):
                    raise TypeError(f"{field.name} must be callable, not {value!r}")
                continue
            types, least, greatest = _RANGES[kind]
            if type(value) not in types:
                raise TypeError(f"{field.name} must be {types[-1].__name__}, not {value!r}")
            if not least <= value <= greatest:
                raise ValueError(f"{field.name} must be from {least} to {greatest}, not {value!r}")

    def times(self) -> tuple[float, ...]:
        """Return every time there is, 0 for those that are off."""
        return self.ping_interval, self.close_timeout, self.connection_timeout, self.handshake_timeout


# kind -> the types that a value may have, its least and its greatest value
_RANGES: dict[str, tuple[tuple[type, ...], float, float]] = {
    "seconds": ((int, float), 0, sys.float_info.max),
    "size": ((int,), 1, GIB),
    "count": ((int,), 1, GIB),
    "flag": ((bool,), False, True),
}
