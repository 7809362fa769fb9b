"""PyTorch's functions of the top namespace that differ from those of `nn.functional` in the order of arguments.

They are what its own layers call, and programs and libraries besides: all arguments by place, modes by number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import float64, int32, int64
from tensorcore.errors import DTypeError, RangeError, ShapeError
from tensorcore.ops import alignment, distance, loss
from tensorcore.ops import dropout as drops
from tensorcore.ops import embedding as tables
from tensorcore.ops import embedding_bag as bags
from tensorcore.ops.convolution import (
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
)
from tensorcore.ops.grids import grid_sampler
from tensorcore.ops.padding import pad as padded
from tensorcore.ops.record import composite
from tensorcore.ops.windows import spatial
from tensorcore.shapes import broadcast_shapes

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_WEIGHTS: Final = ({"shapes": ((5, 4), (2, 3)), "dtypes": (None, "int64"), "domains": (None, (0, 5))},)


# ------------------------------------------------------------------ tables


@composite(namespaces=(), aliases=(".embedding",), operands=("weight", "indices"), samples=_WEIGHTS, ulp=0)
def positional_embedding(
    weight: Tensor, indices: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False
) -> Tensor:
    """`nn.functional.embedding`, the table first; a ``padding_idx`` that is no row of it, such as -1, pads nothing.

    Example:
        >>> tc.embedding(tc.tensor([[0.0, 0.0], [1.0, 2.0]]), tc.tensor([1, 0]))
        tensor([[1., 2.],
                [0., 0.]])
    """
    padding = padding_idx if weight.ndim and 0 <= padding_idx < weight.shape[0] else None
    return tables.embedding(indices, weight, padding, None, 2.0, scale_grad_by_freq, sparse)


@composite(namespaces=("",))
def embedding_renorm_(input: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> Tensor:
    """Scale down the rows of ``input`` at ``indices`` whose ``norm_type``-norm exceeds ``max_norm``, in place.

    Raises:
        DTypeError: unless the indices are int64 or int32.

    Example:
        >>> tc.embedding_renorm_(tc.tensor([[3.0, 4.0], [0.3, 0.4]]), tc.tensor([0, 1]), 1.0, 2.0)
        tensor([[0.6000, 0.8000],
                [0.3000, 0.4000]])
    """
    if input.ndim != 2:
        raise ShapeError(f"embedding_renorm_: expected a table of 2 dimensions, got shape {list(input.shape)}")
    if indices.dtype not in (int64, int32):
        raise DTypeError(f"embedding_renorm_: expected indices of dtype int64 or int32, got {indices.dtype}")
    if indices.numel():
        tables.renormalize(input, indices.to(int64), float(max_norm), norm_type)
    return input


@composite(
    namespaces=(), aliases=(".embedding_bag",), operands=("weight", "indices", "offsets"), ulp=16,
    by_example="values",
    samples=tuple(
        {"shapes": ((5, 4), (6,), (3,)), "dtypes": (None, "int64", "int64"), "domains": (None, (0, 5), (0, 1)),
         "mode": mode}
        for mode in (1, 2)
    ),
)  # fmt: skip
def positional_embedding_bag(
    weight: Tensor, indices: Tensor, offsets: Tensor, scale_grad_by_freq: bool = False, mode: int = 0,
    sparse: bool = False, per_sample_weights: Tensor | None = None, include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
    """`nn.functional.embedding_bag`, the table first, ``mode`` 0, 1, 2 for sum, mean and max; with what it is made of.

    That is: the bag of each index, how many indices each bag has, and for the maximum the row of each element (for the
    mean, the counts once more). A sum needs none of them: where it pads nothing, the first is empty, and the others
    are zeros.

    Example:
        >>> table = tc.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
        >>> tc.embedding_bag(table, tc.tensor([0, 1, 2]), tc.tensor([0, 2]), mode=1)
        (tensor([[2., 3.],
                [5., 6.]]), tensor([0, 0, 1]), tensor([2, 1]), tensor([2, 1]))
    """
    if mode not in (0, 1, 2):
        raise RangeError(f"embedding_bag: mode must be 0 (sum), 1 (mean) or 2 (max), got {mode}")
    if indices.ndim != 1 or offsets is None:
        raise ShapeError(f"embedding_bag: expected indices of 1 dimension and offsets, got shape {list(indices.shape)}")
    # The gradient of a maximum is dense, and has no frequencies.
    by_frequency, sparse = scale_grad_by_freq and mode != 2, sparse and mode != 2
    out = bags.embedding_bag(
        indices, weight, offsets, None, 2, by_frequency, ("sum", "mean", "max")[mode], sparse, per_sample_weights,
        include_last_offset, padding_idx,
    )  # fmt: skip
    bag_of, sizes, rows = bags.made_of(weight.detach(), indices, offsets, mode == 2, include_last_offset, padding_idx)
    if mode == 0:
        plain = padding_idx is None and weight.dtype is not float64
        return out, bag_of[:0] if plain else bag_of, sizes * 0, rows * 0
    return out, bag_of, sizes, rows


# ------------------------------------------------------------------ dropout


@composite(namespaces=(), aliases=(".dropout",), random=True)
def positional_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """`nn.functional.dropout`, where ``train`` says whether anything is dropped.

    Example:
        >>> tc.dropout(tc.ones(2), 1.0, True), tc.dropout(tc.ones(2), p=0.5, train=False)
        (tensor([0., 0.]), tensor([1., 1.]))
    """
    return drops.dropout(input, p, train)


@composite(namespaces=(), aliases=(".alpha_dropout",), random=True)
def positional_alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """`nn.functional.alpha_dropout`, where ``train`` says whether anything is dropped.

    Example:
        >>> tc.alpha_dropout(tc.ones(2), 0.5, False)
        tensor([1., 1.])
    """
    return drops.alpha_dropout(input, p, train)


@composite(namespaces=(), aliases=(".feature_alpha_dropout",), random=True)
def positional_feature_alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """`nn.functional.feature_alpha_dropout`, where ``train`` says whether anything is dropped.

    Example:
        >>> tc.feature_alpha_dropout(tc.ones(2, 3, 4), 0.5, True).std(-1).max()
        tensor(0.)
    """
    return drops.feature_alpha_dropout(input, p, train)


@composite(namespaces=("",), random=True)
def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """`dropout` of whole channels of (N, C, *sides), with any number of sides.

    Raises:
        ShapeError: for fewer than 2 dimensions, where anything is dropped.
        RangeError: for a probability outside [0, 1].

    Example:
        >>> x = tc.feature_dropout(tc.ones(2, 3, 4), 0.5, True)
        >>> x.std(-1).max(), tc.feature_dropout(tc.ones(2), 0.5, False)
        (tensor(0.), tensor([1., 1.]))
    """
    return drops.of_features("feature_dropout", input, p, train)


@composite(namespaces=("",), random=True, outputs=2)
def native_dropout(input: Tensor, p: float, train: bool | None) -> tuple[Tensor, Tensor]:
    """`dropout`, and which elements are kept; a ``train`` of None is True.

    Raises:
        DTypeError: for integers.
        RangeError: for a probability outside [0, 1].

    Example:
        >>> tc.native_dropout(tc.ones(2), 0.5, False)
        (tensor([1., 1.]), tensor([True, True]))
    """
    return drops.with_mask("native_dropout", input, p, train is None or train)


# ------------------------------------------------------------------ losses

_REDUCTIONS: Final = ("none", "mean", "sum")


def _reduction(op: str, number: int) -> str:
    # PyTorch's binding reads the default that its signatures show, the mean, as 0.
    if number not in (0, 1, 2):
        raise RangeError(f"{op}: reduction must be 0 (none), 1 (mean) or 2 (sum), got {number}")
    return _REDUCTIONS[number]


_LOSS: Final = ({"shapes": ((3, 4), (3, 4)), "reduction": 1}, {"shapes": ((3, 4), (3, 4))})


@composite(
    namespaces=(), aliases=(".binary_cross_entropy_with_logits",), samples=_LOSS, ulp=16,
    shown="BinaryCrossEntropyWithLogitsBackward0",
)  # fmt: skip
def positional_binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, pos_weight: Tensor | None = None, reduction: int = 0
) -> Tensor:
    """`nn.functional.binary_cross_entropy_with_logits`, reduced by number: 0 none, 1 mean, 2 sum.

    Example:
        >>> tc.binary_cross_entropy_with_logits(tc.tensor([0.0, 2.0]), tc.tensor([1.0, 1.0]), None, None, 1)
        tensor(0.4100)
    """
    op = "binary_cross_entropy_with_logits"
    how = _reduction(op, reduction)
    if broadcast_shapes(input.shape, target.shape) != target.shape:
        raise ShapeError(
            f"{op}: input of shape {list(input.shape)} does not broadcast to target of shape {list(target.shape)}"
        )
    return loss.logistic_loss(input, target, weight, pos_weight, how)


@composite(
    namespaces=(), aliases=(".kl_div",), ulp=16,
    samples=tuple({**case, "domains": (None, (0.1, 1))} for case in _LOSS),
)  # fmt: skip
def positional_kl_div(input: Tensor, target: Tensor, reduction: int = 0, *, log_target: bool = False) -> Tensor:
    """`nn.functional.kl_div`, reduced by number: 0 none, 1 mean over all elements, 2 sum.

    Example:
        >>> tc.kl_div(tc.tensor([[0.9, 0.1]]).log(), tc.tensor([[0.5, 0.5]]), 2)
        tensor(0.5108)
    """
    return loss.kl_div(input, target, reduction=_reduction("kl_div", reduction), log_target=log_target)


@composite(
    namespaces=(), aliases=(".poisson_nll_loss",), ulp=16,
    samples=({"shapes": ((3, 4), (3, 4)), "args": (True, False, 1e-8, 1)},),
)  # fmt: skip
def positional_poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int
) -> Tensor:
    """`nn.functional.poisson_nll_loss`, all arguments given, reduced by number: 0 none, 1 mean, 2 sum.

    Example:
        >>> tc.poisson_nll_loss(tc.tensor([0.0, 1.0]), tc.tensor([1.0, 2.0]), True, False, 1e-8, 0)
        tensor([1.0000, 0.7183])
    """
    how = _reduction("poisson_nll_loss", reduction)
    return loss.poisson_nll_loss(input, target, log_input, full, eps=eps, reduction=how)


@composite(
    namespaces=(), aliases=(".hinge_embedding_loss",), ulp=8,
    samples=tuple({**case, "domains": (None, (1, 1))} for case in _LOSS),
)  # fmt: skip
def positional_hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, reduction: int = 0) -> Tensor:
    """`nn.functional.hinge_embedding_loss`, reduced by number: 0 none, 1 mean, 2 sum.

    Example:
        >>> tc.hinge_embedding_loss(tc.tensor([0.3, 0.3, 2.0]), tc.tensor([1, -1, -1]), 1.0, 2)
        tensor(1.)
    """
    how = _reduction("hinge_embedding_loss", reduction)
    return distance.hinge_embedding_loss(input, target, margin, reduction=how)


@composite(
    namespaces=(), aliases=(".cosine_embedding_loss",), ulp=32,
    samples=({"shapes": ((3, 4), (3, 4), (3,)), "dtypes": (None, None, "int64"), "domains": (None, None, (1, 2))},),
)  # fmt: skip
def positional_cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 0
) -> Tensor:
    """`nn.functional.cosine_embedding_loss`, reduced by number: 0 none, 1 mean, 2 sum.

    Example:
        >>> x, y = tc.tensor([[1.0, 0.0]]), tc.tensor([[1.0, 1.0]])
        >>> tc.cosine_embedding_loss(x, y, tc.tensor([1]), 0.5, 1)
        tensor(0.2929)
    """
    how = _reduction("cosine_embedding_loss", reduction)
    return distance.cosine_embedding_loss(input1, input2, target, margin, reduction=how)


@composite(namespaces=(), aliases=(".margin_ranking_loss",), samples=({"shapes": ((5,), (5,), (5,))},), ulp=8)
def positional_margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 0
) -> Tensor:
    """`nn.functional.margin_ranking_loss`, reduced by number: 0 none, 1 mean, 2 sum.

    Example:
        >>> tc.margin_ranking_loss(tc.tensor([1.0, 1.0]), tc.tensor([0.0, 0.0]), tc.tensor([1, -1]), 0.5, 1)
        tensor(0.7500)
    """
    how = _reduction("margin_ranking_loss", reduction)
    return distance.ranking_loss(input1, input2, target, margin, how)


@composite(namespaces=(), aliases=(".triplet_margin_loss",), samples=({"shapes": ((3, 4),) * 3},), ulp=16)
def positional_triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6,
    swap: bool = False, reduction: int = 0,
) -> Tensor:  # fmt: skip
    """`nn.functional.triplet_margin_loss`, reduced by number: 0 none, 1 mean, 2 sum.

    Example:
        >>> anchor, near, far = tc.tensor([[0.0, 0.0]]), tc.tensor([[0.0, 2.0]]), tc.tensor([[2.5, 0.0]])
        >>> tc.triplet_margin_loss(anchor, near, far, reduction=1)
        tensor(0.5000)
    """
    how = _reduction("triplet_margin_loss", reduction)
    return distance.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction=how)


@composite(
    namespaces=(), aliases=(".ctc_loss",), operands=("log_probs", "targets", "input_lengths", "target_lengths"),
    ulp=256,
    samples=({"shapes": ((6, 2, 4), (2, 2), (2,), (2,)), "dtypes": (None, "int64", "int64", "int64"),
              "domains": ((-4, -1), (1, 4), (6, 6), (2, 2)), "reduction": 1},),
)  # fmt: skip
def positional_ctc_loss(
    log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any, blank: int = 0, reduction: int = 0,
    zero_infinity: bool = False,
) -> Tensor:  # fmt: skip
    """`nn.functional.ctc_loss`, reduced by number: 0 none, 1 mean, 2 sum.

    Example:
        >>> scores = tc.tensor([[[0.5, 0.5]], [[0.5, 0.5]]]).log()
        >>> tc.ctc_loss(scores, tc.tensor([[1]]), (2,), (1,), 0, 2)
        tensor(0.2877)
    """
    how = _reduction("ctc_loss", reduction)
    return alignment.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, how, zero_infinity)


# ------------------------------------------------------------------ windows and grids


@composite(
    namespaces=("",), ulp=64,
    samples=(
        {"shapes": ((2, 4, 5), (6, 2, 3), (6,)), "args": ((2,), (1,), (1,), False, (0,), 2)},
        {"shapes": ((2, 4, 5), (4, 3, 3), (6,)), "args": ((2,), (1,), (1,), True, (1,), 2)},
    ),
)  # fmt: skip
def convolution(
    input: Tensor, weight: Tensor, bias: Tensor | None, stride: Sequence[int], padding: Sequence[int],
    dilation: Sequence[int], transposed: bool, output_padding: Sequence[int], groups: int,
) -> Tensor:  # fmt: skip
    """`conv1d`, `conv2d`, `conv3d` or their transposed forms, by the dimensions of ``weight``, all arguments given.

    Raises:
        ShapeError: unless ``input`` has as many dimensions as ``weight``, from 3 to 5.

    Example:
        >>> x = tc.tensor([[[1.0, 2.0, 3.0]]])
        >>> tc.convolution(x, tc.ones(1, 1, 2), None, (1,), (0,), (1,), False, (0,), 1)
        tensor([[[3., 5.]]])
    """
    if input.ndim != weight.ndim or not 3 <= input.ndim <= 5:
        raise ShapeError(
            f"convolution: expected input and weight of as many dimensions, 3 to 5, got shapes {list(input.shape)} and "
            f"{list(weight.shape)}"
        )
    place = input.ndim - 3
    spatial("convolution", "output_padding", output_padding, place + 1)
    if not transposed:
        return (conv1d, conv2d, conv3d)[place](input, weight, bias, stride, padding, dilation, groups)
    over = (conv_transpose1d, conv_transpose2d, conv_transpose3d)[place]
    return over(input, weight, bias, stride, padding, output_padding, groups, dilation)


@composite(
    namespaces=("",), ulp=0,
    samples=({"shapes": ((2, 3, 4),), "args": ((1, 2, 0, 1), 1.5)}, {"shapes": ((2, 3, 4),), "args": ((1, -2),)}),
)  # fmt: skip
def constant_pad_nd(input: Tensor, pad: Sequence[int], value: float = 0) -> Tensor:
    """`nn.functional.pad` with a constant.

    Example:
        >>> tc.constant_pad_nd(tc.tensor([1, 2]), (1, 2), 9)
        tensor([9, 1, 2, 9, 9])
    """
    return padded(input, pad, "constant", value)


def _on_grid(op: str, ndim: int, input: Tensor, grid: Tensor, *modes: Any) -> Tensor:
    if input.ndim != ndim or grid.ndim != ndim:
        raise ShapeError(
            f"{op}: expected input and grid of {ndim} dimensions, got shapes {list(input.shape)} and {list(grid.shape)}"
        )
    return grid_sampler(input, grid, *modes)


@composite(namespaces=("",), ulp=64, samples=({"shapes": ((2, 3, 4, 5), (2, 3, 2, 2)), "args": (0, 1, True)},))
def grid_sampler_2d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """`grid_sampler` of images (N, C, H, W).

    Example:
        >>> tc.grid_sampler_2d(tc.arange(4.0).reshape(1, 1, 2, 2), tc.zeros(1, 1, 1, 2), 0, 0, True)
        tensor([[[[1.5000]]]])
    """
    return _on_grid("grid_sampler_2d", 4, input, grid, interpolation_mode, padding_mode, align_corners)


@composite(namespaces=("",), ulp=64, samples=({"shapes": ((2, 3, 2, 4, 3), (2, 2, 1, 2, 3)), "args": (0, 0, True)},))
def grid_sampler_3d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """`grid_sampler` of volumes (N, C, D, H, W).

    Example:
        >>> tc.grid_sampler_3d(tc.arange(8.0).reshape(1, 1, 2, 2, 2), tc.zeros(1, 1, 1, 1, 3), 0, 0, True)
        tensor([[[[[3.5000]]]]])
    """
    return _on_grid("grid_sampler_3d", 5, input, grid, interpolation_mode, padding_mode, align_corners)
