"""Losses of classifiers: cross entropy and the negative log-likelihood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import FLOATING, int64, uint8
from tensorcore.errors import DimensionError, DTypeError, RangeError, ShapeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.conversion import cast
from tensorcore.ops.indexing import gather, index, scatter
from tensorcore.ops.loss import reduction_of
from tensorcore.ops.precision import widened
from tensorcore.ops.record import composite
from tensorcore.ops.reduction import sum
from tensorcore.ops.rules import inexact
from tensorcore.ops.softmax import log_softmax, log_softmax_gradient

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_F: Final = ("nn.functional",)
_CLASSES: Final = {"dtypes": (None, "int64", None), "domains": (None, (0, 4), (0.5, 2))}


def _row_weights(logs: Any, target: Any, weight: Any, ignore_index: int) -> tuple[Any, Any]:
    """Each row's factor (its class's weight, 0 where ignored) as (rows, 1), and the targets to look up, likewise."""
    held = e.ne.emit(target, target._kind.scalar(ignore_index))
    places = e.where.emit(held, target, 0)
    factor = cast.emit(held, dtype=logs._kind.dtype)
    if weight is not None:
        factor = factor * index.emit(weight, places)
    return factor.unsqueeze(1), places.unsqueeze(1)


def _finish(terms: Any, factor: Any, reduction: str) -> tuple[Any, Any]:
    """The loss of (rows, 1) terms, and the sum of the rows' factors by which a mean divides."""
    kind = terms._kind
    total = sum.emit(factor, dim=(0, 1), keepdim=False, dtype=kind.dtype)
    if reduction == "none":
        return terms.reshape((terms.shape[0],)), total
    loss = sum.emit(terms, dim=(0, 1), keepdim=False, dtype=kind.dtype)
    return (e.div.emit(loss, total) if reduction == "mean" else loss), total


def _row_cotangents(grad: Any, total: Any, reduction: str) -> Any:
    """The cotangent of each row's term, which broadcasts to (rows, 1)."""
    if reduction == "none":
        return grad.unsqueeze(1)
    if reduction != "mean":
        return grad
    # Where nothing counts the loss is NaN, but no score has a part in it.
    return grad / e.where.emit(e.eq.emit(total, total._kind.scalar(0.0)), 1.0, total)


# ------------------------------------------------------------------ fused: from scores


def _fused_rule(
    g: Any, y: Any, target: Any, weight: Any, ignore_index: int, reduction: str, label_smoothing: float
) -> tuple[Any, Any, Any]:
    # The loss is y[0]; a second derivative may come by way of the log-probabilities y[1].
    loss, logs = g.arrived.get(0), g.arrived.get(1)
    grad = None
    if loss is not None:
        grad = cross_entropy_gradient.emit(
            loss,
            y[1],
            target,
            weight,
            y[2],
            ignore_index=ignore_index,
            reduction=reduction,
            label_smoothing=label_smoothing,
        )
    if logs is not None:
        through = log_softmax_gradient.emit(logs, y[1], dim=1)
        grad = through if grad is None else grad + through
    return grad, None, None


