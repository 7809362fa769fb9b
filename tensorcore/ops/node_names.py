"""PyTorch's names of backward nodes, where they do not follow from the name of the op that makes the node.

``x.grad_fn`` prints the last step. Where PyTorch differentiates an op as one step and our op is an expression, the node
of the expression's last step takes the op's name.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tensorcore.autograd.graph import OpNode
    from tensorcore.ops.record import Op

__all__ = ["copied", "named", "of_node", "regular", "renamed"]


def regular(name: str) -> str:
    """The name by PyTorch's rule: ``AddBackward0``, ``MaxPool2DWithIndicesBackward0``."""
    # `title` writes a letter after a digit large, as PyTorch does.
    return name.strip("_").title().replace("_", "") + "Backward0"


# ------------------------------------------------------------------ expressions

#: Expressions that are one step in PyTorch, under the op's own name.
_ONE_STEP: Final = frozenset((
    "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool2d", "adaptive_max_pool3d", "addbmm", "addcdiv",
    "addcmul", "addmm", "addmv", "addr", "affine_grid_generator", "aminmax", "angle", "as_strided_scatter",
    "avg_pool2d", "avg_pool3d", "baddbmm", "binary_cross_entropy", "binary_cross_entropy_with_logits", "block_diag",
    "bmm", "celu", "channel_shuffle", "cholesky", "cholesky_inverse", "cholesky_solve", "clamp_max", "clamp_min",
    "complex", "conv_tbc", "deg2rad", "diag_embed", "diagonal_scatter", "dist", "dot", "embedding_bag", "exp2",
    "fmax", "fmin", "frac", "geqrf", "glu", "huber_loss", "index_add", "index_copy", "index_fill", "index_reduce",
    "index_select", "kthvalue", "lcm", "ldexp", "linalg_lu", "log10", "log2", "logaddexp", "logaddexp2", "logit",
    "lu_unpack", "masked_fill", "masked_scatter", "masked_select", "max_unpool2d", "max_unpool3d", "mm", "mse_loss",
    "multi_margin_loss", "multilabel_margin_loss", "mv", "nan_to_num", "nansum", "narrow_copy", "nll_loss", "ormqr",
    "pdist", "pixel_shuffle", "pixel_unshuffle", "polar", "put", "rad2deg", "renorm", "repeat", "rot90",
    "rsub", "scatter_add", "scatter_reduce", "select_scatter", "sgn", "sinc", "slice_inverse", "slice_scatter",
    "smooth_l1_loss", "std_mean", "take", "trace", "triangular_solve", "tril", "triu", "var_mean", "vdot",
    "xlogy",
))  # fmt: skip


def _by_dim(whole: str, along: str) -> Callable[..., str]:
    """The name by whether a dimension is given."""
    return lambda input, dim=None, *args, **kwargs: along if dim is not None else whole


def _extreme(name: str) -> Callable[..., str]:
    def shown(input: Any, dim: Any = None, *args: Any, other: Any = None, **kwargs: Any) -> str:
        if other is not None or hasattr(dim, "_array"):
            return f"{name}imumBackward0"
        return f"{name}Backward0" if dim is not None else f"{name}Backward1"

    return shown


def _interpolated(input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", *args: Any,
                  **kwargs: Any) -> str:  # fmt: skip
    sides = input.ndim - 2
    kind = {"linear": "Linear", "bilinear": "Bilinear", "bicubic": "Bicubic", "lanczos": "Lanczos", "trilinear":
            "Trilinear", "nearest": "Nearest", "nearest-exact": "NearestExact"}.get(mode)  # fmt: skip
    if mode == "area":
        return "SqueezeBackward1" if sides == 1 else f"AdaptiveAvgPool{sides}DBackward0"
    if kwargs.get("antialias"):
        kind = f"{kind}2DAa"
        return f"Upsample{kind}Backward0"
    return f"Upsample{kind}{sides}DBackward0"


def _padded(input: Any, pad: Any, mode: str = "constant", value: Any = None) -> str:
    if mode == "constant":
        return "ConstantPadNdBackward0"
    return {"reflect": "ReflectionPad", "replicate": "ReplicationPad"}.get(mode, "") + (
        f"{len(pad) // 2}DBackward0" if mode != "circular" else "CopySlices"
    )


def _lerped(input: Any, end: Any, weight: Any) -> str:
    return "LerpBackward1" if hasattr(weight, "_array") else "LerpBackward0"


def _convolved(sides: int) -> Callable[..., str]:
    """Without a batch, one is added and taken away again."""
    return lambda input, *args, **kwargs: "SqueezeBackward1" if input.ndim == sides + 1 else "ConvolutionBackward0"


def _of_classes(input: Any, *args: Any, reduction: str = "mean", **kwargs: Any) -> str:
    if kwargs.get("label_smoothing"):
        return "AddBackward0"
    return "NllLoss2DBackward0" if input.ndim > 2 else "NllLossBackward0"


