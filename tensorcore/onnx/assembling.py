"""A recorded model as an ONNX graph: constants, writes in place, inputs and outputs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import COMPLEX, int64
from tensorcore.onnx.converters import CONVERTERS, complexes
from tensorcore.onnx.converters.movement import put_part
from tensorcore.onnx.errors import OnnxExporterError, SymbolicValueError, UnsupportedOperatorError
from tensorcore.onnx.varying import Repeated, Unlike, Varying, vary
from tensorcore.onnx.writer import Writer, element_type, located
from tensorcore.random.ticket import Ticket

if TYPE_CHECKING:
    from tensorcore.onnx.probing import Call, Program, Value

__all__ = ["Assembler"]

#: Constants of more elements are calculated by the graph, not stored.
_STORED = 1 << 16
#: Terms of fixed ratios by which images are resized are below this.
_RATIO = 9
#: ONNX's ops whose outputs after the first may be left out.
_OPTIONAL = frozenset(("Dropout", "GRU", "LSTM", "LayerNormalization", "MaxPool", "RNN"))
#: Constants of as many elements that depend on dynamic dimensions are put together one by one.
_LISTED = 64


class Assembler(Writer):
    """Writes the steps of a program in order; values that views and writes in place share are followed by version.

    Attributes:
        parameters: ONNX's names of the parameters and buffers used, which are initializers.
    """

    def __init__(self, program: Program, opset: int, parameters: dict[int, str], inputs: Sequence[str],
                 outputs: Sequence[str], fold: bool) -> None:  # fmt: skip
        super().__init__(opset, program.symbols)
        self.program = program
        self.trace = program.traces[0]
        self.parameters: list[str] = []
        self._named = parameters
        self._makers = {each.number: call for call in program.calls for each in call.outputs}
        self._written = {
            self._root(call.inputs[0].number)
            for call in program.calls
            if call.op.name == "assign" and call.inputs[0] is not None
        }
        #: How often a value's memory was written, and as of which writing a view's name holds.
        self._version: dict[int, int] = {}
        #: The imaginary parts of complex values, whose real parts `names` has.
        self._imaginary: dict[int, str] = {}
        self._seen: dict[int, int] = {}
        self.inputs = [self.fresh(name) for name in inputs]
        self.outputs = [self.fresh(name) for name in outputs]
        for name, number in zip(self.inputs, self.trace.graph.inputs, strict=False):
            self.names[number] = name
            self.has(name, program.values[number].shape)
        self._constant = self._folded() if fold else set()

    # -------------------------------------------------------------- reading values

    def name(self, value: Value | None) -> str | None:
        return None if value is None else self.read(value.number)

    def producer(self, value: Value) -> Call | None:
        """The step that made a value, where its operands are still what they were."""
        call = self._makers.get(value.number)
        if call is None or any(each is not None and self._root(each.number) in self._version for each in call.inputs):
            return None
        return call

    def _root(self, number: int) -> int:
        while number in self.trace.views:
            base = self.trace.graph.steps[self.trace.views[number]].inputs[0]
            assert base is not None
            number = base
        return number

    def read(self, number: int) -> str:
        """The name of a value as it is now."""
        version = self._version.get(self._root(number), 0)
        if number in self.trace.views and self._seen.get(number, 0) < version:
            call = self.program.calls[self.trace.views[number]]
            self.read(call.inputs[0].number)  # type: ignore[union-attr]
            self._name(call, self._converted(call))
        if number not in self.names:
            value = self.program.values[number]
            self.names[number], *rest = self._outside(value)
            if rest:
                self._imaginary[number] = rest[0]
        if not self.names[number] and number not in self.last_cells:
            raise UnsupportedOperatorError("a result of this layer that ONNX's own does not give")
        return self.names[number]

    def _parts(self, value: Value) -> tuple[str, ...]:
        """The names of a value's real and, of complex numbers, imaginary part."""
        name = self.read(value.number)
        return (name, self._imaginary[value.number]) if value.number in self._imaginary else (name,)

    def _outside(self, value: Value) -> tuple[str, ...]:
        """A parameter, or a constant, by its parts."""
        number = value.number
        if number in self._constant and number not in self.trace.externals_by_number:
            return self._stored(
                "constant", bytes(self.trace.kinds[number].backend.to_host(self.trace.alive[number])), value
            )
        known = self._named.get(id(self.trace.alive[number]))
        contents = [trace.data[id(trace.alive[number])] for trace in self.program.traces]
        same = all(isinstance(side, int) for side in value.shape) and _equal(contents)
        if known is not None and same:
            names = self._stored(known, contents[0], value, shared=False)
            self.parameters.extend(names)
            return names
        if same:
            return self._stored("constant", contents[0], value)
        return (self._varying(value, contents),)

    def _stored(self, name: str, data: bytes, value: Value, shared: bool = True) -> tuple[str, ...]:
        if value.dtype.category != COMPLEX:
            return (self.raw(name, data, value.dtype, value.shape, shared),)
        dtype = complexes.real_dtype(value.dtype)
        both = memoryview(data).cast("f" if dtype.itemsize == 4 else "d")
        return tuple(
            self.raw(f"{name}.{part}", both[place::2].tobytes(), dtype, value.shape, shared)
            for place, part in enumerate(("real", "imag"))
        )

    def _varying(self, value: Value, contents: list[bytes]) -> str:
        """A constant that the model makes of sizes."""
        from tensorcore.host_data import decode

        columns = [list(decode(memoryview(each), value.dtype)) for each in contents]
        if not value.shape:
            return self.number(vary([column[0] for column in columns]), value.dtype)
        if all(isinstance(side, int) for side in value.shape) and len(columns[0]) <= _LISTED:
            each = [vary(column) for column in zip(*columns, strict=True)]
            parts = [self.unsqueeze(self.number(number, value.dtype), [0]) for number in each]
            return self.reshape(self.node("Concat", *parts, axis=0), value.shape)
        if len(value.shape) == 1 and value.dtype is int64:
            found = self._spread(value.shape[0], columns)
            if found is not None:
                return found
        raise SymbolicValueError(
            f"a constant of shape {list(value.shape)} that the model makes of {self.followed(*value.shape)} in Python; "
            "make it with tensor functions (arange, full, zeros) from the sizes"
        )

    def _spread(self, count: Any, columns: list[list[int]]) -> str | None:
        """Elements ``floor(i * a / b)``, as resizing to the nearest takes them.

        ``a / b`` is a fixed ratio, or a side that some value has over their number.
        """
        fixed = ((a, b) for b in range(1, _RATIO) for a in range(1, _RATIO) if math.gcd(a, b) == 1)
        ratios = [*fixed, *((Varying(side), count) for side in self._sides)]
        for a, b in ratios:
            pairs = zip(columns, *(x.values if isinstance(x, Varying) else [x] * len(columns) for x in (a, b)),
                        strict=True)  # fmt: skip
            if all(column == [i * n // d for i in range(len(column))] for column, n, d in pairs):
                steps = self.node("Range", self.constant(0, int64), self.whole(count), self.constant(1, int64))
                return self.node("Div", self.node("Mul", steps, self.size(a)), self.size(b))
        return None

    def _folded(self) -> set[int]:
        """Values that follow from constants alone, none of them a parameter, and are known from the run."""
        values = self.program.values
        known = {
            number
            for number in self.trace.externals_by_number
            if id(self.trace.alive[number]) not in self._named
            and number not in self._written
            and all(isinstance(side, int) for side in values[number].shape)
            and _equal([trace.data[id(trace.alive[number])] for trace in self.program.traces])
        }
        for call in self.program.calls:
            if call.op.random or any(each is not None and each.number not in known for each in call.inputs):
                continue
            if any(self._root(each.number) in self._written for each in call.outputs) or _varies(call.attributes):
                continue
            if all(isinstance(side, int) for each in call.outputs for side in each.shape) and all(
                math.prod(each.shape) <= _STORED for each in call.outputs
            ):
                known.update(each.number for each in call.outputs)
        return known

    # -------------------------------------------------------------- writing steps

    def assemble(self) -> None:
        """Write all steps; nodes that no output needs are left out by `model`."""
        for call in self.program.calls:
            if all(each.number in self._constant for each in call.outputs):
                continue
            if call.op.name == "assign":
                self._assign(call)
                continue
            for each in call.inputs:
                if each is not None:
                    self._located(call, self.read, each.number)
            self._name(call, self._converted(call))

    def _name(self, call: Call, made: list[tuple[str, ...]]) -> None:
        """Note what the results of a step are called."""
        for value, (name, *rest) in zip(call.outputs, made, strict=True):
            self.names[value.number] = name
            self._imaginary.update((value.number, part) for part in rest)
            self._seen[value.number] = self._version.get(self._root(value.number), 0)
            if name:
                self.has(name, value.shape)

    def _located(self, call: Call, function: Any, *args: Any) -> Any:
        try:
            return function(*args)
        except (OnnxExporterError, TypeError, ValueError) as error:
            raise located(error, call) from error

    def _converted(self, call: Call) -> list[tuple[str, ...]]:
        if complexes.is_complex(call):
            return self._located(call, complexes.convert, self, call, self._parts)
        converter = CONVERTERS.get(call.op.name)
        if converter is None:
            error = UnsupportedOperatorError("ONNX has no such op")
            raise located(error, call)
        made = self._located(call, converter, self, call)
        return [(made,)] if isinstance(made, str) else [(each,) for each in made]

    def _assign(self, call: Call) -> None:
        target, source = call.inputs
        assert target is not None and source is not None
        parts = self._located(call, self._parts, source)
        if source.shape != target.shape:
            parts = tuple(self._located(call, self.expand, part, target.shape, source.shape) for part in parts)
        number = call.outputs[0].number
        # Engines whose arrays never change give the new one another number.
        if number == target.number:
            while number in self.trace.views:
                step = self.program.calls[self.trace.views[number]]
                base = step.inputs[0]
                assert base is not None
                pairs = zip(self._parts(base), parts, strict=False)
                parts = tuple(self._located(call, self._put, step, base, name, part) for name, part in pairs)
                number = base.number
            self._version[number] = self._version.get(number, 0) + 1
        value = self.program.values[number]
        self._name(replace(call, outputs=(value,)), [parts])

    def _put(self, step: Call, base: Value, name: str, value: str) -> str:
        """What a base becomes when its view is given a value."""
        if step.op.name == "alias":
            return value
        if step.op.name == "reshape":
            return self.reshape(value, base.shape, step.outputs[0].shape)
        if step.op.name == "permute":
            dims = step.attributes["dims"]
            return self.node("Transpose", value, perm=[dims.index(d) for d in range(len(dims))]) if dims else value
        if step.op.name == "basic_index":
            return put_part(self, name, base.shape, value, step.attributes["index"])
        raise UnsupportedOperatorError(f"a write in place through a view made by {step.op.name}; write into a copy")

    # -------------------------------------------------------------- the model

    def graph(self, output_axes: dict[str, dict[int, str]], *, with_data: bool, with_inputs: bool) -> Any:
        """The ONNX graph, of what the outputs need."""
        import onnx

        values = self.program.values
        produced = {name for node in self.nodes for name in node.output}
        renamed: dict[str, str] = {}
        last = []
        for number, wanted in zip(self.program.outputs, self.outputs, strict=True):
            name = self.read(number)
            if name in produced and name not in renamed:
                renamed[name] = wanted
            else:
                last.append(onnx.helper.make_node("Identity", [renamed.get(name, name)], [wanted],
                                                  name=self.fresh("/Identity")))  # fmt: skip
        nodes = [*self.nodes, *last]
        for node in self.nodes:
            for names in (node.input, node.output):
                for place, name in enumerate(names):
                    if name in renamed:
                        names[place] = renamed[name]
        needed, kept = set(self.outputs), []
        for node in reversed(nodes):
            if any(name in needed for name in node.output):
                # An optional output that nobody takes need not be calculated.
                while node.op_type in _OPTIONAL and len(node.output) > 1 and node.output[-1] not in needed:
                    del node.output[-1]
                needed.update(name for name in node.input if name)
                kept.append(node)
        inputs = [
            onnx.helper.make_tensor_value_info(name, element_type(values[number].dtype), self._dims(name, number))
            for name, number in zip(self.inputs, self.trace.graph.inputs, strict=False)
        ]
        outputs = [
            onnx.helper.make_tensor_value_info(
                name, element_type(values[number].dtype), self._dims(name, number, output_axes.get(name, {}))
            )
            for name, number in zip(self.outputs, self.program.outputs, strict=True)
        ]
        initializers = [tensor for name, tensor in self.initializers.items() if name in needed]
        for tensor in initializers:
            if with_inputs or (not with_data and tensor.name in self.parameters):
                inputs.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
        if not with_data:
            initializers = [tensor for tensor in initializers if tensor.name not in self.parameters]
        return onnx.helper.make_graph(kept[::-1], "main_graph", inputs, outputs, initializers)

    def _dims(self, name: str, number: int, given: dict[int, str] | None = None) -> list[Any]:
        """Sides as ONNX declares them: numbers, or names of those that vary."""
        dims: list[Any] = []
        for dim, side in enumerate(self.program.values[number].shape):
            if isinstance(side, Varying):
                same = next((s for s, sizes in self.symbols.items() if sizes == side.values), None)
                dims.append((given or {}).get(dim) or same or f"{name}_dim_{dim}")
            else:
                dims.append(side)
        return dims


def _equal(contents: list[bytes]) -> bool:
    """Whether constants hold the same in all runs; weights are the same object."""
    return all(each is contents[0] or each == contents[0] for each in contents)


def _varies(value: Any) -> bool:
    """Whether an attribute depends on dynamic dimensions, or draws."""
    if isinstance(value, dict):
        return any(map(_varies, value.values()))
    if isinstance(value, (tuple, list)):
        return any(map(_varies, value))
    if isinstance(value, slice):
        return _varies((value.start, value.stop, value.step))
    return isinstance(value, (Varying, Repeated, Unlike, Ticket))
