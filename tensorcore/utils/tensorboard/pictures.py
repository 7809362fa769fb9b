"""Images as PNG, films as GIF and sound as WAV."""

from __future__ import annotations

import io
import math
import struct
import sys
import zlib
from collections.abc import Sequence
from typing import Any

from tensorcore.errors import ArgumentError, ShapeError
from tensorcore.tensor import Tensor
from tensorcore.utils.tensorboard.values import tensor_of

__all__ = ["encoded", "figure_pixels", "film", "pixels", "png", "wave_file"]


def pixels(op: str, image: Any, dataformats: str) -> Tensor:
    """Images of any order of dimensions as one picture of shape (height, width, channels), bytes.

    Floats are from 0 to 1, bytes from 0 to 255. Several images are put side by side, eight in a row.

    Raises:
        ArgumentError: for an order that names no image.
        ShapeError: for another number of dimensions or channels.
    """
    found = tensor_of(image)
    order = dataformats.upper()
    if set(order) not in ({"H", "W"}, {"H", "W", "C"}, {"N", "H", "W", "C"}) or len(set(order)) != len(order):
        raise ArgumentError(f"{op}: dataformats is an order of H, W, C and N such as 'CHW', got {dataformats!r}")
    if found.ndim != len(order):
        raise ShapeError(
            f"{op}: dataformats {dataformats!r} says {len(order)} dimensions, got shape {list(found.shape)}"
        )
    if "C" not in order:
        found, order = found.unsqueeze(-1), order + "C"
    if "N" not in order:
        found, order = found.unsqueeze(0), "N" + order
    found = found.permute(*(order.index(letter) for letter in "NHWC"))
    if found.shape[-1] not in (1, 3, 4):
        raise ShapeError(f"{op}: an image has 1, 3 or 4 channels, got {found.shape[-1]}, shape {list(found.shape)}")
    if found.shape[-1] == 1:
        found = found.expand(*found.shape[:-1], 3)
    return _grid(_bytes(found))


def _bytes(images: Tensor) -> Tensor:
    from tensorcore.dtypes import float32, uint8

    if images.dtype is uint8:
        return images
    return (images.to(float32) * 255).clip(0, 255).to(uint8)


def _grid(images: Tensor) -> Tensor:
    """(n, height, width, channels) as one picture, black where images are missing."""
    count, height, width, channels = images.shape
    if count == 1:
        return images[0]
    columns = min(8, count)
    rows = math.ceil(count / columns)
    canvas = images.new_zeros((rows * columns, height, width, channels))
    canvas[:count] = images
    canvas = canvas.reshape(rows, columns, height, width, channels).permute(0, 2, 1, 3, 4)
    return canvas.reshape(rows * height, columns * width, channels)


def scaled(picture: Tensor, rescale: float) -> Tensor:
    """A picture of another size, of the nearest pixels."""
    from tensorcore.ops.ranges import arange

    if rescale == 1:
        return picture
    height, width = (max(int(side * rescale), 1) for side in picture.shape[:2])
    rows = (arange(height) * picture.shape[0]) // height
    columns = (arange(width) * picture.shape[1]) // width
    return picture[rows][:, columns]


def png(picture: Tensor) -> bytes:
    """A picture of bytes as PNG (RFC 2083), its rows unfiltered."""
    height, width, channels = picture.shape
    flat = bytes(picture.contiguous().reshape(-1)._kind.backend.to_host(picture.contiguous().reshape(-1)._array))
    step = width * channels
    rows = b"".join(b"\0" + flat[k * step : (k + 1) * step] for k in range(height))
    header = struct.pack(">LLBBBBB", width, height, 8, 6 if channels == 4 else 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data)) for kind, data in parts
    )


def encoded(m: Any, picture: Tensor) -> Any:
    """A picture as the message ``Summary.Image``; ``m`` holds the classes."""
    height, width, channels = picture.shape
    return m.Summary.Image(height=height, width=width, colorspace=channels, encoded_image_string=png(picture))


def figure_pixels(figures: Any, close: bool) -> Tensor:
    """matplotlib's figures, one or several of one size, as bytes of shape (figures, height, width, 3)."""
    from tensorcore.dtypes import uint8
    from tensorcore.functions import stack
    from tensorcore.ops.creation import frombuffer

    drawn = []
    for figure in figures if isinstance(figures, Sequence) else [figures]:
        data = io.BytesIO()
        figure.savefig(data, format="rgba", dpi=figure.dpi)
        width, height = (int(side * figure.dpi) for side in figure.get_size_inches())
        drawn.append(frombuffer(bytearray(data.getvalue()), dtype=uint8).reshape(height, width, 4)[..., :3])
        plots: Any = sys.modules.get("matplotlib.pyplot")
        if close and plots is not None:
            plots.close(figure)
    return stack(drawn)


def film(m: Any, frames: Any, fps: float) -> Any:
    """Frames of shape (n, time, channels, height, width) as the message ``Summary.Image`` of a GIF; needs pillow."""
    found = tensor_of(frames)
    if found.ndim != 5:
        raise ShapeError(f"add_video: expected (n, time, channels, height, width), got shape {list(found.shape)}")
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("add_video needs pillow: pip install pillow") from error
    pictures = [pixels("add_video", found[:, k], "NCHW") for k in range(found.shape[1])]
    height, width, channels = pictures[0].shape
    mode = "RGBA" if channels == 4 else "RGB"
    images = [
        Image.frombytes(mode, (width, height), bytes(each.contiguous()._kind.backend.to_host(each.contiguous()._array)))
        for each in pictures
    ]
    data = io.BytesIO()
    images[0].save(data, "GIF", save_all=True, append_images=images[1:], duration=1000 / fps, loop=0)
    return m.Summary.Image(height=height, width=width, colorspace=channels, encoded_image_string=data.getvalue())


def wave_file(sound: Any, sample_rate: int) -> tuple[bytes, int]:
    """Samples from -1 to 1 as a WAV file of 16 bits, and how many there are."""
    import wave

    from tensorcore.dtypes import int16

    found = tensor_of(sound).squeeze()
    if found.ndim > 1:
        raise ShapeError(f"add_audio: expected one channel of samples, got shape {list(found.shape)}")
    samples = (found.double().clip(-1, 1) * 32767).to(int16).reshape(-1)
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(struct.pack(f"<{samples.numel()}h", *samples.tolist()))
    return data.getvalue(), samples.numel()
