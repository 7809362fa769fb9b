"""The loop body of a compiled kernel: operations on vectors, in single assignment, before registers are chosen."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

__all__ = ["Body", "Operation", "Vector"]

#: Predicates of `Vector.compare`; ordered ones are false where an operand is NaN.
EQ, LT, LE, NE, GE, GT, UNORDERED = 0, 1, 2, 4, 13, 14, 3
#: Modes of `Vector.round`; none raises the inexact flag.
NEAREST, FLOOR, CEIL, TRUNC = 8, 9, 10, 11


class Operation(NamedTuple):
    """One operation: a name of `x86.ENCODINGS` (or ``input``, ``carried``, ``constant``), operands, and a number.

    An ``input`` that all places share is the element ``place`` of its array.
    """

    name: str
    operands: tuple[int, ...] = ()
    number: int = 0
    lanes: bytes = b""
    place: int = 0


@dataclass(eq=False)
class Body:
    """Operations in the order of computation; equal ones are kept once.

    Attributes:
        double: whether lanes are float64; otherwise float32.
        scaling: whether the processor multiplies by powers of two in one instruction.
        operations: the operations.
        stores: (array, place): what is written into which array.
        reductions: (name, place, slot): what is gathered over a row, by which operation, and where the total is kept.
    """

    double: bool
    scaling: bool
    operations: list[Operation] = field(default_factory=list)
    stores: list[tuple[int, int]] = field(default_factory=list)
    reductions: list[tuple[str, int, int]] = field(default_factory=list)
    _known: dict[Operation, Vector] = field(default_factory=dict)

    def input(self, array: int, place: int = 0) -> Vector:
        """The elements of an array; of one that all places share, the element ``place``."""
        return self.put(Operation("input", (), array, place=place))

    def carried(self, slot: int) -> Vector:
        """What an earlier pass over the row left in ``slot``."""
        return self.put(Operation("carried", (), slot))

    def store(self, array: int, value: Vector) -> None:
        """Write ``value`` into an array."""
        self.stores.append((array, value.place))

    @property
    def results(self) -> list[int]:
        """Places of what the body computes for others."""
        return [place for _, place in self.stores] + [place for _, place, _ in self.reductions]

    def like(self) -> Body:
        """An empty body for the same lanes."""
        return Body(self.double, self.scaling)

    def _moved(self, made: Body, places: Mapping[int, int]) -> Body:
        """``made`` with the results of this body, whose places have become others."""
        made.stores = [(array, places[x]) for array, x in self.stores]
        made.reductions = [(name, places[x], slot) for name, x, slot in self.reductions]
        return made

    def number(self, value: float) -> Vector:
        """A vector of one number."""
        try:
            return self.put(Operation("constant", lanes=struct.pack("<d" if self.double else "<f", value)))
        except OverflowError:
            return self.number(float("inf") if value > 0 else float("-inf"))

    def bits(self, single: int, double: int) -> Vector:
        """A vector of one bit pattern, by the width of the lanes."""
        lanes = struct.pack("<Q", double) if self.double else struct.pack("<I", single)
        return self.put(Operation("constant", lanes=lanes))

    def pruned(self) -> Body:
        """The operations that outputs depend on."""
        needed = set(self.results)
        for place in range(len(self.operations) - 1, -1, -1):
            if place in needed:
                needed.update(self.operations[place].operands)
        made = self.like()
        places: dict[int, int] = {}
        for place in sorted(needed):
            operation = self.operations[place]
            operands = tuple([places[x] for x in operation.operands])
            places[place] = made.put(operation._replace(operands=operands)).place
        return self._moved(made, places)

    def put(self, operation: Operation) -> Vector:
        """The result of ``operation``."""
        found = self._known.get(operation)
        if found is None:
            self.operations.append(operation)
            found = self._known[operation] = Vector(self, len(self.operations) - 1)
        return found


class Vector:
    """The result of an operation; Python's operators make further ones, a number stands for a vector of it."""

    __slots__ = ("body", "place")

    def __init__(self, body: Body, place: int) -> None:
        self.body = body
        self.place = place

    def _of(self, value: Any) -> Vector:
        return value if isinstance(value, Vector) else self.body.number(value)

    def then(self, name: str, *others: Any, number: int = 0) -> Vector:
        """The operation ``name`` of this vector and ``others``."""
        return self.body.put(Operation(name, (self.place, *(self._of(x).place for x in others)), number))

    def __add__(self, other: Any) -> Vector:
        return self.then("add", other)

    def __radd__(self, other: Any) -> Vector:
        return self.then("add", other)

    def __sub__(self, other: Any) -> Vector:
        return self.then("sub", other)

    def __rsub__(self, other: Any) -> Vector:
        return self._of(other).then("sub", self)

    def __mul__(self, other: Any) -> Vector:
        return self.then("mul", other)

    def __rmul__(self, other: Any) -> Vector:
        return self.then("mul", other)

    def __truediv__(self, other: Any) -> Vector:
        return self.then("div", other)

    def __rtruediv__(self, other: Any) -> Vector:
        return self._of(other).then("div", self)

    def __and__(self, other: Any) -> Vector:
        return self.then("and", other)

    def __or__(self, other: Any) -> Vector:
        return self.then("or", other)

    def __xor__(self, other: Any) -> Vector:
        return self.then("xor", other)

    def times_plus(self, factor: Any, term: Any) -> Vector:
        """``self * factor + term``, rounded once."""
        return self.then("fma", factor, term)

    def min(self, other: Any) -> Vector:
        """The smaller; ``other`` where they are equal or one is NaN."""
        return self.then("min", other)

    def max(self, other: Any) -> Vector:
        """The larger; ``other`` where they are equal or one is NaN."""
        return self.then("max", other)

    def sqrt(self) -> Vector:
        return self.then("sqrt")

    def round(self, mode: int) -> Vector:
        """The whole number next to each element in the direction ``mode``."""
        return self.then("round", number=mode)

    def compare(self, predicate: int, other: Any) -> Vector:
        """Lanes of ones where the comparison holds, of zeros where not."""
        return self.then("compare", other, number=predicate)

    def select(self, yes: Any, no: Any) -> Vector:
        """``yes`` in the lanes that are ones, ``no`` in those that are zeros."""
        return self.then("select", yes, no)

    def shift_left(self, count: int) -> Vector:
        return self.then("shift_left", number=count)

    def shift_right(self, count: int) -> Vector:
        return self.then("shift_right", number=count)

    def add_integer(self, other: Vector) -> Vector:
        """Sum of the lanes as integers."""
        return self.then("add_integer", other)

    def sub_integer(self, other: Vector) -> Vector:
        """Difference of the lanes as integers."""
        return self.then("sub_integer", other)

    def multiply_words(self, other: Vector) -> Vector:
        """Product of the lower halves of the lanes of 64 bits, as integers without sign."""
        return self.then("multiply_words", other)

    def from_integer(self) -> Vector:
        """The float32 number of each lane of 32 bits read as an integer."""
        return self.then("from_integer")

    @property
    def nan(self) -> Vector:
        """Where this is NaN."""
        return self.compare(UNORDERED, self)

    @property
    def sign_bit(self) -> Vector:
        """The sign's bit alone."""
        return self & self.body.bits(1 << 31, 1 << 63)

    @property
    def size(self) -> Vector:
        """The absolute value."""
        return self & self.body.bits((1 << 31) - 1, (1 << 63) - 1)

    def __neg__(self) -> Vector:
        return self ^ self.body.bits(1 << 31, 1 << 63)

    def inverted(self) -> Vector:
        """All bits turned over."""
        return self ^ self.body.bits((1 << 32) - 1, (1 << 64) - 1)


def contracted(body: Body) -> Body:
    """``body`` with products that are only added or subtracted fused with that, which rounds once instead of twice."""
    uses = [0] * len(body.operations)
    for operation in body.operations:
        for operand in operation.operands:
            uses[operand] += 1
    for result in body.results:
        uses[result] += 1

    def is_product(place: int) -> bool:
        return body.operations[place].name == "mul" and uses[place] == 1

    made = body.like()
    places: dict[int, int] = {}
    for place, operation in enumerate(body.operations):
        name, operands = operation.name, operation.operands
        if name == "add" and is_product(operands[1]) and not is_product(operands[0]):
            operands = operands[::-1]
        if name in ("add", "sub") and is_product(operands[0]):
            name = "fma" if name == "add" else "fmsub"
            operands = (*body.operations[operands[0]].operands, operands[1])
        elif name == "sub" and is_product(operands[1]):
            name, operands = "fnmadd", (*body.operations[operands[1]].operands, operands[0])
        operation = operation._replace(name=name, operands=tuple([places[x] for x in operands]))
        places[place] = made.put(operation).place
    return body._moved(made, places).pruned()


#: Operations whose operands can change places.
COMMUTATIVE: Final = frozenset(["add", "mul", "and", "or", "xor", "add_integer"])
