"""How an elementwise kernel walks its operands: dimensions joined, vector width and index width chosen.

Pure arithmetic on shapes and strides, so that it is tested without a GPU.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["BLOCK", "GENERAL", "ONE", "VECTOR", "Plan", "blocks", "plan_for"]

#: Threads of a block.
BLOCK: Final = 256

#: How an operand's innermost dimension is read: neighbouring elements at once, one element for all, or by its stride.
VECTOR, ONE, GENERAL = "v", "o", "g"

_VECTOR_BYTES: Final = 16
_NARROW: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Plan:
    """The walk of one kernel over operands and a row-major result.

    Attributes:
        size: number of elements of the result.
        sides: sides after joining dimensions; one, the size, where all operands lie in row-major order.
        steps: per operand, its stride in elements along each of the sides.
        modes: per operand, `VECTOR`, `ONE` or `GENERAL`.
        width: elements per thread.
        wide: whether places need 64-bit integers.
    """

    size: int
    sides: tuple[int, ...]
    steps: tuple[tuple[int, ...], ...]
    modes: str
    width: int
    wide: bool

    @property
    def flat(self) -> bool:
        """Whether a place in the result is the place in each operand, which then needs no strides."""
        return len(self.sides) == 1 and GENERAL not in self.modes

    @property
    def groups(self) -> int:
        """Number of threads needed."""
        return -(-self.size // self.width)


def blocks(groups: int) -> int:
    """Number of blocks for ``groups`` threads."""
    return -(-groups // BLOCK)


def plan_for(shape: Sequence[int], operands: Sequence[tuple[Sequence[int], Sequence[int]]], itemsize: int) -> Plan:
    """The plan for operands, each a shape and strides in elements, that broadcast to ``shape``.

    ``itemsize`` is the largest of all elements read and written; 16 bytes of them are moved at once.

    Example:
        >>> from tensorcore_cuda.plans import plan_for
        >>> plan = plan_for((64, 512), [((64, 512), (512, 1)), ((512,), (1,))], 4)
        >>> plan.sides, plan.modes, plan.width
        ((64, 512), 'vv', 4)
    """
    size = math.prod(shape)
    steps = [_stretched(shape, own, strides) for own, strides in operands]
    sides, steps = _joined(list(shape), steps)
    inner = [each[-1] for each in steps]
    modes = "".join(VECTOR if step == 1 else ONE if step == 0 else GENERAL for step in inner)
    if sides == [1]:
        modes = VECTOR * len(steps)
    width = max(1, _VECTOR_BYTES // itemsize)
    if GENERAL in modes:
        width = 1
    elif len(sides) > 1:
        while width > 1 and (sides[-1] % width or not _whole(steps, modes, width)):
            width //= 2
    if width == 1 and len(sides) > 1:
        # Without vectors there is one way to read, and fewer kernels to compile.
        modes = GENERAL * len(steps)
    reach = max(
        (sum(abs(step) * (side - 1) for step, side in zip(each, sides, strict=True)) for each in steps), default=0
    )
    wide = max(size + BLOCK * width, reach) > _NARROW
    return Plan(size, tuple(sides), tuple(map(tuple, steps)), modes, width, wide)


def _stretched(shape: Sequence[int], own: Sequence[int], strides: Sequence[int]) -> list[int]:
    """Strides of an operand along the dimensions of the result; 0 where it is broadcast."""
    lead = len(shape) - len(own)
    return [0] * lead + [0 if side == 1 else step for side, step in zip(own, strides, strict=True)]


def _joined(sides: list[int], steps: list[list[int]]) -> tuple[list[int], list[list[int]]]:
    """The same walk in as few dimensions as the strides of all operands allow."""
    kept: list[int] = []
    walks: list[list[int]] = [[] for _ in steps]
    for place, side in enumerate(sides):
        if side == 1:
            continue
        mine = [each[place] for each in steps]
        if kept and all(walk[-1] == step * side for walk, step in zip(walks, mine, strict=True)):
            kept[-1] *= side
            for walk, step in zip(walks, mine, strict=True):
                walk[-1] = step
        else:
            kept.append(side)
            for walk, step in zip(walks, mine, strict=True):
                walk.append(step)
    if not kept:
        return [1], [[1] for _ in steps]
    return kept, walks


def _whole(steps: list[list[int]], modes: str, width: int) -> bool:
    """Whether all rows of the operands that are read by vectors begin at a multiple of ``width``."""
    return all(
        step % width == 0 for walk, mode in zip(steps, modes, strict=True) if mode == VECTOR for step in walk[:-1]
    )
