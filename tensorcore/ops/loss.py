"""Losses of regression, ranking and embedding."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, Final

from tensorcore import dispatch
from tensorcore.autograd.mode import no_grad
from tensorcore.dtypes import COMPLEX
from tensorcore.errors import DimensionError, DTypeError, RangeError, ShapeError
from tensorcore.levels import everywhere
from tensorcore.ops import elementwise as e
from tensorcore.ops.record import composite
from tensorcore.ops.reduction import amax, amin
from tensorcore.ops.rules import floating, inexact
from tensorcore.ops.smooth_activation import logsigmoid, sigmoid
from tensorcore.shapes import broadcast_shapes

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_F: Final = ("nn.functional",)
_TWO: Final = tuple({"shapes": ((3, 4), (3, 4)), "reduction": reduction} for reduction in ("mean", "sum", "none"))


def reduction_of(op: str, size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """The reduction that a loss is asked for, by ``reduction`` or by the two older arguments."""
    if size_average is not None or reduce is not None:
        reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
        warnings.warn(
            f"{op}: size_average and reduce are deprecated; use reduction={reduction!r}", UserWarning, stacklevel=4
        )
    if reduction not in ("none", "mean", "sum"):
        raise RangeError(f"{op}: reduction must be 'none', 'mean' or 'sum', got {reduction!r}")
    return reduction


def reduced(loss: Any, reduction: str) -> Any:
    """The elements of a loss, their mean or their sum."""
    if reduction == "none":
        return loss
    return loss.mean() if reduction == "mean" else loss.sum()


def _aligned(op: str, input: Any, target: Any) -> tuple[Any, Any]:
    """Both tensors under their common shape; PyTorch warns where that is not the shape of both."""
    if not hasattr(target, "_array"):
        raise TypeError(f"{op}: target must be a tensor, got {type(target).__name__}")
    shape = input._array.shape
    if shape == target._array.shape:
        return input, target
    warnings.warn(
        f"{op}: target of shape {list(target.shape)} is broadcast against input of shape {list(shape)}; "
        "this is likely a mistake, as every pair then counts",
        UserWarning,
        stacklevel=4,
    )
    try:
        common = broadcast_shapes(shape, target._array.shape)
    except ShapeError as error:
        raise ShapeError(f"{op}: {error}") from None
    return input.expand(common), target.expand(common)


# ------------------------------------------------------------------ distances between elements


def _squared_rule(g: Any, input: Any, target: Any, reduction: str, needs: tuple[bool, ...]) -> tuple[Any, Any]:
    factor = 2 / max(input.numel(), 1) if reduction == "mean" else 2
    slope = e.conj(input - target) * (g * factor)
    return slope if needs[0] else None, -slope if needs[1] else None


@composite(rule=floating, vjp=_squared_rule, joint=True, namespaces=(), samples=_TWO, ulp=16)
def squared_error(input: Tensor, target: Tensor, *, reduction: str) -> Tensor:
    """Squares of the differences of two tensors of one shape, their mean or their sum."""
    return squared_error.emit(input, target, reduction=reduction)


@squared_error.expression
def _squared_error(input: Tensor, target: Tensor, *, reduction: str) -> Tensor:
    gap = e.sub.emit(input, target)
    return reduced(e.mul.emit(gap, gap), reduction)


@composite(namespaces=_F, samples=_TWO, ulp=16, operands=("input", "target"))
def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Squared difference of each pair of elements, averaged (by ``weight`` where given).

    Raises:
        RangeError: for another ``reduction``.
        ShapeError: if the shapes do not broadcast; if they do but differ, it warns.

    Example:
        >>> x, target = tc.tensor([1.0, 2.0, 4.0]), tc.tensor([1.0, 0.0, 1.0])
        >>> F.mse_loss(x, target), F.mse_loss(x, target, reduction="none")
        (tensor(4.3333), tensor([0., 4., 9.]))
    """
    reduction = reduction_of("mse_loss", size_average, reduce, reduction)
    input, target = _aligned("mse_loss", input, target)
    if weight is None:
        return squared_error.emit(input, target, reduction=reduction)
    return _weighted("mse_loss", e.sub(input, target) ** 2, weight, reduction)


def _weighted(op: str, terms: Any, weight: Any, reduction: str) -> Any:
    if weight.shape != terms.shape:
        raise ShapeError(f"{op}: weight of shape {list(weight.shape)} for elements of shape {list(terms.shape)}")
    terms = terms * weight
    if reduction == "mean":
        return terms.sum() / weight.sum()
    return reduced(terms, reduction)


