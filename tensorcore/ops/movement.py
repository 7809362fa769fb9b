"""Shape and movement: views, joining, reordering."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tensorcore.errors import ShapeError
from tensorcore.ops.record import REGISTRY, composite, primitive
from tensorcore.ops.rules import same
from tensorcore.shapes import infer_reshape, kept, normalize_dim, normalize_dims

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor


def ints(shape: tuple[Any, ...], op: str, named: Any = None) -> tuple[int, ...]:
    """The ints given one by one, as one sequence, or by the argument's name."""
    if named is not None:
        if shape:
            raise TypeError(f"{op}: the same argument is given by place, {shape!r}, and by name, {named!r}")
        shape = (named,)
    if len(shape) == 1 and not hasattr(shape[0], "__index__"):
        shape = tuple(shape[0])
    try:
        return tuple(map(operator.index, shape))
    except TypeError:
        raise TypeError(f"{op}: expected ints, got {shape!r}") from None


# ------------------------------------------------------------------ primitives


@primitive(
    rule=same,
    vjp=lambda g, input_shape: g.reshape(input_shape),
    view=True,
    moves=True,
    put=lambda base, value, shape: value.reshape(base.shape),
    ulp=0,
    shown="ViewBackward0",
    samples=(
        {"shapes": ((3, 4),), "args": ((2, 6),)},
        {"shapes": ((3, 4),), "args": ((-1,),)},
        {"shapes": ((0, 4),), "args": ((4, 0),)},
    ),
)
def reshape(input: Tensor, *sides: Any, shape: Any = None) -> Tensor:
    """The elements in row-major order under another shape, sharing memory where possible; one side may be -1.

    Raises:
        ShapeError: if the elements do not fill the shape.

    Example:
        >>> x = tc.arange(6).reshape(2, -1)
        >>> x
        tensor([[0, 1, 2],
                [3, 4, 5]])
        >>> x.reshape((3, 2))
        tensor([[0, 1],
                [2, 3],
                [4, 5]])
        >>> x.reshape(-1)
        tensor([0, 1, 2, 3, 4, 5])
    """
    if shape is not None:
        sides = ints(sides, "reshape", shape)
    elif len(sides) == 1 and isinstance(sides[0], (tuple, list)):
        sides = tuple(sides[0])
    return reshaped(input, sides_for(input._array.shape, "reshape", *sides))


@kept
def sides_for(old: tuple[int, ...], op: str, *sides: Any) -> tuple[int, ...]:
    """The shape asked of a tensor of shape ``old``, with its -1 replaced."""
    return infer_reshape(ints(sides, op), math.prod(old), old, op)


def viewable(input: Any, sides: tuple[int, ...]) -> bool:
    """Whether ``sides`` fit the strides: each run of old sides that the new ones split or join lies without gaps."""
    blocks: list[list[int]] = []
    for side, stride in zip(input.shape, input.stride(), strict=True):
        if side == 1:
            continue
        if blocks and blocks[-1][1] == stride * side:
            blocks[-1] = [blocks[-1][0] * side, stride]
        else:
            blocks.append([side, stride])
    remaining = [side for side in sides if side != 1]
    for size, _ in blocks:
        product = 1
        while remaining and product < size:
            product *= remaining.pop(0)
        if product != size:
            return False
    return not remaining


def reshaped(input: Any, shape: tuple[int, ...]) -> Any:
    """``input`` under another shape: a view where its strides allow one, else a view of a copy."""
    if input._kind.backend.is_contiguous(input._array) or viewable(input, shape):
        return reshape.emit(input, shape=shape)
    # The copy is an op of its own, so that what is then written is not taken for a write to ``input``.
    return _unsafe_view(REGISTRY["copy"].emit(input), shape=shape)


#: The steps of `reshape` and `permute` under the names that PyTorch's graph gives them.
_unsafe_view = reshape.face("UnsafeViewBackward0").emit


