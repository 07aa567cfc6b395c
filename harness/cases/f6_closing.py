"""F.6: the end of a connection (RFC 6455 5.5.1, 7)."""

from __future__ import annotations

from harness.cases.model import Opcode
from harness.cases.talk import (
    ANSWER_S,
    QUIET_S,
    Family,
    Finding,
    Over,
    Talk,
    ended,
    failed,
    informational,
    non_strict,
    ok,
    shown,
)
from harness.engines.native.peer import Peer, close_payload, frame

FAMILY = Family("F.6")
#: Codes that must not be in a close frame (RFC 6455 7.4.1).
_NEVER = frozenset({1005, 1006, 1015})


async def _closed(talk: Talk, peer: Peer) -> None:
    """The server has to answer the close that was sent with one of its own, and to end TCP."""
    if not await talk.waits(peer, lambda: peer.ended is not None):
        what = "answered the close, but did not end TCP" if peer.close_came else "did not answer the close"
        raise Over(failed(f"The server {what} within {ANSWER_S:g} s."))
    if not peer.close_came:
        raise Over(failed(f"The server ended the connection {ended(peer)}, without a close frame."))
    if peer.close_code in _NEVER:
        raise Over(failed(f"Its close frame has the code {peer.close_code}, which must not be in one."))
    if peer.broken_rules:
        raise Over(failed(f"What it sends is wrong: {peer.broken_rules[0]}."))


def _close(title: str, payload: bytes, *, code: int | None) -> None:
    @FAMILY.case(
        title,
        "It is answered with a close frame, of the same code or 1000, and TCP ends.",
        "RFC 6455 5.5.1",
        "RFC 6455 7.4",
    )
    async def case(talk: Talk) -> Finding:
        peer = await talk.open()
        await peer.write(frame(Opcode.CLOSE, payload))
        await _closed(talk, peer)
        if peer.close_code in {None, code, 1000}:
            return ok(f"It was answered {ended(peer)}.")
        how = failed if peer.close_code in {1002, 1007} else non_strict
        return how(f"It was answered {ended(peer)}.")


_close("A close frame without a code.", b"", code=None)
for _code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
    _close(f"A close frame with the code {_code}.", close_payload(_code, "bye"), code=_code)
_close("A code without a reason.", close_payload(1001), code=1001)
_close("A reason of 123 octets, as long as it can be.", close_payload(1000, "x" * 123), code=1000)
_close("A reason of characters of one to four octets.", close_payload(1000, "a\u00e9\u20ac\U0001f600\0"), code=1000)


def _wrong_code(code: int, *, must: bool, clause: str) -> None:
    @FAMILY.case(
        f"A close frame with the code {code}.",
        "The server ends the connection, with 1002 where it sends a close frame; it does not send that code itself.",
        clause,
    )
    async def case(talk: Talk) -> Finding:
        peer = await talk.open()
        await peer.write(frame(Opcode.CLOSE, close_payload(code)))
        if not await talk.waits(peer, lambda: peer.ended is not None):
            return failed(f"The connection is still there after {ANSWER_S:g} s.")
        if peer.close_code == code:
            return (failed if must else non_strict)(f"It was answered with a close frame that has {code} itself.")
        if peer.close_code in {None, 1002}:
            return ok(f"It was answered {ended(peer)}.")
        return non_strict(f"It was answered {ended(peer)}, as if the code were right.")


for _code in (1005, 1006, 1015):
    _wrong_code(_code, must=True, clause="RFC 6455 7.4.1")
_wrong_code(1004, must=False, clause="RFC 6455 7.4.1")
for _code in (0, 999, 5000, 65535):
    _wrong_code(_code, must=False, clause="RFC 6455 7.4.2")


def _registered(code: int) -> None:
    @FAMILY.case(
        f"A close frame with the code {code}, which was registered after RFC 6455.",
        "It is answered with a close frame; whether the code is known is open.",
        "RFC 6455 7.4.2",
        "RFC 6455 11.7",
    )
    async def case(talk: Talk) -> Finding:
        peer = await talk.open()
        await peer.write(frame(Opcode.CLOSE, close_payload(code)))
        if await talk.waits(peer, lambda: peer.ended is not None) and not peer.close_came:
            # who takes it for an error may fail the connection like that (RFC 6455 7.1.7)
            return informational(f"The server ended the connection {ended(peer)}, without a close frame.")
        await _closed(talk, peer)
        if peer.close_code in {None, code, 1000}:
            return ok(f"It was answered {ended(peer)}.")
        return informational(f"It was answered {ended(peer)}.")


