"""Arithmetic and functions of single elements on sparse tensors."""

from __future__ import annotations

from typing import Any, Final

from tensorcore.dtypes import BOOL, int64, promote_types
from tensorcore.errors import RangeError, ShapeError
from tensorcore.memory_format import sparse_coo
from tensorcore.ops.node_names import regular
from tensorcore.promotion import promoted
from tensorcore.shapes import broadcast_shapes
from tensorcore.sparse.arrays import Coordinates, wrapped
from tensorcore.sparse.conversion import as_coordinates, coalesced, gathered, to_compressed, to_coo, to_dense
from tensorcore.sparse.door import form, refuse, ruled
from tensorcore.sparse.graph import values_at, values_of, with_values
from tensorcore.tensor import Tensor

__all__: list[str] = []

#: Functions that leave zero zero, so that they work on the values alone, each place taken once.
ZERO_PRESERVING: Final = (
    "abs", "asin", "asinh", "atan", "atanh", "ceil", "conj_physical", "deg2rad", "erf", "erfinv", "expm1", "floor",
    "frac", "isinf", "isnan", "isneginf", "isposinf", "log1p", "positive", "rad2deg", "relu", "round",
    "sgn", "sign", "signbit", "sin", "sinh", "sqrt", "square", "tan", "tanh", "trunc",
)  # fmt: skip


@form(*ZERO_PRESERVING)
def _unary(op: Any, x: Tensor, **attributes: Any) -> Tensor:
    x = coalesced(x)
    shown = op.shown or regular(op.name)
    return with_values(x, op.emit(values_of(x), **attributes), shown)


@form("constant_pow")
def _constant_pow(op: Any, x: Tensor, *, exponent: Any) -> Tensor:
    if exponent == 0:
        raise RangeError("pow: a sparse tensor to the power 0 would be ones everywhere; call .to_dense() first")
    x = coalesced(x)
    return with_values(x, values_of(x) ** exponent, "PowBackward0")


@form("pow")
def _pow(op: Any, x: Any, exponent: Any) -> Tensor:
    if not isinstance(x, Tensor) or not x._kind.sparse or _is_sparse(exponent):
        refuse(op, (x, exponent), "the exponent of a sparse tensor must be a number, and no exponent is sparse")
    if isinstance(exponent, Tensor):
        if exponent.ndim:
            refuse(op, (x, exponent), "the exponent of a sparse tensor must be a number")
        exponent = exponent.item()
    return _constant_pow(op, x, exponent=exponent)


def _is_sparse(x: Any) -> bool:
    return isinstance(x, Tensor) and x._kind.sparse


# ------------------------------------------------------------------ sums


@ruled("add", "sub")
def _add(op: Any, x: Any, y: Any) -> Tensor:
    if any(not isinstance(each, Tensor) or not (each.ndim or each._kind.sparse) for each in (x, y)):
        refuse(op, (x, y), "a number added to a sparse tensor would fill it; call .to_dense() first")
    if not (x._kind.sparse and y._kind.sparse):
        dense, sparse = (y, x) if x._kind.sparse else (x, y)
        if sparse.ndim > dense.ndim or broadcast_shapes(dense.shape, sparse.shape) != dense.shape:
            raise ShapeError(
                f"{op.name}: a sparse tensor of shape {list(sparse.shape)} does not fit a dense one of "
                f"{list(dense.shape)}"
            )
        return _onto(op, dense, sparse, subtracted=sparse is x)
    if x.shape != y.shape:
        raise ShapeError(f"{op.name}: sparse tensors must have one shape, got {list(x.shape)} and {list(y.shape)}")
    layout: Any = x._array.layout
    one, two = to_coo(x), to_coo(y)
    dtype = promote_types(x.dtype, y.dtype)
    a: Any = one._array
    b: Any = two._array
    if a.indices.shape[0] != b.indices.shape[0]:
        refuse(op, (x, y), f"they have {a.indices.shape[0]} and {b.indices.shape[0]} sparse dimensions")
    from tensorcore.ops.movement import cat

    left, right = a.values.to(dtype), b.values.to(dtype)
    if op.name == "sub":
        right = -right
    if a.indices is b.indices or (a.indices.shape == b.indices.shape and bool((a.indices == b.indices).all())):
        out = wrapped(Coordinates(a.indices, left + right, a.shape, a.coalesced and b.coalesced))
    else:
        joined = Coordinates(cat([a.indices, b.indices], 1), cat([left, right]), a.shape, False)
        # Two sorted operands give a sorted sum, as in PyTorch.
        out = wrapped(joined)
        if a.coalesced and b.coalesced:
            out = coalesced(out)
    return out if layout is sparse_coo else to_compressed(out, layout)


