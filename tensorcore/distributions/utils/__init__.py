"""What distributions are built with: broadcasting of parameters, logits and probabilities, triangles as vectors."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, Final

import tensorcore as tc
from tensorcore.errors import RangeError, ShapeError
from tensorcore.ops.smooth_activation import logsigmoid
from tensorcore.tensor import Tensor

__all__ = [
    "broadcast_all",
    "clamp_probs",
    "euler_constant",
    "lazy_property",
    "logits_to_probs",
    "probs_to_logits",
    "tril_matrix_to_vec",
    "vec_to_tril_matrix",
]

#: Euler's constant.
euler_constant: Final = 0.57721566490153286060


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """The values as tensors of one shape; numbers take the dtype and device of the first tensor.

    Raises:
        ValueError: for what is neither a tensor nor a real number.
        ShapeError: for shapes that do not broadcast.

    Example:
        >>> import tensorcore as tc
        >>> tc.distributions.utils.broadcast_all(tc.tensor([1.0, 2.0]), 3)
        (tensor([1., 2.]), tensor([3., 3.]))
    """
    like = None
    for value in values:
        if isinstance(value, Tensor):
            like = value if like is None else like
        elif not isinstance(value, Real):
            raise ValueError(f"broadcast_all: expected tensors and real numbers, got {type(value).__name__}")
    facts: dict[str, Any] = (
        {"dtype": tc.get_default_dtype()} if like is None else {"dtype": like.dtype, "device": like.device}
    )
    made = tuple([value if isinstance(value, Tensor) else tc.tensor(value, **facts) for value in values])
    shape = made[0].shape
    if all(each.shape == shape for each in made):
        return made
    return tuple(tc.broadcast_tensors(*made))


# ------------------------------------------------------------------ logits and probabilities


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities moved into [eps, 1 - eps], eps being the dtype's.

    Example:
        >>> import tensorcore as tc
        >>> tc.distributions.utils.clamp_probs(tc.tensor([0.0, 0.5]))
        tensor([1.1921e-07, 5.0000e-01])
    """
    eps = tc.finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Probabilities of log odds (``is_binary``), or of logarithms of weights along the last dimension."""
    return logits.sigmoid() if is_binary else logits.softmax(-1)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Log odds (``is_binary``) or logarithms of probabilities, which are clamped so that the result is finite."""
    clamped = clamp_probs(probs)
    return clamped.log() - (-clamped).log1p() if is_binary else clamped.log()


def _softplus(x: Tensor) -> Tensor:
    """``log(1 + exp(x))``, everywhere."""
    return -logsigmoid(-x)


def _log_bernoulli(logits: Tensor, value: Tensor) -> Tensor:
    """``value * log(p) + (1 - value) * log(1 - p)`` for the probability p of log odds ``logits``."""
    logits, value = broadcast_all(logits, value)
    return logsigmoid(logits) - (1 - value) * logits


def _one_hot(places: Tensor, like: Tensor) -> Tensor:
    """Vectors as long as the last dimension of ``like``, in its dtype, with 1 at ``places``."""
    return (places.unsqueeze(-1) == tc.arange(like.shape[-1], device=like.device)).to(like.dtype)


# ------------------------------------------------------------------ triangles


def _triangle(size: int, diag: int, device: Any) -> Tensor:
    return tc.ones(size, size, dtype=tc.bool, device=device).tril(diag)


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """The elements up to the diagonal ``diag`` of square matrices, row by row.

    Raises:
        RangeError: for a diagonal that the matrices do not have.

    Example:
        >>> import tensorcore as tc
        >>> tc.distributions.utils.tril_matrix_to_vec(tc.tensor([[1, 2], [3, 4]]))
        tensor([1, 3, 4])
    """
    n = mat.shape[-1]
    if not -n <= diag < n:
        raise RangeError(
            f"tril_matrix_to_vec: diag must lie in [{-n}, {n - 1}] for shape {list(mat.shape)}, got {diag}"
        )
    return mat[..., _triangle(n, diag, mat.device)]


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """Square matrices with the elements of ``vec`` up to the diagonal ``diag``, row by row, and 0 above.

    Raises:
        ShapeError: for a length that no such triangle has.

    Example:
        >>> import tensorcore as tc
        >>> tc.distributions.utils.vec_to_tril_matrix(tc.tensor([1, 3, 4]))
        tensor([[1, 0],
                [3, 4]])
    """
    count = vec.shape[-1]
    # The side n solves n * n + (1 + 2 * diag) * n - abs(diag) * (diag + 1) = 2 * count.
    side = -(1 + 2 * diag) + math.sqrt((1 + 2 * diag) ** 2 + 8 * count + 4 * abs(diag) * (diag + 1))
    n = round(side / 2)
    triangle = _triangle(n, diag, vec.device)
    if int(triangle.sum()) != count:
        raise ShapeError(
            f"vec_to_tril_matrix: no lower triangle has {count} elements; shape {list(vec.shape)}, {diag=}"
        )
    made = vec.new_zeros((*vec.shape[:-1], n, n))
    made[..., triangle] = vec
    return made


# ------------------------------------------------------------------ shapes and noise


def _sum_rightmost(value: Tensor, dim: int) -> Tensor:
    """The sum over the last ``dim`` dimensions."""
    return value.flatten(-dim).sum(-1) if dim else value


def _standard_normal(shape: Sequence[int], dtype: Any, device: Any) -> Tensor:
    return tc.randn(shape, dtype=dtype, device=device)


class lazy_property:  # noqa: N801 - PyTorch's name
    """Decorator: a property computed when first read, with gradients, and kept in the instance."""

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        functools.update_wrapper(self, wrapped)  # type: ignore[arg-type]

    def __get__(self, instance: Any, obj_type: Any = None) -> Any:
        if instance is None:
            return self
        with tc.enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value
