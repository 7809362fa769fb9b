"""Views that NumPy has no function for: by strides, and of the parts of complex numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorcore.backend.contract import Array


class _Memory:
    """What NumPy asks of an object whose memory it takes over; it keeps the owner alive."""

    __slots__ = ("__array_interface__", "owner")

    def __init__(self, interface: dict[str, Any], owner: Array) -> None:
        self.__array_interface__ = interface
        self.owner = owner


class ViewKernels:
    """The part of the backend that looks at memory in another way."""

    def as_strided(
        self, input: Array, *, size: tuple[int, ...], stride: tuple[int, ...], shift: int, own: tuple[int, ...]
    ) -> Array:
        width = input.itemsize
        if shift >= 0 and input.flags.c_contiguous:
            try:
                return np.ndarray(size, input.dtype, input, shift * width, [step * width for step in stride])
            except (TypeError, ValueError):
                pass  # it looks beyond the array
        # NumPy's own begins with the array's first element; a view may look before it.
        interface = {
            "version": 3,
            "typestr": f"|V{width}",
            "shape": size,
            "strides": tuple([step * width for step in stride]),
            "data": (input.__array_interface__["data"][0] + shift * width, not input.flags.writeable),
        }
        seen = np.asarray(_Memory(interface, input))
        seen.dtype = input.dtype
        return seen

    def view_as_real(self, input: Array) -> Array:
        # A last dimension of side 1 may be cut in two whatever the strides of the others.
        return input[..., None].view(input.real.dtype)

    def view_as_complex(self, input: Array) -> Array:
        return input.view(np.result_type(input.dtype, np.complex64))[..., 0]
