"""Points of many dimensions for TensorBoard's projector: files beside the event file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from tensorcore.errors import ArgumentError, ShapeError
from tensorcore.tensor import Tensor
from tensorcore.utils.tensorboard.pictures import pixels, png
from tensorcore.utils.tensorboard.protocol import messages
from tensorcore.utils.tensorboard.values import tensor_of

__all__ = ["write_points"]

_CONFIGURATION: Final = "projector_config.pbtxt"
#: The largest side of a picture that browsers draw on.
_LARGEST: Final = 8192


def write_points(
    folder: str, matrix: Any, metadata: Any, images: Any, step: Any, tag: str, header: Sequence[str] | None
) -> None:
    """Write points, their labels and little images of them, and list them in the projector's configuration.

    Raises:
        ShapeError: for points that are no matrix, and labels or images that are not as many.
    """
    points = tensor_of(matrix)
    if points.ndim != 2:
        raise ShapeError(f"add_embedding: mat has one row for each point, got shape {list(points.shape)}")
    count = points.shape[0]
    place = f"{int(step or 0):05d}/{quote(tag, safe='')}"
    target = Path(folder) / place
    target.mkdir(parents=True, exist_ok=True)
    _write_rows(target / "tensors.tsv", points.tolist())
    m = messages()
    info = m.EmbeddingInfo(tensor_name=f"{tag}:{int(step or 0):05d}", tensor_path=f"{place}/tensors.tsv")
    if metadata is not None:
        if len(metadata) != count:
            raise ShapeError(f"add_embedding: {len(metadata)} labels for {count} points")
        _write_metadata(target / "metadata.tsv", metadata, header)
        info.metadata_path = f"{place}/metadata.tsv"
    if images is not None:
        shown = tensor_of(images)
        if shown.ndim != 4 or shown.shape[0] != count:
            raise ShapeError(f"add_embedding: label_img is (n, channels, height, width), got {list(shown.shape)}")
        (target / "sprite.png").write_bytes(png(_sprite(shown)))
        info.sprite.image_path = f"{place}/sprite.png"
        info.sprite.single_image_dim.extend([shown.shape[3], shown.shape[2]])
    from google.protobuf import text_format

    listing = Path(folder) / _CONFIGURATION
    configuration = m.ProjectorConfig()
    if listing.is_file():
        text_format.Parse(listing.read_text("utf-8"), configuration)
    kept = [each for each in configuration.embeddings if each.tensor_name != info.tensor_name]
    configuration = m.ProjectorConfig(embeddings=[*kept, info])
    listing.write_text(text_format.MessageToString(configuration), "utf-8")


def _write_rows(path: Path, rows: Sequence[Sequence[Any]]) -> None:
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), "utf-8")


def _write_metadata(path: Path, metadata: Any, header: Sequence[str] | None) -> None:
    labels = metadata.tolist() if isinstance(metadata, Tensor) else list(metadata)
    if not header:
        _write_rows(path, [[label] for label in labels])
        return
    if any(isinstance(label, str) or len(label) != len(header) for label in labels):
        raise ArgumentError(f"add_embedding: each label has {len(header)} parts as metadata_header has")
    _write_rows(path, [header, *labels])


def _sprite(images: Tensor) -> Tensor:
    """The images in a square of rows, as the projector takes them apart."""
    count, _, height, width = images.shape
    side = math.ceil(math.sqrt(count))
    if side * max(height, width) > _LARGEST:
        raise ShapeError(f"add_embedding: {count} images of {height}×{width} make a picture of over {_LARGEST} pixels")
    each = [pixels("add_embedding", images[k], "CHW") for k in range(count)]
    canvas = each[0].new_zeros((side * height, side * width, each[0].shape[2]))
    for k, picture in enumerate(each):
        row, column = divmod(k, side)
        canvas[row * height : (row + 1) * height, column * width : (column + 1) * width] = picture
    return canvas
