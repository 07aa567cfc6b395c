"""Echo server on trio-websocket. What the environment does not set keeps the library's default."""

import os
from typing import Any

import trio
from trio_websocket import ConnectionClosed, WebSocketRequest, serve_websocket


async def echo(request: WebSocketRequest) -> None:
    websocket = await request.accept()
    while True:
        try:
            await websocket.send_message(await websocket.get_message())
        except ConnectionClosed:
            break


def options() -> dict[str, Any]:
    """Return the arguments of serve_websocket() that the environment sets."""
    chosen: dict[str, Any] = {}
    if "MAX_MESSAGE_SIZE" in os.environ:
        chosen["max_message_size"] = int(os.environ["MAX_MESSAGE_SIZE"])
    if "CLOSE_TIMEOUT" in os.environ:
        chosen["disconnect_timeout"] = float(os.environ["CLOSE_TIMEOUT"])
    if "HANDSHAKE_TIMEOUT" in os.environ:
        chosen["connect_timeout"] = float(os.environ["HANDSHAKE_TIMEOUT"])
    return chosen


async def main() -> None:
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "9001"))
    await serve_websocket(echo, host, port, ssl_context=None, **options())


if __name__ == "__main__":
    trio.run(main)
