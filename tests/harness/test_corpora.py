"""The payloads of the compression cases: the same everywhere, and as compressible as the ones of Autobahn."""

import hashlib
import json
import re
import struct
import zlib

import pytest

from harness.cases.corpora import NAMES, corpus

#: Of Autobahn's own files: compressed / plain octets, for messages of 64, 1,024 and 16,384 octets with context
#: takeover, and for messages of 1,024 octets without.
ORIGINAL = {
    "json": (0.113, 0.058, 0.044, 0.170),
    "bitmap": (0.985, 0.905, 0.854, 0.945),
    "prose": (0.515, 0.423, 0.390, 0.564),
    "html": (0.127, 0.065, 0.055, 0.262),
    "pdf": (0.844, 0.776, 0.763, 0.888),
}
SHA_256 = {
    "json": "081cc3afd687b287ca8d6f10e8677099ef0069b75217fed649b256328db75649",
    "bitmap": "bf5b7067799169afbddeb09b6154b6e11eacb1f185898a02f32cbb2f3430711e",
    "prose": "d0d072417e0efdb2015bb0ac651217244e405f134f92e33a76afbc3bf3473c1d",
    "html": "6f572e13a19d1dab101dfb139d009db6e9fdcdfe0213fc4ba6fbbfeaca26f517",
    "pdf": "0f9b80b7719c3c33064f02bf0d244803ec1acd86a4c79f751c77c48df4823baf",
}
TEXT = {"json", "html"}


def octets(name: str) -> bytes:
    content = corpus(name).content
    return content.encode() if isinstance(content, str) else content


def ratio(plain: bytes, size: int, *, takeover: bool = True, window: int = 15) -> float:
    """Compressed octets for each plain one, in messages of `size` octets as RFC 7692 7.2.1 makes them."""
    compressed = 0
    deflate = zlib.compressobj(6, zlib.DEFLATED, -window)
    for start in range(0, len(plain), size):
        if not takeover:
            deflate = zlib.compressobj(6, zlib.DEFLATED, -window)
        message = deflate.compress(plain[start : start + size]) + deflate.flush(zlib.Z_SYNC_FLUSH)
        compressed += len(message) - 4
    return compressed / len(plain)


def test_they_come_in_the_order_of_the_cases_12_1_to_12_5():
    assert NAMES == ("json", "bitmap", "prose", "html", "pdf")


@pytest.mark.parametrize("name", NAMES)
def test_each_bears_its_name_and_one_line_about_it(name: str):
    made = corpus(name)
    assert made.name == name
    assert len(made.description.splitlines()) == 1


def test_an_unknown_name_is_an_error():
    with pytest.raises(KeyError, match="latin"):
        corpus("latin")


@pytest.mark.parametrize("name", NAMES)
def test_each_is_made_once(name: str):
    assert corpus(name) is corpus(name)


@pytest.mark.parametrize("name", NAMES)
def test_text_is_sent_as_text_and_the_rest_as_octets(name: str):
    assert type(corpus(name).content) is (str if name in TEXT else bytes)


@pytest.mark.parametrize("name", NAMES)
def test_the_length_is_whole_messages_of_every_size(name: str):
    assert len(corpus(name).content) == (1_048_576 if name == "pdf" else 262_144)
    assert len(corpus(name).content) % 131_072 == 0


@pytest.mark.parametrize("name", NAMES)
def test_the_octets_are_the_same_on_every_machine(name: str):
    assert hashlib.sha256(octets(name)).hexdigest() == SHA_256[name]


@pytest.mark.parametrize(("column", "size"), [(0, 64), (1, 1024), (2, 16384)])
@pytest.mark.parametrize("name", NAMES)
def test_with_takeover_it_compresses_as_the_original_does(name: str, column: int, size: int):
    assert ratio(octets(name), size) == pytest.approx(ORIGINAL[name][column], rel=0.2)


@pytest.mark.parametrize("name", NAMES)
def test_without_takeover_it_compresses_as_the_original_does(name: str):
    assert ratio(octets(name), 1024, takeover=False) == pytest.approx(ORIGINAL[name][3], rel=0.35)


@pytest.mark.parametrize("name", NAMES)
def test_a_greater_window_never_compresses_worse_and_the_least_still_compresses(name: str):
    least, middle, greatest = (ratio(octets(name), 1024, window=window) for window in (9, 12, 15))
    # Where there is nothing to find further back, as in the noise of the bitmap, a window changes little either way.
    assert greatest * 0.98 <= middle
    assert middle * 0.98 <= least < 0.95


def test_json_is_well_formed_and_ascii():
    content = corpus("json").content
    assert isinstance(content, str)
    assert content.isascii()
    runs = json.loads(content)["runs"]
    assert [run["number"] for run in runs[1:]] == list(range(1, len(runs)))


def test_html_has_characters_of_each_length_that_utf_8_knows():
    content = corpus("html").content
    assert isinstance(content, str)
    assert octets("html").decode() == content
    lengths = [len(character.encode()) for character in content if not character.isascii()]
    assert set(lengths) == {2, 3, 4}
    assert 24 <= len(lengths) <= 100


def test_html_closes_what_it_opens():
    content = octets("html").decode()
    for tag in ("html", "head", "style", "body", "table", "h2", "tr", "td", "a"):
        assert len(re.findall(rf"<{tag}[ >]", content)) == content.count(f"</{tag}>") > 0, tag


def test_prose_is_utf_8_with_as_many_umlauts_as_german_has():
    plain = octets("prose")
    plain.decode()
    assert 0.02 < sum(octet > 0x7F for octet in plain) / len(plain) < 0.03


def test_the_bitmap_is_one_of_256_greys_whose_pixels_end_where_the_file_ends():
    plain = octets("bitmap")
    kind, length, _, _, offset = struct.unpack_from("<2sIHHI", plain)
    size, width, height, planes, bits, compression, pixels = struct.unpack_from("<IiiHHII", plain, 14)
    assert (kind, length, offset + pixels) == (b"BM", len(plain), len(plain))
    assert (size, planes, bits, compression) == (40, 1, 8, 0)
    assert (width % 4, width * height) == (0, pixels)
    assert plain[54:1078] == bytes(octet for grey in range(256) for octet in (grey, grey, grey, 0))
    assert offset >= 1078


def test_the_pdf_holds_streams_of_the_lengths_that_it_names():
    plain = octets("pdf")
    assert plain.startswith(b"%PDF-1.4\n")
    assert plain.endswith(b"%%EOF\n")
    streams = list(re.finditer(rb"/Length (\d+) >>\nstream\n", plain))
    assert len(streams) > 100
    for stream in streams:
        assert plain[stream.end() + int(stream[1]) :].startswith(b"\nendstream\nendobj\n")
