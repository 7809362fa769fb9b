"""Grids from affine maps and sampling at them against PyTorch."""

from __future__ import annotations

import itertools
import warnings

import pytest

pytest.importorskip("torch")

import torch
from against_torch import INF, NAN, T, V, case, compare

import tensorcore as tc

IMAGE, POINTS = T(2, 3, 4, 5), T(2, 3, 6, 2, low=-1.6, high=1.6)
VOLUME, SPOTS = T(2, 2, 3, 4, 2), T(2, 2, 3, 2, 3, low=-1.6, high=1.6)
MODES, PADDINGS = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")
#: Corners, edges, centres, and what is no place at all.
ODD = V([[[[-1.0, -1.0], [1.0, 1.0], [0.0, 0.25], [-1.2, 1.0], [7.3, -5.1], [0.25, 1.25], [1e5, 0.0]]]], grad=False)
NOWHERE = V([[[[NAN, 0.0], [INF, 0.0], [-INF, 0.1], [0.1, NAN]]]], grad=False)
SMALL = T(1, 2, 4, 4, grad=False)

SAMPLED = [
    *(
        case("F.grid_sample", x, points, mode, padding, align)
        for x, points in ((IMAGE, POINTS), (VOLUME, SPOTS))
        for mode, padding, align in itertools.product(MODES, PADDINGS, (True, False))
    ),
    *(
        case("F.grid_sample", SMALL, points, mode, padding, align)
        for points in (ODD, NOWHERE)
        for mode, padding, align in itertools.product(MODES, PADDINGS, (True, False))
        # Which of several NaN places a cubic interpolation looks at differs between PyTorch's own kernels.
        if points is ODD or mode != "bicubic"
    ),
    *(
        case("F.grid_sample", T(1, 1, 1, 1), T(1, 2, 2, 2), mode, padding, align)
        for mode, padding, align in itertools.product(MODES, PADDINGS, (True, False))
        # There the weights add up to 1 and the gradient is what rounding leaves of 0.
        if mode != "bicubic" or padding == "zeros"
    ),
    case("F.grid_sample", IMAGE, POINTS),
    case("F.grid_sample", T(2, 3, 4, 5, dtype="float32"), T(2, 3, 6, 2, dtype="float32"), align_corners=False),
    case(
        "F.grid_sample",
        T(2, 3, 4, 5, dtype="float16"),
        T(2, 3, 6, 2, dtype="float16"),
        align_corners=False,
        tolerance=0.02,
    ),
    case("F.grid_sample", T(2, 3, 4, 5, grad=False), POINTS, "nearest", align_corners=True),
    case("F.grid_sample", IMAGE, T(2, 0, 6, 2), align_corners=True),
    case("F.grid_sample", T(0, 3, 4, 5), T(0, 3, 6, 2), align_corners=True),
    case("F.grid_sample", IMAGE, POINTS, "linear"),
    case("F.grid_sample", IMAGE, POINTS, "bilinear", "circular"),
    case("F.grid_sample", T(3, 4, 5), POINTS),
    case("F.grid_sample", IMAGE, T(3, 3, 6, 2)),
    case("F.grid_sample", IMAGE, T(2, 3, 6, 3)),
    case("F.grid_sample", IMAGE, SPOTS),
    case("F.grid_sample", T(2, 3, 0, 5), POINTS),
    case("F.grid_sample", IMAGE, T(2, 3, 6, 2, dtype="float32")),
    case("F.grid_sample", T(2, 3, 4, 5, dtype="int64"), T(2, 3, 6, 2, dtype="int64")),
    case("grid_sampler", IMAGE, POINTS, 2, 1, True),
    case("F.affine_grid", T(2, 2, 3), (2, 1, 3, 4), True),
    case("F.affine_grid", T(2, 2, 3), (2, 1, 3, 4), False),
    case("F.affine_grid", T(2, 2, 3), (2, 1, 3, 4)),
    case("F.affine_grid", T(2, 2, 3), (2, 1, 1, 4), True),
    case("F.affine_grid", T(2, 3, 4), (2, 1, 3, 4, 2), True),
    case("F.affine_grid", T(2, 3, 4), (2, 1, 3, 1, 2), False),
    case("F.affine_grid", T(2, 2, 3, dtype="float32"), (2, 1, 9, 7), False),
    case("F.affine_grid", T(2, 2, 3), (2, 3, 4)),
    case("F.affine_grid", T(2, 3, 3), (2, 1, 3, 4)),
    case("F.affine_grid", T(2, 3), (2, 1, 3, 4)),
    case("F.affine_grid", T(2, 2, 3), (3, 1, 3, 4)),
    case("F.affine_grid", T(2, 2, 3), (2, 1, 0, 4)),
    case("F.affine_grid", T(2, 2, 3, dtype="int64"), (2, 1, 3, 4)),
]


@pytest.mark.parametrize(("path", "args", "kwargs"), SAMPLED)
def test_grids(path, args, kwargs):
    compare(path, *args, **kwargs)


@pytest.mark.parametrize(("mode", "padding"), list(itertools.product(MODES, PADDINGS)))
def test_second_gradients_by_differences(mode, padding):
    # PyTorch has none of these.
    image = T(1, 2, 3, 4).make(tc)
    points = T(1, 2, 2, 2, low=-1.3, high=1.3).make(tc)
    sample = tc.nn.functional.grid_sample
    assert tc.autograd.gradgradcheck(lambda x, g: sample(x, g, mode, padding, False), (image, points))


@pytest.mark.parametrize("lib", [torch, tc])
def test_a_missing_align_corners_is_warned_of(lib):
    with pytest.warns(UserWarning, match="align_corners"):
        lib.nn.functional.grid_sample(lib.zeros(1, 1, 2, 2), lib.zeros(1, 1, 1, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lib.nn.functional.affine_grid(lib.zeros(1, 2, 3), (1, 1, 2, 2), align_corners=False)
