"""The dtypes, and PyTorch's promotion between them."""

from __future__ import annotations

import math
from functools import cache
from typing import Final

from tensorcore.errors import DTypeError

__all__ = [
    "DType",
    "bfloat16",
    "bool_",
    "complex64",
    "complex128",
    "finfo",
    "float16",
    "float32",
    "float64",
    "get_default_dtype",
    "iinfo",
    "int8",
    "int16",
    "int32",
    "int64",
    "promote_types",
    "set_default_dtype",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]

#: Categories in the order in which they absorb one another: bool < integer < floating < complex.
BOOL: Final = 0
INTEGER: Final = 1
FLOATING: Final = 2
COMPLEX: Final = 3


class DType:
    """A number format of tensor elements, such as ``tensorcore.float32``.

    Every dtype exists once, so ``is`` and ``==`` agree.

    Example:
        >>> import tensorcore as tc
        >>> tc.float32.itemsize, tc.float32.is_floating_point
        (4, True)
    """

    __slots__ = ("category", "is_signed", "itemsize", "name")

    name: str
    category: int
    itemsize: int
    is_signed: bool

    def __init__(self, name: str, category: int, itemsize: int, is_signed: bool) -> None:
        self.name = name
        self.category = category
        self.itemsize = itemsize
        self.is_signed = is_signed

    @property
    def is_floating_point(self) -> bool:
        """Whether the dtype is a real floating-point format."""
        return self.category == FLOATING

    @property
    def is_complex(self) -> bool:
        """Whether the dtype is a complex format."""
        return self.category == COMPLEX

    @property
    def is_integral(self) -> bool:
        """Whether the dtype is an integer format (bool is not)."""
        return self.category == INTEGER

    @property
    def bits(self) -> int:
        """Width of one element in bits."""
        return self.itemsize * 8

    def to_real(self) -> DType:
        """The dtype of the real part: ``complex64`` gives ``float32``, a real dtype itself."""
        return {"complex64": float32, "complex128": float64}.get(self.name, self)

    def to_complex(self) -> DType:
        """The complex dtype whose parts have this precision."""
        return {"float64": complex128, "complex128": complex128}.get(self.name, complex64)

    def __repr__(self) -> str:
        return f"tensorcore.{self.name}"

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (by_name, (self.name,))

    def __copy__(self) -> DType:
        return self

    def __deepcopy__(self, memo: object) -> DType:
        return self


bool_: Final = DType("bool", BOOL, 1, False)
uint8: Final = DType("uint8", INTEGER, 1, False)
uint16: Final = DType("uint16", INTEGER, 2, False)
uint32: Final = DType("uint32", INTEGER, 4, False)
uint64: Final = DType("uint64", INTEGER, 8, False)
int8: Final = DType("int8", INTEGER, 1, True)
int16: Final = DType("int16", INTEGER, 2, True)
int32: Final = DType("int32", INTEGER, 4, True)
int64: Final = DType("int64", INTEGER, 8, True)
float16: Final = DType("float16", FLOATING, 2, True)
bfloat16: Final = DType("bfloat16", FLOATING, 2, True)
float32: Final = DType("float32", FLOATING, 4, True)
float64: Final = DType("float64", FLOATING, 8, True)
complex64: Final = DType("complex64", COMPLEX, 8, True)
complex128: Final = DType("complex128", COMPLEX, 16, True)

ALL: Final[tuple[DType, ...]] = (
    bool_, uint8, uint16, uint32, uint64, int8, int16, int32, int64,
    float16, bfloat16, float32, float64, complex64, complex128,
)  # fmt: skip
#: What Python's number types stand for as ``dtype=``.
PYTHON_TYPES: Final[dict[object, DType]] = {bool: bool_, int: int64, float: float64, complex: complex128}
_BY_NAME: Final = {dtype.name: dtype for dtype in ALL}


def by_name(name: str) -> DType:
    """The dtype called ``name``; raises DTypeError listing the known names."""
    try:
        return _BY_NAME[name]
    except KeyError:
        raise DTypeError(f"no dtype is called {name!r}; known: {', '.join(_BY_NAME)}") from None


