"""The device ``mlx``: Apple's MLX, on its default device; arrays are replaced, not written."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

import mlx.core as mx
import numpy as np

from tensorcore.backend.array_module import ArrayModuleBackend
from tensorcore.backend.contract import Array, Capabilities, Kernel
from tensorcore.dtypes import ALL, COMPLEX, INTEGER, DType, bfloat16, bool_, complex128, float16, float64
from tensorcore_array_api.backend import NUMPY, LibraryBackend

#: What MLX has not, or computes in float32 only: (op, whether for this dtype). NumPy computes it over the same memory.
_IN_NUMPY: Final[dict[str, Callable[[DType], bool]]] = {
    "matmul": lambda dtype: dtype.category <= INTEGER,
    "expm1": lambda dtype: dtype.category == COMPLEX,
    "sin": lambda dtype: dtype is float64,
    "cos": lambda dtype: dtype is float64,
}
#: Factorisations whose results are complex also where NumPy gives real numbers.
_SPECTRA: Final = {"linalg_eig": np.linalg.eig, "linalg_eigvals": np.linalg.eigvals}
#: After so many kernels without a value read, what is noted is computed: notes hold the memory of their operands.
_NOTED: Final = 1000
#: How many numbers MLX's CPU kernels, which add one by one, may add up.
_BLOCK: Final = 1024


class _Thread(threading.local):
    """Makes ``stream`` the stream of each thread that enters: of it, when it first asks for an attribute."""

    def __init__(self, stream: Any) -> None:
        mx.set_default_stream(stream)
        #: How many kernels it has called since it last had results computed.
        self.noted = 0

    def enter(self) -> None:
        """Done in full by asking for it."""


class MlxBackend(LibraryBackend):
    """MLX arrays. MLX computes lazily; reading a value runs what it needs.

    A stream of MLX belongs to the thread that made it, and what one thread has not computed yet another one cannot
    compute. So all threads have one stream here, and values are read by one of them at a time.
    """

    def __init__(self) -> None:
        # Until 0.31.1 every stream was of all threads.
        made = getattr(mx, "new_thread_unsafe_stream", mx.new_stream)(mx.default_device())
        self._thread = _Thread(made)
        self._reading = threading.Lock()
        self._on_cpu: bool = mx.default_device() == mx.cpu
        # MLX's own factorisations run on the CPU alone, and neither tell of singular matrices nor take complex numbers:
        # NumPy's run over the same memory.
        self._host = ArrayModuleBackend("mlx", np)
        super().__init__("mlx", mx, mutable=False)

    def tensorcore_conformance_exceptions(self) -> list[dict[str, Any]]:
        """Transforms of real numbers where there is float64 and no complex128, in which they begin."""
        lacking = "real operands become complex128, which MLX has not"
        names = ("irfft", "irfft2", "irfftn", "hfft", "hfft2", "hfftn") if float64 in self.natives else ()
        return [{"op": f"fft_{name}", "dtypes": ("float64",), "reason": lacking} for name in names]

    def native_dtypes(self) -> dict[DType, Any]:
        # MLX has no complex128, and float64 on its CPU device only.
        missing = {complex128} if self._on_cpu else {complex128, float64}
        return {each: mx.bool_ if each is bool_ else getattr(mx, each.name) for each in ALL if each not in missing}

    def capabilities(self, index: int) -> Capabilities:
        return Capabilities(dtypes=frozenset(self.natives), mutable=False, views=False, asynchronous=True)

    def synchronize(self, index: int) -> None:
        self._thread.enter()
        with self._reading:
            mx.synchronize()

    def kernel(self, name: str, dtype: DType, index: int) -> Kernel | None:
        found, thread, reading = self._chosen(name, dtype, index), self._thread, self._reading
        if found is None:
            return None

        def kernel(*arrays: Array, **attributes: Any) -> Any:
            thread.noted += 1
            result = found(*arrays, **attributes)
            if thread.noted > _NOTED:
                thread.noted = 0
                with reading:
                    mx.async_eval(result)
            return result

        return kernel

    def _chosen(self, name: str, dtype: DType, index: int) -> Kernel | None:
        if name in self.EXTENSION:
            if name in _SPECTRA:
                if dtype is float64:
                    return None  # the results' complex128
                return self._through_numpy(lambda input: _SPECTRA[name](input.astype(np.complex64)))
            found = self._host.kernel(name, dtype, index)
            return None if found is None else self._through_numpy(found)
        if name in _IN_NUMPY and _IN_NUMPY[name](dtype):
            return self._through_numpy(getattr(np, name))
        if self._on_cpu and dtype.is_floating_point and name in _ON_CPU:
            return _ON_CPU[name]
        return super().kernel(name, dtype, index)

    def _through_numpy(self, function: Callable[..., Any]) -> Kernel:
        def native(result: Any) -> Array:
            result = np.asarray(result)
            return self.from_numpy(result, self._host.dtype_of(result), 0)

        def kernel(*arrays: Array, **attributes: Any) -> Any:
            with np.errstate(all="ignore"):
                result = function(*[self.as_numpy(each) for each in arrays], **attributes)
            return tuple(map(native, result)) if isinstance(result, tuple) else native(result)

        return kernel

    # ---------------------------------------------------------------- host memory: bfloat16 travels as its bits

    def from_numpy(self, array: Any, dtype: DType, index: int) -> Array:
        self._thread.enter()
        if dtype is bfloat16:
            return mx.array(array.view(np.uint16)).view(mx.bfloat16)
        # Given no dtype, MLX makes float32 of float64.
        return mx.array(array, dtype=self.natives[dtype])

    def as_numpy(self, array: Array) -> Any:
        with self._reading:
            return np.asarray(array.view(mx.uint16) if array.dtype == mx.bfloat16 else array)

    def item(self, array: Array, dtype: DType) -> bool | int | float | complex:
        with self._reading:
            return array.item()

    def assign(self, target: Array, source: Array) -> Array:
        self._thread.enter()
        return super().assign(target, source)

    def from_dlpack(self, capsule_owner: Any, index: int, copy: bool | None) -> Array:
        if copy is False:
            raise BufferError("device 'mlx': arrays do not change, so they share no memory that may be written")
        try:
            # MLX makes float32 of float64.
            array = np.from_dlpack(capsule_owner)
        except (BufferError, RuntimeError):
            # bfloat16, or the memory of another device.
            return mx.from_dlpack(capsule_owner, copy=True)
        return self.from_numpy(array, self._host.dtype_of(array), index)

    def to_dlpack(self, array: Array, **options: Any) -> Any:
        return array.__dlpack__(**options)

    def dlpack_device(self, array: Array) -> tuple[int, int]:
        kind, number = array.__dlpack_device__()
        return int(kind), number

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
        # Over the same memory, which does not change; recorded programs tell arrays apart by identity.
        return input.reshape(input.shape)

    def cast(self, input: Array, *, dtype: DType) -> Array:
        if dtype is float16 and input.dtype == mx.float64:
            # MLX goes by float32, which rounds twice.
            return self.from_numpy(self.as_numpy(input).astype(np.float16), dtype, 0)
        return super().cast(input, dtype=dtype)

    # ---------------------------------------------------------------- elementwise

    def floor_divide(self, input: Array, other: Array) -> Array:
        if self.dtype_of(input).is_floating_point:
            return self.floored_quotient(input, other)
        if not self.dtype_of(input).is_signed:
            return super().floor_divide(input, other)
        quotient = super().floor_divide(input, _positive_unit(other))
        return mx.where(other == -1, -quotient, quotient)

    def remainder(self, input: Array, other: Array) -> Array:
        if self.dtype_of(input).is_floating_point:
            rest = mx.remainder(input, other)
            # A rest of zero has the divisor's sign.
            return mx.where(rest == 0, mx.where(other < 0, _number(-0.0, rest), _number(0.0, rest)), rest)
        return super().remainder(input, _positive_unit(other) if self.dtype_of(input).is_signed else other)

    def bitwise_left_shift(self, input: Array, other: Array) -> Array:
        beyond, places = _shift(input, other)
        return mx.where(beyond, _number(0, input), mx.left_shift(input, places))

    def bitwise_right_shift(self, input: Array, other: Array) -> Array:
        beyond, places = _shift(input, other)
        shifted = mx.right_shift(input, places)
        return shifted if self.dtype_of(input).is_signed else mx.where(beyond, _number(0, input), shifted)

    # ---------------------------------------------------------------- reductions

    def matmul(self, input: Array, other: Array) -> Array:
        count = input.shape[-1] // _BLOCK
        if not self._on_cpu or count < 2:
            return mx.matmul(input, other)
        cut = count * _BLOCK
        left = input[..., :cut].reshape(*input.shape[:-1], count, _BLOCK)
        right = other[..., :cut, :].reshape(*other.shape[:-2], count, _BLOCK, other.shape[-1])
        total = mx.sum(mx.matmul(mx.moveaxis(left, -2, -3), right), -3)
        return total + mx.matmul(input[..., cut:], other[..., cut:, :])

    def sum(self, input: Array, *, dim: tuple[int, ...], keepdim: bool, dtype: DType) -> Array:
        native = self.natives[dtype]
        input = self._as(input, dtype)
        if self._on_cpu and dtype.is_floating_point and math.prod(input.shape[d] for d in dim) > _BLOCK:
            input = input.astype(mx.float64)
        return _reduced(mx.sum, input, dim, keepdim, 0).astype(native)

    def prod(self, input: Array, *, dim: tuple[int, ...], keepdim: bool, dtype: DType) -> Array:
        return _reduced(mx.prod, self._as(input, dtype), dim, keepdim, 1).astype(self.natives[dtype])

    def amax(self, input: Array, *, dim: tuple[int, ...], keepdim: bool) -> Array:
        return _reduced(mx.any if input.dtype == mx.bool_ else mx.max, input, dim, keepdim, 0)

    def amin(self, input: Array, *, dim: tuple[int, ...], keepdim: bool) -> Array:
        return _reduced(mx.all if input.dtype == mx.bool_ else mx.min, input, dim, keepdim, 0)

    def any(self, input: Array, *, dim: tuple[int, ...], keepdim: bool) -> Array:
        return _reduced(mx.any, input, dim, keepdim, 0)

    def all(self, input: Array, *, dim: tuple[int, ...], keepdim: bool) -> Array:
        return _reduced(mx.all, input, dim, keepdim, 1)

    def cumsum(self, input: Array, *, dim: int, dtype: DType) -> Array:
        return _running(mx.cumsum, self._as(input, dtype), dim)

    def cumprod(self, input: Array, *, dim: int, dtype: DType) -> Array:
        return _running(mx.cumprod, self._as(input, dtype), dim)

    def argmax(self, input: Array, *, dim: int, keepdim: bool) -> Array:
        return _reduced(mx.argmax, self._ordered(input), (dim,), keepdim, 0).astype(mx.int64)

    def argmin(self, input: Array, *, dim: int, keepdim: bool) -> Array:
        return _reduced(mx.argmin, self._ordered(input), (dim,), keepdim, 0).astype(mx.int64)

    def _argsort(self, input: Array, dim: int, descending: bool) -> Array:
        # MLX does not promise a stable order; NumPy's is, with NaN last.
        values = self.as_numpy(_for_numpy(input))
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

    def _rows(self, sides: Sequence[int], indices: Sequence[Array]) -> Array:
        places = None
        for side, index in zip(sides, indices, strict=True):
            if 0 not in index.shape:
                low, high = self.as_numpy(mx.stack([mx.min(index), mx.max(index)])).tolist()
                if low < 0 or high >= side:
                    raise IndexError(f"indices from {low} to {high} are out of range for a side of {side}")
            places = index if places is None else places * side + index
        return places

    def combine(self, table: Array, places: Array, values: Array, reduce: str) -> Array:
        if 0 in places.shape:
            return table
        if reduce == "set":
            # MLX leaves open which of several values for one place stays; the last is the first from the end.
            rows, first = np.unique(self.as_numpy(places)[::-1], return_index=True)
            out = mx.array(table)
            out[mx.array(rows)] = values[mx.array(places.shape[0] - 1 - first)]
            return out
        if table.dtype == mx.bool_:
            reduce = "amax" if reduce in ("sum", "amax") else "amin"
        name = {"sum": "add", "prod": "multiply", "amax": "maximum", "amin": "minimum"}[reduce]
        return getattr(table.at[places], name)(values)

    def nonzero_places(self, input: Array) -> Array:
        values = self.as_numpy(input != 0)
        return mx.array(np.argwhere(values) if input.ndim else np.zeros((int(bool(values)), 0), np.int64))


def _for_numpy(array: Array) -> Array:
    """``array`` in a format that NumPy computes with."""
    return array.astype(mx.float32) if array.dtype == mx.bfloat16 else array


def _reduced(function: Any, input: Array, dim: tuple[int, ...], keepdim: bool, empty: int) -> Array:
    """The reduction by ``function``; ``empty`` without elements, where some of MLX's raise and others may never end."""
    if 0 in input.shape:
        sides = [1 if d in dim else side for d, side in enumerate(input.shape) if keepdim or d not in dim]
        return mx.broadcast_to(mx.array(empty, dtype=mx.bool_ if function in (mx.any, mx.all) else input.dtype), sides)
    return function(input, dim[0] if len(dim) == 1 else dim, keepdim)


