from __future__ import annotations

import contextlib
import queue
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from refimpl import Parameters, Server, WebSocket, WebSocketError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def echo(websocket: WebSocket) -> None:
    for message in websocket:
        websocket.send(message)


class Running(Server):
    """A server that keeps what its handler raised and what it was told."""

    def __init__(self, handler: Callable[[WebSocket], object], *, concurrent: bool = False, **parameters: Any) -> None:  # noqa: ANN401 - as Parameters
        self.raised: queue.Queue[BaseException | None] = queue.Queue()
        self.told: queue.Queue[WebSocketError] = queue.Queue()
        self.ended: queue.Queue[WebSocket] = queue.Queue()

        def recorded(websocket: WebSocket) -> None:
            try:
                handler(websocket)
            except BaseException as error:
                self.raised.put(error)
                raise
            else:
                self.raised.put(None)
            finally:
                self.ended.put(websocket)

        super().__init__(recorded, parameters=Parameters(**parameters), concurrent=concurrent, on_error=self.told.put)


class Start(Protocol):
    def __call__(
        self,
        handler: Callable[[WebSocket], object] = ...,
        *,
        concurrent: bool = ...,
        **parameters: Any,  # noqa: ANN401 - as Parameters
    ) -> Running: ...


@pytest.fixture
def start() -> Iterator[Start]:
    """Start servers that are shut down at the end of the test."""
    with contextlib.ExitStack() as stack:

        def start_one(
            handler: Callable[[WebSocket], object] = echo,
            *,
            concurrent: bool = False,
            **parameters: Any,  # noqa: ANN401 - as Parameters
        ) -> Running:
            return stack.enter_context(Running(handler, concurrent=concurrent, **parameters))

        yield start_one
