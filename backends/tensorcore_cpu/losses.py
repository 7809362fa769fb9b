"""Kernels of the losses of classifiers: the expressions in ops without the arrays that only a sum is made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore.dtypes import by_name
from tensorcore_cpu.jit.powers import scaled_powers

#: By dtype.
_log_softmaxes: dict[Any, Any] = {}


class LossKernels:
    """The part of the backend that overrides composites of losses."""

    #: Of the backend.
    kernel: Any

    def _log_softmax_of(self, dtype: Any) -> Any:
        """The kernel that the op has, which may be compiled."""
        found = _log_softmaxes.get(dtype)
        if found is None:
            found = _log_softmaxes[dtype] = self.kernel("log_softmax", by_name(dtype.name), 0)
        return found

    def nll_loss_fused(
        self, input: Array, target: Array, weight: Array | None = None, *, ignore_index: int, reduction: str
    ) -> tuple[Array, Array]:
        terms, total = _terms(input, target, weight, ignore_index)
        return _reduced(terms, total, reduction), total

    def cross_entropy_fused(
        self, input: Array, target: Array, weight: Array | None = None, *, ignore_index: int, reduction: str,
        label_smoothing: float,
    ) -> tuple[Array, Array, Array]:  # fmt: skip
        logs = self._log_softmax_of(input.dtype)(input, dim=1)
        terms, total = _terms(logs, target, weight, ignore_index)
        if label_smoothing:
            weighted = logs if weight is None else logs * weight
            smooth = np.add.reduce(weighted, 1) * (target != ignore_index)
            terms = terms * (1 - label_smoothing) - smooth * (label_smoothing / logs.shape[1])
        return _reduced(terms, total, reduction), logs, total

    def cross_entropy_gradient(
        self, grad: Array, log_probs: Array, target: Array, weight: Array | None, total: Array, *, ignore_index: int,
        reduction: str, label_smoothing: float,
    ) -> Array:  # fmt: skip
        if weight is None and not label_smoothing and _all_count(target, log_probs, ignore_index):
            each = grad / total if reduction == "mean" else grad
            if each.ndim == 0:
                out = scaled_powers(log_probs, each)
                if out is None:
                    out = np.exp(log_probs)
                    out *= each
            else:
                out = np.exp(log_probs)
                out *= each[:, None]
            out[np.arange(len(target)), target] -= each
            return out
        held, factor, rows = _counted(log_probs, target, weight, ignore_index)
        # Where nothing counts the loss is NaN, but no score has a part in it.
        each = grad / total if reduction == "mean" and total != 0 else grad
        hard = factor * each
        if label_smoothing:
            hard *= 1 - label_smoothing
        out = np.exp(log_probs)
        if not label_smoothing:
            out *= hard[:, None]
            out[rows, held] -= hard
            return out
        classes = log_probs.shape[1]
        soft = (target != ignore_index) * (each * log_probs.dtype.type(label_smoothing / classes))
        share = classes if weight is None else np.add.reduce(weight)
        out *= (hard + soft * share)[:, None]
        out -= soft[:, None] if weight is None else soft[:, None] * weight
        out[rows, held] -= hard
        return out


def _terms(logs: Array, target: Array, weight: Array | None, ignore_index: int) -> tuple[Array, Array]:
    """Each row's term of the loss, and the sum of the rows' factors."""
    if weight is None and _all_count(target, logs, ignore_index):
        return np.negative(logs[np.arange(len(target)), target]), np.array(len(target), logs.dtype)
    held, factor, rows = _counted(logs, target, weight, ignore_index)
    terms = logs[rows, held]
    terms *= factor
    return np.negative(terms, out=terms), np.asarray(np.add.reduce(factor))


def _reduced(terms: Array, total: Array, reduction: str) -> Array:
    if reduction == "none":
        return terms
    loss = np.add.reduce(terms)
    return np.asarray(loss / total if reduction == "mean" else loss)


def _all_count(target: Array, logs: Array, ignore_index: int) -> bool:
    """Whether all targets are classes, and none is ignored."""
    if target.dtype != np.int64 or not target.size:
        return False
    # Read without a sign, a negative number is larger than any class.
    classes = logs.shape[1]
    if np.maximum.reduce(target.view(np.uint64)) >= classes:
        return False
    return not 0 <= ignore_index < classes or ignore_index not in target


def _counted(logs: Array, target: Array, weight: Array | None, ignore_index: int) -> tuple[Array, Array, Array]:
    """Classes to look up, each row's factor (its class's weight, 0 where ignored), and the rows' numbers."""
    kept = target != ignore_index
    held = np.where(kept, target, 0)
    if held.size and not (held.min() >= 0 and held.max() < logs.shape[1]):
        raise IndexError(f"targets from {held.min()} to {held.max()} are out of range for {logs.shape[1]} classes")
    factor = kept.astype(logs.dtype)
    if weight is not None:
        factor *= weight[held]
    return held, factor, np.arange(len(held))
