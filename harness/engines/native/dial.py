"""Connections to the peer under test: made, and counted how many of them it serves at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from harness.cases.model import Case
from harness.endpoint import Endpoint
from harness.engines.native.connection import OPENING_TIMEOUT_S, CaseConnection
from harness.handshake import tls_context


def _at_once(go_on: Callable[[], None]) -> None:
    go_on()


_NOTHING = Case(id="capacity", title="Opens a connection", expects="It opens.", clauses=("RFC 6455 4.2.2",))
#: Seconds within which the other connections have to open once the first one has.
_PATIENCE_S = 1.0
_POLL_S = 0.005
_GOODBYE_S = 0.3


class Dialer:
    """Connects to an endpoint; a host name is looked up once."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._address: str | None = None

    async def connect(self, make: Callable[[], CaseConnection]) -> CaseConnection:
        """A connection to it; OSError if there is none to be had."""
        endpoint = self.endpoint
        context = tls_context() if endpoint.secure else None
        async with asyncio.timeout(OPENING_TIMEOUT_S):
            transport, connection = await asyncio.get_running_loop().create_connection(
                make,
                self._address or endpoint.host,
                endpoint.port,
                ssl=context,
                server_hostname=endpoint.host if context else None,
            )
        self._address = transport.get_extra_info("peername")[0]
        return connection

    async def capacity(self, wanted: int) -> int:
        """How many connections it serves at the same time, as far as `wanted` goes; at least one."""
        loop = asyncio.get_running_loop()
        attempts = [
            loop.create_task(self.connect(lambda: CaseConnection(_NOTHING, self.endpoint, _at_once)))
            for _ in range(wanted)
        ]
        until = loop.time() + OPENING_TIMEOUT_S
        opened = 0
        while loop.time() < until and opened < wanted:
            await asyncio.sleep(_POLL_S)
            connections = [task.result() for task in attempts if task.done() and not task.exception()]
            if not opened and any(connection.opened for connection in connections):
                until = min(until, loop.time() + _PATIENCE_S)
            opened = sum(connection.opened for connection in connections)
            if len([task for task in attempts if task.done()]) == wanted and all(
                connection.opened or connection.done.done() for connection in connections
            ):
                break
        for task in attempts:
            task.cancel()
        done = await asyncio.gather(*attempts, return_exceptions=True)
        connections = [result for result in done if isinstance(result, CaseConnection)]
        for connection in connections:
            connection.say_goodbye()
        if connections:
            await asyncio.wait([connection.done for connection in connections], timeout=_GOODBYE_S)
        for connection in connections:
            connection.drop(abort=False)
        return max(1, opened)
