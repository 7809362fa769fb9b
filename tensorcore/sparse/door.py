"""Where ops that meet sparse operands go: one table from the name of an op to its form for sparse tensors.

`tensorcore.dispatch` leads here every op that has a sparse operand. What the table has not is run as the expression of
a composite where it is one, and refused otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NoReturn

from tensorcore import dispatch
from tensorcore.autograd.graph import OpNode
from tensorcore.autograd.mode import mode
from tensorcore.compile.capture import reading
from tensorcore.dtypes import FLOATING
from tensorcore.errors import DeviceError, LayoutError
from tensorcore.ops.node_names import regular, renamed
from tensorcore.sparse.graph import without_graph
from tensorcore.tensor import Tensor

if TYPE_CHECKING:
    from tensorcore.ops.record import Op

__all__ = ["enter", "form", "refuse", "ruled"]

Form = Callable[..., Any]

#: Forms by name of the op, called as ``form(op, *operands, **attributes)``, and whether the gradient rule is that of
#: the op's record (else the form is written in steps that have theirs).
_FORMS: Final[dict[str, tuple[Form, bool]]] = {}


def form(*names: str) -> Callable[[Form], Form]:
    """Decorator: the sparse form of the ops ``names``, written in ops that see to gradients."""

    def decorate(function: Form) -> Form:
        _FORMS.update(dict.fromkeys(names, (function, False)))
        return function

    return decorate


def ruled(*names: str) -> Callable[[Form], Form]:
    """Decorator: the sparse form of the ops ``names``, differentiated by the rules of their records."""

    def decorate(function: Form) -> Form:
        _FORMS.update(dict.fromkeys(names, (function, True)))
        return function

    return decorate


def enter(op: Op, inputs: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
    """Run ``op`` on operands of which one is sparse at least."""
    tensors = [x for x in inputs if isinstance(x, Tensor)]
    for x in tensors:
        if x._kind.device != tensors[0]._kind.device:
            places = ", ".join(str(each.device) for each in tensors)
            raise DeviceError(f"{op.name}: operands are on several devices: {places}; move them with .to(device)")
    # How many elements there are differs from call to call, and a recorded program has fixed shapes.
    reading(tensors[0], f"{op.name} of a sparse tensor")
    entry = inputs[0]._kind.table[op] if len(inputs) == 1 else None
    if entry is not None:
        return dispatch.execute(op, inputs, attributes, *entry)
    found = _FORMS.get(op.name)
    if found is None:
        if op.body is None:
            refuse(op, inputs)
        try:
            out = op.body(*inputs, **attributes)
        except LayoutError:
            refuse(op, inputs)
        if op.vjp is not None and isinstance(out, Tensor) and all(out._node is not x._node for x in tensors):
            # The record's own gradient rule is for dense operands; the steps of the expression take its name.
            renamed(out, op.shown or regular(op.name))
        return out
    function, by_rule = found
    if not by_rule:
        return function(op, *inputs, **attributes)
    with without_graph():
        out = function(op, *inputs, **attributes)
    if mode.grad and op.vjp is not None and out._kind.dtype.category >= FLOATING:
        operands = tuple(x if isinstance(x, Tensor) or x is None else _number(x, tensors[0]) for x in inputs)
        if any(x is not None and x._node is not None for x in operands):
            out._node = OpNode(op, operands, out._array, out._kind, attributes)
    return out


def _number(value: Any, beside: Tensor) -> Tensor:
    """A Python number as the dense tensor that a gradient rule reads."""
    from tensorcore.ops.creation import tensor

    return tensor(value, device=beside.device)


def refuse(op: Any, inputs: Any, why: str = "") -> NoReturn:
    """Say that ``op`` has no form for these operands."""
    met = ", ".join(
        f"{x._kind.layout.name if x._kind.sparse else 'strided'} {x.dtype.name} of shape {list(x.shape)}"
        for x in inputs if isinstance(x, Tensor)
    )  # fmt: skip
    name = op if isinstance(op, str) else op.name
    reason = why or "there is no form of it for these layouts; call .to_dense() on the sparse ones first"
    raise LayoutError(f"{name}: got {met}: {reason}")


dispatch._sparse_lane = enter
