"""Random bytes against a live server: `python -m tests.refimpl.fuzz --seconds 600 --seed 1`.

Each connection sends garbage, or valid traffic with bytes flipped, dropped, doubled and inserted, in
random chunks, and ends in a random way. What counts: the server raises nothing, tells nobody of an
UnexpectedError, and serves a fresh connection afterwards.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import socket
import sys
import threading
import time

from refimpl import Parameters, Server, WebSocket, WebSocketError
from tests.refimpl.peer import Peer, frame, header, request


def traffic(source: random.Random) -> bytes:
    """Make frames that are valid more often than not."""
    parts = []
    for _ in range(source.randrange(1, 8)):
        payload = source.randbytes(source.choice((0, 1, 125, 126, 700, 70_000)))
        if source.random() < 0.5:
            payload = payload.hex().encode()
        opcode, fin = source.choice((0, 1, 1, 2, 2, 8, 9, 10, source.randrange(16))), source.random() < 0.7
        if source.random() < 0.1:
            parts.append(header(opcode, source.choice((126, 70_000, 1 << 21, (1 << 63) - 1)), fin=fin))
        parts.append(frame(opcode, payload, fin=fin, key=bytes(4)))
    return b"".join(parts)


def broken(data: bytes, source: random.Random) -> bytes:
    """Flip, drop, double and insert bytes."""
    mutable = bytearray(data)
    for _ in range(source.choice((0, 0, 1, 2, 9))):
        place = source.randrange(len(mutable) + 1)
        kind = source.randrange(4)
        if kind == 0 and place < len(mutable):
            mutable[place] ^= 1 << source.randrange(8)
        elif kind == 1:
            del mutable[place : place + source.randrange(9)]
        elif kind == 2:
            mutable[place:place] = mutable[place : place + source.randrange(99)]
        else:
            mutable[place:place] = source.randbytes(source.randrange(9))
    return bytes(mutable)


def attack(port: int, source: random.Random) -> None:
    """Make one connection."""
    stream = source.choice(
        (
            lambda: source.randbytes(source.randrange(2000)),
            lambda: broken(request(), source) + traffic(source),
            lambda: request() + broken(traffic(source), source),
            lambda: request() + source.randbytes(source.randrange(200_000)),
        )
    )()
    peer = Peer(port)
    peer.sock.settimeout(1)
    with peer, contextlib.suppress(OSError):
        while stream:
            size = source.choice((1, 7, 1000, 100_000))
            peer.send(stream[:size])
            stream = stream[size:]
            if source.random() < 0.1:
                peer.sock.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    peer.sock.recv(65536)
                peer.sock.settimeout(1)
        ending = source.randrange(3)
        if ending == 0:
            peer.reset()
        elif ending == 1:
            peer.sock.shutdown(socket.SHUT_WR)
            while peer.sock.recv(65536):
                pass


def run(seconds: float, seed: int) -> tuple[int, list[str]]:
    """Attack both interfaces for a while; return how many connections were made and what went wrong."""
    source, wrong = random.Random(seed), list[str]()  # noqa: S311 - a seed is to repeat what it did

    def echo(websocket: WebSocket) -> None:
        for message in websocket:
            websocket.send(message)

    def told(error: WebSocketError) -> None:
        if type(error).__name__ == "UnexpectedError":
            wrong.append(repr(error.__cause__))

    def raised(arguments: threading.ExceptHookArgs) -> None:
        wrong.append(repr(arguments.exc_value))

    parameters = Parameters(
        propagate_common_errors=True, drop_incoming_pings=False, close_timeout=0.2, connection_timeout=2
    )
    hook, threading.excepthook = threading.excepthook, raised
    count, end = 0, time.monotonic() + seconds
    try:
        with (
            Server(echo, parameters=parameters, on_error=told) as blocking,
            Server(echo, parameters=parameters, on_error=told, concurrent=True) as concurrent,
        ):
            while time.monotonic() < end and not wrong:
                for server in (blocking, concurrent):
                    attack(server.port, source)
                    count += 1
            for server in (blocking, concurrent):
                with Peer.open(server.port, frame(1, b"alive")) as peer:
                    assert peer.message() == "alive"
    finally:
        threading.excepthook = hook
    return count, wrong


def main() -> int:
    """Run for as long as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=time.time_ns())
    arguments = parser.parse_args()
    count, wrong = run(arguments.seconds, arguments.seed)
    sys.stdout.write(f"seed {arguments.seed}: {count} connections, {wrong or 'nothing wrong'}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
