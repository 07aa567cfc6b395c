"""Echo server on Sanic. What the environment does not set keeps the framework's default."""

import os

from sanic import Request, Sanic, Websocket

app = Sanic("echo")
app.config.ACCESS_LOG = False


@app.websocket("/")
@app.websocket("/<path:path>", name="any")
async def echo(_request: Request, websocket: Websocket, path: str = "") -> None:
    async for message in websocket:
        await websocket.send(message)


def configure() -> None:
    if "MAX_MESSAGE_SIZE" in os.environ:
        app.config.WEBSOCKET_MAX_SIZE = int(os.environ["MAX_MESSAGE_SIZE"])
    if "MAX_HANDSHAKE_SIZE" in os.environ:
        app.config.REQUEST_MAX_HEADER_SIZE = int(os.environ["MAX_HANDSHAKE_SIZE"])
    if "HANDSHAKE_TIMEOUT" in os.environ:
        app.config.REQUEST_TIMEOUT = app.config.KEEP_ALIVE_TIMEOUT = float(os.environ["HANDSHAKE_TIMEOUT"])
    if "PING_INTERVAL" in os.environ:
        app.config.WEBSOCKET_PING_INTERVAL = float(os.environ["PING_INTERVAL"])
    if timeout := float(os.environ.get("CONNECTION_TIMEOUT", "0")):
        # A peer that does not answer pings is cut after the two together.
        interval = float(os.environ.get("PING_INTERVAL", "0")) or timeout / 2
        app.config.WEBSOCKET_PING_INTERVAL, app.config.WEBSOCKET_PING_TIMEOUT = interval, timeout - interval


if __name__ == "__main__":
    configure()
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "9001"))
    app.run(host=host, port=port, single_process=True, access_log=False, motd=False, debug=False)
