"""Initial values of parameters: PyTorch's functions, with its numbers for the same seed."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tensorcore.autograd.mode import no_grad
from tensorcore.dtypes import float32, float64
from tensorcore.errors import ShapeError
from tensorcore.host_data import round_to
from tensorcore.ops.creation import empty_like
from tensorcore.ops.elementwise import where
from tensorcore.ops.movement import cat
from tensorcore.ops.random import randn, randperm
from tensorcore.ops.ranges import eye as eye_matrix

if TYPE_CHECKING:
    from tensorcore.random.generator import Generator
    from tensorcore.tensor import Tensor

__all__ = [
    "calculate_gain",
    "constant",
    "constant_",
    "dirac",
    "dirac_",
    "eye",
    "eye_",
    "kaiming_normal",
    "kaiming_normal_",
    "kaiming_uniform",
    "kaiming_uniform_",
    "normal",
    "normal_",
    "ones_",
    "orthogonal",
    "orthogonal_",
    "sparse",
    "sparse_",
    "trunc_normal_",
    "uniform",
    "uniform_",
    "xavier_normal",
    "xavier_normal_",
    "xavier_uniform",
    "xavier_uniform_",
    "zeros_",
]

_LINEAR = frozenset(
    ("linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "sigmoid")
)


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Factor by which initial weights are scaled to keep the variance through ``nonlinearity``.

    Args:
        nonlinearity: a linear layer's name, ``"sigmoid"``, ``"tanh"``, ``"relu"``, ``"leaky_relu"`` or ``"selu"``.
        param: negative slope of ``"leaky_relu"``, 0.01 by default.

    Raises:
        ValueError: for another name, or a slope that is no number.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.init.calculate_gain("tanh")
        1.6666666666666667
    """
    if nonlinearity in _LINEAR:
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "selu":
        return 3.0 / 4
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"calculate_gain: the negative slope must be a number, got {param!r}")
        return math.sqrt(2.0 / (1 + slope**2))
    raise ValueError(
        f"calculate_gain: no gain is known for {nonlinearity!r}; known: {', '.join(sorted(_LINEAR))}, tanh, relu, "
        "leaky_relu, selu"
    )


# ------------------------------------------------------------------ constants


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill ``tensor`` with ``val`` and return it.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.init.constant_(tc.empty(2), 0.5)
        tensor([0.5000, 0.5000])
    """
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill ``tensor`` with ones and return it.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.init.ones_(tc.empty(2))
        tensor([1., 1.])
    """
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill ``tensor`` with zeros and return it.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.init.zeros_(tc.empty(2))
        tensor([0., 0.])
    """
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with ones on the diagonal and zeros elsewhere, and return it.

    Raises:
        ShapeError: unless ``tensor`` is 2-d.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.init.eye_(tc.empty(2, 3))
        tensor([[1., 0., 0.],
                [0., 1., 0.]])
    """
    _require_matrix("eye_", tensor)
    with no_grad():
        return tensor.copy_(eye_matrix(*tensor.shape, dtype=tensor.dtype, device=tensor.device))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill the weight of a convolution, of 3 to 5 dimensions, so that it keeps its input channels, and return it.

    Raises:
        ShapeError: for other dimensions, or output channels that ``groups`` does not divide.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.init.dirac_(tc.empty(2, 2, 3))
        tensor([[[0., 1., 0.],
                 [0., 0., 0.]],
        <BLANKLINE>
                [[0., 0., 0.],
                 [0., 1., 0.]]])
    """
    shape = tuple(tensor.shape)
    if len(shape) not in (3, 4, 5):
        raise ShapeError(f"dirac_: expected 3, 4 or 5 dimensions, got shape {list(shape)}")
    if shape[0] % groups:
        raise ShapeError(f"dirac_: {groups} groups do not divide the {shape[0]} output channels of shape {list(shape)}")
    per_group = shape[0] // groups
    kept = range(min(per_group, shape[1]))
    centre = tuple(side // 2 for side in shape[2:])
    with no_grad():
        tensor.zero_()
        if len(kept):
            rows = [group * per_group + channel for group in range(groups) for channel in kept]
            tensor[(rows, list(kept) * groups, *centre)] = 1
    return tensor


# ------------------------------------------------------------------ distributions


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill ``tensor`` with uniform numbers in [a, b) and return it.

    Example:
        >>> import tensorcore as tc
        >>> _ = tc.manual_seed(0)
        >>> tc.nn.init.uniform_(tc.empty(2), -1, 1)
        tensor([-0.0075,  0.5364])
    """
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill ``tensor`` with normal numbers and return it.

    Example:
        >>> import tensorcore as tc
        >>> _ = tc.manual_seed(0)
        >>> tc.nn.init.normal_(tc.empty(2), std=0.1)
        tensor([ 0.1541, -0.0293])
    """
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Fill ``tensor`` with normal numbers, those outside [a, b] drawn again, and return it.

    Where less than 30 % would fall inside, uniform numbers are accepted by the density instead (as PyTorch does).

    Example:
        >>> import tensorcore as tc
        >>> w = tc.nn.init.trunc_normal_(tc.empty(100))
        >>> bool((w.abs() <= 2).all())
        True
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "trunc_normal_: mean is more than 2 std from [a, b]; the distribution of the values may be incorrect",
            stacklevel=2,
        )
    inside = _normal_cdf((b - mean) / std) - _normal_cdf((a - mean) / std)
    with no_grad():
        if inside > 0.3:
            return _redrawn(tensor, mean, std, a, b, generator)
        return _accepted(tensor, mean, std, a, b, generator)


def _normal_cdf(x: float) -> float:
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


def _redrawn(tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Generator | None) -> Tensor:
    low, high = round_to(a, tensor.dtype), round_to(b, tensor.dtype)
    result = tensor.normal_(mean, std, generator=generator)
    outside = (result < low) | (result > high)
    while outside.any().item():
        result = where(outside, empty_like(result).normal_(mean, std, generator=generator), result)
        outside = (result < low) | (result > high)
    return tensor if result is tensor else tensor.copy_(result)


def _accepted(tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Generator | None) -> Tensor:
    """Rejection sampling under the density's peak in [a, b], in logarithms."""
    mode = max(a, min(mean, b))
    peak = -0.5 * ((mode - mean) / std) ** 2
    result: Any = None
    pending: Any = None
    while pending is None or pending.any().item():
        drawn = empty_like(tensor).uniform_(a, b, generator=generator)
        result = drawn if pending is None else where(pending, drawn, result)
        density = ((drawn - mean) / std).pow(2) * -0.5 - peak
        refused = empty_like(tensor).uniform_(generator=generator).log() > density
        pending = refused if pending is None else pending & refused
    return tensor.copy_(result)


