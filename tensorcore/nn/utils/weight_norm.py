"""Weights by length and direction (Salimans and Kingma 2016), by a hook; `parametrizations.weight_norm` is newer."""

from __future__ import annotations

from typing import Any

from tensorcore.nn.modules.module import Module
from tensorcore.nn.parameter import Parameter, is_lazy
from tensorcore.ops.matrix_norms import linalg_vector_norm as vector_norm
from tensorcore.tensor import Tensor

__all__ = ["remove_weight_norm", "weight_norm"]


def normed(v: Tensor, dim: int) -> Tensor:
    """2-norms of ``v`` for each place along ``dim``, with sides of 1 for the others; of all of it where that is -1."""
    if dim == -1:
        return vector_norm(v, 2)
    own = dim % v.ndim if v.ndim else 0
    return vector_norm(v, 2, tuple(d for d in range(v.ndim) if d != own), True)


def scaled(v: Tensor, g: Tensor, dim: int) -> Tensor:
    """``v`` brought to the lengths ``g``."""
    return v * (g / normed(v, dim))


class WeightNorm:
    """The hook that computes ``module.<name>`` from ``<name>_g`` and ``<name>_v`` before each call."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute_weight(self, module: Module) -> Any:
        """The weight by what the module holds."""
        return scaled(getattr(module, self.name + "_v"), getattr(module, self.name + "_g"), self.dim)

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Let ``module.<name>`` be computed, at each call, of a length ``<name>_g`` and a direction ``<name>_v``.

    Args:
        dim: along which each place has a length of its own; ``None`` for one length.

    Raises:
        RuntimeError: if it has such a hook already.
        ValueError: for a parameter without a shape yet.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.utils.weight_norm(tc.nn.Linear(2, 3)).weight_g.shape
        tensorcore.Size([3, 1])
    """
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, WeightNorm) and hook.name == name:
            raise RuntimeError(f"weight_norm: {type(module).__name__} has a weight_norm of {name!r} already")
    hook = WeightNorm(name, dim)
    weight = getattr(module, name)
    if is_lazy(weight):
        raise ValueError(f"weight_norm: {name!r} has no shape yet; call the module once before")
    del module._parameters[name]
    module.register_parameter(name + "_g", Parameter(normed(weight, hook.dim).detach()))
    module.register_parameter(name + "_v", Parameter(weight.detach()))
    setattr(module, name, hook.compute_weight(module))
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: Module, name: str = "weight") -> Module:
    """Make ``module.<name>`` a parameter again.

    Raises:
        ValueError: if it has no such hook.
    """
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, WeightNorm) and hook.name == name:
            weight = hook.compute_weight(module)
            delattr(module, name)
            del module._parameters[name + "_g"], module._parameters[name + "_v"], module._forward_pre_hooks[key]
            setattr(module, name, Parameter(weight.detach()))
            return module
    raise ValueError(f"remove_weight_norm: {type(module).__name__} has no weight_norm of {name!r}")
