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
