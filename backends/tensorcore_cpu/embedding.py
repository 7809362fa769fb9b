"""Kernels of embeddings: rows added up by the place they belong to."""

from __future__ import annotations

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore_cpu.jit.places import put_rows

#: Rows of one place that are added one after another, each time for all places at once; longer runs are reduced.
TURNS = 8


def add_rows(out: Array, places: Array, rows: Array) -> tuple[Array, Array]:
    """Add ``rows[i]`` to ``out[places[i]]``, which holds zeros, for each i; the places, and how often each came."""
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    found, often = ordered[starts], np.diff(np.append(starts, len(ordered)))
    if len(places) > TURNS * len(starts):
        out[found] = np.add.reduceat(rows[order], starts, axis=0, dtype=out.dtype)
        return found, often
    out[found] = rows[order[starts]]
    for turn in range(1, TURNS):
        live = np.flatnonzero(often > turn)
        if not len(live):
            return found, often
        out[found[live]] += rows[order[starts[live] + turn]]
    for place in np.flatnonzero(often > TURNS):
        run = order[starts[place] + TURNS : starts[place] + often[place]]
        out[found[place]] += np.add.reduce(rows[run], 0)
    return found, often


class EmbeddingKernels:
    """The part of the backend that overrides composites of embeddings."""

    def embedding_gradient(
        self, grad: Array, input: Array, *, count: int, padding_idx: int | None, scale_grad_by_freq: bool
    ) -> Array:
        width = grad.shape[-1]
        places, rows = input.reshape(-1), grad.reshape(-1, width)
        out = np.zeros((count, width), grad.dtype)
        if not scale_grad_by_freq and put_rows(out, places, rows, True):
            if padding_idx is not None:
                out[padding_idx] = 0
            return out
        if padding_idx is not None:
            kept = np.flatnonzero(places != padding_idx)
            places, rows = places[kept], rows[kept]
        if len(places):
            found, often = add_rows(out, places, rows)
            if scale_grad_by_freq:
                out[found] /= often[:, None].astype(out.dtype)
        return out
