"""Layers of vision models: convolutions with normalisation, squeeze and excitation, depth that is dropped."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import tensorcore as tc
from tensorcore import nn
from tensorcore.errors import ShapeError

__all__ = [
    "MLP",
    "Conv2dNormActivation",
    "FrozenBatchNorm2d",
    "Permute",
    "SqueezeExcitation",
    "StochasticDepth",
    "stochastic_depth",
]


class Conv2dNormActivation(nn.Sequential):
    """A convolution, a normalisation and an activation.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel_size: of the convolution.
        stride: of the convolution.
        padding: by default what keeps the size at stride 1.
        groups: of the convolution.
        norm_layer: made from the number of channels; ``None`` for none.
        activation_layer: ``None`` for none.
        dilation: of the convolution.
        inplace: given to the activation; ``None`` for activations without that argument.
        bias: by default where there is no normalisation.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int] = 3,
        stride: int | tuple[int, int] = 1,
        padding: Any = None,
        groups: int = 1,
        norm_layer: Callable[..., nn.Module] | None = nn.BatchNorm2d,
        activation_layer: Callable[..., nn.Module] | None = nn.ReLU,
        dilation: int | tuple[int, int] = 1,
        inplace: bool | None = True,
        bias: bool | None = None,
    ) -> None:
        if padding is None:
            kernels = (kernel_size,) * 2 if isinstance(kernel_size, int) else kernel_size
            dilations = (dilation,) * 2 if isinstance(dilation, int) else dilation
            sides = tuple((size - 1) // 2 * each for size, each in zip(kernels, dilations, strict=True))
            padding = sides[0] if isinstance(kernel_size, int) and isinstance(dilation, int) else sides
        layers: list[nn.Module] = [
            nn.Conv2d(
                in_channels,
                out_channels,
                kernel_size,
                stride,
                padding,
                dilation=dilation,
                groups=groups,
                bias=norm_layer is None if bias is None else bias,
            )
        ]
        if norm_layer is not None:
            layers.append(norm_layer(out_channels))
        if activation_layer is not None:
            layers.append(activation_layer(**({} if inplace is None else {"inplace": inplace})))
        super().__init__(*layers)
        self.out_channels = out_channels


class SqueezeExcitation(nn.Module):
    """Channels weighted by what their means say.

    Source: Hu, Shen, Sun: Squeeze-and-excitation networks, arXiv:1709.01507.
    """

    def __init__(
        self,
        input_channels: int,
        squeeze_channels: int,
        activation: Callable[..., nn.Module] = nn.ReLU,
        scale_activation: Callable[..., nn.Module] = nn.Sigmoid,
    ) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(input_channels, squeeze_channels, 1)
        self.fc2 = nn.Conv2d(squeeze_channels, input_channels, 1)
        self.activation = activation()
        self.scale_activation = scale_activation()

    def forward(self, input: tc.Tensor) -> tc.Tensor:
        """The input with its channels weighted."""
        scale = self.fc2(self.activation(self.fc1(self.avgpool(input))))
        return self.scale_activation(scale) * input


class MLP(nn.Sequential):
    """Linear layers, each but the last with a normalisation, an activation and a dropout; the last with a dropout."""

    def __init__(
        self,
        in_channels: int,
        hidden_channels: Sequence[int],
        norm_layer: Callable[..., nn.Module] | None = None,
        activation_layer: Callable[..., nn.Module] | None = nn.ReLU,
        inplace: bool | None = None,
        bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        options = {} if inplace is None else {"inplace": inplace}
        layers: list[nn.Module] = []
        for width in hidden_channels[:-1]:
            layers.append(nn.Linear(in_channels, width, bias=bias))
            if norm_layer is not None:
                layers.append(norm_layer(width))
            if activation_layer is not None:
                layers.append(activation_layer(**options))
            layers.append(nn.Dropout(dropout, **options))
            in_channels = width
        layers.append(nn.Linear(in_channels, hidden_channels[-1], bias=bias))
        layers.append(nn.Dropout(dropout, **options))
        super().__init__(*layers)


class Permute(nn.Module):
    """A tensor with its dimensions in another order."""

    def __init__(self, dims: Sequence[int]) -> None:
        super().__init__()
        self.dims = list(dims)

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        """The tensor with its dimensions in this order."""
        return x.permute(*self.dims)


class FrozenBatchNorm2d(nn.Module):
    """A batch normalisation whose statistics and parameters stay as they are, all of them buffers."""

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.register_buffer("weight", tc.ones(num_features))
        self.register_buffer("bias", tc.zeros(num_features))
        self.register_buffer("running_mean", tc.zeros(num_features))
        self.register_buffer("running_var", tc.ones(num_features))

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        # Of a trained BatchNorm2d it takes all but the count of batches.
        state_dict.pop(prefix + "num_batches_tracked", None)
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        """The input, normalised."""
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        shift = self.bias - self.running_mean * scale
        return x * scale.reshape(1, -1, 1, 1) + shift.reshape(1, -1, 1, 1)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.weight.shape[0]}, eps={self.eps})"


def stochastic_depth(input: tc.Tensor, p: float, mode: str, training: bool = True) -> tc.Tensor:
    """Zero with the probability ``p``, else the input scaled to the same mean: for a batch, or for each row of it.

    Args:
        input: of shape (N, ...).
        p: probability of zero.
        mode: ``"batch"`` draws once, ``"row"`` for each example.
        training: whether to draw at all.

    Raises:
        ValueError: for a probability outside 0 to 1, or an unknown mode.

    Source: Huang et al.: Deep networks with stochastic depth, arXiv:1603.09382.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.ops import stochastic_depth
        >>> stochastic_depth(tc.ones(2, 3), 1.0, "row")
        tensor([[0., 0., 0.],
                [0., 0., 0.]])
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"stochastic_depth: p is a probability, from 0 to 1, got {p}")
    if mode not in ("batch", "row"):
        raise ValueError(f"stochastic_depth: mode is 'batch' or 'row', got {mode!r}")
    if not training or p == 0.0:
        return input
    if mode == "row" and input.ndim == 0:
        raise ShapeError("stochastic_depth: mode 'row' needs a dimension of examples")
    shape = [input.shape[0] if mode == "row" and not dim else 1 for dim in range(input.ndim)]
    kept = 1.0 - p
    noise = tc.empty(shape, dtype=input.dtype, device=input.device).bernoulli_(kept)
    return input * (noise / kept if kept > 0.0 else noise)


class StochasticDepth(nn.Module):
    """`stochastic_depth` as a layer, active in training."""

    def __init__(self, p: float, mode: str) -> None:
        super().__init__()
        if mode not in ("batch", "row"):
            warnings.warn(f"StochasticDepth: mode is 'batch' or 'row', got {mode!r}", stacklevel=2)
        self.p = p
        self.mode = mode

    def forward(self, input: tc.Tensor) -> tc.Tensor:
        """The input, scaled, or zero."""
        return stochastic_depth(input, self.p, self.mode, self.training)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p}, mode={self.mode})"
