"""Limits on frames, messages and fragments that are not kept, or not as they should be."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace

from refimpl import Event, Failure, MessageTooLargeError, Parameters
from refimpl._masking import Data
from tests.faulty_limits.base import Connection, Limits, Protocol, WebSocket, die

_MIB = 1 << 20
_NO_LIMIT = 1 << 70


class FrameLimitIgnored(Protocol):
    """Takes frames of any size."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._max_frame_size = _NO_LIMIT


class MessageLimitIgnored(Protocol):
    """Takes messages of any size."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._max_message_size = _NO_LIMIT


class FragmentLimitIgnored(Limits):
    """Takes messages of any number of fragments."""

    def change(self, limits: Parameters) -> Parameters:
        return replace(limits, max_fragments=1 << 30)


class FrameLimitOffBy(Protocol):
    """Takes frames of N octets more than it should."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._max_frame_size += int(self.argument)


class MessageLimitOffBy(Protocol):
    """Takes messages of N octets more than it should."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._max_message_size += int(self.argument)


class FragmentLimitOffBy(Protocol):
    """Takes messages of N fragments more than it should."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._max_fragments += int(self.argument)


class Late(Protocol):
    """Asks for the size of N (a frame, a message) only when the whole frame is there; of `both`, when 4 MiB are."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._frame_limit = self._message_limit = _NO_LIMIT
        if self.argument != "message":
            self._frame_limit, self._max_frame_size = self._max_frame_size, _NO_LIMIT
        if self.argument != "frame":
            self._message_limit, self._max_message_size = self._max_message_size, _NO_LIMIT

    def _check(self, opcode: int, length: int) -> None:
        super()._check(opcode, length)
        self._excess = length > self._frame_limit or self._size + length > self._message_limit
        self._enough = min(length, 4 * _MIB) if self.argument == "both" else length

    def _append(self, chunk: bytes) -> None:
        super()._append(chunk)
        self._enough -= len(chunk)
        if self._excess and self._enough <= 0:
            raise MessageTooLargeError("it was too large, as is known by now")

    def _whole(self, opcode: int, payload: bytes, key: bytes) -> Event:
        if self._excess:
            raise MessageTooLargeError("it was too large, as is known by now")
        return super()._whole(opcode, payload, key)


class MessageLimitWhenItEnds(Protocol):
    """Asks for a message's size only when its last fragment is there."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._message_limit, self._max_message_size = self._max_message_size, _NO_LIMIT

    def _joined(self) -> Event:
        self._limited(len(self._message))
        return super()._joined()

    def _whole(self, opcode: int, payload: bytes, key: bytes) -> Event:
        self._limited(len(payload))
        return super()._whole(opcode, payload, key)

    def _limited(self, size: int) -> None:
        if size > self._message_limit:
            raise MessageTooLargeError("it was too large, as is known by now")


class CloseCode(Connection):
    """Closes with code M where N is right (argument: `N M`)."""

    def send_close(self, code: int | None, reason: str = "", *, fail: bool = False) -> None:
        right, wrong = map(int, self.argument.split())
        super().send_close(wrong if code == right else code, reason, fail=fail)


class StopsReading(WebSocket):
    """Does not refuse what is too large, but reads no more, and waits."""

    def _handle(self, event: Event) -> None:
        if isinstance(event, Failure) and isinstance(event.error, MessageTooLargeError):
            time.sleep(600)
        super()._handle(event)


class RefusesWithoutAWord(Connection):
    """Ends the connection without a close frame where something is too large."""

    def send_close(self, code: int | None, reason: str = "", *, fail: bool = False) -> None:
        if code != MessageTooLargeError.close_code:
            super().send_close(code, reason, fail=fail)


class MasksTopBit(Protocol):
    """Ignores the top bit of a 64-bit length."""

    @staticmethod
    def header(data: Data, position: int = 0) -> tuple[bool, int, int, bytes, int] | None:
        start = position + 14
        if data[position + 1 : position + 3] == b"\xff\x80" and len(data) >= start:
            return True, data[position] & 0xF, data[position + 9], bytes(data[start - 4 : start]), start
        return Protocol.header(data, position)


class SignedLength(Protocol):
    """Takes the top bit of a 64-bit length for a sign, and dies of a negative one."""

    @staticmethod
    def header(data: Data, position: int = 0) -> tuple[bool, int, int, bytes, int] | None:
        if data[position + 1 : position + 3] == b"\xff\x80":
            die("cannot allocate a negative number of octets")
        return Protocol.header(data, position)


class AllocatesWhatIsAnnounced(Protocol):
    """Makes room for a frame before it looks at the limit (for 200 MiB at most)."""

    def _check(self, opcode: int, length: int) -> None:
        room = b"\1" * min(length, 200 * _MIB)
        super()._check(opcode, length)
        del room


class KeepsEmptyFragments(Protocol):
    """Keeps an object for each empty fragment, and does not count them."""

    def _check(self, opcode: int, length: int) -> None:
        super()._check(opcode, length)
        if not length:
            self._fragments = 0
            self.kept.append(bytearray(64))


class CountsPings(Protocol):
    """Counts pings between a message's fragments into its size."""

    def _control(self, opcode: int, payload: bytes) -> Event:
        if self._opcode:
            self._size += len(payload)
        return super()._control(opcode, payload)


class JoinsAnew(Protocol):
    """Copies the whole message with every fourth fragment that it is joined with."""

    def _append(self, chunk: bytes) -> None:
        super()._append(chunk)
        if self._fragments % 4 == 0:
            self._message = bytearray(bytes(self._message))


class KeepsWhatItRefuses(Connection):
    """Keeps what comes behind a frame that was refused."""

    def finish(self, *, clean: bool = False) -> None:
        with contextlib.suppress(OSError):
            self.sock.settimeout(1)
            while not clean and (data := self.sock.recv(1 << 16)):
                Protocol.kept.append(data)
        super().finish(clean=clean)
