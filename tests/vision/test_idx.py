"""Reading IDX files: good ones of every element type, and bad ones that are told by name."""

from __future__ import annotations

import gzip
import math
import struct

import pytest

import tensorcore as tc
from tensorcore_vision.errors import FileFormatError
from tensorcore_vision.idx import read_idx


def idx(code: int, sides: tuple[int, ...], body: bytes) -> bytes:
    return bytes([0, 0, code, len(sides)]) + struct.pack(f">{len(sides)}I", *sides) + body


PIXELS = idx(0x08, (2, 3), bytes(range(6)))


@pytest.mark.parametrize(
    ("code", "letter", "dtype", "values"),
    [
        (0x08, "B", tc.uint8, [0, 1, 254, 255]),
        (0x09, "b", tc.int8, [-128, -1, 0, 127]),
        (0x0B, "h", tc.int16, [-32768, -2, 1, 32767]),
        (0x0C, "i", tc.int32, [-(2**31), -2, 1, 2**31 - 1]),
        (0x0D, "f", tc.float32, [-0.0, 1.5, math.inf, -(2.0**-149)]),
        (0x0E, "d", tc.float64, [-0.0, 0.1, -math.inf, 5e-324]),
    ],
)
def test_every_element_type(tmp_path, code, letter, dtype, values):
    path = tmp_path / "elements"
    path.write_bytes(idx(code, (2, 2), struct.pack(f">4{letter}", *values)))
    found = read_idx(path)
    assert found.dtype == dtype and tuple(found.shape) == (2, 2)
    assert struct.pack("=4d", *found.reshape(-1).tolist()) == struct.pack("=4d", *values)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_the_compression_is_told_by_the_content(tmp_path, pack):
    path = tmp_path / "whatever.gz"
    path.write_bytes(pack(PIXELS))
    assert read_idx(path, (None, 3)).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert read_idx(str(path), (2, None)).tolist() == [[0, 1, 2], [3, 4, 5]]


def test_a_side_of_length_zero(tmp_path):
    path = tmp_path / "empty"
    path.write_bytes(idx(0x08, (0, 28, 28), b""))
    assert tuple(read_idx(path).shape) == (0, 28, 28)


BAD = {
    "empty": (b"", "it is empty"),
    "short magic": (b"\0\0\x08", "no IDX file"),
    "an image": (b"\x89PNG\r\n\x1a\n" + bytes(40), "no IDX file"),
    "unknown type": (idx(0x07, (1,), b"\0"), "no IDX file"),
    "no dimensions": (b"\0\0\x08\0\0", "no IDX file"),
    "short header": (PIXELS[:9], "truncated: the file ends inside its header"),
    "short body": (PIXELS[:-1], r"truncated: uint8 elements of shape \[2, 3\] take 6 bytes, 5 follow the header"),
    "no body": (PIXELS[:12], "truncated: .* 0 follow"),
    "long body": (PIXELS + b"\0", "too long: .* more follow"),
    "gigantic": (idx(0x0E, (2**32 - 1,) * 4, bytes(100)), "truncated: .* 100 follow"),
    "gzip, cut": (gzip.compress(PIXELS)[:-9], "the compressed file is truncated"),
    "gzip, header only": (gzip.compress(PIXELS)[:10], "the compressed file is truncated"),
    "gzip, damaged": (gzip.compress(PIXELS)[:-8] + bytes(8), "the compressed file is damaged"),
    "gzip, bad flags": (b"\x1f\x8b\x07" + bytes(20), "the compressed file is damaged"),
    "gzip, garbage after it": (gzip.compress(PIXELS) + b"garbage", "the compressed file is damaged|too long"),
    "gzip of no IDX file": (gzip.compress(b"hello, world"), "no IDX file"),
    "gzip, long body": (gzip.compress(PIXELS + b"\0"), "too long"),
}


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_a_bad_file_is_told_by_name(tmp_path, content, message):
    path = tmp_path / "train-images"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=message) as caught:
        read_idx(path)
    assert str(caught.value).startswith(str(path))


def test_another_shape_than_expected(tmp_path):
    path = tmp_path / "pixels"
    path.write_bytes(PIXELS)
    with pytest.raises(FileFormatError, match=r"expected elements of shape \[N, 28, 28\], the file has \[2, 3\]"):
        read_idx(path, (None, 28, 28))
    with pytest.raises(FileFormatError, match=r"expected elements of shape \[2, 4\]"):
        read_idx(path, (2, 4))


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "nothing")
