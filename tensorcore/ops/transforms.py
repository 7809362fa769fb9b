"""The functions of ``torch.fft``: what is transformed along which dimensions, resized and scaled how."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import COMPLEX, FLOATING, DType, float32, float64, get_default_dtype, int64
from tensorcore.errors import DimensionError, DTypeError, RangeError, ShapeError
from tensorcore.ops.complex import conj
from tensorcore.ops.creation import _finished as finished
from tensorcore.ops.creation import kind_for as kind_of
from tensorcore.ops.creation import ramp
from tensorcore.ops.fourier import fft_c2c, fft_c2r, fft_r2c
from tensorcore.ops.movement import cat, roll
from tensorcore.ops.record import composite
from tensorcore.ops.windows import embedded
from tensorcore.shapes import normalize_dim, normalize_dims

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

Ints = tuple[int, ...]

_FFT: Final = ("fft",)
#: What a result is divided by, for (norm, forward): nothing, the root of the number of elements, or the number.
_NORMS: Final = {
    ("backward", True): "none", ("backward", False): "count", ("ortho", True): "root", ("ortho", False): "root",
    ("forward", True): "count", ("forward", False): "none",
}  # fmt: skip

#: Cases of the forms for one dimension, two and any number: even, odd, long and prime lengths.
_LINES: Final = (
    {"shapes": ((3, 4),)},
    {"shapes": ((2, 5),), "n": 8, "dim": 0, "norm": "ortho"},
    {"shapes": ((70,),), "n": 35, "norm": "forward"},
    {"shapes": ((2, 67),), "n": 67},
)
_PLANES: Final = ({"shapes": ((2, 3, 4),)}, {"shapes": ((3, 4),), "s": (2, 5), "dim": (-1, 0), "norm": "ortho"})
_BLOCKS: Final = ({"shapes": ((2, 3, 4),)}, {"shapes": ((2, 3, 4),), "s": (3, -1), "dim": (0, 2), "norm": "forward"})

# ------------------------------------------------------------------ arguments


def _scale(op: str, norm: str | None, forward: bool) -> str:
    if norm is not None and not isinstance(norm, str):
        raise TypeError(f"{op}: norm must be a str or None, got {type(norm).__name__}")
    found = _NORMS.get((norm or "backward", forward)) if norm != "" else None
    if found is None:
        raise RangeError(f"{op}: norm must be 'backward', 'ortho' or 'forward', got {norm!r}")
    return found


def promoted(op: str, input: Any, expected: str = "any") -> Any:
    """``input`` in float32, float64 or a complex dtype: ``expected`` is "real", "complex" or "any"."""
    if not hasattr(input, "_kind"):
        raise TypeError(f"{op}: 'input' must be a tensor, got {type(input).__name__}")
    dtype = input.dtype
    if dtype.category < FLOATING:
        dtype = get_default_dtype()
    if dtype.category == COMPLEX:
        if expected == "real":
            raise DTypeError(f"{op}: expected a real tensor, got {dtype}")
    elif dtype.itemsize < 4:
        raise DTypeError(f"{op}: got a tensor of dtype {dtype}, expected float32, float64 or a complex dtype")
    elif expected == "complex":
        dtype = dtype.to_complex()
    return input if dtype is input.dtype else input.to(dtype)


def _int(op: str, name: str, value: Any) -> int:
    if not hasattr(value, "__index__"):
        raise TypeError(f"{op}: {name} must be an int, got {value!r}")
    found: int = value.__index__()
    return found


def _axes(op: str, input: Any, s: Any, dim: Any) -> tuple[Ints, list[int | None]]:
    """The dimensions to transform, and the side asked for along each; ``None`` where it stays."""
    ndim = input.ndim
    sides = None if s is None else [_int(op, "s", each) for each in ((s,) if hasattr(s, "__index__") else s)]
    if dim is None:
        if sides is not None and len(sides) > ndim:
            raise ShapeError(f"{op}: s gives {len(sides)} sides, but input has shape {list(input.shape)}")
        dims = tuple(range(ndim - len(sides), ndim)) if sides is not None else tuple(range(ndim))
    else:
        given = (dim,) if hasattr(dim, "__index__") else tuple(dim)
        if ndim == 0 and given:
            raise DimensionError(f"{op}: dim={dim} is given, but the input has no dimensions")
        dims = normalize_dims(given, ndim, op)
        if sides is not None and len(sides) != len(dims):
            raise ShapeError(f"{op}: s and dim must have the same length, got {list(sides)} and {list(given)}")
    # In s, -1 keeps a side.
    return dims, [None] * len(dims) if sides is None else [None if side == -1 else side for side in sides]


def _axis(op: str, input: Any, n: Any, dim: Any) -> tuple[Ints, list[int | None]]:
    if input.ndim == 0:
        raise DimensionError(f"{op}: dim={dim} is given, but the input has no dimensions")
    return (normalize_dim(dim, input.ndim, op),), [None if n is None else _int(op, "n", n)]


#: What `_axes` says of dimensions that keep their sides.
_KEPT: Final = {None}


def _fitted(op: str, input: Any, dims: Ints, sides: Sequence[int | None]) -> Any:
    """``input`` cut, or extended by zeros, to ``sides`` along ``dims``; ``None`` keeps a side."""
    shape = input._array.shape
    if set(sides) == _KEPT and 0 not in shape:
        return input
    pads = [(0, 0)] * len(shape)
    for dim, side in zip(dims, sides, strict=True):
        wanted = shape[dim] if side is None else side
        if wanted < 1:
            raise RangeError(f"{op}: cannot transform {wanted} elements, dimension {dim} of shape {list(shape)}")
        pads[dim] = (0, wanted - shape[dim])
    return embedded(input, pads, (1,) * len(pads))


def _halved(op: str, input: Any, dims: Ints, sides: list[int | None]) -> tuple[Any, int]:
    """A spectrum fitted for an inverse real transform, and the side of the result along the last dimension."""
    if not dims:
        raise ShapeError(f"{op}: must transform at least one dimension, got none")
    last = 2 * (input.shape[dims[-1]] - 1) if sides[-1] is None else sides[-1]
    if last < 1:
        raise RangeError(
            f"{op}: the result would have {last} elements along dimension {dims[-1]}, for input of shape "
            f"{list(input.shape)}"
        )
    return _fitted(op, input, dims, [*sides[:-1], last // 2 + 1]), last


# ------------------------------------------------------------------ what the functions share


def _full_transform(op: str, input: Any, axes: Any, s: Any, dim: Any, norm: Any, forward: bool) -> Any:
    """fft, ifft and their forms for several dimensions."""
    x = promoted(op, input)
    dims, sides = axes(op, x, s, dim)
    scale = _scale(op, norm, forward)
    x = _fitted(op, x, dims, sides)
    if not dims:
        return x.to(x.dtype.to_complex(), copy=True)
    if x.dtype.category == COMPLEX:
        return fft_c2c.emit(x, dim=dims, norm=scale, forward=forward)
    out = fft_r2c.emit(x, dim=dims, norm=scale, onesided=False)
    return out if forward else conj(out)


def _real_transform(op: str, input: Any, axes: Any, s: Any, dim: Any, norm: Any, forward: bool) -> Any:
    """rfft, ihfft and their forms for several dimensions: real to half a spectrum."""
    x = promoted(op, input, "real")
    dims, sides = axes(op, x, s, dim)
    scale = _scale(op, norm, forward)
    if not dims:
        raise ShapeError(f"{op}: must transform at least one dimension, got none")
    x = _fitted(op, x, dims, sides)
    out = fft_r2c.emit(x, dim=dims, norm=scale, onesided=True)
    return out if forward else conj(out)


def _half_transform(op: str, input: Any, axes: Any, s: Any, dim: Any, norm: Any, forward: bool) -> Any:
    """irfft, hfft and their forms for several dimensions: half a spectrum to real."""
    x = promoted(op, input, "complex")
    dims, sides = axes(op, x, s, dim)
    scale = _scale(op, norm, forward)
    x, size = _halved(op, x, dims, sides)
    # A forward transform is the inverse one of the conjugate, conjugated, which a real result is already.
    return fft_c2r.emit(conj(x) if forward else x, dim=dims, norm=scale, size=size)


@composite(namespaces=_FFT, ulp=64, samples=_LINES)
def fft_fft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The discrete Fourier transform along ``dim``, of real or complex numbers, cut or extended by zeros to ``n``.

    Example:
        >>> tc.fft.fft(tc.tensor([1.0, 2.0, 3.0, 4.0]))
        tensor([10.+0.j, -2.+2.j, -2.+0.j, -2.-2.j])
    """
    return _full_transform("fft", input, _axis, n, dim, norm, True)


