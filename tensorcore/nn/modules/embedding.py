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


class _Table(Module):
    """What layers that look rows up have in common: the table, and the row that stays 0."""

    num_embeddings: int
    embedding_dim: int
    padding_idx: int | None
    weight: Tensor

    def _padding_place(self, padding_idx: int | None) -> int | None:
        """``padding_idx`` counted from the front."""
        if padding_idx is None:
            return None
        count = self.num_embeddings
        if not -count <= padding_idx < count:
            name = type(self).__name__
            raise AssertionError(f"{name}: padding_idx {padding_idx} is not within {count} embeddings")
        return padding_idx % count

    def _make_table(self, weight: Tensor | None, trained: bool, device: Any, dtype: Any) -> None:
        shape = [self.num_embeddings, self.embedding_dim]
        if weight is not None:
            if list(weight.shape) != shape:
                name = type(self).__name__
                raise ShapeError(f"{name}: the weight has shape {list(weight.shape)}, expected {shape}")
            self.weight = Parameter(weight, requires_grad=trained)
            return
        self.weight = Parameter(empty(*shape, device=device, dtype=dtype), requires_grad=trained)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the table anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx].fill_(0)


class Embedding(_Table):
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
        self.padding_idx = self._padding_place(padding_idx)
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        self._make_table(_weight, not _freeze, device, dtype)

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


class EmbeddingBag(_Table):
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
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset
        self.padding_idx = self._padding_place(padding_idx)
        self._make_table(_weight, True, device, dtype)

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
