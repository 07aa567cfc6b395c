"""F.4: text that has to come back unchanged, and what is none (RFC 6455 5.6, 8.1)."""

from __future__ import annotations

from itertools import chain

from harness.cases.model import Opcode
from harness.cases.octets import fragmented
from harness.cases.talk import Family, Finding, Talk, ok
from harness.engines.native.peer import frame

FAMILY = Family("F.4")


def _unchanged(title: str, text: str) -> None:
    @FAMILY.case(title, "It comes back unchanged.", "RFC 6455 5.6", "RFC 3629 3")
    async def case(talk: Talk) -> Finding:
        peer = await talk.open()
        await talk.echo(peer, text.encode())
        await talk.close(peer)
        return ok("It came back unchanged.")


_unchanged("Text that begins with a byte order mark.", "\ufeffHello")
_unchanged("Text with U+0000 at its beginning, inside and at its end.", "\0Hel\0lo\0")
_unchanged(
    "All control characters, and line ends of all kinds.", "".join(map(chr, range(32))) + "\x7f\x85\r\n\n\r\u2028\u2029"
)
_unchanged("Noncharacters: U+FDD0, U+FFFE, U+FFFF, U+1FFFE, U+10FFFF.", "\ufdd0\ufffe\uffff\U0001fffe\U0010ffff")
_unchanged(
    "The first and last character of each length in octets.",
    "\x7f\x80\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff",
)
_unchanged(
    "Characters that have other normal forms: e with a combining accent, ligatures, Hangul.",
    "e\u0301 \u00e9 \ufb01 \u1112\u1161\u11ab \ud55c \u212b",
)
_unchanged("What HTML, JSON and shells would change.", "<b>&amp;</b> \"\\u0041\\n\" 'a' `b` $c %d \\0")
_unchanged("The replacement character itself.", "\ufffd\ufffd")


@FAMILY.case(
    "Every character that there is, in one message of 4.4 MB.",
    "It comes back unchanged.",
    "RFC 6455 5.6",
    "RFC 3629 3",
    bulk=True,
)
async def every_character(talk: Talk) -> Finding:
    peer = await talk.open()
    everything = "".join(map(chr, chain(range(0xD800), range(0xE000, 0x110000))))
    await talk.echo(peer, everything.encode())
    await talk.close(peer)
    return ok("It came back unchanged.")


@FAMILY.case(
    "Text of characters of one to four octets in two fragments, cut at each of its octets in turn.",
    "Each comes back unchanged.",
    "RFC 6455 5.4",
    "RFC 6455 5.6",
)
async def cut_in_characters(talk: Talk) -> Finding:
    peer = await talk.open()
    text = "a\u00e9\u20ac\U0001f600z".encode()
    for cut in range(len(text) + 1):
        await peer.write(b"".join(fragmented(Opcode.TEXT, [text[:cut], text[cut:]])))
        await talk.same(peer, text)
    await talk.close(peer)
    return ok(f"It came back {len(text) + 1} times.")


def _invalid(title: str, octets: bytes) -> None:
    @FAMILY.case(title, "The server fails the connection (1007).", "RFC 6455 8.1", "RFC 3629 3")
    async def case(talk: Talk) -> Finding:
        peer = await talk.open()
        await peer.write(frame(Opcode.TEXT, b"a" + octets + b"z") + frame(Opcode.TEXT, b"after it"), until_refused=True)
        return await talk.fails(peer, (1007,))


_invalid("U+0000 in two octets (c0 80).", b"\xc0\x80")
_invalid("'/' in two octets (c0 af), as in old attacks.", b"\xc0\xaf")
_invalid("A surrogate (ed a0 80).", b"\xed\xa0\x80")
_invalid("A pair of surrogates (CESU-8).", b"\xed\xa0\xbd\xed\xb8\x80")
_invalid("A character above U+10FFFF (f4 90 80 80).", b"\xf4\x90\x80\x80")
_invalid("Three octets where two would do (e0 9f bf).", b"\xe0\x9f\xbf")
_invalid("Four octets where three would do (f0 8f bf bf).", b"\xf0\x8f\xbf\xbf")
_invalid("A continuation octet alone (80).", b"\x80")
_invalid("A beginning without its rest (e2 82).", b"\xe2\x82")
_invalid("The octets fe and ff.", b"\xfe\xff")
_invalid("Latin-1.", "\u00e4\u00f6\u00fc".encode("latin-1"))


@FAMILY.case(
    "Text that ends inside a character, and a good message behind it.",
    "The server fails the connection (1007); the character is not completed by the next message.",
    "RFC 6455 8.1",
)
async def ends_inside(talk: Talk) -> Finding:
    peer = await talk.open()
    await peer.write(frame(Opcode.TEXT, b"a\xe2\x82") + frame(Opcode.TEXT, b"\xac"), until_refused=True)
    return await talk.fails(peer, (1007,))


_invalid("An octet that is no text behind 200,000 octets that are.", b"x" * 200_000 + b"\xff")


@FAMILY.case(
    "A text of 70 octets with one that is none (ff) at each place in turn.",
    "The server fails the connection (1007), each time.",
    "RFC 6455 8.1",
    "RFC 3629 3",
)
async def at_each_place(talk: Talk) -> Finding:
    for place in range(70):
        peer = await talk.open()
        await peer.write(frame(Opcode.TEXT, b"x" * place + b"\xff" + b"x" * (69 - place)), until_refused=True)
        found = await talk.fails(peer, (1007,), what=f"It took the octet at place {place}")
        if found.behavior != "OK":
            return found
        peer.drop()
    return ok("It failed the connection, 70 of 70 times.")


@FAMILY.case(
    "Text in fragments that is none: a character cut short, the rest of one without its beginning, a surrogate.",
    "The server fails the connection (1007), each time.",
    "RFC 6455 8.1",
    "RFC 6455 5.6",
)
async def invalid_fragments(talk: Talk) -> Finding:
    texts = (
        [b"a\xe2\x82", b"z"],
        [b"a", b"\x82\xacz"],
        [b"a\xf0\x9f", b"\x98", b"z"],
        [b"a\xed", b"\xa0\x80"],
        [b"a", b"\xe2\x82"],
    )
    for fragments in texts:
        peer = await talk.open()
        await peer.write(b"".join(fragmented(Opcode.TEXT, fragments)), until_refused=True)
        found = await talk.fails(peer, (1007,), what=f"It took {b' | '.join(fragments)!r}")
        if found.behavior != "OK":
            return found
        peer.drop()
    return ok(f"It failed the connection, {len(texts)} of {len(texts)} times.")


@FAMILY.case(
    "Text of characters of one to four octets in fragments of one octet, a ping between all of them.",
    "It comes back unchanged.",
    "RFC 6455 5.4",
    "RFC 6455 5.6",
)
async def pings_in_characters(talk: Talk) -> Finding:
    peer = await talk.open()
    text = "a\u00e9\u20ac\U0001f600z".encode()
    pieces = fragmented(Opcode.TEXT, [bytes([octet]) for octet in text])
    await peer.write(frame(Opcode.PING, b"between").join(pieces), until_refused=True)
    await talk.same(peer, text)
    await talk.close(peer)
    return ok("It came back unchanged.")
