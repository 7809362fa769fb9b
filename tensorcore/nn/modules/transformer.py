"""Transformers (Vaswani et al., Attention Is All You Need, 2017): encoders, decoders, and both together."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any, Final

from tensorcore.errors import ShapeError
from tensorcore.nn import functional as F
from tensorcore.nn import init
from tensorcore.nn.modules.attention import MultiheadAttention
from tensorcore.nn.modules.container import ModuleList
from tensorcore.nn.modules.dropout import Dropout
from tensorcore.nn.modules.linear import Linear
from tensorcore.nn.modules.module import Module
from tensorcore.nn.modules.normalization import LayerNorm
from tensorcore.ops.creation import full
from tensorcore.ops.multihead_attention import additive
from tensorcore.tensor import Tensor

__all__ = [
    "Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder", "TransformerEncoderLayer",
]  # fmt: skip

Activation = str | Callable[[Tensor], Tensor]

_ACTIVATIONS: Final[dict[str, Callable[[Tensor], Tensor]]] = {"relu": F.relu, "gelu": F.gelu}


def _get_clones(module: Module, N: int) -> ModuleList:
    """``N`` copies of a module."""
    return ModuleList([copy.deepcopy(module) for _ in range(N)])


def _get_activation_fn(activation: str) -> Callable[[Tensor], Tensor]:
    """The function of a name, as programs that are built like this module ask for it."""
    if activation not in _ACTIVATIONS:
        raise RuntimeError(f"activation should be 'relu', 'gelu' or a function, got {activation!r}")
    return _ACTIVATIONS[activation]


def _causal_mask(size: int, dtype: Any = None, device: Any = None) -> Tensor:
    return full((size, size), -math.inf, dtype=dtype, device=device).triu(1)


def _is_causal(mask: Tensor | None, stated: bool | None, steps: int) -> bool:
    """What the user states, or whether ``mask`` is the causal one."""
    if stated is not None or mask is None:
        return bool(stated)
    if tuple(mask.shape) != (steps, steps):
        return False
    return bool((mask == _causal_mask(steps, device=mask.device).to(mask.dtype)).all())


def _steps(x: Tensor, batch_first: bool) -> int:
    return int(x.shape[1 if batch_first and x.dim() == 3 else 0])


class _Layer(Module):
    """What the layers share: attention to themselves, and two linear maps with an activation between."""

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int, dropout: float, activation: Activation,
        layer_norm_eps: float, batch_first: bool, norm_first: bool, bias: bool, device: Any, dtype: Any, decoder: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        made: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout=dropout, batch_first=batch_first, **made)
        if decoder:
            self.multihead_attn = MultiheadAttention(d_model, nhead, dropout=dropout, batch_first=batch_first, **made)
        self.linear1 = Linear(d_model, dim_feedforward, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, **made)
        self.norm_first = norm_first
        blocks = range(1, 4 if decoder else 3)
        for place in blocks:
            setattr(self, f"norm{place}", LayerNorm(d_model, eps=layer_norm_eps, **made))
        for place in blocks:
            setattr(self, f"dropout{place}", Dropout(dropout))
        if isinstance(activation, str):
            activation = _get_activation_fn(activation)
        self.activation = activation

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({"activation": F.relu, **state})

    def _through(self, x: Tensor, norm: Module, block: Callable[[Tensor], Tensor]) -> Tensor:
        """``x`` and what ``block`` adds to it, normalised before the block or after the sum."""
        return x + block(norm(x)) if self.norm_first else norm(x + block(x))

    def _attend(
        self,
        attention: Module,
        dropout: Module,
        x: Tensor,
        memory: Tensor | None,
        mask: Any,
        padding: Any,
        causal: bool,
    ) -> Any:
        other = x if memory is None else memory
        found = attention(
            x, other, other, attn_mask=mask, key_padding_mask=padding, need_weights=False, is_causal=causal
        )
        return dropout(found[0])

    def _feed(self, x: Tensor, dropout: Module) -> Any:
        return dropout(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class TransformerEncoderLayer(_Layer):
    """Attention of a sequence to itself, then two linear maps, each added to its input and normalised.

    Args:
        d_model, nhead: width and number of heads.
        dim_feedforward: width between the linear maps.
        activation: ``"relu"``, ``"gelu"`` or a function.
        batch_first: whether tensors are (N, L, E) instead of (L, N, E).
        norm_first: whether to normalise before each part instead of after.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.TransformerEncoderLayer(8, 2, 16)(tc.ones(5, 1, 8)).shape
        tensorcore.Size([5, 1, 8])
    """

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: Activation = F.relu, layer_norm_eps: float = 1e-5, batch_first: bool = False,
        norm_first: bool = False, bias: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, device,
            dtype, decoder=False,
        )  # fmt: skip

    def forward(
        self, src: Tensor, src_mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        padding = additive(src_key_padding_mask, "src_key_padding_mask", src.dtype, src_mask)
        mask = additive(src_mask, "src_mask", src.dtype)
        x = self._through(
            src, self.norm1, lambda x: self._attend(self.self_attn, self.dropout1, x, None, mask, padding, is_causal)
        )
        return self._through(x, self.norm2, lambda x: self._feed(x, self.dropout2))


class TransformerDecoderLayer(_Layer):
    """Attention of a sequence to itself, then to the encoder's ``memory``, then two linear maps.

    The arguments are `TransformerEncoderLayer`'s.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.TransformerDecoderLayer(8, 2, 16)(tc.ones(5, 1, 8), tc.ones(3, 1, 8)).shape
        tensorcore.Size([5, 1, 8])
    """

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: Activation = F.relu, layer_norm_eps: float = 1e-5, batch_first: bool = False,
        norm_first: bool = False, bias: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, device,
            dtype, decoder=True,
        )  # fmt: skip

    def forward(
        self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None, memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None, memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False, memory_is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        x = self._through(
            tgt, self.norm1,
            lambda x: self._attend(
                self.self_attn, self.dropout1, x, None, tgt_mask, tgt_key_padding_mask, tgt_is_causal
            ),
        )  # fmt: skip
        x = self._through(
            x, self.norm2,
            lambda x: self._attend(
                self.multihead_attn, self.dropout2, x, memory, memory_mask, memory_key_padding_mask, memory_is_causal
            ),
        )  # fmt: skip
        return self._through(x, self.norm3, lambda x: self._feed(x, self.dropout3))


class TransformerEncoder(Module):
    """``num_layers`` copies of a layer, one after the other, and ``norm`` at the end.

    ``enable_nested_tensor`` and ``mask_check`` are PyTorch's; padded elements are computed here like the others.

    Example:
        >>> import tensorcore as tc
        >>> layer = tc.nn.TransformerEncoderLayer(8, 2, 16)
        >>> tc.nn.TransformerEncoder(layer, 2)(tc.ones(5, 1, 8)).shape
        tensorcore.Size([5, 1, 8])
    """

    def __init__(
        self, encoder_layer: Module, num_layers: int, norm: Module | None = None, enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.layers = _get_clones(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check

    def forward(
        self, src: Tensor, mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:  # fmt: skip
        padding = additive(src_key_padding_mask, "src_key_padding_mask", src.dtype, mask)
        mask = additive(mask, "mask", src.dtype)
        causal = _is_causal(mask, is_causal, _steps(src, _batch_first(self.layers)))
        out = src
        for layer in self.layers:
            out = layer(out, src_mask=mask, is_causal=causal, src_key_padding_mask=padding)
        return out if self.norm is None else self.norm(out)


class TransformerDecoder(Module):
    """``num_layers`` copies of a layer, one after the other, and ``norm`` at the end.

    Example:
        >>> import tensorcore as tc
        >>> layer = tc.nn.TransformerDecoderLayer(8, 2, 16)
        >>> tc.nn.TransformerDecoder(layer, 2)(tc.ones(5, 1, 8), tc.ones(3, 1, 8)).shape
        tensorcore.Size([5, 1, 8])
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _get_clones(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None, memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None, memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None, memory_is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        causal = _is_causal(tgt_mask, tgt_is_causal, _steps(tgt, _batch_first(self.layers)))
        out = tgt
        for layer in self.layers:
            out = layer(
                out, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )  # fmt: skip
        return out if self.norm is None else self.norm(out)


def _batch_first(layers: Any) -> bool:
    return bool(len(layers) and getattr(getattr(layers[0], "self_attn", None), "batch_first", False))


class Transformer(Module):
    """An encoder and a decoder, from (S, N, E) and (T, N, E) to (T, N, E).

    Args:
        custom_encoder, custom_decoder: in place of the ones made here; the others are `TransformerEncoderLayer`'s.

    Raises:
        ShapeError: for batches that differ, or widths other than ``d_model``.

    Example:
        >>> import tensorcore as tc
        >>> model = tc.nn.Transformer(8, 2, 1, 1, 16)
        >>> model(tc.ones(5, 1, 8), tc.ones(3, 1, 8)).shape
        tensorcore.Size([3, 1, 8])
    """

    def __init__(
        self, d_model: int = 512, nhead: int = 8, num_encoder_layers: int = 6, num_decoder_layers: int = 6,
        dim_feedforward: int = 2048, dropout: float = 0.1, activation: Activation = F.relu,
        custom_encoder: Any = None, custom_decoder: Any = None, layer_norm_eps: float = 1e-5,
        batch_first: bool = False, norm_first: bool = False, bias: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        settings = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)
        made: dict[str, Any] = {"device": device, "dtype": dtype}

        def norm() -> LayerNorm:
            return LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **made)

        if custom_encoder is None:
            custom_encoder = TransformerEncoder(TransformerEncoderLayer(*settings, **made), num_encoder_layers, norm())
        self.encoder = custom_encoder
        if custom_decoder is None:
            custom_decoder = TransformerDecoder(TransformerDecoderLayer(*settings, **made), num_decoder_layers, norm())
        self.decoder = custom_decoder
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def _reset_parameters(self) -> None:
        for parameter in self.parameters():
            if parameter.dim() > 1:
                init.xavier_uniform_(parameter)

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """The causal mask (sz, sz): 0 up to the diagonal and -inf above.

        Example:
            >>> import tensorcore as tc
            >>> tc.nn.Transformer.generate_square_subsequent_mask(2)
            tensor([[0., -inf],
                    [0., 0.]])
        """
        return _causal_mask(sz, dtype, device)

    def forward(
        self, src: Tensor, tgt: Tensor, src_mask: Tensor | None = None, tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None, memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None, tgt_is_causal: bool | None = None, memory_is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        side = 0 if self.batch_first else 1
        shapes = f"src {list(src.shape)}, tgt {list(tgt.shape)}"
        if src.dim() == 3 and src.shape[side] != tgt.shape[side]:
            raise ShapeError(f"Transformer: the batches of src and tgt, dimension {side}, must be equal; got {shapes}")
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise ShapeError(f"Transformer: src and tgt must have d_model = {self.d_model} features; got {shapes}")
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        return self.decoder(
            tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )  # fmt: skip