@composite(namespaces=_F, samples=_TWO, ulp=8, operands=("input", "target"))
def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Absolute difference of each pair of elements, averaged (by ``weight`` where given).

    Raises:
        RangeError: for another ``reduction``.
        ShapeError: if the shapes do not broadcast; if they do but differ, it warns.

    Example:
        >>> x, target = tc.tensor([1.0, 2.0, 4.0]), tc.tensor([1.0, 0.0, 1.0])
        >>> F.l1_loss(x, target, reduction="sum"), F.l1_loss(x, target, reduction="none")
        (tensor(5.), tensor([0., 2., 3.]))
    """
    reduction = reduction_of("l1_loss", size_average, reduce, reduction)
    input, target = _aligned("l1_loss", input, target)
    terms = e.abs(e.sub(input, target))
    return reduced(terms, reduction) if weight is None else _weighted("l1_loss", terms, weight, reduction)


def _square(apart: Any, size: Any) -> Any:
    """The square of differences of ``size``; of real ones themselves, so that 0 has a second derivative."""
    return size * size if apart.dtype.category == COMPLEX else apart * apart


@composite(namespaces=_F, samples=_TWO, ulp=16, operands=("input", "target"))
def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """Absolute differences less ``beta / 2``; below ``beta``, half the square over ``beta``.

    Raises:
        RangeError: for a negative ``beta`` or another ``reduction``.

    Example:
        >>> F.smooth_l1_loss(tc.tensor([0.5, 3.0]), tc.zeros(2), reduction="none")
        tensor([0.1250, 2.5000])
    """
    reduction = reduction_of("smooth_l1_loss", size_average, reduce, reduction)
    input, target = _aligned("smooth_l1_loss", input, target)
    if beta < 0:
        raise RangeError(f"smooth_l1_loss: beta must not be negative, got {beta}")
    apart = e.sub(input, target)
    size = e.abs(apart)
    if beta == 0:
        return reduced(size, reduction)
    return reduced(e.where(e.lt(size, beta), _square(apart, size) * (0.5 / beta), size - 0.5 * beta), reduction)


@composite(namespaces=_F, samples=_TWO, ulp=16, operands=("input", "target"))
def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """Half the squared difference; beyond ``delta``, ``delta`` times the difference less half of ``delta``.

    Raises:
        RangeError: for a ``delta`` that is not positive, or another ``reduction``.

    Example:
        >>> F.huber_loss(tc.tensor([0.5, 3.0]), tc.zeros(2), reduction="none", delta=2.0)
        tensor([0.1250, 4.0000])
    """
    reduction = reduction_of("huber_loss", None, None, reduction)
    input, target = _aligned("huber_loss", input, target)
    if delta <= 0:
        raise RangeError(f"huber_loss: delta must be positive, got {delta}")
    apart = e.sub(input, target)
    size = e.abs(apart)
    terms = e.where(e.le(size, delta), _square(apart, size) * 0.5, (size - 0.5 * delta) * delta)
    return reduced(terms, reduction) if weight is None else _weighted("huber_loss", terms, weight, reduction)


# ------------------------------------------------------------------ two classes


def _same_shape(op: str, input: Any, target: Any) -> None:
    if input.shape != target.shape:
        raise ShapeError(f"{op}: target must have the shape of input, {list(input.shape)}, got {list(target.shape)}")


def _require_probabilities(name: str, x: Tensor) -> None:
    # Looked at where that neither waits for a device nor ends a recording; elsewhere the loss of others is NaN.
    if dispatch.is_busy() or not x._kind.backend.host_memory or not x.numel():
        return
    with no_grad():
        low, high = amin(everywhere(x)).item(), amax(everywhere(x)).item()
    if low < 0 or high > 1:
        raise RangeError(
            f"binary_cross_entropy: {name} of shape {list(x.shape)} holds values from {low:g} to {high:g}; expected "
            "probabilities in [0, 1] (for scores use binary_cross_entropy_with_logits)"
        )


@composite(
    rule=inexact, namespaces=(), domain=(0.05, 0.95), samples=({"shapes": ((3, 4), (3, 4))},), ulp=32,
    vjp=(lambda g, input, target: g * (input - target) / e.maximum((1 - input) * input, 1e-12),
         lambda g, input: g * (e.maximum(e.log1p(-input), -100.0) - e.maximum(e.log(input), -100.0))),
)  # fmt: skip
def binary_entropy(input: Tensor, target: Tensor) -> Tensor:
    """``-target * log(input) - (1 - target) * log(1 - input)``, logarithms held above -100 as PyTorch does."""
    return (target - 1) * e.maximum(e.log1p(-input), -100.0) - target * e.maximum(e.log(input), -100.0)


@composite(
    namespaces=_F, domain=(0.05, 0.95), samples=_TWO, ulp=16, operands=("input", "target"),
)  # fmt: skip
def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Cross entropy of probabilities and targets in [0, 1], element by element.

    Logarithms below -100 count as -100, so that no element is infinite.

    Raises:
        RangeError: for elements of ``input`` outside [0, 1].
        ShapeError: if the shapes differ.

    Example:
        >>> F.binary_cross_entropy(tc.tensor([0.9, 0.2, 0.0]), tc.tensor([1.0, 0.0, 1.0]), reduction="none")
        tensor([  0.1054,   0.2231, 100.0000])
    """
    reduction = reduction_of("binary_cross_entropy", size_average, reduce, reduction)
    _same_shape("binary_cross_entropy", input, target)
    if input.dtype is not target.dtype:
        raise DTypeError(f"binary_cross_entropy: expected one dtype, got {input.dtype} and {target.dtype}")
    for name, each in (("input", input), ("target", target)):
        _require_probabilities(name, each)
    terms = binary_entropy(input, target)
    return reduced(terms if weight is None else terms * weight, reduction)


