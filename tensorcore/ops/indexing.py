"""Indexing: primitives for basic and integer-array indices, and PyTorch's and NumPy's index expressions over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import BOOL, FLOATING, INTEGER, bool_, int64, uint8
from tensorcore.errors import DimensionError, DTypeError, RangeError, ShapeError
from tensorcore.ops.movement import expand, flip, reshape
from tensorcore.ops.record import composite, primitive
from tensorcore.ops.rules import same
from tensorcore.shapes import broadcast_shapes, normalize_dim

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

# ------------------------------------------------------------------ primitives


def _zeros(shape: tuple[int, ...], like: Any) -> Any:
    from tensorcore.ops.creation import zeros

    return zeros(shape, dtype=like.dtype, device=like.device)


@primitive(
    rule=same, vjp=lambda g, input_shape, index: basic_index_put.emit(_zeros(input_shape, g), g, index=index), view=True,
    put=lambda base, value, index: basic_index_put.emit(base, value, index=index), namespaces=(), ulp=0,
    shown="SliceBackward0",
    samples=({"shapes": ((3, 4),), "args": ((1, slice(0, 4, 2)),)}, {"shapes": ((3, 4),), "args": ((slice(1, 3, 1), slice(0, 0, 1)),)}),
)  # fmt: skip
def basic_index(input: Tensor, index: tuple[Any, ...]) -> Tensor:
    """A view of a regular part: per dimension an int from 0, which drops it, or a slice of three ints with step > 0."""
    return basic_index.emit(input, index=index)


@primitive(
    rule=same, promotes=("input", "value"),
    vjp=(lambda g, value_shape, index: basic_index_put.emit(g, _zeros(value_shape, g), index=index),
         lambda g, index: basic_index.emit(g, index=index)), namespaces=(), ulp=0,
    samples=({"shapes": ((3, 4), (2,)), "args": ((1, slice(0, 4, 2)),)},),
)  # fmt: skip
def basic_index_put(input: Tensor, value: Tensor, index: tuple[Any, ...]) -> Tensor:
    """A copy of ``input`` whose part at ``index`` (as `basic_index` takes it) is ``value``, of exactly its shape."""
    return basic_index_put.emit(input, value, index=index)


@primitive(
    rule=same, operands=("input", "*indices"), promotes=("input",),
    vjp=(lambda g, input_shape, indices: index_put.emit(_zeros(input_shape, g), g, *indices, accumulate=True),),
    namespaces=(), ulp=0, samples=({"shapes": ((3, 4), (2, 2)), "dtypes": (None, "int64"), "domains": (None, (0, 3))},),
)  # fmt: skip
def index(input: Tensor, *indices: Tensor) -> Tensor:
    """Elements of the leading dimensions at int64 ``indices`` (from 0) of one shape; that shape, then the other sides.

    Kernels raise IndexError for an index outside its dimension.
    """
    return index.emit(input, *indices)


#: The op `index`, for functions whose argument has that name.
take = index


@primitive(
    rule=same, operands=("input", "value", "*indices"), promotes=("input", "value"),
    vjp=(lambda g, indices, value_shape, accumulate: g if accumulate else index_put.emit(g, _zeros(value_shape, g), *indices, accumulate=False),
         lambda g, indices: index.emit(g, *indices)),
    namespaces=(), ulp=4,
    samples=({"shapes": ((3, 4), (2, 4), (2,)), "dtypes": (None, None, "int64"), "domains": (None, None, (0, 3)), "accumulate": True},),
)  # fmt: skip
def index_put(input: Tensor, value: Tensor, *indices: Tensor, accumulate: bool = False) -> Tensor:
    """A copy of ``input`` with ``value`` written, or added, at ``indices`` as `index` takes them.

    ``value`` has exactly the shape that `index` returns. Where an index comes twice, adding counts both; writing keeps
    the last.
    """
    return index_put.emit(input, value, *indices, accumulate=accumulate)


def _sides(op: str, input: Any, index: Any, dim: int) -> int:
    place = normalize_dim(dim, input.ndim, op)
    if index.dtype.category != INTEGER:
        raise DTypeError(f"{op}: index must be an integer tensor, got {index.dtype}")
    if index.ndim != input.ndim:
        raise ShapeError(
            f"{op}: index has {index.ndim} dimensions, input {input.ndim}: shapes {list(index.shape)} and {list(input.shape)}"
        )
    for d, (side, limit) in enumerate(zip(index.shape, input.shape, strict=True)):
        if d != place and side > limit:
            raise ShapeError(
                f"{op}: side {side} of index exceeds {limit} of input at dimension {d}: shapes {list(index.shape)} and {list(input.shape)}"
            )
    return place


@primitive(
    rule=same, promotes=("input",), ulp=0,
    vjp=(lambda g, input_shape, index, dim: scatter.emit(_zeros(input_shape, g), index, g, dim=dim, reduce="sum"), None),
    samples=({"shapes": ((3, 4), (2, 4)), "dtypes": (None, "int64"), "domains": (None, (0, 3)), "order": (0, "dim", 1), "dim": 0},),
)  # fmt: skip
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """Elements at places ``index`` along ``dim``; the sides of ``index`` may be smaller than the input's elsewhere.

    Kernels raise IndexError for an index outside the dimension.
    """
    if input.ndim == 0:
        return gather(input.reshape(1), 0, index.reshape(-1)).reshape(index.shape)
    return gather.emit(input, index.to(int64), dim=_sides("gather", input, index, dim))


@primitive(
    rule=same, operands=("input", "index", "src"), promotes=("input", "src"), inplace=True,
    vjp=(lambda g, index, src_shape, dim, reduce: _scatter_input_rule(g, index, src_shape, dim, reduce), None,
         lambda g, index, dim: gather.emit(g, index, dim=dim)),
    samples=({"shapes": ((3, 4), (2, 4), (2, 4)), "dtypes": (None, "int64", None), "domains": (None, (0, 3), None), "order": (0, "dim", 1, 2), "dim": 0, "distinct": True},),
)  # fmt: skip
def scatter(
    input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Tensor:
    """A copy of ``input`` with ``src`` written at places ``index`` along ``dim``, or added or multiplied there.

    The kernel's ``reduce`` is one of ``"set"``, ``"sum"``, ``"prod"``, ``"amax"``, ``"amin"``, and its ``src`` has the shape
    of ``index``; where a place comes twice, ``"set"`` keeps the last. It raises IndexError for an index outside the dimension.
    """
    from tensorcore.tensor import Tensor as TensorClass

    kinds = {None: "set", "add": "sum", "multiply": "prod"}
    if reduce not in kinds:
        raise RangeError(f"scatter: reduce must be 'add' or 'multiply', got {reduce!r}")
    if (src is None) == (value is None):
        raise TypeError("scatter: expected either src or value")
    src = value if src is None else src
    place = _sides("scatter", input, index, dim)
    if not isinstance(src, TensorClass):
        src = expand(input._kind.scalar(src), index.shape)
    elif src.dtype is not input.dtype:
        raise DTypeError(f"scatter: src must have the dtype of input, got {src.dtype} and {input.dtype}")
    return scatter.emit(input, index.to(int64), _source("scatter", src, index), dim=place, reduce=kinds[reduce])


def _source(op: str, src: Any, index: Any) -> Any:
    if src.ndim != index.ndim or any(a < b for a, b in zip(src.shape, index.shape, strict=True)):
        raise ShapeError(f"{op}: src of shape {list(src.shape)} is smaller than index of shape {list(index.shape)}")
    if src.shape == index.shape:
        return src
    return basic_index.emit(src, index=tuple(slice(0, side, 1) for side in index.shape))


def _scatter_input_rule(g: Any, index: Any, src_shape: Any, dim: int, reduce: str) -> Any:
    if reduce == "sum":
        return g
    if reduce == "set":
        return scatter.emit(g, index, _zeros(src_shape, g), dim=dim, reduce="set")
    raise NotImplementedError(f"scatter: no gradient for reduce={reduce!r}")


@composite(inplace=True,
    samples=({"shapes": ((3, 4), (2, 4), (2, 4)), "dtypes": (None, "int64", None), "domains": (None, (0, 3), None), "order": (0, "dim", 1, 2), "dim": 0},))  # fmt: skip
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """A copy of ``input`` with ``src`` added at places ``index`` along ``dim``."""
    return scatter(input, dim, index, src, reduce="add")


@primitive(rule=lambda dtype, op: (dtype, int64), namespaces=(), ulp=0, samples=({"shapes": ((3, 4),)},))
def nonzero_places(input: Tensor) -> Tensor:
    """int64 indices of the elements that are not zero, a row each, in row-major order: shape (count, dimensions)."""


@composite(samples=({"shapes": ((3, 4),)},))
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """Indices of the elements that are not zero, a row each; with ``as_tuple``, a tensor per dimension."""
    from tensorcore.compile.capture import reading

    reading(input, "nonzero")
    places = nonzero_places.emit(input)
    if not as_tuple:
        return places
    if input.ndim == 0:
        return nonzero(input.reshape(1), as_tuple=True)
    return tuple(places.unbind(1))


@composite(
    samples=(
        {
            "shapes": ((5, 3), (4,)),
            "dtypes": (None, "int64"),
            "domains": (None, (0, 3)),
            "order": (0, "dim", 1),
            "dim": 0,
        },
    )
)
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """Slices of ``input`` along ``dim`` at the places in the 1-d tensor ``index``."""
    if index.ndim > 1:
        raise DimensionError(f"index_select: index must be 1-d, got shape {list(index.shape)}")
    if index.dtype.category != INTEGER:
        raise DTypeError(f"index_select: index must be an integer tensor, got {index.dtype}")
    place = normalize_dim(dim, input.ndim, "index_select")
    picked = take.emit(input.movedim(place, 0), index.reshape(-1).to(int64))
    return picked.movedim(0, place)


@composite(samples=({"shapes": ((3, 4), (3, 4)), "dtypes": (None, "bool")},))
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where ``mask`` is true, in one dimension."""
    shape = broadcast_shapes(input.shape, mask.shape)
    return expand(input, shape)[expand(mask, shape)]


