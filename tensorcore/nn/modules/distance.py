"""Similarity and distance of vectors."""

from __future__ import annotations

from tensorcore.nn import functional as F
from tensorcore.nn.modules.module import Module
from tensorcore.tensor import Tensor

__all__ = ["CosineSimilarity", "PairwiseDistance"]


class CosineSimilarity(Module):
    """Cosine of the angle between two tensors along dimension ``dim``; ``eps`` is the smallest norm.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.CosineSimilarity(dim=0)(tc.tensor([1.0, 0.0]), tc.tensor([0.0, 2.0]))
        tensor(0.)
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """``p``-norm of the difference of two tensors along the last dimension; ``eps`` is added to the difference.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.PairwiseDistance(eps=0.0)(tc.tensor([[3.0, 4.0]]), tc.zeros(1, 2))
        tensor([5.])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
