"""Running a model at several sizes of its dynamic dimensions, and putting what was recorded side by side."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tensorcore.onnx.errors import OnnxExporterError
from tensorcore.onnx.tracing import Trace
from tensorcore.onnx.varying import merge

if TYPE_CHECKING:
    from tensorcore.dtypes import DType
    from tensorcore.ops.record import Op
    from tensorcore.tensor import Tensor

__all__ = ["Call", "Program", "Symbol", "Value", "probe"]

#: ``run(inputs)`` gives the record of a run and the numbers of its results.
Run = Callable[[list["Tensor"]], tuple[Trace, list[int]]]


@dataclass(slots=True)
class Symbol:
    """A dynamic dimension: its name, the (input, dimension) pairs that have its size, and that size in the example."""

    name: str
    places: list[tuple[int, int]]
    size: int


@dataclass(slots=True)
class Value:
    """A value of the model; sides are numbers, or `Varying` where they follow dynamic dimensions."""

    number: int
    shape: tuple[Any, ...]
    dtype: DType


@dataclass(slots=True)
class Call:
    """A step of the model: what `Step` is, with shapes, and attributes merged over the runs."""

    op: Op
    line: str
    inputs: tuple[Value | None, ...]
    attributes: dict[str, Any]
    outputs: tuple[Value, ...]


@dataclass(slots=True)
class Program:
    """A model recorded at several sizes.

    Attributes:
        traces: the records, the first of which is exported.
        symbols: dynamic dimensions, and their sizes in each run.
    """

    traces: list[Trace]
    outputs: list[int]
    symbols: dict[str, tuple[int, ...]]
    values: list[Value] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        first = self.traces[0]
        for number, shape in enumerate(zip(*(trace.shapes for trace in self.traces), strict=True)):
            if len({len(each) for each in shape}) > 1:
                raise OnnxExporterError(
                    f"onnx.export: a value has {' or '.join(str(len(each)) for each in shape)} dimensions, "
                    f"by the size of {_quoted(self.symbols)}"
                )
            self.values.append(Value(number, merge(shape), first.kinds[number].dtype))
        for place, (step, line) in enumerate(zip(first.graph.steps, first.lines, strict=True)):
            steps = [trace.graph.steps[place] for trace in self.traces]
            given = {name: merge([each.attributes[name] for each in steps]) for name in step.attributes}
            given.pop("index" if "dtype" in given and not step.inputs else "", None)
            inputs = tuple(None if number is None else self.values[number] for number in step.inputs)
            self.calls.append(Call(step.op, line, inputs, given, tuple(self.values[each] for each in step.outputs)))


def _quoted(names: Any) -> str:
    return ", ".join(map(repr, names))


def probe(run: Run, inputs: list[Tensor], symbols: Sequence[Symbol]) -> Program:
    """Run the model at the example's size, and at others of each dynamic dimension, alone and all together.

    Raises:
        OnnxExporterError: where the model runs at one size of a dynamic dimension only, or takes other steps at
            another.
    """
    base = {symbol.name: symbol.size for symbol in symbols}
    for symbol in symbols:
        if symbol.size < 2:
            # What has one element is broadcast: the steps of such a run are not those of others.
            base[symbol.name] = 2
    traces, failure = _attempt(run, inputs, symbols, base)
    if traces is None and any(symbol.size < 2 for symbol in symbols):
        traces, failure = _attempt(run, inputs, symbols, {**base, **{s.name: 3 for s in symbols if s.size < 2}})
        base = {name: 3 if size == 2 else size for name, size in base.items()}
    if traces is None:
        assert failure is not None
        raise failure
    first, outputs = traces
    found, sizes = [first], [base]
    with warnings.catch_warnings():
        # What the first run said is not said again.
        warnings.simplefilter("ignore")
        pending = list(symbols)
        while pending:
            symbol = pending.pop(0)
            more = _others(run, inputs, symbols, base, (symbol,), (first, outputs))
            if not more[0]:
                tied = tuple(each for each in symbols if base[each.name] == base[symbol.name])
                more = _others(run, inputs, symbols, base, tied, (first, outputs)) if len(tied) > 1 else more
                pending = [each for each in pending if each not in tied] if more[0] else pending
            if not more[0]:
                raise OnnxExporterError(
                    f"onnx.export: dynamic dimension {symbol.name!r}: {more[1]}; give an example of another size, "
                    "or leave the dimension fixed"
                )
            for trace, size in more[0]:
                found.append(trace)
                sizes.append(size)
        if len(symbols) > 1:
            largest = {name: max(size[name] for size in sizes) for name in base}
            other, _ = _attempt(run, inputs, symbols, largest)
            if other is not None and _difference((first, outputs), other) is None:
                found.append(other[0])
                sizes.append(largest)
    columns = {symbol.name: tuple(size[symbol.name] for size in sizes) for symbol in symbols}
    return Program(found, outputs, columns)


def _others(
    run: Run, inputs: list[Tensor], symbols: Sequence[Symbol], base: dict[str, int], changed: tuple[Symbol, ...],
    first: tuple[Trace, list[int]],
) -> tuple[list[tuple[Trace, dict[str, int]]], str]:  # fmt: skip
    """Up to two runs with other sizes of ``changed``, and why the last of the others was none."""
    found: list[tuple[Trace, dict[str, int]]] = []
    reason = ""
    for size in _candidates(base[changed[0].name]):
        sizes = {**base, **{symbol.name: size for symbol in changed}}
        trace, failure = _attempt(run, inputs, symbols, sizes)
        if trace is None:
            reason = reason or f"the model fails at size {size}: {type(failure).__name__}: {failure}"
            continue
        difference = _difference(first, trace)
        if difference is not None:
            reason = f"the model takes other steps at size {size} than at {base[changed[0].name]}: {difference}"
            continue
        found.append((trace[0], sizes))
        if len(found) == 2:
            break
    return found, reason


def _candidates(size: int) -> Iterator[int]:
    """Other sizes to try: the next one, and multiples for models that halve what they get."""
    yield from dict.fromkeys(
        each for each in (size + 1, size * 2, size * 3, size // 2, size - 1) if each > 1 and each != size
    )


def _attempt(
    run: Run, inputs: list[Tensor], symbols: Sequence[Symbol], sizes: dict[str, int]
) -> tuple[tuple[Trace, list[int]] | None, Exception | None]:
    given = list(inputs)
    for symbol in symbols:
        for place, dim in symbol.places:
            if given[place].shape[dim] != sizes[symbol.name]:
                given[place] = _resized(given[place], dim, sizes[symbol.name])
    try:
        return run(given), None
    except Exception as error:
        if sizes == {symbol.name: symbol.size for symbol in symbols}:
            raise
        return None, error


def _resized(x: Tensor, dim: int, size: int) -> Tensor:
    """``x`` with elements of its own repeated or left out along ``dim``."""
    from tensorcore.ops.ranges import arange

    return x.index_select(dim, arange(size, device=x.device) % x.shape[dim])


def _difference(first: tuple[Trace, list[int]], other: tuple[Trace, list[int]]) -> str | None:
    """Where two runs part, in words."""
    (a, a_out), (b, b_out) = first, other
    for place, (s, t) in enumerate(zip(a.graph.steps, b.graph.steps, strict=False)):
        if s.op.name != t.op.name or s.inputs != t.inputs or s.outputs != t.outputs:
            return f"{t.op.name} at {b.lines[place]} in place of {s.op.name} at {a.lines[place]}"
        if s.kinds != t.kinds or s.attributes.keys() != t.attributes.keys():
            return f"{s.op.name} of another dtype at {b.lines[place]}"
    if len(a.graph.steps) != len(b.graph.steps):
        longer, count = (a, len(b.graph.steps)) if len(a.graph.steps) > len(b.graph.steps) else (b, len(a.graph.steps))
        return f"{abs(len(a.graph.steps) - len(b.graph.steps))} more steps, from {longer.lines[count]}"
    if a_out != b_out or len(a.shapes) != len(b.shapes):
        return "other results"
    return None
