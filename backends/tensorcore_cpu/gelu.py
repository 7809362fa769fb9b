"""`gelu` of float32 in blocks that stay in the cache, with one polynomial of low degree."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np

from tensorcore.backend.contract import Array

#: Elements worked on at a time.
_BLOCK = 1 << 14
#: Half of ``exp(a * a / 2) * erfc(a / sqrt(2))`` for 0 <= a <= 14.5 in ``1 / (a + 2.5)``: a least-squares fit of its
#: own, whose weights were raised where the relative error was largest; off by at most 9.3e-8, and by four units in the
#: last place when computed in float32.
_SCALED = tuple(
    np.float32(each)
    for each in (
        -59.90842623, 121.5352431, -90.57135761, 24.24535626, -0.421080686, 2.466202033, 0.9744385145, 0.3997249998,
        -1.13165439e-05,
    )
)  # fmt: skip
_SHIFT, _ONE, _MINUS_HALF = np.float32(2.5), np.float32(1), np.float32(-0.5)
#: Arrays, as NumPy's minimum and maximum are vectorised for two arrays only.
_ENDS, _ZEROS = np.full(_BLOCK, 14.5, np.float32), np.zeros(_BLOCK, np.float32)
_SIGN, _ONE_BITS = np.int32(-(1 << 31)), _ONE.view(np.int32)
_DENSITY = np.float32(1 / math.sqrt(2 * math.pi))
_CUBE, _ROOT = np.float32(0.044715), np.float32(math.sqrt(2 / math.pi))


class _Scratch(threading.local):
    def __init__(self) -> None:
        self.rows = np.empty((3, _BLOCK), np.float32)


_scratch = _Scratch()


class GeluKernels:
    """The part of the backend that overrides `gelu`; for float32, which 16-bit floats go through."""

    def gelu(self, input: Array, *, approximate: str) -> Array:
        # A third of the expression's passes, in the cache.
        out = np.empty(input.shape, np.float32)
        work = _exact if approximate == "none" else _approximate
        x, made = np.ascontiguousarray(input).reshape(-1), out.reshape(-1)
        for start in range(0, x.size, _BLOCK):
            part = x[start : start + _BLOCK]
            work(part, made[start : start + _BLOCK], *_scratch.rows[:2, : part.size])
        return out

    def gelu_gradient(self, grad: Array, input: Array, *, approximate: str) -> Array:
        # As `gelu`.
        out = np.empty(input.shape, np.float32)
        work = _exact_slope if approximate == "none" else _approximate_slope
        x, made = np.ascontiguousarray(input).reshape(-1), out.reshape(-1)
        g = np.ascontiguousarray(np.broadcast_to(grad, input.shape)).reshape(-1)
        for start in range(0, x.size, _BLOCK):
            part, slope = x[start : start + _BLOCK], made[start : start + _BLOCK]
            work(part, slope, *_scratch.rows[:, : part.size])
            np.multiply(slope, g[start : start + _BLOCK], out=slope)
        return out


def _tail(size: Any, tail: Any, power: Any) -> None:
    """For ``size`` from 0 to the end: ``power = exp(-size**2 / 2)`` and ``tail``, the share beyond ``size``."""
    np.add(size, _SHIFT, out=power)
    np.divide(_ONE, power, out=power)
    np.multiply(power, _SCALED[0], out=tail)
    for coefficient in _SCALED[1:-1]:
        np.add(tail, coefficient, out=tail)
        np.multiply(tail, power, out=tail)
    np.add(tail, _SCALED[-1], out=tail)
    np.multiply(size, size, out=power)
    np.multiply(power, _MINUS_HALF, out=power)
    np.exp(power, out=power)
    np.multiply(tail, power, out=tail)


def _exact(x: Any, out: Any, size: Any, tail: Any) -> None:
    np.abs(x, out=size)
    # Up to infinity times the tail's 0 is not to be NaN.
    np.minimum(size, _ENDS[: x.size], out=size)
    _tail(size, tail, out)
    np.multiply(tail, size, out=tail)
    np.maximum(x, _ZEROS[: x.size], out=out)
    np.subtract(out, tail, out=out)


def _exact_slope(x: Any, out: Any, size: Any, tail: Any, power: Any) -> None:
    np.abs(x, out=size)
    np.minimum(size, _ENDS[: x.size], out=size)
    _tail(size, tail, power)
    np.multiply(power, _DENSITY, out=power)
    np.multiply(power, size, out=power)
    # Below x lies the tail for x < 0 and 1 less the tail for others: by bits, as `copysign` takes seven times as long.
    sign = np.bitwise_and(x.view(np.int32), _SIGN)
    for each in (tail, power):
        bits = each.view(np.int32)
        np.bitwise_or(bits, sign, out=bits)
    np.right_shift(sign, 31, out=sign)
    np.invert(sign, out=sign)
    np.bitwise_and(sign, _ONE_BITS, out=sign)
    np.subtract(sign.view(np.float32), tail, out=out)
    np.add(out, power, out=out)


def _approximate(x: Any, out: Any, inner: Any, _: Any) -> None:
    _inner(x, inner)
    np.tanh(inner, out=inner)
    np.add(inner, _ONE, out=inner)
    np.multiply(x, np.float32(0.5), out=out)
    np.multiply(out, inner, out=out)


def _inner(x: Any, out: Any) -> None:
    np.multiply(x, x, out=out)
    np.multiply(out, x, out=out)
    np.multiply(out, _CUBE, out=out)
    np.add(out, x, out=out)
    np.multiply(out, _ROOT, out=out)


def _approximate_slope(x: Any, out: Any, t: Any, slope: Any, rest: Any) -> None:
    _inner(x, t)
    np.tanh(t, out=t)
    np.multiply(x, x, out=slope)
    np.multiply(slope, np.float32(3 * 0.044715), out=slope)
    np.add(slope, _ONE, out=slope)
    np.multiply(slope, _ROOT, out=slope)
    np.multiply(t, t, out=rest)
    np.subtract(_ONE, rest, out=rest)
    np.multiply(rest, slope, out=rest)
    np.multiply(rest, x, out=rest)
    np.add(t, _ONE, out=out)
    np.add(out, rest, out=out)
    np.multiply(out, np.float32(0.5), out=out)
