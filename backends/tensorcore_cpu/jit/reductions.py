"""Reductions over the last dimensions of contiguous arrays, softmax and layer normalisation, compiled."""

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
from tensorcore_cpu.norms import MANY_ROWS
from tensorcore_cpu.quiet import quiet
from tensorcore_cpu.sums import total as sum_over

__all__ = ["RowKernels"]

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


def _powers(rows: Rows) -> tuple[int, int, Vector]:
    """The largest element, the sum of the powers of the distances to it, and these powers."""
    most = rows.total("max", rows.over_row().input(1))
    body = rows.over_row()
    power = exp(body.input(1) - body.carried(most))
    return most, rows.total("add", power), power


def _softmax(rows: Rows) -> None:
    _, total, power = _powers(rows)
    power.body.store(0, power)
    body = rows.once()
    inverse = rows.keep(1.0 / body.carried(total))
    body = rows.over_row()
    body.store(0, body.input(0) * body.carried(inverse))


def _log_softmax(rows: Rows) -> None:
    most, total, _ = _powers(rows)
    body = rows.once()
    level = rows.keep(log(body.carried(total)))
    body = rows.over_row()
    body.store(0, body.input(1) - body.carried(most) - body.carried(level))


def _softmax_gradient(rows: Rows) -> None:
    body = rows.over_row()
    total = rows.total("add", body.input(1) * body.input(2))
    body = rows.over_row()
    body.store(0, body.input(2) * (body.input(1) - body.carried(total)))


def _log_softmax_gradient(rows: Rows) -> None:
    total = rows.total("add", rows.over_row().input(1))
    body = rows.over_row()
    body.store(0, body.input(1) - exp(body.input(2)) * body.carried(total))


def _layer_norm(eps: float, weighted: bool, shifted: bool) -> Callable[[Rows], None]:
    """Arrays: result, means, inverse deviations, input, 1 / columns, then weight and bias."""

    def describe(rows: Rows) -> None:
        total = rows.total("add", rows.over_row().input(3))
        body = rows.once()
        middle = body.carried(total) * body.input(4)
        body.store(1, middle)
        mean = rows.keep(middle)
        body = rows.over_row()
        distance = body.input(3) - body.carried(mean)
        squares = rows.total("add", distance * distance)
        body = rows.once()
        inverse = 1.0 / (body.carried(squares) * body.input(4) + eps).sqrt()
        body.store(2, inverse)
        rstd = rows.keep(inverse)
        body = rows.over_row()
        out = (body.input(3) - body.carried(mean)) * body.carried(rstd)
        out = out * body.input(5) if weighted else out
        body.store(0, out + body.input(5 + weighted) if shifted else out)

    return describe


def _layer_norm_gradient(weighted: bool) -> Callable[[Rows], None]:
    """Arrays: result, gradient times unit, gradient, input, means, inverse deviations, 1 / columns, weight."""

    def describe(rows: Rows) -> None:
        body = rows.over_row()
        unit = (body.input(3) - body.input(4)) * body.input(5)
        grad = body.input(2)
        body.store(1, grad * unit)
        grad = grad * body.input(7) if weighted else grad
        along, level = rows.total("add", grad * unit), rows.total("add", grad)
        body = rows.once()
        along, level = (rows.keep(body.carried(slot) * body.input(6)) for slot in (along, level))
        body = rows.over_row()
        unit = (body.input(3) - body.input(4)) * body.input(5)
        grad = body.input(2) * body.input(7) if weighted else body.input(2)
        body.store(0, (grad - body.carried(level) - unit * body.carried(along)) * body.input(5))

    return describe


# ---------------------------------------------------------------------- kernels


@lru_cache(4096)
def _plan(shape: tuple[int, ...], dim: tuple[int, ...], keepdim: bool) -> tuple[int, int, tuple[int, ...]] | None:
    """Rows, columns and the result's shape where ``dim`` are the last dimensions and there are elements."""
    lead = len(shape) - len(dim)
    if not dim or dim != tuple(range(lead, len(shape))) or 0 in shape:
        return None
    out = (*shape[:lead], *(1,) * len(dim)) if keepdim else shape[:lead]
    return math.prod(shape[:lead]), math.prod(shape[lead:]), out


@lru_cache(4096)
def _rows_of(shape: tuple[int, ...], ndim: int) -> tuple[int, int, tuple[int, ...]]:
    """Rows, columns and the shape of what there is of each row, where the last ``ndim`` dimensions are a row."""
    lead = len(shape) - ndim
    return math.prod(shape[:lead]), math.prod(shape[lead:]), (*shape[:lead], *(1,) * ndim)


