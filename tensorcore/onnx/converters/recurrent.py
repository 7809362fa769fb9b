"""Recurrent layers as ONNX's own, so that the number of steps may be dynamic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import int64
from tensorcore.onnx.converters.registry import converts
from tensorcore.onnx.errors import UnsupportedOperatorError
from tensorcore.onnx.varying import Repeated

if TYPE_CHECKING:
    from tensorcore.onnx.probing import Call, Value
    from tensorcore.onnx.writer import Writer


def _steps(sizes: Any) -> tuple[Any, Any]:
    """How many steps, and how many sequences, which have to be of one length."""
    if isinstance(sizes, Repeated):
        return sizes.count, sizes.value
    if any(each != sizes[0] for each in sizes):
        raise UnsupportedOperatorError("packed sequences of several lengths; pad them, which gives the same results")
    return len(sizes), sizes[0]


def _even(opset: int, inputs: Any, attributes: dict[str, Any]) -> bool:
    return len(set(attributes["sizes"])) == 1


#: ONNX's order of the gates, as places in PyTorch's.
_GATES = {"rnn_sequence": (0,), "lstm_sequence": (0, 3, 1, 2), "gru_sequence": (1, 0, 2)}


def _blocks(w: Writer, name: str, order: tuple[int, ...], width: int) -> str:
    """Rows in blocks of ``width`` put in another order, with a first dimension for ONNX's direction."""
    if len(order) > 1:
        rows = [place * width + row for place in order for row in range(width)]
        name = w.node("Gather", name, w.constant(rows, int64), axis=0)
    return w.unsqueeze(name, [0])


@converts("rnn_sequence", "gru_sequence", when=_even)
def _recurrent(w: Writer, call: Call) -> list[str] | str:
    projected, hidden, weight, bias = (*call.inputs, None)[:4]
    assert projected is not None and hidden is not None and weight is not None
    return _layer(w, call, projected, hidden, None, weight, bias)


@converts("lstm_sequence", when=lambda o, inputs, a: _even(o, inputs, a) and (len(inputs) < 5 or inputs[4] is None))
def _lstm(w: Writer, call: Call) -> list[str] | str:
    projected, hidden, cell, weight = call.inputs[:4]
    assert projected is not None and hidden is not None and weight is not None
    return _layer(w, call, projected, hidden, cell, weight, None)


def _layer(
    w: Writer, call: Call, projected: Value, hidden: Value, cell: Value | None, weight: Value, bias: Value | None
) -> list[str] | str:
    """ONNX's layer on the input's product with its weights, or on the input itself where that is to be seen."""
    op, dtype, width = call.op.name, projected.dtype, weight.shape[1]
    order = _GATES[op]
    rows = len(order) * width
    count, batch = _steps(call.attributes["sizes"])
    source = w.producer(projected)
    if source is not None and source.op.name == "linear" and source.inputs[0] is not None:
        x, of_input, of_bias = (*source.inputs, None)[:3]
        assert x is not None and of_input is not None
        given, name, side = w.names[of_input.number], w.names[x.number], x.shape[-1]
        first = None if of_bias is None else w.names[of_bias.number]
    else:
        # The product is made outside the layer, which multiplies it by the unit matrix.
        unit = [[float(i == j) for j in range(rows)] for i in range(rows)]
        given = w.node("Reshape", w.constant([v for row in unit for v in row], dtype), w.constant([rows, rows], int64))
        name, side, first = w.names[projected.number], rows, None
    name = w.reshape(name, (count, batch, side))
    biases = None
    if first is not None or bias is not None:
        nothing = w.expand(w.constant(0.0, dtype), (rows,), ())
        both = [first or nothing, nothing if bias is None else w.names[bias.number]]
        biases = w.node("Concat", *(_blocks(w, each, order, width) for each in both), axis=1)
    facts: dict[str, Any] = {"hidden_size": width, "direction": "reverse" if call.attributes["reverse"] else "forward"}
    if op == "rnn_sequence":
        facts["activations"] = ["Tanh" if call.attributes["nonlinearity"] == "tanh" else "Relu"]
    if op == "gru_sequence":
        facts["linear_before_reset"] = 1
    states = [w.unsqueeze(w.names[hidden.number], [0])]
    if cell is not None:
        states.append(w.unsqueeze(w.names[cell.number], [0]))
    kind = {"rnn_sequence": "RNN", "gru_sequence": "GRU", "lstm_sequence": "LSTM"}[op]
    made = w.nodes_of(
        kind, 1 + len(states), name, _blocks(w, given, order, width),
        _blocks(w, w.names[weight.number], order, width), biases, None, *states, **facts,
    )  # fmt: skip
    out = w.node("Reshape", made[0], w.constant([-1, width], int64))
    if op == "rnn_sequence":
        return out
    if op == "gru_sequence":
        return [out, ""]
    # Of the cells ONNX gives the last alone; it is found again by who asks for it.
    w.last_cells[call.outputs[2].number] = w.squeeze(made[2], [0])
    return [out, "", ""]
