"""Echo server on websockets' threading API. What the environment does not set keeps the library's default."""  # noqa: INP001

import os
import signal
import sys

from websockets.sync.server import ServerConnection, serve


def echo(websocket: ServerConnection) -> None:
    """Send every message back, text as text and binary as binary."""
    for message in websocket:
        websocket.send(message)


def main() -> None:
    """Serve until SIGTERM."""
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "9001"))
    max_size = int(os.environ.get("MAX_MESSAGE_SIZE", "1048576"))
    ping_interval = float(os.environ.get("PING_INTERVAL", "20")) or None
    # shutdown() waits for serve_forever(), so it must not be called from a handler that interrupts it: the exception
    # ends the one, and leaving the block does the other.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with serve(echo, host, port, max_size=max_size, ping_interval=ping_interval) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
