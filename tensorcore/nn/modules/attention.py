"""Attention of several heads as a layer."""

from __future__ import annotations

from typing import Any

from tensorcore.nn import functional as F
from tensorcore.nn import init
from tensorcore.nn.modules.linear import NonDynamicallyQuantizableLinear
from tensorcore.nn.modules.module import Module
from tensorcore.nn.parameter import Parameter
from tensorcore.ops.creation import empty
from tensorcore.tensor import Tensor

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Attention of several heads over projections of query, key and value, their results projected together.

    Args:
        embed_dim: width of query and result, a multiple of ``num_heads``.
        dropout: probability of a zero weight, in training.
        bias: whether the projections have biases.
        add_bias_kv: whether a learned key and value are put behind the others; ``add_zero_attn``: or zeros.
        kdim, vdim: widths of key and value, ``embed_dim`` if not given.
        batch_first: whether tensors are (N, L, E) instead of (L, N, E).

    Attributes:
        in_proj_weight: (3 * embed_dim, embed_dim); or ``q_proj_weight``, ``k_proj_weight``, ``v_proj_weight`` where the
            widths differ.
        in_proj_bias, bias_k, bias_v: ``None`` where not asked for.
        out_proj: the last projection, a `Linear`.

    Raises:
        ValueError: for sizes that are not positive.
        AssertionError: unless the heads divide the width; for masks of other shapes or dtypes.

    Example:
        >>> import tensorcore as tc
        >>> out, weights = tc.nn.MultiheadAttention(4, 2)(*[tc.ones(3, 1, 4)] * 3)
        >>> out.shape, weights.shape
        (tensorcore.Size([3, 1, 4]), tensorcore.Size([1, 3, 3]))
    """

    bias_k: Tensor | None
    bias_v: Tensor | None

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True, add_bias_kv: bool = False,
        add_zero_attn: bool = False, kdim: int | None = None, vdim: int | None = None, batch_first: bool = False,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"MultiheadAttention: embed_dim and num_heads must be greater than 0, got {embed_dim} and {num_heads}"
            )
        if embed_dim % num_heads:
            raise AssertionError(
                f"MultiheadAttention: embed_dim must be divisible by num_heads, got {embed_dim} and {num_heads}"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        self.add_zero_attn = add_zero_attn

        def made(*shape: int) -> Parameter:
            return Parameter(empty(*shape, device=device, dtype=dtype))

        widths = {"q_proj_weight": embed_dim, "k_proj_weight": self.kdim, "v_proj_weight": self.vdim}
        together = self._qkv_same_embed_dim
        self.register_parameter("in_proj_weight", made(3 * embed_dim, embed_dim) if together else None)
        for name, width in widths.items():
            self.register_parameter(name, None if together else made(embed_dim, width))
        self.register_parameter("in_proj_bias", made(3 * embed_dim) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, device=device, dtype=dtype)
        for name in ("bias_k", "bias_v"):
            self.register_parameter(name, made(1, 1, embed_dim) if add_bias_kv else None)
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        names = ("in_proj_weight",) if self._qkv_same_embed_dim else ("q_proj_weight", "k_proj_weight", "v_proj_weight")
        for name in names:
            init.xavier_uniform_(getattr(self, name))
        if self.in_proj_bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
            init.constant_(self.out_proj.bias, 0.0)
        for parameter in (self.bias_k, self.bias_v):
            if parameter is not None:
                init.xavier_normal_(parameter)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None = None,
        need_weights: bool = True, attn_mask: Tensor | None = None, average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:  # fmt: skip
        turn = self.batch_first and query.dim() == 3
        if turn and key.dim() == 3 and value.dim() == 3:
            # The same tensor stays the same one, for a single product.
            turned = {id(x): x.transpose(0, 1) for x in (query, key, value)}
            query, key, value = (turned[id(x)] for x in (query, key, value))
        out, weights = F.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight, self.in_proj_bias, self.bias_k,
            self.bias_v, self.add_zero_attn, self.dropout, self.out_proj.weight, self.out_proj.bias,
            training=self.training, key_padding_mask=key_padding_mask, need_weights=need_weights, attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim, q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight, v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights, is_causal=is_causal,
        )  # fmt: skip
        return out.transpose(0, 1) if turn else out, weights

    def merge_masks(
        self, attn_mask: Tensor | None, key_padding_mask: Tensor | None, query: Tensor
    ) -> tuple[Tensor | None, int | None]:
        """Both masks as one (N, heads, L, L) to add, for self-attention of (N, L, E), and the mask's kind.

        The kind is 2 for (N, heads, L, L), 1 for the ``key_padding_mask`` alone, which stays, ``None`` for none.
        """
        if attn_mask is None:
            return (None, None) if key_padding_mask is None else (key_padding_mask, 1)
        batch, steps = query.shape[:2]
        merged = attn_mask.reshape(batch, -1, steps, steps) if attn_mask.dim() == 3 else attn_mask
        merged = merged.expand(batch, self.num_heads, -1, -1)
        if key_padding_mask is not None:
            merged = merged + key_padding_mask.reshape(batch, 1, 1, steps).expand(-1, self.num_heads, -1, -1)
        return merged, 2
