"""Normalisation by channel: statistics in one pass over the images, factors and terms, then one pass more.

A row is what an image has of a channel. Each row's mean and sum of squared differences from it are taken while it is in
the cache, and joined by the formula of Chan, Golub and LeVeque (1983), in float64, which no common level disturbs.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, Final

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore_cpu.jit.compiling import elementwise
from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.rows import Layout, Rows, compiled_rows
from tensorcore_cpu.jit.vectors import Body, contracted

__all__ = ["affine_channels", "normalized_channels", "normalized_channels_gradient", "scaled_channels"]

#: Elements of a row from which on the loops over rows pay.
_LONG: Final = 8


@cache
def _factors(double: bool, eps: float, weighted: bool, shifted: bool) -> Any:
    """``function(0, channels, scale, shift, mean, variance, [weight], [bias])``, or ``None``."""
    best, offset = isa(), data_offset()
    if best is None or offset is None:
        return None
    body = Body(double, best.wide)
    scale = 1.0 / (body.input(3) + eps).sqrt()
    if weighted:
        scale = scale * body.input(4)
    shift = -body.input(2) * scale
    body.store(0, scale)
    body.store(1, shift + body.input(4 + weighted) if shifted else shift)
    return loaded(elementwise(contracted(body), best, (), offset), 4 + weighted + shifted)


@cache
def _scaled(double: bool, by_column: bool) -> Any:
    """``function(0, rows, columns, out, input, scale, shift)``."""
    best, offset = isa(), data_offset()
    assert best is not None and offset is not None
    layout: Any = "column" if by_column else "row"
    rows = Rows(("matrix", "matrix", layout, layout), double, best.wide)
    body = rows.over_row()
    body.store(0, body.input(1) * body.input(2) + body.input(3))
    return loaded(compiled_rows(rows, best, offset), 5)


def scaled_channels(
    input: Array, mean: Array, variance: Array, weight: Array | None, bias: Array | None, eps: float
) -> Array | None:
    """(N, C, *sides) less the mean over the root of the variance, scaled and shifted, all by channel.

    ``None`` for arrays that NumPy has to go through.
    """
    dtype = input.dtype
    if dtype.char not in "fd" or not input.size or not input.flags.c_contiguous:
        return None
    facts = [x for x in (mean, variance, weight, bias) if x is not None]
    if not all([x.dtype == dtype and x.flags.c_contiguous for x in facts]):
        return None
    double = dtype.char == "d"
    factors = _factors(double, eps, weight is not None, bias is not None)
    if factors is None:
        return None
    pair = np.empty((2, input.shape[1]), dtype)
    scale, shift = pair
    factors(0, len(scale), id(scale), id(shift), *map(id, facts))
    return _times_plus(input, pair)


def affine_channels(input: Array, weight: Array | None, bias: Array | None) -> Array | None:
    """(N, C, *sides) times ``weight`` plus ``bias``, by channel; ``None`` for arrays that NumPy has to go through."""
    dtype = input.dtype
    if isa() is None or dtype.char not in "fd" or not input.size or not input.flags.c_contiguous:
        return None
    pair = np.empty((2, input.shape[1]), dtype)
    pair[0] = 1 if weight is None else weight.reshape(-1)
    # Adding -0.0 leaves every number as it is.
    pair[1] = -0.0 if bias is None else bias.reshape(-1)
    return _times_plus(input, pair)


def _times_plus(input: Array, pair: Array) -> Array:
    """Each channel times its number in the first row of ``pair``, plus that in the second."""
    batch, channels, *sides = input.shape
    dtype, area = input.dtype, math.prod(sides)
    double = dtype.char == "d"
    scale, shift = pair
    out = np.empty(input.shape, dtype)
    if area == 1:
        _scaled(double, True)(0, batch, channels, id(out), id(input), id(scale), id(shift))
        return out
    if batch > 1:
        each = np.empty((2, batch, channels), dtype)
        each[:] = pair[:, None]
        scale, shift = each
    _scaled(double, False)(0, batch * channels, area, id(out), id(input), id(scale), id(shift))
    return out


@cache
def _statistics(double: bool) -> Any:
    """``function(0, rows, columns, input, mean, squares, inverse of columns)``."""
    rows = _rows(("matrix", "row", "row", "number"), double)
    total = rows.total("add", rows.over_row().input(0))
    body = rows.once()
    mean = rows.keep(body.carried(total) * body.input(3))
    body = rows.over_row()
    off = body.input(0) - body.carried(mean)
    squares = rows.total("add", off * off)
    body = rows.once()
    body.store(1, body.carried(mean))
    body.store(2, body.carried(squares))
    return _loaded(rows)


@cache
def _normalized(double: bool) -> Any:
    """``function(0, rows, columns, out, input, mean, scale, shift)``."""
    rows = _rows(("matrix", "matrix", "row", "row", "row"), double)
    body = rows.over_row()
    body.store(0, (body.input(1) - body.input(2)) * body.input(3) + body.input(4))
    return _loaded(rows)


@cache
def _gradient_sums(double: bool) -> Any:
    """``function(0, rows, columns, grad, input, mean, sum, sum of products)``."""
    rows = _rows(("matrix", "matrix", "row", "row", "row"), double)
    body = rows.over_row()
    level = rows.total("add", body.input(0))
    along = rows.total("add", body.input(0) * (body.input(1) - body.input(2)))
    body = rows.once()
    body.store(3, body.carried(level))
    body.store(4, body.carried(along))
    return _loaded(rows)


@cache
def _gradient(double: bool) -> Any:
    """``function(0, rows, columns, out, grad, input, mean, along, level, scale)``."""
    rows = _rows((*("matrix",) * 3, *("row",) * 4), double)
    body = rows.over_row()
    grad, off = body.input(1), body.input(2) - body.input(3)
    body.store(0, (grad - body.input(5) - off * body.input(4)) * body.input(6))
    return _loaded(rows)


def _rows(layouts: tuple[Layout, ...], double: bool) -> Rows:
    best = isa()
    assert best is not None
    return Rows(layouts, double, best.wide)


def _loaded(rows: Rows) -> Any:
    best, offset = isa(), data_offset()
    assert best is not None and offset is not None
    return loaded(compiled_rows(rows, best, offset), 1 + len(rows.layouts))


def _fits(input: Array, *others: Array | None) -> bool:
    """Whether loops over rows can go through the arrays, and pay."""
    dtype = input.dtype
    return (
        isa() is not None and dtype.char in "fd" and math.prod(input.shape[2:]) >= _LONG and bool(input.size)
        and input.flags.c_contiguous and all([x is None or x.dtype == dtype for x in others])
    )  # fmt: skip


def normalized_channels(
    input: Array, weight: Array | None, bias: Array | None, eps: float
) -> tuple[Array, Array, Array] | None:
    """(N, C, *sides) normalised by its own statistics, and these, (C,); ``None`` where NumPy has to do it."""
    if not _fits(input, weight, bias):
        return None
    batch, channels, *sides = input.shape
    area, dtype, double = math.prod(sides), input.dtype, input.dtype.char == "d"
    means, squares = np.empty((2, batch, channels), dtype)
    inverse = np.full(1, 1 / area, dtype)
    _statistics(double)(0, batch * channels, area, id(input), id(means), id(squares), id(inverse))
    mean = np.add.reduce(means, 0, np.float64) / batch
    off = means - mean
    variance = (np.add.reduce(squares, 0, np.float64) + area * np.add.reduce(off * off, 0)) / (batch * area)
    scale = 1 / np.sqrt(variance + eps)
    each = np.empty((3, batch, channels), dtype)
    each[0], each[1], each[2] = mean, scale if weight is None else scale * weight, 0 if bias is None else bias
    out = np.empty(input.shape, dtype)
    arrays = (out, input, *each)
    _normalized(double)(0, batch * channels, area, *map(id, arrays))
    return out, mean.astype(dtype), variance.astype(dtype)


def normalized_channels_gradient(
    grad: Array, input: Array, mean: Array, variance: Array, weight: Array | None, eps: float
) -> tuple[Array, Array, Array] | None:
    """Gradients of what `normalized_channels` gives with respect to input, weight and bias; ``None`` as there."""
    if not _fits(input, grad, mean, variance, weight) or not _fits(grad):
        return None
    batch, channels, *sides = input.shape
    area, dtype, double = math.prod(sides), input.dtype, input.dtype.char == "d"
    rows, count = batch * channels, batch * area
    each = np.empty((4, batch, channels), dtype)
    each[0] = mean
    middle, levels, alongs, scales = each
    _gradient_sums(double)(0, rows, area, *map(id, (grad, input, middle, levels, alongs)))
    rstd = 1 / np.sqrt(variance.astype(np.float64) + eps)
    shift = np.add.reduce(levels, 0, np.float64)
    slope = np.add.reduce(alongs, 0, np.float64) * rstd
    alongs[:], levels[:] = slope * rstd / count, shift / count
    scales[:] = rstd if weight is None else rstd * weight
    out = np.empty(input.shape, dtype)
    _gradient(double)(0, rows, area, *map(id, (out, grad, input, middle, alongs, levels, scales)))
    return out, slope.astype(dtype), shift.astype(dtype)
