"""Echo server on picows' core API. What the environment does not set keeps the library's default.

The core API hands over frames, and joining them is left to the application: here as in the project's own example
of fragmented messages. Nothing that the library leaves unchecked (UTF-8, reserved bits, the order of fragments) is
checked here either, for the verdicts are meant to be the library's.
"""

import asyncio
import os
import signal

from picows import (
    WSAutoPingStrategy,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    ws_create_server,
)


class Echo(WSListener):
    def __init__(self) -> None:
        self.kind: WSMsgType | None = None
        self.message = bytearray()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
            return
        if frame.msg_type == WSMsgType.PONG:
            return
        if frame.msg_type != WSMsgType.CONTINUATION:
            self.kind = frame.msg_type
        self.message += frame.get_payload_as_memoryview()
        if frame.fin:
            transport.send(self.kind, self.message)
            self.message.clear()


def listener(_request: WSUpgradeRequest) -> Echo:
    return Echo()


def options() -> dict[str, object]:
    """Return the arguments of ws_create_server() that the environment sets."""
    chosen: dict[str, object] = {}
    if "MAX_FRAME_SIZE" in os.environ:
        chosen["max_frame_size"] = int(os.environ["MAX_FRAME_SIZE"])
    interval, timeout = (float(os.environ.get(name, "0")) for name in ("PING_INTERVAL", "CONNECTION_TIMEOUT"))
    if interval or timeout:
        interval = interval or timeout / 2
        chosen["enable_auto_ping"] = True
        chosen["auto_ping_idle_timeout"] = interval
        # The library insists on a time for replies (20 s by default) that is not longer than the one between pings.
        chosen["auto_ping_reply_timeout"] = min(timeout - interval if timeout else 20, interval)
    if timeout:
        # By default only who sends nothing is pinged, and half a frame is kept alive by an octet now and then.
        chosen["auto_ping_strategy"] = WSAutoPingStrategy.PING_PERIODICALLY
    if "HANDSHAKE_TIMEOUT" in os.environ:
        chosen["websocket_handshake_timeout"] = float(os.environ["HANDSHAKE_TIMEOUT"]) or None
    return chosen


async def main() -> None:
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "9001"))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = await ws_create_server(listener, host, port, **options())
    await stop.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
