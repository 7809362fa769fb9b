"""Dropout: elements or whole channels set to zero at random.

The mask comes of counter-based numbers that the default generator hands out by ticket, so a recorded step draws
afresh at each run, and every device draws the same.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import FLOATING, bool_, float32
from tensorcore.errors import DTypeError, RangeError, ShapeError
from tensorcore.levels import running
from tensorcore.ops import elementwise as e
from tensorcore.ops.conversion import cast
from tensorcore.ops.creation import ones_like, zeros_like
from tensorcore.ops.drawing import philox_uniform
from tensorcore.ops.inplace import write
from tensorcore.ops.record import composite
from tensorcore.ops.rules import floating
from tensorcore.random.generator import default_generator

if TYPE_CHECKING:
    from tensorcore.random.ticket import Ticket
    from tensorcore.tensor import Tensor

_F: Final = ("nn.functional",)


@composite(
    rule=floating,
    namespaces=(),
    ulp=1,
    promotes=("input",),
    vjp=(lambda g, mask, scale: masked_scale.emit(g, mask, scale=scale), None),
    samples=(
        {"shapes": ((3, 4), (3, 4)), "dtypes": (None, "bool"), "scale": 2.0},
        {"shapes": ((2, 3, 4), (2, 3, 1)), "dtypes": (None, "bool"), "scale": 1.5},
    ),
)
def masked_scale(input: Tensor, mask: Tensor, *, scale: float) -> Tensor:
    """``input * mask * scale``, the bool ``mask`` broadcast."""
    return masked_scale.emit(input, mask, scale=scale)


@masked_scale.expression
def _masked_scale(input: Tensor, mask: Tensor, *, scale: float) -> Tensor:
    kind = input._kind
    factor = cast.emit(mask, dtype=kind.dtype)
    if scale != 1:
        factor = e.mul.emit(factor, kind.scalar(scale))
    return e.mul.emit(input, factor)


@composite(
    rule=floating, namespaces=(), ulp=1, outputs=2, random=True,
    vjp=lambda g, y, scale: masked_scale.emit(g[0], y[1], scale=scale),
)  # fmt: skip
def dropout_by_ticket(
    input: Tensor, *, ticket: Ticket, keep: float, scale: float, shape: tuple[int, ...]
) -> tuple[Tensor, Tensor]:
    """``input`` kept with probability ``keep`` and scaled, one draw for each element of ``shape``; and the bool mask.

    An element is kept where its number of `philox_uniform` is below ``keep``, as float32.
    """
    return dropout_by_ticket.emit(input, ticket=ticket, keep=keep, scale=scale, shape=shape)


@dropout_by_ticket.expression
def _dropout_by_ticket(input: Tensor, *, ticket: Ticket, keep: float, scale: float, shape: tuple[int, ...]) -> Any:
    mask = _kept(input, ticket, keep, shape)
    return masked_scale.emit(input, mask, scale=scale), mask


def _kept(input: Any, ticket: Any, keep: float, shape: tuple[int, ...]) -> Any:
    kind = input._kind.sibling(float32)
    return e.lt.emit(philox_uniform(ticket, shape, kind), kind.scalar(keep))


def _ticket(shape: tuple[int, ...]) -> Any:
    return default_generator.ticket("philox", math.prod(shape))


def _for_each(input: Any) -> Any:
    """``input``, with memory for each example where those of a `tensorcore.vmap` are to draw differently."""
    if not running.levels:
        return input
    from tensorcore.func.drawing import batched_for_draws

    return batched_for_draws(input)


def _check(op: str, p: float) -> None:
    if not 0 <= p <= 1:
        raise RangeError(f"{op}: the probability p must be from 0 to 1, got {p}")


def _dropped(op: str, input: Any, p: float, training: bool, inplace: bool, shape: tuple[int, ...]) -> Any:
    _check(op, p)
    if p == 0 or not training or input.numel() == 0:
        return input
    if p == 1:
        out = input * 0
    else:
        input = _for_each(input)
        # One rounding: the scale is the one PyTorch divides by.
        out = dropout_by_ticket.emit(input, ticket=_ticket(shape), keep=1.0 - p, scale=1 / (1 - p), shape=shape)[0]
    return write(input, out, f"{op}_") if inplace else out


@composite(namespaces=_F, random=True)
def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training, each element set to zero with probability ``p``, else divided by ``1 - p``.

    Raises:
        RangeError: for a probability outside [0, 1].

    Example:
        >>> x = F.dropout(tc.ones(1000), 0.25)
        >>> x.unique(), F.dropout(tc.ones(2), 0.5, training=False), F.dropout(tc.ones(2), 1.0)
        (tensor([0.0000, 1.3333]), tensor([1., 1.]), tensor([0., 0.]))
    """
    return _dropped("dropout", input, p, training, inplace, tuple(input._array.shape))


