"""H.4: the answer to an opening request that was accepted (RFC 6455 4.2.2)."""

from __future__ import annotations

import base64

from harness.cases.answer import Answer, accept, of_a_body, problems
from harness.cases.handshakes import asked, works
from harness.cases.talk import Family, Finding, Over, Talk, failed, non_strict, not_opened, ok
from harness.engines.native.peer import Peer

FAMILY = Family("H.4")


async def _answer(talk: Talk, *lines: str) -> tuple[Peer, Answer]:
    request = talk.request().also(*lines)
    peer = await asked(talk, request)
    if peer.status != 101:
        raise Over(failed(f"The opening request was not accepted: {not_opened(peer)}."))
    return peer, await works(talk, peer, request)


@FAMILY.case(
    "The status line and the headers of the answer.",
    "HTTP/1.1 101, Upgrade: websocket, a Connection that lists Upgrade, the right Sec-WebSocket-Accept, no length.",
    "RFC 6455 4.2.2",
    "RFC 9110 8.6",
)
async def headers(talk: Talk) -> Finding:
    _, answer = await _answer(talk)
    if wrong := of_a_body(answer):
        return failed(f"Its answer is wrong: {'; '.join(wrong)}.")
    return ok("They are right.")


@FAMILY.case(
    "Keys of all kinds: with + and /, all zero, all ones.",
    "Sec-WebSocket-Accept is that of the key.",
    "RFC 6455 4.2.2",
    "RFC 6455 1.3",
)
async def keys(talk: Talk) -> Finding:
    nonces = (
        b"\0" * 16,
        b"\xff" * 16,
        bytes(range(0xF0, 0x100)),
        b"\xfb\xef\xbe" * 5 + b"\xff",
        talk.random.randbytes(16),
    )
    for nonce in nonces:
        key = base64.b64encode(nonce)
        request = talk.request().value("Sec-WebSocket-Key", key.decode())
        peer = await asked(talk, request)
        if peer.status != 101:
            return failed(f"The key {key.decode()} was not accepted: {not_opened(peer)}.")
        answer = Answer.read(bytes(peer.head))
        if answer.all("sec-websocket-accept") != [accept(key)]:
            return failed(f"The key {key.decode()} got {answer.all('sec-websocket-accept')}, not {accept(key)}.")
        await talk.close(peer)
    return ok(f"{len(nonces)} keys got the right answer.")


@FAMILY.case(
    "The key of RFC 6455 1.3 itself, whose answer stands there.",
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=.",
    "RFC 6455 1.3",
    "RFC 6455 4.2.2",
)
async def key_of_the_rfc(talk: Talk) -> Finding:
    request = talk.request().value("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    peer = await asked(talk, request)
    if peer.status != 101:
        return failed(f"It was not accepted: {not_opened(peer)}.")
    if wrong := problems(Answer.read(bytes(peer.head)), b"dGhlIHNhbXBsZSBub25jZQ=="):
        return failed(f"Its answer is wrong: {'; '.join(wrong)}.")
    await talk.close(peer)
    return ok("It is that.")


@FAMILY.case(
    "No subprotocol and no extension is offered.",
    "The answer has neither Sec-WebSocket-Protocol nor Sec-WebSocket-Extensions.",
    "RFC 6455 4.2.2",
    "RFC 6455 9.1",
)
async def nothing_offered(talk: Talk) -> Finding:
    _, answer = await _answer(talk)
    for name in ("Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"):
        if answer.all(name.lower()):
            return failed(f"Its {name} is '{', '.join(answer.all(name.lower()))}', though none was offered.")
    return ok("It has neither.")


@FAMILY.case(
    "Whether a header that may be there once is there twice.",
    "Upgrade and Sec-WebSocket-Accept are there once at most.",
    "RFC 6455 11.3.3",
    "RFC 9110 5.3",
)
async def no_duplicates(talk: Talk) -> Finding:
    _, answer = await _answer(talk)
    twice = [name for name in ("upgrade", "sec-websocket-accept", "date") if len(answer.all(name)) > 1]
    return failed(f"There are several of {', '.join(twice)}.") if twice else ok("None is.")


@FAMILY.case(
    "Nothing after the answer before the client says something, for a quarter of a second.",
    "An echo server has nothing to say but pings, and whatever comes is a right frame.",
    "RFC 6455 5.1",
)
async def nothing_more(talk: Talk) -> Finding:
    peer = await talk.open()
    await talk.quiet(peer)
    if peer.ended is not None or peer.close_came:
        # RFC 6455 7.3: it may, whenever it wants to
        return non_strict("The server ended the connection by itself.")
    if peer.broken_rules:
        return failed(f"What comes is no right frame: {peer.broken_rules[0]}.")
    await talk.echo(peer)
    await talk.close(peer)
    return ok("Nothing came.")
