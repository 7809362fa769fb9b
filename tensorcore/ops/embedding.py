"""Tables looked up by index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tensorcore.autograd.mode import mode
from tensorcore.dtypes import int32, int64
from tensorcore.errors import DimensionError, DTypeError, RangeError, ShapeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.indexing import as_places, index, index_put, scatter
from tensorcore.ops.inplace import update_at
from tensorcore.ops.record import composite
from tensorcore.ops.rules import same

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_F: Final = ("nn.functional",)


def _embedding_rule(
    g: Any, input: Any, weight_shape: tuple[int, ...], padding_idx: int | None, scale_grad_by_freq: bool
) -> Any:
    return embedding_gradient.emit(
        g, input, count=weight_shape[0], padding_idx=padding_idx, scale_grad_by_freq=scale_grad_by_freq
    )


@composite(
    rule=same,
    promotes=("weight",),
    vjp=(None, _embedding_rule),
    namespaces=_F,
    ulp=0,
    samples=(
        {"shapes": ((2, 3), (5, 4)), "dtypes": ("int64", None), "domains": ((0, 5), None)},
        {
            "shapes": ((2, 3), (5, 4)),
            "dtypes": ("int64", None),
            "domains": ((0, 5), None),
            "padding_idx": 1,
            "scale_grad_by_freq": True,
        },
    ),
)
def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Rows of ``weight`` at the places ``input``; ``padding_idx`` gets no gradient.

    With ``max_norm``, the rows looked up whose ``norm_type``-norm exceeds it are first scaled down to it, in place.
    With ``sparse`` the gradient of ``weight`` is a COO tensor of the rows looked up.

    Raises:
        DimensionError: for an index that is not there.

    Example:
        >>> weight = tc.tensor([[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]])
        >>> F.embedding(tc.tensor([2, 0, 1]), weight)
        tensor([[3., 4.],
                [0., 0.],
                [1., 2.]])
        >>> F.embedding(tc.tensor([[1, 2, 0, 0]]), weight).shape
        tensorcore.Size([1, 4, 2])
    """
    if weight.ndim != 2:
        raise ShapeError(f"embedding: weight must have 2 dimensions, got shape {list(weight.shape)}")
    if input.dtype not in (int64, int32):
        raise DTypeError(
            f"embedding: expected indices of dtype int64 or int32, got {input.dtype} of shape {list(input.shape)}; "
            "convert them with .long()"
        )
    count = weight.shape[0]
    if padding_idx is not None:
        if not -count <= padding_idx < count:
            raise AssertionError(f"embedding: padding_idx {padding_idx} is out of range for {count} embeddings")
        padding_idx %= count
    places = as_places(input)
    if max_norm is not None:
        renormalize(weight, places, float(max_norm), norm_type)
    if sparse and mode.grad and weight._node is not None:
        from tensorcore.sparse.embedding import looked_up

        return looked_up(places, weight, padding_idx, scale_grad_by_freq)
    try:
        return embedding.emit(places, weight, padding_idx=padding_idx, scale_grad_by_freq=scale_grad_by_freq)
    except DimensionError as error:
        raise DimensionError(
            f"embedding: input of shape {list(input.shape)} holds indices from {places.min().item()} to "
            f"{places.max().item()}; weight of shape {list(weight.shape)} has {count} rows, so they must be from 0 "
            f"to {count - 1}"
        ) from error


@embedding.expression
def _embedding(input: Tensor, weight: Tensor, *, padding_idx: int | None, scale_grad_by_freq: bool) -> Tensor:
    return index.emit(weight, input)


def renormalize(weight: Any, places: Any, max_norm: float, norm_type: float) -> None:
    """Scale down the rows at ``places`` whose norm exceeds ``max_norm``, in place."""
    from tensorcore.ops.inplace import write
    from tensorcore.ops.matrix_norms import linalg_vector_norm as vector_norm

    recorded = mode.grad
    mode.grad = False
    try:
        flat = places.reshape(-1)
        used = index.emit(weight, flat)
        size = vector_norm(used, norm_type, 1, True)
        # The small number is PyTorch's, against division by zero.
        scale = e.where(e.gt(size, max_norm), max_norm / (size + 1e-7), 1)
        write(weight, index_put.emit(weight, used * scale, flat, accumulate=False), "embedding")
    finally:
        mode.grad = recorded


