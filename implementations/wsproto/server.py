"""Echo server on wsproto, which does no I/O: the loop around it is that of its documentation, on asyncio's streams.

It hands over pieces of messages, and joining them is left to the application.
"""

import asyncio
import contextlib
import os
import signal

from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Message, Ping, Request, TextMessage
from wsproto.extensions import PerMessageDeflate
from wsproto.utilities import RemoteProtocolError

FINISHED = {ConnectionState.CLOSED, ConnectionState.LOCAL_CLOSING}


class Echo:
    def __init__(self) -> None:
        self.websocket = WSConnection(ConnectionType.SERVER)
        self.pieces: list[str | bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while self.websocket.state not in FINISHED and (data := await reader.read(65536)):
                writer.write(self.answer(data))
                await writer.drain()

    def answer(self, data: bytes) -> bytes:
        """Return what to send for what came."""
        try:
            self.websocket.receive_data(data)
        except RemoteProtocolError as error:
            return self.websocket.send(error.event_hint) if error.event_hint else b""
        return b"".join(map(self.react, self.websocket.events()))

    def react(self, event: object) -> bytes:
        match event:
            case Request():
                extensions = [] if os.environ.get("COMPRESSION") == "0" else [PerMessageDeflate()]
                return self.websocket.send(AcceptConnection(extensions=extensions))
            case TextMessage() | BytesMessage():
                self.pieces.append(event.data)
                if event.message_finished:
                    message, self.pieces = type(event.data)().join(self.pieces), []
                    return self.websocket.send(Message(data=message))
            case Ping() | CloseConnection():
                if self.websocket.state is not ConnectionState.CLOSED:
                    return self.websocket.send(event.response())
        return b""


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await Echo().serve(reader, writer)


async def main() -> None:
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "9001"))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await asyncio.start_server(serve, host, port)
    await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
