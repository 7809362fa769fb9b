"""Distances and angles between vectors, and the losses made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import int64
from tensorcore.errors import DTypeError, RangeError, ShapeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.loss import reduced, reduction_of
from tensorcore.ops.matrix_norms import linalg_vector_norm as vector_norm
from tensorcore.ops.record import composite
from tensorcore.shapes import broadcast_shapes, normalize_dim

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_F: Final = ("nn.functional",)
_BOTH: Final = ("nn.functional", "")


def _above_zero(x: Any) -> Any:
    return e.where(e.lt(x, 0), 0, x)


@composite(
    namespaces=_F, samples=({"shapes": ((3, 4),)}, {"shapes": ((3, 4),), "p": 1.0, "dim": 0}), ulp=16, domain=(0.5, 4)
)
def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Any = None) -> Tensor:
    """Each vector along ``dim`` over its ``p``-norm, or over ``eps`` where that is larger."""
    size = vector_norm(input, p, dim, True)
    result = input / e.where(e.lt(size, eps), eps, size)
    if out is not None:
        from tensorcore.ops.inplace import write_out

        return write_out(out, result)
    return result


@composite(
    namespaces=_BOTH,
    samples=({"shapes": ((3, 4), (3, 4))}, {"shapes": ((3, 4), (4,)), "p": 1.0, "keepdim": True}),
    ulp=16,
)
def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """``p``-norm over the last dimension of ``x1 - x2 + eps``."""
    return vector_norm(x1 - x2 + eps, p, -1, keepdim)


@composite(namespaces=_BOTH, samples=({"shapes": ((3, 4), (3, 4))}, {"shapes": ((3, 4), (4,)), "dim": -1}), ulp=16)
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Cosine of the angle between vectors along ``dim``, whose norms count at least ``eps``."""
    try:
        shape = broadcast_shapes(x1.shape, x2.shape)
    except ShapeError as error:
        raise ShapeError(f"cosine_similarity: {error}") from None
    for x in (x1, x2):
        if not x.is_floating_point():
            raise DTypeError(f"cosine_similarity: expected floating-point tensors, got {x1.dtype} and {x2.dtype}")
    place = normalize_dim(dim, len(shape), "cosine_similarity")
    units = []
    for x in (x1, x2):
        wide = x if x.shape == shape else x.expand(shape)
        size = vector_norm(wide, 2, place, True)
        units.append(wide / e.where(e.lt(size, eps), eps, size))
    return (units[0] * units[1]).sum(place)


@composite(
    namespaces=_BOTH,
    samples=({"shapes": ((3, 4), (3, 4), (3,)), "dtypes": (None, None, "int64"), "domains": (None, None, (1, 2))},),
    ulp=32,
)
def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """One less the cosine for pairs with target 1; for -1, the cosine's excess over ``margin``."""
    reduction = reduction_of("cosine_embedding_loss", size_average, reduce, reduction)
    if target.ndim > 1 or input1.ndim != target.ndim + 1 or input2.ndim != input1.ndim:
        raise ShapeError(
            f"cosine_embedding_loss: inputs of shapes {list(input1.shape)} and {list(input2.shape)} do not fit "
            f"a target of shape {list(target.shape)}: expected (N, D), (N, D) and (N,), or (D,), (D,) and ()"
        )
    if input1.shape != input2.shape and input1.ndim == 1:
        raise ShapeError(f"cosine_embedding_loss: shapes {list(input1.shape)} and {list(input2.shape)} differ")
    product = (input1 * input2).sum(-1)
    # PyTorch's guard against division by zero in this loss.
    scale = ((input1 * input1).sum(-1) + 1e-12) * ((input2 * input2).sum(-1) + 1e-12)
    cosine = product / e.sqrt(scale)
    terms = e.where(e.eq(target, 1), 1 - cosine, 0) + e.where(e.eq(target, -1), _above_zero(cosine - margin), 0)
    return reduced(terms, reduction)


@composite(namespaces=_BOTH, samples=({"shapes": ((5,), (5,), (5,))},), ulp=8)
def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """What ``target * (input1 - input2)`` falls short of ``margin``, for targets 1 and -1."""
    reduction = reduction_of("margin_ranking_loss", size_average, reduce, reduction)
    if not input1.ndim == input2.ndim == target.ndim:
        shapes = ", ".join(str(list(x.shape)) for x in (input1, input2, target))
        raise ShapeError(f"margin_ranking_loss: expected as many dimensions in each, got shapes {shapes}")
    return reduced(_above_zero(-target * (input1 - input2) + margin), reduction)


