"""Recurrent networks of several layers and directions, and single steps, with PyTorch's signatures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import FLOATING
from tensorcore.errors import ArgumentError, RangeError, ShapeError
from tensorcore.ops import recurrent as r
from tensorcore.ops.activation import relu
from tensorcore.ops.creation import zeros_like
from tensorcore.ops.dropout import dropout as drop
from tensorcore.ops.elementwise import tanh
from tensorcore.ops.linear import linear, one_dtype
from tensorcore.ops.movement import cat, stack
from tensorcore.ops.record import composite

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

#: ``layer(projected, states, weights, sizes, reverse)`` gives the hidden states of all steps and, by state, its parts
#: after each sequence's last step.
Layer = Callable[..., tuple[Any, list[Any]]]


def _product(x: Any, weights: dict[str, Any], hidden_bias: bool) -> Any:
    """What all steps need of the input: one product; with both biases where the second is added to the same sum."""
    bias = weights.get("bias_ih")
    if bias is not None and hidden_bias and weights["bias_hh"] is not None:
        bias = bias + weights["bias_hh"]
    return linear(x, weights["weight_ih"], bias)


def _rnn_layer(nonlinearity: str) -> Layer:
    def layer(x: Any, states: Any, weights: dict[str, Any], sizes: Any, reverse: bool) -> Any:
        out = r.rnn_sequence.emit(
            _product(x, weights, True), states[0], weights["weight_hh"], nonlinearity=nonlinearity, sizes=sizes,
            reverse=reverse,
        )  # fmt: skip
        return out, [r.final(out, sizes, reverse)]

    return layer


def _lstm_layer(x: Any, states: Any, weights: dict[str, Any], sizes: Any, reverse: bool) -> Any:
    out, _, cells = r.lstm_sequence.emit(
        _product(x, weights, True), *states, weights["weight_hh"], weights.get("weight_hr"), sizes=sizes,
        reverse=reverse,
    )  # fmt: skip
    cells = cells if cells.dtype is out.dtype else cells.to(out.dtype)
    return out, [r.final(out, sizes, reverse), r.final(cells, sizes, reverse)]


def _gru_layer(x: Any, states: Any, weights: dict[str, Any], sizes: Any, reverse: bool) -> Any:
    out, _ = r.gru_sequence.emit(
        _product(x, weights, False), states[0], weights["weight_hh"], weights.get("bias_hh"), sizes=sizes,
        reverse=reverse,
    )  # fmt: skip
    return out, [r.final(out, sizes, reverse)]


def _bound(args: Sequence[Any], given: dict[str, Any], op: str) -> dict[str, Any]:
    """The arguments by name, in either of PyTorch's forms: of padded sequences, or of packed ones."""
    packed = "batch_sizes" in given or (len(args) > 2 and isinstance(args[2], list | tuple))
    names = ["hx", "params", "has_biases", "num_layers", "dropout", "train", "bidirectional"]
    names = ["batch_sizes", *names] if packed else [*names, "batch_first"]
    found = dict(zip(names, args, strict=False)) | given
    if len(args) > len(names) or set(found) != set(names):
        raise TypeError(f"{op}: expected the arguments input, {', '.join(names)}; got {len(args) + 1} and {[*given]}")
    for name, kinds in _KINDS.items():
        if name in found and not isinstance(found[name], kinds):
            expected = " or ".join(kind.__name__ for kind in kinds)
            raise ArgumentError(
                f"{op}: {name} must be {expected}, got {type(found[name]).__name__} {found[name]!r:.60}"
            )
    for place, x in enumerate(found["params"]):
        if not hasattr(x, "_array"):
            raise ArgumentError(f"{op}: params[{place}] must be a tensor, got {type(x).__name__} {x!r:.60}")
    return found


#: What the arguments that are no tensors are.
_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "params": (list, tuple), "has_biases": (bool,), "num_layers": (int,), "dropout": (float, int), "train": (bool,),
    "bidirectional": (bool,), "batch_first": (bool,),
}  # fmt: skip


