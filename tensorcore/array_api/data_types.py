"""Data type functions of the Array API standard."""

from __future__ import annotations

from typing import Any, Final

from tensorcore import dtypes
from tensorcore.dtypes import BOOL, COMPLEX, FLOATING, INTEGER, DType, promote_types
from tensorcore.errors import DTypeError
from tensorcore.promotion import _weaker as weaker
from tensorcore.promotion import dtype_of_number
from tensorcore.tensor import Tensor

__all__ = ["astype", "can_cast", "finfo", "iinfo", "isdtype", "result_type"]


def astype(x: Tensor, dtype: DType, /, *, copy: bool = True, device: Any = None) -> Tensor:
    """The elements converted to ``dtype``: always a copy, or with ``copy=False`` ``x`` itself where nothing changes.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.astype(tc.tensor([1.5, -2.5]), tc.int32)
        tensor([ 1, -2], dtype=tensorcore.int32)
    """
    return x.to(device=device, dtype=dtype, copy=copy)


def _dtype_of(x: Any, op: str) -> DType:
    if isinstance(x, DType):
        return x
    if isinstance(x, Tensor):
        return x._kind.dtype
    raise TypeError(f"{op}: expected a tensor or a dtype, got {type(x).__name__}")


def can_cast(from_: DType | Tensor, to: DType, /) -> bool:
    """Whether promotion leads from the dtype ``from_``, or that of a tensor, to ``to``.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.can_cast(tc.int8, tc.int32), tc.array_api.can_cast(tc.int32, tc.int8)
        (True, False)
    """
    try:
        return promote_types(_dtype_of(from_, "can_cast"), _dtype_of(to, "can_cast")) is to
    except DTypeError:
        return False


def finfo(type: DType | Tensor, /) -> dtypes.finfo:
    """Limits of a floating-point dtype (of the parts, for a complex one), or of a tensor's.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.finfo(tc.complex64).dtype
        tensorcore.float32
    """
    return dtypes.finfo(_dtype_of(type, "finfo"))


def iinfo(type: DType | Tensor, /) -> dtypes.iinfo:
    """Limits of an integer dtype, or of a tensor's.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.iinfo(tc.uint16).max
        65535
    """
    return dtypes.iinfo(_dtype_of(type, "iinfo"))


#: What a dtype of each kind is, as (category, signed or either).
KINDS: Final[dict[str, tuple[tuple[int, bool | None], ...]]] = {
    "bool": ((BOOL, None),),
    "signed integer": ((INTEGER, True),),
    "unsigned integer": ((INTEGER, False),),
    "integral": ((INTEGER, None),),
    "real floating": ((FLOATING, None),),
    "complex floating": ((COMPLEX, None),),
    "numeric": ((INTEGER, None), (FLOATING, None), (COMPLEX, None)),
}


def isdtype(dtype: DType, kind: DType | str | tuple[DType | str, ...]) -> bool:
    """Whether ``dtype`` is ``kind``: a dtype, a kind such as ``"real floating"``, or one of a tuple of those.

    float16 and bfloat16 are real floating too.

    Raises:
        DTypeError: for what is no dtype of tensors, or a kind that the standard does not know; it is a TypeError.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.isdtype(tc.uint8, ("integral", "bool"))
        True
    """
    if not isinstance(dtype, DType):
        raise DTypeError(f"isdtype: expected a dtype such as tensorcore.float32, got {dtype!r}")
    if isinstance(kind, tuple):
        return any([isdtype(dtype, each) for each in kind])
    if isinstance(kind, DType):
        return dtype is kind
    if kind not in KINDS:
        raise DTypeError(f"isdtype: kind must be a dtype or one of {', '.join(map(repr, KINDS))}; got {kind!r}")
    return any(dtype.category == category and signed in (None, dtype.is_signed) for category, signed in KINDS[kind])


def result_type(*arrays_and_dtypes: Any) -> DType:
    """The dtype to which tensors, dtypes and numbers promote; numbers give way.

    Raises:
        DTypeError: where no dtype holds all.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.result_type(tc.int8, tc.tensor(1, dtype=tc.int32), 7)
        tensorcore.int32
    """
    strong: DType | None = None
    weak: DType | None = None
    for x in arrays_and_dtypes:
        if isinstance(x, (Tensor, DType)):
            dtype = _dtype_of(x, "result_type")
            strong = dtype if strong is None else promote_types(strong, dtype)
        else:
            dtype = dtype_of_number(x, "result_type")
            weak = dtype if weak is None else promote_types(weak, dtype)
    found = weaker(strong, weak)
    if found is None:
        raise TypeError("result_type: expected at least one tensor, dtype or number")
    return found
