"""Echo server on aiohttp's web server. What the environment does not set keeps the library's default."""

import os

from aiohttp import WSCloseCode, WSMsgType, web

# Environment variable -> the argument of WebSocketResponse in seconds.
SECONDS = {"PING_INTERVAL": "heartbeat", "CLOSE_TIMEOUT": "timeout", "CONNECTION_TIMEOUT": "receive_timeout"}


def options() -> dict[str, object]:
    """Return the arguments of WebSocketResponse that the environment sets."""
    chosen: dict[str, object] = {
        argument: float(os.environ[name]) or None for name, argument in SECONDS.items() if name in os.environ
    }
    if "MAX_MESSAGE_SIZE" in os.environ:
        chosen["max_msg_size"] = int(os.environ["MAX_MESSAGE_SIZE"])
    if os.environ.get("COMPRESSION") == "0":
        chosen["compress"] = False
    return chosen


async def echo(request: web.Request) -> web.WebSocketResponse:
    websocket = web.WebSocketResponse(**options())
    await websocket.prepare(request)
    try:
        async for message in websocket:
            if message.type is WSMsgType.TEXT:
                await websocket.send_str(message.data)
            elif message.type is WSMsgType.BINARY:
                await websocket.send_bytes(message.data)
    except TimeoutError:
        # receive_timeout only raises; what follows from it is the application's to say.
        await websocket.close(code=WSCloseCode.GOING_AWAY)
    return websocket


def main() -> None:
    app = web.Application()
    app.router.add_get("/{path:.*}", echo)
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "9001"))
    # On SIGTERM aiohttp waits for open connections, 60 s by default; an echo server has nothing to finish.
    web.run_app(app, host=host, port=port, print=None, access_log=None, shutdown_timeout=0.5)


if __name__ == "__main__":
    main()