def _channels_of(input: Any) -> tuple[int, ...]:
    """The shape of a mask with one element per channel of (N, C, *sides)."""
    shape = tuple(input._array.shape)
    return (*shape[:2], *(1,) * (len(shape) - 2))


def of_features(op: str, input: Any, p: float, training: bool) -> Any:
    """`dropout` of whole channels, whatever comes after them."""
    if training and input.ndim < 2:
        raise ShapeError(f"{op}: expected at least 2 dimensions, got shape {list(input.shape)}")
    return _dropped(op, input, p, training, False, _channels_of(input))


def with_mask(op: str, input: Any, p: float, training: bool) -> tuple[Any, Any]:
    """`dropout`, and a mask of what is kept."""
    _check(op, p)
    if not training:
        return input.clone(), ones_like(input, dtype=bool_)
    if input.dtype.category < FLOATING:
        raise DTypeError(f"{op}: expected a floating-point or complex tensor, got {input.dtype}")
    if p == 1 or input.numel() == 0:
        return input * 0, zeros_like(input, dtype=bool_)
    shape = tuple(input._array.shape)
    input = _for_each(input)
    out, mask = dropout_by_ticket.emit(input, ticket=_ticket(shape), keep=1.0 - p, scale=1 / (1 - p), shape=shape)
    return out, mask


def _by_channel(op: str, input: Any, p: float, training: bool, inplace: bool, alone: bool) -> Any:
    _check(op, p)
    batched = input.unsqueeze(0) if alone else input
    out = _dropped(op, batched, p, training, inplace, _channels_of(batched))
    return out.squeeze(0) if alone else out


@composite(namespaces=_F, random=True)
def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of (N, C, L) or (C, L).

    Raises:
        RangeError: for a probability outside [0, 1].
        ShapeError: for fewer or more dimensions.

    Example:
        >>> x = F.dropout1d(tc.ones(8, 16, 3), 0.5)
        >>> x.std(-1).max(), x.unique()
        (tensor(0.), tensor([0., 2.]))
    """
    _check("dropout1d", p)
    if input.ndim not in (2, 3):
        raise ShapeError(
            f"dropout1d: expected 2 or 3 dimensions, got shape {list(input.shape)}; for single elements use dropout"
        )
    return _by_channel("dropout1d", input, p, training, inplace, input.ndim == 2)


@composite(namespaces=_F, random=True)
def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of (N, C, H, W); (N, C, L) is taken as a batch, as by PyTorch.

    Raises:
        RangeError: for a probability outside [0, 1].

    Example:
        >>> x = F.dropout2d(tc.ones(8, 16, 2, 2), 0.5)
        >>> x.std((2, 3)).max(), x.unique()
        (tensor(0.), tensor([0., 2.]))
    """
    _check("dropout2d", p)
    if input.ndim not in (3, 4):
        _warn("dropout2d", input, "3 or 4")
    return _by_channel("dropout2d", input, p, training, inplace, False)


