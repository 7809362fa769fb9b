"""Making sparse tensors of indices and values, and the checks of them."""

from __future__ import annotations

from typing import Any

from tensorcore.dtypes import FLOATING, DType, int32, int64
from tensorcore.errors import DimensionError, DTypeError, LayoutError, RangeError, ShapeError
from tensorcore.memory_format import sparse_coo, sparse_csc, sparse_csr, strided
from tensorcore.sparse.arrays import Compressed, flattened, wrapped
from tensorcore.sparse.graph import from_values, recorded, values_at, without_graph
from tensorcore.tensor import Tensor

__all__ = [
    "check_sparse_tensor_invariants", "empty", "sparse_compressed_tensor", "sparse_coo_tensor", "sparse_csc_tensor",
    "sparse_csr_tensor",
]  # fmt: skip


class check_sparse_tensor_invariants:  # noqa: N801 - PyTorch's name
    """Whether the functions that make sparse tensors check their arguments in full; they do unless told otherwise.

    A context manager and a decorator: ``check_sparse_tensor_invariants(False)`` leaves the checks of every index out.
    Arguments that do not fit one another in shape are refused always.
    """

    _enabled = True

    def __init__(self, enable: bool = True) -> None:
        self.state = enable

    @staticmethod
    def is_enabled() -> bool:
        """Whether the checks are made where ``check_invariants`` is not given."""
        return check_sparse_tensor_invariants._enabled

    @staticmethod
    def enable() -> None:
        """Make the checks."""
        check_sparse_tensor_invariants._enabled = True

    @staticmethod
    def disable() -> None:
        """Leave the checks out."""
        check_sparse_tensor_invariants._enabled = False

    def __enter__(self) -> None:
        self.before = check_sparse_tensor_invariants._enabled
        check_sparse_tensor_invariants._enabled = self.state

    def __exit__(self, *exc: object) -> None:
        check_sparse_tensor_invariants._enabled = self.before

    def __call__(self, function: Any) -> Any:
        import functools

        @functools.wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            with check_sparse_tensor_invariants(self.state):
                return function(*args, **kwargs)

        return checked


def _dense(op: str, name: str, data: Any, dtype: DType | None, device: Any) -> Tensor:
    from tensorcore.ops.creation import as_tensor

    made = as_tensor(data, dtype=dtype, device=device)
    if made._kind.sparse:
        raise LayoutError(f"{op}: {name} must be dense, got {made.layout}")
    return made


def _places(op: str, name: str, data: Any, device: Any, keep: bool = False) -> Tensor:
    made = _dense(op, name, data, None, device).detach()
    if made.dtype.category > FLOATING:
        raise DTypeError(f"{op}: {name} must be integers, got {made.dtype}")
    return made if keep and made.dtype is int32 else made.to(int64)


def _given_device(device: Any, *data: Any) -> Any:
    return device if device is not None else next((x.device for x in data if isinstance(x, Tensor)), None)


def _checked(check_invariants: bool | None) -> bool:
    return check_sparse_tensor_invariants._enabled if check_invariants is None else check_invariants


def _finished(made: Tensor, requires_grad: bool) -> Tensor:
    return made.requires_grad_() if requires_grad and made._node is None else made


def empty(size: Any, dtype: DType | None = None, device: Any = None, layout: Any = None) -> Tensor:
    """A sparse tensor of zeros: nothing is stored."""
    from tensorcore.ops.creation import zeros

    shape = tuple(int(side) for side in size)
    values = zeros((0,), dtype=dtype, device=device)
    if layout in (sparse_csr, sparse_csc):
        lines = shape[0 if layout is sparse_csr else 1]
        compressed = zeros((lines + 1,), dtype=int64, device=device)
        return wrapped(Compressed(layout, compressed, zeros((0,), dtype=int64, device=device), values, shape))
    return from_values(zeros((len(shape), 0), dtype=int64, device=device), values, shape, True)


def constant(name: str, value: Any, shape: tuple[int, ...], kind: Any, layout: Any) -> Tensor:
    """A tensor of ``value`` in the layout that a creation function was given, which must be zeros."""
    if layout not in (sparse_coo, sparse_csr, sparse_csc):
        raise LayoutError(f"{name}: expected layout strided, sparse_coo, sparse_csr or sparse_csc, got {layout!r}")
    if value != 0:
        raise LayoutError(f"{name}: a {layout} tensor cannot hold {value!r} everywhere; use layout=tc.strided")
    if layout is not sparse_coo and len(shape) != 2:
        raise ShapeError(f"{name}: {layout} is a layout of matrices, got size {list(shape)}")
    return empty(shape, kind.dtype, kind.device, layout)


