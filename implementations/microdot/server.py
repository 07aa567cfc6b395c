"""Echo server on Microdot. What the environment does not set keeps the framework's default."""

import os

from microdot import Microdot, Request
from microdot.websocket import WebSocket, with_websocket

app = Microdot()


@app.route("/")
@app.route("/<path:path>")
@with_websocket
async def echo(_request: Request, websocket: WebSocket, path: str = "") -> None:
    while True:
        await websocket.send(await websocket.receive())


if __name__ == "__main__":
    if "MAX_MESSAGE_SIZE" in os.environ:
        WebSocket.max_message_length = int(os.environ["MAX_MESSAGE_SIZE"])
    app.run(host=os.environ.get("HOST", "127.0.0.1"), port=int(os.environ.get("PORT", "9001")))
