"""Every primitive over an Array API namespace: the base of backends made of an existing array library.

Only functions of the Array API standard (2024.12) are used, so a library that follows it needs no more than its name; a
subclass overrides what its library does better or differently.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from tensorcore.backend.array_fft import FourierKernels
from tensorcore.backend.array_linalg import DecompositionKernels
from tensorcore.backend.array_solving import SolvingKernels
from tensorcore.backend.contract import Array, Backend, Capabilities, Kernel
from tensorcore.dtypes import ALL, BOOL, COMPLEX, FLOATING, INTEGER, DType, bool_, float32, float64, int64
from tensorcore.errors import DTypeError

#: Formats of memoryview, for the dtypes that have one.
_FORMATS: Final = {
    "bool": "?", "uint8": "B", "uint16": "H", "uint32": "I", "uint64": "Q", "int8": "b", "int16": "h", "int32": "i",
    "int64": "q", "float32": "f", "float64": "d",
}  # fmt: skip


class ArrayModuleBackend(FourierKernels, DecompositionKernels, SolvingKernels, Backend):
    """A backend whose kernels are the functions of the namespace ``xp``.

    Args:
        name: the device name.
        xp: an Array API namespace.
        mutable: whether ``x[index] = value`` works and basic indices are views.

    Example:
        >>> import numpy
        >>> from tensorcore import float32
        >>> from tensorcore.backend.array_module import ArrayModuleBackend
        >>> backend = ArrayModuleBackend("numpy", numpy)
        >>> backend.ramp(start=1, step=0.5, count=3, dtype=float32, index=0)
        array([1. , 1.5, 2. ], dtype=float32)
    """

    #: Kernels that need a function of the ``linalg`` extension, and its name.
    EXTENSION: ClassVar[dict[str, str]] = DecompositionKernels.EXTENSION | SolvingKernels.EXTENSION

    #: Ops that are one function of the standard under the record's ``standard`` name, called with the operands alone.
    DIRECT: ClassVar[frozenset[str]] = frozenset((
        "add", "sub", "mul", "div", "pow", "maximum", "minimum", "atan2", "neg", "abs", "exp", "expm1", "log",
        "log1p", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh",
        "atanh", "floor", "ceil", "trunc", "round", "conj_physical", "eq", "ne", "lt", "le", "gt", "ge",
        "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not", "bitwise_left_shift", "bitwise_right_shift",
        "where", "matmul",
    ))  # fmt: skip

    def __init__(self, name: str, xp: Any, mutable: bool = True) -> None:
        self.name = name
        self.xp = xp
        self.mutable = mutable
        self.natives: dict[DType, Any] = self.native_dtypes()
        self._dtypes: dict[Any, DType] = {}
        self.array_type = type(xp.zeros((), dtype=self.natives[float32]))

    def native_dtypes(self) -> dict[DType, Any]:
        """The library's object for each dtype it has."""
        found = {}
        for dtype in ALL:
            native = getattr(self.xp, dtype.name, None)
            if native is not None:
                found[dtype] = native
        return found

    def native_device(self, index: int) -> Any:
        """The library's device for an index; ``None`` is its default."""
        return None

    def capabilities(self, index: int) -> Capabilities:
        return Capabilities(dtypes=frozenset(self.natives), mutable=self.mutable, views=self.mutable)

    def kernel(self, name: str, dtype: DType, index: int) -> Kernel | None:
        own = getattr(self, name, None)
        if hasattr(FourierKernels, name) and not hasattr(self.xp, "fft"):
            return None
        if name in self.EXTENSION and not hasattr(self.linalg_library(), self.EXTENSION[name]):
            return None
        if own is None and name == "pow" and dtype.category == INTEGER and dtype.is_signed:
            return self._integer_power
        if own is None and name in self.DIRECT:
            from tensorcore.ops.record import REGISTRY

            own = getattr(self.xp, REGISTRY[name].standard, None)
        if dtype is bool_ and name in self.ON_BOOL:
            return getattr(self.xp, self.ON_BOOL[name])
        if dtype is bool_ and name in ("lt", "le", "gt", "ge", "matmul"):
            return self._as_integers(own)
        return own

    def _as_integers(self, function: Any) -> Kernel:
        """For bool operands, ``function`` of the numbers 0 and 1."""
        native = self.natives[int64]

        def kernel(*arrays: Array) -> Array:
            result = function(*[self.xp.astype(each, native) for each in arrays])
            return result if result.dtype != native else result != 0

        return kernel

    #: The standard gives these no meaning for bool; PyTorch's is the logical one.
    ON_BOOL: ClassVar[dict[str, str]] = {
        "add": "logical_or", "mul": "logical_and", "maximum": "logical_or", "minimum": "logical_and",
        "bitwise_and": "logical_and", "bitwise_or": "logical_or", "bitwise_xor": "logical_xor",
        "bitwise_not": "logical_not",
    }  # fmt: skip

    # ---------------------------------------------------------------- host memory

    def from_host(self, data: Any, dtype: DType, shape: Sequence[int], index: int) -> Array:
        from tensorcore.host_data import decode

        place = {"dtype": self.natives[dtype], "device": self.native_device(index)}
        if 0 in shape:
            return self.xp.zeros(tuple(shape), **place)
        code = _FORMATS.get(dtype.name)
        flat: Any = decode(data, dtype) if code is None else memoryview(data).cast("B").cast(code)  # type: ignore[call-overload]
        return self.xp.reshape(self.xp.asarray(flat, copy=True, **place), tuple(shape))

    def to_host(self, array: Array) -> memoryview:
        from tensorcore.host_data import encode

        dtype = self.dtype_of(array)
        if dtype.name in _FORMATS:
            try:
                return memoryview(memoryview(array).tobytes())
            except TypeError:
                # The buffer protocol is not in the standard; element by element works everywhere.
                pass
        flat = self.xp.reshape(array, (-1,))
        return memoryview(encode([_number(flat[i], dtype) for i in range(flat.shape[0])], dtype)).cast("B")

    def item(self, array: Array, dtype: DType) -> bool | int | float | complex:
        return _number(array if not array.shape else self.xp.reshape(array, ()), dtype)

    def dtype_of(self, array: Array) -> DType:
        native = array.dtype
        found = self._dtypes.get(native)
        if found is None:
            # A native dtype may compare equal to what stands in `natives` and be another object.
            found = next((dtype for dtype, each in self.natives.items() if native == each), None)
            if found is None:
                raise DTypeError(f"device {self.name!r}: tensors have no dtype for the native {native}")
            self._dtypes[native] = found
        return found

    def as_array(self, value: Any) -> Array:
        return self.xp.asarray(value)

    def assign(self, target: Array, source: Array) -> Array:
        if not self.mutable:
            return self.xp.broadcast_to(source, target.shape)
        target[...] = source
        return target

    # ---------------------------------------------------------------- creation and conversion

    def full(self, *, shape: tuple[int, ...], value: Any, dtype: DType, index: int) -> Array:
        return self.xp.full(shape, value, dtype=self.natives[dtype], device=self.native_device(index))

    def ramp(self, *, start: Any, step: Any, count: int, dtype: DType, index: int) -> Array:
        # int64 and float64 hold what Python numbers hold; one rounding at the end.
        whole = isinstance(start, int) and isinstance(step, int)
        able = self.capabilities(index).dtypes
        wide = self.natives[int64 if whole else float64 if float64 in able else float32]
        steps = self.xp.arange(0, count, 1, dtype=wide, device=self.native_device(index))
        return self.xp.astype(steps * step + start, self.natives[dtype])

    def cast(self, input: Array, *, dtype: DType) -> Array:
        source = self.dtype_of(input)
        if source.category == COMPLEX and dtype.category < COMPLEX:
            if dtype is bool_:
                return input != 0
            input = self.xp.real(input)
        return self.xp.astype(input, self.natives[dtype])

    def copy(self, input: Array) -> Array:
        return self.xp.asarray(input, copy=True)

    def alias(self, input: Array) -> Array:
        return input

    # A library may give views of the parts, and the ops are none: backward adds to what they return in place.
    def real_part(self, input: Array) -> Array:
        return self.copy(self.xp.real(input))

    def imag_part(self, input: Array) -> Array:
        return self.copy(self.xp.imag(input))

    # ---------------------------------------------------------------- elementwise where the standard leaves a choice

    def _integer_power(self, input: Array, exponent: Array) -> Array:
        """Signed integers to a power; the standard leaves negative ones open: they give 0 but for 1 and -1."""
        one, zero, negative = self._constant(1, input), self._constant(0, input), exponent < 0
        sign = self.xp.where((exponent & one) == 0, one, self._constant(-1, input))
        inverse = self.xp.where(input == 1, one, self.xp.where(input == -1, sign, zero))
        return self.xp.where(negative, inverse, self.xp.pow(input, self.xp.where(negative, zero, exponent)))

    def remainder(self, input: Array, other: Array) -> Array:
        if self.dtype_of(input).category == INTEGER:
            zero = other == 0
            result = self.xp.remainder(input, self.xp.where(zero, self._constant(1, other), other))
            return self.xp.where(zero, self._constant(0, input), result)
        return self.xp.remainder(input, other)

    def floor_divide(self, input: Array, other: Array) -> Array:
        if self.dtype_of(input).category == INTEGER:
            zero = other == 0
            result = self.xp.floor_divide(input, self.xp.where(zero, self._constant(1, other), other))
            return self.xp.where(zero, self._constant(0, input), result)
        result = self.xp.floor_divide(input, other)
        # The standard asks for NaN here, and libraries that take the floor of the quotient give infinity.
        infinite = self.xp.logical_and(self.xp.isinf(input), other != 0)
        return self.xp.where(infinite, input - input, result)

    def sign(self, input: Array) -> Array:
        dtype = self.dtype_of(input)
        if dtype is bool_:
            return self.copy(input)
        signs = self.xp.sign(input)
        # The standard keeps NaN; PyTorch's is 0.
        return self.xp.where(input != input, self._constant(0, input), signs) if dtype.category == FLOATING else signs

    def _constant(self, value: int, like: Array) -> Array:
        """A 0-d array of the dtype of ``like`` on its device."""
        return self.xp.asarray(value, dtype=like.dtype, device=self._device_of(like))

    def _device_of(self, array: Array) -> Any:
        """The library's device that ``array`` is on, for arrays made beside it."""
        return array.device

    # ---------------------------------------------------------------- reductions

    def sum(self, input: Array, *, dim: tuple[int, ...], keepdim: bool, dtype: DType) -> Array:
        return self._totalled(self.xp.sum, input, dtype, axis=dim, keepdims=keepdim)

    def prod(self, input: Array, *, dim: tuple[int, ...], keepdim: bool, dtype: DType) -> Array:
        return self._totalled(self.xp.prod, input, dtype, axis=dim, keepdims=keepdim)

    def _totalled(self, function: Any, input: Array, dtype: DType, **attributes: Any) -> Array:
        # 16-bit floats are added up in float32, as a library may round at each step.
        half = dtype.is_floating_point and dtype.itemsize == 2
        wide = float32 if half else dtype
        result = function(self._as(input, wide), dtype=self.natives[wide], **attributes)
        return self.xp.astype(result, self.natives[dtype]) if half else result

    def _as(self, input: Array, dtype: DType) -> Array:
        native = self.natives[dtype]
        return input if input.dtype == native else self.cast(input, dtype=dtype)

    def amax(self, input: Array, *, dim: tuple[int, ...], keepdim: bool) -> Array:
        if self.dtype_of(input) is bool_:
            return self.xp.any(input, axis=dim, keepdims=keepdim)
        return self.xp.max(input, axis=dim, keepdims=keepdim)

    def amin(self, input: Array, *, dim: tuple[int, ...], keepdim: bool) -> Array:
        if self.dtype_of(input) is bool_:
            return self.xp.all(input, axis=dim, keepdims=keepdim)
        return self.xp.min(input, axis=dim, keepdims=keepdim)

    def any(self, input: Array, *, dim: tuple[int, ...], keepdim: bool) -> Array:
        return self.xp.any(input, axis=dim, keepdims=keepdim)

    def all(self, input: Array, *, dim: tuple[int, ...], keepdim: bool) -> Array:
        return self.xp.all(input, axis=dim, keepdims=keepdim)

    def argmax(self, input: Array, *, dim: int, keepdim: bool) -> Array:
        return self._position(self.xp.argmax(self._ordered(input), axis=dim, keepdims=keepdim))

    def argmin(self, input: Array, *, dim: int, keepdim: bool) -> Array:
        return self._position(self.xp.argmin(self._ordered(input), axis=dim, keepdims=keepdim))

    def _ordered(self, input: Array) -> Array:
        return self.xp.astype(input, self.xp.uint8) if self.dtype_of(input) is bool_ else input

    def _position(self, places: Array) -> Array:
        native = self.natives[int64]
        return places if places.dtype == native else self.xp.astype(places, native)

    def cumsum(self, input: Array, *, dim: int, dtype: DType) -> Array:
        return self._totalled(self.xp.cumulative_sum, input, dtype, axis=dim)

    def cumprod(self, input: Array, *, dim: int, dtype: DType) -> Array:
        return self._totalled(self.xp.cumulative_prod, input, dtype, axis=dim)

    def sort(self, input: Array, *, dim: int, descending: bool) -> tuple[Array, Array]:
        places = self._argsort(self._ordered(input), dim, descending)
        return self.xp.take_along_axis(input, places, axis=dim), places

    def _argsort(self, input: Array, dim: int, descending: bool) -> Array:
        # NaN counts as the largest: sort by value, then stably by whether it is NaN.
        if not _is_floating(self, input):
            return self._position(self.xp.argsort(input, axis=dim, descending=descending, stable=True))
        nan = input != input
        clean = self.xp.where(nan, self._constant(0, input), input)
        first = self.xp.argsort(clean, axis=dim, descending=descending, stable=True)
        flags = self.xp.astype(self.xp.take_along_axis(nan, first, axis=dim), self.xp.uint8)
        second = self.xp.argsort(flags, axis=dim, descending=descending, stable=True)
        return self._position(self.xp.take_along_axis(first, second, axis=dim))

    # ---------------------------------------------------------------- shape

    def reshape(self, input: Array, *, shape: tuple[int, ...]) -> Array:
        return self.xp.reshape(input, shape)

    def permute(self, input: Array, *, dims: tuple[int, ...]) -> Array:
        return self.xp.permute_dims(input, dims)

    def expand(self, input: Array, *, shape: tuple[int, ...]) -> Array:
        return self.xp.broadcast_to(input, shape)

    def flip(self, input: Array, *, dims: tuple[int, ...]) -> Array:
        # A library may give a view.
        flipped = self.xp.flip(input, axis=dims)
        return self.copy(flipped) if self.mutable else flipped

    def cat(self, *tensors: Array, dim: int) -> Array:
        return self.xp.concat(tensors, axis=dim)

    def basic_index(self, input: Array, *, index: tuple[Any, ...]) -> Array:
        # Ints alone may give a copy; with an ellipsis they give a view of no dimensions where there are views.
        return input[(*index, ...)]

    def basic_index_put(self, input: Array, value: Array, *, index: tuple[Any, ...]) -> Array:
        if self.mutable:
            out = self.xp.asarray(input, copy=True)
            out[index] = value
            return out
        # Row-major places of the part, which rise.
        total = math.prod(input.shape)
        places = self.xp.reshape(self._ramp_like(total, input), tuple(input.shape))[index]
        flat = self.put_rows(
            self.xp.reshape(input, (-1,)), self.xp.reshape(places, (-1,)), self.xp.reshape(value, (-1,))
        )
        return self.xp.reshape(flat, tuple(input.shape))

    def _ramp_like(self, count: int, like: Array) -> Array:
        """The int64 numbers from 0 on the device of ``like``."""
        return self.xp.arange(count, dtype=self.natives[int64], device=self._device_of(like))

    # ---------------------------------------------------------------- indexing by arrays

    def _rows(self, sides: Sequence[int], indices: Sequence[Array]) -> Array:
        """Row-major places of index tuples within dimensions of these sides, checked."""
        places = None
        for side, index in zip(sides, indices, strict=True):
            if 0 not in index.shape:
                low, high = int(self.xp.min(index)), int(self.xp.max(index))
                if low < 0 or high >= side:
                    raise IndexError(f"indices from {low} to {high} are out of range for a side of {side}")
            places = index if places is None else places * side + index
        assert places is not None
        return places

    def index(self, input: Array, *indices: Array) -> Array:
        count = len(indices)
        places = self._rows(input.shape[:count], indices)
        rest = tuple(input.shape[count:])
        table = self.xp.reshape(input, (math.prod(input.shape[:count]), *rest))
        picked = self.xp.take(table, self.xp.reshape(places, (-1,)), axis=0)
        return self.xp.reshape(picked, (*places.shape, *rest))

    def index_put(self, input: Array, value: Array, *indices: Array, accumulate: bool) -> Array:
        count = len(indices)
        places = self._rows(input.shape[:count], indices)
        rest = tuple(input.shape[count:])
        rows = math.prod(input.shape[:count])
        table = self.xp.reshape(input, (rows, *rest))
        values = self.xp.reshape(value, (math.prod(places.shape), *rest))
        out = self.combine(table, self.xp.reshape(places, (-1,)), values, "sum" if accumulate else "set")
        return self.xp.reshape(out, tuple(input.shape))

    def combine(self, table: Array, places: Array, values: Array, reduce: str) -> Array:
        """``table`` with row ``values[i]`` combined into row ``places[i]`` for each i; ``"set"`` keeps the last.

        Values are sorted by place and each run of equal places is reduced by doubling: as many passes as the count of
        the most frequent place has binary digits.
        """
        xp = self.xp
        total = places.shape[0]
        if total == 0:
            return xp.asarray(table, copy=True)
        order = xp.argsort(places, stable=True)
        places = xp.take(places, order, axis=0)
        values = xp.take(values, order, axis=0)
        changes = places[1:] != places[:-1]
        edge = xp.ones((1,), dtype=xp.bool, device=self._device_of(places))
        if reduce != "set":
            values = self._run_totals(values, xp.concat((edge, changes)), reduce)
        last = xp.nonzero(xp.concat((changes, edge)))[0]
        rows = xp.take(places, last, axis=0)
        values = xp.take(values, last, axis=0)
        if reduce != "set":
            values = self._merge(reduce, xp.take(table, rows, axis=0), values)
        return self.put_rows(table, rows, values)

    def _run_totals(self, values: Array, starts: Array, reduce: str) -> Array:
        """``values`` combined along the first dimension within runs that begin at ``starts``."""
        xp = self.xp
        total = values.shape[0]
        numbers = self._ramp_like(total, values)
        first = xp.nonzero(starts)[0]
        rank = numbers - xp.take(first, xp.cumulative_sum(xp.astype(starts, numbers.dtype), axis=0) - 1, axis=0)
        longest = int(xp.max(rank))
        step = 1
        while step <= longest:
            inside = xp.reshape(rank >= step, (total, *(1 for _ in values.shape[1:])))
            shifted = xp.concat((values[:step, ...], values[:-step, ...]))
            values = xp.where(inside, self._merge(reduce, shifted, values), values)
            step *= 2
        return values

    def _merge(self, reduce: str, old: Array, new: Array) -> Array:
        name = {"sum": "add", "prod": "mul", "amax": "maximum", "amin": "minimum"}[reduce]
        kernel = self.kernel(name, self.dtype_of(old), 0)
        assert kernel is not None
        return kernel(old, new)

    def put_rows(self, table: Array, rows: Array, values: Array) -> Array:
        """A copy of ``table`` with ``values`` at ``rows``, which rise."""
        xp = self.xp
        if 0 in rows.shape:
            return xp.asarray(table, copy=True)
        # Each row of the table looks for its number among the rows, as scattering is not in the standard.
        numbers = self._ramp_like(table.shape[0], table)
        near = xp.minimum(xp.searchsorted(rows, numbers), self._constant(rows.shape[0] - 1, numbers))
        hit = xp.reshape(xp.take(rows, near, axis=0) == numbers, (-1, *(1 for _ in table.shape[1:])))
        return xp.where(hit, xp.take(values, near, axis=0), table)

    def gather(self, input: Array, index: Array, *, dim: int) -> Array:
        self._rows((input.shape[dim],), (index,))
        for place, side in enumerate(index.shape):
            if place != dim and side != input.shape[place]:
                input = input[tuple(slice(0, s) if d == place else slice(None) for d, s in enumerate(index.shape))]
        return self.xp.take_along_axis(input, index, axis=dim)

    def scatter(self, input: Array, index: Array, src: Array, *, dim: int, reduce: str) -> Array:
        self._rows((input.shape[dim],), (index,))
        places = None
        for d, side in enumerate(input.shape):
            if d == dim:
                coordinate = index
            else:
                ramp = self._ramp_like(index.shape[d], index)
                coordinate = self.xp.reshape(ramp, tuple(-1 if k == d else 1 for k in range(len(index.shape))))
            places = coordinate if places is None else places * side + coordinate
        flat = self.xp.reshape(self.xp.broadcast_to(places, tuple(index.shape)), (-1,))
        out = self.combine(self.xp.reshape(input, (-1,)), flat, self.xp.reshape(src, (-1,)), reduce)
        return self.xp.reshape(out, tuple(input.shape))

    def nonzero_places(self, input: Array) -> Array:
        if not input.shape:
            count = int(bool(input))
            return self.xp.zeros((count, 0), dtype=self.natives[int64], device=self._device_of(input))
        places = self.xp.nonzero(input)
        return self.xp.stack([self._position(each) for each in places], axis=1)


def _number(element: Any, dtype: DType) -> Any:
    if dtype.category == BOOL:
        return bool(element)
    if dtype.category == COMPLEX:
        return complex(element)
    return float(element) if dtype.category == FLOATING else int(element)


def _is_floating(backend: Backend, array: Array) -> bool:
    return backend.dtype_of(array).category == FLOATING
