"""H.6: offers of extensions (RFC 6455 9.1), and of permessage-deflate, right and wrong (RFC 7692 5, 7, 7.1)."""

from __future__ import annotations

import re

from harness.cases.answer import Answer, problems
from harness.cases.handshakes import asked, refused
from harness.cases.talk import Family, Finding, Over, Talk, failed, non_strict, not_opened, ok
from harness.engines.native.opening import Deflate, OpeningError, extensions
from harness.engines.native.peer import Peer
from harness.results import Behavior

FAMILY = Family("H.6")
_DEFLATE = "permessage-deflate"


async def _offered(talk: Talk, *values: str) -> tuple[Peer, Answer, Deflate | None]:
    """The answer to an offer, which has to be 101; Over where it is not, or is wrong."""
    request = talk.request().also(*(f"Sec-WebSocket-Extensions: {value}" for value in values))
    peer = await asked(talk, request)
    if peer.status != 101:
        # to decline an offer is to go on without it (RFC 7692 5.1); the client finds nothing at the end of the line
        how = non_strict if peer.status in range(400, 500) else failed
        raise Over(how(f"The opening handshake was refused in place of the offer: {not_opened(peer)}."))
    answer = Answer.read(bytes(peer.head))
    if wrong := problems(answer, request.key):
        raise Over(failed(f"Its answer is wrong: {'; '.join(wrong)}."))
    said = ", ".join(answer.all("sec-websocket-extensions"))
    try:
        return peer, answer, extensions(said, offered=any(_DEFLATE in value for value in values))
    except OpeningError as error:
        raise Over(failed(f"Its Sec-WebSocket-Extensions is '{said}': {error}.")) from error


def _ignores(title: str, *values: str) -> None:
    @FAMILY.case(title, "It is accepted, without an extension.", "RFC 6455 9.1", "RFC 6455 4.2.2")
    async def case(talk: Talk) -> Finding:
        peer, answer, _ = await _offered(talk, *values)
        if said := answer.all("sec-websocket-extensions"):
            return failed(f"Its Sec-WebSocket-Extensions is '{', '.join(said)}'.")
        await talk.echo(peer)
        await talk.close(peer)
        return ok("It was accepted without an extension.")


def _malformed(title: str, value: str) -> None:
    @FAMILY.case(title, "The opening handshake is refused.", "RFC 6455 9.1")
    async def case(talk: Talk) -> Finding:
        return await refused(talk, talk.request().also(f"Sec-WebSocket-Extensions: {value}"))


def _declines(parameters: str, *clauses: str) -> None:
    """An offer that is wrong in a way that only permessage-deflate knows of."""
    offer = f"{_DEFLATE}; {parameters}"

    @FAMILY.case(f"The offer '{offer}'.", "It is accepted, and the offer declined.", "RFC 7692 7", *clauses)
    async def case(talk: Talk) -> Finding:
        peer, _, agreed = await _offered(talk, offer)
        if agreed is not None:
            return failed("It agreed to permessage-deflate.")
        await talk.echo(peer)
        await talk.close(peer)
        return ok("It was accepted without the extension.")


def _agrees(*offers: str, clauses: tuple[str, ...], needs: str = "", most: int = 15, should: bool = False) -> None:
    """An offer that is right: declined, or agreed to with the parameter that it asks for."""
    expects = "It is declined, or agreed to"
    expects += f" with {needs}" + (f" of {most} at most." if "bits" in needs else ".") if needs else "."

    @FAMILY.case(f"The offer {' and '.join(repr(offer) for offer in offers)}.", expects, *clauses)
    async def case(talk: Talk) -> Finding:
        peer, answer, agreed = await _offered(talk, *offers)
        if agreed is None:
            await talk.echo(peer)
            await talk.close(peer)
            if should and (await _offered(talk, _DEFLATE))[2] is not None:
                return non_strict("It was declined, though the same without a parameter is agreed to.")
            return Finding(Behavior.UNIMPLEMENTED, "It was declined.")
        said = ", ".join(answer.all("sec-websocket-extensions"))
        problem = _disagreement(offers, said, agreed, needs, most)
        await talk.close(peer)
        return problem or ok(f"It agreed to '{said}'.")


def _disagreement(offers: tuple[str, ...], said: str, agreed: Deflate, needs: str, most: int) -> Finding | None:
    """What is wrong with an answer to these offers, one of which asks for a parameter of `most` at most."""
    named = re.findall(r"[a-z_]+(?==|\s*(?:;|$))", said)
    if needs and needs not in named:
        # a window of 2^15 is what there is without it, so that nothing is lost
        how = non_strict if (needs, most) == ("server_max_window_bits", 15) else failed
        return how(f"It agreed to '{said}', without {needs}.")
    if "bits" in needs and getattr(agreed, needs) > most:
        return failed(f"It agreed to '{said}', which is a larger window than the client has.")
    if "client_max_window_bits" in named and not any("client_max_window_bits" in offer for offer in offers):
        return failed(f"It agreed to '{said}', but client_max_window_bits was not offered.")
    if not needs and "client_max_window_bits" in named and agreed.client_max_window_bits > most:
        return non_strict(f"It agreed to '{said}', a larger window than the client said it has.")
    return None