@composite(
    rule=inexact,
    promotes=("input", "weight"),
    vjp=_fused_rule,
    joint=True,
    outputs=3,
    namespaces=(),
    ulp=32,
    samples=tuple(
        {
            "shapes": ((3, 4), (3,), (4,)),
            "reduction": reduction,
            "ignore_index": 1,
            "label_smoothing": smoothing,
            **_CLASSES,
        }
        for reduction, smoothing in (("mean", 0.0), ("sum", 0.1), ("none", 0.0))
    ),
)
def cross_entropy_fused(
    input: Tensor, target: Tensor, weight: Tensor | None, *, ignore_index: int, reduction: str, label_smoothing: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Cross entropy of scores (rows, classes) and int64 targets: loss, log-probabilities, sum of weights."""
    return cross_entropy_fused.emit(
        input, target, weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing
    )


@cross_entropy_fused.expression
@widened
def _cross_entropy_fused(
    input: Tensor, target: Tensor, weight: Tensor | None, *, ignore_index: int, reduction: str, label_smoothing: float
) -> tuple[Tensor, Tensor, Tensor]:
    logs = log_softmax.emit(input, dim=1)
    factor, places = _row_weights(logs, target, weight, ignore_index)
    terms = e.neg.emit(e.mul.emit(gather.emit(logs, places, dim=1), factor))
    if label_smoothing:
        weighted = logs if weight is None else logs * weight
        held = e.ne(target, ignore_index).unsqueeze(1).to(logs.dtype)
        smooth = weighted.sum((1,), True) * held * (-label_smoothing / logs.shape[1])
        terms = terms * (1 - label_smoothing) + smooth
    loss, total = _finish(terms, factor, reduction)
    return loss, logs, total


@composite(
    namespaces=(),
    promotes=("grad", "log_probs", "weight", "total"),
    ulp=32,
    samples=(
        {
            "shapes": ((), (3, 4), (3,), (4,), ()),
            "dtypes": (None, None, "int64", None, None),
            "domains": (None, (-4, 0), (0, 4), (0.5, 2), (1, 4)),
            "reduction": "mean",
            "ignore_index": 1,
            "label_smoothing": 0.0,
        },
    ),
)
def cross_entropy_gradient(
    grad: Tensor, log_probs: Tensor, target: Tensor, weight: Tensor | None, total: Tensor, *, ignore_index: int,
    reduction: str, label_smoothing: float,
) -> Tensor:  # fmt: skip
    """Gradient of `cross_entropy_fused` with respect to the scores."""
    return cross_entropy_gradient.emit(
        grad,
        log_probs,
        target,
        weight,
        total,
        ignore_index=ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )


@cross_entropy_gradient.expression
@widened
def _cross_entropy_gradient(
    grad: Tensor, log_probs: Tensor, target: Tensor, weight: Tensor | None, total: Tensor, *, ignore_index: int,
    reduction: str, label_smoothing: float,
) -> Tensor:  # fmt: skip
    factor, places = _row_weights(log_probs, target, weight, ignore_index)
    each = _row_cotangents(grad, total, reduction)
    hard = each * factor
    if label_smoothing:
        hard = hard * (1 - label_smoothing)
    probs = e.exp.emit(log_probs)
    if not label_smoothing:
        return scatter.emit(e.mul.emit(probs, hard), places, e.neg.emit(hard), dim=1, reduce="sum")
    classes = log_probs.shape[1]
    held = e.ne(target, ignore_index).unsqueeze(1).to(log_probs.dtype)
    soft = each * held * (label_smoothing / classes)
    share = classes if weight is None else weight.sum()
    grown = probs * (hard + soft * share) - (soft if weight is None else soft * weight)
    return scatter.emit(grown, places, e.neg.emit(hard), dim=1, reduce="sum")


# ------------------------------------------------------------------ from log-probabilities


def _nll_rule(
    g: Any, y: Any, target: Any, weight: Any, input_shape: Any, ignore_index: int, reduction: str
) -> tuple[Any, Any, Any]:
    from tensorcore.ops.creation import full

    loss = g[0]
    kind = loss._kind
    empty = full.emit(kind=kind, shape=tuple(input_shape), value=0.0)
    factor, places = _row_weights(empty, target, weight, ignore_index)
    hard = _row_cotangents(loss, y[1], reduction) * factor
    return scatter.emit(empty, places, e.neg.emit(hard), dim=1, reduce="set"), None, None


@composite(
    rule=inexact, promotes=("input", "weight"), vjp=_nll_rule, joint=True, outputs=2, namespaces=(), ulp=32,
    samples=({"shapes": ((3, 4), (3,), (4,)), "reduction": "mean", "ignore_index": 1, **_CLASSES},),
)  # fmt: skip
def nll_loss_fused(
    input: Tensor, target: Tensor, weight: Tensor | None, *, ignore_index: int, reduction: str
) -> tuple[Tensor, Tensor]:
    """Negative log-likelihood of (rows, classes) log-probabilities and int64 targets: loss, sum of weights."""
    return nll_loss_fused.emit(input, target, weight, ignore_index=ignore_index, reduction=reduction)


@nll_loss_fused.expression
@widened
def _nll_loss_fused(
    input: Tensor, target: Tensor, weight: Tensor | None, *, ignore_index: int, reduction: str
) -> tuple[Tensor, Tensor]:
    factor, places = _row_weights(input, target, weight, ignore_index)
    return _finish(e.neg.emit(e.mul.emit(gather.emit(input, places, dim=1), factor)), factor, reduction)


# ------------------------------------------------------------------ what users call


def _no_such_class(op: str, input: Any, target: Any, ignore_index: int) -> DimensionError:
    """What a kernel's refusal of a target means to the user of ``op``."""
    classes = input.shape[1] if input.ndim > 1 else input.shape[0]
    held = target[target != ignore_index]
    return DimensionError(
        f"{op}: target of shape {list(target.shape)} holds classes from {held.min().item()} to {held.max().item()}; "
        f"input of shape {list(input.shape)} has {classes}, so they must be from 0 to {classes - 1}, or "
        f"ignore_index={ignore_index}"
    )


def _checked(op: str, input: Any, target: Any, weight: Any) -> tuple[Any, Any]:
    """Scores as (rows, classes) and targets as (rows)."""
    shape, places = input._array.shape, target._array.shape
    if not shape:
        raise ShapeError(f"{op}: expected scores of at least 1 dimension, got shape []")
    expected = (*shape[:1], *shape[2:]) if len(shape) > 1 else ()
    if tuple(places) != tuple(expected):
        raise ShapeError(
            f"{op}: expected a target of shape {list(expected)} for input of shape {list(shape)}, got {list(places)}"
        )
    if target.dtype is not int64 and target.dtype is not uint8:
        raise DTypeError(
            f"{op}: expected class indices of dtype int64 as target of shape {list(places)} for input of shape "
            f"{list(shape)}, got {target.dtype}; convert them with .long()"
        )
    if input.dtype.category < FLOATING:
        raise DTypeError(f"{op}: expected floating-point scores, got {input.dtype} of shape {list(shape)}")
    classes = shape[1] if len(shape) > 1 else shape[0]
    if weight is not None:
        if tuple(weight.shape) != (classes,):
            raise ShapeError(f"{op}: expected a weight for each of {classes} classes, got shape {list(weight.shape)}")
        if weight.dtype is not input.dtype:
            raise DTypeError(f"{op}: weight must have the dtype of input, {input.dtype}, got {weight.dtype}")
    if target.dtype is uint8:
        target = target.to(int64)
    if len(shape) == 2:
        return input, target
    if len(shape) == 1:
        return input.unsqueeze(0), target.reshape((1,))
    return input.movedim(1, -1).reshape((-1, classes)), target.reshape((-1,))


@composite(
    namespaces=_F,
    ulp=32,
    operands=("input", "target"),
    samples=(
        {"shapes": ((3, 4), (3,)), "dtypes": (None, "int64"), "domains": (None, (0, 4))},
        {"shapes": ((3, 4), (3, 4))},
        {"shapes": ((2, 4, 3), (2, 3)), "dtypes": (None, "int64"), "domains": (None, (0, 4)), "reduction": "sum"},
    ),
)
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Cross entropy of scores, classes in dimension 1, and class indices or probabilities of ``input``'s shape.

    ``weight`` weighs the classes, targets equal to ``ignore_index`` do not count, and ``label_smoothing`` moves
    that much of each target to all classes alike.

    Args:
        input: scores, (N, C, *sides) or (C,), of any size.
        target: int64 classes (N, *sides), or probabilities of the shape of ``input``.
        weight: (C,), weights of the classes, by whose sum ``"mean"`` divides.
        ignore_index: class that does not count.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``; ``size_average`` and ``reduce`` are its older form.
        label_smoothing: part of each target given to all classes alike, in [0, 1].

    Raises:
        DimensionError: for a class that is not there.

    Example:
        >>> scores = tc.tensor([[2.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
        >>> F.cross_entropy(scores, tc.tensor([0, -100])), F.cross_entropy(scores, tc.tensor([0, 2]), reduction="none")
        (tensor(0.2395), tensor([0.2395, 0.5514]))
        >>> F.cross_entropy(scores, tc.tensor([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]))
        tensor(0.8955)
    """
    reduction = reduction_of("cross_entropy", size_average, reduce, reduction)
    if not 0 <= label_smoothing <= 1:
        raise RangeError(f"cross_entropy: label_smoothing must be in [0, 1], got {label_smoothing}")
    if tuple(input._array.shape) == tuple(target._array.shape):
        return _with_probabilities(input, target, weight, ignore_index, reduction, label_smoothing)
    shape = tuple(target._array.shape)
    scores, places = _checked("cross_entropy", input, target, weight)
    try:
        loss = cross_entropy_fused.emit(
            scores,
            places,
            weight,
            ignore_index=ignore_index,
            reduction=reduction,
            label_smoothing=float(label_smoothing),
        )[0]
    except DimensionError as error:
        raise _no_such_class("cross_entropy", input, target, ignore_index) from error
    return loss.reshape(shape) if reduction == "none" and len(shape) != 1 else loss


def _with_probabilities(
    input: Any, target: Any, weight: Any, ignore_index: int, reduction: str, smoothing: float
) -> Any:
    if target.dtype.category != FLOATING:
        raise DTypeError(
            "cross_entropy: a target of the shape of input holds probabilities and must be floating point, "
            f"got {target.dtype}"
        )
    if ignore_index >= 0:
        raise RangeError(f"cross_entropy: ignore_index={ignore_index} is not supported for probabilities")
    place = 1 if input.ndim > 1 else 0
    classes = input.shape[place] if input.ndim else 1
    if weight is not None and tuple(weight.shape) != (classes,):
        raise ShapeError(
            f"cross_entropy: expected a weight for each of {classes} classes, got shape {list(weight.shape)}"
        )
    if smoothing:
        target = target * (1 - smoothing) + smoothing / classes
    terms = log_softmax(input, place) * target
    if weight is not None:
        terms = terms * weight.reshape([-1 if d == place else 1 for d in range(input.ndim)])
    if reduction == "none":
        return -terms.sum(place)
    total = -terms.sum()
    return total if reduction == "sum" else total / (input.numel() // max(classes, 1))


@composite(
    namespaces=_F, ulp=32, operands=("input", "target"),
    samples=({"shapes": ((3, 4), (3,)), "dtypes": (None, "int64"), "domains": (None, (0, 4))},),
)  # fmt: skip
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Negative of the log-probability that ``input`` gives the class ``target``; dimension 1 is the classes'.

    Args:
        input: log-probabilities, (N, C, *sides) or (C,).
        target: int64 classes, (N, *sides).
        weight: (C,), weights of the classes, by whose sum ``"mean"`` divides.
        ignore_index: class that does not count.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``; ``size_average`` and ``reduce`` are its older form.

    Example:
        >>> log_probs = tc.tensor([[0.5, 0.25, 0.25], [0.2, 0.3, 0.5]]).log()
        >>> F.nll_loss(log_probs, tc.tensor([1, 2]), reduction="none"), F.nll_loss(log_probs, tc.tensor([1, -100]))
        (tensor([1.3863, 0.6931]), tensor(1.3863))
    """
    reduction = reduction_of("nll_loss", size_average, reduce, reduction)
    shape = tuple(target._array.shape)
    logs, places = _checked("nll_loss", input, target, weight)
    try:
        loss = nll_loss_fused.emit(logs, places, weight, ignore_index=ignore_index, reduction=reduction)[0]
    except DimensionError as error:
        raise _no_such_class("nll_loss", input, target, ignore_index) from error
    return loss.reshape(shape) if reduction == "none" and len(shape) != 1 else loss