def _inverse(dims: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(dims.index(place) for place in range(len(dims)))


@primitive(
    rule=same,
    vjp=lambda g, dims: permute.emit(g, dims=_inverse(dims)),
    view=True,
    moves=True,
    put=lambda base, value, dims: permute.emit(value, dims=_inverse(dims)),
    ulp=0,
    standard="permute_dims",
    samples=({"shapes": ((2, 3, 4),), "args": (2, 0, 1)}, {"shapes": ((),), "args": ((),)}),
)
def permute(input: Tensor, *order: Any, dims: Any = None) -> Tensor:
    """A view with the dimensions in the order ``dims``.

    Raises:
        ShapeError: if ``dims`` does not name each dimension once.

    Example:
        >>> x = tc.zeros(2, 3, 4)
        >>> x.permute(2, 0, 1).shape, tc.permute(x, (0, -1, 1)).shape
        (tensorcore.Size([4, 2, 3]), tensorcore.Size([2, 4, 3]))
    """
    if dims is not None:
        order = ints(order, "permute", dims)
    elif len(order) == 1 and isinstance(order[0], (tuple, list)):
        order = tuple(order[0])
    return permute.emit(input, dims=_order(input._array.shape, *order))


@kept
def _order(shape: tuple[int, ...], *order: Any) -> tuple[int, ...]:
    places, ndim = ints(order, "permute"), len(shape)
    if len(places) != ndim:
        raise ShapeError(f"permute: {len(places)} dims given for a tensor of {ndim} dimensions, shape {list(shape)}")
    return normalize_dims(places, ndim, "permute")


@primitive(
    rule=same,
    vjp=lambda g: g,
    view=True,
    ulp=0,
    standard="broadcast_to",
    samples=({"shapes": ((3, 1),), "args": (2, 3, 4)}, {"shapes": ((),), "args": ((2,),)}),
)
def expand(input: Tensor, *shape: Any, size: Any = None) -> Tensor:
    """A view with sides of 1 stretched to ``shape``; -1 keeps a side, new dimensions go in front.

    Raises:
        ShapeError: if a side other than 1 would change.

    Example:
        >>> x = tc.tensor([[1], [2]])
        >>> x.expand(2, 3)
        tensor([[1, 1, 1],
                [2, 2, 2]])
        >>> x.expand(4, -1, 2).shape
        tensorcore.Size([4, 2, 2])
    """
    if size is not None:
        shape = ints(shape, "expand", size)
    elif len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        shape = tuple(shape[0])
    old = input._array.shape
    if shape == old:
        return _expanded_as_is(input)
    return expand.emit(input, shape=_stretched(old, *shape))


@kept
def _stretched(old: tuple[int, ...], *shape: Any) -> tuple[int, ...]:
    sides = ints(shape, "expand")
    lead = len(sides) - len(old)
    if lead < 0:
        raise _unfit(old, sides)
    wanted = list(sides)
    for place, side in enumerate(sides):
        was = old[place - lead] if place >= lead else 1
        if side == was or (was == 1 and side >= 0):
            continue
        if side != -1 or place < lead:
            raise _unfit(old, sides)
        wanted[place] = was
    return tuple(wanted)


def _unfit(old: Sequence[int], sides: Sequence[int]) -> ShapeError:
    return ShapeError(
        f"expand: shape {list(old)} does not stretch to {list(sides)}: only sides of 1 do, and -1 stands for an "
        "existing side"
    )


def _expanded_as_is(input: Any) -> Any:
    from tensorcore.ops.conversion import expanded_as_is

    return expanded_as_is(input)


@primitive(
    rule=same,
    vjp=lambda g, dims: flip.emit(g, dims=dims),
    moves=True,
    ulp=0,
    samples=({"shapes": ((3, 4),), "args": ((0, 1),)},),
)
def flip(input: Tensor, *along: Any, dims: Any = None) -> Tensor:
    """The elements in reverse order along ``dims``, as a copy.

    Example:
        >>> x = tc.tensor([[1, 2], [3, 4]])
        >>> tc.flip(x, (0,))
        tensor([[3, 4],
                [1, 2]])
        >>> x.flip(0, 1)
        tensor([[4, 3],
                [2, 1]])
    """
    return flip.emit(input, dims=normalize_dims(ints(along, "flip", dims), input.ndim, "flip"))


def _cat_rule(g: Any, tensors_shape: Any, needs: tuple[bool, ...], dim: int) -> tuple[Any, ...]:
    from tensorcore.ops.parts import narrow

    parts = []
    start = 0
    for shape, needed in zip(tensors_shape, needs, strict=True):
        parts.append(narrow(g, dim, start, shape[dim]) if needed else None)
        start += shape[dim]
    return tuple(parts)


@primitive(
    rule=same,
    vjp=_cat_rule,
    joint=True,
    moves=True,
    ulp=0,
    standard="concat",
    aliases=("concat", "concatenate"),
    namespaces=("",),
    samples=(
        {"shapes": ((2, 3), (1, 3)), "dim": 0},
        {"shapes": ((2, 3), (2, 0), (2, 1)), "dim": 1},
        {"shapes": ((2, 3), (0, 3)), "dim": 0},
        {"shapes": ((2, 3),), "dim": 1},
    ),
)
def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors joined along an existing dimension; other sides must be equal.

    Raises:
        ShapeError: if the other sides differ.

    Example:
        >>> x = tc.tensor([[1, 2]])
        >>> tc.cat((x, x + 2))
        tensor([[1, 2],
                [3, 4]])
        >>> tc.cat((x, x + 0.5), dim=1)
        tensor([[1.0000, 2.0000, 1.5000, 2.5000]])
    """
    if len(tensors) == 0:
        raise ShapeError("cat: expected at least one tensor, got none")
    # The common case first: tensors of one shape.
    alike = tensors[0]._array.shape
    if type(dim) is int and 0 <= dim < len(alike) and [x._array.shape for x in tensors].count(alike) == len(tensors):
        return cat.emit(*tensors, dim=dim)
    # PyTorch joins an empty 1-d tensor to anything.
    parts = [x for x in tensors if x._array.shape != (0,)] or list(tensors[:1])
    first = parts[0]._array.shape
    if len(first) == 0:
        raise ShapeError("cat: 0-d tensors have no dimension to join along; use stack")
    place = normalize_dim(dim, len(first), "cat")
    for number, x in enumerate(parts):
        shape = x._array.shape
        if shape == first:
            continue
        if len(shape) != len(first) or any(
            a != b for i, (a, b) in enumerate(zip(first, shape, strict=True)) if i != place
        ):
            raise ShapeError(
                f"cat: shapes must agree except in dimension {place}: tensor 0 has {list(first)}, tensor "
                f"{number} has {list(shape)}"
            )
    return cat.emit(*parts, dim=place)


# ------------------------------------------------------------------ joining and repeating


def _stack_rule(g: Any, needs: tuple[bool, ...], dim: int) -> tuple[Any, ...]:
    from tensorcore.ops.parts import selected

    lead = tuple([slice(0, side, 1) for side in g._array.shape[:dim]])
    rest = tuple([slice(0, side, 1) for side in g._array.shape[dim + 1 :]])
    return tuple([selected(g, index=(*lead, place, *rest)) if needed else None for place, needed in enumerate(needs)])


@composite(
    namespaces=("",), vjp=_stack_rule, joint=True, moves=True, ulp=0,
    samples=({"shapes": ((2, 3), (2, 3)), "dim": 1}, {"shapes": ((2, 3),) * 3, "dim": -1}, {"shapes": ((), ())}),
)  # fmt: skip
def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of one shape joined along a new dimension ``dim``.

    Raises:
        ShapeError: if the shapes differ.

    Example:
        >>> x, y = tc.tensor([1, 2]), tc.tensor([3, 4])
        >>> tc.stack((x, y))
        tensor([[1, 2],
                [3, 4]])
        >>> tc.stack((x, y), dim=1)
        tensor([[1, 3],
                [2, 4]])
    """
    if len(tensors) == 0:
        raise ShapeError("stack: expected at least one tensor, got none")
    first = tensors[0]._array.shape
    shapes = [x._array.shape for x in tensors]
    if shapes.count(first) != len(shapes):
        number, shape = next((number, shape) for number, shape in enumerate(shapes) if shape != first)
        raise ShapeError(
            f"stack: all shapes must be equal: tensor 0 has {list(first)}, tensor {number} has {list(shape)}"
        )
    return stack.emit(*tensors, dim=normalize_dim(dim, len(first) + 1, "stack"))


@stack.expression
def _stack(*tensors: Any, dim: int) -> Any:
    first = tensors[0]._array.shape
    if dim == len(first):
        return cat.emit(*[x.unsqueeze(dim) for x in tensors], dim=dim)
    # Joined along an existing dimension, which then falls into two: one reshape instead of one a tensor.
    return reshape.emit(cat.emit(*tensors, dim=dim), shape=(*first[:dim], len(tensors), *first[dim:]))


@composite(namespaces=("Tensor",), samples=({"shapes": ((2, 3),), "args": (2, 1, 2)},))
def repeat(input: Tensor, *sizes: Any, repeats: Any = None) -> Tensor:
    """The tensor repeated ``sizes`` times along each dimension, as a copy.

    Raises:
        ShapeError: for fewer counts than dimensions.

    Example:
        >>> x = tc.tensor([1, 2])
        >>> x.repeat(2)
        tensor([1, 2, 1, 2])
        >>> x.repeat(2, 2)
        tensor([[1, 2, 1, 2],
                [1, 2, 1, 2]])
    """
    times = ints(sizes, "repeat", repeats)
    if len(times) < input.ndim:
        raise ShapeError(f"repeat: {len(times)} sizes given for a tensor of {input.ndim} dimensions")
    if min(times, default=0) < 0:
        raise ShapeError(f"repeat: sizes must not be negative, got {list(times)}")
    return repeat.emit(input, times=times)


@repeat.expression
def _repeat(input: Any, *, times: tuple[int, ...]) -> Any:
    shape = (1,) * (len(times) - input.ndim) + tuple(input.shape)
    pairs = [side for pair in zip((1,) * len(shape), shape, strict=True) for side in pair]
    wide = [side for pair in zip(times, shape, strict=True) for side in pair]
    # Copied first: a reshape alone could leave a view, of one element in several places.
    copied = REGISTRY["copy"].emit(input.reshape(pairs).expand(wide))
    return copied.reshape([a * b for a, b in zip(times, shape, strict=True)])


@composite(samples=({"shapes": ((2, 3),), "args": ((2,),)},))
def tile(input: Tensor, *repetitions: Any, dims: Any = None) -> Tensor:
    """The tensor repeated as NumPy's ``tile``: missing dims in front count 1.

    Example:
        >>> tc.tile(tc.tensor([[1, 2], [3, 4]]), (2,))
        tensor([[1, 2, 1, 2],
                [3, 4, 3, 4]])
    """
    times = ints(repetitions, "tile", dims)
    return repeat(input, (1,) * (input.ndim - len(times)) + times)


@composite(
    vjp=lambda g, shifts, dims: roll.emit(g, shifts=tuple(-shift for shift in shifts), dims=dims), ulp=0,
    samples=({"shapes": ((3, 4),), "args": (1,)}, {"shapes": ((3, 4),), "args": ((1, -2), (0, 1))}),
)  # fmt: skip
def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """Elements shifted along ``dims``, those pushed over the end coming back at the start.

    Example:
        >>> x = tc.tensor([[1, 2, 3], [4, 5, 6]])
        >>> tc.roll(x, 1)
        tensor([[6, 1, 2],
                [3, 4, 5]])
        >>> tc.roll(x, (1, -1), (0, 1))
        tensor([[5, 6, 4],
                [2, 3, 1]])
    """
    steps = (shifts,) if hasattr(shifts, "__index__") else tuple(shifts)
    places = () if dims is None else (dims,) if hasattr(dims, "__index__") else tuple(dims)
    if len(steps) != (1 if dims is None else len(places)):
        raise ShapeError(f"roll: {len(steps)} shifts for {1 if dims is None else len(places)} dims")
    ndim = len(input._array.shape)
    return roll.emit(input, shifts=steps, dims=tuple([normalize_dim(dim, ndim, "roll") for dim in places]))


@roll.expression
def _roll(input: Any, *, shifts: tuple[int, ...], dims: tuple[int, ...]) -> Any:
    """Without ``dims``, of the flattened tensor."""
    from tensorcore.ops.parts import narrow

    if not dims:
        return _roll(input.reshape(-1), shifts=shifts, dims=(0,) * len(shifts)).reshape(input.shape)
    out = input
    for step, dim in zip(shifts, dims, strict=True):
        side = out.shape[dim]
        cut = (side - step) % side if side else 0
        if cut:
            out = cat([narrow(out, dim, cut, side - cut), narrow(out, dim, 0, cut)], dim)
    return REGISTRY["copy"].emit(out) if out is input else out


def ones_like(input: Any) -> Any:
    """Ones of the shape and kind of ``input``."""
    from tensorcore.ops.creation import ones

    return ones(input.shape, dtype=input.dtype, device=input.device)
