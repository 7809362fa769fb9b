"""In-place changes that autograd cannot follow."""

from __future__ import annotations

from tensorcore.autograd.graph import LEAF
from tensorcore.autograd.mode import mode
from tensorcore.errors import InplaceError
from tensorcore.tensor import Tensor, root_of

__all__ = ["check_inplace"]


def check_inplace(tensor: Tensor, op: str) -> None:
    """Refuse the in-place changes that autograd cannot follow."""
    if not mode.grad:
        return
    if tensor._node is LEAF:
        raise InplaceError(
            f"{op}: a leaf tensor that requires grad cannot be changed in place, as its gradient would be lost; "
            "do it under tc.no_grad(), or change a copy"
        )
    if tensor._view is None:
        return
    root = root_of(tensor)
    if root._node is None:
        return
    if tensor._node is None and not _is_detached(tensor):
        raise InplaceError(
            f"{op}: a view taken under no_grad of a tensor that requires grad cannot be changed in place where grad "
            "mode is on, as the graph of the tensor would not follow; do it under no_grad, or take the view outside"
        )
    if root._node is LEAF and tensor._node is not None:
        raise InplaceError(
            f"{op}: a view of a leaf tensor that requires grad cannot be changed in place; do it under tc.no_grad()"
        )


def _is_detached(view: Tensor) -> bool:
    while view._view is not None:
        if view._view[1].shown == "DetachBackward0":
            return True
        view = view._view[0]
    return False