def _fans(op: str, tensor: Tensor) -> tuple[int, int]:
    """How many inputs an output has, and how many outputs an input has."""
    shape = tuple(tensor.shape)
    if len(shape) < 2:
        raise ShapeError(f"{op}: fan in and fan out need at least 2 dimensions, got shape {list(shape)}")
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def _fan(op: str, tensor: Tensor, mode: str) -> int:
    if mode.lower() not in ("fan_in", "fan_out"):
        raise ValueError(f"{op}: mode must be 'fan_in' or 'fan_out', got {mode!r}")
    return _fans(op, tensor)[mode.lower() == "fan_out"]


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill ``tensor`` with uniform numbers of variance ``2 * gain**2 / (fan_in + fan_out)`` and return it.

    Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010.

    Raises:
        ShapeError: if ``tensor`` has fewer than 2 dimensions.

    Example:
        >>> import tensorcore as tc
        >>> _ = tc.manual_seed(0)
        >>> tc.nn.init.xavier_uniform_(tc.empty(1, 2))
        tensor([[-0.0106,  0.7586]])
    """
    bound = math.sqrt(3.0) * (gain * math.sqrt(2.0 / float(sum(_fans("xavier_uniform_", tensor)))))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill ``tensor`` with normal numbers of variance ``2 * gain**2 / (fan_in + fan_out)`` and return it.

    Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010.

    Raises:
        ShapeError: if ``tensor`` has fewer than 2 dimensions.

    Example:
        >>> import tensorcore as tc
        >>> _ = tc.manual_seed(0)
        >>> tc.nn.init.xavier_normal_(tc.empty(1, 2))
        tensor([[ 1.2582, -0.2396]])
    """
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / float(sum(_fans("xavier_normal_", tensor)))), generator)


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Fill ``tensor`` with uniform numbers of variance ``gain**2 / fan`` and return it.

    ``a`` is the negative slope of ``"leaky_relu"``. He et al., Delving deep into rectifiers, 2015.

    Raises:
        ShapeError: if ``tensor`` has fewer than 2 dimensions.
        ValueError: for an unknown mode or nonlinearity.

    Example:
        >>> import tensorcore as tc
        >>> _ = tc.manual_seed(0)
        >>> tc.nn.init.kaiming_uniform_(tc.empty(1, 2), nonlinearity="relu")
        tensor([[-0.0130,  0.9291]])
    """
    if _is_empty(tensor):
        return tensor
    fan = _fan("kaiming_uniform_", tensor, mode)
    bound = math.sqrt(3.0) * (calculate_gain(nonlinearity, a) / math.sqrt(fan))
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Fill ``tensor`` with normal numbers of variance ``gain**2 / fan`` and return it.

    ``a`` is the negative slope of ``"leaky_relu"``. He et al., Delving deep into rectifiers, 2015.

    Raises:
        ShapeError: if ``tensor`` has fewer than 2 dimensions.
        ValueError: for an unknown mode or nonlinearity.

    Example:
        >>> import tensorcore as tc
        >>> _ = tc.manual_seed(0)
        >>> tc.nn.init.kaiming_normal_(tc.empty(1, 2), mode="fan_out", nonlinearity="relu")
        tensor([[ 2.1793, -0.4150]])
    """
    if _is_empty(tensor):
        return tensor
    fan = _fan("kaiming_normal_", tensor, mode)
    return normal_(tensor, 0.0, calculate_gain(nonlinearity, a) / math.sqrt(fan), generator)


