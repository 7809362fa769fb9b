"""Complex numbers: parts, polar form, and conversion from and to pairs of reals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import COMPLEX, DType, complex64, float32, float64
from tensorcore.errors import DTypeError, ShapeError
from tensorcore.ops.elementwise import atan2, conj_physical, cos, sin
from tensorcore.ops.record import composite, primitive

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor


def _part(dtype: DType, op: str) -> tuple[DType, DType]:
    if dtype.category != COMPLEX:
        raise DTypeError(f"{op}: expected a complex tensor, got {dtype}")
    return dtype, dtype.to_real()


@primitive(rule=_part, vjp=lambda g: g.to(g.dtype.to_complex()), namespaces=(), standard="real", ulp=0)
def real_part(input: Tensor) -> Tensor:
    """The real part of each element of a complex tensor."""


@primitive(rule=_part, vjp=lambda g: g.to(g.dtype.to_complex()) * 1j, namespaces=(), standard="imag", ulp=0)
def imag_part(input: Tensor) -> Tensor:
    """The imaginary part of each element of a complex tensor."""


def _paired(dtype: DType, op: str) -> tuple[DType, DType]:
    if dtype not in (float32, float64):
        raise DTypeError(f"{op}: expected a float32 or float64 tensor, got {dtype}")
    return dtype, dtype.to_complex()


@composite(
    rule=_part, view=True, vjp=lambda g: view_as_complex.emit(g.contiguous()), namespaces=("",),
    put=lambda base, value: view_as_complex.emit(value.contiguous()), ulp=0,
)  # fmt: skip
def view_as_real(input: Tensor) -> Tensor:
    """A view of the parts as a new last dimension of side 2; a copy on devices that keep them apart.

    Raises:
        DTypeError: for a real tensor.

    Example:
        >>> tc.view_as_real(tc.tensor([1 + 2j, 3 - 4j]))
        tensor([[ 1.,  2.],
                [ 3., -4.]])
    """


@view_as_real.expression
def _view_as_real(input: Any) -> Any:
    from tensorcore.ops.movement import stack

    return stack([real_part.emit(input), imag_part.emit(input)], -1)


@composite(
    rule=_paired, view=True, vjp=lambda g: view_as_real.emit(g), namespaces=("",),
    put=lambda base, value: view_as_real.emit(value), ulp=0,
)  # fmt: skip
def view_as_complex(input: Tensor) -> Tensor:
    """A view of a last dimension of side 2 as (real, imaginary); a copy on devices that keep them apart.

    Raises:
        ShapeError: if the last side is not 2, or the pairs do not lie together in memory.

    Example:
        >>> tc.view_as_complex(tc.tensor([[1.0, 2.0], [3.0, -4.0]]))
        tensor([1.+2.j, 3.-4.j])
    """
    _paired(input.dtype, "view_as_complex")
    shape = input._array.shape
    if not shape or shape[-1] != 2:
        raise ShapeError(f"view_as_complex: expected a last side of 2, got shape {list(shape)}")
    *others, last = input.stride()
    if last != 1 or any(step % 2 for step in others) or input.storage_offset() % 2:
        raise ShapeError(
            f"view_as_complex: pairs must lie together in memory, got strides {input.stride()} from element "
            f"{input.storage_offset()} on; use .contiguous()"
        )
    return view_as_complex.emit(input)


@view_as_complex.expression
def _view_as_complex(input: Any) -> Any:
    return complex(input[..., 0], input[..., 1])


@composite(namespaces=("",), samples=({"shapes": ((3, 4),)},))
def real(input: Tensor) -> Tensor:
    """The real part, a view where the device can; a real tensor itself.

    Example:
        >>> x = tc.tensor([1 + 2j, 3 - 4j])
        >>> tc.real(x).fill_(0)
        tensor([0., 0.])
        >>> x
        tensor([0.+2.j, 0.-4.j])
    """
    return view_as_real.emit(input).select(-1, 0) if input.is_complex() else input


@composite(namespaces=("",))
def imag(input: Tensor) -> Tensor:
    """The imaginary part of a complex tensor, a view where the device can.

    Raises:
        DTypeError: for a real tensor.

    Example:
        >>> tc.imag(tc.tensor([1 + 2j, 3 - 4j]))
        tensor([ 2., -4.])
    """
    if not input.is_complex():
        raise DTypeError(f"imag: expected a complex tensor, got {input.dtype}")
    return view_as_real.emit(input).select(-1, 1)


@composite(samples=({"shapes": ((3, 4),)},))
def conj(input: Tensor) -> Tensor:
    """The complex conjugate, at once (never lazily); a real tensor itself.

    Example:
        >>> tc.conj(tc.tensor([1 + 2j, 3 - 4j])), tc.conj(tc.tensor([1.0]))
        (tensor([1.-2.j, 3.+4.j]), tensor([1.]))
    """
    return conj_physical.emit(input) if input.is_complex() else input


@composite()
def conj_physical_(input: Tensor) -> Tensor:
    """Take the complex conjugate in place; nothing to do for a real tensor.

    Example:
        >>> tc.conj_physical_(tc.tensor([1 + 2j]))
        tensor([1.-2.j])
    """
    from tensorcore.ops.inplace import write

    return write(input, conj_physical.emit(input), "conj_physical_") if input.is_complex() else input


@composite(samples=({"shapes": ((3, 4),)},), ulp=0)
def chalf(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """The tensor converted to the smallest complex dtype there is, complex64.

    Example:
        >>> tc.tensor([1.0, 2.0]).chalf().dtype
        tensorcore.complex64
    """
    return input.to(complex64)


def _whole(dtype: DType, op: str) -> tuple[DType, DType]:
    if not dtype.is_floating_point:
        raise DTypeError(f"{op}: expected two tensors of one floating-point dtype, got {dtype}")
    return dtype, dtype.to_complex()


@composite(
    rule=_whole, vjp=(lambda g: real_part.emit(g), lambda g: imag_part.emit(g)), namespaces=("",), ulp=0,
    samples=({"shapes": ((3,), (3,))}, {"shapes": ((3, 1), (4,))}),
)  # fmt: skip
def complex(real: Tensor, imag: Tensor) -> Tensor:
    """The complex numbers with these real and imaginary parts.

    Raises:
        DTypeError: if the parts are not of one floating-point dtype.

    Example:
        >>> tc.complex(tc.tensor([1.0, 2.0]), tc.tensor([0.5, -1.0]))
        tensor([1.+0.5000j, 2.-1.0000j])
    """
    if real.dtype is not imag.dtype or not real.is_floating_point():
        raise DTypeError(
            f"complex: expected two tensors of one floating-point dtype, got {real.dtype} and {imag.dtype}"
        )
    return complex.emit(real, imag)


@complex.expression
def _complex(real: Tensor, imag: Tensor) -> Tensor:
    # Of infinite imaginary parts the product has NaN beside; engines that can store the parts do.
    dtype = real.dtype.to_complex()
    return real.to(dtype) + imag.to(dtype) * 1j


@composite(namespaces=("",), samples=({"shapes": ((3,), (3,))},))
def polar(abs: Tensor, angle: Tensor) -> Tensor:
    """The complex numbers of these moduli and angles.

    Example:
        >>> tc.polar(tc.tensor([1.0, 2.0]), tc.tensor([0.0, 1.0]))
        tensor([1.0000+0.0000j, 1.0806+1.6829j])
    """
    return complex(abs * cos(angle), abs * sin(angle))


@composite(samples=({"shapes": ((3, 4),)},))
def angle(input: Tensor) -> Tensor:
    """The angle of each complex number in radians; for a real one 0, or pi below 0.

    Example:
        >>> tc.angle(tc.tensor([1 + 1j, -1j])), tc.angle(tc.tensor([2.0, -2.0, float("nan")]))
        (tensor([ 0.7854, -1.5708]), tensor([0.0000, 3.1416,    nan]))
    """
    from tensorcore.ops.elementwise import where

    if input.is_complex():
        return atan2(imag_part.emit(input), real_part.emit(input))
    # Infinity times 0 would be NaN, and -0 has the angle 0.
    return where(input < 0, 3.141592653589793, where(input > 0, 0.0, input * 0.0 + 0.0))
