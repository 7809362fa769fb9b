"""Array API libraries as devices: what they share, and `make`, which plugins name as their target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np

from tensorcore.backend.array_module import ArrayModuleBackend
from tensorcore.backend.contract import Array, Backend
from tensorcore.dtypes import ALL, DType, bfloat16, float32

__all__ = ["LibraryBackend", "make"]

#: NumPy's dtype for each of ours.
NUMPY = {each: np.dtype(ml_dtypes.bfloat16 if each is bfloat16 else each.name) for each in ALL}


def make(argument: str) -> Backend:
    """The backend of a library: a device name, or ``NAME=MODULE`` where the Array API namespace has another name.

    Raises:
        ImportError: if the library is not installed.

    Example:
        >>> from tensorcore_array_api.backend import make
        >>> make("compat_numpy=array_api_compat.numpy").name
        'compat_numpy'
    """
    name, _, module = argument.partition("=")
    # Each library is imported here and nowhere else: only when its device is used.
    if name == "torch":
        from tensorcore_array_api.torch_arrays import TorchBackend

        return TorchBackend()
    if name == "jax":
        from tensorcore_array_api.jax_arrays import JaxBackend

        return JaxBackend()
    if name == "array_api_strict":
        from tensorcore_array_api.strict_arrays import StrictBackend

        return StrictBackend()
    if name == "mlx":
        from tensorcore_array_api.mlx_arrays import MlxBackend

        return MlxBackend()
    if name == "dpnp":
        from tensorcore_array_api.dpnp_arrays import DpnpBackend

        return DpnpBackend()
    import importlib

    return LibraryBackend(name, importlib.import_module(module or name))


class LibraryBackend(ArrayModuleBackend):
    """The namespace of an installed library; host memory goes through NumPy, not element by element.

    Args:
        name: the device name.
        xp: an Array API namespace whose ``asarray`` takes NumPy arrays and whose arrays ``numpy.asarray`` takes.
        mutable: whether ``x[index] = value`` works and basic indices are views.
    """

    def from_host(self, data: Any, dtype: DType, shape: Sequence[int], index: int) -> Array:
        array = np.frombuffer(data, NUMPY[dtype]) if len(data) else np.empty(0, NUMPY[dtype])
        return self.from_numpy(array.reshape(tuple(shape)), dtype, index)

    def from_numpy(self, array: Any, dtype: DType, index: int) -> Array:
        """A native copy of a NumPy array."""
        return self.xp.asarray(array, dtype=self.natives[dtype], device=self.native_device(index), copy=True)

    def to_host(self, array: Array) -> memoryview:
        return memoryview(np.ascontiguousarray(self.as_numpy(array)).reshape(-1).view(np.uint8))

    def as_numpy(self, array: Array) -> Any:
        """A NumPy array of the same elements, over the same memory where that is possible."""
        return np.asarray(array)

    def floored_quotient(self, input: Array, other: Array) -> Array:
        """The quotient of floats rounded down, by the exact remainder, as Python does it.

        For libraries that take the floor of a quotient, which may have been rounded up to an integer.
        """
        xp, dtype = self.xp, self.dtype_of(input)
        wide = self.natives[float32 if dtype.itemsize == 2 else dtype]
        x, y = xp.astype(input, wide), xp.astype(other, wide)
        rest = xp.remainder(xp.abs(x), xp.abs(y))
        below = xp.logical_and(rest != 0, (x < 0) != (y < 0))
        whole = xp.round((x - xp.where(x < 0, -rest, rest)) / y) - xp.astype(below, wide)
        quotient = x / y
        # Zero has the quotient's sign.
        whole = xp.where(whole == 0, quotient * 0, whole)
        return xp.astype(xp.where(y == 0, quotient, whole), self.natives[dtype])