def _is_empty(tensor: Tensor) -> bool:
    if 0 not in tensor.shape:
        return False
    warnings.warn("initializing a tensor without elements does nothing", stacklevel=3)
    return True


# ------------------------------------------------------------------ matrices


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Fill ``tensor``, read as a matrix of ``shape[0]`` rows, with orthonormal rows or columns times ``gain``.

    Saxe et al., Exact solutions to the nonlinear dynamics of learning in deep linear neural networks, 2013; uniformly
    distributed by Mezzadri, arXiv:math-ph/0609050.

    Raises:
        ShapeError: if ``tensor`` has fewer than 2 dimensions.

    Example:
        >>> import tensorcore as tc
        >>> w = tc.nn.init.orthogonal_(tc.empty(3, 5))
        >>> bool(((w @ w.T - tc.eye(3)).abs() < 1e-5).all())
        True
    """
    shape = tuple(tensor.shape)
    if len(shape) < 2:
        raise ShapeError(f"orthogonal_: expected at least 2 dimensions, got shape {list(shape)}")
    if tensor.numel() == 0:
        return tensor
    rows, columns = shape[0], math.prod(shape[1:])
    with no_grad():
        drawn = randn(rows, columns, dtype=tensor.dtype, device=tensor.device, generator=generator)
        basis = _orthonormal_rows(drawn) if rows < columns else _orthonormal_rows(drawn.t()).t()
        return tensor.copy_(basis.to(tensor.dtype).reshape(shape)).mul_(gain)


def _orthonormal_rows(matrix: Tensor, block: int = 32) -> Tensor:
    """The rows made orthonormal in order, each by a positive factor: the Q of a QR whose R has a positive diagonal.

    Block Gram-Schmidt, each projection done twice, which keeps the rows orthogonal to rounding (Giraud et al., 2005).
    """
    wide = float64 if float64 in matrix.device.capabilities.dtypes else float32
    matrix = matrix.to(wide)
    done: list[Tensor] = []
    for start in range(0, matrix.shape[0], block):
        part = matrix.narrow(0, start, min(block, matrix.shape[0] - start))
        if done:
            part = _without(part, cat(done))
        rows: list[Tensor] = []
        for row in part.split(1):
            rest = _without(row, cat(rows)) if rows else row
            rows.append(rest / (rest * rest).sum().sqrt())
        done.append(cat(rows))
    return cat(done)


def _without(rows: Tensor, basis: Tensor) -> Tensor:
    """The rows less their parts in the span of an orthonormal basis."""
    for _ in range(2):
        rows = rows - (rows @ basis.t()) @ basis
    return rows


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Fill a matrix with normal numbers, a fraction ``sparsity`` of each column set to zero, and return it.

    Martens, Deep learning via Hessian-free optimization, 2010. The zeros are placed by the default generator, as in
    PyTorch.

    Raises:
        ShapeError: unless ``tensor`` is 2-d.

    Example:
        >>> import tensorcore as tc
        >>> w = tc.nn.init.sparse_(tc.empty(4, 3), sparsity=0.5)
        >>> (w == 0).sum(0)
        tensor([2, 2, 2])
    """
    _require_matrix("sparse_", tensor)
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            tensor[randperm(rows, device=tensor.device)[:zeros], column] = 0
    return tensor


def _require_matrix(op: str, tensor: Tensor) -> None:
    if tensor.ndim != 2:
        raise ShapeError(f"{op}: expected 2 dimensions, got shape {list(tensor.shape)}")


# ------------------------------------------------------------------ former names


def _former(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    name = function.__name__

    @functools.wraps(function)
    def deprecated(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(f"nn.init.{name[:-1]} is deprecated, use nn.init.{name}", FutureWarning, stacklevel=2)
        return function(*args, **kwargs)

    deprecated.__name__ = deprecated.__qualname__ = name[:-1]
    deprecated.__doc__ = f"Former name of `{name}`."
    return deprecated


uniform = _former(uniform_)
normal = _former(normal_)
constant = _former(constant_)
eye = _former(eye_)
dirac = _former(dirac_)
xavier_uniform = _former(xavier_uniform_)
xavier_normal = _former(xavier_normal_)
kaiming_uniform = _former(kaiming_uniform_)
kaiming_normal = _former(kaiming_normal_)
orthogonal = _former(orthogonal_)
sparse = _former(sparse_)
