"""Echo server on Tornado. What the environment does not set keeps the library's default."""

import asyncio
import os
import signal

from tornado.web import Application
from tornado.websocket import WebSocketHandler


class Echo(WebSocketHandler):
    def get_compression_options(self) -> dict[str, object] | None:
        # Off unless asked for, in the library; on unless refused, in every echo server of this project.
        return None if os.environ.get("COMPRESSION") == "0" else {}

    async def on_message(self, message: str | bytes) -> None:
        await self.write_message(message, binary=isinstance(message, bytes))


def settings() -> dict[str, object]:
    """Return the settings of the application that the environment sets."""
    chosen: dict[str, object] = {}
    if "MAX_MESSAGE_SIZE" in os.environ:
        chosen["websocket_max_message_size"] = int(os.environ["MAX_MESSAGE_SIZE"])
    if "PING_INTERVAL" in os.environ:
        chosen["websocket_ping_interval"] = float(os.environ["PING_INTERVAL"])
    if timeout := float(os.environ.get("CONNECTION_TIMEOUT", "0")):
        # A peer that does not answer pings is closed after the two together.
        interval = float(os.environ.get("PING_INTERVAL", "0")) or timeout / 2
        chosen |= {"websocket_ping_interval": interval, "websocket_ping_timeout": timeout - interval}
    if "ALLOWED_ORIGIN" in os.environ:
        chosen["trusted_origins"] = [os.environ["ALLOWED_ORIGIN"]]
    return chosen


def http() -> dict[str, object]:
    """Return the arguments of the HTTP server that the environment sets."""
    chosen: dict[str, object] = {}
    if "HANDSHAKE_TIMEOUT" in os.environ:
        chosen["idle_connection_timeout"] = float(os.environ["HANDSHAKE_TIMEOUT"])
    if "MAX_HANDSHAKE_SIZE" in os.environ:
        chosen["max_header_size"] = int(os.environ["MAX_HANDSHAKE_SIZE"])
    return chosen


async def main() -> None:
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "9001"))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = Application([(r"/.*", Echo)], **settings()).listen(port, host, **http())
    await stop.wait()
    server.stop()


if __name__ == "__main__":
    asyncio.run(main())
