"""Echo server on circuits.web."""

import os
from typing import Any

from circuits import Component
from circuits.net.events import write
from circuits.web import Server
from circuits.web.dispatchers import WebSocketsDispatcher


class Echo(Component):
    channel = "wsserver"

    def read(self, sock: Any, data: Any) -> None:
        self.fire(write(sock, data))


if __name__ == "__main__":
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "9001"))
    (Server((host, port)) + Echo() + WebSocketsDispatcher()).run()
