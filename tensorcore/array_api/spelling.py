"""How functions of the standard are made of the op records: promotion by dtype alone, and the standard's names."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import DType, promote_types
from tensorcore.ops.record import REGISTRY
from tensorcore.promotion import promoted
from tensorcore.tensor import Tensor

if TYPE_CHECKING:
    from tensorcore.ops.record import Op

__all__ = ["agreed", "binary", "tensors", "unary"]


def agreed(*operands: Any) -> tuple[Any, ...]:
    """The operands with all tensors in the dtype to which theirs promote, whatever their shapes; numbers stay weak."""
    met = {x._kind.dtype: None for x in operands if isinstance(x, Tensor)}
    if len(met) < 2:
        return operands
    first, *others = met
    wide: DType = first
    for dtype in others:
        wide = promote_types(wide, dtype)
    return tuple(x.to(wide) if isinstance(x, Tensor) else x for x in operands)


def tensors(name: str, *operands: Any) -> tuple[Tensor, ...]:
    """`agreed`, with numbers as 0-d tensors of the dtype that they take."""
    found = agreed(*operands)
    example = next((x for x in found if isinstance(x, Tensor)), None)
    if example is None:
        raise TypeError(f"{name}: expected a tensor, got {', '.join(type(x).__name__ for x in operands)}")
    kind = example._kind.sibling(promoted(name, found))
    return tuple(x if isinstance(x, Tensor) else kind.scalar(x) for x in found)


def _named(function: Any, name: str, op: Op, spellings: dict[str, str]) -> Any:
    function.__name__ = function.__qualname__ = name
    doc = op.__doc__ or ""
    for old, new in spellings.items():
        doc = re.sub(rf"\b{old}\b", new, doc)
    function.__doc__ = doc
    return function


def unary(name: str, op: str) -> Callable[[Tensor], Tensor]:
    """The function ``name`` of one array, which is the op ``op``."""
    front = REGISTRY[op].front

    def function(x: Tensor, /) -> Tensor:
        return front(x)

    return _named(function, name, REGISTRY[op], {"input": "x"})


def binary(name: str, op: str) -> Callable[[Any, Any], Tensor]:
    """The function ``name`` of two arrays, one of which may be a number, which is the op ``op``."""
    record = REGISTRY[op]
    front = record.front

    def function(x1: Any, x2: Any, /) -> Tensor:
        if getattr(x1, "_kind", None) is getattr(x2, "_kind", None):
            return front(x1, x2)
        # The door of a primitive takes numbers; expressions may read the dtype of what they are given.
        return front(*(agreed(x1, x2) if record.primitive else tensors(name, x1, x2)))

    return _named(function, name, record, dict(zip(record.operands, ("x1", "x2"), strict=True)))
