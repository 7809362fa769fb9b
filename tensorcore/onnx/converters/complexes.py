"""Complex numbers, which ONNX's ops do not take, as two values: real and imaginary parts.

Ops that move or add elements do to both parts what they do to real tensors; a few have formulas of their own. Fourier
transforms are written by their expressions, which are products with constant roots of unity.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import COMPLEX, DType, float32, float64
from tensorcore.onnx.converters.registry import CONVERTERS
from tensorcore.onnx.errors import UnsupportedOperatorError

if TYPE_CHECKING:
    from tensorcore.onnx.probing import Call, Value
    from tensorcore.onnx.writer import Writer

__all__ = ["BY_FORMULA", "BY_PARTS", "convert", "is_complex", "real_dtype"]

#: A value's names: of the real part, and of the imaginary one; a real value has the first alone.
Parts = tuple[str, ...]

#: Ops that do the same to both parts.
BY_PARTS: Final = frozenset((
    "add", "alias", "basic_index", "basic_index_put", "cat", "copy", "cumsum", "expand", "flip", "gather", "index",
    "index_put", "index_select", "mean", "neg", "permute", "repeat", "reshape", "scatter", "sub", "sum", "tril", "triu",
    "where",
))  # fmt: skip

#: Ops with a formula, which takes the parts of the operands.
BY_FORMULA: Final[dict[str, Callable[..., Parts]]] = {}


def is_complex(call: Call) -> bool:
    """Whether an operand or a result is of a complex dtype."""
    return any(each is not None and each.dtype.category == COMPLEX for each in (*call.inputs, *call.outputs))


def real_dtype(dtype: DType) -> DType:
    """The dtype of the parts of a complex number, or the dtype itself."""
    return dtype if dtype.category != COMPLEX else float32 if dtype.itemsize == 8 else float64


def convert(w: Writer, call: Call, parts: Callable[[Value], Parts]) -> list[Parts]:
    """The parts of the results of a step with complex operands or results."""
    given = [None if each is None else parts(each) for each in call.inputs]
    formula = BY_FORMULA.get(call.op.name)
    if formula is not None:
        return [formula(w, call, *given)]
    if call.op.name not in BY_PARTS:
        raise UnsupportedOperatorError(
            f"{call.op.name} of complex numbers, which ONNX's ops do not take; calculate with real and imaginary parts"
        )
    real = replace(
        call,
        inputs=tuple(each and replace(each, dtype=real_dtype(each.dtype)) for each in call.inputs),
        outputs=tuple(replace(each, dtype=real_dtype(each.dtype)) for each in call.outputs),
    )
    made = []
    for place in (0, 1):
        for value, names in zip(call.inputs, given, strict=True):
            if value is not None and names is not None:
                # Indices and conditions are real.
                w.names[value.number] = names[place if len(names) > 1 else 0]
        made.append(CONVERTERS[call.op.name](w, real))
    for value, names in zip(call.inputs, given, strict=True):
        if value is not None and names is not None:
            w.names[value.number] = names[0]
    first, second = ([each] if isinstance(each, str) else list(each) for each in made)
    return list(zip(first, second, strict=True))


def _formula(*names: str) -> Callable[[Callable[..., Parts]], Callable[..., Parts]]:
    def decorate(function: Callable[..., Parts]) -> Callable[..., Parts]:
        BY_FORMULA.update(dict.fromkeys(names, function))
        return function

    return decorate


def _nothing(w: Writer, call: Call) -> str:
    """An imaginary part of zeros."""
    out = call.outputs[0]
    return w.expand(w.constant(0.0, real_dtype(out.dtype)), out.shape, ())


@_formula("mul", "matmul")
def _product(w: Writer, call: Call, x: Parts, y: Parts) -> Parts:
    kind = "Mul" if call.op.name == "mul" else "MatMul"
    (a, b), (c, d) = x, y
    return (
        w.node("Sub", w.node(kind, a, c), w.node(kind, b, d)),
        w.node("Add", w.node(kind, a, d), w.node(kind, b, c)),
    )


def _square(w: Writer, x: Parts) -> str:
    return w.node("Add", *(w.node("Mul", part, part) for part in x))


@_formula("div")
def _quotient(w: Writer, call: Call, x: Parts, y: Parts) -> Parts:
    (a, b), (c, d) = x, y
    over = _square(w, y)
    real = w.node("Add", w.node("Mul", a, c), w.node("Mul", b, d))
    imaginary = w.node("Sub", w.node("Mul", b, c), w.node("Mul", a, d))
    return w.node("Div", real, over), w.node("Div", imaginary, over)


@_formula("abs")
def _abs(w: Writer, call: Call, x: Parts) -> Parts:
    return (w.node("Sqrt", _square(w, x)),)


@_formula("exp")
def _exp(w: Writer, call: Call, x: Parts) -> Parts:
    length = w.node("Exp", x[0])
    return w.node("Mul", length, w.node("Cos", x[1])), w.node("Mul", length, w.node("Sin", x[1]))


@_formula("conj_physical")
def _conj(w: Writer, call: Call, x: Parts) -> Parts:
    return x[0], w.node("Neg", x[1])


@_formula("real_part")
def _real(w: Writer, call: Call, x: Parts) -> Parts:
    return (x[0],)


@_formula("imag_part")
def _imag(w: Writer, call: Call, x: Parts) -> Parts:
    return (x[1],)


@_formula("eq", "ne")
def _equal(w: Writer, call: Call, x: Parts, y: Parts) -> Parts:
    same = w.node("And", w.node("Equal", x[0], y[0]), w.node("Equal", x[1], y[1]))
    return (same if call.op.name == "eq" else w.node("Not", same),)


@_formula("complex")
def _complex(w: Writer, call: Call, real: Parts, imaginary: Parts) -> Parts:
    shape = call.outputs[0].shape
    given = zip((real, imaginary), call.inputs, strict=True)
    return tuple(
        name if each is not None and each.shape == shape else w.expand(name, shape, each.shape if each else ())
        for (name,), each in given
    )


@_formula("view_as_complex")
def _paired(w: Writer, call: Call, x: Parts) -> Parts:
    from tensorcore.onnx.converters.movement import part

    value = call.inputs[0]
    assert value is not None
    whole: Any = tuple(slice(0, side, 1) for side in value.shape[:-1])
    return part(w, x[0], value.shape, (*whole, 0)), part(w, x[0], value.shape, (*whole, 1))


@_formula("view_as_real")
def _unpaired(w: Writer, call: Call, x: Parts) -> Parts:
    rank = len(call.outputs[0].shape) - 1
    return (w.node("Concat", *(w.unsqueeze(part, [rank]) for part in x), axis=rank),)


@_formula("cast")
def _cast(w: Writer, call: Call, x: Parts) -> Parts:
    value, out = call.inputs[0], call.outputs[0]
    assert value is not None
    source, wanted = real_dtype(value.dtype), real_dtype(out.dtype)
    parts = x if source is wanted else tuple(w.cast(part, wanted) for part in x)
    if out.dtype.category != COMPLEX:
        return parts[:1]
    return parts if len(parts) > 1 else (parts[0], _nothing(w, call))


@_formula("full")
def _full(w: Writer, call: Call) -> Parts:
    out, value = call.outputs[0], call.attributes["value"]
    dtype = real_dtype(out.dtype)
    return tuple(w.expand(w.constant(float(part), dtype), out.shape, ()) for part in (value.real, value.imag))
