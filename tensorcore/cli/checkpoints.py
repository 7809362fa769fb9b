"""Trained models in files that say what they are: which model, which data set, the names of the classes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorcore as tc
from tensorcore.errors import CheckpointError
from tensorcore.serialization.files import atomic_write
from tensorcore.serialization.safetensors import load_metadata, save_file

__all__ = ["TrainedModel", "load_model", "save_json", "save_model"]


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """What a checkpoint gives.

    Attributes:
        model: the module, in evaluation mode.
        name: the model's name.
        data: the name of the data set it was trained on, empty where unknown.
        classes: the names of the classes, empty where unknown.
    """

    model: Any
    name: str
    data: str
    classes: tuple[str, ...]


def save_model(path: Path, model: Any, *, name: str, data: str, classes: tuple[str, ...], **facts: object) -> None:
    """Write a model's state to a safetensors file with what `load_model` needs, and ``facts``, as its metadata."""
    metadata = {"model": name, "dataset": data, "classes": json.dumps(classes), "tensorcore": tc.__version__}
    save_file(model.state_dict(), path, metadata | {key: str(value) for key, value in facts.items()})


def load_model(path: Path, *, name: str | None = None, data: str | None = None) -> TrainedModel:
    """The model in a file that `save_model`, ``tc.save`` or ``torch.save`` wrote, on the default device.

    ``name`` and ``data`` stand for what the file does not say; where it does, they go before it.

    Raises:
        CheckpointError: for a file that is damaged, of another format, or of another model.
        PluginError: for a model that no plugin has.
    """
    from tensorcore.plugins.host import host

    state = tc.load(path, map_location=tc.get_default_device())
    if not isinstance(state, Mapping) or not all(isinstance(value, tc.Tensor) for value in state.values()):
        raise CheckpointError(f"{path}: expected a state_dict, parameters by name, got a {type(state).__name__}")
    metadata = _metadata(path)
    name = name or metadata.get("model")
    if not name:
        known = ", ".join(host.models())
        raise CheckpointError(f"{path}: the file does not say which model it is of; give --model, one of: {known}")
    model = host.model(name)()
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise CheckpointError(f"{path}: it is no checkpoint of the model {name!r}: {error}") from None
    return TrainedModel(model.eval(), name, data or metadata.get("dataset", ""), _classes(path, metadata))


def _metadata(path: Path) -> dict[str, str]:
    with open(path, "rb") as file:
        zipped = file.read(4) == b"PK\x03\x04"
    return {} if zipped else load_metadata(path)


def _classes(path: Path, metadata: dict[str, str]) -> tuple[str, ...]:
    try:
        found = json.loads(metadata.get("classes", "[]"))
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise CheckpointError(f"{path}: its metadata should have the names of the classes as a JSON list of strings")
    return tuple(found)


def save_json(path: Path, value: Any) -> None:
    """Write ``value`` as JSON; a file of that name is replaced only by a whole one."""
    with atomic_write(path, "save_json") as file:
        file.write(f"{json.dumps(value, indent=2, ensure_ascii=False)}\n".encode())
