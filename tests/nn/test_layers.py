"""Layers: settings and inputs that do not fit, modes, and what the parity tests cannot see."""

from __future__ import annotations

import pytest

import tensorcore as tc
from tensorcore import nn
from tensorcore.errors import ShapeError


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.Conv2d(3, 4, 3, groups=2), ValueError, "divisible by groups"),
        (lambda: nn.Conv2d(3, 4, 3, groups=0), ValueError, "positive"),
        (lambda: nn.Conv2d(3, 4, 3, padding="full"), ValueError, "'same' or 'valid'"),
        (lambda: nn.Conv2d(3, 4, 3, padding="same", stride=2), ValueError, "strided"),
        (lambda: nn.Conv2d(3, 4, 3, padding_mode="mirror"), ValueError, "mirror"),
        (lambda: nn.ConvTranspose1d(3, 4, 3, padding_mode="reflect"), ValueError, "zeros"),
        (lambda: nn.ConvTranspose1d(1, 1, 3, 2)(tc.ones(1, 1, 4), [50]), ShapeError, r"\[9\] and \[10\]"),
        (lambda: nn.ConvTranspose1d(1, 1, 3)(tc.ones(1, 1, 4), [1, 2]), ShapeError, "1 or 3 entries"),
        (lambda: nn.Dropout(1.5), ValueError, "between 0 and 1"),
        (lambda: nn.Dropout(float("nan")), ValueError, "nan"),
        (lambda: nn.Bilinear(0, 1, 1), ValueError, "positive"),
        (lambda: nn.GroupNorm(2, 3), ValueError, "divisible"),
        (lambda: nn.BatchNorm2d(3)(tc.ones(2, 3)), ShapeError, "expected 4D input"),
        (lambda: nn.BatchNorm1d(3)(tc.ones(3)), ShapeError, "2D or 3D"),
        (lambda: nn.InstanceNorm1d(3, affine=True)(tc.ones(2, 4, 5)), ShapeError, "expected 3 channels, got 4"),
        (lambda: nn.Softmax2d()(tc.ones(2)), ShapeError, r"\[2\]"),
        (lambda: nn.Hardtanh(1, 0), ValueError, "greater than min_val"),
        (lambda: nn.Embedding(3, 2, padding_idx=3), AssertionError, "3 embeddings"),
        (lambda: nn.Embedding(3, 2, _weight=tc.ones(2, 2)), ShapeError, r"\[3, 2\]"),
        (lambda: nn.Embedding.from_pretrained(tc.ones(2)), ShapeError, "2-d"),
        (lambda: nn.Unflatten("dim", (2,)), TypeError, "str"),
        (lambda: nn.Unflatten(1, 2), TypeError, "tuple"),
        (lambda: nn.Unflatten(1, (2, "a")), TypeError, "place 1"),
        (lambda: nn.MultiMarginLoss(p=3), ValueError, "3"),
        (lambda: nn.TripletMarginLoss(margin=0), ValueError, "greater than 0"),
        (lambda: nn.TripletMarginWithDistanceLoss(margin=-1), ValueError, "greater than 0"),
    ],
)
def test_misuse_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_deprecated_reduction_arguments_warn():
    with pytest.warns(UserWarning, match="reduction='sum'"):
        assert nn.MSELoss(size_average=False).reduction == "sum"
    with pytest.warns(UserWarning, match="reduction='none'"):
        assert nn.L1Loss(reduce=False).reduction == "none"


def test_running_statistics_follow_the_mode():
    norm = nn.BatchNorm1d(1, momentum=None)
    for value in (1.0, 3.0):
        norm(tc.tensor([[value], [value + 2]]))
    assert norm.running_mean.tolist() == [3] and norm.num_batches_tracked.item() == 2
    norm.eval()(tc.zeros(2, 1))
    assert norm.running_mean.tolist() == [3]
    norm.reset_parameters()
    assert norm.running_mean.tolist() == [0] and norm.running_var.tolist() == [1]


def test_layers_take_device_and_dtype():
    for layer in (nn.Linear(2, 2, device="reference", dtype=tc.float64), nn.BatchNorm1d(2, device="reference")):
        assert {str(t.device) for t in layer.state_dict().values()} == {"reference"}
    assert nn.Conv2d(1, 1, 1, dtype=tc.float16).weight.dtype is tc.float16


def test_the_padding_row_of_an_embedding_is_zero_and_stays():
    table = nn.Embedding(3, 2, padding_idx=-1)
    assert table.padding_idx == 2 and table.weight[2].tolist() == [0, 0]
    table(tc.tensor([0, 2])).sum().backward()
    assert table.weight.grad.tolist() == [[1, 1], [0, 0], [0, 0]]
    frozen = nn.Embedding.from_pretrained(tc.ones(2, 2))
    assert not frozen.weight.requires_grad


def test_dropout_only_drops_in_training():
    layer, x = nn.Dropout(0.5), tc.ones(100)
    assert layer.eval()(x).tolist() == x.tolist()
    assert set(layer.train()(x).tolist()) == {0.0, 2.0}
