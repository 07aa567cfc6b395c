"""Echo server on Quart, served by Hypercorn. What the environment does not set keeps the framework's default."""

import asyncio
import os

from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart, websocket

app = Quart(__name__)


@app.websocket("/", defaults={"path": ""})
@app.websocket("/<path:path>")
async def echo(path: str) -> None:
    while True:
        await websocket.send(await websocket.receive())


def config() -> Config:
    chosen = Config()
    chosen.bind = [f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '9001')}"]
    chosen.errorlog = None
    chosen.graceful_timeout = 0.5
    if "MAX_MESSAGE_SIZE" in os.environ:
        chosen.websocket_max_message_size = int(os.environ["MAX_MESSAGE_SIZE"])
    if "MAX_HANDSHAKE_SIZE" in os.environ:
        chosen.h11_max_incomplete_size = int(os.environ["MAX_HANDSHAKE_SIZE"])
    if "PING_INTERVAL" in os.environ:
        chosen.websocket_ping_interval = float(os.environ["PING_INTERVAL"]) or None
    return chosen


if __name__ == "__main__":
    asyncio.run(serve(app, config()))
