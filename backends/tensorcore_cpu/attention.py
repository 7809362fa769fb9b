"""Kernels of attention: some heads and rows at a time, so that their scores stay in the second-level cache.

With the causal mask a block of rows is multiplied with the keys it sees only, which saves nearly half of the work.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore_cpu.jit.scores import weighed
from tensorcore_cpu.products import matmul

#: Bytes of scores at a time (forward of 32 heads, 256 x 256, causal: 8.1 ms with 128 KiB, 6.2 with 512, 7.0 with 2048).
SCORE_BYTES = 1 << 19
#: Rows of a block where the mask is causal.
CAUSAL_ROWS = 64


def _flat(x: Array, lead: tuple[int, ...]) -> Array:
    """(..., L, E) as (heads, L, E)."""
    if x.shape[:-2] != lead:
        x = np.broadcast_to(x, (*lead, *x.shape[-2:]))
    return x.reshape(math.prod(lead), *x.shape[-2:])


class _Scores:
    """The scores of attention, block by block."""

    def __init__(self, query: Array, key: Array, mask: Array | None, lead: tuple[int, ...], causal: bool) -> None:
        self.query, self.key, self.causal = query, key, causal
        self.heads, self.rows, self.columns = len(query), query.shape[1], key.shape[1]
        self.mask = None
        if mask is not None:
            if math.prod(mask.shape[:-2]) == 1:
                shared = np.broadcast_to(mask.reshape(mask.shape[-2:] if mask.ndim > 1 else mask.shape), self.shape[1:])
                self.mask = np.broadcast_to(shared, self.shape)
            else:
                self.mask = np.broadcast_to(mask, (*lead, *self.shape[1:])).reshape(self.shape)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.heads, self.rows, self.columns

    def blocks(self) -> Iterator[tuple[slice, slice, slice]]:
        """Heads, rows and columns of each block."""
        room = SCORE_BYTES // (self.query.itemsize * max(self.columns, 1))
        height = max(1, min(self.rows, CAUSAL_ROWS if self.causal else self.rows, max(room, 16)))
        width = max(1, room // height)
        for head in range(0, self.heads, width):
            for row in range(0, self.rows, height):
                rows = slice(row, min(row + height, self.rows))
                seen = min(self.columns, rows.stop) if self.causal else self.columns
                yield slice(head, head + width), rows, slice(0, seen)

    def of(self, heads: slice, rows: slice, columns: slice) -> Array:
        """The scores of a block, in memory that the caller may write to."""
        keys = self.key[heads, columns].swapaxes(1, 2)
        scores: Array = matmul(self.query[heads, rows], keys)
        if self.causal and columns.stop > rows.start:
            place = np.arange(rows.start, rows.stop)[:, None] < np.arange(rows.start, columns.stop)
            np.copyto(scores[:, :, rows.start :], -math.inf, where=place)
        if self.mask is not None:
            mask = self.mask[heads, rows, columns]
            if mask.dtype == bool:
                np.copyto(scores, -math.inf, where=~mask)
            else:
                scores += mask
        return scores


class AttentionKernels:
    """The part of the backend that overrides composites of attention."""

    def attention(
        self, query: Array, key: Array, value: Array, mask: Array | None = None, *, is_causal: bool, scale: float
    ) -> tuple[Array, Array]:
        lead = query.shape[:-2]
        if mask is None and not is_causal and lead == key.shape[:-2] == value.shape[:-2]:
            size = math.prod(lead) * query.shape[-2] * key.shape[-2] * query.itemsize
            if 0 < size <= SCORE_BYTES:
                weights = matmul(query * query.dtype.type(scale), key.swapaxes(-1, -2))
                found = weighed(weights)
                if found is not None:
                    return matmul(weights, value), found
        lead = np.broadcast_shapes(lead, key.shape[:-2], value.shape[:-2])
        q, k, v = (_flat(x, lead) for x in (query, key, value))
        scores = _Scores(q * q.dtype.type(scale), k, mask, lead, is_causal)
        out = np.empty((*q.shape[:2], v.shape[2]), q.dtype)
        logs = np.empty((*q.shape[:2], 1), q.dtype)
        for heads, rows, columns in scores.blocks():
            powers = scores.of(heads, rows, columns)
            if not columns.stop:
                out[heads, rows], logs[heads, rows] = 0, math.inf
                continue
            found = weighed(powers)
            if found is not None:
                matmul(powers, v[heads, columns], out=out[heads, rows])
                logs[heads, rows] = found
                continue
            top = np.maximum.reduce(powers, 2, keepdims=True)
            top[top == -math.inf] = 0
            powers -= top
            np.exp(powers, out=powers)
            total = np.add.reduce(powers, 2, keepdims=True)
            part = matmul(powers, v[heads, columns], out=out[heads, rows])
            top += np.log(total)
            if total.all():
                part /= total
            else:
                # A row that sees nothing gives zeros.
                empty = total == 0
                total[empty], top[empty] = 1, math.inf
                part /= total
            logs[heads, rows] = top
        return out.reshape(*lead, *out.shape[1:]), logs.reshape(*lead, *logs.shape[1:])

    def attention_gradient(
        self, grad: Array, query: Array, key: Array, value: Array, mask: Array | None, output: Array, logs: Array, *,
        is_causal: bool, scale: float,
    ) -> tuple[Array, Array, Array, Array]:  # fmt: skip
        lead = np.broadcast_shapes(query.shape[:-2], key.shape[:-2], value.shape[:-2])
        g, q, k, v, out, log = (_flat(x, lead) for x in (grad, query, key, value, output, logs))
        scaled = q * q.dtype.type(scale)
        scores = _Scores(scaled, k, mask, lead, is_causal)
        of_query = np.empty_like(q, order="C")
        of_key, of_value = np.zeros_like(k, order="C"), np.zeros_like(v, order="C")
        wanted = mask is not None and mask.dtype != bool
        of_scores = np.zeros(scores.shape if wanted else (), g.dtype)
        along = np.add.reduce(g * out, 2, keepdims=True)
        for heads, rows, columns in scores.blocks():
            weights = scores.of(heads, rows, columns)
            weights -= log[heads, rows]
            np.exp(weights, out=weights)
            each = g[heads, rows]
            of_value[heads, columns] += matmul(weights.swapaxes(1, 2), each)
            step = matmul(each, v[heads, columns].swapaxes(1, 2))
            step -= along[heads, rows]
            step *= weights
            if wanted:
                of_scores[heads, rows, columns] = step
            matmul(step, k[heads, columns], out=of_query[heads, rows])
            of_key[heads, columns] += matmul(step.swapaxes(1, 2), scaled[heads, rows])
        of_query *= of_query.dtype.type(scale)
        made: Any = (of_query, of_key, of_value, *((of_scores,) if wanted else ()))
        shaped = tuple(x.reshape(*lead, *x.shape[1:]) for x in made)
        return shaped if wanted else (*shaped, of_scores)  # type: ignore[return-value]
