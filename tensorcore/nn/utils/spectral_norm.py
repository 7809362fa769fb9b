"""Weights of largest singular value 1 (Miyato et al. 2018), by a hook; `parametrizations.spectral_norm` is newer."""

from __future__ import annotations

from typing import Any

from tensorcore.autograd.mode import no_grad
from tensorcore.nn import functional as F
from tensorcore.nn.modules.module import Module
from tensorcore.nn.parameter import Parameter, is_lazy
from tensorcore.ops.linalg import mv

__all__ = ["remove_spectral_norm", "spectral_norm"]


class SpectralNorm:
    """The hook that computes ``module.<name>`` from ``<name>_orig`` before each call, by the power method."""

    _version = 1

    def __init__(self, name: str, n_power_iterations: int, dim: int, eps: float) -> None:
        if n_power_iterations <= 0:
            raise ValueError(f"spectral_norm: n_power_iterations must be positive, got {n_power_iterations}")
        self.name = name
        self.dim = dim
        self.n_power_iterations = n_power_iterations
        self.eps = eps

    def reshape_weight_to_matrix(self, weight: Any) -> Any:
        """``weight`` as a matrix whose rows are the places along ``dim``."""
        return weight.movedim(self.dim, 0).reshape(weight.shape[self.dim], -1)

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Any:
        """The weight by what the module holds; the vectors first brought nearer, in place, if asked for."""
        weight, u, v = (getattr(module, self.name + end) for end in ("_orig", "_u", "_v"))
        matrix = self.reshape_weight_to_matrix(weight)
        if do_power_iteration:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(F.normalize(mv(matrix.t(), u), dim=0, eps=self.eps))
                    u.copy_(F.normalize(mv(matrix, v), dim=0, eps=self.eps))
                # Copies, so that backward through two forward passes reads each pass's own vectors.
                u, v = u.clone(), v.clone()
        return weight / (u * mv(matrix, v)).sum()

    def remove(self, module: Module) -> None:
        """Make the weight, as it is now, a parameter again."""
        with no_grad():
            weight = self.compute_weight(module, False)
        for end in ("", "_u", "_v", "_orig"):
            delattr(module, self.name + end)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, module.training))

    def _note_version(self, module: Module, state_dict: Any, prefix: str, local_metadata: dict[str, Any]) -> None:
        local_metadata.setdefault("spectral_norm", {})[self.name + ".version"] = self._version


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Let ``module.<name>`` be computed, at each call, as ``<name>_orig`` over its largest singular value.

    Args:
        n_power_iterations: steps of the power method at each call in training.
        dim: the side of outputs: by default 1 for transposed convolutions, 0 for others.

    Raises:
        RuntimeError: if it has such a hook already.
        ValueError: if there is no such parameter, or it has no shape yet.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.utils.spectral_norm(tc.nn.Linear(2, 3)).weight_u.shape
        tensorcore.Size([3])
    """
    if any(isinstance(hook, SpectralNorm) and hook.name == name for hook in module._forward_pre_hooks.values()):
        raise RuntimeError(f"spectral_norm: {type(module).__name__} has a spectral_norm of {name!r} already")
    if dim is None:
        dim = 1 if type(module).__name__.startswith("ConvTranspose") else 0
    hook = SpectralNorm(name, n_power_iterations, dim, eps)
    weight = module._parameters[name]
    if weight is None or is_lazy(weight):
        raise ValueError(f"spectral_norm: {name!r} of {type(module).__name__} is None or has no shape yet")
    with no_grad():
        sides = hook.reshape_weight_to_matrix(weight).shape
        u, v = (F.normalize(weight.new_empty(side).normal_(0, 1), dim=0, eps=eps) for side in sides)
    delattr(module, name)
    module.register_parameter(name + "_orig", weight)
    # A plain attribute, for what reads it before the first call.
    setattr(module, name, weight.data)
    module.register_buffer(name + "_u", u)
    module.register_buffer(name + "_v", v)
    module.register_forward_pre_hook(hook)
    module._register_state_dict_hook(hook._note_version)
    return module


def remove_spectral_norm(module: Module, name: str = "weight") -> Module:
    """Make ``module.<name>`` a parameter again.

    Raises:
        ValueError: if it has no such hook.
    """
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, SpectralNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(f"remove_spectral_norm: {type(module).__name__} has no spectral_norm of {name!r}")
