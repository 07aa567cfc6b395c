"""The handler of "/": pywebsocket3 takes a handler's path from its file's name."""

from typing import Any


def web_socket_do_extra_handshake(_request: Any) -> None:
    pass


def web_socket_transfer_data(request: Any) -> None:
    while (message := request.ws_stream.receive_message()) is not None:
        request.ws_stream.send_message(message, binary=isinstance(message, bytes))