_ignores("An extension that nobody knows.", "x-unknown")
_ignores("One that nobody knows, with parameters: a value, a quoted value, none.", 'x-unknown; a=1; b="two"; c')
_ignores("Three that nobody knows, in two lines.", "x-one, x-two; a=b", "x-three")
_ignores("One whose name begins like permessage-deflate.", "permessage-deflate-x")
_malformed("A parameter without a name: 'x-unknown; =1'.", "x-unknown; =1")
_malformed("A parameter's value that is empty: 'x-unknown; a='.", "x-unknown; a=")
_malformed("A quoted value without an end.", 'x-unknown; a="b')
_malformed("A name with a space: 'x unknown'.", "x unknown")
_agrees(_DEFLATE, clauses=("RFC 7692 5.1", "RFC 7692 7.1.2.2"))
_agrees(f"{_DEFLATE}; client_max_window_bits", clauses=("RFC 7692 7.1.2.2",))
_agrees(f"{_DEFLATE}; client_no_context_takeover", clauses=("RFC 7692 7.1.1.2",))
_agrees(
    f"{_DEFLATE}; server_no_context_takeover",
    clauses=("RFC 7692 7.1.1.1",),
    needs="server_no_context_takeover",
    should=True,
)
for _bits in range(8, 16):
    _agrees(
        f"{_DEFLATE}; server_max_window_bits={_bits}",
        clauses=("RFC 7692 7.1.2.1",),
        needs="server_max_window_bits",
        most=_bits,
    )
_agrees(
    f'{_DEFLATE}; server_max_window_bits="10"',
    clauses=("RFC 7692 7.1.2.1", "RFC 6455 9.1"),
    needs="server_max_window_bits",
    most=10,
)
_agrees(f"{_DEFLATE}; client_max_window_bits=9", clauses=("RFC 7692 7.1.2.2",), most=9)
_agrees(f"{_DEFLATE}; server_max_window_bits=9, {_DEFLATE}; client_max_window_bits", clauses=("RFC 7692 5.1",))
_agrees(f"x-unknown, {_DEFLATE}", clauses=("RFC 7692 5.1", "RFC 6455 9.1"))
_agrees("x-unknown", _DEFLATE, clauses=("RFC 6455 9.1", "RFC 9110 5.3"))
_agrees(f"{_DEFLATE}; x_unknown, {_DEFLATE}", clauses=("RFC 7692 5.1", "RFC 7692 7.1"))
for _value in ("7", "16", "08", "0", "-9", "9.0", "abc", "1000000000000"):
    _declines(f"server_max_window_bits={_value}", "RFC 7692 7.1.2.1")
    _declines(f"client_max_window_bits={_value}", "RFC 7692 7.1.2.2")
_declines("server_max_window_bits", "RFC 7692 7.1.2.1")
_declines("client_no_context_takeover=1", "RFC 7692 7.1.1.2")
_declines("server_no_context_takeover=true", "RFC 7692 7.1.1.1")
_declines("x_unknown", "RFC 7692 5.1")
_declines("client_no_context_takeover; client_no_context_takeover", "RFC 7692 5.1")
_declines("server_max_window_bits=10; server_max_window_bits=11", "RFC 7692 5.1")
_malformed("A quoted value with a space in it, which is no token.", 'x-unknown; a="b c"')
_malformed("A quoted value that is empty.", 'x-unknown; a=""')


@FAMILY.case(
    f"The offers '{_DEFLATE}; server_max_window_bits=10' and '{_DEFLATE}', in that order of preference.",
    "Where the first alone is agreed to, it is the one that is chosen.",
    "RFC 7692 5.1",
)
async def preference(talk: Talk) -> Finding:
    first = f"{_DEFLATE}; server_max_window_bits=10"
    peer, _, alone = await _offered(talk, first)
    await talk.close(peer)
    if alone is None:
        return Finding(Behavior.UNIMPLEMENTED, "The first alone is declined.")
    _, _, agreed = await _offered(talk, f"{first}, {_DEFLATE}")
    if agreed is not None and agreed.server_max_window_bits <= alone.server_max_window_bits:
        return ok("The first was chosen.")
    return non_strict("The first alone is agreed to, but was not chosen before the second.")