for _code in (1012, 1013, 1014):
    _registered(_code)


@FAMILY.case(
    "A close frame, and a message, a ping and another close frame behind it in the same write.",
    "The close is answered once, and nothing else is.",
    "RFC 6455 5.5.1",
    "RFC 6455 6.1",
    "RFC 6455 7.1.3",
)
async def after_the_close(talk: Talk) -> Finding:
    peer = await talk.open()
    behind = frame(Opcode.TEXT, b"too late") + frame(Opcode.PING, b"too late") + frame(Opcode.CLOSE)
    await peer.write(frame(Opcode.CLOSE, close_payload(1000)) + behind)
    await _closed(talk, peer)
    if peer.messages:
        return failed("A message that came after the close was answered.")
    if peer.pongs:
        return non_strict("A ping that came after the close was answered.")
    if peer.counts[Opcode.CLOSE] > 1:
        return non_strict("It sent two close frames.")
    return ok(f"It was answered {ended(peer)}, and nothing else was.")


@FAMILY.case(
    "Messages, and a close frame behind them in the same write.",
    "The messages come back before the close frame, and nothing after it.",
    "RFC 6455 5.5.1",
    "RFC 6455 7.1.4",
)
async def before_the_close(talk: Talk) -> Finding:
    peer = await talk.open()
    messages = [f"message {n}".encode() for n in range(10)]
    await peer.write(b"".join(frame(Opcode.TEXT, m) for m in messages) + frame(Opcode.CLOSE, close_payload(1000)))
    await _closed(talk, peer)
    came = [message.payload for message in peer.messages]
    if came == messages:
        return ok("All came back before the close.")
    if came == messages[: len(came)]:
        # an application that answers later finds the connection closing, and must not send any more
        return informational(f"{len(came)} of {len(messages)} came back before the close.")
    return failed("Other messages came back, or in another order.")


@FAMILY.case(
    "A close frame between the fragments of a message, and its rest.",
    "The close is answered, and the message is not.",
    "RFC 6455 5.5.1",
    "RFC 6455 6.1",
    "RFC 6455 5.4",
)
async def inside_a_message(talk: Talk) -> Finding:
    peer = await talk.open()
    first, rest = frame(Opcode.TEXT, b"Hel", fin=False), frame(Opcode.CONTINUATION, b"lo")
    await peer.write(first + frame(Opcode.CLOSE, close_payload(1000)) + rest)
    await _closed(talk, peer)
    if peer.messages:
        return failed("A message whose end came after the close was answered.")
    if peer.close_code not in {None, 1000}:
        return non_strict(f"It was answered {ended(peer)}, as if it were wrong.")
    return ok(f"It was answered {ended(peer)}.")


@FAMILY.case(
    "A closing handshake, and a client that waits for the end of TCP.",
    "The server ends TCP, and at once: not by a reset, and before the client does.",
    "RFC 6455 5.5.1",
    "RFC 6455 7.1.1",
)
async def server_ends_tcp(talk: Talk) -> Finding:
    peer = await talk.open()
    await talk.echo(peer)
    await peer.write(frame(Opcode.CLOSE, close_payload(1000)))
    await _closed(talk, peer)
    if peer.ended == "reset":
        return non_strict("It ended TCP by a reset.")
    return ok("It ended TCP.")


@FAMILY.case(
    "The end of the client's stream, without a close frame.",
    "The server ends the connection too.",
    "RFC 6455 7.1.5",
)
async def end_of_stream(talk: Talk) -> Finding:
    peer = await talk.open()
    await talk.echo(peer)
    peer.end_writing()
    if not await talk.waits(peer, lambda: peer.ended is not None):
        return informational(f"The connection is still there after {ANSWER_S:g} s.")
    if peer.close_code in _NEVER:
        return failed(f"It sent a close frame with {peer.close_code}, which must not be in one.")
    return ok(f"It ended the connection {ended(peer)}.")


