"""What can be wrong with the opening handshake, besides what Autobahn's own cases stumble over (life_faults)."""

from __future__ import annotations

import re

from tests.faulty import opening
from tests.faulty.connection import Connection
from tests.faulty.opening import BadRequestError

# Checks that are not made


class AcceptsAnyHost(Connection):
    """Accepts requests without a Host, or with one that is malformed."""

    skips = frozenset({"host"})


class AcceptsHeadersTwice(Connection):
    """Accepts two Host, Sec-WebSocket-Key or Sec-WebSocket-Version headers, and takes the first."""

    skips = frozenset({"once", "host"})

    def parse(self, request: bytes) -> dict[str, str]:
        seen: set[bytes] = set()
        lines = []
        for line in request.split(b"\r\n"):
            name = line.partition(b":")[0].lower()
            if name not in seen or name not in {b"host", b"sec-websocket-key", b"sec-websocket-version"}:
                lines.append(line)
            seen.add(name)
        return super().parse(b"\r\n".join(lines))


class AcceptsWithoutUpgrade(Connection):
    """Does not look at Upgrade."""

    skips = frozenset({"upgrade"})


class AcceptsWithoutConnection(Connection):
    """Does not look at Connection."""

    skips = frozenset({"connection"})


class AcceptsAnyKey(Connection):
    """Does not look at what Sec-WebSocket-Key is, or whether it is there."""

    skips = frozenset({"key"})


class AcceptsAnyVersion(Connection):
    """Does not look at Sec-WebSocket-Version."""

    skips = frozenset({"version", "once"})


class AcceptsAnyMethod(Connection):
    """Does not look at the method."""

    skips = frozenset({"method"})


class AcceptsAnyHttp(Connection):
    """Does not look at HTTP's version."""

    skips = frozenset({"version of HTTP", "request line"})


class AcceptsAnySyntax(Connection):
    """Takes header lines of any form."""

    skips = frozenset({"syntax"})


class AcceptsBodies(Connection):
    """Does not look whether a request has a body, and takes it for frames."""

    skips = frozenset({"body"})


class AcceptsMalformedExtensions(Connection):
    """Does not fail the connection when Sec-WebSocket-Extensions is malformed."""

    skips = frozenset({"extensions"})


class AcceptsMalformedProtocols(Connection):
    """Does not look whether Sec-WebSocket-Protocol is a list of tokens."""

    skips = frozenset({"protocols"})


class TakesFoldsForHeaders(Connection):
    """Takes each line for a header, also one that continues the one before."""

    def parse(self, request: bytes) -> dict[str, str]:
        return super().parse(b"\r\n".join(dict(self.by_name(request)).values()))

    def by_name(self, request: bytes) -> list[tuple[bytes, bytes]]:
        """The last one counts."""
        lines = [line.strip() for line in request.split(b"\r\n")]
        return [(line.partition(b":")[0].lower() if number else b"", line) for number, line in enumerate(lines)]


# Requests that it should take


class _Refuses(Connection):
    def parse(self, request: bytes) -> dict[str, str]:
        if self.minds(request.decode("latin-1")):
            raise BadRequestError(400)
        return super().parse(request)

    def minds(self, request: str) -> bool:
        raise NotImplementedError


class HeaderNamesAsUsual(_Refuses):
    """Knows Upgrade only as it is usually written."""

    def minds(self, request: str) -> bool:
        return "Upgrade:" not in request


class UpgradeInLowerCase(_Refuses):
    """Knows websocket in lower case only."""

    def minds(self, request: str) -> bool:
        return "websocket" not in request.lower().partition("upgrade:")[2].split("\r\n")[0] or "bsocket" not in request


class ConnectionAsUsual(_Refuses):
    """Knows Upgrade in Connection only as it is usually written."""

    def minds(self, request: str) -> bool:
        return not re.search(r"\n(?i:connection):[^\n]*Upgrade", request)


class RefusesEmptyValues(_Refuses):
    """Does not take a header without a value."""

    def minds(self, request: str) -> bool:
        return re.search(r"\n[^\r:]+:[ \t]*(\r|$)", request) is not None


class RefusesOtherThanAscii(_Refuses):
    """Does not take octets from 0x80 on in a header that it does not know."""

    def minds(self, request: str) -> bool:
        return not request.isascii()


