"""LDL factorisation of symmetric and Hermitian matrices that need not be definite, with Bunch and Kaufman's pivots.

Bunch and Kaufman, "Some stable methods for calculating inertia and solving symmetric linear systems" (1977), in
LAPACK's storage: D on the diagonal, in blocks of one or two, L below, its columns not permuted by later exchanges. The
expression goes through the columns of all matrices of a stack together; one in the second column of a block of two
waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import INTEGER, int32, int64
from tensorcore.errors import DTypeError, LinAlgError, RangeError, ShapeError
from tensorcore.levels import everywhere
from tensorcore.ops.decompositions import exchanged, filled, first_failure, joined, require_tensor, taxicab
from tensorcore.ops.joining import adjoint
from tensorcore.ops.matrix_checks import require_matrix, require_one_dtype, require_square, solvable
from tensorcore.ops.record import composite
from tensorcore.ops.returns import named
from tensorcore.shapes import broadcast_shapes

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_LINALG: Final = ("linalg",)

#: What part of its column a diagonal element must reach to be a pivot: least growth of the elements over two steps.
_ALPHA: Final = (1 + 17**0.5) / 8

_SYMMETRIC: Final = (
    {"shapes": ((3, 3),)},
    {"shapes": ((2, 5, 5),)},
    {"shapes": ((4, 4),), "hermitian": True},
    {"shapes": ((1, 1),)},
    {"shapes": ((2, 0, 0),)},
)


@composite(rule=solvable, outputs=3, namespaces=_LINALG, ulp=1024, samples=_SYMMETRIC)
def linalg_ldl_factor_ex(input: Tensor, *, hermitian: bool = False, check_errors: bool = False) -> Any:
    """LDL factors of (..., n, n) symmetric, or with ``hermitian`` Hermitian, matrices in one, pivots, and failures.

    The lower triangle is read. ``pivots`` (int32) are LAPACK's: ``p > 0`` says that a row was exchanged with row p,
    counted from 1; two equal negative numbers that D has a block of two there, whose second row was exchanged.
    ``info`` (int32) is 0, or the number of the first zero on D's diagonal.

    Raises:
        LinAlgError: with ``check_errors``, if D is singular.

    Example:
        >>> tc.linalg.ldl_factor_ex(tc.tensor([[4.0, 2.0], [2.0, 5.0]])).LD
        tensor([[4.0000, 0.0000],
                [0.5000, 4.0000]])
    """
    return named("linalg_ldl_factor_ex", **_factored("linalg.ldl_factor_ex", input, hermitian, check_errors))


@composite(rule=solvable, outputs=2, namespaces=_LINALG, ulp=1024, samples=_SYMMETRIC)
def linalg_ldl_factor(input: Tensor, *, hermitian: bool = False) -> Any:
    """`ldl_factor_ex` without ``info``.

    Raises:
        LinAlgError: if D is singular.

    Example:
        >>> tc.linalg.ldl_factor(tc.tensor([[4.0, 2.0], [2.0, 5.0]])).pivots
        tensor([1, 2], dtype=tensorcore.int32)
    """
    found = _factored("linalg.ldl_factor", input, hermitian, True)
    return named("linalg_ldl_factor", LD=found["LD"], pivots=found["pivots"])


def _factored(op: str, input: Any, hermitian: bool, check: bool) -> dict[str, Any]:
    require_square(op, "input", input)
    solvable(input.dtype, op)
    packed, pivots, info = linalg_ldl_factor_ex.emit(input, hermitian=bool(hermitian and input.is_complex()))
    failed = first_failure(info) if check else None
    if failed is not None:
        raise LinAlgError(f"{op}: {failed[0]}D[{failed[1]},{failed[1]}] is zero, so that the matrix is singular")
    return {"LD": packed, "pivots": pivots, "info": info}


@linalg_ldl_factor_ex.expression
def _ldl(input: Any, *, hermitian: bool) -> Any:
    side, lead = input.shape[-1], tuple(input.shape[:-2])
    below = input.tril(-1)
    diagonal = input.diagonal(0, -2, -1)
    diagonal = diagonal.real.to(input.dtype) if hermitian else diagonal
    rest = below + (adjoint(below) if hermitian else below.mT) + diagonal.diag_embed()
    info = filled(lead, 0, input, int32)
    second, carried = info != 0, info
    columns, pivots = [], []
    for step in range(side):
        place, two, empty = _pivot(rest)
        two, place = two & ~second, place.masked_fill(second, 0)
        info = info + (empty & ~second & (info == 0)).to(int32) * (step + 1)
        rest = _exchanged_both(rest, two.to(int64), place)
        numbers = (place + (step + 1)).to(int32)
        carried = carried.where(second, (-numbers).where(two, numbers))
        pivots.append(carried.unsqueeze(-1))
        column, rest = _step(rest, second, two, hermitian)
        columns.append(joined([filled((*lead, step, 1), 0, input), column], -2))
        second = two
    if not columns:
        return input.clone(), filled((*lead, 0), 0, input, int32), info
    return joined(columns, -1), joined(pivots, -1), info


def _pivot(rest: Any) -> tuple[Any, Any, Any]:
    """(place to exchange with, whether the pivot is a block of two, whether there is none) for each matrix."""
    sizes = taxicab(rest.detach())
    corner = sizes[..., 0, 0]
    if sizes.shape[-1] == 1:
        none = (corner == 0) | (corner != corner)
        return none.to(int64) * 0, none & ~none, none
    beside = sizes[..., 1:, 0]
    largest, place = beside.amax(-1), beside.argmax(-1) + 1
    row = sizes.gather(-2, place[..., None, None].expand((*place.shape, 1, sizes.shape[-1]))).squeeze(-2)
    own = row.gather(-1, place.unsqueeze(-1)).squeeze(-1)
    others = row.scatter(-1, place.unsqueeze(-1), 0.0).amax(-1)
    none = ~(corner.maximum(largest) > 0)
    fits = (corner >= _ALPHA * largest) | (corner >= _ALPHA * largest * (largest / others))
    two = ~fits & ~none & (own < _ALPHA * others)
    return place.masked_fill(fits | none, 0), two, none


def _exchanged_both(x: Any, first: Any, second: Any) -> Any:
    """Symmetric matrices with rows and columns ``first`` and ``second`` exchanged."""
    return exchanged(exchanged(x, first, second, -2), first, second, -1)


def _step(rest: Any, second: Any, two: Any, hermitian: bool) -> tuple[Any, Any]:
    """The next column of the factors, and what is left: by a pivot of one, of two, or none in a second column."""
    second, two = second[..., None, None], two[..., None, None]
    corner, below, inner = rest[..., :1, :1], rest[..., 1:, :1], rest[..., 1:, 1:]
    column = below / corner.masked_fill(second | two | (corner == 0), 1)
    left = inner - (column * rest[..., :1, 1:]).masked_fill(second, 0)
    column = below.where(second, column)
    if rest.shape[-1] > 1:
        other, one, pair = rest[..., 1:2, 1:2], rest[..., 2:, :1], rest[..., 2:, 1:2]
        # The inverse of the block, divided by its element beside the diagonal as in LAPACK.
        beside = rest[..., 1:2, :1].masked_fill(~two, 1)
        scale = beside.abs().to(rest.dtype) if hermitian else beside
        turn = beside / scale
        a, b = other / scale, corner / scale
        factor = 1 / ((a * b - 1).masked_fill(~two, 1) * scale)
        first, last = factor * (a * one - turn * pair), factor * (b * pair - (turn.conj() if hermitian else turn) * one)
        column = joined([rest[..., 1:2, :1], first], -2).where(two, column)
        block = rest[..., 2:, 2:] - first * rest[..., :1, 2:] - last * rest[..., 1:2, 2:]
        whole = joined([joined([other, last], -2), joined([rest[..., 1:2, 2:], block], -2)], -1)
        left = whole.where(two, left)
    return joined([corner, column], -2), left


# ------------------------------------------------------------------ solving


@composite(
    rule=solvable, namespaces=_LINALG, operands=("LD", "pivots", "B"), promotes=("LD", "B"), ulp=1024,
    samples=(
        {
            "shapes": ((3, 3), (3,), (3, 2)), "prepare": ("well_conditioned",), "dtypes": (None, "int32", None),
            "domains": (None, (3, 4), None),
        },
        {
            "shapes": ((2, 3, 3), (2, 3), (3, 2)), "prepare": ("well_conditioned",), "hermitian": True,
            "dtypes": (None, "int32", None), "domains": (None, (3, 4), None),
        },
    ),
)  # fmt: skip
def linalg_ldl_solve(LD: Tensor, pivots: Tensor, B: Tensor, *, hermitian: bool = False) -> Tensor:
    """X (..., n, k) with ``A @ X = B``, from what `linalg.ldl_factor` returns for A.

    Raises:
        RangeError: if a pivot is no row.

    Example:
        >>> LD, pivots = tc.linalg.ldl_factor(tc.tensor([[4.0, 2.0], [2.0, 5.0]]))
        >>> tc.linalg.ldl_solve(LD, pivots, tc.tensor([[6.0], [7.0]]))
        tensor([[1.],
                [1.]])
    """
    op = "linalg.ldl_solve"
    require_square(op, "LD", LD)
    require_tensor(op, "pivots", pivots)
    require_matrix(op, "B", B)
    solvable(LD.dtype, op)
    require_one_dtype(op, LD=LD, B=B)
    if tuple(pivots.shape) != tuple(LD.shape[:-1]) or B.shape[-2] != LD.shape[-1]:
        raise ShapeError(
            f"{op}: expected pivots of shape {list(LD.shape[:-1])} and B with {LD.shape[-1]} rows for LD of shape "
            f"{list(LD.shape)}, got pivots of shape {list(pivots.shape)} and B of {list(B.shape)}"
        )
    if pivots.dtype.category != INTEGER:
        raise DTypeError(f"{op}: pivots must be integers, got {pivots.dtype}")
    side = LD.shape[-1]
    if pivots.numel() and not bool(everywhere((pivots != 0) & (pivots <= side) & (pivots >= -side)).all()):
        raise RangeError(f"{op}: pivots must be from 1 to {side}, or negative, as linalg.ldl_factor returns them")
    return linalg_ldl_solve.emit(LD, pivots, B, hermitian=bool(hermitian and LD.is_complex()))


@linalg_ldl_solve.expression
def _ldl_solved(packed: Any, pivots: Any, B: Any, *, hermitian: bool) -> Any:
    lead, side = broadcast_shapes(packed.shape[:-2], B.shape[:-2]), packed.shape[-1]
    packed, B = packed.expand((*lead, side, side)), B.expand((*lead, *B.shape[-2:]))
    pivots = pivots.expand((*lead, side)).to(int64)
    if packed.numel() == 0 or B.numel() == 0:
        return B.clone()
    opens: list[Any] = []
    for step in range(side):
        negative = pivots[..., step] < 0
        opens.append(negative & ~opens[-1] if opens else negative)
    # Where a block of two begins, the element below the diagonal is D's; where it ends, nothing was exchanged.
    blocks = joined([each.unsqueeze(-1) for each in opens], -1)
    lower = packed.tril(-1)
    lower = lower - lower.diagonal(-1, -2, -1).masked_fill(~blocks[..., : side - 1], 0).diag_embed(-1)
    moves = [
        (opens[step].to(int64) + step, (pivots[..., step].abs() - 1).where(opens[step] | (pivots[..., step] > 0), step))
        for step in range(side)
    ]
    x = B
    for step, (first, second) in enumerate(moves):
        x = exchanged(x, first, second, -2)
        x = x - lower[..., step : step + 1] * x[..., step : step + 1, :]
    x = _block_solved(packed, blocks, x, hermitian)
    upper = adjoint(lower) if hermitian else lower.mT
    for step in range(side - 1, -1, -1):
        row = x[..., step : step + 1, :] - upper[..., step : step + 1, :] @ x
        x = joined([x[..., :step, :], row, x[..., step + 1 :, :]], -2)
        x = exchanged(x, *moves[step], -2)
    return x


def _block_solved(packed: Any, blocks: Any, B: Any, hermitian: bool) -> Any:
    """``B`` over the block diagonal D: single elements, or blocks of two that begin where ``blocks`` says."""
    diagonal = packed.diagonal(0, -2, -1).unsqueeze(-1)
    diagonal = diagonal.real.to(packed.dtype) if hermitian else diagonal
    if packed.shape[-1] == 1:
        return B / diagonal
    opens = blocks[..., :-1].unsqueeze(-1)
    below = packed.diagonal(-1, -2, -1).unsqueeze(-1).masked_fill(~opens, 1)
    above = below.conj() if hermitian else below
    a, c = diagonal[..., :-1, :], diagonal[..., 1:, :]
    # Divided by the element beside the diagonal, which is the largest.
    factor = 1 / ((a / below) * (c / above) - 1).masked_fill(~opens, 1)
    top, bottom = B[..., :-1, :] / above, B[..., 1:, :] / below
    first, second = factor * ((c / below) * top - bottom), factor * ((a / above) * bottom - top)
    single = B / diagonal.masked_fill(_paired(blocks).unsqueeze(-1), 1)
    nothing = filled((*B.shape[:-2], 1, B.shape[-1]), 0, B)
    ends = joined([filled((*blocks.shape[:-1], 1), False, blocks), blocks[..., :-1]], -1).unsqueeze(-1)
    opened = joined([first, nothing], -2).where(blocks.unsqueeze(-1), single)
    return joined([nothing, second], -2).where(ends, opened)


def _paired(blocks: Any) -> Any:
    """Where an element belongs to a block of two."""
    return blocks | joined([filled((*blocks.shape[:-1], 1), False, blocks), blocks[..., :-1]], -1)
