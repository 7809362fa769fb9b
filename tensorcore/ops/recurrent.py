"""One layer of a recurrent network over a whole batch of sequences, in one direction.

The rows of all steps lie one after another: first those of step 0, ``sizes[0]`` of them, then those of step 1, ...;
``sizes`` never grows, so the sequences are sorted by length, as in a packed sequence. What a step needs of the input
alone (``projected``) is one product for all steps, made before; a step multiplies the hidden state only. The records
return the gates beside the result, for their gradients; where a second derivative is asked for, the rules compute them
anew from the operands, so that they are in the graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tensorcore.autograd.mode import mode
from tensorcore.ops import elementwise as e
from tensorcore.ops.activation import relu
from tensorcore.ops.movement import cat
from tensorcore.ops.precision import widened
from tensorcore.ops.record import composite
from tensorcore.ops.rules import inexact
from tensorcore.ops.smooth_activation import sigmoid
from tensorcore.ops.windows import Ints

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_CASES: Final = ({"sizes": (2, 2, 2), "reverse": False}, {"sizes": (2, 2, 1, 1), "reverse": True})


def steps(sizes: Ints, reverse: bool) -> list[tuple[int, int]]:
    """First row and number of rows of each step, in the order in which they are taken."""
    start, found = 0, []
    for count in sizes:
        found.append((start, count))
        start += count
    return found[::-1] if reverse else found


def earlier(x: Any, first: Any, sizes: Ints, reverse: bool) -> list[Any]:
    """Parts that, joined, hold for each row what ``x`` was one step before: ``first`` at the row's own first step."""
    if sizes[0] == sizes[-1]:
        width = sizes[0]
        return [x[width:], first] if reverse else [first, x[: len(x) - width]]
    parts = []
    rows = steps(sizes, False)
    for place, (_, count) in enumerate(rows):
        other = place + 1 if reverse else place - 1
        held = min(count, sizes[other]) if 0 <= other < len(sizes) else 0
        if held:
            parts.append(x[rows[other][0] : rows[other][0] + held])
        if held < count:
            parts.append(first[held:count])
    return parts


def final(x: Any, sizes: Ints, reverse: bool) -> list[Any]:
    """Parts that, joined, hold each sequence's ``x`` after its last step."""
    if reverse:
        return [x[: sizes[0]]]
    parts = []
    ended = 0
    for start, count in steps(sizes, True):
        if count > ended:
            parts.append(x[start + ended : start + count])
            ended = count
    return parts or [x[:0]]


def _kept(new: Any, old: Any) -> Any:
    """``new`` in place of the first rows of ``old``."""
    return new if len(new) == len(old) else cat((new, old[len(new) :]))


def _joined(parts: list[Any], reverse: bool) -> Any:
    return cat(parts[::-1] if reverse else parts) if len(parts) > 1 else parts[0]


def _columns(x: Any, count: int) -> list[Any]:
    """``x`` cut into ``count`` equal blocks of columns."""
    width = x.shape[1] // count
    return [x[:, place * width : (place + 1) * width] for place in range(count)]


def _anew(node_output: Any, expression: Callable[..., Any], *operands: Any, **attributes: Any) -> Any:
    return expression(*operands, **attributes) if mode.grad else node_output


# ------------------------------------------------------------------ one gate


def _rnn_rule(
    g: Any, y: Any, projected: Any, hidden: Any, weight: Any, nonlinearity: str, sizes: Ints, reverse: bool
) -> Any:
    facts = {"nonlinearity": nonlinearity, "sizes": sizes, "reverse": reverse}
    out = _anew(y, _rnn_sequence, projected, hidden, weight, **facts)
    return rnn_sequence_gradient.emit(g, weight, hidden, out, **facts)


