"""What a beginner gets wrong, and what the message then names: op, shapes, dtypes, and the module's path."""

from __future__ import annotations

import re

import pytest

import tensorcore as tc
from tensorcore import nn

F = nn.functional


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
        self.norm = nn.BatchNorm2d(8)
        self.words = nn.Embedding(10, 4)
        self.head = nn.Linear(10, 5)
        self.loss = nn.CrossEntropyLoss()

    def forward(self, part, *args):
        return getattr(self, part)(*args)


SCORES = tc.zeros(4, 3)
MISTAKES = {
    "width": (("head", tc.ones(2, 7)), RuntimeError, [r"linear: .*\[2, 7\].*\[5, 10\]", "'head'"]),
    "dtype": (("head", tc.ones(2, 10, dtype=tc.float64)), RuntimeError, ["linear: .*float64.*float32", "'head'"]),
    "device": (("head", tc.ones(2, 10, device="reference")), RuntimeError, ["'reference'.*'cpu'", r"\.to\(device\)"]),
    "channels": (("features", tc.ones(1, 1, 8, 8)), RuntimeError, [r"conv2d: .*\[1, 1, 8, 8\]", "expects 3", r"\.0'"]),
    "image": (("features", tc.ones(8, 8)), RuntimeError, [r"conv2d: expected .*\[8, 8\]", "'features.0'"]),
    "features": (("norm", tc.ones(1, 3, 8, 8)), RuntimeError, [r"\[1, 3, 8, 8\] has 3 channels.*\[8\]", "'norm'"]),
    "dimensions": (("norm", tc.ones(3, 8)), ValueError, [r"BatchNorm2d: expected 4D .*\[3, 8\]", "'norm'"]),
    "word": (("words", tc.tensor([1, 10])), IndexError, [r"embedding: .*\[2\].* 1 to 10.* 0 to 9", "'words'"]),
    "negative word": (("words", tc.tensor([-1])), IndexError, ["embedding: .* -1 to -1"]),
    "float words": (("words", tc.tensor([1.0])), RuntimeError, ["embedding: .*float32", r"\.long\(\)"]),
    "float classes": (("loss", SCORES, tc.zeros(4)), RuntimeError, ["cross_entropy: .*int64.*float32", "'loss'"]),
    "int32 classes": (("loss", SCORES, tc.zeros(4, dtype=tc.int32)), RuntimeError, ["int64.*int32", r"\.long\(\)"]),
    "class": (("loss", SCORES, tc.tensor([0, 1, 2, 3])), IndexError, [r"\[4\].* 0 to 3; .*\[4, 3\] has 3", "-100"]),
    "batch": (("loss", SCORES, tc.zeros(5, dtype=tc.int64)), ValueError, [r"cross_entropy: .*\[4\].*\[4, 3\].*\[5\]"]),
    "integer scores": (("loss", SCORES.long(), tc.zeros(4).long()), RuntimeError, ["cross_entropy: .*int64"]),
}


@pytest.mark.parametrize(("args", "error", "patterns"), MISTAKES.values(), ids=MISTAKES)
def test_the_message_names_what_was_met(args, error, patterns):
    with pytest.raises(error) as caught:
        Net()(*args)
    said = "\n".join([str(caught.value), *caught.value.__notes__])
    for pattern in patterns:
        assert re.search(pattern, said), said


def test_nll_loss_names_the_classes():
    with pytest.raises(IndexError, match=r"nll_loss: target of shape \[1\] holds classes from 7 to 7"):
        F.nll_loss(tc.zeros(1, 3), tc.tensor([7]))
    assert F.nll_loss(tc.zeros(2, 3), tc.tensor([7, 0]), ignore_index=7).item() == 0


def test_backward_of_a_vector_and_backward_twice():
    x = tc.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"only for scalars, not for shape \[3\]"):
        (x * 2).backward()
    loss = (x * x).sum()
    loss.backward()
    with pytest.raises(RuntimeError, match=r"MulBackward0: backward .* second time.*retain_graph=True"):
        loss.backward()


@pytest.mark.parametrize("place", [0, 1])
def test_binary_cross_entropy_of_no_probabilities(place):
    operands = [tc.full((2, 3), 0.5), tc.full((2, 3), 0.5)]
    operands[place][0, 1] = 1.5
    with pytest.raises(RuntimeError, match=r"(input|target) of shape \[2, 3\] holds values from 0.5 to 1.5; expected"):
        tc.nn.functional.binary_cross_entropy(*operands)
