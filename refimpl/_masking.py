"""Masking (RFC 6455 5.3) at C speed, with what Python ships.

XOR is the only work per byte that a server has, and the standard library has no XOR of bytes. Three ways
round that, each the fastest for its sizes (CPython 3.11):

- below 512 bytes, one XOR of two big integers, whose conversions cost about 1.9 ns a byte;
- above that, OpenSSL's libcrypto, which `hashlib` loads anyway: CRYPTO_ofb128_encrypt XORs data with the
  block cipher that it is given as a function, so a function that leaves its 16-byte block alone makes it
  XOR with the masking key, four times over; 1 us a call and 0.1 ns a byte;
- where that is missing, not known to be sound or does not compute what it should, four strided table
  lookups, 1.0 ns a byte.

The function that leaves its block alone is OpenSSL_version_num, which takes nothing and returns a number;
a cipher takes three pointers and returns nothing. C leaves such a call undefined, so what it does depends on
the platform. On Linux, x86_64 and aarch64 pass the arguments and the result in registers that the caller
gives up in any case, so there it is sound. Elsewhere the callee may clean the stack, or a call may be
checked against its type: on all that is not in `_SOUND` libcrypto is left alone.
"""

import ctypes
import importlib
import os
import sys
from collections.abc import Callable
from typing import Final, TypeAlias

Data: TypeAlias = bytes | bytearray | memoryview
_InPlace: TypeAlias = Callable[[bytearray, int, bytes], object]

# A 32-bit process on a 64-bit kernel has another calling convention, so the size of a pointer counts too.
_PLATFORM: Final = sys.implementation.name, sys.platform, os.uname().machine, ctypes.sizeof(ctypes.c_void_p)
_SOUND: Final = {("cpython", "linux", machine, 8) for machine in ("x86_64", "aarch64")}
_BULK: Final = 512  # bytes
_XOR: Final = tuple(bytes(byte ^ mask for byte in range(256)) for mask in range(256))


def _strided(data: bytearray, start: int, key: bytes) -> None:
    for index, mask in enumerate(key, start):
        data[index::4] = data[index::4].translate(_XOR[mask])


def load_libcrypto(module: str = "_hashlib") -> _InPlace | None:
    """Return the masking that libcrypto does, None where it is not sound or the extension module has none."""
    if _PLATFORM not in _SOUND:
        return None
    try:
        # Symbols are looked up in the module's own dependencies too, so no library is searched for.
        libcrypto = ctypes.CDLL(str(importlib.import_module(module).__file__))
        ofb = libcrypto.CRYPTO_ofb128_encrypt
        leave_alone = ctypes.cast(libcrypto.OpenSSL_version_num, ctypes.c_void_p)
    except (ImportError, OSError, AttributeError):
        return None
    pointer, size = ctypes.c_void_p, ctypes.c_size_t
    ofb.argtypes = (pointer, pointer, size, pointer, ctypes.c_char_p, pointer, pointer)
    ofb.restype = None
    at, byref, integer = ctypes.c_char.from_buffer, ctypes.byref, ctypes.c_int

    def mask(data: bytearray, start: int, key: bytes) -> None:
        place = byref(at(data, start))
        ofb(place, place, len(data) - start, None, key * 4, byref(integer(0)), leave_alone)

    sample, expected = bytearray(range(256)), bytearray(range(256))
    mask(sample, 3, b"\x01\x20\x83\xff")
    _strided(expected, 3, b"\x01\x20\x83\xff")
    return mask if sample == expected else None


_bulk: Final[_InPlace] = load_libcrypto() or _strided


def unmask(payload: Data, key: bytes) -> bytes:
    """Return the payload unmasked, or masked, which is the same; `key` is 4 bytes."""
    size = len(payload)
    if size < _BULK:
        mask = int.from_bytes((key * (size // 4 + 1))[:size], "little")
        return (int.from_bytes(payload, "little") ^ mask).to_bytes(size, "little")
    unmasked = bytearray(payload)
    _bulk(unmasked, 0, key)
    return bytes(unmasked)


def unmask_from(payload: bytearray, start: int, key: bytes) -> None:
    """Unmask in place from `start` to the end, where `key[0]` belongs to the byte at `start`."""
    if len(payload) - start < _BULK:
        payload[start:] = unmask(payload[start:], key)
    else:
        _bulk(payload, start, key)
