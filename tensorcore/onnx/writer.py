"""Writing an ONNX graph node by node, with constants and sizes that depend on dynamic dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import COMPLEX, FLOATING, DType, float32, int64
from tensorcore.onnx.errors import OnnxExporterError, SymbolicValueError, UnsupportedOperatorError
from tensorcore.onnx.varying import Expression, Repeated, Unlike, Varying, fit, fit_float

if TYPE_CHECKING:
    from tensorcore.onnx.probing import Call, Value

__all__ = ["Writer", "element_type"]

#: The names of ONNX's element types where they are not the dtype's in capitals.
_ELEMENTS = {"float32": "FLOAT", "float64": "DOUBLE"}
#: Larger than any side: the end of a slice that goes to the end.
END = (1 << 63) - 1


def element_type(dtype: DType) -> int:
    """The number of ONNX's element type for a dtype.

    Raises:
        UnsupportedOperatorError: for complex dtypes, which ONNX's ops do not take.
    """
    import onnx

    if dtype.category == COMPLEX:
        raise UnsupportedOperatorError(f"ONNX's ops take no complex numbers ({dtype}): keep real and imaginary parts")
    return onnx.TensorProto.DataType.Value(_ELEMENTS.get(dtype.name, dtype.name.upper()))


class Writer:
    """A graph under construction; values are names.

    Attributes:
        opset: the version of ONNX's ops written for.
        nodes, initializers: what was written.
        names: the name of each value of the model by number, as of the step being written.
    """

    def __init__(self, opset: int, symbols: dict[str, tuple[int, ...]]) -> None:
        self.opset = opset
        self.symbols = symbols
        self.nodes: list[Any] = []
        self.initializers: dict[str, Any] = {}
        self.names: dict[int, str] = {}
        #: By the number of the cells of all steps of an LSTM, of which ONNX gives the last: those.
        self.last_cells: dict[int, str] = {}
        self._taken: dict[str, int] = {}
        self._constants: dict[Any, str] = {}
        #: Columns of sides that values of the graph have, in the order in which the values came.
        self._sides: list[tuple[int, ...]] = []
        self._where: list[tuple[str, int]] = []
        self._sizes: dict[Expression, str] = {}

    # -------------------------------------------------------------- names and constants

    def fresh(self, name: str) -> str:
        """A name that is not taken yet."""
        count = self._taken.get(name)
        self._taken[name] = 1 if count is None else count + 1
        return name if count is None else self.fresh(f"{name}_{count}")

    def name(self, value: Value | None) -> str | None:
        """The name of a value of the model."""
        return None if value is None else self.names[value.number]

    def producer(self, value: Value) -> Call | None:
        """The step that made a value, if there is one to look at."""
        return None

    def constant(self, value: Any, dtype: DType) -> str:
        """A constant: a number, or a list of them."""
        import onnx

        values, dims = (list(value), [len(value)]) if isinstance(value, (list, tuple)) else ([value], [])
        key = (repr(values), len(dims), dtype)
        if key not in self._constants:
            name = self.fresh("constant")
            self.initializers[name] = onnx.helper.make_tensor(name, element_type(dtype), dims, values)
            self._constants[key] = name
        return self._constants[key]

    def raw(self, name: str, data: bytes, dtype: DType, shape: Sequence[int], shared: bool = True) -> str:
        """A constant of given elements; equal small ones are written once."""
        import sys

        import onnx

        key = (data, tuple(shape), dtype) if shared and len(data) <= 64 else None
        if key is None or key not in self._constants:
            name = self.fresh(name)
            if sys.byteorder == "big" and dtype.itemsize > 1:
                data = b"".join(data[at : at + dtype.itemsize][::-1] for at in range(0, len(data), dtype.itemsize))
            tensor = onnx.TensorProto(name=name, data_type=element_type(dtype), dims=shape, raw_data=data)
            self.initializers[name] = tensor
            if key is None:
                return name
            self._constants[key] = name
        return self._constants[key]

    # -------------------------------------------------------------- nodes

    def node(self, kind: str, *inputs: str | None, like: str = "", **attributes: Any) -> str:
        """The one result of a new node; ``None`` stands for an input left out."""
        return self.nodes_of(kind, 1, *inputs, like=like, **attributes)[0]

    def nodes_of(self, kind: str, outputs: int, *inputs: str | None, like: str = "", **attributes: Any) -> list[str]:
        """The results of a new node of several."""
        import onnx

        given = [each or "" for each in inputs]
        while given and not given[-1]:
            given.pop()
        for name, value in attributes.items():
            for each in value if isinstance(value, (list, tuple)) else (value,):
                if isinstance(each, (Varying, Repeated, Unlike)):
                    raise SymbolicValueError(
                        f"ONNX's {kind} takes {name} as fixed numbers, but it is {each!r}, by {self.followed(each)}"
                    )
        names = [self.fresh(like or kind.lower()) for _ in range(outputs)]
        attributes = {name: value for name, value in attributes.items() if value is not None}
        self.nodes.append(onnx.helper.make_node(kind, given, names, name=self.fresh(f"/{kind}"), **attributes))
        return names

    def since(self, opset: int, what: str) -> None:
        """Require an opset for what is being written."""
        if self.opset < opset:
            raise UnsupportedOperatorError(
                f"{what} needs opset_version {opset} or later, and {self.opset} was asked for"
            )

    def cast(self, name: str, dtype: DType) -> str:
        """A value in another dtype."""
        return self.node("Cast", name, to=element_type(dtype))

    def squeeze(self, name: str, dims: Sequence[int]) -> str:
        """A value without dimensions that have one element."""
        return self._axes("Squeeze", name, dims, 13)

    def unsqueeze(self, name: str, dims: Sequence[int]) -> str:
        """A value with dimensions of one element put in."""
        return self._axes("Unsqueeze", name, dims, 13)

    def reduce(self, kind: str, name: str, dims: Sequence[int], keepdim: bool) -> str:
        """A reduction over dimensions, which are inputs or attributes by the opset."""
        if not dims:
            return name
        return self._axes(kind, name, dims, 13 if kind == "ReduceSum" else 18, keepdims=int(keepdim))

    def _axes(self, kind: str, name: str, dims: Sequence[int], since: int, **attributes: Any) -> str:
        if not dims:
            return name
        if self.opset >= since:
            return self.node(kind, name, self.constant(list(dims), int64), **attributes)
        return self.node(kind, name, axes=list(dims), **attributes)

    # -------------------------------------------------------------- sizes

    def followed(self, *varying: Any) -> str:
        """Which dynamic dimensions make numbers differ, quoted."""
        columns = [each.values for each in varying if isinstance(each, (Varying, Unlike))]
        found = [
            name
            for name, sizes in self.symbols.items()
            if any(
                column[place] != column[0] and sizes[place] != sizes[0]
                for column in columns
                for place in range(len(sizes))
            )
        ]
        return " and ".join(map(repr, found or self.symbols))

    def has(self, name: str, shape: Sequence[Any]) -> None:
        """Note that the value ``name`` has this shape, so that sizes can be read from it."""
        for dim, side in enumerate(shape):
            if isinstance(side, Varying) and side.values not in self._sides:
                self._sides.append(side.values)
                self._where.append((name, dim))

    def size(self, number: Any) -> str:
        """A number as an int64 tensor of one element."""
        if isinstance(number, int):
            return self.constant([number], int64)
        found = fit(number.values, self._sides) if isinstance(number, Varying) else None
        if found is None:
            raise SymbolicValueError(
                f"a size that is {number!r} by {self.followed(number)} does not follow from sides of the model's "
                "values by sums, products and quotients"
            )
        return self._sized(found)

    def _sized(self, expression: Expression) -> str:
        if expression not in self._sizes:
            kind, *rest = expression
            if kind == "side":
                name, dim = self._where[rest[0]]
                shape = self._sizes.get(("shape", name)) or self.node("Shape", name)
                self._sizes["shape", name] = shape
                made = self.node("Gather", shape, self.constant([dim], int64), axis=0)
            elif kind == "number":
                made = self.constant(rest, int64)
            else:
                made = self.node(kind, *map(self._sized, rest))
            self._sizes[expression] = made
        return self._sizes[expression]

    def sizes(self, numbers: Sequence[Any]) -> str:
        """Numbers as an int64 tensor."""
        if all(isinstance(each, int) for each in numbers):
            return self.constant(list(numbers), int64)
        parts: list[Any] = []
        for each in numbers:
            if isinstance(each, int) and parts and isinstance(parts[-1], list):
                parts[-1].append(each)
            else:
                parts.append([each] if isinstance(each, int) else self.size(each))
        named = [self.constant(each, int64) if isinstance(each, list) else each for each in parts]
        return named[0] if len(named) == 1 else self.node("Concat", *named, axis=0)

    def whole(self, number: Any) -> str:
        """A number as an int64 tensor without dimensions."""
        return self.constant(number, int64) if isinstance(number, int) else self.squeeze(self.size(number), [0])

    def number(self, value: Any, dtype: DType) -> str:
        """A number, which may vary, as a tensor of ``dtype`` without dimensions."""
        if not isinstance(value, Varying):
            return self.constant(value, dtype)
        if all(isinstance(each, int) or float(each).is_integer() for each in value.values):
            whole = Varying(tuple(int(each) for each in value.values))
            if fit(whole.values, self._sides) is not None or dtype.category < FLOATING:
                name = self.whole(whole)
                return name if dtype is int64 else self.cast(name, dtype)
        found = fit_float(value.values, self._sides)
        if found is None:
            raise SymbolicValueError(
                f"a number that is {value!r} by {self.followed(value)} does not follow from sides of the model's values"
            )
        inverted, rooted, expression = found
        name = self.cast(self.squeeze(self._sized(expression), [0]), dtype if dtype.itemsize > 2 else float32)
        for wanted, kind in ((rooted, "Sqrt"), (inverted, "Reciprocal")):
            name = self.node(kind, name) if wanted else name
        return name if dtype.itemsize > 2 else self.cast(name, dtype)

    def reshape(self, name: str, shape: Sequence[Any], source: Sequence[Any] = ()) -> str:
        """A value under another shape; one side that varies is left to be found, others are kept or calculated."""
        sides = list(shape)
        empty = any(isinstance(side, int) and side == 0 for side in sides)
        varying = [place for place, side in enumerate(sides) if not isinstance(side, int)]
        # A 0 keeps the side at its place, unless the shape has a 0 of its own.
        kept = [] if empty else [p for p in varying if p < len(source) and source[p] == sides[p]]
        if varying and not empty:
            spare = next((place for place in reversed(varying) if place not in kept), None)
            for place in kept:
                sides[place] = 0
            if spare is not None:
                sides[spare] = -1
        if empty and self.opset >= 14:
            return self.node("Reshape", name, self.sizes(sides), allowzero=1)
        return self.node("Reshape", name, self.sizes(sides))

    def expand(self, name: str, shape: Sequence[Any], source: Sequence[Any]) -> str:
        """A value broadcast to a shape; sides that it has already need not be calculated."""
        lead = len(shape) - len(source)
        sides = [1 if at >= lead and source[at - lead] == side else side for at, side in enumerate(shape)]
        if all(isinstance(side, int) and side == 1 for side in sides) and not lead:
            return name
        return self.node("Expand", name, self.sizes(sides))

    def flat_places(self, shape: Sequence[Any]) -> str:
        """The row-major place of each element of a shape, int64."""
        total: Any = 1
        for side in shape:
            total = total * side
        places = self.node("Range", self.constant(0, int64), self.whole(total), self.constant(1, int64))
        # A product of sides is found from the sides: the shape itself has to be given in full.
        return self.node("Reshape", places, self.sizes(shape))


def located(error: Exception, call: Call) -> OnnxExporterError:
    """An error of a converter with the op and the line of the user's program."""
    kind = type(error) if isinstance(error, OnnxExporterError) else OnnxExporterError
    shapes = ", ".join("None" if each is None else f"{each.dtype.name}{list(each.shape)}" for each in call.inputs)
    return kind(f"onnx.export: {call.op.name}({shapes}) at {call.line}: {error}")
