"""Padding of the last dimensions: by a value, by reflection, by the edge, or from the other end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from tensorcore.errors import RangeError, ShapeError
from tensorcore.ops.movement import cat, flip
from tensorcore.ops.record import composite
from tensorcore.ops.windows import embedded

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_MODES: Final = ("constant", "reflect", "replicate", "circular")


def _pairs(input: Any, pad: Any) -> list[tuple[int, int]]:
    """(before, after) of the last dimensions, in the order of the dimensions."""
    counts = [each.__index__() for each in pad]
    shape = input._array.shape
    if len(counts) % 2:
        raise ShapeError(f"pad: expected an even number of counts, got {counts}")
    if len(counts) // 2 > len(shape):
        raise ShapeError(f"pad: {len(counts) // 2} dimensions to pad, but input has shape {list(shape)}")
    pairs = [(counts[i], counts[i + 1]) for i in range(0, len(counts), 2)][::-1]
    for side, (before, after) in zip(shape[len(shape) - len(pairs) :], pairs, strict=True):
        if side + before + after < 0:
            raise ShapeError(f"pad: padding {counts} leaves a negative side of input of shape {list(input.shape)}")
    return pairs


@composite(
    namespaces=("nn.functional",), ulp=0,
    samples=({"shapes": ((2, 3, 4),), "pad": (1, 2, 0, 1), "value": 1.5}, {"shapes": ((2, 3, 4),), "pad": (1, -2)},
             *({"shapes": ((2, 3, 4, 5),), "pad": (1, 2, 2, 1), "mode": mode} for mode in _MODES)),
)  # fmt: skip
def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """``input`` with elements added before and after the last dimensions, the last one's counts first in ``pad``.

    Negative counts crop. Modes besides ``"constant"`` take inputs with one or two dimensions more than are padded.

    Raises:
        NotImplementedError: for another ``mode``.

    Example:
        >>> x = tc.tensor([[1, 2, 3]])
        >>> F.pad(x, (1, 2))
        tensor([[0, 1, 2, 3, 0, 0]])
        >>> F.pad(x, (-1, 0, 0, 1), value=9)
        tensor([[2, 3],
                [9, 9]])
        >>> F.pad(x, (2, 1), mode="reflect")
        tensor([[3, 2, 1, 2, 3, 2]])
    """
    if mode not in _MODES:
        raise NotImplementedError(f"pad: mode must be one of {', '.join(map(repr, _MODES))}, got {mode!r}")
    pairs = _pairs(input, pad)
    if mode == "constant":
        out = embedded(input, pairs, (1,) * len(pairs), 0 if value is None else value)
        return out if out is not input else input.clone()
    if value:
        raise RangeError(f"pad: mode {mode!r} takes no value, got {value}")
    if not 1 <= len(pairs) <= 3 or input.ndim - len(pairs) not in (1, 2):
        raise NotImplementedError(
            f"pad: mode {mode!r} pads the last 1, 2 or 3 dimensions of an input with 1 or 2 more; got {list(pad)} "
            f"for input of shape {list(input.shape)}"
        )
    lead = input.ndim - len(pairs)
    out = input
    for place, (before, after) in enumerate(pairs):
        out = _extended(out, lead + place, before, after, mode)
    return out if out is not input else input.clone()


def _extended(x: Any, dim: int, before: int, after: int, mode: str) -> Any:
    crop = (max(-before, 0), max(-after, 0))
    before, after = max(before, 0), max(after, 0)
    if mode == "circular" and any(crop):
        # It goes round what is left.
        x, crop = x.narrow(dim, crop[0], x.shape[dim] - crop[0] - crop[1]), (0, 0)
    side = x.shape[dim]
    limit = {"reflect": side - 1, "circular": side}.get(mode)
    if (limit is not None and max(before, after) > limit) or (side == 0 and (before or after)):
        raise ShapeError(
            f"pad: mode {mode!r} adds at most {limit or 0} elements to a side of {side}, got {before} and {after}"
        )
    if not (before or after or any(crop)):
        return x
    return extended.emit(x, dim=dim, before=before, after=after, crop=crop, mode=mode)


@composite(
    namespaces=(), ulp=0,
    samples=tuple(
        {"shapes": ((2, 5, 3),), "dim": 1, "before": before, "after": after, "crop": crop, "mode": mode}
        for mode, before, after, crop in (
            ("reflect", 2, 4, (0, 0)), ("replicate", 0, 3, (2, 0)), ("circular", 5, 1, (0, 0)),
            ("reflect", 1, 0, (0, 1)),
        )
    ),
)  # fmt: skip
def extended(input: Tensor, *, dim: int, before: int, after: int, crop: tuple[int, int], mode: str) -> Tensor:
    """``input`` with elements of its own before and after those of ``dim``, of which so many are cut off.

    What is added comes from the tensor before it is cut.
    """
    return extended.emit(input, dim=dim, before=before, after=after, crop=crop, mode=mode)


@extended.expression
def _extended_by_parts(
    x: Any, *, dim: int, before: int, after: int, crop: tuple[int, int], mode: str
) -> Any:  # fmt: skip
    side = x.shape[dim]
    parts = [x.narrow(dim, crop[0], side - crop[0] - crop[1]) if any(crop) else x]
    if before:
        parts.insert(0, _edge(x, dim, before, mode, True))
    if after:
        parts.append(_edge(x, dim, after, mode, False))
    return parts[0] if len(parts) == 1 else cat(parts, dim)


def _edge(x: Any, dim: int, count: int, mode: str, front: bool) -> Any:
    side = x.shape[dim]
    if mode == "reflect":
        return flip(x.narrow(dim, 1 if front else side - 1 - count, count), (dim,))
    if mode == "circular":
        return x.narrow(dim, side - count if front else 0, count)
    edge = x.narrow(dim, 0 if front else side - 1, 1)
    return edge.expand([count if d == dim else s for d, s in enumerate(x.shape)])
