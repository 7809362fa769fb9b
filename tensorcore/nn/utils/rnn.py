"""Batches of sequences of several lengths."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple, Self

from tensorcore import dtypes
from tensorcore.errors import RangeError, ShapeError
from tensorcore.ops.creation import tensor
from tensorcore.ops.movement import stack
from tensorcore.ops.padding import pad
from tensorcore.tensor import Tensor

__all__ = [
    "PackedSequence", "invert_permutation", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence",
    "pad_sequence", "unpack_sequence", "unpad_sequence",
]  # fmt: skip


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Packed):
    """Sequences of several lengths without padding: all first elements, then all second ones, ...

    Attributes:
        data: (sum of the lengths, *).
        batch_sizes: how many sequences have an element at each step, as int64 on the CPU.
        sorted_indices: places of the sequences by falling length; ``None`` if they came sorted.
        unsorted_indices: the inverse of ``sorted_indices``.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.nn.utils.rnn import pack_sequence
        >>> pack_sequence([tc.tensor([1, 2, 3]), tc.tensor([4])]).data
        tensor([1, 4, 2, 3])
    """

    __slots__ = ()

    def __new__(
        cls, data: Any, batch_sizes: Tensor | None = None, sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> Self:  # fmt: skip
        if batch_sizes is None:
            if not isinstance(data, list | tuple) or len(data) != 2:
                raise AssertionError("PackedSequence: expected batch_sizes, or a pair (data, batch_sizes)")
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """The sequence with ``data.to(...)``; the indices follow to its device, ``batch_sizes`` stay."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        places = (None if x is None else x.to(data.device) for x in (self.sorted_indices, self.unsorted_indices))
        return type(self)(data, self.batch_sizes, *places)

    def cuda(self, device: Any = None, **kwargs: Any) -> Self:
        """The sequence on a CUDA device."""
        return self.to("cuda" if device is None else device, **kwargs)

    def cpu(self) -> Self:
        """The sequence on the CPU."""
        return self.to("cpu")

    def pin_memory(self) -> Self:
        """The sequence in pinned host memory."""
        places = (None if x is None else x.pin_memory() for x in (self.sorted_indices, self.unsorted_indices))
        return type(self)(self.data.pin_memory(), self.batch_sizes, *places)

    def is_pinned(self) -> bool:
        """Whether ``data`` lies in pinned host memory."""
        return bool(self.data.is_pinned())

    @property
    def is_cuda(self) -> bool:
        """Whether ``data`` is on a CUDA device."""
        return bool(self.data.is_cuda)

    def double(self) -> Self:
        """The sequence as float64."""
        return self.to(dtypes.float64)

    def float(self) -> Self:
        """The sequence as float32."""
        return self.to(dtypes.float32)

    def half(self) -> Self:
        """The sequence as float16."""
        return self.to(dtypes.float16)

    def long(self) -> Self:
        """The sequence as int64."""
        return self.to(dtypes.int64)

    def int(self) -> Self:
        """The sequence as int32."""
        return self.to(dtypes.int32)

    def short(self) -> Self:
        """The sequence as int16."""
        return self.to(dtypes.int16)

    def char(self) -> Self:
        """The sequence as int8."""
        return self.to(dtypes.int8)

    def byte(self) -> Self:
        """The sequence as uint8."""
        return self.to(dtypes.uint8)


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes ``permutation``; ``None`` of ``None``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.utils.rnn.invert_permutation(tc.tensor([2, 0, 1]))
        tensor([1, 2, 0])
    """
    return None if permutation is None else permutation.argsort()


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """The sequences of ``lengths`` in ``input`` (longest, N, *), or (N, longest, *) with ``batch_first``, packed.

    With ``enforce_sorted`` the lengths must not grow; without, the sequences are sorted here.

    Raises:
        RuntimeError: for lengths that are not positive, not one per sequence, or grow although they must not.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.nn.utils.rnn import pack_padded_sequence
        >>> padded = tc.tensor([[1, 2, 3], [4, 0, 0]])
        >>> pack_padded_sequence(padded, [3, 1], batch_first=True).batch_sizes
        tensor([2, 1, 1])
    """
    counts = [int(n) for n in (lengths.tolist() if isinstance(lengths, Tensor) else lengths)]
    rows = input.transpose(0, 1) if batch_first else input
    order = None
    if not enforce_sorted:
        order = sorted(range(len(counts)), key=counts.__getitem__, reverse=True)
        counts = [counts[place] for place in order]
    if len(counts) != rows.shape[1] or not counts:
        raise ShapeError(
            f"pack_padded_sequence: expected a length for each of {rows.shape[1]} sequences in shape "
            f"{list(input.shape)}, got {len(counts)}"
        )
    if min(counts) <= 0 or max(counts) > len(rows):
        raise ShapeError(f"pack_padded_sequence: lengths must be from 1 to {len(rows)}, got {counts}")
    if any(later > before for before, later in pairwise(counts)):
        raise ShapeError(
            f"pack_padded_sequence: lengths must not grow, got {counts}; sort the sequences or pass "
            "enforce_sorted=False"
        )
    sizes = [sum(count > step for count in counts) for step in range(counts[0])]
    places = None if order is None else tensor(order, device=input.device)
    if places is not None:
        rows = rows.index_select(1, places)
    if sizes[-1] == len(counts):
        data = rows[: len(sizes)].reshape(-1, *rows.shape[2:])
    else:
        width = len(counts)
        held = [step * width + place for step, count in enumerate(sizes) for place in range(count)]
        data = rows.reshape(-1, *rows.shape[2:])[tensor(held, device=input.device)]
    return PackedSequence(data, tensor(sizes, device="cpu"), places)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """The sequences padded to the longest, or to ``total_length``, in their first order; and their lengths.

    Raises:
        ValueError: for a ``total_length`` below the longest.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.nn.utils.rnn import pack_sequence, pad_packed_sequence
        >>> pad_packed_sequence(pack_sequence([tc.tensor([1, 2, 3]), tc.tensor([4])]), batch_first=True)[0]
        tensor([[1, 2, 3],
                [4, 0, 0]])
    """
    sizes = sequence.batch_sizes.tolist()
    longest = len(sizes)
    if total_length is not None and total_length < longest:
        raise RangeError(
            f"pad_packed_sequence: expected total_length to be at least the length of the longest sequence, {longest}, "
            f"got {total_length}"
        )
    data, width = sequence.data, sizes[0]
    held = [step * width + place for step, count in enumerate(sizes) for place in range(count)]
    height = total_length or longest
    if len(held) == height * width:
        flat = data
    else:
        flat = data.new_full((height * width, *data.shape[1:]), padding_value)
        flat = flat.index_put((tensor(held, device=data.device),), data)
    padded = flat.reshape(height, width, *data.shape[1:])
    lengths = tensor([sum(count > place for count in sizes) for place in range(width)], device="cpu")
    if batch_first:
        padded = padded.transpose(0, 1)
    if sequence.unsorted_indices is None:
        return padded, lengths
    return (
        padded.index_select(0 if batch_first else 1, sequence.unsorted_indices),
        lengths[sequence.unsorted_indices.to("cpu")],
    )


def pack_sequence(sequences: Iterable[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences of shapes (length, *) packed; see `pack_padded_sequence` for ``enforce_sorted``.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.nn.utils.rnn import pack_sequence
        >>> pack_sequence([tc.tensor([4]), tc.tensor([1, 2, 3])], enforce_sorted=False).data
        tensor([1, 4, 2, 3])
    """
    given = list(sequences)
    return pack_padded_sequence(pad_sequence(given), [len(x) for x in given], enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences that `pack_sequence` packed.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.nn.utils.rnn import pack_sequence, unpack_sequence
        >>> unpack_sequence(pack_sequence([tc.tensor([1, 2, 3]), tc.tensor([4])]))
        [tensor([1, 2, 3]), tensor([4])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)


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
