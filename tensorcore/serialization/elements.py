"""Elements of tensors as bytes of files: byte order, and copies between strided layouts."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import DType
from tensorcore.shapes import contiguous_strides
from tensorcore.tensor import Tensor, wrap

if TYPE_CHECKING:
    from tensorcore.devices import Device

__all__ = ["copy_strided", "extent", "host_bytes", "native", "swap_bytes", "tensor_from_host", "tensor_over"]

_UNSIGNED: Final = {1: "B", 2: "H", 4: "I", 8: "Q"}


def host_bytes(tensor: Tensor) -> memoryview:
    """The elements of ``tensor``, row-major in native byte order, as flat bytes."""
    view = tensor._kind.backend.to_host(tensor._array)
    # A view without elements cannot be cast.
    return memoryview(view).cast("B") if tensor.numel() else memoryview(b"")


def tensor_from_host(data: Any, dtype: DType, shape: tuple[int, ...], device: Device) -> Tensor:
    """A tensor on ``device`` holding a copy of ``data``, which is as `host_bytes` gives it."""
    kind = device.kind(dtype)
    return wrap(kind.backend.from_host(data, dtype, shape, device.ordinal), kind)


def tensor_over(data: Any, dtype: DType, shape: tuple[int, ...], device: Device) -> Tensor:
    """A tensor in the memory of ``data``, writable and the caller's to give, where the backend can; else a copy."""
    kind = device.kind(dtype)
    if kind.mutable and data:
        strides = tuple(step * dtype.itemsize for step in contiguous_strides(shape))
        array = kind.backend.share_host(data, dtype, shape, strides)
        if array is not None:
            return wrap(array, kind)
    return tensor_from_host(data, dtype, shape, device)


def native(order: str) -> bool:
    """Whether ``order``, "little" or "big", is this machine's."""
    return order == sys.byteorder


def swap_bytes(data: Any, dtype: DType) -> bytearray:
    """``data`` with the bytes of each number in the other order; the parts of a complex number stay in place."""
    from array import array

    width = dtype.to_real().itemsize
    if width == 1:
        return bytearray(data)
    numbers = array(_UNSIGNED[width], bytes(data))
    numbers.byteswap()
    return bytearray(numbers)


def extent(shape: Sequence[int], strides: Sequence[int]) -> int:
    """Elements from the first to the last of a tensor with non-negative strides, both included."""
    if 0 in shape:
        return 0
    return 1 + sum((side - 1) * step for side, step in zip(shape, strides, strict=True))


def copy_strided(
    target: Any,
    target_start: int,
    target_strides: Sequence[int],
    source: Any,
    source_start: int,
    source_strides: Sequence[int],
    shape: Sequence[int],
    itemsize: int,
) -> None:
    """Copy elements between buffers of bytes; starts and strides are in elements, non-negative."""
    if 0 in shape:
        return
    shape, to_strides, from_strides = tuple(shape), tuple(target_strides), tuple(source_strides)
    if itemsize == 16:
        # No format of 16 bytes: two numbers of 8.
        itemsize = 8
        target_start, source_start = 2 * target_start, 2 * source_start
        shape = (*shape, 2)
        to_strides = (*(2 * step for step in to_strides), 1)
        from_strides = (*(2 * step for step in from_strides), 1)
    form = _UNSIGNED[itemsize]
    to_view: Any = memoryview(target).cast("B").cast(form)  # type: ignore[call-overload]
    from_view: Any = memoryview(source).cast("B").cast(form)  # type: ignore[call-overload]
    steps = [each for each in zip(shape, to_strides, from_strides, strict=True) if each[0] > 1]
    # The longest run goes to one slice assignment; a stride of 0 cannot be a slice's step.
    inner = max((each for each in steps if each[1] and each[2]), default=(1, 1, 1))
    if inner[0] > 1:
        steps.remove(inner)
    side, to_step, from_step = inner
    to_span, from_span = (side - 1) * to_step + 1, (side - 1) * from_step + 1
    for to_place, from_place in _places(steps):
        i, j = target_start + to_place, source_start + from_place
        to_view[i : i + to_span : to_step] = from_view[j : j + from_span : from_step]


def _places(steps: list[tuple[int, int, int]]) -> Iterator[tuple[int, int]]:
    """Offsets in both layouts of every index over the dimensions ``steps``: (side, stride, stride)."""
    for index in itertools.product(*(range(side) for side, _, _ in steps)):
        yield (
            sum(i * step for i, (_, step, _) in zip(index, steps, strict=True)),
            sum(i * step for i, (_, _, step) in zip(index, steps, strict=True)),
        )


def byte_count(shape: Sequence[int], dtype: DType) -> int:
    """Bytes of a contiguous tensor."""
    return math.prod(shape) * dtype.itemsize
