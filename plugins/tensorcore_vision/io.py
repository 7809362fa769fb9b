"""Image files, through pillow, as tensors of shape (channels, height, width)."""

from __future__ import annotations

import io
import os
import warnings
from enum import Enum
from typing import Any, Final

import tensorcore as tc
from tensorcore.errors import DTypeError, ShapeError
from tensorcore.serialization.files import atomic_write
from tensorcore_vision.errors import FileFormatError

__all__ = [
    "ImageReadMode",
    "decode_gif",
    "decode_image",
    "decode_jpeg",
    "decode_png",
    "decode_webp",
    "encode_jpeg",
    "encode_png",
    "read_file",
    "read_fitted",
    "read_image",
    "write_file",
    "write_jpeg",
    "write_png",
]

#: What is opened. Pillow knows more formats; some of their readers start other programs.
FORMATS: Final = ("PNG", "JPEG", "GIF", "BMP", "WEBP")


class ImageReadMode(Enum):
    """The channels that images are read with; ``UNCHANGED`` are those of the file."""

    UNCHANGED = 0
    GRAY = 1
    GRAY_ALPHA = 2
    RGB = 3
    RGB_ALPHA = 4
    RGBA = RGB_ALPHA


#: Pillow's names of the modes.
_MODES: Final = {"GRAY": "L", "GRAY_ALPHA": "LA", "RGB": "RGB", "RGB_ALPHA": "RGBA", "RGBA": "RGBA"}
_CHANNELS: Final = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def _mode(mode: ImageReadMode | str, op: str) -> str:
    name = mode.name if isinstance(mode, ImageReadMode) else mode
    if name != "UNCHANGED" and name not in _MODES:
        raise ValueError(f"{op}: expected a mode of {', '.join(['UNCHANGED', *_MODES])}, got {mode!r}")
    return name


def read_image(
    path: str | os.PathLike[str],
    mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
    apply_exif_orientation: bool = False,
) -> tc.Tensor:
    """The pixels of a PNG, JPEG, GIF, BMP or WEBP file, a uint8 tensor of shape (C, H, W) on the default device.

    Args:
        path: the file.
        mode: ``"GRAY"``, ``"GRAY_ALPHA"``, ``"RGB"`` or ``"RGB_ALPHA"``, or a member of `ImageReadMode`, converts;
            ``"UNCHANGED"`` leaves the channels as they are (a palette becomes RGB or RGBA, 16 bits become 8).
        apply_exif_orientation: turn the image as the camera says.

    Raises:
        FileNotFoundError: where there is no such file.
        FileFormatError: for a file that is no image of these formats, or a damaged one.
        ValueError: for an unknown ``mode``.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.io import read_image, write_png
        >>> write_png(tc.full((3, 2, 4), 7, dtype=tc.uint8), "grey.png")
        >>> read_image("grey.png").shape, read_image("grey.png", "GRAY").shape
        (tensorcore.Size([3, 2, 4]), tensorcore.Size([1, 2, 4]))
    """
    name = _mode(mode, "read_image")
    return _converted(_opened(path), name, apply_exif_orientation)


def _converted(image: Any, mode: str, turn: bool) -> tc.Tensor:
    if turn:
        from PIL import ImageOps

        image = ImageOps.exif_transpose(image)
    return _pixels(_plain(image) if mode == "UNCHANGED" else _plain(image).convert(_MODES[mode]))


def _bytes(input: Any, op: str) -> bytes:
    if not isinstance(input, tc.Tensor) or input.dtype != tc.uint8 or input.ndim != 1:
        found = f"{input.dtype} of shape {tuple(input.shape)}" if isinstance(input, tc.Tensor) else type(input).__name__
        raise ValueError(f"{op}: expected the bytes of a file, a uint8 tensor of one dimension, got {found}")
    return bytes(input.numpy(force=True).tobytes())


def _decoded(
    input: Any, mode: ImageReadMode | str, turn: bool, op: str, formats: tuple[str, ...] = FORMATS
) -> tc.Tensor:
    name = _mode(mode, op)
    with io.BytesIO(_bytes(input, op)) as file:
        return _converted(_loaded(file, op, formats), name, turn)


def decode_image(
    input: tc.Tensor | str | os.PathLike[str],
    mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
    apply_exif_orientation: bool = False,
) -> tc.Tensor:
    """The pixels of an image from the bytes of its file, or from a file, as `read_image` gives them.

    Raises:
        ValueError: for what is neither a uint8 tensor of one dimension nor a path, or an unknown ``mode``.
        FileFormatError: for bytes that are no image, or a damaged one.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.io import decode_image, encode_png
        >>> decode_image(encode_png(tc.tensor([[[7, 9]]], dtype=tc.uint8)))
        tensor([[[7, 9]]], dtype=tensorcore.uint8)
    """
    if isinstance(input, str | os.PathLike):
        return read_image(input, mode, apply_exif_orientation)
    return _decoded(input, mode, apply_exif_orientation, "decode_image")


