"""Echo server on WSocket, with its threading WSGI server."""

import logging
import os
from typing import Any

from wsocket import FixedHandler, WebSocketError, WSocketApp, run


class Handler(FixedHandler):
    def log_message(self, *_: Any) -> None:
        pass


app = WSocketApp()
app.onclose.default = None


@app.route("*")
def echo(environ: dict[str, Any], _start_response: Any) -> list[bytes]:
    websocket = environ["wsgi.websocket"]
    while True:
        try:
            message = websocket.receive()
            if message is not None:
                websocket.send(message)
        except WebSocketError:
            break
    return []


if __name__ == "__main__":
    logging.disable()
    run(app, host=os.environ.get("HOST", "127.0.0.1"), port=int(os.environ.get("PORT", "9001")), handler_class=Handler)
