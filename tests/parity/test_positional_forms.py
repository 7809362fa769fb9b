"""The functions that PyTorch's own layers call, arguments by place, against PyTorch: values, gradients, errors."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from against_torch import I, T, V, case, compare  # noqa: E402

import tensorcore as tc  # noqa: E402

X, C = T(3, 4, 5), T(4, seed=1)
MEAN, SPREAD = T(4, grad=False, seed=2), T(4, grad=False, seed=3, low=0.5, high=2)
HALF = T(3, 4, 5, dtype="float16", grad=False)
S = T(4, dtype="float32", grad=False)
TABLE, PLACES, STARTS = T(5, 4), V([0, 3, 1, 1, 4, 2], "int64"), V([0, 2, 2], "int64")
WEIGHT = T(4, low=0, grad=False)
#: Without gradients: PyTorch's are those of normalised ones.
LOGS = T(6, 2, 4, low=-4, high=-0.5, grad=False)
LABELS = (V([[1, 2], [3, 3]], "int64"), V([6, 5], "int64"), V([2, 2], "int64"))
IMAGE, GRID = T(2, 3, 4, 5), T(2, 3, 2, 2, low=-1, high=1)
VOLUME, POINTS = T(2, 3, 2, 4, 3), T(2, 2, 1, 2, 3, low=-1, high=1)

NORMS = [
    *(case(name, X, *given, *places, True, 0.1, 1e-5, *cudnn)
      for name, cudnn in (("batch_norm", (True,)), ("instance_norm", (True,)), ("native_batch_norm", ()))
      for given in ((None, None), (C, T(4, seed=4)))
      for places in ((None, None), (MEAN, SPREAD))),
    *(case(name, X, C, T(4, seed=4), MEAN, SPREAD, False, 0.1, 1e-5, *cudnn)
      for name, cudnn in (("batch_norm", (True,)), ("instance_norm", (True,)), ("native_batch_norm", ()))),
    case("batch_norm", X, None, None, None, None, False, 0.1, 1e-5, True),
    case("batch_norm", X, T(3), None, None, None, True, 0.1, 1e-5, True),
    case("batch_norm", X, None, None, None, None, True, 0.1),
    case("batch_norm", T(4), None, None, None, None, True, 0.1, 1e-5, True),
    case("instance_norm", X, None, None, None, None, False, 0.1, 1e-5, True),
    case("native_batch_norm", HALF, None, None, None, None, True, 0.1, 1e-5),
    *(case("native_group_norm", X, *given, 3, 4, 5, groups, 1e-5)
      for groups in (1, 2, 4) for given in ((None, None), (C, T(4, seed=4)))),
    case("native_group_norm", X, None, None, 3, 4, 4, 2, 1e-5),
    case("native_group_norm", X, None, None, 3, 4, 5, 3, 1e-5),
    case("native_group_norm", HALF, None, None, 3, 4, 5, 2, 1e-5),
    case("native_group_norm", HALF, S, S, 3, 4, 5, 2, 1e-5),
    case("native_group_norm", I(3, 4, 5, high=3), None, None, 3, 4, 5, 2, 1e-5),
    case("native_layer_norm", HALF, (5,), T(5, dtype="float32", grad=False), None, 1e-5),
    case("native_layer_norm", HALF, (5,), None, None, 1e-5),
]  # fmt: skip
TABLES = [
    case("embedding", TABLE, PLACES),
    case("embedding", TABLE, PLACES, 1, True, False),
    case("embedding", TABLE, PLACES, -1),
    case("embedding", TABLE, PLACES, 9),
    case("embedding", TABLE, T(2)),
    case("embedding", T(4), PLACES),
    case("embedding_renorm_", T(5, 4, grad=False), PLACES, 1.0, 2.0),
    case("embedding_renorm_", T(5, 4, grad=False), T(2, grad=False), 1.0, 2.0),
    *(case("embedding_bag", TABLE, PLACES, STARTS, False, mode) for mode in (0, 1, 2)),
    *(case("embedding_bag", TABLE, PLACES, STARTS, False, mode, False, None, False, 1) for mode in (0, 1, 2)),
    case("embedding_bag", TABLE, PLACES, STARTS, False, 0, False, T(6)),
    case("embedding_bag", TABLE, PLACES, STARTS, mode=3),
    case("embedding_bag", TABLE, PLACES, V([1, 2], "int64")),
]
LOSSES = [
    *(case("binary_cross_entropy_with_logits", T(3, 4), T(3, 4, low=0, high=1, seed=1), *given, reduction)
      for reduction in (0, 1, 2) for given in ((None, None), (WEIGHT, None), (None, WEIGHT))),
    case("binary_cross_entropy_with_logits", T(4), T(3, 4, low=0, high=1)),
    case("binary_cross_entropy_with_logits", T(3, 4), T(4, low=0, high=1)),
    *(case("kl_div", T(3, 4), T(3, 4, low=0.1, seed=1), r, log_target=log) for r in (0, 1, 2) for log in (False, True)),
    case("kl_div", T(3, 4), T(3, 4, low=0.1)),
    case("kl_div", T(3, 4), T(3, 4, low=0.1), "mean"),
    *(case("poisson_nll_loss", T(5, low=0.1), T(5, low=0.1, seed=1), *how, 1e-8, r)
      for r in (0, 1, 2) for how in ((True, False), (False, True))),
    case("poisson_nll_loss", T(5), T(5)),
    *(case("hinge_embedding_loss", T(3), V([1.0, -1.0, 1.0], grad=False), 0.5, r) for r in (0, 1, 2)),
    *(case("cosine_embedding_loss", T(3, 4), T(3, 4, seed=1), V([1.0, -1.0, 1.0], grad=False), 0.1, r)
      for r in (0, 1, 2)),
    *(case("margin_ranking_loss", T(3), T(3, seed=1), V([1.0, -1.0, 1.0], grad=False), 0.1, r) for r in (0, 1, 2)),
    case("margin_ranking_loss", T(2, 3), T(3, seed=1), V([1.0, -1.0, 1.0], grad=False)),
    *(case("triplet_margin_loss", T(3, 4), T(3, 4, seed=1), T(3, 4, seed=2), 1.0, 2.0, 1e-6, swap, r)
      for r in (0, 1, 2) for swap in (False, True)),
    *(case("ctc_loss", LOGS, *LABELS, 0, r, infinity) for r in (0, 1, 2) for infinity in (False, True)),
    case("ctc_loss", LOGS, LABELS[0], (6, 5), (2, 2)),
]  # fmt: skip
OTHERS = [
    *(case("convolution", T(2, 4, 5), weight, bias, (2,), (1,), (1,), turned, (int(turned),), 2)
      for weight, turned in ((T(6, 2, 3), False), (T(4, 3, 3), True)) for bias in (None, T(6))),
    case("convolution", T(2, 4, 5, 6), T(3, 4, 2, 3), None, (1, 2), (0, 1), (1, 1), False, (0, 0), 1),
    case("convolution", T(1, 2, 3, 4, 3), T(2, 3, 2, 2, 2), None, (1,), (0,), (1,), True, (0,), 1),
    case("convolution", T(4, 5), T(6, 4, 3), None, (1,), (0,), (1,), False, (0,), 1),
    case("convolution", T(2, 4, 5), T(6, 4, 3), None, (1,), (0,), (1,), False, (0, 0), 1),
    case("constant_pad_nd", T(2, 3), (1, 2), 1.5),
    case("constant_pad_nd", T(2, 3), (1, -1, 0, 2)),
    case("constant_pad_nd", T(2, 3), (1,)),
    *(case("grid_sampler_2d", IMAGE, GRID, mode, padding, align)
      for mode in (0, 1, 2) for padding in (0, 1, 2) for align in (False, True)),
    case("grid_sampler_2d", VOLUME, POINTS, 0, 0, False),
    *(case("grid_sampler_3d", VOLUME, POINTS, mode, 0, True) for mode in (0, 1, 2)),
    case("softmax", T(2, 3), -1, None), case("log_softmax", T(2, 3), -1, None),
]  # fmt: skip


@pytest.mark.parametrize(("path", "args", "kwargs"), [*NORMS, *TABLES, *LOSSES, *OTHERS])
def test_as_pytorch(path, args, kwargs):
    compare(path, *args, **kwargs)


@pytest.mark.parametrize("call", ["batch_norm", "instance_norm", "native_batch_norm"])
def test_running_statistics_move(call):
    def moved(lib):
        x, mean, spread = lib.arange(24.0).reshape(2, 4, 3), lib.zeros(4), lib.ones(4)
        getattr(lib, call)(x, None, None, mean, spread, True, 0.25, 1e-5, *([True] if call[0] != "n" else []))
        return mean, spread

    for ours, theirs in zip(moved(tc), moved(torch), strict=True):
        assert ours.tolist() == pytest.approx(theirs.tolist())


@pytest.mark.parametrize("lib", [torch, tc])
def test_one_value_for_each_channel(lib):
    rest = (None, None, None, None, True, 0.1, 1e-5)
    x = lib.tensor([[1.0, -2.0]])
    outs = lib.batch_norm(x, *rest, True), lib.instance_norm(x, *rest, True), lib.native_batch_norm(x, *rest)[0]
    assert [out.tolist() for out in outs] == [[[0.0, 0.0]]] * 3


@pytest.mark.parametrize("name", ["dropout", "alpha_dropout", "feature_alpha_dropout", "feature_dropout"])
def test_dropout(name):
    for lib in (torch, tc):
        drop, x = getattr(lib, name), lib.ones(2, 3, 4)
        assert drop(x, p=0.5, train=False).tolist() == x.tolist()
        assert drop(x, 1.0, True).shape == x.shape
        assert getattr(lib, name + "_")(x, 1.0, train=True) is x
        assert (x == 0).all() or "alpha" in name
        for wrong in ((x,), (x, 0.5), (x, "a", True)):
            with pytest.raises(TypeError):
                drop(*wrong)
        with pytest.raises(RuntimeError):
            drop(x, 1.5, True)


def test_channels_are_dropped_whole():
    x = tc.feature_dropout(tc.ones(8, 16, 2, 2), 0.5, True).reshape(8, 16, 4)
    assert sorted(set(x.flatten().tolist())) == [0.0, 2.0] and (x == x[..., :1]).all()


def test_the_mask_of_dropout():
    x = tc.ones(100, requires_grad=True)
    out, mask = tc.native_dropout(x, 0.25, None)
    assert out.tolist() == pytest.approx((mask.to(tc.float32) / 0.75).tolist())
    out.sum().backward()
    assert x.grad.tolist() == out.tolist()
    for lib in (torch, tc):
        assert [each.tolist() for each in lib.native_dropout(lib.ones(2), 1.0, True)] == [[0, 0], [False, False]]
        with pytest.raises(RuntimeError):
            lib.native_dropout(lib.ones(2, dtype=lib.int64), 0.5, True)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: tc.embedding(tc.ones(2, 3), tc.ones(2)), "^embedding: expected indices"),
        (lambda: tc.kl_div(tc.ones(2), tc.ones(2), 5), "^kl_div: reduction must be 0"),
        (lambda: tc.dropout(tc.ones(2)), "^dropout: missing a required argument: 'p'"),
        (lambda: tc.batch_norm(tc.ones(2), 1, 2), "^batch_norm: missing a required argument"),
        (
            lambda: tc.convolution(tc.ones(2), tc.ones(3), None, (1,), (0,), (1,), False, (0,), 1),
            "^convolution: expected input",
        ),
        (lambda: tc.tensor([1.0]).polygamma("a"), "^polygamma: n must be an int"),
    ],
)
def test_errors_name_the_function(call, says):
    with pytest.raises((RuntimeError, TypeError), match=says):
        call()
