"""Normalisation by known statistics: a factor and a term for each channel, then one pass over the images."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore_cpu.jit.compiling import elementwise
from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.rows import Rows, compiled_rows
from tensorcore_cpu.jit.vectors import Body, contracted

__all__ = ["affine_channels", "scaled_channels"]


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
