"""The one door: every op call on tensors goes through a function made here.

`open_door` gives each op its ``emit``. The lanes for one and two operands are written out, not shared, because they run
for nearly every op of a program and a function call more costs as much as a small kernel; all others share one lane.
What a lane cannot do at once (another dtype, a scalar, an interceptor) goes through `enter`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from tensorcore.autograd.graph import OpNode, SelectNode
from tensorcore.autograd.mode import mode
from tensorcore.dtypes import FLOATING, INTEGER
from tensorcore.kernel_errors import explain
from tensorcore.promotion import agree, convert, on_one_level, promoted
from tensorcore.tensor import Tensor, root_of, wrap

__all__ = ["enter", "execute", "intercept", "intercepted", "is_busy", "open_door"]

if TYPE_CHECKING:
    from tensorcore.devices import Kind
    from tensorcore.ops.record import Op

#: ``interceptor(op, inputs, attributes, proceed)`` returns the op's result, usually ``proceed()``.
Interceptor = Callable[..., Any]


class _Stack(threading.local):
    interceptors: tuple[Interceptor, ...] = ()


_stack: Final = _Stack()
#: Takes the ops that meet sparse operands; ``None`` until the first sparse tensor.
_sparse_lane: Callable[..., Any] | None = None
#: How many interceptors are active in all threads: the fast lanes' one truth test.
_busy = 0
_counting: Final = threading.Lock()

_new = object.__new__
# As the lanes that are written by text call it: an attribute of an op may be called ``mode``.
_mode: Final = mode
_NOTHING: Final[dict[str, Any]] = {}


@contextmanager
def intercept(interceptor: Interceptor) -> Iterator[None]:
    """Let ``interceptor`` see every kernel call of this thread inside the block."""
    global _busy
    before = _stack.interceptors
    _stack.interceptors = (*before, interceptor)
    with _counting:
        _busy += 1
    try:
        yield
    finally:
        with _counting:
            _busy -= 1
        _stack.interceptors = before


def intercepted() -> bool:
    """Whether something sees the ops of this thread, such as a recording."""
    return bool(_busy and _stack.interceptors)


def is_busy() -> bool:
    """Whether an interceptor may be active."""
    return _busy > 0


def open_door(op: Op) -> Callable[..., Any]:
    """The function through which ``op`` is called, by how many operands it has."""
    if op.variadic and (op.promotes is not None or op.outputs != 1 or op.view):
        return _variadic(op)
    count, parameters = len(op.operands), len(op.signature.parameters)
    if op.primitive and op.outputs == 1 and op.promotes is None and not op.view and not op.variadic:
        if count == 1 == parameters:
            return _unary(op)
        if count == 2 and (parameters == 2 or op.operator):
            return _binary(op, enter)
    return _written(op)


def operator_door(op: Op) -> Callable[..., Any]:
    """The door of a binary operator's dunder method: foreign operands give NotImplemented, as Python asks."""
    return _binary(op, _enter_operator)


def _unary(op: Op) -> Callable[..., Any]:
    differentiable = op.vjp is not None

    def emit(input: Any) -> Any:
        if _busy:
            return enter(op, (input,), _NOTHING)
        try:
            entry = input._kind.table[op]
        except AttributeError:
            return enter(op, (input,), _NOTHING)
        if entry is None:
            return enter(op, (input,), _NOTHING)
        kernel, kind = entry
        try:
            array = kernel(input._array)
        except Exception as error:
            explain(op, (input,), error)
        if type(array) is not kind.array_type:
            array = kind.as_array(array)
        out = _new(Tensor)
        out._array = array
        out._kind = kind
        out._view = None
        if differentiable and input._node is not None and mode.grad:
            out._node = OpNode(op, (input,), array, kind, _NOTHING)
        else:
            out._node = None
        return out

    return emit