def _by_name(
    op: str, params: Sequence[Any], states: int, gates: int, has_biases: bool, count: int
) -> list[dict[str, Any]]:
    """The weights of each layer and direction."""
    names = ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if has_biases else [])]
    if states == 2 and len(params) == count * (len(names) + 1):
        names.append("weight_hr")
    if len(params) != count * len(names):
        raise RangeError(
            f"{op}: {count} layers and directions with has_biases={has_biases} need {count * len(names)} parameters, "
            f"got {len(params)}"
        )
    width = len(names)
    each = [dict(zip(names, params[at : at + width], strict=True)) for at in range(0, len(params), width)]
    for weights in each:
        if any(x.ndim != (1 if name.startswith("bias") else 2) for name, x in weights.items()):
            raise ShapeError(
                f"{op}: expected weights of 2 dimensions and biases of 1, got "
                + ", ".join(f"{name} {list(x.shape)}" for name, x in weights.items())
            )
        rows = weights["weight_hh"].shape[0]
        if rows % gates or any(weights[name].shape[0] != rows for name in names[: 4 if has_biases else 2]):
            raise ShapeError(
                f"{op}: expected {gates} times the hidden size as first side of weights and biases, got "
                + ", ".join(f"{name} {list(x.shape)}" for name, x in weights.items())
            )
    return each


def _network(op: str, layer: Layer, states: int, gates: int, input: Any, args: Any, given: Any) -> tuple[Any, ...]:
    a = _bound(args, given, op)
    hx = tuple(a["hx"]) if states > 1 else (a["hx"],)
    if len(hx) != states:
        raise RangeError(f"{op}: expected hx to hold {states} tensors, hidden and cell state, got {len(hx)}")
    directions = 2 if a["bidirectional"] else 1
    weights = _by_name(op, a["params"], states, gates, a["has_biases"], a["num_layers"] * directions)
    one_dtype(op, input=input, hx=hx[0], weight=weights[0]["weight_ih"])
    first = bool(a.get("batch_first"))
    lead: tuple[int, ...] = ()
    x = input
    if "batch_sizes" in a:
        sizes = tuple(a["batch_sizes"].tolist())
    else:
        if input.ndim != 3:
            raise ShapeError(f"{op}: expected an input of 3 dimensions, got shape {list(input.shape)}")
        x = input.transpose(0, 1) if first else input
        lead = tuple(x.shape[:2])
        sizes = (lead[1],) * lead[0]
    if not sizes:
        raise ShapeError(f"{op}: expected sequences of at least one step, got input of shape {list(input.shape)}")
    _check_sides(op, x.shape[-1], sizes[0], hx, weights)
    x = x.reshape(-1, x.shape[-1])
    last: list[list[Any]] = [[] for _ in range(states)]
    for place, each in enumerate(weights):
        direction = place % directions
        if direction == 0:
            if place and a["train"] and a["dropout"]:
                x = drop(x, a["dropout"], True)
            outs = []
        out, ends = layer(x, [state[place] for state in hx], each, sizes, bool(direction))
        outs.append(out)
        for kept, parts in zip(last, ends, strict=True):
            kept.append(parts[0] if len(parts) == 1 else cat(parts))
        if direction == directions - 1:
            x = outs[0] if directions == 1 else cat(outs, 1)
    if lead:
        x = x.reshape(*lead, x.shape[-1])
        x = x.transpose(0, 1) if first else x
    return (x, *(kept[0].unsqueeze(0) if len(kept) == 1 else stack(kept) for kept in last))


def _check_sides(op: str, width: int, batch: int, hx: Any, weights: list[dict[str, Any]]) -> None:
    for place, each in enumerate(weights):
        wide = each["weight_ih"].shape[1]
        if place == 0 and wide != width:
            raise ShapeError(
                f"{op}: input has {width} features, its last side; weight_ih of shape {list(each['weight_ih'].shape)} "
                f"expects {wide}"
            )
        cell = each["weight_hr"].shape[1] if "weight_hr" in each else each["weight_hh"].shape[1]
        for state, held in zip(hx, (each["weight_hh"].shape[1], cell), strict=False):
            expected = (len(weights), batch, held)
            if tuple(state.shape) != expected:
                raise ShapeError(
                    f"{op}: hx of shape {list(state.shape)} does not fit, expected {list(expected)}: layers times "
                    "directions, batch, width"
                )


