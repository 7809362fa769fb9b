"""What errors of wrong calls say: the op as users call it, the argument, what was met and what was expected."""

from __future__ import annotations

import pytest

import tensorcore as tc
import tensorcore.nn.functional as F
from tensorcore.errors import ArgumentError, DTypeError, ShapeError

x = tc.ones(3, 4)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: tc.exp("a"), TypeError, "exp: expected a tensor, got str as input"),
        (lambda: tc.add(None, x), TypeError, "add: .*must be a tensor.*got None|add: input must be a tensor.*None"),
        (lambda: x.add(None), TypeError, "add: 'other' must be a tensor or a number, got None"),
        (lambda: tc.cat([x, 3]), ArgumentError, r"cat: tensors\[1\] must be a tensor, got int 3"),
        (lambda: tc.cat(None), ArgumentError, "cat: tensors must be a sequence of tensors, got None"),
        (lambda: F.linear([1.0], x), ArgumentError, r"linear: input must be a tensor, got list \[1.0\]; make one by"),
        (lambda: F.relu(3), TypeError, "relu: expected a tensor, got int as input"),
        (lambda: tc.sum(x, dim=1.5), TypeError, "sum: dim must be an int or a tuple of ints, or None, got float 1.5"),
        (lambda: tc.topk(x, 1.5), ArgumentError, "topk: k must be an int, got float 1.5"),
        (lambda: x.narrow(0, 1.5, 1), ArgumentError, "narrow: start must be an int, got float 1.5"),
        (lambda: F.cross_entropy(x, x, reduction=3), ArgumentError, "cross_entropy: reduction must be a string, got"),
        (lambda: F.dropout(x, training="no"), ArgumentError, "dropout: training must be True or False, got str 'no'"),
        (lambda: tc.softmax(x, 0, dtype="float"), ArgumentError, "softmax: dtype must be a dtype such as"),
        (lambda: tc.zeros(2, layout="rows"), ArgumentError, "zeros: layout must be a layout such as"),
        (lambda: tc.cumsum(x, 0, nonsense=1), TypeError, r"cumsum: got an unexpected .*called as cumsum\(input, dim, "),
        (lambda: tc.select(x, 0), TypeError, r"select: missing a required argument: 'index'; it is called as select"),
        (lambda: tc.add(x, x, out=5), ArgumentError, "add: out must be a tensor, got int"),
        (lambda: tc.add(x, x, out=tc.zeros(0, dtype=tc.uint8)), DTypeError, "add: out is of dtype tensorcore.uint8"),
        (lambda: tc.special.i0e(x, out=5), ArgumentError, "i0e: out must be a tensor"),
        (lambda: tc.linalg.eigvalsh(tc.eye(2), UPLO=3), ArgumentError, r"linalg\.eigvalsh: UPLO must be a string"),
        (lambda: tc.where(x > 0, x, tc.ones(5)), ShapeError, r"where: shapes \[3, 4\].* do not broadcast"),
    ],
)
def test_messages(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_errors_of_steps_name_the_op_called_and_its_arguments():
    with pytest.raises(ShapeError, match=r"expand_as: expand: .*\(called as expand_as\(input=float32\[3, 4\], other="):
        x.expand_as(tc.ones(5))


def test_one_class_for_every_except():
    assert issubclass(ArgumentError, (RuntimeError, TypeError, ValueError))
    with pytest.raises(ArgumentError) as raised:
        F.linear("a", x)
    assert raised.value.__suppress_context__


def test_good_calls_keep_flags_and_numbers_of_other_types():
    assert tc.sum(x, 1, keepdim=1).shape == (3, 1)
    assert tc.zeros(2, requires_grad=None).requires_grad is False
    assert tc.topk(x, tc.tensor(2), dim=1).values.shape == (3, 2)
