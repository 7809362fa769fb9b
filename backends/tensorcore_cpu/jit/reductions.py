"""Reductions over the last dimensions of contiguous arrays, compiled."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, Final

import numpy as np

from tensorcore.dtypes import by_name
from tensorcore_cpu.jit.arithmetic import total_of_rows
from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.functions import LOWERINGS
from tensorcore_cpu.jit.rows import Layout, Rows, compiled_rows
from tensorcore_cpu.jit.scans import ScanKernels
from tensorcore_cpu.jit.vectors import LT, Body, Vector
from tensorcore_cpu.sums import total as sum_over

__all__ = ["Program", "ReductionKernels"]

#: Elements that are added up before partial sums are: longer runs would cost digits.
_RUN: Final = 4096
#: ``function(begin, end, columns, *addresses)``
Program = Callable[..., None]

exp, log = LOWERINGS["exp"], LOWERINGS["log"]


# ---------------------------------------------------------------------- what is done with a row


def _total(name: str, term: Callable[[Body], Vector]) -> Callable[[Rows], None]:
    """One number a row: ``term`` of its elements, gathered by ``name``."""

    def describe(rows: Rows) -> None:
        slot = rows.total(name, term(rows.over_row()))
        body = rows.once()
        body.store(0, body.carried(slot))

    return describe


def _square_of_difference(body: Body) -> Vector:
    difference = body.input(1) - body.input(2)
    return difference * difference


_sum = _total("add", lambda body: body.input(1))
_sum_of_numbers = _total("add", lambda body: body.input(1).nan.select(0.0, body.input(1)))
_sizes = _total("add", lambda body: body.input(1).size)
_prod = _total("mul", lambda body: body.input(1))
#: Of the distances from a number, or from another matrix: as the second array lies.
_squares = _total("add", _square_of_difference)


def _extreme(name: str) -> Callable[[Rows], None]:
    def describe(rows: Rows) -> None:
        x = rows.over_row().input(1)
        # The instructions pass NaN over.
        most, missing = rows.total(name, x), rows.total("or", x.nan)
        body = rows.once()
        body.store(0, body.carried(missing).select(math.nan, body.carried(most)))

    return describe


_largest, _smallest = _extreme("max"), _extreme("min")


def _logsumexp(rows: Rows) -> None:
    # An infinite maximum is the result.
    top = rows.total("max", rows.over_row().input(1))
    body = rows.once()
    finite = body.carried(top).size.compare(LT, math.inf)
    level = rows.keep(finite.select(body.carried(top), 0.0))
    body = rows.over_row()
    total = rows.total("add", exp(body.input(1) - body.carried(level)))
    body = rows.once()
    body.store(0, log(body.carried(total)) + body.carried(level))


# ---------------------------------------------------------------------- kernels


@lru_cache(4096)
def _plan(shape: tuple[int, ...], dim: tuple[int, ...], keepdim: bool) -> tuple[int, int, tuple[int, ...]] | None:
    """Rows, columns and the result's shape where ``dim`` are the last dimensions and there are elements."""
    lead = len(shape) - len(dim)
    if not dim or dim != tuple(range(lead, len(shape))) or 0 in shape:
        return None
    out = (*shape[:lead], *(1,) * len(dim)) if keepdim else shape[:lead]
    return math.prod(shape[:lead]), math.prod(shape[lead:]), out


