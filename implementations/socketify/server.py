"""Echo server on socketify (uWebSockets). What the environment does not set keeps the library's default."""

import os
from typing import Any

from socketify import App, AppListenOptions, CompressOptions, OpCode, WebSocket


def echo(ws: WebSocket, message: str | bytes, opcode: OpCode) -> None:
    ws.send(message, opcode)


def behavior() -> dict[str, Any]:
    chosen: dict[str, Any] = {"message": echo}
    if os.environ.get("COMPRESSION") != "0":
        chosen["compression"] = CompressOptions.SHARED_COMPRESSOR
    if "MAX_MESSAGE_SIZE" in os.environ:
        chosen["max_payload_length"] = int(os.environ["MAX_MESSAGE_SIZE"])
    return chosen


if __name__ == "__main__":
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "9001"))
    app = App()
    app.ws("/*", behavior())
    app.listen(AppListenOptions(port=port, host=host))
    app.run()