def _onto(op: Any, dense: Tensor, sparse: Tensor, subtracted: bool) -> Tensor:
    """``dense + sparse``, ``dense - sparse``, or with ``subtracted`` the other way round."""
    array: Any = as_coordinates(sparse)._array
    dtype = promote_types(dense.dtype, sparse.dtype)
    values = array.values.to(dtype)
    base = dense.to(dtype)
    if op.name == "sub":
        base, values = (-base, values) if subtracted else (base, -values)
    if not array.sides or sparse.shape != dense.shape:
        return base + to_dense(wrapped(array.with_values(values)))
    from tensorcore.sparse.arrays import flattened

    flat = base.reshape((-1, *array.shape[len(array.sides) :]))
    places = flattened(array.indices, array.sides)
    if dtype.category == BOOL:
        return base | gathered(values, places, flat.shape[0]).reshape(base.shape)
    return flat.index_add(0, places, values).reshape(base.shape)


# ------------------------------------------------------------------ products


@ruled("mul")
def _mul(op: Any, x: Any, y: Any) -> Tensor:
    if not _is_sparse(x):
        x, y = y, x
    if not isinstance(y, Tensor) or (y.ndim == 0 and not y._kind.sparse):
        return wrapped(x._array.with_values(x._array.values * y))
    dtype = promoted("mul", (x, y))
    if not y._kind.sparse:
        if broadcast_shapes(x.shape, y.shape) != x.shape:
            raise ShapeError(
                f"mul: a dense tensor of shape {list(y.shape)} does not stretch to a sparse one of {list(x.shape)}"
            )
        return wrapped(x._array.with_values(x._array.values.to(dtype) * values_at(y, x)))
    if x.shape != y.shape:
        raise ShapeError(f"mul: sparse tensors must have one shape, got {list(x.shape)} and {list(y.shape)}")
    layout: Any = x._array.layout
    one, two = to_coo(x), to_coo(y)
    if two._array.coalesced is False and one._array.coalesced:
        one, two = two, one
    a: Any = one._array
    b: Any = coalesced(two)._array
    if a.indices.shape[0] != b.indices.shape[0]:
        refuse(op, (x, y), "they have different numbers of sparse dimensions")
    there = values_at(wrapped(_marks(b)), wrapped(_marks(a)))
    keep = there.nonzero()[:, 0]
    values = (a.values.to(dtype) * values_at(wrapped(b), wrapped(a)).to(dtype)).index_select(0, keep)
    out = wrapped(Coordinates(a.indices.index_select(1, keep), values, a.shape, a.coalesced))
    return out if layout is sparse_coo else to_compressed(out, layout)


def _marks(array: Any) -> Coordinates:
    """Ones at the places of an array."""
    ones = array.values.new_ones((array.values.shape[0],), dtype=int64)
    return Coordinates(array.indices, ones, array.sides, array.coalesced)


@ruled("div")
def _div(op: Any, x: Any, y: Any) -> Tensor:
    return _divided(op, x, y)


@ruled("floor_divide", "truncated_divide")
def _floor_divide(op: Any, x: Any, y: Any) -> Tensor:
    return _divided(op, coalesced(x) if _is_sparse(x) and x._array.layout is sparse_coo else x, y)


def _divided(op: Any, x: Any, y: Any) -> Tensor:
    if not _is_sparse(x) or _is_sparse(y) or (isinstance(y, Tensor) and y.ndim):
        refuse(op, (x, y), "a sparse tensor is divided by a number or a 0-d dense tensor only")
    return wrapped(x._array.with_values(op.emit(x._array.values, y)))


@form("assign")
def _assign(op: Any, target: Tensor, source: Tensor) -> Tensor:
    if not target._kind.sparse:
        return op.emit(target, to_dense(source))
    if not source._kind.sparse or source._array.layout is not target._array.layout:
        refuse("in-place op", (target, source), "the content of a sparse tensor must have its layout")
    target._array.become(source._array)
    return target


# ------------------------------------------------------------------ comparisons with zero


@form("ne", "eq")
def _compared(op: Any, x: Any, y: Any) -> Tensor:
    number = not isinstance(y, Tensor)
    if op.name == "ne" and _is_sparse(x) and number and y == 0:
        return with_values(coalesced(x), coalesced(x)._array.values != 0)
    refuse(op, (x, y))
