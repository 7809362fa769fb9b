"""Lookups whose gradient is sparse, and steps of optimizers along sparse gradients."""

from __future__ import annotations

from typing import Any

from tensorcore.dtypes import int64
from tensorcore.sparse.arrays import flattened
from tensorcore.sparse.conversion import coalesced, to_coo
from tensorcore.sparse.graph import from_values, recorded, without_graph
from tensorcore.tensor import Tensor

__all__ = ["add_into", "looked_up"]


def looked_up(places: Tensor, weight: Tensor, padding_idx: int | None, scale_grad_by_freq: bool) -> Tensor:
    """Rows of ``weight``; the gradient holds the cotangent of each lookup at the row it was of, uncoalesced."""
    if scale_grad_by_freq:
        raise RuntimeError("embedding: scale_grad_by_freq does not go with sparse gradients")
    from tensorcore.ops.embedding import embedding

    with without_graph():
        out = embedding(places, weight)
    count, width = weight.shape

    def rule(g: Tensor) -> Tensor:
        rows, values = places.reshape(-1), g.reshape((-1, width))
        if padding_idx is not None:
            kept = (rows != padding_idx).nonzero()[:, 0]
            rows, values = rows.index_select(0, kept), values.index_select(0, kept)
        return from_values(rows.unsqueeze(0), values, (count, width))

    return recorded("EmbeddingBackward0", (weight,), out, rule)


def at_places(target: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """``target`` as rows, which rows a coalesced gradient names, and its values."""
    array: Any = coalesced(to_coo(gradient))._array
    rest = array.shape[len(array.sides) :]
    return target.view((-1, *rest)), flattened(array.indices, array.sides).to(int64), array.values


def add_into(target: Tensor, gradient: Tensor, alpha: Any) -> None:
    """Add ``alpha`` times a sparse gradient to a dense tensor, at the places it names alone."""
    rows, places, values = at_places(target, gradient)
    rows.index_add_(0, places, values * alpha)
