"""The device ``array_api_strict``: the standard to the letter, without 16-bit floats, on three devices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_strict
import numpy as np

from tensorcore.backend.contract import Array, Kernel
from tensorcore.dtypes import DType
from tensorcore_array_api.backend import LibraryBackend


class StrictBackend(LibraryBackend):
    """What the standard guarantees and nothing else: what runs here runs on any library that follows it."""

    tensorcore_conformance_exceptions = (
        {"op": "sum", "cases": "long/*", "dtypes": ("float32",), "reason": "the NumPy behind it adds rows one by one"},
    )

    def __init__(self) -> None:
        # The devices without float64 or int64 are left out: indices and normal draws need them.
        self._devices = [array_api_strict.Device(name) for name in ("CPU_DEVICE", "device1", "device2")]
        super().__init__("array_api_strict", array_api_strict)

    def native_device(self, index: int) -> Any:
        return self._devices[index]

    def device_count(self) -> int:
        return len(self._devices)

    def kernel(self, name: str, dtype: DType, index: int) -> Kernel | None:
        found = super().kernel(name, dtype, index)
        return None if found is None else _quiet(found)

    def copy(self, input: Array) -> Array:
        # `asarray` keeps the order of the strides, and a copy is row-major.
        out = self.xp.empty(input.shape, dtype=input.dtype, device=input.device)
        out[...] = input
        return out

    def assign(self, target: Array, source: Array) -> Array:
        # The NumPy behind it reads what it has just written where slices of two strides overlap.
        overlaps = np.may_share_memory(target._array, source._array)
        return super().assign(target, self.copy(source) if overlaps else source)

    def strides(self, array: Array) -> tuple[int, ...]:
        # The library tells no strides; what it wraps has them, and views must be told from copies.
        inner = array._array
        return tuple([step // inner.itemsize for step in inner.strides])

    def as_numpy(self, array: Array) -> Any:
        # NumPy may not read arrays of devices other than CPU_DEVICE.
        return np.asarray(self.xp.asarray(array, device=self._devices[0]))


def _quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` without the warnings of the NumPy behind it: infinities and NaN are results like others."""

    def kernel(*arrays: Any, **attributes: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*arrays, **attributes)

    return kernel
