"""What a sparse tensor holds, and the kinds of sparse arrays.

A sparse tensor is a `Tensor` whose array is a `Coordinates` or a `Compressed`, made of dense tensors, and whose kind is
a `SparseKind`. Dense tensors never see either: their kinds and tables are as they were.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NoReturn

from tensorcore.devices import Kind
from tensorcore.dtypes import DType
from tensorcore.errors import LayoutError
from tensorcore.memory_format import layout, sparse_coo
from tensorcore.tensor import Tensor, wrap

if TYPE_CHECKING:
    from tensorcore.ops.record import Op

__all__ = [
    "Compressed", "Coordinates", "SparseKind", "coordinates", "flattened", "sparse_kind", "unflattened", "wrapped",
]  # fmt: skip


class Coordinates:
    """Elements by their coordinates: ``values[k]`` belongs at ``indices[:, k]``; equal coordinates add up.

    ``indices`` is int64 of shape (sparse dims, count), ``values`` has shape (count, *dense dims); both are outside
    autograd. ``coalesced`` says that the coordinates are sorted and distinct.
    """

    __slots__ = ("coalesced", "indices", "shape", "values")

    layout: Final = sparse_coo

    def __init__(self, indices: Tensor, values: Tensor, shape: tuple[int, ...], coalesced: bool) -> None:
        self.indices = indices
        self.values = values
        self.shape = shape
        # Fewer than two elements are always in order.
        self.coalesced = coalesced or indices._array.shape[1] < 2

    @property
    def sides(self) -> tuple[int, ...]:
        """The sides of the sparse dimensions."""
        return self.shape[: self.indices._array.shape[0]]

    def with_values(self, values: Tensor) -> Coordinates:
        """Other values at the same coordinates."""
        return Coordinates(self.indices, values, self.shape, self.coalesced)

    def parts(self) -> tuple[Any, ...]:
        """The dense tensors it is made of."""
        return (self.indices, self.values)

    def become(self, other: Any) -> None:
        """Take over the content of ``other``, so that every tensor over this array sees it."""
        self.indices, self.values, self.shape, self.coalesced = (
            other.indices, other.values, other.shape, other.coalesced
        )  # fmt: skip


class Compressed:
    """A matrix line by line: the elements of line ``i`` are ``values[compressed[i]:compressed[i+1]]``.

    ``plain`` holds the place of each within its line. Lines are rows in the layout ``sparse_csr``, columns in
    ``sparse_csc``.
    """

    __slots__ = ("compressed", "layout", "plain", "shape", "values")

    coalesced: Final = True

    def __init__(
        self, layout: layout, compressed: Tensor, plain: Tensor, values: Tensor, shape: tuple[int, ...]
    ) -> None:
        self.layout = layout
        self.compressed = compressed
        self.plain = plain
        self.values = values
        self.shape = shape

    def with_values(self, values: Tensor) -> Compressed:
        """Other values at the same places."""
        return Compressed(self.layout, self.compressed, self.plain, values, self.shape)

    def parts(self) -> tuple[Any, ...]:
        """The dense tensors it is made of."""
        return (self.compressed, self.plain, self.values)

    def become(self, other: Any) -> None:
        """Take over the content of ``other``, so that every tensor over this array sees it."""
        self.compressed, self.plain, self.values, self.shape = (
            other.compressed, other.plain, other.values, other.shape
        )  # fmt: skip


# ------------------------------------------------------------------ kinds


class _NoMemory:
    """The backend of sparse kinds: what asks for the elements in memory is refused, what describes them is answered."""

    host_memory = False
    array_type = object

    def __init__(self, kind: SparseKind) -> None:
        self._kind = kind

    def strides(self, array: Any) -> tuple[int, ...]:
        """PyTorch's strides of a sparse tensor: zeros."""
        return (0,) * len(array.shape)

    def is_contiguous(self, array: Any) -> bool:
        """Never: there is no row-major memory."""
        return False

    def item(self, array: Any, dtype: DType) -> Any:
        """The one element."""
        from tensorcore.sparse.conversion import to_dense

        return to_dense(wrapped(array)).item()

    def to_host(self, array: Any, *dtype: Any) -> NoReturn:
        """Refused: the elements are not one array."""
        raise LayoutError(
            f"the elements of a {self._kind.layout.name} tensor of shape {list(array.shape)} are not in one array, "
            "which this needs; call .to_dense() first"
        )

    data_ptr = to_list = to_host

    def __getattr__(self, name: str) -> NoReturn:
        raise LayoutError(f"a {self._kind.layout.name} tensor cannot do this ({name}); call .to_dense() first")


