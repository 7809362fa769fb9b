"""Kernels of layers: the expressions in ops with fewer passes over memory and fewer new arrays.

New large arrays cost more in page faults than the arithmetic in them, so results are built in place and windows are
laid out a few samples at a time in a buffer that is kept.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from tensorcore.backend.contract import Array
from tensorcore_cpu.jit.correlations import correlated
from tensorcore_cpu.jit.weight_gradients import weight_gradient
from tensorcore_cpu.products import matmul
from tensorcore_cpu.sums import total

Ints = tuple[int, ...]

#: Bytes of windows laid out at a time: within the second-level cache, and enough for one matrix product to pay.
COLUMN_BYTES = 1 << 20


#: Elements of a block of zeros, which stays in the second-level cache (relu of a million float32 elements: 160 µs with
#: 8 Ki, 125 with 16 Ki, 103 with 32 Ki, 101 with 64 Ki).
BLOCK = 1 << 15
_ZEROS = {np.dtype(name): np.zeros(BLOCK, name) for name in ("float32", "float64")}
_BITS = {np.dtype("float32"): np.dtype("int32"), np.dtype("float64"): np.dtype("int64")}


class _Buffers(threading.local):
    def __init__(self) -> None:
        self.held: dict[Any, Array] = {}

    def get(self, shape: tuple[int, ...], dtype: Any) -> Array:
        """A kept array of this shape, with whatever was in it."""
        size = math.prod(shape)
        found = self.held.get(dtype)
        if found is None or found.size < size:
            found = self.held[dtype] = np.empty(size, dtype)
        return found[:size].reshape(shape)


_buffers = _Buffers()


def _view(x: Array, kernel: Ints, stride: Ints, dilation: Ints) -> Array:
    """Windows of (N, C, *sides) as a view (N, C, *kernel, *counts)."""
    sides, steps = x.shape[2:], x.strides[2:]
    counts = tuple(
        (side - (k - 1) * d - 1) // s + 1 for side, k, s, d in zip(sides, kernel, stride, dilation, strict=True)
    )
    spread = tuple(step * d for step, d in zip(steps, dilation, strict=True))
    moved = tuple(step * s for step, s in zip(steps, stride, strict=True))
    shape, strides = (*x.shape[:2], *kernel, *counts), (*x.strides[:2], *spread, *moved)
    if not x.size or not x.flags.c_contiguous:
        return as_strided(x, shape, strides, writeable=False)
    # A tenth of the time.
    seen: Array = np.ndarray(shape, x.dtype, x, 0, strides)
    seen.flags.writeable = False
    return seen


def _padded(x: Array, padding: Ints) -> Array:
    if not any(padding):
        return x
    out = np.zeros((*x.shape[:2], *(side + 2 * p for side, p in zip(x.shape[2:], padding, strict=True))), x.dtype)
    out[(slice(None), slice(None), *(slice(p, p + side) for side, p in zip(x.shape[2:], padding, strict=True)))] = x
    return out


def _chunk(batch: int, row_bytes: int) -> int:
    return max(1, min(batch, COLUMN_BYTES // max(row_bytes, 1)))


#: Product of the strides up to which the input's gradient is one convolution for each remainder, and channels of the
#: input from which on: fewer do not fill a block of registers.
MANY_PHASES, FEW_CHANNELS = 9, 8
#: Side from which on rows are summed in float64: one after another, float32 would lose digits.
LONG_SIDE = 256


def _total(x: Array, dim: int) -> Array:
    """Sums along ``dim``, which is kept with side 1."""
    if x.dtype == np.float32 and x.shape[dim] > LONG_SIDE and dim != x.ndim - 1:
        return np.add.reduce(x, dim, np.float64, keepdims=True).astype(x.dtype)
    return total(x, (dim % x.ndim,), x.dtype, None, True)


#: Largest score of a row up to which its powers need no scaling in float32: those of the others stay normal numbers
#: down to a share of exp(-67).
SMALL_SCORE = 20.0


class LayerKernels:
    """The part of the backend that overrides composites of layers and losses."""

    #: Of the backend.
    kernel: Any

    # ---------------------------------------------------------------- activations

    def relu(self, input: Array) -> Array:
        # NumPy's maximum is vectorised for two arrays only: against a block of zeros it takes a third of the time.
        zeros = _ZEROS.get(input.dtype)
        if zeros is None or not input.flags.c_contiguous:
            return np.maximum(input, input.dtype.type(0))
        out = np.empty(input.shape, input.dtype)
        flat, made = input.reshape(-1), out.reshape(-1)
        for start in range(0, flat.size, BLOCK):
            part = flat[start : start + BLOCK]
            np.maximum(part, zeros[: part.size], out=made[start : start + BLOCK])
        return out

    def relu_gradient(self, grad: Array, output: Array) -> Array:
        bits = _BITS.get(grad.dtype)
        if bits is None:
            zero = grad.dtype.type(0)
            return np.where(output <= zero, zero, grad)
        # All bits where the gradient passes, none elsewhere; a product with 0 and 1 would turn inf into NaN.
        mask = np.less_equal(output, 0).view(np.int8).astype(bits)
        mask -= 1
        mask &= grad.view(bits)
        return mask.view(grad.dtype)

    def clamp_between(self, input: Array, *, min: float | None, max: float | None) -> Array:
        # The method takes half the time of the function, and an eighth of that of maximum and minimum with numbers.
        return input.clip(min, max)

    def sigmoid(self, input: Array) -> Array:
        out = np.negative(input, out=np.empty_like(input, order="C"))
        np.exp(out, out=out)
        out += 1
        return np.reciprocal(out, out=out)

    def sigmoid_gradient(self, grad: Array, output: Array) -> Array:
        out = np.subtract(1, output)
        if np.iscomplexobj(out):
            return grad * np.conjugate(out * output)
        out *= output
        out *= grad
        return out

    # ---------------------------------------------------------------- softmax

    def softmax(self, input: Array, *, dim: int) -> Array:
        if input.size == 0:
            return input.copy()
        most = np.maximum.reduce(input, dim, keepdims=True)
        # The maximum only keeps the powers in range; where it is near 0 everywhere, a pass is saved.
        small = input.dtype.kind == "f" and np.maximum.reduce(np.abs(most), None) <= SMALL_SCORE
        out = np.exp(input, order="C") if small else input - most
        if not small:
            np.exp(out, out=out)
        out /= _total(out, dim)
        return out

    def softmax_gradient(self, grad: Array, output: Array, *, dim: int) -> Array:
        out = grad * output
        total = _total(out, dim)
        out -= output * total
        return out

    def log_softmax(self, input: Array, *, dim: int) -> Array:
        if input.size == 0:
            return input.copy()
        out = input - np.maximum.reduce(input, dim, keepdims=True)
        total = _total(np.exp(out), dim)
        out -= np.log(total, out=total)
        return out

    def log_softmax_gradient(self, grad: Array, output: Array, *, dim: int) -> Array:
        out = np.exp(output)
        out *= _total(grad, dim)
        return np.subtract(grad, out, out=out)

    # ---------------------------------------------------------------- windows

    def windows(self, input: Array, *, kernel: Ints, stride: Ints, dilation: Ints) -> Array:
        return np.array(_view(input, kernel, stride, dilation), order="C")

    def fold_windows(self, input: Array, *, size: Ints, kernel: Ints, stride: Ints, dilation: Ints) -> Array:
        out = np.zeros((*input.shape[:2], *size), input.dtype)
        _add_windows(out, input, kernel, stride, dilation)
        return out

    # ---------------------------------------------------------------- convolution

    def convolution_of(
        self, input: Array, weight: Array, bias: Array | None = None, *, stride: Ints, padding: Ints, dilation: Ints,
        groups: int,
    ) -> Array:  # fmt: skip
        found = correlated(input, weight, bias, stride, padding, dilation, groups)
        if found is not None:
            return found
        x = _padded(input, padding)
        batch, channels = x.shape[:2]
        kernel = weight.shape[2:]
        laid = _view(x, kernel, stride, dilation)
        counts = laid.shape[2 + len(kernel) :]
        whole = _whole(x, kernel, stride, groups)
        outs, deep, wide = weight.shape[0], channels // groups * math.prod(kernel), math.prod(counts)
        out = np.empty((batch, groups, outs // groups, wide), x.dtype)
        matrix = weight.reshape(groups, outs // groups, deep)
        if whole is not None:
            matmul(matrix, whole, out=out)
        step = _chunk(batch, groups * deep * wide * x.itemsize)
        for start in range(0, batch if out.size and whole is None else 0, step):
            columns = _columns(laid[start : start + step], groups, deep, wide)
            matmul(matrix, columns, out=out[start : start + step])
        out = out.reshape(batch, outs, *counts)
        if bias is not None:
            out += bias.reshape(-1, *(1,) * len(kernel))
        return out

    def convolution_weight_gradient(
        self, input: Array, grad: Array, *, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int
    ) -> Array:
        if any(side != 1 for side in (*kernel, *stride)):
            found = weight_gradient(input, grad, kernel, stride, padding, dilation, groups)
            if found is not None:
                return found
        x = _padded(input, padding)
        batch, outs, *counts = grad.shape
        used = tuple(
            slice(0, (n - 1) * s + (k - 1) * d + 1) for n, k, s, d in zip(counts, kernel, stride, dilation, strict=True)
        )
        x = x[(slice(None), slice(None), *used)]
        laid = _view(x, kernel, stride, dilation)
        deep, wide = x.shape[1] // groups * math.prod(kernel), math.prod(counts)
        rows = np.ascontiguousarray(grad).reshape(batch, groups, outs // groups, wide)
        whole = _whole(x, kernel, stride, groups)
        if whole is not None:
            total = np.add.reduce(matmul(rows, whole.swapaxes(2, 3)), 0)
            return total.reshape(outs, x.shape[1] // groups, *kernel)
        total = np.zeros((groups, outs // groups, deep), x.dtype)
        step = _chunk(batch, groups * deep * wide * x.itemsize)
        for start in range(0, batch if rows.size else 0, step):
            columns = _columns(laid[start : start + step], groups, deep, wide)
            total += np.add.reduce(matmul(rows[start : start + step], columns.swapaxes(2, 3)), 0)
        return total.reshape(outs, x.shape[1] // groups, *kernel)

    def _phase(self, grad: Array, weight: Array, phases: Sequence[_Phase], groups: int) -> Array:
        """The gradient of the inputs at some remainders; ``weight`` is (inputs, outputs / groups, *kernel)."""
        pads = [phase.pads for phase in phases]
        if all([before == after >= 0 for before, after in pads]):
            padding = tuple([before for before, _ in pads])
        else:
            grad, padding = _around(grad, pads), (0,) * len(pads)
        return self.convolution_of(
            grad, weight[(..., *[phase.taps for phase in phases])], stride=(1,) * len(pads), padding=padding,
            dilation=tuple([phase.dilation for phase in phases]), groups=groups,
        )  # fmt: skip

    def convolution_input_gradient(
        self, grad: Array, weight: Array, *, size: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int
    ) -> Array:
        batch, outs, *counts = grad.shape
        per_group, *kernel = weight.shape[1:]
        remainders = math.prod(stride)
        if remainders == 1 or (remainders <= MANY_PHASES and per_group >= FEW_CHANNELS):
            # Convolutions of the gradient with parts of the kernel turned round, in place of adding windows up.
            lead = weight.reshape(groups, outs // groups, *weight.shape[1:]).swapaxes(1, 2)
            lead = lead.reshape(groups * per_group, outs // groups, *kernel)
            facts = zip(size, counts, kernel, stride, padding, dilation, strict=True)
            phases = [_phases(*each) for each in facts]
            if remainders == 1:
                return self._phase(grad, lead, [each[0] for each in phases], groups)
            out = np.zeros((batch, groups * per_group, *size), grad.dtype)
            for chosen in itertools.product(*phases):
                at = tuple([slice(phase.first, None, step) for phase, step in zip(chosen, stride, strict=True)])
                out[(..., *at)] = self._phase(grad, lead, chosen, groups)
            return out
        deep, wide = per_group * math.prod(kernel), math.prod(counts)
        # Room for all windows, of which the padding is cut off at the end.
        reach = [
            max(side + 2 * p, (n - 1) * s + (k - 1) * d + 1)
            for side, p, n, s, k, d in zip(size, padding, counts, stride, kernel, dilation, strict=True)
        ]
        out = np.zeros((batch, groups * per_group, *reach), grad.dtype)
        rows = np.ascontiguousarray(grad).reshape(batch, groups, outs // groups, wide)
        matrix = weight.reshape(groups, outs // groups, deep).swapaxes(1, 2)
        step = _chunk(batch, groups * deep * wide * grad.itemsize)
        for start in range(0, batch if rows.size else 0, step):
            part = rows[start : start + step]
            columns = matmul(matrix, part, out=_buffers.get((part.shape[0], groups, deep, wide), grad.dtype))
            laid = columns.reshape(part.shape[0], groups * per_group, *kernel, *counts)
            _add_windows(out[start : start + step], laid, tuple(kernel), stride, dilation)
        inside = tuple(slice(p, p + side) for p, side in zip(padding, size, strict=True))
        return np.ascontiguousarray(out[(slice(None), slice(None), *inside)])


class _Phase(NamedTuple):
    """The inputs at one remainder by the stride, along one dimension.

    Attributes:
        first: the first of them.
        taps: those of the kernel that reach them, the last one first.
        dilation: how far these are apart in the gradient.
        pads: zeros before and after the gradient; where negative, what is cut off.
    """

    first: int
    taps: slice
    dilation: int
    pads: tuple[int, int]


def _phases(side: int, count: int, kernel: int, stride: int, padding: int, dilation: int) -> list[_Phase]:
    """Of one dimension; without those that no tap reaches.

    The output o reads the input o * stride - padding + tap * dilation.
    """
    apart = stride // math.gcd(stride, dilation)
    found = []
    for first in range(max(1, min(stride, side))):
        taps = [tap for tap in range(kernel) if (first + padding - tap * dilation) % stride == 0]
        if taps:
            step, begin = apart * dilation // stride, (first + padding - taps[0] * dilation) // stride
            pads = ((len(taps) - 1) * step - begin, -(-(side - first) // stride) - count + begin)
            turned = slice(taps[-1], taps[0] - 1 if taps[0] else None, -apart)
            found.append(_Phase(first, turned, step, pads))
    return found


def _whole(x: Array, kernel: Ints, stride: Ints, groups: int) -> Array | None:
    """(batch, groups, channels, places) without a copy, where a window is one element and each is one."""
    if any(k != 1 for k in kernel) or any(step != 1 for step in stride) or not x.size:
        return None
    return x.reshape(x.shape[0], groups, x.shape[1] // groups, -1)


def _around(grad: Array, pads: Sequence[tuple[int, int]]) -> Array:
    """``grad`` with as many zeros before and after each side, or cropped where the numbers are negative."""
    sides = grad.shape[2:]
    inside = [
        slice(max(-before, 0), max(n - max(-after, 0), 0)) for n, (before, after) in zip(sides, pads, strict=True)
    ]
    cropped = grad[(slice(None), slice(None), *inside)]
    shape = tuple(n + before + after for n, (before, after) in zip(sides, pads, strict=True))
    out = np.zeros((*grad.shape[:2], *shape), grad.dtype)
    starts = [max(before, 0) for before, _ in pads]
    places = tuple(slice(start, start + n) for start, n in zip(starts, cropped.shape[2:], strict=True))
    out[(slice(None), slice(None), *places)] = cropped
    return out


def _columns(laid: Array, groups: int, deep: int, wide: int) -> Array:
    """Some samples' windows copied into the buffer, as (samples, groups, deep, wide)."""
    buffer = _buffers.get(laid.shape, laid.dtype)
    np.copyto(buffer, laid)
    return buffer.reshape(laid.shape[0], groups, deep, wide)


def _add_windows(out: Array, laid: Array, kernel: Ints, stride: Ints, dilation: Ints) -> None:
    """Add windows (N, C, *kernel, *counts) to ``out`` where they lie."""
    counts = laid.shape[2 + len(kernel) :]
    lead = (slice(None), slice(None))
    for place in np.ndindex(*kernel):
        at = tuple(
            slice(k * d, k * d + (n - 1) * s + 1, s) for k, d, n, s in zip(place, dilation, counts, stride, strict=True)
        )
        out[(*lead, *at)] += laid[(*lead, *place)]
