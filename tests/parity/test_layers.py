"""Convolution, pooling, normalisation and padding against PyTorch."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from against_torch import INF, NAN, I, T, V, case, compare, same  # noqa: E402

import tensorcore as tc  # noqa: E402

CONVOLUTIONS = [
    case("F.conv1d", T(2, 3, 8), T(4, 3, 3), T(4)),
    case("F.conv1d", T(2, 4, 9), T(6, 2, 3), T(6), 2, 1, 2, 2),
    case("F.conv1d", T(3, 8), T(4, 3, 3)),
    case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 3, 2), T(4)),
    case("F.conv2d", T(2, 4, 7, 8), T(6, 2, 3, 2), T(6), (2, 1), (1, 2), (1, 2), 2),
    case("F.conv2d", T(3, 6, 5), T(4, 3, 3, 3), T(4), padding=1),
    case("F.conv2d", T(2, 4, 6, 5), T(8, 1, 3, 3), groups=4, padding=1),
    case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 1, 1), T(4)),
    case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 1, 1), stride=2),
    case("F.conv2d", T(2, 3, 7, 7), T(4, 3, 3, 3), stride=3),
    case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 3, 3), padding="same"),
    case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 2, 4), padding="same", dilation=(1, 2)),
    case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 3, 3), padding="valid"),
    case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 3, 3), padding="same", stride=2),
    case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 3, 3), padding="x"),
    case("F.conv2d", T(1, 1, 2, 2), T(1, 1, 1, 1), padding=2),
    case("F.conv2d", T(0, 3, 6, 5), T(4, 3, 3, 3), T(4)),
    case("F.conv2d", T(2, 3, 2, 2), T(4, 3, 3, 3)),
    case("F.conv2d", T(2, 3, 6, 5), T(4, 2, 3, 3)),
    case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 3)),
    case("F.conv2d", T(2, 3), T(4, 3, 3, 3)),
    case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 3, 3), T(3)),
    case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 3, 3), stride=0),
    case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 3, 3), padding=-1),
    case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 3, 3), groups=2),
    case("F.conv2d", T(2, 3, 6, 5, dtype="float32"), T(4, 3, 3, 3)),
    case("F.conv2d", T(2, 3, 6, 5), T(4, 3, 3, 3), stride=(1, 2, 3)),
    case("F.conv2d", T(2, 3, 6, 5, dtype="float32"), T(4, 3, 3, 3, dtype="float32"), T(4, dtype="float32")),
    case("F.conv2d", T(1, 2, 4, 4), T(2, 2, 3, 3), dilation=2, padding=2),
    case("F.conv3d", T(2, 2, 4, 5, 3), T(3, 2, 2, 3, 2), T(3)),
    case("F.conv3d", T(2, 2, 4, 5, 3), T(4, 1, 2, 3, 2), T(4), 2, (1, 0, 1), (2, 1, 1), 2),
    case("F.conv_transpose1d", T(2, 3, 5), T(3, 4, 3), T(4)),
    case("F.conv_transpose1d", T(2, 4, 5), T(4, 3, 3), T(6), 2, 1, 1, 2, 2),
    case("F.conv_transpose1d", T(3, 5), T(3, 4, 3)),
    case("F.conv_transpose2d", T(2, 3, 4, 3), T(3, 4, 3, 2), T(4)),
    case("F.conv_transpose2d", T(2, 4, 4, 3), T(4, 3, 3, 2), T(6), (2, 1), (1, 0), (1, 0), 2, (1, 2)),
    case("F.conv_transpose2d", T(2, 3, 4, 3), T(3, 4, 2, 2), stride=2),
    case("F.conv_transpose2d", T(2, 3, 4, 3), T(3, 4, 1, 1), padding=1),
    case("F.conv_transpose2d", T(2, 3, 4, 3), T(3, 4, 3, 3), output_padding=1),
    case("F.conv_transpose2d", T(2, 3, 4, 3), T(2, 4, 3, 3)),
    case("F.conv_transpose2d", T(2, 3, 1, 1), T(3, 4, 1, 1), padding=1),
    case("F.conv_transpose3d", T(2, 2, 3, 2, 3), T(2, 3, 2, 3, 2), T(3), 2, 1, 1),
    case("conv2d", T(1, 1, 3, 3), T(1, 1, 2, 2)),
    case("F.conv_transpose2d", T(2, 3, 4, 3), T(3, 4, 3, 2), T(3)),
    case("F.conv_transpose2d", T(2, 4, 5, 6), T(4, 3, 3, 2), T(3), dilation=2, output_padding=1),
    case("F.conv2d", T(2, 4, 7, 8), T(6, 4, 3, 2), padding=3),
    case("F.conv2d", T(2, 4, 7, 8), T(6, 2, 1, 1), groups=2),
    case("F.conv2d", T(2, 4, 7, 8), T(4, 1, 3, 3), groups=4, padding=1),
    case("F.conv2d", T(2, 4, 7, 8), T(6, 4, 1, 1), stride=2, padding=1),
]


@pytest.mark.parametrize(("path", "args", "kwargs"), CONVOLUTIONS)
def test_convolution(path, args, kwargs):
    compare(path, *args, **kwargs)


S1, S2, S3 = T(2, 3, 9), T(2, 3, 7, 6), T(2, 3, 5, 6, 4)
POOLS = [
    *(
        case(f"F.{kind}_pool{n}d", x, *args, **kw)
        for kind in ("max", "avg")
        for n, x in ((1, S1), (2, S2), (3, S3))
        for args, kw in (
            ((2,), {}),
            ((3, 2), {}),
            ((3, 2, 1), {}),
            ((3, 2, 1), {"ceil_mode": True}),
            ((2, 3), {"ceil_mode": True}),
            ((3, 1), {}),
        )
    ),
    *(
        case(f"F.max_pool{n}d", x, *args, return_indices=True, **kw)
        for n, x in ((1, S1), (2, S2), (3, S3))
        for args, kw in (((2,), {}), ((3, 2, 1), {}), ((2, 1, 1, 2), {}), ((3, 2, 1), {"ceil_mode": True}))
    ),
    case("F.max_pool2d", S2, (2, 3), (1, 2), (1, 0), (2, 1)),
    case("F.max_pool2d", T(3, 7, 6), 2),
    case("F.max_pool2d", I(2, 3, 4, 4, high=3), 2),
    case("F.max_pool2d", T(0, 3, 4, 4), 2),
    case("F.max_pool2d", V([[[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [0.0, 2.0, 2.0]]]), 2, 1),
    case("F.max_pool2d", V([[[NAN, 1.0], [0.0, 2.0]]], grad=False), 2),
    case("F.max_pool2d", V([[[-INF, -INF], [-INF, -INF]]]), 2),
    case("F.max_pool2d", S2, 2, padding=2),
    case("F.max_pool2d", S2, 9),
    case("F.max_pool2d", S2, 0),
    case("F.max_pool2d", T(3, 4), 2),
    case("F.max_pool2d", S2, 2, 0),
    case("F.max_pool2d", S2, (2, 2, 2)),
    case("F.max_pool2d", T(2, 0, 4, 4), 2),
    case("F.max_pool2d", T(2, 3, 6, 6, dtype="float32"), 2),
    case("max_pool2d", S2, 2),
    *(case("F.avg_pool2d", S2, 3, 2, 1, c, i, d) for c in (False, True) for i in (False, True) for d in (None, 5)),
    case("F.avg_pool2d", S2, (2, 3), (1, 2), (1, 1)),
    case("F.avg_pool1d", S1, 3, 2, 1, True, False),
    case("F.avg_pool3d", S3, 3, 2, 1, True, False),
    case("F.avg_pool2d", S2, 2, divisor_override=0),
    case("F.avg_pool2d", S2, 2, padding=2),
    case("F.avg_pool2d", T(3, 7, 6), 2),
    case("F.lp_pool1d", T(2, 3, 9, low=0.1), 2.0, 3, 2),
    case("F.lp_pool2d", T(2, 3, 7, 6, low=0.1), 3.0, 2),
    case("F.lp_pool2d", T(2, 3, 7, 6, low=0.1), 2.0, (2, 3), ceil_mode=True),
    *(
        case(f"F.adaptive_{kind}_pool{n}d", x, size)
        for kind in ("max", "avg")
        for n, x in ((1, S1), (2, S2), (3, S3))
        for size in (1, 3, 4)
    ),
    *(
        case(f"F.adaptive_max_pool{n}d", x, size, return_indices=True)
        for n, x in ((1, S1), (2, S2), (3, S3))
        for size in (1, 2, 4)
    ),
    case("F.adaptive_avg_pool2d", S2, (None, 2)),
    case("F.adaptive_avg_pool2d", S2, (9, 9)),
    case("F.adaptive_avg_pool2d", T(3, 7, 6), 2),
    case("F.adaptive_avg_pool2d", T(3, 4), 2),
    case("F.adaptive_max_pool2d", S2, (None, 2)),
    case("F.adaptive_avg_pool2d", S2, (1, 2, 3)),
    case("F.adaptive_avg_pool2d", S2, -1),
    case("F.adaptive_avg_pool2d", T(0, 3, 4, 4), 2),
]


@pytest.mark.parametrize(("path", "args", "kwargs"), POOLS)
def test_pooling(path, args, kwargs):
    compare(path, *args, **kwargs)


W3, B3 = T(3, low=0.5), T(3, seed=1)
NORMS = [
    case("F.batch_norm", T(5, 3), None, None, W3, B3, True),
    case("F.batch_norm", T(2, 3, 4), None, None, W3, B3, True),
    case("F.batch_norm", T(2, 3, 4, 2), None, None, None, None, True),
    case("F.batch_norm", T(2, 3, 4), T(3, grad=False), T(3, low=0.5, grad=False), W3, B3),
    case("F.batch_norm", T(2, 3, 4), T(3, grad=False), T(3, low=0.5, grad=False), None, None),
    case("F.batch_norm", T(2, 3, 4), T(3, grad=False), T(3, low=0.5, grad=False), W3, B3, True, 0.3),
    case("F.batch_norm", T(1, 3), None, None, None, None, True),
    case("F.batch_norm", T(3), None, None),
    case("F.batch_norm", T(2, 3), None, None),
    case("F.batch_norm", T(2, 3), T(4, grad=False), T(4, grad=False)),
    case("F.batch_norm", T(4, 3, dtype="float32"), None, None, T(3, dtype="float32"), None, True),
    case("F.batch_norm", T(4, 3), None, None, T(2), None, True),
    case(
        "F.batch_norm",
        T(4, 3, dtype="float16", grad=False),
        None,
        None,
        T(3, dtype="float16", grad=False),
        T(3, dtype="float16", grad=False),
        True,
    ),
    case("F.layer_norm", T(3, 4), (4,), T(4, low=0.5), T(4, seed=1)),
    case("F.layer_norm", T(2, 3, 4), (3, 4), T(3, 4), T(3, 4, seed=1)),
    case("F.layer_norm", T(2, 3, 4), [4]),
    case("F.layer_norm", T(3, 4), (4,), T(4)),
    case("F.layer_norm", T(3, 4), (4,), None, T(4)),
    case("F.layer_norm", T(3, 4), (3,)),
    case("F.layer_norm", T(3, 4), (4,), T(3)),
    case("F.layer_norm", T(0, 4), (4,), T(4), T(4)),
    case("F.layer_norm", T(3, 4), (4,), eps=0.5),
    case("F.layer_norm", T(3, 4, dtype="float16"), (4,)),
    case("F.layer_norm", T(3, 4, dtype="bfloat16", grad=False), (4,)),
    case("F.layer_norm", I(3, 4, high=4), (4,)),
    case("F.layer_norm", V([[1.0, 1.0, 1.0]]), (3,)),
    case("F.layer_norm", T(3, 4), ()),
    case("native_layer_norm", T(3, 4, grad=False), (4,), T(4, grad=False), T(4, grad=False), 1e-5),
    case("F.group_norm", T(2, 4, 3), 2, T(4), T(4, seed=1)),
    case("F.group_norm", T(2, 4, 3, 2), 4),
    case("F.group_norm", T(2, 4), 2),
    case("F.group_norm", T(2, 4, 3), 3),
    case("F.group_norm", T(2, 4, 3), 2, T(3)),
    case("F.group_norm", T(2, 4), 4),
    case("F.instance_norm", T(2, 3, 4), weight=W3, bias=B3),
    case("F.instance_norm", T(2, 3, 4, 2)),
    case("F.instance_norm", T(2, 3, 4), T(3, grad=False), T(3, low=0.5, grad=False), W3, B3, False),
    case("F.instance_norm", T(2, 3, 1)),
    case("F.instance_norm", T(2, 3, 4), T(3, grad=False), T(3, low=0.5, grad=False)),
    case("F.rms_norm", T(3, 4), (4,), T(4)),
    case("F.rms_norm", T(2, 3, 4), (3, 4)),
    case("F.rms_norm", T(3, 4), (4,), T(4), 0.1),
    case("F.rms_norm", T(3, 4, dtype="float32"), (4,)),
    case("F.rms_norm", T(3, 4), (3,)),
    case("F.local_response_norm", T(2, 5, 3), 3),
    case("F.local_response_norm", T(2, 5, 3, 2), 2, 0.1, 0.5, 2.0),
    case("F.local_response_norm", T(2, 5), 2),
]


@pytest.mark.parametrize(("path", "args", "kwargs"), NORMS)
def test_normalisation(path, args, kwargs):
    compare(path, *args, **kwargs)


@pytest.mark.parametrize("momentum", [0.1, 0.7])
@pytest.mark.parametrize("name", ["batch_norm", "instance_norm"])
def test_running_statistics_move_in_place(name, momentum):
    moved = []
    for lib in (tc, torch):
        x, mean, var = (t.make(lib) for t in (T(4, 3, 5, grad=False), T(3, grad=False), T(3, low=0.5, grad=False)))
        if name == "batch_norm":
            lib.nn.functional.batch_norm(x, mean, var, training=True, momentum=momentum)
        else:
            lib.nn.functional.instance_norm(x, mean, var, momentum=momentum)
        moved.append((mean, var))
    for ours, theirs in zip(*moved, strict=True):
        same(ours, theirs, "running statistics")


PADS = [
    *(
        case("F.pad", x, pad, mode)
        for mode in ("constant", "reflect", "replicate", "circular")
        for x, pad in (
            (T(2, 3, 5), (1, 2)),
            (T(3, 5), (2, 1)),
            (T(2, 3, 4, 5), (1, 2, 2, 1)),
            (T(2, 4, 5), (0, 2, 1, 0)),
            (T(1, 2, 3, 4, 5), (1, 1, 2, 1, 1, 0)),
            (T(2, 3, 5), (0, 0)),
        )
    ),
    case("F.pad", T(3, 4), (1, 1, 2, 0), value=1.5),
    case("F.pad", T(3, 4), (-1, 1)),
    case("F.pad", T(3, 4), (-2, -1, -1, 0)),
    case("F.pad", I(3, high=4), (1, 1)),
    case("F.pad", T(3, dtype="bool"), (1, 1)),
    case("F.pad", T(), ()),
    case("F.pad", T(3), (1, 1, 1, 1)),
    case("F.pad", T(3), (1,)),
    case("F.pad", T(3, 4), (-3, -2)),
    case("F.pad", T(2, 3, 5), (5, 0), "reflect"),
    case("F.pad", T(2, 3, 5), (6, 0), "circular"),
    case("F.pad", T(3), (1, 1), "reflect"),
    case("F.pad", T(3), (1, 1), "x"),
    case("F.pad", T(0, 3), (1, 1)),
    case("F.pad", T(2, 3, 5), (1, 1), "reflect", 2.0),
    case("F.pad", T(2, 0), (1, 2)),
]


@pytest.mark.parametrize(("path", "args", "kwargs"), PADS)
def test_padding(path, args, kwargs):
    compare(path, *args, **kwargs)


Q, K, VAL = T(2, 2, 3, 4), T(2, 2, 5, 4), T(2, 2, 5, 6)
ATTENTION = [
    case("F.scaled_dot_product_attention", Q, K, VAL),
    case("F.scaled_dot_product_attention", Q, K, VAL, is_causal=True),
    case("F.scaled_dot_product_attention", Q, K, VAL, T(3, 5)),
    case("F.scaled_dot_product_attention", Q, K, VAL, T(2, 1, 3, 5, dtype="bool")),
    case("F.scaled_dot_product_attention", Q, K, VAL, V([[False] * 5, [True] * 5, [True] + [False] * 4], "bool")),
    case("F.scaled_dot_product_attention", Q, K, VAL, scale=0.3),
    case("F.scaled_dot_product_attention", T(2, 4, 3, 4), K, VAL, enable_gqa=True),
    case("F.scaled_dot_product_attention", T(3, 4), T(5, 4), T(5, 6)),
    case(
        "F.scaled_dot_product_attention",
        T(2, 3, 4, dtype="float32"),
        T(2, 5, 4, dtype="float32"),
        T(2, 5, 6, dtype="float32"),
    ),
    case("F.scaled_dot_product_attention", Q, K, T(2, 2, 4, 6)),
    case("F.scaled_dot_product_attention", Q, T(2, 2, 5, 3), VAL),
    case("F.scaled_dot_product_attention", Q, K, VAL, T(3, 5), is_causal=True),
    case("F.scaled_dot_product_attention", T(4), K, VAL),
    case("F.scaled_dot_product_attention", Q, K, VAL, T(3, 5, dtype="float32")),
    case("F.scaled_dot_product_attention", Q, T(2, 2, 5, 4, dtype="float32"), VAL),
    case("F.scaled_dot_product_attention", Q, K, VAL, T(4, 5)),
    case("F.scaled_dot_product_attention", T(2, 3, 3, 4), K, VAL, enable_gqa=True),
    case("F.scaled_dot_product_attention", Q, T(1, 2, 5, 4), VAL),
]


@pytest.mark.parametrize(("path", "args", "kwargs"), ATTENTION)
def test_attention(path, args, kwargs):
    compare(path, *args, **kwargs)


EMPTY = T(0, 4, 5, 6)


@pytest.mark.parametrize(
    ("path", "args", "kwargs"),
    [
        *(
            case(f"F.{name}", EMPTY, *args)
            for name, args in (
                ("conv2d", (T(3, 4, 2, 2),)), ("conv_transpose2d", (T(4, 3, 2, 2),)), ("max_pool2d", (2,)),
                ("avg_pool2d", (2,)), ("adaptive_avg_pool2d", (2,)), ("adaptive_avg_pool2d", (1,)),
                ("adaptive_max_pool2d", (2,)), ("group_norm", (2,)), ("instance_norm", ()), ("layer_norm", ((5, 6),)),
                ("rms_norm", ((6,),)), ("local_response_norm", (2,)), ("pad", ((1, 1),)), ("softmax", (-1,)),
            )
        ),
        *(case(f"F.adaptive_avg_pool{d}d", T(2, 3, *(5, 4, 3)[:d]), 1) for d in (1, 2, 3)),
        case("F.pad", T(2, 3, 5), (-1, 2), mode="circular"),
        case("F.pad", T(2, 3, 5, 4), (2, -1, -1, 1), mode="circular"),
        case("F.instance_norm", T(2, 4), T(4, grad=False), T(4, low=0.5, grad=False), T(4), T(4), False),
        case("F.smooth_l1_loss", V([1.0, 2.0, 5.0]), V([1.0, 2.5, 3.0])),
        case("F.huber_loss", V([1.0, 2.0, 5.0]), V([1.0, 2.5, 3.0]), delta=0.7),
        case("F.embedding", V([1] * 20 + [2] * 3 + list(range(10)), "int64"), T(10, 3)),
        case("F.embedding", I(40, high=100), T(100, 3), padding_idx=3, scale_grad_by_freq=True),
    ],
)  # fmt: skip
def test_edges(path, args, kwargs):
    compare(path, *args, **kwargs)
