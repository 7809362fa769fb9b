"""Kernels of normalisation: the expressions in ops with two large arrays instead of eight."""

from __future__ import annotations

import math

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore_cpu.jit.channels import (
    affine_channels,
    normalized_channels,
    normalized_channels_gradient,
    scaled_channels,
)  # fmt: skip
from tensorcore_cpu.sums import total

#: Rows from which on columns are summed in float64: one after another, float32 would lose digits.
MANY_ROWS = 256
#: Bytes of rows taken at a time, which with two buffers stay in the second-level cache.
BLOCK_BYTES = 1 << 18


def _means(x: Array, axes: tuple[int, ...], count: int) -> Array:
    """Means over ``axes``, which are kept with side 1; NaN where nothing is averaged."""
    long = x.dtype == np.float32 and x.ndim - 1 not in axes and math.prod(x.shape[a] for a in axes) > MANY_ROWS
    sums = total(x, axes, np.dtype(np.float64) if long else x.dtype, None, True)
    return np.asarray(sums / (count or math.nan), x.dtype)


def _channels(x: Array) -> tuple[tuple[int, ...], int]:
    axes = (0, *range(2, x.ndim))
    return axes, math.prod(x.shape[a] for a in axes)


def _over(x: Array, per_channel: Array) -> Array:
    return per_channel.reshape(1, -1, *(1,) * (x.ndim - 2))


def _last(x: Array, ndim: int) -> tuple[tuple[int, ...], int]:
    axes = tuple(range(x.ndim - ndim, x.ndim))
    return axes, math.prod(x.shape[a] for a in axes)


def _centered(x: Array, axes: tuple[int, ...], count: int) -> tuple[Array, Array, Array]:
    middle = _means(x, axes, count)
    out = x - middle
    return out, middle, _means(out * out, axes, count)


def _without(grad: Array, unit: Array, rstd: Array, along: Array, level: Array) -> Array:
    """``(grad - level - unit * along) * rstd``, written over ``unit``."""
    unit *= -along
    unit += grad
    unit -= level
    unit *= rstd
    return unit


class NormKernels:
    """The part of the backend that overrides composites of normalisation."""

    def batch_norm_inference(
        self, input: Array, mean: Array, variance: Array, weight: Array | None = None, bias: Array | None = None, *,
        eps: float,
    ) -> Array:  # fmt: skip
        found = scaled_channels(input, mean, variance, weight, bias, eps)
        if found is not None:
            return found
        scale = 1 / np.sqrt(variance.reshape(-1) + input.dtype.type(eps))
        if weight is not None:
            scale *= weight.reshape(-1)
        shift = -mean.reshape(-1) * scale
        if bias is not None:
            shift += bias.reshape(-1)
        out = input * _over(input, scale)
        out += _over(input, shift)
        return out

    def channel_affine(self, input: Array, weight: Array | None = None, bias: Array | None = None) -> Array:
        found = affine_channels(input, weight, bias)
        if found is not None:
            return found
        out = np.array(input, order="C") if weight is None else input * _over(input, weight)
        if bias is not None:
            out += _over(input, bias)
        return out

    def batch_norm_training(
        self, input: Array, weight: Array | None = None, bias: Array | None = None, *, eps: float
    ) -> tuple[Array, Array, Array]:
        found = normalized_channels(input, weight, bias, eps)
        if found is not None:
            return found
        axes, count = _channels(input)
        out, middle, variance = _centered(input, axes, count)
        scale = 1 / np.sqrt(variance + input.dtype.type(eps))
        out *= scale if weight is None else scale * _over(input, weight)
        if bias is not None:
            out += _over(input, bias)
        return out, middle.reshape(-1), variance.reshape(-1)

    def batch_norm_gradient(
        self, grad: Array, input: Array, mean: Array, variance: Array, weight: Array | None = None, *, eps: float
    ) -> tuple[Array, Array, Array]:
        found = normalized_channels_gradient(grad, input, mean, variance, weight, eps)
        if found is not None:
            return found
        axes, count = _channels(input)
        rstd = _over(input, 1 / np.sqrt(variance + input.dtype.type(eps)))
        unit = input - _over(input, mean)
        unit *= rstd
        along, level = _means(grad * unit, axes, count), _means(grad, axes, count)
        slope, shift = along.reshape(-1) * count, level.reshape(-1) * count
        scale = rstd if weight is None else rstd * _over(input, weight)
        return _without(grad, unit, scale, along, level), slope, shift

    def native_layer_norm(
        self, input: Array, weight: Array | None = None, bias: Array | None = None, *, ndim: int, eps: float
    ) -> tuple[Array, Array, Array]:
        axes, count = _last(input, ndim)
        out, middle, variance = _centered(input, axes, count)
        rstd = np.asarray(1 / np.sqrt(variance + input.dtype.type(eps)))
        out *= rstd
        if weight is not None:
            out *= weight
        if bias is not None:
            out += bias
        return out, middle, rstd

    def layer_norm_gradient(
        self, grad: Array, input: Array, mean: Array, rstd: Array, weight: Array | None = None, *, ndim: int
    ) -> tuple[Array, Array, Array]:
        sides = input.shape[input.ndim - ndim :]
        count = math.prod(sides)
        if not input.size:
            return np.zeros_like(input), np.zeros(sides, input.dtype), np.zeros(sides, input.dtype)
        x, g = input.reshape(-1, count), grad.reshape(-1, count)
        middle, scale = mean.reshape(-1, 1), rstd.reshape(-1, 1)
        factor = None if weight is None else weight.reshape(-1)
        out = np.empty_like(x, order="C")
        slope, shift = np.zeros(count), np.zeros(count)
        step = max(1, BLOCK_BYTES // (count * x.itemsize))
        held = np.empty((2, min(step, len(x)), count), x.dtype)
        for start in range(0, len(x), step):
            rows = slice(start, start + step)
            each, part = g[rows], out[rows]
            unit, product = held[0, : len(each)], held[1, : len(each)]
            np.subtract(x[rows], middle[rows], out=unit)
            unit *= scale[rows]
            np.multiply(each, unit, out=product)
            slope += np.add.reduce(product, 0)
            shift += np.add.reduce(each, 0)
            if factor is not None:
                product *= factor
                each = np.multiply(each, factor, out=part)
            unit *= np.add.reduce(product, 1, keepdims=True) / x.dtype.type(count)
            level = np.add.reduce(each, 1, keepdims=True) / x.dtype.type(count)
            np.subtract(each, unit, out=part)
            part -= level
            part *= scale[rows]
        return out.reshape(input.shape), *(total.astype(x.dtype).reshape(sides) for total in (slope, shift))  # type: ignore[return-value]
