"""Echo server on simple-websocket, under eventlet. What the environment does not set keeps the library's default."""

import eventlet

eventlet.monkey_patch()

import os  # noqa: E402
from typing import Any  # noqa: E402

from eventlet import wsgi  # noqa: E402
from simple_websocket import ConnectionClosed, Server  # noqa: E402


def options() -> dict[str, Any]:
    """Return the arguments of Server.accept() that the environment sets."""
    chosen: dict[str, Any] = {}
    if "MAX_MESSAGE_SIZE" in os.environ:
        chosen["max_message_size"] = int(os.environ["MAX_MESSAGE_SIZE"])
    if "PING_INTERVAL" in os.environ:
        chosen["ping_interval"] = float(os.environ["PING_INTERVAL"]) or None
    return chosen


def app(environ: dict[str, Any], _start_response: Any) -> list[bytes]:
    websocket = Server.accept(environ, **options())
    try:
        while True:
            websocket.send(websocket.receive())
    except ConnectionClosed:
        pass
    # What Flask-Sock does under eventlet too: no HTTP response behind the WebSocket.
    wsgi.WSGI_LOCAL.already_handled = True
    return []


if __name__ == "__main__":
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "9001"))
    wsgi.server(eventlet.listen((host, port)), app, log_output=False, debug=False)