def _binary(op: Op, slow: Callable[..., Any]) -> Callable[..., Any]:
    differentiable = op.vjp is not None

    def emit(input: Any, other: Any) -> Any:
        if _busy:
            return slow(op, (input, other), _NOTHING)
        try:
            kind = input._kind
            cls = type(other)
            if cls is float or cls is int:
                if kind.dtype.category < (FLOATING if cls is float else INTEGER):
                    return slow(op, (input, other), _NOTHING)
                given, other = other, kind.scalar(other)
            elif kind is not other._kind:
                return slow(op, (input, other), _NOTHING)
            else:
                given = other
        except AttributeError:
            return slow(op, (input, other), _NOTHING)
        entry = kind.table[op]
        if entry is None:
            return slow(op, (input, given), _NOTHING)
        kernel, kind = entry
        try:
            array = kernel(input._array, other._array)
        except Exception as error:
            explain(op, (input, other), error)
        if type(array) is not kind.array_type:
            array = kind.as_array(array)
        out = _new(Tensor)
        out._array = array
        out._kind = kind
        out._view = None
        if differentiable and (input._node is not None or other._node is not None) and mode.grad:
            out._node = OpNode(op, (input, other), array, kind, _NOTHING)
        else:
            out._node = None
        return out

    return emit


def _written(op: Op) -> Callable[..., Any]:
    """The lane that `lanes` writes for the op when it is first called, which tells the names of its attributes."""

    def lane(*inputs: Any, **attributes: Any) -> Any:
        from tensorcore.lanes import compiled_lane

        names = [name for name in attributes if op.operands or name != "kind"]
        # The defaults first: until the code is there, nothing reads them.
        emit: Any = op.emit
        emit.__defaults__ = None if op.variadic else (None,) * max(len(op.operands) - 1, 0)
        emit.__code__ = compiled_lane(op, names)
        return emit(*inputs, **attributes)

    return lane


def _variadic(op: Op) -> Callable[..., Any]:
    """The lane for any number of operands."""

    slow = _any_number if op.primitive else _by_parts

    def emit(*inputs: Any, **attributes: Any) -> Any:
        return slow(op, inputs, attributes)

    return emit


