"""Adaptive softmax: frequent classes first, rare ones in clusters (Grave et al. 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from tensorcore.errors import RangeError, ShapeError
from tensorcore.nn import functional as F
from tensorcore.nn.modules.container import ModuleList, Sequential
from tensorcore.nn.modules.linear import Linear
from tensorcore.nn.modules.module import Module
from tensorcore.ops.elementwise import where
from tensorcore.ops.movement import cat
from tensorcore.tensor import Tensor

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class _ASMoutput(NamedTuple):
    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-probabilities of ``n_classes`` classes sorted by falling frequency, at less cost than all scores.

    Args:
        in_features: width of the input.
        cutoffs: where clusters begin: classes below the first have scores of their own, the others' share one by
            cluster, times those within the cluster.
        div_value: by how much the width falls from one cluster to the next.
        head_bias: whether the first scores have a bias.

    Attributes:
        head: a `Linear` for the frequent classes and the clusters.
        tail: for each cluster two `Linear`, of smaller and smaller width.

    Raises:
        ValueError: for cutoffs that are not unique, positive, growing and below ``n_classes``.

    Example:
        >>> import tensorcore as tc
        >>> softmax = tc.nn.AdaptiveLogSoftmaxWithLoss(4, 6, [2])
        >>> softmax(tc.ones(3, 4), tc.tensor([0, 3, 5])).output.shape
        tensorcore.Size([3])
    """

    def __init__(
        self, in_features: int, n_classes: int, cutoffs: Sequence[int], div_value: float = 4.0,
        head_bias: bool = False, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        given = list(cutoffs)
        grows = all(a < b for a, b in pairwise(given))
        if not given or not grows or given[0] <= 0 or given[-1] > n_classes - 1 or any(int(c) != c for c in given):
            raise ValueError(
                "AdaptiveLogSoftmaxWithLoss: cutoffs should be a sequence of unique, positive integers sorted in "
                f"increasing order, each between 1 and n_classes - 1 = {n_classes - 1}; got {given}"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*given, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = given[0]
        self.n_clusters = len(given)
        self.head_size = self.shortlist_size + self.n_clusters
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, bias=head_bias, **made)
        self.tail = ModuleList()
        for place, (low, high) in enumerate(pairwise(self.cutoffs)):
            width = int(in_features // div_value ** (place + 1))
            self.tail.append(
                Sequential(
                    Linear(in_features, width, bias=False, **made), Linear(width, high - low, bias=False, **made)
                )
            )

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        self.head.reset_parameters()
        for inner, outer in self.tail:
            inner.reset_parameters()
            outer.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> _ASMoutput:
        """The log-probability of each target, and minus their mean."""
        shapes = f"input {list(input_.shape)}, target {list(target_.shape)}"
        if target_.dim() > 1 or input_.dim() != target_.dim() + 1 or input_.shape[:-1] != target_.shape:
            raise ShapeError(
                f"AdaptiveLogSoftmaxWithLoss: expected an input (N, features) and N targets, or (features) and one; "
                f"got {shapes}"
            )
        single = target_.dim() == 0
        input, target = (input_.unsqueeze(0), target_.unsqueeze(0)) if single else (input_, target_)
        if len(target) and not (int(target.min()) >= 0 and int(target.max()) < self.n_classes):
            raise RangeError(
                f"AdaptiveLogSoftmaxWithLoss: targets should be in [0, {self.n_classes - 1}], but are from "
                f"{int(target.min())} to {int(target.max())}"
            )
        logs = F.log_softmax(self.head(input), dim=1)
        # The head's score of each target: its own, or its cluster's.
        column = target
        parts: list[tuple[Tensor, Tensor]] = []
        for place, (low, high) in enumerate(pairwise(self.cutoffs)):
            inside = (target >= low) & (target < high)
            column = where(inside, self.shortlist_size + place, column)
            rows = inside.nonzero().squeeze(1)
            if len(rows):
                own = F.log_softmax(self.tail[place](input.index_select(0, rows)), dim=1)
                parts.append((rows, own.gather(1, (target[rows] - low).unsqueeze(1)).squeeze(1)))
        output = logs.gather(1, column.unsqueeze(1)).squeeze(1)
        for rows, values in parts:
            output = output.index_add(0, rows, values)
        loss = (-output).mean()
        return _ASMoutput(output.squeeze(0) if single else output, loss)

    def log_prob(self, input: Tensor) -> Tensor:
        """Log-probabilities of all classes: (N, n_classes).

        Example:
            >>> import tensorcore as tc
            >>> tc.nn.AdaptiveLogSoftmaxWithLoss(4, 6, [2]).log_prob(tc.ones(3, 4)).shape
            tensorcore.Size([3, 6])
        """
        logs = F.log_softmax(self.head(input), dim=1)
        parts = [logs[:, : self.shortlist_size]]
        for place, cluster in enumerate(self.tail):
            shared = logs[:, self.shortlist_size + place].unsqueeze(1)
            parts.append(F.log_softmax(cluster(input), dim=1) + shared)
        return cat(parts, 1)

    def predict(self, input: Tensor) -> Tensor:
        """The most probable class of each sample: (N), int64.

        Example:
            >>> import tensorcore as tc
            >>> tc.nn.AdaptiveLogSoftmaxWithLoss(4, 6, [2]).predict(tc.ones(3, 4)).shape
            tensorcore.Size([3])
        """
        best = self.head(input).argmax(1)
        open_ = (best >= self.shortlist_size).nonzero().squeeze(1)
        if not len(open_):
            return best
        found = self.log_prob(input.index_select(0, open_)).argmax(1)
        return best.index_copy(0, open_, found)
