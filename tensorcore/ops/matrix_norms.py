"""Norms of vectors and matrices, and what follows from singular values: condition and rank."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import COMPLEX, FLOATING, DType, finfo, promote_types
from tensorcore.errors import ArgumentError, DimensionError, DTypeError, RangeError, ShapeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.matrix_checks import require_floating, require_matrix, require_square, solvable
from tensorcore.ops.precision import widened
from tensorcore.ops.record import REGISTRY, composite
from tensorcore.ops.reduction import amax, amin, spread, sum
from tensorcore.shapes import normalize_dim, normalize_dims

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor


def _counted_in(op: str, x: Any, dtype: DType | None) -> Any:
    """``x`` in the dtype that the norm is asked in, which holds whatever ``x`` holds."""
    require_floating(op, x)
    if dtype is None or dtype is x.dtype:
        return x
    own = x.dtype
    if dtype.category < FLOATING:
        raise DTypeError(f"{op}: dtype must be floating point or complex, got {dtype}")
    if (own.category == COMPLEX) != (dtype.category == COMPLEX):
        needed = "complex" if own.category == COMPLEX else "real"
        raise DTypeError(f"{op}: dtype must be {needed} as the input of {own} is, got {dtype}")
    if promote_types(own, dtype) is not dtype:
        raise DTypeError(f"{op}: dtype {dtype} is narrower than the input's, {own}")
    return x.to(dtype)


# ------------------------------------------------------------------ vectors


def _vector_norm_rule(g: Any, y: Any, input: Any, ord: float, dim: tuple[int, ...], keepdim: bool) -> Any:
    shape = tuple(input._array.shape)
    if ord == 0:
        return e.mul.emit(input, 0)
    g, y = spread(g, shape, dim, keepdim), spread(y, shape, dim, keepdim)
    if ord == 1:
        return e.sgn(input) * g
    still = e.eq(y, 0)
    if ord == 2:
        return input * e.where(still, 0, g / e.where(still, 1, y))
    size = e.abs(input)
    if math.isinf(ord):
        hit = e.eq(size, y).to(size.dtype)
        return e.sgn(input) * (hit * g / hit.sum(dim, True))
    zero = e.eq(size, 0)
    # Where an element is 0 its power may be infinite while the derivative's limit is not used.
    power = e.where(zero, 0, e.pow(e.where(zero, 1, size), ord - 1))
    return e.sgn(input) * power * e.where(still, 0, g * e.pow(e.where(still, 1, y), 1 - ord))


def _to_magnitude(dtype: DType, op: str) -> tuple[DType, DType]:
    if dtype.category < FLOATING:
        raise DTypeError(f"{op}: expected a floating-point or complex tensor, got a tensor of dtype {dtype}")
    return dtype, dtype.to_real()


@composite(
    rule=_to_magnitude, vjp=_vector_norm_rule, namespaces=("linalg",), ulp=16, domain=(0.5, 4),
    samples=tuple({"shapes": ((3, 4),), "ord": ord, "dim": 1} for ord in (2, 1, 3.0, 0.5, math.inf, -math.inf, 0)),
)  # fmt: skip
def linalg_vector_norm(
    input: Tensor, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Tensor:
    """``sum(abs(x) ** ord) ** (1 / ord)`` over the dimensions ``dim`` (all by default).

    ``ord`` inf and -inf are the largest and smallest magnitude, 0 counts what is not zero. ``dtype`` is what the sum
    is made in. The gradient is 0 where the norm is 0; ties for the largest or smallest share it.

    Raises:
        ShapeError: for the norm inf, or a negative one, of no elements.
        DTypeError: for integers, and for a ``dtype`` that does not hold all numbers of the input's.

    Example:
        >>> tc.linalg.vector_norm(tc.tensor([[3.0, 4.0], [6.0, 8.0]]), dim=1)
        tensor([ 5., 10.])
    """
    op = "linalg.vector_norm"
    if not hasattr(ord, "__float__"):
        raise TypeError(f"{op}: ord must be a number, got {type(ord).__name__}")
    input = _counted_in(op, input, dtype)
    every = dim is None or (not hasattr(dim, "__index__") and not len(dim))
    dims = normalize_dims(None if every else dim, input.ndim, op)
    if (ord < 0 or ord == math.inf) and any(input._array.shape[place] == 0 for place in dims):
        raise ShapeError(f"{op}: no elements to take the norm {ord} of: shape {list(input.shape)}, dim {dims}")
    return linalg_vector_norm.emit(input, ord=float(ord), dim=dims, keepdim=keepdim)


@linalg_vector_norm.expression
@widened
def _vector_norm(input: Tensor, *, ord: float, dim: tuple[int, ...], keepdim: bool) -> Tensor:
    if ord == 2 and input.dtype.category == FLOATING:
        return e.sqrt.emit(sum.emit(e.mul.emit(input, input), dim=dim, keepdim=keepdim, dtype=input._kind.dtype))
    size = e.abs(input)
    if math.isinf(ord):
        return (amax if ord > 0 else amin).emit(size, dim=dim, keepdim=keepdim)
    if ord == 0:
        size = e.ne(size, 0).to(size.dtype)
    elif ord == 2:
        size = size * size
    elif ord != 1:
        size = e.pow(size, ord)
    total = sum.emit(size, dim=dim, keepdim=keepdim, dtype=size._kind.dtype)
    if ord in (0, 1):
        return total
    return e.sqrt(total) if ord == 2 else e.pow(total, 1 / ord)


@composite(samples=({"shapes": ((3, 4), (3, 4))}, {"shapes": ((3, 4), (4,)), "p": 1}), ulp=16)
def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The ``p``-norm of the difference of two tensors, which broadcast.

    Example:
        >>> x, y = tc.tensor([0.0, 0.0]), tc.tensor([3.0, 4.0])
        >>> tc.dist(x, y), tc.dist(x, y, 1), tc.dist(x, y, float("inf"))
        (tensor(5.), tensor(7.), tensor(4.))
    """
    return linalg_vector_norm(input - other, p)


