"""Gradient rules that run as recorded programs give what the rules give, whatever came before with the same shapes."""

from __future__ import annotations

import threading

import pytest

import tensorcore as tc
from tensorcore.autograd import graph, pulls
from tensorcore.autograd.pulls import by_rule
from tensorcore.ops.record import REGISTRY


def leaf(*values, dtype=tc.float64):
    return tc.tensor(values, dtype=dtype, requires_grad=True)


def gradients(function, *leaves):
    for x in leaves:
        x.grad = None
    function(*leaves).sum().backward()
    return [None if x.grad is None else x.grad.tolist() for x in leaves]


@pytest.fixture
def learned():
    """Run a function so often that what can be recorded is."""

    def run(function, *leaves):
        for _ in range(3):
            gradients(function, *leaves)

    return run


def programs(op, *needed):
    plan = REGISTRY[op].plans[sum(1 << place for place, each in enumerate((*needed, True)) if each)]
    closure = plan.pull.__globals__ if plan.pull is not by_rule else {}
    return closure["known"].__self__ if "known" in closure else {}


def test_rule_is_replaced(learned, monkeypatch):
    x, y = leaf(1.0, 2.0, 5.0), leaf(3.0, 4.0, 7.0)
    learned(lambda a, b: a * b, x, y)
    monkeypatch.setattr(REGISTRY["mul"], "vjp", None)
    assert gradients(lambda a, b: a * b, x, y) == [[3.0, 4.0, 7.0], [1.0, 2.0, 5.0]]


def test_operands_that_were_one_tensor(learned):
    x, y = leaf(1.0, 2.0), leaf(3.0, 5.0)
    learned(lambda a, b: a * a + 0 * b, x, y)
    assert gradients(lambda a, b: a * b, x, y) == [[3.0, 5.0], [1.0, 2.0]]


def test_cotangent_that_was_an_operand():
    x, y = leaf(1.0, 2.0), leaf(3.0, 5.0)
    for _ in range(3):
        x.grad = y.grad = None
        (x * y).backward(y.detach())
    x.grad = None
    (x * y).backward(tc.tensor([1.0, 10.0], dtype=tc.float64))
    assert x.grad.tolist() == [3.0, 50.0]


@pytest.mark.parametrize("first", [2.0, 3.0, 0.0, -0.0, float("nan")])
def test_numbers_are_no_constants(learned, first):
    x = leaf(1.0, 2.0)
    learned(lambda a: a * first, x)
    learned(lambda a: a**first, x)
    assert gradients(lambda a: a * 7.0, x) == [[7.0, 7.0]]
    assert gradients(lambda a: a**3.0, x) == [[3.0, 12.0]]


def test_sign_of_a_zero_attribute(learned):
    x = leaf(-2.0, 3.0)
    leaky = tc.nn.functional.leaky_relu
    learned(lambda a: leaky(a, 0.0), x)
    found = gradients(lambda a: leaky(a, -0.0), x)
    assert found == [[0.0, 1.0]]
    assert str(found[0][0]) == "-0.0"


