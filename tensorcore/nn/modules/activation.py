"""Activations: functions applied element by element."""

from __future__ import annotations

from typing import Any

from tensorcore.nn import functional as F
from tensorcore.nn import init
from tensorcore.nn.modules.attention import MultiheadAttention as MultiheadAttention
from tensorcore.nn.modules.module import Module
from tensorcore.nn.modules.softmax import LogSoftmax as LogSoftmax
from tensorcore.nn.modules.softmax import Softmax as Softmax
from tensorcore.nn.modules.softmax import Softmax2d as Softmax2d
from tensorcore.nn.modules.softmax import Softmin as Softmin
from tensorcore.nn.parameter import Parameter
from tensorcore.ops.creation import empty
from tensorcore.tensor import Tensor

__all__ = [
    "CELU", "ELU", "GELU", "GLU", "SELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU",
    "LogSigmoid", "Mish", "PReLU", "RReLU", "ReLU", "ReLU6", "SiLU", "Sigmoid", "Softplus", "Softshrink", "Softsign",
    "Tanh", "Tanhshrink", "Threshold",
]  # fmt: skip


class _Inplace(Module):
    """An activation that can write its result over its input."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""

    def _with_inplace(self, settings: str) -> str:
        return f"{settings}, inplace=True" if self.inplace else settings


# ------------------------------------------------------------------ rectifiers


class ReLU(_Inplace):
    """``max(0, x)``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.ReLU()(tc.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.relu(input, inplace=self.inplace)


class Threshold(_Inplace):
    """``x`` where it is above ``threshold``, else ``value``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Threshold(0.5, 9.0)(tc.tensor([0.0, 2.0]))
        tensor([9., 2.])
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold = threshold
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        return self._with_inplace(f"threshold={self.threshold}, value={self.value}")


class LeakyReLU(_Inplace):
    """``x`` where it is positive, else ``negative_slope * x``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.LeakyReLU(0.5)(tc.tensor([-1.0, 2.0]))
        tensor([-0.5000,  2.0000])
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return self._with_inplace(f"negative_slope={self.negative_slope}")


class PReLU(Module):
    """`LeakyReLU` with learned slopes: one, or one per channel (dimension 1) (He et al. 2015).

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.PReLU()(tc.tensor([-1.0, 2.0])).tolist()
        [-0.25, 2.0]
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the slopes to what the constructor was given."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class RReLU(_Inplace):
    """`LeakyReLU` whose slope is drawn from [``lower``, ``upper``] in training and their mean otherwise.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.RReLU(0.25, 0.75).eval()(tc.tensor([-1.0, 2.0]))
        tensor([-0.5000,  2.0000])
    """

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.lower = lower
        self.upper = upper

    def forward(self, input: Tensor) -> Tensor:
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return self._with_inplace(f"lower={self.lower}, upper={self.upper}")


class Hardtanh(_Inplace):
    """``x`` held within [``min_val``, ``max_val``].

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Hardtanh()(tc.tensor([-3.0, 0.5]))
        tensor([-1.0000,  0.5000])
    """

    def __init__(
        self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False,
        min_value: float | None = None, max_value: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__(inplace)
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        if self.max_val <= self.min_val:
            raise ValueError(f"Hardtanh: max_val {self.max_val} must be greater than min_val {self.min_val}")

    def forward(self, input: Tensor) -> Tensor:
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        return self._with_inplace(f"min_val={self.min_val}, max_val={self.max_val}")


class ReLU6(Hardtanh):
    """``min(max(0, x), 6)``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.ReLU6()(tc.tensor([-1.0, 8.0]))
        tensor([0., 6.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Hardshrink(Module):
    """``x`` where ``abs(x) > lambd``, else 0.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Hardshrink()(tc.tensor([-1.0, 0.5]))
        tensor([-1.,  0.])
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


class Softshrink(Module):
    """``x`` moved toward 0 by ``lambd``, and 0 where ``abs(x) <= lambd``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Softshrink()(tc.tensor([-1.0, 0.25]))
        tensor([-0.5000,  0.0000])
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return F.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


# ------------------------------------------------------------------ smooth functions


class Sigmoid(Module):
    """``1 / (1 + exp(-x))``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Sigmoid()(tc.tensor(0.0))
        tensor(0.5000)
    """

    def forward(self, input: Tensor) -> Tensor:
        return input.sigmoid()


class LogSigmoid(Module):
    """``log(sigmoid(x))``, without overflow.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.LogSigmoid()(tc.tensor(0.0))
        tensor(-0.6931)
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.logsigmoid(input)


class Hardsigmoid(_Inplace):
    """``relu6(x + 3) / 6``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Hardsigmoid()(tc.tensor([-4.0, 0.0]))
        tensor([0.0000, 0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardsigmoid(input, self.inplace)

    def extra_repr(self) -> str:
        return ""


class Tanh(Module):
    """Hyperbolic tangent.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Tanh()(tc.tensor(1.0))
        tensor(0.7616)
    """

    def forward(self, input: Tensor) -> Tensor:
        return input.tanh()


class Tanhshrink(Module):
    """``x - tanh(x)``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Tanhshrink()(tc.tensor(1.0))
        tensor(0.2384)
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.tanhshrink(input)


class Softsign(Module):
    """``x / (1 + abs(x))``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Softsign()(tc.tensor(1.0))
        tensor(0.5000)
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softsign(input)


class Softplus(Module):
    """``log(1 + exp(beta * x)) / beta``, and ``x`` itself where ``beta * x > threshold``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Softplus()(tc.tensor(0.0))
        tensor(0.6931)
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class ELU(_Inplace):
    """``x`` where it is positive, else ``alpha * (exp(x) - 1)`` (Clevert et al. 2015).

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.ELU()(tc.tensor([-1.0, 1.0]))
        tensor([-0.6321,  1.0000])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        return F.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return self._with_inplace(f"alpha={self.alpha}")


class CELU(_Inplace):
    """``max(0, x) + min(0, alpha * (exp(x / alpha) - 1))`` (Barron 2017).

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.CELU()(tc.tensor([-1.0, 1.0]))
        tensor([-0.6321,  1.0000])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        return F.celu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return self._with_inplace(f"alpha={self.alpha}")


class SELU(_Inplace):
    """`ELU` scaled so that activations keep mean 0 and variance 1 (Klambauer et al. 2017).

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.SELU()(tc.tensor(1.0))
        tensor(1.0507)
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.selu(input, self.inplace)


class GELU(Module):
    """``x`` times the normal distribution function of ``x``; ``approximate="tanh"`` uses the tanh formula.

    Source: Hendrycks and Gimpel 2016.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.GELU()(tc.tensor(1.0))
        tensor(0.8413)
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(_Inplace):
    """``x * sigmoid(x)``, also called swish.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.SiLU()(tc.tensor(1.0))
        tensor(0.7311)
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.silu(input, inplace=self.inplace)


class Mish(_Inplace):
    """``x * tanh(softplus(x))`` (Misra 2019).

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Mish()(tc.tensor(1.0))
        tensor(0.8651)
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.mish(input, inplace=self.inplace)


class Hardswish(_Inplace):
    """``x * relu6(x + 3) / 6`` (Howard et al. 2019).

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Hardswish()(tc.tensor(1.0))
        tensor(0.6667)
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardswish(input, self.inplace)

    def extra_repr(self) -> str:
        return ""


class GLU(Module):
    """First half of dimension ``dim`` times the sigmoid of the second half (Dauphin et al. 2016).

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.GLU()(tc.tensor([2.0, 0.0]))
        tensor([1.])
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
