"""Shapes, parts, joining, gathering and scattering."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import FLOATING, int64
from tensorcore.onnx.converters.registry import calculated, converts, wide
from tensorcore.onnx.errors import UnsupportedOperatorError
from tensorcore.onnx.writer import END

if TYPE_CHECKING:
    from tensorcore.onnx.probing import Call, Value
    from tensorcore.onnx.writer import Writer

#: ONNX's names of what is put around a tensor.
_EDGES = {"reflect": "reflect", "replicate": "edge"}
_REDUCED = {"set": None, "sum": "add", "prod": "mul", "amax": "max", "amin": "min"}


def _operand(call: Call, place: int = 0) -> Value:
    x = call.inputs[place]
    assert x is not None
    return x


@converts("reshape")
def _reshape(w: Writer, call: Call) -> str:
    x = _operand(call)
    return w.reshape(w.names[x.number], call.outputs[0].shape, x.shape)


@converts("permute")
def _permute(w: Writer, call: Call) -> str:
    x, dims = _operand(call), call.attributes["dims"]
    return w.node("Transpose", w.name(x), perm=list(dims)) if dims else w.names[x.number]


@converts("expand")
def _expand(w: Writer, call: Call) -> str:
    x = _operand(call)
    return w.expand(w.names[x.number], call.outputs[0].shape, x.shape)


@converts("flip")
def _flip(w: Writer, call: Call) -> str:
    x, dims = _operand(call), list(call.attributes["dims"])
    if not dims:
        return w.names[x.number]
    return _slice(w, w.names[x.number], [-1] * len(dims), [-END] * len(dims), dims, [-1] * len(dims))


def _slice(w: Writer, name: str, starts: Any, ends: Any, dims: list[int], steps: list[int]) -> str:
    return w.node("Slice", name, w.sizes(starts), w.sizes(ends), w.sizes(dims), w.sizes(steps))


@converts("cat")
def _cat(w: Writer, call: Call) -> str:
    names = [w.names[each.number] for each in call.inputs if each is not None]
    return names[0] if len(names) == 1 else w.node("Concat", *names, axis=call.attributes["dim"])


@converts("repeat", when=lambda opset, inputs, attributes: len(attributes["times"]) == inputs[0].ndim > 0)
def _repeat(w: Writer, call: Call) -> str:
    return w.node("Tile", w.name(_operand(call)), w.sizes(call.attributes["times"]))


def part(w: Writer, name: str, shape: tuple[Any, ...], index: tuple[Any, ...]) -> str:
    """The part of a value that `basic_index` takes."""
    cut: list[tuple[Any, Any, int, int]] = []
    dropped = []
    for dim, item in enumerate(index):
        if not isinstance(item, slice):
            dropped.append(dim)
            cut.append((item, item + 1, dim, 1))
        elif item != slice(0, shape[dim], 1):
            to_end = item.stop == shape[dim] or (isinstance(item.stop, int) and isinstance(shape[dim], int)
                                                 and item.stop >= shape[dim])  # fmt: skip
            cut.append((item.start, END if to_end else item.stop, dim, item.step))
    if cut:
        starts, ends, dims, steps = zip(*cut, strict=True)
        name = _slice(w, name, starts, ends, list(dims), list(steps))
    return w.squeeze(name, dropped)


@converts("basic_index")
def _basic_index(w: Writer, call: Call) -> str:
    x = _operand(call)
    if x.number in w.last_cells:
        # The one part that is taken of an LSTM's cells is the last ones.
        return w.last_cells[x.number]
    return part(w, w.names[x.number], x.shape, call.attributes["index"])


def put_part(w: Writer, name: str, shape: tuple[Any, ...], value: str, index: tuple[Any, ...]) -> str:
    """A value with the part that `basic_index` takes replaced: its elements are written at their row-major places."""
    places = part(w, w.flat_places(shape), shape, index)
    flat = w.constant([-1], int64)
    into = w.node("Reshape", name, flat)
    written = w.node("ScatterElements", into, w.node("Reshape", places, flat), w.node("Reshape", value, flat), axis=0)
    return (
        w.reshape(written, shape)
        if all(isinstance(s, int) for s in shape)
        else w.node("Reshape", written, w.node("Shape", name))
    )


@converts("basic_index_put")
def _basic_index_put(w: Writer, call: Call) -> str:
    x, value = _operand(call), _operand(call, 1)
    return put_part(w, w.names[x.number], x.shape, w.names[value.number], call.attributes["index"])


def _places(w: Writer, indices: list[Value]) -> str:
    """Index tensors of the leading dimensions as one, whose rows are places."""
    rank = len(indices[0].shape)
    each = [w.unsqueeze(w.names[index.number], [rank]) for index in indices]
    return each[0] if len(each) == 1 else w.node("Concat", *each, axis=rank)


@converts("index")
def _index(w: Writer, call: Call) -> str:
    x, *indices = (each for each in call.inputs if each is not None)
    if len(indices) == 1:
        return w.node("Gather", w.name(x), w.name(indices[0]), axis=0)
    return w.node("GatherND", w.name(x), _places(w, indices))


@converts("index_put")
def _index_put(w: Writer, call: Call) -> str:
    x, value, *indices = (each for each in call.inputs if each is not None)
    places = _places(w, indices)
    reduction = {}
    if call.attributes["accumulate"]:
        w.since(16, "index_put with accumulate")
        reduction = {"reduction": "add"}
    lead = indices[0].shape
    wanted = (*lead, *x.shape[len(indices) :])
    name = w.names[value.number] if value.shape == wanted else w.expand(w.names[value.number], wanted, value.shape)
    return w.node("ScatterND", w.name(x), places, name, **reduction)


@converts("index_select", when=lambda opset, inputs, attributes: inputs[0].ndim > 0 and inputs[1].ndim == 1)
def _index_select(w: Writer, call: Call) -> str:
    return w.node("Gather", *map(w.name, call.inputs), axis=call.attributes["dim"])


@converts("embedding")
def _embedding(w: Writer, call: Call) -> str:
    places, table = map(w.name, call.inputs)
    return w.node("Gather", table, places, axis=0)


@converts("gather")
def _gather(w: Writer, call: Call) -> str:
    return w.node("GatherElements", *map(w.name, call.inputs), axis=call.attributes["dim"])


@converts("scatter")
def _scatter(w: Writer, call: Call) -> str:
    reduction = _REDUCED[call.attributes["reduce"]]
    if reduction is not None:
        w.since(18 if reduction in ("max", "min") else 16, f"scatter with {call.attributes['reduce']}")
    attributes = {} if reduction is None else {"reduction": reduction}
    x, index, src = call.inputs

    def write(a: str, b: str, c: str) -> str:
        return w.node("ScatterElements", a, b, c, axis=call.attributes["dim"], **attributes)

    if reduction is None:
        return write(*(w.names[each.number] for each in (x, index, src) if each is not None))
    return calculated(call, w, write, places=(0, 2))


@converts("nonzero_places")
def _nonzero(w: Writer, call: Call) -> str:
    x = _operand(call)
    if not x.shape:
        raise UnsupportedOperatorError("ONNX's NonZero gives no places of a tensor without dimensions")
    return w.node("Transpose", w.node("NonZero", w.name(x)), perm=[1, 0])


@converts("tril", "triu", when=lambda opset, inputs, attributes: opset >= 14 and inputs[0].ndim >= 2)
def _triangle(w: Writer, call: Call) -> str:
    x = _operand(call)
    upper = int(call.op.name == "triu")
    name, through = w.names[x.number], wide(x.dtype)
    name = name if through is x.dtype else w.cast(name, through)
    name = w.node("Trilu", name, w.whole(call.attributes["diagonal"]), upper=upper)
    return name if through is x.dtype else w.cast(name, x.dtype)


def _side_by_side(opset: int, inputs: Any, attributes: dict[str, Any]) -> bool:
    return all(isinstance(item, slice) and item.step == 1 for item in attributes["index"])


def _padded(w: Writer, call: Call, before: list[Any], after: list[Any], value: str | None, mode: str) -> str:
    through = wide(_operand(call).dtype)
    name = w.names[_operand(call).number]
    name = name if through is _operand(call).dtype else w.cast(name, through)
    name = w.node("Pad", name, w.sizes([*before, *after]), value, mode=mode)
    return name if through is _operand(call).dtype else w.cast(name, call.outputs[0].dtype)


@converts("placed_in", when=_side_by_side)
def _placed_in(w: Writer, call: Call) -> str:
    facts = call.attributes
    index, dtype = facts["index"], wide(_operand(call).dtype)
    value = facts["value"]
    number = w.number(float(value) if dtype.category == FLOATING else int(value), dtype)
    after = [side - item.stop for side, item in zip(facts["shape"], index, strict=True)]
    return _padded(w, call, [item.start for item in index], after, number, "constant")


@converts("extended", when=lambda opset, inputs, a: a["mode"] in _EDGES and not any(a["crop"]))
def _extended(w: Writer, call: Call) -> str:
    facts, rank = call.attributes, len(_operand(call).shape)
    before, after = ([facts[name] if d == facts["dim"] else 0 for d in range(rank)] for name in ("before", "after"))
    return _padded(w, call, before, after, None, _EDGES[facts["mode"]])
