"""Reductions, running totals and order, by CuPy."""

from __future__ import annotations

from tensorcore.backend.array_module import ArrayModuleBackend
from tensorcore.backend.contract import Array
from tensorcore.dtypes import BOOL, COMPLEX, FLOATING, DType, bfloat16, bool_, float16, float32, int64
from tensorcore_cuda.natives import NATIVE, dtype_of_native

__all__ = ["ReductionKernels"]


class ReductionKernels(ArrayModuleBackend):
    """Sums of 16-bit floats are taken in float32 and rounded once; NaN is found where PyTorch finds it."""

    def sum(self, input: Array, *, dim: tuple[int, ...], keepdim: bool, dtype: DType) -> Array:
        if not dim:
            return self._converted_copy(input, dtype)
        if dtype in (float16, bfloat16):
            # Which width CuPy adds in depends on the loop it takes; bfloat16 is not in all of them.
            return self.cast(self.sum(input, dim=dim, keepdim=keepdim, dtype=float32), dtype=dtype)
        return self._widened(input, dtype).sum(axis=dim, dtype=NATIVE[dtype], keepdims=keepdim)

    def prod(self, input: Array, *, dim: tuple[int, ...], keepdim: bool, dtype: DType) -> Array:
        if not dim:
            return self._converted_copy(input, dtype)
        if dtype in (float16, bfloat16):
            return self.cast(self.prod(input, dim=dim, keepdim=keepdim, dtype=float32), dtype=dtype)
        return self._widened(input, dtype).prod(axis=dim, dtype=NATIVE[dtype], keepdims=keepdim)

    def _widened(self, input: Array, dtype: DType) -> Array:
        # From float16 to float32 CuPy's reduction converts as it reads.
        narrow = input.dtype == NATIVE[float16] and dtype is float32
        return input if narrow else self._as(input, dtype)

    def _as(self, input: Array, dtype: DType) -> Array:
        return input if input.dtype == NATIVE[dtype] else self.cast(input, dtype=dtype)

    def _converted_copy(self, input: Array, dtype: DType) -> Array:
        # An empty tuple of axes reduces nothing.
        return self.copy(input) if input.dtype == NATIVE[dtype] else self.cast(input, dtype=dtype)

    def amax(self, input: Array, *, dim: tuple[int, ...], keepdim: bool) -> Array:
        return self._extreme(input, dim, keepdim, "max", "any")

    def amin(self, input: Array, *, dim: tuple[int, ...], keepdim: bool) -> Array:
        return self._extreme(input, dim, keepdim, "min", "all")

    def _extreme(self, input: Array, dim: tuple[int, ...], keepdim: bool, name: str, of_bool: str) -> Array:
        if not dim:
            return self.copy(input)
        dtype = dtype_of_native(input.dtype)
        if input.size == 0:
            # CuPy refuses an empty operand even where the result is empty.
            return self.xp.empty(_reduced_shape(input.shape, dim, keepdim), input.dtype)
        if dtype is bfloat16:
            wide = self.cast(input, dtype=float32)
            return self.cast(getattr(wide, name)(axis=dim, keepdims=keepdim), dtype=dtype)
        return getattr(input, of_bool if dtype is bool_ else name)(axis=dim, keepdims=keepdim)

    def any(self, input: Array, *, dim: tuple[int, ...], keepdim: bool) -> Array:
        truth = self._truth(input)
        return truth.any(axis=dim, keepdims=keepdim) if dim else self.copy(truth)

    def all(self, input: Array, *, dim: tuple[int, ...], keepdim: bool) -> Array:
        truth = self._truth(input)
        return truth.all(axis=dim, keepdims=keepdim) if dim else self.copy(truth)

    def _truth(self, input: Array) -> Array:
        return input if input.dtype == NATIVE[bool_] else self.cast(input, dtype=bool_)

    # ---------------------------------------------------------------- places of extremes

    def argmax(self, input: Array, *, dim: int, keepdim: bool) -> Array:
        return self._place(input, dim, keepdim, "order_high", "argmax")

    def argmin(self, input: Array, *, dim: int, keepdim: bool) -> Array:
        return self._place(input, dim, keepdim, "order_low", "argmin")

    def _place(self, input: Array, dim: int, keepdim: bool, order: str, name: str) -> Array:
        # CuPy takes any of several NaN; among integers it takes the first.
        keys = self.order_keys(input, order)
        shape = _reduced_shape(input.shape, (dim,), keepdim)
        if keys.size == 0:
            return self.xp.empty(shape, NATIVE[int64])
        return getattr(keys, name)(axis=dim).astype(NATIVE[int64], copy=False).reshape(shape)

    def order_keys(self, input: Array, order: str) -> Array:
        """Integers in the order of the elements: NaN above all others, or below them for ``"order_low"``."""
        dtype = dtype_of_native(input.dtype)
        if dtype.category == BOOL:
            return input.view(self.xp.uint8)
        return self.compute(order, dtype)(input) if dtype.category == FLOATING else input

    # ---------------------------------------------------------------- running totals

    def cumsum(self, input: Array, *, dim: int, dtype: DType) -> Array:
        return self._running("cumsum", input, dim, dtype)

    def cumprod(self, input: Array, *, dim: int, dtype: DType) -> Array:
        return self._running("cumprod", input, dim, dtype)

    def _running(self, name: str, input: Array, dim: int, dtype: DType) -> Array:
        if dtype in (float16, bfloat16):
            # CuPy would round after every step.
            return self.cast(self._running(name, input, dim, float32), dtype=dtype)
        if input.size == 0:
            return self.xp.empty(input.shape, NATIVE[dtype])
        return getattr(self.xp, name)(self._as(input, dtype), axis=dim, dtype=NATIVE[dtype])

    # ---------------------------------------------------------------- order

    def sort(self, input: Array, *, dim: int, descending: bool) -> tuple[Array, Array]:
        if input.size == 0:
            return self.copy(input), self.xp.empty(input.shape, NATIVE[int64])
        places = self._order(input, dim, descending)
        return self.gather_checked(input, places, dim), places

    def _order(self, input: Array, dim: int, descending: bool) -> Array:
        keys = self.order_keys(input, "order_high")
        if not descending:
            # CuPy's argsort is Thrust's stable sort.
            return self.xp.argsort(keys, axis=dim).astype(NATIVE[int64], copy=False)
        if dtype_of_native(input.dtype).category == COMPLEX:
            # A stable descending order is the reverse of the stable ascending order of the reversed input.
            flipped = self.xp.argsort(self.xp.flip(keys, dim), axis=dim)
            return (input.shape[dim] - 1 - self.xp.flip(flipped, dim)).astype(NATIVE[int64])
        # Inverting the bits of integers reverses their order, and equal ones stay as they come.
        return self.xp.argsort(self.xp.invert(keys), axis=dim).astype(NATIVE[int64], copy=False)


def _reduced_shape(shape: tuple[int, ...], dims: tuple[int, ...], keepdim: bool) -> tuple[int, ...]:
    return tuple(1 if place in dims else side for place, side in enumerate(shape) if keepdim or place not in dims)
