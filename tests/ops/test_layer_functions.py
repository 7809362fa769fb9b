"""What the functions of layers do besides computing: messages, warnings, writing in place, named results."""

from __future__ import annotations

import math

import pytest

import tensorcore as tc
import tensorcore.nn.functional as F
from tensorcore.errors import DeviceError, DimensionError, DTypeError, RangeError, ShapeError


def x(*shape, **facts):
    return tc.zeros(*shape, **facts)


WHOLE = {"dtype": tc.int64}
ERRORS = [
    (lambda: F.linear(x(3, 4), x(5, 3)), ShapeError, r"linear: input of shape \[3, 4\].*\[5, 3\]"),
    (
        lambda: F.linear(x(3, 4), x(5, 4, dtype=tc.float64)),
        DTypeError,
        "input is tensorcore.float32, weight is tensorcore.float64",
    ),
    (lambda: F.linear(x(3, 4), x(5, 4, device="reference")), DeviceError, "'reference'"),
    (lambda: F.embedding(x(3), x(5, 4)), DTypeError, "int64 or int32"),
    (lambda: F.embedding(tc.tensor([5]), x(5, 4)), DimensionError, "embedding|index"),
    (lambda: F.one_hot(tc.tensor([3]), 2), RangeError, r"\[0, 2\)"),
    (lambda: F.cross_entropy(x(3, 4), x(2, **WHOLE)), ShapeError, r"expected a target of shape \[3\].*got \[2\]"),
    (lambda: F.cross_entropy(x(3, 4), x(3)), DTypeError, "dtype int64"),
    (lambda: F.cross_entropy(x(3, 4), tc.tensor([0, 4, 1])), DimensionError, "4"),
    (lambda: F.cross_entropy(x(3, 4), x(3, **WHOLE), label_smoothing=2.0), RangeError, r"\[0, 1\], got 2.0"),
    (lambda: F.mse_loss(x(3), 1.0), TypeError, "target must be a tensor"),
    (lambda: F.l1_loss(x(3), x(3), reduction="median"), RangeError, "'median'"),
    (lambda: F.binary_cross_entropy(x(3), x(4)), ShapeError, r"\[3\], got \[4\]"),
    (lambda: F.conv2d(x(2, 3, 4, 4), x(4, 2, 3, 3)), ShapeError, "has 3 channels.*expects 2"),
    (lambda: F.conv2d(x(2, 3, 2, 2), x(4, 3, 3, 3)), ShapeError, "does not fit into input"),
    (lambda: F.conv2d(x(2, 3, 4, 4), x(4, 3, 3, 3), padding="same", stride=2), RangeError, "'same'.*stride"),
    (lambda: F.conv2d(x(3, 4), x(4, 3, 3, 3)), ShapeError, r"4 dimensions, or 3 without a batch, got shape \[3, 4\]"),
    (lambda: F.conv_transpose2d(x(1, 2, 3, 3), x(2, 1, 2, 2), output_padding=1), RangeError, "smaller than stride"),
    (lambda: F.max_pool2d(x(1, 1, 4, 4), 2, padding=2), RangeError, "half the kernel, 1"),
    (lambda: F.max_pool2d(x(1, 1, 2, 2), 3), ShapeError, "does not fit"),
    (lambda: F.avg_pool2d(x(1, 1, 2, 2), 2, divisor_override=0), RangeError, "divisor_override"),
    (lambda: F.batch_norm(x(1, 3), None, None, training=True), ValueError, "more than 1 value per channel"),
    (lambda: F.batch_norm(x(2, 3), None, None), RuntimeError, "must be given when not training"),
    (lambda: F.layer_norm(x(3, 4), (3,)), ShapeError, r"\[3, 4\] does not end with normalized_shape \[3\]"),
    (lambda: F.group_norm(x(2, 4, 3), 3), ShapeError, "4 channels cannot be divided into num_groups=3"),
    (lambda: F.pad(x(3), (1, 1, 1, 1)), ShapeError, "2 dimensions to pad"),
    (lambda: F.pad(x(1, 3), (3, 0), "reflect"), ShapeError, "at most 2 elements to a side of 3"),
    (lambda: F.glu(x(3)), ShapeError, "even, got 3"),
    (lambda: F.softmax(x(3, **WHOLE), 0), DTypeError, "softmax: got a tensor of dtype tensorcore.int64"),
    (lambda: F.gelu(x(3), approximate="sinh"), RangeError, "'sinh'"),
    (lambda: F.interpolate(x(1, 1, 4), 3, 2.0), RangeError, "exactly one of size and scale_factor"),
    (lambda: F.scaled_dot_product_attention(x(3, 4), x(5, 3), x(5, 4)), ShapeError, "do not fit"),
    (lambda: tc.mean(x(3, **WHOLE)), DTypeError, "mean"),
    (lambda: tc.max(x(0)), ShapeError, "no elements"),
    (lambda: tc.max(x(2, 0), 1), DimensionError, r"along dimension 1 of shape \[2, 0\]"),
    (lambda: tc.topk(x(3), 4), RangeError, "k=4"),
    (lambda: tc.var(x(3), unbiased=True, correction=1), TypeError, "both given"),
]


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS)
def test_errors(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


WARNINGS = [
    (lambda: F.mse_loss(x(3, 1), x(3)), "broadcast"),
    (lambda: F.kl_div(x(3), x(3)), "batchmean"),
    (lambda: F.softmax(x(3)), "say dim="),
    (lambda: F.l1_loss(x(3), x(3), size_average=False), "reduction='sum'"),
    (lambda: tc.var(x(1)), "no degrees of freedom"),
]


@pytest.mark.parametrize(("call", "message"), WARNINGS)
def test_warnings(call, message):
    with pytest.warns(UserWarning, match=message):
        call()


IN_PLACE = ["relu_", "leaky_relu_", "elu_", "selu_", "celu_", "hardtanh_"]


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_forms(name):
    start = tc.tensor([-2.0, 0.5], requires_grad=True)
    moved = start * 1
    out = getattr(F, name)(moved)
    assert out is moved
    expected = getattr(F, name[:-1])(start)
    assert tc.equal(out, expected)
    (mine,), (plain,) = tc.autograd.grad(out.sum(), start), tc.autograd.grad(expected.sum(), start)
    assert tc.equal(mine, plain)


def test_inplace_argument():
    y = tc.tensor([-1.0, 2.0])
    assert F.relu(y, inplace=True) is y and y.tolist() == [0.0, 2.0]
    assert F.threshold(y, 1.0, 5.0, inplace=True) is y and y.tolist() == [5.0, 2.0]


def test_a_leaf_is_not_changed_in_place():
    with pytest.raises(RuntimeError, match="relu_"):
        F.relu_(tc.ones(2, requires_grad=True))


def test_max_norm_scales_the_table_in_place():
    table = tc.tensor([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]], requires_grad=True)
    F.embedding(tc.tensor([0, 1]), table, max_norm=1.0)
    assert tc.allclose(table.detach(), tc.tensor([[0.6, 0.8], [0.3, 0.4], [6.0, 8.0]]), atol=1e-6)


