from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refimpl import _masking, unmask, unmask_from
from tests.refimpl.peer import mask

if TYPE_CHECKING:
    from collections.abc import Callable

InPlace: TypeAlias = "Callable[[bytearray, int, bytes], object]"
KEYS = st.binary(min_size=4, max_size=4)
SIZES = st.one_of(st.integers(0, 40), st.integers(505, 520), st.integers(4090, 4100))
WAYS = [pytest.param(_masking._strided, id="strided")]
if (libcrypto := _masking.load_libcrypto()) is not None:
    WAYS.append(pytest.param(libcrypto, id="libcrypto"))


def test_the_rfcs_hello_is_unmasked():
    assert unmask(bytes.fromhex("7f9f4d5158"), bytes.fromhex("37fa213d")) == b"Hello"  # RFC 6455 5.7


@pytest.mark.parametrize("way", WAYS)
@given(size=SIZES, start=st.integers(0, 9), key=KEYS, random=st.randoms(use_true_random=False))
def test_every_way_masks_as_the_definition_says(way: InPlace, size: int, start: int, key: bytes, random: Random):
    payload = random.randbytes(size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_masking, "_bulk", way)
        assert unmask(payload, key) == mask(payload, key)
        assert unmask(unmask(payload, key), key) == payload
        place = bytearray(payload)
        unmask_from(place, min(start, size), key)
    assert place == payload[:start] + mask(payload[start:], key)


def test_without_libcrypto_there_is_another_way():
    assert _masking.load_libcrypto("refimpl.missing") is None  # no such module
    assert _masking.load_libcrypto("_socket") is None  # no such function in it


def test_a_libcrypto_that_computes_something_else_is_not_used(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_masking, "_strided", lambda *_: None)
    assert _masking.load_libcrypto() is None


@pytest.mark.parametrize(
    "platform",
    [
        ("pypy", "linux", "x86_64", 8),
        ("cpython", "darwin", "x86_64", 8),
        ("cpython", "linux", "riscv64", 8),
        ("cpython", "linux", "x86_64", 4),
    ],
)
def test_libcrypto_is_left_alone_where_it_is_not_known_to_be_sound(
    platform: tuple[str, str, str, int], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(_masking, "_PLATFORM", platform)
    assert _masking.load_libcrypto() is None


@pytest.mark.skipif(_masking._PLATFORM not in _masking._SOUND, reason="libcrypto is not known to be sound here")
def test_libcrypto_is_used_where_it_is_known_to_be_sound():
    assert libcrypto is not None
