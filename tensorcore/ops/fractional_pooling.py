"""Fractional max pooling (Graham 2014): windows whose steps vary at random, to any smaller output size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import int64
from tensorcore.errors import RangeError, ShapeError
from tensorcore.ops.creation import ramp
from tensorcore.ops.indexing import gather
from tensorcore.ops.movement import cat
from tensorcore.ops.pooling import batched
from tensorcore.ops.random import rand
from tensorcore.ops.record import composite
from tensorcore.ops.reduction import argmax
from tensorcore.ops.rules import inexact
from tensorcore.ops.windows import Ints, spatial

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_F: Final = ("nn.functional",)


def _sizes(op: str, sides: Ints, output_size: Any, output_ratio: Any) -> Ints:
    if output_size is not None:
        return spatial(op, "output_size", output_size, len(sides))
    if output_ratio is None:
        raise RangeError(f"{op}: expected an output_size or an output_ratio")
    ratios = tuple(output_ratio) if isinstance(output_ratio, list | tuple) else (output_ratio,) * len(sides)
    if len(ratios) != len(sides):
        raise RangeError(f"{op}: expected an output_ratio of {len(sides)} numbers, got {list(ratios)}")
    return tuple(int(side * ratio) for side, ratio in zip(sides, ratios, strict=True))


def _starts(sample: Any, side: int, count: int, kernel: int) -> Any:
    """Where the ``count`` windows of each channel begin along a side, from numbers (N, C): (N, C, count)."""
    last = side - kernel
    if not count:
        return sample.new_zeros((*sample.shape, 0), dtype=int64)
    end = sample.new_full((*sample.shape, 1), last, dtype=int64)
    if count == 1:
        return end
    step = sample.new_full((), last) / (count - 1)
    each = sample.unsqueeze(-1)
    steps = ramp(0, 1, count - 1, int64, sample.device).to(sample.dtype)
    return cat((((each + steps) * step).to(int64) - (each * step).to(int64), end), -1)


def _pooled(
    op: str, ndim: int, input: Any, kernel_size: Any, output_size: Any, output_ratio: Any, samples: Any
) -> tuple[Any, Any]:
    x, alone = batched(op, input, ndim)
    inexact(input.dtype, op)
    sides = tuple(x.shape[2:])
    kernel = spatial(op, "kernel_size", kernel_size, ndim)
    sizes = _sizes(op, sides, output_size, output_ratio)
    if (
        min(kernel) < 1
        or min(sizes) < 0
        or any(n + k - 1 > side for n, k, side in zip(sizes, kernel, sides, strict=True))
    ):
        raise ShapeError(
            f"{op}: input of shape {list(input.shape)} is too small for an output of {list(sizes)} by windows of "
            f"{list(kernel)}: each side must hold output + kernel - 1, and windows must be positive"
        )
    lead = tuple(x.shape[:2])
    if samples is None:
        samples = rand((*lead, ndim), dtype=x.dtype, device=x.device)
    elif samples.ndim != 3 or len(samples) < lead[0] or tuple(samples.shape[1:]) != (lead[1], ndim):
        raise ShapeError(f"{op}: expected _random_samples of shape {[*lead, ndim]}, got {list(samples.shape)}")
    elif samples.dtype is not x.dtype:
        raise RangeError(f"{op}: expected _random_samples of input's dtype {x.dtype}, got {samples.dtype}")
    samples = samples.narrow(0, 0, lead[0])
    places: Any = None
    for d, (side, count, k) in enumerate(zip(sides, sizes, kernel, strict=True)):
        # PyTorch draws an image's numbers in the order width, height, a volume's in the order depth, height, width.
        sample = samples[:, :, 1 - d if ndim == 2 else d].detach()
        window = _starts(sample, side, count, k).unsqueeze(-1) + ramp(0, 1, k, int64, x.device)
        before, after = (1,) * d, (1,) * (ndim - 1 - d)
        at = window.reshape(*lead, *before, count, *after, *before, k, *after)
        places = at if places is None else places * side + at
    places = places.reshape(*lead, math.prod(sizes), math.prod(kernel))
    flat = x.reshape(*lead, math.prod(sides))
    spots = places.reshape(*lead, math.prod(sizes) * math.prod(kernel))
    seen = gather.emit(flat.detach(), spots, dim=2).reshape(places.shape)
    held = gather.emit(places, argmax.emit(seen, dim=3, keepdim=True), dim=3).squeeze(3)
    values, held = gather.emit(flat, held, dim=2).reshape(*lead, *sizes), held.reshape(*lead, *sizes)
    return (values.squeeze(0), held.squeeze(0)) if alone else (values, held)


@composite(namespaces=_F, random=True)
def fractional_max_pool2d(
    input: Tensor, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:  # fmt: skip
    """Largest elements of (N, C, H, W) or (C, H, W) in windows of ``kernel_size`` at steps drawn at random.

    The output has the sides ``output_size``, or ``output_ratio`` of the input's; ``return_indices`` adds their places.

    >>> tc.nn.functional.fractional_max_pool2d(tc.ones(1, 1, 5, 5), 2, output_size=3).shape
    tensorcore.Size([1, 1, 3, 3])
    """
    found = _pooled("fractional_max_pool2d", 2, input, kernel_size, output_size, output_ratio, _random_samples)
    return found if return_indices else found[0]


@composite(namespaces=_F, random=True)
def fractional_max_pool2d_with_indices(
    input: Tensor, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """`fractional_max_pool2d`, and where in the flattened sides each largest element is.

    >>> tc.nn.functional.fractional_max_pool2d_with_indices(tc.ones(1, 1, 3, 3), 3, output_size=1)[1]
    tensor([[[[0]]]])
    """
    return _pooled("fractional_max_pool2d", 2, input, kernel_size, output_size, output_ratio, _random_samples)


@composite(namespaces=_F, random=True)
def fractional_max_pool3d(
    input: Tensor, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:  # fmt: skip
    """Largest elements of (N, C, D, H, W) or (C, D, H, W) in windows of ``kernel_size`` at steps drawn at random.

    The output has the sides ``output_size``, or ``output_ratio`` of the input's; ``return_indices`` adds their places.

    >>> tc.nn.functional.fractional_max_pool3d(tc.ones(1, 1, 5, 5, 5), 2, output_size=3).shape
    tensorcore.Size([1, 1, 3, 3, 3])
    """
    found = _pooled("fractional_max_pool3d", 3, input, kernel_size, output_size, output_ratio, _random_samples)
    return found if return_indices else found[0]


@composite(namespaces=_F, random=True)
def fractional_max_pool3d_with_indices(
    input: Tensor, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """`fractional_max_pool3d`, and where in the flattened sides each largest element is.

    >>> tc.nn.functional.fractional_max_pool3d_with_indices(tc.ones(1, 1, 3, 3, 3), 3, output_size=1)[1]
    tensor([[[[[0]]]]])
    """
    return _pooled("fractional_max_pool3d", 3, input, kernel_size, output_size, output_ratio, _random_samples)


__all__ = ["fractional_max_pool2d", "fractional_max_pool3d"]
