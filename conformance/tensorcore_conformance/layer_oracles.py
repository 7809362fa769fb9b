"""Independent NumPy formulas of recurrent networks, bags of embeddings and rarer layers, one sequence at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["LAYER_ORACLES"]


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _runs(sizes: Any, reverse: bool) -> list[list[int]]:
    """The rows of each sequence, in the order in which its steps are taken."""
    starts = np.cumsum([0, *sizes[:-1]])
    runs = [[int(start) + i for start, size in zip(starts, sizes, strict=True) if i < size] for i in range(sizes[0])]
    return [run[::-1] for run in runs] if reverse else runs


def _sequences(count: int, step: Callable[..., Any]) -> Callable[..., Any]:
    """A network from what one step of one sequence makes: ``count`` states first, then what else is returned."""

    def oracle(projected: Any, *operands: Any, sizes: Any, reverse: bool, **facts: Any) -> Any:
        states, weights = operands[:count], operands[count:]
        outs: list[Any] = [None] * len(projected)
        for sequence, rows in enumerate(_runs(sizes, reverse)):
            held = [state[sequence] for state in states]
            for row in rows:
                held, outs[row] = step(projected[row], held, *weights, **facts)
        return tuple(np.stack(part) for part in zip(*outs, strict=True))

    return oracle


def _rnn_step(x: Any, held: Any, weight: Any, nonlinearity: str = "tanh") -> Any:
    total = x + weight @ held[0]
    # NumPy takes the tanh of narrow integers in float16.
    new = np.tanh(total * 1.0) if nonlinearity == "tanh" else np.maximum(total, 0)
    return [new], (new,)


def _lstm_step(x: Any, held: Any, weight: Any, projection: Any = None) -> Any:
    i, f, g, o = np.split(x + weight @ held[0], 4)
    i, f, g, o = _sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o)
    cell = f * held[1] + i * g
    new = o * np.tanh(cell)
    new = new if projection is None else projection @ new
    return [new, cell], (new, np.concatenate((i, f, g, o)), cell)


def _gru_step(x: Any, held: Any, weight: Any, bias: Any = 0) -> Any:
    (xr, xz, xn), (hr, hz, hn) = np.split(x, 3), np.split(weight @ held[0] + (0 if bias is None else bias), 3)
    r, z = _sigmoid(xr + hr), _sigmoid(xz + hz)
    n = np.tanh(xn + r * hn)
    new = (1 - z) * n + z * held[0]
    return [new], (new, np.concatenate((r, z, n, hn)))


def _cell(step: Callable[..., Any], **facts: Any) -> Callable[..., Any]:
    def oracle(x: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = 0, b_hh: Any = 0) -> Any:
        recurrent = {"bias": b_hh} if step is _gru_step else {}
        shift = b_ih if step is _gru_step else b_ih + b_hh
        rows = zip(x, hx, strict=True)
        return np.stack([step(w_ih @ row + shift, [state], w_hh, **recurrent, **facts)[0][0] for row, state in rows])

    return oracle


def _embedding_bag(index: Any, weight: Any, *, mode: str = "mean", padding_idx: int | None = None) -> Any:
    reduce = {"sum": np.sum, "mean": np.mean, "max": np.max}[mode]
    bags = [[i for i in bag if i != padding_idx] for bag in index]
    return np.stack([reduce(weight[bag], axis=0) if bag else np.zeros(weight.shape[1]) for bag in bags])


def _bags(weight: Any, index: Any, offsets: Any, *, mode: int) -> Any:
    ends = [*offsets[1:], len(index)]
    rows = [index[start:end] for start, end in zip(offsets, ends, strict=True)]
    reduce, sizes = (np.sum, np.mean, np.max)[mode], np.array([len(each) for each in rows])
    out = np.stack([reduce(weight[each], axis=0) if len(each) else np.zeros(weight.shape[1]) for each in rows])
    first = [each[weight[each].argmax(0)] if len(each) else np.zeros(weight.shape[1], int) for each in rows]
    return out, np.repeat(np.arange(len(rows)), sizes), sizes, np.stack(first) if mode == 2 else sizes


def _linear_cross_entropy(
    x: Any, weight: Any, target: Any, bias: Any = None, class_weight: Any = None, *, reduction: str = "mean",
    ignore_index: int = -100, label_smoothing: float = 0.0,
) -> Any:  # fmt: skip
    scores = x @ weight.T + (0 if bias is None else bias)
    logs = scores - np.log(np.sum(np.exp(scores), 1, keepdims=True))
    factor = np.ones(logs.shape[1]) if class_weight is None else class_weight
    kept = target != ignore_index
    rows = np.arange(len(target))
    hard = -logs[rows, target] * factor[target]
    soft = -(logs * factor).sum(1) / logs.shape[1]
    loss = ((1 - label_smoothing) * hard + label_smoothing * soft) * kept
    if reduction == "none":
        return loss
    return loss.sum() if reduction == "sum" else loss.sum() / (factor[target] * kept).sum()


def _fake_quantize(x: Any, scale: Any, zero_point: Any, quant_min: int, quant_max: int) -> Any:
    return (np.clip(np.rint(x / scale) + zero_point, quant_min, quant_max) - zero_point) * scale


def _conv_tbc(x: Any, weight: Any, bias: Any, pad: int = 0) -> Any:
    padded = np.pad(x, ((pad, pad), (0, 0), (0, 0)))
    count = len(padded) - len(weight) + 1
    return sum(padded[k : k + count] @ part for k, part in enumerate(weight)) + bias


LAYER_ORACLES: dict[str, Callable[..., Any]] = {
    "rnn_sequence": lambda *args, **facts: _sequences(1, _rnn_step)(*args, **facts)[0],
    "lstm_sequence": _sequences(2, _lstm_step),
    "gru_sequence": _sequences(1, _gru_step),
    "rnn_tanh_cell": _cell(_rnn_step),
    "rnn_relu_cell": _cell(_rnn_step, nonlinearity="relu"),
    "gru_cell": _cell(_gru_step),
    "embedding_bag": _embedding_bag,
    "positional_embedding_bag": _bags,
    "linear_cross_entropy": _linear_cross_entropy,
    "linear_cross_entropy_part": _linear_cross_entropy,
    "fake_quantize": _fake_quantize,
    "fake_quantize_per_tensor_affine": _fake_quantize,
    "conv_tbc": _conv_tbc,
    "bilinear": lambda a, b, weight, bias=0: np.einsum("...i,oij,...j->...o", a, weight, b) + bias,
}
