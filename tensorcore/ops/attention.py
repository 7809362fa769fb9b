"""Scaled dot-product attention.

`attention` returns, beside the result, each row's logarithm of the sum of exponentials: with it the gradient rebuilds
the weights instead of keeping them (Dao et al., FlashAttention, 2022, appendix B).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tensorcore.autograd.mode import mode
from tensorcore.dtypes import BOOL, FLOATING, int64
from tensorcore.errors import ArgumentError, DTypeError, RangeError, ShapeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.creation import ramp
from tensorcore.ops.dropout import dropout
from tensorcore.ops.linalg import matmul
from tensorcore.ops.precision import widened
from tensorcore.ops.record import composite
from tensorcore.ops.reduction import amax
from tensorcore.ops.rules import inexact
from tensorcore.shapes import broadcast_shapes

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_HEADS: Final = ((2, 2, 3, 4), (2, 2, 5, 4), (2, 2, 5, 6))


def _scores(query: Any, key: Any, mask: Any, is_causal: bool, scale: float) -> Any:
    """``scale * query @ key.T`` with the mask added, or -inf where it is false."""
    scores = matmul.emit(query * scale, key.transpose(-1, -2))
    if is_causal:
        rows = ramp(0, 1, scores.shape[-2], int64, scores.device).unsqueeze(1)
        mask = e.ge(rows, ramp(0, 1, scores.shape[-1], int64, scores.device))
    if mask is None:
        return scores
    return e.where(mask, scores, -math.inf) if mask.dtype.category == BOOL else scores + mask


def _attention_rule(
    g: Any, y: Any, query: Any, key: Any, value: Any, mask: Any, is_causal: bool, scale: float
) -> tuple[Any, Any, Any, Any]:
    out, logs = y
    if mode.grad:
        out, logs = _attention(query, key, value, mask, is_causal=is_causal, scale=scale)
    grads = attention_gradient.emit(g[0], query, key, value, mask, out, logs, is_causal=is_causal, scale=scale)
    return grads[0], grads[1], grads[2], None if mask is None or mask.dtype.category == BOOL else grads[3]


@composite(
    rule=inexact,
    promotes=("query", "key", "value"),
    vjp=_attention_rule,
    joint=True,
    outputs=2,
    namespaces=(),
    ulp=128,
    samples=(
        {"shapes": (*_HEADS, (3, 5)), "is_causal": False, "scale": 0.5},
        {"shapes": (*_HEADS, (3, 5)), "dtypes": (None, None, None, "bool"), "is_causal": False, "scale": 0.5},
        {"shapes": _HEADS, "is_causal": True, "scale": 0.5},
    ),
)
def attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, *, is_causal: bool, scale: float
) -> tuple[Tensor, Tensor]:
    """Attention without dropout, and each row's log of the sum of exponentials (inf where all is masked)."""
    return attention.emit(query, key, value, mask, is_causal=is_causal, scale=scale)


@attention.expression
@widened
def _attention(query: Any, key: Any, value: Any, mask: Any = None, *, is_causal: bool, scale: float) -> Any:
    scores = _scores(query, key, mask, is_causal, scale)
    top = amax(scores, -1, True) if scores.shape[-1] else scores.sum(-1, keepdim=True)
    top = e.where(e.eq(top, -math.inf), 0, top).detach()
    powers = e.exp(scores - top)
    total = powers.sum(-1, True)
    empty = e.eq(total, 0)
    held = e.where(empty, 1, total)
    out = matmul.emit(powers, value) / held
    return out, e.where(empty, math.inf, e.log(held) + top)


