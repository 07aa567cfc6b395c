"""A server whose every octet is meant for the terminal of whoever tests it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator

from tests.faulty.connection import PROTOCOL_ERROR, TEXT, Connection
from tests.faulty.echo import accept

#: Clears the screen, sets the title, rings, forges a line of pytest's, reverses what follows, ends XML, is no XML.
EVIL = "\x1b[2J\x1b]0;owned\x07\r\n1 passed\n\u202e\u2028\x9b31m]]></failure>\x00\ufffe"


class _Hostile(Connection):
    """Answers messages and closes with EVIL, and refuses whoever offers an extension with an HTTP answer of it."""

    def answer_handshake(self, headers: dict[str, str]) -> None:
        if "sec-websocket-extensions" in headers:
            self.refuse(f"HTTP/1.1 400 {EVIL}\r\nX: {EVIL}\r\n\r\n".encode())
        else:
            super().answer_handshake(headers)

    def message(self, opcode: int, payload: bytes) -> None:
        del opcode, payload
        self.send_frame(TEXT, EVIL.encode())
        self.send_frame(8, PROTOCOL_ERROR.to_bytes(2, "big") + EVIL.encode())
        self.finish()


@contextlib.contextmanager
def hostile_server() -> Iterator[str]:
    """Its URL, as long as the block lasts."""
    loop = asyncio.new_event_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        accepting = loop.create_task(accept(listener, _Hostile))
        thread = threading.Thread(target=lambda: loop.run_until_complete(asyncio.wait([accepting])))
        thread.start()
        try:
            yield f"ws://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            loop.call_soon_threadsafe(accepting.cancel)
            thread.join()
            loop.close()
