"""``x[key]`` and ``x[key] = value``: PyTorch's and NumPy's index expressions over the primitives of `indexing`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tensorcore.dispatch import is_busy
from tensorcore.dtypes import BOOL, FLOATING, bool_, int64, uint8
from tensorcore.errors import DimensionError, ShapeError
from tensorcore.ops.conversion import alias
from tensorcore.ops.creation import tensor
from tensorcore.ops.elementwise import where
from tensorcore.ops.indexing import from_front, index_put, nonzero, take
from tensorcore.ops.inplace import store, update_at, write
from tensorcore.ops.movement import expand, flip, reshape
from tensorcore.ops.parts import basic_index, index_at, selected
from tensorcore.shapes import broadcast_shapes, kept
from tensorcore.tensor import Tensor as TensorClass

__all__ = ["from_zero", "getitem", "setitem"]


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
            # A side of 0 picks nothing wherever it is, as in NumPy.
            if item.ndim != len(sides) or any([m not in (0, side) for m, side in zip(item.shape, sides, strict=True)]):
                raise DimensionError(
                    f"index: a mask of shape {list(item.shape)} does not fit sides {list(sides)} of shape "
                    f"{list(input.shape)} from dimension {len(basic)} on"
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
            arrays.append(from_zero(item, side))
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
    if item is None or item is Ellipsis or isinstance(item, slice):
        return item
    if isinstance(item, TensorClass):
        if item.dtype.category >= FLOATING:
            raise DimensionError(f"index: tensors used as indices must be integer or bool, got {item.dtype}")
        # PyTorch's masks of old: uint8 stands for bool.
        return item.to(bool_) if item.dtype is uint8 else item
    if isinstance(item, bool):
        return tensor(item, device=input.device)
    # NumPy's arrays have __index__ too, for the 0-d among them.
    if hasattr(item, "__index__") and not getattr(item, "shape", ()):
        return item.__index__()
    if isinstance(item, (list, tuple, range)) or hasattr(item, "__array__"):
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


def from_zero(places: Any, side: int) -> Any:
    """Negative places counted from the front; out-of-range ones are left for the kernel to refuse."""
    return from_front.emit(places if places._kind.dtype is int64 else places.to(int64), side=side)


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


#: What the last item of a key that changes anything was: it names the step, as in PyTorch.
_SELECT, _SLICE, _UNSQUEEZE = range(3)
_PARTS = (selected, basic_index.emit, basic_index.emit)
#: A slice that leaves nothing out.
_whole_slice = alias.face("SliceBackward0").emit
_RESHAPED = tuple([reshape.face(name).emit for name in ("SelectBackward0", "SliceBackward0", "UnsqueezeBackward0")])


def _plain(shape: Sequence[int], key: Any) -> tuple[tuple[Any, ...], bool, list[int], int] | None:
    """A key of ints in range, forward slices, ``None`` and one ``...``; ``None`` for any other key.

    What is returned: the index of `basic_index`, whether it leaves anything out, where the result has new dimensions,
    and the kind of the last item.
    """
    items = key if type(key) is tuple else (key,)
    index: list[Any] = []
    new: list[int] = []
    partial, last, out, place, ndim = False, _UNSQUEEZE, 0, 0, len(shape)
    for item in items:
        cls = type(item)
        if cls is slice:
            if place >= ndim:
                return None
            side = shape[place]
            start, stop, step = item.indices(side)
            if step < 0:
                return None
            if start or stop != side or step != 1:
                partial, last = True, _SLICE
            index.append(slice(start, stop if stop > start else start, step))
            place += 1
            out += 1
        elif cls is int:
            if place >= ndim:
                return None
            side = shape[place]
            if not -side <= item < side:
                return None
            index.append(item if item >= 0 else item + side)
            partial, last = True, _SELECT
            place += 1
        elif item is None:
            new.append(out)
            out += 1
            last = _UNSQUEEZE
        elif item is Ellipsis:
            skipped = ndim - sum([type(each) is slice or type(each) is int for each in items])
            if skipped < 0 or place + skipped > ndim:
                return None
            index.extend([slice(0, side, 1) for side in shape[place : place + skipped]])
            place += skipped
            out += skipped
            ndim = ndim if items.count(Ellipsis) == 1 else -1
        else:
            return None
    if place < ndim:
        index.extend([slice(0, side, 1) for side in shape[place:]])
    return tuple(index), partial, new, last


@kept
def _run(shape: Sequence[int], start: Any, stop: Any, step: Any) -> tuple[tuple[Any, ...], bool, list[int], int] | None:
    """`_plain` of a slice."""
    return _plain(shape, slice(start, stop, step))


def _taken(input: Any, plain: tuple[tuple[Any, ...], bool, list[int], int]) -> Any:
    """The view that a plain key means."""
    index, partial, new, last = plain
    out = _PARTS[last](input, index=index) if partial else input
    if new:
        sides = list(out._array.shape)
        for place in new:
            sides.insert(place, 1)
        return _RESHAPED[last](out, shape=tuple(sides))
    return out if partial else input.alias()


def _outside(arrays: Sequence[Any], dims: Sequence[int], shape: Sequence[int]) -> DimensionError | None:
    """The index that made a kernel refuse, as the user wrote it: before negative ones were counted from the front."""
    for places, dim in zip(arrays, dims, strict=True):
        side = shape[dim]
        if places.numel():
            least, most = places.min().item(), places.max().item()
            if least < 0 or most >= side:
                wrong = least - side if least < 0 else most
                return DimensionError(f"index {wrong} is out of range for dimension {dim} of shape {list(shape)}")
    return None


def _leading(input: Any, key: Any) -> tuple[Any, ...] | None:
    """The tensors of a key of int64 tensors of one shape; ``None`` for any other key."""
    items = key if type(key) is tuple else (key,)
    sides = input._array.shape
    if len(items) > len(sides):
        return None
    shape = None
    for item in items:
        if type(item) is not TensorClass or item._kind.dtype is not int64:
            return None
        if shape is None:
            shape = item._array.shape
        elif item._array.shape != shape:
            return None
    return tuple(items) or None


def _counted(input: Any, items: tuple[Any, ...]) -> tuple[Any, ...]:
    """The operands of `index` for the tensors of `_leading`."""
    return tuple([from_zero(item, side) for item, side in zip(items, input._array.shape, strict=False)])


def getitem(input: Any, key: Any) -> Any:
    """``input[key]``: a view for ints, slices, ``...`` and ``None``; a copy for integer or bool tensors."""
    shape = input._array.shape
    if type(key) is int and shape and -shape[0] <= key < shape[0]:
        return selected(input, index=index_at(shape, 0, key))
    plain = _run(shape, key.start, key.stop, key.step) if type(key) is slice else _plain(shape, key)
    if plain is not None:
        return _whole_slice(input) if not (plain[1] or plain[2]) and type(key) is slice else _taken(input, plain)
    items = _leading(input, key)
    if items is not None:
        if not is_busy():
            # Negative places are seldom: that a kernel refuses tells soon enough that there are some.
            try:
                return take.emit(input, *items)
            except DimensionError:
                pass
        places = _counted(input, items)
        try:
            return take.emit(input, *places)
        except DimensionError as error:
            raise _outside(places, range(len(places)), input.shape) or error from error
    mask = _mask_of(input, key)
    if mask is not None and input.is_contiguous():
        sides = mask._array.shape
        if len(sides) > 1:
            input = reshape.emit(input, shape=(math.prod(sides), *input._array.shape[len(sides) :]))
            mask = reshape.emit(mask.contiguous(), shape=(math.prod(sides),))
        places = nonzero(mask)
        return take.emit(input, reshape.emit(places, shape=(places._array.shape[0],)))
    plan = _parse(input, key)
    out = _basic_part(input, plan)
    if not plan.arrays:
        return out
    order, home = _order(plan)
    arrays = _aligned(plan)
    try:
        picked = take.emit(out.permute(order), *arrays)
    except DimensionError as error:
        raise _outside(plan.arrays, plan.dims, plan.shape) or error from error
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
    kind = input._kind
    if type(value) is float and kind.dtype.category == FLOATING:
        value = kind.scalar(value)
    elif not isinstance(value, TensorClass):
        value = tensor(value, dtype=kind.dtype, device=kind.device)
    assign_at(input, key, value, "setitem")


def assign_at(input: Any, key: Any, value: Any, name: str, accumulate: bool = False) -> None:
    """Write ``value``, or add it, at ``input[key]``; where a place comes twice, adding counts both."""
    plain = _plain(input._array.shape, key)
    if plain is not None:
        part = _taken(input, plain)
        if not accumulate and store(part, value, name):
            return
        fitted = _fitted(value, part._array.shape, input)
        write(part, part + fitted if accumulate else fitted, name)
        return
    if not accumulate and value.ndim == 0 and _masked(input, key, value, name):
        return
    items = _leading(input, key)
    if items is not None:
        places = _counted(input, items)
        shape: tuple[int, ...] = (*places[0]._array.shape, *input._array.shape[len(places) :])
        try:
            _put(input, _fitted(value, shape, input), places, name, accumulate)
        except DimensionError as error:
            raise _outside(places, range(len(places)), input.shape) or error from error
        return
    plan = _parse(input, key)
    part = _basic_part(input, _without_flips(plan))
    if not plan.arrays:
        fitted = _fitted(value, plan.shape, input)
        fitted = flip(fitted, plan.flips) if plan.flips else fitted
        write(part, part + fitted if accumulate else fitted, name)
        return
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
    try:
        _put(moved, value, arrays, name, accumulate)
    except DimensionError as error:
        raise _outside(plan.arrays, plan.dims, plan.shape) or error from error


def _put(target: Any, value: Any, places: Sequence[Any], name: str, accumulate: bool) -> None:
    if not update_at(index_put, target, (value, *places), name, accumulate=accumulate):
        write(target, index_put.emit(target, value, *places, accumulate=accumulate), name)


def _mask_of(input: Any, key: Any) -> Any:
    """The mask that the key is, if it is one over leading dimensions of ``input``; else ``None``."""
    mask = key[0] if type(key) is tuple and len(key) == 1 else key
    if not isinstance(mask, TensorClass) or mask._kind.dtype is not bool_ or not mask.ndim:
        return None
    shape = mask._array.shape
    return mask if mask._kind.device is input._kind.device and shape == input._array.shape[: len(shape)] else None


def _masked(input: Any, key: Any, value: Any, name: str) -> bool:
    """Write one number where a mask is true; without looking for the places, which a device would wait for."""
    mask = _mask_of(input, key)
    if mask is None:
        return False
    lacking = input.ndim - mask.ndim
    if lacking:
        mask = reshape.emit(mask, shape=(*mask._array.shape, *(1,) * lacking))
    write(input, where.emit(mask, value if value._kind is input._kind else value.to(input.dtype), input), name)
    return True


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
    return value if value._kind is input._kind else value.to(input.dtype)