@composite(
    rule=inexact, namespaces=(), samples=({"shapes": ((3, 4), (3, 4))},), ulp=16,
    vjp=(lambda g, input, target: g * (sigmoid.emit(input) - target), lambda g, input: -(g * input)),
)  # fmt: skip
def logistic_entropy(input: Tensor, target: Tensor) -> Tensor:
    """`binary_entropy` of the sigmoid of ``input``, without overflow."""
    return e.maximum(input, 0) - input * target + e.log1p(e.exp(-e.abs(input)))


@composite(namespaces=_F, samples=({"shapes": ((3, 4), (3, 4))},), ulp=16, operands=("input", "target"))
def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean", pos_weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """`binary_cross_entropy` of the sigmoid of ``input``; ``pos_weight`` multiplies the terms of the positive class.

    Args:
        input, target: scores of any size, and numbers in [0, 1], of one shape.
        weight: factor of each element, broadcast.
        pos_weight: factor of the terms of the positive class, broadcast: above 1 for recall, below for
            precision.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``; ``size_average`` and ``reduce`` are its older form.

    Raises:
        ShapeError: if the shapes of ``input`` and ``target`` differ.

    Example:
        >>> F.binary_cross_entropy_with_logits(tc.tensor([2.0, -1000.0]), tc.tensor([1.0, 1.0]), reduction="none")
        tensor([1.2693e-01, 1.0000e+03])
    """
    reduction = reduction_of("binary_cross_entropy_with_logits", size_average, reduce, reduction)
    _same_shape("binary_cross_entropy_with_logits", input, target)
    return logistic_loss(input, target, weight, pos_weight, reduction)


def logistic_loss(input: Any, target: Any, weight: Any, pos_weight: Any, reduction: str) -> Any:
    """`binary_cross_entropy_with_logits` of shapes that broadcast."""
    if pos_weight is None:
        terms = logistic_entropy(input, target)
    else:
        terms = (1 - target) * input - ((pos_weight - 1) * target + 1) * logsigmoid(input)
    return reduced(terms if weight is None else terms * weight, reduction)


@composite(namespaces=_F, samples=({"shapes": ((3, 4), (3, 4))},), ulp=16)
def soft_margin_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
) -> Tensor:
    """``log(1 + exp(-target * input))`` for targets 1 and -1.

    Example:
        >>> F.soft_margin_loss(tc.tensor([2.0, 2.0]), tc.tensor([1.0, -1.0]), reduction="none")
        tensor([0.1269, 2.1269])
    """
    reduction = reduction_of("soft_margin_loss", size_average, reduce, reduction)
    if broadcast_shapes(input.shape, target.shape) != input.shape:
        raise ShapeError(
            f"soft_margin_loss: target of shape {list(target.shape)} does not fit input of {list(input.shape)}"
        )
    return reduced(-logsigmoid(target * input), reduction)


@composite(
    namespaces=_F,
    samples=({"shapes": ((3, 4), (3, 4)), "domains": (None, (0, 1))},),
    ulp=16,
    operands=("input", "target"),
)
def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Binary cross entropy of the sigmoid of ``input``, averaged over its last dimension, the classes'.

    Example:
        >>> x, target = tc.tensor([[2.0, -2.0], [0.0, 0.0]]), tc.tensor([[1.0, 0.0], [1.0, 0.0]])
        >>> F.multilabel_soft_margin_loss(x, target, reduction="none")
        tensor([0.1269, 0.6931])
    """
    reduction = reduction_of("multilabel_soft_margin_loss", size_average, reduce, reduction)
    if input.ndim == 0:
        raise DimensionError("multilabel_soft_margin_loss: input has no dimension of classes, shape []")
    terms = logistic_entropy(input, target)
    if weight is not None:
        terms = terms * weight
    return reduced(terms.sum(input.ndim - 1) / input.shape[-1], reduction)


