"""Echo server on Granian, by ASGI or RSGI. What the environment does not set keeps the library's default."""

import os
from collections.abc import Awaitable, Callable
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.rsgi import Scope, WebsocketMessageType, WebsocketProtocol


async def asgi(
    _scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    await receive()  # websocket.connect
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        # Text comes as text and binary data as bytes, and is sent so.
        await send({**event, "type": "websocket.send"})


async def rsgi(_scope: Scope, protocol: WebsocketProtocol) -> None:
    transport = await protocol.accept()
    while (message := await transport.receive()).kind != WebsocketMessageType.close:
        if message.kind == WebsocketMessageType.string:
            await transport.send_str(message.data)
        else:
            await transport.send_bytes(message.data)
    protocol.close()


if __name__ == "__main__":
    interface = os.environ.get("GRANIAN_INTERFACE", "asgi")
    http1 = HTTP1Settings()
    if "HANDSHAKE_TIMEOUT" in os.environ:
        http1.header_read_timeout = int(float(os.environ["HANDSHAKE_TIMEOUT"]) * 1000)
    Granian(
        f"{__file__}:{interface}",
        address=os.environ.get("HOST", "127.0.0.1"),
        port=int(os.environ.get("PORT", "9001")),
        interface=Interfaces(interface),
        http=HTTPModes.http1,
        http1_settings=http1,
        log_enabled=False,
        workers_kill_timeout=1,
    ).serve()
