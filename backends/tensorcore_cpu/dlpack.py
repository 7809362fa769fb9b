"""DLPack of bfloat16, which NumPy's arrays refuse: its elements travel as 16-bit words whose type is then put right.

The layout of the structures is that of the header ``dlpack.h`` of DLPack, versions 0 and 1.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

import ml_dtypes
import numpy as np

from tensorcore.backend.contract import Array

_BFLOAT16: Final = np.dtype(ml_dtypes.bfloat16)
#: DLDataTypeCode.
_UINT, _BFLOAT = 1, 4
#: Where ``DLTensor.dtype`` is within what a capsule of the name points to.
_DTYPE_AT: Final = {b"dltensor": 20, b"dltensor_versioned": 52}

_name_of = ctypes.pythonapi.PyCapsule_GetName
_name_of.restype, _name_of.argtypes = ctypes.c_char_p, (ctypes.py_object,)
_pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
_pointer_of.restype, _pointer_of.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)


def exported(array: Array, **options: Any) -> Any:
    """The capsule of ``array``."""
    if array.dtype != _BFLOAT16:
        return array.__dlpack__(**options)
    capsule = array.view(np.uint16).__dlpack__(**options)
    _retype(capsule, _UINT, _BFLOAT)
    return capsule


def imported(owner: Any, copy: bool | None) -> Array:
    """An array over the memory of an object with ``__dlpack__``."""
    try:
        return np.from_dlpack(owner, copy=copy)
    except (BufferError, RuntimeError):
        words = _Words(owner)
        try:
            array = np.from_dlpack(words, copy=copy)  # type: ignore[arg-type]
        except (BufferError, RuntimeError):
            array = None
        if array is None or not words.retyped:
            raise
        return array.view(_BFLOAT16)


def _retype(capsule: Any, old: int, new: int) -> bool:
    """Change the type code of a fresh capsule of 16-bit elements; whether it had the old one."""
    name = _name_of(capsule)
    at = (_pointer_of(capsule, name) or 0) + _DTYPE_AT[name or b""]
    code, bits = (ctypes.c_uint8 * 2).from_address(at)
    if (code, bits) != (old, 16):
        return False
    ctypes.c_uint8.from_address(at).value = new
    return True


class _Words:
    """An owner of bfloat16 elements that hands them out as unsigned integers."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        self.retyped = False

    def __dlpack__(self, **options: Any) -> Any:
        capsule = self.owner.__dlpack__(**options)
        self.retyped = _retype(capsule, _BFLOAT, _UINT)
        return capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.owner.__dlpack_device__()