def test_running_statistics_stay_out_of_the_graph():
    mean, var = tc.zeros(3), tc.ones(3)
    out = F.batch_norm(tc.rand(5, 3, requires_grad=True), mean, var, training=True)
    assert out.requires_grad and not mean.requires_grad and not var.requires_grad
    assert bool((mean != 0).all())


def test_named_results():
    found = tc.max(tc.tensor([[1.0, 3.0, 2.0]]), 1)
    assert found.values.item() == 3.0 and found.indices.item() == 1
    assert repr(found).startswith("tensorcore.return_types.max(")
    values, indices = tc.topk(tc.tensor([1.0, 3.0, 2.0]), 2)
    assert values.tolist() == [3.0, 2.0] and indices.tolist() == [1, 2]


def test_ignored_targets_have_no_gradient_and_no_part():
    scores = tc.tensor([[1.0, 2.0], [3.0, 1.0]], requires_grad=True)
    loss = F.cross_entropy(scores, tc.tensor([0, -100]))
    loss.backward()
    assert loss.item() == pytest.approx(math.log(1 + math.e), rel=1e-6)
    assert scores.grad[1].tolist() == [0.0, 0.0]


def test_large_scores_do_not_overflow():
    scores = tc.tensor([[1e4, -1e4, 0.0]])
    assert F.cross_entropy(scores, tc.tensor([1])).item() == pytest.approx(2e4)
    assert F.softmax(scores, 1).tolist() == [[1.0, 0.0, 0.0]]
    assert tc.logsumexp(scores, 1).item() == pytest.approx(1e4)


def test_half_precision_is_computed_in_float32():
    y = tc.full((1, 4096), 16.0, dtype=tc.float16)
    assert F.softmax(y, 1)[0, 0].item() == pytest.approx(1 / 4096, rel=1e-3)
    assert F.layer_norm(tc.tensor([[300.0, -300.0]], dtype=tc.float16), (2,)).tolist() == [[1.0, -1.0]]


def test_a_compiled_step_of_the_classifiers_parts():
    weight, bias = tc.rand(10, 16, requires_grad=True), tc.zeros(10, requires_grad=True)

    def step(images, labels):
        loss = F.cross_entropy(F.linear(F.relu(images), weight, bias), labels)
        return (loss, *tc.autograd.grad(loss, [weight, bias]))

    images, labels = tc.rand(8, 16) - 0.5, tc.arange(8) % 10
    for _ in range(2):
        compiled, eager = tc.compile(step)(images, labels), step(images, labels)
        assert all(tc.allclose(a, b) for a, b in zip(compiled, eager, strict=True))
