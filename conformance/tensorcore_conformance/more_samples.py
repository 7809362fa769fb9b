"""Samples beside those of the records: combinations of arguments that backends get wrong.

A record's samples show how an op is called; these are for judges. They are tried wherever the record's are.
"""

from __future__ import annotations

from typing import Any

__all__ = ["MORE_SAMPLES"]

Sample = dict[str, Any]


def _placed(shape: Any, places: Any, *rest: Any, side: int, **given: Any) -> Sample:
    """An operand, int64 places into it that meet some elements several times, and further operands."""
    count = len(rest)
    return {
        "shapes": (shape, places, *rest), "dtypes": (None, "int64", *(None,) * count),
        "domains": (None, (0, side), *(None,) * count), **given,
    }  # fmt: skip


def _scattered(**given: Any) -> tuple[Sample, ...]:
    """Equal places, a source larger than the places, and sides smaller than the operand's."""
    return (
        _placed((3, 4), (7, 4), (7, 4), side=3, order=(0, "dim", 1, 2), dim=0, **given),
        _placed((4, 5), (3, 6), (4, 7), side=5, order=(0, "dim", 1, 2), dim=1, **given),
    )


def _reduced(reduce: str, include_self: bool) -> tuple[Sample, ...]:
    return tuple(
        {**sample, "order": (0, "dim", 1, 2, "reduce"), "reduce": reduce, "include_self": include_self}
        for sample in _scattered()
    )


def _windows(grad: Any, weight: Any, size: Any, *, stride: Any, padding: Any, dilation: Any, groups: int = 1) -> Sample:
    return {
        "shapes": (grad, weight), "size": size, "stride": stride, "padding": padding, "dilation": dilation,
        "groups": groups,
    }  # fmt: skip


_CLASSES: Sample = {
    "shapes": ((), (3, 4), (3,), (4,), ()), "dtypes": (None, None, "int64", None, None),
    "domains": (None, (-4, 0), (0, 4), (0.5, 2), (1, 4)), "ignore_index": 1,
}  # fmt: skip
_RESIZED: Sample = {"shapes": ((2, 3, 3, 5),), "dim": 2, "size": 6, "scale": 1.7, "antialias": False}

