"""In-place ops: what changes, what is refused, versions, and what autograd makes of them."""

from __future__ import annotations

import numpy as np
import pytest

import tensorcore as tc

CALLS = {
    "x.add_(1)": "x + 1", "x.add_(x)": "x + x", "x.sub_(2)": "x - 2", "x.mul_(0.5)": "x * 0.5", "x.div_(2)": "x / 2",
    "x.pow_(2)": "x ** 2", "x.neg_()": "-x", "x.abs_()": "abs(x)", "x.exp_()": "np.exp(x)", "x.floor_()": "np.floor(x)",
    "x.clamp_(-1, 1)": "np.clip(x, -1, 1)", "x.zero_()": "x * 0", "x.fill_(7)": "x * 0 + 7",
    "x.copy_(tc.tensor([1, 2, 3]))": "x * 0 + [1, 2, 3]", "x.copy_(tc.tensor(5))": "x * 0 + 5",
    "x.masked_fill_(x > 0, 9)": "np.where(x > 0, 9, x)", "x.remainder_(2)": "x % 2", "x.floor_divide_(2)": "x // 2",
    "x.tril_()": "np.tril(x)", "x.cumsum_(0)": "x.cumsum(0)", "x.eq_(x)": "x * 0 + 1",
    "x.logical_not_()": "np.logical_not(x) * 1.0",
    "x.add_(tc.ones(3), alpha=2)": "x + 2", "x.addcmul_(x, x)": "x + x * x", "x.lerp_(x * 0, 0.25)": "x * 0.75",
    "x.index_fill_(0, tc.tensor([1]), 4)": "np.where([[False], [True]], 4, x)",
    "x.scatter_(1, tc.tensor([[0], [2]]), 9.0)": "np.array([[9, x[0, 1], x[0, 2]], [x[1, 0], x[1, 1], 9]])",
    "x.fill_diagonal_(5)": "np.where(np.eye(2, 3), 5, x)",
    "x.apply_(lambda v: v * 3)": "x * 3", "x.map_(x.clone(), lambda a, b: a + b)": "x * 2", "x.nan_to_num_()": "x",
    "x.square_()": "x * x", "x.index_add_(0, tc.tensor([0, 0]), x.clone())": "x + [x[0] + x[1], x[0] * 0]",
    "x.put_(tc.tensor([0]), tc.tensor([8.0], dtype=tc.float64))": "np.where(np.arange(6).reshape(2, 3) == 0, 8, x)",
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("layout", ["rows", "columns", "part"])
def test_change_the_tensor_and_return_it(call, layout):
    values = np.array([[1.5, -2.0, 0.25], [3.0, -0.5, 4.0]])
    base = {"rows": values.copy(), "columns": np.asfortranarray(values), "part": np.pad(values, 1)}[layout]
    memory = base[1:-1, 1:-1] if layout == "part" else base
    x = tc.from_numpy(memory)
    assert eval(call, {"x": x, "tc": tc}) is x
    np.testing.assert_allclose(memory, eval(CALLS[call], {"x": values, "np": np}), rtol=1e-15)
    if layout == "part":
        assert base[0].sum() == base[:, 0].sum() == 0


@pytest.mark.parametrize("operator", ["+=", "-=", "*=", "/=", "//=", "%=", "**="])
def test_augmented_assignment(operator):
    scope = {"x": tc.tensor([5.0, 7.0]), "y": np.array([5.0, 7.0])}
    before = scope["x"]
    exec(f"x {operator} 2\ny {operator} 2", scope)
    assert scope["x"] is before and scope["x"].tolist() == scope["y"].tolist()


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: tc.tensor([1]).add_(1.5), TypeError, "add_: the result is tensorcore.float32 .*tensorcore.int64"),
        (lambda: tc.tensor([1]).div_(2), TypeError, "div_: .*float32"),
        (lambda: tc.tensor([True]).add_(1), RuntimeError, "add_: .*int64.*bool"),
        (lambda: tc.ones(2).mul_(1j), RuntimeError, "complex64.*float32"),
        (lambda: tc.ones(2).add_(tc.ones(2, 2)), RuntimeError, r"add_: .*\[2, 2\].*\[2\]"),
        (lambda: tc.ones(1).add_(tc.ones(3)), ValueError, r"\[3\].*\[1\]"),
        (lambda: tc.ones(3).expand(2, 3).add_(1), RuntimeError, "add_: .*share one place.*clone"),
        (lambda: tc.ones(2, requires_grad=True).add_(1), RuntimeError, "add_: a leaf"),
        (lambda: tc.ones(2, requires_grad=True)[0].add_(1), RuntimeError, "view of a leaf"),
        (lambda: tc.tensor([2]).pow_(-1), RuntimeError, "negative|below"),
        (lambda: tc.ones(2).fill_(tc.ones(2)), RuntimeError, r"fill_: .*\[2\]"),
        (lambda: tc.ones(2).copy_(tc.ones(3)), RuntimeError, r"\[3\]"),
        (lambda: tc.ones(2).set_(tc.ones(2, dtype=tc.int8)), TypeError, "set_: .*float32.*int8"),
        (lambda: tc.ones(2, requires_grad=True).mul(2).resize_(1), RuntimeError, "requires grad"),
        (lambda: tc.ones(2, requires_grad=True).t_(), RuntimeError, "leaf"),
    ],
)  # fmt: skip
def test_refusals(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_refused_changes_change_nothing():
    x = tc.tensor([1, 2])
    for call in (lambda: x.add_(1.5), lambda: x.div_(2), lambda: x.add_(tc.ones(3, 2, dtype=tc.int64))):
        with pytest.raises(RuntimeError):
            call()
    assert x.tolist() == [1, 2] and x._version == 0


def test_lower_categories_fit():
    x = tc.ones(2, dtype=tc.float16)
    x += tc.tensor([1.0, 2.0], dtype=tc.float64)
    x *= 2
    x -= True
    assert x.dtype is tc.float16 and x.tolist() == [3, 5]


def test_versions_count_changes_of_the_memory():
    x = tc.zeros(4)
    y = x[1:]
    y.add_(1)
    x[0] = 5
    x += 1
    assert x._version == y._version == 3 and y._base is x and x.detach()._version == 3


def test_gradients_flow_through_changes():
    x = tc.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2
    y[0] = 10
    y[1:].mul_(3)
    y.add_(x)
    y.sum().backward()
    assert x.grad.tolist() == [1, 7, 7]
    z = tc.zeros(3)
    z.copy_(x)
    z.mul_(2).sum().backward()
    assert x.grad.tolist() == [3, 9, 9]


def test_a_change_of_what_backward_needs_names_the_line():
    x = tc.ones(2, requires_grad=True)
    y = x.exp()
    y.add_(1)
    with pytest.raises(
        RuntimeError,
        match=r"ExpBackward0: its output, of shape \[2\].*changed in place by add_ at .*inplace.py:\d+",
    ):
        y.sum().backward()
    z = tc.ones(2)
    w = (x * z).sum()
    z += 1
    with pytest.raises(RuntimeError, match=r"MulBackward0: its operand 'other'.*at .*test_inplace.py"):
        w.backward()


def test_no_grad_allows_leaves():
    x = tc.ones(2, requires_grad=True)
    with tc.no_grad():
        x -= 0.5
        x[0] = 3
    x.data.mul_(2)
    assert x.tolist() == [6, 1] and x.is_leaf and x.requires_grad