@composite(namespaces=_FFT, ulp=64, samples=_LINES)
def fft_ifft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse discrete Fourier transform along ``dim``, after cutting or extending by zeros to ``n``.

    Example:
        >>> tc.fft.ifft(tc.tensor([10, -2 + 2j, -2, -2 - 2j]))
        tensor([1.+0.j, 2.+0.j, 3.+0.j, 4.+0.j])
    """
    return _full_transform("ifft", input, _axis, n, dim, norm, False)


@composite(namespaces=_FFT, ulp=64, samples=_LINES)
def fft_rfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The first half of the Fourier transform of real numbers along ``dim``; the rest mirrors it.

    Example:
        >>> tc.fft.rfft(tc.tensor([1.0, 2.0, 3.0, 4.0]))
        tensor([10.+0.j, -2.+2.j, -2.+0.j])
    """
    return _real_transform("rfft", input, _axis, n, dim, norm, True)


@composite(namespaces=_FFT, ulp=64, samples=_LINES)
def fft_irfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of `rfft`: ``n`` real numbers from the first half of their spectrum along ``dim``.

    Example:
        >>> tc.fft.irfft(tc.tensor([10, -2 + 2j, -2]))
        tensor([1., 2., 3., 4.])
    """
    return _half_transform("irfft", input, _axis, n, dim, norm, False)


@composite(namespaces=_FFT, ulp=64, samples=_LINES)
def fft_hfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The Fourier transform along ``dim`` of a Hermitian signal of ``n`` elements, given by its first half.

    Example:
        >>> tc.fft.hfft(tc.tensor([2.5, -0.5 - 0.5j, -0.5]))
        tensor([1., 2., 3., 4.])
    """
    return _half_transform("hfft", input, _axis, n, dim, norm, True)


