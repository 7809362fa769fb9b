"""Image files, through pillow, as tensors of shape (channels, height, width)."""

from __future__ import annotations

import os
import warnings
from typing import Any, Final

import tensorcore as tc
from tensorcore.errors import DTypeError, ShapeError
from tensorcore.serialization.files import atomic_write
from tensorcore_vision.errors import FileFormatError

__all__ = ["read_fitted", "read_image", "write_png"]

#: What is opened. Pillow knows more formats; some of their readers start other programs.
FORMATS: Final = ("PNG", "JPEG", "GIF", "BMP", "WEBP")

#: Pillow's names of torchvision's read modes.
_MODES: Final = {"GRAY": "L", "GRAY_ALPHA": "LA", "RGB": "RGB", "RGB_ALPHA": "RGBA", "RGBA": "RGBA"}
_CHANNELS: Final = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def read_image(path: str | os.PathLike[str], mode: str = "UNCHANGED") -> tc.Tensor:
    """The pixels of a PNG, JPEG, GIF, BMP or WEBP file, a uint8 tensor of shape (C, H, W) on the default device.

    Args:
        path: the file.
        mode: ``"GRAY"``, ``"GRAY_ALPHA"``, ``"RGB"`` or ``"RGB_ALPHA"`` converts; ``"UNCHANGED"`` leaves the channels
            as they are (a palette becomes RGB or RGBA, 16 bits become 8).

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
    if mode != "UNCHANGED" and mode not in _MODES:
        raise ValueError(f"read_image: expected a mode of {', '.join(['UNCHANGED', *_MODES])}, got {mode!r}")
    image = _opened(path)
    return _pixels(_plain(image) if mode == "UNCHANGED" else _plain(image).convert(_MODES[mode]))


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
    from PIL import Image

    if input.dtype != tc.uint8:
        raise DTypeError(f"write_png: expected pixels of dtype uint8, got {input.dtype}")
    if input.ndim != 3 or input.shape[0] not in _CHANNELS or 0 in input.shape:
        raise ShapeError(f"write_png: expected shape (C, H, W) with 1 to 4 channels, got {tuple(input.shape)}")
    if not 0 <= compression_level <= 9:
        raise ValueError(f"write_png: expected a compression level from 0 to 9, got {compression_level}")
    channels, height, width = input.shape
    data = input.permute(1, 2, 0).contiguous().numpy(force=True).tobytes()
    image = Image.frombytes(_CHANNELS[channels], (width, height), data)
    if not os.path.isdir(os.path.dirname(os.path.realpath(filename))):
        raise FileNotFoundError(f"write_png: the folder of {os.fspath(filename)!r} does not exist")
    with atomic_write(filename, "write_png") as file:
        image.save(file, format="PNG", compress_level=compression_level)


def _opened(path: str | os.PathLike[str]) -> Any:
    """The image in a file, decoded."""
    from PIL import Image, UnidentifiedImageError

    name = os.fspath(path)
    with open(path, "rb") as file:
        try:
            with warnings.catch_warnings():
                # Pillow warns of a picture so large that it may be an attack, and refuses twice that size.
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                image = Image.open(file, formats=FORMATS)
                image.load()
        except UnidentifiedImageError:
            raise FileFormatError(f"{name}: no image; expected one of {', '.join(FORMATS)}") from None
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
