"""Kernels of elementwise composites: one loop in place of NumPy's pass for each operation."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np

from tensorcore.autograd.mode import no_grad
from tensorcore.devices import Device, Kind
from tensorcore.dtypes import DType, float32, float64
from tensorcore.ops.record import REGISTRY, Op
from tensorcore.tensor import wrap
from tensorcore_cpu import crew
from tensorcore_cpu.jit.arithmetic import ARITHMETIC, arithmetic
from tensorcore_cpu.jit.compiling import LIMIT, elementwise
from tensorcore_cpu.jit.direct import Variant, direct, refuse
from tensorcore_cpu.jit.division import DIVISIONS, Division
from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.normalizing import RowKernels
from tensorcore_cpu.jit.tracing import traced
from tensorcore_cpu.jit.vectors import Body, contracted
from tensorcore_cpu.quiet import quiet

__all__ = ["COMPILED", "COMPILED_WIDE", "Fused", "compiled_kernel"]

#: The composites that are compiled, and the gradient rules of ops: all whose expressions are elementwise and take more
#: than one pass of NumPy's.
COMPILED: Final = frozenset((
    "abs_gradient", "atan_gradient", "atanh_gradient", "binary_entropy", "clamp_between", "clamp_between_gradient",
    "elu", "elu_gradient", "erf", "erf_gradient", "erfc", "erfc_gradient", "erfinv_gradient", "exp2", "fake_quantize",
    "fmax", "fmin", "frac", "gelu", "gelu_gradient", "hardshrink", "hardshrink_gradient", "hardsigmoid",
    "hardsigmoid_gradient", "hardswish", "hardswish_gradient", "hardtanh", "hardtanh_gradient", "heaviside", "hypot",
    "leaky_relu", "leaky_relu_gradient", "lerp", "log10", "log1p_gradient", "log2", "logaddexp", "logaddexp2",
    "logistic_entropy", "logit", "logit_gradient", "logsigmoid", "logsigmoid_gradient", "mish", "mish_gradient",
    "prelu", "reciprocal_gradient", "relu", "relu_gradient", "rsqrt", "rsqrt_gradient", "sgn", "sigmoid",
    "sigmoid_gradient", "silu", "silu_gradient", "softplus", "softplus_gradient", "softshrink", "softshrink_gradient",
    "softsign", "special_entr", "special_entr_gradient", "special_erfcx_gradient", "special_ndtr_gradient",
    "special_ndtri_gradient", "special_xlog1py", "sqrt_gradient", "square_gradient", "tan_gradient", "tanh_gradient",
    "tanhshrink", "threshold", "threshold_gradient", "xlogy",
))  # fmt: skip

#: Those whose expressions are computed in float64 for every dtype: there they are compiled.
COMPILED_WIDE: Final = frozenset((
    "airy_from_angle", "bessel_from_angle", "digamma", "erfinv", "i0", "igamma", "igammac", "lgamma", "special_erfcx",
    "special_i0e", "special_i1", "special_i1e", "special_log_ndtr", "special_modified_bessel_i0",
    "special_modified_bessel_i1", "special_modified_bessel_k0", "special_modified_bessel_k1", "special_ndtr",
    "special_ndtri", "special_scaled_modified_bessel_k0", "special_scaled_modified_bessel_k1", "trigamma",
))  # fmt: skip

#: Programs kept per op and dtype; a program that gives a number a new value at each call would compile forever.
_KEPT: Final = 64


def compiled_kernel(name: str, dtype: DType, device: Device, plain: Callable[..., Any] | None) -> Any:
    """The compiled kernel of op ``name``, else ``plain``: for another dtype, on another processor, or of another op."""
    if dtype not in (float32, float64) or isa() is None:
        return plain
    if name in ARITHMETIC and plain is not None:
        return arithmetic(name, np.dtype(dtype.name), plain)
    if name in DIVISIONS and plain is not None:
        return Division(name, np.dtype(dtype.name), plain)
    if name in COMPILED_WIDE and dtype is float32:
        return _through_float64(compiled_kernel(name, float64, device, None))
    if name not in COMPILED and name not in COMPILED_WIDE:
        if not hasattr(RowKernels, name):
            return plain
        return getattr(_row_kernels(np.dtype(dtype.name)), name)(plain or _expression(name, device.kind(dtype)))
    base = name.removesuffix("_gradient")
    op = REGISTRY[base].gradient if name not in REGISTRY else REGISTRY[name]
    assert op is not None
    fused = Fused(op, device.kind(dtype), np.dtype(dtype.name))
    assert op.body is not None
    alone = list(inspect.signature(op.body).parameters) == list(op.operands)
    return _SHORT[len(op.operands)](fused) if alone and len(op.operands) in _SHORT else fused


def _through_float64(function: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel for float32 operands: computed in float64, as the expression is, and rounded once."""

    def kernel(*arrays: Any, **attributes: Any) -> Any:
        return function(*[x.astype(np.float64) for x in arrays], **attributes).astype(np.float32)

    return quiet(kernel)


@cache
def _row_kernels(native: Any) -> RowKernels:
    return RowKernels(native)


def _expression(name: str, kind: Kind) -> Callable[..., Any]:
    """The expression of a composite as a kernel."""
    body = REGISTRY[name].body
    assert body is not None

    def kernel(*arrays: Any, **attributes: Any) -> Any:
        with no_grad():
            made = body(*[None if x is None else wrap(x, kind) for x in arrays], **attributes)
        return tuple([each._array for each in made]) if isinstance(made, tuple) else made._array

    return kernel


