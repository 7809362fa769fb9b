"""Small data sets in IDX files."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def idx_folder(tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder of the four files, with ``count`` images whose first pixel is their number."""

    def make(
        *, count: int = 3, labels: list[int] | None = None, packed: bool = True, under: str = "", side: int = 28
    ) -> Path:
        folder = tmp_path / "root" / under
        folder.mkdir(parents=True)
        images = b"".join(bytes([number]) + bytes(side * side - 1) for number in range(count))
        wanted = list(range(count)) if labels is None else labels
        for split in ("train", "t10k"):
            files = {
                f"{split}-images-idx3-ubyte": struct.pack(">4B3I", 0, 0, 8, 3, count, side, side) + images,
                f"{split}-labels-idx1-ubyte": struct.pack(">4BI", 0, 0, 8, 1, len(wanted)) + bytes(wanted),
            }
            for name, content in files.items():
                if packed:
                    (folder / f"{name}.gz").write_bytes(gzip.compress(content))
                else:
                    (folder / name).write_bytes(content)
        return tmp_path / "root"

    return make