@composite(inplace=True, samples=({"shapes": ((3, 4), (4,)), "dtypes": (None, "bool"), "args": (2.0,)},))
def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """``input`` with ``value`` where ``mask`` is true."""
    from tensorcore.ops.elementwise import where

    if mask.dtype.category != BOOL:
        raise DTypeError(f"masked_fill: mask must be a bool tensor, got {mask.dtype}")
    return where(mask, value if not hasattr(value, "_array") else value.to(input.dtype), input).to(input.dtype)


# ------------------------------------------------------------------ index expressions


class Plan:
    """An index expression in steps: basic part, flips, new dimensions, then integer arrays."""

    __slots__ = ("arrays", "basic", "dims", "flips", "shape")

    basic: tuple[Any, ...]
    flips: tuple[int, ...]
    shape: tuple[int, ...]
    dims: tuple[int, ...]
    arrays: tuple[Any, ...]


def _parse(input: Any, key: Any) -> Plan:
    """Read an index expression against the shape of ``input``, by NumPy's rules."""
    from tensorcore.tensor import Tensor as TensorClass

    items = list(key) if isinstance(key, tuple) else [key]
    items = [_as_index(item, input) for item in items]
    ndim = input.ndim
    used = sum(_width(item) for item in items)
    ellipses = [i for i, item in enumerate(items) if item is Ellipsis]
    if len(ellipses) > 1:
        raise DimensionError("index: '...' may come once only")
    if used > ndim:
        raise DimensionError(f"index: {used} indices for a tensor of {ndim} dimensions, shape {list(input.shape)}")
    at = ellipses[0] if ellipses else len(items)
    items[at : at + bool(ellipses)] = [slice(None)] * (ndim - used)
    basic: list[Any] = []
    flips: list[int] = []
    shape: list[int] = []
    dims: list[int] = []
    arrays: list[Any] = []
    for item in items:
        if item is None:
            shape.append(1)
            continue
        if isinstance(item, TensorClass) and item.dtype.category == BOOL:
            sides = tuple(input.shape[len(basic) : len(basic) + item.ndim])
            if tuple(item.shape) != sides:
                raise DimensionError(
                    f"index: a mask of shape {list(item.shape)} does not fit sides {list(sides)} of shape {list(input.shape)} from dimension {len(basic)} on"
                )
            if item.ndim == 0:
                dims.append(len(shape))
                shape.append(1)
                arrays.append(nonzero(item.reshape(1))[:, 0])
                continue
            for side, places in zip(sides, nonzero(item, as_tuple=True), strict=True):
                basic.append(slice(0, side, 1))
                dims.append(len(shape))
                shape.append(side)
                arrays.append(places)
            continue
        side = input.shape[len(basic)]
        if isinstance(item, TensorClass):
            basic.append(slice(0, side, 1))
            dims.append(len(shape))
            shape.append(side)
            arrays.append(_from_zero(item, side))
        elif isinstance(item, slice):
            start, stop, step = item.indices(side)
            count = len(range(start, stop, step))
            if step < 0:
                flips.append(len(shape))
                start, stop, step = start + (count - 1) * step, start + 1, -step
            basic.append(slice(start, max(stop, start), step) if count else slice(0, 0, 1))
            shape.append(count)
        else:
            if not -side <= item < side:
                raise DimensionError(
                    f"index {item} is out of range for dimension {len(basic)} of shape {list(input.shape)}"
                )
            basic.append(item % side)
    plan = Plan()
    plan.basic, plan.flips, plan.shape = tuple(basic), tuple(flips), tuple(shape)
    plan.dims, plan.arrays = tuple(dims), tuple(arrays)
    return plan


