"""The device ``mlx``: Apple's MLX, on its default device; arrays are replaced, not written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import mlx.core as mx
import numpy as np

from tensorcore.backend.contract import Array, Capabilities, Kernel
from tensorcore.dtypes import ALL, COMPLEX, INTEGER, DType, bfloat16, bool_, complex128, float64
from tensorcore_array_api.backend import NUMPY, LibraryBackend

#: MLX's name where it is not the standard's.
_NAMES: Final = {"bitwise_not": "bitwise_invert", "pow": "power", "conj_physical": "conj"}
#: What MLX has not, or not to the last digits: (op, whether for this dtype). These run in NumPy, over a copy.
_IN_NUMPY: Final[dict[str, Callable[[DType], bool]]] = {
    "matmul": lambda dtype: dtype.category <= INTEGER,
    "expm1": lambda dtype: dtype.category == COMPLEX,
    "exp": lambda dtype: dtype is float64,
    "sin": lambda dtype: dtype is float64,
    "cos": lambda dtype: dtype is float64,
    # By more than the width.
    "bitwise_left_shift": lambda dtype: True,
    "bitwise_right_shift": lambda dtype: True,
}


class MlxBackend(LibraryBackend):
    """MLX arrays. MLX computes lazily; reading a value runs what it needs."""

    def __init__(self) -> None:
        super().__init__("mlx", mx, mutable=False)

    def native_dtypes(self) -> dict[DType, Any]:
        # MLX has no complex128, and float64 on its CPU device only.
        missing = {complex128} if mx.default_device() == mx.cpu else {complex128, float64}
        return {each: mx.bool_ if each is bool_ else getattr(mx, each.name) for each in ALL if each not in missing}

    def capabilities(self, index: int) -> Capabilities:
        return Capabilities(dtypes=frozenset(self.natives), mutable=False, views=False, asynchronous=True)

    def synchronize(self, index: int) -> None:
        mx.synchronize()

    def kernel(self, name: str, dtype: DType, index: int) -> Kernel | None:
        if name in _IN_NUMPY and _IN_NUMPY[name](dtype):
            return self._over_numpy(getattr(np, name))
        own = getattr(self, name, None)
        if own is None and name in self.DIRECT and dtype is not bool_:
            return getattr(mx, _NAMES.get(name, name), None) or super().kernel(name, dtype, index)
        return super().kernel(name, dtype, index)

    def linalg_library(self) -> Any:
        # Its own has other names and signatures and runs on the CPU alone.
        return None

    def _over_numpy(self, function: Any) -> Kernel:
        def kernel(*arrays: Array) -> Array:
            native = arrays[0].dtype
            with np.errstate(all="ignore"):
                result = function(*[np.asarray(_for_numpy(each)) for each in arrays])
            return mx.array(np.asarray(result), dtype=native)

        return kernel

    # ---------------------------------------------------------------- host memory: bfloat16 travels as its bits

    def from_numpy(self, array: Any, dtype: DType, index: int) -> Array:
        if dtype is bfloat16:
            return mx.array(array.view(np.uint16)).view(mx.bfloat16)
        # Given no dtype, MLX makes float32 of float64.
        return mx.array(array, dtype=self.natives[dtype])

    def as_numpy(self, array: Array) -> Any:
        return np.asarray(array.view(mx.uint16) if array.dtype == mx.bfloat16 else array)

    # ---------------------------------------------------------------- functions that take no device

    def as_array(self, value: Any) -> Array:
        return mx.array(value)

    def full(self, *, shape: tuple[int, ...], value: Any, dtype: DType, index: int) -> Array:
        return mx.broadcast_to(self.from_numpy(np.asarray(value).astype(NUMPY[dtype]), dtype, index), shape)

    def ramp(self, *, start: Any, step: Any, count: int, dtype: DType, index: int) -> Array:
        wide = np.int64 if isinstance(start, int) and isinstance(step, int) else np.float64
        return mx.array(np.arange(count, dtype=wide) * step + start, dtype=self.natives[dtype])

    def _constant(self, value: int, like: Array) -> Array:
        return mx.array(value, dtype=like.dtype)

    def _ramp_like(self, count: int, like: Array) -> Array:
        return mx.arange(0, count, dtype=mx.int64)

    def copy(self, input: Array) -> Array:
        return input

    # ---------------------------------------------------------------- reductions

    def sum(self, input: Array, *, dim: tuple[int, ...], keepdim: bool, dtype: DType) -> Array:
        return mx.sum(self._as(input, dtype), dim, keepdim).astype(self.natives[dtype])

    def prod(self, input: Array, *, dim: tuple[int, ...], keepdim: bool, dtype: DType) -> Array:
        return mx.prod(self._as(input, dtype), dim, keepdim).astype(self.natives[dtype])

    def cumsum(self, input: Array, *, dim: int, dtype: DType) -> Array:
        return _running(mx.cumsum, self._as(input, dtype), dim)

    def cumprod(self, input: Array, *, dim: int, dtype: DType) -> Array:
        return _running(mx.cumprod, self._as(input, dtype), dim)

    def _argsort(self, input: Array, dim: int, descending: bool) -> Array:
        # MLX does not promise a stable order; NumPy's is, with NaN last.
        values = np.asarray(_for_numpy(input))
        if descending:
            places = values.shape[dim] - 1 - np.flip(np.argsort(np.flip(values, dim), dim, kind="stable"), dim)
        else:
            places = np.argsort(values, dim, kind="stable")
        return mx.array(np.ascontiguousarray(places))

    # ---------------------------------------------------------------- shape and indexing

    def flip(self, input: Array, *, dims: tuple[int, ...]) -> Array:
        return input[tuple(slice(None, None, -1) if d in dims else slice(None) for d in range(input.ndim))]

    def cat(self, *tensors: Array, dim: int) -> Array:
        return mx.concatenate(list(tensors), dim)

    def basic_index(self, input: Array, *, index: tuple[Any, ...]) -> Array:
        return input[index] if index else input

    def basic_index_put(self, input: Array, value: Array, *, index: tuple[Any, ...]) -> Array:
        if 0 in value.shape:
            return input
        # `+` makes an array of its own: item assignment replaces what its Python object holds.
        out = mx.array(input)
        out[index] = value
        return out

    def combine(self, table: Array, places: Array, values: Array, reduce: str) -> Array:
        if 0 in places.shape:
            return table
        if reduce == "set":
            # MLX leaves open which of several values for one place stays; the last is the first from the end.
            rows, first = np.unique(np.asarray(places)[::-1], return_index=True)
            out = mx.array(table)
            out[mx.array(rows)] = values[mx.array(places.shape[0] - 1 - first)]
            return out
        if table.dtype == mx.bool_:
            reduce = "amax" if reduce in ("sum", "amax") else "amin"
        name = {"sum": "add", "prod": "multiply", "amax": "maximum", "amin": "minimum"}[reduce]
        return getattr(table.at[places], name)(values)

    def nonzero_places(self, input: Array) -> Array:
        values = np.asarray(input != 0)
        return mx.array(np.argwhere(values) if input.ndim else np.zeros((int(bool(values)), 0), np.int64))


def _for_numpy(array: Array) -> Array:
    """``array`` in a format that NumPy computes with."""
    return array.astype(mx.float32) if array.dtype == mx.bfloat16 else array


def _running(function: Any, input: Array, dim: int) -> Array:
    # 16-bit floats would be rounded at each step.
    if input.dtype in (mx.float16, mx.bfloat16):
        return function(input.astype(mx.float32), dim).astype(input.dtype)
    return function(input, dim)
