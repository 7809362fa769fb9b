"""Padding sequences into a batch, and taking them out again."""

from __future__ import annotations

import pytest

import tensorcore as tc
from tensorcore.nn.utils.rnn import pad_sequence, unpad_sequence

SEQUENCES = [tc.arange(6.0).reshape(3, 2), tc.ones(0, 2), tc.ones(1, 2), tc.ones(3, 2)]


@pytest.mark.parametrize("batch_first", [True, False])
def test_there_and_back(batch_first):
    batch = pad_sequence(SEQUENCES, batch_first, padding_value=-1.0)
    assert tuple(batch.shape) == ((4, 3, 2) if batch_first else (3, 4, 2))
    assert batch.sum().item() == 15 + 2 + 6 - 10
    for lengths in (tc.tensor([3, 0, 1, 3]), [3, 0, 1, 3]):
        again = unpad_sequence(batch, lengths, batch_first)
        assert [x.tolist() for x in again] == [x.tolist() for x in SEQUENCES]


def test_sides_and_gradients():
    x = tc.tensor([4], dtype=tc.float32, requires_grad=True)
    batch = pad_sequence([tc.ones(3), x], padding_side="left")
    assert batch.tolist() == [[1, 0], [1, 0], [1, 4]]
    (batch * 2).sum().backward()
    assert x.grad.tolist() == [2]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pad_sequence([]), "differ only in length"),
        (lambda: pad_sequence([tc.tensor(1.0)]), "differ only in length"),
        (lambda: pad_sequence([tc.ones(2, 3), tc.ones(2, 4)]), r"\[2, 3\], \[2, 4\]"),
        (lambda: pad_sequence([tc.ones(2)], padding_side="up"), "'up'"),
        (lambda: unpad_sequence(tc.ones(3, 2), [1]), "expected 2 lengths"),
        (lambda: unpad_sequence(tc.ones(3, 2), [1, 4]), "up to 3"),
    ],
)
def test_what_does_not_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call()
