"""A minimal WebSocket server: RFC 6455 version 13, no extension, the standard library alone.

High level: `Server` calls a handler with a `WebSocket` (blocking) or a `ConcurrentWebSocket`.
Low level: `split_request` to `upgrade_response` for the opening handshake, `Protocol` for everything
after it, and the primitives `parse_header`, `frame`, `unmask`, `check_utf8`, `parse_close`, ...
"""

from refimpl._errors import (
    ConnectionClosedError,
    ConnectionTimeoutError,
    HandshakeError,
    InvalidDataError,
    MessageTooLargeError,
    ProtocolError,
    ReservedBitsError,
    UnexpectedError,
    WebSocketError,
    close_code,
)
from refimpl._frames import (
    Opcode,
    check_utf8,
    close_payload,
    decode_utf8,
    frame,
    frame_header,
    parse_close,
    parse_header,
)
from refimpl._handshake import Request, accept_key, parse_request, refusal_response, split_request, upgrade_response
from refimpl._masking import unmask, unmask_from
from refimpl._parameters import Parameters
from refimpl._protocol import Close, DeferredProtocol, Event, Failure, MaskedMessage, Ping, Pong, Protocol
from refimpl._server import Server
from refimpl._websocket import ConcurrentWebSocket, WebSocket

__all__ = [
    "Close",
    "ConcurrentWebSocket",
    "ConnectionClosedError",
    "ConnectionTimeoutError",
    "DeferredProtocol",
    "Event",
    "Failure",
    "HandshakeError",
    "InvalidDataError",
    "MaskedMessage",
    "MessageTooLargeError",
    "Opcode",
    "Parameters",
    "Ping",
    "Pong",
    "Protocol",
    "ProtocolError",
    "Request",
    "ReservedBitsError",
    "Server",
    "UnexpectedError",
    "WebSocket",
    "WebSocketError",
    "accept_key",
    "check_utf8",
    "close_code",
    "close_payload",
    "decode_utf8",
    "frame",
    "frame_header",
    "parse_close",
    "parse_header",
    "parse_request",
    "refusal_response",
    "split_request",
    "unmask",
    "unmask_from",
    "upgrade_response",
]