@FAMILY.case(
    "The end of the client's stream in the middle of a frame.",
    "The server ends the connection, and the part of a message is not answered.",
    "RFC 6455 7.1.5",
)
async def end_inside_a_frame(talk: Talk) -> Finding:
    peer = await talk.open()
    await peer.write(frame(Opcode.TEXT, b"Hello, how are you?")[:-5])
    peer.end_writing()
    if not await talk.waits(peer, lambda: peer.ended is not None):
        return informational(f"The connection is still there after {ANSWER_S:g} s.")
    return failed("Part of a message was answered.") if peer.messages else ok(f"It ended the connection {ended(peer)}.")


@FAMILY.case(
    "A message, and the end of the client's stream right behind it.",
    "The message may come back; the connection ends.",
    "RFC 6455 7.1.5",
)
async def message_then_end(talk: Talk) -> Finding:
    peer = await talk.open()
    await peer.write(frame(Opcode.TEXT, b"Hello"))
    peer.end_writing()
    if not await talk.waits(peer, lambda: peer.ended is not None):
        return informational(f"The connection is still there after {ANSWER_S:g} s.")
    return informational("The message came back." if peer.messages else "The message did not come back.")


@FAMILY.case(
    "A frame that breaks the protocol, and a good message behind it in the same write.",
    "The connection is failed, and nothing behind the bad frame is answered.",
    "RFC 6455 7.1.7",
    "RFC 6455 5.2",
)
async def after_a_failure(talk: Talk) -> Finding:
    peer = await talk.open()
    await peer.write(frame(Opcode.TEXT, b"bad", rsv=2) + frame(Opcode.TEXT, b"good"), until_refused=True)
    found = await talk.fails(peer)
    await peer.end(QUIET_S)
    return failed("What stood behind the bad frame was answered.") if peer.messages else found


@FAMILY.case(
    "A frame that breaks the protocol, and a client that does not answer the server's close frame.",
    "The server ends TCP all the same.",
    "RFC 6455 7.1.7",
)
async def failure_ends_tcp(talk: Talk) -> Finding:
    peer = await talk.open()
    await peer.write(frame(Opcode.TEXT, b"bad", rsv=2), until_refused=True)
    found = await talk.fails(peer)
    if peer.ended is None and not await peer.end(ANSWER_S):
        talk.timed = True
        return non_strict(f"TCP is still there {ANSWER_S:g} s after its close frame: it waits for the answer.")
    return found


@FAMILY.case(
    "Close frames whose reason is no UTF-8: ff, a character cut short, a surrogate, two octets for '/'.",
    "The server fails the connection (1007), each time.",
    "RFC 6455 5.5.1",
    "RFC 6455 8.1",
)
async def reason_is_no_text(talk: Talk) -> Finding:
    for reason in (b"\xff", b"bye \xe2\x82", b"bye \xed\xa0\x80 bye", b"\xc0\xaf"):
        peer = await talk.open()
        await peer.write(frame(Opcode.CLOSE, close_payload(1000) + reason))
        if not await talk.waits(peer, lambda peer=peer: peer.ended is not None):  # type: ignore[misc]
            return failed(f"The connection is still there after {ANSWER_S:g} s.")
        if peer.close_code == 1000:
            return failed(f"The reason {reason.hex(' ')} was taken for a right one.")
        if peer.close_code not in {None, 1002, 1007}:
            return non_strict(f"It was answered {ended(peer)}; 1007 would say why.")
    return ok("It failed the connection, each time.")


@FAMILY.case(
    "A close frame with a reason of 123 octets, in characters of three octets.",
    "If the close frame that answers it has a reason, that is UTF-8, and no character of it is cut.",
    "RFC 6455 5.5.1",
    "RFC 6455 5.5",
)
async def reason_of_the_server(talk: Talk) -> Finding:
    peer = await talk.open()
    await peer.write(frame(Opcode.CLOSE, close_payload(1000, "\u20ac" * 41)))
    await _closed(talk, peer)
    reason = _reason(bytes(peer.beginning))
    try:
        return ok(f"Its reason is '{reason.decode()}'." if reason else "It has none.")
    except UnicodeDecodeError:
        return failed(f"Its reason is no UTF-8: {shown(reason)}.")


def _reason(octets: bytes) -> bytes:
    """The reason of the first close frame of some control frames."""
    while len(octets) > 1:
        end = 2 + (octets[1] & 0x7F)
        if octets[0] & 0x0F == Opcode.CLOSE:
            return octets[4:end]
        octets = octets[end:]
    return b""