# ------------------------------------------------------------------ distributions


@composite(namespaces=_F, samples=({"shapes": ((3, 4), (3, 4)), "domains": (None, (0.1, 1))},), ulp=16)
def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """Kullback-Leibler divergence of log-probabilities ``input`` from ``target`` (logarithms with ``log_target``).

    ``"batchmean"`` divides the sum by the side of dimension 0; ``"mean"`` averages over all elements, as in PyTorch.

    Example:
        >>> p, q = tc.tensor([[0.5, 0.5]]), tc.tensor([[0.9, 0.1]])
        >>> F.kl_div(q.log(), p, reduction="batchmean"), F.kl_div(q.log(), p.log(), reduction="none", log_target=True)
        (tensor(0.5108), tensor([[-0.2939,  0.8047]]))
    """
    batch = reduction == "batchmean"
    if reduction == "mean" and size_average is None and reduce is None:
        warnings.warn(
            "kl_div: reduction='mean' divides by the number of elements; the divergence is reduction='batchmean'",
            UserWarning,
            stacklevel=3,
        )
    reduction = reduction_of("kl_div", size_average, reduce, "sum" if batch else reduction)
    if log_target:
        terms = e.exp(target) * (target - input)
    else:
        zero = e.eq(target, 0)
        terms = e.where(zero, 0, target * e.log(e.where(zero, 1, target))) - target * input
    loss = reduced(terms, reduction)
    return loss / input.shape[0] if batch and input.ndim else loss


@composite(namespaces=_F, samples=({"shapes": ((3, 4), (3, 4))},), ulp=16)
def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool = True, full: bool = False, size_average: bool | None = None,
    eps: float = 1e-8, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Negative log-likelihood of counts ``target`` under Poisson rates (their logarithms with ``log_input``).

    Example:
        >>> F.poisson_nll_loss(tc.tensor([0.0, 1.0]), tc.tensor([1.0, 2.0]), reduction="none")
        tensor([1.0000, 0.7183])
    """
    reduction = reduction_of("poisson_nll_loss", size_average, reduce, reduction)
    loss = e.exp(input) - target * input if log_input else input - target * e.log(input + eps)
    if full:
        large = e.gt(target, 1)
        safe = e.where(large, target, 1)
        # Stirling's approximation of log(target!).
        loss = loss + e.where(large, target * e.log(safe) - target + e.log(safe * (2 * math.pi)) * 0.5, 0)
    return reduced(loss, reduction)


@composite(
    namespaces=_F,
    samples=({"shapes": ((3, 4), (3, 4), (3, 1)), "domains": (None, None, (0.5, 2))},),
    ulp=16,
    operands=("input", "target", "var"),
)
def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """Negative log-likelihood of ``target`` under normals of mean ``input`` and variance ``var``, at least ``eps``.

    Raises:
        RangeError: for a negative variance.

    Example:
        >>> F.gaussian_nll_loss(tc.tensor([1.0, 2.0]), tc.tensor([1.0, 0.0]), tc.tensor([1.0, 4.0]), reduction="none")
        tensor([0.0000, 1.1931])
    """
    if not hasattr(var, "_array"):
        if var < 0:
            raise RangeError(f"gaussian_nll_loss: var must not be negative, got {var}")
        var = input._kind.scalar(float(var)).expand(input.shape)
    elif var.shape != input.shape:
        shape = tuple(input.shape)
        if shape[:-1] == tuple(var.shape):
            var = var.unsqueeze(-1)
        elif shape[:-1] != tuple(var.shape[:-1]) or var.shape[-1] != 1:
            raise ShapeError(
                f"gaussian_nll_loss: var of shape {list(var.shape)} does not fit input of shape {list(shape)}"
            )
    if reduction not in ("none", "mean", "sum"):
        raise RangeError(f"gaussian_nll_loss: reduction must be 'none', 'mean' or 'sum', got {reduction!r}")
    if bool(everywhere(e.lt(var, 0)).any().item()):
        raise RangeError("gaussian_nll_loss: var has negative elements")
    # The bound holds the value and lets the gradient pass.
    held = var + (e.maximum(var, eps) - var).detach()
    loss = (e.log(held) + (input - target) ** 2 / held) * 0.5
    return reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)