@composite(
    rule=inexact, vjp=_rnn_rule, joint=True, namespaces=(), ulp=128,
    samples=tuple(
        {"shapes": ((6, 3), (2, 3), (3, 3)), "nonlinearity": name, **case}
        for name, case in zip(("tanh", "relu"), _CASES, strict=True)
    ),
)  # fmt: skip
def rnn_sequence(
    projected: Tensor, hidden: Tensor, weight: Tensor, *, nonlinearity: str, sizes: Ints, reverse: bool
) -> Tensor:
    """``h = tanh(projected + h @ weight.T)``, or with relu, step by step: (rows, H), from ``hidden`` (B, H)."""
    return rnn_sequence.emit(projected, hidden, weight, nonlinearity=nonlinearity, sizes=sizes, reverse=reverse)


@rnn_sequence.expression
@widened
def _rnn_sequence(projected: Any, hidden: Any, weight: Any, *, nonlinearity: str, sizes: Ints, reverse: bool) -> Any:
    turned = weight.transpose(0, 1)
    activation = e.tanh if nonlinearity == "tanh" else relu
    state, outs = hidden, []
    for start, count in steps(sizes, reverse):
        out = activation(projected[start : start + count] + state[:count] @ turned)
        outs.append(out)
        state = _kept(out, state)
    return _joined(outs, reverse)


