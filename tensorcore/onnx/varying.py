"""Numbers that differ between runs of a model at several sizes of its dynamic dimensions.

A model is run at several sizes; a number that a step was given, or a side of a value, is then a column of numbers, one
for each run. Columns of equal numbers are the number. The others are `Varying`: they calculate like numbers, and
`fit` says how they follow from sides of values that the exported graph can ask for.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tensorcore.onnx.errors import SymbolicValueError

__all__ = ["Repeated", "Unlike", "Varying", "fit", "fit_float", "merge", "vary"]

#: How a column follows from others: ``("side", place)``, ``("number", n)`` or ``(operation, expression, expression)``.
Expression = tuple[Any, ...]

#: So many sides are tried in sums and products of three.
_SEARCHED = 24


def vary(values: Sequence[Any]) -> Any:
    """A column of numbers: the number itself where all are equal."""
    return values[0] if all(value == values[0] for value in values) else Varying(tuple(values))


class Varying:
    """A number with a value for each run; arithmetic is that of the values."""

    __slots__ = ("values",)

    def __init__(self, values: tuple[Any, ...]) -> None:
        self.values = values

    def _with(self, other: Any, function: Callable[[Any, Any], Any], turned: bool = False) -> Any:
        others = other.values if isinstance(other, Varying) else (other,) * len(self.values)
        pairs = zip(others, self.values, strict=True) if turned else zip(self.values, others, strict=True)
        return vary([function(a, b) for a, b in pairs])

    def __add__(self, other: Any) -> Any:
        return self._with(other, operator.add)

    __radd__ = __add__

    def __mul__(self, other: Any) -> Any:
        return self._with(other, operator.mul)

    __rmul__ = __mul__

    def __sub__(self, other: Any) -> Any:
        return self._with(other, operator.sub)

    def __rsub__(self, other: Any) -> Any:
        return self._with(other, operator.sub, True)

    def __floordiv__(self, other: Any) -> Any:
        return self._with(other, operator.floordiv)

    def __rfloordiv__(self, other: Any) -> Any:
        return self._with(other, operator.floordiv, True)

    def __truediv__(self, other: Any) -> Any:
        return self._with(other, operator.truediv)

    def __rtruediv__(self, other: Any) -> Any:
        return self._with(other, operator.truediv, True)

    def __neg__(self) -> Varying:
        return Varying(tuple(-value for value in self.values))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Varying) and other.values == self.values

    def __hash__(self) -> int:
        return hash(self.values)

    def _compared(self, other: Any, function: Callable[[Any, Any], bool]) -> bool:
        found = self._with(other, function)
        if isinstance(found, Varying):
            raise SymbolicValueError(f"a comparison that depends on a dynamic dimension: {self} with {other}")
        return bool(found)

    def __lt__(self, other: Any) -> bool:
        return self._compared(other, operator.lt)

    def __le__(self, other: Any) -> bool:
        return self._compared(other, operator.le)

    def __gt__(self, other: Any) -> bool:
        return self._compared(other, operator.gt)

    def __ge__(self, other: Any) -> bool:
        return self._compared(other, operator.ge)

    def __repr__(self) -> str:
        return " or ".join(map(str, dict.fromkeys(self.values)))


@dataclass(frozen=True, slots=True)
class Repeated:
    """A tuple of ``count`` times ``value``, either of which varies."""

    value: Any
    count: Any


@dataclass(frozen=True, slots=True)
class Unlike:
    """What differs between runs and is no number."""

    values: tuple[Any, ...]

    def __repr__(self) -> str:
        return " or ".join(dict.fromkeys(f"{value!r:.80}" for value in self.values))


def merge(column: Sequence[Any]) -> Any:
    """One value for what a step was given in each run."""
    first = column[0]
    if len(column) == 1 or all(each is first for each in column):
        return first
    if all(type(each) in (int, float) for each in column):
        return first if len({repr(each) for each in column}) == 1 else Varying(tuple(column))
    if all(isinstance(each, (tuple, list)) for each in column):
        if len({len(each) for each in column}) == 1:
            return tuple(merge(each) for each in zip(*column, strict=True))
        if all(len(set(each)) == 1 for each in column):
            return Repeated(merge([each[0] for each in column]), Varying(tuple(len(each) for each in column)))
        return Unlike(tuple(column))
    if all(isinstance(each, slice) for each in column):
        return slice(*(merge([getattr(each, name) for each in column]) for name in ("start", "stop", "step")))
    return first if all(type(each) is type(first) and each == first for each in column) else Unlike(tuple(column))


def fit(wanted: tuple[int, ...], sides: Sequence[tuple[int, ...]]) -> Expression | None:
    """How ``wanted`` follows from columns ``sides`` in every run, or ``None``: the simplest form that holds.

    Forms, in the order tried: a side; a multiple, a whole fraction, a side plus a number; a multiple of a product
    of two; a multiple of a side plus a number, and its whole fraction; sums, differences and quotients of two plus
    a number; multiples of products of three.
    """
    return next(_forms(wanted, sides), None)


def _forms(wanted: tuple[int, ...], sides: Sequence[tuple[int, ...]]) -> Iterator[Expression]:
    for place, side in enumerate(sides):
        if side == wanted:
            yield ("side", place)
    for place, side in enumerate(sides):
        yield from _of_one(wanted, side, ("side", place))
    few = list(enumerate(sides[:_SEARCHED]))
    for (i, a), (j, b) in itertools.combinations_with_replacement(few, 2):
        product = tuple(map(operator.mul, a, b))
        yield from _scaled(wanted, product, ("Mul", ("side", i), ("side", j)))
    for place, side in few:
        yield from _affine(wanted, side, ("side", place))
    for (i, a), (j, b) in itertools.permutations(few, 2):
        for name, function in (("Add", operator.add), ("Sub", operator.sub)):
            if name == "Sub" or i < j:
                column = tuple(map(function, a, b))
                yield from _shifted(wanted, column, (name, ("side", i), ("side", j)))
        if all(b):
            yield from _scaled(wanted, tuple(map(operator.floordiv, a, b)), ("Div", ("side", i), ("side", j)))
    for three in itertools.combinations_with_replacement(few, 3):
        column = tuple(math.prod(each) for each in zip(*(side for _, side in three), strict=True))
        first, second, third = (("side", place) for place, _ in three)
        yield from _scaled(wanted, column, ("Mul", ("Mul", first, second), third))


def _scaled(wanted: tuple[int, ...], side: tuple[int, ...], shown: Expression) -> Iterator[Expression]:
    if side[0] and wanted[0] and wanted[0] % side[0] == 0:
        factor = wanted[0] // side[0]
        if all(w == factor * s for w, s in zip(wanted, side, strict=True)):
            yield shown if factor == 1 else ("Mul", shown, ("number", factor))


def _shifted(wanted: tuple[int, ...], side: tuple[int, ...], shown: Expression) -> Iterator[Expression]:
    shift = wanted[0] - side[0]
    if all(w == s + shift for w, s in zip(wanted, side, strict=True)):
        yield ("Add", shown, ("number", shift)) if shift else shown


def _of_one(wanted: tuple[int, ...], side: tuple[int, ...], shown: Expression) -> Iterator[Expression]:
    yield from _scaled(wanted, side, shown)
    yield from _shifted(wanted, side, shown)
    for divisor in _divisors(wanted, side):
        if all(w == s // divisor for w, s in zip(wanted, side, strict=True)):
            yield ("Div", shown, ("number", divisor))


def _divisors(wanted: tuple[int, ...], side: tuple[int, ...]) -> range:
    """Whole numbers by which the largest side gives what is wanted."""
    s, w = max(zip(side, wanted, strict=True))
    return range(max(s // (w + 1), 2), s // w + 1) if w > 0 and s > 0 else range(0)


def _affine(wanted: tuple[int, ...], side: tuple[int, ...], shown: Expression) -> Iterator[Expression]:
    s, w = max(zip(side, wanted, strict=True))
    t, v = min(zip(side, wanted, strict=True))
    if s == t:
        return
    if (w - v) % (s - t) == 0 and w != v:
        factor = (w - v) // (s - t)
        column = tuple(factor * each for each in side)
        scaled = shown if factor == 1 else ("Mul", shown, ("number", factor))
        yield from _shifted(wanted, column, scaled)
    # A convolution or a pooling: the whole fraction of a multiple of a side and a number, plus a number.
    for divisor, factor in itertools.product(range(2, 9), range(1, 8)):
        if math.gcd(divisor, factor) > 1:
            continue
        scaled = shown if factor == 1 else ("Mul", shown, ("number", factor))
        for shift in range(divisor):
            column = tuple((factor * each + shift) // divisor for each in side)
            inner = ("Add", scaled, ("number", shift)) if shift else scaled
            yield from _shifted(wanted, column, ("Div", inner, ("number", divisor)))


def fit_float(wanted: tuple[float, ...], sides: Sequence[tuple[int, ...]]) -> tuple[bool, bool, Expression] | None:
    """``(inverted, rooted, expression)`` so that ``wanted`` is the whole number, its root, or one over either."""
    for inverted, rooted in itertools.product((False, True), repeat=2):
        try:
            column = [1 / each if inverted else each for each in wanted]
        except ZeroDivisionError:
            continue
        column = [each * each for each in column] if rooted else column
        near = [round(each) if math.isfinite(each) else 0 for each in column]
        # Constants are of float32 where the model is: its rounding is not part of the number.
        if all(n and math.isclose(n, each, rel_tol=1e-6) for n, each in zip(near, column, strict=True)):
            found = fit(tuple(near), sides)
            if found is not None:
                return inverted, rooted, found
    return None