@cache
def promote_types(type1: DType, type2: DType) -> DType:
    """Smallest dtype to which both convert, by PyTorch's table.

    The pairs of wide unsigned integers that PyTorch refuses follow the Array API standard.

    Raises:
        DTypeError: for ``uint64`` with a signed integer, which no dtype holds.

    Example:
        >>> import tensorcore as tc
        >>> tc.promote_types(tc.int64, tc.float16)
        tensorcore.float16
    """
    if type1 is type2:
        return type1
    low, high = sorted((type1, type2), key=lambda dtype: (dtype.category, dtype.itemsize))
    if high.category == COMPLEX:
        wide = low is float64 or low is complex128 or high is complex128
        return complex128 if wide else complex64
    if high.category == FLOATING:
        # float16 and bfloat16 have no common 16-bit format.
        return float32 if {low, high} == {float16, bfloat16} else high
    if high.category != low.category or low.is_signed == high.is_signed:
        return high
    signed, unsigned = (low, high) if low.is_signed else (high, low)
    if signed.itemsize > unsigned.itemsize:
        return signed
    if unsigned is uint64:
        raise DTypeError(
            f"no dtype holds all values of both {type1} and {type2}; convert one operand with .to(dtype) first"
        )
    return {1: int16, 2: int32, 4: int64}[unsigned.itemsize]


_default: DType = float32


def get_default_dtype() -> DType:
    """The dtype of tensors made from Python floats.

    Example:
        >>> import tensorcore as tc
        >>> tc.get_default_dtype()
        tensorcore.float32
    """
    return _default


def set_default_dtype(d: DType) -> None:
    """Set the dtype of tensors made from Python floats, for the process.

    Raises:
        DTypeError: if ``d`` is not floating point.

    Example:
        >>> import tensorcore as tc
        >>> tc.set_default_dtype(tc.float64)
        >>> tc.tensor(1.0).dtype
        tensorcore.float64
        >>> tc.set_default_dtype(tc.float32)
    """
    if not isinstance(d, DType) or not d.is_floating_point:
        raise DTypeError(f"set_default_dtype: expected a floating-point dtype, got {d!r}")
    global _default
    _default = d


class finfo:  # noqa: N801 - PyTorch's name
    """Limits of a floating-point dtype (of the parts, for a complex one), as Python floats.

    Raises:
        DTypeError: if ``type`` is neither floating point nor complex.

    Example:
        >>> import tensorcore as tc
        >>> tc.finfo(tc.float32).eps
        1.1920928955078125e-07
    """

    # dtype -> (explicit mantissa bits, largest exponent)
    _FORMATS: Final = {float16: (10, 15), bfloat16: (7, 127), float32: (23, 127), float64: (52, 1023)}

    def __init__(self, type: DType | None = None) -> None:
        dtype = getattr(type, "dtype", type) or get_default_dtype()
        if not isinstance(dtype, DType) or dtype.category < FLOATING:
            raise DTypeError(f"finfo: expected a floating-point or complex dtype, got {type!r}")
        real = dtype.to_real()
        mantissa, exponent = self._FORMATS[real]
        self.dtype = real
        self.bits = real.bits
        self.eps = math.ldexp(1.0, -mantissa)
        self.max = math.ldexp(2.0 - self.eps, exponent)
        self.min = -self.max
        self.tiny = self.smallest_normal = math.ldexp(1.0, 1 - exponent)
        self.resolution = 10.0 ** -int(mantissa * math.log10(2))

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype.name})"
        )


class iinfo:  # noqa: N801 - PyTorch's name
    """Limits of an integer dtype, as Python ints.

    Raises:
        DTypeError: if ``type`` is not an integer dtype.

    Example:
        >>> import tensorcore as tc
        >>> tc.iinfo(tc.int8).min, tc.iinfo(tc.int8).max
        (-128, 127)
    """

    def __init__(self, type: DType) -> None:
        dtype = getattr(type, "dtype", type)
        if not isinstance(dtype, DType) or dtype.category != INTEGER:
            raise DTypeError(f"iinfo: expected an integer dtype, got {type!r}")
        self.dtype = dtype
        self.bits = dtype.bits
        self.max = 2 ** (dtype.bits - dtype.is_signed) - 1
        self.min = -self.max - 1 if dtype.is_signed else 0

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype.name})"