@composite(
    rule=inexact, namespaces=(), outputs=3, ulp=256,
    samples=tuple(
        {"shapes": ((6, 3), (3, 3), (2, 3), (6, 3)), "domains": (None, None, None, (-0.9, 0.9)), "nonlinearity": name,
         **case}
        for name, case in zip(("tanh", "relu"), _CASES, strict=True)
    ),
)  # fmt: skip
def rnn_sequence_gradient(
    grad: Tensor, weight: Tensor, hidden: Tensor, output: Tensor, *, nonlinearity: str, sizes: Ints, reverse: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of `rnn_sequence` with respect to projected, hidden and weight."""
    return rnn_sequence_gradient.emit(
        grad, weight, hidden, output, nonlinearity=nonlinearity, sizes=sizes, reverse=reverse
    )


@rnn_sequence_gradient.expression
@widened
def _rnn_sequence_gradient(
    grad: Any, weight: Any, hidden: Any, output: Any, *, nonlinearity: str, sizes: Ints, reverse: bool
) -> Any:
    slope = 1 - output * output if nonlinearity == "tanh" else (output > 0).to(output.dtype)
    state = hidden * 0
    parts = []
    for start, count in steps(sizes, not reverse):
        rows = slice(start, start + count)
        each = (grad[rows] + state[:count]) * slope[rows]
        parts.append(each)
        state = _kept(each @ weight, state)
    projected = _joined(parts, not reverse)
    return projected, state, projected.transpose(0, 1) @ cat(earlier(output, hidden, sizes, reverse))


# ------------------------------------------------------------------ long short-term memory


def _lstm_rule(
    g: Any, y: Any, projected: Any, hidden: Any, cell: Any, weight: Any, projection: Any, sizes: Ints, reverse: bool
) -> Any:
    out, gates, cells = _anew(
        y, _lstm_sequence, projected, hidden, cell, weight, projection, sizes=sizes, reverse=reverse
    )
    grads = lstm_sequence_gradient.emit(
        g[0], g[2], weight, projection, hidden, cell, out, gates, cells, sizes=sizes, reverse=reverse
    )
    return (*grads[:4], None if projection is None else grads[4])


@composite(
    rule=inexact, vjp=_lstm_rule, joint=True, namespaces=(), outputs=3, ulp=256,
    samples=(
        {"shapes": ((6, 12), (2, 3), (2, 3), (12, 3)), **_CASES[0]},
        {"shapes": ((6, 12), (2, 2), (2, 3), (12, 2), (2, 3)), **_CASES[1]},
    ),
)  # fmt: skip
def lstm_sequence(
    projected: Tensor, hidden: Tensor, cell: Tensor, weight: Tensor, projection: Tensor | None = None, *,
    sizes: Ints, reverse: bool,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Hidden states (rows, H) of an LSTM (Hochreiter and Schmidhuber 1997, Gers et al. 2000), its gates, its cells.

    The gates (rows, 4 * C) are input, forget, candidate and output; ``projection`` (H, C) makes hidden states of
    the gated cells (Sak et al. 2014).
    """
    return lstm_sequence.emit(projected, hidden, cell, weight, projection, sizes=sizes, reverse=reverse)


@lstm_sequence.expression
@widened
def _lstm_sequence(
    projected: Any, hidden: Any, cell: Any, weight: Any, projection: Any = None, *, sizes: Ints, reverse: bool
) -> Any:
    turned = weight.transpose(0, 1)
    outs, gates, cells = [], [], []
    for start, count in steps(sizes, reverse):
        i, f, g, o = _columns(projected[start : start + count] + hidden[:count] @ turned, 4)
        i, f, g, o = sigmoid(i), sigmoid(f), e.tanh(g), sigmoid(o)
        inner = f * cell[:count] + i * g
        out = o * e.tanh(inner)
        if projection is not None:
            out = out @ projection.transpose(0, 1)
        outs.append(out)
        gates.append(cat((i, f, g, o), 1))
        cells.append(inner)
        hidden, cell = _kept(out, hidden), _kept(inner, cell)
    return _joined(outs, reverse), _joined(gates, reverse), _joined(cells, reverse)


_LSTM_SAVED: Final = (None, None, None, None, None, None, (-0.7, 0.7), (0.1, 0.9), (-1, 1))


@composite(
    rule=inexact, namespaces=(), outputs=5, ulp=512,
    samples=tuple(
        {"shapes": ((6, 2), (6, 3), (12, 2), (2, 3), (2, 2), (2, 3), (6, 2), (6, 12), (6, 3)), "domains": _LSTM_SAVED,
         **case}
        for case in _CASES
    ),
)  # fmt: skip
def lstm_sequence_gradient(
    grad: Tensor, grad_cells: Tensor, weight: Tensor, projection: Tensor | None, hidden: Tensor, cell: Tensor,
    output: Tensor, gates: Tensor, cells: Tensor, *, sizes: Ints, reverse: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
    """Gradients of `lstm_sequence` with respect to projected, hidden, cell, weight and projection (0 without one)."""
    return lstm_sequence_gradient.emit(
        grad, grad_cells, weight, projection, hidden, cell, output, gates, cells, sizes=sizes, reverse=reverse
    )


@lstm_sequence_gradient.expression
@widened
def _lstm_sequence_gradient(
    grad: Any, grad_cells: Any, weight: Any, projection: Any, hidden: Any, cell: Any, output: Any, gates: Any,
    cells: Any, *, sizes: Ints, reverse: bool,
) -> Any:  # fmt: skip
    i, f, g, o = _columns(gates, 4)
    squashed = e.tanh(cells)
    before = cat(earlier(cells, cell, sizes, reverse))
    # What a step's cotangents of the cell and of the gated cell are multiplied by.
    of_cell = (g * i * (1 - i), before * f * (1 - f), i * (1 - g * g))
    of_output = squashed * o * (1 - o)
    through = o * (1 - squashed * squashed)
    state, inner = hidden * 0, cell * 0
    parts, arrived = [], []
    for start, count in steps(sizes, not reverse):
        rows = slice(start, start + count)
        out = grad[rows] + state[:count]
        arrived.append(out)
        gated = out if projection is None else out @ projection
        own = inner[:count] + grad_cells[rows] + gated * through[rows]
        each = cat((*(own * factor[rows] for factor in of_cell), gated * of_output[rows]), 1)
        parts.append(each)
        state, inner = _kept(each @ weight, state), _kept(own * f[rows], inner)
    projected = _joined(parts, not reverse)
    turned = None
    if projection is not None:
        turned = _joined(arrived, not reverse).transpose(0, 1) @ (o * squashed)
    of_weight = projected.transpose(0, 1) @ cat(earlier(output, hidden, sizes, reverse))
    return projected, state, inner, of_weight, weight.new_zeros(()) if turned is None else turned


# ------------------------------------------------------------------ gated recurrent unit


def _gru_rule(g: Any, y: Any, projected: Any, hidden: Any, weight: Any, bias: Any, sizes: Ints, reverse: bool) -> Any:
    out, gates = _anew(y, _gru_sequence, projected, hidden, weight, bias, sizes=sizes, reverse=reverse)
    grads = gru_sequence_gradient.emit(g[0], weight, hidden, out, gates, sizes=sizes, reverse=reverse)
    return (*grads[:3], None if bias is None else grads[3])


@composite(
    rule=inexact, vjp=_gru_rule, joint=True, namespaces=(), outputs=2, ulp=256,
    samples=tuple({"shapes": ((6, 9), (2, 3), (9, 3), *bias), **case}
                  for bias, case in zip((((9,),), ()), _CASES, strict=True)),
)  # fmt: skip
def gru_sequence(
    projected: Tensor, hidden: Tensor, weight: Tensor, bias: Tensor | None = None, *, sizes: Ints, reverse: bool
) -> tuple[Tensor, Tensor]:
    """Hidden states (rows, H) of gated recurrent units (Cho et al. 2014), and what their gradient needs (rows, 4 * H).

    That is the gates reset, update and candidate, and the part of the candidate that the reset gate scales, which has
    a ``bias`` of its own (the first third of (3 * H) belongs to the reset gate, the second to the update gate).
    """
    return gru_sequence.emit(projected, hidden, weight, bias, sizes=sizes, reverse=reverse)


@gru_sequence.expression
@widened
def _gru_sequence(projected: Any, hidden: Any, weight: Any, bias: Any = None, *, sizes: Ints, reverse: bool) -> Any:
    turned = weight.transpose(0, 1)
    outs, gates = [], []
    for start, count in steps(sizes, reverse):
        state = hidden[:count]
        recurrent = state @ turned
        if bias is not None:
            recurrent = recurrent + bias
        r, z, n = _columns(projected[start : start + count], 3)
        of_r, of_z, of_n = _columns(recurrent, 3)
        r, z = sigmoid(r + of_r), sigmoid(z + of_z)
        n = e.tanh(n + r * of_n)
        out = n + z * (state - n)
        outs.append(out)
        gates.append(cat((r, z, n, of_n), 1))
        hidden = _kept(out, hidden)
    return _joined(outs, reverse), _joined(gates, reverse)


@composite(
    rule=inexact, namespaces=(), outputs=4, ulp=512,
    samples=tuple({"shapes": ((6, 3), (9, 3), (2, 3), (6, 3), (6, 12)),
                   "domains": (None, None, None, (-0.9, 0.9), (0.1, 0.9)), **case} for case in _CASES),
)  # fmt: skip
def gru_sequence_gradient(
    grad: Tensor, weight: Tensor, hidden: Tensor, output: Tensor, gates: Tensor, *, sizes: Ints, reverse: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gradients of `gru_sequence` with respect to projected, hidden, weight and bias."""
    return gru_sequence_gradient.emit(grad, weight, hidden, output, gates, sizes=sizes, reverse=reverse)


@gru_sequence_gradient.expression
@widened
def _gru_sequence_gradient(
    grad: Any, weight: Any, hidden: Any, output: Any, gates: Any, *, sizes: Ints, reverse: bool
) -> Any:
    r, z, n, of_n = _columns(gates, 4)
    before = cat(earlier(output, hidden, sizes, reverse))
    of_candidate = (1 - z) * (1 - n * n)
    of_update = (before - n) * z * (1 - z)
    of_reset = of_n * r * (1 - r)
    state = hidden * 0
    parts, recurrent = [], []
    for start, count in steps(sizes, not reverse):
        rows = slice(start, start + count)
        out = grad[rows] + state[:count]
        candidate = out * of_candidate[rows]
        reset, update = candidate * of_reset[rows], out * of_update[rows]
        inner = cat((reset, update, candidate * r[rows]), 1)
        parts.append(cat((reset, update, candidate), 1))
        recurrent.append(inner)
        state = _kept(out * z[rows] + inner @ weight, state)
    inner = _joined(recurrent, not reverse)
    return _joined(parts, not reverse), state, inner.transpose(0, 1) @ before, inner.sum(0)


__all__ = ["gru_sequence", "lstm_sequence", "rnn_sequence"]
