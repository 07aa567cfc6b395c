"""What the cases of D send and how they read what comes, against zlib and against servers that do it wrong."""

from __future__ import annotations

import socket
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cases.compressed import HELLO, TEXT, Compressor, Deflating, compressed_fragments, compressed_frame
from harness.cases.model import Opcode
from harness.cases.talk import Finding, Talk, ok
from harness.engines.native.opening import Deflate
from harness.results import Behavior
from tests.harness.cases.servers import Answer, Server, right, talked, with_status
from tests.harness.native.peers import frame, frames
from tests.harness.native.scripted import parse

TAIL = b"\x00\x00\xff\xff"
AGREED = b"Sec-WebSocket-Extensions: permessage-deflate"
MESSAGES = st.lists(st.one_of(st.binary(max_size=200), st.just(TEXT)), min_size=1, max_size=5)


def agreeing(*parameters: str) -> Answer:
    """A server that agrees to permessage-deflate with these parameters."""
    line = b"; ".join((AGREED, *(parameter.encode() for parameter in parameters)))
    return lambda request: right(request, line)


# What is sent


@settings(deadline=None)  # a busy machine is no failure
@given(MESSAGES, st.booleans(), st.integers(8, 15), st.sampled_from([0, 1, 6, 9]))
def test_messages_are_inflated_by_zlib_with_the_window_that_was_agreed(
    messages: list[bytes], fresh: bool, bits: int, level: int
):
    compress = Compressor(Deflate(client_no_context_takeover=fresh, client_max_window_bits=bits), level)
    inflater = zlib.decompressobj(-bits)
    for message in messages:
        inflater = zlib.decompressobj(-bits) if fresh else inflater
        octets = compress(message)
        assert not octets.endswith(TAIL)
        assert inflater.decompress(octets + TAIL) == message


def test_without_takeover_the_same_message_is_the_same_octets():
    fresh, kept = Compressor(Deflate(client_no_context_takeover=True)), Compressor()
    assert len({fresh(TEXT) for _ in range(3)}) == 1
    assert len(kept(TEXT)) > 5 * len(kept(TEXT))


def test_hello_is_that_of_the_rfc():
    assert zlib.decompressobj(-15).decompress(HELLO + TAIL) == b"Hello"
    assert Compressor()(b"Hello") == HELLO


def test_rsv1_is_on_the_first_fragment_alone():
    assert [one.rsv for one in parse(compressed_frame(HELLO))] == [4]
    pieces = parse(compressed_fragments(Opcode.BINARY, [HELLO[:1], HELLO[1:3], HELLO[3:]]))
    assert [(one.opcode, one.rsv, one.fin) for one in pieces] == [(2, 4, False), (0, 0, False), (0, 0, True)]


# What comes


def answers(*octets: bytes) -> Callable[[socket.socket], None]:
    """Each message is answered with the next of these; a close frame with one of its own."""

    def behave(peer: socket.socket) -> None:
        left = iter(octets)
        for first, payload in frames(peer):
            peer.sendall(frame(first, payload) if first == 0x88 else next(left))
            if first == 0x88:
                return

    return behave


async def echoes(talk: Talk, count: int = 1) -> Finding:
    connection = await Deflating.open(talk)
    for _ in range(count):
        await connection.echo(TEXT)
    await connection.close()
    return ok("all came back")


def seen(*octets: bytes, agreed: Answer | None = None, count: int = 1) -> tuple[str, str]:
    """What comes of it where TEXT is answered so."""
    with Server(agreed or agreeing(), answers(*octets)) as server:
        finding, _ = talked(server, lambda talk: echoes(talk, count))
    return finding.behavior, finding.words


def compressed_text(compress: Compressor) -> bytes:
    return frame(0xC1, compress(TEXT))


def test_an_echo_may_be_compressed_or_not():
    assert seen(compressed_text(Compressor()))[0] == "OK"
    assert seen(frame(0x81, TEXT))[0] == "OK"


def test_the_window_is_kept_from_one_message_to_the_next():
    compress = Compressor()
    assert seen(*(compressed_text(compress) for _ in range(3)), count=3)[0] == "OK"


def test_where_no_takeover_was_agreed_each_message_is_inflated_alone():
    agreed = agreeing("server_no_context_takeover")
    keeps, fresh = Compressor(), Compressor(Deflate(client_no_context_takeover=True))
    behavior, words = seen(*(compressed_text(keeps) for _ in range(3)), agreed=agreed, count=3)
    assert (behavior, words.startswith("What it compressed can't be inflated: ")) == ("FAILED", True)
    assert seen(*(compressed_text(fresh) for _ in range(3)), agreed=agreed, count=3)[0] == "OK"


def test_behind_a_final_block_the_window_goes_on():
    """RFC 7692 7.2.3.4: BFINAL ends the DEFLATE stream, and what it said may still be referred to."""
    finished = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = finished.compress(TEXT) + finished.flush(zlib.Z_FINISH) + b"\0"
    second = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=TEXT)
    octets = (second.compress(TEXT) + second.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)
    assert seen(frame(0xC1, first), frame(0xC1, octets), count=2)[0] == "OK"


def test_another_content_is_named():
    changed = TEXT[:70] + b"?" + TEXT[71:]
    behavior, words = seen(frame(0xC1, Compressor()(changed)))
    assert (behavior, words) == ("FAILED", f"Octet 70 of {len(TEXT):,} came back as 0x3f, not 0x{TEXT[70]:02x}.")


def test_what_cannot_be_inflated_fails():
    behavior, words = seen(frame(0xC1, b"\xff" * 20))
    assert (behavior, words.startswith("What it compressed can't be inflated: Error -3")) == ("FAILED", True)


def test_a_bomb_is_inflated_no_farther_than_the_message_goes():
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    octets = (bomb.compress(bytes(64 << 20)) + bomb.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)
    _, words = seen(frame(0xC1, octets))
    assert words.startswith(f"{len(TEXT) + 1:,} octets came back in place of {len(TEXT):,}")


@pytest.mark.parametrize("first", [0xA1, 0xF1])
def test_reserved_bits_that_mean_nothing_are_told_in_the_end(first: int):
    behavior, words = seen(frame(first, TEXT if first == 0xA1 else Compressor()(TEXT)))
    assert (behavior, words) == ("FAILED", "The server sends a reserved bit and no extension for it.")


def test_a_server_that_does_not_agree_has_not_implemented_it():
    with Server() as server:
        finding, talk = talked(server, echoes)
    assert finding == (Behavior.UNIMPLEMENTED, "The server does not agree to permessage-deflate.")
    assert talk.peers[0].close_code == 1000


def test_nor_has_one_that_refuses_the_offer_with_the_whole_handshake():
    with Server(with_status("400 Bad Request")) as server:
        finding, _ = talked(server, echoes)
    assert finding == (Behavior.UNIMPLEMENTED, "The offer is refused with HTTP 400.")


def test_a_server_that_agrees_to_what_was_not_offered_has_not_opened():
    with Server(lambda request: right(request, b"Sec-WebSocket-Extensions: x-other")) as server:
        finding, _ = talked(server, echoes)
    assert finding.behavior == "FAILED"
    assert finding.words.startswith("The opening handshake was not completed: ")
