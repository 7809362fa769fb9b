"""Least squares and pseudoinverses: solutions where a matrix is singular, or not square."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import finfo, int64
from tensorcore.errors import RangeError, ShapeError
from tensorcore.levels import everywhere
from tensorcore.ops import elementwise as e
from tensorcore.ops.joining import adjoint
from tensorcore.ops.linalg import matmul
from tensorcore.ops.matrix_checks import require_matrix, require_one_dtype, require_square, solvable
from tensorcore.ops.matrix_norms import tolerance
from tensorcore.ops.record import REGISTRY, composite
from tensorcore.ops.reduction import amax
from tensorcore.ops.returns import named
from tensorcore.shapes import broadcast_shapes

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor


def _pseudoinverse_gradient(g: Any, inverse: Any, A: Any) -> Any:
    """Gradient of the pseudoinverse Y of A where the rank stays (Golub and Pereyra, 1973).

    ``dY = -Y dA Y + Y Y^H dA^H (I - A Y) + (I - Y A) dA^H Y^H Y``.
    """
    turned, back = adjoint(inverse), adjoint(g)
    outside = matmul(back, matmul(inverse, turned))
    inside = matmul(matmul(turned, inverse), back)
    return (
        outside - matmul(A, matmul(inverse, outside)) + inside - matmul(matmul(inside, inverse), A)
        - matmul(turned, matmul(g, turned))
    )  # fmt: skip


_RECTANGULAR: Final = tuple({"shapes": (shape,)} for shape in ((4, 3), (3, 4), (2, 3, 2), (0, 3), (2, 3, 0)))


@composite(
    rule=solvable, vjp=(lambda g, y, input: _pseudoinverse_gradient(g, y, input), None, None), promotes=("input",),
    operands=("input", "atol", "rtol"), namespaces=("linalg",), ulp=64,
    samples=(*({**case, "shapes": (*case["shapes"], None, None), "order": (0,)} for case in _RECTANGULAR),
             {"shapes": ((3, 3), None, None), "prepare": ("hermitian",), "order": (0,), "hermitian": True}),
)  # fmt: skip
def linalg_pinv(
    input: Tensor, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None
) -> Tensor:
    """Pseudoinverses (Moore and Penrose) of matrices of shape (*, m, n), from their singular values.

    Singular values up to ``max(atol, rtol * largest)`` count as zero; ``rcond`` is the older name of ``rtol``. The
    tolerances are numbers, or tensors that broadcast with the stack; by default ``rtol`` is the longer side times the
    dtype's eps. With ``hermitian`` only the lower triangle is read.

    Raises:
        ShapeError: for fewer than two dimensions; with ``hermitian``, where a matrix is not square.
        DTypeError: for integers and 16-bit floats.

    Example:
        >>> tc.linalg.pinv(tc.tensor([[2.0, 0.0], [0.0, 0.0]]))
        tensor([[0.5000, 0.0000],
                [0.0000, 0.0000]])
    """
    return _pseudoinverse("linalg.pinv", input, rcond, hermitian, atol, rtol)


def _pseudoinverse(op: str, input: Any, rcond: Any, hermitian: bool, atol: Any, rtol: Any) -> Any:
    require_matrix(op, "input", input)
    solvable(input.dtype, op)
    if hermitian:
        require_square(op, "input", input)
    if rcond is not None:
        if atol is not None or rtol is not None:
            raise TypeError(f"{op}: rcond is the older name of rtol; give it alone")
        atol, rtol = 0.0, rcond
    atol, rtol = tolerance(op, input, atol, rtol)
    return linalg_pinv.emit(input, atol, rtol, hermitian=bool(hermitian))


def _reciprocal(values: Any, atol: Any, rtol: Any) -> tuple[Any, Any]:
    """One over each singular value, or zero where it counts as zero; and where it does not."""
    size = e.abs(values)
    # What is NaN is held, so that it shows.
    held = ~e.le(size, e.maximum(atol, rtol * amax(size, -1)).unsqueeze(-1))
    return e.where(held, 1 / e.where(held, values, 1), 0), held


@linalg_pinv.expression
def _pinv(input: Tensor, atol: Tensor, rtol: Tensor, *, hermitian: bool) -> Any:
    if input.numel() == 0:
        return adjoint(input).clone()
    if hermitian:
        values, vectors = REGISTRY["linalg_eigh"](input)
        return matmul(vectors * _reciprocal(values, atol, rtol)[0].unsqueeze(-2), adjoint(vectors))
    U, S, Vh = REGISTRY["linalg_svd"](input, full_matrices=False)
    return matmul(adjoint(Vh) * _reciprocal(S, atol, rtol)[0].unsqueeze(-2), adjoint(U))


@composite(ulp=64, samples=_RECTANGULAR)
def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """`linalg.pinv` with another default.

    Example:
        >>> tc.tensor([[2.0, 0.0], [0.0, 0.0]]).pinverse()
        tensor([[0.5000, 0.0000],
                [0.0000, 0.0000]])
    """
    return _pseudoinverse("pinverse", input, rcond, False, None, None)


# ------------------------------------------------------------------ least squares

_DRIVERS: Final = ("gels", "gelsy", "gelsd", "gelss")


def _lstsq_rule(g: Any, y: Any, A: Any, B: Any, rcond: float, needs: tuple[bool, ...]) -> tuple[Any, Any]:
    atol, rtol = tolerance("linalg.lstsq", A, 0.0, rcond)
    inverse = linalg_pinv.emit(A, atol, rtol, hermitian=False)
    grad = _pseudoinverse_gradient(matmul(g[0], adjoint(B)), inverse, A) if needs[0] else None
    return grad, matmul(adjoint(inverse), g[0])


@composite(
    rule=solvable, vjp=_lstsq_rule, joint=True, outputs=3, namespaces=(), ulp=128, shown="LinalgLstsqBackward0",
    samples=tuple(
        {"shapes": shapes, "rcond": 1e-6, "values": len(shapes[0]) > 2}
        for shapes in (((5, 3), (5, 2)), ((3, 5), (3, 1)), ((2, 4, 2), (2, 4, 3)))
    ),
)  # fmt: skip
def least_squares(A: Tensor, B: Tensor, *, rcond: float, values: bool) -> tuple[Tensor, Tensor, Tensor]:
    """The shortest X that minimises ``norm(A X - B)``, the rank of A and, if ``values``, its singular values.

    Those up to ``rcond`` times the largest count as zero.
    """
    return least_squares.emit(A, B, rcond=rcond, values=values)


@least_squares.expression
def _least_squares(A: Tensor, B: Tensor, *, rcond: float, values: bool) -> Any:
    U, S, Vh = REGISTRY["linalg_svd"](A, full_matrices=False)
    inverse, held = _reciprocal(S, *tolerance("linalg.lstsq", A, 0.0, rcond))
    solution = matmul(adjoint(Vh), inverse.unsqueeze(-1) * matmul(adjoint(U), B))
    return solution, held.sum(-1), S if values else S[..., :0]


@composite(
    namespaces=("linalg",), ulp=128, operands=("input", "b"),
    samples=({"shapes": ((5, 3), (5, 2))}, {"shapes": ((3, 5), (3, 1))}, {"shapes": ((2, 4, 2), (2, 4, 3))},
             {"shapes": ((5, 3), (5, 2)), "driver": "gelsd"}, {"shapes": ((2, 4, 2), (2, 4)), "driver": "gels"}),
)  # fmt: skip
def linalg_lstsq(input: Tensor, b: Tensor, rcond: Any = None, *, driver: str | None = None) -> Any:
    """(solution, residuals, rank, singular_values): the X that minimises ``norm(input @ X - b)``, the shortest such.

    ``input`` is (*, m, n); ``b`` is (*, m, k), a vector (m) or one for each matrix (*, m). Singular values up to
    ``rcond`` times the largest count as zero; by default ``rcond`` is the longer side times the dtype's eps. The
    drivers differ in what they return, as LAPACK's: ``rank`` is empty for ``"gels"``, ``singular_values`` for it and
    ``"gelsy"`` (the default, which needs none), and the ``residuals``, sums of squares by column, are empty for
    ``"gelsy"``, where m <= n, and where a rank is less than n.

    Raises:
        ShapeError: where the shapes do not fit.
        RangeError: for another driver.
        DTypeError: for integers and 16-bit floats, and where the two differ.

    Example:
        >>> A = tc.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
        >>> tc.linalg.lstsq(A, tc.tensor([[1.0], [3.0], [5.0]])).solution
        tensor([[1.0000],
                [2.0000]])
    """
    op = "linalg.lstsq"
    require_matrix(op, "input", input)
    if not hasattr(b, "_kind"):
        raise TypeError(f"{op}: b must be a tensor, got {type(b).__name__}")
    require_one_dtype(op, input=input, b=b)
    solvable(input.dtype, op)
    driver = driver or "gelsy"
    if driver not in _DRIVERS:
        raise RangeError(f"{op}: driver must be one of {', '.join(map(repr, _DRIVERS))}, got {driver!r}")
    shape, given = tuple(input._array.shape), tuple(b._array.shape)
    vector = len(given) == 1 or given == shape[:-1]
    right = b.unsqueeze(-1) if vector else b
    if right.ndim < 2 or right._array.shape[-2] != shape[-2] or (not vector and len(given) != len(shape)):
        raise ShapeError(
            f"{op}: input of shape {list(shape)} takes b of shape {[*shape[:-1], 'k']}, or {list(shape[:-1])}, "
            f"got {list(given)}"
        )
    rows, columns = shape[-2:]
    try:
        batch = broadcast_shapes(shape[:-2], right._array.shape[:-2])
    except ShapeError as error:
        raise ShapeError(f"{op}: {error}") from None
    A, right = input.expand((*batch, rows, columns)), right.expand((*batch, rows, right.shape[-1]))
    dtype = input.dtype.to_real()
    cutoff = finfo(dtype).eps * max(rows, columns) if rcond is None else float(rcond)
    if A.numel() and right.numel():
        solution, rank, values = least_squares.emit(A, right, rcond=cutoff, values=driver in ("gelsd", "gelss"))
    else:
        solution = A.new_zeros((*batch, columns, right.shape[-1]))
        rank = A.new_zeros(batch, dtype=int64)
        values = A.new_zeros((*batch, min(rows, columns)), dtype=dtype)
    full = driver == "gels" or (driver != "gelsy" and bool(everywhere(e.eq(rank, columns)).all().item()))
    if rows > columns and full:
        gap = e.abs(matmul(A, solution) - right)
        residuals = (gap * gap).sum(-2)
    else:
        # None of them, but in the graph as they would be.
        residuals = e.abs(solution).reshape((-1,))[:0]
    return named(
        "linalg_lstsq",
        solution=solution.squeeze(-1) if vector else solution,
        residuals=residuals,
        rank=rank if driver != "gels" else A.new_zeros((0,), dtype=int64),
        singular_values=values.detach() if driver in ("gelsd", "gelss") else A.new_zeros((0,), dtype=dtype),
    )
