"""Elementwise primitives: one function of Python numbers per op and category of dtype."""

from __future__ import annotations

import cmath
import math
import operator
from collections.abc import Callable
from typing import Any

from tensorcore.dtypes import BOOL, COMPLEX, FLOATING, INTEGER, DType, bool_
from tensorcore_reference import complex_functions as of_complex
from tensorcore_reference import real_functions as of_real
from tensorcore_reference.arrays import Array, broadcast, elements, packed

__all__ = ["ElementwiseKernels"]

_Function = Callable[..., Any]


def _by_category(
    numbers: _Function | None, booleans: _Function | None, integers: _Function | None, floats: _Function | None,
    complexes: _Function | None,
) -> Callable[[DType], _Function]:  # fmt: skip
    table = {
        BOOL: booleans, INTEGER: integers or numbers, FLOATING: floats or numbers, COMPLEX: complexes or numbers,
    }  # fmt: skip

    def choose(dtype: DType) -> _Function:
        function = table[dtype.category]
        if function is None:
            raise TypeError(f"the op is not defined for {dtype}")
        return function

    return choose


def _unary(
    numbers: _Function | None = None, *, booleans: _Function | None = None, integers: _Function | None = None,
    floats: _Function | None = None, complexes: _Function | None = None,
    result: Callable[[DType], DType] | None = None,
) -> staticmethod[[Array], Array]:  # fmt: skip
    """The kernel that applies to each element the function of its category; ``numbers`` is that of all but bool."""
    choose = _by_category(numbers, booleans, integers, floats, complexes)

    def kernel(input: Array) -> Array:
        values = list(map(choose(input.dtype), elements(input)))
        return packed(values, result(input.dtype) if result else input.dtype, input.shape)

    return staticmethod(kernel)


def _binary(
    numbers: _Function | None = None, *, booleans: _Function | None = None, integers: _Function | None = None,
    floats: _Function | None = None, complexes: _Function | None = None, result: DType | None = None,
) -> staticmethod[[Array, Array], Array]:  # fmt: skip
    """As `_unary`, for the pairs of elements of two operands that broadcast."""
    choose = _by_category(numbers, booleans, integers, floats, complexes)

    def kernel(input: Array, other: Array) -> Array:
        shape = broadcast(input, other)
        values = list(map(choose(input.dtype), elements(input, shape), elements(other, shape)))
        return packed(values, result or input.dtype, shape)

    return staticmethod(kernel)


def _itself(value: Any) -> Any:
    return value


def _where(condition: Array, input: Array, other: Array) -> Array:
    shape = broadcast(condition, input, other)
    choices = zip(elements(condition, shape), elements(input, shape), elements(other, shape), strict=True)
    return packed([x if chosen else y for chosen, x, y in choices], input.dtype, shape)


def _complex(real: Array, imag: Array) -> Array:
    shape = broadcast(real, imag)
    return packed(list(map(complex, elements(real, shape), elements(imag, shape))), real.dtype.to_complex(), shape)


class ElementwiseKernels:
    """Arithmetic, functions, comparison, bits and choice."""

    # ------------------------------------------------------------------ arithmetic

    add = _binary(operator.add, booleans=operator.or_)
    sub = _binary(operator.sub)
    mul = _binary(operator.mul, booleans=operator.and_)
    div = _binary(floats=of_real.divide, complexes=of_complex.divide)
    floor_divide = _binary(integers=of_real.integer_floor_divide, floats=of_real.floor_divide)
    remainder = _binary(integers=of_real.integer_remainder, floats=of_real.remainder)
    pow = _binary(integers=of_real.integer_power, floats=of_real.power, complexes=of_complex.power)
    maximum = _binary(booleans=operator.or_, integers=max, floats=of_real.larger)
    minimum = _binary(booleans=operator.and_, integers=min, floats=of_real.smaller)
    atan2 = _binary(floats=math.atan2)
    neg = _unary(operator.neg)
    abs = _unary(integers=abs, floats=math.fabs, complexes=of_complex.modulus, result=DType.to_real)
    sign = _unary(booleans=bool, integers=of_real.integer_sign, floats=of_real.sign)

    # ------------------------------------------------------------------ functions

    exp = _unary(floats=of_real.exp, complexes=of_complex.exp)
    expm1 = _unary(floats=of_real.expm1, complexes=of_complex.expm1)
    log = _unary(floats=of_real.log, complexes=of_complex.log)
    log1p = _unary(floats=of_real.log1p, complexes=of_complex.log1p)
    sqrt = _unary(floats=of_real.sqrt, complexes=cmath.sqrt)
    sin = _unary(floats=of_real.sin, complexes=of_complex.sin)
    cos = _unary(floats=of_real.cos, complexes=of_complex.cos)
    tan = _unary(floats=of_real.tan, complexes=of_complex.tan)
    asin = _unary(floats=of_real.asin, complexes=cmath.asin)
    acos = _unary(floats=of_real.acos, complexes=cmath.acos)
    atan = _unary(floats=math.atan, complexes=of_complex.atan)
    sinh = _unary(floats=of_real.sinh, complexes=of_complex.sinh)
    cosh = _unary(floats=of_real.cosh, complexes=of_complex.cosh)
    tanh = _unary(floats=math.tanh, complexes=of_complex.tanh)
    asinh = _unary(floats=math.asinh, complexes=cmath.asinh)
    acosh = _unary(floats=of_real.acosh, complexes=cmath.acosh)
    atanh = _unary(floats=of_real.atanh, complexes=of_complex.atanh)

    # ------------------------------------------------------------------ whole numbers

    floor = _unary(integers=_itself, floats=of_real.floor)
    ceil = _unary(integers=_itself, floats=of_real.ceil)
    trunc = _unary(integers=_itself, floats=of_real.trunc)
    round = _unary(integers=_itself, floats=of_real.nearest)

    # ------------------------------------------------------------------ complex parts

    conj_physical = _unary(integers=_itself, floats=_itself, complexes=complex.conjugate)
    real_part = _unary(complexes=operator.attrgetter("real"), result=DType.to_real)
    imag_part = _unary(complexes=operator.attrgetter("imag"), result=DType.to_real)

    # ------------------------------------------------------------------ comparison

    eq = _binary(operator.eq, booleans=operator.eq, result=bool_)
    ne = _binary(operator.ne, booleans=operator.ne, result=bool_)
    lt = _binary(booleans=operator.lt, integers=operator.lt, floats=operator.lt, result=bool_)
    le = _binary(booleans=operator.le, integers=operator.le, floats=operator.le, result=bool_)
    gt = _binary(booleans=operator.gt, integers=operator.gt, floats=operator.gt, result=bool_)
    ge = _binary(booleans=operator.ge, integers=operator.ge, floats=operator.ge, result=bool_)

    # ------------------------------------------------------------------ bits

    bitwise_and = _binary(booleans=operator.and_, integers=operator.and_)
    bitwise_or = _binary(booleans=operator.or_, integers=operator.or_)
    bitwise_xor = _binary(booleans=operator.xor, integers=operator.xor)
    bitwise_not = _unary(booleans=operator.not_, integers=operator.invert)
    bitwise_left_shift = _binary(integers=of_real.left_shift)
    bitwise_right_shift = _binary(integers=of_real.right_shift)

    # ------------------------------------------------------------------ choice

    where = staticmethod(_where)
    complex = staticmethod(_complex)