def like(input: Tensor, value: Any, kind: Any, layout: Any, requires_grad: bool, name: str) -> Tensor:
    """Zeros of the shape and layout of a sparse tensor, with its numbers of sparse and dense dimensions."""
    if layout is strided:
        from tensorcore.ops.creation import full

        return full(tuple(input.shape), value, dtype=kind.dtype, device=kind.device, requires_grad=requires_grad)
    if value != 0:
        raise LayoutError(f"{name}: a {input.layout} tensor cannot hold {value!r} everywhere; give layout=tc.strided")
    array: Any = input._array
    if array.layout is not sparse_coo:
        return _finished(empty(array.shape, kind.dtype, kind.device, array.layout), requires_grad)
    values = array.values.new_zeros((0, *array.values.shape[1:]), dtype=kind.dtype, device=kind.device)
    indices = array.indices.new_zeros((array.indices.shape[0], 0), device=kind.device)
    return _finished(from_values(indices, values, array.shape, True), requires_grad)


def sparse_coo_tensor(
    indices: Any, values: Any = None, size: Any = None, *more: int, dtype: DType | None = None, device: Any = None,
    pin_memory: bool = False, requires_grad: bool = False, check_invariants: bool | None = None,
    is_coalesced: bool | None = None,
) -> Tensor:  # fmt: skip
    """A tensor of ``size`` that stores ``values[k]`` at ``indices[:, k]`` and is zero elsewhere (layout COO).

    ``indices`` has shape (sparse dims, count), ``values`` (count, \\*dense dims); equal coordinates add up. Called with
    a size alone, it stores nothing. Without ``size``, the smallest that holds the indices is taken.

    Raises:
        ShapeError: if the shapes do not fit one another.
        DimensionError: for an index outside ``size``, unless ``check_invariants`` is False.

    Example:
        >>> tc.sparse_coo_tensor([[0, 1], [2, 0]], [3.0, 4.0], (2, 3))
        tensor(indices=tensor([[0, 1],
                               [2, 0]]),
               values=tensor([3., 4.]),
               size=(2, 3), nnz=2, layout=tensorcore.sparse_coo)
    """
    op = "sparse_coo_tensor"
    if values is None or (isinstance(indices, int) and isinstance(values, int)):
        sides = [indices, values, size, *more] if isinstance(indices, int) else indices
        made = empty([side for side in sides if side is not None], dtype, device)
        return _finished(made, requires_grad)
    device = _given_device(device, values, indices)
    held = _dense(op, "values", values, dtype, device)
    held = held.unsqueeze(0) if held.ndim == 0 else held
    places = _places(op, "indices", indices, held.device)
    # PyTorch takes one row of indices for as many dimensions.
    places = places.unsqueeze(1) if places.ndim == 1 else places
    if places.ndim != 2:
        raise ShapeError(f"{op}: indices must have shape (sparse dims, count), got {list(places.shape)}")
    dims, count = places.shape
    if held.shape[0] != count:
        raise ShapeError(
            f"{op}: indices of shape {list(places.shape)} name {count} elements, values of shape {list(held.shape)} "
            f"hold {held.shape[0]}"
        )
    with without_graph():
        least = [0] * dims if not count or not dims else places.amin(1).tolist()
        most = [-1] * dims if not count or not dims else places.amax(1).tolist()
        if size is None:
            if not count and dims:
                raise ShapeError(f"{op}: without elements the size cannot be told from the indices; give size")
            shape = (*(side + 1 for side in most), *held.shape[1:])
        else:
            shape = tuple(int(side) for side in size)
        if len(shape) != dims + held.ndim - 1:
            raise ShapeError(
                f"{op}: size {list(shape)} must have as many sides as there are sparse dimensions ({dims}) and dense "
                f"ones ({held.ndim - 1})"
            )
        if tuple(held.shape[1:]) != shape[dims:]:
            raise ShapeError(f"{op}: values of shape {list(held.shape)} do not fit [{count}, *{list(shape[dims:])}]")
        if size is None or _checked(check_invariants):
            for place, (low, high, side) in enumerate(zip(least, most, shape, strict=False)):
                if low < 0 or high >= side:
                    wrong = low if low < 0 else high
                    raise DimensionError(
                        f"{op}: index {wrong} is outside dimension {place} of size {list(shape)}; "
                        "indices count from 0 and are not negative"
                    )
            if is_coalesced and count > 1 and dims:
                flat = flattened(places, shape[:dims])
                if not bool((flat[1:] > flat[:-1]).all()):
                    raise RangeError(f"{op}: is_coalesced is set, but the indices are not sorted and distinct")
    return _finished(from_values(places, held, shape, bool(is_coalesced)), requires_grad)


