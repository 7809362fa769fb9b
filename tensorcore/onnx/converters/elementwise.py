"""Elementwise primitives: arithmetic, comparison, functions, bits, casts."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import BOOL, FLOATING, INTEGER, float64
from tensorcore.onnx.converters.registry import CONVERTERS, calculated, converts, one

if TYPE_CHECKING:
    from tensorcore.onnx.probing import Call
    from tensorcore.onnx.writer import Writer

#: Ops that ONNX has as they are, for floating dtypes alone.
_SAME = {
    "acos": "Acos", "acosh": "Acosh", "asin": "Asin", "asinh": "Asinh", "atan": "Atan", "atanh": "Atanh", "cos": "Cos",
    "cosh": "Cosh", "exp": "Exp", "log": "Log", "sin": "Sin", "sinh": "Sinh", "sqrt": "Sqrt", "tan": "Tan",
    "tanh": "Tanh", "erf": "Erf", "sigmoid": "Sigmoid", "softsign": "Softsign", "isnan": "IsNaN",
    "reciprocal": "Reciprocal",
}  # fmt: skip
CONVERTERS.update({name: one(kind) for name, kind in _SAME.items()})

#: Ops that keep integers as they are.
_ROUNDED = {"ceil": "Ceil", "floor": "Floor", "round": "Round"}
#: Arithmetic of numbers, and what it is of booleans.
_ARITHMETIC = {
    "add": ("Add", "Or"), "sub": ("Sub", "Xor"), "mul": ("Mul", "And"), "div": ("Div", None), "pow": ("Pow", None),
    "maximum": ("Max", "Or"), "minimum": ("Min", "And"), "abs": ("Abs", None), "neg": ("Neg", None),
    "sign": ("Sign", None),
}  # fmt: skip
_COMPARED = {"lt": "Less", "gt": "Greater", "eq": "Equal"}
_BITS = {"bitwise_and": ("And", "BitwiseAnd"), "bitwise_or": ("Or", "BitwiseOr"), "bitwise_xor": ("Xor", "BitwiseXor"),
         "bitwise_not": ("Not", "BitwiseNot")}  # fmt: skip


def _is(call: Call, category: int) -> bool:
    return any(each is not None and each.dtype.category == category for each in call.inputs)


def _kinds(table: dict[str, Any], call: Call) -> Any:
    return table[call.op.name]


@converts(*_ARITHMETIC)
def _arithmetic(w: Writer, call: Call) -> str:
    kind, of_booleans = _kinds(_ARITHMETIC, call)
    if of_booleans and _is(call, BOOL):
        return w.node(of_booleans, *map(w.name, call.inputs))
    return calculated(call, w, lambda *names: w.node(kind, *names))


@converts(*_ROUNDED)
def _rounded(w: Writer, call: Call) -> str:
    x = w.names[_operand(call).number]
    return w.node(_kinds(_ROUNDED, call), x) if _is(call, FLOATING) else x


def _operand(call: Call) -> Any:
    return call.inputs[0]


@converts("trunc")
def _trunc(w: Writer, call: Call) -> str:
    x = w.names[_operand(call).number]
    return w.node("Mul", w.node("Sign", x), w.node("Floor", w.node("Abs", x))) if _is(call, FLOATING) else x


@converts(*_COMPARED)
def _compared(w: Writer, call: Call) -> str:
    if call.op.name == "eq" and _is(call, BOOL):
        return w.node("Equal", *map(w.name, call.inputs))
    return calculated(call, w, lambda *names: w.node(_kinds(_COMPARED, call), *names), back=False)


@converts("ne")
def _ne(w: Writer, call: Call) -> str:
    return w.node("Not", calculated(call, w, lambda *names: w.node("Equal", *names), back=False))


@converts("le", "ge")
def _or_equal(w: Writer, call: Call) -> str:
    kind = "Less" if call.op.name == "le" else "Greater"

    def write(a: str, b: str) -> str:
        if w.opset >= 12:
            return w.node(f"{kind}OrEqual", a, b)
        return w.node("Or", w.node(kind, a, b), w.node("Equal", a, b))

    return calculated(call, w, write, back=False)


@converts(*_BITS)
def _bits(w: Writer, call: Call) -> str:
    of_booleans, kind = _kinds(_BITS, call)
    if _is(call, BOOL):
        return w.node(of_booleans, *map(w.name, call.inputs))
    w.since(18, f"{call.op.name} of integers")
    return w.node(kind, *map(w.name, call.inputs))


def _floor_quotient(w: Writer, a: str, b: str) -> str:
    """The quotient of integers rounded down: the remainder has the sign of the divisor."""
    return w.node("Div", w.node("Sub", a, w.node("Mod", a, b)), b)


@converts("bitwise_left_shift", "bitwise_right_shift")
def _shift(w: Writer, call: Call) -> str:
    left = call.op.name == "bitwise_left_shift"

    def write(a: str, b: str) -> str:
        from tensorcore.onnx.converters.registry import wide

        power = w.node("Pow", w.constant(2, wide(_operand(call).dtype)), b)
        return w.node("Mul", a, power) if left else _floor_quotient(w, a, power)

    return calculated(call, w, write)


@converts("floor_divide")
def _floor_divide(w: Writer, call: Call) -> str:
    if _is(call, FLOATING):
        return w.node("Floor", w.node("Div", *map(w.name, call.inputs)))
    return calculated(call, w, lambda a, b: _floor_quotient(w, a, b))


@converts("remainder")
def _remainder(w: Writer, call: Call) -> str:
    if not _is(call, FLOATING):
        return calculated(call, w, lambda a, b: w.node("Mod", a, b))
    a, b = map(w.name, call.inputs)
    zero = w.constant(0.0, _operand(call).dtype)
    rest = w.node("Mod", a, b, fmod=1)
    unlike = w.node("Less", w.node("Mul", w.node("Sign", rest), w.node("Sign", b)), zero)
    return w.node("Where", unlike, w.node("Add", rest, b), rest)


@converts("fmod")
def _fmod(w: Writer, call: Call) -> str:
    return calculated(call, w, lambda a, b: w.node("Mod", a, b, fmod=1))


@converts("logical_not")
def _logical_not(w: Writer, call: Call) -> str:
    x = w.names[_operand(call).number]
    return w.node("Not", x if _is(call, BOOL) else w.node("Cast", x, to=9))


@converts("expm1")
def _expm1(w: Writer, call: Call) -> str:
    # Kahan: what the rounding of exp(x) changed is undone by the ratio of x and its logarithm.
    x = w.names[_operand(call).number]
    one = w.constant(1.0, _operand(call).dtype)
    power = w.node("Exp", x)
    less = w.node("Sub", power, one)
    near = w.node("Mul", less, w.node("Div", x, w.node("Log", power)))
    near = w.node("Where", w.node("Equal", power, one), x, near)
    return w.node("Where", w.node("Less", w.node("Abs", x), one), near, less)


@converts("log1p")
def _log1p(w: Writer, call: Call) -> str:
    # Kahan: the rounding of 1 + x is undone by the ratio of what went in and what came out.
    x = w.names[_operand(call).number]
    one = w.constant(1.0, _operand(call).dtype)
    above = w.node("Add", x, one)
    plain = w.node("Log", above)
    ratio = w.node("Div", x, w.node("Sub", above, one))
    near = w.node("Where", w.node("Equal", above, one), x, w.node("Mul", plain, ratio))
    return w.node("Where", w.node("Less", w.node("Abs", x), one), near, plain)


@converts("atan2")
def _atan2(w: Writer, call: Call) -> str:
    y, x = map(w.name, call.inputs)
    number: Callable[[float], str] = lambda value: w.constant(value, _operand(call).dtype)  # noqa: E731
    zero = number(0.0)
    slope = w.node("Atan", w.node("Div", y, x))
    turn = w.node("Where", w.node("Less", y, zero), number(-math.pi), number(math.pi))
    upright = w.node("Mul", w.node("Sign", y), number(math.pi / 2))
    left = w.node("Where", w.node("Less", x, zero), w.node("Add", slope, turn), upright)
    return w.node("Where", w.node("Greater", x, zero), slope, left)


@converts("where")
def _where(w: Writer, call: Call) -> str:
    return calculated(call, w, lambda *names: w.node("Where", *names), places=(1, 2))


@converts("cast")
def _cast(w: Writer, call: Call) -> str:
    x = call.inputs[0]
    assert x is not None
    out = call.outputs[0].dtype
    name = w.names[x.number]
    if x.dtype is out:
        return name
    if x.dtype.category == FLOATING and out.category == INTEGER and out.itemsize < 8:
        # Runtimes clip where integers wrap.
        from tensorcore.dtypes import int64

        name = w.cast(name, int64)
    return w.cast(name, out)


@converts("copy", "alias", "conj_physical")
def _same(w: Writer, call: Call) -> str:
    return w.names[_operand(call).number]


@converts("clamp_between", "hardtanh")
def _clip(w: Writer, call: Call) -> str:
    from tensorcore.onnx.converters.registry import wide

    low, high = (
        call.attributes.get(first, call.attributes.get(second))
        for first, second in (("min", "min_val"), ("max", "max_val"))
    )
    dtype = wide(_operand(call).dtype)

    def bound(value: Any) -> str | None:
        if value is None:
            return None
        return w.number(value if dtype.category == FLOATING else int(value), dtype)

    return calculated(call, w, lambda x: w.node("Clip", x, bound(low), bound(high)))


@converts("full")
def _full(w: Writer, call: Call) -> str:
    dtype = call.outputs[0].dtype
    return w.expand(w.number(_number(call.attributes["value"], dtype), dtype), call.outputs[0].shape, ())


def _number(value: Any, dtype: Any) -> Any:
    """A Python number of the dtype's kind, as ONNX's tensors are made of."""
    if isinstance(value, (bool, int, float)):
        return bool(value) if dtype.category == BOOL else int(value) if dtype.category == INTEGER else float(value)
    return value


@converts("ramp")
def _ramp(w: Writer, call: Call) -> str:
    from tensorcore.dtypes import int64

    start, step, count = (call.attributes[name] for name in ("start", "step", "count"))
    dtype = call.outputs[0].dtype
    places = w.node("Range", w.constant(0, int64), w.whole(count), w.constant(1, int64))
    through = float64 if dtype.category == FLOATING else int64
    if through is not int64:
        places = w.cast(places, through)
    if step != 1:
        places = w.node("Mul", places, w.number(_number(step, through), through))
    if start != 0:
        places = w.node("Add", places, w.number(_number(start, through), through))
    return places if dtype is through else w.cast(places, dtype)
