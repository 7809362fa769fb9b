"""Operands brought to one device and dtype, by PyTorch's promotion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from tensorcore.dtypes import BOOL, COMPLEX, FLOATING, DType, bool_, get_default_dtype, int64, promote_types
from tensorcore.errors import DeviceError
from tensorcore.ops.record import REGISTRY
from tensorcore.tensor import Tensor

if TYPE_CHECKING:
    from tensorcore.devices import Kind
    from tensorcore.ops.record import Op

__all__ = ["agree", "convert", "dtype_of_number", "on_one_level", "promoted"]


def agree(op: Op, inputs: tuple[Any, ...]) -> tuple[tuple[Any, ...], Kind]:
    """The operands as tensors of one kind, by PyTorch's promotion; and that kind."""
    tensors = [x for x in inputs if isinstance(x, Tensor)]
    if not tensors:
        _refuse_operands(op, inputs)
    first = tensors[0]._kind
    device = first.device
    level = first.level
    for x in tensors:
        inner = x._kind.level
        if inner is not level and inner is not None and (level is None or inner.depth > level.depth):
            level, first = inner, x._kind
        if x._kind.device is not device and x._kind.device != device:
            places = ", ".join(
                f"{op.operand_at(i)} on {str(t.device)!r}" for i, t in enumerate(inputs) if isinstance(t, Tensor)
            )
            raise DeviceError(f"{op.name}: operands are on several devices: {places}; move them with .to(device)")
    chosen = inputs if op.promotes is None else [inputs[place] for place in op.promotes]
    dtype = promoted(op.name, chosen)
    if level is None:
        kind = device.kind(dtype)
        return convert(op, inputs, kind), kind
    kind = first.sibling(dtype)
    return level.lifted(convert(op, inputs, kind)), kind


def on_one_level(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The operands, all at the innermost of their levels; as they are where they are of one level."""
    level: Any = None
    mixed = met = False
    for x in inputs:
        if isinstance(x, Tensor):
            inner = x._kind.level
            mixed = mixed or (met and inner is not level)
            met = True
            if inner is not None and (level is None or inner.depth > level.depth):
                level = inner
    if not mixed:
        return inputs
    return tuple([level.lift(x) if isinstance(x, Tensor) and x._kind.level is not level else x for x in inputs])


def promoted(op: str, operands: Any) -> DType:
    """The dtype to which tensors and numbers promote, by PyTorch's rules."""
    first = operands[0]
    if len(operands) == 1 and isinstance(first, Tensor):
        return first._kind.dtype
    dimensioned: DType | None = None
    zero_dim: DType | None = None
    number: DType | None = None
    for x in operands:
        if x is None:
            continue
        if isinstance(x, Tensor):
            dtype = x._kind.dtype
            if len(x._array.shape):
                dimensioned = dtype if dimensioned is None else promote_types(dimensioned, dtype)
            else:
                zero_dim = dtype if zero_dim is None else promote_types(zero_dim, dtype)
        else:
            dtype = dtype_of_number(x, op)
            number = dtype if number is None else promote_types(number, dtype)
    return _weaker(dimensioned, _weaker(zero_dim, number))  # type: ignore[return-value]


def _weaker(strong: DType | None, weak: DType | None) -> DType | None:
    """The dtype of operands of which the second give way unless their category is higher (PyTorch's rule)."""
    if strong is None or weak is None:
        return strong or weak
    if strong.category >= COMPLEX:
        return strong
    if strong.category == FLOATING:
        return strong.to_complex() if weak.category == COMPLEX else strong
    if strong.category == BOOL or weak.category > strong.category:
        return promote_types(strong, weak)
    return strong


def dtype_of_number(value: Any, op: str) -> DType:
    """The dtype a Python number stands for in promotion."""
    if isinstance(value, bool):
        return bool_
    if isinstance(value, int):
        return int64
    if isinstance(value, float):
        return get_default_dtype()
    if isinstance(value, complex):
        return get_default_dtype().to_complex()
    raise TypeError(f"{op}: expected a tensor or a number, got {type(value).__name__}")


def convert(op: Op, inputs: tuple[Any, ...], kind: Kind) -> tuple[Any, ...]:
    """The operands that the op promotes as tensors of ``kind``; the others must be tensors already."""
    places = range(len(inputs)) if op.promotes is None else op.promotes
    converted = list(inputs)
    for place in places:
        x = converted[place]
        if x is None:
            if op.elementwise:
                raise TypeError(f"{op.name}: {op.operand_at(place)} must be a tensor or a number, got None")
            continue
        if not isinstance(x, Tensor):
            converted[place] = kind.scalar(x)
        elif x._kind.dtype is not kind.dtype:
            converted[place] = REGISTRY["cast"].emit(x, dtype=kind.dtype)
    for place, x in enumerate(converted):
        if x is not None and not isinstance(x, Tensor):
            raise TypeError(f"{op.name}: {op.operand_at(place)} must be a tensor, got {type(x).__name__}")
    return tuple(converted)


def _refuse_operands(op: Op, inputs: tuple[Any, ...]) -> NoReturn:
    names = " or ".join(op.operand_at(place).strip("'") for place in range(len(inputs)))
    met = " and ".join(type(x).__name__ for x in inputs)
    raise TypeError(f"{op.name}: expected a tensor, got {met} as {names}")
