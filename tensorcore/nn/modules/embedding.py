"""Embeddings: rows of a table looked up by index."""

from __future__ import annotations

from typing import Any

from tensorcore.autograd.mode import no_grad
from tensorcore.errors import ShapeError
from tensorcore.nn import functional as F
from tensorcore.nn import init
from tensorcore.nn.modules.module import Module
from tensorcore.nn.parameter import Parameter
from tensorcore.ops.creation import empty
from tensorcore.tensor import Tensor

__all__ = ["Embedding", "EmbeddingBag"]


class Embedding(Module):
    """A table of ``num_embeddings`` vectors of ``embedding_dim`` elements, looked up by integer tensors.

    Attributes:
        weight: (num_embeddings, embedding_dim), drawn from the standard normal distribution; row ``padding_idx`` is
            0 and gets no gradient.

    Raises:
        AssertionError: for a ``padding_idx`` outside the table.
        ShapeError: for a given ``_weight`` of another shape.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Embedding(10, 3)(tc.tensor([[1, 2], [4, 3]])).shape
        tensorcore.Size([2, 2, 3])
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None, max_norm: float | None = None,
        norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False,
        _weight: Tensor | None = None, _freeze: bool = False, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise AssertionError(f"Embedding: padding_idx {padding_idx} is not within {num_embeddings} embeddings")
            padding_idx %= num_embeddings
        self.padding_idx = padding_idx
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        if _weight is None:
            made = empty(num_embeddings, embedding_dim, device=device, dtype=dtype)
            self.weight = Parameter(made, requires_grad=not _freeze)
            self.reset_parameters()
        else:
            if list(_weight.shape) != [num_embeddings, embedding_dim]:
                raise ShapeError(
                    f"Embedding: the weight has shape {list(_weight.shape)}, expected {[num_embeddings, embedding_dim]}"
                )
            self.weight = Parameter(_weight, requires_grad=not _freeze)

    def reset_parameters(self) -> None:
        """Draw the table anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx].fill_(0)

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None, max_norm: float | None = None,
        norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False,
    ) -> Embedding:  # fmt: skip
        """A layer over a given table (num_embeddings, embedding_dim), by default not trained.

        Raises:
            ShapeError: unless the table has two dimensions.

        Example:
            >>> import tensorcore as tc
            >>> tc.nn.Embedding.from_pretrained(tc.tensor([[1.0, 2.0], [3.0, 4.0]]))(tc.tensor([1]))
            tensor([[3., 4.]])
        """
        if embeddings.dim() != 2:
            raise ShapeError(f"Embedding.from_pretrained: expected a 2-d table, got shape {list(embeddings.shape)}")
        rows, columns = embeddings.shape
        return cls(
            rows, columns, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse,
            _weight=embeddings, _freeze=freeze,
        )  # fmt: skip

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse
        )

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        for name, default in (
            ("padding_idx", None), ("max_norm", None), ("norm_type", 2.0), ("scale_grad_by_freq", False),
            ("sparse", False),
        ):  # fmt: skip
            value = getattr(self, name)
            if value != default:
                text += f", {name}={value}"
        return text


class EmbeddingBag(Module):
    """Sums, means or maxima of bags of embeddings, without the embeddings between.

    Args:
        mode: ``"sum"``, ``"mean"`` or ``"max"``; see `functional.embedding_bag` for the other arguments.

    Attributes:
        weight: (num_embeddings, embedding_dim), drawn from the standard normal distribution; row ``padding_idx`` is
            0 and takes no part.

    Raises:
        AssertionError: for a ``padding_idx`` outside the table.
        ShapeError: for a given ``_weight`` of another shape.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.EmbeddingBag(10, 3, mode="sum")(tc.tensor([[1, 2], [4, 3]])).shape
        tensorcore.Size([2, 3])
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, max_norm: float | None = None, norm_type: float = 2.0,
        scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False, _weight: Tensor | None = None,
        include_last_offset: bool = False, padding_idx: int | None = None, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise AssertionError(
                    f"EmbeddingBag: padding_idx {padding_idx} is not within {num_embeddings} embeddings"
                )
            padding_idx %= num_embeddings
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset
        self.padding_idx = padding_idx
        if _weight is None:
            self.weight = Parameter(empty(num_embeddings, embedding_dim, device=device, dtype=dtype))
            self.reset_parameters()
        else:
            if list(_weight.shape) != [num_embeddings, embedding_dim]:
                raise ShapeError(
                    f"EmbeddingBag: the weight has shape {list(_weight.shape)}, expected "
                    f"{[num_embeddings, embedding_dim]}"
                )
            self.weight = Parameter(_weight)

    def reset_parameters(self) -> None:
        """Draw the table anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx].fill_(0)

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, max_norm: float | None = None, norm_type: float = 2.0,
        scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False, include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> EmbeddingBag:  # fmt: skip
        """A layer over a given table (num_embeddings, embedding_dim), by default not trained.

        Raises:
            ShapeError: unless the table has two dimensions.

        Example:
            >>> import tensorcore as tc
            >>> tc.nn.EmbeddingBag.from_pretrained(tc.tensor([[1.0, 2.0], [3.0, 4.0]]))(tc.tensor([[0, 1]]))
            tensor([[2., 3.]])
        """
        if embeddings.dim() != 2:
            raise ShapeError(f"EmbeddingBag.from_pretrained: expected a 2-d table, got shape {list(embeddings.shape)}")
        rows, columns = embeddings.shape
        made = cls(
            rows, columns, max_norm, norm_type, scale_grad_by_freq, mode, sparse, embeddings, include_last_offset,
            padding_idx,
        )  # fmt: skip
        made.weight.requires_grad = not freeze
        return made

    def forward(self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None) -> Tensor:
        return F.embedding_bag(
            input, self.weight, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.mode, self.sparse,
            per_sample_weights, self.include_last_offset, self.padding_idx,
        )  # fmt: skip

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        for name, default in (
            ("max_norm", None), ("norm_type", 2.0), ("scale_grad_by_freq", False), ("mode", None),
            ("padding_idx", None),
        ):  # fmt: skip
            value = getattr(self, name)
            if value != default:
                text += f", {name}={value!r}" if name == "mode" else f", {name}={value}"
        return text