# ------------------------------------------------------------------ matrices

#: What a norm of matrices is the largest (or smallest) of: sums of columns 1, sums of rows inf, singular values 2.
_MATRIX_ORDERS: Final = (1, -1, math.inf, -math.inf, 2, -2)


def _two(op: str, dim: Any, ndim: int) -> tuple[int, int]:
    """The two dimensions of the matrices."""
    if hasattr(dim, "__index__"):
        raise TypeError(f"{op}: dim must be a tuple of two dimensions, got {dim}")
    places = tuple(dim)
    if len(places) != 2:
        raise ShapeError(f"{op}: dim must be two dimensions, got {places}")
    rows, columns = (normalize_dim(each, ndim, op) for each in places)
    if rows == columns:
        raise ShapeError(f"{op}: the two dimensions must differ, got {dim}")
    return rows, columns


def _extreme(x: Any, largest: bool, dim: int, keepdim: bool) -> Any:
    # Of no rows or columns the largest sum is 0, as norms are not negative.
    if largest and x._array.shape[dim] == 0:
        return x.sum(dim, keepdim)
    return (amax if largest else amin)(x, dim, keepdim)


@composite(
    namespaces=("linalg",),
    samples=tuple({"shapes": ((2, 3, 4),), "ord": ord} for ord in ("fro", "nuc", 1, -1, math.inf, -math.inf, 2, -2)),
    ulp=32,
)
def linalg_matrix_norm(
    input: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: DType | None = None
) -> Tensor:
    """Norm of the matrices in the two dimensions ``dim``.

    ``"fro"`` is the root of the sum of squares, ``"nuc"`` the sum of the singular values; 1 and -1 are the largest and
    smallest sum of a column's magnitudes, inf and -inf of a row's, 2 and -2 the largest and smallest singular value.

    Raises:
        RangeError: for another ``ord``.
        ShapeError: for fewer than two dimensions, or a ``dim`` that does not name two.
        DTypeError: for integers; for 16-bit floats where singular values are asked for.

    Example:
        >>> tc.linalg.matrix_norm(tc.tensor([[1.0, -2.0], [3.0, 4.0]]), ord=1)
        tensor(6.)
    """
    op = "linalg.matrix_norm"
    require_matrix(op, "input", input)
    if not (ord in ("fro", "nuc") if isinstance(ord, str) else ord in _MATRIX_ORDERS):
        raise RangeError(f"{op}: ord must be 'fro', 'nuc', inf, -inf, 1, -1, 2 or -2, got {ord!r}")
    input = _counted_in(op, input, dtype)
    rows, columns = _two(op, dim, input.ndim)
    if ord == "fro":
        return linalg_vector_norm.emit(input, ord=2.0, dim=(rows, columns), keepdim=keepdim)
    if ord == "nuc" or abs(ord) == 2:
        solvable(input.dtype, op)
        order = (*(place for place in range(input.ndim) if place not in (rows, columns)), rows, columns)
        values = REGISTRY["linalg_svdvals"](input.permute(order))
        result = values.sum(-1) if ord == "nuc" else _extreme(values, ord > 0, -1, False)
        if keepdim:
            for place in sorted((rows, columns)):
                result = result.unsqueeze(place)
        return result
    inner, outer = (rows, columns) if abs(ord) == 1 else (columns, rows)
    result = _extreme(e.abs(input).sum(inner, True), ord > 0, outer, True)
    return result if keepdim else result.squeeze((rows, columns))


