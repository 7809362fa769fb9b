"""NumPy's words for further composites: joining, products, order, numbers, losses, with PyTorch's signatures."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorcore_conformance.arrays import native, wide_dtype
from tensorcore_conformance.fourier_oracles import FOURIER_ORACLES
from tensorcore_conformance.grid_oracles import GRID_ORACLES
from tensorcore_conformance.nn_oracles import NN_ORACLES

__all__ = ["MORE_ORACLES"]

_erf: Any = np.vectorize(math.erf, otypes=[float])
_erfc: Any = np.vectorize(math.erfc, otypes=[float])


def _as_float(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of floats; NumPy would compute small integers in float16."""
    return lambda *arrays: function(*(x if x.dtype.kind in "fc" else x.astype(np.float64) for x in arrays))


def _converted(name: str) -> Callable[..., Any]:
    def oracle(x: Any, memory_format: Any = None) -> Any:
        if name.startswith(("float", "bfloat")):
            return np.real(x).astype(native(name)).astype(wide_dtype(name))
        if name.startswith(("int", "uint")) and x.dtype.kind in "fc":
            x = np.trunc(np.real(x).astype(np.float64)).astype(np.int64)
        return x.astype(native(name))

    return oracle


def _extreme(function: Any, places: Any) -> Callable[..., Any]:
    """max and min: of all, along a dimension with places, or of two tensors."""

    def oracle(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
        if dim is None:
            return function(x)
        if isinstance(dim, np.ndarray):
            return (np.maximum if function is np.max else np.minimum)(x, dim)
        return function(x, axis=dim, keepdims=keepdim), np.asarray(places(x, axis=dim, keepdims=keepdim)).astype(
            np.int64
        )

    return oracle


def _kthvalue(x: Any, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    order = np.argsort(x, dim, kind="stable")
    place = np.take(order, [k - 1], dim)
    value = np.take_along_axis(x, place, dim)
    return tuple(each if keepdim else np.squeeze(each, dim) for each in (value, place.astype(np.int64)))


def _norm(x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    axes = tuple(range(x.ndim)) if dim is None else tuple(np.atleast_1d(dim).tolist())
    size = np.abs(x)
    if ord in (math.inf, -math.inf):
        return (np.max if ord > 0 else np.min)(size, axis=axes, keepdims=keepdim)
    if ord == 0:
        return np.sum(size != 0, axis=axes, keepdims=keepdim).astype(size.dtype)
    return np.sum(size**ord, axis=axes, keepdims=keepdim) ** (1 / size.dtype.type(ord))


def _einsum(equation: Any, *operands: Any) -> Any:
    if not isinstance(equation, str):
        raise NotImplementedError("operands first")
    return np.einsum(equation, *(operands[0] if len(operands) == 1 and isinstance(operands[0], list) else operands))


def _tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    return np.tensordot(a, b, dims if isinstance(dims, int) else (tuple(dims[0]), tuple(dims[1])))


def _index_copy(x: Any, dim: int, index: Any, source: Any) -> Any:
    out = np.moveaxis(np.array(x), dim, 0)
    out[index] = np.moveaxis(source, dim, 0)
    return np.moveaxis(out, 0, dim)


def _index_add(x: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    out = np.moveaxis(np.array(x), dim, 0)
    np.add.at(out, index, np.moveaxis(source, dim, 0) * alpha)
    return np.moveaxis(out, 0, dim)


def _index_fill(x: Any, dim: int, index: Any, value: Any) -> Any:
    out = np.moveaxis(np.array(x), dim, 0)
    out[index] = value
    return np.moveaxis(out, 0, dim)


def _loss(formula: Callable[..., Any]) -> Callable[..., Any]:
    def oracle(
        *tensors: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean", **more: Any
    ) -> Any:
        loss = formula(*tensors, **more)
        return {"none": loss, "mean": np.mean(loss), "sum": np.sum(loss)}[reduction]

    return oracle


def _softplus(x: Any) -> Any:
    return np.where(x.real > 0, x + np.log1p(np.exp(-x)), np.log1p(np.exp(x)))


def _smooth_l1(x: Any, t: Any, beta: float = 1.0) -> Any:
    gap = np.abs(x - t)
    return np.where(gap < beta, gap * gap / (2 * beta), gap - beta / 2) if beta else gap


def _kl_div(
    x: Any, t: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean", log_target: bool = False
) -> Any:
    # What log(0) times 0 is, PyTorch defines as 0.
    loss = np.exp(t) * (t - x) if log_target else np.where(t == 0, 0, t * np.log(np.where(t == 0, 1, t))) - t * x
    return {"none": loss, "sum": loss.sum(), "mean": loss.mean(), "batchmean": loss.sum() / x.shape[0]}[reduction]


def _isclose(x: Any, y: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    return x == y if x.dtype.kind == "b" else np.isclose(x, y, rtol, atol, equal_nan)


def _nansum(x: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    if x.dtype.kind in "fc":
        return np.nansum(x, axis=dim, keepdims=keepdim)
    return np.sum(x, axis=dim, keepdims=keepdim, dtype=np.int64)


def _group_norm(x: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    rows = x.reshape(x.shape[0], num_groups, -1)
    y = ((rows - rows.mean(-1, keepdims=True)) / np.sqrt(rows.var(-1, keepdims=True) + eps)).reshape(x.shape)
    lined = (1, -1, *[1] * (x.ndim - 2))
    y = y if weight is None else y * weight.reshape(lined)
    return y if bias is None else y + bias.reshape(lined)


def _diag_embed(x: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    side = x.shape[-1] + abs(offset)
    out = np.zeros((*x.shape[:-1], side, side), x.dtype)
    at = np.arange(x.shape[-1])
    out[..., at + max(-offset, 0), at + max(offset, 0)] = x
    return np.moveaxis(out, (-2, -1), (dim1, dim2))


def _flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    if x.ndim == 0:
        return x.reshape(1)
    start, end = start_dim % x.ndim, end_dim % x.ndim
    return x.reshape(*x.shape[:start], -1 if x.size else math.prod(x.shape[start : end + 1]), *x.shape[end + 1 :])


MORE_ORACLES: dict[str, Callable[..., Any]] = {
    **NN_ORACLES,
    **FOURIER_ORACLES,
    **GRID_ORACLES,
    # conversions
    **{
        name: _converted(dtype)
        for name, dtype in {
            "float": "float32", "double": "float64", "half": "float16", "bfloat16": "bfloat16", "int": "int32",
            "long": "int64", "short": "int16", "char": "int8", "byte": "uint8", "bool": "bool", "cfloat": "complex64",
            "cdouble": "complex128",
        }.items()
    },
    # numbers
    "erf": _as_float(_erf),
    "erfc": _as_float(_erfc),
    "hypot": _as_float(np.hypot),
    "copysign": _as_float(np.copysign),
    "logaddexp": np.logaddexp,
    "logaddexp2": np.logaddexp2,
    # Of NaN it is 0, as in PyTorch.
    "heaviside": lambda x, y: np.where(x == 0, y, (x > 0).astype(x.dtype)),
    "gcd": np.gcd,
    "lcm": np.lcm,
    "rsub": lambda x, y, alpha=1: y - x * alpha,
    "xlogy": _as_float(lambda x, y: np.where(np.isnan(y), y, np.where(x == 0, 0, x * np.log(np.where(x == 0, 1, y))))),
    "sinc": _as_float(np.sinc),
    "deg2rad": _as_float(np.deg2rad),
    "rad2deg": _as_float(np.rad2deg),
    "isposinf": np.isposinf,
    "isneginf": np.isneginf,
    "isreal": np.isreal,
    "isclose": _isclose,
    "threshold": lambda x, threshold, value, inplace=False: np.where(x <= threshold, value, x),
    "hardshrink": lambda x, lambd=0.5: np.where(np.abs(x) <= lambd, 0, x),
    "softshrink": lambda x, lambd=0.5: np.where(np.abs(x) <= lambd, 0, x - np.copysign(lambd, x)),
    # shape and joining
    "flatten": _flatten,
    "reshape_as": lambda x, other: x.reshape(other.shape),
    "view_as": lambda x, other: x.reshape(other.shape),
    "expand_as": lambda x, other: np.broadcast_to(x, other.shape),
    "type_as": lambda x, other: x.astype(other.dtype),
    "broadcast_tensors": lambda *tensors: tuple(np.broadcast_arrays(*tensors)),
    "hstack": lambda tensors: np.hstack(tensors),
    "vstack": lambda tensors: np.vstack(tensors),
    "dstack": lambda tensors: np.dstack(tensors),
    "column_stack": lambda tensors: np.column_stack(tensors),
    "fliplr": np.fliplr,
    "flipud": np.flipud,
    "rot90": lambda x, k=1, dims=(0, 1): np.rot90(x, k, dims),
    "diff": lambda x, n=1, dim=-1: np.diff(x, n, dim),
    "diag_embed": _diag_embed,
    "diagflat": lambda x, offset=0: np.diagflat(x, offset),
    "adjoint": lambda x: np.conj(np.swapaxes(x, -1, -2)),
    # products
    "inner": np.inner,
    "vdot": np.vdot,
    "cross": lambda x, y, dim=-1: np.cross(x, y, axis=dim),
    "einsum": _einsum,
    "tensordot": _tensordot,
    "chain_matmul": lambda *matrices: matrices[0] if len(matrices) == 1 else np.linalg.multi_dot(matrices),
    "baddbmm": lambda x, a, b, beta=1, alpha=1: beta * x + alpha * (a @ b),
    "addbmm": lambda x, a, b, beta=1, alpha=1: beta * x + alpha * (a @ b).sum(0),
    "addmv": lambda x, a, v, beta=1, alpha=1: beta * x + alpha * (a @ v),
    "addr": lambda x, a, b, beta=1, alpha=1: beta * x + alpha * np.outer(a, b),
    # reductions and order
    "nansum": _nansum,
    "nanmean": lambda x, dim=None, keepdim=False, dtype=None: np.nanmean(x, axis=dim, keepdims=keepdim),
    "max": _extreme(np.max, np.argmax),
    "min": _extreme(np.min, np.argmin),
    "aminmax": lambda x, dim=None, keepdim=False: tuple(f(x, axis=dim, keepdims=keepdim) for f in (np.min, np.max)),
    "msort": lambda x: np.sort(x, 0),
    "kthvalue": _kthvalue,
    "linalg_vector_norm": _norm,
    "argwhere": np.argwhere,
    # indexing
    "take_along_dim": lambda x, index, dim=None: np.take_along_axis(x, index, dim),
    "index_add": _index_add,
    "index_copy": _index_copy,
    "index_fill": _index_fill,
    # layers and losses
    "group_norm": _group_norm,
    "smooth_l1_loss": _loss(_smooth_l1),
    "soft_margin_loss": _loss(lambda x, t: _softplus(-t * x)),
    "kl_div": lambda x, t, **more: _as_float(lambda a, b: _kl_div(a, b, **more))(x, t),
}  # fmt: skip