#: Further samples by op.
MORE_SAMPLES: dict[str, tuple[Sample, ...]] = {
    # Places met several times, sides smaller than the operand's, places of one and of three dimensions.
    "index": (
        _placed((5, 3), (6,), side=5),
        {"shapes": ((4, 5, 2), (2, 3), (2, 3)), "dtypes": (None, "int64", "int64"), "domains": (None, (0, 4), (0, 5))},
    ),
    "index_put": (
        {
            "shapes": ((5, 4), (9, 4), (9,)), "dtypes": (None, None, "int64"), "domains": (None, None, (0, 4)),
            "accumulate": True,
        },
    ),
    "index_add": (
        _placed((3, 4), (9,), (9, 4), side=3, order=(0, "dim", 1, 2), dim=0),
        _placed((3, 4), (6,), (3, 6), side=4, order=(0, "dim", 1, 2), dim=1, alpha=2),
    ),
    "gather": (
        _placed((5, 6), (3, 7), side=6, order=(0, "dim", 1), dim=1),
        _placed((3, 4, 5), (3, 2, 2), side=4, order=(0, "dim", 1), dim=-2),
    ),
    "scatter_add": _scattered(),
    "scatter_reduce": tuple(
        sample
        for reduce in ("sum", "prod", "amax", "amin", "mean")
        for include in (True, False)
        for sample in _reduced(reduce, include)
    ),
    "basic_index": ({"shapes": ((7, 5),), "args": ((slice(0, 7, 3), slice(1, 5, 3)),)},),
    "embedding_gradient": tuple(
        {
            "shapes": ((4, 3, 2), (4, 3)), "dtypes": (None, "int64"), "domains": (None, (0, 3)), "count": 4,
            "padding_idx": padding, "scale_grad_by_freq": scaled,
        }
        for padding, scaled in ((1, False), (None, True), (0, True))
    ),
    # Moving.
    "flip": ({"shapes": ((2, 3, 2, 4, 2),), "args": ((1, -1),)}, {"shapes": ((2, 3, 2, 4, 2),), "args": ((3, 0),)}),
    "permute": (
        {"shapes": ((2, 3, 4, 1, 2, 3),), "args": (4, 2, 0, 5, 1, 3)}, {"shapes": ((2, 3, 4),), "args": (-1, 0, -2)},
    ),
    "expand": ({"shapes": ((3, 1, 4, 1),), "args": (2, -1, 5, -1, 2)},),
    "repeat": (
        {"shapes": ((2, 3),), "args": (2, 0)}, {"shapes": ((2, 3),), "args": (3, 1, 1)},
        {"shapes": ((),), "args": (4,)},
    ),
    "roll": (
        {"shapes": ((3, 4),), "args": ((7, -9), (0, 1))}, {"shapes": ((3, 4),), "args": ((1, 1), (0, 0))},
        {"shapes": ((3, 4),), "args": (-15,)},
    ),
    **{
        name: tuple(
            {"shapes": (shape,), "diagonal": by} for shape in ((3, 5), (2, 5, 3)) for by in (-7, -2, 0, 2, 7)
        )
        for name in ("tril", "triu")
    },
    "diagonal": (
        {"shapes": ((3, 4),), "offset": -5}, {"shapes": ((3, 4),), "offset": 4},
        {"shapes": ((2, 4, 3),), "args": (1, 2, 1)}, {"shapes": ((2, 4, 3),), "args": (-1, -1, 0)},
    ),
    # Layers.
    "conv1d": ({"shapes": ((2, 4, 9), (6, 2, 3), (6,)), "stride": 2, "padding": 3, "dilation": 2, "groups": 2},),
    "conv2d": (
        {"shapes": ((2, 4, 9, 8), (8, 1, 2, 3), (8,)), "stride": (2, 1), "padding": (1, 2), "dilation": 2, "groups": 4},
        {"shapes": ((1, 2, 3, 4), (3, 2, 3, 4))},
    ),
    "convolution_input_gradient": (
        _windows((2, 3, 2, 2), (3, 2, 2, 2), (6, 7), stride=(3, 4), padding=(0, 0), dilation=(1, 1)),
        _windows((1, 4, 3, 2), (4, 1, 2, 2), (7, 6), stride=(2, 3), padding=(1, 1), dilation=(2, 1), groups=4),
    ),
    "attention": tuple(
        {"shapes": ((2, 3, 4), (2, 5, 4), (2, 5, 6), (3, 5)), "is_causal": False, "scale": 0.5, "prepare": prepare}
        for prepare in ((None, None, None, "closed_row"),)
    ),
    "cdist": tuple({"shapes": ((3, 4), (5, 4)), "p": p} for p in (0.0, 0.5, float("inf"))),
    "max_pool2d": (
        {"shapes": ((1, 2, 7, 8),), "kernel_size": (3, 2), "stride": 2, "padding": 1, "dilation": 2, "ceil_mode": True},
    ),
    "cross_entropy_gradient": tuple(
        {**_CLASSES, "shapes": (grad, *_CLASSES["shapes"][1:]), "reduction": reduction, "label_smoothing": smoothing}
        for grad, reduction in (((), "sum"), ((3,), "none"), ((), "mean"))
        for smoothing in (0.0, 0.3)
    ),
    "resampled_gradient": tuple(
        {**_RESIZED, "mode": mode, "align": True, "size": size, "scale": 0.4}
        for mode, size in (("bilinear", 6), ("bicubic", 6), ("bilinear", 1))
    ),
    "resampled": tuple(
        {"shapes": ((2, 3, 6, 5),), "dim": 3, "size": size, "mode": mode, "scale": scale, "align": align,
         "antialias": False}
        for size, mode, scale, align in (
            (1, "bilinear", 0.0, True), (9, "bicubic", 0.5, True), (3, "bilinear", 2.5, False),
        )
    ),
    "interpolate": (
        *(
            {"shapes": ((2, 3, 6),), "size": size, "mode": mode}
            for mode in ("nearest", "nearest-exact") for size in (4, 9)
        ),
        {"shapes": ((2, 3, 4, 5),), "size": (1, 7), "mode": "bilinear", "align_corners": True},
        {"shapes": ((2, 3, 4, 5),), "scale_factor": (1.7, 0.6), "mode": "bilinear", "recompute_scale_factor": True},
    ),
    # Statistics and distances.
    "var": ({"shapes": ((3, 4),), "dim": 1, "correction": 2}, {"shapes": ((2, 3),), "dim": 0, "correction": 3}),
    "linalg_vector_norm": tuple(
        {"shapes": ((3, 4),), "ord": order, "dim": dim, "keepdim": True}
        for order in (0, 0.5, 1, 3, float("inf"), float("-inf"), -2) for dim in (1, (0, 1))
    ),
    # What is made of numbers alone.
    "full": tuple({"shapes": (), "args": ((2,), value)} for value in (2**53 + 1, -0.0, float("nan"), True, 1j)),
    "linspace": tuple({"shapes": (), "args": args} for args in ((0.1, 0.9, 1001), (-3.0, 5.0, 17))),
    "arange": tuple(
        {"shapes": (), "args": args} for args in ((2**24 - 3, 2**24 + 9), (2**53, 2**53 + 7, 2), (9, -9, -4))
    ),
}  # fmt: skip
