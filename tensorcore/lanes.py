"""The text of the door's lanes: what `dispatch` compiles for an op when it is first called.

An op's attributes have names that its first call tells, and that are the same in all. A function that takes them by
name and hands them on so costs a third of one that collects them in a dict and spreads it; what holds for the op, such
as that it has no gradient rule, is left out of its lane. The dict is made where it is kept, by nodes and views.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from types import CodeType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tensorcore.ops.record import Op

__all__ = ["compiled_lane"]

_FIXED: Final = """\
def make(op):
    def emit({parameters}):
        if _busy:
            return {slow}
        try:
            _kind = {first}._kind
            {agree}_entry = _kind.table[op]
        except AttributeError:
            return {slow}
        if _entry is None:
            return {slow}
        _kernel, _result = _entry
{expression}{by_dtype}        try:
            _array = _kernel({arrays}{named})
        except Exception as _error:
            explain(op, ({inputs}), _error)
{several}        if type(_array) is not _result.array_type:
            _array = _result.as_array(_array)
        _out = _new(Tensor)
        _out._array = _array
        _out._kind = _result
        _out._view = {view}
{node}        return _out
    return emit
"""
_EXPRESSION: Final = """\
        if _kernel is None:
            return _expression(op, ({inputs}), {{{pairs}}})
"""
#: A kernel without a gradient rule: the gradient is that of the expression.
_BODY: Final = """\
        if ({needed}) and _mode.grad:
            return op.body({inputs}{named})
"""
_BY_DTYPE: Final = """\
        if _result is None:
            _result = _kind if dtype is _kind.dtype else _kind.sibling(dtype)
"""
_SEVERAL: Final = """\
        return _wrap_all(op, ({inputs}), {{{pairs}}}, _array, _result)
"""
_NODE: Final = """\
        if ({needed}) and _mode.grad and _result.dtype.category >= FLOATING:
            _out._node = OpNode(op, ({inputs}), _array, _result, {attributes})
        else:
            _out._node = None
"""
_NO_NODE: Final = """\
        _out._node = None
"""
#: Operands of any number, all of one kind.
_VARIADIC: Final = """\
def make(op):
    def emit(*inputs{parameters}):
        try:
            _kind = inputs[0]._kind
            for _x in inputs:
                if _x._kind is not _kind or _busy:
                    return {slow}(op, inputs, {{{pairs}}})
            _entry = _kind.table[op]
        except (AttributeError, IndexError):
            return {slow}(op, inputs, {{{pairs}}})
        if _entry is None or _entry[0] is None:
            return {slow}(op, inputs, {{{pairs}}})
        _kernel, _result = _entry
        for _x in inputs:
            if _x._node is not None and _mode.grad:
                return {slow}(op, inputs, {{{pairs}}})
        try:
            _array = _kernel(*[_x._array for _x in inputs]{named})
        except Exception as _error:
            explain(op, inputs, _error)
        return wrap(_array if type(_array) is _result.array_type else _result.as_array(_array), _result)
    return emit
"""
_CREATION: Final = """\
def make(op):
    def emit(*, kind, {parameters}):
        _entry = kind.table[op]
        if _busy or _entry is None or _entry[0] is None:
            return _create(op, kind, {{{pairs}}})
        try:
            _array = _entry[0]({named}dtype=kind.dtype, index=kind.ordinal)
        except Exception as _error:
            explain(op, (), _error)
        if type(_array) is not kind.array_type:
            _array = kind.as_array(_array)
        _out = _new(Tensor)
        _out._array = _array
        _out._kind = kind
        _out._node = _out._view = None
        return _out
    return emit
"""


def compiled_lane(op: Op, attributes: Sequence[str]) -> CodeType:
    """The code of the lane of ``op``, closed over it, for calls with these attributes."""
    if not op.operands:
        return _compiled(_creation(attributes))
    return _compiled(_variadic(op, attributes) if op.variadic else _fixed(op, attributes))


@functools.cache
def _compiled(text: str) -> CodeType:
    scope: dict[str, Any] = {}
    exec(compile(text, "<lane of an op>", "exec"), scope)
    code: CodeType = scope["make"](None).__code__
    return code


def _pairs(names: Sequence[str]) -> str:
    return ", ".join([f"{name!r}: {name}" for name in names])


def _creation(names: Sequence[str]) -> str:
    return _CREATION.format(
        parameters=", ".join(names), pairs=_pairs(names), named="".join([f"{name}={name}, " for name in names])
    )


def _variadic(op: Op, names: Sequence[str]) -> str:
    """The lane of an op of any number of operands, for calls that need no gradients."""
    return _VARIADIC.format(
        parameters="".join([f", {name}" for name in names]),
        slow="_any_number" if op.primitive else "_by_parts",
        pairs=_pairs(names),
        named="".join([f", {name}={name}" for name in names]),
    )


def _fixed(op: Op, names: Sequence[str]) -> str:
    """The lane of an op of so many operands."""
    count = len(op.operands)
    operands = [f"x{place}" for place in range(count)]
    optional = [_may_be_none(op, place) for place in range(count)]
    first = op.promotes[0] if op.promotes else 0
    inputs = "".join([f"{x}, " for x in operands])
    named = "".join([f", {name}={name}" for name in names])
    pairs = _pairs(names)
    misfits = [
        f"{f'{x} is not None and ' * optional[place]}{_misfit(op, place, x)}"
        for place, x in enumerate(operands)
        if place != first
    ]
    slow = f"{'enter' if op.primitive else '_by_parts'}(op, ({inputs}), {{{pairs}}})"
    needed = " or ".join(
        [f"{f'{x} is not None and ' * optional[p]}{x}._node is not None" for p, x in enumerate(operands)]
    )
    node = _NODE.format(
        needed=needed, inputs=inputs, attributes=f"{{{pairs}}}" if names else "_NOTHING"
    )  # fmt: skip
    return _FIXED.format(
        parameters=", ".join([x if not place else f"{x}=None" for place, x in enumerate(operands)])
        + (f", *, {', '.join(names)}" if names else ""),
        slow=slow,
        first=operands[first],
        agree=f"if {' or '.join(misfits)}:\n                return {slow}\n            " if misfits else "",
        expression=""
        if op.primitive
        else _EXPRESSION.format(inputs=inputs, pairs=pairs)
        + (_BODY.format(needed=needed, inputs=", ".join(operands), named=named) if op.vjp is None else ""),
        by_dtype=_BY_DTYPE if "dtype" in names else "",
        arrays=", ".join(
            [f"None if {x} is None else {x}._array" if optional[p] else f"{x}._array" for p, x in enumerate(operands)]
        ),
        named=named,
        inputs=inputs,
        several=_SEVERAL.format(inputs=inputs, pairs=pairs) if op.outputs != 1 else "",
        view=f"(x0, op, {{{pairs}}})" if op.view else "None",
        node=_NO_NODE if op.vjp is None else node,
    )


def _may_be_none(op: Op, place: int) -> bool:
    parameter = op.signature.parameters.get(op.operands[place])
    return place > 0 and (parameter is None or parameter.default is None or "None" in str(parameter.annotation))


def _misfit(op: Op, place: int, x: str) -> str:
    """When an operand is not of the kind of the others; what needs no conversion is only to be beside them."""
    if op.promotes is None or place in op.promotes:
        return f"{x}._kind is not _kind"
    return f"{x}._kind is not _kind and ({x}._kind.device is not _kind.device or {x}._kind.level is not _kind.level)"
