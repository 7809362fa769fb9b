"""Every primitive over an Array API namespace: the base of backends made of an existing array library.

Only functions of the Array API standard (2024.12) are used, so a library that follows it needs no more than its name; a
subclass overrides what its library does better or differently.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from tensorcore.backend.contract import Array, Backend, Capabilities, Kernel
from tensorcore.dtypes import ALL, BOOL, COMPLEX, FLOATING, INTEGER, DType, bool_, float32, int64
from tensorcore.errors import DTypeError


class ArrayModuleBackend(Backend):
    """A backend whose kernels are the functions of the namespace ``xp``.

    Args:
        name: the device name.
        xp: an Array API namespace.
        mutable: whether ``x[index] = value`` works and basic indices are views.
    """

    #: Ops that are one function of the standard under the record's ``standard`` name, called with the operands alone.
    DIRECT: ClassVar[frozenset[str]] = frozenset(
        (
            "add sub mul div pow maximum minimum atan2 neg abs exp expm1 log log1p sqrt sin cos tan asin acos atan "
            "sinh cosh tanh asinh acosh atanh floor ceil trunc round conj_physical real_part imag_part eq ne lt le gt ge "
            "bitwise_and bitwise_or bitwise_xor bitwise_not bitwise_left_shift bitwise_right_shift where matmul sign"
        ).split()
    )

    def __init__(self, name: str, xp: Any, mutable: bool = True) -> None:
        self.name = name
        self.xp = xp
        self.mutable = mutable
        self.natives: dict[DType, Any] = self.native_dtypes()
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
        if own is None and name in self.DIRECT:
            from tensorcore.ops.record import REGISTRY

            own = getattr(self.xp, REGISTRY[name].standard, None)
        if dtype is bool_ and name in self.ON_BOOL:
            return getattr(self.xp, self.ON_BOOL[name])
        return own

    #: The standard gives these no meaning for bool; PyTorch's is the logical one.
    ON_BOOL: ClassVar[dict[str, str]] = {
        "add": "logical_or", "mul": "logical_and", "maximum": "logical_or", "minimum": "logical_and",
        "bitwise_and": "logical_and", "bitwise_or": "logical_or", "bitwise_xor": "logical_xor",
        "bitwise_not": "logical_not",
    }  # fmt: skip

    # ---------------------------------------------------------------- host memory

    def from_host(self, data: Any, dtype: DType, shape: Sequence[int], index: int) -> Array:
        from tensorcore.host_data import decode, nest

        native = self.natives[dtype]
        flat = decode(data, dtype)
        if 0 in shape:
            return self.xp.zeros(tuple(shape), dtype=native, device=self.native_device(index))
        return self.xp.asarray(nest(flat, tuple(shape)), dtype=native, device=self.native_device(index))

    def to_host(self, array: Array) -> memoryview:
        from tensorcore.host_data import encode

        dtype = self.dtype_of(array)
        flat = self.xp.reshape(array, (-1,))
        return memoryview(encode([_number(flat[i], dtype) for i in range(flat.shape[0])], dtype)).cast("B")

    def dtype_of(self, array: Array) -> DType:
        for dtype, native in self.natives.items():
            if array.dtype == native:
                return dtype
        raise DTypeError(f"device {self.name!r}: tensors have no dtype for the native {array.dtype}")

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
        wide = self.natives[int64] if whole else self.natives[_widest_float(self.natives)]
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

    # ---------------------------------------------------------------- elementwise where the standard leaves a choice

    def remainder(self, input: Array, other: Array) -> Array:
        if self.dtype_of(input).category == INTEGER:
            zero = other == 0
            return self.xp.where(zero, self._zero(input), self.xp.remainder(input, self._nonzero(other, zero)))
        return self.xp.remainder(input, other)

    def floor_divide(self, input: Array, other: Array) -> Array:
        if self.dtype_of(input).category == INTEGER:
            zero = other == 0
            return self.xp.where(zero, self._zero(input), self.xp.floor_divide(input, self._nonzero(other, zero)))
        return self.xp.floor_divide(input, other)

    def _zero(self, like: Array) -> Array:
        return self.xp.zeros((), dtype=like.dtype, device=self.native_device(0))

    def _nonzero(self, other: Array, zero: Array) -> Array:
        return self.xp.where(zero, self.xp.ones((), dtype=other.dtype, device=self.native_device(0)), other)

    # ---------------------------------------------------------------- reductions

    def sum(self, input: Array, *, dim: tuple[int, ...], keepdim: bool, dtype: DType) -> Array:
        return self.xp.sum(self._as(input, dtype), axis=dim, keepdims=keepdim, dtype=self.natives[dtype])

    def prod(self, input: Array, *, dim: tuple[int, ...], keepdim: bool, dtype: DType) -> Array:
        return self.xp.prod(self._as(input, dtype), axis=dim, keepdims=keepdim, dtype=self.natives[dtype])

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
        return self.xp.cumulative_sum(self._as(input, dtype), axis=dim, dtype=self.natives[dtype])

    def cumprod(self, input: Array, *, dim: int, dtype: DType) -> Array:
        return self.xp.cumulative_prod(self._as(input, dtype), axis=dim, dtype=self.natives[dtype])

    def sort(self, input: Array, *, dim: int, descending: bool) -> tuple[Array, Array]:
        places = self._argsort(self._ordered(input), dim, descending)
        return self.xp.take_along_axis(input, places, axis=dim), places

    def _argsort(self, input: Array, dim: int, descending: bool) -> Array:
        # NaN counts as the largest: sort by value, then stably by whether it is NaN.
        if not _is_floating(self, input):
            return self._position(self.xp.argsort(input, axis=dim, descending=descending, stable=True))
        nan = input != input
        clean = self.xp.where(nan, self._zero(input), input)
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
        return self.xp.flip(input, axis=dims)

    def cat(self, *tensors: Array, dim: int) -> Array:
        return self.xp.concat(tensors, axis=dim)

    def basic_index(self, input: Array, *, index: tuple[Any, ...]) -> Array:
        return input[index]

    def basic_index_put(self, input: Array, value: Array, *, index: tuple[Any, ...]) -> Array:
        out = self.xp.asarray(input, copy=True)
        out[index] = value
        return out

    # ---------------------------------------------------------------- indexing by arrays

    def _rows(self, sides: Sequence[int], indices: Sequence[Array]) -> Array:
        """Row-major places of index tuples within dimensions of these sides, checked."""
        places = None
        for side, index in zip(sides, indices, strict=True):
            if math.prod(index.shape) and not (0 <= int(self.xp.min(index)) and int(self.xp.max(index)) < side):
                low, high = int(self.xp.min(index)), int(self.xp.max(index))
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
        """``table`` with row ``values[i]`` combined into row ``places[i]``, for each i in order.

        In rounds: rows are sorted by place, and round k brings the k-th value of every place, so each round writes a
        place once. As many rounds as the most frequent place has values.
        """
        xp = self.xp
        total = places.shape[0]
        if total == 0:
            return xp.asarray(table, copy=True)
        order = xp.argsort(places, stable=True)
        ordered = xp.take(places, order, axis=0)
        numbers = xp.arange(total, dtype=ordered.dtype)
        starts = xp.concat((xp.ones((1,), dtype=xp.bool), ordered[1:] != ordered[:-1]))
        first = _running_max(xp, xp.where(starts, numbers, xp.zeros_like(numbers)))
        rank = numbers - first
        out = xp.asarray(table, copy=True)
        for turn in range(int(xp.max(rank)) + 1):
            chosen = xp.nonzero(rank == turn)[0]
            rows = xp.take(ordered, chosen, axis=0)
            fresh = xp.take(values, xp.take(order, chosen, axis=0), axis=0)
            if reduce != "set":
                fresh = self._merge(reduce, xp.take(out, rows, axis=0), fresh)
            out = self.put_rows(out, rows, fresh)
        return out

    def _merge(self, reduce: str, old: Array, new: Array) -> Array:
        if reduce in ("amax", "amin"):
            return self.xp.maximum(old, new) if reduce == "amax" else self.xp.minimum(old, new)
        return old + new if reduce == "sum" else old * new

    def put_rows(self, table: Array, rows: Array, values: Array) -> Array:
        """``table`` with ``values`` at ``rows``, which are distinct; may write into ``table``."""
        for i in range(rows.shape[0]):
            table[int(rows[i]), ...] = values[i, ...]
        return table

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
                ramp = self.xp.arange(index.shape[d], dtype=index.dtype)
                coordinate = self.xp.reshape(ramp, tuple(-1 if k == d else 1 for k in range(len(index.shape))))
            places = coordinate if places is None else places * side + coordinate
        flat = self.xp.reshape(self.xp.broadcast_to(places, tuple(index.shape)), (-1,))
        out = self.combine(self.xp.reshape(input, (-1,)), flat, self.xp.reshape(src, (-1,)), reduce)
        return self.xp.reshape(out, tuple(input.shape))

    def nonzero_places(self, input: Array) -> Array:
        if not input.shape:
            count = int(bool(input))
            return self.xp.zeros((count, 0), dtype=self.natives[int64])
        places = self.xp.nonzero(input)
        return self.xp.stack([self._position(each) for each in places], axis=1)


def _number(element: Any, dtype: DType) -> Any:
    if dtype.category == BOOL:
        return bool(element)
    if dtype.category == COMPLEX:
        return complex(element)
    return float(element) if dtype.category == FLOATING else int(element)


def _widest_float(natives: dict[DType, Any]) -> DType:
    from tensorcore.dtypes import float64

    return float64 if float64 in natives else float32


def _is_floating(backend: Backend, array: Array) -> bool:
    return backend.dtype_of(array).category == FLOATING


def _running_max(xp: Any, numbers: Array) -> Array:
    """Running maximum of non-negative ints in which every non-zero is larger than those before, by doubling."""
    total = numbers.shape[0]
    step = 1
    while step < total:
        shifted = xp.concat((xp.zeros((step,), dtype=numbers.dtype), numbers[:-step]))
        numbers = xp.maximum(numbers, shifted)
        step *= 2
    return numbers


