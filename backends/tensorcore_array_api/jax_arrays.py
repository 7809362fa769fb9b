"""The device ``jax``: immutable arrays, kernels and whole programs compiled by XLA."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import jax
import jax.numpy as jnp
import numpy as np

from tensorcore.backend.contract import Array, Capabilities, Kernel
from tensorcore.dtypes import COMPLEX, DType, bool_
from tensorcore_array_api.backend import NUMPY, LibraryBackend
from tensorcore_array_api.jax_solving import JaxSolving

if TYPE_CHECKING:
    from tensorcore.compile.graph import Graph, Program

#: Kernels that are no program of XLA: they move nothing, or read values, or compile their parts themselves.
_AS_THEY_ARE: Final = frozenset(
    (
        "alias", "assign", "basic_index", "basic_index_put", "full", "gather", "index", "index_put", "nonzero_places",
        "ramp", "random_words", "scatter",
    )
)  # fmt: skip


class _Tracing(threading.local):
    #: While a program is traced: whether indices are out of range, as arrays; `check` cannot raise then.
    violations: list[Any] | None = None


class JaxBackend(JaxSolving, LibraryBackend):
    """JAX's arrays. Loading it turns on JAX's 64-bit types for the process, as float64 and int64 exist here."""

    tensorcore_conformance_exceptions = (
        {"op": "expm1", "cases": "large/float32*", "reason": "XLA's is off by up to 5.4 units in the last place"},
        {"op": "atan", "cases": "large/float32*", "reason": "XLA's is off by up to 4.9 units in the last place"},
        {
            "op": "sinh",
            "cases": "wide/float32",
            "reason": "XLA's, by exp(x + log(1/2)), loses digits near overflow",
        },
        {
            "op": "cosh",
            "cases": "wide/float32",
            "reason": "XLA's, by exp(x + log(1/2)), loses digits near overflow",
        },
        {"op": "cast", "cases": "halves/float64/float16", "reason": "XLA goes by float32, which rounds twice"},
    )

    def __init__(self) -> None:
        jax.config.update("jax_enable_x64", True)
        super().__init__("jax", jnp, mutable=False)
        self.array_type = type(jnp.zeros(()))
        self._devices = jax.local_devices()
        self._tracing = _Tracing()

    def native_dtypes(self) -> dict[DType, Any]:
        return NUMPY

    def native_device(self, index: int) -> Any:
        return self._devices[index]

    def _device_of(self, array: Array) -> Any:
        # Inside a program, where arrays have no device yet; constants follow their operands.
        return None

    def device_count(self) -> int:
        return len(self._devices)

    def capabilities(self, index: int) -> Capabilities:
        host = self._devices[index].platform == "cpu"
        return Capabilities(
            dtypes=frozenset(self.natives), mutable=False, views=False,
            # Elsewhere than on the CPU, XLA adds to one place in any order.
            deterministic=host, subnormals=False, asynchronous=True,
        )  # fmt: skip

    def synchronize(self, index: int) -> None:
        for array in jax.live_arrays():
            array.block_until_ready()

    # ---------------------------------------------------------------- choice of kernels

    def kernel(self, name: str, dtype: DType, index: int) -> Kernel | None:
        # Which minor of a matrix is not positive is a loop that ends where values say, so the expression is run.
        found = None if name == "linalg_cholesky_ex" else super().kernel(name, dtype, index)
        if found is None or name in _AS_THEY_ARE:
            return found
        return _compiled(found)

    def lower(self, graph: Graph) -> Program:
        from tensorcore_array_api.jax_program import lowered

        return lowered(self, graph, super().lower)

    # ---------------------------------------------------------------- host memory

    def from_numpy(self, array: Any, dtype: DType, index: int) -> Array:
        # A copy first: JAX would share the memory of some arrays.
        made = jnp.asarray(np.array(array, order="C"))
        return made if index == 0 else jax.device_put(made, self._devices[index])

    def item(self, array: Array, dtype: DType) -> bool | int | float | complex:
        value = np.asarray(array).item()
        return float(value) if dtype.is_floating_point else value

    def data_ptr(self, array: Array) -> int:
        return array.unsafe_buffer_pointer()

    def from_dlpack(self, capsule_owner: Any, index: int, copy: bool | None) -> Array:
        array = jnp.from_dlpack(capsule_owner, copy=None if copy else copy)
        # Told to copy, JAX may share all the same.
        return jnp.array(array, copy=True) if copy else array

    def to_dlpack(self, array: Array, **options: Any) -> Any:
        return array.__dlpack__(**options)

    def assign(self, target: Array, source: Array) -> Array:
        return source if source.shape == target.shape else jnp.broadcast_to(source, target.shape)

    # ---------------------------------------------------------------- creation and conversion

    def full(self, *, shape: tuple[int, ...], value: Any, dtype: DType, index: int) -> Array:
        return self._placed(_full(np.asarray(value).astype(NUMPY[dtype]), shape=shape), index)

    def ramp(self, *, start: Any, step: Any, count: int, dtype: DType, index: int) -> Array:
        wide = np.int64 if isinstance(start, int) and isinstance(step, int) else np.float64
        return self._placed(_ramp(wide(start), wide(step), count=count, native=NUMPY[dtype]), index)

    def _placed(self, array: Array, index: int) -> Array:
        return array if index == 0 else jax.device_put(array, self._devices[index])

    def cast(self, input: Array, *, dtype: DType) -> Array:
        if input.dtype.kind == "c" and dtype.category < COMPLEX:
            return input != 0 if dtype is bool_ else input.real.astype(NUMPY[dtype])
        return input.astype(NUMPY[dtype])

    def complex(self, real: Array, imag: Array) -> Array:
        wide = jnp.promote_types(real.dtype, jnp.float32)
        return jax.lax.complex(*[part.astype(wide) for part in jnp.broadcast_arrays(real, imag)])

    def copy(self, input: Array) -> Array:
        # Arrays do not change, so nobody can tell a copy from the array.
        return input

    # ---------------------------------------------------------------- elementwise

    def div(self, input: Array, other: Array) -> Array:
        # XLA multiplies by the inverse of a divisor that it sees being broadcast, and of any 16-bit float.
        if input.dtype.itemsize > 2:
            if input.shape != other.shape or not other.shape:
                input, other = jnp.broadcast_arrays(input, other)
                other = jax.lax.optimization_barrier(other)
            return jnp.divide(input, other)
        return jnp.divide(input.astype(jnp.float32), other.astype(jnp.float32)).astype(input.dtype)

    def pow(self, input: Array, exponent: Array) -> Array:
        # `jnp.power` looks at the lowest six bits of an integer exponent only.
        return _integer_power(input, exponent) if input.dtype.kind in "iu" else jnp.power(input, exponent)

    def sqrt(self, input: Array) -> Array:
        root = jnp.sqrt(input)
        if input.dtype.kind != "c":
            return root
        # XLA's is on the other side of the cut below it.
        return jax.lax.complex(root.real, jnp.copysign(root.imag, input.imag))

    # ---------------------------------------------------------------- indexing

    def basic_index(self, input: Array, *, index: tuple[Any, ...]) -> Array:
        return _take(input, index=_hashable(index))

    def basic_index_put(self, input: Array, value: Array, *, index: tuple[Any, ...]) -> Array:
        return _put(input, value, index=_hashable(index))

    def _check(self, sides: Sequence[int], indices: Sequence[Array]) -> None:
        # XLA moves indices into the range, silently.
        for side, index in zip(sides, indices, strict=False):
            if 0 in index.shape:
                continue
            low, high = _bounds(index)
            if self._tracing.violations is not None:
                self._tracing.violations.append((low < 0) | (high >= side))
            elif int(low) < 0 or int(high) >= side:
                raise IndexError(f"indices from {int(low)} to {int(high)} are out of range for a side of {side}")

    def index(self, input: Array, *indices: Array) -> Array:
        self._check(input.shape, indices)
        return _index(input, *indices)

    def index_put(self, input: Array, value: Array, *indices: Array, accumulate: bool) -> Array:
        self._check(input.shape, indices)
        return _index_put(input, value, *indices, reduce="sum" if accumulate else "set")

    def gather(self, input: Array, index: Array, *, dim: int) -> Array:
        self._check((input.shape[dim],), (index,))
        return _gather(input, index, dim=dim)

    def scatter(self, input: Array, index: Array, src: Array, *, dim: int, reduce: str) -> Array:
        self._check((input.shape[dim],), (index,))
        return _scatter(input, index, src, dim=dim, reduce=reduce)

    def nonzero_places(self, input: Array) -> Array:
        places = np.argwhere(np.asarray(input)) if input.ndim else np.zeros((int(bool(input)), 0), np.int64)
        return jax.device_put(places, input.sharding)


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` as one program of XLA for each shape; its keyword-only parameters are constants of the program."""
    parameters = inspect.signature(function).parameters.values()
    return jax.jit(function, static_argnames=[each.name for each in parameters if each.kind is each.KEYWORD_ONLY])


