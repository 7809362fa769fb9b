"""Products of matrices and vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import FLOATING
from tensorcore.errors import ShapeError
from tensorcore.ops.elementwise import conj
from tensorcore.ops.movement import permute
from tensorcore.ops.record import composite, primitive
from tensorcore.ops.rules import same

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor


def _transposed(x: Any) -> Any:
    # Matrices mostly, and twice for each product: by the shortest way.
    return permute.emit(conj(x), dims=(1, 0)) if len(x._array.shape) == 2 else conj(x).transpose(-1, -2)


@primitive(
    rule=same,
    vjp=(lambda g, other: matmul.emit(g, _transposed(other)), lambda g, input: matmul.emit(_transposed(input), g)),
    operator="matmul",
    aliases=("linalg.matmul",),
    samples=(
        {"shapes": ((3, 4), (4, 5))},
        {"shapes": ((2, 3, 4), (2, 4, 5))},
        {"shapes": ((2, 3, 4), (4, 5))},
        {"shapes": ((4,), (4,))},
        {"shapes": ((2, 1, 3, 4), (5, 4, 2))},
        {"shapes": ((0, 4), (4, 5))},
        {"shapes": ((3, 0), (0, 5))},
    ),
)
def matmul(input: Tensor, other: Tensor) -> Tensor:
    """Matrix product over the last two dimensions, the others broadcast; a 1-d operand is a row, or a column.

    Kernels get operands of at least two dimensions whose inner sides agree and whose outer ones broadcast.

    Raises:
        ShapeError: if the inner sides differ, the others do not broadcast, or an operand is 0-d.

    Example:
        >>> x = tc.tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> tc.matmul(x, x)
        tensor([[ 7., 10.],
                [15., 22.]])
        >>> x @ tc.tensor([1.0, -1.0])
        tensor([-1., -1.])
        >>> (tc.ones(5, 1, 2, 3) @ tc.ones(4, 3, 6)).shape
        tensorcore.Size([5, 4, 2, 6])
    """
    try:
        a, b = input._array.shape, other._array.shape
    except AttributeError:
        met = type(other if hasattr(input, "_array") else input).__name__
        raise TypeError(f"matmul: expected two tensors, got {met}") from None
    if len(a) > 1 and len(b) > 1:
        if a[-1] != b[-2]:
            _misfit(a, b)
        return matmul.emit(input, other)
    if not a or not b:
        raise ShapeError(f"matmul: 0-d tensors have no matrix product; use * (shapes {list(a)} and {list(b)})")
    if a[-1] != b[-2 if len(b) > 1 else 0]:
        _misfit(a, b)
    left = input.unsqueeze(0) if len(a) == 1 else input
    right = other.unsqueeze(1) if len(b) == 1 else other
    product = matmul.emit(left, right)
    if len(b) == 1:
        product = product.squeeze(-1)
    return product.squeeze(-1 if len(b) == 1 else -2) if len(a) == 1 else product


def _misfit(a: Any, b: Any) -> None:
    raise ShapeError(
        f"matmul: shapes {list(a)} and {list(b)} do not multiply: the last side of the first ({a[-1]}) must equal "
        f"the {'second to last' if len(b) > 1 else 'only'} side of the second ({b[-2] if len(b) > 1 else b[0]})"
    )


def _require(op: str, input: Any, other: Any, ndim: tuple[int, int]) -> None:
    if (input.ndim, other.ndim) != ndim:
        raise ShapeError(
            f"{op}: expected tensors of {ndim[0]} and {ndim[1]} dimensions, got shapes {list(input.shape)} and "
            f"{list(other.shape)}"
        )


@composite(samples=({"shapes": ((3, 4), (4, 5))},))
def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """Product of two matrices.

    Raises:
        ShapeError: for anything but two matrices whose inner sides agree.

    Example:
        >>> tc.mm(tc.tensor([[1, 2], [3, 4]]), tc.tensor([[1], [-1]]))
        tensor([[-1],
                [-1]])
    """
    _require("mm", input, mat2, (2, 2))
    return matmul(input, mat2)


@composite(samples=({"shapes": ((2, 3, 4), (2, 4, 5))},))
def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """Products of two stacks of matrices of one length.

    Raises:
        ShapeError: for anything but two stacks of one length whose inner sides agree; they do not broadcast.

    Example:
        >>> tc.bmm(tc.ones(2, 1, 3), tc.arange(6.0).reshape(2, 3, 1))
        tensor([[[ 3.]],
        <BLANKLINE>
                [[12.]]])
    """
    _require("bmm", input, mat2, (3, 3))
    if input._array.shape[0] != mat2._array.shape[0]:
        raise ShapeError(f"bmm: stacks of {input.shape[0]} and {mat2.shape[0]} matrices")
    return matmul(input, mat2)


@composite(samples=({"shapes": ((3, 4), (4,))},))
def mv(input: Tensor, vec: Tensor) -> Tensor:
    """Product of a matrix and a vector.

    Raises:
        ShapeError: for anything but a matrix and a vector that fit.

    Example:
        >>> tc.mv(tc.tensor([[1, 2], [3, 4]]), tc.tensor([1, -1]))
        tensor([-1, -1])
    """
    _require("mv", input, vec, (2, 1))
    return matmul(input, vec)


@composite(samples=({"shapes": ((4,), (4,))},))
def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """Sum of the products of two vectors, without conjugation (see `vdot`).

    Raises:
        ShapeError: for anything but two vectors of one length.

    Example:
        >>> tc.dot(tc.tensor([1, 2, 3]), tc.tensor([4, 5, 6])), tc.dot(tc.tensor([1j]), tc.tensor([1j]))
        (tensor(32), tensor(-1.+0.j))
    """
    _require("dot", input, tensor, (1, 1))
    return matmul(input, tensor)


@composite(samples=({"shapes": ((3,), (4,))},), aliases=("ger",))
def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """Products of every pair of elements of two vectors.

    Raises:
        ShapeError: for anything but two vectors.

    Example:
        >>> tc.outer(tc.tensor([1, 2]), tc.tensor([3, 4, 5]))
        tensor([[ 3,  4,  5],
                [ 6,  8, 10]])
    """
    _require("outer", input, vec2, (1, 1))
    return input.unsqueeze(1) * vec2.unsqueeze(0)


@composite(samples=({"shapes": ((5,), (3, 4), (4, 5))},), inplace=True)
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * input + alpha * (mat1 @ mat2)``.

    Example:
        >>> tc.addmm(tc.ones(2), tc.eye(2), tc.tensor([[1.0, 2.0], [3.0, 4.0]]), alpha=10)
        tensor([[11., 21.],
                [31., 41.]])
    """
    return added("addmm", input, mm, mat1, mat2, beta, alpha)


def added(op: str, input: Any, multiply: Any, left: Any, right: Any, beta: float, alpha: float) -> Any:
    """``beta * input + alpha * multiply(left, right)``, of the product's shape."""
    try:
        product = multiply(left, right)
    except ShapeError as error:
        raise ShapeError(f"{op}: {str(error).partition(': ')[2]}") from None
    given, shape = input._array.shape, product._array.shape
    lead = len(shape) - len(given)
    if given != shape and (lead < 0 or any(a not in (1, b) for a, b in zip(given, shape[lead:], strict=True))):
        raise ShapeError(f"{op}: input of shape {list(given)} does not broadcast to {list(shape)}")
    if product._kind.dtype.category < FLOATING:
        beta, alpha = int(beta), int(alpha)  # as PyTorch, which counts in the tensors' dtype
    scaled = product if alpha == 1 else product * alpha
    # With beta 0 the input is not read, so its NaN do not spread (PyTorch).
    return scaled if beta == 0 else (input if beta == 1 else input * beta) + scaled
