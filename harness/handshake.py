"""An opening handshake (RFC 6455 4.1), to tell whether a WebSocket server answers: readiness is this, never a sleep."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import socket
import ssl
import struct
import time
from collections.abc import Callable
from functools import cache

from harness.endpoint import Endpoint
from harness.text import printable

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MAX_ANSWER = 64 << 10
_PATIENCE_S = 3.0


class WrongAnswer(str):
    """A problem of a server that does answer, so that waiting much longer will not help."""

    __slots__ = ()


def check(endpoint: Endpoint, timeout: float = 10.0) -> str | None:
    """Open a WebSocket connection and close it again; None if that went well, else in one line why not."""
    deadline = time.monotonic() + timeout
    try:
        with socket.create_connection((endpoint.host, endpoint.port), timeout) as raw, _secured(raw, endpoint) as peer:
            key = base64.b64encode(os.urandom(16))
            peer.sendall(_request(endpoint, key))
            answer = b""
            while b"\r\n\r\n" not in answer:
                peer.settimeout(max(0.001, deadline - time.monotonic()))
                chunk = peer.recv(4096)
                if not chunk:
                    return WrongAnswer(f"it closed the connection in the opening handshake{_quoted(answer)}")
                answer += chunk
                if len(answer) > _MAX_ANSWER:
                    return WrongAnswer(f"its answer to the opening handshake has no end{_quoted(answer)}")
            problem = _judge(answer.partition(b"\r\n\r\n")[0], key)
            if problem is None:
                # a masked close frame, code 1000 (RFC 6455 5.5.1)
                mask = os.urandom(4)
                body = bytes(a ^ b for a, b in zip(struct.pack("!H", 1000), mask, strict=False))
                with contextlib.suppress(OSError):
                    peer.sendall(b"\x88\x82" + mask + body)
            return problem
    except TimeoutError:
        return f"it did not answer the opening handshake within {timeout:g} s"
    except OSError as error:
        return error.strerror or str(error)


def check_again(endpoint: Endpoint, gone: Callable[[], str | None] = lambda: None) -> str | None:
    """As `check`, but a failure counts only if it is still there a second later, or if `gone` gives a better reason.

    A crashing process closes its sockets a moment before it can be waited for, and a busy one may refuse a moment.
    """
    if check(endpoint) is None:
        return None
    deadline = time.monotonic() + 1
    while (reason := gone()) is None and time.monotonic() < deadline:
        time.sleep(0.02)
    return reason or check(endpoint)


def wait_until_ready(endpoint: Endpoint, give_up: Callable[[], str | None], timeout: float = 30.0) -> str | None:
    """Try until a handshake goes well; None then, else the last reason, or `give_up`'s as soon as it has one."""
    deadline = time.monotonic() + timeout
    problem: str | None = "it was not tried"
    answered: float | None = None
    while time.monotonic() < deadline:
        if (reason := give_up()) is not None:
            return reason
        problem = check(endpoint, min(5.0, timeout))
        if problem is None:
            return give_up()
        if isinstance(problem, WrongAnswer):
            answered = answered or time.monotonic()
            deadline = min(deadline, answered + _PATIENCE_S)
        time.sleep(0.02)
    return problem


@cache
def tls_context() -> ssl.SSLContext:
    """For wss://: a server under test has a certificate of its own making; who it is, is not what is tested."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _secured(raw: socket.socket, endpoint: Endpoint) -> socket.socket:
    return raw if not endpoint.secure else tls_context().wrap_socket(raw, server_hostname=endpoint.host)


def _request(endpoint: Endpoint, key: bytes) -> bytes:
    origin = "".join(f"{line}\r\n" for line in endpoint.origin_lines)
    return (
        f"GET {endpoint.resource} HTTP/1.1\r\nHost: {endpoint.authority}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key.decode()}\r\nSec-WebSocket-Version: 13\r\n{origin}\r\n"
    ).encode("latin-1", "replace")


def _judge(head: bytes, key: bytes) -> str | None:
    status, *lines = head.split(b"\r\n")
    if not status.startswith(b"HTTP/1.1 101"):
        return WrongAnswer(f"it refused the opening handshake{_quoted(status)}")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
    if headers.get(b"sec-websocket-accept") != accept:
        return WrongAnswer("its Sec-WebSocket-Accept is wrong")
    return None


def _quoted(answer: bytes) -> str:
    return f": {printable(answer.decode('latin-1'), 80)!r}" if answer else ""
