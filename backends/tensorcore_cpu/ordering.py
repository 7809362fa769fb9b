"""`topk` by partition, where a few of many are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorcore.backend.contract import Array

#: Elements, and elements for each one asked for, from which on a partition is faster than sorting.
_MANY, _SHARE = 1 << 11, 4


class OrderKernels:
    """The part of the backend that orders."""

    def topk(self, input: Array, *, dim: int, k: int, largest: bool, sorted: bool) -> tuple[Array, Array]:
        found = _by_partition(input, dim, k, largest) if input.size >= _MANY else None
        if found is None:
            values, places = self.sort(input, dim=dim, descending=largest)  # type: ignore[attr-defined]
            at: Any = (slice(None),) * (dim % input.ndim) + (slice(0, k),)
            return values[at].copy(), places[at].copy()
        return found


def _by_partition(input: Array, dim: int, k: int, largest: bool) -> tuple[Array, Array] | None:
    """What a stable sort gives, from a partition; ``None`` where ties or NaN leave the choice to the sort."""
    side = input.shape[dim]
    if not 0 < k * _SHARE <= side or input.dtype.kind not in "iuf":
        return None
    rows = np.moveaxis(input, dim, -1)
    cut = side - k if largest else k - 1
    order = np.argpartition(rows, cut, -1)
    places = np.sort(order[..., cut:] if largest else order[..., :k], -1)
    values = np.take_along_axis(rows, places, -1)
    edge = (np.minimum if largest else np.maximum).reduce(values, -1, keepdims=True)
    beyond = np.greater_equal(rows, edge) if largest else np.less_equal(rows, edge)
    # NaN at the edge compares as false, so a row with NaN among its largest counts too few, and ties count too many.
    if np.any(np.count_nonzero(beyond, -1) != k):
        return None
    if largest:
        # A stable descending order is the reverse of the stable ascending order of the reversed values.
        ranks = k - 1 - np.flip(np.argsort(np.flip(values, -1), -1, kind="stable"), -1)
    else:
        ranks = np.argsort(values, -1, kind="stable")
    chosen = np.take_along_axis(values, ranks, -1), np.take_along_axis(places, ranks, -1)
    return tuple(np.ascontiguousarray(np.moveaxis(each, -1, dim)) for each in chosen)  # type: ignore[return-value]
