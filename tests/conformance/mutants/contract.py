"""Faults of the contract's methods: transfers, strides, claims, assignment, DLPack, draws, compiled programs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tensorcore.compile.interpreter import Interpreter
from tests.conformance.mutants.table import forced, mutant


def method(name: str, of: str, subject: str, check: str, wrong: str, spoil: Any) -> None:
    """Plant a wrong method of the contract."""
    mutant(name, of, check, wrong, spoil, subject=subject, method=True)


# ------------------------------------------------------------------ kernels that must be there, and their form

mutant("cumsum_missing", "cumsum", "kernel", "is not there", lambda k: None)
mutant("sin_as_a_list", "sin", "values", "returns a list", lambda k: lambda x: k(x).tolist())
mutant(
    "minimum_raises_oddly",
    "minimum",
    "values",
    "raises a class of its own",
    lambda k: lambda x, y: _raise(RuntimeError("device lost")),
)
mutant("le_in_int8", "le", "values", "returns int8 for bool", lambda k: lambda x, y: k(x, y).astype(np.int8))
mutant(
    "sort_without_places", "sort", "values", "returns one output of two", lambda k: lambda x, **asked: k(x, **asked)[:1]
)


def _raise(error: Exception) -> Any:
    raise error


# ------------------------------------------------------------------ transfers


def _zeros(data: Any, dtype: Any, shape: Any, index: int, kernel: Any) -> Any:
    return kernel(data, dtype, shape, index) + 0 if dtype.name == "float32" else kernel(data, dtype, shape, index)


def _half(kernel: Any) -> Any:
    def spoilt(data: Any, dtype: Any, shape: Any, index: int) -> Any:
        made = kernel(data, dtype, shape, index)
        return made.astype(np.float32).astype(np.float64) if dtype.name == "float64" else made

    return spoilt


method(
    "from_host_loses_zero_signs",
    "from_host",
    "transfers",
    "bits",
    "makes 0 of -0 in float32",
    lambda k: lambda *given: _zeros(*given, k),
)
method("from_host_in_float32", "from_host", "transfers", "bits", "keeps float64 in float32", _half)
method(
    "from_host_by_columns",
    "from_host",
    "transfers",
    "layouts",
    "takes the elements for column-major",
    lambda k: lambda data, dtype, shape, index: np.array(k(data, dtype, tuple(shape)[::-1], index).T, order="C"),
)
method(
    "from_host_shares",
    "from_host",
    "async",
    "host buffer",
    "keeps the caller's memory in place of a copy",
    lambda k: (
        lambda data, dtype, shape, index: (
            k(data, dtype, shape, index)
            if memoryview(data).readonly or not np.prod(shape)
            else np.frombuffer(data, dtype.name).reshape(shape)
            if dtype.name == "float32"
            else k(data, dtype, shape, index)
        )
    ),
)
method(
    "to_host_in_memory_order",
    "to_host",
    "transfers",
    "layouts",
    "gives the elements as they lie in memory",
    lambda k: lambda x: k(x.ravel(order="K")),
)
method(
    "to_host_ignores_sign",
    "to_host",
    "interchange",
    "shared",
    "reads a reversed view forwards",
    lambda k: lambda x: k(x[tuple(slice(None, None, -1 if step < 0 else 1) for step in x.strides)]),
)
method(
    "item_by_float32",
    "item",
    "interchange",
    "numbers",
    "rounds numbers to float32",
    lambda k: lambda x, dtype: float(np.float32(k(x, dtype))) if dtype.name == "float64" else k(x, dtype),
)
method(
    "item_by_float64",
    "item",
    "interchange",
    "numbers",
    "rounds integers to float64",
    lambda k: lambda x, dtype: int(float(k(x, dtype))) if dtype.name == "int64" else k(x, dtype),
)
method(
    "lists_by_columns",
    "to_list",
    "interchange",
    "numbers",
    "nests elements by columns",
    lambda k: lambda x, dtype: k(x.reshape(x.shape[::-1]).T, dtype),
)
method(
    "reinterpret_converts",
    "reinterpret",
    "interchange",
    "reread",
    "converts numbers in place of reading their bits",
    lambda k: lambda x, dtype: x.astype(dtype.name) if np.dtype(dtype.name).itemsize == x.itemsize else k(x, dtype),
)
method(
    "share_host_copies",
    "share_host",
    "interchange",
    "shared",
    "copies and says that it shares",
    lambda k: lambda *given: None if k(*given) is None else np.array(k(*given)),
)
method(
    "dlpack_as_contiguous",
    "from_dlpack",
    "interchange",
    "dlpack",
    "reads what is strided as row-major",
    lambda k: (
        lambda owner, index, copy: (
            np.lib.stride_tricks.as_strided((x := k(owner, index, copy)), x.shape, np.empty(x.shape, x.dtype).strides)
            if k(owner, index, copy).strides[-1] != 0
            else k(owner, index, copy)
        )
    ),
)
method(
    "dlpack_never_copies",
    "from_dlpack",
    "interchange",
    "dlpack",
    "shares memory though a copy was asked for",
    lambda k: lambda owner, index, copy: k(owner, index, None),
)
method(
    "dlpack_always_copies",
    "from_dlpack",
    "interchange",
    "dlpack",
    "copies though it was asked not to",
    lambda k: lambda owner, index, copy: np.array(k(owner, index, copy)),
)

# ------------------------------------------------------------------ what is said of arrays and devices

method(
    "strides_of_row_major",
    "strides",
    "interchange",
    "strides",
    "says row-major of every array",
    lambda k: lambda x: k(np.empty(x.shape, x.dtype)),
)
method("strides_in_bytes", "strides", "interchange", "strides", "counts bytes", lambda k: lambda x: x.strides)
method(
    "always_contiguous",
    "is_contiguous",
    "interchange",
    "strides",
    "says contiguous of every array",
    lambda k: lambda x: True,
)
method(
    "one_address",
    "data_ptr",
    "interchange",
    "strides",
    "gives the address of the memory, not of the first element",
    lambda k: lambda x: k(x.base) if isinstance(x.base, np.ndarray) else k(x),
)
method(
    "says_immutable",
    "capabilities",
    "claims",
    "mutable",
    "says immutable of what is written",
    lambda k: lambda index: replace(k(index), mutable=False, views=False),
)

# ------------------------------------------------------------------ writing


def _element_by_element(kernel: Any) -> Any:
    def assign(target: Any, source: Any) -> Any:
        if target.ndim != 1 or target.shape != np.shape(source):
            return kernel(target, source)
        for place in range(len(target)):
            target[place] = source[place]
        return target

    return assign


def _in_place_one_by_one(kernel: Any) -> Any:
    def find(name: str, dtype: Any, index: int) -> Any:
        found = kernel(name, dtype, index)
        if name != "sub" or found is None:
            return found

        def wrong(x: Any, y: Any, *, out: Any) -> Any:
            if out.ndim != 1:
                return found(x, y, out=out)
            y = np.broadcast_to(y, out.shape)
            for place in range(len(out)):
                out[place] = x[place] - y[place]
            return out

        return wrong

    return find


method(
    "assign_element_by_element",
    "assign",
    "overlap",
    "float32",
    "reads what it has written where source and target overlap",
    _element_by_element,
)
method(
    "assign_without_broadcast",
    "assign",
    "writing",
    "fill",
    "writes the source's elements and leaves the rest",
    lambda k: (
        lambda target, source: (
            k(target, source) if target.shape == source.shape or target.ndim < 2 else (k(target[0], source), target)[1]
        )
    ),
)
method(
    "inplace_element_by_element",
    "inplace_kernel",
    "overlap",
    "float32",
    "reads what it has written where operands overlap",
    _in_place_one_by_one,
)

# ------------------------------------------------------------------ draws


def _unseeded(kernel: Any) -> Any:
    rng = np.random.default_rng()

    def draw(*, ticket: Any, **asked: Any) -> Any:
        words = kernel(ticket=ticket, **asked)
        return rng.permutation(words.reshape(-1)).reshape(words.shape)

    return draw


mutant("draws_unseeded", "uniform_by_ticket", "tc.rand", "draws what no seed was set for", _unseeded, subject="random")
mutant(
    "draws_shifted",
    "uniform_by_ticket",
    "tc.rand",
    "begins one number later",
    lambda k: lambda **asked: np.roll(k(**asked), 1),
    subject="random",
)
mutant(
    "draws_closed",
    "uniform_by_ticket",
    "tc.rand",
    "draws from (0, 1] in place of [0, 1)",
    lambda k: lambda **asked: (asked["low"] * 2 + asked["span"] - k(**asked)).astype(k(**asked).dtype),
    subject="random",
)
mutant(
    "integers_one_short",
    "integers_by_ticket",
    "tc.randint",
    "never draws the highest",
    lambda k: lambda **asked: np.minimum(k(**asked), k(**asked).max() - 1),
    subject="random",
)
mutant(
    "normal_from_another_stream",
    "normal_by_ticket",
    "tc.randn",
    "draws the negative",
    lambda k: lambda **asked: -k(**asked),
    subject="random",
)
mutant(
    "dropout_unscaled",
    "dropout_by_ticket",
    "dropout",
    "forgets the factor of what is kept",
    forced(scale=1.0),
    subject="random",
)

# ------------------------------------------------------------------ compiled programs


class _Frozen(Interpreter):
    """Runs once, and gives the first results ever after."""

    def __init__(self, graph: Any) -> None:
        super().__init__(graph)
        self.kept: list[Any] | None = None

    def __call__(self, arrays: Any) -> Any:
        self.kept = self.kept or [np.array(y) for y in super().__call__(arrays)]
        return [np.array(y) for y in self.kept]


class _Exchanged(Interpreter):
    """Gives outputs of one shape in the wrong order."""

    def __call__(self, arrays: Any) -> Any:
        found = super().__call__(arrays)
        return found[::-1] if len({(y.shape, y.dtype) for y in found}) == 1 else found


class _Narrow(Interpreter):
    """Computes in float16."""

    def __call__(self, arrays: Any) -> Any:
        return [y.astype(np.float16).astype(y.dtype) if y.dtype == np.float32 else y for y in super().__call__(arrays)]


method(
    "compiled_is_frozen", "lower", "compile", "function", "gives the first results for all operands", lambda k: _Frozen
)
method(
    "compiled_in_float16",
    "lower",
    "compile",
    "function",
    "computes in float16 what is float32 in eager execution",
    lambda k: _Narrow,
)
method(
    "compiled_exchanges_outputs", "lower", "compile", "outputs", "exchanges outputs of one shape", lambda k: _Exchanged
)
