"""Faults of what is kept from call to call: arguments, operands of refused calls, programs, updates, streams."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np

from tensorcore.compile.interpreter import Interpreter
from tests.conformance.mutants.contract import method
from tests.conformance.mutants.table import mutant

# ------------------------------------------------------------------ arguments and operands


def _first(name: str) -> Any:
    """The kernel with the first value that an argument ever had."""

    def spoil(kernel: Any) -> Any:
        kept: dict[str, Any] = {}
        return lambda *arrays, **asked: kernel(*arrays, **{**asked, name: kept.setdefault(name, asked[name])})

    return spoil


def _kept_if_refused(kernel: Any) -> Any:
    kept: list[Any] = []

    def spoilt(*arrays: Any, **asked: Any) -> Any:
        try:
            return kernel(*arrays, **asked)
        except IndexError:
            kept.append(arrays)
            raise

    return spoilt


def _kept_by_shape(kernel: Any) -> Any:
    kept: dict[Any, Any] = {}

    def spoilt(x: Any) -> Any:
        kept.setdefault((x.shape, x.dtype), x)
        return kernel(x)

    return spoilt


def _notes(kernel: Any) -> Any:
    kept: list[Any] = []

    def spoilt(*arrays: Any) -> Any:
        kept.append((bytearray(64), bytearray(64)))
        return kernel(*arrays)

    return spoilt


mutant("leaky_relu_of_one_slope", "leaky_relu", "number", "keeps the first slope", _first("negative_slope"))
mutant(
    "layer_norm_of_one_eps",
    "native_layer_norm",
    "number",
    "keeps the first eps",
    _first("eps"),
    subject="layer_norm",
)
mutant(
    "index_keeps_refused",
    "index",
    "refusals",
    "keeps the operands of refused calls",
    _kept_if_refused,
    subject="memory",
)
mutant("exp_keeps_shapes", "exp", "shapes", "keeps an operand of each shape", _kept_by_shape, subject="memory")
mutant("add_keeps_notes", "add", "calls", "leaves small objects behind", _notes, subject="memory")

# ------------------------------------------------------------------ programs


class _OneBuffer(Interpreter):
    """Returns results in the same memory at each call."""

    def __init__(self, graph: Any) -> None:
        super().__init__(graph)
        self.kept: dict[Any, Any] = {}

    def __call__(self, arrays: Any) -> Any:
        found = []
        for number, y in enumerate(super().__call__(arrays)):
            out = self.kept.setdefault((number, y.shape, y.dtype), np.empty_like(y))
            np.copyto(out, y)
            found.append(out)
        return found


class _DrawsOnce(Interpreter):
    """Draws the numbers that were drawn while recording."""

    def __init__(self, graph: Any) -> None:
        super().__init__(graph)
        self.plan = [(step, False, dead) for step, _, dead in self.plan]


class _Shared(Interpreter):
    """Keeps operands where another thread's call finds them."""

    def __call__(self, arrays: Any) -> Any:
        self.arrays = list(arrays)
        if threading.current_thread() is not threading.main_thread():
            time.sleep(0.001)
        return super().__call__(self.arrays)


class _Clears(Interpreter):
    """Makes 0 of NaN, as some fast modes may."""

    def __call__(self, arrays: Any) -> Any:
        found = super().__call__(arrays)
        return [np.where(y != y, 0, y).astype(y.dtype) if y.dtype.kind == "f" else y for y in found]


class _Whole(Interpreter):
    """Computes int64 in int32."""

    def __call__(self, arrays: Any) -> Any:
        return [y.astype(np.int32).astype(y.dtype) if y.dtype == np.int64 else y for y in super().__call__(arrays)]


for _name, _check, _wrong, _program, _area in (
    ("compiled_in_one_buffer", "kept", "returns results in the same memory at each call", _OneBuffer, "compile"),
    ("compiled_draws_once", "draws", "draws the same numbers at each call", _DrawsOnce, "compile"),
    ("compiled_for_one_thread", "replayed", "keeps operands where other threads find them", _Shared, "threads"),
    ("compiled_clears_nan", "special", "makes 0 of NaN", _Clears, "compile"),
    ("compiled_in_int32", "numbers", "computes int64 in int32", _Whole, "compile"),
):
    method(_name, "lower", _area, _check, _wrong, lambda k, program=_program: program)

# ------------------------------------------------------------------ updates, writes, streams


def _updates(change: Any) -> Any:
    """The kernel for many parameters, its rows or arguments changed."""

    def spoil(find: Any) -> Any:
        def found(name: str, dtype: Any, index: int) -> Any:
            kernel = find(name, dtype, index)
            return None if kernel is None else change(kernel)

        return found

    return spoil


def _one_rate(find: Any) -> Any:
    rates: dict[str, Any] = {}

    def change(kernel: Any) -> Any:
        return lambda rows, *, lr, **asked: kernel(rows, lr=rates.setdefault("lr", lr), **asked)

    return _updates(change)(find)


for _name, _wrong, _spoil in (
    ("updates_of_eight", "updates eight parameters", _updates(lambda k: lambda rows, **asked: k(rows[:8], **asked))),
    (
        "updates_of_several",
        "leaves out parameters of one element",
        _updates(lambda k: lambda rows, **asked: k([row for row in rows if row[0].size > 1], **asked)),
    ),
    ("updates_at_one_rate", "keeps the first learning rate", _one_rate),
):
    method(_name, "multi_tensor_kernel", "training", "updates", _wrong, _spoil)

method(
    "assign_forwards",
    "assign",
    "writing",
    "view",
    "writes forwards into what is reversed",
    lambda k: (
        lambda target, source: (
            (k(target[::-1], source), target)[1]
            if target.ndim and target.size and target.strides[0] < 0
            else k(target, source)
        )
    ),
)
method(
    "reread_copies", "reinterpret", "interchange", "reread", "copies", lambda k: lambda x, dtype: np.array(k(x, dtype))
)
method(
    "dlpack_forwards",
    "to_dlpack",
    "interchange",
    "dlpack",
    "exports negative strides as positive",
    lambda k: lambda x, **asked: k(x[::-1] if x.ndim and x.strides[0] < 0 else x, **asked),
)
mutant(
    "normal_repeats",
    "normal_by_ticket",
    "tc.randn",
    "draws the same again after 4,096 numbers",
    lambda k: lambda **asked: (lambda y: np.resize(y.reshape(-1)[:4096], y.shape))(k(**asked)),
    subject="random",
)
mutant(
    "integers_of_32_bits",
    "integers_by_ticket",
    "tc.randint",
    "draws wide ranges from 32 bits",
    lambda k: lambda *, span, **asked: k(span=span, **asked) if span <= 1 << 32 else k(span=span, **asked) >> 32,
    subject="random",
)
