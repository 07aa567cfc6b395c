"""H.5: subprotocols. A server may choose none; what it chooses must have been offered, to the letter."""

from __future__ import annotations

from harness.cases.answer import Answer, problems
from harness.cases.handshakes import asked
from harness.cases.model import Opcode
from harness.cases.request import Request
from harness.cases.talk import Family, Finding, Talk, failed, informational, non_strict, not_opened, ok
from harness.engines.native.peer import Peer, frame

FAMILY = Family("H.5")
_EXPECTED = "It is accepted, with one of those that were offered or none."


def _offers(
    title: str, values: tuple[str, ...], *, valid: bool = True, malformed: bool = False, expects: str = _EXPECTED
) -> None:
    @FAMILY.case(title, expects, "RFC 6455 4.2.2", "RFC 6455 11.3.4")
    async def case(talk: Talk) -> Finding:
        request = talk.request().also(*(f"Sec-WebSocket-Protocol: {value}" for value in values))
        peer = await asked(talk, request)
        if peer.status != 101:
            words = f"It was not accepted: {not_opened(peer)}."
            # a server may insist on a subprotocol that it knows, or refuse what is malformed
            if malformed:
                return ok(words)
            return informational(words) if not valid or peer.status in range(400, 500) else failed(words)
        offered = tuple(item.strip() for value in values for item in value.split(","))
        return await _chosen(talk, peer, request, offered, malformed=malformed)


async def _chosen(talk: Talk, peer: Peer, request: Request, offered: tuple[str, ...], *, malformed: bool) -> Finding:
    answer = Answer.read(bytes(peer.head))
    if wrong := problems(answer, request.key, protocols=offered):
        return failed(f"Its answer is wrong: {'; '.join(wrong)}.")
    chosen = answer.all("sec-websocket-protocol")
    if chosen == [""]:
        return failed("Its answer has a Sec-WebSocket-Protocol that is empty (RFC 6455 4.2.2: no null value).")
    await peer.write(frame(Opcode.TEXT, b"Hello"), until_refused=True)
    message = await talk.next_message(peer)
    if not chosen and (message is None or message.payload != b"Hello"):
        if message is None and peer.refused:
            return informational("It chose none, and closed the connection.")
        return failed("It chose none, and no message came back.")
    await talk.close(peer)
    words = f"It chose {chosen[0]}." if chosen else "It chose none."
    return non_strict(f"A malformed list was accepted. {words}") if malformed else ok(words)


_offers("Two subprotocols.", ("chat, superchat",))
_offers("One that nobody knows.", ("x-unknown.wsconform.example",))
_offers("Two, in a line each.", ("chat", "superchat"))
_offers("One in two cases: chat, Chat, CHAT.", ("Chat, chat, CHAT",))
_offers("A hundred.", (", ".join(f"protocol-{n}" for n in range(100)),))
_offers("With all characters that a token may have.", ("a!#$%&'*+-.^_`|~9",))
_offers(
    "The same twice, which a client must not.", ("chat, chat",), valid=False, expects="Refused, or as if it were once."
)
_offers("An empty list.", ("",), valid=False, expects="Refused, or as if there were none.")
_offers(
    "A name with a space, which is no token.",
    ("a b",),
    valid=False,
    malformed=True,
    expects="It is refused; a server that knows none of them may well not have looked.",
)
_offers("One with capital letters, which is not the same without.", ("Chat.Example",))
