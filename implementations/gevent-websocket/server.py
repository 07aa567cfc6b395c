"""Echo server on gevent-websocket, with gevent's WSGI server. What is not set keeps the library's default."""

import os
from typing import Any

from gevent import pywsgi
from geventwebsocket.handler import WebSocketHandler


def app(environ: dict[str, Any], _start_response: Any) -> list[bytes]:
    websocket = environ["wsgi.websocket"]
    while (message := websocket.receive()) is not None:
        websocket.send(message)
    return []


if __name__ == "__main__":
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "9001"))
    pywsgi.WSGIServer((host, port), app, handler_class=WebSocketHandler, log=None, error_log=None).serve_forever()
