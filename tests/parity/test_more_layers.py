"""Bags of embeddings, rarer poolings and losses, lazy layers and parametrisations against PyTorch."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from against_torch import INF, NAN, I, T, V, case, compare  # noqa: E402
from modules_against_torch import agree  # noqa: E402

import tensorcore as tc  # noqa: E402

TABLE = T(6, 3)
PLACES, STARTS = I(7, high=6), V([0, 2, 2, 5, 7], "int64")

BAGS = [
    *(
        case("F.embedding_bag", *args, mode=mode, padding_idx=padding)
        for mode in ("sum", "mean", "max")
        for padding in (None, 2, -1)
        for args in ((I(4, 3, high=6), TABLE), (PLACES, TABLE, STARTS))
    ),
    *(case("F.embedding_bag", PLACES, TABLE, STARTS, mode=mode, include_last_offset=True) for mode in ("sum", "max")),
    *(case("F.embedding_bag", V([], "int64"), TABLE, V([0, 0], "int64"), mode=mode) for mode in ("sum", "mean", "max")),
    case("F.embedding_bag", I(4, 3, high=6), TABLE, max_norm=1.0),
    case("F.embedding_bag", I(4, 3, high=6), TABLE, mode="sum", per_sample_weights=T(4, 3, seed=3)),
    case("F.embedding_bag", PLACES, TABLE, STARTS, mode="sum", padding_idx=2, per_sample_weights=T(7, seed=3)),
    case("F.embedding_bag", PLACES, TABLE, STARTS, mode="mean", per_sample_weights=T(7, seed=3)),
    case("F.embedding_bag", PLACES, TABLE, STARTS, mode="sum", per_sample_weights=T(6, seed=3)),
    case("F.embedding_bag", PLACES, TABLE),
    case("F.embedding_bag", I(4, 3, high=6), TABLE, V([0, 1], "int64")),
    case("F.embedding_bag", PLACES, TABLE, V([1, 2], "int64")),
    case("F.embedding_bag", PLACES, TABLE, V([0, 9], "int64")),
    case("F.embedding_bag", I(7, high=9, low=7), TABLE, V([0, 2], "int64")),
    case("F.embedding_bag", PLACES, TABLE, STARTS, mode="x"),
    case("F.embedding_bag", PLACES, TABLE, STARTS, mode="max", scale_grad_by_freq=True),
]


def drawn(*shape):
    return T(*shape, low=0, high=0.999, grad=False)


POOLINGS = [
    *(
        item
        for name in ("", "_with_indices")
        for item in (
            case("F.fractional_max_pool2d" + name, T(2, 3, 9, 7), (3, 2), (4, 5), _random_samples=drawn(2, 3, 2)),
            case("F.fractional_max_pool2d" + name, T(3, 9, 7), 2, None, (0.5, 0.7), _random_samples=drawn(1, 3, 2)),
            case("F.fractional_max_pool3d" + name, T(2, 1, 5, 9, 7), 2, (3, 4, 5), _random_samples=drawn(2, 1, 3)),
            case("F.fractional_max_pool3d" + name, T(2, 1, 5, 9, 7), 2, 1, None, True, _random_samples=drawn(2, 1, 3)),
            case("F.fractional_max_pool2d" + name, T(2, 3, 9, 7), (3, 2), (8, 5), _random_samples=drawn(2, 3, 2)),
            case("F.fractional_max_pool2d" + name, T(2, 3, 9, 7), 2),
        )
    ),
    *(case(f"F.max_pool{d}d_with_indices", T(2, 3, *(7, 6, 5)[:d]), 2) for d in (1, 2, 3)),
    *(case(f"F.adaptive_max_pool{d}d_with_indices", T(2, 3, *(7, 6, 5)[:d]), 2) for d in (1, 2, 3)),
    case("max_pool1d_with_indices", T(2, 3, 7), 3, 2, 1),
]
LOSSES = [
    *(
        case("F.linear_cross_entropy", *args, reduction=reduction, **more)
        for reduction in ("mean", "sum", "none")
        for args, more in (
            ((T(4, 3), T(5, 3), I(4, high=5)), {}),
            ((T(4, 3), T(5, 3), I(4, high=5)), {"linear_bias": T(5), "label_smoothing": 0.2}),
            ((T(4, 3), T(5, 3), I(4, high=5)), {"weight": T(5, low=0.5, grad=False), "ignore_index": 2}),
            ((T(4, 3), T(5, 2, 3), I(4, 2, high=5)), {"linear_bias": T(5, 2)}),
            ((T(3), T(5, 3), I(high=5)), {}),
            ((T(4, 3), T(5, 3), T(4, 5, low=0, high=1)), {}),
        )
    ),
    case("F.linear_cross_entropy", T(4, 3), T(5, 4), I(4, high=5)),
    case("F.linear_cross_entropy", T(3), T(5, 2, 3), I(4, high=5)),
    case("F.linear_cross_entropy", T(4, 3), T(5, 3), I(4, high=5), linear_bias=T(4)),
    case("F.linear_cross_entropy", T(4, 3), T(5, 3), I(4, high=5), reduction="x"),
]
SCALES, ZEROS = V([0.1, 0.2, 0.3], "float32", grad=False), V([0, 1, 2], "int32")
OTHERS = [
    case("fake_quantize_per_tensor_affine", T(3, 4, dtype="float32"), 0.13, 2, 0, 15),
    case("fake_quantize_per_tensor_affine", T(3, 4, dtype="float16"), 0.13, 2, 0, 15),
    case("fake_quantize_per_tensor_affine", V([NAN, INF, -INF, 0.05, 0.15, -0.05], "float32"), 0.1, 3, 0, 15),
    case("fake_quantize_per_tensor_affine", T(3, dtype="float32"), V(0.13, "float32", grad=False), V(2, "int32"), 0, 9),
    case("fake_quantize_per_tensor_affine", T(3, dtype="float32"), 0.13, 22, 0, 15),
    case("fake_quantize_per_tensor_affine", T(3, dtype="float32"), 0.13, 2, 15, 1),
    case("fake_quantize_per_channel_affine", T(4, 3, 2, dtype="float32"), SCALES, ZEROS, 1, 0, 15),
    case("fake_quantize_per_channel_affine", T(4, 3, dtype="float32"), SCALES, V([0, 1, 2], "int64"), 1, 0, 15),
    case("fake_quantize_per_channel_affine", T(4, 3, dtype="float32"), SCALES, ZEROS, 0, 0, 15),
    case("fake_quantize_per_channel_affine", T(4, 3, dtype="float32"), SCALES, V([0, 1, 20], "int32"), 1, 0, 15),
    case("conv_tbc", T(5, 2, 3), T(2, 3, 4), T(4)),
    case("F.conv_tbc", T(5, 2, 3), T(2, 3, 4), T(4), 2),
    case("conv_tbc", T(5, 2, 3), T(2, 2, 4), T(4)),
    case("bilinear", T(2, 3), T(2, 4), T(5, 3, 4), T(5)),
    case("native_channel_shuffle", T(2, 4, 3, grad=False), 2),
]


@pytest.mark.parametrize(("path", "args", "kwargs"), [*BAGS, *POOLINGS, *LOSSES, *OTHERS])
def test_functions(path, args, kwargs):
    compare(path, *args, **kwargs)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("more", [False, True])
def test_parts_of_linear_cross_entropy(reduction, more):
    """Some samples at a time give what all give at once: values, gradients, and gradients of gradients."""
    tc.manual_seed(0)
    leaves = [tc.randn(*shape).double().requires_grad_() for shape in ((8, 3), (5, 3), (5,))]
    target, facts = tc.randint(0, 5, (8,)), {}
    if more:
        facts = {"linear_bias": leaves[2], "weight": tc.rand(5).double(), "ignore_index": 2, "label_smoothing": 0.1}
    results = []
    for options in (None, tc.nn.LinearCrossEntropyOptions(batch_chunk_size=3)):
        call = tc.nn.functional.linear_cross_entropy
        loss = call(leaves[0], leaves[1], target, reduction=reduction, options=options, **facts)
        first = tc.autograd.grad((loss * loss).sum(), leaves[: 2 + more], create_graph=True)
        results.append([loss, *first, *tc.autograd.grad(sum((g * g).sum() for g in first), leaves[: 2 + more])])
    for all_at_once, in_parts in zip(*results, strict=True):
        assert tc.allclose(all_at_once, in_parts, atol=1e-10)


# ------------------------------------------------------------------ modules

START = "nn, U, Z = t.nn, t.nn.utils, t.nn.utils.parametrizations; t.manual_seed(0); "
SHAPES = {1: "2, 4, 7", 2: "2, 4, 7, 7", 3: "2, 4, 5, 5, 5"}
LAZY = [
    *((f"{name}{d}d({args})", SHAPES[d]) for name in ("Conv", "ConvTranspose") for d in SHAPES
      for args in ("6, 2", "6, 2, padding=1, bias=False, groups=2")),
    *((f"{name}{d}d({args})", SHAPES[d]) for name in ("BatchNorm", "InstanceNorm") for d in SHAPES
      for args in ("", "affine=False", "track_running_stats=False", "bias=False")),
    ("Linear(3)", "2, 4"), ("Linear(3, bias=False)", "2, 5, 4"),
]  # fmt: skip


@pytest.mark.parametrize(("made", "shape"), LAZY)
def test_lazy_layers(made, shape):
    agree(
        START + f"m = nn.Lazy{made}.double(); before = repr(m), m.has_uninitialized_params(); y = m(t.randn({shape}, "
        "dtype=t.float64)); (before, y, repr(m), type(m).__name__, [*m.state_dict()], [*m.parameters()])"
    )


LAYERS = (("Linear(3, 4)", "2, 3"), ("Conv2d(2, 3, 2)", "1, 2, 4, 4"), ("ConvTranspose1d(2, 3, 2)", "1, 2, 4"))
MAPS = [(shape, name, keep) for shape in ("3, 3", "3, 5", "5, 3") for name in ("matrix_exp", "cayley", "householder")
        for keep in (True, False)]  # fmt: skip
CLASSES = (
    "from importlib import import_module; nn = t.nn; P = t.nn.utils.parametrize; t.manual_seed(0)\n"
    "class Symmetric(nn.Module):\n  def forward(self, x): return x.triu() + x.triu(1).T\n"
    "  def right_inverse(self, x): return x.triu()\n"
    "class Doubled(nn.Module):\n  def forward(self, x): return x * 2\n"
    "m = nn.Linear(3, 3)\n"
)


@pytest.mark.parametrize(("layer", "shape"), LAYERS)
def test_normed_weights(layer, shape):
    ran = (
        f"y = m(t.randn({shape})); y.sum().backward(); "
        "(y, [*m.state_dict()], [p.grad for p in m.parameters()], repr(m))"
    )
    for made in (
        "U.weight_norm({})", "U.weight_norm({}, dim=1)", "U.weight_norm({}, dim=None)", "Z.weight_norm({})",
        "Z.weight_norm({}, dim=1)", "U.spectral_norm({})", "U.spectral_norm({}, n_power_iterations=3)",
        "Z.spectral_norm({})", "U.remove_weight_norm(U.weight_norm({}))", "U.remove_spectral_norm(U.spectral_norm({}))",
    ):  # fmt: skip
        agree(START + f"m = {made.format('nn.' + layer)}; {ran}")


@pytest.mark.parametrize(("shape", "name", "keep"), MAPS)
def test_orthogonal(shape, name, keep):
    agree(
        START
        + f"m = Z.orthogonal(nn.Linear({shape}), orthogonal_map='{name}', use_trivialization={keep}); w = m.weight; "
        "(w * t.arange(w.numel()).reshape(w.shape)).sum().backward(); "
        "(w, [*m.state_dict()], m.parametrizations.weight.original.grad)"
    )


@pytest.mark.parametrize(
    "program",
    [
        CLASSES + "P.register_parametrization(m, 'weight', Symmetric()); "
        "P.register_parametrization(m, 'weight', Doubled())\n"
        "(m.weight, repr(m), [*m.state_dict()], P.is_parametrized(m), P.type_before_parametrizations(m).__name__)",
        CLASSES + "P.register_parametrization(m, 'weight', Symmetric()); m.weight = t.ones(3, 3)\n"
        "(m.weight, m.parametrizations.weight.original)",
        CLASSES + "m = copy.deepcopy(P.register_parametrization(m, 'weight', Symmetric()))\n"
        "P.remove_parametrizations(m, 'weight'); (m.weight, type(m).__name__, [*m.state_dict()])",
        CLASSES + "P.register_parametrization(m, 'weight', Symmetric())\n"
        "P.remove_parametrizations(m, 'weight', leave_parametrized=False); m.weight",
        CLASSES + "P.register_parametrization(m, 'weight', Doubled())\n"
        "with P.cached(): same = m.weight is m.weight\n(same, m.weight is m.weight)",
        CLASSES + "n = nn.Linear(3, 3); P.register_parametrization(m, 'weight', Symmetric())\n"
        "P.transfer_parametrizations_and_params(m, n); (n.weight, repr(n))",
        CLASSES + "P.register_parametrization(m, 'x', Doubled())",
        CLASSES + "P.register_parametrization(nn.Linear(3, 4), 'weight', nn.Linear(3, 2))",
        CLASSES + "P.remove_parametrizations(m, 'weight')",
        CLASSES + "P.register_parametrization(m, 'weight', Doubled()); pickle.dumps(m)",
        CLASSES + "P.register_parametrization(m, 'weight', Doubled()); m.weight = t.ones(3, 3)\n1",
        START + "m = Z.weight_norm(nn.Linear(2, 3)); "
        "m.load_state_dict(U.weight_norm(nn.Linear(2, 3)).state_dict()); m.weight",
        START + "Z.orthogonal(nn.Linear(2, 3), 'bias')", START + "Z.orthogonal(nn.Linear(2, 3), 'x')",
        START + "Z.orthogonal(nn.Linear(2, 3), orthogonal_map='x')", START + "Z.spectral_norm(nn.Linear(2, 3), dim=2)",
        START + "U.remove_weight_norm(nn.Linear(2, 3))", START + "U.weight_norm(U.weight_norm(nn.Linear(2, 3)))",
        START + "U.spectral_norm(nn.Linear(2, 3), n_power_iterations=0)",
        START + "c, b = nn.Conv2d(2, 3, 2).eval(), nn.BatchNorm2d(3).eval(); b.running_mean.normal_(); "
        "f = U.fuse_conv_bn_eval(c, b); (f(t.randn(1, 2, 4, 4)), [*f.parameters()])",
        START + "c, b = nn.Linear(2, 3).eval(), nn.BatchNorm1d(3).eval(); b.running_var.fill_(3); "
        "f = U.fuse_linear_bn_eval(c, b); (f(t.randn(4, 2)), [*f.parameters()])",
        START + "U.fuse_conv_bn_eval(nn.Conv2d(2, 3, 2), nn.BatchNorm2d(3))",
        START + "(t.rand(3), U.skip_init(nn.Linear, 2, 3).weight.shape)",
        START + "m = nn.LazyLinear(3); m.load_state_dict({'weight': t.ones(3, 2), 'bias': t.zeros(3)}); "
        "(m.weight, m(t.ones(1, 2)), repr(m))",
        START + "nn.LazyLinear(3).weight.shape", START + "nn.LazyLinear(3).weight + 1",
        START + "nn.LazyConv2d(3, 2)(t.ones(2, 2))", START + "nn.LazyConv2d(3, 2, groups=3)(t.ones(1, 2, 3, 3))",
        START + "m = nn.Sequential(nn.LazyLinear(3), nn.ReLU(), nn.LazyLinear(2)); m(t.ones(2, 2)); "
        "([*m.parameters()], repr(m))",
        START + "n = nn.LazyLinear(3); n.load_state_dict(nn.LazyLinear(3).state_dict()); n.has_uninitialized_params()",
        START + "m = pickle.loads(pickle.dumps(nn.LazyLinear(3).weight)); m.requires_grad",
        *(START + f"m = nn.EmbeddingBag(5, 3{more}); y = m(t.tensor([[1, 2], [3, 2]])); y.sum().backward(); "
          "(y, m.weight, m.weight.grad, repr(m))" for more in ("", ", mode='sum', padding_idx=2", ", max_norm=1.0")),
        START + "nn.EmbeddingBag.from_pretrained(t.ones(3, 2))(t.tensor([0, 1]), t.tensor([0]))",
        START + "nn.EmbeddingBag(3, 2, padding_idx=3)",
        START + "m = nn.AdaptiveLogSoftmaxWithLoss(16, 20, [5, 11], div_value=2.0, head_bias=True); "
        "x = t.randn(6, 16); "
        "o = m(x, t.tensor([0, 19, 7, 12, 4, 5])); o.loss.backward(); (o.output, o.loss, m.log_prob(x), m.predict(x), "
        "[*m.state_dict()], [p.grad for p in m.parameters()], m(x[0], t.tensor(7)))",
        START + "m = nn.AdaptiveLogSoftmaxWithLoss(16, 20, [5]); m(t.ones(2, 16), t.tensor([0, 20]))",
        START + "m = nn.AdaptiveLogSoftmaxWithLoss(16, 20, [5]); m(t.ones(2, 16), t.tensor([0]))",
        START + "nn.AdaptiveLogSoftmaxWithLoss(16, 20, [5, 5])", START + "nn.FractionalMaxPool2d(2)",
        START + "nn.FractionalMaxPool2d(2, output_ratio=1.5)",
        START + "nn.FractionalMaxPool2d(2, 3, _random_samples=t.full((1, 2, 2), 0.3))(t.randn(2, 7, 7))",
        START + "nn.FractionalMaxPool3d(2, None, 0.5, True, t.full((1, 2, 3), 0.3))(t.randn(2, 7, 7, 7))",
        START + "t.manual_seed(1); nn.FractionalMaxPool2d(2, 3)(t.randn(2, 2, 7, 7))",
        START + "m = nn.LinearCrossEntropyLoss(4, 3, bias=True); "
        "(m(t.randn(5, 4), t.tensor([0, 1, 2, 0, 1])), repr(m))",
        START + "m = nn.LinearCrossEntropyLoss(4, 3, out_features=(2,)); m(t.randn(1, 4), t.tensor([[0, 1]]))",
        START + "nn.LinearCrossEntropyLoss(4, 3, weight=t.ones(2))", "t.nn.LinearCrossEntropyOptions(acc_policy='x')",
        "t.nn.LinearCrossEntropyOptions(chunking_method='x')", "t.nn.LinearCrossEntropyOptions(batch_chunk_size=0)",
        START + "m = nn.SyncBatchNorm.convert_sync_batchnorm(nn.Sequential(nn.Conv2d(2, 3, 2), "
        "nn.BatchNorm2d(3))).eval(); "
        "(m(t.randn(2, 2, 4, 4)), repr(m), [*m.state_dict()])",
        START + "m = nn.DataParallel(nn.Linear(2, 3)); (m(t.randn(4, 2)), [*m.state_dict()])",
        START + "nn.NLLLoss2d()(t.randn(2, 3, 4, 4), t.randint(0, 3, (2, 4, 4)))",
        "n = t.nn; m = n.modules; (m.activation.MultiheadAttention is n.MultiheadAttention, "
        "m.sparse.Embedding is n.Embedding, m.rnn.LSTM is n.LSTM, m.instancenorm.InstanceNorm1d is n.InstanceNorm1d, "
        "m.linear.NonDynamicallyQuantizableLinear(2, 3).weight.shape, m.lazy.LazyModuleMixin.__name__)",
    ],
)  # fmt: skip
def test_more_modules(program):
    agree(program)
