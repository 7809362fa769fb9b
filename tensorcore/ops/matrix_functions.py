"""Functions of matrices: exponentials, powers, products of several; products of stacked vectors."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import BOOL, FLOATING, INTEGER, DType, finfo, int64
from tensorcore.errors import DimensionError, DTypeError, RangeError, ShapeError
from tensorcore.levels import everywhere
from tensorcore.ops import elementwise as e
from tensorcore.ops.decompositions import identity
from tensorcore.ops.joining import adjoint
from tensorcore.ops.linalg import matmul, mm
from tensorcore.ops.matrix_checks import require_floating, require_one_dtype, require_square
from tensorcore.ops.movement import cat, expand, stack
from tensorcore.ops.outputs import stored
from tensorcore.ops.precision import widened
from tensorcore.ops.record import REGISTRY, composite
from tensorcore.ops.solving import linalg_inv, linalg_solve_ex
from tensorcore.shapes import broadcast_shapes, normalize_dim

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_LINALG: Final = ("linalg",)

# ------------------------------------------------------------------ exponential

#: Degrees of the Pade approximants and the largest 1-norms for which their backward error is below rounding, in float64
#: and in float32: Higham, "The scaling and squaring method for the matrix exponential revisited" (2005), table 2.3.
_DEGREES: Final = {
    True: (
        (3, 1.495585217958292e-2), (5, 2.539398330063230e-1), (7, 9.504178996162932e-1), (9, 2.097847961257068),
        (13, 5.371920351148152),
    ),
    False: ((3, 4.258730016922831e-1), (5, 1.880152677804762), (7, 3.925724783138660)),
}  # fmt: skip


@cache
def _pade(degree: int) -> tuple[int, ...]:
    """Coefficients of the numerator of the Pade approximant of exp, from the constant one; the last is 1."""
    return tuple(
        math.factorial(2 * degree - j) // (math.factorial(degree - j) * math.factorial(j)) for j in range(degree + 1)
    )


def _approximated(A: Any, degree: int) -> Any:
    """The Pade approximant ``(V - U)^-1 (V + U)``, U of the odd powers and V of the even ones."""
    b = _pade(degree)
    powers = [identity(A.shape[-1], A.shape[-1], A), matmul(A, A)]
    # Degree 13 is 6 and 7 times two: six products instead of eight.
    held = 3 if degree == 13 else degree // 2
    while len(powers) <= held:
        powers.append(matmul(powers[-1], powers[1]))

    def total(first: int, start: int, stop: int) -> Any:
        terms = [powers[k] * float(b[first + 2 * k]) for k in range(start, stop)]
        while len(terms) > 1:
            terms.append(terms.pop(0) + terms.pop(0))
        return terms[0]

    def parts(first: int) -> Any:
        low = total(first, 0, held + 1)
        if degree != 13:
            return low
        high = [powers[k] * float(b[first + 2 * (k + 3)]) for k in (1, 2, 3)]
        return matmul(powers[3], high[0] + high[1] + high[2]) + low

    U, V = matmul(A, parts(1)), parts(0)
    return linalg_solve_ex.emit(V - U, V + U)[0]


def _matrix_exp_rule(g: Any, input: Any) -> Any:
    # exp([[A, E], [0, A]]) has the derivative of exp at A along E in its corner (Najfeld and Havel, 1995).
    A = adjoint(input)
    side = A.shape[-1]
    upper = cat([A, expand(g, A.shape)], -1)
    lower = cat([A * 0, A], -1)
    return matrix_exp.emit(cat([upper, lower], -2))[..., :side, side:]


def _inexact(dtype: DType, op: str) -> tuple[DType, DType]:
    if dtype.category < FLOATING:
        raise DTypeError(f"{op}: expected a floating-point or complex tensor, got a tensor of dtype {dtype}")
    return dtype, dtype


@composite(
    rule=_inexact, vjp=(_matrix_exp_rule,), aliases=("linalg.matrix_exp",), shown="LinalgMatrixExpBackward0", ulp=128,
    domain=(-1, 1), samples=tuple({"shapes": (shape,)} for shape in ((3, 3), (2, 4, 4), (1, 1), (2, 0, 0))),
)  # fmt: skip
def matrix_exp(input: Tensor) -> Tensor:
    """Exponentials of matrices of shape (*, n, n), by scaling and squaring with Pade approximants (Higham, 2005).

    Raises:
        ShapeError: where a matrix is not square.
        DTypeError: for integers.

    Example:
        >>> tc.matrix_exp(tc.tensor([[0.0, 1.0], [0.0, 0.0]]))
        tensor([[1., 1.],
                [0., 1.]])
    """
    require_square("matrix_exp", "input", input)
    require_floating("matrix_exp", input)
    return matrix_exp.emit(input)


@matrix_exp.expression
@widened
def _matrix_exp(input: Tensor) -> Any:
    if input.numel() == 0 or input.shape[-1] == 1:
        return e.exp(input)
    sizes = e.abs(input).sum(-2).amax(-1)
    # Where one is not finite it becomes NaN, whatever the others need.
    sizes = e.where(e.lt(sizes, math.inf), sizes, 0)
    largest = float(everywhere(sizes).max().item())
    degrees = _DEGREES[finfo(input.dtype).eps < 1e-10]
    for degree, bound in degrees:
        if largest <= bound:
            return _approximated(input, degree)
    halvings = max(0, math.ceil(math.log2(largest / bound)))
    if input.ndim == 2:
        result = _approximated(input * 2.0**-halvings, degree)
        for _ in range(halvings):
            result = matmul(result, result)
        return result
    # Each matrix is halved as often as it needs; more would cost digits.
    each = e.ceil(e.log(e.where(e.gt(sizes, bound), sizes / bound, 1)) / math.log(2))[..., None, None]
    result = _approximated(input * e.pow(0.5, each).to(input.dtype), degree)
    for turn in range(halvings):
        result = e.where(e.gt(each, turn), matmul(result, result), result)
    return result


# ------------------------------------------------------------------ powers


@composite(
    aliases=("linalg.matrix_power",), ulp=64,
    samples=tuple({"shapes": (shape,), "prepare": ("well_conditioned",), "args": (n,)}
                  for shape, n in (((3, 3), 3), ((2, 3, 3), 0), ((3, 3), -2), ((2, 2), 1), ((0, 0), 2))),
)  # fmt: skip
def matrix_power(input: Tensor, n: int) -> Tensor:
    """``n``-th powers of matrices of shape (*, m, m), by squaring; a negative ``n`` is a power of the inverse.

    Raises:
        ShapeError: where a matrix is not square.
        LinAlgError: for a negative ``n``, where a matrix is singular.

    Example:
        >>> tc.matrix_power(tc.tensor([[1, 1], [1, 0]]), 10)
        tensor([[89, 55],
                [55, 34]])
    """
    op = "matrix_power"
    require_square(op, "input", input)
    if not hasattr(n, "__index__"):
        raise TypeError(f"{op}: n must be an int, got {type(n).__name__}")
    n = n.__index__()
    if input.dtype.category == BOOL and n not in (0, 1):
        raise DTypeError(f"{op}: expected numbers, got a tensor of dtype {input.dtype}")
    if n < 0:
        input, n = linalg_inv(input), -n
    if n == 0:
        one = identity(input.shape[-1], input.shape[-1], input)
        return e.where(e.eq(one, one), one, input)  # in the graph, with a gradient of zero
    if n == 1:
        return input.clone()
    result: Any = None
    while True:
        if n & 1:
            result = input if result is None else matmul(result, input)
        n >>= 1
        if not n:
            return result
        input = matmul(input, input)


@composite(
    namespaces=_LINALG, ulp=8, domain=(0.5, 1.5),
    samples=({"shapes": ((3,),)}, {"shapes": ((2, 3),), "N": 5}, {"shapes": ((2, 3),), "N": 2}),
)  # fmt: skip
def linalg_vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """Powers from 0 to ``N - 1`` of the elements of vectors (*, n), as (*, n, N); ``N`` is n by default.

    Integers give int64.

    Example:
        >>> tc.linalg.vander(tc.tensor([1, 2, 3]), N=4)
        tensor([[ 1,  1,  1,  1],
                [ 1,  2,  4,  8],
                [ 1,  3,  9, 27]])
    """
    op = "linalg.vander"
    if x.dtype.category == BOOL or (x.dtype.category >= FLOATING and x.dtype.itemsize < 4):
        raise DTypeError(f"{op}: expected integers, float32, float64 or complex numbers, got {x.dtype}")
    count = N if N is not None else x.shape[-1] if x.ndim else 1
    if count <= 1:
        raise RangeError(f"{op}: N must be greater than 1, got {count}")
    if x.ndim == 0:
        x = x.unsqueeze(0)
    if x.dtype.category == INTEGER:
        x = x.to(int64)
    power = x.unsqueeze(-1)
    powers = REGISTRY["ones_like"](power)
    while (held := powers.shape[-1]) < count:
        # As many again, times the first that is not held; no more than are asked for, which might overflow.
        powers = cat([powers, powers[..., : count - held] * power], -1)
        if 2 * held < count:
            power = power * power
    return powers


# ------------------------------------------------------------------ products


def _cheapest(sides: list[int]) -> dict[tuple[int, int], int]:
    """Where to split each run of matrices of these sides so that the product takes the least multiplications."""
    count = len(sides) - 1
    cost = {(i, i): 0 for i in range(count)}
    split: dict[tuple[int, int], int] = {}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            cost[i, j], split[i, j] = min(
                (cost[i, k] + cost[k + 1, j] + sides[i] * sides[k + 1] * sides[j + 1], k) for k in range(i, j)
            )
    return split


def _product(matrices: Sequence[Any]) -> Any:
    split = _cheapest([matrices[0].shape[0], *(x.shape[1] for x in matrices)])

    def product(i: int, j: int) -> Any:
        return matrices[i] if i == j else mm(product(i, split[i, j]), product(split[i, j] + 1, j))

    return product(0, len(matrices) - 1)


@composite(
    namespaces=_LINALG,
    samples=({"shapes": ((2, 3), (3, 4))}, {"shapes": ((2, 3), (3, 4), (4, 5))}, {"shapes": ((3,), (3, 4), (4,))},
             {"shapes": ((5, 2), (2, 6), (6, 1), (1, 3))}),
)  # fmt: skip
def linalg_multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """Product of two or more matrices, in the order of least work; the first and last may be vectors.

    Raises:
        ShapeError: for fewer than two tensors, and where neighbours do not multiply.
        DTypeError: for tensors of different dtypes.

    Example:
        >>> tc.linalg.multi_dot([tc.ones(2, 3), tc.ones(3, 4), tc.ones(4)])
        tensor([12., 12.])
    """
    op = "linalg.multi_dot"
    if hasattr(tensors, "_kind"):
        raise TypeError(f"{op}: expected a sequence of tensors, got a tensor")
    parts = list(tensors)
    strangers = [type(x).__name__ for x in parts if not hasattr(x, "_kind")]
    if strangers:
        raise TypeError(f"{op}: expected tensors, got {strangers[0]}")
    if len(parts) < 2:
        raise ShapeError(f"{op}: expected at least 2 tensors, got {len(parts)}")
    require_one_dtype(op, **{f"tensors[{place}]": x for place, x in enumerate(parts)})
    for place, x in enumerate(parts):
        able = (1, 2) if place in (0, len(parts) - 1) else (2,)
        if x.ndim not in able:
            wanted = "1 or 2 dimensions" if len(able) > 1 else "2 dimensions"
            raise ShapeError(f"{op}: tensors[{place}] must have {wanted}, got shape {list(x.shape)}")
    row, column = parts[0].ndim == 1, parts[-1].ndim == 1
    for place in range(len(parts) - 1):
        if parts[place].shape[-1] != parts[place + 1].shape[0]:
            raise ShapeError(
                f"{op}: tensors[{place}] and tensors[{place + 1}], of shapes {list(parts[place].shape)} and "
                f"{list(parts[place + 1].shape)}, do not multiply"
            )
    if row:
        parts[0] = parts[0].unsqueeze(0)
    if column:
        parts[-1] = parts[-1].unsqueeze(1)
    result = _product(parts)
    if column:
        result = result.squeeze(-1)
    return result.squeeze(0) if row else result


@composite(namespaces=("",))
def chain_matmul(*matrices: Tensor, out: Tensor | None = None) -> Tensor:
    """Product of matrices, in the order of least work; `linalg.multi_dot` is the newer one.

    Example:
        >>> tc.chain_matmul(tc.ones(2, 3), tc.ones(3, 4), tc.ones(4, 1))
        tensor([[12.],
                [12.]])
    """
    op = "chain_matmul"
    if not matrices:
        raise ShapeError(f"{op}: expected one or more matrices")
    for place, x in enumerate(matrices):
        if not hasattr(x, "_kind"):
            raise TypeError(f"{op}: expected tensors, got {type(x).__name__}")
        if x.ndim != 2:
            raise ShapeError(f"{op}: expected matrices, got shape {list(x.shape)} at place {place}")
    return stored(op, _product(matrices), out)


@composite(
    rule=_inexact, namespaces=(),
    vjp=(lambda g, other, dim: e.conj(g).unsqueeze(dim) * other, lambda g, input, dim: g.unsqueeze(dim) * input),
    samples=({"shapes": ((3, 4), (4,)), "dim": -1}, {"shapes": ((3, 2), (3, 2)), "dim": -2}),
)  # fmt: skip
def vector_products(input: Tensor, other: Tensor, *, dim: int) -> Tensor:
    """Sums of the products of the conjugate of ``input`` with ``other`` along ``dim``, which counts from the end."""
    return vector_products.emit(input, other, dim=dim)


@vector_products.expression
def _vector_products(input: Tensor, other: Tensor, *, dim: int) -> Any:
    return (e.conj(input) * other).sum(dim)


@composite(
    namespaces=_LINALG, operands=("x", "y"),
    samples=({"shapes": ((3, 4), (4,))}, {"shapes": ((3, 4), (3, 4)), "dim": 0}, {"shapes": ((2, 3), (4, 1, 3))},
             {"shapes": ((0, 4), (1, 4))}),
)  # fmt: skip
def linalg_vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """Sums of the products of the conjugate of ``x`` with ``y`` along ``dim``; the other dimensions broadcast.

    Raises:
        ShapeError: where the shapes do not broadcast.
        DTypeError: for integers, and where the two differ.

    Example:
        >>> tc.linalg.vecdot(tc.tensor([[1.0, 2.0], [3.0, 4.0]]), tc.tensor([1.0, 10.0]))
        tensor([21., 43.])
    """
    op = "linalg.vecdot"
    require_floating(op, x)
    require_floating(op, y)
    require_one_dtype(op, x=x, y=y)
    ndim = max(x.ndim, y.ndim)
    place = normalize_dim(dim, ndim, op) - ndim
    if not 0 < -place <= min(x.ndim, y.ndim) or x.shape[place] != y.shape[place]:
        try:
            broadcast_shapes(x.shape, y.shape)
        except ShapeError as error:
            raise ShapeError(f"{op}: {error}") from None
        return (e.conj(x) * y).sum(dim)
    return vector_products.emit(x, y, dim=place)


def _cross_rules() -> tuple[Any, Any]:
    def of_input(g: Any, other: Any, dim: int) -> Any:
        return linalg_cross.emit(e.conj(other), g, dim=dim)

    def of_other(g: Any, input: Any, dim: int) -> Any:
        return linalg_cross.emit(g, e.conj(input), dim=dim)

    return of_input, of_other


def _number(dtype: DType, op: str) -> tuple[DType, DType]:
    if dtype.category == BOOL:
        raise DTypeError(f"{op}: expected numbers, got a tensor of dtype {dtype}")
    return dtype, dtype


@composite(
    rule=_number, vjp=_cross_rules(), namespaces=_LINALG,
    samples=({"shapes": ((2, 3), (2, 3))}, {"shapes": ((3, 1), (3, 4)), "dim": 0}, {"shapes": ((4, 3), (1, 3))},
             {"shapes": ((0, 3), (1, 3))}),
)  # fmt: skip
def linalg_cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """Cross products of the vectors along ``dim``, of side 3; the other dimensions broadcast.

    Raises:
        ShapeError: where the side is not 3, or the tensors differ in their number of dimensions.
        DTypeError: for bool, and where the two differ.

    Example:
        >>> tc.linalg.cross(tc.tensor([1.0, 0.0, 0.0]), tc.tensor([0.0, 1.0, 0.0]))
        tensor([0., 0., 1.])
    """
    return _crossed("linalg.cross", input, other, dim)


def _crossed(op: str, input: Any, other: Any, dim: int) -> Any:
    require_one_dtype(op, input=input, other=other)
    if input.ndim != other.ndim:
        raise ShapeError(
            f"{op}: expected tensors of as many dimensions each, got shapes {list(input.shape)} and {list(other.shape)}"
        )
    if input.ndim == 0:
        raise DimensionError(f"{op}: 0-d tensors have no vectors along dim {dim}")
    place = normalize_dim(dim, input.ndim, op)
    if input.shape[place] != 3 or other.shape[place] != 3:
        raise ShapeError(
            f"{op}: expected a side of 3 in dimension {dim}, got shapes {list(input.shape)} and {list(other.shape)}"
        )
    return linalg_cross.emit(input, other, dim=place)


@linalg_cross.expression
def _cross(input: Tensor, other: Tensor, *, dim: int) -> Any:
    shape = broadcast_shapes(input.shape, other.shape)
    a, b = expand(input, shape).unbind(dim), expand(other, shape).unbind(dim)
    return stack([a[i] * b[j] - a[j] * b[i] for i, j in ((1, 2), (2, 0), (0, 1))], dim)


@composite(samples=({"shapes": ((2, 3), (2, 3)), "dim": 1}, {"shapes": ((3, 4), (3, 1)), "dim": 0}))
def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """`linalg.cross` along ``dim``, by default the first dimension of side 3.

    Example:
        >>> tc.tensor([1.0, 0.0, 0.0]).cross(tc.tensor([0.0, 1.0, 0.0]), dim=0)
        tensor([0., 0., 1.])
    """
    if dim is None:
        warnings.warn(
            "cross: without dim the first dimension of side 3 is taken; give it, or use linalg.cross, whose default "
            "is the last dimension",
            UserWarning,
            stacklevel=2,
        )
        dim = next((place for place, side in enumerate(input.shape) if side == 3), None)
        if dim is None:
            raise ShapeError(f"cross: expected a side of 3, got shape {list(input.shape)}")
    return _crossed("cross", input, other, dim)


@composite(
    namespaces=_LINALG, ulp=0, samples=({"shapes": ((3, 4),)}, {"shapes": ((2, 3, 4),), "offset": 1, "dim1": 0})
)  # fmt: skip
def linalg_diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Diagonal number ``offset`` of the matrices in two dimensions, by default the last two, as a new last one.

    Example:
        >>> tc.linalg.diagonal(tc.tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor([1., 4.])
    """
    return REGISTRY["diagonal"](A, offset, dim1, dim2)
