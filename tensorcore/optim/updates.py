"""Update rules run on parameters and states: all of a group at once, in place, where the backend can."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tensorcore import devices, dispatch
from tensorcore.autograd.graph import Node, before_changes
from tensorcore.autograd.mode import mode
from tensorcore.dtypes import COMPLEX
from tensorcore.errors import ShapeError
from tensorcore.ops.complex import view_as_real
from tensorcore.ops.inplace import write
from tensorcore.ops.record import Op
from tensorcore.tensor import mark_changed

__all__ = ["apply_updates"]


def apply_updates(op: Op, rows: list[list[Any]], attributes: dict[str, Any]) -> None:
    """Run an update rule for many parameters and make its results the content of parameters and states.

    A row has the operands of the rule for one parameter; what the rule returns is the new content of those that decide
    its dtype, but for the gradient. Where the backend can, all rows are one call that writes in place.
    """
    if not rows:
        return
    rows = [row if row[0]._kind.dtype.category < COMPLEX else _in_parts(row) for row in rows]
    if mode.grad:
        # A differentiable step: what the results depend on is recorded.
        for row in rows:
            _store(op, row, op.body(*row, **attributes))  # type: ignore[misc]
        return
    if dispatch.is_busy():
        for row in rows:
            _store(op, row, op.emit(*row, **attributes))
        return
    places = op.promotes
    assert places is not None
    together: dict[Any, list[list[Any]]] = {}
    first = kind = None
    able = False
    for row in rows:
        param = row[0]
        if param._kind is not kind:
            kind = param._kind
            able = kind.writer(op) is not None
            group = together.setdefault(kind, [])
        arrays: list[Any] = [None if x is None else x._array for x in row]
        shape = arrays[0].shape
        alike = able
        for place in places if able else ():
            x = row[place]
            if x is not None and (x._kind is not kind or arrays[place].shape != shape):
                alike = False
                _check_shape(op, row, place)
        if not alike:
            _store(op, row, op.emit(*row, **attributes))
            continue
        # Backward may need the parameters, so the user's line is noted; the state is the optimizer's own.
        if first is None or before_changes or param._view is not None or isinstance(param._node, Node):
            first = param
            mark_changed(param, op.name)
        else:
            param._changed = first._changed
            param._changes += 1
        for place in places[2:]:
            if row[place] is not None:
                row[place]._changes += 1
        group.append(arrays)
    for kind, group in together.items():
        many = kind.backend.multi_tensor_kernel(op.name, kind.dtype, kind.device.ordinal)
        if not group:
            continue
        if many is not None and devices.wrap_kernel is None:
            many(group, **attributes)
            continue
        kernel = kind.writer(op)
        for arrays in group:
            kernel(*arrays, out=[arrays[place] for place in _written(op, arrays)], **attributes)


def _written(op: Op, row: Sequence[Any]) -> list[int]:
    """Places of the operands that the results of an update rule replace."""
    assert op.promotes is not None
    return [place for place in op.promotes if place != 1 and row[place] is not None]


def _store(op: Op, row: list[Any], results: Any) -> None:
    for place, result in zip(_written(op, row), results, strict=True):
        write(row[place], result, op.name)


def _in_parts(row: list[Any]) -> list[Any]:
    """The operands of a complex parameter as real ones, with real and imaginary parts side by side."""
    return [x if x is None or x._kind.dtype.category < COMPLEX else view_as_real(x) for x in row]


def _check_shape(op: Op, row: list[Any], place: int) -> None:
    shape, met = list(row[0].shape), list(row[place].shape)
    if met != shape:
        raise ShapeError(f"{op.name}: {op.operands[place]} of shape {met} does not fit its parameter, of shape {shape}")