@composite(namespaces=_F, random=True)
def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of (N, C, D, H, W) or (C, D, H, W).

    Raises:
        RangeError: for a probability outside [0, 1].

    Example:
        >>> x = F.dropout3d(tc.ones(8, 16, 2, 2, 2), 0.5)
        >>> x.std((2, 3, 4)).max(), x.unique()
        (tensor(0.), tensor([0., 2.]))
    """
    _check("dropout3d", p)
    if input.ndim not in (4, 5):
        _warn("dropout3d", input, "4 or 5")
    return _by_channel("dropout3d", input, p, training, inplace, input.ndim == 4)


def _warn(op: str, input: Any, expected: str) -> None:
    warnings.warn(
        f"{op}: expected {expected} dimensions, got shape {list(input.shape)}; the first two are taken as batch "
        "and channels",
        UserWarning,
        stacklevel=4,
    )
    if input.ndim < 2:
        raise ShapeError(f"{op}: expected at least 2 dimensions, got shape {list(input.shape)}")


#: What SELU tends to for ever smaller numbers, negated: Klambauer et al., 2017, scale times alpha.
_FLOOR: Final = 1.7580993408473766


def _alpha(op: str, input: Any, p: float, training: bool, inplace: bool, shape: tuple[int, ...]) -> Any:
    _check(op, p)
    if p == 0 or not training or input.numel() == 0:
        return input
    if p == 1:
        out = input * 0
    else:
        input = _for_each(input)
        # The scale and shift that keep mean and variance: the same paper, equation 20.
        scale = 1 / math.sqrt((_FLOOR * _FLOOR * p + 1) * (1 - p))
        kept, mask = dropout_by_ticket.emit(input, ticket=_ticket(shape), keep=1.0 - p, scale=scale, shape=shape)
        shift = _FLOOR * scale
        out = kept + (cast.emit(mask, dtype=kept.dtype) * shift + shift * (p - 1))
    return write(input, out, f"{op}_") if inplace else out


@composite(namespaces=_F, random=True)
def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """`dropout` that keeps mean and variance under `selu`: dropped elements become SELU's lower limit.

    Klambauer et al., Self-Normalizing Neural Networks, 2017.

    Raises:
        RangeError: for a probability outside [0, 1].

    Example:
        >>> x = F.alpha_dropout(tc.zeros(1000), 0.5, training=True)
        >>> x.unique(), F.alpha_dropout(tc.ones(2), 0.5)
        (tensor([-0.7792,  0.7792]), tensor([1., 1.]))
    """
    return _alpha("alpha_dropout", input, p, training, inplace, tuple(input._array.shape))


@composite(namespaces=_F, random=True)
def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """`alpha_dropout` of whole channels of (N, C, *sides).

    Raises:
        RangeError: for a probability outside [0, 1].

    Example:
        >>> x = F.feature_alpha_dropout(tc.zeros(8, 16, 3), 0.5, training=True)
        >>> x.std(-1).max(), x.unique()
        (tensor(0.), tensor([-0.7792,  0.7792]))
    """
    if input.ndim < 2 and training:
        raise ShapeError(f"feature_alpha_dropout: expected at least 2 dimensions, got shape {list(input.shape)}")
    return _alpha("feature_alpha_dropout", input, p, training, inplace, _channels_of(input))


# ------------------------------------------------------------------ activations that draw


@composite(namespaces=("", "nn.functional"), random=True, inplace=True)
def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """Each element; those below 0 times a slope: drawn from [``lower``, ``upper``) in training, else their mean.

    Example:
        >>> x = tc.tensor([-8.0, 0.0, 2.0])
        >>> F.rrelu(x, 0.25, 0.75), F.rrelu(x, 0.5, 0.5, training=True)
        (tensor([-4.,  0.,  2.]), tensor([-4.,  0.,  2.]))
    """
    if lower > upper:
        raise RangeError(f"rrelu: lower bound {lower} is above upper bound {upper}")
    slope: Any = (lower + upper) / 2
    if training:
        kind = input._kind.sibling(float32)
        shape = tuple(input._array.shape)
        slope = (philox_uniform(_ticket(shape), shape, kind) * (upper - lower) + lower).to(input.dtype)
    out = e.where(e.gt(input, 0), input, input * slope)
    return write(input, out, "rrelu_") if inplace else out


@composite(namespaces=_F, random=True)
def gumbel_softmax(logits: Tensor, tau: Any = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """A sample of the categorical distribution of ``logits``, relaxed by the temperature ``tau``, a number or tensor.

    With ``hard``, one-hot forward and relaxed backward. Jang et al., Categorical Reparameterization, 2017.

    Example:
        >>> x = F.gumbel_softmax(tc.zeros(100, 3), hard=True)
        >>> x.unique(), x.sum(-1).unique()
        (tensor([0., 1.]), tensor([1.]))
    """
    noise = -e.log(logits.detach().new_empty(logits.shape).exponential_())
    soft = ((logits + noise) / tau).softmax(dim)
    if not hard:
        return soft
    best = soft.detach().argmax(dim, keepdim=True)
    sharp = soft.detach().new_zeros(soft.shape).scatter(dim, best, 1.0)
    return sharp - soft.detach() + soft
