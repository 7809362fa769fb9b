"""What data loaders take: epochs without workers, with workers that transform, and with workers that live on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.benchmarks.cases import Case

#: The largest ratio to PyTorch's time.
GATE = 1.0


class _Images:
    """Images of 64×64, mirrored and normalised one by one in Python."""

    def __init__(self, library: Any) -> None:
        self.library = library
        self.pixels = np.random.default_rng(0).integers(0, 255, (1000, 3, 64, 64), dtype=np.uint8)

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: int) -> Any:
        image = (self.pixels[index].astype(np.float32) / 255 - 0.5) / 0.25
        image = image[:, :, ::-1] if index % 2 else image
        return self.library.from_numpy(np.ascontiguousarray(image)), index % 10


def _epoch(loader: Any) -> Callable[[], Any]:
    def run() -> None:
        for _ in loader:
            pass

    return run


def _tensors(t: Any, **options: Any) -> Callable[[], Any]:
    t.manual_seed(0)
    data = t.utils.data.TensorDataset(t.rand(20_000, 784), t.arange(20_000))
    return _epoch(t.utils.data.DataLoader(data, batch_size=64, **options))


def _images(t: Any, **options: Any) -> Callable[[], Any]:
    loader = t.utils.data.DataLoader(_Images(t), batch_size=32, shuffle=True, multiprocessing_context="fork", **options)
    return _epoch(loader)


def _collated(t: Any) -> Callable[[], Any]:
    samples = [{"x": [0.5, i], "name": str(i), "y": t.rand(100)} for i in range(2000)]
    return _epoch(t.utils.data.DataLoader(samples, batch_size=50))


def cases() -> Iterator[Case]:
    """All cases."""
    yield Case("20,000 rows in order", _tensors, GATE)
    yield Case("20,000 rows shuffled", lambda t: _tensors(t, shuffle=True), GATE)
    yield Case("2,000 dicts collated", _collated, GATE)
    yield Case("1,000 images, 2 workers", lambda t: _images(t, num_workers=2), GATE)
    yield Case("1,000 images, 2 persistent workers", lambda t: _images(t, num_workers=2, persistent_workers=True), GATE)
