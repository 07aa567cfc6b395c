"""Echo server on BlackSheep, served by uvicorn. What the environment does not set keeps the framework's default."""

import os
from typing import Any

import uvicorn
from blacksheep import Application, WebSocket, WebSocketDisconnectError

app = Application()


@app.router.ws("*")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            message = await websocket.receive()
            if message.get("text") is not None:
                await websocket.send_text(message["text"])
            else:
                await websocket.send_bytes(message["bytes"])
    except WebSocketDisconnectError:
        pass


if __name__ == "__main__":
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "9001"))
    options: dict[str, Any] = {}
    if "MAX_MESSAGE_SIZE" in os.environ:
        options["ws_max_size"] = int(os.environ["MAX_MESSAGE_SIZE"])
    uvicorn.run(app, host=host, port=port, log_level="error", access_log=False, **options)
