"""Sampling at the points of a grid: a plane for each channel, so that what is gathered and added lies in one line.

A block of points goes through all its steps while it is in the second-level cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore.ops.grids import corners, product_without, slopes, taps

#: Points in a block.
_BLOCK = 1 << 14


def _planes(x: Array) -> Array:
    """(N, C, *rest) as (C, N * rest)."""
    return np.ascontiguousarray(x.swapaxes(0, 1)).reshape(x.shape[1], -1)


def _with_zeros(planes: Array) -> Array:
    """The planes with one more column, of zeros, that stands for all that lies outside."""
    out = np.zeros((planes.shape[0], planes.shape[1] + 1), planes.dtype)
    out[:, :-1] = planes
    return out


def _images(planes: Array, shape: Sequence[int]) -> Array:
    """(C, N * rest) as (N, C, *rest)."""
    channels = planes.shape[0]
    return np.ascontiguousarray(planes.reshape(channels, shape[0], *shape[2:]).swapaxes(0, 1))


def _blocks(grid: Array, sides: Sequence[int]) -> Iterator[tuple[slice, list[Array], Array]]:
    """Blocks of points: where they are, their coordinates by dimension of the image, the numbers of their images."""
    flat = grid.reshape(-1, len(sides))
    count = math.prod(grid.shape[1:-1])
    for start in range(0, flat.shape[0], _BLOCK):
        part = slice(start, min(start + _BLOCK, flat.shape[0]))
        # The last dimension of an image is the first coordinate.
        points = [np.ascontiguousarray(flat[part, -1 - place]) for place in range(len(sides))]
        yield part, points, np.arange(part.start, part.stop) // count


class GridKernels:
    """The part of the backend that samples images."""

    def grid_values(self, input: Array, grid: Array, *, mode: str, padding: str, align: bool) -> Array:
        sides = input.shape[2:]
        planes = _with_zeros(_planes(input))
        out = np.zeros((input.shape[1], math.prod(grid.shape[:-1])), input.dtype)
        for part, points, images in _blocks(grid, sides):
            axes = [taps(np, x, side, mode, padding, align) for x, side in zip(points, sides, strict=True)]
            for _, index, weight in corners(np, axes, sides, images, planes.shape[1] - 1):
                values = planes.take(index, 1, mode="wrap")
                if weight is not None:
                    values *= weight
                out[:, part] += values
        return _images(out, (input.shape[0], input.shape[1], *grid.shape[1:-1]))

    def grid_image_gradient(
        self, grad: Array, grid: Array, *, sides: tuple[int, ...], mode: str, padding: str, align: bool
    ) -> Array:
        planes = _planes(grad)
        area = grad.shape[0] * math.prod(sides)
        out = np.zeros((grad.shape[1], area + 1), grad.dtype)
        for part, points, images in _blocks(grid, sides):
            axes = [taps(np, x, side, mode, padding, align) for x, side in zip(points, sides, strict=True)]
            for _, index, weight in corners(np, axes, sides, images, area):
                values = planes[:, part] if weight is None else planes[:, part] * weight
                for plane, line in zip(out, values, strict=True):
                    # Over one dimension `add.at` takes 1 ns an element, over several ten times that.
                    np.add.at(plane, index, line)
        return _images(out[:, :-1], (*grad.shape[:2], *sides))

    def grid_point_gradient(
        self, grad: Array, input: Array, grid: Array, *, mode: str, padding: str, align: bool
    ) -> Array:
        if mode == "nearest":
            return np.zeros(grid.shape, grid.dtype)
        sides = input.shape[2:]
        planes, grads = _with_zeros(_planes(input)), _planes(grad)
        out = np.zeros((math.prod(grid.shape[:-1]), len(sides)), grid.dtype)
        for part, points, images in _blocks(grid, sides):
            axes = [taps(np, x, side, mode, padding, align) for x, side in zip(points, sides, strict=True)]
            steep = [slopes(np, x, side, mode, padding, align) for x, side in zip(points, sides, strict=True)]
            for choice, index, _ in corners(np, axes, sides, images, planes.shape[1] - 1):
                along = np.einsum("ci,ci->i", grads[:, part], planes.take(index, 1, mode="wrap"))
                for dim, number in enumerate(choice):
                    out[part, -1 - dim] += along * steep[dim][number] * product_without(axes, choice, dim)
        return out.reshape(grid.shape)
