"""Distances and angles between vectors, and the losses made of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import FLOATING, bool_, int64
from tensorcore.errors import DTypeError, RangeError, ShapeError
from tensorcore.inquiry import result_type
from tensorcore.ops import elementwise as e
from tensorcore.ops.linalg import matmul
from tensorcore.ops.loss import reduced, reduction_of
from tensorcore.ops.matrix_checks import require_floating, require_matrix, require_one_dtype
from tensorcore.ops.matrix_norms import linalg_vector_norm as vector_norm
from tensorcore.ops.movement import cat
from tensorcore.ops.node_names import renamed
from tensorcore.ops.outputs import stored
from tensorcore.ops.record import composite
from tensorcore.ops.rules import inexact
from tensorcore.shapes import broadcast_shapes, normalize_dim

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_F: Final = ("nn.functional",)
_BOTH: Final = ("nn.functional", "")


def _above_zero(x: Any) -> Any:
    out = e.where(e.lt(x, 0), 0, x)
    renamed(out, "ClampMinBackward0")
    return out


@composite(
    namespaces=_F, samples=({"shapes": ((3, 4),)}, {"shapes": ((3, 4),), "p": 1.0, "dim": 0}), ulp=16, domain=(0.5, 4)
)
def normalize(
    input: Tensor, p: float | None = 2.0, dim: int | None = 1, eps: float = 1e-12, out: Any = None
) -> Tensor:  # fmt: skip
    """Each vector along ``dim`` (the whole tensor for None) over its ``p``-norm, or over ``eps`` where that is larger.

    Example:
        >>> F.normalize(tc.tensor([[3.0, 4.0], [0.0, 0.0]]))
        tensor([[0.6000, 0.8000],
                [0.0000, 0.0000]])
        >>> F.normalize(tc.tensor([2.0, 6.0]), p=1, dim=0)
        tensor([0.2500, 0.7500])
    """
    size = vector_norm(input, 2.0 if p is None else p, dim, True)
    result = input / e.where(e.lt(size, eps), eps, size)
    return stored("normalize", result, out)


@composite(
    namespaces=_BOTH,
    samples=({"shapes": ((3, 4), (3, 4))}, {"shapes": ((3, 4), (4,)), "p": 1.0, "keepdim": True}),
    ulp=16,
)
def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """``p``-norm over the last dimension of ``x1 - x2 + eps``.

    Example:
        >>> F.pairwise_distance(tc.tensor([[0.0, 0.0], [1.0, 1.0]]), tc.tensor([3.0, 4.0]))
        tensor([5.0000, 3.6056])
    """
    return vector_norm(x1 - x2 + eps, p, -1, keepdim)


@composite(namespaces=_BOTH, samples=({"shapes": ((3, 4), (3, 4))}, {"shapes": ((3, 4), (4,)), "dim": -1}), ulp=16)
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Cosine of the angle between vectors along ``dim``, whose norms count at least ``eps``.

    Example:
        >>> F.cosine_similarity(tc.tensor([[1.0, 0.0], [0.0, 0.0]]), tc.tensor([[1.0, 1.0], [1.0, 1.0]]))
        tensor([0.7071, 0.0000])
    """
    try:
        shape = broadcast_shapes(x1.shape, x2.shape)
    except ShapeError as error:
        raise ShapeError(f"cosine_similarity: {error}") from None
    common = result_type(x1, x2)
    if not common.is_floating_point:
        raise DTypeError(f"cosine_similarity: expected a floating-point tensor, got {x1.dtype} and {x2.dtype}")
    x1, x2 = x1.to(common), x2.to(common)
    place = normalize_dim(dim, len(shape), "cosine_similarity")
    units = []
    for x in (x1, x2):
        wide = x if x.shape == shape else x.expand(shape)
        size = vector_norm(wide, 2, place, True)
        units.append(wide / e.where(e.lt(size, eps), eps, size))
    return (units[0] * units[1]).sum(place)


@composite(
    namespaces=_F,
    samples=({"shapes": ((3, 4), (3, 4), (3,)), "dtypes": (None, None, "int64"), "domains": (None, None, (1, 2))},),
    ulp=32,
)
def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """One less the cosine for pairs with target 1; for -1, the cosine's excess over ``margin``.

    Example:
        >>> x, y = tc.tensor([[1.0, 0.0], [1.0, 0.0]]), tc.tensor([[1.0, 1.0], [1.0, 1.0]])
        >>> F.cosine_embedding_loss(x, y, tc.tensor([1, -1]), margin=0.5, reduction="none")
        tensor([0.2929, 0.2071])
    """
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


