"""How tensors of a transform show themselves: what they wrap, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

__all__ = ["format_wrapped"]


def format_wrapped(tensor: Tensor) -> str:
    """``BatchedTensor(lvl=1, bdim=0, value=...)`` or ``DualTensor(lvl=1, primal=..., tangent=...)``."""
    level = tensor._kind.level
    array: Any = tensor._array
    if level.name == "vmap":
        return f"BatchedTensor(lvl={level.depth}, bdim={array.dim}, value=\n{_inset(array.outer)}\n)"
    tangent = "None" if array.tangent is None else f"\n{_inset(array.tangent)}"
    return f"DualTensor(lvl={level.depth}, primal=\n{_inset(array.outer)},\ntangent={tangent}\n)"


def _inset(tensor: Tensor) -> str:
    return "    " + repr(tensor).replace("\n", "\n    ")
