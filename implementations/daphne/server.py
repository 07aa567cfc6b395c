"""Echo server on Daphne, a plain ASGI application. What the environment does not set keeps the library's default."""

import os
from collections.abc import Awaitable, Callable
from typing import Any

from daphne.endpoints import build_endpoint_description_strings
from daphne.server import Server


async def app(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    await receive()  # websocket.connect
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        # Text comes as text and binary data as bytes, and is sent so.
        await send({**event, "type": "websocket.send"})


def options() -> dict[str, Any]:
    """Return the arguments of Server that the environment sets."""
    chosen: dict[str, Any] = {}
    if "MAX_MESSAGE_SIZE" in os.environ:
        chosen["websocket_max_message_size"] = int(os.environ["MAX_MESSAGE_SIZE"])
    if "MAX_FRAME_SIZE" in os.environ:
        chosen["websocket_max_frame_size"] = int(os.environ["MAX_FRAME_SIZE"])
    if "PING_INTERVAL" in os.environ:
        chosen["ping_interval"] = float(os.environ["PING_INTERVAL"]) or float("inf")
    if "HANDSHAKE_TIMEOUT" in os.environ:
        # --websocket_connect_timeout of the command line sets both.
        seconds = float(os.environ["HANDSHAKE_TIMEOUT"])
        chosen |= {"websocket_connect_timeout": seconds, "websocket_handshake_timeout": seconds}
    return chosen


if __name__ == "__main__":
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "9001"))
    Server(app, build_endpoint_description_strings(host=host, port=port), **options()).run()
