"""`rearrange`: transposes, splits, merges and stacks dimensions as a pattern of their names says."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, Final

from tensorcore.errors import ShapeError
from tensorcore.ops.movement import permute, reshape, stack
from tensorcore.tensor import Tensor

__all__ = ["rearrange"]

_REST = "..."
_TOKEN = re.compile(r"\.\.\.|[()]|[^\s()]+")
_NAME = re.compile(r"[^\W\d_]\w*(?<!_)|[^\W\d_]")

#: The dimensions of one side of a pattern, each of the names that it is made of; ``_SEVERAL`` stands for any number.
Side = list[list[str]]
_SEVERAL: Final = [_REST]


def rearrange(tensor: Tensor | Sequence[Tensor], pattern: str, **axes_lengths: int) -> Tensor:
    """``tensor`` with its dimensions arranged anew, by the notation of einops (https://einops.rocks).

    Args:
        tensor: a tensor, or a sequence of them, which are stacked along a first dimension.
        pattern: names of the dimensions before and after ``->``. Names in parentheses are parts of one dimension, the
            last the fastest; ``...`` stands for any number of dimensions, ``1`` and ``()`` for one of size 1.
        axes_lengths: sizes of names that cannot be told otherwise; of the parts of a dimension all but one.

    Raises:
        ValueError: for a pattern that is none, or does not fit the tensor.
        TypeError: for sizes that are no integers.

    Example:
        >>> import tensorcore as tc
        >>> images = tc.zeros(32, 30, 40, 3)
        >>> tc.func.rearrange(images, "b h w c -> b c h w").shape
        tensorcore.Size([32, 3, 30, 40])
        >>> tc.func.rearrange(images, "b (h1 h) (w1 w) c -> (b h1 w1) h w c", h1=2, w1=2).shape
        tensorcore.Size([128, 15, 20, 3])
    """
    x: Any = tensor if isinstance(tensor, Tensor) else stack(list(tensor))
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ValueError(f"rearrange: the pattern {pattern!r} must have one '->'")
    left, right = (_read(side, pattern) for side in sides)
    if any(_REST in group and group is not _SEVERAL for group in left):
        raise ValueError(f"rearrange: on the left of {pattern!r} an ellipsis cannot stand in parentheses")
    _agree(left, right, axes_lengths, pattern)
    sizes = _sizes(x, left, axes_lengths, pattern)
    names = [name for group in left for name in group]
    parts = [size for name in names for size in sizes[name]]
    places: dict[str, list[int]] = {}
    for name in names:
        start = sum(map(len, places.values()))
        places[name] = list(range(start, start + len(sizes[name])))
    order = [place for group in right for name in group for place in places[name]]
    shape = []
    for group in right:
        lengths = [size for name in group for size in sizes[name]]
        shape.extend(lengths if group is _SEVERAL else [math.prod(lengths)])
    return reshape(permute(reshape(x, parts), order), shape)


def _read(side: str, pattern: str) -> Side:
    groups: Side = []
    inside = False
    for token in _TOKEN.findall(side):
        if token in "()":
            if inside == (token == "("):
                raise ValueError(f"rearrange: parentheses in {pattern!r} must come in pairs, none inside another")
            inside = not inside
            if inside:
                groups.append([])
        elif token == "1":
            if not inside:
                groups.append([])
        elif token.isdigit():
            raise ValueError(f"rearrange: the only number that stands for a dimension is 1, got {token} in {pattern!r}")
        elif token != _REST and not _NAME.fullmatch(token):
            raise ValueError(
                f"rearrange: {token!r} in {pattern!r} is no name: letters, digits and underscores, a letter first"
            )
        elif inside:
            groups[-1].append(token)
        else:
            groups.append(_SEVERAL if token == _REST else [token])
    if inside:
        raise ValueError(f"rearrange: parentheses in {pattern!r} must come in pairs, none inside another")
    names = [name for group in groups for name in group]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"rearrange: {', '.join(sorted(twice))} comes twice on one side of {pattern!r}")
    return groups


def _agree(left: Side, right: Side, lengths: dict[str, int], pattern: str) -> None:
    here, there = ({name for group in side for name in group} for side in (left, right))
    if here != there:
        raise ValueError(f"rearrange: {', '.join(sorted(here ^ there))} must be on both sides of {pattern!r}")
    unknown = sorted(lengths.keys() - here)
    if unknown:
        raise ValueError(f"rearrange: got a size of {', '.join(unknown)}, not in {pattern!r}")
    for name, length in lengths.items():
        if not isinstance(length, int):
            raise TypeError(f"rearrange: the size of {name} must be an int, got {type(length).__name__} {length!r}")


def _sizes(x: Tensor, left: Side, lengths: dict[str, int], pattern: str) -> dict[str, tuple[int, ...]]:
    """The sizes of the dimensions that each name stands for: one, but for the ellipsis."""
    rest = any(group is _SEVERAL for group in left)
    spare = x.ndim - len(left) + rest
    if spare < 0 or (spare and not rest):
        raise ShapeError(
            f"rearrange: {len(left)} dimensions on the left of {pattern!r}, {x.ndim} in the shape {list(x.shape)}"
        )
    sizes: dict[str, tuple[int, ...]] = {}
    place = 0
    for group in left:
        if group is _SEVERAL:
            sizes[_REST] = tuple(x.shape[place : place + spare])
            place += spare
            continue
        side = x.shape[place]
        place += 1
        open_ = [name for name in group if name not in lengths]
        known = math.prod(lengths[name] for name in group if name in lengths)
        if len(open_) > 1:
            raise ValueError(f"rearrange: of {', '.join(open_)} in {pattern!r} all but one need a size")
        if known != side if not open_ else known == 0 or side % known:
            raise ShapeError(
                f"rearrange: ({' '.join(group)}) of {pattern!r} does not fit dimension {place - 1} of the shape "
                f"{list(x.shape)}, of size {side}, with the sizes {lengths}"
            )
        sizes.update({name: (lengths.get(name, side // known if known else 0),) for name in group})
    return sizes
