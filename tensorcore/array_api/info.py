"""Inspection functions of the Array API standard."""

from __future__ import annotations

from typing import Any, Final

from tensorcore.array_api.data_types import KINDS, isdtype
from tensorcore.devices import Device, get_default_device
from tensorcore.dtypes import ALL, DType, bfloat16, float16, get_default_dtype, int64

__all__ = ["__array_namespace_info__", "capabilities", "default_device", "default_dtypes", "devices", "dtypes"]

#: The most dimensions that every engine takes.
_MAX_DIMENSIONS: Final = 64


def __array_namespace_info__() -> Any:  # noqa: N807 - the standard's name
    """The module of the inspection functions.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.__array_namespace_info__().default_dtypes()["integral"]
        tensorcore.int64
    """
    from tensorcore.array_api import info

    return info


def capabilities() -> dict[str, Any]:
    """What the library can do, under the standard's keys."""
    return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": _MAX_DIMENSIONS}


def default_device() -> Device:
    """The device of tensors made without ``device=``."""
    return get_default_device()


def default_dtypes(*, device: Any = None) -> dict[str, DType]:
    """The dtypes of tensors made without ``dtype=``, by kind; the same on every device."""
    real = get_default_dtype()
    return {"real floating": real, "complex floating": real.to_complex(), "integral": int64, "indexing": int64}


def dtypes(*, device: Any = None, kind: str | tuple[str, ...] | None = None) -> dict[str, DType]:
    """The dtypes of the standard that ``device`` has, all or of a kind, by name."""
    here = Device(device).capabilities.dtypes
    wanted = (*KINDS,) if kind is None else kind
    standard = (dtype for dtype in ALL if dtype not in (float16, bfloat16))
    return {dtype.name: dtype for dtype in standard if dtype in here and isdtype(dtype, wanted)}


def devices() -> tuple[Device, ...]:
    """The devices of all backends that can be loaded here, which loads them; the default one first."""
    from tensorcore.plugins.host import host

    names = [name for state in host.states() if state.state == "loaded" for name in state.devices]
    found = dict.fromkeys([get_default_device(), *map(Device, names)])
    return tuple(found)
