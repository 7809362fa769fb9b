"""Convolution, pooling, normalisation and padding against PyTorch."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from against_torch import INF, NAN, I, T, V, case, compare  # noqa: E402

CONVOLUTIONS = [
    case("F.conv1d", T(2, 3, 8), T(4, 3, 3), T(4)), case("F.conv1d", T(2, 4, 9), T(6, 2, 3), T(6), 2, 1, 2, 2), case("F.conv1d", T(3, 8), T(4, 3, 3)),
    case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 3, 2), T(4)), case("F.conv2d", T(2, 4, 7, 8), T(6, 2, 3, 2), T(6), (2, 1), (1, 2), (1, 2), 2),
    case("F.conv2d", T(3, 6, 5), T(4, 3, 3, 3), T(4), padding=1), case("F.conv2d", T(2, 4, 6, 5), T(8, 1, 3, 3), groups=4, padding=1),
    case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 1, 1), T(4)), case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 1, 1), stride=2), case("F.conv2d", T(2, 3, 7, 7), T(4, 3, 3, 3), stride=3),
    case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 3, 3), padding="same"), case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 2, 4), padding="same", dilation=(1, 2)), case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 3, 3), padding="valid"),
    case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 3, 3), padding="same", stride=2), case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 3, 3), padding="x"), case("F.conv2d", T(1, 1, 2, 2), T(1, 1, 1, 1), padding=2),
    case("F.conv2d", T(0, 3, 6, 5), T(4, 3, 3, 3), T(4)), case("F.conv2d", T(2, 3, 2, 2), T(4, 3, 3, 3)), case("F.conv2d", T(2, 3, 6, 5), T(4, 2, 3, 3)), case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 3)),
    case("F.conv2d", T(2, 3), T(4, 3, 3, 3)), case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 3, 3), T(3)), case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 3, 3), stride=0), case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 3, 3), padding=-1),
    case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 3, 3), groups=2), case("F.conv2d", T(2, 3, 6, 5, dtype="float32"), T(4, 3, 3, 3)), case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 3, 3), stride=(1, 2, 3)),
    case("F.conv2d", T(2, 3, 6, 5, dtype="float32"), T(4, 3, 3, 3, dtype="float32"), T(4, dtype="float32")), case("F.conv2d", T(1, 2, 4, 4), T(2, 2, 3, 3), dilation=2, padding=2),
    case("F.conv3d", T(2, 2, 4, 5, 3), T(3, 2, 2, 3, 2), T(3)), case("F.conv3d", T(2, 2, 4, 5, 3), T(4, 1, 2, 3, 2), T(4), 2, (1, 0, 1), (2, 1, 1), 2),
    case("F.conv_transpose1d", T(2, 3, 5), T(3, 4, 3), T(4)), case("F.conv_transpose1d", T(2, 4, 5), T(4, 3, 3), T(6), 2, 1, 1, 2, 2), case("F.conv_transpose1d", T(3, 5), T(3, 4, 3)),
    case("F.conv_transpose2d", T(2, 3, 4, 3), T(3, 4, 3, 2), T(4)), case("F.conv_transpose2d", T(2, 4, 4, 3), T(4, 3, 3, 2), T(6), (2, 1), (1, 0), (1, 0), 2, (1, 2)), case("F.conv_transpose2d", T(2, 3, 4, 3), T(3, 4, 2, 2), stride=2),
    case("F.conv_transpose2d", T(2, 3, 4, 3), T(3, 4, 1, 1), padding=1), case("F.conv_transpose2d", T(2, 3, 4, 3), T(3, 4, 3, 3), output_padding=1), case("F.conv_transpose2d", T(2, 3, 4, 3), T(2, 4, 3, 3)),
    case("F.conv_transpose2d", T(2, 3, 1, 1), T(3, 4, 1, 1), padding=1), case("F.conv_transpose3d", T(2, 2, 3, 2, 3), T(2, 3, 2, 3, 2), T(3), 2, 1, 1), case("conv2d", T(1, 1, 3, 3), T(1, 1, 2, 2)),
    case("F.conv_transpose2d", T(2, 3, 4, 3), T(3, 4, 3, 2), T(3)),
]  # fmt: skip


@pytest.mark.parametrize(("path", "args", "kwargs"), CONVOLUTIONS)
def test_convolution(path, args, kwargs):
    compare(path, *args, **kwargs)


S1, S2, S3 = T(2, 3, 9), T(2, 3, 7, 6), T(2, 3, 5, 6, 4)
POOLS = [
    *(case(f"F.{kind}_pool{n}d", x, *args, **kw) for kind in ("max", "avg") for n, x in ((1, S1), (2, S2), (3, S3)) for args, kw in (
        ((2,), {}), ((3, 2), {}), ((3, 2, 1), {}), ((3, 2, 1), {"ceil_mode": True}), ((2, 3), {"ceil_mode": True}), ((3, 1), {}))),
    *(case(f"F.max_pool{n}d", x, *args, return_indices=True, **kw) for n, x in ((1, S1), (2, S2), (3, S3)) for args, kw in (
        ((2,), {}), ((3, 2, 1), {}), ((2, 1, 1, 2), {}), ((3, 2, 1), {"ceil_mode": True}))),
    case("F.max_pool2d", S2, (2, 3), (1, 2), (1, 0), (2, 1)), case("F.max_pool2d", T(3, 7, 6), 2), case("F.max_pool2d", I(2, 3, 4, 4, high=3), 2), case("F.max_pool2d", T(0, 3, 4, 4), 2),
    case("F.max_pool2d", V([[[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [0.0, 2.0, 2.0]]]), 2, 1), case("F.max_pool2d", V([[[NAN, 1.0], [0.0, 2.0]]], grad=False), 2),
    case("F.max_pool2d", V([[[-INF, -INF], [-INF, -INF]]]), 2), case("F.max_pool2d", S2, 2, padding=2), case("F.max_pool2d", S2, 9), case("F.max_pool2d", S2, 0), case("F.max_pool2d", T(3, 4), 2),
    case("F.max_pool2d", S2, 2, 0), case("F.max_pool2d", S2, (2, 2, 2)), case("F.max_pool2d", T(2, 0, 4, 4), 2), case("F.max_pool2d", T(2, 3, 6, 6, dtype="float32"), 2), case("max_pool2d", S2, 2),
    *(case("F.avg_pool2d", S2, 3, 2, 1, c, i, d) for c in (False, True) for i in (False, True) for d in (None, 5)), case("F.avg_pool2d", S2, (2, 3), (1, 2), (1, 1)), case("F.avg_pool1d", S1, 3, 2, 1, True, False),
    case("F.avg_pool3d", S3, 3, 2, 1, True, False), case("F.avg_pool2d", S2, 2, divisor_override=0), case("F.avg_pool2d", S2, 2, padding=2), case("F.avg_pool2d", T(3, 7, 6), 2),
    case("F.lp_pool1d", T(2, 3, 9, low=0.1), 2.0, 3, 2), case("F.lp_pool2d", T(2, 3, 7, 6, low=0.1), 3.0, 2), case("F.lp_pool2d", T(2, 3, 7, 6, low=0.1), 2.0, (2, 3), ceil_mode=True),
    *(case(f"F.adaptive_{kind}_pool{n}d", x, size) for kind in ("max", "avg") for n, x in ((1, S1), (2, S2), (3, S3)) for size in (1, 3, 4)),
    *(case(f"F.adaptive_max_pool{n}d", x, size, return_indices=True) for n, x in ((1, S1), (2, S2), (3, S3)) for size in (1, 2, 4)),
    case("F.adaptive_avg_pool2d", S2, (None, 2)), case("F.adaptive_avg_pool2d", S2, (9, 9)), case("F.adaptive_avg_pool2d", T(3, 7, 6), 2), case("F.adaptive_avg_pool2d", T(3, 4), 2), case("F.adaptive_max_pool2d", S2, (None, 2)),
    case("F.adaptive_avg_pool2d", S2, (1, 2, 3)), case("F.adaptive_avg_pool2d", S2, -1), case("F.adaptive_avg_pool2d", T(0, 3, 4, 4), 2),
]  # fmt: skip


@pytest.mark.parametrize(("path", "args", "kwargs"), POOLS)
def test_pooling(path, args, kwargs):
    compare(path, *args, **kwargs)
