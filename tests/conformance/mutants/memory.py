"""Faults of memory and state: aliases, copies, changed operands, caches, scratch buffers, threads, leaks, noise."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np

from tests.conformance.mutants.table import mutant

# ------------------------------------------------------------------ what shares memory, and what must not

mutant("reshape_copies", "reshape", "view", "copies", lambda k: lambda x, *, shape: np.array(x).reshape(shape))
mutant("permute_copies", "permute", "view", "copies", lambda k: lambda x, *, dims: np.array(k(x, dims=dims)))
mutant(
    "basic_index_copies",
    "basic_index",
    "view",
    "copies, so that writes to a part are lost",
    lambda k: lambda x, *, index: np.array(k(x, index=index)),
    subject="select",
)
mutant("expand_copies", "expand", "view", "copies", lambda k: lambda x, *, shape: np.array(k(x, shape=shape)))
mutant(
    "flip_is_a_view", "flip", "alone", "returns a view of its operand", lambda k: lambda x, *, dims: np.flip(x, dims)
)
mutant("copy_is_its_operand", "copy", "alone", "returns its operand", lambda k: lambda x: x, subject="clone")
mutant(
    "floor_of_integers_is_its_operand",
    "floor",
    "alone",
    "returns its operand where it is whole",
    lambda k: lambda x: x if (x == np.floor(x)).all() else k(x),
)


def _only_part(kernel: Any) -> Any:
    def spoilt(*arrays: Any, dim: int) -> Any:
        parts = [x for x in arrays if x.size]
        return parts[0] if len(parts) == 1 else kernel(*arrays, dim=dim)

    return spoilt


def _chosen(kernel: Any) -> Any:
    def spoilt(condition: Any, x: Any, y: Any) -> Any:
        made = kernel(condition, x, y)
        return x if condition.all() and x.shape == made.shape else made

    return spoilt


def _of_one(kernel: Any) -> Any:
    def spoilt(x: Any, **asked: Any) -> Any:
        total = kernel(x, **asked)
        return x.reshape(total.shape) if total.size == x.size and total.dtype == x.dtype else total

    return spoilt


mutant("cat_of_one_is_its_operand", "cat", "alone", "returns the operand where the others are empty", _only_part)
mutant("where_of_true_is_its_operand", "where", "alone", "returns an operand where the condition is constant", _chosen)
mutant("sum_of_one_is_a_view", "sum", "alone", "returns the operand where the side is 1", _of_one)


# ------------------------------------------------------------------ operands


def _modifies(kernel: Any) -> Any:
    return lambda x: np.negative(x, out=x) if x.dtype.kind == "f" and x.flags.writeable else kernel(x)


def _clears_nan(kernel: Any) -> Any:
    def spoilt(x: Any) -> Any:
        y = kernel(x)
        if x.dtype.kind == "f" and x.flags.writeable and np.isnan(x).any():
            x[np.isnan(x)] = 0
        return y

    return spoilt


def _sorts_in_place(kernel: Any) -> Any:
    def spoilt(x: Any, *, dim: int, descending: bool) -> Any:
        found = kernel(x, dim=dim, descending=descending)
        if x.flags.writeable and x.size:
            x[...] = found[0]
        return found

    return spoilt


def _puts_in_place(kernel: Any) -> Any:
    def spoilt(x: Any, value: Any, *places: Any, accumulate: bool) -> Any:
        made = kernel(x, value, *places, accumulate=accumulate)
        if x.flags.writeable:
            np.copyto(x, made)
        return made

    return spoilt


mutant("neg_writes_its_operand", "neg", "values", "computes in its operand's memory", _modifies)
mutant("log_clears_nan", "log", "special", "puts 0 for NaN in its operand", _clears_nan)
mutant("sort_in_place", "sort", "values", "sorts its operand", _sorts_in_place)
mutant("index_put_in_place", "index_put", "values", "writes into its operand", _puts_in_place)


# ------------------------------------------------------------------ caches and scratch memory


def _by(key: Any) -> Any:
    """Results are kept under a key that does not tell operands apart."""

    def spoil(kernel: Any) -> Any:
        kept: dict[Any, Any] = {}

        def spoilt(*arrays: Any, **asked: Any) -> Any:
            at = (tuple(key(x) for x in arrays if x is not None), str(asked))
            if at not in kept:
                kept[at] = kernel(*arrays, **asked)
            found = kept[at]
            return tuple(np.array(y) for y in found) if isinstance(found, tuple) else np.array(found)

        return spoilt

    return spoil


def _packed_weights(kernel: Any) -> Any:
    """The weights are packed once, and kept as long as they are the same array."""
    kept: dict[int, tuple[Any, Any]] = {}

    def spoilt(x: Any, weight: Any, *rest: Any, **asked: Any) -> Any:
        if kept.get(id(weight), (None,))[0] is not weight:
            kept.clear()
            kept[id(weight)] = weight, np.array(weight)
        return kernel(x, kept[id(weight)][1], *rest, **asked)

    return spoilt


def _one_buffer(kernel: Any) -> Any:
    """Results of one shape are returned in one buffer."""
    kept: dict[Any, Any] = {}

    def spoilt(*arrays: Any, **asked: Any) -> Any:
        y = kernel(*arrays, **asked)
        out = kept.setdefault((y.shape, y.dtype), np.empty_like(y))
        np.copyto(out, y)
        return out

    return spoilt


def _left_over(kernel: Any) -> Any:
    """Works in a buffer that grows and is not cleared, and adds what is behind the operand."""
    scratch = [np.zeros(0, np.float32)]

    def spoilt(x: Any, *, dim: Any, **asked: Any) -> Any:
        if x.dtype != np.float32 or len(np.atleast_1d(dim)) != x.ndim or not x.ndim:
            return kernel(x, dim=dim, **asked)
        if scratch[0].size < x.size:
            scratch[0] = np.zeros(x.size, np.float32)
        scratch[0][: x.size] = x.reshape(-1)
        return (kernel(x, dim=dim, **asked) + scratch[0][x.size :].sum(dtype=np.float32)).astype(np.float32)

    return spoilt


def _shared_scratch(kernel: Any) -> Any:
    """All threads work in one buffer."""
    scratch: dict[Any, Any] = {}

    def spoilt(x: Any, *rest: Any, **asked: Any) -> Any:
        own = scratch.setdefault((x.shape, x.dtype), np.empty_like(x))
        np.copyto(own, x)
        if threading.current_thread() is not threading.main_thread():
            time.sleep(0.001)  # as a kernel that lets go of the interpreter's lock
        return kernel(own, *rest, **asked)

    return spoilt


def _counts_calls(kernel: Any) -> Any:
    calls = [0]

    def spoilt(x: Any) -> Any:
        calls[0] += 1
        return kernel(x) if calls[0] % 3 else kernel(x) * x.dtype.type(0)

    return spoilt


def _keeps(kernel: Any) -> Any:
    kept: list[Any] = []

    def spoilt(*arrays: Any, **asked: Any) -> Any:
        y = kernel(*arrays, **asked)
        kept.append((arrays, y))
        return y

    return spoilt


def _unwritten(kernel: Any) -> Any:
    """The last element stays as the memory was."""

    def spoilt(x: Any) -> Any:
        out = np.empty(x.shape, x.dtype)
        out.reshape(-1)[: max(x.size - 1, 1)] = kernel(x).reshape(-1)[: max(x.size - 1, 1)]
        return out

    return spoilt


def _later(kernel: Any) -> Any:
    """Returns before it has computed, and nobody waits."""

    def spoilt(x: Any) -> Any:
        y = kernel(x)
        out = np.zeros_like(y)
        threading.Timer(0.02, lambda: np.copyto(out, y)).start()
        return out

    return spoilt


def _noisy(kernel: Any) -> Any:
    rng = np.random.default_rng()

    def spoilt(x: Any) -> Any:
        exact = kernel(x)
        if x.dtype != np.float32:
            return exact
        # Within every budget, but another number at each call; infinities stay, whose neighbours would be wrong.
        moved = np.nextafter(exact, rng.choice([-9.0, 9.0], x.shape).astype(x.dtype))
        return np.where(np.isfinite(exact), moved, exact)

    return spoilt


mutant("log1p_by_shape", "log1p", "layout", "keeps results by shape and dtype", _by(lambda x: (x.shape, x.dtype)))
mutant(
    "matmul_by_address",
    "matmul",
    "changed",
    "keeps results by the address of its operands",
    _by(lambda x: (x.ctypes.data, x.shape, x.dtype)),
)
mutant(
    "linear_packs_once",
    "linear",
    "changed",
    "packs weights once, and misses what is written into them",
    _packed_weights,
)
mutant(
    "conv_packs_once",
    "convolution_of",
    "changed",
    "packs weights once, and misses what is written into them",
    _packed_weights,
)
mutant("add_in_one_buffer", "add", "after", "returns results of one shape in one buffer", _one_buffer)
mutant("sum_of_left_overs", "sum", "after", "adds what a larger call left in its buffer", _left_over)
mutant(
    "sqrt_of_threads", "sqrt", "elementwise", "works in a buffer that threads share", _shared_scratch, subject="threads"
)
mutant("ceil_every_third", "ceil", "repeat", "gives 0 at every third call", _counts_calls)
mutant("mul_keeps_everything", "mul", "released", "keeps its operands and results for ever", _keeps)
mutant("trunc_leaves_the_last", "trunc", "poisoned", "does not write the last element", _unwritten)
mutant("tan_later", "tan", "values", "returns before it has computed", _later)
mutant("sinh_with_noise", "sinh", "repeat", "differs in the last place from call to call", _noisy)
