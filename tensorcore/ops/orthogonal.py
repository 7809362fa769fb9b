"""QR factorisation and products of Householder reflectors, in LAPACK's form and with its signs.

A product of reflectors ``(I - tau_1 v_1 v_1^H) ... (I - tau_k v_k v_k^H)`` is ``I - Y T Y^H`` with T upper triangular
(Schreiber and Van Loan, "A storage-efficient WY representation for products of Householder transformations", 1989), so
that forming and applying it are matrix products. Gradient of QR: Roberts and Roberts, "QR and LQ decomposition matrix
backpropagation algorithms for square, wide, and deep matrices" (2020).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tensorcore.errors import DTypeError, RangeError, ShapeError
from tensorcore.ops.decompositions import filled, identity, joined, mirrored, require_tensor, solved
from tensorcore.ops.joining import adjoint
from tensorcore.ops.matrix_checks import require_matrix, solvable
from tensorcore.ops.record import composite
from tensorcore.ops.returns import named

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_MODES: Final = ("reduced", "complete", "r")

# ------------------------------------------------------------------ reflectors


@composite(
    rule=solvable, outputs=2, ulp=64,
    samples=({"shapes": ((4, 3),)}, {"shapes": ((2, 3, 4),)}, {"shapes": ((3, 3),)}, {"shapes": ((0, 3),)}),
)  # fmt: skip
def geqrf(input: Tensor) -> Any:
    """QR factorisation of (..., m, n) matrices in LAPACK's form: R and the reflectors below it, and their factors.

    Example:
        >>> tc.geqrf(tc.tensor([[3.0], [4.0]])).tau
        tensor([1.6000])
    """
    require_matrix("geqrf", "input", input)
    solvable(input.dtype, "geqrf")
    packed, tau = geqrf.emit(input)
    return named("geqrf", a=packed, tau=tau)


def _reflector(column: Any) -> tuple[Any, Any, Any]:
    """(beta, v, tau) of (..., m, 1) columns: ``I - tau v v^H``, v[0] = 1, takes them to beta times the unit vector."""
    top, rest = column[..., :1, :], column[..., 1:, :]
    # Squares of scaled elements neither overflow nor underflow.
    scale = column.detach().abs().amax((-2, -1), True)
    scale = scale.masked_fill((scale == 0) | ~scale.isfinite(), 1)
    scaled = column / scale
    tail = (rest / scale).abs().square().sum((-2, -1), True)
    # What lies on the axis already is left there, whatever its sign.
    done = tail == 0 if not column.is_complex() else (tail == 0) & (top.imag == 0)
    norm = scaled.abs().square().sum((-2, -1), True).masked_fill(done, 1).sqrt() * scale
    beta = norm.where(top.real < 0, -norm).to(column.dtype).where(~done, top)
    tau = ((beta - top) / beta.masked_fill(done, 1)).masked_fill(done, 0)
    return beta, (rest / (top - beta).masked_fill(done, 1)).masked_fill(done, 0), tau


@geqrf.expression
def _geqrf(input: Any) -> Any:
    rows, columns = input.shape[-2:]
    rest, done, factors = input, [], []
    for step in range(min(rows, columns)):
        beta, v, tau = _reflector(rest[..., step : step + 1])
        row, block = rest[..., :1, step + 1 :], rest[..., 1:, step + 1 :]
        along = tau.conj() * (row + adjoint(v) @ block)
        done.append(joined([rest[..., :1, :step], beta, row - along], -1))
        rest = joined([rest[..., 1:, :step], v, block - v @ along], -1)
        factors.append(tau.squeeze(-1))
    if not done:
        return input.clone(), filled((*input.shape[:-2], 0), 0, input)
    return joined([*done, rest], -2), joined(factors, -1)


def _compact(input: Any, tau: Any) -> tuple[Any, Any]:
    """Y and T of the product ``I - Y T Y^H`` of the reflectors below the diagonal of ``input``."""
    count = tau.shape[-1]
    vectors = input[..., :count].tril(-1) + identity(input.shape[-2], count, input)
    inner = (adjoint(vectors) @ vectors).triu(1)
    # Of T^-1 = diag(1 / tau) + inner, without dividing by a tau of 0.
    middle = solved(tau.unsqueeze(-1) * inner + identity(count, count, input), tau.diag_embed(), upper=True, unit=True)
    return vectors, middle


def product(input: Any, tau: Any, columns: int) -> Any:
    """The first columns of the product of reflectors."""
    vectors, middle = _compact(input, tau)
    return identity(input.shape[-2], columns, input) - vectors @ (middle @ adjoint(vectors[..., :columns, :]))


def _require_reflectors(op: str, input: Any, tau: Any) -> None:
    require_matrix(op, "input", input)
    require_tensor(op, "tau", tau)
    solvable(input.dtype, op)
    if tau.dtype is not input.dtype:
        raise DTypeError(f"{op}: tau is of dtype {tau.dtype}, input of {input.dtype}")
    if tuple(tau.shape[:-1]) != tuple(input.shape[:-2]) or tau.ndim != input.ndim - 1:
        raise ShapeError(
            f"{op}: tau must have the shape of input less its last two dimensions and one for the reflectors, got "
            f"tau of shape {list(tau.shape)} and input of {list(input.shape)}"
        )


_REFLECTORS: Final = (
    {"shapes": ((4, 3), (3,))}, {"shapes": ((2, 4, 3), (2, 2))}, {"shapes": ((3, 3), (0,))}, {"shapes": ((3, 0), (0,))}
)  # fmt: skip


@composite(
    rule=solvable, namespaces=("linalg",), operands=("input", "tau"), ulp=256, domain=(-1, 1), samples=_REFLECTORS
)
def linalg_householder_product(input: Tensor, tau: Tensor) -> Tensor:
    """First n columns of the product of the reflectors that `geqrf` stores in (..., m, n) matrices, m >= n.

    Example:
        >>> tc.linalg.householder_product(*tc.geqrf(tc.tensor([[3.0], [4.0]])))
        tensor([[-0.6000],
                [-0.8000]])
    """
    return _householder("linalg.householder_product", input, tau)


def _householder(op: str, input: Any, tau: Any) -> Any:
    _require_reflectors(op, input, tau)
    rows, columns = input.shape[-2:]
    if rows < columns or tau.shape[-1] > columns:
        raise ShapeError(
            f"{op}: input must have as many rows as columns, or more, and tau no more elements than those, got shapes "
            f"{list(input.shape)} and {list(tau.shape)}"
        )
    return product(input, tau, columns)


@composite(rule=solvable, operands=("input", "input2"), ulp=256, domain=(-1, 1), samples=_REFLECTORS)
def orgqr(input: Tensor, input2: Tensor) -> Tensor:
    """`linalg.householder_product` under its old name.

    Example:
        >>> tc.orgqr(*tc.geqrf(tc.tensor([[3.0], [4.0]])))
        tensor([[-0.6000],
                [-0.8000]])
    """
    made: Tensor = _householder("orgqr", input, input2)
    return made


@composite(
    rule=solvable, operands=("input", "input2", "input3"), ulp=256, domain=(-1, 1),
    samples=(
        {"shapes": ((4, 3), (3,), (4, 2))},
        {"shapes": ((2, 4, 3), (2, 3), (2, 2, 4)), "left": False, "transpose": True},
    ),
)  # fmt: skip
def ormqr(input: Tensor, input2: Tensor, input3: Tensor, left: bool = True, transpose: bool = False) -> Tensor:
    """Product of the reflectors in ``input`` with the factors ``input2``, and ``input3``, from its left or right.

    The product, an (m, m) matrix, is not formed; with ``transpose`` its adjoint is applied.

    Example:
        >>> packed, tau = tc.geqrf(tc.tensor([[3.0], [4.0]]))
        >>> tc.ormqr(packed, tau, tc.tensor([[-5.0], [0.0]])).round()
        tensor([[3.],
                [4.]])
    """
    require_matrix("ormqr", "input3", input3)
    _require_reflectors("ormqr", input, input2)
    if input3.dtype is not input.dtype:
        raise DTypeError(f"ormqr: input3 is of dtype {input3.dtype}, input of {input.dtype}")
    inner = input3.shape[-2 if left else -1]
    if input3.ndim != input.ndim or input3.shape[:-2] != input.shape[:-2] or inner != input.shape[-2]:
        raise ShapeError(
            f"ormqr: input3 of shape {list(input3.shape)} does not multiply with the reflectors of length "
            f"{input.shape[-2]} in input of shape {list(input.shape)} from the {'left' if left else 'right'}"
        )
    if input2.shape[-1] != min(inner, input.shape[-1]):
        raise ShapeError(
            f"ormqr: expected {min(inner, input.shape[-1])} factors in input2, got shape {list(input2.shape)}"
        )
    vectors, middle = _compact(input, input2)
    middle = adjoint(middle) if transpose else middle
    if left:
        return input3 - vectors @ (middle @ (adjoint(vectors) @ input3))
    return input3 - ((input3 @ vectors) @ middle) @ adjoint(vectors)


# ------------------------------------------------------------------ QR


def _qr_rule(g: Any, y: Any, mode: str) -> Any:
    if mode == "r":
        raise RuntimeError(
            "linalg.qr: the derivative depends on Q, which mode='r' does not compute; use linalg.qr(A, mode='reduced')"
        )
    (Q, R), (gQ, gR) = y, g
    rows, columns = Q.shape[-2], R.shape[-1]
    if mode == "complete" and rows > columns:
        raise RuntimeError(
            "linalg.qr: the factors are not differentiable with mode='complete' and more rows than columns: "
            f"{rows} by {columns}"
        )
    k = min(rows, columns)
    # Columns beyond the square are Q @ R; what comes through them reaches Q and themselves.
    beyond = gR[..., k:]
    gQ = gQ + (Q @ R[..., k:]) @ adjoint(beyond)
    square = R[..., :k]
    inner = mirrored(gR[..., :k] @ adjoint(square) - adjoint(Q) @ gQ, upper=True)
    grad = solved(adjoint(square), gQ + Q @ inner, upper=False, left=False)
    return joined([grad, Q @ beyond], -1)


_QR: Final = (
    {"shapes": ((4, 3),), "prepare": ("well_conditioned",)},
    {"shapes": ((2, 3, 3),), "prepare": ("well_conditioned",)},
    {"shapes": ((3, 5),), "prepare": ("well_conditioned",), "args": ("complete",)},
    {"shapes": ((0, 3),)},
    {"shapes": ((2, 3, 0),), "args": ("complete",)},
)


@composite(rule=solvable, vjp=(_qr_rule,), outputs=2, namespaces=("linalg",), ulp=128, samples=_QR)
def linalg_qr(A: Tensor, mode: str = "reduced") -> Any:
    """(Q, R) of (..., m, n) matrices: Q with orthonormal columns, R upper triangular with a real diagonal.

    ``mode`` is ``"reduced"`` (min(m, n) columns of Q), ``"complete"`` (m), or ``"r"`` (an empty Q).

    Raises:
        RangeError: for another mode.
        RuntimeError: in backward, where Q was not computed or is not unique.

    Example:
        >>> tc.linalg.qr(tc.tensor([[3.0, 1.0], [4.0, 2.0]])).R
        tensor([[-5.0000, -2.2000],
                [ 0.0000,  0.4000]])
    """
    return _qr_of("linalg.qr", "linalg_qr", A, mode)


def _qr_of(op: str, result: str, A: Any, mode: str) -> Any:
    require_matrix(op, "A", A)
    solvable(A.dtype, op)
    if mode not in _MODES:
        raise RangeError(f"{op}: mode must be 'reduced', 'complete' or 'r', got {mode!r}")
    Q, R = linalg_qr.emit(A, mode=mode)
    return named(result, Q=Q, R=R)


@linalg_qr.expression
def _qr(A: Any, *, mode: str) -> Any:
    rows, columns = A.shape[-2:]
    k = min(rows, columns)
    packed, tau = geqrf.emit(A)
    upper = packed[..., : rows if mode == "complete" else k, :].triu()
    if mode == "r":
        return filled((0,), 0, A), upper
    return product(packed, tau, rows if mode == "complete" else k), upper


@composite(
    rule=solvable, outputs=2, ulp=128,
    samples=({"shapes": ((4, 3),)}, {"shapes": ((3, 4),), "some": False}),
)  # fmt: skip
def qr(input: Tensor, some: bool = True) -> Any:
    """`linalg.qr` under its old name; without ``some`` in the mode ``"complete"``.

    Example:
        >>> tc.qr(tc.tensor([[3.0, 1.0], [4.0, 2.0]])).R
        tensor([[-5.0000, -2.2000],
                [ 0.0000,  0.4000]])
    """
    return _qr_of("qr", "qr", input, "reduced" if some else "complete")
