"""Registers the models."""

from __future__ import annotations

from tensorcore.plugins import ModelSpec, hookimpl


@hookimpl
def tensorcore_models() -> list[ModelSpec]:
    """The models by the names users write."""
    return [
        ModelSpec(
            "classifier",
            "tensorcore_zoo.classifier:Classifier",
            "784-512-512-10 multilayer perceptron for images of 28×28",
            datasets=("fashion-mnist",),
        )
    ]