class SparseKind(Kind):
    """The arrays of one sparse layout over a dense kind.

    Its table has the kernels of steps that work value by value or move indices; for every other op it has ``None``,
    which leads the door to `tensorcore.sparse.door`.
    """

    __slots__ = ("dense", "layout")

    sparse = True

    def __init__(self, dense: Kind, layout: layout) -> None:
        self.dense = dense
        self.layout = layout
        self.device = dense.device
        self.ordinal = dense.ordinal
        self.dtype = dense.dtype
        self.backend: Any = _NoMemory(self)
        self.array_type = Coordinates if layout is sparse_coo else Compressed
        self.as_array = lambda value: value
        self.assign = None  # type: ignore[assignment]
        self.mutable = False
        self.views = False
        self.table: Any = _SparseTable(self)
        self.scalars = {}
        self.writers = {}

    def sibling(self, dtype: DType) -> Kind:
        return sparse_kind(self.dense.sibling(dtype), self.layout)

    def writer(self, op: Op) -> None:
        return None

    def scalar(self, value: complex) -> Tensor:
        return self.dense.scalar(value)

    def __repr__(self) -> str:
        return f"<kind {self.layout.name} {self.dtype.name} on {self.device}>"


class _SparseTable:
    __slots__ = ("kind",)

    def __init__(self, kind: SparseKind) -> None:
        self.kind = kind

    def __getitem__(self, op: Op) -> Any:
        kernel = _KERNELS.get(op.name)
        if kernel is None:
            return None
        return kernel, None if op.name == "cast" else self.kind


#: Steps whose gradient rule is that of the dense op: linear, and written in ops that sparse cotangents pass.
_KERNELS: Final = {
    "alias": lambda array: array,
    "cast": lambda array, dtype: array.with_values(array.values.to(dtype)),
    "copy": lambda array: array.with_values(array.values.clone()),
    "neg": lambda array: array.with_values(-array.values),
}

_kinds: Final[dict[tuple[Kind, layout], SparseKind]] = {}


def sparse_kind(dense: Kind, layout: layout) -> SparseKind:
    """The kind of sparse arrays with values of the kind ``dense``."""
    found = _kinds.get((dense, layout))
    if found is None:
        found = _kinds.setdefault((dense, layout), SparseKind(dense, layout))
    return found


def wrapped(array: Any) -> Tensor:
    """A tensor over a sparse array."""
    return wrap(array, sparse_kind(array.values._kind, array.layout))


def coordinates(indices: Tensor, values: Tensor, shape: tuple[int, ...], coalesced: bool = False) -> Tensor:
    """A COO tensor of these parts, outside autograd."""
    return wrapped(Coordinates(indices, values, tuple(shape), coalesced))


def strides_of(sides: tuple[int, ...]) -> list[int]:
    """How far apart, in row-major order, neighbours of each dimension are."""
    return [math.prod(sides[place + 1 :]) for place in range(len(sides))]


def flattened(indices: Tensor, sides: tuple[int, ...]) -> Tensor:
    """The place of each column of ``indices`` in row-major order."""
    if len(sides) == 1:
        return indices[0]
    from tensorcore.ops.creation import tensor

    strides = tensor(strides_of(sides), dtype=indices.dtype, device=indices.device)
    return (indices * strides.unsqueeze(1)).sum(0)


def unflattened(places: Tensor, sides: tuple[int, ...]) -> Tensor:
    """The columns of coordinates of places in row-major order."""
    from tensorcore.ops.movement import stack

    if not sides:
        return places.new_zeros((0, places.shape[0]))
    return stack([
        places // stride % side if place else places // stride
        for place, (side, stride) in enumerate(zip(sides, strides_of(sides), strict=True))
    ])  # fmt: skip
