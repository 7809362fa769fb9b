"""Registers the image data sets."""

from __future__ import annotations

from tensorcore.plugins import DatasetSpec, hookimpl


@hookimpl
def tensorcore_datasets() -> list[DatasetSpec]:
    """The data sets by the names users write."""
    return [
        DatasetSpec(
            "fashion-mnist",
            "tensorcore_vision.datasets:FashionMNIST",
            "28×28 images of ten kinds of clothing; a subset comes with the package",
        ),
        DatasetSpec(
            "mnist",
            "tensorcore_vision.datasets:MNIST",
            "28×28 images of handwritten digits, from a folder of yours",
        ),
    ]
