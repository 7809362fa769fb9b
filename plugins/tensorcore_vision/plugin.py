"""Registers the image data sets, and the model that fits them."""

from __future__ import annotations

from tensorcore.plugins import DatasetSpec, ModelSpec, hookimpl


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


@hookimpl
def tensorcore_models() -> list[ModelSpec]:
    """The models by the names users write."""
    return [
        ModelSpec(
            "lenet",
            "tensorcore_vision.models:LeNet",
            "LeNet-5, a convolutional network for images of 28×28",
            datasets=("fashion-mnist", "mnist"),
        )
    ]
