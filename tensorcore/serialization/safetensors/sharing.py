"""Which tensors share memory: the format has no way to say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tensorcore.errors import CheckpointError
from tensorcore.serialization.elements import extent
from tensorcore.tensor import Tensor

__all__ = ["names_to_drop", "refuse_sharing", "shared_names"]


def shared_names(tensors: Mapping[str, Tensor]) -> list[list[str]]:
    """The names of tensors that have elements in common, group by group, sorted."""
    spans: dict[Any, list[tuple[int, int, str]]] = {}
    same: dict[int, list[str]] = {}
    for name, tensor in tensors.items():
        address, strides = tensor.data_ptr(), tensor.stride()
        if tensor.numel() and address and min(strides, default=0) >= 0:
            end = address + extent(tensor.shape, strides) * tensor.itemsize
            spans.setdefault(tensor.device, []).append((address, end, name))
        elif tensor.numel():
            # No address to compare: only the very same array counts as shared.
            same.setdefault(id(tensor._array), []).append(name)
    groups = list(same.values())
    for found in spans.values():
        reach = -1
        for address, end, name in sorted(found):
            if address < reach:
                groups[-1].append(name)
            else:
                groups.append([name])
            reach = max(reach, end)
    return [sorted(group) for group in groups if len(group) > 1]


def refuse_sharing(op: str, tensors: Mapping[str, Tensor]) -> None:
    """Raise CheckpointError where tensors share memory: loaded, they would not."""
    groups = shared_names(tensors)
    if groups:
        listed = "; ".join(", ".join(map(repr, group)) for group in groups[:8])
        raise CheckpointError(
            f"{op}: some tensors share memory, which the format cannot say: {listed}. Use save_model for a module, "
            "whose tied parameters are written once and tied again by load_model, or save a clone() of each"
        )


def names_to_drop(tensors: Mapping[str, Tensor], preferred: Iterable[str] = ()) -> dict[str, str]:
    """Of each group of names for the same memory, all but one: name to drop -> name to keep.

    Kept is a tensor that covers the whole memory; among these a preferred one, else the first by name.

    Raises:
        CheckpointError: where none of a group covers the whole memory.
    """
    wanted = set(preferred)
    dropped: dict[str, str] = {}
    for group in shared_names(tensors):
        whole = [name for name in group if _is_whole(tensors[name])]
        if not whole:
            raise CheckpointError(
                f"save_model: {', '.join(map(repr, group))} share memory, and none of them is all of it; "
                "save clones of them, or save the tensor they are views of"
            )
        kept = next((name for name in whole if name in wanted), whole[0])
        dropped |= {name: kept for name in group if name != kept}
    return dropped


def _is_whole(tensor: Tensor) -> bool:
    return tensor.nbytes == tensor.untyped_storage().nbytes()