@composite(namespaces=_FFT, ulp=64, samples=_LINES)
def fft_ihfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of `hfft`: the first half of the inverse transform of real numbers along ``dim``.

    Example:
        >>> tc.fft.ihfft(tc.tensor([1.0, 2.0, 3.0, 4.0]))
        tensor([ 2.5000-0.0000j, -0.5000-0.5000j, -0.5000-0.0000j])
    """
    return _real_transform("ihfft", input, _axis, n, dim, norm, False)


@composite(namespaces=_FFT, ulp=64, samples=_PLANES)
def fft_fft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """The discrete Fourier transform over two dimensions, cut or extended by zeros to ``s``.

    Example:
        >>> tc.fft.fft2(tc.tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor([[10.+0.j, -2.+0.j],
                [-4.+0.j,  0.+0.j]])
    """
    return _full_transform("fft2", input, _axes, s, dim, norm, True)


@composite(namespaces=_FFT, ulp=64, samples=_PLANES)
def fft_ifft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """The inverse discrete Fourier transform over two dimensions, after cutting or extending by zeros to ``s``.

    Example:
        >>> tc.fft.ifft2(tc.fft.fft2(tc.tensor([[1.0, 2.0], [3.0, 4.0]])))
        tensor([[1.+0.j, 2.+0.j],
                [3.+0.j, 4.+0.j]])
    """
    return _full_transform("ifft2", input, _axes, s, dim, norm, False)


@composite(namespaces=_FFT, ulp=64, samples=_PLANES)
def fft_rfft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """The first half of the Fourier transform of real numbers over two dimensions; the rest mirrors it.

    Example:
        >>> tc.fft.rfft2(tc.tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor([[10.+0.j, -2.+0.j],
                [-4.+0.j,  0.+0.j]])
    """
    return _real_transform("rfft2", input, _axes, s, dim, norm, True)


@composite(namespaces=_FFT, ulp=64, samples=_PLANES)
def fft_irfft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """The inverse of `rfft2`: real numbers of sides ``s`` from the first half of their spectrum.

    Example:
        >>> tc.fft.irfft2(tc.tensor([[10.0, -2.0], [-4.0, 0.0]]))
        tensor([[1., 2.],
                [3., 4.]])
    """
    return _half_transform("irfft2", input, _axes, s, dim, norm, False)


@composite(namespaces=_FFT, ulp=64, samples=_PLANES)
def fft_hfft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """The Fourier transform over two dimensions of a Hermitian signal of sides ``s``, given by its first half.

    Example:
        >>> tc.fft.hfft2(tc.tensor([[2.5, -0.5], [-1.0, 0.0]]))
        tensor([[1., 2.],
                [3., 4.]])
    """
    return _half_transform("hfft2", input, _axes, s, dim, norm, True)


@composite(namespaces=_FFT, ulp=64, samples=_PLANES)
def fft_ihfft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """The inverse of `hfft2`: the first half of the inverse transform of real numbers over two dimensions.

    Example:
        >>> tc.fft.ihfft2(tc.tensor([[1.0, 2.0], [3.0, 4.0]])).real
        tensor([[ 2.5000, -0.5000],
                [-1.0000,  0.0000]])
    """
    return _real_transform("ihfft2", input, _axes, s, dim, norm, False)


@composite(namespaces=_FFT, ulp=64, samples=_BLOCKS)
def fft_fftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The discrete Fourier transform over the dimensions ``dim``, cut or extended by zeros to ``s``.

    Example:
        >>> tc.fft.fftn(tc.ones(2, 2, 2)).shape
        tensorcore.Size([2, 2, 2])
    """
    return _full_transform("fftn", input, _axes, s, dim, norm, True)


@composite(namespaces=_FFT, ulp=64, samples=_BLOCKS)
def fft_ifftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The inverse discrete Fourier transform over the dimensions ``dim``, after cutting or extending by zeros to ``s``.

    Example:
        >>> tc.fft.ifftn(tc.ones(2, 2)).real
        tensor([[1., 0.],
                [0., 0.]])
    """
    return _full_transform("ifftn", input, _axes, s, dim, norm, False)


@composite(namespaces=_FFT, ulp=64, samples=_BLOCKS)
def fft_rfftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The first half of the Fourier transform of real numbers over the dimensions ``dim``; the rest mirrors it.

    Example:
        >>> tc.fft.rfftn(tc.ones(2, 3, 4)).shape
        tensorcore.Size([2, 3, 3])
    """
    return _real_transform("rfftn", input, _axes, s, dim, norm, True)


@composite(namespaces=_FFT, ulp=64, samples=_BLOCKS)
def fft_irfftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The inverse of `rfftn`: real numbers of sides ``s`` from the first half of their spectrum.

    Example:
        >>> tc.fft.irfftn(tc.ones(2, 3, 3)).shape
        tensorcore.Size([2, 3, 4])
    """
    return _half_transform("irfftn", input, _axes, s, dim, norm, False)


@composite(namespaces=_FFT, ulp=64, samples=_BLOCKS)
def fft_hfftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The Fourier transform over ``dim`` of a Hermitian signal of sides ``s``, given by its first half.

    Example:
        >>> tc.fft.hfftn(tc.ones(2, 3, 3)).shape
        tensorcore.Size([2, 3, 4])
    """
    return _half_transform("hfftn", input, _axes, s, dim, norm, True)


@composite(namespaces=_FFT, ulp=64, samples=_BLOCKS)
def fft_ihfftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The inverse of `hfftn`: the first half of the inverse transform of real numbers over the dimensions ``dim``.

    Example:
        >>> tc.fft.ihfftn(tc.ones(2, 3, 4)).shape
        tensorcore.Size([2, 3, 3])
    """
    return _real_transform("ihfftn", input, _axes, s, dim, norm, False)


# ------------------------------------------------------------------ frequencies and their order


def _frequencies(op: str, n: Any, d: Any, dtype: DType | None, device: Any, whole: bool) -> Any:
    """The frequencies of the elements of a transform of ``n`` numbers ``d`` apart, or of its first half."""
    count = _int(op, "n", n)
    if count < 0:
        raise ShapeError(f"{op}: n must not be negative, got {count}")
    kind = kind_of(device, dtype)
    if kind.dtype.category < FLOATING:
        raise DTypeError(f"{op}: expected a floating-point or complex dtype, got {kind.dtype}")
    negative = count // 2 if whole else 0
    places = ramp(0, 1, count - negative if whole else count // 2 + 1, int64, kind.device)
    if negative:
        places = cat([places, ramp(-negative, 1, negative, int64, kind.device)])
    able = kind.device.capabilities.dtypes
    length = count * float(d)
    return (places.to(float64 if float64 in able else float32) * (1 / length if length else math.inf)).to(kind.dtype)


@composite(namespaces=_FFT, ulp=2, samples=tuple({"shapes": (), "args": args} for args in ((5,), (6, 0.5), (1,))))
def fft_fftfreq(
    n: int, d: float = 1.0, *, out: Tensor | None = None, dtype: DType | None = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """The frequencies, in cycles per unit, of the elements of `fft` of ``n`` numbers that are ``d`` apart.

    Example:
        >>> tc.fft.fftfreq(4)
        tensor([ 0.0000,  0.2500, -0.5000, -0.2500])
    """
    return finished(_frequencies("fftfreq", n, d, dtype, device, True), requires_grad, out)


@composite(namespaces=_FFT, ulp=2, samples=tuple({"shapes": (), "args": args} for args in ((5,), (6, 0.5), (1,))))
def fft_rfftfreq(
    n: int, d: float = 1.0, *, out: Tensor | None = None, dtype: DType | None = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """The frequencies, in cycles per unit, of the elements of `rfft` of ``n`` numbers that are ``d`` apart.

    Example:
        >>> tc.fft.rfftfreq(4)
        tensor([0.0000, 0.2500, 0.5000])
    """
    return finished(_frequencies("rfftfreq", n, d, dtype, device, False), requires_grad, out)


def _shifted(op: str, input: Any, dim: Any, forward: bool) -> Any:
    if not hasattr(input, "_kind"):
        raise TypeError(f"{op}: 'input' must be a tensor, got {type(input).__name__}")
    dims = tuple(range(input.ndim)) if dim is None else (dim,) if hasattr(dim, "__index__") else tuple(dim)
    if not dims:
        raise ShapeError(f"{op}: expected a dimension to reorder, got input of shape {list(input.shape)} and dim={dim}")
    places = [normalize_dim(place, input.ndim, op) for place in dims]
    sides = [input.shape[place] if input.ndim else 1 for place in places]
    moved = roll(input, [side // 2 if forward else (side + 1) // 2 for side in sides], places) if input.ndim else input
    return moved if moved is not input else input.clone()


@composite(
    namespaces=_FFT, ulp=0, samples=({"shapes": ((5,),)}, {"shapes": ((3, 4),)}, {"shapes": ((3, 4),), "dim": 0})
)
def fft_fftshift(input: Tensor, dim: Any = None) -> Tensor:
    """The elements reordered, along all dimensions or ``dim``, so that frequency 0 is in the middle.

    Example:
        >>> tc.fft.fftshift(tc.fft.fftfreq(4))
        tensor([-0.5000, -0.2500,  0.0000,  0.2500])
    """
    return _shifted("fftshift", input, dim, True)


@composite(
    namespaces=_FFT, ulp=0, samples=({"shapes": ((5,),)}, {"shapes": ((3, 4),)}, {"shapes": ((3, 4),), "dim": 0})
)
def fft_ifftshift(input: Tensor, dim: Any = None) -> Tensor:
    """The inverse of `fftshift`.

    Example:
        >>> tc.fft.ifftshift(tc.arange(5))
        tensor([2, 3, 4, 0, 1])
    """
    return _shifted("ifftshift", input, dim, False)
