"""Factorisations by elimination: Cholesky's, and LU with partial pivoting.

The expressions eliminate one column after another in all matrices of a stack at once; what is left to factorise shrinks
as they go. Gradients: Murray, "Differentiation of the Cholesky decomposition" (2016), for Cholesky; for LU those of
de Hoog, Anderssen and Lukas, "Differentiation of matrix functionals using triangular factorization" (2011).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import COMPLEX, DType, int32, int64
from tensorcore.errors import DTypeError, LinAlgError, RangeError, ShapeError
from tensorcore.levels import everywhere
from tensorcore.ops.joining import adjoint
from tensorcore.ops.matrix_checks import require_matrix, require_square, solvable
from tensorcore.ops.record import composite
from tensorcore.ops.returns import named
from tensorcore.ops.rules import same

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_LINALG: Final = ("linalg",)
_OLD: Final = ("", "Tensor")


def require_tensor(op: str, name: str, x: Any) -> None:
    """Refuse what is no tensor."""
    if not hasattr(x, "_kind"):
        raise TypeError(f"{op}: {name} must be a tensor, got {type(x).__name__}")


def solved(A: Any, B: Any, *, upper: bool, left: bool = True, unit: bool = False) -> Any:
    """``A`` triangular: X of ``A @ X = B``, or of ``X @ A = B``."""
    from tensorcore.ops.solving import linalg_solve_triangular

    return linalg_solve_triangular(A, B, upper=upper, left=left, unitriangular=unit)


def filled(shape: Any, value: Any, like: Any, dtype: Any = None) -> Any:
    """A constant of a shape on the device of ``like``, of its dtype unless another is given."""
    from tensorcore.ops.creation import full

    return full(tuple(shape), value, dtype=dtype or like.dtype, device=like.device)


def identity(rows: int, columns: int, like: Any) -> Any:
    """A matrix with ones on its diagonal, of the dtype and on the device of ``like``."""
    from tensorcore.ops.ranges import eye

    return eye(rows, columns, dtype=like.dtype, device=like.device)


def counted(count: int, like: Any) -> Any:
    """The int64 numbers from 0 on the device of ``like``."""
    from tensorcore.ops.creation import ramp

    return ramp(0, 1, count, int64, like.device)


def joined(parts: list[Any], dim: int) -> Any:
    """The parts one after another along ``dim``."""
    from tensorcore.ops.movement import cat

    return parts[0] if len(parts) == 1 else cat(parts, dim)


#: Numbers that are read as fast as one.
_FEW: Final = 64


def first_failure(info: Any) -> tuple[str, int] | None:
    """Which matrix of a stack failed first, in the words of the message, and its number in ``info``."""
    info = everywhere(info)
    if info.ndim == 0:
        number = info.item()
        return ("", number) if number else None
    # Few numbers are read at once; of many, only whether one is not zero.
    if info.numel() == 0 or (info.numel() > _FEW and not bool(info.any())):
        return None
    failed = [
        (place, number)
        for place, number in enumerate((info if info.ndim == 1 else info.reshape(-1)).tolist())
        if number
    ]
    return (f"(Batch element {failed[0][0]}): ", failed[0][1]) if failed else None


def mirrored(x: Any, upper: bool) -> Any:
    """The strict triangle of ``x`` and its adjoint, with the real part of the diagonal between them."""
    triangle = x.triu(1) if upper else x.tril(-1)
    return triangle + adjoint(triangle) + x.diagonal(0, -2, -1).real.to(x.dtype).diag_embed()


# ------------------------------------------------------------------ Cholesky


def _cholesky_rule(g: Any, y: Any, upper: bool) -> Any:
    factor, grad = (adjoint(y[0]), adjoint(g[0])) if upper else (y[0], g[0])
    inner = mirrored(adjoint(factor) @ grad, upper=False) * 0.5
    return solved(factor, solved(adjoint(factor), inner, upper=True), upper=False, left=False)


_DEFINITE: Final = tuple(
    {"shapes": (shape,), "prepare": ("positive_definite",), **more}
    for shape, more in (((3, 3), {}), ((2, 4, 4), {"upper": True}), ((1, 1), {}), ((2, 0, 0), {}))
)


@composite(
    rule=solvable, vjp=(_cholesky_rule,), outputs=2, namespaces=_LINALG, ulp=64, domain=(-2, 2), samples=_DEFINITE
)
def linalg_cholesky_ex(input: Tensor, *, upper: bool = False, check_errors: bool = False) -> Any:
    """Cholesky factors L of (..., n, n) Hermitian positive definite matrices ``L @ L.mH``, and where it failed.

    ``info`` (int32) is 0, or the order of the first leading minor that is not positive definite; the factor is then
    complete before that column. Only the lower triangle is read (with ``upper`` the upper one, for ``U.mH @ U``).

    Raises:
        LinAlgError: with ``check_errors``, if a matrix is not positive definite.

    Example:
        >>> tc.linalg.cholesky_ex(tc.tensor([[4.0, 2.0], [2.0, 5.0]])).L
        tensor([[2., 0.],
                [1., 2.]])
    """
    return _cholesky_of("linalg.cholesky_ex", input, upper, check_errors)


def _cholesky_of(op: str, input: Any, upper: bool, check: bool) -> Any:
    require_square(op, "input", input)
    solvable(input.dtype, op)
    factor, info = linalg_cholesky_ex.emit(input, upper=bool(upper))
    failed = first_failure(info) if check else None
    if failed is not None:
        raise LinAlgError(
            f"{op}: {failed[0]}The factorization could not be completed because the input is not positive-definite "
            f"(the leading minor of order {failed[1]} is not positive-definite)."
        )
    return named("linalg_cholesky_ex", L=factor, info=info)


@linalg_cholesky_ex.expression
def _cholesky(input: Any, *, upper: bool) -> Any:
    whole = rest = adjoint(input) if upper else input
    side, lead = whole.shape[-1], whole.shape[:-2]
    info = filled(lead, 0, whole, int32)
    columns = []
    for step in range(side):
        pivot = rest[..., 0, 0].real
        fails = (info == 0) & ~(pivot > 0)
        info = info + fails.to(int32) * (step + 1)
        broken = info != 0
        root = pivot.masked_fill(broken, 1).sqrt().to(whole.dtype).unsqueeze(-1)
        tail = rest[..., 1:, 0] / root
        # LAPACK leaves the columns from the failing one on as they were, but for its diagonal.
        head = pivot.to(whole.dtype).where(fails, whole[..., step, step]).unsqueeze(-1)
        column = joined([head, whole[..., step + 1 :, step]], -1)
        column = column.where(broken.unsqueeze(-1), joined([root, tail], -1))
        columns.append(joined([filled((*lead, step), 0, whole), column], -1).unsqueeze(-1))
        rest = rest[..., 1:, 1:] - tail.unsqueeze(-1) * tail.conj().unsqueeze(-2)
    factor = joined(columns, -1) if columns else whole.clone()
    return (adjoint(factor) if upper else factor), info


@composite(rule=solvable, namespaces=_LINALG, ulp=64, domain=(-2, 2), samples=_DEFINITE)
def linalg_cholesky(input: Tensor, *, upper: bool = False) -> Tensor:
    """Cholesky factor L of (..., n, n) Hermitian positive definite matrices ``L @ L.mH`` (or U of ``U.mH @ U``).

    Raises:
        LinAlgError: if a matrix is not positive definite, naming it and the first leading minor that is not.

    Example:
        >>> tc.linalg.cholesky(tc.tensor([[4.0, 2.0], [2.0, 5.0]]))
        tensor([[2., 0.],
                [1., 2.]])
    """
    factor: Tensor = _cholesky_of("linalg.cholesky", input, upper, True)[0]
    return factor


@composite(rule=solvable, namespaces=_OLD, ulp=64, domain=(-2, 2), samples=_DEFINITE)
def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """`linalg.cholesky` under its old name.

    Example:
        >>> tc.cholesky(tc.tensor([[4.0]]))
        tensor([[2.]])
    """
    if input.ndim > 1 and not input.numel():
        # Whatever its sides; PyTorch looks no further.
        return input.clone()
    factor: Tensor = _cholesky_of("cholesky", input, upper, True)[0]
    return factor


# ------------------------------------------------------------------ LU


def _inverse_rows(x: Any, places: Any) -> Any:
    """The matrix whose row ``places[i]`` is row i of ``x``."""
    return x.gather(-2, places.argsort(-1).unsqueeze(-1).expand(x.shape))


def _lu_rule(g: Any, y: Any) -> Any:
    packed, pivots, grad = y[0], y[1], g[0]
    rows, columns = packed.shape[-2:]
    k = min(rows, columns)
    lower, upper = packed[..., :k, :k].tril(-1) + identity(k, k, packed), packed[..., :k, :k].triu()
    # Beside the square part is either more of U or, below it, more of L; the other has no elements.
    right, below = packed[..., :k, k:], packed[..., k:, :k]
    g_right, g_below = grad[..., :k, k:], grad[..., k:, :k]
    g_lower, g_upper = grad[..., :k, :k].tril(-1), grad[..., :k, :k].triu()
    inner = (adjoint(lower) @ g_lower - g_right @ adjoint(right)).tril(-1)
    inner = inner + (g_upper @ adjoint(upper) - adjoint(below) @ g_below).triu()
    square = solved(adjoint(upper), inner, upper=False, left=False)
    top = solved(adjoint(lower), joined([square, g_right], -1), upper=True, unit=True)
    bottom = solved(adjoint(upper), g_below, upper=False, left=False)
    ordered = joined([top, joined([bottom, filled((*bottom.shape[:-1], columns - k), 0, bottom)], -1)], -2)
    return _inverse_rows(ordered, pivot_permutation.emit(pivots, rows=rows))


_LU: Final = (
    {"shapes": ((3, 3),), "prepare": ("well_conditioned",)},
    {"shapes": ((2, 3, 4),), "prepare": ("well_conditioned",)},
    {"shapes": ((4, 2),), "prepare": ("well_conditioned",)},
    {"shapes": ((2, 4, 4),)},
    {"shapes": ((0, 3),)},
)


@composite(rule=solvable, vjp=(_lu_rule,), outputs=3, namespaces=_LINALG, ulp=256, samples=_LU)
def linalg_lu_factor_ex(
    A: Tensor,
    *,
    pivot: bool = True,
    check_errors: bool = False,
) -> Any:
    """LU factorisation of (..., m, n) matrices in one, the pivots, and where a pivot is zero.

    ``LU`` holds U on and above the diagonal and L, whose diagonal is 1, below. Row i was exchanged with row
    ``pivots[i] - 1`` (int32, counted from 1). ``info`` (int32) is 0, or the number of the first zero on U's diagonal.

    Raises:
        LinAlgError: with ``check_errors``, if a pivot is zero.

    Example:
        >>> tc.linalg.lu_factor_ex(tc.tensor([[1.0, 2.0], [4.0, 4.0]])).LU
        tensor([[4.0000, 4.0000],
                [0.2500, 1.0000]])
    """
    return named("linalg_lu_factor_ex", **_lu_of("linalg.lu_factor_ex", A, pivot, check_errors))


def _lu_of(op: str, A: Any, pivot: bool, check: bool) -> dict[str, Any]:
    require_matrix(op, "A", A)
    solvable(A.dtype, op)
    packed, pivots, info = linalg_lu_factor_ex.emit(A, pivot=bool(pivot))
    failed = first_failure(info) if check else None
    if failed is not None:
        raise LinAlgError(
            f"torch.{op}: {failed[0]}U[{failed[1]},{failed[1]}] is zero and using it on lu_solve would result in a "
            "division by zero. If you still want to perform the factorization, consider calling "
            "linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)"
        )
    return {"LU": packed, "pivots": pivots, "info": info}


def taxicab(x: Any) -> Any:
    """By what LAPACK compares sizes: |x|, and for complex numbers |re| + |im|."""
    return x.real.abs() + x.imag.abs() if x.dtype.category == COMPLEX else x.abs()


def exchanged(x: Any, first: Any, second: Any, dim: int) -> Any:
    """``x`` with the elements at ``first`` and ``second`` along ``dim`` (-1 or -2) exchanged, other ones per matrix."""
    from tensorcore.ops.selection import take_along_dim

    numbers, second = counted(x.shape[dim], x), second.unsqueeze(-1)
    first = first.unsqueeze(-1) if hasattr(first, "unsqueeze") else filled((1,), first, numbers)
    order = second.where(numbers == first, first.where(numbers == second, numbers))
    return take_along_dim(x, order.unsqueeze(-1 if dim == -2 else -2), dim)


@linalg_lu_factor_ex.expression
def _lu(A: Any, *, pivot: bool) -> Any:
    rows, columns = A.shape[-2:]
    lead, k = A.shape[:-2], min(rows, columns)
    info = filled(lead, 0, A, int32)
    rest, done, pivots = A, [], []
    for step in range(k):
        if pivot:
            places = taxicab(rest[..., step]).argmax(-1)
            pivots.append((places + (step + 1)).to(int32).unsqueeze(-1))
            rest = exchanged(rest, 0, places, -2)
        done.append(rest[..., :1, :])
        corner = rest[..., :1, step : step + 1]
        info = info + ((info == 0) & (corner[..., 0, 0] == 0)).to(int32) * (step + 1)
        left = rest[..., 1:, step : step + 1] / corner.masked_fill(corner == 0, 1)
        trailing = rest[..., 1:, step + 1 :] - left * rest[..., :1, step + 1 :]
        rest = joined([rest[..., 1:, :step], left, trailing], -1)
    if not pivots:
        pivots = [(counted(k, A) + 1).to(int32).expand((*lead, k)).clone()]
    return joined([*done, rest], -2) if done else A.clone(), joined(pivots, -1), info


@composite(rule=solvable, outputs=2, namespaces=_LINALG, ulp=256, samples=_LU)
def linalg_lu_factor(A: Tensor, *, pivot: bool = True) -> Any:
    """`lu_factor_ex` without ``info``.

    Raises:
        LinAlgError: if a pivot is zero.

    Example:
        >>> tc.linalg.lu_factor(tc.tensor([[1.0, 2.0], [4.0, 4.0]])).pivots
        tensor([2, 2], dtype=tensorcore.int32)
    """
    found = _lu_of("linalg.lu_factor", A, pivot, True)
    return named("linalg_lu_factor", LU=found["LU"], pivots=found["pivots"])


@composite(rule=solvable, outputs=3, namespaces=_LINALG, ulp=256, samples=_LU)
def linalg_lu(A: Tensor, *, pivot: bool = True) -> Any:
    """(P, L, U) of (..., m, n) matrices ``P @ L @ U``; without ``pivot`` P is empty and left out of the product.

    Example:
        >>> tc.linalg.lu(tc.tensor([[1.0, 2.0], [4.0, 4.0]])).P
        tensor([[0., 1.],
                [1., 0.]])
    """
    found = _lu_of("linalg.lu", A, pivot, False)
    return named("linalg_lu", **_unpacked(found["LU"], found["pivots"], True, pivot))


@composite(rule=solvable, namespaces=_OLD, operands=("A",), ulp=256, samples=_LU)
def lu(A: Tensor, pivot: bool = True, get_infos: bool = False) -> Any:
    """(LU, pivots) as `linalg.lu_factor_ex`, with ``get_infos`` also info; zero pivots are no error.

    Example:
        >>> tc.lu(tc.tensor([[1.0, 2.0], [4.0, 4.0]]))[1]
        tensor([2, 2], dtype=tensorcore.int32)
    """
    found = _lu_of("lu", A, pivot, False)
    if get_infos:
        return named("_lu_with_info", LU=found["LU"], pivots=found["pivots"], info=found["info"])
    return found["LU"], found["pivots"]


# ------------------------------------------------------------------ from pivots to matrices


def _to_places(dtype: DType, op: str) -> tuple[DType, DType]:
    """Any dtype, to int64."""
    return dtype, int64


@composite(
    rule=_to_places, namespaces=(), ulp=0,
    samples=({"shapes": ((2, 3),), "dtypes": ("int32",), "domains": ((3, 5),), "rows": 4},),
)  # fmt: skip
def pivot_permutation(pivots: Tensor, *, rows: int) -> Tensor:
    """(..., k) exchanges, counted from 1 and done one after the other, as the (..., rows) places rows come from."""
    return pivot_permutation.emit(pivots, rows=rows)


@pivot_permutation.expression
def _pivot_permutation(pivots: Any, *, rows: int) -> Any:
    order = counted(rows, pivots).expand((*pivots.shape[:-1], rows))
    for step in range(min(pivots.shape[-1], rows)):
        order = exchanged(order.unsqueeze(-2), step, pivots[..., step].to(int64) - 1, -1).squeeze(-2)
    return order.clone()


def _unpacked(packed: Any, pivots: Any, data: bool, permutation: bool) -> dict[str, Any]:
    rows, columns = packed.shape[-2:]
    k = min(rows, columns)
    empty = filled((0,), 0, packed)
    lower = upper = matrix = empty
    if data:
        lower = packed[..., :k].tril(-1) + identity(rows, k, packed)
        upper = packed[..., :k, :].triu()
    if permutation:
        pivots = pivots.detach().expand((*packed.shape[:-2], pivots.shape[-1]))
        places = pivot_permutation.emit(pivots, rows=rows)
        matrix = (counted(rows, packed).unsqueeze(-1) == places.unsqueeze(-2)).to(packed.dtype)
    return {"P": matrix, "L": lower, "U": upper}


@composite(
    rule=same, outputs=3, promotes=("LU_data",), namespaces=("",), operands=("LU_data", "LU_pivots"), ulp=0,
    samples=(
        {"shapes": ((3, 2), (2,)), "dtypes": (None, "int32"), "domains": (None, (2, 4))},
        {"shapes": ((2, 2, 4), (2, 2)), "dtypes": (None, "int32"), "domains": (None, (1, 3)), "unpack_data": False},
    ),
)  # fmt: skip
def lu_unpack(
    LU_data: Tensor,
    LU_pivots: Tensor,
    unpack_data: bool = True,
    unpack_pivots: bool = True,
) -> Any:
    """(P, L, U) from what `linalg.lu_factor` returns; a part that is not asked for is empty.

    Raises:
        DTypeError: if the pivots are not int32.
        RangeError: if a pivot is no row.

    Example:
        >>> LU, pivots = tc.linalg.lu_factor(tc.tensor([[1.0, 2.0], [4.0, 4.0]]))
        >>> tc.lu_unpack(LU, pivots).L
        tensor([[1.0000, 0.0000],
                [0.2500, 1.0000]])
    """
    require_matrix("lu_unpack", "LU_data", LU_data)
    require_tensor("lu_unpack", "LU_pivots", LU_pivots)
    if LU_pivots.dtype is not int32:
        raise DTypeError(
            f"lu_unpack: expected LU_pivots of dtype int32, as linalg.lu_factor returns them, got {LU_pivots.dtype}"
        )
    rows = LU_data.shape[-2]
    if unpack_pivots:
        if LU_pivots.ndim == 0 or len(LU_pivots.shape[:-1]) > len(LU_data.shape[:-2]):
            raise ShapeError(
                f"lu_unpack: LU_pivots of shape {list(LU_pivots.shape)} does not fit LU_data of {list(LU_data.shape)}"
            )
        if LU_pivots.numel() and not bool(everywhere((LU_pivots >= 1) & (LU_pivots <= rows)).all()):
            raise RangeError(
                f"lu_unpack: pivots must be between 1 and LU_data.size(-2) = {rows}, as lu_factor makes them"
            )
    return named("lu_unpack", **_unpacked(LU_data, LU_pivots, unpack_data, unpack_pivots))
