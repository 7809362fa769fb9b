"""Linear maps, tables and losses against PyTorch."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from against_torch import INF, I, T, V, case, compare, same  # noqa: E402

import tensorcore as tc  # noqa: E402

C = I(5, high=4)
X = T(5, 4)
LINEAR = [
    case("F.linear", T(3, 4), T(5, 4), T(5)),
    case("F.linear", T(2, 3, 4), T(5, 4)),
    case("F.linear", T(4), T(5, 4), T(5)),
    case("F.linear", T(3, 4), T(4)),
    case("F.linear", T(3, 4), T(5, 3)),
    case("F.linear", T(3, 4, dtype="float32"), T(5, 4)),
    case("F.linear", T(0, 4), T(5, 4), T(5)),
    case("F.linear", T(3, 0), T(5, 0)),
    case("F.linear", T(), T(5, 4)),
    case("F.linear", T(3, 4), T(5, 4), T(3)),
    case("F.linear", T(3, 4, dtype="float16"), T(5, 4, dtype="float16"), T(5, dtype="float16")),
    case("F.bilinear", T(3, 4), T(3, 5), T(2, 4, 5), T(2)),
    case("F.bilinear", T(2, 3, 4), T(2, 3, 5), T(6, 4, 5)),
    case("F.bilinear", T(3, 4), T(2, 5), T(2, 4, 5)),
    case("F.embedding", I(2, 3, high=5), T(5, 4)),
    case("F.embedding", I(2, 3, high=5), T(5, 4), 1),
    case("F.embedding", I(2, 3, high=5), T(5, 4), -1, scale_grad_by_freq=True),
    case("F.embedding", I(high=5), T(5, 4)),
    case("F.embedding", V([5], "int64"), T(5, 4)),
    case("F.embedding", V([-1], "int64"), T(5, 4)),
    case("F.embedding", T(3), T(5, 4)),
    case("F.embedding", I(3, high=5), T(5, 4, grad=False), max_norm=1.0),
    case("F.embedding", I(0, high=5), T(5, 4)),
    case("F.embedding", I(3, high=5), T(5, 4), 7),
    case("F.one_hot", I(2, 3, high=4)),
    case("F.one_hot", I(3, high=4), 6),
    case("F.one_hot", V([4], "int64"), 3),
    case("F.one_hot", V([-1], "int64"), 3),
    case("F.one_hot", T(3)),
    case("F.one_hot", I(0, high=2)),
    case("F.one_hot", I(0, high=2), 3),
    case("F.one_hot", I(high=3), 3),
    case("F.one_hot", I(2, high=2), 0),
]


@pytest.mark.parametrize(("path", "args", "kwargs"), LINEAR)
def test_linear_and_tables(path, args, kwargs):
    compare(path, *args, **kwargs)


CLASSES = [
    *(
        case("F.cross_entropy", X, C, reduction=r, label_smoothing=s, weight=w)
        for r in ("mean", "sum", "none")
        for s in (0.0, 0.2)
        for w in (None, T(4, low=0.5, grad=False))
    ),
    case("F.cross_entropy", X, C, ignore_index=1),
    case("F.cross_entropy", X, C, T(4, low=0.5, grad=False), ignore_index=2, label_smoothing=0.1),
    case("F.cross_entropy", T(2, 4, 3), I(2, 3, high=4)),
    case("F.cross_entropy", T(2, 4, 3, 2), I(2, 3, 2, high=4), reduction="none"),
    case("F.cross_entropy", T(4), I(high=4)),
    case("F.cross_entropy", T(4), I(high=4), reduction="none"),
    case("F.cross_entropy", X, T(5, 4, low=0)),
    case("F.cross_entropy", X, T(5, 4, low=0), T(4, low=0.5, grad=False), label_smoothing=0.2),
    case("F.cross_entropy", T(2, 4, 3), T(2, 4, 3, low=0), reduction="none"),
    case("F.cross_entropy", T(4), T(4, low=0)),
    case("F.cross_entropy", X, T(5, 4, low=0), reduction="sum"),
    case("F.cross_entropy", X, V([0, 1, 2, 3, 4], "int64")),
    case("F.cross_entropy", X, V([0, -1, 2, 3, 1], "int64")),
    case("F.cross_entropy", X, I(4, high=4)),
    case("F.cross_entropy", X, I(5, 4, high=4)),
    case("F.cross_entropy", X, T(5)),
    case("F.cross_entropy", X, C, label_smoothing=1.5),
    case("F.cross_entropy", X, C, reduction="x"),
    case("F.cross_entropy", X, V([-100] * 5, "int64")),
    case("F.cross_entropy", V([[1000.0, -1000.0, 0.0]], "float32"), V([0], "int64")),
    case("F.cross_entropy", X, C, T(3, grad=False)),
    case("F.cross_entropy", X, T(5, 4, low=0), ignore_index=1),
    case("F.cross_entropy", T(0, 4), I(0, high=4)),
    case("F.cross_entropy", T(0, 4), I(0, high=4), reduction="sum"),
    case("F.cross_entropy", T(5, 4, dtype="float32"), C),
    case("F.cross_entropy", T(5, 4, dtype="float16"), C),
    case("F.cross_entropy", T(5, 4, dtype="bfloat16"), C),
    case("F.cross_entropy", X, C, size_average=False),
    case("F.cross_entropy", X, C, reduce=False),
    case("F.cross_entropy", I(5, 4, high=3), C),
    case("F.cross_entropy", X, T(5, dtype="int32", high=4, low=0)),
    *(
        case("F.nll_loss", X, C, reduction=r, weight=w)
        for r in ("mean", "sum", "none")
        for w in (None, T(4, low=0.5, grad=False))
    ),
    case("F.nll_loss", X, C, ignore_index=1),
    case("F.nll_loss", T(2, 4, 3), I(2, 3, high=4)),
    case("F.nll_loss", T(4), I(high=4)),
    case("F.nll_loss", T(2, 4, 3), I(2, 3, high=4), reduction="none"),
    case("F.nll_loss", X, I(3, high=4)),
    case("F.multi_margin_loss", X, C),
    case("F.multi_margin_loss", X, C, 2, 0.5, T(4, low=0.5, grad=False), reduction="sum"),
    case("F.multi_margin_loss", T(4), I(high=4)),
]


@pytest.mark.parametrize(("path", "args", "kwargs"), CLASSES)
def test_losses_of_classes(path, args, kwargs):
    compare(path, *args, **kwargs)


A, B = T(3, 4), T(3, 4, seed=1)
P, Q = T(3, 4, low=0.05, high=0.95), T(3, 4, low=0.05, high=0.95, seed=1)
SIGNS = V([1.0, -1.0, 1.0], grad=False)
ALL = ("mean", "sum", "none")
LOSSES = [
    *(
        case(f"F.{name}", A, B, reduction=r)
        for name in (
            "mse_loss",
            "l1_loss",
            "smooth_l1_loss",
            "huber_loss",
            "binary_cross_entropy_with_logits",
            "poisson_nll_loss",
            "multilabel_soft_margin_loss",
        )
        for r in ALL
    ),
    *(case("F.soft_margin_loss", A, T(3, 4, seed=1, grad=False), reduction=r) for r in ALL),
    case("F.mse_loss", A, T(4)),
    case("F.mse_loss", A, T(3)),
    case("F.mse_loss", A, B, weight=P),
    case("F.l1_loss", A, B, weight=P),
    case("F.mse_loss", A, T(4), reduction="none"),
    case("F.mse_loss", A, T(3, 4, dtype="float32"), second=False),
    case("F.mse_loss", T(0), T(0)),
    case("F.mse_loss", T(), T()),
    case("F.mse_loss", A, B, reduction="x"),
    case("F.smooth_l1_loss", A, B, beta=0.5),
    case("F.smooth_l1_loss", A, B, beta=0.0),
    case("F.smooth_l1_loss", A, B, beta=-1.0),
    case("F.huber_loss", A, B, delta=0.3),
    case("F.huber_loss", A, B, delta=0.0),
    *(case("F.binary_cross_entropy", P, Q, reduction=r) for r in ALL),
    case("F.binary_cross_entropy", P, Q, T(4, low=0.1, grad=False)),
    case(
        "F.binary_cross_entropy",
        V([0.0, 1.0, 0.5, 1.0]),
        V([0.0, 1.0, 0.5, 0.0], grad=False),
        second=False,
        tolerance=1e-7,
    ),
    case("F.binary_cross_entropy", P, T(4)),
    case("F.binary_cross_entropy_with_logits", A, Q, T(4, low=0.1, grad=False), pos_weight=T(4, low=0.1, grad=False)),
    case("F.binary_cross_entropy_with_logits", A, T(4)),
    case("F.binary_cross_entropy_with_logits", V([1e3, -1e3]), V([1.0, 1.0])),
    *(case("F.kl_div", A, Q, reduction=r) for r in (*ALL, "batchmean")),
    case("F.kl_div", A, B, reduction="batchmean", log_target=True),
    case("F.kl_div", A, V([[0.0, 0.5, 0.5, 0.0]] * 3, grad=False)),
    case("F.poisson_nll_loss", A, T(3, 4, low=0), full=True),
    case("F.poisson_nll_loss", P, Q, log_input=False),
    case("F.gaussian_nll_loss", A, B, P),
    case("F.gaussian_nll_loss", A, B, T(3, 1, low=0.1), full=True, reduction="none"),
    case("F.gaussian_nll_loss", A, B, T(3, low=0.1)),
    case("F.gaussian_nll_loss", A, B, T(2, low=0.1)),
    case("F.gaussian_nll_loss", A, B, V([0.0] * 3)),
    case("F.gaussian_nll_loss", A, B, 2.0),
    case("F.gaussian_nll_loss", A, B, V([-1.0] * 3)),
    case("F.cosine_similarity", A, B),
    case("F.cosine_similarity", A, T(4), dim=-1),
    case("F.cosine_similarity", A, V([0.0] * 4, grad=False)),
    case("F.cosine_similarity", A, T(5)),
    case("F.cosine_similarity", A, B, 2),
    case("F.pairwise_distance", A, B),
    case("F.pairwise_distance", A, T(4), 1.0, keepdim=True),
    case("F.normalize", A),
    case("F.normalize", A, 1.0, 0),
    case("F.normalize", A, INF),
    case("F.normalize", V([[0.0, 0.0]]), second=False),
    case("F.normalize", A, dim=2),
    *(case("F.cosine_embedding_loss", A, B, SIGNS, 0.1, reduction=r) for r in ALL),
    case("F.cosine_embedding_loss", T(4), T(4, seed=1), V([1.0], grad=False)),
    case("F.cosine_embedding_loss", A, B, T(3, 1)),
    case("F.margin_ranking_loss", T(3), T(3, seed=1), SIGNS, 0.5),
    case("F.margin_ranking_loss", A, B, SIGNS),
    case("F.hinge_embedding_loss", T(3), SIGNS),
    case("F.hinge_embedding_loss", T(3), SIGNS, 2.0, reduction="none"),
    case("F.triplet_margin_loss", A, B, P),
    case("F.triplet_margin_loss", A, B, P, swap=True, p=1.0, reduction="none"),
    case("F.triplet_margin_loss", A, B, P, margin=0.0),
    case("F.triplet_margin_loss", A, B, T(4)),
    case("F.triplet_margin_with_distance_loss", A, B, P, margin=2.0, swap=True),
]


@pytest.mark.parametrize(("path", "args", "kwargs"), LOSSES)
def test_losses(path, args, kwargs):
    compare(path, *args, **kwargs)


LOGS = T(6, 2, 4, low=-4.0, high=-0.1)
ALIGNED = [
    case("F.multilabel_margin_loss", A, V([[3, 0, -1, 1], [0, -1, 0, 0], [-1, 0, 0, 0]], "int64")),
    case("F.multilabel_margin_loss", T(4), V([3, 0, -1, 1], "int64"), reduction="sum"),
    case("F.multilabel_margin_loss", A, I(3, 4, high=4), reduction="none"),
    case("F.multilabel_margin_loss", A, I(3, 3, high=4)),
]


@pytest.mark.parametrize(("path", "args", "kwargs"), ALIGNED)
def test_losses_of_sets(path, args, kwargs):
    compare(path, *args, **kwargs)


@pytest.mark.parametrize("reduction", ALL)
@pytest.mark.parametrize("targets", [[[1, 2, 2], [3, 1, 0]], [1, 2, 2, 3, 1]])
def test_ctc_loss(reduction, targets):
    found = []
    for lib in (tc, torch):
        x = T(7, 2, 4).make(lib)
        labels, taken, counts = (lib.tensor(v) for v in (targets, [7, 5], [3, 2]))
        loss = lib.nn.functional.ctc_loss(lib.log_softmax(x, 2), labels, taken, counts, reduction=reduction)
        loss.sum().backward()
        found.append((loss, x.grad))
    for ours, theirs in zip(*found, strict=True):
        same(ours, theirs, "ctc")


def test_ctc_loss_of_impossible_targets():
    for zero in (False, True):
        found = []
        for lib in (tc, torch):
            x = T(2, 1, 4, grad=False).make(lib).log_softmax(2)
            found.append(lib.nn.functional.ctc_loss(x, lib.tensor([[1, 2, 3]]), (2,), (3,), zero_infinity=zero))
        same(*found, "impossible")
