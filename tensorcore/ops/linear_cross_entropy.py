"""Cross entropy of a linear map, such as a language model's loss over its vocabulary.

A part of the samples is a record of its own, whose gradient computes the scores anew: then only one part's scores exist
at a time.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import int64
from tensorcore.errors import ArgumentError, RangeError, ShapeError
from tensorcore.ops.cross_entropy import cross_entropy, cross_entropy_fused, cross_entropy_gradient
from tensorcore.ops.linalg import matmul
from tensorcore.ops.linear import linear
from tensorcore.ops.movement import cat
from tensorcore.ops.record import composite
from tensorcore.ops.rules import inexact

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_NAME = "linear_cross_entropy"
_CLASSES = {"dtypes": (None, None, "int64"), "domains": (None, None, (0, 5))}


def _part_rule(
    g: Any, input: Any, linear_weight: Any, target: Any, linear_bias: Any, weight: Any, ignore_index: int,
    reduction: str, label_smoothing: float,
) -> Any:  # fmt: skip
    facts: dict[str, Any] = {
        "ignore_index": ignore_index, "reduction": reduction, "label_smoothing": label_smoothing
    }  # fmt: skip
    scores = linear(input, linear_weight, linear_bias)
    _, logs, total = cross_entropy_fused.emit(scores, target, weight, **facts)
    grad = cross_entropy_gradient.emit(g, logs, target, weight, total, **facts).to(input.dtype)
    shift = None if linear_bias is None else grad.sum(0)
    return matmul(grad, linear_weight), matmul(grad.transpose(0, 1), input), None, shift, None


@composite(
    rule=inexact, promotes=("input", "linear_weight", "linear_bias", "weight"), vjp=_part_rule, joint=True,
    namespaces=(), ulp=128,
    samples=tuple(
        {"shapes": ((3, 4), (5, 4), (3,), (5,), (5,)), "dtypes": (None, None, "int64", None, None),
         "domains": (None, None, (0, 5), None, (0.5, 2)), "ignore_index": 1, "reduction": how, "label_smoothing": much}
        for how, much in (("sum", 0.1), ("none", 0.0))
    ),
)  # fmt: skip
def linear_cross_entropy_part(
    input: Tensor, linear_weight: Tensor, target: Tensor, linear_bias: Tensor | None = None,
    weight: Tensor | None = None, *, ignore_index: int, reduction: str, label_smoothing: float,
) -> Tensor:  # fmt: skip
    """`cross_entropy` of ``linear(input, linear_weight, linear_bias)`` and int64 targets, whose scores are not kept."""
    return linear_cross_entropy_part.emit(
        input, linear_weight, target, linear_bias, weight, ignore_index=ignore_index, reduction=reduction,
        label_smoothing=label_smoothing,
    )  # fmt: skip


@linear_cross_entropy_part.expression
def _linear_cross_entropy_part(
    input: Any, linear_weight: Any, target: Any, linear_bias: Any = None, weight: Any = None, **facts: Any
) -> Any:
    loss = cross_entropy_fused.emit(linear(input, linear_weight, linear_bias), target, weight, **facts)[0]
    return loss.to(input.dtype)


def _check(input: Any, weight: Any, bias: Any, reduction: str) -> None:
    x, w = list(input.shape), list(weight.shape)
    if len(x) not in (1, 2) or len(w) < 2 or x[-1] != w[-1]:
        raise ShapeError(
            f"{_NAME}: input of shape {x} does not fit linear_weight of shape {w}: expected (N, in) or (in), and "
            "(classes, ..., in)"
        )
    if len(w) > 2 and len(x) == 1:
        raise ShapeError(f"{_NAME}: linear_weight of shape {w} needs a batched input (N, {w[-1]}), got shape {x}")
    if bias is not None and list(bias.shape) != w[:-1]:
        raise ShapeError(f"{_NAME}: expected linear_bias of shape {w[:-1]}, got {list(bias.shape)}")
    if reduction not in ("none", "mean", "sum"):
        raise RangeError(f"{_NAME}: reduction must be 'none', 'mean' or 'sum', got {reduction!r}")


@composite(
    namespaces=("nn.functional",), ulp=64, operands=("input", "linear_weight", "target"),
    samples=(
        {"shapes": ((3, 4), (5, 4), (3,)), **_CLASSES},
        {"shapes": ((3, 4), (5, 4), (3,)), "reduction": "sum", "label_smoothing": 0.1, **_CLASSES},
    ),
)  # fmt: skip
def linear_cross_entropy(
    input: Tensor, linear_weight: Tensor, target: Tensor, *, linear_bias: Tensor | None = None,
    weight: Tensor | None = None, reduction: str = "mean", ignore_index: int | None = None,
    label_smoothing: float = 0.0, options: Any = None,
) -> Tensor:  # fmt: skip
    """`cross_entropy` of ``linear(input, linear_weight, linear_bias)``.

    ``linear_weight`` is (classes, in), or (classes, *sides, in) for a loss of ``sides`` per sample. With ``options``
    (`nn.LinearCrossEntropyOptions`) some samples are taken at a time, in forward and backward, and the scores of those
    alone are held; that goes with class indices and without ``sides``.

    >>> tc.nn.functional.linear_cross_entropy(tc.zeros(3, 4), tc.ones(2, 4), tc.tensor([0, 1, 1]))
    tensor(0.6931)
    """
    _check(input, linear_weight, linear_bias, reduction)
    if options is not None and not hasattr(options, "rows"):
        raise ArgumentError(f"{_NAME}: options must be LinearCrossEntropyOptions, got {type(options).__name__}")
    classes, *sides, width = linear_weight.shape
    ignored = -100 if ignore_index is None else ignore_index
    if options is not None and (sides or input.ndim == 1 or target.dtype is not int64):
        warnings.warn(
            f"{_NAME}: options need class indices for a batch (N, {width}) and a linear_weight of 2 dimensions; got "
            f"input {list(input.shape)}, linear_weight {list(linear_weight.shape)} and target {target.dtype}; all "
            "scores are computed at once",
            UserWarning,
            stacklevel=2,
        )
        options = None
    if options is None or not len(input) or tuple(target.shape) != tuple(input.shape[:1]):
        flat = linear_weight.reshape(-1, width) if sides else linear_weight
        scores = linear(input, flat, linear_bias.reshape(-1) if sides and linear_bias is not None else linear_bias)
        return cross_entropy(
            scores.reshape(len(input), classes, *sides) if sides else scores, target, weight, ignore_index=ignored,
            reduction=reduction, label_smoothing=label_smoothing,
        )  # fmt: skip
    step = options.rows(len(input), width, classes)
    parts = [
        linear_cross_entropy_part.emit(
            input[at : at + step], linear_weight, target[at : at + step], linear_bias, weight, ignore_index=ignored,
            reduction="none" if reduction == "none" else "sum", label_smoothing=float(label_smoothing),
        )
        for at in range(0, len(input), step)
    ]  # fmt: skip
    if reduction == "none":
        return cat(parts)
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    if reduction == "sum":
        return total
    kept = target != ignored
    return total / (kept if weight is None else weight[target.where(kept, 0)] * kept).sum()


__all__ = ["linear_cross_entropy"]