@composite(namespaces=("",), operands=("input",))
def lstm(input: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Output, last hidden and last cell states of an LSTM of ``num_layers`` layers.

    The arguments are ``input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first``, or for
    packed sequences ``data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional``; ``hx``
    holds the hidden and the cell states.

    >>> weights = [tc.ones(4, 1), tc.ones(4, 1)]
    >>> out, h, c = tc.lstm(tc.zeros(2, 1, 1), (tc.ones(1, 1, 1),) * 2, weights, False, 1, 0.0, False, False, False)
    >>> out.shape, h.shape
    (tensorcore.Size([2, 1, 1]), tensorcore.Size([1, 1, 1]))
    """
    return _network("lstm", _lstm_layer, 2, 4, input, args, kwargs)


@composite(namespaces=("",), operands=("input",))
def gru(input: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """Output and last hidden states of gated recurrent units; arguments as `lstm` has them, ``hx`` one tensor.

    >>> weights = [tc.ones(3, 1), tc.ones(3, 1)]
    >>> out, h = tc.gru(tc.zeros(2, 1, 1), tc.ones(1, 1, 1), weights, False, 1, 0.0, False, False, False)
    >>> out.shape, h.shape
    (tensorcore.Size([2, 1, 1]), tensorcore.Size([1, 1, 1]))
    """
    return _network("gru", _gru_layer, 1, 3, input, args, kwargs)


@composite(namespaces=("",), operands=("input",))
def rnn_tanh(input: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """Output and last hidden states of an Elman network with tanh; arguments as `lstm` has them, ``hx`` one tensor.

    >>> weights = [tc.ones(1, 1), tc.ones(1, 1)]
    >>> tc.rnn_tanh(tc.zeros(1, 1, 1), tc.ones(1, 1, 1), weights, False, 1, 0.0, False, False, False)[0]
    tensor([[[0.7616]]])
    """
    return _network("rnn_tanh", _rnn_layer("tanh"), 1, 1, input, args, kwargs)


@composite(namespaces=("",), operands=("input",))
def rnn_relu(input: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """Output and last hidden states of an Elman network with relu; arguments as `lstm` has them, ``hx`` one tensor.

    >>> weights = [tc.ones(1, 1), tc.ones(1, 1)]
    >>> tc.rnn_relu(tc.zeros(1, 1, 1), tc.ones(1, 1, 1), weights, False, 1, 0.0, False, False, False)[0]
    tensor([[[1.]]])
    """
    return _network("rnn_relu", _rnn_layer("relu"), 1, 1, input, args, kwargs)


# ------------------------------------------------------------------ single steps


def _cell(
    op: str, layer: Layer, gates: int, input: Any, states: tuple[Any, ...], w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any
) -> tuple[Any, ...]:
    one_dtype(op, input=input, hx=states[0], weight=w_ih, bias=b_ih)
    if input.ndim != 2 or any(x.ndim != 2 for x in states):
        raise ShapeError(
            f"{op}: expected input and hx of 2 dimensions, got shapes {list(input.shape)} and "
            f"{[list(x.shape) for x in states]}"
        )
    if w_ih.ndim != 2 or w_hh.ndim != 2:
        raise ShapeError(
            f"{op}: expected weights of 2 dimensions, got shapes {list(w_ih.shape)} and {list(w_hh.shape)}"
        )
    rows, width = len(input), w_hh.shape[1]
    for name, x, side in (("input", input, w_ih.shape[1]), *(("hx", x, width) for x in states)):
        if tuple(x.shape) != (rows, side):
            raise ShapeError(f"{op}: expected {name} of shape {[rows, side]}, got {list(x.shape)}")
    b_ih, b_hh = _bias(b_ih, gates * width), _bias(b_hh, gates * width)
    if any(x is not None and tuple(x.shape[:1]) != (gates * width,) for x in (w_ih, w_hh, b_ih, b_hh)):
        raise ShapeError(f"{op}: expected {gates * width} as first side of weights and biases, {gates} times {width}")
    if (b_ih is None) != (b_hh is None):
        b_ih, b_hh = (zeros_like(b_hh), b_hh) if b_ih is None else (b_ih, zeros_like(b_ih))
    weights = {"weight_ih": w_ih, "weight_hh": w_hh, "bias_ih": b_ih, "bias_hh": b_hh}
    return tuple(parts[0] for parts in layer(input, states, weights, (rows,), False)[1])


def _bias(bias: Any, rows: int) -> Any:
    """A bias with one number for each of ``rows``; a single number, and a single row, stand for that."""
    if bias is not None and bias.numel() == 1:
        return bias.reshape(()).expand((rows,))
    return bias.flatten() if bias is not None and bias.ndim != 1 and bias.numel() == rows == bias.shape[-1] else bias


@composite(namespaces=("",), ulp=64, operands=("input",))
def lstm_cell(
    input: Tensor, hx: Sequence[Tensor], w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Hidden and cell state (N, H) after one step of an LSTM from the states ``hx`` on ``input`` (N, features).

    >>> h, c = tc.lstm_cell(tc.zeros(1, 1), (tc.zeros(1, 1), tc.ones(1, 1)), tc.ones(4, 1), tc.ones(4, 1))
    >>> h, c
    (tensor([[0.2311]]), tensor([[0.5000]]))
    """
    states = tuple(hx)
    if len(states) != 2:
        raise ArgumentError(f"lstm_cell: expected hx to hold the hidden and the cell state, got {len(states)} values")
    return _cell("lstm_cell", _lstm_layer, 4, input, states, w_ih, w_hh, b_ih, b_hh)


def _samples(gates: int) -> Any:
    rows = 3 * gates
    return ({"shapes": ((2, 4), (2, 3), (rows, 4), (rows, 3), (rows,), (rows,))},)


@composite(namespaces=("",), ulp=64, samples=_samples(3))
def gru_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """Hidden state (N, H) after one step of gated recurrent units from ``hx`` on ``input`` (N, features).

    >>> tc.gru_cell(tc.zeros(1, 1), tc.ones(1, 1), tc.zeros(3, 1), tc.zeros(3, 1))
    tensor([[0.5000]])
    """
    return _cell("gru_cell", _gru_layer, 3, input, (hx,), w_ih, w_hh, b_ih, b_hh)[0]


def _elman(op: str, nonlinearity: str, input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any) -> Any:
    if input.dtype.category >= FLOATING:
        return _cell(op, _rnn_layer(nonlinearity), 1, input, (hx,), w_ih, w_hh, b_ih, b_hh)[0]
    # Integers have no gradients, for which the kernel of a sequence is made.
    total = linear(input, w_ih, b_ih) + linear(hx, w_hh, b_hh)
    return tanh(total) if nonlinearity == "tanh" else relu(total)


@composite(namespaces=("",), ulp=64, samples=_samples(1))
def rnn_tanh_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """``tanh(input @ w_ih.T + b_ih + hx @ w_hh.T + b_hh)``: (N, H).

    >>> tc.rnn_tanh_cell(tc.zeros(1, 1), tc.ones(1, 1), tc.ones(1, 1), tc.ones(1, 1))
    tensor([[0.7616]])
    """
    return _elman("rnn_tanh_cell", "tanh", input, hx, w_ih, w_hh, b_ih, b_hh)


@composite(namespaces=("",), ulp=64, samples=_samples(1))
def rnn_relu_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """``relu(input @ w_ih.T + b_ih + hx @ w_hh.T + b_hh)``: (N, H).

    >>> tc.rnn_relu_cell(tc.zeros(1, 1), tc.ones(1, 1), tc.ones(1, 1), tc.ones(1, 1))
    tensor([[1.]])
    """
    return _elman("rnn_relu_cell", "relu", input, hx, w_ih, w_hh, b_ih, b_hh)


__all__ = ["gru", "gru_cell", "lstm", "lstm_cell", "rnn_relu", "rnn_relu_cell", "rnn_tanh", "rnn_tanh_cell"]