@composite(
    namespaces=("linalg",), ulp=32,
    samples=(
        {"shapes": ((3, 4),)}, {"shapes": ((2, 3, 4),)}, {"shapes": ((5,),), "ord": 3}, {"shapes": ((3, 4),), "ord": 1},
        {"shapes": ((3, 4),), "ord": "nuc"}, {"shapes": ((2, 3, 4),), "ord": 2, "dim": (0, 2), "keepdim": True},
        {"shapes": ((3, 4),), "ord": math.inf, "dim": 1},
    ),
)  # fmt: skip
def linalg_norm(
    input: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Tensor:
    """`vector_norm` over one dimension or, without ``ord``, over all elements; `matrix_norm` over two dimensions.

    Raises:
        ShapeError: for an ``ord`` without ``dim`` of a tensor that is neither a vector nor a matrix.

    Example:
        >>> x = tc.tensor([[3.0, 0.0], [0.0, -4.0]])
        >>> tc.linalg.norm(x), tc.linalg.norm(x, 2), tc.linalg.norm(x, 1, dim=0)
        (tensor(5.), tensor(4.), tensor([3., 4.]))
    """
    op = "linalg.norm"
    if hasattr(ord, "_array") and ord.numel() != 1:
        raise ArgumentError(f"{op}: ord must be a number or a string, got a tensor of shape {list(ord.shape)}")
    if dim is not None:
        count = 1 if hasattr(dim, "__index__") else len(dim)
        if count not in (1, 2):
            raise ShapeError(f"{op}: dim must be one or two dimensions, got {dim}")
    elif ord is not None:
        count = len(input._array.shape)
        if count not in (1, 2):
            raise ShapeError(f"{op}: ord without dim takes a vector or a matrix, got shape {list(input.shape)}")
    if isinstance(ord, str) or (ord is not None and count == 2):
        pair = (-2, -1) if dim is None else (dim,) if hasattr(dim, "__index__") else dim
        return linalg_matrix_norm(input, ord, pair, keepdim, dtype=dtype)
    return linalg_vector_norm(input, 2 if ord is None else ord, dim, keepdim, dtype=dtype)


@composite(
    samples=({"shapes": ((3, 4),)}, {"shapes": ((3, 4),), "p": 1, "dim": 1}, {"shapes": ((3, 4),), "p": "nuc"}), ulp=32
)
def norm(
    input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, out: Any = None, dtype: DType | None = None
) -> Tensor:
    """The ``p``-norm of the elements over the dimensions ``dim`` (all by default); ``"nuc"`` is that of matrices.

    `linalg.norm`, whose numbers mean norms of matrices where there are two dimensions, is the newer one.

    Example:
        >>> tc.norm(tc.tensor([[3.0, 0.0], [0.0, -4.0]]))
        tensor(5.)
    """
    if p is None or (p == "fro" and (dim is None or hasattr(dim, "__index__") or len(dim) < 3)):
        p = 2
    if isinstance(p, str):
        every = range(input.ndim) if dim is None else (dim,) if hasattr(dim, "__index__") else dim
        result = linalg_matrix_norm(input, p, every, keepdim, dtype=dtype)
    else:
        result = linalg_vector_norm(input, p, dim, keepdim, dtype=dtype)
    if out is not None:
        from tensorcore.ops.inplace import write_out

        return write_out(out, result)
    return result


@composite(namespaces=("",), samples=({"shapes": ((3, 4),)}, {"shapes": ((2, 3, 4),), "dim": (0, 1)}), ulp=32)
def nuclear_norm(input: Tensor, dim: Any = (-2, -1), keepdim: bool = False) -> Tensor:
    """Sum of the singular values of the matrices in the two dimensions ``dim``.

    Example:
        >>> tc.nuclear_norm(tc.tensor([[3.0, 0.0], [0.0, -4.0]]))
        tensor(7.)
    """
    if hasattr(dim, "__index__"):
        dim = (normalize_dim(dim, input.ndim, "nuclear_norm"),)
    return linalg_matrix_norm(input, "nuc", dim, keepdim)


@composite(namespaces=("",), samples=({"shapes": ((3, 4),), "dim": (0, 1)}, {"shapes": ((2, 3),), "dim": 1}), ulp=16)
def frobenius_norm(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """Root of the sum of the squared magnitudes over at most two dimensions ``dim``.

    Example:
        >>> tc.frobenius_norm(tc.tensor([[3.0, 0.0], [0.0, -4.0]]), dim=(0, 1))
        tensor(5.)
    """
    places = (dim,) if hasattr(dim, "__index__") else tuple(dim)
    if len(places) > 2:
        raise ShapeError(f"frobenius_norm: expected at most two dimensions, got {dim}")
    return linalg_vector_norm(input, 2, places, keepdim)


@composite(
    namespaces=("",), samples=({"shapes": ((3, 4),)}, {"shapes": ((2, 3, 4),), "pow": 1, "dim": 1}), ulp=16,
    domain=(0.5, 4),
)  # fmt: skip
def norm_except_dim(v: Tensor, pow: int = 2, dim: int = 0) -> Tensor:
    """The ``pow``-norm over all dimensions but ``dim`` (over all for -1), which are kept with side 1.

    Example:
        >>> tc.norm_except_dim(tc.tensor([[3.0, 4.0], [6.0, 8.0]]))
        tensor([[ 5.],
                [10.]])
    """
    if dim == -1:
        return linalg_vector_norm(v, pow)
    if v.ndim == 0:
        raise DimensionError(f"norm_except_dim: a 0-d tensor has no dimension {dim}; -1 is the norm over all")
    place = normalize_dim(dim, v.ndim, "norm_except_dim")
    others = [each for each in range(v.ndim) if each != place]
    return linalg_vector_norm(v, pow, others, True) if others else linalg_vector_norm(v.unsqueeze(1), pow, 1)


# ------------------------------------------------------------------ condition and rank


@composite(
    namespaces=("linalg",), ulp=64,
    samples=tuple(
        {"shapes": ((2, 3, 3),), "prepare": ("well_conditioned",), "args": (p,)}
        for p in (None, -2, "fro", "nuc", 1, -math.inf)
    ),
)  # fmt: skip
def linalg_cond(input: Tensor, p: Any = None) -> Tensor:
    """Condition number with respect to inversion, ``norm(input, p) * norm(inv(input), p)``.

    By default, and for ``p`` 2 and -2, it is the ratio of the largest and smallest singular value, also of matrices
    that are not square; the others are those of `matrix_norm`. Singular matrices have the condition inf.

    Raises:
        RangeError: for a norm that `matrix_norm` does not have.
        ShapeError: for matrices that are not square, where ``p`` asks for an inverse.

    Example:
        >>> tc.linalg.cond(tc.tensor([[2.0, 0.0], [0.0, 8.0]]))
        tensor(4.)
    """
    op = "linalg.cond"
    require_matrix(op, "input", input)
    if not (p in ("fro", "nuc") if isinstance(p, str) else p is None or p in _MATRIX_ORDERS):
        raise RangeError(f"{op}: p must be None, 'fro', 'nuc', inf, -inf, 1, -1, 2 or -2, got {p!r}")
    solvable(input.dtype, op)
    batch = input._array.shape[:-2]
    if p is None or (not isinstance(p, str) and abs(p) == 2):
        if input.numel() == 0:
            return input.new_zeros(batch, dtype=input.dtype.to_real())
        values = REGISTRY["linalg_svdvals"](input)
        largest, smallest = values[..., 0], values[..., -1]
        return smallest / largest if p == -2 else largest / smallest
    require_square(op, "input", input)
    if input.numel() == 0:
        return input.new_zeros(batch, dtype=input.dtype.to_real())
    inverse, info = REGISTRY["linalg_inv_ex"](input)
    inverse = e.where(e.ne(info, 0)[..., None, None], math.inf, inverse)
    result = linalg_matrix_norm(input, p) * linalg_matrix_norm(inverse, p)
    return e.where(e.ne(result, result), math.inf, result)


def tolerance(op: str, A: Any, atol: Any, rtol: Any) -> tuple[Any, Any]:
    """The absolute and relative tolerance of singular values as real tensors on the device of ``A``.

    Where neither is given, nor a positive absolute one, the relative one is what rounding leaves of a zero: the
    longer side times the dtype's eps.
    """
    from tensorcore.ops.creation import scalar_tensor

    dtype = A.dtype.to_real()
    made = []
    for name, value in (("atol", atol), ("rtol", rtol)):
        if value is not None and not hasattr(value, "_kind"):
            value = scalar_tensor(float(value), dtype=dtype, device=A.device)
        elif value is not None and value.dtype.category == COMPLEX:
            raise DTypeError(f"{op}: {name} must be real, got a tensor of dtype {value.dtype}")
        made.append(value)
    atol, rtol = made
    if atol is None:
        atol = scalar_tensor(0.0, dtype=dtype, device=A.device)
    if rtol is None:
        usual = finfo(dtype).eps * max(A._array.shape[-2:])
        rtol = e.where(e.gt(atol, 0), 0.0, usual).to(dtype)
    return atol, rtol


@composite(
    namespaces=("linalg",), ulp=0, operands=("input",),
    samples=({"shapes": ((4, 3),)}, {"shapes": ((2, 3, 4),)}, {"shapes": ((2, 3, 3),), "prepare": ("hermitian",),
             "hermitian": True}, {"shapes": ((3, 3),), "prepare": ("well_conditioned",), "atol": 6.0, "rtol": 0.5}),
)  # fmt: skip
def linalg_matrix_rank(
    input: Tensor, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None
) -> Tensor:
    """How many singular values exceed ``max(atol, rtol * largest)``, int64; ``tol`` is an ``atol`` with ``rtol`` 0.

    Tolerances are numbers, or tensors that broadcast with the stack. With ``hermitian`` only the lower triangle is
    read, and the magnitudes of the eigenvalues count.

    Example:
        >>> tc.linalg.matrix_rank(tc.ones(3, 3))
        tensor(1)
    """
    op = "linalg.matrix_rank"
    require_matrix(op, "input", input)
    solvable(input.dtype, op)
    if tol is not None:
        if atol is not None or rtol is not None:
            raise TypeError(f"{op}: tol is the older name of atol; give it alone")
        atol, rtol = tol, 0.0
    if hermitian:
        require_square(op, "input", input)
    input = input.detach()
    atol, rtol = tolerance(op, input, atol, rtol)
    if input.numel() == 0:
        from tensorcore.dtypes import int64

        return input.new_zeros(input._array.shape[:-2], dtype=int64)
    values = e.abs(REGISTRY["linalg_eigvalsh"](input)) if hermitian else REGISTRY["linalg_svdvals"](input)
    bound = e.maximum(atol, rtol * amax(values, -1))
    return e.gt(values, bound.unsqueeze(-1)).sum(-1)
