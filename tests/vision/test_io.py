"""Image files as tensors: formats and modes against pillow, and files that are no images."""

from __future__ import annotations

import io
import struct
import zlib

import pytest

import tensorcore as tc
from tensorcore.errors import DTypeError, ShapeError
from tensorcore_vision.errors import FileFormatError
from tensorcore_vision.io import (
    ImageReadMode,
    decode_gif,
    decode_image,
    decode_jpeg,
    decode_png,
    encode_jpeg,
    encode_png,
    read_file,
    read_fitted,
    read_image,
    write_file,
    write_jpeg,
    write_png,
)

Image = pytest.importorskip("PIL.Image")

RED, GREEN = (255, 0, 0), (0, 255, 0)


def picture(mode: str, size: tuple[int, int] = (3, 2)) -> object:
    image = Image.new("RGBA", size)
    image.putdata([(40 * k, 255 - 40 * k, 10 * k, 255 - k) for k in range(size[0] * size[1])])
    return image.convert(mode)


def png(header: bytes, *rest: tuple[bytes, bytes]) -> bytes:
    chunks = b""
    for kind, body in ((b"IHDR", header), *rest):
        chunks += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return b"\x89PNG\r\n\x1a\n" + chunks


# Reading


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("LA", 2), ("RGB", 3), ("RGBA", 4)])
def test_channels_come_first(tmp_path, mode, channels):
    path, image = tmp_path / "a.png", picture(mode)
    image.save(path)
    found = read_image(path)
    assert found.dtype == tc.uint8 and tuple(found.shape) == (channels, 2, 3)
    bands = [list(band.tobytes()) for band in image.split()]
    assert found.reshape(channels, -1).tolist() == bands


@pytest.mark.parametrize(
    ("mode", "pillow"), [("GRAY", "L"), ("GRAY_ALPHA", "LA"), ("RGB", "RGB"), ("RGB_ALPHA", "RGBA"), ("RGBA", "RGBA")]
)
@pytest.mark.parametrize("source", ["L", "RGB", "RGBA"])
def test_modes_convert_as_pillow_does(tmp_path, source, mode, pillow):
    path = tmp_path / "a.png"
    picture(source).save(path)
    expected = Image.open(path).convert(pillow)
    assert read_image(str(path), mode).permute(1, 2, 0).reshape(-1).tolist() == list(expected.tobytes())


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
def test_formats_are_told_by_the_content(tmp_path, format):
    path = tmp_path / "image"
    Image.new("RGB", (4, 5), RED).save(path, format=format)
    assert tuple(read_image(path, "RGB").shape) == (3, 5, 4)
    assert read_image(path, "RGB")[0].float().mean().item() > 250


def test_palettes_bits_and_16_bits(tmp_path):
    path = tmp_path / "a.png"
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, *GREEN])
    image.putdata([0, 1])
    image.save(path)
    assert read_image(path).tolist() == [[[255, 0]], [[0, 255]], [[0, 0]]]
    image.save(path, transparency=1)
    assert read_image(path)[3].tolist() == [[255, 0]]
    Image.new("1", (2, 1), 1).save(path)
    assert read_image(path).tolist() == [[[255, 255]]]
    Image.frombytes("I;16", (3, 1), struct.pack("<3H", 0, 0x8000, 0xFFFF)).save(path)
    assert read_image(path).tolist() == [[[0, 128, 255]]]


def test_an_unknown_mode(tmp_path):
    with pytest.raises(ValueError, match=r"expected a mode of UNCHANGED, GRAY, .* got 'CMYK'"):
        read_image(tmp_path / "a.png", "CMYK")


def jpeg() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(file, "JPEG")
    return file.getvalue()


