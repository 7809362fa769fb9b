"""Between NumPy's arrays, which the oracles take, and tensors on the device under test."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from tensorcore import dtypes
from tensorcore.devices import Device
from tensorcore.dtypes import DType
from tensorcore.tensor import Tensor, wrap

__all__ = [
    "LAYOUTS", "REPEATING", "dtype_named", "from_numpy", "laid_out", "names", "native", "repeated", "rounded_to",
    "to_numpy", "wide", "wide_dtype",
]  # fmt: skip

#: Ways to lay elements out in memory; each is made by the device's own view ops. In the last four, several elements are
#: in one place: along the last dimension (a stride of 0), the last but one, the first, or along diagonals (windows that
#: overlap).
LAYOUTS = (
    "transposed",
    "strided",
    "rows",
    "negative",
    "backwards",
    "offset",
    "expanded",
    "inner",
    "outer",
    "overlapping",
)
#: Those that need equal elements.
REPEATING = ("expanded", "inner", "outer", "overlapping")

_WIDE = {
    "float16": np.float64, "bfloat16": np.float64, "float32": np.float64, "float64": np.longdouble,
    "complex64": np.complex128, "complex128": np.clongdouble,
}  # fmt: skip


def names(words: str) -> frozenset[str]:
    """The words of a text, as a set of names."""
    return frozenset(words.split())


def native(dtype: DType | str) -> np.dtype[Any]:
    """NumPy's dtype for one of ours."""
    name = dtype if isinstance(dtype, str) else dtype.name
    return np.dtype(ml_dtypes.bfloat16) if name == "bfloat16" else np.dtype(name)


def dtype_named(name: str) -> DType:
    """Our dtype of that name."""
    return dtypes.by_name(name)


def wide_dtype(name: str) -> Any:
    """The dtype in which the oracle computes for results of dtype ``name``; its own for integers and bool."""
    return _WIDE.get(name, native(name))


def wide(array: Any) -> Any:
    """``array`` in the precision of the oracle: float64, longdouble for float64; integers and bool as they are."""
    return array.astype(wide_dtype(array.dtype.name))


def rounded_to(array: Any, dtype: Any) -> Any:
    """``array`` in another of NumPy's dtypes, rounded once; NumPy takes longdouble to halves by float32."""
    array = np.asarray(array)
    half = np.dtype(dtype).itemsize == 2 and np.dtype(dtype).kind not in "iub"
    if half and array.dtype == np.longdouble:
        array = array.astype(np.float64)
    elif half and array.dtype == np.clongdouble:
        array = array.astype(np.complex128)
    return array.astype(dtype)


def from_numpy(array: Any, device: str) -> Tensor:
    """A contiguous tensor on ``device`` with the elements of ``array``, whatever its dtype."""
    place = Device(device)
    kind = place.kind(dtype_named(array.dtype.name))
    data = np.ascontiguousarray(array).tobytes()
    return wrap(kind.backend.from_host(data, kind.dtype, tuple(array.shape), place.ordinal), kind)


def to_numpy(tensor: Tensor) -> Any:
    """A copy of the elements of a tensor of any device and dtype."""
    data = bytes(tensor._kind.backend.to_host(tensor._array))
    return np.frombuffer(data, native(tensor.dtype)).reshape(tuple(tensor.shape)).copy()


def _diagonals(shape: tuple[int, ...]) -> Any:
    """The number of the diagonal that each place lies on: the sum of its indices."""
    return np.add.reduce(np.indices(shape))


def _first(array: Any, layout: str) -> Any:
    """The part of ``array`` that is repeated along the last dimension, the last but one, or the first."""
    if layout == "outer":
        return np.s_[:1]
    return np.s_[..., :1, :] if layout == "inner" and array.ndim > 1 else np.s_[..., :1]


def repeated(array: Any, layout: str) -> Any:
    """What an operand must hold to be laid out so: elements in one place are equal."""
    if array is None or not array.ndim or layout not in REPEATING or not array.size:
        return array
    if layout in ("expanded", "inner", "outer"):
        return np.ascontiguousarray(np.broadcast_to(array[_first(array, layout)], array.shape))
    return array.reshape(-1)[_diagonals(array.shape)]


def laid_out(array: Any, device: str, layout: str) -> Tensor:
    """``array`` on ``device``, as a view that is laid out as ``layout`` says (contiguous, or one of `LAYOUTS`)."""
    if layout == "offset" and array.ndim == 0:
        return from_numpy(np.stack([array, array, array]) * np.array([0, 0, 1], array.dtype), device)[2]
    if layout == "contiguous" or array.ndim == 0:
        return from_numpy(array, device)
    if layout == "transposed":
        order = tuple(reversed(range(array.ndim)))
        return from_numpy(array.transpose(order), device).permute(order)
    if layout == "strided":
        # Two more in each row, so that no step is the side times the next.
        whole = np.zeros((*array.shape[:-1], 2 * array.shape[-1] + 2), array.dtype)
        whole[..., :-2:2] = array
        return from_numpy(whole, device)[..., :-2:2]
    if layout == "rows":
        whole = np.zeros((*array.shape[:-1], array.shape[-1] + 3), array.dtype)
        whole[..., : array.shape[-1]] = array
        return from_numpy(whole, device)[..., : array.shape[-1]]
    if layout in ("negative", "backwards"):
        turned = np.s_[..., ::-1] if layout == "negative" else np.s_[::-1]
        mirrored = np.ascontiguousarray(array[turned])[turned]
        place = Device(device)
        kind = place.kind(dtype_named(array.dtype.name))
        # Slices have positive steps only: negative strides come with the host's memory, where a backend shares it.
        shared = kind.backend.share_host(mirrored, kind.dtype, mirrored.shape, mirrored.strides) if array.size else None
        if shared is not None:
            return wrap(shared, kind)
        return from_numpy(array[turned], device)[turned]
    if layout == "offset":
        whole = np.concatenate([array[:1], array]) if array.shape[0] else array
        return from_numpy(whole, device)[whole.shape[0] - array.shape[0] :]
    if layout in ("expanded", "inner", "outer"):
        return from_numpy(array[_first(array, layout)], device).expand(array.shape)
    if layout == "overlapping":
        if not array.size:
            return from_numpy(array, device)
        windows = np.zeros(sum(array.shape) - array.ndim + 1, array.dtype)
        windows[_diagonals(array.shape)] = array
        return from_numpy(windows, device).as_strided(array.shape, (1,) * array.ndim)
    raise ValueError(f"layout: expected contiguous or one of {', '.join(LAYOUTS)}, got {layout!r}")
