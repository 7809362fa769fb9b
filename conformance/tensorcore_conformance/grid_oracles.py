"""Sampling at the points of a grid, one point after another, by the definition of each interpolation."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["GRID_ORACLES"]

_MODES = ("bilinear", "nearest", "bicubic")
_PADDINGS = ("zeros", "border", "reflection")


def _reflected(x: Any, side: int, align: bool) -> Any:
    """By folding at one border after the other until the coordinate is inside."""
    low, high = (0.0, side - 1.0) if align else (-0.5, side - 0.5)
    if low == high:
        return x * 0
    while not low <= x <= high:
        x = 2 * low - x if x < low else 2 * high - x
    return x


def _inside(x: Any, side: int, padding: str, align: bool) -> Any:
    if padding == "zeros":
        return x
    x = _reflected(x, side, align) if padding == "reflection" else x
    return min(max(x, type(x)(0)), type(x)(side - 1))


def _cubic(t: Any) -> Any:
    """Keys' kernel with a = -3/4."""
    t = abs(t)
    if t <= 1:
        return (t * 5 / 4 - 9 / 4) * t * t + 1
    return ((-3 / 4 * t + 15 / 4) * t - 6) * t + 3 if t < 2 else t * 0


def _taps(g: Any, side: int, mode: str, padding: str, align: bool) -> list[tuple[int, Any]]:
    x = (g + 1) * (side - 1) / 2 if align else ((g + 1) * side - 1) / 2
    if mode == "bicubic":
        near = range(math.floor(x) - 1, math.floor(x) + 3)
        return [(round(float(_inside(type(x)(k), side, padding, align))), _cubic(x - k)) for k in near]
    x = _inside(x, side, padding, align)
    if mode == "nearest":
        return [(int(np.rint(x)), type(x)(1))]
    low = math.floor(x)
    return [(low, 1 - (x - low)), (low + 1, x - low)]


def _sampled(x: Any, grid: Any, mode: str, padding: str, align: bool) -> Any:
    if x.dtype.kind != "f":
        raise NotImplementedError("real images only")
    out = np.zeros((*x.shape[:2], *grid.shape[1:-1]), x.dtype)
    for place in np.ndindex(grid.shape[0], *grid.shape[1:-1]):
        point = grid[place][::-1]
        axes = [_taps(g, side, mode, padding, align) for g, side in zip(point, x.shape[2:], strict=True)]
        value = out[(place[0], slice(None), *place[1:])]
        for taps in itertools.product(*axes):
            at = tuple(k for k, _ in taps)
            if all(0 <= k < side for k, side in zip(at, x.shape[2:], strict=True)):
                value += x[(place[0], slice(None), *at)] * math.prod(w for _, w in taps)
    return out


def _affine(theta: Any, size: Any, align_corners: bool = False) -> Any:
    out = np.zeros((size[0], *size[2:], len(size) - 2), theta.dtype)
    for place in np.ndindex(*size[2:]):
        pairs = list(zip(place, size[2:], strict=True))[::-1]
        if align_corners:
            point = [2 * k / (side - 1) - 1 if side > 1 else 0 for k, side in pairs]
        else:
            point = [(2 * k + 1) / side - 1 for k, side in pairs]
        out[(slice(None), *place)] = theta @ np.array([*point, 1], theta.dtype)
    return out


GRID_ORACLES: dict[str, Callable[..., Any]] = {
    "grid_values": lambda x, grid, mode, padding, align: _sampled(x, grid, mode, padding, align),
    "grid_sampler": lambda x, grid, mode, padding, align: _sampled(x, grid, _MODES[mode], _PADDINGS[padding], align),
    "grid_sample": lambda x, grid, mode="bilinear", padding_mode="zeros", align_corners=False: _sampled(
        x, grid, mode, padding_mode, align_corners
    ),
    "affine_grid": _affine,
    "affine_grid_generator": _affine,
}
