"""Recipes: an op call written as data, so that it can be rebuilt from one line."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from tensorcore import dtypes
from tensorcore.dtypes import DType
from tensorcore.ops.record import REGISTRY, Op
from tensorcore.tensor import Tensor
from tensorcore_conformance.arrays import laid_out, native, repeated
from tensorcore_conformance.checks import program_of
from tensorcore_conformance.structure import observed, prepared

__all__ = ["Recipe", "flat_outputs", "seed_of", "shape_name"]

Shape = tuple[int, ...]

#: Elements of the special cases: signed zeros, ones, halves (rounding), infinities, NaN, and the dtype's limits.
SPECIALS = (0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, float("inf"), float("-inf"), float("nan"))

#: Parts of complex numbers, of which two numbers may have one alone in common.
PARTS = (0.0, 1.0, -1.0, 0.5, 2.0, -3.0)

#: Parts whose squares leave float32, and zeros of both signs, which lie on either side of branch cuts.
CUTS = (0.0, -0.0, 1.0, -2.0, 1e-25, -1e25)
#: Midpoints between neighbouring numbers of 8, 11 and 24 digits, and numbers close beside them: digits, side and step.
HALVES = tuple((digits, side, near) for digits in (8, 11, 24) for side in (1, 3) for near in (-1, 0, 1))


def _rows(x: Any) -> Any:
    """Rows of one kind each: -inf, infinities of both signs, NaN, numbers with some of them, zeros of both signs."""
    inf, nan = np.inf, np.nan
    kinds: tuple[tuple[int | slice, float], ...] = (
        (slice(None), -inf), (slice(None), inf), (0, inf), (-1, nan), (slice(None), nan), (0, -inf), (slice(None), 0.0),
        (slice(None, None, 2), -0.0), (slice(1, 3), nan),
    )  # fmt: skip
    for row, (where, value) in zip(x, kinds, strict=False):
        row[where] = value
    return x


def shape_name(shape: Shape | None) -> str:
    """A shape as text: ``"(3,4)"``, ``"(3)"``, ``"()"``; ``"none"`` for an operand left out."""
    return "none" if shape is None else f"({','.join(map(str, shape))})"


def _literal(value: Any) -> str:
    """The value as Python writes it; infinities and NaN as calls."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"float({str(value)!r})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_literal(key)}: {_literal(each)}" for key, each in value.items()) + "}"
    if type(value) in (tuple, list):
        inner = ", ".join(map(_literal, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
    return repr(value)


def seed_of(text: str) -> int:
    """A seed that depends on the case's name alone."""
    return zlib.crc32(text.encode())


@dataclass(frozen=True)
class Recipe:
    """One call of an op with generated operands.

    Attributes:
        op: name of the op.
        shapes: shape of each tensor operand.
        dtypes: name of the dtype of each operand.
        domains: interval each operand is drawn from; ``None`` is the record's.
        args: further positional arguments, after the operands.
        kwargs: keyword arguments.
        order: how operands (by number) and keyword arguments (by name) are interleaved as positional ones.
        layout: how the operands lie in memory, of `arrays.LAYOUTS`; some have several elements in one place.
        fill: ``"random"``; ``"special"`` (every pair of special values); ``"extreme"`` (limits of the dtype);
            ``"normal"`` (as special, without subnormal numbers); ``"sprinkled"`` (random with some special values);
            ``"rows"`` (each row of one kind of infinities, NaN and zeros); ``"parts"`` (every pair of parts of complex
            numbers); ``"cuts"`` (the same of large and small parts and of zeros); ``"digits"`` (odd integers of every
            magnitude); ``"halves"`` (what lies beside midpoints of narrower formats); ``"ties"`` (0, 1 and 2);
            ``"tenth"`` (0.1 throughout); ``"values"``; ``"same"`` (random, and operands of one shape and dtype are one
            tensor).
        values: for ``fill="values"``, numbers that fill the operands in turn.
        prepare: name of what makes each operand of random elements, of `structure.PREPARATIONS`, or ``None``.
        observe: name of what is compared of the outputs, of `structure.OBSERVATIONS`; empty for all.
        distinct: whether operands with a domain of their own are indices, none twice (along ``dim`` if given).
        seed: seed of the generator.
    """

    op: str
    shapes: tuple[Shape, ...] = ()
    dtypes: tuple[str, ...] = ()
    domains: tuple[tuple[float, float] | None, ...] = ()
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    order: tuple[int | str, ...] = ()
    layout: str = "contiguous"
    fill: str = "random"
    values: tuple[float, ...] = ()
    prepare: tuple[str | None, ...] = ()
    observe: str = ""
    distinct: bool = False
    seed: int = 0

    @property
    def record(self) -> Op:
        """The op's record."""
        return REGISTRY[self.op]

    def replaced(self, **changes: Any) -> Recipe:
        """This recipe with some fields changed."""
        return replace(self, **changes)

    def written(self, device: str, check: str) -> str:
        """Three lines of Python that run ``check`` on this recipe again."""
        given = [f"{name}={_literal(value)}" for name, value in self._given()]
        return program_of("replay", repr(device), repr(check), repr(self.op), *given)

    @property
    def shape_names(self) -> tuple[str, ...]:
        """The shapes of the operands as text, such as ``"(3,4)"``; exceptions are scoped by them."""
        return tuple(shape_name(shape) for shape in self.shapes)

    def _given(self) -> list[tuple[str, Any]]:
        standard = Recipe(self.op)
        found = ((each.name, getattr(self, each.name)) for each in fields(self))
        return [(name, value) for name, value in found if name != "op" and value != getattr(standard, name)]

    def operands(self) -> list[Any]:
        """The operands as NumPy arrays; ``None`` for one whose shape is ``None``."""
        return self.prepared(self.drawn())

    def prepared(self, operands: list[Any]) -> list[Any]:
        """The operands, arrays or tensors, that the sample makes of drawn ones."""
        missing = (None,) * (len(operands) - len(self.prepare))
        return [prepared(name, x) for name, x in zip((*self.prepare, *missing), operands, strict=True)]

    def drawn(self) -> list[Any]:
        """Random elements as NumPy arrays, not yet prepared."""
        rng = np.random.default_rng(self.seed)
        if self.fill in ("special", "normal") and self.shapes:
            return self._crossed(SPECIALS)
        if self.fill in ("parts", "cuts") and len({*self.shapes}) == 1 and math.prod(self.shapes[0]) > len(PARTS) ** 2:
            return self._pairs()
        made = []
        for place, shape in enumerate(self.shapes):
            if shape is None:
                made.append(None)
                continue
            dtype = self.dtypes[place]
            low, high = (self.domains[place] if place < len(self.domains) else None) or self.record.domain
            indices = self.distinct and place < len(self.domains) and self.domains[place] is not None
            made.append(
                self._distinct(rng, shape, int(high)) if indices else self._filled(rng, shape, dtype, low, high)
            )
        if self.fill == "same":
            made = [made[self._twin(place, made)] for place in range(len(made))]
        return [repeated(x, layout) for x, layout in zip(made, self.layouts, strict=True)]

    def _twin(self, place: int, made: list[Any]) -> int:
        """The first operand that is one tensor with the one at ``place``: of one form, and of one domain."""

        domains = (*self.domains, *(None,) * len(made))

        def form(i: int) -> Any:
            return (i,) if made[i] is None else (made[i].shape, made[i].dtype.name, domains[i])

        return next(i for i in range(place + 1) if form(i) == form(place))

    @property
    def layouts(self) -> tuple[str, ...]:
        """How each operand lies in memory; ``"mixed"`` is another way for each."""
        if self.layout != "mixed":
            return (self.layout,) * len(self.shapes)
        ways = ("transposed", "contiguous", "negative", "strided")
        return tuple(ways[place % len(ways)] for place in range(len(self.shapes)))

    def _filled(self, rng: Any, shape: Shape, dtype: str, low: float, high: float) -> Any:
        kind = dtypes.by_name(dtype)
        if self.fill == "ties":
            return rng.integers(0, 3, shape).astype(native(dtype))
        if self.fill == "tenth":
            return np.full(shape, 0.1).astype(native(dtype))
        if self.fill == "values" and kind is dtypes.bool_ and len(self.values) == 1:
            return np.full(shape, bool(self.values[0]))
        if self.fill == "values" and kind.category in (dtypes.INTEGER, dtypes.FLOATING) and kind is not dtypes.int64:
            bounded = [min(max(value, low), high) for value in self.values]
            return np.resize(np.array(bounded, np.float64), shape).astype(native(dtype))
        if kind.category == dtypes.BOOL:
            return rng.integers(0, 2, shape).astype(bool)
        if self.fill in ("parts", "cuts"):
            return np.resize(self._numbers_of_parts(), shape).astype(native(dtype))
        if self.fill == "halves":
            beside = [1 + side * 2.0**-digits + near * 2.0**-50 for digits, side, near in HALVES]
            return np.resize(np.array(beside), shape).astype(native(dtype))
        if self.fill == "rows":
            return np.resize(_rows(rng.uniform(low, high, shape)), shape).astype(native(dtype))
        if kind.category == dtypes.INTEGER:
            return self._integers(rng, shape, kind, low, high)
        if kind.category == dtypes.COMPLEX:
            return (rng.uniform(low, high, shape) + 1j * rng.uniform(low, high, shape)).astype(native(dtype))
        made = np.asarray(rng.uniform(low, high, shape)).astype(native(dtype))
        if self.fill == "sprinkled" and made.size:
            flat = made.reshape(-1)
            for value in (np.nan, np.inf, -np.inf, -0.0):
                flat[rng.integers(0, flat.size)] = value
            return flat.reshape(shape)
        return made

    def _integers(self, rng: Any, shape: Shape, kind: DType, low: float, high: float) -> Any:
        info = dtypes.iinfo(kind)
        if self.fill == "extreme":
            limits = np.array([info.min, info.max, 0, 1, info.max - 1, info.min + 1], native(kind))
            return limits[rng.integers(0, len(limits), shape)]
        if self.fill == "halves":
            top = 8 * kind.itemsize - 4
            scaled = [2**top + (side * 2**top >> digits) + near for digits, side, near in HALVES]
            return np.resize(np.array(scaled, np.int64), shape).astype(native(kind))
        if self.fill == "digits":
            count, width = math.prod(shape), 8 * kind.itemsize
            drawn = rng.integers(0, 2**58, count) >> rng.integers(max(58 - width, 0), 57, count) | 1
            return drawn.astype(native(kind)).reshape(shape)
        bottom = max(int(np.ceil(low)), info.min)
        # The upper end is left out, as for indices into a side.
        top = max(int(np.ceil(high)), bottom + 1)
        return rng.integers(bottom, top, shape).astype(native(kind))

    def _distinct(self, rng: Any, shape: Shape, side: int) -> Any:
        """Indices into a side, none twice: along the dimension ``dim`` if the op has one."""
        dim = self.kwargs.get("dim")
        if dim is None:
            return rng.permutation(side)[: int(np.prod(shape))].reshape(shape).astype(np.int64)
        whole = [side if place == dim else length for place, length in enumerate(shape)]
        order = np.argsort(rng.uniform(size=whole), axis=dim)
        return np.ascontiguousarray(np.take(order, range(shape[dim]), axis=dim)).astype(np.int64)

    def _numbers_of_parts(self) -> Any:
        """Complex numbers of every pair of parts."""
        parts = PARTS if self.fill == "parts" else CUTS
        return np.array([complex(real, imag) for real in parts for imag in parts])

    def _pairs(self) -> list[Any]:
        """Every combination of complex numbers of every pair of parts."""
        grids = np.meshgrid(*[self._numbers_of_parts()] * len(self.shapes), indexing="ij")
        return [grid.reshape(-1).astype(native(dtype)) for grid, dtype in zip(grids, self.dtypes, strict=True)]

    def _crossed(self, specials: tuple[float, ...]) -> list[Any]:
        """Every combination of special values, a dimension each."""
        dtype = dtypes.by_name(self.dtypes[0])
        limits = dtypes.finfo(dtype)
        values = np.array([*specials, limits.max, limits.min, limits.tiny, limits.tiny / 4], np.float64)
        if self.fill == "normal":
            values = values[:-1]
        grids = np.meshgrid(*[values] * len(self.shapes), indexing="ij")
        return [np.ascontiguousarray(grid).reshape(-1).astype(native(self.dtypes[0])) for grid in grids]

    # ---------------------------------------------------------------- calling

    def arranged(self, operands: list[Any]) -> tuple[list[Any], dict[str, Any]]:
        """The positional and keyword arguments of the call, with ``operands`` in place."""
        kwargs = dict(self.kwargs)
        kwargs.pop("distinct", None)
        if self.order:
            positional = [kwargs.pop(item) if isinstance(item, str) else operands[item] for item in self.order]
            positional += operands[len([item for item in self.order if not isinstance(item, str)]) :]
            return [*positional, *self.args], kwargs
        op = self.record
        first = next(iter(op.signature.parameters.values()), None)
        if op.variadic and len(op.operands) == 1 and first is not None and first.kind is not first.VAR_POSITIONAL:
            return [operands, *self.args], kwargs
        return [*operands, *self.args], kwargs

    def tensors(self, device: str) -> list[Tensor | None]:
        """The operands on ``device``, in the recipe's layout."""
        operands = self.operands()
        made = [None if x is None else laid_out(x, device, way) for x, way in zip(operands, self.layouts, strict=True)]
        if self.fill == "same":
            return [made[self._twin(place, operands)] for place in range(len(made))]
        return made

    def call(self, tensors: list[Any], device: str, function: Any = None) -> Any:
        """The op's result for these operands; ops without operands are told the device."""
        args, kwargs = self.arranged(tensors)
        if not self.shapes:
            kwargs["device"] = device
        return observed(self.observe, (function or self.record)(*args, **kwargs))


def flat_outputs(result: Any) -> list[Any]:
    """The outputs of an op, several or one, as a list."""
    return list(result) if isinstance(result, (tuple, list)) else [result]
