"""Losses of detection."""

from __future__ import annotations

import tensorcore as tc
from tensorcore.nn import functional as nnf

__all__ = ["sigmoid_focal_loss"]


def sigmoid_focal_loss(
    inputs: tc.Tensor, targets: tc.Tensor, alpha: float = 0.25, gamma: float = 2, reduction: str = "none"
) -> tc.Tensor:
    """Binary cross-entropy in which examples that are right already count little.

    Args:
        inputs: logits of any shape.
        targets: of the same shape, 0 or 1.
        alpha: weight of the examples of class 1, or -1 for equal weights.
        gamma: how little examples count that are right.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Raises:
        ValueError: for a weight outside 0 to 1, or an unknown reduction.

    Source: Lin et al.: Focal loss for dense object detection, arXiv:1708.02002.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.ops import sigmoid_focal_loss
        >>> sigmoid_focal_loss(tc.tensor([4.0, -4.0]), tc.tensor([1.0, 1.0]))
        tensor([1.4679e-06, 9.6873e-01])
    """
    if not 0 <= alpha <= 1 and alpha != -1:
        raise ValueError(f"sigmoid_focal_loss: alpha goes from 0 to 1, or is -1 for none, got {alpha}")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"sigmoid_focal_loss: reduction is none, mean or sum, got {reduction!r}")
    chance = inputs.sigmoid()
    right = chance * targets + (1 - chance) * (1 - targets)
    loss = nnf.binary_cross_entropy_with_logits(inputs, targets, reduction="none") * (1 - right) ** gamma
    if alpha >= 0:
        loss = (alpha * targets + (1 - alpha) * (1 - targets)) * loss
    return loss if reduction == "none" else loss.mean() if reduction == "mean" else loss.sum()
