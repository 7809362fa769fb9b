"""Clipping of gradients, by their norm or by value."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import Any

from tensorcore.autograd.mode import no_grad
from tensorcore.ops.creation import tensor as make_tensor
from tensorcore.ops.matrix_norms import linalg_vector_norm as vector_norm
from tensorcore.ops.movement import stack
from tensorcore.tensor import Tensor


def _gradients(parameters: Any) -> list[Tensor]:
    given = (parameters,) if isinstance(parameters, Tensor) else parameters
    return [parameter.grad for parameter in given if parameter.grad is not None]


@no_grad()
def get_total_norm(
    tensors: Iterable[Tensor] | Tensor,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The ``norm_type`` norm of all tensors together, as if joined to one vector.

    Raises:
        RuntimeError: if it is NaN or infinite, with ``error_if_nonfinite``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.utils.get_total_norm([tc.tensor([3.0]), tc.tensor([4.0])])
        tensor(5.)
    """
    parts = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    norm_type = float(norm_type)
    if not parts:
        return make_tensor(0.0)
    device = parts[0].device
    norms = [vector_norm(part, norm_type).to(device=device) for part in parts]
    total = norms[0] if len(norms) == 1 else vector_norm(stack(norms), norm_type)
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise RuntimeError(
            f"the total norm of order {norm_type} for gradients is {total.item()}, so it cannot be clipped; "
            "to scale the gradients by it anyway, set error_if_nonfinite=False"
        )
    return total


@no_grad()
def clip_grads_with_norm_(
    parameters: Iterable[Tensor] | Tensor, max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scale the gradients in place by ``max_norm / total_norm`` where that is below 1.

    Example:
        >>> import tensorcore as tc
        >>> p = tc.nn.Parameter(tc.zeros(1))
        >>> p.grad = tc.tensor([4.0])
        >>> tc.nn.utils.clip_grads_with_norm_(p, 1.0, tc.tensor(8.0))
        >>> p.grad
        tensor([0.5000])
    """
    # 1e-6 keeps a norm of zero from dividing; multiplying by at most 1 needs no look at the value.
    scale = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
    for gradient in _gradients(parameters):
        gradient.mul_(scale.to(device=gradient.device))


def clip_grad_norm_(
    parameters: Iterable[Tensor] | Tensor,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale the gradients in place so that their norm, all together, is at most ``max_norm``; returns the norm before.

    Raises:
        RuntimeError: if the norm is NaN or infinite, with ``error_if_nonfinite``.

    Example:
        >>> import tensorcore as tc
        >>> p = tc.nn.Parameter(tc.zeros(2))
        >>> p.grad = tc.tensor([3.0, 4.0])
        >>> tc.nn.utils.clip_grad_norm_([p], 1.0)
        tensor(5.)
        >>> p.grad
        tensor([0.6000, 0.8000])
    """
    given = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    total = get_total_norm(_gradients(given), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(given, max_norm, total)
    return total


@no_grad()
def clip_grad_value_(parameters: Iterable[Tensor] | Tensor, clip_value: float, foreach: bool | None = None) -> None:
    """Hold each element of the gradients within ±``clip_value``, in place.

    Example:
        >>> import tensorcore as tc
        >>> p = tc.nn.Parameter(tc.zeros(2))
        >>> p.grad = tc.tensor([3.0, -4.0])
        >>> tc.nn.utils.clip_grad_value_(p, 1.0)
        >>> p.grad
        tensor([ 1., -1.])
    """
    bound = float(clip_value)
    for gradient in _gradients(parameters):
        gradient.clamp_(-bound, bound)


def clip_grad_norm(
    parameters: Iterable[Tensor] | Tensor, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:  # fmt: skip
    """`clip_grad_norm_` under its old name; deprecated, as in PyTorch."""
    warnings.warn(
        "`tensorcore.nn.utils.clip_grad_norm` is now deprecated in favor of `tensorcore.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)