#: Names of other expressions, or how the name follows from the call's arguments.
_EXPRESSIONS: Final[dict[str, str | Callable[..., str]]] = {
    "adaptive_avg_pool1d": "SqueezeBackward1",
    "adaptive_max_pool1d": "SqueezeBackward1",
    "avg_pool1d": "SqueezeBackward1",
    "bilinear": "AddBackward0",
    "cartesian_prod": "StackBackward0",
    "combinations": "StackBackward0",
    **{f"conv{kind}{n}d": _convolved(n) for kind in ("", "_transpose") for n in (1, 2, 3)},
    "cosine_similarity": "SumBackward1",
    "cross": "LinalgCrossBackward0",
    "cross_entropy": _of_classes,
    "diag": lambda input, diagonal=0: "DiagEmbedBackward0" if input.ndim == 1 else "DiagonalBackward0_copy",
    "diagflat": "DiagEmbedBackward0",
    "fft_fftshift": "RollBackward0",
    "fft_ifftshift": "RollBackward0",
    "fold": "Col2ImBackward0",
    "frobenius_norm": "NormBackward1",
    "group_norm": "NativeGroupNormBackward0",
    "gru_cell": "AddBackward0",
    "affine_grid": "AffineGridGeneratorBackward0",
    "grid_sample": lambda input, *args, **kwargs: f"GridSampler{input.ndim - 2}DBackward0",
    "grid_sampler": lambda input, *args, **kwargs: f"GridSampler{input.ndim - 2}DBackward0",
    "interpolate": _interpolated,
    "kron": "UnsafeViewBackward0",
    "lerp": _lerped,
    "max": _extreme("Max"),
    "lu_solve": "LinalgLuSolveBackward0",
    "max_pool1d": "SqueezeBackward1",
    "max_pool2d": "MaxPool2DWithIndicesBackward0",
    "max_pool3d": "MaxPool3DWithIndicesBackward0",
    "max_unpool1d": "SqueezeBackward1",
    "median": _by_dim("MedianBackward0", "MedianBackward1"),
    "min": _extreme("Min"),
    "nanmedian": _by_dim("NanmedianBackward0", "NanmedianBackward1"),
    "nuclear_norm": "SumBackward1",
    "orgqr": "LinalgHouseholderProductBackward0",
    "fake_quantize_per_tensor_affine": "FakeQuantizePerTensorAffineCachemaskBackward0",
    "pad": _padded,
    "pairwise_distance": "NormBackward1",
    "rms_norm": "MulBackward0",
    "rnn_relu_cell": "ReluBackward0",
    "rnn_tanh_cell": "TanhBackward0",
    "tile": "RepeatBackward0",
    "unfold": "Im2ColBackward0",
}


def named(op: Op) -> Callable[..., Any]:
    """The front of an expression that PyTorch's graph knows as one step: its node takes that step's name."""
    front = op.front
    shown = op.shown or _EXPRESSIONS.get(op.name) or (regular(op.name) if op.name in _ONE_STEP else None)
    if shown is None:
        return front
    names = tuple(op.signature.parameters)

    def call(*args: Any, **kwargs: Any) -> Any:
        result = front(*args, **kwargs)
        # Most calls make no node.
        if isinstance(result, tuple):
            outs = result
        elif getattr(result, "_node", None) is None:
            return result
        else:
            outs = (result,)
        for out in outs:
            node = getattr(out, "_node", None)
            if node is None:
                continue
            if not any(node is getattr(x, "_node", None) for x in args):
                given = {**dict(zip(names, args, strict=False)), **kwargs}
                _rename(node, shown if isinstance(shown, str) else shown(**given))
        return result

    return functools.update_wrapper(call, front)


def _rename(node: Any, shown: str) -> None:
    maker = getattr(node, "owner", node)
    op = getattr(maker, "op", None)
    if op is not None:
        maker.op = _face(op, shown)


def renamed(tensor: Any, shown: str) -> None:
    """Let the node that made ``tensor`` just now show another name."""
    if tensor._node is not None:
        _rename(tensor._node, shown)


def copied(out: Any, view: Any) -> None:
    """Let the node of a copied view show that: ``ViewBackward0_copy``."""
    if out._node is not None and view._node is not None and hasattr(view._node, "op"):
        _rename(out._node, f"{of_node(view._node)}_copy")


@functools.cache
def _face(op: Op, shown: str) -> Op:
    return op.face(shown)


# ------------------------------------------------------------------ steps


def _over(name: str) -> Callable[[OpNode], str]:
    """A reduction: of all elements, or along dimensions."""

    def shown(node: OpNode) -> str:
        edge = node.edges[0]
        ndim = len(edge.shape if hasattr(edge, "sequence") else edge._array.shape)
        whole = len(node.attributes["dim"]) == ndim and not node.attributes["keepdim"]
        return f"{name}Backward{int(not whole)}"

    return shown


def _by_divisor(name: str) -> Callable[[OpNode], str]:
    return lambda node: f"{name}Backward{int(node.edges[1] is not None)}"


def _linear(node: OpNode) -> str:
    biased = len(node.edges) > 2 and node.edges[2] is not None
    if len(node.shape) == 2:
        return "AddmmBackward0" if biased else "MmBackward0"
    return "ViewBackward0" if biased else "UnsafeViewBackward0"


#: Names of ops with a gradient rule of their own, or how the name follows from the node.
_STEPS: Final[dict[str, str | Callable[[OpNode], str]]] = {
    "attention": lambda node: "MmBackward0" if len(node.shape) == 2 else "UnsafeViewBackward0",
    "convolution_of": "ConvolutionBackward0",
    "fmod": _by_divisor("Fmod"),
    "linear": _linear,
    "logsigmoid": "LogSigmoidBackward0",
    "matmul": lambda node: "MmBackward0" if len(node.shape) == 2 else "UnsafeViewBackward0",
    "mean": _over("Mean"),
    "pow": "PowBackward1",
    "prelu": "PreluKernelBackward0",
    "prod": _over("Prod"),
    "remainder": _by_divisor("Remainder"),
    "square": "PowBackward0",
    "sum": _over("Sum"),
}


def of_node(node: OpNode) -> str:
    """The name that a node shows."""
    op = node.op
    shown = op.shown or _STEPS.get(op.name)
    if shown is None:
        return regular(op.name)
    return shown if isinstance(shown, str) else shown(node)
