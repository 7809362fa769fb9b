"""The three discrete Fourier transforms that carry all others: complex to complex, to real, and from real.

As in ATen, each one's gradient is one of the others. Backends override the three; `transforms` has the functions that
users call, which promote, resize and choose the scale.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import COMPLEX, FLOATING, DType
from tensorcore.errors import DTypeError
from tensorcore.ops.complex import real_part
from tensorcore.ops.creation import full
from tensorcore.ops.fourier_expressions import mirrored, transformed
from tensorcore.ops.movement import cat
from tensorcore.ops.record import composite

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

Ints = tuple[int, ...]


def _complex_rule(dtype: DType, op: str) -> tuple[DType, DType]:
    if dtype.category != COMPLEX:
        raise DTypeError(f"{op}: got a tensor of dtype {dtype}, expected a complex dtype")
    return dtype, dtype


def _forward_rule(dtype: DType, op: str) -> tuple[DType, DType]:
    if dtype.category != FLOATING or dtype.itemsize < 4:
        raise DTypeError(f"{op}: got a tensor of dtype {dtype}, expected float32 or float64")
    return dtype, dtype.to_complex()


def _backward_rule(dtype: DType, op: str) -> tuple[DType, DType]:
    return dtype, _complex_rule(dtype, op)[0].to_real()


def _scaled(x: Any, sides: Sequence[int], norm: str) -> Any:
    count = math.prod(sides)
    return x if norm == "none" else x * (1 / (math.sqrt(count) if norm == "root" else count))


def _weighted(spectrum: Any, dim: int, size: int, weight: float) -> Any:
    """Half a spectrum of ``size`` elements with those that stand for two of them multiplied by ``weight``."""
    real = spectrum.dtype.to_real()
    inner = (size - 1) // 2
    counts = ((1, 1.0), (inner, weight), (spectrum.shape[dim] - 1 - inner, 1.0))
    weights = cat([full((count,), value, dtype=real, device=spectrum.device) for count, value in counts])
    return spectrum * weights.reshape((-1,) + (1,) * (spectrum.ndim - dim - 1))


def _r2c_vjp(g: Any, input_shape: Ints, dim: Ints, norm: str, onesided: bool) -> Any:
    if not onesided:
        return real_part.emit(fft_c2c.emit(g, dim=dim, norm=norm, forward=False))
    # The real part of an inverse transform of half a spectrum is half of what its mirror image would add to it.
    size = input_shape[dim[-1]]
    return fft_c2r.emit(_weighted(g, dim[-1], size, 0.5), dim=dim, norm=norm, size=size)


@composite(
    rule=_complex_rule, namespaces=(), ulp=32, shown="FftC2CBackward0",
    vjp=lambda g, dim, norm, forward: fft_c2c.emit(g, dim=dim, norm=norm, forward=not forward),
    samples=({"shapes": ((3, 4),), "dim": (0, 1), "norm": "root", "forward": False},),
)  # fmt: skip
def fft_c2c(input: Tensor, *, dim: Ints, norm: str, forward: bool) -> Tensor:
    """The discrete Fourier transform of a complex tensor over ``dim``; ``norm`` is "none", "root" or "count"."""
    return fft_c2c.emit(input, dim=dim, norm=norm, forward=forward)


@fft_c2c.expression
def _fft_c2c(input: Any, *, dim: Ints, norm: str, forward: bool) -> Any:
    return _scaled(transformed(input, dim, forward), [input.shape[d] for d in dim], norm)


@composite(
    rule=_forward_rule, namespaces=(), ulp=32, shown="FftR2CBackward0", vjp=_r2c_vjp, joint=False,
    samples=(
        {"shapes": ((3, 4),), "dim": (0, 1), "norm": "none", "onesided": True},
        {"shapes": ((3, 5),), "dim": (0, 1), "norm": "count", "onesided": False},
        {"shapes": ((5, 2),), "dim": (0,), "norm": "root", "onesided": True},
    ),
)  # fmt: skip
def fft_r2c(input: Tensor, *, dim: Ints, norm: str, onesided: bool) -> Tensor:
    """The forward transform of a real tensor over ``dim``: whole, or the first half along the last of ``dim``."""
    return fft_r2c.emit(input, dim=dim, norm=norm, onesided=onesided)


@fft_r2c.expression
def _fft_r2c(input: Any, *, dim: Ints, norm: str, onesided: bool) -> Any:
    sides = [input.shape[d] for d in dim]
    out = transformed(input.to(input.dtype.to_complex()), dim[-1:], True)
    if onesided:
        out = out.narrow(dim[-1], 0, sides[-1] // 2 + 1)
    return _scaled(transformed(out, dim[:-1], True), sides, norm)


@composite(
    rule=_backward_rule, namespaces=(), ulp=32, shown="FftC2RBackward0",
    vjp=lambda g, dim, norm, size: _weighted(
        fft_r2c.emit(g, dim=dim, norm=norm, onesided=True), dim[-1], size, 2.0
    ),
    samples=({"shapes": ((3, 3),), "dim": (0, 1), "norm": "count", "size": 4},),
)  # fmt: skip
def fft_c2r(input: Tensor, *, dim: Ints, norm: str, size: int) -> Tensor:
    """The inverse transform over ``dim`` of the first half of a spectrum of ``size`` elements of a real signal."""
    return fft_c2r.emit(input, dim=dim, norm=norm, size=size)


@fft_c2r.expression
def _fft_c2r(input: Any, *, dim: Ints, norm: str, size: int) -> Any:
    half = transformed(input, dim[:-1], False)
    out = real_part.emit(transformed(mirrored(half, dim[-1], size), dim[-1:], False))
    return _scaled(out, [*(input.shape[d] for d in dim[:-1]), size], norm)
