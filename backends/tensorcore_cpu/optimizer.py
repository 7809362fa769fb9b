"""Update rules of optimizers, each in one pass over memory.

The arrays are worked through in blocks that stay in the cache, with scratch that is kept between calls, so memory is
read and written once where the expression in ops would go through it ten times and allocate each result.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tensorcore.backend.contract import Array

#: Bytes of a block of one array. Smaller ones pay more for calling NumPy than they save in the cache (Adam on 670 k
#: parameters: 1.08 ms with 32 KiB, 0.80 with 64, 0.68 with 128, 0.63 with 256, 0.64 without blocks).
BLOCK_BYTES = 1 << 18


class _Scratch(threading.local):
    def __init__(self) -> None:
        self.held: dict[Any, tuple[Array, Array]] = {}

    def pair(self, dtype: Any) -> tuple[Array, Array]:
        found = self.held.get(dtype)
        if found is None:
            length = BLOCK_BYTES // dtype.itemsize
            found = self.held[dtype] = (np.empty(length, dtype), np.empty(length, dtype))
        return found


_scratch = _Scratch()


def _blocks(arrays: Sequence[Array]) -> Iterator[tuple[Array, ...]]:
    """The arrays (parameter, gradient, ...), all of one shape, in blocks of one dimension, then two of scratch.

    What is not contiguous is taken row by row.
    """
    first = arrays[0]
    arrays = tuple(arrays)
    a, b = _scratch.pair(first.dtype)
    most = len(a)
    if all(array.flags.c_contiguous for array in arrays):
        flat = [array.reshape(-1) for array in arrays]
        size = first.size
        if size <= most:
            yield (*flat, a[:size], b[:size])
            return
        for start in range(0, size, most):
            parts = [array[start : start + most] for array in flat]
            length = len(parts[0])
            yield (*parts, a[:length], b[:length])
        return
    if not arrays[1].flags.c_contiguous and all(array.flags.c_contiguous for array in arrays[:1] + arrays[2:]):
        # A gradient that is a transposed view: one copy costs less than going through all by rows.
        yield from _blocks((first, np.ascontiguousarray(arrays[1]), *arrays[2:]))
        return
    if first.ndim == 1:
        for start in range(0, first.size, most):
            parts = [array[start : start + most] for array in arrays]
            length = len(parts[0])
            yield (*parts, a[:length], b[:length])
        return
    for row in zip(*arrays, strict=True):
        yield from _blocks(row)


def _outputs(out: Any, *like: Array) -> Any:
    return [np.empty(array.shape, array.dtype) for array in like] if out is None else out


def _directed(param: Any, grad: Any, weight_decay: float, maximize: bool, scratch: Any) -> Any:
    """The gradient with its sign and weight decay; in ``scratch`` unless it is the gradient itself."""
    if weight_decay:
        np.multiply(param, weight_decay, out=scratch)
        return np.subtract(scratch, grad, out=scratch) if maximize else np.add(scratch, grad, out=scratch)
    return np.negative(grad, out=scratch) if maximize else grad


class OptimizerKernels:
    """The kernels; results go to the arrays ``out``, which may be the operands, or to new ones."""

    def sgd_update(
        self, param: Array, grad: Array, momentum_buffer: Array | None, rate: Array | None, *,
        lr: float, momentum: float, dampening: float, weight_decay: float, nesterov: bool, maximize: bool,
        out: Any = None,
    ) -> tuple[Array, ...]:  # fmt: skip
        rate_ = lr if rate is None else float(rate)
        if momentum_buffer is None:
            (new,) = _outputs(out, param)
            for p, g, q, s, t in _blocks((param, grad, new)):
                d = _directed(p, g, weight_decay, maximize, t)
                np.multiply(d, rate_, out=s)
                np.subtract(p, s, out=q)
            return (new,)
        new, buffer = _outputs(out, param, momentum_buffer)
        for p, g, m, q, b, s, t in _blocks((param, grad, momentum_buffer, new, buffer)):
            d = _directed(p, g, weight_decay, maximize, t)
            np.multiply(m, momentum, out=b)
            np.add(b, np.multiply(d, 1 - dampening, out=s) if dampening else d, out=b)
            if nesterov:
                np.multiply(b, momentum, out=s)
                np.add(d, s, out=s)
                np.multiply(s, rate_, out=s)
            else:
                np.multiply(b, rate_, out=s)
            np.subtract(p, s, out=q)
        return new, buffer

    def adam_update(
        self, param: Array, grad: Array, exp_avg: Array, exp_avg_sq: Array, step: Array,
        max_exp_avg_sq: Array | None, rate: Array | None, *,
        lr: float, beta1: float, beta2: float, eps: float, weight_decay: float, decoupled_weight_decay: bool,
        maximize: bool, out: Any = None,
    ) -> tuple[Array, ...]:  # fmt: skip
        count = float(step)
        rate_ = lr if rate is None else float(rate)
        root = math.sqrt(1 - beta2**count)
        # sqrt(v) / root + eps is (sqrt(v) + eps root) / root, which saves a pass.
        size, floor = rate_ * root / (1 - beta1**count), eps * root
        decay = weight_decay if not decoupled_weight_decay else 0.0
        keep = 1 - rate_ * weight_decay if decoupled_weight_decay and weight_decay else 1.0
        new, first, second, *rest = _outputs(
            out, param, exp_avg, exp_avg_sq, *(() if max_exp_avg_sq is None else (max_exp_avg_sq,))
        )
        arrays = [param, grad, exp_avg, exp_avg_sq, new, first, second]
        arrays += [] if max_exp_avg_sq is None else [max_exp_avg_sq, rest[0]]
        for p, g, m, v, q, n, w, *largest, s, t in _blocks(arrays):
            d = _directed(p, g, decay, maximize, t)
            np.subtract(d, m, out=s)
            np.multiply(s, 1 - beta1, out=s)
            np.add(m, s, out=n)
            _decayed_square(v, d, beta2, w, s)
            if largest:
                w = np.maximum(largest[0], w, out=largest[1])
            np.sqrt(w, out=s)
            np.add(s, floor, out=s)
            np.divide(n, s, out=s)
            np.multiply(s, size, out=s)
            if keep != 1.0:
                p = np.multiply(p, keep, out=q)
            np.subtract(p, s, out=q)
        return (new, first, second, *rest)

    def rmsprop_update(
        self, param: Array, grad: Array, square_avg: Array, momentum_buffer: Array | None, grad_avg: Array | None,
        rate: Array | None, *, lr: float, alpha: float, eps: float, weight_decay: float, momentum: float,
        maximize: bool, out: Any = None,
    ) -> tuple[Array, ...]:  # fmt: skip
        rate_ = lr if rate is None else float(rate)
        state = [x for x in (square_avg, momentum_buffer, grad_avg) if x is not None]
        results = _outputs(out, param, *state)
        for p, g, *rest, s, t in _blocks((param, grad, *state, *results)):
            old, (q, w, *new) = rest[: len(state)], rest[len(state) :]
            d = _directed(p, g, weight_decay, maximize, t)
            _decayed_square(old[0], d, alpha, w, s)
            spread = w
            if grad_avg is not None:
                np.subtract(d, old[-1], out=s)
                np.multiply(s, 1 - alpha, out=s)
                mean = np.add(old[-1], s, out=new[-1])
                np.multiply(mean, mean, out=s)
                spread = np.subtract(w, s, out=s)
            np.sqrt(spread, out=s)
            np.add(s, eps, out=s)
            np.divide(d, s, out=s)
            if momentum_buffer is not None:
                np.multiply(old[1], momentum, out=new[0])
                np.add(new[0], s, out=new[0])
                np.multiply(new[0], rate_, out=s)
            else:
                np.multiply(s, rate_, out=s)
            np.subtract(p, s, out=q)
        return tuple(results)

    def adagrad_update(
        self, param: Array, grad: Array, sum: Array, step: Array, rate: Array | None, *,
        lr: float, lr_decay: float, weight_decay: float, eps: float, maximize: bool, out: Any = None,
    ) -> tuple[Array, ...]:  # fmt: skip
        rate_ = (lr if rate is None else float(rate)) / (1 + (float(step) - 1) * lr_decay)
        new, total = _outputs(out, param, sum)
        for p, g, old, q, w, s, t in _blocks((param, grad, sum, new, total)):
            d = _directed(p, g, weight_decay, maximize, t)
            np.multiply(d, d, out=s)
            np.add(old, s, out=w)
            np.sqrt(w, out=s)
            np.add(s, eps, out=s)
            np.divide(d, s, out=s)
            np.multiply(s, rate_, out=s)
            np.subtract(p, s, out=q)
        return new, total

    def adadelta_update(
        self, param: Array, grad: Array, square_avg: Array, acc_delta: Array, rate: Array | None, *,
        lr: float, rho: float, eps: float, weight_decay: float, maximize: bool, out: Any = None,
    ) -> tuple[Array, ...]:  # fmt: skip
        rate_ = lr if rate is None else float(rate)
        new, squares, deltas = _outputs(out, param, square_avg, acc_delta)
        for p, g, v, u, q, w, x, s, t in _blocks((param, grad, square_avg, acc_delta, new, squares, deltas)):
            d = _directed(p, g, weight_decay, maximize, t)
            _decayed_square(v, d, rho, w, s)
            np.add(w, eps, out=s)
            np.sqrt(s, out=s)
            np.divide(d, s, out=t)
            np.add(u, eps, out=s)
            np.sqrt(s, out=s)
            np.multiply(t, s, out=t)
            _decayed_square(u, t, rho, x, s)
            np.multiply(t, rate_, out=t)
            np.subtract(p, t, out=q)
        return new, squares, deltas


def _decayed_square(old: Any, value: Any, decay: float, new: Any, scratch: Any) -> None:
    """``new = decay * old + (1 - decay) * value ** 2``."""
    np.multiply(value, value, out=scratch)
    np.multiply(scratch, 1 - decay, out=scratch)
    np.multiply(old, decay, out=new)
    np.add(new, scratch, out=new)
