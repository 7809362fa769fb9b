"""Linear layers."""

from __future__ import annotations

import math
from typing import Any

from tensorcore.nn import functional as F
from tensorcore.nn import init
from tensorcore.nn.modules.module import Module
from tensorcore.nn.parameter import Parameter
from tensorcore.ops.creation import empty
from tensorcore.tensor import Tensor

__all__ = ["Bilinear", "Identity", "Linear"]


class Identity(Module):
    """Returns its input; any arguments of the constructor are ignored.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Identity(54)(tc.ones(2))
        tensor([1., 1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        return input


class Linear(Module):
    """``x @ weight.T + bias``, from (..., in_features) to (..., out_features).

    Attributes:
        weight: (out_features, in_features), drawn uniformly from ±1 / sqrt(in_features), as is ``bias``.
        bias: (out_features), or ``None``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Linear(20, 30)(tc.ones(128, 20)).shape
        tensorcore.Size([128, 30])
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(empty(out_features, in_features, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        # kaiming_uniform_ with a = sqrt(5) is the uniform distribution on ±1 / sqrt(in_features).
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        own: Any = self._parameters
        if "weight" in own and "bias" in own:
            # A third of the time of attributes, which are looked for in vain before.
            return F.linear(input, own["weight"], own["bias"])
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class NonDynamicallyQuantizableLinear(Linear):
    """A `Linear` under the name that PyTorch gives the last projection of `MultiheadAttention`."""


class Bilinear(Module):
    """``x1 @ weight[k] @ x2 + bias[k]`` for each output feature k.

    Attributes:
        weight: (out_features, in1_features, in2_features), drawn uniformly from ±1 / sqrt(in1_features).
        bias: (out_features), or ``None``.

    Raises:
        ValueError: unless in1_features is positive.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Bilinear(2, 3, 4)(tc.ones(5, 2), tc.ones(5, 3)).shape
        tensorcore.Size([5, 4])
    """

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, bias: bool = True,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"Bilinear: in1_features must be positive, got {in1_features}")
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self.weight = Parameter(empty(out_features, in1_features, in2_features, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
