"""Arguments split over devices, and outputs of devices put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tensorcore.devices import Device
from tensorcore.functions import cat
from tensorcore.tensor import Tensor

__all__ = ["gather", "place", "scatter", "scatter_kwargs"]


def place(device: Any) -> Device:
    """A device given as PyTorch's programs do: a number stands for that CUDA device."""
    return Device("cuda", device) if isinstance(device, int) else Device(device)


def scatter(inputs: Any, target_gpus: Sequence[Any], dim: int = 0) -> Any:
    """``inputs``, a nest of tensors and other things, once for each device: tensors split along ``dim``.

    What is no tensor is given to all. There are fewer where a tensor has fewer parts.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.parallel.scatter((tc.arange(3), "x"), ["cpu", "cpu"])
        ((tensor([0, 1]), 'x'), (tensor([2]), 'x'))
    """
    devices = [place(device) for device in target_gpus]

    def split(value: Any) -> Sequence[Any]:
        if isinstance(value, Tensor):
            return [part.to(device) for part, device in zip(value.chunk(len(devices), dim), devices, strict=False)]
        if isinstance(value, tuple) and hasattr(value, "_fields") and value:
            return [type(value)(*parts) for parts in zip(*map(split, value), strict=False)]
        if isinstance(value, tuple) and value:
            return tuple(zip(*map(split, value), strict=False))
        if isinstance(value, list) and value:
            return [list(parts) for parts in zip(*map(split, value), strict=False)]
        if isinstance(value, dict) and value:
            parts = zip(*map(split, value.values()), strict=False)
            return [type(value)(zip(value, each, strict=True)) for each in parts]
        return [value] * len(devices)

    return split(inputs)


def scatter_kwargs(
    inputs: tuple[Any, ...], kwargs: dict[str, Any] | None, target_gpus: Sequence[Any], dim: int = 0
) -> tuple[tuple[Any, ...], tuple[dict[str, Any], ...]]:
    """Positional and keyword arguments for each device."""
    args = list(scatter(inputs, target_gpus, dim)) if inputs else []
    named = list(scatter(kwargs, target_gpus, dim)) if kwargs else []
    args += [()] * (len(named) - len(args))
    named += [{}] * (len(args) - len(named))
    return tuple(args), tuple(named)


def gather(outputs: Sequence[Any], target_device: Any, dim: int = 0) -> Any:
    """What the devices gave, as one nest on ``target_device``: tensors joined along ``dim``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.parallel.gather([{"a": tc.ones(1)}, {"a": tc.zeros(2)}], "cpu")
        {'a': tensor([1., 0., 0.])}
    """
    device = place(target_device)
    first = outputs[0]
    if isinstance(first, Tensor):
        moved = [each.to(device) for each in outputs]
        # Losses of the parts become a vector, as in PyTorch.
        return cat([each.reshape(1) if each.ndim == 0 else each for each in moved], dim)
    if first is None:
        return None
    if isinstance(first, dict):
        if any(len(each) != len(first) for each in outputs):
            raise ValueError("gather: all dicts must have the same number of keys")
        return type(first)((key, gather([each[key] for each in outputs], device, dim)) for key in first)
    parts = [gather(each, device, dim) for each in zip(*outputs, strict=True)]
    return type(first)(*parts) if hasattr(first, "_fields") else type(first)(parts)
