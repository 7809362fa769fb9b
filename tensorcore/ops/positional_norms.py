"""PyTorch's normalisations of the top namespace: all arguments by place, weights before statistics.

What `nn.functional` refuses, one value per channel, these take: it is its own mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import DType, float32
from tensorcore.errors import ShapeError
from tensorcore.ops.layer_normalization import inverse_root, moments
from tensorcore.ops.normalization import by_batch, by_instance, channel_affine
from tensorcore.ops.record import composite
from tensorcore.ops.rules import inexact

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_FIVE: Final = ((3, 4, 2), (4,), (4,), (4,), (4,))
_SPREAD: Final = (None, None, None, None, (0.5, 2))


@composite(
    namespaces=(), aliases=(".batch_norm",), operands=("input", "weight", "bias", "running_mean", "running_var"),
    ulp=64, samples=({"shapes": _FIVE, "domains": _SPREAD, "args": (False, 0.1, 1e-5, True)},),
)  # fmt: skip
def positional_batch_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None, running_var: Tensor | None,
    training: bool, momentum: float, eps: float, cudnn_enabled: bool,
) -> Tensor:  # fmt: skip
    """`nn.functional.batch_norm`, all arguments given; ``cudnn_enabled`` changes nothing.

    Example:
        >>> tc.batch_norm(tc.tensor([[0.0, 1.0], [4.0, 3.0]]), None, None, None, None, True, 0.1, 1e-5, True)
        tensor([[-1.0000, -1.0000],
                [ 1.0000,  1.0000]])
    """
    return by_batch(input, weight, bias, running_mean, running_var, training, momentum, eps)[0]


@composite(
    namespaces=(), aliases=(".instance_norm",), operands=("input", "weight", "bias", "running_mean", "running_var"),
    ulp=64, samples=({"shapes": _FIVE, "domains": _SPREAD, "args": (False, 0.1, 1e-5, True)},),
)  # fmt: skip
def positional_instance_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None, running_var: Tensor | None,
    use_input_stats: bool, momentum: float, eps: float, cudnn_enabled: bool,
) -> Tensor:  # fmt: skip
    """`nn.functional.instance_norm`, all arguments given; ``cudnn_enabled`` changes nothing.

    Example:
        >>> tc.instance_norm(tc.tensor([[[1.0, 3.0]]]), None, None, None, None, True, 0.1, 1e-5, True)
        tensor([[[-1.0000,  1.0000]]])
    """
    return by_instance(input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps)


def _statistic_dtype(input: Any, weight: Any) -> DType:
    """PyTorch's: the input's, unless a weight of float32 goes with 16 bits."""
    mixed = weight is not None and weight.dtype is float32
    return float32 if mixed and input.dtype.itemsize == 2 else input.dtype


@composite(
    namespaces=("",), operands=("input", "weight", "bias", "running_mean", "running_var"), outputs=3, ulp=64,
    samples=({"shapes": (*_FIVE[:3], None, None), "args": (True, 0.1, 1e-5)},), shown="NativeBatchNormBackward0",
)  # fmt: skip
def native_batch_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None, running_var: Tensor | None,
    training: bool, momentum: float, eps: float,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """`batch_norm`, the means, and the inverse roots of the variances plus ``eps``, through which no gradients flow.

    When not training, means and roots are empty.

    Example:
        >>> tc.native_batch_norm(tc.tensor([[0.0, 1.0], [4.0, 3.0]]), None, None, None, None, True, 0.1, 0.0)[1:]
        (tensor([2., 2.]), tensor([0.5000, 1.0000]))
    """
    out, middle, variance = by_batch(input, weight, bias, running_mean, running_var, training, momentum, eps)
    kind = _statistic_dtype(input, weight)
    if middle is None:
        return out, input.new_empty(0, dtype=kind), input.new_empty(0, dtype=kind)
    return out, middle.detach().to(kind), inverse_root(variance.detach(), eps).to(kind)


@composite(
    namespaces=("",), operands=("input", "weight", "bias"), outputs=3, ulp=64,
    samples=({"shapes": ((2, 4, 3), (4,), (4,)), "args": (2, 4, 3, 2, 1e-5)},), shown="NativeGroupNormBackward0",
)  # fmt: skip
def native_group_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, N: int, C: int, HxW: int, group: int, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """`group_norm` of ``N`` samples of ``C`` channels of ``HxW`` elements, the means, and the inverse roots.

    Raises:
        ShapeError: if ``input`` does not hold as many elements, or ``group`` does not divide the channels.

    Example:
        >>> tc.native_group_norm(tc.tensor([[0.0, 2.0, 10.0, 30.0]]), None, None, 1, 4, 1, 2, 0.0)
        (tensor([[-1.,  1., -1.,  1.]]), tensor([[ 1., 20.]]), tensor([[1.0000, 0.1000]]))
    """
    op = "native_group_norm"
    inexact(input.dtype, op)
    if input.numel() != N * C * HxW:
        raise ShapeError(f"{op}: N={N}, C={C} and HxW={HxW} do not make the elements of shape {list(input.shape)}")
    if group <= 0 or C % group:
        raise ShapeError(f"{op}: {C} channels cannot be divided into {group} groups")
    for name, x in (("weight", weight), ("bias", bias)):
        if x is not None and tuple(x.shape) != (C,):
            raise ShapeError(f"{op}: {name} must have the shape [{C}], got {list(x.shape)}")
    rows = input.reshape((N, group, C // group * HxW))
    # In steps, as gradients flow through the statistics too.
    centered, middle, variance = moments(rows.to(float32) if rows.dtype.itemsize == 2 else rows, (2,))
    rstd = inverse_root(variance, eps)
    out = (centered * rstd).reshape((N, C, HxW))
    if weight is not None or bias is not None:
        out = channel_affine.emit(out, weight, bias)
    kind = _statistic_dtype(input, weight)
    return (
        out.reshape(input.shape).to(input.dtype),
        middle.reshape((N, group)).to(kind),
        rstd.reshape((N, group)).to(kind),
    )
