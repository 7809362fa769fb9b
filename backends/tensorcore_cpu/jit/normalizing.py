"""Softmax and layer normalisation over the last dimensions of contiguous arrays, compiled."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, Final

import numpy as np

from tensorcore_cpu import crew
from tensorcore_cpu.jit.functions import LOWERINGS
from tensorcore_cpu.jit.reductions import Program, ReductionKernels
from tensorcore_cpu.jit.rows import Layout, Rows
from tensorcore_cpu.jit.vectors import Vector
from tensorcore_cpu.norms import MANY_ROWS
from tensorcore_cpu.quiet import quiet

__all__ = ["RowKernels"]

exp, log = LOWERINGS["exp"], LOWERINGS["log"]
#: Instructions for each element, about.
_SOFTMAX: Final = 24
_NORM: Final = 8


# ---------------------------------------------------------------------- what is done with a row


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
def _rows_of(shape: tuple[int, ...], ndim: int) -> tuple[int, int, tuple[int, ...]]:
    """Rows, columns and the shape of what there is of each row, where the last ``ndim`` dimensions are a row."""
    lead = len(shape) - ndim
    return math.prod(shape[:lead]), math.prod(shape[lead:]), (*shape[:lead], *(1,) * ndim)


class RowKernels(ReductionKernels):
    """Kernels of one dtype by op name; each calls ``plain`` for dimensions and layouts that are no rows."""

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
            crew.sweep(program, out.size // shape[-1], _SOFTMAX * shape[-1], shape[-1], id(out), id(input))
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
            crew.sweep(program, out.size // shape[-1], _SOFTMAX * shape[-1], shape[-1], id(out), id(grad), id(y))
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
            arrays = (out, mean, rstd, input, self.part_of(columns))
            crew.sweep(program, rows, _NORM * columns, columns, *map(id, arrays), *given)
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
            arrays = [out, product, grad, input, mean, rstd, self.part_of(columns)]
            addresses = [*map(id, arrays if weight is None else [*arrays, weight])]
            crew.sweep(program, rows, _NORM * columns, columns, *addresses)
            sides = input.shape[input.ndim - ndim :]
            slope, shift = (column_sums(x.reshape(rows, columns)).reshape(sides) for x in (product, grad))
            return out, slope, shift

        # Sums of infinities that cancel make NumPy warn.
        return quiet(kernel)


def column_sums(x: Any) -> Any:
    """Sums of the columns; of many float32 rows in float64, as one after another they would lose digits."""
    long = x.dtype == np.float32 and x.shape[0] > MANY_ROWS
    return np.asarray(np.add.reduce(x, 0, np.float64 if long else None), x.dtype)
