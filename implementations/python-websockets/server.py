"""Echo server on websockets' asyncio API. What the environment does not set keeps the library's default."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from typing import Protocol

try:
    from websockets.asyncio.server import serve

    HAS_FRAME_LIMIT = True
except ImportError:  # before 13.0
    from websockets import serve

    HAS_FRAME_LIMIT = False


class Connection(Protocol):
    def __aiter__(self) -> AsyncIterator[str | bytes]: ...
    async def send(self, message: str | bytes) -> None: ...


# Environment variable -> the argument of serve() in seconds, where None means off and 0 is how the environment says it.
SECONDS = {"PING_INTERVAL": "ping_interval", "CLOSE_TIMEOUT": "close_timeout", "HANDSHAKE_TIMEOUT": "open_timeout"}


def options() -> dict[str, object]:
    """Return the arguments of serve() that the environment sets."""
    chosen: dict[str, object] = {
        argument: float(os.environ[name]) or None for name, argument in SECONDS.items() if name in os.environ
    }
    if timeout := float(os.environ.get("CONNECTION_TIMEOUT", "0")):
        # A peer that does not answer pings is cut after the two together.
        interval = float(os.environ.get("PING_INTERVAL", "0")) or timeout / 2
        chosen |= {"ping_interval": interval, "ping_timeout": timeout - interval}
    message = int(os.environ.get("MAX_MESSAGE_SIZE", "1048576"))  # as the library has it
    if "MAX_FRAME_SIZE" in os.environ and HAS_FRAME_LIMIT:
        chosen["max_size"] = (message, int(os.environ["MAX_FRAME_SIZE"]))
    elif "MAX_MESSAGE_SIZE" in os.environ:
        chosen["max_size"] = message
    if "ALLOWED_ORIGIN" in os.environ:
        chosen["origins"] = [os.environ["ALLOWED_ORIGIN"]]
    if os.environ.get("COMPRESSION") == "0":
        chosen["compression"] = None
    return chosen


async def echo(websocket: Connection) -> None:
    async for message in websocket:
        await websocket.send(message)


async def main() -> None:
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "9001"))
    async with serve(echo, host, port, **options()) as server:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.close)
        await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main())