class HttpOneOneOnly(_Refuses):
    """Knows HTTP/1.1 and no later version."""

    def minds(self, request: str) -> bool:
        return not request.removeprefix("\r\n").partition("\r\n")[0].endswith(" HTTP/1.1")


class ConnectionAlone(_Refuses):
    """Does not take a Connection that lists more than Upgrade."""

    def minds(self, request: str) -> bool:
        return "keep-alive" in request.lower()


class NeedsASpace(_Refuses):
    """Needs a space behind each colon."""

    def minds(self, request: str) -> bool:
        return any(": " not in line for line in request.split("\r\n")[1:] if line.lower() != "x-empty:")


class HostFirst(_Refuses):
    """Needs Host as the first header."""

    def minds(self, request: str) -> bool:
        return not request.split("\r\n")[1].lower().startswith("host")


class NoAbsoluteForm(_Refuses):
    """Does not know request targets in absolute form."""

    def minds(self, request: str) -> bool:
        return " http://" in request.partition("\r\n")[0]


class NoQueries(_Refuses):
    """Does not know request targets with a query."""

    def minds(self, request: str) -> bool:
        return "?" in request.partition("\r\n")[0]


class FewHeaders(_Refuses):
    """Takes sixteen headers at most."""

    def minds(self, request: str) -> bool:
        return request.count("\r\n") > 16


class WholeRequests(Connection):
    """Needs the whole request in one segment."""

    def shake_hands(self) -> bool:
        if b"\r\n\r\n" not in self.buffer:
            self.refuse(self.refusal(400))
        return super().shake_hands()


class NeedsTheEndInOnePiece(Connection):
    """Does not find the empty line at the end of a request that arrives in two pieces."""

    def data_received(self, data: bytes) -> None:
        if not self.open and b"\r\n\r\n" not in data:
            self.buffer += data
        else:
            super().data_received(data)


class _Hangs(Connection):
    """Does not answer some requests."""

    def shake_hands(self) -> bool:
        request, end, _ = bytes(self.buffer).partition(b"\r\n\r\n")
        if end and self.minds(request):
            self.deaf = True
            return False
        return super().shake_hands()

    def minds(self, request: bytes) -> bool:
        raise NotImplementedError


class HangsOnFolds(_Hangs):
    """Does not answer a request with a header over two lines."""

    def minds(self, request: bytes) -> bool:
        return b"\r\n " in request


class HangsOnNul(_Hangs):
    """Does not answer a request with a NUL in it."""

    def minds(self, request: bytes) -> bool:
        return b"\0" in request


class WaitsForABody(_Hangs):
    """Waits for a body, even for one of no octets."""

    def minds(self, request: bytes) -> bool:
        return b"content-length:" in request.lower()


class AnswersUnfinishedRequests(Connection):
    """Takes the end of the stream for the end of a request."""

    def eof_received(self) -> bool:
        if not self.open and (found := re.search(rb"Key: (\S+)\r\n", self.buffer)):
            self.send(opening.response(self.accept(found[1].decode()), []))
        self.finish()
        return True


class RefusesBadOffers(Connection):
    """Refuses the opening handshake where it should decline an offer of permessage-deflate."""

    def parse(self, request: bytes) -> dict[str, str]:
        headers = super().parse(request)
        if "x_unknown" in headers.get("sec-websocket-extensions", ""):
            raise BadRequestError(400)
        return headers


# What it answers


class RefusesWith(Connection):
    """Refuses with the status N, whatever was wrong."""

    def refusal(self, _status: int) -> bytes:
        return opening.refusal(int(self.argument))


class RefusesWithoutAnswer(Connection):
    """Refuses by ending TCP, without an HTTP answer."""

    def refuse(self, _response: bytes) -> None:
        self.finish()


class UpgradeRequiredToWhat(Connection):
    """Its 426 has no Upgrade header."""

    def refusal(self, status: int) -> bytes:
        return super().refusal(status).replace(b"Upgrade: websocket\r\nConnection: Upgrade\r\n", b"")


class SaysNoVersion(Connection):
    """Its 426 does not say which versions there are."""

    def refusal(self, status: int) -> bytes:
        return super().refusal(status).replace(b"Sec-WebSocket-Version: 13\r\n", b"")