@composite(namespaces=_BOTH, samples=({"shapes": ((3, 4), (3, 4)), "domains": (None, (1, 1))},), ulp=8)
def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Distances ``input`` themselves for target 1; for -1, what they fall short of ``margin``."""
    reduction = reduction_of("hinge_embedding_loss", size_average, reduce, reduction)
    apart = e.where(e.ne(target, 1), _above_zero(margin - input), 0)
    return reduced(apart + e.where(e.ne(target, -1), input, 0), reduction)


def _triplet(
    op: str,
    anchor: Any,
    positive: Any,
    negative: Any,
    distance: Callable[..., Any],
    margin: float,
    swap: bool,
    reduction: str,
) -> Any:
    if margin <= 0:
        raise RangeError(f"{op}: margin must be positive, got {margin}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        shapes = ", ".join(str(list(x.shape)) for x in (anchor, positive, negative))
        raise ShapeError(f"{op}: expected as many dimensions in each, got shapes {shapes}")
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = e.minimum(far, distance(positive, negative))
    return reduced(_above_zero(near - far + margin), reduction)


@composite(
    namespaces=_BOTH,
    samples=({"shapes": ((3, 4), (3, 4), (3, 4))}, {"shapes": ((3, 4), (3, 4), (3, 4)), "swap": True}),
    ulp=16,
)
def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2, eps: float = 1e-6,
    swap: bool = False, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """What the distance to ``negative`` (``swap``: of the nearer two) lacks of that to ``positive`` plus ``margin``."""
    reduction = reduction_of("triplet_margin_loss", size_average, reduce, reduction)

    def distance(first: Any, second: Any) -> Any:
        return pairwise_distance(first, second, p, eps)

    return _triplet("triplet_margin_loss", anchor, positive, negative, distance, margin, swap, reduction)


@composite(namespaces=_F, samples=({"shapes": ((3, 4), (3, 4), (3, 4))},), ulp=16)
def triplet_margin_with_distance_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, *, distance_function: Callable[..., Any] | None = None,
    margin: float = 1.0, swap: bool = False, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """`triplet_margin_loss` with a distance of one's own."""
    reduction = reduction_of("triplet_margin_with_distance_loss", None, None, reduction)
    name = "triplet_margin_with_distance_loss"
    return _triplet(name, anchor, positive, negative, distance_function or pairwise_distance, margin, swap, reduction)


@composite(
    namespaces=_F, samples=({"shapes": ((3, 4), (3,)), "dtypes": (None, "int64"), "domains": (None, (0, 4))},), ulp=16,
    operands=("input", "target"),
)  # fmt: skip
def multi_margin_loss(
    input: Tensor, target: Tensor, p: int = 1, margin: float = 1.0, weight: Tensor | None = None,
    size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """What the score of class ``target`` lacks of each other's plus ``margin``, to the power ``p``, averaged."""
    reduction = reduction_of("multi_margin_loss", size_average, reduce, reduction)
    if p not in (1, 2):
        raise RangeError(f"multi_margin_loss: p must be 1 or 2, got {p}")
    if target.dtype is not int64:
        raise DTypeError(f"multi_margin_loss: target must be int64, got {target.dtype}")
    scores = input if input.ndim == 2 else input.unsqueeze(0)
    places = target.reshape(-1)
    if scores.ndim != 2 or target.ndim > 1 or places.shape[0] != scores.shape[0]:
        raise ShapeError(
            f"multi_margin_loss: input of shape {list(input.shape)} does not fit target of shape {list(target.shape)}"
        )
    if weight is not None and weight.numel() != scores.shape[1]:
        raise ShapeError(f"multi_margin_loss: expected {scores.shape[1]} weights, got shape {list(weight.shape)}")
    own = scores.gather(1, places.unsqueeze(1))
    short = _above_zero(margin - own + scores)
    if p == 2:
        short = short * short
    if weight is not None:
        short = short * weight[places].unsqueeze(1)
    from tensorcore.ops.embedding import one_hot

    others = e.where(one_hot(places, scores.shape[1]).bool(), 0, short)
    terms = others.sum(1) / scores.shape[1]
    return reduced(terms if target.ndim else terms.reshape(()), reduction)
