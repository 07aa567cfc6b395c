"""Every error of the package, and the one table that turns an error into a close code.

The code stands on the class, so that `close_code` below is a lookup and never a chain of branches.
"""

from typing import ClassVar, Self


class WebSocketError(Exception):
    """Anything that this package raises about a connection."""

    close_code: ClassVar[int] = 1011


class ProtocolError(WebSocketError):
    """The peer broke a rule of RFC 6455: close code 1002."""

    close_code = 1002


class ReservedBitsError(ProtocolError):
    """The peer set RSV1, RSV2 or RSV3 though no extension was negotiated (RFC 6455 5.2): close code 1002."""


class InvalidDataError(WebSocketError):
    """A text message or a close reason is not UTF-8 (RFC 6455 8.1): close code 1007."""

    close_code = 1007


class MessageTooLargeError(WebSocketError):
    """A frame, a message or its number of fragments is over the limit (RFC 6455 10.4): close code 1009."""

    close_code = 1009


class ConnectionTimeoutError(WebSocketError):
    """The peer was silent, or read nothing of what it was sent, for `connection_timeout`: close code 1001."""

    close_code = 1001


class ConnectionClosedError(WebSocketError):
    """The connection is gone: lost without a closing handshake, or closed before what was asked for.

    Nothing can be sent any more, so its code is the one that never stands in a frame (RFC 6455 7.4.1).
    """

    close_code = 1006


class UnexpectedError(WebSocketError):
    """User code raised, or this implementation is wrong; `__cause__` says what it was: close code 1011."""

    @classmethod
    def caused(cls, what: str, cause: BaseException) -> Self:
        """Make the error that says what of user code raised `cause`."""
        error = cls(f"{what} raised {type(cause).__name__}: {cause}")
        error.__cause__ = cause
        return error


class HandshakeError(WebSocketError):
    """The opening request is refused; the peer gets this HTTP status instead of a close code."""

    def __init__(self, status: int, message: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


def close_code(error: BaseException) -> int:
    """Return the close code for an error; whatever is not ours is 1011 (RFC 6455 7.4.1, internal error)."""
    return error.close_code if isinstance(error, WebSocketError) else UnexpectedError.close_code
