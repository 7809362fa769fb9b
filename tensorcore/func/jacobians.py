"""Jacobians row by row or column by column: the unit vectors to push through, and what came out put in order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tensorcore.ops.creation import zeros
from tensorcore.ops.movement import cat, reshape
from tensorcore.ops.parts import narrow
from tensorcore.ops.ranges import eye
from tensorcore.tensor import Tensor

__all__ = ["assembled", "basis_of"]

Shape = tuple[int, ...]


def basis_of(tensors: Sequence[Tensor]) -> list[Any]:
    """For each tensor of shape (*s) one of shape (n, *s): together, the n unit vectors of all their elements."""
    counts = [math.prod(x._array.shape) for x in tensors]
    total = sum(counts)
    made = []
    start = 0
    for x, count in zip(tensors, counts, strict=True):
        place = {"dtype": x.dtype, "device": x.device}
        parts = [
            part
            for part in (
                zeros(start, count, **place),
                eye(count, **place),
                zeros(total - start - count, count, **place),
            )
            if part.shape[0]
        ]
        whole = cat(parts, 0) if parts else zeros(0, count, **place)
        made.append(reshape(whole, (total, *x._array.shape)))
        start += count
    return made


def assembled(columns: Sequence[Any], rows: Sequence[Shape], others: Sequence[Shape]) -> list[list[Any]]:
    """For each of ``rows`` and each of ``others`` the block of shape (*row, *other).

    ``columns`` holds, for each of ``others``, what came of the unit vectors of all ``rows``.
    """
    table = []
    start = 0
    for shape in rows:
        count = math.prod(shape)
        table.append(
            [
                reshape(narrow(column, 0, start, count), (*shape, *other))
                for column, other in zip(columns, others, strict=True)
            ]
        )
        start += count
    return table
