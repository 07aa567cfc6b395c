"""Echo server on eventlet's WebSocketWSGI. What the environment does not set keeps the library's default."""

import os
from typing import Any

import eventlet
from eventlet import websocket, wsgi


@websocket.WebSocketWSGI
def echo(ws: Any) -> None:
    while (message := ws.wait()) is not None:
        ws.send(message)


if __name__ == "__main__":
    if "MAX_FRAME_SIZE" in os.environ:
        echo.max_frame_length = int(os.environ["MAX_FRAME_SIZE"])
    if "ALLOWED_ORIGIN" in os.environ:
        echo.origin_checker = lambda _host, origin: origin == os.environ["ALLOWED_ORIGIN"]
    options: dict[str, Any] = {}
    if "HANDSHAKE_TIMEOUT" in os.environ:
        options["socket_timeout"] = float(os.environ["HANDSHAKE_TIMEOUT"]) or None
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "9001"))
    wsgi.server(eventlet.listen((host, port)), echo, log_output=False, debug=False, **options)