GRID = struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0)
BAD = {
    "empty": (lambda: b"", "no image; expected one of PNG, JPEG"),
    "text": (lambda: b"a picture of a shoe\n" * 20, "no image"),
    "pickle": (lambda: b"\x80\x04cos\nsystem\n(S'true'\ntR.", "no image"),
    "svg": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no image"),
    "postscript": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n", "no image"),
    "jpeg, cut": (lambda: jpeg()[:-900], "truncated or damaged"),
    "png, cut": (lambda: png(GRID, (b"IDAT", zlib.compress(b"\0\0\0")[:6])), "truncated or damaged|no image"),
    "png, damaged": (lambda: png(GRID, (b"IDAT", b"no zlib stream"), (b"IEND", b"")), "truncated or damaged"),
    "png, header only": (lambda: png(GRID)[:20], "damaged|no image"),
    "png, gigantic": (lambda: png(struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0), (b"IDAT", b"")), "too large"),
}


@pytest.mark.parametrize("read", [read_image, lambda path: read_fitted(path, 28)], ids=["read_image", "read_fitted"])
@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_a_bad_file_is_told_by_name(tmp_path, content, message, read):
    path = tmp_path / "shoe.png"
    path.write_bytes(content())
    with pytest.raises(FileFormatError, match=message) as caught:
        read(path)
    assert str(caught.value).startswith(str(path))


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_image(tmp_path / "a.png")
    with pytest.raises(OSError):
        read_image(tmp_path)


# Fitting


@pytest.mark.parametrize(
    ("size", "lit"),
    [((10, 10), (0, 0, 28, 28)), ((100, 50), (0, 7, 28, 21)), ((50, 100), (7, 0, 21, 28)), ((1, 1), (0, 0, 28, 28))],
)
def test_proportions_are_kept_on_black(tmp_path, size, lit):
    path = tmp_path / "a.png"
    Image.new("RGB", size, "white").save(path)
    expected = Image.new("L", (28, 28))
    expected.paste(255, lit)
    found = read_fitted(path, 28)
    assert tuple(found.shape) == (1, 28, 28) and found.dtype == tc.float32
    assert (found * 255).reshape(-1).tolist() == list(expected.tobytes())


def test_an_image_of_the_right_size_is_left_as_it_is(tmp_path):
    path = tmp_path / "a.png"
    image = picture("L", (28, 28))
    image.save(path)
    expected = tc.tensor(list(image.tobytes()), dtype=tc.uint8).reshape(1, 28, 28) / 255
    assert tc.equal(read_fitted(path, 28), expected)


def test_inverting_turns_dark_on_bright_around(tmp_path):
    path = tmp_path / "a.png"
    image = Image.new("RGBA", (8, 4), (255, 255, 255, 0))
    image.paste((0, 0, 0, 255), (2, 1, 6, 3))
    image.save(path)
    found = read_fitted(path, 8, invert=True)[0].round()
    assert found.tolist() == [[1.0 if 3 <= y < 5 and 2 <= x < 6 else 0.0 for x in range(8)] for y in range(8)]
    assert read_fitted(path, 8).max().item() == 0


# Writing


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_round_trip(tmp_path, channels):
    path = tmp_path / "a.png"
    pixels = tc.randint(0, 256, (channels, 5, 7), dtype=tc.uint8)
    write_png(pixels, path, compression_level=0)
    assert tc.equal(read_image(path), pixels)
    write_png(pixels.flip(2), str(path), 9)
    assert tc.equal(read_image(path), pixels.flip(2))
    assert [each.name for each in tmp_path.iterdir()] == ["a.png"]


def test_a_view_and_another_device(tmp_path):
    path = tmp_path / "a.png"
    pixels = tc.arange(24, dtype=tc.uint8).reshape(4, 3, 2).permute(1, 2, 0)[:, ::1, 1:]
    write_png(pixels, path)
    assert tc.equal(read_image(path), pixels)
    write_png(pixels.to("reference"), path)
    with tc.device("reference"):
        assert read_image(path).tolist() == pixels.tolist()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: tc.zeros(1, 2, 2), DTypeError, "expected pixels of dtype uint8, got tensorcore.float32"),
        (lambda: tc.zeros(2, 2, dtype=tc.uint8), ShapeError, r"expected shape \(C, H, W\) .* got \(2, 2\)"),
        (lambda: tc.zeros(5, 2, 2, dtype=tc.uint8), ShapeError, r"1 to 4 channels, got \(5, 2, 2\)"),
        (lambda: tc.zeros(1, 0, 2, dtype=tc.uint8), ShapeError, r"got \(1, 0, 2\)"),
    ],
)
def test_what_cannot_be_written_leaves_the_old_file(tmp_path, make, error, message):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    with pytest.raises(error, match=message):
        write_png(make(), path)
    assert path.read_bytes() == b"old"