def decode_png(
    input: tc.Tensor, mode: ImageReadMode | str = ImageReadMode.UNCHANGED, apply_exif_orientation: bool = False
) -> tc.Tensor:
    """The pixels of an image from the bytes of a PNG file."""
    return _decoded(input, mode, apply_exif_orientation, "decode_png", ("PNG",))


def decode_jpeg(
    input: Any,
    mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
    device: Any = None,
    apply_exif_orientation: bool = False,
) -> Any:
    """The pixels of an image from the bytes of a JPEG file, or of several from a list of them."""
    if isinstance(input, list):
        return [decode_jpeg(each, mode, device, apply_exif_orientation) for each in input]
    pixels = _decoded(input, mode, apply_exif_orientation, "decode_jpeg", ("JPEG",))
    return pixels if device is None else pixels.to(device)


def decode_webp(input: tc.Tensor, mode: ImageReadMode | str = ImageReadMode.UNCHANGED) -> tc.Tensor:
    """The pixels of an image from the bytes of a WEBP file."""
    return _decoded(input, mode, False, "decode_webp", ("WEBP",))


def decode_gif(input: tc.Tensor) -> tc.Tensor:
    """The pixels of an image from the bytes of a GIF file, of shape (N, 3, H, W) where it has several frames."""
    from PIL import ImageSequence

    with io.BytesIO(_bytes(input, "decode_gif")) as file:
        image = _loaded(file, "decode_gif", ("GIF",))
        frames = [_pixels(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]
    return frames[0] if len(frames) == 1 else tc.stack(frames)


def read_file(path: str | os.PathLike[str]) -> tc.Tensor:
    """The bytes of a file, a uint8 tensor of one dimension."""
    with open(path, "rb") as file:
        return tc.frombuffer(bytearray(file.read()), dtype=tc.uint8)


def write_file(filename: str | os.PathLike[str], data: tc.Tensor) -> None:
    """Write a uint8 tensor of one dimension; a file of that name is replaced only by a whole one."""
    content = _bytes(data, "write_file")
    with atomic_write(filename, "write_file") as file:
        file.write(content)


def read_fitted(path: str | os.PathLike[str], side: int, invert: bool = False) -> tc.Tensor:
    """A picture made grey and scaled to fit a square of ``side``, a float tensor of shape (1, side, side) in [0, 1].

    Proportions are kept, the rest is black, and what is transparent is background. ``invert`` exchanges black and
    white first, for pictures that are dark on bright.

    Raises:
        FileNotFoundError: where there is no such file.
        FileFormatError: for a file that is no image, or a damaged one.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.io import read_fitted, write_png
        >>> write_png(tc.full((1, 20, 10), 255, dtype=tc.uint8), "bar.png")
        >>> read_fitted("bar.png", 4)[0]
        tensor([[0., 1., 1., 0.],
                [0., 1., 1., 0.],
                [0., 1., 1., 0.],
                [0., 1., 1., 0.]])
    """
    from PIL import Image, ImageOps

    picture = _plain(_opened(path))
    if picture.mode in ("LA", "RGBA"):
        ground = Image.new("RGBA", picture.size, "white" if invert else "black")
        picture = Image.alpha_composite(ground, picture.convert("RGBA"))
    grey = picture.convert("L")
    if invert:
        grey = ImageOps.invert(grey)
    if grey.size != (side, side):
        grey = ImageOps.pad(grey, (side, side), Image.Resampling.LANCZOS, color=0)
    return _pixels(grey).to(tc.get_default_dtype()) / 255


def write_png(input: tc.Tensor, filename: str | os.PathLike[str], compression_level: int = 6) -> None:
    """Write a uint8 tensor of shape (C, H, W), with 1 to 4 channels, as a PNG file.

    A file of that name is replaced only by a whole one.

    Raises:
        DTypeError: for another dtype than uint8.
        ShapeError: for another shape, or an image without pixels.
        ValueError: for a compression level outside 0 to 9.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.io import read_image, write_png
        >>> write_png(tc.tensor([[[0, 128, 255]]], dtype=tc.uint8), "dots.png")
        >>> read_image("dots.png")
        tensor([[[  0, 128, 255]]], dtype=tensorcore.uint8)
    """
    content = _encoded_png(input, compression_level, "write_png")
    _write(filename, content, "write_png")


def encode_png(input: tc.Tensor, compression_level: int = 6) -> tc.Tensor:
    """The bytes of a PNG file of a uint8 tensor of shape (C, H, W), with 1 to 4 channels."""
    return tc.frombuffer(bytearray(_encoded_png(input, compression_level, "encode_png")), dtype=tc.uint8)


def _encoded_png(input: tc.Tensor, level: int, op: str) -> bytes:
    if not 0 <= level <= 9:
        raise ValueError(f"{op}: expected a compression level from 0 to 9, got {level}")
    return _saved(_picture(input, op, tuple(_CHANNELS)), format="PNG", compress_level=level)


def write_jpeg(input: tc.Tensor, filename: str | os.PathLike[str], quality: int = 75) -> None:
    """Write a uint8 tensor of shape (C, H, W), with 1 or 3 channels, as a JPEG file.

    A file of that name is replaced only by a whole one.

    Raises:
        DTypeError: for another dtype than uint8.
        ShapeError: for another shape, or an image without pixels.
        ValueError: for a quality outside 1 to 100.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.io import read_image, write_jpeg
        >>> write_jpeg(tc.full((3, 8, 8), 128, dtype=tc.uint8), "grey.jpg", quality=90)
        >>> read_image("grey.jpg").shape
        tensorcore.Size([3, 8, 8])
    """
    content = _encoded_jpeg(input, quality, "write_jpeg")
    _write(filename, content, "write_jpeg")


def encode_jpeg(input: Any, quality: int = 75) -> Any:
    """The bytes of a JPEG file of a uint8 tensor of shape (C, H, W), with 1 or 3 channels, or of each in a list."""
    if isinstance(input, list):
        return [encode_jpeg(each, quality) for each in input]
    return tc.frombuffer(bytearray(_encoded_jpeg(input, quality, "encode_jpeg")), dtype=tc.uint8)


def _encoded_jpeg(input: tc.Tensor, quality: int, op: str) -> bytes:
    if not 1 <= quality <= 100:
        raise ValueError(f"{op}: expected a quality from 1 to 100, got {quality}")
    return _saved(_picture(input, op, (1, 3)), format="JPEG", quality=quality)


def _picture(input: tc.Tensor, op: str, channels: tuple[int, ...]) -> Any:
    from PIL import Image

    if input.dtype != tc.uint8:
        raise DTypeError(f"{op}: expected pixels of dtype uint8, got {input.dtype}")
    if input.ndim != 3 or input.shape[0] not in channels or 0 in input.shape:
        wanted = "1 to 4" if len(channels) == 4 else "1 or 3"
        raise ShapeError(f"{op}: expected shape (C, H, W) with {wanted} channels, got {tuple(input.shape)}")
    count, height, width = input.shape
    data = input.permute(1, 2, 0).contiguous().numpy(force=True).tobytes()
    return Image.frombytes(_CHANNELS[count], (width, height), data)


def _saved(image: Any, **options: Any) -> bytes:
    with io.BytesIO() as file:
        image.save(file, **options)
        return file.getvalue()


def _write(filename: str | os.PathLike[str], content: bytes, op: str) -> None:
    if not os.path.isdir(os.path.dirname(os.path.realpath(filename))):
        raise FileNotFoundError(f"{op}: the folder of {os.fspath(filename)!r} does not exist")
    with atomic_write(filename, op) as file:
        file.write(content)


def _opened(path: str | os.PathLike[str]) -> Any:
    """The image in a file, decoded."""
    with open(path, "rb") as file:
        return _loaded(file, os.fspath(path), FORMATS)


def _loaded(file: Any, name: str, formats: tuple[str, ...]) -> Any:
    """The image that a file holds, decoded; ``name`` is what errors call it."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # Pillow warns of a picture so large that it may be an attack, and refuses twice that size.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(file, formats=formats)
            image.load()
    except UnidentifiedImageError:
        raise FileFormatError(f"{name}: no image; expected one of {', '.join(formats)}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise FileFormatError(f"{name}: the image is too large: {error}") from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, OverflowError) as error:
        raise FileFormatError(f"{name}: the image is truncated or damaged: {error}") from None
    return image


def _plain(image: Any) -> Any:
    """The image with 8 bits for each of its channels L, LA, RGB or RGBA."""
    if image.mode in _CHANNELS.values():
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode.startswith("I"):
        # Pillow clips 16-bit values when it converts to 8 bits; what is wanted is their upper half.
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    transparent = image.mode in ("PA", "La", "RGBa") or "transparency" in image.info
    return image.convert("RGBA" if transparent else "RGB")


def _pixels(image: Any) -> tc.Tensor:
    width, height = image.size
    pixels = tc.frombuffer(image.tobytes(), dtype=tc.uint8)
    return pixels.reshape(height, width, len(image.getbands())).permute(2, 0, 1).contiguous()
