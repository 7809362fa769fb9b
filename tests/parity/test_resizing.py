"""Resizing, shuffling and folding against PyTorch."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch
from against_torch import I, T, V, case, compare

import tensorcore as tc

SIGNAL, IMAGE, VOLUME = T(2, 3, 7), T(2, 3, 6, 5), T(1, 2, 3, 4, 5)
RESIZED = [
    *(
        case("F.interpolate", x, size, scale, mode)
        for x, linear in ((SIGNAL, "linear"), (IMAGE, "bilinear"), (VOLUME, "trilinear"))
        for mode in ("nearest", "nearest-exact", "area", linear)
        for size, scale in ((4, None), (9, None), (None, 2.0), (None, 0.6))
    ),
    *(
        case("F.interpolate", IMAGE, size, None, mode, align, antialias=smooth)
        for mode in ("bilinear", "bicubic")
        for align, smooth in ((True, False), (False, True), (False, False))
        for size in ((3, 8), (1, 1))
    ),
    case("F.interpolate", IMAGE, None, 1.7, "bicubic"),
    *(
        case("F.interpolate", IMAGE, size, scale, "lanczos", antialias=True)
        for size, scale in (((3, 9), None), ((2, 2), None), (None, 0.4), (None, 2.5))
    ),
    case("F.interpolate", IMAGE, 3, mode="lanczos"),
    case("F.interpolate", IMAGE, 3, None, "lanczos", True, antialias=True),
    case("F.interpolate", T(1, 2, 5), 3, mode="lanczos", antialias=True),
    *(
        case("F.interpolate", T(*shape), **given)
        for shape in ((2, 4), (1, 2, 4), (1,) * 6)
        for given in (
            {},
            {"size": 5, "scale_factor": 2.0},
            {"scale_factor": (2.0, 2.0)},
            {"size": (5, 5, 5, 5)},
            {"size": 5, "antialias": True},
            {"size": 5, "recompute_scale_factor": True},
        )
    ),
    case("F.interpolate", IMAGE, None, (1.5, 2.0), "bilinear", recompute_scale_factor=True),
    case("F.interpolate", IMAGE),
    case("F.interpolate", IMAGE, 3, 2.0),
    case("F.interpolate", IMAGE, 3, mode="linear"),
    case("F.interpolate", IMAGE, 3, mode="x"),
    case("F.interpolate", IMAGE, 3, align_corners=True),
    case("F.interpolate", IMAGE, (3, 3, 3)),
    case("F.interpolate", IMAGE, 0),
    case("F.interpolate", IMAGE, 3, mode="nearest", antialias=True),
    case("F.interpolate", T(3, 4), 2),
    case("F.interpolate", T(1, 1, 4, 4, dtype="float32"), 7, mode="bilinear"),
    case("F.interpolate", IMAGE, (6, 5), mode="bilinear"),
    # The first side stays, at a scale that is not 1.
    case("F.interpolate", VOLUME, None, 1.3, "trilinear", recompute_scale_factor=False),
    case("F.interpolate", IMAGE, 2.5),
    case("F.interpolate", T(1, 2, 40, 9), (13, 9), None, "bicubic", False, antialias=True),
    case("F.pixel_shuffle", T(2, 8, 2, 3), 2),
    case("F.pixel_shuffle", T(2, 7, 2, 3), 2),
    case("F.pixel_unshuffle", T(2, 4, 6), 2),
    case("F.pixel_unshuffle", T(2, 4, 5), 2),
    case("F.channel_shuffle", T(2, 6, 3, 2), 2),
    case("F.unfold", IMAGE, 2),
    case("F.unfold", IMAGE, (3, 2), 1, 1, 2),
    case("F.unfold", T(3, 5, 5), 3, 2),
    case("F.unfold", IMAGE, 9),
    case("F.fold", T(2, 12, 20), (5, 6), 2),
    case("F.fold", T(12, 9), (5, 6), 2, 1, 0, 2),
    case("F.fold", T(2, 12, 12), (5, 6), 2, 1, 1, 2),
    case("F.fold", T(2, 12, 7), (5, 6), 2),
    case("F.fold", T(2, 11, 20), (5, 6), 2),
    case("F.max_unpool2d", T(1, 1, 2, 2), V([[[[0, 3], [8, 15]]]], "int64"), 2),
    case("F.max_unpool1d", T(1, 1, 2), V([[[1, 2]]], "int64"), 2),
    case("F.max_unpool2d", T(1, 1, 2, 2), V([[[[0, 3], [8, 19]]]], "int64"), 2, output_size=(5, 4)),
    case("F.max_unpool2d", T(1, 1, 2, 2), I(1, 1, 2, 1, high=3), 2),
]


@pytest.mark.parametrize(("path", "args", "kwargs"), RESIZED)
def test_resizing(path, args, kwargs):
    compare(path, *args, **kwargs)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize(("align", "antialias"), [(True, False), (False, False), (False, True)])
def test_images_of_bytes(mode, align, antialias):
    # PyTorch's weights are 16-bit integers, so that a byte in twenty is its neighbour.
    image = T(2, 3, 9, 8, dtype="uint8", low=0, high=256)
    made = [
        lib.nn.functional.interpolate(image.make(lib), (5, 11), mode=mode, align_corners=align, antialias=antialias)
        for lib in (torch, tc)
    ]
    assert made[1].dtype is tc.uint8
    gaps = [abs(a - b) for a, b in zip(*(x.reshape(-1).tolist() for x in made), strict=True)]
    assert max(gaps) <= 1
    assert sum(gaps) <= len(gaps) / 8
