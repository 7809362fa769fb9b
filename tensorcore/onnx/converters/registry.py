"""The one table: op name to the function that writes it as ONNX nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import DType, int32, int64

if TYPE_CHECKING:
    from tensorcore.onnx.probing import Call
    from tensorcore.onnx.writer import Writer

__all__ = ["CONVERTERS", "Converter", "calculated", "converts", "one", "takes", "wide"]

#: ``converter(writer, call)`` gives the name of the result, or one for each.
Converter = Callable[["Writer", "Call"], "str | Sequence[str]"]

#: Op name to its converter.
CONVERTERS: Final[dict[str, Converter]] = {}

#: Of composites whose converter does not take all attributes: ``condition(opset, inputs, attributes)``. What it
#: refuses is written by the composite's expression.
_CONDITIONS: Final[dict[str, Callable[[int, Any, dict[str, Any]], bool]]] = {}

#: Integers that runtimes do not calculate with, and those in which they do.
_WIDE: Final = {"bool": int32, "int8": int32, "int16": int32, "uint8": int32, "uint16": int32, "uint32": int64,
                "uint64": int64}  # fmt: skip


def converts(
    *names: str, when: Callable[[int, Any, dict[str, Any]], bool] | None = None
) -> Callable[[Converter], Converter]:
    """Decorator: the converter of ops, for composites under a condition."""

    def decorate(converter: Converter) -> Converter:
        for name in names:
            CONVERTERS[name] = converter
            if when is not None:
                _CONDITIONS[name] = when
        return converter

    return decorate


def takes(opset: int, op: Any, inputs: Any, attributes: dict[str, Any]) -> bool:
    """Whether a composite is written as a whole."""
    if op.name not in CONVERTERS:
        return False
    condition = _CONDITIONS.get(op.name)
    return condition is None or condition(opset, inputs, attributes)


def wide(dtype: DType) -> DType:
    """The dtype in which runtimes calculate what is of ``dtype``."""
    return _WIDE.get(dtype.name, dtype)


def one(kind: str, **attributes: Any) -> Converter:
    """A converter to one node of the same operands."""

    def converter(w: Writer, call: Call) -> str:
        return w.node(kind, *map(w.name, call.inputs), **attributes)

    return converter


def calculated(
    call: Call, w: Writer, write: Callable[..., str], *, back: bool = True, places: Sequence[int] | None = None
) -> str:
    """What ``write`` makes of the operands, in a dtype that runtimes calculate in, brought back to the result's."""
    names = []
    dtype = next(each.dtype for each in call.inputs if each is not None)
    for place, each in enumerate(call.inputs):
        name = w.name(each)
        if each is not None and name is not None and (places is None or place in places):
            through = wide(each.dtype)
            dtype = through
            name = name if through is each.dtype else w.cast(name, through)
        names.append(name)
    made = write(*names)
    return made if not back or dtype is call.outputs[0].dtype else w.cast(made, call.outputs[0].dtype)
