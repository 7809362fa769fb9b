"""Independent NumPy formulas for composites of neural networks and statistics, with PyTorch's signatures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = ["NN_ORACLES"]

_erfc: Any = np.vectorize(math.erfc, otypes=[float])


def _reduced(loss: Any, reduction: str) -> Any:
    return {"none": lambda x: x, "mean": np.mean, "sum": np.sum}[reduction](loss)


def _softmax(x: Any, dim: Any = -1, dtype: Any = None) -> Any:
    grown = np.exp(x - np.max(x, dim, keepdims=True))
    return grown / grown.sum(dim, keepdims=True)


def _log_softmax(x: Any, dim: Any = -1, dtype: Any = None) -> Any:
    shifted = x - np.max(x, dim, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), dim, keepdims=True))


def _sigmoid(x: Any) -> Any:
    if x.dtype.kind == "c":
        return 1 / (1 + np.exp(-x))
    return np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))


def _gelu(x: Any, approximate: str = "none") -> Any:
    if approximate == "tanh":
        return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return x / 2 * _erfc(-x.astype(float) / np.sqrt(2))


def _layer_norm(
    x: Any, normalized_shape: Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    axes = tuple(range(x.ndim - len(tuple(normalized_shape)), x.ndim))
    y = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def _rms_norm(x: Any, shape: Sequence[int], weight: Any = None, eps: float | None = None) -> Any:
    size = np.sqrt(np.mean(x * x, tuple(range(-len(tuple(shape)), 0)), keepdims=True) + (eps or 0))
    return x / size * (1 if weight is None else weight)


def _prelu(x: Any, weight: Any) -> Any:
    slope = weight if weight.size == 1 else weight.reshape(1, -1, *[1] * (x.ndim - 2))
    return np.where(x > 0, x, x * slope)


def _one_hot(x: Any, num_classes: int = -1) -> Any:
    return np.eye(int(x.max()) + 1 if num_classes < 0 else num_classes, dtype=np.int64)[x]


def _selu(x: Any, inplace: bool = False) -> Any:
    return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0)))


def _linear(x: Any, weight: Any, bias: Any = None) -> Any:
    y = x @ np.swapaxes(weight, -1, -2) if weight.ndim > 1 else x @ weight
    return y if bias is None else y + bias


def _pair(value: Any, count: int) -> tuple[int, ...]:
    return (int(value),) * count if np.ndim(value) == 0 else tuple(int(v) for v in value)


def _windows(x: Any, sizes: Any, stride: Any, padding: Any, dilation: Any, fill: float) -> Any:
    """Windows over the last dimensions: shape (..., *places, *sizes)."""
    count = len(sizes)
    x = np.pad(x, [(0, 0)] * (x.ndim - count) + [(p, p) for p in padding], constant_values=fill)
    spans = tuple(d * (k - 1) + 1 for d, k in zip(dilation, sizes, strict=True))
    seen = np.lib.stride_tricks.sliding_window_view(x, spans, tuple(range(x.ndim - count, x.ndim)))
    places = tuple(slice(None, None, s) for s in stride)
    return seen[(..., *places, *(slice(None, None, d) for d in dilation))]


def _conv(count: int) -> Callable[..., Any]:
    def oracle(
        x: Any, w: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
    ) -> Any:
        batched = x.ndim == count + 2
        x = x if batched else x[None]
        stride, dilation, sizes = _pair(stride, count), _pair(dilation, count), w.shape[2:]
        if padding == "same":
            total = [d * (k - 1) for d, k in zip(dilation, sizes, strict=True)]
            x = np.pad(x, [(0, 0), (0, 0), *((t // 2, t - t // 2) for t in total)])
        padding = (0,) * count if isinstance(padding, str) else _pair(padding, count)
        windows = _windows(x, sizes, stride, padding, dilation, 0.0)
        each = x.shape[1] // groups
        axes = [*range(2 + count, 2 + 2 * count)]
        parts = [
            np.moveaxis(
                np.tensordot(windows[:, g * each : (g + 1) * each], part, ([1, *axes], [1, *range(2, 2 + count)])),
                -1,
                1,
            )
            for g, part in enumerate(np.split(w, groups))
        ]
        y = np.concatenate(parts, 1)
        y = y if bias is None else y + bias.reshape(-1, *[1] * count)
        return y if batched else y[0]

    return oracle


def _pool(count: int, largest: bool) -> Callable[..., Any]:
    def oracle(
        x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, *rest: Any, dilation: Any = 1,
        ceil_mode: bool = False, return_indices: bool = False, count_include_pad: bool = True,
        divisor_override: Any = None,
    ) -> Any:  # fmt: skip
        if ceil_mode or return_indices or rest or divisor_override or not count_include_pad:
            raise NotImplementedError("ceil_mode, return_indices, divisor_override and count_include_pad=False")
        sizes = _pair(kernel_size, count)
        stride = sizes if stride is None else _pair(stride, count)
        lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min if x.dtype.kind in "iu" else 0
        fill = lowest if largest else 0
        windows = _windows(x, sizes, stride, _pair(padding, count), _pair(dilation, count), fill)
        axes = tuple(range(-count, 0))
        return windows.max(axes) if largest else windows.mean(axes)

    return oracle


def _batch_norm(
    x: Any, running_mean: Any = None, running_var: Any = None, weight: Any = None, bias: Any = None,
    training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    axes = tuple(d for d in range(x.ndim) if d != 1)
    lined = (1, -1, *[1] * (x.ndim - 2))
    batch = training or running_mean is None
    mean = x.mean(axes) if batch else running_mean
    var = x.var(axes) if batch else running_var
    y = (x - mean.reshape(lined)) / np.sqrt(var.reshape(lined) + eps)
    y = y if weight is None else y * weight.reshape(lined)
    return y if bias is None else y + bias.reshape(lined)


def _nll(
    log_p: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    log_p = np.moveaxis(log_p, 1, -1) if log_p.ndim > 1 else log_p
    kept = target != ignore_index
    safe = np.where(kept, target, 0)
    picked = -np.take_along_axis(log_p, safe[..., None], -1)[..., 0]
    scale = (np.ones_like(picked) if weight is None else weight[safe]) * kept
    loss = picked * scale
    return loss.sum() / scale.sum() if reduction == "mean" else _reduced(loss, reduction)


def _cross_entropy(
    x: Any, target: Any, weight: Any = None, size_average: Any = None, ignore_index: int = -100, reduce: Any = None,
    reduction: str = "mean", label_smoothing: float = 0.0,
) -> Any:  # fmt: skip
    dim = 1 if x.ndim > 1 else 0
    if label_smoothing or (weight is not None and target.dtype.kind == "f"):
        raise NotImplementedError("label_smoothing")
    log_p = _log_softmax(x, dim)
    if target.dtype.kind == "f":
        loss = -(log_p * target).sum(dim)
        return _reduced(loss, reduction)
    return _nll(log_p, target, weight, ignore_index=ignore_index, reduction=reduction)


def _loss(formula: Callable[..., Any]) -> Callable[..., Any]:
    def oracle(
        x: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean", **more: Any
    ) -> Any:
        return _reduced(formula(x, target, **more), reduction)

    return oracle


def _huber(x: Any, t: Any, delta: float = 1.0) -> Any:
    gap = np.abs(x - t)
    return np.where(gap <= delta, gap * gap / 2, delta * (gap - delta / 2))


def _bce(x: Any, t: Any, weight: Any = None) -> Any:
    loss = -(t * np.maximum(np.log(x), -100) + (1 - t) * np.maximum(np.log1p(-x), -100))
    return loss if weight is None else loss * weight


def _bce_logits(x: Any, t: Any, weight: Any = None, pos_weight: Any = None) -> Any:
    lead = 1 if pos_weight is None else (pos_weight - 1) * t + 1
    loss = (1 - t) * x + lead * np.logaddexp(0, -x)
    return loss if weight is None else loss * weight


def _attention(
    q: Any,
    k: Any,
    v: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: Any = None,
    enable_gqa: bool = False,
) -> Any:
    if enable_gqa or dropout_p:
        raise NotImplementedError("enable_gqa and dropout")
    scores = q @ np.swapaxes(k, -1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        scores = np.where(np.tril(np.ones(scores.shape[-2:], bool)), scores, -np.inf)
    if attn_mask is not None:
        scores = np.where(attn_mask, scores, -np.inf) if attn_mask.dtype == bool else scores + attn_mask
    return _softmax(scores, -1) @ v


def _moment(function: Any) -> Callable[..., Any]:
    """var and std: ``dim`` may be the flag ``unbiased``."""

    def oracle(x: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> Any:
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        ddof = (1 if unbiased is None or unbiased else 0) if correction is None else correction
        return function(x, axis=tuple(dim) if isinstance(dim, list) else dim, keepdims=keepdim, ddof=ddof)

    return oracle


def _softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    return np.where(x * beta > threshold, x, np.logaddexp(0, x * beta) / beta)


def _pad(x: Any, pad: Sequence[int], mode: str = "constant", value: Any = None) -> Any:
    pairs = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)][::-1]
    if min(pad) < 0:
        raise NotImplementedError("negative padding")
    widths = [(0, 0)] * (x.ndim - len(pairs)) + pairs
    kinds: dict[str, Any] = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    return np.pad(x, widths, constant_values=value or 0) if mode == "constant" else np.pad(x, widths, kinds[mode])


NN_ORACLES: dict[str, Callable[..., Any]] = {
    # activations
    "relu": lambda x, inplace=False: np.maximum(x, 0),
    "relu6": lambda x, inplace=False: np.clip(x, 0, 6),
    "sigmoid": _sigmoid,
    "logsigmoid": lambda x: -np.logaddexp(0, -x),
    "silu": lambda x, inplace=False: x * _sigmoid(x),
    "mish": lambda x, inplace=False: x * np.tanh(np.logaddexp(0, x)),
    "gelu": _gelu,
    "elu": lambda x, alpha=1.0, inplace=False: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))),
    "celu": lambda x, alpha=1.0, inplace=False: np.maximum(x, 0) + np.minimum(alpha * np.expm1(x / alpha), 0),
    "selu": _selu,
    "leaky_relu": lambda x, negative_slope=0.01, inplace=False: np.where(x >= 0, x, x * negative_slope),
    "prelu": _prelu,
    "softplus": _softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "tanhshrink": lambda x: x - np.tanh(x),
    "hardtanh": lambda x, min_val=-1.0, max_val=1.0, inplace=False: np.minimum(np.maximum(x, min_val), max_val),
    "hardsigmoid": lambda x, inplace=False: np.clip(x + 3, 0, 6) / 6,
    "hardswish": lambda x, inplace=False: x * np.clip(x + 3, 0, 6) / 6,
    "softmax": _softmax,
    "softmin": lambda x, dim=-1, dtype=None: _softmax(-x, dim),
    "log_softmax": _log_softmax,
    "glu": lambda x, dim=-1: np.split(x, 2, dim)[0] * _sigmoid(np.split(x, 2, dim)[1]),
    # layers
    "linear": _linear,
    "embedding": lambda index, weight, *rest, **more: weight[index],
    "one_hot": _one_hot,
    "layer_norm": _layer_norm,
    "rms_norm": _rms_norm,
    "batch_norm": _batch_norm,
    "conv1d": _conv(1),
    "conv2d": _conv(2),
    "conv3d": _conv(3),
    "max_pool1d": _pool(1, True),
    "max_pool2d": _pool(2, True),
    "avg_pool1d": _pool(1, False),
    "avg_pool2d": _pool(2, False),
    "pad": _pad,
    "scaled_dot_product_attention": _attention,
    # losses
    "mse_loss": _loss(lambda x, t, weight=None: (x - t) ** 2),
    "l1_loss": _loss(lambda x, t, weight=None: np.abs(x - t)),
    "huber_loss": _loss(lambda x, t, delta=1.0, weight=None: _huber(x, t, delta)),
    "nll_loss": _nll,
    "cross_entropy": _cross_entropy,
    # statistics
    "var": _moment(np.var),
    "std": _moment(np.std),
    "trace": np.trace,
    "kron": np.kron,
}  # fmt: skip
NN_ORACLES["binary_cross_entropy"] = lambda x, t, weight=None, size_average=None, reduce=None, reduction="mean": (
    _reduced(_bce(x, t, weight), reduction)
)
NN_ORACLES["binary_cross_entropy_with_logits"] = (
    lambda x, t, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None: _reduced(
        _bce_logits(x, t, weight, pos_weight), reduction
    )
)
