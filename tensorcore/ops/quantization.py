"""Rounding to the numbers that a quantised model will have, with the gradient passed through (Jacob et al. 2018)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import BOOL, COMPLEX
from tensorcore.errors import ArgumentError, DTypeError, RangeError, ShapeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.record import composite
from tensorcore.ops.rules import inexact
from tensorcore.shapes import normalize_dim

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor


def _steps(input: Any, scale: Any, zero_point: Any) -> Any:
    return e.round(input * (1 / scale)) + zero_point


def _within(g: Any, input: Any, scale: Any, zero_point: Any, quant_min: int, quant_max: int) -> Any:
    steps = _steps(input, scale, zero_point)
    return e.where(e.ge(steps, quant_min), e.where(e.le(steps, quant_max), g, 0), 0)


@composite(
    rule=inexact, vjp=(_within, None, None), namespaces=(), ulp=4,
    samples=({"shapes": ((3, 4), (4,), (4,)), "domains": (None, (0.1, 0.5), (0, 1)), "quant_min": -4, "quant_max": 3},),
)  # fmt: skip
def fake_quantize(input: Tensor, scale: Tensor, zero_point: Tensor, *, quant_min: int, quant_max: int) -> Tensor:
    """``(clamp(round(input / scale) + zero_point, quant_min, quant_max) - zero_point) * scale``."""
    return fake_quantize.emit(input, scale, zero_point, quant_min=quant_min, quant_max=quant_max)


@fake_quantize.expression
def _fake_quantize(input: Any, scale: Any, zero_point: Any, *, quant_min: int, quant_max: int) -> Any:
    steps = _steps(input, scale, zero_point)
    # NaN is the lowest step, as in PyTorch, whose integers have none.
    return (e.where(e.eq(steps, steps), steps.clamp(quant_min, quant_max), quant_min) - zero_point) * scale


def _check(op: str, input: Any, zero_point: Any, quant_min: int, quant_max: int) -> None:
    if input.dtype.category in (BOOL, COMPLEX) or not input.dtype.is_floating_point:
        raise DTypeError(f"{op}: expected a floating-point input, got {input.dtype}")
    if quant_min > quant_max:
        raise RangeError(f"{op}: quant_min must not exceed quant_max, got {quant_min} and {quant_max}")
    low, high = (zero_point, zero_point) if isinstance(zero_point, int) else (zero_point.min(), zero_point.max())
    if int(low) < quant_min or int(high) > quant_max:
        raise RangeError(
            f"{op}: zero_point must be from quant_min, {quant_min}, to quant_max, {quant_max}; got {int(low)} to "
            f"{int(high)}"
        )


@composite(
    namespaces=("",), ulp=4, operands=("input",),
    samples=({"shapes": ((3, 4),), "scale": 0.1, "zero_point": 2, "quant_min": 0, "quant_max": 15},),
)  # fmt: skip
def fake_quantize_per_tensor_affine(
    input: Tensor, scale: Any, zero_point: Any, quant_min: int, quant_max: int
) -> Tensor:
    """``input`` rounded to multiples of ``scale``, clamped to those of ``quant_min`` to ``quant_max``.

    ``zero_point`` is the step that stands for 0. The gradient passes where nothing was clamped. ``scale`` and
    ``zero_point`` may be tensors of one element.

    >>> tc.fake_quantize_per_tensor_affine(tc.tensor([0.12, 9.0]), 0.1, 0, 0, 15)
    tensor([0.1000, 1.5000])
    """
    op = "fake_quantize_per_tensor_affine"
    for name, x in (("scale", scale), ("zero_point", zero_point)):
        if hasattr(x, "numel") and x.numel() != 1:
            raise ArgumentError(f"{op}: expected a {name} of one element, got shape {list(x.shape)}")
    _check(op, input, zero_point, quant_min, quant_max)
    kind = input._kind
    parts = (
        x.reshape(()).to(kind.dtype) if hasattr(x, "numel") else kind.scalar(float(x)) for x in (scale, zero_point)
    )
    return fake_quantize.emit(input, *parts, quant_min=quant_min, quant_max=quant_max)


@composite(namespaces=("",), ulp=4, operands=("input", "scale", "zero_point"))
def fake_quantize_per_channel_affine(
    input: Tensor, scale: Tensor, zero_point: Tensor, axis: int, quant_min: int, quant_max: int
) -> Tensor:
    """`fake_quantize_per_tensor_affine` with a scale and a zero point for each place along ``axis``.

    >>> x, scale = tc.tensor([[0.12, 0.12]]), tc.tensor([0.1, 0.5])
    >>> tc.fake_quantize_per_channel_affine(x, scale, tc.zeros(2), 1, 0, 15)
    tensor([[0.1000, 0.0000]])
    """
    op = "fake_quantize_per_channel_affine"
    if axis < 0:
        raise RangeError(f"{op}: axis must not be negative, got {axis}")
    place = normalize_dim(axis, input.ndim, op)
    if not scale.is_floating_point():
        raise DTypeError(f"{op}: scale must be floating-point, got {scale.dtype}")
    if zero_point.dtype.name not in ("int32", "float32", "float16"):
        raise DTypeError(f"{op}: zero_point must be int32, float32 or float16, got {zero_point.dtype}")
    if tuple(scale.shape) != (input.shape[place],) or scale.shape != zero_point.shape:
        raise ShapeError(
            f"{op}: input of shape {list(input.shape)} needs scale and zero_point of shape {[input.shape[place]]} for "
            f"axis {axis}, got {list(scale.shape)} and {list(zero_point.shape)}"
        )
    _check(op, input, zero_point, quant_min, quant_max)
    shape = (-1,) + (1,) * (input.ndim - place - 1)
    parts = (x.to(input.dtype).reshape(shape) for x in (scale, zero_point))
    return fake_quantize.emit(input, *parts, quant_min=quant_min, quant_max=quant_max)


__all__ = ["fake_quantize_per_channel_affine", "fake_quantize_per_tensor_affine"]
