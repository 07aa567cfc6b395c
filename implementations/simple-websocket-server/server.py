"""Echo server on SimpleWebSocketServer. What the environment does not set keeps the library's default."""

import os
from typing import Any

from SimpleWebSocketServer import SimpleWebSocketServer, WebSocket


class Echo(WebSocket):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        if "MAX_FRAME_SIZE" in os.environ:
            self.maxpayload = int(os.environ["MAX_FRAME_SIZE"])
        if "MAX_HANDSHAKE_SIZE" in os.environ:
            self.maxheader = int(os.environ["MAX_HANDSHAKE_SIZE"])

    def handleMessage(self) -> None:  # noqa: N802
        self.sendMessage(self.data)


if __name__ == "__main__":
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "9001"))
    SimpleWebSocketServer(host, port, Echo).serveforever()