def _number(value: float, like: Array) -> Array:
    return mx.array(value, dtype=like.dtype)


def _running(function: Any, input: Array, dim: int) -> Array:
    # 16-bit floats would be rounded at each step.
    if input.dtype in (mx.float16, mx.bfloat16):
        return function(input.astype(mx.float32), dim).astype(input.dtype)
    return function(input, dim)


def _positive_unit(divisor: Array) -> Array:
    """With 1 for -1: the lowest number by -1 ends the process, as x86 traps where a quotient does not fit."""
    return mx.where(divisor == -1, _number(1, divisor), divisor)


def _shift(input: Array, other: Array) -> tuple[Array, Array]:
    """Where a shift is wider than the operand or negative, which leaves but the sign, and shifts within the width."""
    last = _number(8 * input.dtype.size - 1, other)
    beyond = mx.logical_or(other < 0, other > last)
    return beyond, mx.where(beyond, last, other)


def _exp(input: Array) -> Array:
    """``e ** x``, corrected for the rounded e: MLX's own is off by 8 units, infinite from 88.3 on, float32 inside."""
    if input.dtype.size < 4:
        return _exp(input.astype(mx.float32)).astype(input.dtype)
    base, missing = _E[input.dtype.size]
    most = _number(1000, input)
    return mx.power(_number(base, input), input) * (mx.clip(input, -most, most) * _number(missing, input) + 1)


#: By size, e as it is rounded, and by how much its logarithm falls short of 1.
_E: Final = {4: (2.7182817459106445, 3.0367859e-8), 8: (math.e, 5.323432666903827e-17)}


def _sin(input: Array) -> Array:
    # MLX's loses the sign of -0.
    return mx.where(input == 0, input, mx.sin(input))


#: Kernels of floats where MLX's own for its CPU are worse than what its other functions give.
_ON_CPU: Final = {"exp": _exp, "sin": _sin}