class Fused:
    """A kernel that compiles the expression of ``op`` once for each set of attributes."""

    def __init__(self, op: Op, kind: Kind, native: Any) -> None:
        self.op, self.kind, self.native = op, kind, native
        self.programs: dict[Any, Callable[..., Any]] = {}
        #: Instructions for each element.
        self.cost = 0
        #: By the attributes alone, for small arrays of one shape.
        self.direct: dict[Any, Callable[..., Any]] = {}

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        first = arrays[0]
        given = tuple(attributes.values())
        if 0.0 in given:
            # Zeros of either sign are equal as keys.
            given = tuple(map(repr, given))
        small = self.direct.get(given)
        if small is not None:
            out = small(_empty(first.shape, self.native), *arrays)
            if out is not None:
                return out
        shape = first.shape
        scalars: tuple[int, ...] = ()
        for x in arrays:
            if x.shape != shape or not x.flags.c_contiguous:
                arrays, shape, scalars = self._aligned(arrays)
                break
        key = (scalars, given)
        program = self.programs.get(key)
        if program is None:
            program = self._compile(arrays, scalars, attributes)
            if len(self.programs) < _KEPT:
                self.programs[key] = program
                if not scalars:
                    self.direct[given] = direct(Variant(program, ("matrix",) * (1 + len(arrays))))
        out = np.empty(shape, self.native)
        if out.size < crew.WIDE:
            program(0, out.size, id(out), *map(id, arrays))
        else:
            crew.sweep(program, out.size, self.cost, id(out), *map(id, arrays), apart=crew.LINE)
        return out

    def at_once(self, like: Any, count: int) -> Any:
        """The function for small arrays of one shape and no attributes."""
        if () not in self.direct:
            self(*[like] * count)
        return self.direct.get((), refuse)

    def beside_number(self, place: int, *like: Any) -> Any:
        """The function for small arrays and a number at ``place``, such as the gradient of a sum and a result."""
        key = (place,), ()
        if key not in self.programs:
            self(*like)
        program = self.programs.get(key)
        if program is None:
            return refuse
        forms = ["number" if number == place else "matrix" for number in range(len(like))]
        return direct(Variant(program, ("matrix", *forms)))

    def _aligned(self, arrays: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[int, ...], tuple[int, ...]]:
        """The arrays in row-major order and of one shape, but for those of one element, whose places come last."""
        shapes = [x.shape for x in arrays]
        shape = shapes[0] or max(shapes)
        if all(
            [not sides or (sides == shape and x.flags.c_contiguous) for sides, x in zip(shapes, arrays, strict=True)]
        ):
            # Beside numbers, such as the gradient of a sum.
            return arrays, shape, tuple([place for place, sides in enumerate(shapes) if sides != shape])
        if shapes.count(shape) != len(shapes):
            shape = np.broadcast_shapes(*shapes)
        size = math.prod(shape)
        if not all([x.size == 1 or any(x.strides) for x in arrays]):
            # One number for all places, such as the gradient of a sum.
            arrays = tuple([x if x.size < 2 or any(x.strides) else x[(*(0,) * x.ndim, ...)] for x in arrays])
        scalars = tuple([place for place, x in enumerate(arrays) if x.size == 1 and size != 1])
        made = [
            x if x.size == 1 or (x.shape == shape and x.flags.c_contiguous)
            else np.ascontiguousarray(np.broadcast_to(x, shape))
            for x in arrays
        ]  # fmt: skip
        return tuple(made), shape, scalars

    def _compile(self, arrays: tuple[Any, ...], scalars: tuple[int, ...], attributes: dict[str, Any]) -> Any:
        best = isa()
        offset = data_offset()
        assert best is not None and offset is not None and len(arrays) < LIMIT
        body = Body(self.native.itemsize == 8, best.wide)
        inputs = [body.input(1 + place) for place in range(len(arrays))]
        body.store(0, traced(body, self.op, self.kind, inputs, attributes))
        self.cost = len(body.operations)
        return loaded(elementwise(contracted(body), best, {1 + place for place in scalars}, offset), 1 + len(arrays))


# For small arrays a call costs more than the elements, and starred arguments more than named ones.


def _of_one(fused: Fused) -> Callable[..., Any]:
    native, program = fused.native, None

    def kernel(input: Any) -> Any:
        nonlocal program
        if program is None:
            program = fused.at_once(input, 1)
        out = program(_empty(input.shape, native), input)
        return fused(input) if out is None else out

    return kernel


def _of_two(fused: Fused) -> Callable[..., Any]:
    native, program, beside = fused.native, None, None

    def kernel(input: Any, other: Any) -> Any:
        nonlocal program, beside
        if input.shape or not other.shape:
            if program is None:
                program = fused.at_once(input, 2)
            out = program(_empty(input.shape, native), input, other)
        else:
            if beside is None:
                beside = fused.beside_number(0, input, other)
            out = beside(_empty(other.shape, native), input, other)
        return fused(input, other) if out is None else out

    return kernel


def _of_three(fused: Fused) -> Callable[..., Any]:
    native, program, beside = fused.native, None, None

    def kernel(input: Any, other: Any, third: Any) -> Any:
        nonlocal program, beside
        if third.shape or not input.shape or not other.shape:
            if program is None:
                program = fused.at_once(input, 3)
            out = program(_empty(input.shape, native), input, other, third)
        else:
            if beside is None:
                beside = fused.beside_number(2, input, other, third)
            out = beside(_empty(input.shape, native), input, other, third)
        return fused(input, other, third) if out is None else out

    return kernel


_empty: Final = np.empty
_SHORT: Final[dict[int, Callable[[Fused], Callable[..., Any]]]] = {1: _of_one, 2: _of_two, 3: _of_three}
