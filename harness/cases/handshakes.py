"""What the cases of H judge by: a request that has to be accepted, and one that must not be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from harness.cases.answer import Answer, problems
from harness.cases.model import Opcode
from harness.cases.request import Request
from harness.cases.talk import Finding, Over, Talk, ended, failed, non_strict, not_opened, ok
from harness.engines.native.peer import Peer, frame

Change = Callable[[Request], Request]
#: How long a server may wait for more of a request that is complete, or too broken to be.
_HESITATION_S = 2.0
#: How long the pieces of a request take together: written at once, they would be read at once.
_IN_PIECES_S = 0.3


async def asked(talk: Talk, request: Request, *, pieces: Sequence[bytes] = (), seconds: float | None = None) -> Peer:
    """A connection over which the request was sent, and whose answer has come, or has not in that time."""
    peer = await talk.connect()
    pieces = pieces or (request.octets(),)
    peer.request = b"".join(pieces)
    for number, piece in enumerate(pieces):
        if number:
            await asyncio.sleep(_IN_PIECES_S / len(pieces))
        await peer.write(piece, until_refused=True)
    await peer.answer(talk.patience if seconds is None else seconds)
    if peer.status is None:
        talk.timed = True  # it was slow, or ends connections when there are many
    return peer


async def accepted(
    talk: Talk, request: Request, *, pieces: Sequence[bytes] = (), breaks: Callable[[str], Finding] = failed
) -> Finding:
    """It has to be answered with a right 101, and the connection to work then; `breaks`: what it is if not."""
    peer = await asked(talk, request, pieces=pieces)
    if peer.status != 101:
        return breaks(f"It was not accepted: {not_opened(peer)}.")
    await works(talk, peer, request)
    return ok("It was accepted, and a message came back.")


async def works(talk: Talk, peer: Peer, request: Request) -> Answer:
    """A 101 has to be right, and a message to come back."""
    answer = Answer.read(bytes(peer.head))
    if wrong := problems(answer, request.key):
        raise Over(failed(f"Its answer is wrong: {'; '.join(wrong)}."))
    await talk.echo(peer)
    await talk.close(peer)
    return answer


async def refused(
    talk: Talk,
    request: Request,
    *,
    breaks: Callable[[str], Finding] = failed,
    any_answer: bool = False,
    version: bool = False,
    status_400: bool = False,
) -> Finding:
    """It must not be answered with 101 but with an error's status (RFC 6455 4.2.1).

    `breaks`: what accepting it is. `any_answer`: it is no opening handshake, so a page will do as well. `version`: the
    answer has to say which versions there are. `status_400`: the clause names that one.
    """
    peer = await asked(talk, request, seconds=_HESITATION_S)
    status = peer.status
    if status == 101:
        return breaks("It was accepted with 101.")
    if status is None:
        if peer.refused:
            return non_strict(f"It was refused {ended(peer)}, without an HTTP answer that says why.")
        return non_strict(f"It was neither accepted nor refused within {_HESITATION_S:g} s.")
    if version:
        said = [
            word.strip()
            for line in Answer.read(bytes(peer.head)).all("sec-websocket-version")
            for word in line.split(",")
        ]
        if "13" not in said:
            return failed(f"It was refused with HTTP {status}, without a Sec-WebSocket-Version that lists 13.")
    if any_answer or status == 400 or (400 < status < 500 and not status_400):
        return ok(f"It was refused with HTTP {status}.")
    return non_strict(f"It was refused with HTTP {status}; 400 would say whose mistake it is.")


async def either(talk: Talk, request: Request, *, open_words: str = "accepted", body_pending: bool = False) -> Finding:
    """A request that may be refused; where it is accepted the connection has to work."""
    peer = await asked(talk, request, seconds=_HESITATION_S)
    if peer.status == 101:
        answer = Answer.read(bytes(peer.head))
        if wrong := problems(answer, request.key):
            return failed(f"Its answer is wrong: {'; '.join(wrong)}.")
        await peer.write(frame(Opcode.TEXT, b"Hello"), until_refused=True)
        message = await talk.next_message(peer)
        if message is None or message.payload != b"Hello":
            what = "what stood before the first frame was taken for frames" if body_pending else "no message came back"
            return failed(f"It was {open_words} with 101, and then {what}.")
        await talk.close(peer)
        return ok(f"It was {open_words}, and a message came back.")
    if peer.status is None:
        return non_strict(
            f"It was refused {ended(peer)}, without an HTTP answer." if peer.refused else "It was not answered."
        )
    return ok(f"It was refused with HTTP {peer.status}.")
