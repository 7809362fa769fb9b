"""Kernels of recurrent networks: a step costs one product of matrices and about ten calls that write in place."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore.ops.recurrent import earlier, steps
from tensorcore_cpu.jit.cells import lstm_gradient_step, lstm_step
from tensorcore_cpu.products import matmul, multiplier

Ints = tuple[int, ...]


def _before(x: Array, first: Array, sizes: Ints, reverse: bool) -> Array:
    return np.concatenate(earlier(x, first, sizes, reverse))


def _sigmoid_scales(width: int, squashed: slice, dtype: Any) -> tuple[Array, Array]:
    """``scale`` and ``shift`` by which one tanh gives all gates: sigmoid(x) is tanh(x / 2) / 2 + 1 / 2."""
    scale, shift = np.full(width, 0.5, dtype), np.full(width, 0.5, dtype)
    scale[squashed], shift[squashed] = 1, 0
    return scale, shift


class RecurrentKernels:
    """The part of the backend that overrides composites of recurrent networks."""

    def rnn_sequence(
        self, projected: Array, hidden: Array, weight: Array, *, nonlinearity: str, sizes: Ints, reverse: bool
    ) -> Array:
        out = np.empty_like(projected, order="C")
        multiply = multiplier(weight.T, len(hidden))
        state = hidden
        for start, count in steps(sizes, reverse):
            part = multiply(state[:count], out[start : start + count])
            part += projected[start : start + count]
            if nonlinearity == "tanh":
                np.tanh(part, out=part)
            else:
                np.maximum(part, 0, out=part)
            state = _put(part, state, count)
        return out

    def rnn_sequence_gradient(
        self, grad: Array, weight: Array, hidden: Array, output: Array, *, nonlinearity: str, sizes: Ints,
        reverse: bool,
    ) -> tuple[Array, Array, Array]:  # fmt: skip
        slope = 1 - output * output if nonlinearity == "tanh" else (output > 0).astype(output.dtype)
        out = np.empty_like(output, order="C")
        state = np.zeros_like(hidden, order="C")
        multiply = multiplier(weight, len(hidden))
        for start, count in steps(sizes, not reverse):
            part = out[start : start + count]
            np.add(grad[start : start + count], state[:count], out=part)
            part *= slope[start : start + count]
            multiply(part, state[:count])
        return out, state, matmul(out.T, _before(output, hidden, sizes, reverse))

    def lstm_sequence(
        self, projected: Array, hidden: Array, cell: Array, weight: Array, projection: Array | None = None, *,
        sizes: Ints, reverse: bool,
    ) -> tuple[Array, Array, Array]:  # fmt: skip
        step = lstm_step(projected.dtype.char)
        if step is not None and projection is None and sizes[0] == sizes[-1] and projected.size:
            return _lstm_compiled(step, projected, hidden, cell, weight, sizes, reverse)
        rows, width = projected.shape[0], cell.shape[1]
        dtype = projected.dtype
        scale, shift = _sigmoid_scales(4 * width, slice(2 * width, 3 * width), dtype)
        gates = projected * scale
        turned = np.ascontiguousarray(weight.T * scale)
        cells = np.empty((rows, width), dtype)
        out = np.empty((rows, hidden.shape[1]), dtype)
        multiply = multiplier(turned, len(cell))
        candidate, gated = np.empty_like(cell, order="C"), np.empty_like(cell, order="C")
        for start, count in steps(sizes, reverse):
            end = start + count
            gate, inner, one, two = gates[start:end], cells[start:end], candidate[:count], gated[:count]
            np.tanh(multiply(hidden[:count], gate, True), out=gate)
            gate *= scale
            gate += shift
            np.multiply(gate[:, width : 2 * width], cell[:count], out=inner)
            inner += np.multiply(gate[:, :width], gate[:, 2 * width : 3 * width], out=one)
            np.tanh(inner, out=one)
            if projection is None:
                np.multiply(gate[:, 3 * width :], one, out=out[start:end])
            else:
                matmul(np.multiply(gate[:, 3 * width :], one, out=two), projection.T, out=out[start:end])
            hidden, cell = _put(out[start:end], hidden, count), _put(inner, cell, count)
        return out, gates, cells

    def lstm_sequence_gradient(
        self, grad: Array, grad_cells: Array, weight: Array, projection: Array | None, hidden: Array, cell: Array,
        output: Array, gates: Array, cells: Array, *, sizes: Ints, reverse: bool,
    ) -> tuple[Array, Array, Array, Array, Array]:  # fmt: skip
        step = lstm_gradient_step(cells.dtype.char)
        if step is not None and projection is None and sizes[0] == sizes[-1] and cells.size:
            return _lstm_gradient_compiled(
                step, grad, grad_cells, weight, hidden, cell, output, gates, cells, sizes, reverse
            )
        rows, width = cells.shape
        i, f, g, o = (gates[:, at * width : (at + 1) * width] for at in range(4))
        squashed = np.tanh(cells)
        # What a step's cotangents of the cell (first three) and of the gated cell (last) are multiplied by.
        factors = np.subtract(1, gates)
        factors *= gates
        factors[:, 2 * width : 3 * width] = i * (1 - g * g)
        factors[:, :width] *= g
        factors[:, width : 2 * width] *= _before(cells, cell, sizes, reverse)
        factors[:, 3 * width :] *= squashed
        through = o * (1 - squashed * squashed)
        out = factors.reshape(rows, 4, width)
        forget = np.ascontiguousarray(f)
        state, inner = np.zeros_like(hidden, order="C"), np.zeros_like(cell, order="C")
        own = np.empty_like(inner)
        arrived = np.empty((rows, hidden.shape[1]), grad.dtype)
        multiply = multiplier(weight, len(state))
        for start, count in steps(sizes, not reverse):
            end = start + count
            here, part = own[:count], out[start:end]
            gated = np.add(grad[start:end], state[:count], out=arrived[start:end])
            if projection is not None:
                gated = matmul(gated, projection)
            np.multiply(gated, through[start:end], out=here)
            here += inner[:count]
            here += grad_cells[start:end]
            part[:, :3] *= here[:, None]
            part[:, 3] *= gated
            np.multiply(here, forget[start:end], out=inner[:count])
            multiply(part.reshape(count, 4 * width), state[:count])
        of_weight = matmul(factors.T, _before(output, hidden, sizes, reverse))
        turned = np.zeros((), grad.dtype) if projection is None else matmul(arrived.T, o * squashed)
        return factors, state, inner, of_weight, turned

    def gru_sequence(
        self, projected: Array, hidden: Array, weight: Array, bias: Array | None = None, *, sizes: Ints, reverse: bool
    ) -> tuple[Array, Array]:
        rows, width = projected.shape[0], hidden.shape[1]
        both = 2 * width
        parts = (slice(0, both), slice(both, 3 * width), slice(3 * width, None))
        dtype = projected.dtype
        turned = np.array(weight.T, order="C")
        turned[:, :both] *= 0.5
        shift = None if bias is None else bias.copy()
        if shift is not None:
            shift[:both] *= 0.5
        gates = np.empty((rows, 4 * width), dtype)
        np.multiply(projected[:, :both], 0.5, out=gates[:, :both])
        gates[:, both : 3 * width] = projected[:, both:]
        out = np.empty((rows, width), dtype)
        product = np.empty((hidden.shape[0], 3 * width), dtype)
        multiply = multiplier(turned, len(hidden))
        for start, count in steps(sizes, reverse):
            end = start + count
            state, part = hidden[:count], out[start:end]
            recurrent = multiply(state, product[:count])
            if shift is not None:
                recurrent += shift
            gate, candidate, kept = (gates[start:end, at] for at in parts)
            gate += recurrent[:, :both]
            np.tanh(gate, out=gate)
            gate *= 0.5
            gate += 0.5
            kept[:] = recurrent[:, both:]
            candidate += np.multiply(gate[:, :width], kept, out=part)
            np.tanh(candidate, out=candidate)
            np.subtract(state, candidate, out=part)
            part *= gate[:, width:]
            part += candidate
            hidden = _put(part, hidden, count)
        return out, gates

    def gru_sequence_gradient(
        self, grad: Array, weight: Array, hidden: Array, output: Array, gates: Array, *, sizes: Ints, reverse: bool
    ) -> tuple[Array, Array, Array, Array]:
        rows, width = output.shape
        r, z, n, of_n = (gates[:, at * width : (at + 1) * width] for at in range(4))
        before = _before(output, hidden, sizes, reverse)
        candidate = (1 - z) * (1 - n * n)
        # Reset, update and candidate by the cotangent of the state; the candidate as the hidden state's product has it.
        inner = np.empty((rows, 3, width), grad.dtype)
        np.multiply(candidate, of_n * r * (1 - r), out=inner[:, 0])
        np.multiply(before - n, z * (1 - z), out=inner[:, 1])
        np.multiply(candidate, r, out=inner[:, 2])
        stay = np.ascontiguousarray(z)
        state = np.zeros_like(hidden, order="C")
        total, product = np.empty_like(state), np.empty_like(state)
        multiply = multiplier(weight, len(state))
        for start, count in steps(sizes, not reverse):
            end = start + count
            here = np.add(grad[start:end], state[:count], out=total[:count])
            part = inner[start:end]
            part *= here[:, None]
            candidate[start:end] *= here
            here *= stay[start:end]
            multiply(part.reshape(count, 3 * width), product[:count])
            np.add(here, product[:count], out=state[:count])
        flat = inner.reshape(rows, 3 * width)
        projected = flat.copy()
        projected[:, 2 * width :] = candidate
        return projected, state, matmul(flat.T, before), np.add.reduce(flat, 0)


def _lstm_compiled(
    step: Any, projected: Array, hidden: Array, cell: Array, weight: Array, sizes: Ints, reverse: bool
) -> tuple[Array, Array, Array]:
    """An LSTM over sequences of one length: a product, an addition and a compiled pass for each step."""
    length, count, width = len(sizes), sizes[0], cell.shape[1]
    rows, dtype = length * count, projected.dtype
    gates = np.array(projected, order="C")
    # What was before the first step taken stands before the others: at the start, or at the end if they are reversed.
    cells, states = (np.empty((rows + count, width), dtype) for _ in range(2))
    old, new = (slice(count, None), slice(rows)) if reverse else (slice(rows), slice(count, None))
    first = slice(rows, None) if reverse else slice(count)
    cells[first], states[first] = cell, hidden
    inner, out = cells[new], states[new]
    quarters = [gates[:, place * width :] for place in range(4)]
    arrays = (*quarters, cells[old], inner, out)
    addresses = [*map(id, arrays)]
    turned = np.ascontiguousarray(weight.T)
    befores, parts = states[old].reshape(length, count, width), gates.reshape(length, count, 4 * width)
    multiply = multiplier(turned, count)
    for place in range(length - 1, -1, -1) if reverse else range(length):
        multiply(befores[place], parts[place], True)
        step(place * count, place * count + count, width, *addresses)
    return out, gates, inner


def _lstm_gradient_compiled(
    step: Any, grad: Array, grad_cells: Array, weight: Array, hidden: Array, cell: Array, output: Array, gates: Array,
    cells: Array, sizes: Ints, reverse: bool,
) -> tuple[Array, Array, Array, Array, Array]:  # fmt: skip
    """The gradient of `_lstm_compiled`: two additions, a compiled pass and a product for each step."""
    length, count, width = len(sizes), sizes[0], cells.shape[1]
    factors = np.array(gates, order="C")
    # Cotangents of hidden states and cells: first what comes from outside, then what comes from the step after, too.
    arrived, inner = np.array(grad, order="C"), np.array(grad_cells, order="C")
    before = _before(cells, cell, sizes, reverse)
    arrays = (*[factors[:, place * width :] for place in range(4)], before, np.ascontiguousarray(cells), arrived, inner)
    addresses = [*map(id, arrays)]
    parts = factors.reshape(length, count, 4 * width)
    states, inners = arrived.reshape(length, count, width), inner.reshape(length, count, width)
    state = np.empty((count, width), grad.dtype)
    multiply, add = multiplier(weight, count), np.add
    places = range(length) if reverse else range(length - 1, -1, -1)
    for place in places:
        step(place * count, place * count + count, width, *addresses)
        multiply(parts[place], state)
        if place != places[-1]:
            following = place + places.step
            add(states[following], state, states[following])
            add(inners[following], inners[place], inners[following])
    of_weight = matmul(factors.T, _before(output, hidden, sizes, reverse))
    return factors, state, inners[places[-1]].copy(), of_weight, np.zeros((), grad.dtype)


def _put(new: Array, old: Array, count: int) -> Array:
    """``new`` in place of the first rows of ``old``, which stays as it is."""
    return new if count == len(old) else np.concatenate((new, old[count:]))
