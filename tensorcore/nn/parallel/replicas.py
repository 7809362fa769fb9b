"""Copies of a module on other devices, through which gradients flow to the module's own parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tensorcore.nn.modules.module import Module
from tensorcore.nn.parallel.scatter_gather import place

__all__ = ["parallel_apply", "replicate"]


def replicate(network: Module, devices: Sequence[Any], detach: bool = False) -> list[Module]:
    """A copy of ``network`` for each device; its tensors are those of the original, moved.

    Example:
        >>> import tensorcore as tc
        >>> layer = tc.nn.Linear(2, 1)
        >>> tc.nn.parallel.replicate(layer, ["cpu"])[0].weight is layer.weight
        True
    """
    return [_replica(network, place(device), detach, {}) for device in devices]


def _replica(module: Module, device: Any, detach: bool, made: dict[int, Module]) -> Module:
    known = made.get(id(module))
    if known is not None:
        return known
    copy: Module = object.__new__(type(module))
    made[id(module)] = copy
    copy.__dict__.update(module.__dict__)
    for registry in ("_parameters", "_buffers"):
        tensors = {
            name: x if x is None else (x.detach() if detach else x).to(device)
            for name, x in module.__dict__[registry].items()
        }
        copy.__dict__[registry] = tensors
    copy.__dict__["_modules"] = {
        name: child if child is None else _replica(child, device, detach, made)
        for name, child in module._modules.items()
    }
    return copy


def parallel_apply(
    modules: Sequence[Module], inputs: Sequence[Any], kwargs_tup: Sequence[dict[str, Any]] | None = None,
    devices: Sequence[Any] | None = None,
) -> list[Any]:  # fmt: skip
    """Each module called with its inputs, one after another: devices that work by themselves do so side by side.

    Raises:
        AssertionError: unless there are as many inputs as modules.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.parallel.parallel_apply([tc.nn.ReLU()], [tc.tensor([-1.0])])
        [tensor([0.])]
    """
    named = [{}] * len(modules) if kwargs_tup is None else kwargs_tup
    if not len(modules) == len(inputs) == len(named):
        raise AssertionError(
            f"parallel_apply: {len(modules)} modules, {len(inputs)} inputs and {len(named)} dicts of keywords"
        )
    return [
        module(*(each if isinstance(each, tuple) else (each,)), **given)
        for module, each, given in zip(modules, inputs, named, strict=True)
    ]
