"""Compiled kernels of one process, and the callables that launch them on CuPy arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from tensorcore.dtypes import DType
from tensorcore_cuda.codegen import Function, Signature, elementwise_source, signature_of
from tensorcore_cuda.natives import NATIVE
from tensorcore_cuda.plans import BLOCK, ONE, VECTOR, Plan, blocks, plan_for

__all__ = ["Elementwise", "Library"]

#: Layouts remembered per kernel; a program that meets more shapes forgets and plans them again.
_REMEMBERED: Final = 4096
#: Below this size, and with a block's slack, places fit into 32 bits.
_NARROW: Final = 2**31 - 2**16


class Library:
    """Kernels by name, compiled on first use on each device (CuPy keeps the binaries on disk).

    Args:
        cupy: the array module.
        compiled: makes a kernel from (source, name, options); CuPy's ``RawKernel``.
    """

    def __init__(self, cupy: Any, compiled: Callable[..., Any] | None = None) -> None:
        self.cupy = cupy
        self._compiled = compiled or cupy.RawKernel
        self._kernels: dict[Any, Any] = {}

    def elementwise(self, function: Function, signature: Signature) -> Any:
        """The kernel of ``function`` for ``signature``."""
        key = (function.name, signature)
        found = self._kernels.get(key)
        if found is None:
            name, source = elementwise_source(function, signature)
            found = self._kernels[key] = self._compiled(source, name, ("-std=c++17",))
        return found

    def get(self, name: str, source: Callable[[], str]) -> Any:
        """The kernel ``name`` of a source that is made when it is first needed."""
        found = self._kernels.get(name)
        if found is None:
            found = self._kernels[name] = self._compiled(source(), name, ("-std=c++17",))
        return found


class Elementwise:
    """An elementwise kernel: operands that broadcast, a new row-major array of their common shape.

    Equal shapes in row-major order, and numbers as 0-d arrays beside them, go straight to the launch; for other layouts
    a plan is made once per combination of shapes and strides.
    """

    __slots__ = ("_arity", "_flat", "_function", "_library", "_make", "_native", "_plans", "_width")

    def __init__(self, library: Library, function: Function) -> None:
        self._library = library
        self._function = function
        self._arity = len(function.operands)
        self._native = NATIVE[function.result]
        self._make = library.cupy.ndarray
        self._width = max(1, 16 // function.itemsize)
        self._flat: dict[str, Any] = {}
        self._plans: dict[Any, tuple[Plan, Any, Any]] = {}

    def __call__(self, *arrays: Any, out: Any = None) -> Any:
        first = arrays[0]
        shape = first.shape
        modes = ""
        for array in arrays:
            if array.shape == shape and array._c_contiguous:
                modes += VECTOR
            elif array.ndim == 0:
                modes += ONE
            else:
                return self._planned(arrays, out)
        size = first.size
        if size > _NARROW:
            return self._planned(arrays, out)
        if out is None:
            out = self._make(shape, self._native)
        elif out.shape != shape or not out._c_contiguous or _clash(arrays, out):
            return self._through(arrays, out)
        if size:
            kernel = self._flat.get(modes)
            if kernel is None:
                signature = Signature(modes, 1, self._width, False)
                kernel = self._flat[modes] = self._library.elementwise(self._function, signature)
            kernel((blocks(-(-size // self._width)),), (BLOCK,), (*arrays, out, size))
        return out

    def _planned(self, arrays: tuple[Any, ...], out: Any) -> Any:
        key = tuple([(array.shape, array.strides) for array in arrays])
        found = self._plans.get(key)
        if found is None:
            if len(self._plans) >= _REMEMBERED:
                self._plans.clear()
            found = self._plans[key] = self._prepared(arrays)
        plan, kernel, (shape, layout) = found
        if out is None:
            out = self._make(shape, self._native)
        elif out.shape != shape or not out._c_contiguous or _clash(arrays, out):
            return self._through(arrays, out)
        if plan.size:
            kernel((blocks(plan.groups),), (BLOCK,), (*arrays, out, plan.size, *layout))
        return out

    def _prepared(self, arrays: tuple[Any, ...]) -> tuple[Plan, Any, Any]:
        shape = np.broadcast_shapes(*[array.shape for array in arrays])
        operands = [(array.shape, [step // array.itemsize for step in array.strides]) for array in arrays]
        plan = plan_for(shape, operands, self._function.itemsize)
        if plan.size == 0:
            return plan, None, (shape, ())
        kernel = self._library.elementwise(self._function, signature_of(plan))
        return plan, kernel, (shape, () if plan.flat else (packed_layout(plan),))

    def _through(self, arrays: tuple[Any, ...], out: Any) -> Any:
        # The result's memory is not row-major, or an operand lies across it: computed elsewhere, then copied.
        out[...] = self(*arrays)
        return out


def packed_layout(plan: Plan) -> Any:
    """The sides and steps of ``plan`` as the struct that its kernel takes by value."""
    numbers = [*plan.sides, *[step for each in plan.steps for step in each]]
    index = np.int64 if plan.wide else np.int32
    layout = np.empty((1,), np.dtype([("numbers", index, (len(numbers),))]))
    layout["numbers"][0] = numbers
    return layout


def _clash(arrays: tuple[Any, ...], out: Any) -> bool:
    """Whether an operand shares memory with ``out`` other than element by element."""
    start = out.data.ptr
    end = start + out.nbytes
    for array in arrays:
        where = array.data.ptr
        if where == start and array.shape == out.shape and array._c_contiguous:
            continue
        low, high = _span(array)
        if low < end and start < high:
            return True
    return False


def _span(array: Any) -> tuple[int, int]:
    """The addresses between which the elements of ``array`` lie."""
    low = high = array.data.ptr
    for side, step in zip(array.shape, array.strides, strict=True):
        if step < 0:
            low += step * (side - 1)
        else:
            high += step * (side - 1)
    return low, high + array.itemsize


def kernel_name(name: str, dtype: DType) -> str:
    """The name of a kernel written for one dtype."""
    return f"tc_{name}_{dtype.name}"