def _as_index(item: Any, input: Any) -> Any:
    from tensorcore.tensor import Tensor as TensorClass

    if item is None or item is Ellipsis or isinstance(item, slice):
        return item
    if isinstance(item, TensorClass):
        if item.dtype.category >= FLOATING:
            raise DimensionError(f"index: tensors used as indices must be integer or bool, got {item.dtype}")
        # PyTorch's masks of old: uint8 stands for bool.
        return item.to(bool_) if item.dtype is uint8 else item
    if isinstance(item, bool):
        from tensorcore.ops.creation import tensor

        return tensor(item, device=input.device)
    # NumPy's arrays have __index__ too, for the 0-d among them.
    if hasattr(item, "__index__") and not getattr(item, "shape", ()):
        return item.__index__()
    if isinstance(item, (list, tuple, range)) or hasattr(item, "__array__"):
        from tensorcore.ops.creation import tensor

        made = tensor(item, device=input.device)
        if made.numel() == 0:
            made = made.to(int64)
        return _as_index(made, input)
    refusal = TypeError if isinstance(item, (str, bytes)) else DimensionError
    raise refusal(f"index: expected ints, slices, '...', None, or integer or bool tensors, got {type(item).__name__}")


def _width(item: Any) -> int:
    if item is None or item is Ellipsis:
        return 0
    if hasattr(item, "_array") and item.dtype.category == BOOL:
        return int(item.ndim)
    return 1


