"""A small WebSocket echo server that does one thing wrong: FAULT, in the environment.

    HOST=127.0.0.1 PORT=9001 FAULT="truncates 126" python tests/faulty/echo.py

Without FAULT it does nothing wrong. COMPRESSION=1 lets it agree to permessage-deflate. It stops on SIGTERM. The faults
are classes in the modules *_faults.py, each with what it does wrong in its docstring (N is the argument); the tables
*.toml say which cases find it, and what the Autobahn Testsuite says.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

if __package__ is None:  # started by its path, from anywhere
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from tests.faulty import (
    closing_faults,
    control_faults,
    deflate_faults,
    framing_faults,
    life_faults,
    message_faults,
    offer_faults,
    opening_faults,
    subtle_faults,
)
from tests.faulty.connection import FAULTS, Connection

#: Importing them fills FAULTS
MODULES = (
    message_faults,
    control_faults,
    closing_faults,
    deflate_faults,
    offer_faults,
    life_faults,
    opening_faults,
    framing_faults,
    subtle_faults,
)


def chosen(fault: str) -> type[Connection]:
    """The connections that FAULT asks for: a name, and perhaps an argument after a space."""
    name, _, argument = fault.partition(" ")
    if name not in FAULTS and name:
        sys.exit(f"FAULT={name} is unknown; known are: {' '.join(sorted(FAULTS))}")
    connection = FAULTS[name] if name else Connection
    connection.argument = argument
    return connection


async def accept(listener: socket.socket, connection: type[Connection]) -> None:
    """Accept connections until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        peer, _ = await loop.sock_accept(listener)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _, protocol = await loop.connect_accepted_socket(connection, peer)
        await protocol.before_next()


async def serve(connection: type[Connection], host: str, port: int) -> None:
    """Serve until SIGTERM."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=128) as listener:
        listener.setblocking(False)
        connection.listener = listener
        connection.accepting = loop.create_task(accept(listener, connection))
        await stop.wait()
        connection.accepting.cancel()


def main() -> None:
    """Run the server that the environment asks for."""
    connection = chosen(os.environ.get("FAULT", ""))
    connection.compression = os.environ.get("COMPRESSION") == "1"
    asyncio.run(serve(connection, os.environ["HOST"], int(os.environ["PORT"])))


if __name__ == "__main__":
    main()
