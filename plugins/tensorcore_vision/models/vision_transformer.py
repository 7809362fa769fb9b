"""Vision transformers."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import tensorcore as tc
from tensorcore import nn
from tensorcore.errors import ShapeError
from tensorcore_vision.models.registry import Weights, WeightsEnum, imagenet, published
from tensorcore_vision.transforms.functional.images import InterpolationMode

__all__ = [
    "ViT_B_16_Weights",
    "ViT_B_32_Weights",
    "ViT_H_14_Weights",
    "ViT_L_16_Weights",
    "ViT_L_32_Weights",
    "VisionTransformer",
    "vit_b_16",
    "vit_b_32",
    "vit_h_14",
    "vit_l_16",
    "vit_l_32",
]


LAYER_NORM: Final = partial(nn.LayerNorm, eps=1e-6)


class MLPBlock(nn.Sequential):
    """Two linear layers with GELU between them."""

    def __init__(self, in_dim: int, mlp_dim: int, dropout: float) -> None:
        super().__init__(
            nn.Linear(in_dim, mlp_dim), nn.GELU(), nn.Dropout(dropout), nn.Linear(mlp_dim, in_dim), nn.Dropout(dropout)
        )
        for layer in (self[0], self[3]):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.normal_(layer.bias, std=1e-6)


class EncoderBlock(nn.Module):
    """Self-attention and two linear layers, each after a normalisation, and what goes past them."""

    def __init__(
        self,
        num_heads: int,
        hidden_dim: int,
        mlp_dim: int,
        dropout: float,
        attention_dropout: float,
        norm_layer: Callable[..., nn.Module] = LAYER_NORM,
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.ln_1 = norm_layer(hidden_dim)
        self.self_attention = nn.MultiheadAttention(hidden_dim, num_heads, dropout=attention_dropout, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.ln_2 = norm_layer(hidden_dim)
        self.mlp = MLPBlock(hidden_dim, mlp_dim, dropout)

    def forward(self, input: tc.Tensor) -> tc.Tensor:
        """Features of the same shape, (N, L, width)."""
        if input.ndim != 3:
            raise ShapeError(f"EncoderBlock: expected shape (N, L, width), got {tuple(input.shape)}")
        x = self.ln_1(input)
        x, _ = self.self_attention(x, x, x, need_weights=False)
        x = self.dropout(x) + input
        return x + self.mlp(self.ln_2(x))


class Encoder(nn.Module):
    """Learned places, a stack of `EncoderBlock` and a normalisation."""

    def __init__(
        self,
        seq_length: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        mlp_dim: int,
        dropout: float,
        attention_dropout: float,
        norm_layer: Callable[..., nn.Module] = LAYER_NORM,
    ) -> None:
        super().__init__()
        self.pos_embedding = nn.Parameter(tc.empty(1, seq_length, hidden_dim).normal_(std=0.02))
        self.dropout = nn.Dropout(dropout)
        blocks = OrderedDict(
            (
                f"encoder_layer_{number}",
                EncoderBlock(num_heads, hidden_dim, mlp_dim, dropout, attention_dropout, norm_layer),
            )
            for number in range(num_layers)
        )
        self.layers = nn.Sequential(blocks)
        self.ln = norm_layer(hidden_dim)

    def forward(self, input: tc.Tensor) -> tc.Tensor:
        """Features of the same shape, (N, L, width)."""
        return self.ln(self.layers(self.dropout(input + self.pos_embedding)))


class VisionTransformer(nn.Module):
    """A transformer over the patches of images of shape (N, 3, image_size, image_size); logits of shape (N, classes).

    Args:
        image_size: height and width of the images.
        patch_size: height and width of a patch.
        num_layers: blocks of the encoder.
        num_heads: of the attention.
        hidden_dim: width of the features.
        mlp_dim: width between the two linear layers of a block.
        dropout: of features.
        attention_dropout: of attention weights.
        num_classes: how many classes.
        representation_size: width of a layer with hyperbolic tangents before the last; ``None`` for none.
        norm_layer: by default layer normalisation.

    Raises:
        ValueError: for an image size that is no multiple of the patch size.
        ShapeError: for images of another size.

    Source: Dosovitskiy et al.: An image is worth 16x16 words, arXiv:2010.11929.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.models import VisionTransformer
        >>> VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=5)(tc.zeros(1, 3, 32, 32)).shape
        tensorcore.Size([1, 5])
    """

    def __init__(
        self,
        image_size: int,
        patch_size: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        mlp_dim: int,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        num_classes: int = 1000,
        representation_size: int | None = None,
        norm_layer: Callable[..., nn.Module] = LAYER_NORM,
    ) -> None:
        super().__init__()
        if image_size % patch_size:
            raise ValueError(f"VisionTransformer: images of {image_size} cannot be cut in patches of {patch_size}")
        self.image_size = image_size
        self.patch_size = patch_size
        self.hidden_dim = hidden_dim
        self.mlp_dim = mlp_dim
        self.attention_dropout = attention_dropout
        self.dropout = dropout
        self.num_classes = num_classes
        self.representation_size = representation_size
        self.norm_layer = norm_layer
        self.conv_proj = nn.Conv2d(3, hidden_dim, kernel_size=patch_size, stride=patch_size)
        self.seq_length = (image_size // patch_size) ** 2 + 1
        self.class_token = nn.Parameter(tc.zeros(1, 1, hidden_dim))
        self.encoder = Encoder(
            self.seq_length, num_layers, num_heads, hidden_dim, mlp_dim, dropout, attention_dropout, norm_layer
        )
        heads: OrderedDict[str, nn.Module] = OrderedDict()
        if representation_size is not None:
            heads["pre_logits"] = nn.Linear(hidden_dim, representation_size)
            heads["act"] = nn.Tanh()
        heads["head"] = nn.Linear(representation_size or hidden_dim, num_classes)
        self.heads = nn.Sequential(heads)
        nn.init.trunc_normal_(self.conv_proj.weight, std=math.sqrt(1 / (3 * patch_size * patch_size)))
        nn.init.zeros_(self.conv_proj.bias)
        if representation_size is not None:
            nn.init.trunc_normal_(self.heads.pre_logits.weight, std=math.sqrt(1 / hidden_dim))
            nn.init.zeros_(self.heads.pre_logits.bias)
        nn.init.zeros_(self.heads.head.weight)
        nn.init.zeros_(self.heads.head.bias)

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        """The logits of each class for each image."""
        side = self.image_size
        if x.ndim != 4 or x.shape[2] != side or x.shape[3] != side:
            raise ShapeError(
                f"VisionTransformer: expected images of shape (N, 3, {side}, {side}), got {tuple(x.shape)}"
            )
        patches = self.conv_proj(x).flatten(2).permute(0, 2, 1)
        tokens = tc.cat([self.class_token.expand(x.shape[0], -1, -1), patches], dim=1)
        return self.heads(self.encoder(tokens)[:, 0])


def _swag(file: str, num_params: int, top1: float, top5: float, side: int) -> Weights:
    """Weights trained with weak supervision (SWAG, arXiv:2201.08371), for images of one size."""
    how = InterpolationMode.BICUBIC
    return imagenet(file, num_params, top1, top5, crop=side, resize=side, min_size=side, interpolation=how)


class ViT_B_16_Weights(WeightsEnum):
    IMAGENET1K_V1 = DEFAULT = imagenet("vit_b_16-c867db91.pth", 86_567_656, 81.072, 95.318, min_size=224)
    IMAGENET1K_SWAG_E2E_V1 = _swag("vit_b_16_swag-9ac1b537.pth", 86_859_496, 85.304, 97.65, 384)
    IMAGENET1K_SWAG_LINEAR_V1 = _swag("vit_b_16_lc_swag-4e70ced5.pth", 86_567_656, 81.886, 96.18, 224)


class ViT_B_32_Weights(WeightsEnum):
    IMAGENET1K_V1 = DEFAULT = imagenet("vit_b_32-d86f8d99.pth", 88_224_232, 75.912, 92.466, min_size=224)


class ViT_L_16_Weights(WeightsEnum):
    IMAGENET1K_V1 = DEFAULT = imagenet("vit_l_16-852ce7e3.pth", 304_326_632, 79.662, 94.638, resize=242, min_size=224)
    IMAGENET1K_SWAG_E2E_V1 = _swag("vit_l_16_swag-4f3808c9.pth", 305_174_504, 88.064, 98.512, 512)
    IMAGENET1K_SWAG_LINEAR_V1 = _swag("vit_l_16_lc_swag-4d563306.pth", 304_326_632, 85.146, 97.422, 224)


class ViT_L_32_Weights(WeightsEnum):
    IMAGENET1K_V1 = DEFAULT = imagenet("vit_l_32-c7638314.pth", 306_535_400, 76.972, 93.07, min_size=224)


class ViT_H_14_Weights(WeightsEnum):
    IMAGENET1K_SWAG_E2E_V1 = DEFAULT = _swag("vit_h_14_swag-80465313.pth", 633_470_440, 88.552, 98.694, 518)
    IMAGENET1K_SWAG_LINEAR_V1 = _swag("vit_h_14_lc_swag-c1eb923e.pth", 632_045_800, 85.708, 97.73, 224)


def interpolate_embeddings(
    image_size: int,
    patch_size: int,
    model_state: dict[str, Any],
    interpolation_mode: str = "bicubic",
    reset_heads: bool = False,
) -> dict[str, Any]:
    """A state whose learned places fit another image size.

    Args:
        image_size: the new height and width of images.
        patch_size: the new height and width of patches.
        model_state: the state of a trained model.
        interpolation_mode: of the places.
        reset_heads: leave out the last layers, for training them anew.

    Raises:
        ShapeError: for places of another shape, or not on a square.
    """
    name = "encoder.pos_embedding"
    places = model_state[name]
    if places.ndim != 3 or places.shape[0] != 1:
        raise ShapeError(f"interpolate_embeddings: expected places of shape (1, L, width), got {tuple(places.shape)}")
    side, new_side = math.isqrt(places.shape[1] - 1), image_size // patch_size
    if side * side != places.shape[1] - 1:
        raise ShapeError(f"interpolate_embeddings: {places.shape[1] - 1} places do not make a square")
    if side == new_side:
        return model_state
    square = places[:, 1:].permute(0, 2, 1).reshape(1, -1, side, side)
    scaled = nn.functional.interpolate(square, size=new_side, mode=interpolation_mode, align_corners=True)
    state = {key: value for key, value in model_state.items() if not (reset_heads and key.startswith("heads"))}
    state[name] = tc.cat([places[:, :1], scaled.flatten(2).permute(0, 2, 1)], dim=1)
    return state


def _vit(*shape: int, image_size: int = 224, **kwargs: Any) -> nn.Module:
    return VisionTransformer(image_size, *shape, **kwargs)


vit_b_16 = published(
    ViT_B_16_Weights, "The base vision transformer over patches of 16×16.", _vit, 16, 12, 12, 768, 3072, sized=True
)
vit_b_32 = published(
    ViT_B_32_Weights, "The base vision transformer over patches of 32×32.", _vit, 32, 12, 12, 768, 3072, sized=True
)
vit_l_16 = published(
    ViT_L_16_Weights, "The large vision transformer over patches of 16×16.", _vit, 16, 24, 16, 1024, 4096, sized=True
)
vit_l_32 = published(
    ViT_L_32_Weights, "The large vision transformer over patches of 32×32.", _vit, 32, 24, 16, 1024, 4096, sized=True
)
vit_h_14 = published(
    ViT_H_14_Weights, "The huge vision transformer over patches of 14×14.", _vit, 14, 32, 16, 1280, 5120, sized=True
)
