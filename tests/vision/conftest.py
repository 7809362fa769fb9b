"""Small data sets in IDX files, a web server, and the real torchvision."""

from __future__ import annotations

import gzip
import importlib
import re
import struct
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests.web_server import site as site


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


@pytest.fixture(scope="session")
def torchvision() -> ModuleType:
    """The real torchvision, whose compiled ops may be those of another PyTorch: they are declared and not called."""
    torch = pytest.importorskip("torch")
    library = torch.library.Library("torchvision", "DEF")
    for _ in range(9):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                importlib.import_module("torchvision.transforms.v2")
                return importlib.import_module("torchvision")
        except RuntimeError as error:
            missing = re.search(r"operator torchvision::(\w+) does not exist", str(error))
            if missing is None:
                raise
            library.define(f"{missing[1]}() -> ()")
            for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
                del sys.modules[name]
        except ImportError:
            pytest.skip("torchvision is not installed")
    raise AssertionError("torchvision cannot be imported")
