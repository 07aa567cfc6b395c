"""What can be wrong with permessage-deflate. All but the first need COMPRESSION=1."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from tests.faulty.connection import RSV1, Connection, Header
from tests.faulty.deflate import Deflate, Parameters


class AgreesToWhatNobodyOffered(Connection):
    """Agrees to an extension that was not offered."""

    def extensions(self, _parameters: Parameters | None) -> list[str]:
        return ["x-nobody-offered-this"]


class AgreesTwice(Connection):
    """Agrees to permessage-deflate twice."""

    def extensions(self, parameters: Parameters | None) -> list[str]:
        return super().extensions(parameters) * 2


class AgreesWith(Connection):
    """Agrees to permessage-deflate with the parameter N, which it must not."""

    def extensions(self, parameters: Parameters | None) -> list[str]:
        return [f"{extension}; {self.argument}" for extension in super().extensions(parameters)]


class RepeatsAParameter(Connection):
    """Agrees with server_no_context_takeover said twice."""

    def extensions(self, parameters: Parameters | None) -> list[str]:
        twice = "; server_no_context_takeover" * 2
        return ["permessage-deflate" + twice] if parameters else []


class UncompressedAnswers(Connection):
    """Agrees to permessage-deflate and echoes uncompressed, which is right."""

    def send_message(self, opcode: int, payload: bytes) -> None:
        self.send_frame(opcode, payload)


class Rsv1WithoutCompression(Connection):
    """Sets RSV1 on messages that it did not compress."""

    def send_message(self, opcode: int, payload: bytes) -> None:
        self.send_frame(opcode, payload, rsv=RSV1 if self.deflate else 0)


class CompressionWithoutRsv1(Connection):
    """Does not set RSV1 on messages that it compressed."""

    def send_compressed(self, opcode: int, payload: bytes) -> None:
        self.send_frame(opcode, payload)


class Rsv1OnEveryFragment(Connection):
    """Echoes in two fragments that both have RSV1."""

    def send_compressed(self, opcode: int, payload: bytes) -> None:
        self.send_frame(opcode, payload[:1], fin=False, rsv=RSV1)
        self.send_frame(0, payload[1:], rsv=RSV1)


class GarbageForDeflate(Connection):
    """Sends octets that are no DEFLATE."""

    def send_compressed(self, opcode: int, payload: bytes) -> None:
        super().send_compressed(opcode, b"\xff" + hashlib.sha256(payload).digest())


class DoesNotInflate(Connection):
    """Takes compressed messages as if they were not."""

    def begin_message(self, header: Header) -> None:
        super().begin_message(header._replace(rsv=0))


class InflatesEachFragmentAnew(Connection):
    """Inflates each fragment as if the DEFLATE data began anew there."""

    def begin_frame(self, header: Header, length: int, key: bytes) -> None:
        super().begin_frame(header, length, key)
        if header.opcode == 0 and self.deflate:
            self.deflate.new_inflater()


class ForgetsClientContext(Connection):
    """Inflates each message without the context of those before, although the client was not told to reset it."""

    def new_deflate(self, parameters: Parameters) -> Deflate:
        return Deflate(replace(parameters, client_no_context_takeover=True))

    def extensions(self, parameters: Parameters | None) -> list[str]:
        return super().extensions(parameters and replace(parameters, client_no_context_takeover=False))


class KeepsContext(Connection):
    """Agrees to server_no_context_takeover and keeps its context."""

    def new_deflate(self, parameters: Parameters) -> Deflate:
        return Deflate(replace(parameters, server_no_context_takeover=False))


class WindowTooLarge(Connection):
    """Compresses with a window of 15 bits, whatever it agreed to."""

    def new_deflate(self, parameters: Parameters) -> Deflate:
        return Deflate(replace(parameters, server_max_window_bits=None))
