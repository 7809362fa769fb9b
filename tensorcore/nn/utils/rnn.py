"""Batches of sequences of several lengths."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tensorcore.errors import RangeError, ShapeError
from tensorcore.ops.movement import stack
from tensorcore.ops.padding import pad
from tensorcore.tensor import Tensor

__all__ = ["pad_sequence", "unpad_sequence"]


def pad_sequence(
    sequences: Iterable[Tensor], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Sequences of shapes (length, *) stacked: (longest, N, *), or (N, longest, *) with ``batch_first``.

    Raises:
        ShapeError: if there are no sequences, one has no dimension, or they differ in more than their lengths.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.nn.utils.rnn import pad_sequence
        >>> pad_sequence([tc.tensor([1, 2, 3]), tc.tensor([4])], batch_first=True)
        tensor([[1, 2, 3],
                [4, 0, 0]])
    """
    given = list(sequences)
    if padding_side not in ("left", "right"):
        raise RangeError(f"pad_sequence: padding_side must be 'left' or 'right', got {padding_side!r}")
    if not given or any(x.ndim == 0 or x.shape[1:] != given[0].shape[1:] for x in given):
        raise ShapeError(
            "pad_sequence: expected sequences of shape (length, *) that differ only in length, got shapes "
            f"{[list(x.shape) for x in given]}"
        )
    longest = max(len(x) for x in given)
    rows = []
    for x in given:
        missing = longest - len(x)
        sides = (missing, 0) if padding_side == "left" else (0, missing)
        rows.append(pad(x, (0, 0) * (x.ndim - 1) + sides, value=padding_value) if missing else x)
    return stack(rows, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Any, batch_first: bool = False) -> list[Tensor]:
    """The sequences that `pad_sequence` made ``padded_sequences`` of, given their lengths.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.nn.utils.rnn import unpad_sequence
        >>> unpad_sequence(tc.tensor([[1, 2, 3], [4, 0, 0]]), tc.tensor([3, 1]), batch_first=True)
        [tensor([1, 2, 3]), tensor([4])]
    """
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    counts = lengths.tolist() if isinstance(lengths, Tensor) else list(lengths)
    if len(counts) != len(rows) or any(not 0 <= count <= rows.shape[1] for count in counts):
        raise ShapeError(
            f"unpad_sequence: expected {len(rows)} lengths up to {rows.shape[1]} for {list(padded_sequences.shape)}, "
            f"got {counts}"
        )
    return [row[:count] for row, count in zip(rows, counts, strict=True)]