@composite(
    namespaces=(),
    operands=("grad", "input"),
    promotes=("grad",),
    ulp=8,
    samples=(
        {
            "shapes": ((2, 3, 4), (2, 3)),
            "dtypes": (None, "int64"),
            "domains": (None, (0, 5)),
            "count": 5,
            "padding_idx": None,
            "scale_grad_by_freq": False,
        },
    ),
)
def embedding_gradient(
    grad: Tensor, input: Tensor, *, count: int, padding_idx: int | None, scale_grad_by_freq: bool
) -> Tensor:
    """Sums of the rows of ``grad`` by the place in ``input`` each was looked up at: shape (``count``, width)."""
    return embedding_gradient.emit(
        grad, input, count=count, padding_idx=padding_idx, scale_grad_by_freq=scale_grad_by_freq
    )


@embedding_gradient.expression
def _embedding_gradient(
    grad: Tensor, input: Tensor, *, count: int, padding_idx: int | None, scale_grad_by_freq: bool
) -> Tensor:
    from tensorcore.ops.creation import full

    flat = input.reshape(-1)
    width = grad.shape[-1]
    spread = grad.reshape((flat.shape[0], width))
    kind = grad._kind
    if padding_idx is not None:
        spread = e.where(e.eq(flat, padding_idx).unsqueeze(1), 0, spread)
    if scale_grad_by_freq:
        one = kind.scalar(1.0).expand(flat.shape)
        often = index_put.emit(full.emit(kind=kind, shape=(count,), value=0.0), one, flat, accumulate=True)
        spread = spread / index.emit(often, flat).unsqueeze(1)
    empty = full.emit(kind=kind, shape=(count, width), value=0.0)
    return index_put.emit(empty, spread, flat, accumulate=True)


@composite(
    namespaces=_F, samples=({"shapes": ((2, 3),), "dtypes": ("int64",), "domains": ((0, 4),), "num_classes": 4},), ulp=0
)
def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """int64 rows of ``num_classes`` zeros with a 1 at the place each element names; -1 counts the classes met.

    Example:
        >>> F.one_hot(tc.tensor([1, 0, 2]))
        tensor([[0, 1, 0],
                [1, 0, 0],
                [0, 0, 1]])
        >>> F.one_hot(tc.tensor(1), 4)
        tensor([0, 1, 0, 0])
    """
    if tensor.dtype is not int64:
        raise DTypeError(f"one_hot: expected an int64 tensor, got {tensor.dtype}")
    if num_classes == -1:
        if tensor.numel() == 0:
            raise ShapeError("one_hot: the number of classes cannot be counted in an empty tensor; give num_classes")
        num_classes = int(tensor.amax().item()) + 1
    if num_classes < 1:
        raise RangeError(f"one_hot: num_classes must be positive, got {num_classes}")
    try:
        return one_hot.emit(tensor, num_classes=num_classes)
    except DimensionError as error:
        raise RangeError(f"one_hot: classes must lie in [0, {num_classes}): {error}") from None


@one_hot.expression
def _one_hot(tensor: Tensor, *, num_classes: int) -> Tensor:
    from tensorcore.ops.creation import full

    kind = tensor._kind
    places = tensor.unsqueeze(-1)
    zeros = full.emit(kind=kind, shape=(*tensor._array.shape, num_classes), value=0)
    ones = kind.scalar(1).expand(places.shape)
    # The zeros are new, so they are written to where that can be.
    if update_at(scatter, zeros, (places, ones), "one_hot", dim=tensor.ndim, reduce="set"):
        return zeros
    return scatter.emit(zeros, places, ones, dim=tensor.ndim, reduce="set")


__all__ = ["embedding", "one_hot"]