def _from_zero(places: Any, side: int) -> Any:
    """Negative places counted from the front; out-of-range ones are left for the kernel to refuse."""
    from tensorcore.ops.elementwise import lt, where

    places = places.to(int64)
    return where(lt(places, 0), places + side, places)


def _is_whole(plan: Plan, shape: Sequence[int]) -> bool:
    return all(
        isinstance(item, slice) and item == slice(0, side, 1) for item, side in zip(plan.basic, shape, strict=True)
    )


def _basic_part(input: Any, plan: Plan) -> Any:
    out = input
    if not _is_whole(plan, input.shape):
        out = basic_index.emit(out, index=plan.basic)
    if tuple(out.shape) != plan.shape:
        out = reshape.emit(out, shape=plan.shape)
    if plan.flips:
        out = flip(out, plan.flips)
    return out if out is not input else input.alias()


def _order(plan: Plan) -> tuple[tuple[int, ...], int]:
    """The order that brings the indexed dimensions to the front, and where the result's new ones then belong."""
    rest = [d for d in range(len(plan.shape)) if d not in plan.dims]
    adjacent = plan.dims == tuple(range(plan.dims[0], plan.dims[0] + len(plan.dims)))
    return (*plan.dims, *rest), plan.dims[0] if adjacent else 0


