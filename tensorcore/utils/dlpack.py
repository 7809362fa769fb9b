"""Tensors exchanged with other libraries without copies, by DLPack."""

from __future__ import annotations

from typing import Any, Final

from tensorcore import interop
from tensorcore.errors import ArgumentError
from tensorcore.tensor import Tensor

__all__ = ["from_dlpack", "to_dlpack"]

#: Names of capsules, and words of 8 bytes before the device: after the address of the elements, which the versioned
#: struct puts behind its version, two addresses and flags.
_CAPSULES: Final = {b"dltensor": 1, b"dltensor_versioned": 5}


def to_dlpack(tensor: Tensor) -> Any:
    """A capsule of the tensor's memory, of DLPack 1, which one call of a library's ``from_dlpack`` takes.

    Raises:
        BufferError: if the tensor requires grad.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.utils.dlpack import from_dlpack, to_dlpack
        >>> x = tc.zeros(2)
        >>> from_dlpack(to_dlpack(x)).fill_(1)
        tensor([1., 1.])
        >>> x
        tensor([1., 1.])
    """
    return interop.to_dlpack(tensor, max_version=(1, 0))


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor over the memory of another library's array, or of a capsule by `to_dlpack`.

    Capsules older than DLPack 1 do not say whether their memory may be written; on ``cpu`` they are copied.

    Raises:
        ArgumentError: for what is neither.

    Example:
        >>> import numpy
        >>> from tensorcore.utils.dlpack import from_dlpack
        >>> from_dlpack(numpy.ones(2))
        tensor([1., 1.], dtype=tensorcore.float64)
    """
    if type(ext_tensor).__name__ == "PyCapsule":
        ext_tensor = _Owner(ext_tensor)
    if not hasattr(ext_tensor, "__dlpack__"):
        raise ArgumentError(
            f"from_dlpack: expected an array with __dlpack__ or a capsule, got {type(ext_tensor).__name__}"
        )
    return interop.from_dlpack(ext_tensor, device=device, copy=copy)


class _Owner:
    """What arrays have that give capsules, for a capsule alone."""

    def __init__(self, capsule: Any) -> None:
        self._capsule = capsule

    def __dlpack__(self, **options: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        """The device as the capsule's struct has it, two 32-bit numbers."""
        import ctypes

        read = ctypes.pythonapi.PyCapsule_GetPointer
        read.restype, read.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
        for name, words in _CAPSULES.items():
            try:
                start = read(self._capsule, name)
            except ValueError:
                continue
            kind, index = (ctypes.c_int32 * 2).from_address(start + 8 * words)
            return kind, index
        raise ArgumentError("from_dlpack: the capsule holds no tensor, or has been used already")
