"""The device ``dpnp``: Intel's arrays on the default device of SYCL."""

from __future__ import annotations

from typing import Any

import dpnp
import numpy as np

from tensorcore.backend.contract import Array, Capabilities
from tensorcore.dtypes import DType, complex128, float16, float64
from tensorcore.errors import BackendUnavailableError
from tensorcore_array_api.backend import LibraryBackend


class DpnpBackend(LibraryBackend):
    """dpnp's arrays; results of basic indices are views."""

    host_memory = False

    tensorcore_conformance_exceptions = (
        {
            "op": "cast",
            "cases": "halves/float64/float16",
            "dtypes": ("float64",),
            "reason": "dpnp goes from float64 to float16 by float32, which rounds twice",
        },
    )

    def __init__(self) -> None:
        try:
            self._device = dpnp.empty(0).sycl_device
        except Exception as error:
            raise BackendUnavailableError(f"device 'dpnp': SYCL finds no device to compute on: {error}") from error
        super().__init__("dpnp", dpnp)

    def native_dtypes(self) -> dict[DType, Any]:
        # Which floats there are is the device's affair.
        missing = set() if self._device.has_aspect_fp64 else {float64, complex128}
        missing |= set() if self._device.has_aspect_fp16 else {float16}
        found = super().native_dtypes()
        return {each: np.dtype(native) for each, native in found.items() if each not in missing}

    def capabilities(self, index: int) -> Capabilities:
        return Capabilities(dtypes=frozenset(self.natives), asynchronous=True)

    def synchronize(self, index: int) -> None:
        dpnp.synchronize_array_data(dpnp.empty(0))

    def as_numpy(self, array: Array) -> Any:
        # dpnp refuses conversions that are not asked for by name.
        return dpnp.asnumpy(array)

    # dpnp's `where` reads operands of negative strides wrongly: these kernels are of it, or made of it.

    def where(self, condition: Array, input: Array, other: Array) -> Array:
        return dpnp.where(_forward(condition), _forward(input), _forward(other))

    def sign(self, input: Array) -> Array:
        return super().sign(_forward(input))

    def sort(self, input: Array, *, dim: int, descending: bool) -> tuple[Array, Array]:
        return super().sort(_forward(input), dim=dim, descending=descending)

    def floor_divide(self, input: Array, other: Array) -> Array:
        input, other = _forward(input), _forward(other)
        floating = self.dtype_of(input).is_floating_point
        return self.floored_quotient(input, other) if floating else super().floor_divide(input, other)

    def remainder(self, input: Array, other: Array) -> Array:
        return super().remainder(_forward(input), _forward(other))

    def matmul(self, input: Array, other: Array) -> Array:
        # dpnp has no float16 vector products, and reads expanded and transposed operands wrongly.
        native = input.dtype
        wide = dpnp.float32 if native == dpnp.float16 else native
        result = dpnp.matmul(*[dpnp.ascontiguousarray(each, dtype=wide) for each in (input, other)])
        return result.astype(native, copy=False)


def _forward(array: Array) -> Array:
    """The array, copied where a stride is negative."""
    return dpnp.ascontiguousarray(array) if any(step < 0 for step in array.strides) else array