@composite(namespaces=_F, samples=({"shapes": ((5,), (5,), (5,))},), ulp=8)
def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """What ``target * (input1 - input2)`` falls short of ``margin``, for targets 1 and -1.

    Example:
        >>> x, y = tc.tensor([1.0, 1.0]), tc.tensor([0.0, 0.0])
        >>> F.margin_ranking_loss(x, y, tc.tensor([1, -1]), margin=0.5, reduction="none")
        tensor([0.0000, 1.5000])
    """
    reduction = reduction_of("margin_ranking_loss", size_average, reduce, reduction)
    if not input1.ndim == input2.ndim == target.ndim:
        shapes = ", ".join(str(list(x.shape)) for x in (input1, input2, target))
        raise ShapeError(f"margin_ranking_loss: expected as many dimensions in each, got shapes {shapes}")
    return ranking_loss(input1, input2, target, margin, reduction)


def ranking_loss(input1: Any, input2: Any, target: Any, margin: float, reduction: str) -> Any:
    """`margin_ranking_loss` of shapes that broadcast."""
    return reduced(_above_zero(-target * (input1 - input2) + float(margin)), reduction)


@composite(namespaces=_F, samples=({"shapes": ((3, 4), (3, 4)), "domains": (None, (1, 1))},), ulp=8)
def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Distances ``input`` themselves for target 1; for -1, what they fall short of ``margin``.

    Example:
        >>> F.hinge_embedding_loss(tc.tensor([0.3, 0.3, 2.0]), tc.tensor([1, -1, -1]), reduction="none")
        tensor([0.3000, 0.7000, 0.0000])
    """
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
    namespaces=_F,
    samples=({"shapes": ((3, 4), (3, 4), (3, 4))}, {"shapes": ((3, 4), (3, 4), (3, 4)), "swap": True}),
    ulp=16,
)
def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2, eps: float = 1e-6,
    swap: bool = False, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """What the distance to ``negative`` (``swap``: of the nearer two) lacks of that to ``positive`` plus ``margin``.

    Balntas et al., Learning shallow convolutional feature descriptors with triplet losses, 2016, for ``swap``.

    Example:
        >>> anchor, near, far = tc.tensor([[0.0, 0.0]]), tc.tensor([[0.0, 2.0]]), tc.tensor([[2.5, 0.0]])
        >>> F.triplet_margin_loss(anchor, near, far), F.triplet_margin_loss(anchor, near, far * 2)
        (tensor(0.5000), tensor(0.))
    """
    reduction = reduction_of("triplet_margin_loss", size_average, reduce, reduction)

    def distance(first: Any, second: Any) -> Any:
        return pairwise_distance(first, second, p, eps)

    return _triplet("triplet_margin_loss", anchor, positive, negative, distance, margin, swap, reduction)


@composite(namespaces=_F, samples=({"shapes": ((3, 4), (3, 4), (3, 4))},), ulp=16)
def triplet_margin_with_distance_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, *, distance_function: Callable[..., Any] | None = None,
    margin: float = 1.0, swap: bool = False, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """`triplet_margin_loss` with a distance of one's own.

    Example:
        >>> far = tc.tensor([[2.5, 1.0]])
        >>> F.triplet_margin_with_distance_loss(
        ...     tc.zeros(1, 2), tc.ones(1, 2), far, distance_function=lambda x, y: (x - y).abs().amax(-1), margin=2.0
        ... )
        tensor(0.5000)
    """
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
    """What the score of class ``target`` lacks of each other's plus ``margin``, to the power ``p``, averaged.

    Raises:
        RangeError: if ``p`` is neither 1 nor 2.

    Example:
        >>> F.multi_margin_loss(tc.tensor([[0.1, 0.8, 0.4]]), tc.tensor([1]))
        tensor(0.3000)
    """
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


# ------------------------------------------------------------------ between all rows

#: Elements of the differences that are held at once.
_AT_ONCE: Final = 1 << 20

#: Rows from which on the Euclidean distance is taken from a product of matrices, unless that is asked for or ruled out.
_MANY_ROWS: Final = 25

_MODES: Final = ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")


def _require_distance(op: str, p: float, *rows: Any) -> float:
    for x in rows:
        if x.dtype.category != FLOATING or x.dtype.itemsize < 4:
            raise DTypeError(f"{op}: expected float32 or float64, got a tensor of dtype {x.dtype}")
    require_one_dtype(op, **{f"x{place}": x for place, x in enumerate(rows, 1)})
    if not p >= 0:
        raise RangeError(f"{op}: p must not be negative, got {p}")
    return float(p)


def _runs(x1: Any, x2: Any) -> Iterator[Any]:
    """The rows of ``x1`` in runs, with a dimension for the rows of ``x2``, so that few differences are held at once."""
    rows = x1.shape[-2]
    step = max(1, _AT_ONCE // max(1, math.prod(x1.shape[:-2]) * math.prod(x2.shape[-2:])))
    for first in range(0, rows, step):
        yield slice(first, min(first + step, rows))


def _joined(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else cat(parts, -2)


def _slope(gap: Any, g: Any, y: Any, p: float) -> Any:
    """The cotangent of the differences ``gap`` of rows, by `cdist`'s ``g`` and ``y``; ties for p inf all have it."""
    g, y = g.unsqueeze(-1), y.unsqueeze(-1)
    if p == 1:
        return e.sign(gap) * g
    size = e.abs(gap)
    if p == math.inf:
        return e.where(e.eq(size, y), e.sign(gap) * g, 0)
    still = e.eq(y, 0) | e.eq(size, 0)
    ratio = e.where(still, 1, size) / e.where(still, 1, y)
    return e.where(still, 0, e.sign(gap) * e.pow(ratio, p - 1) * g)


