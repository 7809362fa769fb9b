"""Converters: each op's name to the ONNX nodes that do what it does."""

from __future__ import annotations

from typing import Any

from tensorcore.dtypes import COMPLEX
from tensorcore.onnx.converters import complexes, elementwise, movement, neural, recurrent, reductions
from tensorcore.onnx.converters.registry import CONVERTERS
from tensorcore.onnx.converters.registry import takes as _takes_real

__all__ = ["CONVERTERS", "complexes", "elementwise", "movement", "neural", "recurrent", "reductions", "takes"]


def takes(opset: int, op: Any, inputs: Any, attributes: dict[str, Any]) -> bool:
    """Whether a composite is written as a whole, not by its expression."""
    if any(x is not None and x.dtype.category == COMPLEX for x in inputs) or op.name in ("complex", "view_as_complex"):
        return op.name in complexes.BY_FORMULA or (
            op.name in complexes.BY_PARTS and _takes_real(opset, op, inputs, attributes)
        )
    return _takes_real(opset, op, inputs, attributes)
