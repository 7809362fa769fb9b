"""What the failure of a kernel means, in the core's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from tensorcore.errors import DimensionError, OutOfMemoryError, ShapeError, TensorcoreError, described
from tensorcore.shapes import broadcast_shapes

if TYPE_CHECKING:
    from tensorcore.ops.record import Op

__all__ = ["explain"]


def explain(op: Op, inputs: tuple[Any, ...], error: Exception) -> NoReturn:
    """Raise what a kernel's failure means in the core's words: op, shapes, dtypes, device."""
    if isinstance(error, TensorcoreError):
        raise error
    tensors = [x for x in inputs if x is not None]
    met = ", ".join(f"{list(x.shape)} {x.dtype.name}" for x in tensors)
    where = str(tensors[0].device) if tensors else "the device"
    try:
        said = str(error) or type(error).__name__
    except Exception:
        said = described(error)
    if isinstance(error, MemoryError):
        from tensorcore.memory import describe_for_error

        text = f"{op.name}: no memory on {where} for the result of ({met}): {said}{describe_for_error()}"
        raise OutOfMemoryError(text) from error
    if isinstance(error, IndexError):
        raise DimensionError(f"{op.name}: {said} (operands: {met})") from error
    if isinstance(error, TypeError) and "broadcast" not in said:
        missing = [op.operand_at(place) for place, x in enumerate(inputs) if x is None and op.elementwise]
        what = f"{missing[0]} must be a tensor or a number, got None" if missing else said
        raise TypeError(f"{op.name}: {what} (operands: {met})") from error
    if len(tensors) > 1 and (op.promotes is None or "broadcast" in said):
        try:
            broadcast_shapes(*(x.shape for x in tensors))
        except ShapeError as misfit:
            raise ShapeError(f"{op.name}: {misfit}") from None
    raise RuntimeError(f"{op.name}: the kernel on {where} failed for ({met}): {said}") from error
