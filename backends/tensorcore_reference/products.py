"""Matrix products."""

from __future__ import annotations

import operator
from typing import Any

from tensorcore.dtypes import COMPLEX, FLOATING
from tensorcore.shapes import broadcast_shapes
from tensorcore_reference.arrays import Array, elements, expanded, packed, positions, split

__all__ = ["ProductKernels"]


def _matrices(array: Array, stack: tuple[int, ...]) -> list[list[list[Any]]]:
    """The rows of each matrix of ``array``, its outer sides broadcast to ``stack``; what is repeated is read once."""
    matrix = array.shape[-2:]
    stretched = expanded(array, (*stack, *matrix))
    starts = positions(stretched.offset, stack, stretched.strides[:-2]) if 0 not in stack else []
    read = {
        start: split(elements(array.seen(matrix, array.strides[-2:], start)), matrix[1], matrix[0])
        for start in set(starts)
    }
    return [read[start] for start in starts]


class ProductKernels:
    """Products of stacks of matrices."""

    @staticmethod
    def matmul(input: Array, other: Array) -> Array:
        if input.shape[-1] != other.shape[-2]:
            raise ValueError(f"shapes {list(input.shape)} and {list(other.shape)} do not multiply: inner sides differ")
        stack = tuple(broadcast_shapes(input.shape[:-2], other.shape[:-2]))
        rows_of = _matrices(input, stack)
        columns_of = _matrices(_transposed(other), stack)
        zero = {FLOATING: 0.0, COMPLEX: 0j}.get(input.dtype.category, 0)
        multiply = operator.mul
        # Each element is summed in float64 (integers exactly) and rounded once.
        values = [
            sum(map(multiply, row, column), zero)
            for rows, columns in zip(rows_of, columns_of, strict=True)
            for row in rows
            for column in columns
        ]
        return packed(values, input.dtype, (*stack, input.shape[-2], other.shape[-1]))


def _transposed(array: Array) -> Array:
    shape, strides = array.shape, array.strides
    return array.seen((*shape[:-2], shape[-1], shape[-2]), (*strides[:-2], strides[-1], strides[-2]))