class RowKernels(ScanKernels):
    """Kernels of one dtype by op name; each calls ``plain`` for dimensions and layouts that are no rows."""

    def __init__(self, native: Any) -> None:
        self.native = native
        self.double = native.itemsize == 8
        self.program = cache(self._program)
        self.share = lru_cache(256)(lambda count: np.array(1 / count, native))
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

    # ------------------------------------------------------------------ softmax

    def _along(self, plain: Any, describe: Any) -> Any:
        """A kernel that normalises the rows of the last dimension."""
        program, native = None, self.native

        def kernel(input: Any, *, dim: int) -> Any:
            nonlocal program
            shape = input.shape
            if dim != len(shape) - 1 or not input.flags.c_contiguous or 0 in shape:
                return plain(input, dim=dim)
            program = program or self.program(describe, "matrix", "matrix")
            out = np.empty(shape, native)
            program(0, out.size // shape[-1], shape[-1], id(out), id(input))
            return out

        return kernel

    def _back_along(self, plain: Any, describe: Any) -> Any:
        """Its gradient, of cotangent and result."""
        program, native = None, self.native

        def kernel(grad: Any, y: Any, *, dim: int) -> Any:
            nonlocal program
            shape = y.shape
            fits = dim == len(shape) - 1 and grad.shape == shape and 0 not in shape
            if not (fits and grad.flags.c_contiguous and y.flags.c_contiguous):
                return plain(grad, y, dim=dim)
            program = program or self.program(describe, "matrix", "matrix", "matrix")
            out = np.empty(shape, native)
            program(0, out.size // shape[-1], shape[-1], id(out), id(grad), id(y))
            return out

        return kernel

    def softmax(self, plain: Any) -> Any:
        return self._along(plain, _softmax)

    def log_softmax(self, plain: Any) -> Any:
        return self._along(plain, _log_softmax)

    def softmax_gradient(self, plain: Any) -> Any:
        return self._back_along(plain, _softmax_gradient)

    def log_softmax_gradient(self, plain: Any) -> Any:
        return self._back_along(plain, _log_softmax_gradient)

    # ------------------------------------------------------------------ layer normalisation

    def native_layer_norm(self, plain: Any) -> Any:
        native = self.native

        @cache
        def made(eps: float, weighted: bool, shifted: bool) -> Program:
            columns: tuple[Layout, ...] = ("column",) * (weighted + shifted)
            describe = _layer_norm(eps, weighted, shifted)
            return self.program(describe, "matrix", "row", "row", "matrix", "number", *columns)

        def kernel(input: Any, weight: Any = None, bias: Any = None, *, ndim: int, eps: float) -> Any:
            if not self._fits(input, weight, bias):
                return plain(input, weight, bias, ndim=ndim, eps=eps)
            shape = input.shape
            rows, columns, kept = _rows_of(shape, ndim)
            out, mean, rstd = np.empty(shape, native), np.empty(kept, native), np.empty(kept, native)
            given = [id(x) for x in (weight, bias) if x is not None]
            program = made(eps, weight is not None, bias is not None)
            program(0, rows, columns, id(out), id(mean), id(rstd), id(input), id(self.share(columns)), *given)
            return out, mean, rstd

        return kernel

    def layer_norm_gradient(self, plain: Any) -> Any:
        describe = cache(_layer_norm_gradient)

        def kernel(grad: Any, input: Any, mean: Any, rstd: Any, weight: Any = None, *, ndim: int) -> Any:
            if grad.shape != input.shape or not self._fits(grad, input, mean, rstd, weight):
                return plain(grad, input, mean, rstd, weight, ndim=ndim)
            rows, columns, _ = _rows_of(input.shape, ndim)
            out, product = np.empty((2, *input.shape), self.native)
            program = self.program(
                describe(weight is not None), "matrix", "matrix", "matrix", "matrix", "row", "row", "number",
                *("column" for x in (weight,) if x is not None),
            )  # fmt: skip
            arrays = [out, product, grad, input, mean, rstd, self.share(columns)]
            program(0, rows, columns, *map(id, arrays if weight is None else [*arrays, weight]))
            sides = input.shape[input.ndim - ndim :]
            slope, shift = (column_sums(x.reshape(rows, columns)).reshape(sides) for x in (product, grad))
            return out, slope, shift

        # Sums of infinities that cancel make NumPy warn.
        return quiet(kernel)


def column_sums(x: Any) -> Any:
    """Sums of the columns; of many float32 rows in float64, as one after another they would lose digits."""
    long = x.dtype == np.float32 and x.shape[0] > MANY_ROWS
    return np.asarray(np.add.reduce(x, 0, np.float64 if long else None), x.dtype)