def test_bad_places_and_levels(tmp_path):
    pixels = tc.zeros(1, 2, 2, dtype=tc.uint8)
    with pytest.raises(FileNotFoundError, match=r"the folder of .* does not exist"):
        write_png(pixels, tmp_path / "none" / "a.png")
    with pytest.raises(ValueError, match="compression level from 0 to 9, got 10"):
        write_png(pixels, tmp_path / "a.png", 10)


# Bytes in memory, JPEG


def test_bytes_and_files_agree(tmp_path):
    pixels = (tc.rand(3, 9, 11) * 255).to(tc.uint8)
    packed = encode_png(pixels, 9)
    write_file(tmp_path / "a.png", packed)
    assert tc.equal(read_file(tmp_path / "a.png"), packed)
    for found in (
        decode_image(packed),
        decode_png(packed),
        decode_image(tmp_path / "a.png"),
        read_image(tmp_path / "a.png"),
    ):
        assert tc.equal(found, pixels)
    grey = decode_image(packed, ImageReadMode.GRAY)
    assert tuple(grey.shape) == (1, 9, 11) and tc.equal(grey, decode_image(packed, "GRAY"))


def test_jpeg(tmp_path):
    pixels = tc.full((3, 16, 16), 100, dtype=tc.uint8)
    write_jpeg(pixels, tmp_path / "a.jpg", 95)
    assert (read_image(tmp_path / "a.jpg").to(tc.int32) - 100).abs().max() <= 2
    both = decode_jpeg(encode_jpeg([pixels, pixels[:1]]))
    assert [tuple(each.shape) for each in both] == [(3, 16, 16), (1, 16, 16)]
    turned = io.BytesIO()
    image = Image.new("RGB", (4, 8))
    exif = image.getexif()
    exif[0x0112] = 6  # a quarter turn
    image.save(turned, "JPEG", exif=exif)
    packed = tc.frombuffer(bytearray(turned.getvalue()), dtype=tc.uint8)
    assert tuple(decode_jpeg(packed).shape) == (3, 8, 4)
    assert tuple(decode_jpeg(packed, apply_exif_orientation=True).shape) == (3, 4, 8)


def test_frames():
    frames = [Image.new("RGB", (4, 3), colour) for colour in ("red", "lime")]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    found = decode_gif(tc.frombuffer(bytearray(file.getvalue()), dtype=tc.uint8))
    assert tuple(found.shape) == (2, 3, 3, 4) and found[1, :, 0, 0].tolist() == [0, 255, 0]


def test_what_is_no_image_in_memory():
    text = tc.frombuffer(bytearray(b"hello"), dtype=tc.uint8)
    for decode in (decode_image, decode_png, decode_jpeg, decode_gif):
        with pytest.raises(FileFormatError, match=r"decode_.*: no image; expected one of"):
            decode(text)
        with pytest.raises(ValueError, match=r"expected the bytes of a file, .* of shape \(2, 2\)"):
            decode(tc.zeros(2, 2))
    with pytest.raises(ValueError, match="expected a quality from 1 to 100, got 0"):
        encode_jpeg(tc.zeros(3, 2, 2, dtype=tc.uint8), 0)
    with pytest.raises(ShapeError, match="with 1 or 3 channels"):
        encode_jpeg(tc.zeros(4, 2, 2, dtype=tc.uint8))
