"""Echo server on aiohttp's web server. What the environment does not set keeps the library's default."""

import os

from aiohttp import WSCloseCode, WSMsgType, web


def seconds(name: str) -> float:
    return float(os.environ.get(name, "0"))


def options() -> dict[str, object]:
    """Return the arguments of WebSocketResponse that the environment sets."""
    chosen: dict[str, object] = {}
    timeout = seconds("CONNECTION_TIMEOUT")
    # A pong has half a heartbeat's time to come, so that a peer without one is cut after one and a half heartbeats.
    if heartbeats := [beat for beat in (seconds("PING_INTERVAL"), timeout / 1.5) if beat]:
        chosen["heartbeat"] = min(heartbeats)
    # Octets count as a heartbeat, here only whole frames.
    if timeout:
        chosen["receive_timeout"] = timeout
    if "CLOSE_TIMEOUT" in os.environ:
        chosen["timeout"] = seconds("CLOSE_TIMEOUT") or None
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
    # It is also what a connection has until its first request; the library has no other limit there.
    waiting = {"keepalive_timeout": seconds("HANDSHAKE_TIMEOUT")} if "HANDSHAKE_TIMEOUT" in os.environ else {}
    # On SIGTERM aiohttp waits for open connections, 60 s by default; an echo server has nothing to finish.
    web.run_app(app, host=host, port=port, print=None, access_log=None, shutdown_timeout=0.5, **waiting)


if __name__ == "__main__":
    main()
