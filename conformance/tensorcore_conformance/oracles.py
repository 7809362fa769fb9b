"""What NumPy says: for each primitive a function of NumPy arrays with PyTorch's signature, a line each.

Operands come in the precision of the oracle (float64, longdouble for float64; integers and bool as they are).
`nn_oracles` and `more_oracles` continue the table with composites.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["ORACLES", "oracle_of"]

Oracle = Callable[..., Any]


def _axes(dim: Any) -> Any:
    """PyTorch's ``dim`` as NumPy's ``axis``: ``None`` and ``()`` mean all."""
    if dim is None or (isinstance(dim, (tuple, list)) and not dim):
        return None
    return tuple(dim) if isinstance(dim, (tuple, list)) else int(dim)


def _sides(shape: tuple[Any, ...]) -> tuple[int, ...]:
    """Sides given as several arguments or as one sequence."""
    return tuple(shape[0]) if len(shape) == 1 and not hasattr(shape[0], "__index__") else tuple(shape)


def _reduction(function: Oracle) -> Oracle:
    return lambda x, dim=None, keepdim=False, dtype=None: function(x, axis=_axes(dim), keepdims=keepdim)


def _counted(function: Oracle) -> Oracle:
    """A sum or product: integers and bool count in int64."""

    def oracle(x: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
        whole = {"dtype": np.int64} if x.dtype.kind in "biu" else {}
        return function(x, axis=_axes(dim), keepdims=keepdim, **whole)

    return oracle


def _running(function: Oracle) -> Oracle:
    whole = {"dtype": np.int64}
    return lambda x, dim, dtype=None: function(
        np.atleast_1d(x), axis=dim, **(whole if x.dtype.kind in "biu" else {})
    ).reshape(x.shape)


def _place(function: Oracle) -> Oracle:
    def oracle(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
        return np.asarray(function(x, axis=dim, keepdims=keepdim)).astype(np.int64)

    return oracle


def _logsumexp(x: Any, dim: Any, keepdim: bool = False) -> Any:
    # The shift may be any number: that of the real parts keeps the formula analytic.
    top = np.max(x.real, axis=_axes(dim), keepdims=True, initial=-np.inf)
    shift = np.where(np.isfinite(top), top, 0)
    total = shift + np.log(np.sum(np.exp(x - shift), axis=_axes(dim), keepdims=True))
    return total if keepdim else total.squeeze(_axes(dim))


def _sort(x: Any, dim: int = -1, descending: bool = False, stable: bool = True) -> tuple[Any, Any]:
    if descending:
        side = x.shape[dim]
        places = side - 1 - np.flip(np.argsort(np.flip(x, dim), dim, kind="stable"), dim)
    else:
        places = np.argsort(x, dim, kind="stable")
    return np.take_along_axis(x, places, dim), places.astype(np.int64)


def _scatter(x: Any, dim: int, index: Any, src: Any, reduce: Any = None) -> Any:
    out = np.array(x)
    source = np.broadcast_to(np.asarray(src), index.shape) if np.ndim(src) == 0 else src
    for place in np.ndindex(*index.shape):
        target = list(place)
        target[dim] = index[place]
        at = tuple(target)
        out[at] = {None: source[place], "add": out[at] + source[place], "multiply": out[at] * source[place]}[reduce]
    return out


def _gather(x: Any, dim: int, index: Any, sparse_grad: bool = False) -> Any:
    part = tuple(slice(None) if d == dim % x.ndim else slice(0, s) for d, s in enumerate(index.shape))
    return np.take_along_axis(x[part], index, dim)


def _index_put(x: Any, value: Any, *indices: Any, accumulate: bool = False) -> Any:
    out = np.array(x)
    if accumulate:
        np.add.at(out, indices, value)
    else:
        out[indices] = value
    return out


def _put(x: Any, value: Any, index: Any) -> Any:
    out = np.array(x)
    out[index] = value
    return out


def _cast(x: Any, dtype: Any) -> Any:
    from tensorcore_conformance.arrays import native, rounded_to, wide_dtype

    if dtype.name.startswith(("float", "bfloat")):
        return rounded_to(np.real(x), native(dtype)).astype(wide_dtype(dtype.name))
    if dtype.name.startswith(("int", "uint")):
        x = np.trunc(np.real(x).astype(np.float64)).astype(np.int64) if x.dtype.kind in "fc" else x
    return x.astype(native(dtype))


def _round(x: Any, *, decimals: int = 0) -> Any:
    if decimals == 0 or x.dtype.kind != "f":
        return np.round(x)
    scale = 10.0**decimals
    return np.rint(x * scale) / scale


def _divide(x: Any, y: Any, *, rounding_mode: str | None = None) -> Any:
    quotient = {None: np.true_divide, "floor": np.floor_divide, "trunc": lambda a, b: np.trunc(a / b)}
    return quotient[rounding_mode](x, y)


def _wrapped(function: Oracle) -> Oracle:
    """Shifts of integers: NumPy's, in the operands' own dtype."""
    return lambda x, y: function(x, y).astype(x.dtype)


def _sign(x: Any) -> Any:
    if x.dtype == bool:
        return x
    return np.where(np.isnan(x), 0, np.sign(x)) if x.dtype.kind == "f" else np.sign(x)


def _truncated_divide(x: Any, y: Any) -> Any:
    if x.dtype.kind == "f":
        return np.trunc(x / y)
    return ((x - np.fmod(x, y)) // np.where(y == 0, 1, y)) * (y != 0)


def _expand(x: Any, *shape: Any) -> Any:
    sides = _sides(shape)
    lead = len(sides) - x.ndim
    return np.broadcast_to(x, tuple(x.shape[i - lead] if side == -1 else side for i, side in enumerate(sides)))


def _squeeze(x: Any, dim: Any = None) -> Any:
    return np.squeeze(x, None if dim is None else tuple(d for d in np.atleast_1d(dim) if x.shape[d] == 1))


def _split(x: Any, size: Any, dim: int = 0) -> Any:
    cuts = range(size, x.shape[dim], size) if isinstance(size, int) else np.cumsum(size)[:-1]
    return tuple(np.split(x, cuts, dim))


def _where(condition: Any, x: Any, y: Any) -> Any:
    return np.where(condition != 0, x, y)


#: One line per op. The call is the user's: PyTorch's argument names and order.
ORACLES: dict[str, Oracle] = {
    # arithmetic
    "add": lambda x, y, alpha=1: np.add(x, y if alpha == 1 else y * alpha),
    "sub": lambda x, y, alpha=1: np.subtract(x, y if alpha == 1 else y * alpha),
    "mul": np.multiply,
    "div": _divide,
    "floor_divide": np.floor_divide,
    "remainder": np.remainder,
    "fmod": np.fmod,
    "pow": np.power,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "fmax": np.fmax,
    "fmin": np.fmin,
    "atan2": np.arctan2,
    "neg": np.negative,
    "abs": np.abs,
    "sign": _sign,
    "square": np.square,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "reciprocal": lambda x: 1 / x,
    "positive": np.positive,
    "frac": lambda x: x - np.trunc(x),
    "lerp": lambda x, end, weight: x + weight * (end - x),
    "addcmul": lambda x, a, b, value=1: x + value * (a * b),
    "addcdiv": lambda x, a, b, value=1: x + value * (a / b),
    "clamp": lambda x, min=None, max=None: np.clip(x, min, max),
    "clamp_min": lambda x, min: np.maximum(x, min),
    "clamp_max": lambda x, max: np.minimum(x, max),
    "truncated_divide": _truncated_divide,
    # functions
    "exp": np.exp,
    "exp2": np.exp2,
    "expm1": np.expm1,
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "floor": np.floor,
    "ceil": np.ceil,
    "trunc": np.trunc,
    "round": _round,
    # complex numbers
    "conj": np.conjugate,
    "conj_physical": np.conjugate,
    "real": np.real,
    "imag": np.imag,
    "real_part": np.real,
    "imag_part": np.imag,
    "complex": lambda re, im: re + 1j * im,
    "polar": lambda size, angle: size * np.exp(1j * angle),
    "angle": lambda x: np.angle(x) if x.dtype.kind in "fc" else np.where(x < 0, np.pi, 0.0),
    "view_as_real": lambda x: np.stack([x.real, x.imag], -1),
    # comparison, kinds of number, logic, bits
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "isnan": np.isnan,
    "isinf": np.isinf,
    "isfinite": np.isfinite,
    "signbit": np.signbit,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
    "logical_not": np.logical_not,
    "bitwise_and": np.bitwise_and,
    "bitwise_or": np.bitwise_or,
    "bitwise_xor": np.bitwise_xor,
    "bitwise_not": np.invert,
    "bitwise_left_shift": _wrapped(np.left_shift),
    "bitwise_right_shift": _wrapped(np.right_shift),
    "where": _where,
    "allclose": lambda x, y, rtol=1e-5, atol=1e-8, equal_nan=False: bool(np.allclose(x, y, rtol, atol, equal_nan)),
    "equal": lambda x, y: bool(np.array_equal(x, y)),
    # reductions
    "sum": _counted(np.sum),
    "prod": _counted(np.prod),
    "mean": _reduction(np.mean),
    "amax": lambda x, dim=(), keepdim=False: np.max(x, axis=_axes(dim), keepdims=keepdim),
    "amin": lambda x, dim=(), keepdim=False: np.min(x, axis=_axes(dim), keepdims=keepdim),
    "argmax": _place(np.argmax),
    "argmin": _place(np.argmin),
    "any": _reduction(np.any),
    "all": _reduction(np.all),
    "cumsum": _running(np.cumsum),
    "cumprod": _running(np.cumprod),
    "sort": _sort,
    "argsort": lambda x, dim=-1, descending=False, stable=False: _sort(x, dim, descending)[1],
    "logsumexp": _logsumexp,
    "count_nonzero": lambda x, dim=None: np.asarray(np.count_nonzero(x, axis=_axes(dim)), np.int64),
    # shape and movement
    "alias": lambda x: x,
    "reshape": lambda x, *shape: x.reshape(_sides(shape)),
    "view": lambda x, *shape: x.reshape(_sides(shape)),
    "permute": lambda x, *dims: x.transpose(_sides(dims)),
    "transpose": np.swapaxes,
    "t": np.transpose,
    "movedim": np.moveaxis,
    "expand": _expand,
    "broadcast_to": lambda x, shape: np.broadcast_to(x, tuple(shape)),
    "flip": lambda x, *dims: np.flip(x, _sides(dims)),
    "cat": lambda tensors, dim=0: np.concatenate(tensors, dim),
    "stack": lambda tensors, dim=0: np.stack(tensors, dim),
    "unsqueeze": np.expand_dims,
    "squeeze": _squeeze,
    "ravel": np.ravel,
    "narrow": lambda x, dim, start, length: np.take(x, range(start, start + length), dim),
    "select": lambda x, dim, index: np.take(x, index, dim),
    "unbind": lambda x, dim=0: tuple(np.take(x, i, dim) for i in range(x.shape[dim])),
    "split": _split,
    "chunk": lambda x, chunks, dim=0: _split(x, -(-x.shape[dim] // chunks), dim),
    "repeat": lambda x, *sizes: np.tile(x, _sides(sizes)),
    "tile": lambda x, *dims: np.tile(x, _sides(dims)),
    "roll": lambda x, shifts, dims=None: np.roll(x, shifts, dims),
    "tril": lambda x, diagonal=0: np.tril(x, diagonal),
    "triu": lambda x, diagonal=0: np.triu(x, diagonal),
    "meshgrid": lambda *tensors, indexing="ij": tuple(np.meshgrid(*tensors, indexing=indexing)),
    "diagonal": lambda x, offset=0, dim1=0, dim2=1: np.diagonal(x, offset, dim1, dim2),
    "copy": lambda x: x,
    "clone": lambda x, memory_format=None: x,
    "contiguous": lambda x, memory_format=None: x,
    "cast": _cast,
    # indexing
    "basic_index": lambda x, index: x[index],
    "basic_index_put": _put,
    "index": lambda x, *indices: x[indices],
    "index_put": _index_put,
    "index_select": lambda x, dim, index: np.take(x, index, dim),
    "gather": _gather,
    "scatter": _scatter,
    "scatter_add": lambda x, dim, index, src: _scatter(x, dim, index, src, "add"),
    "nonzero": lambda x, as_tuple=False: tuple(np.nonzero(x)) if as_tuple else np.argwhere(x),
    "nonzero_places": np.argwhere,
    "masked_select": lambda x, mask: np.broadcast_arrays(x, mask)[0][np.broadcast_arrays(x, mask)[1]],
    "masked_fill": lambda x, mask, value: np.where(mask, np.asarray(value).astype(x.dtype), x),
    # products
    "matmul": np.matmul,
    "mm": np.matmul,
    "bmm": np.matmul,
    "mv": np.matmul,
    "dot": np.dot,
    "outer": np.outer,
    "addmm": lambda x, a, b, beta=1, alpha=1: beta * x + alpha * (a @ b),
    # creation; the device's dtype and device arguments are dropped by the caller
    "full": lambda size, fill_value: np.full(size, fill_value),
    "ramp": lambda start, step, count: start + step * np.arange(count),
    "zeros": lambda *size: np.zeros(_sides(size)),
    "ones": lambda *size: np.ones(_sides(size)),
    "zeros_like": np.zeros_like,
    "ones_like": np.ones_like,
    "full_like": lambda x, fill_value: np.full_like(x, fill_value),
    "new_zeros": lambda x, *size: np.zeros(_sides(size), x.dtype),
    "new_ones": lambda x, *size: np.ones(_sides(size), x.dtype),
    "new_full": lambda x, size, fill_value: np.full(size, fill_value, x.dtype),
    "arange": np.arange,
    "linspace": np.linspace,
    "logspace": lambda start, end, steps, base=10.0: np.logspace(start, end, steps, base=base),
    "range": lambda start, end, step=1: np.arange(start, end + step / 2, step),
    "eye": lambda n, m=None: np.eye(n, m),
}  # fmt: skip


def oracle_of(name: str) -> Oracle | None:
    """NumPy's function for the op ``name``, or ``None``."""
    from tensorcore_conformance.layer_oracles import LAYER_ORACLES
    from tensorcore_conformance.linalg_oracles import LINALG_ORACLES
    from tensorcore_conformance.more_oracles import MORE_ORACLES
    from tensorcore_conformance.ordering_oracles import ORDERING_ORACLES
    from tensorcore_conformance.solving_oracles import SOLVING_ORACLES
    from tensorcore_conformance.special_oracles import SPECIAL_ORACLES
    from tensorcore_conformance.view_oracles import VIEW_ORACLES

    tables = (
        ORACLES, MORE_ORACLES, LAYER_ORACLES, LINALG_ORACLES, ORDERING_ORACLES, SOLVING_ORACLES, SPECIAL_ORACLES,
        VIEW_ORACLES,
    )  # fmt: skip
    return next((table[name] for table in tables if name in table), None)
