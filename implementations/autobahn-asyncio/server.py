"""Echo server on Autobahn, on asyncio or Twisted. What the environment does not set keeps the library's default."""

import asyncio
import os
import signal
from typing import Any

from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept

if TWISTED := os.environ.get("AUTOBAHN_FRAMEWORK") == "twisted":
    from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
else:
    from autobahn.asyncio.websocket import WebSocketServerFactory, WebSocketServerProtocol

# Environment variable -> the argument of setProtocolOptions() and its type.
OPTIONS: dict[str, tuple[str, type]] = {
    "MAX_FRAME_SIZE": ("maxFramePayloadSize", int),
    "MAX_MESSAGE_SIZE": ("maxMessagePayloadSize", int),
    "MAX_CONNECTIONS": ("maxConnections", int),
    "PING_INTERVAL": ("autoPingInterval", float),
    "CLOSE_TIMEOUT": ("closeHandshakeTimeout", float),
    "HANDSHAKE_TIMEOUT": ("openHandshakeTimeout", float),
}


class Echo(WebSocketServerProtocol):
    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803
        self.sendMessage(payload, isBinary)


def accept(offers: list[object]) -> PerMessageDeflateOfferAccept | None:
    """Take the first offer of permessage-deflate, as the project's own example does."""
    for offer in offers:
        if isinstance(offer, PerMessageDeflateOffer):
            return PerMessageDeflateOfferAccept(offer)
    return None


def options() -> dict[str, Any]:
    """Return the arguments of setProtocolOptions() that the environment sets."""
    chosen = {argument: kind(os.environ[name]) for name, (argument, kind) in OPTIONS.items() if name in os.environ}
    if timeout := float(os.environ.get("CONNECTION_TIMEOUT", "0")):
        # A peer that does not answer pings is cut after the two together.
        interval = float(os.environ.get("PING_INTERVAL", "0")) or timeout / 2
        chosen |= {"autoPingInterval": interval, "autoPingTimeout": timeout - interval}
        # Octets count as a pong, by default.
        chosen["autoPingRestartOnAnyTraffic"] = False
    if "ALLOWED_ORIGIN" in os.environ:
        # What it is compared with always has a port.
        origin = os.environ["ALLOWED_ORIGIN"]
        chosen["allowedOrigins"] = [f"{origin}:{443 if origin.startswith('https:') else 80}"]
    if os.environ.get("COMPRESSION") != "0":
        chosen["perMessageCompressionAccept"] = accept
    return chosen


async def serve(factory: WebSocketServerFactory, host: str, port: int) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    await loop.create_server(factory, host, port)
    await stop.wait()


def main() -> None:
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "9001"))
    if TWISTED:
        from twisted.internet import reactor  # noqa: PLC0415 (importing it installs it)

        factory = WebSocketServerFactory()
        factory.protocol = Echo
        factory.setProtocolOptions(**options())
        reactor.listenTCP(port, factory, interface=host)
        reactor.run()
    else:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        factory = WebSocketServerFactory(loop=loop)
        factory.protocol = Echo
        factory.setProtocolOptions(**options())
        loop.run_until_complete(serve(factory, host, port))


if __name__ == "__main__":
    main()