def _integer_power(base: Array, exponent: Array) -> Array:
    """By repeated squaring; a negative exponent gives the power's whole part, as in PyTorch."""
    base, exponent = jnp.broadcast_arrays(base, exponent)

    def squared(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        total, square, left = state
        return jnp.where(left & 1 == 1, total * square, total), square * square, left >> 1

    start = (jnp.ones_like(base), base, jnp.maximum(exponent, 0))
    power, _, _ = jax.lax.while_loop(lambda state: jnp.any(state[2] > 0), squared, start)
    # With a unit, base and inverse are the same.
    inverse = jnp.where(base == 1, 1, jnp.where(base == -1, 1 - 2 * (exponent & 1), 0)).astype(base.dtype)
    return jnp.where(exponent < 0, inverse, power)


def _hashable(index: tuple[Any, ...]) -> tuple[Any, ...]:
    # Python 3.11 cannot hash slices, and constants of a program are hashed.
    return tuple([(each.start, each.stop, each.step) if isinstance(each, slice) else each for each in index])


def _slices(index: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple([slice(*each) if isinstance(each, tuple) else each for each in index])


@_compiled
def _full(value: Array, *, shape: tuple[int, ...]) -> Array:
    return jnp.broadcast_to(value, shape)


@_compiled
def _ramp(start: Array, step: Array, *, count: int, native: Any) -> Array:
    return (jnp.arange(count, dtype=start.dtype) * step + start).astype(native)


@_compiled
def _take(input: Array, *, index: tuple[Any, ...]) -> Array:
    return input[_slices(index)]


@_compiled
def _put(input: Array, value: Array, *, index: tuple[Any, ...]) -> Array:
    return input.at[_slices(index)].set(value)


@_compiled
def _bounds(index: Array) -> tuple[Array, Array]:
    return jnp.min(index), jnp.max(index)


@_compiled
def _index(input: Array, *indices: Array) -> Array:
    return input.at[indices].get(mode="promise_in_bounds")


@_compiled
def _index_put(input: Array, value: Array, *indices: Array, reduce: str) -> Array:
    return _combined(input, indices, value, reduce)


@_compiled
def _gather(input: Array, index: Array, *, dim: int) -> Array:
    return input.at[_along(index, dim)].get(mode="promise_in_bounds")


@_compiled
def _scatter(input: Array, index: Array, src: Array, *, dim: int, reduce: str) -> Array:
    return _combined(input, _along(index, dim), src, reduce)


def _along(index: Array, dim: int) -> tuple[Array, ...]:
    """Indices for all dimensions: ``index`` along ``dim``, the place itself along the others."""
    sides = index.shape
    ramps = [jnp.arange(side).reshape([-1 if k == d else 1 for k in range(len(sides))]) for d, side in enumerate(sides)]
    return tuple([index if d == dim else ramp for d, ramp in enumerate(ramps)])


def _combined(input: Array, indices: tuple[Array, ...], value: Array, reduce: str) -> Array:
    place = input.at[indices]
    if input.dtype == bool and reduce != "set":
        reduce = "amax" if reduce in ("sum", "amax") else "amin"
    name = {"set": "set", "sum": "add", "prod": "multiply", "amax": "max", "amin": "min"}[reduce]
    return getattr(place, name)(value, mode="promise_in_bounds")
