"""F.2: lengths (RFC 6455 5.2)."""

from __future__ import annotations

from harness.cases.model import Opcode
from harness.cases.octets import with_length
from harness.cases.talk import ANSWER_S, Family, Finding, Talk, ended, failed, non_strict, ok, shown
from harness.engines.native.peer import frame

FAMILY = Family("F.2")
_EACH = "Each comes back as it was sent, in frames whose length is as short as it can be."
_SIZES = (0, 1, 124, 125, 126, 127, 128, 255, 256, 32767, 32768, 65534, 65535, 65536, 65537)
_MIB = 1 << 20
_BULK = 1 << 18


def _not_minimal(title: str, opcode: int, payload: bytes, form: int) -> None:
    """5.2 says that the shortest form MUST be used, but not what whoever finds another has to do."""

    @FAMILY.case(title, "The server fails the connection (1002).", "RFC 6455 5.2")
    async def case(talk: Talk) -> Finding:
        peer = await talk.open()
        await peer.write(with_length(opcode, payload, len(payload), form), until_refused=True)
        await talk.waits(peer, lambda: peer.refused or bool(peer.messages or peer.pongs), 2.0)
        if peer.refused:
            return ok(f"It failed the connection {ended(peer)}.")
        if peer.messages and peer.messages[0].payload != payload:
            return failed(f"It read something else: {shown(peer.messages[0].payload)}.")
        return non_strict("It took the length.")


_not_minimal("A length of 5 in 16 bits.", Opcode.TEXT, b"Hello", 2)
_not_minimal("A length of 5 in 64 bits.", Opcode.TEXT, b"Hello", 8)
_not_minimal("A length of 200 in 64 bits.", Opcode.BINARY, b"x" * 200, 8)
_not_minimal("A length of 65,535 in 64 bits.", Opcode.BINARY, b"x" * 65535, 8)
_not_minimal("A length of 0 in 16 bits.", Opcode.TEXT, b"", 2)
_not_minimal("A ping with a length of 5 in 16 bits.", Opcode.PING, b"Hello", 2)


def _negative(length: int) -> None:
    @FAMILY.case(
        f"The length 0x{length:016x}, whose first bit is set, and some octets.",
        "The server fails the connection (1002 or 1009); it neither waits for so many octets nor reads another length.",
        "RFC 6455 5.2",
    )
    async def case(talk: Talk) -> Finding:
        peer = await talk.open()
        await peer.write(with_length(Opcode.BINARY, b"Hello", length, 8), until_refused=True)
        await talk.waits(peer, lambda: peer.refused or bool(peer.messages), 2.0)
        if peer.messages:
            return failed(f"It read another length: {shown(peer.messages[0].payload)} came back.")
        if not peer.refused:
            return non_strict("It waits for more.")
        return await talk.fails(peer, (1002, 1009))


_negative((1 << 63) | 5)
_negative((1 << 64) - 1)


def _each_size(title: str, opcode: Opcode, sizes: tuple[int, ...]) -> None:
    @FAMILY.case(title, _EACH, "RFC 6455 5.2", bulk=max(sizes) >= _BULK)
    async def case(talk: Talk) -> Finding:
        peer = await talk.open()
        for size in sizes:
            content = (
                talk.random.randbytes(size) if opcode == Opcode.BINARY else (b"abcdefg\n" * (size // 8 + 1))[:size]
            )
            await talk.echo(peer, content, opcode)
        await talk.close(peer)
        wrong = [rule for rule in peer.broken_rules if "length" in rule]
        if wrong:
            return failed(f"It sends {wrong[0]}.")
        return ok(f"{len(sizes)} messages came back." if len(sizes) > 1 else "It came back.")


_each_size("Binary messages of sizes around 125, 255, 32 KiB and 64 KiB.", Opcode.BINARY, _SIZES)
_each_size("Text messages of sizes around 125, 255, 32 KiB and 64 KiB.", Opcode.TEXT, _SIZES)
_each_size("Binary messages of 256 KiB and a bit, and of 1 MiB.", Opcode.BINARY, ((1 << 18) + 1, _MIB - 1, _MIB))
_each_size("A binary message of 16 MiB of random octets.", Opcode.BINARY, (16 * _MIB,))


@FAMILY.case(
    "A frame header that arrives octet by octet, for each form of the length.",
    "Each message comes back.",
    "RFC 6455 5.2",
)
async def header_in_pieces(talk: Talk) -> Finding:
    peer = await talk.open()
    for size, header in ((5, 6), (300, 8), (70_000, 14)):
        content = talk.random.randbytes(size)
        octets = frame(Opcode.BINARY, content)
        for number in range(header):
            await peer.write(octets[number : number + 1])
            await peer.drained(1.0)
        await peer.write(octets[header:], ANSWER_S)
        await talk.same(peer, content, Opcode.BINARY)
    await talk.close(peer)
    return ok("Three messages came back.")


@FAMILY.case(
    "Messages around each power of two from 512 to 131,072: whatever a buffer holds, with and without the header.",
    "Each comes back as it was sent.",
    "RFC 6455 5.2",
)
async def around_buffers(talk: Talk) -> Finding:
    peer = await talk.open()
    sizes = [(1 << bits) + more for bits in range(9, 18) for more in range(-14, 2)]
    for size in sizes:
        await talk.echo(peer, talk.random.randbytes(size), Opcode.BINARY)
    await talk.close(peer)
    return ok(f"{len(sizes)} messages came back.")
