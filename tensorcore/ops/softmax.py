"""Softmax and its logarithm."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import DType
from tensorcore.ops import elementwise as e
from tensorcore.ops.precision import widened
from tensorcore.ops.record import composite
from tensorcore.ops.reduction import amax, sum
from tensorcore.ops.rules import inexact
from tensorcore.shapes import normalize_dim

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_F: Final = ("nn.functional",)
_PUBLIC: Final = ("", "Tensor", "nn.functional", "special")
_SOFT: Final = ({"shapes": ((3, 4),), "dim": 1}, {"shapes": ((2, 3, 4),), "dim": 0}, {"shapes": ((),), "dim": 0})


def _dimension(op: str, input: Any, dim: int | None) -> int:
    if dim is None:
        warnings.warn(f"{op}: the dimension is chosen by an old rule; say dim=", UserWarning, stacklevel=4)
        dim = 0 if input.ndim in (0, 1, 3) else 1
    return normalize_dim(dim, input.ndim, op)


def _along(op: Any, input: Any, dim: int | None, _stacklevel: Any, dtype: DType | None) -> Any:
    # torch.softmax takes dtype third, nn.functional.softmax fourth.
    if isinstance(_stacklevel, DType):
        dtype = _stacklevel
    place = _dimension(op.name, input, dim)
    if dtype is not None:
        input = input.to(dtype=dtype)
    if not input._array.shape:
        return op.emit(input.reshape((1,)), dim=0).reshape(())
    return op.emit(input, dim=place)


@composite(
    rule=inexact, vjp=lambda g, y, dim: softmax_gradient.emit(g, y, dim=dim), namespaces=_PUBLIC, samples=_SOFT, ulp=8
)
def softmax(input: Tensor, dim: int | None = None, _stacklevel: Any = 3, dtype: DType | None = None) -> Tensor:
    """Exponentials along ``dim`` over their sum, without overflow.

    Example:
        >>> x = tc.tensor([[1.0, 1.0], [1000.0, 0.0]])
        >>> tc.softmax(x, dim=1)
        tensor([[0.5000, 0.5000],
                [1.0000, 0.0000]])
        >>> tc.softmax(tc.tensor([1, 2]), 0, dtype=tc.float64)
        tensor([0.2689, 0.7311], dtype=tensorcore.float64)
    """
    return _along(softmax, input, dim, _stacklevel, dtype)


@softmax.expression
@widened
def _softmax(input: Tensor, *, dim: int) -> Tensor:
    if input.numel() == 0:
        return input.clone()
    dims = (dim,)
    powers = e.exp.emit(e.sub.emit(input, amax.emit(input, dim=dims, keepdim=True)))
    return e.div.emit(powers, sum.emit(powers, dim=dims, keepdim=True, dtype=input._kind.dtype))


@composite(namespaces=(), samples=({"shapes": ((3, 4), (3, 4)), "dim": 1},), ulp=16)
def softmax_gradient(grad: Tensor, output: Tensor, *, dim: int) -> Tensor:
    """``output * (grad - sum(grad * output))``, the sum along ``dim``."""
    return softmax_gradient.emit(grad, output, dim=dim)


@softmax_gradient.expression
@widened
def _softmax_gradient(grad: Tensor, output: Tensor, *, dim: int) -> Tensor:
    weighted = grad * output
    return weighted - output * weighted.sum((dim,), True)


@composite(
    rule=inexact, vjp=lambda g, y, dim: log_softmax_gradient.emit(g, y, dim=dim), namespaces=_PUBLIC, samples=_SOFT,
    ulp=8,
)  # fmt: skip
def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: Any = 3, dtype: DType | None = None) -> Tensor:
    """Logarithm of `softmax` along ``dim``, without overflow or loss of small probabilities.

    Example:
        >>> tc.log_softmax(tc.tensor([[1.0, 1.0], [1000.0, 0.0]]), dim=1)
        tensor([[-6.9315e-01, -6.9315e-01],
                [ 0.0000e+00, -1.0000e+03]])
    """
    return _along(log_softmax, input, dim, _stacklevel, dtype)


@log_softmax.expression
@widened
def _log_softmax(input: Tensor, *, dim: int) -> Tensor:
    if input.numel() == 0:
        return input.clone()
    dims = (dim,)
    low = e.sub.emit(input, amax.emit(input, dim=dims, keepdim=True))
    return e.sub.emit(low, e.log.emit(sum.emit(e.exp.emit(low), dim=dims, keepdim=True, dtype=input._kind.dtype)))


@composite(namespaces=(), samples=({"shapes": ((3, 4), (3, 4)), "dim": 1},), ulp=16)
def log_softmax_gradient(grad: Tensor, output: Tensor, *, dim: int) -> Tensor:
    """``grad - exp(output) * sum(grad)``, the sum along ``dim``."""
    return log_softmax_gradient.emit(grad, output, dim=dim)


@log_softmax_gradient.expression
@widened
def _log_softmax_gradient(grad: Tensor, output: Tensor, *, dim: int) -> Tensor:
    return grad - e.exp(output) * grad.sum((dim,), True)


@composite(namespaces=_F, samples=({"shapes": ((3, 4),), "dim": 1},))
def softmin(input: Tensor, dim: int | None = None, _stacklevel: Any = 3, dtype: DType | None = None) -> Tensor:
    """`softmax` of the negated elements.

    Example:
        >>> F.softmin(tc.tensor([0.0, 1.0, 2.0]), dim=0)
        tensor([0.6652, 0.2447, 0.0900])
    """
    return softmax(-input, dim, _stacklevel, dtype)