def _cdist_rule(g: Any, y: Any, x1: Any, x2: Any, p: float, mm: bool) -> tuple[Any, Any]:
    if p == 0:
        return x1 * 0, x2 * 0
    if p == 2:
        still = e.eq(y, 0)
        weight = e.where(still, 0, g / e.where(still, 1, y))
        if mm:
            turned = weight.transpose(-1, -2)
            return (
                x1 * weight.sum(-1, True) - matmul(weight, x2), x2 * turned.sum(-1, True) - matmul(turned, x1)
            )  # fmt: skip
    first: list[Any] = []
    second: Any = None
    for run in _runs(x1, x2):
        gap = x1[..., run, :].unsqueeze(-2) - x2.unsqueeze(-3)
        if p == 2:
            slope = gap * weight[..., run, :].unsqueeze(-1)
        else:
            slope = _slope(gap, g[..., run, :], y[..., run, :], p)
        first.append(slope.sum(-2))
        part = slope.sum(-3)
        second = part if second is None else second + part
    return (_joined(first), -second) if first else (x1 * 0, x2 * 0)


@composite(
    rule=inexact, vjp=_cdist_rule, joint=True, namespaces=("",), ulp=32,
    samples=(
        {"shapes": ((3, 4), (5, 4))}, {"shapes": ((2, 3, 4), (5, 4)), "p": 1.0}, {"shapes": ((3, 2), (4, 2)), "p": 3.0},
        {"shapes": ((3, 4), (2, 4)), "p": math.inf}, {"shapes": ((3, 4), (2, 4)), "p": 0.0},
        {"shapes": ((3, 4), (5, 4)), "compute_mode": "use_mm_for_euclid_dist"}, {"shapes": ((0, 4), (2, 4))},
        {"shapes": ((3, 4), (2, 4)), "p": 1.5},
    ),
)  # fmt: skip
def cdist(
    x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str | None = "use_mm_for_euclid_dist_if_necessary"
) -> Tensor:
    """The ``p``-norms of the differences between all rows of ``x1`` (*, P, M) and ``x2`` (*, R, M), as (*, P, R).

    For p 2 they may be taken from a product of matrices, which is faster and loses digits of small distances:
    ``"use_mm_for_euclid_dist"``, ``"donot_use_mm_for_euclid_dist"`` or, by default, where P or R exceeds 25. The
    leading dimensions broadcast.

    Raises:
        ShapeError: for fewer than two dimensions, and where the rows differ in length.
        RangeError: for a negative ``p``, or another mode.
        DTypeError: for anything but float32 and float64, and where the two differ.

    Example:
        >>> tc.cdist(tc.tensor([[0.0, 0.0], [3.0, 0.0]]), tc.tensor([[0.0, 4.0]]))
        tensor([[4.],
                [5.]])
    """
    op = "cdist"
    require_matrix(op, "x1", x1)
    require_matrix(op, "x2", x2)
    p = _require_distance(op, p, x1, x2)
    if x1.shape[-1] != x2.shape[-1]:
        raise ShapeError(f"{op}: rows of x1 {list(x1.shape)} and x2 {list(x2.shape)} differ in length")
    if compute_mode is not None and compute_mode not in _MODES:
        raise RangeError(f"{op}: compute_mode must be one of {', '.join(map(repr, _MODES))}, got {compute_mode!r}")
    try:
        broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
    except ShapeError as error:
        raise ShapeError(f"{op}: {error}") from None
    many = max(x1.shape[-2], x2.shape[-2]) > _MANY_ROWS
    mm = p == 2 and compute_mode != _MODES[2] and (many or compute_mode == _MODES[1])
    return cdist.emit(x1, x2, p=p, mm=mm)


