"""Systems of linear equations whose matrix comes decomposed, by LU or Cholesky's way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import int32, int64
from tensorcore.errors import DTypeError, RangeError, ShapeError
from tensorcore.levels import everywhere
from tensorcore.ops import elementwise as e
from tensorcore.ops.decompositions import identity
from tensorcore.ops.joining import adjoint as adjointed_of
from tensorcore.ops.matrix_checks import require_matrix, require_one_dtype, require_square, solvable
from tensorcore.ops.movement import expand
from tensorcore.ops.record import REGISTRY, composite
from tensorcore.ops.solving import factors_solved, linalg_solve_triangular, require_fit, require_regular

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor


@composite(
    namespaces=("linalg",), ulp=64, operands=("LU", "pivots", "B"),
    samples=tuple(
        {"shapes": (shape, shape[:-1], right), "dtypes": (None, "int32", None), "domains": (None, (3, 4), None),
         "prepare": ("well_conditioned",), **more}
        for shape, right, more in (((3, 3), (3, 2), {}), ((2, 3, 3), (3, 2), {"adjoint": True}),
                                   ((3, 3), (2, 3), {"left": False}))
    ),
)  # fmt: skip
def linalg_lu_solve(
    LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False
) -> Tensor:  # fmt: skip
    """X with ``A X = B`` (``X A = B`` unless ``left``) from the ``LU, pivots`` that `linalg.lu_factor` makes of A.

    ``adjoint`` solves with the adjoint of A. The leading dimensions of LU (*, n, n) and B (*, n, k) broadcast.

    Raises:
        ShapeError: where the shapes do not fit.
        DTypeError: for pivots that are not int32, and where LU and B differ.
        RangeError: for pivots that are no rows.

    Example:
        >>> LU, pivots = tc.linalg.lu_factor(tc.tensor([[2.0, 0.0], [0.0, 4.0]]))
        >>> tc.linalg.lu_solve(LU, pivots, tc.tensor([[4.0], [8.0]]))
        tensor([[2.],
                [2.]])
    """
    return _from_factors("linalg.lu_solve", LU, pivots, B, left, adjoint)


def _from_factors(op: str, LU: Any, pivots: Any, B: Any, left: bool, adjointed: bool) -> Any:
    require_square(op, "LU", LU)
    require_matrix(op, "B", B)
    require_one_dtype(op, LU=LU, B=B)
    solvable(LU.dtype, op)
    if pivots.dtype is not int32:
        raise DTypeError(f"{op}: pivots must be int32, got {pivots.dtype}")
    if pivots.shape != LU.shape[:-1]:
        raise ShapeError(
            f"{op}: LU of shape {list(LU.shape)} takes pivots of shape {list(LU.shape[:-1])}, got {list(pivots.shape)}"
        )
    require_fit(op, LU, B, left)
    side = LU._array.shape[-1]
    if pivots.numel():
        least, most = everywhere(pivots).min().item(), everywhere(pivots).max().item()
        if not 1 <= least <= most <= side:
            raise RangeError(f"{op}: pivots count rows from 1 to {side}, got {least} to {most}")
    if left:
        return factors_solved(LU, pivots, B, adjointed)
    # X A = B is A^H X^H = B^H.
    return adjointed_of(factors_solved(LU, pivots, adjointed_of(B), not adjointed))


@composite(
    ulp=64, operands=("input", "LU_data", "LU_pivots"),
    samples=({"shapes": ((3, 2), (3, 3), (3,)), "dtypes": (None, None, "int32"), "domains": (None, None, (3, 4)),
              "prepare": (None, "well_conditioned")},),
)  # fmt: skip
def lu_solve(input: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
    """`linalg.lu_solve` with the right-hand side first.

    Example:
        >>> LU, pivots = tc.linalg.lu_factor(tc.tensor([[2.0, 0.0], [0.0, 4.0]]))
        >>> tc.lu_solve(tc.tensor([[4.0], [8.0]]), LU, pivots)
        tensor([[2.],
                [2.]])
    """
    return _from_factors("lu_solve", LU_data, LU_pivots, input, True, False)


def _cholesky_solved(B: Any, L: Any, upper: bool) -> Any:
    other = adjointed_of(L)
    first, second = (other, L) if upper else (L, other)
    half = linalg_solve_triangular.emit(first, B, upper=False, unitriangular=False)
    return linalg_solve_triangular.emit(second, half, upper=True, unitriangular=False)


@composite(
    ulp=64,
    samples=({"shapes": ((3, 2), (3, 3)), "prepare": (None, "well_conditioned")},
             {"shapes": ((2, 3, 2), (3, 3)), "prepare": (None, "well_conditioned"), "upper": True}),
)  # fmt: skip
def cholesky_solve(input: Tensor, input2: Tensor, upper: bool = False) -> Tensor:
    """X with ``A X = input`` from the Cholesky factor ``input2`` of A: ``A = L L^H``, or ``U^H U`` if ``upper``.

    Raises:
        ShapeError: where the factor is not square or ``input`` (*, n, k) does not fit it.
        DTypeError: for integers and 16-bit floats.

    Example:
        >>> L = tc.linalg.cholesky(tc.tensor([[4.0, 0.0], [0.0, 16.0]]))
        >>> tc.cholesky_solve(tc.tensor([[4.0], [8.0]]), L)
        tensor([[1.0000],
                [0.5000]])
    """
    op = "cholesky_solve"
    require_matrix(op, "input", input)
    require_square(op, "input2", input2)
    require_one_dtype(op, input=input, input2=input2)
    solvable(input.dtype, op)
    require_fit(op, input2, input, True)
    return _cholesky_solved(input, input2, upper)


@composite(
    ulp=64,
    samples=({"shapes": ((3, 3),), "prepare": ("well_conditioned",)},
             {"shapes": ((2, 3, 3),), "prepare": ("well_conditioned",), "upper": True}),
)  # fmt: skip
def cholesky_inverse(input: Tensor, upper: bool = False) -> Tensor:
    """Inverse of A from its Cholesky factor: ``A = L L^H``, or ``U^H U`` if ``upper``.

    Raises:
        LinAlgError: where the factor has a zero on its diagonal.

    Example:
        >>> tc.cholesky_inverse(tc.tensor([[2.0, 0.0], [0.0, 4.0]]))
        tensor([[0.2500, 0.0000],
                [0.0000, 0.0625]])
    """
    op = "cholesky_inverse"
    require_square(op, "input", input)
    solvable(input.dtype, op)
    from tensorcore.ops.creation import ramp

    side = input._array.shape[-1]
    zero = e.eq(REGISTRY["diagonal"](input.detach(), 0, -2, -1), 0)
    # The number of the first zero, counted from 1; 0 where there is none.
    places = e.where(zero, ramp(1, 1, side, int64, input.device), side + 1)
    if side:
        first = places.amin(-1)
        require_regular(op, e.where(e.gt(first, side), 0, first), "input")
    shape = (*input._array.shape[:-2], side, side)
    return _cholesky_solved(expand(identity(side, side, input), shape), input, upper)
