"""The parameters and buffers of a module in a safetensors file, tied ones written once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tensorcore.errors import CheckpointError
from tensorcore.serialization.safetensors.sharing import names_to_drop
from tensorcore.serialization.safetensors.whole import load_file, save_file

__all__ = ["load_model", "save_model"]


def save_model(
    model: Any, filename: Any, metadata: Mapping[str, str] | None = None, force_contiguous: bool = True
) -> None:
    """Write a module's ``state_dict`` to a safetensors file; of tensors that share memory one is written.

    The others' names are kept in the metadata, ``{dropped name: kept name}``, as the safetensors package does.
    Tensors are written row-major; ``force_contiguous=False`` refuses those that are not.

    Raises:
        CheckpointError: where no tensor covers the whole memory that several share, or one is not contiguous.

    Example:
        >>> import os, tempfile
        >>> import tensorcore as tc
        >>> from tensorcore.serialization.safetensors import load_file, load_model, save_model
        >>> model = tc.nn.Sequential(tc.nn.Linear(2, 2), tc.nn.Linear(2, 2))
        >>> model[1].weight = model[0].weight
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "model.safetensors")
        ...     save_model(model, path)
        ...     sorted(load_file(path)), load_model(model, path)
        (['0.bias', '0.weight', '1.bias'], ([], []))
    """
    tensors = model.state_dict()
    dropped = names_to_drop(tensors)
    kept = {name: tensor for name, tensor in tensors.items() if name not in dropped}
    if not force_contiguous:
        strided = [name for name, tensor in kept.items() if not tensor.is_contiguous()]
        if strided:
            raise CheckpointError(
                f"save_model: {', '.join(map(repr, strided[:8]))} are not contiguous; leave force_contiguous on"
            )
    facts = {**(metadata or {}), **dropped}
    save_file(kept, filename, facts or None)


def load_model(model: Any, filename: Any, strict: bool = True, device: Any = None) -> tuple[list[str], list[str]]:
    """Load the tensors of a file by `save_model` into a module; returns the names missing and those unexpected.

    Raises:
        RuntimeError: if ``strict``, where names are missing or unexpected.
        CheckpointError: if the file is damaged, truncated, or no safetensors file.

    Example:
        >>> import os, tempfile
        >>> import tensorcore as tc
        >>> from tensorcore.serialization.safetensors import load_model, save_model
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_model(tc.nn.Linear(2, 1), os.path.join(folder, "a.safetensors"))
        ...     load_model(tc.nn.Linear(2, 1), os.path.join(folder, "a.safetensors"))
        ([], [])
    """
    tensors = load_file(filename, device)
    tied = names_to_drop(model.state_dict(), preferred=tensors)
    found = model.load_state_dict(tensors, strict=False)
    missing = sorted(name for name in found.missing_keys if name not in tied)
    unexpected = sorted(found.unexpected_keys)
    if strict and (missing or unexpected):
        lines = [f"Error(s) in loading state_dict for {type(model).__name__}:"]
        lines += [f"    Missing key(s) in state_dict: {', '.join(map(repr, missing))}"] if missing else []
        lines += [f"    Unexpected key(s) in state_dict: {', '.join(map(repr, unexpected))}"] if unexpected else []
        raise RuntimeError("\n".join(lines))
    return missing, unexpected
