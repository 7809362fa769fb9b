"""Attention of several heads, with its projections (Vaswani et al., Attention Is All You Need, 2017)."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import BOOL, FLOATING
from tensorcore.errors import ShapeError
from tensorcore.ops.attention import scaled_dot_product_attention
from tensorcore.ops.creation import zeros_like
from tensorcore.ops.dropout import dropout
from tensorcore.ops.linalg import matmul
from tensorcore.ops.linear import linear
from tensorcore.ops.movement import cat
from tensorcore.ops.padding import pad
from tensorcore.ops.record import composite
from tensorcore.ops.statistics import mean

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_NAME = "multi_head_attention_forward"


def additive(mask: Any, name: str, dtype: Any, other: Any = None) -> Any:
    """A mask that is added to scores: of a bool one, -inf where it is true. ``None`` stays.

    Raises:
        AssertionError: for masks neither bool nor floating point, as in PyTorch.
    """
    if mask is None:
        return None
    category = mask.dtype.category
    if category not in (BOOL, FLOATING):
        raise AssertionError(f"{_NAME}: {name} must be bool or floating point, got {mask.dtype}")
    if other is not None and other.dtype is not mask.dtype:
        warnings.warn(
            f"{_NAME}: {name} is {mask.dtype} and the attention mask {other.dtype}; one dtype for both is expected",
            UserWarning,
            stacklevel=4,
        )
    return mask if category == FLOATING else zeros_like(mask, dtype=dtype).masked_fill(mask, -math.inf)


def _check(query: Any, key: Any, value: Any, padding: Any, mask: Any, heads: int) -> None:
    shapes = f"query {list(query.shape)}, key {list(key.shape)}, value {list(value.shape)}"
    if query.ndim not in (2, 3) or key.ndim != query.ndim or value.ndim != query.ndim:
        raise AssertionError(f"{_NAME}: expected query, key and value of 3 dimensions, or 2 without a batch; {shapes}")
    if padding is not None and padding.ndim != query.ndim - 1:
        raise AssertionError(
            f"{_NAME}: expected key_padding_mask of {query.ndim - 1} dimensions beside query of shape "
            f"{list(query.shape)}, got shape {list(padding.shape)}"
        )
    if mask is None:
        return
    batch = query.shape[1] if query.ndim == 3 else 1
    flat = (query.shape[0], key.shape[0])
    if mask.ndim not in (2, 3):
        raise AssertionError(f"{_NAME}: expected attn_mask of 2 or 3 dimensions, got shape {list(mask.shape)}")
    expected = flat if mask.ndim == 2 else (batch * heads, *flat)
    if tuple(mask.shape) != expected:
        error = AssertionError if query.ndim == 2 and mask.ndim == 3 else ShapeError
        raise error(
            f"{_NAME}: expected attn_mask of shape {list(expected)} for {shapes} and {heads} heads, got "
            f"{list(mask.shape)}"
        )


def _projected(query: Any, key: Any, value: Any, weight: Any, bias: Any) -> Any:
    """Query, key and value by the three parts of ``weight``; in one product where they are the same tensor."""
    width = query.shape[-1]
    if query is key and key is value:
        return linear(query, weight, bias).chunk(3, -1)
    biases = (None, None, None) if bias is None else bias.split(width)
    if key is value:
        own, rest = weight.split([width, 2 * width])
        both = linear(key, rest, None if bias is None else bias[width:])
        return (linear(query, own, biases[0]), *both.chunk(2, -1))
    each = zip((query, key, value), weight.split(width), biases, strict=True)
    return tuple(linear(x, part, shift) for x, part, shift in each)


def _heads(x: Any, fixed: Any, name: str, batch: int, heads: int, width: int) -> Any:
    """(L, N, E) as (N * heads, L, width), or ``fixed`` of that shape in its place."""
    if fixed is None:
        return x.reshape(x.shape[0], batch * heads, width).transpose(0, 1)
    if fixed.shape[0] != batch * heads or fixed.shape[2] != width:
        raise AssertionError(
            f"{_NAME}: expected {name} of shape [{batch * heads}, length, {width}], got {list(fixed.shape)}"
        )
    return fixed


def _one_more(mask: Any) -> Any:
    return None if mask is None else pad(mask, (0, 1))


@composite(namespaces=("nn.functional",), operands=("query", "key", "value"), ulp=256)
def multi_head_attention_forward(
    query: Tensor, key: Tensor, value: Tensor, embed_dim_to_check: int, num_heads: int, in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None, bias_k: Tensor | None, bias_v: Tensor | None, add_zero_attn: bool, dropout_p: float,
    out_proj_weight: Tensor, out_proj_bias: Tensor | None, training: bool = True,
    key_padding_mask: Tensor | None = None, need_weights: bool = True, attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False, q_proj_weight: Tensor | None = None, k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None, static_k: Tensor | None = None, static_v: Tensor | None = None,
    average_attn_weights: bool = True, is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:  # fmt: skip
    """Attention of ``num_heads`` heads over projections of (L, N, E), (S, N, kdim) and (S, N, vdim); and its weights.

    Masks that are bool say what takes no part; ``is_causal`` says that ``attn_mask`` is the causal one, which then need
    not be read. The weights are (N, L, S), averaged over the heads if ``average_attn_weights``, or ``None`` without
    ``need_weights``.

    >>> x, w = tc.ones(2, 1, 2), tc.ones(6, 2)
    >>> nothing = None
    >>> call = tc.nn.functional.multi_head_attention_forward
    >>> call(x, x, x, 2, 1, w, nothing, nothing, nothing, False, 0.0, tc.eye(2), nothing)[1]
    tensor([[[0.5000, 0.5000],
             [0.5000, 0.5000]]])
    """
    by_flag = is_causal and key_padding_mask is None and not need_weights
    _check(query, key, value, key_padding_mask, None if by_flag else attn_mask, num_heads)
    single = query.ndim == 2
    if single:
        # The same tensor stays the same one, for a single product.
        wide = {id(x): x.unsqueeze(1) for x in (query, key, value)}
        query, key, value = wide[id(query)], wide[id(key)], wide[id(value)]
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    steps, batch, width = query.shape
    padding = additive(key_padding_mask, "key_padding_mask", query.dtype, attn_mask)
    if is_causal and attn_mask is None:
        raise RuntimeError(
            f"{_NAME}: is_causal=True says what attn_mask is and needs one; "
            "nn.Transformer.generate_square_subsequent_mask makes it"
        )
    mask = None if by_flag else additive(attn_mask, "attn_mask", query.dtype)
    if width != embed_dim_to_check or width % num_heads:
        raise AssertionError(
            f"{_NAME}: expected query of width {embed_dim_to_check}, a multiple of {num_heads} heads, got shape "
            f"{list(query.shape)}"
        )
    part = width // num_heads
    sides = 2 if use_separate_proj_weight else 3
    if key.shape[:sides] != value.shape[:sides]:
        raise AssertionError(f"{_NAME}: key of shape {list(key.shape)} does not fit value of shape {list(value.shape)}")
    weights: Any = (q_proj_weight, k_proj_weight, v_proj_weight)
    if use_separate_proj_weight:
        if any(each is None for each in weights):
            raise AssertionError(f"{_NAME}: use_separate_proj_weight=True needs q_, k_ and v_proj_weight")
        biases = (None, None, None) if in_proj_bias is None else in_proj_bias.chunk(3)
        q, k, v = (linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases, strict=True))
    elif in_proj_weight is None:
        raise AssertionError(f"{_NAME}: in_proj_weight is None although use_separate_proj_weight is false")
    else:
        q, k, v = _projected(query, key, value, in_proj_weight, in_proj_bias)
    if (bias_k is None) != (bias_v is None):
        raise AssertionError(f"{_NAME}: bias_k and bias_v must be given together")
    if bias_k is not None and bias_v is not None:
        if static_k is not None or static_v is not None:
            raise AssertionError(f"{_NAME}: bias_k and bias_v cannot be added to static_k and static_v")
        k, v = cat((k, bias_k.repeat(1, batch, 1))), cat((v, bias_v.repeat(1, batch, 1)))
        mask, padding = _one_more(mask), _one_more(padding)
    q = _heads(q, None, "query", batch, num_heads, part)
    k = _heads(k, static_k, "static_k", batch, num_heads, part)
    v = _heads(v, static_v, "static_v", batch, num_heads, part)
    if add_zero_attn:
        nothing = q.new_zeros((batch * num_heads, 1, part))
        k, v = cat((k, nothing), 1), cat((v, nothing), 1)
        mask, padding = _one_more(mask), _one_more(padding)
    count = k.shape[1]
    split = (batch, num_heads)
    if mask is not None:
        mask = mask.reshape(1 if mask.ndim == 2 else batch, -1, steps, count)
    if padding is not None:
        if tuple(padding.shape) != (batch, count):
            raise AssertionError(
                f"{_NAME}: expected key_padding_mask of shape {[batch, key.shape[0]]}, got "
                f"{list(key_padding_mask.shape)}"  # type: ignore[union-attr]
            )
        padding = padding.reshape(batch, 1, 1, count)
        mask = padding if mask is None else mask + padding
    q, k, v = q.reshape(*split, steps, part), k.reshape(*split, count, part), v.reshape(*split, count, part)
    chance = dropout_p if training else 0.0
    if need_weights:
        scores = matmul(q * math.sqrt(1 / part), k.transpose(-2, -1))
        weights = (scores if mask is None else scores + mask).softmax(-1)
        weights = dropout(weights, chance, True)
        out = matmul(weights, v)
    else:
        weights = None
        out = scaled_dot_product_attention(q, k, v, mask, chance, by_flag)
    out = linear(out.permute(2, 0, 1, 3).reshape(steps * batch, width), out_proj_weight, out_proj_bias)
    out = out.reshape(steps, batch, out.shape[-1])
    if weights is not None and average_attn_weights:
        weights = mean(weights, 1)
    if single:
        return out.squeeze(1), None if weights is None else weights.squeeze(0)
    return out, weights


__all__ = ["multi_head_attention_forward"]
