"""From an op's expression to a loop body: the expression runs once on samples; what passed the door is rewritten."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from tensorcore.autograd.mode import no_grad
from tensorcore.compile.capture import Capture, recording
from tensorcore.compile.graph import Step
from tensorcore.devices import Kind
from tensorcore.dtypes import bool_
from tensorcore.ops.record import Op
from tensorcore.tensor import Tensor, wrap
from tensorcore_cpu.jit.functions import LOGICAL, LOWERINGS
from tensorcore_cpu.jit.vectors import NE, Body, Vector

__all__ = ["NotElementwiseError", "traced"]

#: Operations from which on a body is no longer worth a loop of its own.
_LARGEST: Final = 2000


class NotElementwiseError(Exception):
    """The expression does something that no loop over elements does; the message says what."""


def traced(body: Body, op: Op, kind: Kind, operands: Sequence[Vector | None], attributes: Mapping[str, Any]) -> Vector:
    """The result of ``op``'s expression for ``operands``, in ``body``.

    Raises:
        NotElementwiseError: where the expression is more than operations on single elements.
    """
    lowering = LOWERINGS.get(op.name)
    if lowering is not None:
        return lowering(*operands, **attributes)
    # Each sample is an array of its own, so that the graph tells them apart.
    samples = [None if x is None else wrap(kind.backend.full(shape=(2, 3), value=0.5, dtype=kind.dtype, index=0), kind)
               for x in operands]  # fmt: skip
    given = [x for x in samples if x is not None]
    capture = Capture(given)
    with no_grad(), recording(capture):
        result = op.body(*samples, **attributes)  # type: ignore[misc]
    if capture.reason is not None:
        raise NotElementwiseError(f"{op.name}: {capture.reason}")
    if not isinstance(result, Tensor) or result.dtype is not kind.dtype:
        raise NotElementwiseError(f"{op.name}: the result is no tensor of the operands' dtype")
    values: dict[int, Vector] = {}
    conditions: set[int] = set()
    vectors = [x for x in operands if x is not None]
    for place, number in enumerate(capture.graph.inputs):
        source = capture.sources[place]
        values[number] = vectors[source] if isinstance(source, int) else _constant(body, source(), kind)
    for step in capture.graph.steps:
        values[step.outputs[0]] = _lowered(body, step, kind, values, conditions)
        if step.kinds[0].dtype is bool_:
            conditions.add(step.outputs[0])
        if len(body.operations) > _LARGEST:
            raise NotElementwiseError(f"{op.name}: more than {_LARGEST} operations")
    return values[capture.number_of(result)]


def _constant(body: Body, tensor: Tensor, kind: Kind) -> Vector:
    if tensor.dtype is not kind.dtype or tensor.numel() != 1:
        raise NotElementwiseError(f"a tensor of shape {list(tensor.shape)} and {tensor.dtype} besides the operands")
    return body.number(float(kind.backend.item(tensor._array, kind.dtype).real))


def _lowered(body: Body, step: Step, kind: Kind, values: Mapping[int, Vector], conditions: Collection[int]) -> Vector:
    """What one step computes."""
    name, attributes, dtype = step.op.name, step.attributes, step.kinds[0].dtype
    operands = [values[number] for number in step.inputs if number is not None]
    if len(step.outputs) != 1 or dtype not in (kind.dtype, bool_) or len(operands) != len(step.inputs):
        raise NotElementwiseError(f"{name} gives {dtype}")
    logical = dtype is bool_
    if name in ("alias", "copy"):
        return operands[0]
    if name == "cast":
        if (step.inputs[0] in conditions) == logical:
            return operands[0]
        return operands[0].compare(NE, 0.0) if logical else operands[0] & body.number(1.0)
    if name == "full" and not logical:
        return body.number(float(attributes["value"]))
    if name == "pow":
        return _power(body, *operands)
    lowering: Callable[..., Vector] | None = LOWERINGS.get(name)
    if logical and step.inputs[-1] in conditions:
        lowering = LOGICAL.get(name)
    if lowering is not None:
        return lowering(*operands, **attributes)
    if step.op.body is not None and not logical:
        return traced(body, step.op, kind, operands, attributes)
    raise NotElementwiseError(f"{name} gives {dtype}")


def _power(body: Body, base: Vector, exponent: Vector) -> Vector:
    """Powers that are products or quotients."""
    for value, made in _POWERS.items():
        if exponent.place == body.number(value).place:
            return made(base)
    raise NotElementwiseError("pow by other exponents than small whole ones")


_POWERS: Final[dict[float, Callable[[Vector], Vector]]] = {
    2.0: lambda x: x * x,
    3.0: lambda x: x * x * x,
    -1.0: lambda x: 1.0 / x,
    -2.0: lambda x: 1.0 / (x * x),
}
