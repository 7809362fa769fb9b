"""Recurrent layers: whole sequences (RNN, LSTM, GRU) and single steps (their cells)."""

from __future__ import annotations

import math
import numbers
import warnings
from typing import Any, Final

from tensorcore import functions as ops
from tensorcore.autograd.mode import mode as thread_mode
from tensorcore.errors import RangeError, ShapeError
from tensorcore.nn import init
from tensorcore.nn.modules.module import Module
from tensorcore.nn.parameter import Parameter
from tensorcore.nn.utils.rnn import PackedSequence
from tensorcore.ops.creation import empty, zeros
from tensorcore.tensor import Tensor

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]

#: By mode: how many gates, how many states, and the op.
_MODES: Final[dict[str, tuple[int, int, Any]]] = {
    "LSTM": (4, 2, ops.lstm), "GRU": (3, 1, ops.gru), "RNN_TANH": (1, 1, ops.rnn_tanh), "RNN_RELU": (1, 1, ops.rnn_relu)
}  # fmt: skip


def _check_settings(of: str, given: dict[str, Any]) -> None:
    for name, kind in (("bias", bool), ("batch_first", bool), ("input_size", int), ("hidden_size", int)):
        if not isinstance(given[name], kind):
            raise TypeError(f"{of}: {name} should be of type {kind.__name__}, got {type(given[name]).__name__}")
    for name in ("input_size", "hidden_size", "num_layers"):
        if given[name] <= 0:
            raise ValueError(f"{of}: {name} must be greater than zero, got {given[name]}")
    dropout = given["dropout"]
    if isinstance(dropout, bool) or not isinstance(dropout, numbers.Number) or not 0 <= dropout <= 1:  # type: ignore[operator]
        raise ValueError(f"{of}: dropout must be a number from 0 to 1, the probability of a zero; got {dropout!r}")
    if not 0 <= given["proj_size"] < given["hidden_size"]:
        raise ValueError(
            f"{of}: proj_size must be from 0, which is no projection, to below hidden_size {given['hidden_size']}, got "
            f"{given['proj_size']}"
        )


