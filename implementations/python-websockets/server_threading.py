"""Echo server on websockets' threading API. What the environment does not set keeps the library's default."""

import os
import signal

from server import options
from websockets.sync.server import ServerConnection, serve


def echo(websocket: ServerConnection) -> None:
    for message in websocket:
        websocket.send(message)


if __name__ == "__main__":
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "9001"))
    # Server.shutdown() waits for all threads; an echo server has nothing to finish.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: os._exit(0))
    with serve(echo, host, port, **options()) as server:
        server.serve_forever()
