"""Batches: their inputs and targets, their device, and outputs joined again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorcore as tc

__all__ = ["concatenated", "inputs_of", "moved", "split"]


def split(batch: Any) -> tuple[Any, Any]:
    """Inputs and targets of a batch that is a pair.

    Raises:
        TypeError: for any other batch.
    """
    if isinstance(batch, (tuple, list)) and len(batch) == 2:
        return batch[0], batch[1]
    kind = f"{type(batch).__name__} of {len(batch)}" if isinstance(batch, (tuple, list, dict)) else type(batch).__name__
    raise TypeError(f"Trainer: a batch must be a pair of inputs and targets, got a {kind}; use Trainer(step=...)")


def inputs_of(batch: Any) -> Any:
    """The inputs of a batch: its first part where it is a pair, what it holds where it is a list of one."""
    if isinstance(batch, (tuple, list)) and len(batch) in (1, 2):
        return batch[0]
    return batch


def moved(batch: Any, device: Any) -> Any:
    """``batch`` with the tensors in it on ``device``."""
    if isinstance(batch, tc.Tensor):
        return batch if batch.device == device else batch.to(device, non_blocking=True)
    if isinstance(batch, Mapping):
        return {key: moved(each, device) for key, each in batch.items()}
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(moved(each, device) for each in batch))
    if isinstance(batch, (tuple, list)):
        return type(batch)(moved(each, device) for each in batch)
    return batch


def concatenated(outputs: list[Any]) -> Any:
    """Outputs of batches joined along the first dimension, within tuples, lists and dicts.

    Raises:
        ValueError: for no outputs.
    """
    if not outputs:
        raise ValueError("Trainer.predict: the data gave no batch")
    first = outputs[0]
    if isinstance(first, tc.Tensor):
        return tc.cat(outputs) if first.ndim else tc.stack(outputs)
    if isinstance(first, Mapping):
        return {key: concatenated([each[key] for each in outputs]) for key in first}
    if isinstance(first, (tuple, list)):
        parts = [concatenated(list(each)) for each in zip(*outputs, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else type(first)(parts)
    raise TypeError(f"Trainer.predict: outputs must be tensors or containers of them, got {type(first).__name__}")