@cdist.expression
def _cdist(x1: Tensor, x2: Tensor, *, p: float, mm: bool) -> Any:
    if mm:
        squares = (x1 * x1).sum(-1, True) + (x2 * x2).sum(-1).unsqueeze(-2)
        return e.sqrt(_above_zero(squares - matmul(x1, x2.transpose(-1, -2)) * 2))
    if not x1.shape[-1] or not x1.shape[-2]:
        return matmul(x1, x2.transpose(-1, -2))
    parts = []
    for run in _runs(x1, x2):
        gap = x1[..., run, :].unsqueeze(-2) - x2.unsqueeze(-3)
        parts.append(vector_norm.emit(gap, ord=p, dim=(gap.ndim - 1,), keepdim=False))
    return _joined(parts)


@composite(
    namespaces=_BOTH, ulp=32,
    samples=({"shapes": ((4, 3),)}, {"shapes": ((4, 3),), "p": 1.0}, {"shapes": ((1, 3),)},
             {"shapes": ((3, 2),), "p": 3.0}),
)  # fmt: skip
def pdist(input: Tensor, p: float = 2) -> Tensor:
    """The ``p``-norms of the differences of each two rows of ``input`` (N, M): above the diagonal of `cdist`, by rows.

    Raises:
        ShapeError: where ``input`` is no matrix.
        RangeError: for a negative ``p``.
        DTypeError: for anything but float32 and float64.

    Example:
        >>> tc.pdist(tc.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]]))
        tensor([3., 4., 5.])
    """
    op = "pdist"
    if input.ndim != 2:
        raise ShapeError(f"{op}: expected a matrix, got shape {list(input.shape)}")
    p = _require_distance(op, p, input)
    rows = input.shape[0]
    from tensorcore.ops.creation import ones

    found = []
    for run in _runs(input, input):
        # Each row with the rows after the first of the run; of those, the ones after it.
        block = cdist.emit(input[run], input[run.start + 1 :], p=p, mm=False)
        found.append(block.masked_select(ones(block.shape, dtype=bool_, device=block.device).triu()))
    return cat(found, 0) if rows > 1 else input.new_zeros((0,)) + input.sum() * 0


@composite(
    inplace=True, ulp=16,
    samples=({"shapes": ((3, 4),), "args": (2, 0, 1.0)}, {"shapes": ((2, 3, 4),), "args": (1, -1, 2.0)}),
)  # fmt: skip
def renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """``input`` with each slice along ``dim`` whose ``p``-norm exceeds ``maxnorm`` scaled down to it.

    Raises:
        ShapeError: for fewer than two dimensions.
        RangeError: for a ``p`` that is not positive, or a negative ``maxnorm``.
        DTypeError: for integers.

    Example:
        >>> tc.renorm(tc.tensor([[3.0, 4.0], [0.5, 0.0]]), p=2, dim=0, maxnorm=1)
        tensor([[0.6000, 0.8000],
                [0.5000, 0.0000]])
    """
    op = "renorm"
    if not p > 0:
        raise RangeError(f"{op}: p must be positive, got {p}")
    if maxnorm < 0:
        raise RangeError(f"{op}: maxnorm must not be negative, got {maxnorm}")
    if input.ndim < 2:
        raise ShapeError(f"{op}: expected at least 2 dimensions, got shape {list(input.shape)}")
    require_floating(op, input)
    place = normalize_dim(dim, input.ndim, op)
    size = vector_norm(input, p, [each for each in range(input.ndim) if each != place], True)
    # PyTorch's guard against division by zero.
    return input * e.where(e.gt(size, maxnorm), maxnorm / (size + 1e-7), 1).to(input.dtype)
