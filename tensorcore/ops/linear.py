"""Linear and bilinear maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tensorcore.errors import DTypeError, ShapeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.linalg import matmul
from tensorcore.ops.movement import permute, reshape
from tensorcore.ops.record import composite
from tensorcore.ops.reduction import sum
from tensorcore.ops.rules import same

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_F: Final = ("nn.functional",)
_SWAP: Final = {"dims": (1, 0)}


def one_dtype(op: str, **tensors: Any) -> None:
    """Raise DTypeError unless the tensors (those that are not None) have one dtype, as PyTorch's layers ask."""
    kinds = {x._kind.dtype for x in tensors.values() if x is not None}
    if len(kinds) > 1:
        met = ", ".join(f"{name} is {x.dtype}" for name, x in tensors.items() if x is not None)
        raise DTypeError(f"{op}: expected one dtype, got: {met}; convert with .to(dtype)")


def rows(x: Any) -> Any:
    """``x`` as a matrix: all dimensions but the last joined."""
    shape = x._array.shape
    if len(shape) == 2:
        return x
    count = 1
    for side in shape[:-1]:
        count *= side
    return reshape.emit(x, shape=(count, shape[-1]))


def _broadcasts(shape: Any, wide: Any) -> bool:
    """Whether ``shape`` broadcasts to ``wide``."""
    return len(shape) <= len(wide) and all(a in (1, b) for a, b in zip(shape[::-1], wide[::-1], strict=False))


def _linear_input(g: Any, weight: Any, input_shape: tuple[int, ...]) -> Any:
    grad = matmul.emit(rows(g), e.conj(weight))
    return grad if len(input_shape) == 2 else reshape.emit(grad, shape=tuple(input_shape))


def _linear_weight(g: Any, input: Any) -> Any:
    return matmul.emit(permute.emit(rows(g), **_SWAP), rows(e.conj(input)))


def _linear_bias(g: Any) -> Any:
    return sum.emit(g, dim=tuple(range(len(g._array.shape) - 1)), keepdim=False, dtype=g._kind.dtype)


@composite(
    rule=same, vjp=(_linear_input, _linear_weight, _linear_bias), namespaces=_F, ulp=16,
    samples=({"shapes": ((3, 4), (5, 4), (5,))}, {"shapes": ((2, 3, 4), (5, 4))}, {"shapes": ((4,), (5, 4), (5,))}),
)  # fmt: skip
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input @ weight.T + bias`` over the last dimension of ``input``; the bias broadcasts.

    Raises:
        ShapeError: if the last sides of ``input`` and ``weight`` differ, or the bias does not fit the result.

    Example:
        >>> weight, bias = tc.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), tc.tensor([0.0, 0.0, 0.5])
        >>> F.linear(tc.tensor([1.0, -1.0]), weight, bias), F.linear(tc.ones(4, 7, 2), weight).shape
        (tensor([-1.0000, -1.0000, -0.5000]), tensorcore.Size([4, 7, 3]))
    """
    if input._kind is not weight._kind or (bias is not None and bias._kind is not weight._kind):
        one_dtype("linear", input=input, weight=weight, bias=bias)
    x, w = input._array.shape, weight._array.shape
    if len(w) == 1:
        if not x or x[-1] != w[0]:
            _misfit(x, w)
        product = matmul(input, weight)
        return product if bias is None else product + bias
    if not x or len(w) != 2 or x[-1] != w[1]:
        _misfit(x, w)
    if bias is not None and (
        len(bias._array.shape) > 1 or (bias._array.shape and bias._array.shape[0] not in (1, w[0]))
    ):
        product = linear.emit(input, weight, None)
        if not _broadcasts(bias._array.shape, product._array.shape):
            raise ShapeError(
                f"linear: bias of shape {list(bias.shape)} does not fit weight of shape {list(w)} and input of shape "
                f"{list(x)}"
            )
        return product + bias
    return linear.emit(input, weight, bias)


def _misfit(x: Any, w: Any) -> None:
    raise ShapeError(
        f"linear: input of shape {list(x)} does not fit weight of shape {list(w)}: expected (..., in) and (out, in)"
    )


@linear.expression
def _linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    shape = input._array.shape
    product = matmul.emit(rows(input), permute.emit(weight, **_SWAP))
    if bias is not None:
        product = e.add.emit(product, bias)
    return product if len(shape) == 2 else reshape.emit(product, shape=(*shape[:-1], weight._array.shape[0]))


@composite(
    namespaces=("", "nn.functional"),
    ulp=16,
    samples=({"shapes": ((3, 4), (3, 5), (2, 4, 5), (2,))}, {"shapes": ((2, 3, 4), (2, 3, 5), (6, 4, 5))}),
)
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input1 @ weight[k] @ input2 + bias[k]`` for each k, over the last dimensions of the inputs.

    Raises:
        ShapeError: if the sides do not fit.

    Example:
        >>> F.bilinear(tc.tensor([[1.0, 2.0]]), tc.tensor([[3.0, 4.0]]), tc.eye(2).unsqueeze(0), tc.tensor([0.5]))
        tensor([[11.5000]])
    """
    one_dtype("bilinear", input1=input1, input2=input2, weight=weight, bias=bias)
    a, b, w = input1.shape, input2.shape, weight.shape
    if len(w) != 3 or not a or not b or a[:-1] != b[:-1] or (a[-1], b[-1]) != tuple(w[1:]):
        raise ShapeError(
            f"bilinear: shapes {list(a)} and {list(b)} do not fit weight of shape {list(w)}: "
            "expected (..., in1), (..., in2) and (out, in1, in2)"
        )
    if bias is not None and tuple(bias.shape[:1]) != (w[0],):
        raise ShapeError(f"bilinear: bias of shape {list(bias.shape)} does not fit weight of shape {list(w)}")
    first, second = rows(input1), rows(input2)
    half = matmul(first, weight.permute(1, 0, 2).reshape(w[1], w[0] * w[2])).reshape(first.shape[0], w[0], w[2])
    out = matmul(half, second.unsqueeze(-1)).reshape((*a[:-1], w[0]))
    return out if bias is None else out + bias