def _plain(shape: Sequence[int], key: Any) -> tuple[Any, ...] | None:
    """The attribute of `basic_index` for a key of ints in range and forward slices; ``None`` for any other key."""
    items = key if type(key) is tuple else (key,)
    if len(items) > len(shape):
        return None
    index: list[Any] = []
    for item, side in zip(items, shape, strict=False):
        if type(item) is int:
            if not -side <= item < side:
                return None
            index.append(item if item >= 0 else item + side)
        elif type(item) is slice:
            start, stop, step = item.indices(side)
            if step < 0 or stop < start:
                return None
            index.append(slice(start, stop, step))
        else:
            return None
    index.extend([slice(0, side, 1) for side in shape[len(items) :]])
    return tuple(index)


def getitem(input: Any, key: Any) -> Any:
    """``input[key]``: a view for ints, slices, ``...`` and ``None``; a copy for integer or bool tensors."""
    index = _plain(input._array.shape, key)
    if index is not None:
        return basic_index.emit(input, index=index)
    plan = _parse(input, key)
    out = _basic_part(input, plan)
    if not plan.arrays:
        return out
    order, home = _order(plan)
    arrays = _aligned(plan)
    picked = take.emit(out.permute(order), *arrays)
    count = arrays[0].ndim
    if home == 0:
        return picked
    total = picked.ndim
    rest = [*range(count, total)]
    return picked.permute([*rest[:home], *range(count), *rest[home:]])


def _aligned(plan: Plan) -> tuple[Any, ...]:
    try:
        shape = broadcast_shapes(*(a.shape for a in plan.arrays))
    except ShapeError as misfit:
        raise DimensionError(f"index: the index tensors do not broadcast: {misfit}") from None
    return tuple(expand(a, shape) if tuple(a.shape) != tuple(shape) else a for a in plan.arrays)


def setitem(input: Any, key: Any, value: Any) -> None:
    """``input[key] = value``, in place."""
    from tensorcore.ops.inplace import write
    from tensorcore.tensor import Tensor as TensorClass

    if not isinstance(value, TensorClass):
        from tensorcore.ops.creation import tensor

        value = tensor(value, dtype=input.dtype, device=input.device)
    plan = _parse(input, key)
    if not plan.arrays and not plan.flips:
        part = _basic_part(input, plan)
        write(part, _fitted(value, tuple(part.shape), input), "setitem")
        return
    if not plan.arrays:
        part = _basic_part(input, _without_flips(plan))
        write(part, flip(_fitted(value, plan.shape, input), plan.flips), "setitem")
        return
    part = _basic_part(input, _without_flips(plan))
    order, home = _order(plan)
    arrays = _aligned(plan)
    moved = part.permute(order)
    count = arrays[0].ndim
    rest = tuple(moved.shape[len(plan.dims) :])
    visible = (*rest[:home], *arrays[0].shape, *rest[home:])
    value = _fitted(value, visible, input)
    if home:
        value = value.permute([*range(home, home + count), *range(home), *range(home + count, value.ndim)])
    if plan.flips:
        value = flip(value, tuple(count + order[len(plan.dims) :].index(d) for d in plan.flips))
    write(moved, index_put.emit(moved, value, *arrays, accumulate=False), "setitem")


def _without_flips(plan: Plan) -> Plan:
    plain = Plan()
    plain.basic, plain.flips, plain.shape, plain.dims, plain.arrays = plan.basic, (), plan.shape, plan.dims, plan.arrays
    return plain


def _fitted(value: Any, shape: tuple[int, ...], input: Any) -> Any:
    while value.ndim > len(shape) and value.shape[0] == 1:
        value = value.squeeze(0)
    try:
        value = value if tuple(value.shape) == tuple(shape) else expand(value, shape)
    except ShapeError:
        raise ShapeError(
            f"setitem: a value of shape {list(value.shape)} does not fit the indexed part of shape {list(shape)}"
        ) from None
    return value.to(input.dtype)


__all__ = [
    "basic_index",
    "basic_index_put",
    "gather",
    "getitem",
    "index_put",
    "index_select",
    "nonzero",
    "scatter",
    "setitem",
]
