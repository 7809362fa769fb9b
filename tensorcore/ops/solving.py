"""Systems of linear equations, and inverses.

`linalg_solve_ex`, `linalg_solve_triangular` and `linalg_inv_ex` do the work, on stacks of matrices whose leading
dimensions broadcast; a right-hand operand (``left=False``) is a left-hand one of the transposed equation. The other ops
are made of these three, and so are the gradients.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tensorcore.errors import ArgumentError, LinAlgError, RangeError, ShapeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.decompositions import first_failure, identity, linalg_lu_factor_ex, pivot_permutation
from tensorcore.ops.joining import adjoint
from tensorcore.ops.linalg import matmul
from tensorcore.ops.matrix_checks import require_matrix, require_one_dtype, require_square, solvable
from tensorcore.ops.movement import cat, expand
from tensorcore.ops.record import REGISTRY, composite
from tensorcore.ops.returns import named
from tensorcore.ops.views import transpose
from tensorcore.shapes import broadcast_shapes, normalize_dims

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_LINALG: Final = ("linalg",)


def turned(x: Any) -> Any:
    """The matrices transposed."""
    return transpose(x, -1, -2)


def require_regular(op: str, info: Any, what: str = "A") -> None:
    """Raise LinAlgError if ``info`` names a zero on the diagonal of a triangular factor."""
    failed = first_failure(info)
    if failed is not None:
        raise LinAlgError(
            f"{op}: {failed[0]}{what} is singular: diagonal element {failed[1]} of its triangular factor is zero"
        )


def stack_shape(op: str, A: Any, B: Any) -> tuple[int, ...]:
    """The leading dimensions of the result."""
    try:
        return broadcast_shapes(A._array.shape[:-2], B._array.shape[:-2])
    except ShapeError:
        raise ShapeError(
            f"{op}: the stacks of A, shape {list(A.shape)}, and B, shape {list(B.shape)}, do not broadcast"
        ) from None


def require_fit(op: str, A: Any, B: Any, left: bool) -> None:
    """Refuse a ``B`` that has not as many rows (``left``) or columns as ``A``, or whose stack does not broadcast."""
    side = A._array.shape[-1]
    if B._array.shape[-2 if left else -1] != side:
        raise ShapeError(
            f"{op}: for {'A X' if left else 'X A'} = B with A of shape {list(A.shape)}, B must have {side} "
            f"{'rows' if left else 'columns'}, got shape {list(B.shape)}"
        )
    stack_shape(op, A, B)


# ------------------------------------------------------------------ triangular matrices


def _triangular_rule(g: Any, y: Any, A: Any, upper: bool, unitriangular: bool) -> tuple[Any, Any]:
    grad = linalg_solve_triangular.emit(adjoint(A), g, upper=not upper, unitriangular=unitriangular)
    # Elements that are taken as ones, or not read, have no gradient.
    return REGISTRY["triu" if upper else "tril"](
        e.neg(matmul(grad, adjoint(y))), (1 if upper else -1) if unitriangular else 0
    ), grad


_TRIANGULAR: Final = ({"shapes": ((3, 3), (3, 2)), "upper": True}, {"shapes": ((2, 4, 4), (4, 3)), "upper": False},
    {"shapes": ((3, 3), (2, 3, 2)), "upper": True, "unitriangular": True},
    {"shapes": ((3, 3), (2, 3)), "upper": False, "left": False}, {"shapes": ((0, 0), (0, 2)), "upper": True},
)  # fmt: skip


@composite(
    rule=solvable, vjp=_triangular_rule, joint=True, namespaces=_LINALG, ulp=32,
    samples=tuple({**case, "prepare": ("well_conditioned",)} for case in _TRIANGULAR),
)  # fmt: skip
def linalg_solve_triangular(
    A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Tensor:
    """X with ``A X = B`` (``X A = B`` unless ``left``) for triangular matrices A of shape (*, n, n).

    Only the half that ``upper`` names is read, and the diagonal is taken as ones if ``unitriangular``. A zero on the
    diagonal gives inf and NaN, no error. The leading dimensions of A and B (*, n, k) broadcast.

    Raises:
        ShapeError: where A is not square or B does not fit it.
        DTypeError: for integers and 16-bit floats.

    Example:
        >>> A = tc.tensor([[2.0, 1.0], [0.0, 4.0]])
        >>> tc.linalg.solve_triangular(A, tc.tensor([[4.0], [8.0]]), upper=True)
        tensor([[1.],
                [2.]])
    """
    op = "linalg.solve_triangular"
    require_square(op, "A", A)
    require_matrix(op, "B", B)
    require_fit(op, A, B, left)
    if left:
        return linalg_solve_triangular.emit(A, B, upper=bool(upper), unitriangular=bool(unitriangular))
    return turned(
        linalg_solve_triangular.emit(turned(A), turned(B), upper=not upper, unitriangular=bool(unitriangular))
    )


@linalg_solve_triangular.expression
def _solve_triangular(A: Tensor, B: Tensor, *, upper: bool, unitriangular: bool) -> Any:
    shape = (*broadcast_shapes(A._array.shape[:-2], B._array.shape[:-2]), *B._array.shape[-2:])
    B = expand(B, shape)

    def substituted(first: int, last: int, right: Any) -> Any:
        """The unknowns from ``first`` to ``last``: one half of them, and the other less what that half takes."""
        if last - first < 2:
            return right if unitriangular or last == first else right / A[..., first:last, first:last]
        middle = (first + last) // 2
        above, below = right[..., : middle - first, :], right[..., middle - first :, :]
        if upper:
            under = substituted(middle, last, below)
            over = substituted(first, middle, above - matmul(A[..., first:middle, middle:last], under))
        else:
            over = substituted(first, middle, above)
            under = substituted(middle, last, below - matmul(A[..., middle:last, first:middle], over))
        return cat([over, under], -2)

    return substituted(0, shape[-2], B)


@composite(
    samples=({"shapes": ((3, 2), (3, 3)), "prepare": (None, "well_conditioned")},
             {"shapes": ((2, 3, 2), (3, 3)), "prepare": (None, "well_conditioned"), "upper": False, "transpose": True}),
    ulp=32,
)  # fmt: skip
def triangular_solve(
    input: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> Any:
    """(solution, cloned_coefficient): X with ``A X = input`` for triangular A, transposed if asked, and a copy of A.

    `linalg.solve_triangular` is the newer one.

    Example:
        >>> A = tc.tensor([[2.0, 1.0], [0.0, 4.0]])
        >>> tc.triangular_solve(tc.tensor([[4.0], [8.0]]), A).solution
        tensor([[1.],
                [2.]])
    """
    op = "triangular_solve"
    require_matrix(op, "input", input)
    require_square(op, "A", A)
    require_one_dtype(op, input=input, A=A)
    require_fit(op, A, input, True)
    matrix, half = (turned(A), not upper) if transpose else (A, bool(upper))
    solution = linalg_solve_triangular.emit(matrix, input, upper=half, unitriangular=bool(unitriangular))
    batch = stack_shape(op, A, input)
    return named("triangular_solve", solution=solution, cloned_coefficient=expand(A, (*batch, *A.shape[-2:])).clone())


# ------------------------------------------------------------------ square matrices


def _solve_rule(g: Any, y: Any, A: Any, needs: tuple[bool, ...]) -> tuple[Any, Any]:
    grad = linalg_solve_ex.emit(adjoint(A), g[0])[0]
    return e.neg(matmul(grad, adjoint(y[0]))) if needs[0] else None, grad


_SYSTEMS: Final = ({"shapes": ((3, 3), (3, 2))}, {"shapes": ((2, 3, 3), (2, 3))}, {"shapes": ((4, 4), (4,))},
    {"shapes": ((3, 3), (2, 3, 2))}, {"shapes": ((3, 3), (2, 3)), "left": False}, {"shapes": ((0, 0), (0, 2))},
)  # fmt: skip


@composite(
    rule=solvable, vjp=_solve_rule, joint=True, outputs=2, namespaces=_LINALG, ulp=64,
    samples=tuple({**case, "prepare": ("well_conditioned",)} for case in _SYSTEMS),
)  # fmt: skip
def linalg_solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False) -> Any:
    """(result, info): as `linalg.solve`, without an error for singular matrices unless ``check_errors``.

    ``info`` (int32, one for each matrix of A) is 0, or the number of the first zero on the diagonal of the triangular
    factor, counted from 1; the result then holds inf and NaN.

    Example:
        >>> tc.linalg.solve_ex(tc.tensor([[2.0, 0.0], [0.0, 4.0]]), tc.tensor([4.0, 8.0])).result
        tensor([2., 2.])
    """
    return _solved("linalg.solve_ex", A, B, left, check_errors)


def _solved(op: str, A: Any, B: Any, left: bool, check: bool) -> Any:
    require_square(op, "A", A)
    if not hasattr(B, "_kind"):
        raise TypeError(f"{op}: B must be a tensor, got {type(B).__name__}")
    require_one_dtype(op, A=A, B=B)
    vector = B.ndim == 1 or tuple(B._array.shape) == tuple(A._array.shape[:-1])
    if vector and not left:
        raise ShapeError(
            f"{op}: a vector B, shape {list(B.shape)} for A {list(A.shape)}, has no X A = B; give it as a row"
        )
    right = B.unsqueeze(-1) if vector else B
    require_matrix(op, "B", right)
    require_fit(op, A, right, left)
    if left:
        result, info = linalg_solve_ex.emit(A, right)
    else:
        result, info = linalg_solve_ex.emit(turned(A), turned(right))
        result = turned(result)
    if check:
        require_regular(op, info)
    return named("linalg_solve_ex", result=result.squeeze(-1) if vector else result, info=info)


def factors_solved(LU: Any, pivots: Any, B: Any, adjointed: bool) -> Any:
    """``A X = B``, or with the adjoint of A, from the factors of ``P A = L U``."""
    shape = (*broadcast_shapes(LU._array.shape[:-2], B._array.shape[:-2]), *B._array.shape[-2:])
    order = expand(pivot_permutation.emit(pivots, rows=shape[-2]), shape[:-1]).unsqueeze(-1)
    B = expand(B, shape)
    if not adjointed:
        rows = B.gather(-2, expand(order, shape))
        half = linalg_solve_triangular.emit(LU, rows, upper=False, unitriangular=True)
        return linalg_solve_triangular.emit(LU, half, upper=True, unitriangular=False)
    turned_factors = adjoint(LU)
    half = linalg_solve_triangular.emit(turned_factors, B, upper=False, unitriangular=False)
    rows = linalg_solve_triangular.emit(turned_factors, half, upper=True, unitriangular=True)
    return rows.gather(-2, expand(order.argsort(-2), shape))


@linalg_solve_ex.expression
def _solve_ex(A: Tensor, B: Tensor) -> Any:
    LU, pivots, info = linalg_lu_factor_ex.emit(A, pivot=True)
    return factors_solved(LU, pivots, B, False), info


@composite(
    namespaces=_LINALG, ulp=64, samples=tuple({**case, "prepare": ("well_conditioned",)} for case in _SYSTEMS)
)  # fmt: skip
def linalg_solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """X with ``A X = B`` (``X A = B`` unless ``left``) for invertible matrices A of shape (*, n, n).

    B is a vector (n), one for each matrix (*, n), or matrices (*, n, k) whose leading dimensions broadcast with those
    of A. By LU decomposition with partial pivoting.

    Raises:
        LinAlgError: where a matrix is singular.
        ShapeError: where A is not square or B does not fit it.
        DTypeError: for integers and 16-bit floats, and where A and B differ.

    Example:
        >>> tc.linalg.solve(tc.tensor([[2.0, 0.0], [0.0, 4.0]]), tc.tensor([4.0, 8.0]))
        tensor([2., 2.])
    """
    return _solved("linalg.solve", A, B, left, True)[0]


def _inverse_rule(g: Any, y: Any) -> Any:
    turned_inverse = adjoint(y[0])
    return e.neg(matmul(turned_inverse, matmul(g[0], turned_inverse)))


_SQUARE: Final = tuple(
    {"shapes": (shape,), "prepare": ("well_conditioned",)} for shape in ((3, 3), (2, 4, 4), (1, 1), (0, 0), (2, 0, 0))
)


@composite(rule=solvable, vjp=(_inverse_rule,), outputs=2, namespaces=_LINALG, ulp=64, samples=_SQUARE)
def linalg_inv_ex(A: Tensor, *, check_errors: bool = False) -> Any:
    """(inverse, info): as `linalg.inv`, without an error for singular matrices unless ``check_errors``.

    ``info`` (int32, one for each matrix) is 0, or the number of the first zero on the diagonal of the triangular
    factor, counted from 1; the inverse then holds inf and NaN.

    Example:
        >>> tc.linalg.inv_ex(tc.tensor([[2.0, 0.0], [0.0, 4.0]])).info
        tensor(0, dtype=tensorcore.int32)
    """
    return _inverted("linalg.inv_ex", A, check_errors)


@linalg_inv_ex.expression
def _inv_ex(A: Tensor) -> Any:
    batch, side = tuple(A._array.shape[:-2]), A._array.shape[-1]
    return linalg_solve_ex.emit(A, expand(identity(side, side, A), (*batch, side, side)))


def _inverted(op: str, A: Any, check: bool) -> Any:
    require_square(op, "A", A)
    inverse, info = linalg_inv_ex.emit(A)
    if check:
        require_regular(op, info)
    return named("linalg_inv_ex", inverse=inverse, info=info)


@composite(namespaces=_LINALG, ulp=64, samples=_SQUARE)
def linalg_inv(A: Tensor) -> Tensor:
    """Inverses of the matrices A of shape (*, n, n).

    Raises:
        LinAlgError: where a matrix is singular.
        ShapeError: where A is not square.
        DTypeError: for integers and 16-bit floats.

    Example:
        >>> tc.linalg.inv(tc.tensor([[2.0, 0.0], [0.0, 4.0]]))
        tensor([[0.5000, 0.0000],
                [0.0000, 0.2500]])
    """
    return _inverted("linalg.inv", A, True)[0]


@composite(ulp=64, samples=_SQUARE)
def inverse(input: Tensor) -> Tensor:
    """`linalg.inv`.

    Example:
        >>> tc.tensor([[2.0, 0.0], [0.0, 4.0]]).inverse()
        tensor([[0.5000, 0.0000],
                [0.0000, 0.2500]])
    """
    return _inverted("inverse", input, True)[0]


# ------------------------------------------------------------------ tensors as matrices


@composite(
    namespaces=_LINALG, ulp=64,
    samples=({"shapes": ((3, 3), (3,)), "prepare": ("well_conditioned",)},),
)  # fmt: skip
def linalg_tensorsolve(input: Tensor, other: Tensor, dims: Any = None) -> Tensor:
    """X with ``tensordot(input, X, X.ndim) = other``; the dimensions ``dims`` of ``input`` are moved to its end first.

    Raises:
        LinAlgError: where ``input``, read as a matrix, is singular.
        ShapeError: where it is not square.

    Example:
        >>> A = tc.eye(4).reshape(2, 2, 4)
        >>> tc.linalg.tensorsolve(A, tc.tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor([1., 2., 3., 4.])
    """
    op = "linalg.tensorsolve"
    if dims is not None:
        if not isinstance(dims, (tuple, list)):
            raise ArgumentError(f"{op}: dims must be a sequence of ints, got {dims!r}")
        moved = normalize_dims(dims, input.ndim, op)
        input = input.movedim(moved, tuple(range(-len(moved), 0)))
    rows, shape = input._array.shape[: other.ndim], tuple(input._array.shape[other.ndim :])
    if math.prod(rows) != math.prod(shape) or math.prod(rows) != other.numel():
        raise ShapeError(
            f"{op}: input of shape {list(input.shape)} is no square matrix over other of shape {list(other.shape)}: "
            f"sides {list(rows)} and {list(shape)} hold {math.prod(rows)} and {math.prod(shape)} elements"
        )
    size = other.numel()
    return linalg_solve(input.reshape((size, size)), other.reshape((size,))).reshape(shape)


@composite(
    namespaces=_LINALG, ulp=64, samples=({"shapes": ((3, 3),), "prepare": ("well_conditioned",), "ind": 1},),
)  # fmt: skip
def linalg_tensorinv(input: Tensor, ind: int = 2) -> Tensor:
    """The inverse of ``tensordot(input, _, ind)``: of the matrix over the first ``ind`` dimensions and the others.

    Raises:
        LinAlgError: where that matrix is singular.
        ShapeError: where it is not square.

    Example:
        >>> tc.linalg.tensorinv(2 * tc.eye(4).reshape(2, 2, 4), ind=2).shape
        tensorcore.Size([4, 2, 2])
    """
    op = "linalg.tensorinv"
    if ind <= 0:
        raise RangeError(f"{op}: ind must be positive, got {ind}")
    if not input.ndim:
        raise ShapeError(f"{op}: expected at least {ind} dimensions, got shape []")
    rows, columns = tuple(input._array.shape[:ind]), tuple(input._array.shape[ind:])
    size = math.prod(rows)
    if size != math.prod(columns):
        raise ShapeError(
            f"{op}: input of shape {list(input.shape)} is no square matrix at ind={ind}: sides {list(rows)} and "
            f"{list(columns)} hold {size} and {math.prod(columns)} elements"
        )
    return _inverted(op, input.reshape((size, size)), True)[0].reshape((*columns, *rows))