def _compressed(
    layout: Any, compressed: Any, plain: Any, values: Any, size: Any, dtype: DType | None, device: Any,
    requires_grad: bool, check_invariants: bool | None,
) -> Tensor:  # fmt: skip
    op = f"{layout.name}_tensor"
    device = _given_device(device, values, compressed)
    held = _dense(op, "values", values, dtype, device)
    first, second = ("crow_indices", "col_indices") if layout is sparse_csr else ("ccol_indices", "row_indices")
    starts = _places(op, first, compressed, held.device, keep=True)
    within = _places(op, second, plain, held.device, keep=True)
    if starts.ndim != 1 or within.ndim != 1 or held.ndim != 1:
        raise ShapeError(
            f"{op}: {first}, {second} and values must be 1-d, got shapes {list(starts.shape)}, {list(within.shape)} "
            f"and {list(held.shape)}"
        )
    if within.shape != held.shape:
        raise ShapeError(f"{op}: {second} of shape {list(within.shape)} and values of shape {list(held.shape)} differ")
    if starts.dtype is not within.dtype:
        raise DTypeError(f"{op}: {first} is {starts.dtype} and {second} {within.dtype}; they must agree")
    if size is None:
        pair: tuple[Any, ...] = (starts.shape[0] - 1, int(within.max().item()) + 1 if within.shape[0] else 0)
        shape: tuple[Any, ...] = pair if layout is sparse_csr else pair[::-1]
    else:
        shape = tuple(int(side) for side in size)
    if len(shape) != 2:
        raise ShapeError(f"{op}: size must have 2 sides, got {list(shape)}")
    lines, width = shape if layout is sparse_csr else shape[::-1]
    if _checked(check_invariants):
        with without_graph():
            _check_lines(op, (first, starts, lines), (second, within, width), shape)
    out = wrapped(Compressed(layout, starts, within, held.detach(), shape))
    shown = "SparseCompressedTensorBackward0"
    return _finished(recorded(shown, (held,), out, lambda g: values_at(g, out)), requires_grad)


def _check_lines(op: str, starts: tuple[str, Tensor, int], within: tuple[str, Tensor, int], shape: Any) -> None:
    name, first, lines = starts
    if first.shape[0] != lines + 1:
        raise ShapeError(f"{op}: {name} must have {lines + 1} elements for size {list(shape)}, got {first.shape[0]}")
    count = within[1].shape[0]
    if int(first[0].item()) != 0 or int(first[-1].item()) != count:
        raise RangeError(
            f"{op}: {name} must start at 0 and end at the number of elements, {count}; it has {first[0].item()} and "
            f"{first[-1].item()}"
        )
    lengths = first[1:] - first[:-1]
    if lines and bool((lengths < 0).any()):
        raise RangeError(f"{op}: {name} must not decrease")
    name, places, width = within
    if count and (int(places.min().item()) < 0 or int(places.max().item()) >= width):
        raise DimensionError(f"{op}: {name} must lie in [0, {width}) for size {list(shape)}")
    if count > 1:
        from tensorcore.ops.ranges import arange

        line = arange(lines, device=places.device).repeat_interleave(lengths.to(int64))
        if bool(((line[1:] == line[:-1]) & (places[1:] <= places[:-1])).any()):
            raise RangeError(f"{op}: {name} must be sorted and distinct within each line")


def sparse_csr_tensor(
    crow_indices: Any, col_indices: Any, values: Any, size: Any = None, *, dtype: DType | None = None,
    device: Any = None, pin_memory: bool = False, requires_grad: bool = False, check_invariants: bool | None = None,
) -> Tensor:  # fmt: skip
    """A matrix row by row (layout CSR): row ``i`` has ``values[k]`` in column ``col_indices[k]`` for the ``k`` from
    ``crow_indices[i]`` to ``crow_indices[i + 1]``.

    Raises:
        ShapeError, DTypeError, RangeError, DimensionError: for parts that do not fit one another or ``size``; the
            elements are looked at unless ``check_invariants`` is False.

    Example:
        >>> tc.sparse_csr_tensor([0, 1, 2], [1, 0], [3.0, 4.0]).to_dense()
        tensor([[0., 3.],
                [4., 0.]])
    """
    return _compressed(
        sparse_csr, crow_indices, col_indices, values, size, dtype, device, requires_grad, check_invariants
    )


def sparse_csc_tensor(
    ccol_indices: Any, row_indices: Any, values: Any, size: Any = None, *, dtype: DType | None = None,
    device: Any = None, pin_memory: bool = False, requires_grad: bool = False, check_invariants: bool | None = None,
) -> Tensor:  # fmt: skip
    """A matrix column by column (layout CSC); see `sparse_csr_tensor`, with rows and columns exchanged."""
    return _compressed(
        sparse_csc, ccol_indices, row_indices, values, size, dtype, device, requires_grad, check_invariants
    )


def sparse_compressed_tensor(
    compressed_indices: Any, plain_indices: Any, values: Any, size: Any = None, *, dtype: DType | None = None,
    layout: Any = None, device: Any = None, pin_memory: bool = False, requires_grad: bool = False,
    check_invariants: bool | None = None,
) -> Tensor:  # fmt: skip
    """A matrix of the layout ``sparse_csr`` or ``sparse_csc``.

    Raises:
        LayoutError: for another layout; more in `sparse_csr_tensor`.
    """
    if layout not in (sparse_csr, sparse_csc):
        raise LayoutError(f"sparse_compressed_tensor: expected layout sparse_csr or sparse_csc, got {layout!r}")
    return _compressed(
        layout, compressed_indices, plain_indices, values, size, dtype, device, requires_grad, check_invariants
    )