def _any_number(op: Op, inputs: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
    """A primitive of any number of operands."""
    kind = None if _busy else _one_kind(op, inputs)
    entry = None if kind is None else kind.table[op]
    if entry is None:
        return enter(op, inputs, attributes)
    return execute(op, inputs, attributes, *entry)


def _by_parts(op: Op, inputs: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
    """A composite whose operands may have to be brought to one kind."""
    kind = _one_kind(op, inputs)
    if kind is None:
        # A kernel or a gradient rule gets operands of one dtype; an expression takes them as they are.
        first = next((x for x in inputs if isinstance(x, Tensor)), None)
        lifted = on_one_level(inputs)
        if lifted is not inputs:
            return _by_parts(op, tuple(lifted), attributes)
        if op.vjp is None and first is not None:
            # Of the dtype they promote to: truth values beside a number may do what they may not alone.
            chosen = inputs if op.promotes is None else [inputs[place] for place in op.promotes]
            kind = first._kind.sibling(promoted(op.name, chosen))
            entry = kind.table[op]
            if entry is None or entry[0] is None:
                return op.body(*inputs, **attributes)  # type: ignore[misc]
            if kind is first._kind and not _busy and not (mode.grad and _needs_grad(inputs)):
                # Numbers beside tensors of one dtype, mostly.
                inputs = tuple([kind.scalar(x) if type(x) is float or type(x) is int else x for x in inputs])
                if _one_kind(op, inputs) is kind:
                    return execute(op, inputs, attributes, *entry)
        return enter(op, inputs, attributes)
    entry = kind.table[op]
    if entry is None or _busy:
        return enter(op, inputs, attributes)
    if entry[0] is None:
        return _expression(op, inputs, attributes)
    if op.vjp is None and mode.grad and _needs_grad(inputs):
        return op.body(*inputs, **attributes)  # type: ignore[misc]
    return execute(op, inputs, attributes, *entry)


def _one_kind(op: Op, inputs: tuple[Any, ...]) -> Kind | None:
    """The kind of the operands where they need no conversion, else ``None``."""
    kind: Any = None
    try:
        if op.promotes is None:
            for x in inputs:
                if x is not None:
                    if kind is None:
                        kind = x._kind
                    elif x._kind is not kind:
                        return None
            return kind
        kind = inputs[op.promotes[0]]._kind
        for place, x in enumerate(inputs):
            if (
                x is not None
                and x._kind is not kind
                and (place in op.promotes or x._kind.device is not kind.device or x._kind.level is not kind.level)
            ):
                return None
        return kind
    except AttributeError:
        return None


def _needs_grad(inputs: tuple[Any, ...]) -> bool:
    return any([isinstance(x, Tensor) and x._node is not None for x in inputs])


def _enter_operator(op: Op, inputs: tuple[Any, Any], attributes: dict[str, Any]) -> Any:
    other = inputs[1]
    if not isinstance(other, (Tensor, int, float, complex)):
        if getattr(other, "shape", None) == () and hasattr(other, "item"):
            other = other.item()
        elif hasattr(other, "__array_interface__"):
            from tensorcore.ops.creation import tensor

            other = tensor(other, device=inputs[0].device)
        else:
            return NotImplemented
    return enter(op, (inputs[0], other), attributes)


def enter(op: Op, inputs: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
    """The door's slow path: operands are checked, brought to one dtype, and the op is run."""
    if _sparse_lane is not None and any([getattr(getattr(x, "_kind", None), "sparse", False) for x in inputs]):
        return _sparse_lane(op, inputs, attributes)
    given = inputs
    inputs, kind = agree(op, inputs)
    entry = kind.table[op]
    if entry is None:
        compute, result = op.rule(kind.dtype, op.name)
        if compute is not kind.dtype:
            kind = kind.sibling(compute)
            # From what was given: -1 beside bytes is not 255.
            inputs = convert(op, given if kind.level is None else inputs, kind)
            entry = kind.table[op]
            # Operands of an integer dtype may give a result that the converted dtype's rule does not, as abs.
            if entry is not None and result is not None and entry[1] is not None and entry[1].dtype is not result:
                entry = (entry[0], kind.sibling(result))
    if entry is None or (not _runs_whole(op, inputs, attributes, entry, kind) if _busy else entry[0] is None):
        return _expression(op, inputs, attributes)
    if op.body is not None and op.vjp is None and mode.grad and _needs_grad(inputs):
        # A kernel without a gradient rule: the gradient is that of the expression.
        return op.body(*inputs, **attributes)
    # What a transform wraps passes the door again, and is seen there.
    if _busy and _stack.interceptors and kind.level is None:
        return _intercepted(op, inputs, attributes, entry)
    return execute(op, inputs, attributes, *entry)


def _runs_whole(op: Op, inputs: Any, attributes: Any, entry: Any, kind: Kind) -> bool:
    """Whether an op is one step: where it has a kernel, or as an interceptor with ``takes`` says of composites."""
    if _stack.interceptors and op.body is not None and kind.level is None:
        takes = getattr(_stack.interceptors[-1], "takes", None)
        if takes is not None:
            return bool(takes(op, inputs, attributes))
    return entry[0] is not None


def _intercepted(op: Op, inputs: Any, attributes: Any, entry: Any) -> Any:
    stack = _stack.interceptors

    def proceed() -> Any:
        before = _stack.interceptors
        _stack.interceptors = before[:-1]
        try:
            if _stack.interceptors:
                return _intercepted(op, inputs, attributes, entry)
            return execute(op, inputs, attributes, *entry) if entry[0] else _expression(op, inputs, attributes)
        finally:
            _stack.interceptors = before

    return stack[-1](op, inputs, attributes, proceed)


def execute(op: Op, inputs: tuple[Any, ...], attributes: dict[str, Any], kernel: Any, kind: Any) -> Any:
    """Run a kernel on operands that fit it, wrap the result and record a node where one is needed."""
    if kind is None:
        kind = inputs[0]._kind.sibling(attributes["dtype"])
    try:
        array = kernel(*[None if x is None else x._array for x in inputs], **attributes)
    except Exception as error:
        explain(op, inputs, error)
    if op.outputs != 1:
        return _wrap_all(op, inputs, attributes, array, kind)
    if type(array) is not kind.array_type:
        array = kind.as_array(array)
    out = _new(Tensor)
    out._array = array
    out._kind = kind
    out._node = None
    out._view = (inputs[0], op, attributes) if op.view else None
    if op.vjp is not None and mode.grad and kind.dtype.category >= FLOATING:
        for x in inputs:
            if x is not None and x._node is not None:
                out._node = OpNode(op, inputs, array, kind, attributes)
                break
    return out


def _wrap_all(op: Op, inputs: Any, attributes: Any, arrays: Any, kind: Any) -> Any:
    # Outputs differ in dtype where some are positions, as those of sort: the arrays tell.
    dtype, dtype_of = kind.dtype, kind.backend.dtype_of
    outs = []
    for array in arrays:
        found = dtype_of(array)
        outs.append(wrap(array, kind if found is dtype else kind.sibling(found)))
    if op.vjp is not None and mode.grad and _needs_grad(inputs):
        kinds = tuple([out._kind for out in outs])
        node = OpNode(op, inputs, arrays, kinds, attributes)
        for place, (out, each) in enumerate(zip(outs, kinds, strict=True)):
            if each.dtype.category >= FLOATING:
                out._node = SelectNode(node, place, tuple(out._array.shape), each)
    return tuple(outs)


def _create(op: Op, kind: Kind, attributes: dict[str, Any]) -> Any:
    entry = kind.table[op]
    if entry is None or entry[0] is None or (_busy and not _runs_whole(op, (), attributes, entry, kind)):
        return op.body(kind=kind, **attributes)  # type: ignore[misc]
    kernel = entry[0]

    def proceed() -> Any:
        try:
            array = kernel(dtype=kind.dtype, index=kind.ordinal, **attributes)
        except Exception as error:
            explain(op, (), error)
        return wrap(array if type(array) is kind.array_type else kind.as_array(array), kind)

    if _busy and _stack.interceptors and kind.level is None:
        return _stack.interceptors[-1](op, (), {**attributes, "kind": kind}, proceed)
    return proceed()


def _expression(op: Op, inputs: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
    """A composite without a kernel: its body, under its own gradient rule where it states one."""
    assert op.body is not None
    if op.vjp is None:
        return op.body(*inputs, **attributes)
    needed = mode.grad and any(x is not None and x._node is not None for x in inputs)
    if not needed:
        result = op.body(*inputs, **attributes)
        if op.view and _shows(result, inputs[0]):
            result._view = (inputs[0], op, attributes)
        return result
    mode.grad = False
    try:
        result = op.body(*inputs, **attributes)
    finally:
        mode.grad = True
    outs = (result,) if op.outputs == 1 else tuple(result)
    outs = tuple(wrap(out._array, out._kind) for out in outs)
    if op.outputs == 1:
        (out,) = outs
        out._node = OpNode(op, inputs, out._array, out._kind, attributes)
        if op.view and _shows(result, inputs[0]):
            out._view = (inputs[0], op, attributes)
        return out
    kinds = tuple(out._kind for out in outs)
    node = OpNode(op, inputs, tuple(out._array for out in outs), kinds, attributes)
    for place, out in enumerate(outs):
        if out._kind.dtype.category >= FLOATING:
            out._node = SelectNode(node, place, tuple(out._array.shape), out._kind)
    return outs


def _shows(result: Any, input: Any) -> bool:
    """Whether what an expression gave is a view of its operand: in memory, or as writes to immutable memory go."""
    return not input._kind.mutable or root_of(result) is root_of(input)