@composite(
    namespaces=(),
    outputs=4,
    ulp=256,
    promotes=("grad", "query", "key", "value", "output", "logs"),
    samples=(
        {
            "shapes": ((2, 2, 3, 6), *_HEADS, (3, 5), (2, 2, 3, 6), (2, 2, 3, 1)),
            "domains": (None, None, None, None, None, None, (20, 30)),
            "is_causal": False,
            "scale": 0.5,
        },
    ),
)
def attention_gradient(
    grad: Tensor, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, output: Tensor, logs: Tensor, *,
    is_causal: bool, scale: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
    """Gradients of `attention` with respect to query, key, value and, where a float mask was added, the scores."""
    return attention_gradient.emit(grad, query, key, value, mask, output, logs, is_causal=is_causal, scale=scale)


@attention_gradient.expression
@widened
def _attention_gradient(
    grad: Any, query: Any, key: Any, value: Any, mask: Any, output: Any, logs: Any, *, is_causal: bool, scale: float
) -> Any:
    weights = e.exp(_scores(query, key, mask, is_causal, scale) - logs)
    along = (grad * output).sum(-1, True)
    scores = weights * (matmul.emit(grad, value.transpose(-1, -2)) - along)
    scaled = scores * scale
    return (
        matmul.emit(scaled, key),
        matmul.emit(scaled.transpose(-1, -2), query),
        matmul.emit(weights.transpose(-1, -2), grad),
        scores.new_zeros(()) if mask is None or mask.dtype.category == BOOL else scores,
    )


def _check(query: Any, key: Any, value: Any, attn_mask: Any, is_causal: bool) -> None:
    name = "scaled_dot_product_attention"
    rows, columns, values = shapes = query._array.shape, key._array.shape, value._array.shape
    for shape in shapes:
        if len(shape) < 2:
            raise ShapeError(f"{name}: expected at least 2 dimensions, got shape {list(shape)}")
    if not query.dtype is key.dtype is value.dtype:
        raise DTypeError(f"{name}: expected one dtype, got {query.dtype}, {key.dtype} and {value.dtype}")
    if rows[-1] != columns[-1] or columns[-2] != values[-2]:
        raise ShapeError(
            f"{name}: shapes {list(rows)}, {list(columns)} and {list(values)} do not fit: expected "
            "(..., L, E), (..., S, E) and (..., S, Ev)"
        )
    if attn_mask is None:
        return
    if not hasattr(attn_mask, "_array"):
        raise ArgumentError(f"{name}: attn_mask must be a tensor, or None, got {type(attn_mask).__name__}")
    if is_causal:
        raise RangeError(f"{name}: attn_mask must be None with is_causal=True")
    if attn_mask.dtype.category not in (BOOL, FLOATING):
        raise DTypeError(f"{name}: attn_mask must be bool or floating point, got {attn_mask.dtype}")
    scores = (*broadcast_shapes(query.shape[:-2], key.shape[:-2]), query.shape[-2], key.shape[-2])
    if tuple(broadcast_shapes(scores, attn_mask.shape)) != scores:
        raise ShapeError(f"{name}: attn_mask of shape {list(attn_mask.shape)} does not broadcast to {list(scores)}")


def _repeated(x: Any, heads: int) -> Any:
    """Each head of ``x`` repeated so that there are ``heads``."""
    mine = x.shape[-3]
    if mine == heads:
        return x
    if mine == 0 or heads % mine:
        raise ShapeError(
            f"scaled_dot_product_attention: {heads} heads of the query are no multiple of {mine} of key or value"
        )
    shape = tuple(x.shape)
    wide = x.unsqueeze(-3).expand((*shape[:-2], heads // mine, *shape[-2:]))
    return wide.reshape((*shape[:-3], heads, *shape[-2:]))


@composite(
    namespaces=("nn.functional",),
    ulp=128,
    operands=("query", "key", "value"),
    samples=(
        {"shapes": _HEADS},
        {"shapes": _HEADS, "is_causal": True},
        {"shapes": ((3, 4), (5, 4), (5, 6)), "scale": 0.3},
    ),
)
def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: float = 0.0,
    is_causal: bool = False, scale: float | None = None, enable_gqa: bool = False,
) -> Tensor:  # fmt: skip
    """``softmax(query @ key.T * scale + attn_mask) @ value``, with ``scale`` one over the root of the width by default.

    A bool ``attn_mask`` says what takes part; rows in which nothing does give zeros. ``dropout_p`` always drops.

    Args:
        query: (..., L, E).
        key: (..., S, E).
        value: (..., S, V).
        attn_mask: broadcast to (..., L, S).
        is_causal: whether each place sees itself and what is before it alone.
        enable_gqa: whether groups of heads of ``query`` share one head of key and value.

    Example:
        >>> query, key = tc.tensor([[1.0, 0.0], [0.0, 1.0]]), tc.tensor([[10.0, 0.0], [0.0, 10.0]])
        >>> value = tc.tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> F.scaled_dot_product_attention(query, key, value, scale=10.0)
        tensor([[1., 2.],
                [3., 4.]])
        >>> F.scaled_dot_product_attention(query * 0, key, value, is_causal=True)
        tensor([[1., 2.],
                [2., 3.]])
    """
    _check(query, key, value, attn_mask, is_causal)
    if enable_gqa:
        if query.ndim < 3 or key.ndim < 3 or value.ndim < 3:
            raise ShapeError(
                "scaled_dot_product_attention: enable_gqa=True expects heads as the third dimension from the end"
            )
        heads = query.shape[-3]
        key, value = _repeated(key, heads), _repeated(value, heads)
    outer = query._array.shape[:-2], key._array.shape[:-2], value._array.shape[:-2]
    if not outer[0] == outer[1] == outer[2]:
        broadcast_shapes(*outer)
    if attn_mask is not None and attn_mask.dtype.category == FLOATING:
        attn_mask = attn_mask.to(query.dtype)
    factor = 1 / math.sqrt(query._array.shape[-1]) if scale is None else float(scale)
    if dropout_p == 0:
        return attention.emit(query, key, value, attn_mask, is_causal=bool(is_causal), scale=factor)[0]
    scores = _scores(query, key, attn_mask, is_causal, factor)
    empty = e.eq(amax(scores, -1, True), -math.inf)
    weights = e.where(empty, 0, e.where(empty, 0, scores).softmax(-1))
    return matmul(dropout(weights, dropout_p, True), value)