class RNNBase(Module):
    """What `RNN`, `LSTM` and `GRU` share: parameters by layer and direction, and sequences padded or packed.

    Args:
        mode: ``"LSTM"``, ``"GRU"``, ``"RNN_TANH"`` or ``"RNN_RELU"``.

    Raises:
        ValueError: for sizes that are not positive, a dropout outside [0, 1], a projection not below the hidden size.
        TypeError: for settings of other types.
    """

    def __init__(
        self, mode: str, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        of = type(self).__name__
        if mode not in _MODES:
            raise ValueError(f"{of}: unrecognized RNN mode {mode!r}, expected one of {', '.join(_MODES)}")
        _check_settings(of, locals())
        if dropout > 0 and num_layers == 1:
            warnings.warn(
                f"{of}: dropout acts after all layers but the last, so dropout={dropout} has no effect with "
                "num_layers=1",
                UserWarning,
                stacklevel=3,
            )
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        rows, held = _MODES[mode][0] * hidden_size, proj_size or hidden_size
        directions = 2 if bidirectional else 1
        self._all_weights: list[list[str]] = []
        for layer in range(num_layers):
            width = held * directions if layer else input_size
            shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, width), "weight_hh": (rows, held)}
            if bias:
                shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
            if proj_size:
                shapes["weight_hr"] = (proj_size, hidden_size)
            for direction in range(directions):
                suffix = f"_l{layer}" + ("_reverse" if direction else "")
                for name, shape in shapes.items():
                    setattr(self, name + suffix, Parameter(empty(*shape, device=device, dtype=dtype)))
                self._all_weights.append([name + suffix for name in shapes])
        self.reset_parameters()

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    @property
    def _flat_weights_names(self) -> list[str]:
        return [name for names in self._all_weights for name in names]

    @property
    def _flat_weights(self) -> list[Tensor]:
        return [getattr(self, name) for name in self._flat_weights_names]

    def flatten_parameters(self) -> None:
        """Nothing: the kernels take the parameters as they lie. PyTorch's programs call it."""

    def reset_parameters(self) -> None:
        """Draw all parameters anew, uniformly from ±1 / sqrt(hidden_size)."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def forward(self, input: Any, hx: Any = None) -> Any:
        packed = isinstance(input, PackedSequence)
        data = input.data if packed else input
        states = _MODES[self.mode][1]
        single = self._check_input(data, packed)
        given = None if hx is None else (tuple(hx) if states > 1 else (hx,))
        if given is not None and not packed:
            for x in given:
                if x.dim() != data.dim():
                    raise ShapeError(
                        f"{type(self).__name__}: for {data.dim()}-D input, hx should also be {data.dim()}-D, but got "
                        f"{x.dim()}-D of shape {list(x.shape)}"
                    )
        if single:
            data = data.unsqueeze(0 if self.batch_first else 1)
            given = given and tuple(x.unsqueeze(1) for x in given)
        batch = int(input.batch_sizes[0]) if packed else data.shape[0 if self.batch_first else 1]
        if given is None:
            given = tuple(zeros(*shape, dtype=data.dtype, device=data.device) for shape in self._state_shapes(batch))
        elif packed:
            given = self._ordered(given, input.sorted_indices)
        self._check_states(given, batch)
        settings = (
            given if states > 1 else given[0], self._flat_weights, self.bias, self.num_layers, self.dropout,
            self.training, self.bidirectional,
        )  # fmt: skip
        op = _MODES[self.mode][2]
        if packed:
            out, *last = op(data, input.batch_sizes, *settings)
            out = PackedSequence(out, input.batch_sizes, input.sorted_indices, input.unsorted_indices)
            last = self._ordered(last, input.unsorted_indices)
        else:
            out, *last = op(data, *settings, self.batch_first)
        if single:
            out = out.squeeze(0 if self.batch_first else 1)
            last = [x.squeeze(1) for x in last]
        return out, tuple(last) if states > 1 else last[0]

    # ---------------------------------------------------------------- the steps of PyTorch's, for subclasses

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Raise what a wrong input raises; ``batch_sizes`` is that of a packed sequence."""
        wanted = 3 if batch_sizes is None else 2
        if input.dim() != wanted:
            raise ShapeError(f"{type(self).__name__}: input must have {wanted} dimensions, got {input.dim()}")
        self._check_input(input, batch_sizes is not None)

    def _expected(self, input: Tensor, batch_sizes: Tensor | None, state: int) -> tuple[int, int, int]:
        along = 0 if self.batch_first else 1
        return self._state_shapes(input.shape[along] if batch_sizes is None else int(batch_sizes[0]))[state]

    def get_expected_hidden_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        """The shape of the hidden state."""
        return self._expected(input, batch_sizes, 0)

    def check_hidden_size(
        self, hx: Tensor, expected_hidden_size: tuple[int, ...], msg: str = "Expected hidden size {}, got {}"
    ) -> None:
        """Raise ShapeError unless ``hx`` has the shape; ``msg`` says so with both."""
        if tuple(hx.shape) != tuple(expected_hidden_size):
            raise ShapeError(msg.format(expected_hidden_size, list(hx.shape)))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raise what wrong arguments of ``forward`` raise."""
        self.check_input(input, batch_sizes)
        states = hidden if isinstance(hidden, tuple) else (hidden,)
        for place, hx in enumerate(states):
            which = f"hidden[{place}]" if len(states) > 1 else "hidden"
            self.check_hidden_size(
                hx, self._expected(input, batch_sizes, place), f"Expected {which} size {{}}, got {{}}"
            )

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """States in another order of the sequences."""
        return self._ordered(hx, permutation) if isinstance(hx, tuple) else self._ordered((hx,), permutation)[0]

    @staticmethod
    def _ordered(states: Any, places: Tensor | None) -> Any:
        return states if places is None else tuple(x.index_select(1, places) for x in states)

    def _state_shapes(self, batch: int) -> list[tuple[int, int, int]]:
        count = self.num_layers * (2 if self.bidirectional else 1)
        widths = (self.proj_size or self.hidden_size, self.hidden_size)[: _MODES[self.mode][1]]
        return [(count, batch, width) for width in widths]

    def _check_input(self, input: Tensor, packed: bool) -> bool:
        """Whether ``input`` is a single sequence, without a batch."""
        of = type(self).__name__
        if not packed and input.dim() not in (2, 3):
            raise RangeError(f"{of}: Expected input to be 2D or 3D, got {input.dim()}D of shape {list(input.shape)}")
        weight = getattr(self, self._all_weights[0][0])
        # Under autocast the op brings them to one dtype.
        if input.dtype is not weight.dtype and not thread_mode.autocast:
            raise ValueError(
                f"{of}: input dtype ({input.dtype}) does not match weight dtype ({weight.dtype}); convert the input: "
                f"input.to({weight.dtype}), or the module: module.to({input.dtype})"
            )
        if input.shape[-1] != self.input_size:
            raise ShapeError(
                f"{of}: input.size(-1) must be equal to input_size, {self.input_size}; got shape {list(input.shape)}"
            )
        return input.dim() == 2 and not packed

    def _check_states(self, states: Any, batch: int) -> None:
        shapes = self._state_shapes(batch)
        if len(states) != len(shapes):
            raise ShapeError(f"{type(self).__name__}: expected hx to hold {len(shapes)} tensors, got {len(states)}")
        for place, (x, shape) in enumerate(zip(states, shapes, strict=True)):
            if tuple(x.shape) != shape:
                which = f"hidden[{place}]" if len(shapes) > 1 else "hidden"
                raise ShapeError(
                    f"{type(self).__name__}: Expected {which} size {shape} (layers times directions, batch, width), "
                    f"got {list(x.shape)}"
                )

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        for name, default in (
            ("proj_size", 0), ("num_layers", 1), ("bias", True), ("batch_first", False), ("dropout", 0),
            ("bidirectional", False),
        ):  # fmt: skip
            value = getattr(self, name)
            if value != default:
                text += f", {name}={value}"
        return text


def _no_projection(given: dict[str, Any]) -> None:
    if "proj_size" in given:
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")


class RNN(RNNBase):
    """An Elman network, ``h = tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)``, of one or several layers.

    Args:
        nonlinearity: ``"tanh"`` or ``"relu"``; the others are `LSTM`'s, without ``proj_size``.

    Example:
        >>> import tensorcore as tc
        >>> out, h = tc.nn.RNN(3, 4)(tc.ones(5, 2, 3))
        >>> out.shape, h.shape
        (tensorcore.Size([5, 2, 4]), tensorcore.Size([1, 2, 4]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _no_projection(kwargs)
        nonlinearity = args[3] if len(args) > 3 else kwargs.pop("nonlinearity", "tanh")
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNN: unknown nonlinearity {nonlinearity!r}, expected 'tanh' or 'relu'")
        super().__init__(f"RNN_{nonlinearity.upper()}", *args[:3], *args[4:], **kwargs)
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory of one or several layers (Hochreiter and Schmidhuber 1997).

    Args:
        input_size, hidden_size: widths of the input and of the state.
        num_layers: how many layers, each on the output of the one before.
        bias: whether the layers have ``bias_ih`` and ``bias_hh``.
        batch_first: whether sequences are (N, L, features) instead of (L, N, features); the states stay as they are.
        dropout: probability of a zero in the output of each layer but the last, in training.
        bidirectional: whether each layer also runs from the end; the outputs are side by side.
        proj_size: width of the hidden state after a projection (Sak et al. 2014); 0 for none.

    Returns:
        ``output, (h_n, c_n)``: of shapes (L, N, D * H), (D * num_layers, N, H) and (D * num_layers, N, hidden_size), D
        the number of directions. A `PackedSequence` gives a packed output; a sequence without a batch, all without.

    Attributes:
        weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, weight_hr_l0, ...: by layer, ``_reverse`` for the other
            direction; gates in the order input, forget, candidate, output.

    Example:
        >>> import tensorcore as tc
        >>> out, (h, c) = tc.nn.LSTM(3, 4, num_layers=2)(tc.ones(5, 2, 3))
        >>> out.shape, h.shape
        (tensorcore.Size([5, 2, 4]), tensorcore.Size([2, 2, 4]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)

    def get_expected_cell_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        """The shape of the cell state."""
        return self._expected(input, batch_sizes, 1)


class GRU(RNNBase):
    """Gated recurrent units of one or several layers (Cho et al. 2014); the arguments are `LSTM`'s, no ``proj_size``.

    Example:
        >>> import tensorcore as tc
        >>> out, h = tc.nn.GRU(3, 4, bidirectional=True)(tc.ones(5, 2, 3))
        >>> out.shape, h.shape
        (tensorcore.Size([5, 2, 8]), tensorcore.Size([2, 2, 4]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _no_projection(kwargs)
        super().__init__("GRU", *args, **kwargs)


# ------------------------------------------------------------------ single steps


class RNNCellBase(Module):
    """What the cells share: the parameters ``weight_ih``, ``weight_hh``, ``bias_ih``, ``bias_hh``."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        self.weight_ih = Parameter(empty(rows, input_size, device=device, dtype=dtype))
        self.weight_hh = Parameter(empty(rows, hidden_size, device=device, dtype=dtype))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(empty(rows, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew, uniformly from ±1 / sqrt(hidden_size)."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _step(self, op: Any, input: Tensor, hx: Any, states: int) -> tuple[Tensor, ...]:
        of = type(self).__name__
        given = None if hx is None else (tuple(hx) if states > 1 else (hx,))
        for name, x in (("input", input), *(("hx", x) for x in given or ())):
            if x.dim() not in (1, 2):
                raise RangeError(f"{of}: Expected {name} to be 1D or 2D, got {x.dim()}D of shape {list(x.shape)}")
        single = input.dim() == 1
        if single:
            input = input.unsqueeze(0)
        if given is None:
            given = (zeros(len(input), self.hidden_size, dtype=input.dtype, device=input.device),) * states
        elif single:
            given = tuple(x.unsqueeze(0) for x in given)
        weights = (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        made = op(input, given if states > 1 else given[0], *weights)
        outs = made if states > 1 else (made,)
        return tuple(x.squeeze(0) for x in outs) if single else outs

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        if getattr(self, "nonlinearity", "tanh") != "tanh":
            text += f", nonlinearity={self.nonlinearity}"
        return text


class RNNCell(RNNCellBase):
    """One step of an Elman network, from ``hx`` (N, H), zeros if not given, to the next state.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.RNNCell(3, 4)(tc.ones(2, 3)).shape
        tensorcore.Size([2, 4])
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"RNNCell: unknown nonlinearity {self.nonlinearity!r}, expected 'tanh' or 'relu'")
        return self._step(ops.rnn_tanh_cell if self.nonlinearity == "tanh" else ops.rnn_relu_cell, input, hx, 1)[0]


class LSTMCell(RNNCellBase):
    """One step of an LSTM, from the states ``(h, c)``, zeros if not given, to the next ones.

    Example:
        >>> import tensorcore as tc
        >>> h, c = tc.nn.LSTMCell(3, 4)(tc.ones(2, 3))
        >>> h.shape
        tensorcore.Size([2, 4])
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        return self._step(ops.lstm_cell, input, hx, 2)  # type: ignore[return-value]


class GRUCell(RNNCellBase):
    """One step of gated recurrent units, from ``hx`` (N, H), zeros if not given, to the next state.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.GRUCell(3, 4)(tc.ones(2, 3)).shape
        tensorcore.Size([2, 4])
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._step(ops.gru_cell, input, hx, 1)[0]