class ReductionKernels(ScanKernels):
    """Kernels of one dtype by op name; each calls ``plain`` for dimensions and layouts that are no rows."""

    def __init__(self, native: Any) -> None:
        self.native = native
        self.double = native.itemsize == 8
        self.program = cache(self._program)
        self.part_of = lru_cache(256)(lambda count: np.array(1 / count, native))
        self.zero = np.zeros((), native)

    def _program(self, describe: Callable[[Rows], None], *layouts: Layout) -> Program:
        best, offset = isa(), data_offset()
        assert best is not None and offset is not None
        rows = Rows(layouts, self.double, best.wide)
        describe(rows)
        return loaded(compiled_rows(rows, best, offset), 1 + len(layouts))

    def _fits(self, *arrays: Any) -> bool:
        """Whether the arrays are of this dtype, have elements and lie in row-major order."""
        return all([x is None or (x.dtype == self.native and x.size > 0 and x.flags.c_contiguous) for x in arrays])

    # ------------------------------------------------------------------ one number for each row

    def _totals(self, describe: Any) -> Callable[..., Any]:
        """``function(out, x, rows, columns, middle)``: one sum for each row; long rows in runs, added by halves."""
        zero = self.zero
        program = None

        def total(out: Any, x: Any, rows: int, columns: int, middle: Any = zero) -> None:
            nonlocal program
            program = program or self.program(describe, "row", "matrix", "number")
            if columns <= _RUN:
                program(0, rows, columns, id(out), id(x), id(middle))
                return
            count = columns // _RUN
            long = count * _RUN
            parts = np.empty((rows, count + (long < columns)), self.native)
            for row, sums in zip(x.reshape(rows, columns), parts, strict=True):
                program(0, count, _RUN, id(sums), id(row), id(middle))
                if long < columns:
                    rest, last = row[long:], sums[count:]
                    program(0, 1, columns - long, id(last), id(rest), id(middle))
            np.add.reduce(parts, 1, None, out.reshape(-1))

        return total

    def sum(self, plain: Any) -> Any:
        return self._summed(plain, _sum)

    def nansum(self, plain: Any) -> Any:
        return self._summed(plain, _sum_of_numbers)

    def _summed(self, plain: Any, describe: Any) -> Any:
        total, native, wanted = self._totals(describe), self.native, by_name(self.native.name)
        program, zero, small = None, id(self.zero), total_of_rows(native)

        def kernel(input: Any, *, dim: tuple[int, ...], keepdim: bool, dtype: Any) -> Any:
            nonlocal program
            if dim == (0,) and dtype is wanted and not keepdim and describe is _sum:
                found = small(input)
                if found is not None:
                    return found
            plan = _plan(input.shape, dim, keepdim)
            if plan is None or dtype is not wanted or not input.flags.c_contiguous:
                return plain(input, dim=dim, keepdim=keepdim, dtype=dtype)
            rows, columns, shape = plan
            out = np.empty(shape, native)
            if columns > _RUN:
                total(out, input, rows, columns)
                return out
            # Sums end nearly every loss: the common case without a function more.
            if program is None:
                program = self.program(describe, "row", "matrix", "number")
            program(0, rows, columns, id(out), id(input), zero)
            return out

        return kernel

    def mean(self, plain: Any) -> Any:
        total, native = self._totals(_sum), self.native

        def kernel(input: Any, *, dim: tuple[int, ...], keepdim: bool) -> Any:
            plan = _plan(input.shape, dim, keepdim)
            if plan is None or not input.flags.c_contiguous:
                out = sum_over(input, dim, native, None, keepdim)
                count = math.prod([input.shape[d] for d in dim])
                return np.true_divide(out, count) if count else plain(input, dim=dim, keepdim=keepdim)
            rows, columns, shape = plan
            out = np.empty(shape, native)
            total(out, input, rows, columns)
            out /= columns
            return out

        return kernel

    def squared_error(self, plain: Any) -> Any:
        native = self.native

        def kernel(input: Any, target: Any, *, reduction: str) -> Any:
            if reduction == "none" or input.shape != target.shape or not self._fits(input, target):
                return plain(input, target, reduction=reduction)
            # Long rows in runs, added by halves.
            program = self.program(_squares, "row", "matrix", "matrix")
            count, rest = divmod(input.size, _RUN)
            parts = np.empty(count + (rest > 0), native)
            if count:
                program(0, count, _RUN, id(parts), id(input), id(target))
            if rest:
                last, x, y = parts[count:], input.reshape(-1)[count * _RUN :], target.reshape(-1)[count * _RUN :]
                program(0, 1, rest, id(last), id(x), id(y))
            total = np.add.reduce(parts, keepdims=False)
            return np.asarray(total / native.type(input.size) if reduction == "mean" else total)

        return kernel

    def linalg_vector_norm(self, plain: Any) -> Any:
        squares, sizes = self._totals(_squares), self._totals(_sizes)

        def kernel(input: Any, *, ord: float, dim: tuple[int, ...], keepdim: bool) -> Any:
            plan = _plan(input.shape, dim, keepdim)
            if plan is None or ord not in (1, 2) or not input.flags.c_contiguous:
                return plain(input, ord=ord, dim=dim, keepdim=keepdim)
            rows, columns, shape = plan
            out = np.empty(shape, self.native)
            if ord == 1:
                sizes(out, input, rows, columns)
                return out
            squares(out, input, rows, columns)
            return np.sqrt(out, out)

        return kernel

    def var(self, plain: Any) -> Any:
        sums, squares = self._totals(_sum), self._totals(_squares)

        def kernel(input: Any, *, dim: tuple[int, ...], keepdim: bool, correction: float) -> Any:
            plan = _plan(input.shape, dim, keepdim)
            if plan is None or plan[0] != 1 or not input.flags.c_contiguous:
                return plain(input, dim=dim, keepdim=keepdim, correction=correction)
            rows, columns, shape = plan
            middle, out = np.empty(1, self.native), np.empty(shape, self.native)
            sums(middle, input, rows, columns)
            middle /= columns
            squares(out, input, rows, columns, middle)
            if columns > correction:
                out /= columns - correction
            else:
                # What division by 0 gives, without NumPy's warning.
                out.fill(math.inf if out.item() > 0 else math.nan)
            return out

        return kernel

    def std(self, plain: Any) -> Any:
        # The plain deviation's square is the plain variance, so that one function decides which is taken.
        def squared(*arrays: Any, **attributes: Any) -> Any:
            return np.square(plain(*arrays, **attributes))

        variance = self.var(squared)

        def kernel(input: Any, **attributes: Any) -> Any:
            return np.sqrt(variance(input, **attributes))

        return kernel

    def _by_rows(self, plain: Any, describe: Any) -> Any:
        """A kernel that leaves one number for each row, however long."""
        program, native, name = None, self.native, self.native.name

        def kernel(input: Any, *, dim: tuple[int, ...], keepdim: bool, **attributes: Any) -> Any:
            nonlocal program
            plan = _plan(input.shape, dim, keepdim)
            fits = not attributes or attributes["dtype"].name == name
            if plan is None or not fits or not input.flags.c_contiguous:
                return plain(input, dim=dim, keepdim=keepdim, **attributes)
            program = program or self.program(describe, "row", "matrix")
            out = np.empty(plan[2], native)
            program(0, plan[0], plan[1], id(out), id(input))
            return out

        return kernel

    def prod(self, plain: Any) -> Any:
        return self._by_rows(plain, _prod)

    def amax(self, plain: Any) -> Any:
        return self._by_rows(plain, _largest)

    def amin(self, plain: Any) -> Any:
        return self._by_rows(plain, _smallest)

    def _with_places(self, plain: Any, describe: Any, name: str) -> Any:
        """A kernel that leaves an extreme of each row and the first place where it stands."""
        program, native = None, self.native

        def kernel(input: Any, *, dim: int, keepdim: bool) -> Any:
            nonlocal program
            plan = _plan(input.shape, (dim,), keepdim)
            if plan is None or not input.flags.c_contiguous:
                return plain(input, dim=dim, keepdim=keepdim)
            program = program or self.program(describe, "row", "matrix")
            out = np.empty(plan[2], native)
            program(0, plan[0], plan[1], id(out), id(input))
            return out, np.asarray(getattr(input, name)(dim, keepdims=keepdim))

        return kernel

    def max_along(self, plain: Any) -> Any:
        return self._with_places(plain, _largest, "argmax")

    def min_along(self, plain: Any) -> Any:
        return self._with_places(plain, _smallest, "argmin")

    def logsumexp(self, plain: Any) -> Any:
        return self._by_rows(plain, _logsumexp)
