"""Echo server on uvicorn, a plain ASGI application. What the environment does not set keeps the library's default."""

import os
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn


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


def options() -> dict[str, Any]:
    """Return the arguments of uvicorn.run() that the environment sets."""
    chosen: dict[str, Any] = {}
    if "MAX_MESSAGE_SIZE" in os.environ:
        chosen["ws_max_size"] = int(os.environ["MAX_MESSAGE_SIZE"])
    if "PING_INTERVAL" in os.environ:
        chosen["ws_ping_interval"] = float(os.environ["PING_INTERVAL"]) or None
    if timeout := float(os.environ.get("CONNECTION_TIMEOUT", "0")):
        # A peer that does not answer pings is cut after the two together.
        interval = float(os.environ.get("PING_INTERVAL", "0")) or timeout / 2
        chosen |= {"ws_ping_interval": interval, "ws_ping_timeout": timeout - interval}
    if os.environ.get("COMPRESSION") == "0":
        chosen["ws_per_message_deflate"] = False
    if "UVICORN_WS" in os.environ:
        chosen["ws"] = os.environ["UVICORN_WS"]
    return chosen


if __name__ == "__main__":
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "9001"))
    uvicorn.run(app, host=host, port=port, lifespan="off", log_level="error", access_log=False, **options())
