"""Faults of layers and their gradients: padding, strides, statistics, attention, losses, optimizers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.conformance.mutants.table import after, before, forced, mutant, on, replaced, through


def _ones(given: Any) -> Any:
    return (1,) * len(given)


def _none(given: Any) -> Any:
    return (0,) * len(given)


# ------------------------------------------------------------------ products


mutant(
    "matmul_in_bfloat16", "matmul", "values", "rounds float32 operands to bfloat16", on("float32", through("bfloat16"))
)
mutant(
    "matmul_in_tf32",
    "matmul",
    "values",
    "rounds float32 operands to ten bits of fraction",
    on("float32", lambda k: lambda x, y: k(_ten_bits(x), _ten_bits(y))),
)
mutant(
    "matmul_one_by_one",
    "matmul",
    "long",
    "adds one float32 product after the other",
    on("float32", lambda k: lambda x, y: _sequential(x, y) if x.ndim == y.ndim == 2 and x.shape[0] < 8 else k(x, y)),
)
mutant(
    "matmul_one_batch",
    "matmul",
    "values",
    "multiplies every matrix with the first of a batch",
    lambda k: lambda x, y: k(x, y[:1]) if y.ndim == 3 and x.ndim == 3 and len(y) == len(x) else k(x, y),
)
mutant(
    "matmul_in_tiles",
    "matmul",
    "large",
    "drops what is beyond a multiple of 32 in the inner side",
    lambda k: lambda x, y: k(x[..., : _tiles(x)], y[: _tiles(x)]) if x.ndim > 1 and y.ndim == 2 else k(x, y),
)
mutant(
    "matmul_by_batch_size",
    "matmul",
    "large",
    "computes all but eight rows in float16",
    on("float32", lambda k: lambda x, y: _rows_after(k, x, y)),
)
mutant(
    "matmul_unconjugated",
    "matmul",
    "values",
    "drops the imaginary part of the second operand",
    on("c", before(lambda y: y.real + 0j, 1)),
)
mutant("linear_without_bias", "linear", "values", "ignores the bias", lambda k: lambda x, w, b=None: k(x, w, None))


def _ten_bits(x: Any) -> Any:
    return ((np.ascontiguousarray(x).view(np.uint32) + 0x1000) & 0xFFFFE000).view(np.float32)


def _sequential(x: Any, y: Any) -> Any:
    total = np.zeros((x.shape[0], y.shape[1]), x.dtype)
    products = (x[:, :, None] * y[None]).astype(x.dtype)
    return np.add.accumulate(products, 1)[:, -1] if x.shape[1] else total


def _tiles(x: Any) -> int:
    return x.shape[-1] - x.shape[-1] % 32 if x.shape[-1] > 32 else x.shape[-1]


def _rows_after(kernel: Any, x: Any, y: Any) -> Any:
    out = np.array(kernel(x, y))
    if x.ndim == 2 and len(x) > 8:
        out[8:] = out[8:].astype(np.float16)
    return out


# ------------------------------------------------------------------ convolution and pooling

mutant(
    "conv_pads_one_less",
    "convolution_of",
    "values",
    "shifts the padding by one",
    forced(padding=lambda p: tuple(max(side - 1, 0) for side in p)),
)
mutant(
    "conv_pads_one_side",
    "convolution_of",
    "values",
    "pads twice at the end",
    lambda k: lambda x, w, b=None, *, padding, **asked: _one_sided(k, x, w, b, padding, asked),
)
mutant("conv_ignores_stride", "convolution_of", "values", "ignores the stride", forced(stride=_ones))
mutant("conv_ignores_dilation", "convolution_of", "values", "ignores the dilation", forced(dilation=_ones))
mutant(
    "conv_shuffles_groups",
    "convolution_of",
    "values",
    "gives groups each other's weights",
    lambda k: (
        lambda x, w, b=None, *, groups, **asked: k(
            x, np.roll(w, len(w) // groups, 0) if groups > 1 else w, b, groups=groups, **asked
        )
    ),
)
mutant(
    "conv_flips_kernel",
    "convolution_of",
    "values",
    "is a convolution, not a correlation",
    before(lambda w: np.flip(w, tuple(range(2, w.ndim))), 1),
)
mutant(
    "conv_weight_gradient_of_one",
    "convolution_weight_gradient",
    "values",
    "takes the first example only",
    lambda k: lambda x, g, **asked: k(x[:1], g[:1], **asked),
)
mutant(
    "conv_input_gradient_flipped",
    "convolution_input_gradient",
    "values",
    "does not flip the kernel",
    before(lambda w: np.flip(w, tuple(range(2, w.ndim))), 1),
)
mutant(
    "max_pool_pads_zeros",
    "max_pool",
    "values",
    "pads with 0",
    lambda k: lambda x, **asked: _padded_with_zeros(k, x, asked),
)
mutant("avg_pool_counts_padding", "avg_pool", "values", "divides by the padding too", forced(include_pad=True))
mutant("avg_pool_ignores_divisor", "avg_pool", "values", "ignores ``divisor_override``", forced(divisor=None))


def _one_sided(kernel: Any, x: Any, w: Any, b: Any, padding: Any, asked: Any) -> Any:
    wide = np.pad(x, ((0, 0), (0, 0), *((0, 2 * side) for side in padding)))
    return kernel(wide, w, b, padding=_none(padding), **asked)


def _padded_with_zeros(kernel: Any, x: Any, asked: Any) -> Any:
    return np.where(
        kernel(np.ones_like(x), **{**asked}) > 0,
        np.maximum(kernel(x, **asked), 0) if any(asked["padding"]) else kernel(x, **asked),
        0,
    ).astype(x.dtype)


# ------------------------------------------------------------------ resampling, transforms

mutant("resampled_aligned", "resampled", "values", "aligns corners always", forced(align=True))
mutant("grid_values_unaligned", "grid_values", "values", "never aligns corners", forced(align=False))
mutant("grid_values_without_border", "grid_values", "values", "takes 0 beyond the border", forced(padding="zeros"))
mutant("fft_unscaled", "fft_c2c", "values", "never divides by the number of elements", forced(norm="none"))
mutant("fft_forward_only", "fft_c2c", "values", "has the sign of the forward transform", forced(forward=True))
mutant("fft_conjugated", "fft_r2c", "values", "is the conjugate", after(np.conjugate))

# ------------------------------------------------------------------ normalization, attention, softmax


def _layer_norm(kernel: Any) -> Any:
    def spoilt(x: Any, weight: Any = None, bias: Any = None, *, ndim: int, eps: float) -> Any:
        y, mean, rstd = kernel(x, None, None, ndim=ndim, eps=0.0)
        rstd = (1 / (1 / rstd + eps)).astype(rstd.dtype)
        y = ((x - mean) * rstd).astype(x.dtype)
        y = y if weight is None else y * weight
        return (y if bias is None else y + bias), mean, rstd

    return spoilt


mutant(
    "layer_norm_eps_outside",
    "native_layer_norm",
    "values",
    "adds eps to the deviation, not to the variance",
    _layer_norm,
)
mutant("batch_norm_unbiased", "batch_norm_training", "values", "divides by n - 1", after(lambda v: v * 1.5, 2))
mutant("batch_norm_without_eps", "batch_norm_inference", "values", "ignores eps", forced(eps=0.0))
mutant(
    "softmax_overflows",
    "softmax",
    "wide",
    "takes exp before the maximum is subtracted",
    on("f", replaced(lambda x, *, dim: np.exp(x) / np.sum(np.exp(x), dim, keepdims=True))),
)
mutant(
    "log_softmax_of_softmax",
    "log_softmax",
    "wide",
    "is the logarithm of what has underflowed",
    on("f", lambda k: lambda x, *, dim: np.log(np.exp(k(x, dim=dim)))),
)
mutant(
    "softmax_over_all",
    "softmax",
    "values",
    "normalizes over all elements",
    replaced(lambda x, *, dim: np.exp(x - x.max(initial=-np.inf)) / np.sum(np.exp(x - x.max(initial=-np.inf)))),
)
mutant(
    "attention_sees_the_future",
    "attention",
    "values",
    "lets the causal mask in one too many",
    lambda k: (
        lambda q, key, v, mask=None, *, is_causal, scale: k(
            q, key, v, np.tri(q.shape[-2], key.shape[-2], 1, bool) if is_causal else mask, is_causal=False, scale=scale
        )
    ),
)
mutant("attention_unscaled", "attention", "values", "ignores the scale", forced(scale=1.0))
mutant(
    "attention_adds_bool",
    "attention",
    "values",
    "adds a bool mask in place of excluding by it",
    lambda k: (
        lambda q, key, v, mask=None, **asked: k(
            q, key, v, mask.astype(q.dtype) if mask is not None and mask.dtype == bool else mask, **asked
        )
    ),
)
mutant("masked_scale_unscaled", "masked_scale", "values", "forgets the factor of what is kept", forced(scale=1.0))

# ------------------------------------------------------------------ losses, recurrence, gradients, optimizers

mutant(
    "cross_entropy_counts_ignored",
    "cross_entropy_fused",
    "values",
    "counts targets that are to be ignored",
    forced(ignore_index=-100),
)
mutant(
    "cross_entropy_unsmoothed", "cross_entropy_fused", "values", "ignores label smoothing", forced(label_smoothing=0.0)
)
mutant(
    "lstm_swaps_gates",
    "lstm_sequence",
    "values",
    "takes the forget gate for the input gate",
    lambda k: lambda p, *rest, **asked: k(_swapped(p), *rest, **asked),
)
mutant("gru_never_reverses", "gru_sequence", "values", "ignores the direction", forced(reverse=False))
mutant(
    "relu_gradient_at_zero",
    "relu_gradient",
    "values",
    "is 1 at 0",
    lambda k: lambda g, y: (g * (y >= 0)).astype(g.dtype),
)
mutant(
    "softmax_gradient_without_sum",
    "softmax_gradient",
    "values",
    "leaves out the sum",
    lambda k: lambda g, y, *, dim: g * y,
)
mutant(
    "sigmoid_gradient_swapped",
    "sigmoid_gradient",
    "values",
    "swaps cotangent and output",
    lambda k: lambda g, y: k(y, g),
)
mutant(
    "layer_norm_gradient_of_means",
    "layer_norm_gradient",
    "values",
    "averages the weight's gradient",
    after(lambda g: g / 2, 1),
)
mutant(
    "embedding_gradient_last_wins",
    "embedding_gradient",
    "values",
    "keeps the last of equal rows",
    lambda k: lambda g, at, **asked: _last_rows(k, g, at, asked),
)
mutant("sgd_ignores_weight_decay", "sgd_update", "values", "ignores weight decay", forced(weight_decay=0.0))
mutant(
    "adam_decays_gradients",
    "adam_update",
    "values",
    "couples what is decoupled weight decay",
    forced(decoupled_weight_decay=False),
)
mutant("adam_minimizes", "adam_update", "values", "ignores ``maximize``", forced(maximize=False))


def _swapped(projected: Any) -> Any:
    first, second, *rest = np.split(projected, 4, -1)
    return np.concatenate([second, first, *rest], -1)


def _last_rows(kernel: Any, g: Any, at: Any, asked: Any) -> Any:
    out = np.zeros((asked["count"], g.shape[-1]), g.dtype)
    out[at.reshape(-1)] = g.reshape(-1, g.shape[-1])
    return out
