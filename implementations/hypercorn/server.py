"""Echo server on Hypercorn, a plain ASGI application. What the environment does not set keeps the library's default."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import trio
from hypercorn.asyncio import serve as serve_asyncio
from hypercorn.config import Config
from hypercorn.trio import serve as serve_trio


async def app(
    _scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    await receive()  # websocket.connect
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        # Text comes as text and binary data as bytes, and is sent so.
        await send({**event, "type": "websocket.send"})


def config() -> Config:
    chosen = Config()
    chosen.bind = [f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '9001')}"]
    chosen.loglevel = "CRITICAL"
    chosen.graceful_timeout = 0.5  # an echo server has nothing to finish
    if "MAX_MESSAGE_SIZE" in os.environ:
        chosen.websocket_max_message_size = int(os.environ["MAX_MESSAGE_SIZE"])
    if "MAX_HANDSHAKE_SIZE" in os.environ:
        chosen.h11_max_incomplete_size = int(os.environ["MAX_HANDSHAKE_SIZE"])
    if "PING_INTERVAL" in os.environ:
        chosen.websocket_ping_interval = float(os.environ["PING_INTERVAL"]) or None
    if "HANDSHAKE_TIMEOUT" in os.environ:
        # It is also what a connection has until its first request.
        chosen.keep_alive_timeout = float(os.environ["HANDSHAKE_TIMEOUT"])
    return chosen


async def main_asyncio() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await serve_asyncio(app, config(), shutdown_trigger=stop.wait)


async def main_trio() -> None:
    with trio.open_signal_receiver(signal.SIGTERM) as signals:
        await serve_trio(app, config(), shutdown_trigger=signals.__anext__)


if __name__ == "__main__":
    if os.environ.get("HYPERCORN_WORKER") == "trio":
        trio.run(main_trio)
    else:
        asyncio.run(main_asyncio())