def test_other_shapes_and_attributes(learned):
    x = tc.arange(6.0).reshape(2, 3).requires_grad_()
    weight = tc.tensor([1.0, 2.0, 3.0])
    learned(lambda a: a.sum(1) * tc.tensor([1.0, 2.0]), x)
    assert gradients(lambda a: a.sum(0) * weight, x) == [[[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]]
    wide = tc.arange(12.0).reshape(4, 3).requires_grad_()
    assert gradients(lambda a: a.sum(0) * weight, wide) == [[[1.0, 2.0, 3.0]] * 4]


def test_other_dtypes(learned):
    x = leaf(0.5, 0.25, dtype=tc.float32)
    learned(tc.tanh, x)
    double = leaf(0.5, 0.25)
    gradients(tc.tanh, double)
    double.grad = None
    tc.tanh(double).sum().backward()
    assert double.grad.dtype is tc.float64
    assert double.grad.tolist() == pytest.approx((1 - tc.tanh(double.detach()) ** 2).tolist(), rel=1e-14)


def test_views_of_the_cotangent_are_not_added_into(learned):
    x, weight = tc.ones(2, 2, requires_grad=True), tc.tensor([[1.0, 2.0], [3.0, 4.0]])

    def twice(a):
        turned = a.t()
        return turned * weight + turned.t() * weight

    learned(twice, x)
    assert gradients(twice, x) == [(weight.t() + weight).tolist()]


def test_in_place_change_is_still_found(learned):
    x = leaf(1.0, 2.0)
    learned(tc.exp, x)
    y = tc.exp(x)
    y.add_(1)
    with pytest.raises(RuntimeError, match=r"ExpBackward0.*changed in place"):
        y.sum().backward()
    z = x * 1
    w = z * z
    z.mul_(2)
    with pytest.raises(RuntimeError, match=r"MulBackward0.*changed in place"):
        w.sum().backward()


def test_second_backward_is_still_refused(learned):
    x = leaf(1.0, 2.0)
    learned(lambda a: a * a.exp(), x)
    y = (x * x.exp()).sum()
    y.backward(retain_graph=True)
    y.backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_second_derivatives_and_hooks_on_saved_tensors(learned):
    x = leaf(1.0, 2.0)
    learned(lambda a: a**3, x)
    (first,) = tc.autograd.grad((x**3).sum(), x, create_graph=True)
    assert tc.autograd.grad(first.sum(), x)[0].tolist() == [6.0, 12.0]
    with tc.autograd.graph.saved_tensors_hooks(lambda t: t * 2, lambda t: t):
        y = x * x
    x.grad = None
    y.sum().backward()
    assert x.grad.tolist() == [4.0, 8.0]


def test_kernels_are_seen_by_the_profiler(learned):
    x = leaf(1.0, 2.0)
    learned(tc.exp, x)
    with tc.profiler.profile() as seen:
        gradients(tc.exp, x)
    names = [event.key for event in seen.key_averages()]
    assert any("mul" in name for name in names)


def test_failing_kernel_is_explained(learned, monkeypatch):
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    learned(lambda a, b: a / b, x, y)
    out = (x / y).sum()
    program = next(each for each in programs("div", True, True).values() if each is not by_rule)

    def fail(*arrays, **attributes):
        raise MemoryError("none left")

    for name, value in list(program.__globals__.items()):
        if name[0] == "f" and callable(value):
            monkeypatch.setitem(program.__globals__, name, fail)
    x.grad = None
    out.backward()
    assert x.grad.tolist() == pytest.approx([1 / 3, 1 / 4])


def test_unhashable_attributes(learned):
    x = tc.arange(6.0, requires_grad=True)
    learned(lambda a: a[1:4] * 2, x)
    assert gradients(lambda a: a[2:5] * 3, x) == [[0.0, 0.0, 3.0, 3.0, 3.0, 0.0]]


def test_programs_are_bounded():
    for side in range(1, 3 * pulls._MOST):
        x = tc.ones(side, requires_grad=True)
        for _ in range(3):
            (x.sqrt() * 1.5).sum().backward()
    assert len(programs("sqrt", True)) <= pulls._MOST
    assert x.grad.tolist() == [2.25] * (3 * pulls._MOST - 1)


def test_uniform_cotangents_pass_what_moves_elements():
    x = tc.arange(6.0).reshape(2, 3).requires_grad_()
    hooked = x.t()
    seen = []
    hooked.register_hook(lambda g: seen.append(tuple(g.shape)))
    turned = tc.cat([x, hooked.t()]).flip(0).reshape(3, 4)
    repeated = x.repeat(2, 2).reshape(2, 12)[:, :6].reshape(3, 4)
    tc.stack([turned, repeated]).sum().backward()
    assert x.grad.tolist() == [[6.0] * 3, [2.0] * 3]
    assert seen == [(3, 2)]


def test_threads():
    results = []

    def work(seed):
        x = tc.full((3,), float(seed), dtype=tc.float64, requires_grad=True)
        for _ in range(50):
            x.grad = None
            ((x * x).exp() / (1 + x)).sum().backward()
        results.append((seed, x.grad.tolist()))

    threads = [threading.Thread(target=work, args=(n / 10,)) for n in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, found in results:
        value = float(seed)
        power = tc.exp(tc.tensor(value * value, dtype=tc.float64)).item()
        assert found == pytest.approx([power * (2 * value / (1 + value) - 1 / (1 + value) ** 2)] * 3)


def test_freed_nodes_hold_nothing():
    x = leaf(1.0, 2.0)
    y = x.exp()
    node = y._node
    y.sum().backward()
    assert node.inputs is graph.FREED
    assert node.output is None


def test_a_stretched_gradient_is_not_added_into():
    """The gradient of a mean shares its elements' memory: what arrives after it must not be written there."""
    for _ in range(4):
        x = tc.arange(12.0).reshape(3, 4).requires_grad_()
        y = x * 1.0
        early = (y * y).sum()
        (early + (y.mean(0) * tc.arange(4.0)).sum()).backward()
        assert tc.allclose(x.grad, 2 * x.detach() + tc.arange(4.0) / 3)


def test_gradients_of_chosen_inputs_are_taken_by_programs():
    for _ in range(4):
        x, w = tc.rand(3, 4, requires_grad=True), tc.rand(4, 2, requires_grad=True)
        y = ((x @ w).tanh() * 2).sum()
        (alone,) = tc.autograd.grad(y, x, retain_graph=True)
        y.backward()
        assert tc.equal(alone, x.grad)


def test_every_pass_gives_the_same_bits():
    x, weight = tc.randn(7, 5).t().requires_grad_(), tc.randn(9, 7).t().requires_grad_()
    cotangent = tc.randn(9, 5).t()
    found = []
    for _ in range(4):
        x.grad = weight.grad = None
        (x @ weight).backward(cotangent)
        found.append((x.grad.tolist(), weight.grad.tolist()))
    assert all(each == found[0] for each in found)