class AnswersWithHeader(Connection):
    """Its 101 has the header line N as well."""

    def response(self, accept: str, extensions: list[str], _headers: dict[str, str]) -> bytes:
        return opening.response(accept, extensions, self.argument)


class _Answers(Connection):
    """Its 101 is another one."""

    old = new = b""

    def response(self, accept: str, extensions: list[str], headers: dict[str, str]) -> bytes:
        return super().response(accept, extensions, headers).replace(self.old, self.new, 1)


class AnswersTwoDates(_Answers):
    """Its 101 has two Date headers."""

    old = b"Upgrade:"
    new = b"Date: Sat, 28 Nov 2026 00:00:00 GMT\r\nDate: Sat, 28 Nov 2026 00:00:01 GMT\r\nUpgrade:"


class AnswersHttp10(_Answers):
    """Its 101 says HTTP/1.0."""

    old, new = b"HTTP/1.1", b"HTTP/1.0"


class AnswersWithoutUpgrade(_Answers):
    """Its 101 has no Upgrade."""

    old = b"Upgrade: websocket\r\n"


class AnswersWithoutConnection(_Answers):
    """Its 101 has no Connection."""

    old = b"Connection: Upgrade\r\n"


class AnswersWithoutAccept(_Answers):
    """Its 101 has the Sec-WebSocket-Accept under another name."""

    old, new = b"Sec-WebSocket-Accept", b"X-Accept"


class AnswersWithSpaceBeforeColon(_Answers):
    """Its 101 has whitespace before a colon."""

    old, new = b"Connection: Upgrade", b"Connection : Upgrade"


class AcceptOfThePaddedKey(Connection):
    """Its Sec-WebSocket-Accept is right for some keys only: it takes + for a space, as in a URL."""

    def accept(self, key: str) -> str:
        return super().accept(key.replace("+", " "))


class _Chooses(Connection):
    """Chooses a subprotocol."""

    def response(self, accept: str, extensions: list[str], headers: dict[str, str]) -> bytes:
        offered = [word.strip() for word in headers.get("sec-websocket-protocol", "").split(",") if word.strip()]
        return opening.response(accept, extensions, *(self.choice(offered) if offered else ()))

    def choice(self, offered: list[str]) -> list[str]:
        raise NotImplementedError


class ChoosesAllProtocols(_Chooses):
    """Chooses all subprotocols."""

    def choice(self, offered: list[str]) -> list[str]:
        return [f"Sec-WebSocket-Protocol: {', '.join(offered)}"] if len(offered) > 1 else []


class ChoosesInLowerCase(_Chooses):
    """Chooses the first subprotocol, in lower case."""

    def choice(self, offered: list[str]) -> list[str]:
        return [f"Sec-WebSocket-Protocol: {offered[0].lower()}"] if offered[0].lower() not in offered[1:] else []


class ChoosesItsOwn(_Chooses):
    """Chooses a subprotocol that was not offered."""

    def choice(self, _offered: list[str]) -> list[str]:
        return ["Sec-WebSocket-Protocol: x-its-own"]


class ChoosesNothing(_Chooses):
    """Its Sec-WebSocket-Protocol is empty."""

    def choice(self, _offered: list[str]) -> list[str]:
        return ["Sec-WebSocket-Protocol: "]


class RepeatsTheProtocols(Connection):
    """Answers with the subprotocols as they were offered, whether that is one, several, or none."""

    def response(self, accept: str, extensions: list[str], headers: dict[str, str]) -> bytes:
        offered = headers.get("sec-websocket-protocol")
        lines = [] if offered is None else [f"Sec-WebSocket-Protocol: {offered}"]
        return opening.response(accept, extensions, *lines)


class ChoosesTwice(_Chooses):
    """Has two Sec-WebSocket-Protocol headers."""

    def choice(self, offered: list[str]) -> list[str]:
        return [f"Sec-WebSocket-Protocol: {one}" for one in offered[:2]]


class AgreesToUnknown(Connection):
    """Agrees to the first extension that is offered, whatever it is."""

    def response(self, accept: str, extensions: list[str], headers: dict[str, str]) -> bytes:
        first = headers.get("sec-websocket-extensions", "").partition(",")[0].strip()
        return opening.response(accept, extensions or ([first] if first and "deflate" not in first else []))
